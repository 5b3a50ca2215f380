"""A splat made by hand, to warm up and to test with."""

from pathlib import Path

import numpy as np

from gen3d.ply import PROPERTIES, SH_C0
from gen3d_mesh.splat import Floats, Splat


def on_surface(points: Floats, colors: Floats, size: float, opacity: float = 0.9) -> Splat:
    """Round gaussians of one `size` at `points` (n, 3), with sRGB `colors` (n, 3)."""
    n = len(points)
    rotations = np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1))
    return Splat(
        points.astype(np.float32),
        colors.astype(np.float32),
        np.full(n, opacity, np.float32),
        np.full((n, 3), size, np.float32),
        rotations,
    )


def ball(count: int) -> Splat:
    """A ball of diameter 1: blue below, red above."""
    points = np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)
    points /= 2 * np.linalg.norm(points, axis=1, keepdims=True)
    red, blue = np.array([[[0.9, 0.2, 0.2]], [[0.2, 0.2, 0.9]]], np.float32)
    colors = np.where(points[:, 2:] > 0, red, blue)
    return on_surface(points, colors, size=0.8 * count**-0.5)


def write_splat(path: Path, splat: Splat) -> None:
    """Write the 3DGS PLY that `gen3d_mesh.splat` reads."""
    rows = np.zeros((len(splat), len(PROPERTIES)), "<f4")
    rows[:, 0:3] = splat.centers
    rows[:, 6:9] = (splat.colors - 0.5) / SH_C0
    with np.errstate(divide="ignore"):
        rows[:, 9] = np.log(splat.opacities) - np.log1p(-splat.opacities)
    rows[:, 10:13] = np.log(splat.scales)
    rows[:, 13:17] = splat.rotations
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(splat)}",
        *(f"property float {name}" for name in PROPERTIES),
        "end_header\n",
    ]
    path.write_bytes("\n".join(header).encode() + rows.tobytes())
