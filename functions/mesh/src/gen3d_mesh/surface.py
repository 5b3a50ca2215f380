"""From oriented points to triangles: a signed distance on a grid, and marching cubes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.measure import marching_cubes

from gen3d.errors import EmptySurface
from gen3d_mesh import grid_kernels
from gen3d_mesh.shell import Shell
from gen3d_mesh.solid import Solid, Volume, slab_order
from gen3d_mesh.splat import ANOTHER, Floats

Faces = npt.NDArray[np.int32]

TRUST_IN_SOLID = 0.5
"""Weight of the solid's own distance against that of the shell's points."""

SAMPLE = 100_000
"""Gaussians at most, about, that tell the solid's value at its boundary."""


@dataclass(frozen=True)
class Triangles:
    """A triangle mesh.

    Attributes
    ----------
    vertices : (n, 3) float32
    faces : (m, 3) int32
        Counter-clockwise seen from outside.
    """

    vertices: Floats
    faces: Faces


def signed_distance(shell: Shell, solid: Solid, voxel: float) -> tuple[Volume, float]:
    """Implicit moving least squares: the mean distance to the tangent planes of near points.

    After Kolluri, "Provably good moving least squares" (2008); where no point is near, the distance
    to the smoothed solid stands in. A sheet has no side that is outside: its points count by their
    distance without a sign, less half of the thickness that it is given.

    Parameters
    ----------
    shell : Shell
    solid : Solid
    voxel : float
        Of the grid to make, in the unit frame.

    Returns
    -------
    distance : (x, y, z) float32
        In voxels, positive outside; index 0 lies at the solid's grid's origin.
    voxel : float
    """
    grid = solid.grid.finer(voxel)
    points = grid.index(shell.feet)
    order, slabs = slab_order(points[:, 0], 2 * grid_kernels.DISTANCE_REACH + 1)
    distance = np.zeros(grid.shape, np.float32)
    weight = np.zeros(grid.shape, np.float32)
    grid_kernels.add_distances(
        distance, weight, order, slabs, points, shell.normals, shell.weights,
        shell.halves / np.float32(grid.voxel),
    )  # fmt: skip

    some = slice(None, None, -(-len(points) // SAMPLE))
    at_points = grid_kernels.sample(solid.smooth, solid.grid.index(shell.splat.centers[some]))
    level = np.average(at_points, weights=shell.weights[some])
    slope = 2.5 * solid.sigma / grid.voxel
    grid_kernels.fuse_distance(
        distance, weight, solid.smooth, np.float32(grid.voxel / solid.grid.voxel),
        np.float32(level), np.float32(slope), np.float32(TRUST_IN_SOLID),
    )  # fmt: skip
    return distance, grid.voxel


def extract(shell: Shell, solid: Solid, voxel: float) -> Triangles:
    """Marching cubes on the signed distance.

    Raises
    ------
    EmptySurface
        The distance has no zero.
    """
    distance, voxel = signed_distance(shell, solid, voxel)
    if not distance.min() < 0 < distance.max():
        raise EmptySurface(f"The gaussians enclose nothing. {ANOTHER}")
    vertices, faces, _, _ = marching_cubes(
        distance, 0.0, gradient_direction="descent", mask=grid_kernels.crossed(distance)
    )
    vertices = vertices * np.float32(voxel) + solid.grid.origin
    return Triangles(vertices.astype(np.float32), faces.astype(np.int32))
