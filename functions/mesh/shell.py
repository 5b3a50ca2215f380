"""The gaussians near the solid's boundary, with normals that point outward."""

from dataclasses import dataclass

import numpy as np

from mesh import kernels
from mesh.cells import Cells
from mesh.solid import Solid
from mesh.splat import Floats, Splat

MIN_DESCENT = 0.02
"""Where the solid's smoothed edge is flatter than this over two voxels, a gaussian is inside."""

PLANE_RADIUS = 1.6
"""Neighbours within this many spacings, about twenty, make a gaussian's tangent plane."""


@dataclass(frozen=True)
class Shell:
    """Oriented points.

    Attributes
    ----------
    splat : Splat
        The outer gaussians, sorted as `cells` wants them.
    normals : (n, 3) float32
        Unit, outward.
    weights : (n,) float32
        Opacity times the confidence in the normal's side.
    cells : Cells
    """

    splat: Splat
    normals: Floats
    weights: Floats
    cells: Cells


def find_shell(splat: Splat, solid: Solid, spacing: float) -> Shell:
    """Drop inner gaussians and orient the outer ones.

    The solid's descent gives each normal its sign. Its direction is a blend of the tangent plane of
    its neighbours, the gaussian's shortest axis and the descent itself.

    Parameters
    ----------
    splat : Splat
        In the unit frame.
    solid : Solid
    spacing : float
        Distance to the eighth neighbour.
    """
    index = solid.grid.index(splat.centers)
    descent = kernels.sample_descent(solid.smooth, index)
    steepness = np.linalg.norm(descent, axis=1)
    x, y, z = np.round(index).astype(np.int32).T
    outer = (steepness > MIN_DESCENT) & solid.mask[x, y, z]

    cells, order = Cells.sort(splat.centers[outer], PLANE_RADIUS * spacing)
    keep = np.flatnonzero(outer)[order]
    splat, steepness = splat.take(keep), steepness[keep]
    outward = descent[keep] / steepness[:, None]

    plane = kernels.facing_normals(
        splat.centers, cells.start, cells.origin, cells.size, outward,
        np.float32(PLANE_RADIUS * spacing),
    )  # fmt: skip
    axis = shortest_axes(splat)
    axis *= np.sign(np.einsum("ij,ij->i", axis, outward))[:, None]
    agreement = np.einsum("ij,ij->i", plane, outward)[:, None]
    normals = agreement * plane + 0.3 * axis + 0.3 * outward
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)

    edge = steepness * solid.sigma / solid.grid.voxel / 0.8  # 1 at a clean edge
    confidence = np.clip((edge - 0.1) / 0.3, 0.02, 1)
    return Shell(splat, normals.astype(np.float32), splat.opacities * confidence, cells)


def shortest_axes(splat: Splat) -> Floats:
    """Unit axis of each gaussian along which it is thinnest: (n, 3) float32, sign arbitrary."""
    w, x, y, z = splat.rotations.T
    columns = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
            [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
            [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    return np.ascontiguousarray(
        columns[splat.scales.argmin(axis=1), :, np.arange(len(splat))], np.float32
    )
