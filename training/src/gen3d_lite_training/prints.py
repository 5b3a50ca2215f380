"""Pictures within pictures: prints, posters, paintings on a wall, pages, screens."""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from .materials import chance, colours, uniform

HUNG = 0.1
"""How many photos show a picture of another one."""

PICTURE = 60
"""Its identity; cut-outs end before, see `Rendering`."""


def hung(photo: Tensor, identity: Tensor, part: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Put a picture of the next photo, in a frame or without, before some of the photos.

    What a print shows are no things of the photo: to whom clicks it, it is one flat thing.

    Parameters
    ----------
    photo
        f32 [B, 3, S, S].
    identity, part
        u8 [B, S, S] as `Rendering`.

    Returns
    -------
    photo, identity, part
    """
    count, size, device = len(photo), photo.shape[-1], photo.device
    steps = (torch.arange(size, device=device) + 0.5) / size * 2 - 1
    angle = 0.12 * torch.randn(count, device=device)
    centre = uniform(device, count, 2, low=-0.8, high=0.8)
    half = uniform(device, count, 2, low=0.12, high=0.6)
    shear = 0.1 * torch.randn(count, device=device)
    dx = steps[None, None, :] - centre[:, 0, None, None]
    dy = steps[None, :, None] - centre[:, 1, None, None] - shear[:, None, None] * dx
    c, s = angle.cos()[:, None, None], angle.sin()[:, None, None]
    u, v = (c * dx + s * dy) / half[:, :1, None], (c * dy - s * dx) / half[:, 1:, None]
    border = uniform(device, count, high=0.25) * chance(device, 0.6, count)
    inner = (1 - border)[:, None, None]
    shown = grid_sample(
        photo.roll(1, 0), torch.stack([u, v], -1) / inner[..., None], align_corners=False
    )
    edge = torch.maximum(u.abs(), v.abs())
    framed = ((edge > inner) & (edge < 1))[:, None]
    frame = colours(device, count)[:, :, None, None]
    print_ = torch.where(framed, frame, shown)
    print_ = print_ * uniform(device, count, 1, 1, 1, low=0.55, high=1.05)
    print_ = print_ + uniform(device, count, 1, 1, 1, high=0.15) * (1 - print_)
    here = (edge < 1) & chance(device, HUNG, count)[:, None, None]
    return (
        torch.where(here[:, None], print_.clamp(0, 1), photo),
        torch.where(here, PICTURE, identity),
        torch.where(here, 0, part),
    )
