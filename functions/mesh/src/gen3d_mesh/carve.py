"""Open the gaps that the solid's voxels are too wide for, on a grid that is finer.

On the solid's grid a gap of one or two voxels is full: each gaussian reaches into it by its own
extent, and the flood keeps away from what is occupied. On the finer grid each gaussian is a disc on
the plane of its neighbours, as wide as gaussians lie apart and without thickness, so that walls are
thin and whole. What the outside floods there is a gap if it lies deep in the solid; the solid's
skin stays.

Flat walls have pinholes still, and two things keep the flood out of what is truly inside: wide
rooms between walls, of which the coarse solid is sure; and what lies behind a wall whose outward
side the coarse solid knows. It knows none in a gap that it filled.

At a gap's mouth discs reach over its rim and leave bridges. Discs that lie at the mean of their
neighbours, further in, leave fewer, and more pinholes: they are for a second flood, which goes on
from the first one, a few voxels around the gaps that it found.

What the floods leave in a gap that lies between two parts are bridges: parts that fall apart where
a few voxels are taken from all sides are parted there. Nothing is taken from what joins a part to
itself, as a spoke does, or lies in no gap.

Where a rod beside a gap is cut, as the cloud is thin at its end, the coarse solid is given back,
but for bridges.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gen3d_mesh import cell_kernels, grid_kernels, mask_kernels
from gen3d_mesh.cells import Cells
from gen3d_mesh.shell import MIN_DESCENT, PLANE_RADIUS
from gen3d_mesh.solid import PADDING, Grid, Mask, Solid, grown, slab_order, smooth
from gen3d_mesh.splat import Floats, Splat

MOST_VOXELS = 21_000_000
"""Of the finer grid, which is laid around the solid alone. What fills more of a cube is left."""

VOXEL = 0.4
"""Of the finer grid, at least, in spacings: discs as wide as a spacing are then whole walls."""

REACH = 2.65
"""Standard deviations up to which a disc is drawn."""

BLUR = 0.5
"""Voxels by which a disc is widened, so that none falls between the voxels."""

OCCUPIED = 0.25
"""Density, relative to the median at the discs, from which a voxel is occupied."""

ROOM = 2
"""A room of the solid into which a ball of so many voxels fits is inside."""

SURE, ALONG = 0.4, 0.8
"""A wall's side is known where the solid's edge is so clean, and within 37° of the wall's plane."""

OPAQUE = 0.3
"""Share of the median opacity from which a gaussian tells of a wall's side, and of what was cut:
faint ones lie in gaps too."""

NEAR = 1
"""Voxels from a gaussian up to which what is thin is none of the films that discs make over a
gap's mouth."""

AROUND = 6
"""Voxels around a gap that the second flood may reach: most bridges are twice as wide at most."""

BRIDGE, SPAN = 3, 8
"""What joins two large parts in a gap is a bridge if it is no thicker than twice so many voxels and
within so many of both: parts are rounder than the object, above all at a gap's rim."""

LARGE = 0.1
"""Of the largest part's voxels; what is smaller is rather a rung, which is thin at its ends."""

LOW, LOST, CLUMP, BACK = 0.6, 3, 5, 3
"""Where so many gaussians are in a voxel of the solid whose height, once carved, is below this
share of the mean, and in so many voxels in a clump, a rod was cut: so many voxels around are given
back. At a gap's rim fewer are low: an edge has half of the height of a flat wall."""

BEHIND = 3
"""Voxels of the solid up to which it is inside behind such a wall, or to halfway through it."""

SKIN = 3
"""Voxels of the solid, from outside, that are no gap."""


