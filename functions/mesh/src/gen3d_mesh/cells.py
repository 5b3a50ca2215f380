"""Points sorted into cubic cells: all neighbours within a cell's size are in 27 cells."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gen3d_mesh import cell_kernels, grid_kernels
from gen3d_mesh.grid_kernels import counting_sort
from gen3d_mesh.splat import Floats

MIN_CELL = 1 / 200
"""Smaller cells would cost more memory than they save time."""


@dataclass(frozen=True)
class Cells:
    """Where each cell's points start in the sorted array.

    Attributes
    ----------
    origin : (3,) float32
        Corner of the first cell.
    size : float
        Edge of a cell.
    start : (x, y, z + 1) int32
        Index of a cell's first point; z runs fastest, so a run along z is contiguous.
    """

    origin: Floats
    size: np.float32
    start: npt.NDArray[np.int32]

    @classmethod
    def sort(cls, points: Floats, radius: float) -> tuple["Cells", npt.NDArray[np.int32]]:
        """Make cells for look-ups within `radius`.

        Parameters
        ----------
        points : (n, 3) float32
            In the unit frame.
        radius : float
            The largest distance that will be asked for.

        Returns
        -------
        Cells
        order : (n,) int
            ``points[order]`` is sorted as the cells want it.
        """
        size = np.float32(max(radius, MIN_CELL))
        low, high = grid_kernels.bounds(points)
        origin = low - size
        shape = ((high - origin) / size).astype(np.int32) + 2
        flat = grid_kernels.flat_index(points, origin, size, shape)
        order, start = counting_sort(flat, int(shape.prod()))
        # One more column along z holds each run's end, which is the next run's start.
        ends = start[shape[2] :: shape[2]].reshape(shape[0], shape[1], 1)
        runs = np.concatenate([start[:-1].reshape(shape), ends], axis=2)
        return cls(origin, size, np.ascontiguousarray(runs)), order

    def order(self, places: Floats) -> npt.NDArray[np.int32]:
        """Order in which `places` (m, 3) of one cell come together, also of places beyond them."""
        shape = np.array(self.start.shape, np.int32)
        flat = grid_kernels.flat_index(places, self.origin, self.size, shape)
        order, _ = counting_sort(flat.clip(0, self.start.size - 1), self.start.size)
        found: npt.NDArray[np.int32] = order
        return found

    def count(
        self, points: Floats, queries: Floats, radius: float, most: int = 2**31 - 1
    ) -> npt.NDArray[np.int32]:
        """Number of sorted `points` within `radius` of each query, itself included.

        Where there are `most` or more, any number that is not less is given.
        """
        counts: npt.NDArray[np.int32] = cell_kernels.count_neighbours(
            points, self.start, self.origin, self.size, queries, np.float32(radius), most
        )
        return counts
