"""Takes a photo's pixels to the GPU and stretches them there to what the networks take."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

_BAND = 8
"""Rows that are copied at a time. PIL keeps four bytes a pixel, so the pixels have to be packed;
a band of few rows stays in the processor's cache and in memory that the process already has."""


def to_device(photo: Image.Image, device: torch.device) -> Tensor:
    """Copy a photo, with the copy to the GPU running beside the packing.

    Parameters
    ----------
    photo : PIL.Image.Image
        RGB.

    Returns
    -------
    (height, width, 3) uint8
    """
    width, height = photo.size
    pinned = device.type == "cuda"
    packed = torch.empty((height, width, 3), dtype=torch.uint8, pin_memory=pinned)
    rows = packed.numpy()
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        rows[top:bottom] = np.asarray(photo.crop((0, top, width, bottom)))
    return packed.to(device, non_blocking=True)


def stretch(pixels: Tensor, side: int) -> Tensor:
    """Resize to a square and scale to [-1, 1], as SAM 3's image processor does.

    Bilinear with antialiasing and no regard to the aspect; mean and standard deviation are 0.5.
    The processor rounds to whole levels after resizing, and so does this.

    Parameters
    ----------
    pixels : (height, width, 3) uint8
    side : int
        Of the square.

    Returns
    -------
    (1, 3, side, side) float32
    """
    # Channel by channel: as floats, a photo takes four times its bytes.
    channels = [
        interpolate(
            pixels[None, None, ..., channel].float(),
            (side, side),
            mode="bilinear",
            antialias=True,
        )
        for channel in range(3)
    ]
    return torch.cat(channels, 1).round_().clamp_(0, 255).div_(127.5).sub_(1)