def carve(solid: Solid, splat: Splat, spacing: float) -> Solid:
    """Open gaps.

    Parameters
    ----------
    solid : Solid
    splat : Splat
        In the unit frame.
    spacing : float
        Distance to the eighth neighbour.

    Returns
    -------
    Solid
        On a grid of its own; `solid` itself where the cloud is too sparse or too bulky for a finer
        grid, or has no gap.
    """
    long = np.sort(splat.scales, axis=1)[:, 1:]
    spacing = max(spacing, float(np.median(np.sqrt(long.prod(axis=1)))))
    first, coarse = _cropped(solid.mask)
    size = np.array(coarse.shape) * solid.grid.voxel
    voxel = max(VOXEL * spacing, float(size.prod() / MOST_VOXELS) ** (1 / 3))
    times = int(solid.grid.voxel / voxel)
    if times < 2:
        return solid
    # Voxel k of the solid holds the finer ones from times · k to times · k + times - 1.
    corner = solid.grid.origin + (first - 0.5 + 0.5 / times) * solid.grid.voxel
    shape = (coarse.shape[0] * times, coarse.shape[1] * times, coarse.shape[2] * times)
    grid = Grid(corner.astype(np.float32), solid.grid.voxel / times, shape)

    x, y, z = np.round(solid.grid.index(splat.centers)).astype(np.int32).T
    splat = splat.take(solid.mask[x, y, z])
    cells, order = Cells.sort(splat.centers, PLANE_RADIUS * spacing)
    splat = splat.take(order)
    # Faint gaussians lie far off more often, and squares keep these from bridging a gap.
    weights = splat.opacities**2
    normals, way = cell_kernels.fit_planes(
        splat.centers, weights, cells.start, cells.origin, cells.size,
        np.float32(PLANE_RADIUS * spacing),
    )  # fmt: skip
    opaque = splat.opacities >= OPAQUE * float(np.median(splat.opacities))
    within = _finer(coarse, times)

    def flooded_from(outside: Mask, centers: Floats, reach: Mask) -> Mask:
        """All that the outside floods within `reach`, between discs at `centers`."""
        occupied = _discs(centers, normals, weights, spacing, grid)
        free = reach & ~occupied & ~_rooms(coarse, occupied, times)
        free &= ~_behind(solid, splat.take(opaque), centers[opaque], normals[opaque], grid)
        grid_kernels.flood(free, outside)
        return outside & within

    on_planes = np.einsum("ij,ij->i", way, normals)[:, None] * normals
    flooded = flooded_from(~within, splat.centers + on_planes, within)
    inner: Mask = coarse
    for _ in range(SKIN):
        inner = ~grown(~inner)
    deep = _finer(inner, times)
    around: Mask = flooded & deep
    if not around.any():
        return solid
    around = _around(around, AROUND)
    flooded = flooded_from(~within | flooded, splat.centers + way, within & around)
    opened = _finer(_around(_any(flooded & deep, times), SKIN + 1), times)
    carved = within & ~(flooded & opened)
    bridges = _bridges(carved, opened)
    carved &= ~bridges
    carved = _without_films(carved, (splat.centers + way)[opaque], grid)
    finished = _on(solid, carved, grid)
    cut = _cut(finished, splat.centers[opaque], grid, times)
    cut &= ~_around(_any(bridges, times), BACK + 1)
    if cut.any():
        back = _finer(_around(cut, BACK), times)
        finished = _on(solid, carved | (within & back), grid)
    return finished


def _bridges(carved: Mask, opened: Mask) -> Mask:
    """What joins two large parts where a gap was `opened`, if it is thin and short."""
    inner = carved
    for _ in range(BRIDGE):
        inner = ~grown(~inner)
    labels, count = mask_kernels.label(inner)
    large = _large(labels, count)
    if len(large) <= len(_large(*mask_kernels.label(carved))):
        return np.zeros(carved.shape, bool)
    parts = np.zeros(carved.shape, bool)
    near, touching = np.zeros((2, *carved.shape), np.uint8)  # how many parts are
    for number in large:
        part = _around(labels == number, BRIDGE)
        parts |= part
        touching += grown(part)
        near += _around(part, SPAN)
    bridges: Mask = carved & opened & ((touching > 1) | (near > 1) & ~parts)
    return bridges


def _large(labels: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.intp]:
    """Numbers of the parts that are large."""
    sizes = grid_kernels.occurrences(labels, count + 1)
    sizes[0] = 0
    large: npt.NDArray[np.intp] = np.flatnonzero(sizes > LARGE * sizes.max())
    return large


def _on(solid: Solid, carved: Mask, grid: Grid) -> Solid:
    """The solid with a carved mask on another grid."""
    mask = np.pad(carved, PADDING)
    grid = Grid(grid.origin - np.float32(PADDING * grid.voxel), grid.voxel, mask.shape)
    return replace(solid, grid=grid, mask=mask, smooth=smooth(mask, solid.sigma / grid.voxel))


