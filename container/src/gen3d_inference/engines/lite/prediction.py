"""What the reconstruction network says of a crop."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gen3d_inference.engines.interface import Floats, Mask

RAGGED = 2
"""Pixels by which the network's outline differs from any mask's; what is thinner is not hidden."""

ELEVATIONS = (0.0, 1.2)
"""Radians; as far as views were drawn for the training, but for cameras that look up: rare."""

MOST_HIDDEN = 0.6
"""Of what is seen; a mask that seems to lack more was not meant to be the whole of anything."""


@dataclass(frozen=True)
class Prediction:
    """Maps of the crop, s × s pixels; they hold on `whole` alone.

    Parameters
    ----------
    shown : (s, s)
        The mask as the network was shown it.
    whole : (s, s)
        That, and what other things or the photo's edge hide of the object.
    front, thickness : (s, s)
        Depth of the front, relative to its mean, and from there to the back, in halves of the
        crop's side.
    back_colour : (s, s, 3)
        sRGB in [0, 1].
    elevation : float
        Angle by which the camera looks down on the object, radians.
    """

    shown: Mask
    whole: Mask
    front: Floats
    thickness: Floats
    back_colour: Floats
    elevation: float

    @classmethod
    def of(cls, shown: Mask, surface: Floats, hidden: Floats, elevation: float) -> "Prediction":
        """Read the network's answers: [5, s, s], the logits of the whole [s, s], and an angle."""
        return cls(
            shown=shown,
            whole=shown | _hidden(shown, hidden > 0),
            front=surface[0],
            thickness=surface[1],
            back_colour=surface[2:].transpose(1, 2, 0),
            elevation=float(np.clip(elevation, *ELEVATIONS)),
        )


def _hidden(shown: Mask, whole: NDArray[np.bool_]) -> Mask:
    """What the network adds, but for its ragged outline and what does not touch the object."""
    square = np.ones((2 * RAGGED + 1,) * 2, bool)
    added = ndimage.binary_opening(whole & ~shown, square)
    labels, _ = ndimage.label(added)
    touching = np.unique(labels[ndimage.binary_dilation(shown, iterations=RAGGED)])
    hidden: Mask = np.isin(labels, touching[touching > 0])
    return hidden if hidden.sum() <= MOST_HIDDEN * shown.sum() else np.zeros_like(hidden)
