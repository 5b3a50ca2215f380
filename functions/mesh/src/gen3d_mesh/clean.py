"""Drop the gaussians that cannot belong to a surface, and bring the rest to the unit frame."""

from collections.abc import Sized
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gen3d.errors import EmptySurface, InvalidSplat
from gen3d_mesh.cells import Cells
from gen3d_mesh.grid_kernels import bounds, counted_from
from gen3d_mesh.splat import ANOTHER, Floats, Splat, every
from gen3d_mesh.spread import spread

MIN_OPACITY = 0.1
MIN_GAUSSIANS = 100
"""Fewer have no surface."""

LEAST_SIDE = 0.05
"""Of what is left over what there was; less means that a clump passed for the surface."""

MAX_SCALE = 0.05
"""A gaussian larger than this, relative to the longest side, is haze."""

NEIGHBOURS = 8
"""The spacing is the median distance to this many neighbours."""

MIN_NEIGHBOURS = 6
"""Within two spacings 4 · `NEIGHBOURS` are usual; with fewer than this a gaussian is alone."""

FIRST_RADIUS = 0.02
"""Of the ball in which neighbours are first counted."""

SAMPLE = 100_000
"""Gaussians at most, about, that tell where nearly all of them lie, and whether in a plane."""


@dataclass(frozen=True)
class Frame:
    """The way back from the unit frame: ``p_splat = size · p + center``."""

    center: npt.NDArray[np.float64]
    size: float


@dataclass(frozen=True)
class Cleaned:
    """Gaussians in the unit frame, sorted by cell so that neighbours lie together in memory.

    Attributes
    ----------
    splat : Splat
    frame : Frame
    spacing : float
        Median distance to the eighth neighbour.
    """

    splat: Splat
    frame: Frame
    spacing: float


def clean(splat: Splat) -> Cleaned:
    """Drop transparent, broken, huge, far and lone gaussians.

    Parameters
    ----------
    splat : Splat
        As read.

    Returns
    -------
    Cleaned

    Raises
    ------
    EmptySurface
        Too few gaussians remain, or they lie in one spot, in a plane or on a line.
    InvalidSplat
        Coordinates too large to compute with.
    """
    usable = np.flatnonzero(_usable(splat))
    _check_count(usable, splat)
    centers = splat.centers.take(usable, axis=0)
    center, size = _core(centers)
    near = every(np.abs(counted_from(centers, center, size)) <= 1)
    near &= every(splat.scales.take(usable, axis=0) <= np.float32(MAX_SCALE * size))
    read, splat = splat, _to_unit(splat.take(usable[near]), center, size)
    _check_count(splat, read)
    _check_depth(splat.centers)

    spacing = _spacing(splat.centers)
    whole, splat = splat, spread(splat, spacing)
    if splat is not whole:
        spacing = _spacing(splat.centers)
    splat = _drop_lone(splat, spacing)
    _check_count(splat, read)
    low, high = bounds(splat.centers)
    middle, side = (low + high) / 2, float((high - low).max())
    if side < LEAST_SIDE:
        raise EmptySurface(f"Most gaussians lie in one spot. {ANOTHER}")
    splat = _to_unit(splat, middle.astype(np.float64), side)
    return Cleaned(splat, Frame(center + size * middle, size * side), spacing / side)


def _usable(splat: Splat) -> npt.NDArray[np.bool_]:
    return (
        (splat.opacities >= MIN_OPACITY)  # false for NaN, too
        & every(np.isfinite(splat.centers))
        & every(np.isfinite(splat.scales))
        & every(np.isfinite(splat.colors))
    )


def _check_count(left: Sized, read: Sized) -> None:
    if len(left) < MIN_GAUSSIANS:
        raise EmptySurface(
            f"Of {len(read):,} gaussians {len(left)} can make a surface: the others are fainter "
            f"than {MIN_OPACITY:.0%}, as large as haze, or lie apart. {ANOTHER}"
        )


def _core(centers: Floats) -> tuple[npt.NDArray[np.float64], float]:
    """Centre and longest side of the box that holds all but the outermost hundredth."""
    some = centers[:: -(-len(centers) // SAMPLE)].astype(np.float64)
    low, high = np.quantile(some, (0.01, 0.99), axis=0)
    size = float((high - low).max())
    if not size < 1e9:
        raise InvalidSplat("The splat's coordinates are out of bounds: the file is damaged.")
    if size < 1e-9:
        raise EmptySurface(f"All gaussians lie in one point. {ANOTHER}")
    return (low + high) / 2, size


def _to_unit(splat: Splat, center: npt.NDArray[np.float64], size: float) -> Splat:
    centers = counted_from(splat.centers, center, size)
    return replace(splat, centers=centers, scales=splat.scales / np.float32(size))


def _check_depth(centers: Floats) -> None:
    some = centers[:: -(-len(centers) // SAMPLE)].astype(np.float64)
    spread = np.linalg.eigvalsh(np.cov(some.T))
    if spread[0] < 1e-7 * spread[2]:
        raise EmptySurface(f"The gaussians lie in a plane or on a line. {ANOTHER}")


def _spacing(centers: Floats) -> float:
    """Median distance to the neighbour of number `NEIGHBOURS`, from a sample."""
    sample = np.random.default_rng(0).choice(len(centers), min(len(centers), 4000), replace=False)
    queries = centers[sample]
    spacing = FIRST_RADIUS / 2
    cells, order = Cells.sort(centers, FIRST_RADIUS)
    for _ in range(2):  # the second time with a ball that is small against the object's features
        radius = 2 * spacing
        if radius > cells.size:
            cells, order = Cells.sort(centers, radius)
        counts = cells.count(centers[order], queries, radius)
        others = max(1.0, float(np.median(counts)) - 1)
        spacing = float(radius * np.sqrt(NEIGHBOURS / others))
    return spacing


def _drop_lone(splat: Splat, spacing: float) -> Splat:
    cells, order = Cells.sort(splat.centers, 2 * spacing)
    centers = splat.centers[order]
    count = cells.count(centers, centers, 2 * spacing, MIN_NEIGHBOURS + 1)
    return splat.take(order[count > MIN_NEIGHBOURS])
