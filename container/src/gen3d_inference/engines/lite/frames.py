"""What the networks see: their training and the engine read it here.

The weights in ``container/weights/lite/`` were trained with these values. Who changes one trains,
exports and seals them anew (``training/README.md``).
"""

ENCODER_SIDE = 448
"""Pixels a side of the frame in which the mask networks take a photo and its points."""

CROP_SIDE = 256
"""Pixels a side of the crop that is reconstructed."""

MARGINS = (1.08, 1.25)
"""The crop's side over the longer side of what is seen of the object."""
