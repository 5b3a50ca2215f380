"""The square around the object, as the reconstruction network was trained to see it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from gen3d_inference.engines.interface import Floats, Mask

FIELD_OF_VIEW = np.deg2rad(55.0)
"""Taken for the photo's longer side, as its camera is not known: a phone's main lens has 50–70°."""

DISTANCES = (2.5, 12.0)
"""Distances of the camera, in halves of the crop's side, that the network was trained on."""


@dataclass(frozen=True)
class Crop:
    """A square of the photo.

    Parameters
    ----------
    left, top, side : int
        In the photo's pixels; the square may reach beyond the photo.
    photo_width, photo_height : int
        The photo's size.
    """

    left: int
    top: int
    side: int
    photo_width: int
    photo_height: int

    @classmethod
    def around(cls, mask: Mask, margin: float) -> "Crop":
        """Fit a square around a mask, `margin` times as wide as its longer side."""
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        side = max(round(max(bottom - top, right - left) * margin), 4)
        return cls(
            left=round((left + right - side) / 2),
            top=round((top + bottom - side) / 2),
            side=side,
            photo_width=mask.shape[1],
            photo_height=mask.shape[0],
        )

    def colours(self, photo: Image.Image, size: int) -> Floats:
        """Cut the photo: (size, size, 3), sRGB in [0, 1], black beyond its edges."""
        cut = photo.crop(self._box).resize((size, size), Image.Resampling.HAMMING)
        return np.asarray(cut, np.float32) / np.float32(255)

    def mask(self, mask: Mask, size: int) -> Mask:
        """Cut a mask of the photo's size: (size, size)."""
        cut = Image.fromarray(mask.astype(np.uint8) * 255).crop(self._box)
        half: Mask = np.asarray(cut.resize((size, size), Image.Resampling.BOX)) >= 128
        return half

    @property
    def _box(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.left + self.side, self.top + self.side

    @property
    def photo_scale(self) -> float:
        """The crop's side over the photo's longer side."""
        return self.side / max(self.photo_width, self.photo_height)

    @property
    def off_centre(self) -> tuple[float, float]:
        """Its middle, right and down of the photo's, in halves of its own side."""
        return (
            (2 * self.left + self.side - self.photo_width) / self.side,
            (2 * self.top + self.side - self.photo_height) / self.side,
        )

    @property
    def distance(self) -> float:
        """Distance of the camera from the object, in halves of the crop's side, for the network."""
        return float(np.clip(self.away, *DISTANCES))

    @property
    def away(self) -> float:
        """That distance by the photo's field of view, near or far as it may be."""
        return float(1 / np.tan(FIELD_OF_VIEW / 2) / self.photo_scale)
