"""The gaussians near the solid's boundary, with normals that point outward."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gen3d_mesh import cell_kernels, grid_kernels, shell_kernels
from gen3d_mesh.cells import Cells
from gen3d_mesh.solid import Solid
from gen3d_mesh.splat import Floats, Splat

MIN_DESCENT = 0.02
"""Where the solid's smoothed edge is flatter than this over two voxels, a gaussian is inside."""

VOTE = 1 / 48
"""Edge of the boxes by which neighbours agree on whether they make a sheet."""

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
    feet : (n, 3) float32
        A point of the surface that each gaussian stands for: its centre, or on a sheet the place
        halfway between the two sides.
    halves : (n,) float32
        Half of the sheet's thickness; 0 off sheets, where the surface passes through the feet.
    cells : Cells
    """

    splat: Splat
    normals: Floats
    weights: Floats
    feet: Floats
    halves: Floats
    cells: Cells


def find_shell(splat: Splat, solid: Solid, spacing: float, thinnest: float) -> Shell:
    """Drop inner gaussians and orient the outer ones.

    The solid's descent gives each normal its sign. Its direction is a blend of the tangent plane of
    its neighbours, the gaussian's shortest axis and the descent itself. Where two sides are nearer
    than `thinnest`, both are one sheet, whose descent means nothing.

    Parameters
    ----------
    splat : Splat
        In the unit frame.
    solid : Solid
    spacing : float
        Distance to the eighth neighbour.
    thinnest : float
        Thickness that a sheet is given.
    """
    outward, steepness = shell_kernels.descents(
        solid.smooth, solid.mask, solid.grid.index(splat.centers)
    )
    outer = np.flatnonzero(steepness > MIN_DESCENT)

    cells, order = Cells.sort(splat.centers.take(outer, axis=0), PLANE_RADIUS * spacing)
    keep = outer[order]
    splat, steepness, outward = splat.take(keep), steepness[keep], outward.take(keep, axis=0)

    plane, thickness, middle = cell_kernels.facing_normals(
        splat.centers, cells.start, cells.origin, cells.size, outward,
        np.float32(PLANE_RADIUS * spacing),
    )  # fmt: skip
    sheet = most_around(splat.centers, (thickness > 0) & (thickness < thinnest))
    normals = shell_kernels.oriented(plane, outward, sheet, splat.scales, splat.rotations)

    edge = steepness * solid.sigma / solid.grid.voxel / 0.8  # 1 at a clean edge
    confidence = np.where(sheet, 1, np.clip((edge - 0.1) / 0.3, 0.02, 1)).astype(np.float32)
    feet = splat.centers + np.where(sheet, middle, np.float32(0))[:, None] * plane
    halves = np.where(sheet, np.float32(thinnest / 2), np.float32(0))
    return Shell(splat, normals, splat.opacities * confidence, feet, halves, cells)


def most_around(points: Floats, votes: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether most points in a point's surroundings say yes: in its box of `VOTE` and the next."""
    low, high = grid_kernels.bounds(points)
    shape = ((high - low) / np.float32(VOTE)).astype(np.int32) + 1
    flat = grid_kernels.flat_index(points, low, np.float32(VOTE), shape)

    def around(count: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        sums = np.pad(count.reshape(shape), 1)
        sums = sums[:-2] + sums[1:-1] + sums[2:]
        sums = sums[:, :-2] + sums[:, 1:-1] + sums[:, 2:]
        sums = sums[:, :, :-2] + sums[:, :, 1:-1] + sums[:, :, 2:]
        here: npt.NDArray[np.int64] = sums.ravel()[flat]
        return here

    size = int(shape.prod())
    yes = around(np.bincount(flat[votes], minlength=size))
    everyone = around(np.bincount(flat, minlength=size))
    most: npt.NDArray[np.bool_] = yes > 0.5 * everyone
    return most
