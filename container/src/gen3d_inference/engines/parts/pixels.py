"""Takes a photo's pixels to the GPU and stretches them there to what the networks take."""

from typing import IO, cast

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate


def to_device(photo: Image.Image, device: torch.device) -> Tensor:
    """Copy a photo to a device.

    Parameters
    ----------
    photo : PIL.Image.Image
        RGB.

    Returns
    -------
    (height, width, 3) uint8
    """
    pinned = device.type == "cuda"
    host = torch.empty((photo.height, photo.width, 3), dtype=torch.uint8, pin_memory=pinned)
    header = f"P6\n{photo.width} {photo.height}\n255\n"
    photo.save(cast("IO[bytes]", _Pixels(host, len(header))), "PPM")
    return host.to(device, non_blocking=True)


class _Pixels:
    """A PPM file of which a tensor keeps what comes after the header.

    What Pillow has to offer for arrays puts the pixels together elsewhere first, in memory that the
    kernel may have to hand out, and takes twice as long.
    """

    def __init__(self, host: Tensor, header: int) -> None:
        self._bytes = memoryview(host.numpy()).cast("B")
        self._at = -header

    def write(self, piece: bytes) -> int:
        """Take the next piece; the header comes in pieces of its own."""
        begin, self._at = self._at, self._at + len(piece)
        if begin >= 0:
            self._bytes[begin : self._at] = piece
        return len(piece)


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
