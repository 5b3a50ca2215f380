"""Draw many small gaussians in place of large sparse ones, whose centres tell little of a surface.

Training covers what is flat and of one colour by few large flat gaussians. All further steps look
at centres: each such gaussian is replaced by as many small ones, within its own ellipsoid, as make
its surroundings as dense as the steps want them. SAM 3D's clouds have next to none, and are left as
they are.
"""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gen3d_mesh import cell_kernels
from gen3d_mesh.cells import Cells
from gen3d_mesh.splat import Floats, Splat, joined

FINEST = 0.0042
"""Spacing, relative to the longest side, below which the steps see no more."""

LARGE = 1.5
"""A gaussian is large with a geometric mean of its two long axes above so many spacings."""

FLAT = 0.4
"""A gaussian is flat with its shortest axis below so much of its second; haze is round."""

SPARSE = 16
"""Fewer others within two spacings are few: 32 are usual."""

SUPPORT = 3
"""A large gaussian with no more others within two standard deviations floats."""

ENOUGH = 24
"""Neighbours at which counting stops."""

MIN_SHARE = 0.06
"""Of the opaque area; large, flat and sparse gaussians that make up less of it are left."""

MOST = 400_000
"""Gaussians are drawn, at most."""


def spread(splat: Splat, spacing: float) -> Splat:
    """Replace large, flat and sparse gaussians by small ones.

    Parameters
    ----------
    splat : Splat
        In units of the longest side.
    spacing : float
        Median distance to the eighth neighbour.

    Returns
    -------
    Splat
        As many small gaussians of a parent's colour and opacity as cover what it covered, evenly
        over its ellipsoid to two standard deviations; the rest unchanged. Large gaussians that lie
        apart from all others, beyond their own extent, are dropped.
    """
    spacing = max(spacing, FINEST)
    a, b, c = splat.scales.T
    shorter, longer = np.minimum(a, b), np.maximum(a, b)
    middle = np.maximum(shorter, np.minimum(longer, c))
    area = middle * np.maximum(longer, c)
    flat = np.minimum(shorter, c) < FLAT * middle
    large = np.flatnonzero(flat & (area > (LARGE * spacing) ** 2))
    opaque = area * splat.opacities
    least = MIN_SHARE * float(opaque.sum())
    if opaque[large].sum() < least:
        return splat
    cells, order = Cells.sort(splat.centers, 2 * spacing)
    centers = splat.centers[order]
    large = large[cells.count(centers, splat.centers[large], 2 * spacing) <= SPARSE]
    if opaque[large].sum() < least:
        return splat

    around = cell_kernels.count_inside(
        centers, cells.start, cells.origin, cells.size, splat.centers[large],
        np.sqrt(splat.scales[large] ** 2 + np.float32(spacing**2)), splat.rotations[large],
        np.float32(2), ENOUGH + 1,
    ) - 1  # itself  # fmt: skip
    untouched = np.ones(len(splat), bool)
    untouched[large] = False
    held = around > SUPPORT
    large, around = large[held], around[held]
    # Eight within a spacing are wanted; so many are within its ellipse, to two deviations.
    there = around / (4 * math.pi * area[large])
    wanted = 8 / (math.pi * spacing**2)
    times = wanted / there
    times *= min(1.0, MOST / max(1.0, float(times.sum())))
    number = np.maximum(1, np.ceil(times)).astype(np.intp)
    return joined(splat.take(untouched), _drawn(splat.take(large), number))


def _drawn(parents: Splat, number: npt.NDArray[np.intp]) -> Splat:
    """`number` small gaussians from each parent: a spiral over its two long axes."""
    parent = np.repeat(np.arange(len(parents)), number)
    of = number[parent]
    rank = np.arange(len(parent)) - np.repeat(np.cumsum(number) - number, number)
    golden = (math.sqrt(5) - 1) / 2
    share = (rank + 0.5) / of
    radius = np.sqrt(-2 * np.log1p(-share * (1 - math.exp(-2))))  # a normal law's, cut at 2
    angle = 2 * math.pi * (rank * golden + parent * golden)
    scales = parents.scales[parent]
    axes = np.argsort(-scales, axis=1)
    offset = np.zeros_like(scales)
    rows = np.arange(len(parent))
    offset[rows, axes[:, 0]] = radius * np.cos(angle)
    offset[rows, axes[:, 1]] = radius * np.sin(angle)
    offset[rows, axes[:, 2]] = 2 * ((rank * math.sqrt(2) + 0.5) % 1) - 1
    rotations = parents.rotations[parent]
    centers = parents.centers[parent] + _turned(offset * scales, rotations)
    small = scales / np.sqrt(of)[:, None].astype(np.float32)
    thin = axes[:, 2]
    small[rows, thin] = np.minimum(scales[rows, thin], small.max(axis=1))
    return replace(
        parents.take(parent), centers=centers.astype(np.float32), scales=small.astype(np.float32)
    )


def _turned(vectors: Floats, rotations: Floats) -> Floats:
    """Vectors (n, 3) turned by unit quaternions (n, 4), wxyz."""
    axis = rotations[:, 1:]
    across = 2 * np.cross(axis, vectors)
    turned: Floats = vectors + rotations[:, :1] * across + np.cross(axis, across)
    return turned
