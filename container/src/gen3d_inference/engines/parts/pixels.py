"""Takes a photo's pixels to the GPU and stretches them there to what the networks take."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

_BAND = 16
"""Rows that are copied at a time: few enough to stay in the processor's cache."""


def to_device(photo: Image.Image, device: torch.device) -> Tensor:
    """Copy a photo, the copy to the GPU running beside the copy out of PIL's memory.

    Parameters
    ----------
    photo : PIL.Image.Image
        RGB.

    Returns
    -------
    (height, width, 4) uint8
        Red, green, blue and a byte of no meaning, as PIL keeps them: taking it out takes longer
        than taking it along.
    """
    width, height = photo.size
    on_gpu = device.type == "cuda"
    rows = torch.empty((height, width, 4), dtype=torch.uint8, pin_memory=on_gpu)
    pixels = torch.empty_like(rows, device=device) if on_gpu else rows
    for top in range(0, height, _BAND):
        band = photo.crop((0, top, width, min(top + _BAND, height)))
        values = np.frombuffer(band.tobytes("raw", "RGBX"), np.uint8)
        part = rows[top : top + band.height]
        part.numpy()[:] = values.reshape(part.shape)
        if on_gpu:
            pixels[top : top + band.height].copy_(part, non_blocking=True)
    return pixels


def stretch(pixels: Tensor, side: int) -> Tensor:
    """Resize to a square and scale to [-1, 1], as SAM 3's image processor does.

    Bilinear with antialiasing and no regard to the aspect; mean and standard deviation are 0.5.
    The processor rounds to whole levels after resizing, and so does this.

    Parameters
    ----------
    pixels : (height, width, 3 or 4) uint8
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
