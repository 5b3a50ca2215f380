"""An object cut out of its photo, as TripoSplat's image encoders are shown it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from gen3d_inference.engines.interface import Mask

_ROOM = 1.2
"""Side of the square around an object, in the object's longer one."""
_ERODED = 3
"""Pixels of the window that takes one off the object's rim, where the background shines in."""


@dataclass(frozen=True)
class Cutout:
    """The square around an object.

    Parameters
    ----------
    x, y : float
        Its centre, in the photo's pixels.
    half : float
        Half its side, likewise.
    """

    x: float
    y: float
    half: float

    @classmethod
    def around(cls, mask: Mask) -> "Cutout":
        """The square around a mask that is not empty."""
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        height, width = (float(span[-1] - span[0] + 1) for span in (rows, columns))
        return cls(
            x=float(columns[0]) + width / 2,
            y=float(rows[0]) + height / 2,
            half=max(height, width, 2.0) / 2 * _ROOM,
        )

    def picture(self, photo: Image.Image, mask: Mask, side: int) -> Image.Image:
        """The object before black, as a square of `side` pixels."""
        corners = (self.x - self.half, self.y - self.half, self.x + self.half, self.y + self.half)
        left, top, right, bottom = (round(corner) for corner in corners)
        cut = photo.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
        inside = mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        alpha = Image.new("L", cut.size)
        alpha.paste(Image.fromarray(inside.view(np.uint8) * 255), (max(-left, 0), max(-top, 0)))
        cut.putalpha(alpha)
        cut = cut.resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
        whole = cut.getchannel("A")
        eroded = whole.filter(ImageFilter.MinFilter(_ERODED))
        picture = Image.new("RGB", (side, side))
        picture.paste(cut, mask=whole if eroded.getbbox() is None else eroded)
        return picture