def _cut(carved: Solid, centers: Floats, grid: Grid, times: int) -> Mask:
    """Voxels of the solid where gaussians are hardly in the carved one: what its blur took."""
    height = grid_kernels.sample(carved.smooth, carved.grid.index(centers))
    low = height < LOW * float(np.mean(height))
    shape = np.array(grid.shape) // times
    x, y, z = np.clip(np.round(grid.index(centers[low])).astype(np.int32) // times, 0, shape - 1).T
    count = np.bincount(np.ravel_multi_index((x, y, z), shape), minlength=shape.prod())
    lost: Mask = count.reshape(shape) >= LOST
    labels, _ = mask_kernels.label(grown(lost))
    clump = np.bincount(labels[lost], minlength=labels.max() + 1) >= CLUMP
    cut: Mask = lost & clump[labels]
    return cut


def _around(mask: Mask, voxels: int) -> Mask:
    """A mask and all that is so many voxels from it."""
    for _ in range(voxels):
        mask = grown(mask)
    return mask


def _without_films(carved: Mask, centers: Floats, grid: Grid) -> Mask:
    """Take away what is a voxel or two thin and has no gaussians near."""
    last = np.array(grid.shape) - 1
    x, y, z = np.clip(np.round(grid.index(centers)), 0, last).astype(np.int32).T
    near = np.zeros(grid.shape, bool)
    near[x, y, z] = True
    for _ in range(NEAR):
        near = grown(near)
    thick: Mask = grown(~grown(~carved))
    return thick | (carved & near)


def _cropped(mask: Mask) -> tuple[npt.NDArray[np.intp], Mask]:
    """A mask without what is empty around it, but for a voxel on each side, and its first voxel."""
    sides = [np.flatnonzero(mask.any(axis=other)) for other in ((1, 2), (0, 2), (0, 1))]
    box = tuple(slice(int(side[0]) - 1, int(side[-1]) + 2) for side in sides)
    return np.array([side.start for side in box]), np.ascontiguousarray(mask[box])


def _finer(mask: Mask, times: int) -> Mask:
    """Each voxel as so many along each axis."""
    return mask.repeat(times, axis=0).repeat(times, axis=1).repeat(times, axis=2)


def _any(mask: Mask, times: int) -> Mask:
    """Whether any of the voxels that `_finer` makes of one is set."""
    x, y, z = (n // times for n in mask.shape)
    found: Mask = np.any(mask.reshape(x, times, y, times, z, times), axis=(1, 3, 5))
    return found


def _discs(centers: Floats, normals: Floats, weights: Floats, spacing: float, grid: Grid) -> Mask:
    """Voxels that discs of a `spacing` at `centers`, across `normals`, occupy."""
    normals = np.where(normals[:, 2:] < 0, -normals, normals)
    turns = np.stack(
        [1 + normals[:, 2], -normals[:, 1], normals[:, 0], np.zeros(len(normals))], axis=1
    )  # brings Z to the normal
    turns = (turns / np.linalg.norm(turns, axis=1, keepdims=True)).astype(np.float32)
    wide = spacing / grid.voxel
    scales = np.tile(np.array([wide, wide, 0], np.float32), (len(normals), 1))
    reach = REACH * (wide**2 + BLUR**2) ** 0.5
    points = grid.index(centers)
    order, slabs = slab_order(points[:, 0], 2 * reach + 1)
    volume = np.zeros(grid.shape, np.float32)
    grid_kernels.add_gaussians(
        volume, order, slabs, points, scales, turns, weights, np.float32(BLUR), np.float32(reach)
    )
    occupied: Mask = volume > OCCUPIED * float(np.median(grid_kernels.sample(volume, points)))
    return occupied


def _rooms(coarse: Mask, occupied: Mask, times: int) -> Mask:
    """Rooms between walls that are wider than a gap can be."""
    free = coarse & ~_any(occupied, times)
    room: Mask = free
    for _ in range(ROOM):
        room = ~grown(~room)
    for _ in range(ROOM):
        room = grown(room)
    room = grown(room) & free  # a step into corners: more of them lead through pinholes
    # The voxels of a wall hold some finer ones that are none.
    rooms: Mask = grown(_finer(room, times)) & ~occupied
    return rooms


def _behind(solid: Solid, splat: Splat, centers: Floats, normals: Floats, grid: Grid) -> Mask:
    """What lies behind walls of which the solid knows the outward side."""
    descent = grid_kernels.sample_descent(solid.smooth, solid.grid.index(splat.centers))
    steepness = np.linalg.norm(descent, axis=1)
    along = np.einsum("ij,ij->i", descent, normals)
    clean_edge = 0.8 * solid.grid.voxel / solid.sigma
    known = (steepness > SURE * clean_edge) & (np.abs(along) > ALONG * steepness)
    inward = -descent[known] / steepness[known, None]
    at = centers[known]
    mask: Mask = np.zeros(grid.shape, bool)
    last = np.array(grid.shape) - 1
    for step in range(1, 2 + round(BEHIND * solid.grid.voxel / grid.voxel)):
        at = at + np.float32(grid.voxel) * inward
        onward = grid_kernels.sample_descent(solid.smooth, solid.grid.index(at))
        before_halfway = np.einsum("ij,ij->i", onward, inward) < MIN_DESCENT
        at, inward = at[before_halfway], inward[before_halfway]
        if step > 1:  # the first is the wall itself, on whose outward side nothing is to be marked
            x, y, z = np.clip(np.round(grid.index(at)), 0, last).astype(np.int32).T
            mask[x, y, z] = True
    return grown(mask)
