"""What a camera does to a rendering: exposure, white balance, focus, blur, noise, haze."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, pad

from .materials import chance, log_uniform, uniform


def _blurred(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Gaussian blur of [B, C, H, W], one sigma an image."""
    batch, channels = images.shape[:2]
    steps = torch.arange(-radius, radius + 1, device=images.device).float()
    kernel = torch.exp(-0.5 * (steps[None] / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = images.reshape(1, batch * channels, *images.shape[2:])
    groups = batch * channels
    flat = conv2d(flat, kernel[:, None, None, :], padding=(0, radius), groups=groups)
    flat = conv2d(flat, kernel[:, None, :, None], padding=(radius, 0), groups=groups)
    return flat.view_as(images)


def out_of_focus(images: Tensor, sharp: Tensor) -> Tensor:
    """Blur what lies outside `sharp`, as a wide aperture does.

    Parameters
    ----------
    images
        f32 [B, 3, H, W].
    sharp
        What is in focus, f32 [B, 1, H, W] in {0, 1}.
    """
    sigma = uniform(images.device, len(images), low=1.0, high=4.0)
    far = 1 - sharp
    weight = _blurred(far, sigma, 9)
    blurred = _blurred(images * far, sigma, 9) / weight.clamp(min=0.02)
    edge = _blurred(sharp, torch.full_like(sigma, 0.7), 2)
    return images * edge + blurred * (1 - edge)


def painted(images: Tensor) -> Tensor:
    """Images [B, 3, H, W] as if painted: strokes of one colour with sharp edges, on a canvas.

    Kuwahara's filter (1976): of the four squares that have a pixel for their corner the one that
    varies least gives its mean.
    """
    side = 5
    reach = side - 1
    wide = pad(images, (reach, reach, reach, reach), mode="replicate")
    mean, square = avg_pool2d(wide, side, 1), avg_pool2d(wide.square(), side, 1)
    varied = (square - mean.square()).sum(1, keepdim=True)
    height, width = images.shape[-2:]
    corners = [(y, x) for y in (0, reach) for x in (0, reach)]
    means, varieds = (
        torch.stack([one[..., y : y + height, x : x + width] for y, x in corners])
        for one in (mean, varied)
    )
    calm = torch.softmax(-varieds / 2e-4, 0)
    return (means * calm).sum(0)


def photograph(colour: Tensor, sharp: Tensor | None = None, paintings: float = 0.0) -> Tensor:
    """Linear renderings to photos.

    Parameters
    ----------
    colour
        Linear RGB, f32 [B, H, W, 3].
    sharp
        What a wide aperture keeps sharp, f32 [B, 1, H, W]; a quarter of the images use it.
    paintings
        How many of the images are of a painting.

    Returns
    -------
    Tensor
        RGB in [0, 1], f32 [B, 3, H, W].
    """
    count, device = len(colour), colour.device
    one = (count, 1, 1, 1)
    x = colour.permute(0, 3, 1, 2).clamp(0, 1.3)
    metered = uniform(device, *one, low=0.12, high=0.42) / x.mean((1, 2, 3), True).clamp(min=0.02)
    x = torch.where(chance(device, 0.75, *one), x * metered.clamp(0.4, 4), x)
    balance = 1 + 0.06 * torch.randn(count, 3, 1, 1, device=device)
    x = x * torch.exp(0.3 * torch.randn(*one, device=device)) * balance
    x = x.clamp(1e-4, 1) ** log_uniform(device, *one, low=0.5, high=1.1)
    if sharp is not None:
        x = torch.where(chance(device, 0.25, *one), out_of_focus(x, sharp), x)
    if paintings:
        x = torch.where(chance(device, paintings, *one), painted(x), x)
        faded = chance(device, paintings, *one)
        tint = 1 - 0.25 * torch.rand(count, 3, 1, 1, device=device)
        flat = (0.3 + 0.5 * x) * tint
        x = torch.where(faded, flat, x)
    grey = chance(device, 0.06, *one).float()
    x = x * (1 - grey) + grey * x.mean(1, keepdim=True)
    sigma = uniform(device, count, low=0.2, high=0.9)
    soft = uniform(device, count, low=0.9, high=2.2)
    x = _blurred(x, torch.where(chance(device, 0.12, count), soft, sigma), 4)
    noise = torch.randn_like(x)
    noise = torch.where(chance(device, 0.5, *one), noise, avg_pool2d(noise, 3, 1, 1) * 2)
    x = x + noise * (torch.rand(*one, device=device) ** 2 * 0.07)
    haze = chance(device, 0.12, *one)
    x = x * torch.where(haze, uniform(device, *one, low=0.4, high=0.9), 1.0)
    x = x + torch.where(haze, uniform(device, *one, high=0.3), 0.0)
    return x.clamp(0, 1)


def focus(identity: Tensor) -> Tensor:
    """A thing to focus on in each image: the mask of its largest instance, f32 [B, 1, H, W].

    Parameters
    ----------
    identity
        u8 [B, H, W] as `Rendering.identity`.
    """
    count = len(identity)
    counts = torch.zeros(count, 256, device=identity.device)
    flat = identity.reshape(count, -1).long()
    counts.scatter_add_(1, flat, torch.ones_like(flat, dtype=torch.float32))
    largest = counts[:, 1:17].argmax(1) + 1
    mask = (identity == largest[:, None, None]).float()[:, None]
    return torch.where(mask.sum((1, 2, 3), keepdim=True) > 0, mask, torch.ones_like(mask))


def blended(photo: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Lay another photo of the batch over some of them, or light them by it.

    What comes of it is no scene, but has more detail than what is drawn.

    Parameters
    ----------
    photo
        [B, 3, S, S] in [0, 1].
    share
        How many.

    Returns
    -------
    photo, changed
        The same, and bool [B].
    """
    count, device = len(photo), photo.device
    other = photo.roll(1, 0).flip(-1)
    weight = uniform(device, count, 1, 1, 1, low=0.25, high=0.55)
    lit = (photo * (0.3 + 1.4 * other.mean(1, keepdim=True))).clamp(max=1)
    laid = torch.lerp(photo, other, weight)
    changed = chance(device, share, count)
    mixed = torch.where(chance(device, 0.5, count, 1, 1, 1), lit, laid)
    return torch.where(changed[:, None, None, None], mixed, photo), changed
