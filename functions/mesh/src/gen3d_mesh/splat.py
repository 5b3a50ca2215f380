"""Gaussians, as all that follows takes them; `gen3d_mesh.read` reads them from a file."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

MAX_GAUSSIANS = 2_000_000
"""A third more than the largest that SAM 3D Objects can write (32 in each of 42,000 voxels); of a
larger splat so many are taken."""

MAX_BYTES = MAX_GAUSSIANS * 62 * 4
"""Of a file: with all harmonics of the third degree, as the reference code writes them."""

ANOTHER = "Give another splat; for one that is made of a photo, try another photo or mask."
"""What to do about gaussians that are no object."""

Up: TypeAlias = Literal["y", "-y", "z"]
"""The axis of a splat's frame that points to the sky."""

_QUARTER: dict[Up, int] = {"y": 1, "-y": -1}
"""Quarter turns about x that bring it to Z."""


@dataclass(frozen=True)
class Splat:
    """Gaussians with their activations applied.

    Attributes
    ----------
    centers : (n, 3) float32
        Seen from `origin`.
    colors : (n, 3) float32
        sRGB in [0, 1].
    opacities : (n,) float32
        In [0, 1].
    scales : (n, 3) float32
        Standard deviations along the gaussian's own axes, in units of `centers`.
    rotations : (n, 4) float32
        Unit quaternions, wxyz; they take the gaussian's axes to the splat's frame.
    origin : tuple of float
        Of `centers` in the file's frame: not zero where float32 could not hold the coordinates.
    """

    centers: Floats
    colors: Floats
    opacities: Floats
    scales: Floats
    rotations: Floats
    origin: tuple[float, float, float] = field(default=(0.0, 0.0, 0.0), kw_only=True)

    def __len__(self) -> int:
        return len(self.centers)

    def take(self, index: npt.NDArray[Any]) -> "Splat":
        """Pick gaussians by a boolean mask or by indices."""
        rows = np.flatnonzero(index) if index.dtype == bool else index
        return Splat(  # NumPy's `take` needs a third of the time that an index in brackets does
            self.centers.take(rows, axis=0),
            self.colors.take(rows, axis=0),
            self.opacities.take(rows),
            self.scales.take(rows, axis=0),
            self.rotations.take(rows, axis=0),
            origin=self.origin,
        )

    def thinned(self, most: int) -> "Splat":
        """A random sample of at most so many, each larger by what keeps the surface covered."""
        if len(self) <= most:
            return self
        return self.take(sample(len(self), most)).grown(len(self) / most)

    def grown(self, times: float) -> "Splat":
        """Gaussians that each cover so many times the area."""
        return replace(self, scales=self.scales * np.float32(times**0.5))

    def upright(self, up: Up) -> "Splat":
        """Turn so that Z is up where `up` was."""
        turn = _QUARTER.get(up)
        if turn is None:
            return self
        x, y, z = self.origin
        a, b, c, d = (self.rotations * np.float32(0.5**0.5)).T
        product = [a - turn * b, b + turn * a, c - turn * d, d + turn * c]
        return replace(
            self,
            centers=self.centers[:, [0, 2, 1]] * np.array([1, -turn, turn], np.float32),
            rotations=np.stack(product, axis=1),
            origin=(x, -turn * z, turn * y),
        )


def every(rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether all three of a row are true: (n,), in a fifth of the time that `all` takes."""
    all_of_it: npt.NDArray[np.bool_] = rows[:, 0] & rows[:, 1] & rows[:, 2]
    return all_of_it


def joined(first: Splat, *others: Splat) -> Splat:
    """One splat of several that have one origin."""
    splats = (first, *others)
    return Splat(
        np.concatenate([splat.centers for splat in splats]),
        np.concatenate([splat.colors for splat in splats]),
        np.concatenate([splat.opacities for splat in splats]),
        np.concatenate([splat.scales for splat in splats]),
        np.concatenate([splat.rotations for splat in splats]),
        origin=first.origin,
    )


def sample(count: int, most: int) -> npt.NDArray[np.int64]:
    """Pick `most` of `count` rows by chance, the same ones each time, in their order."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])
