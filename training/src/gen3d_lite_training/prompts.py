"""Targets drawn from rendered labels, and the clicks and boxes that people might give for them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from .layout import MAX_INSTANCES, MAX_MATERIALS
from .materials import chance, drawn, uniform

SLOTS = 7
"""Points a decoder is trained with: two corners of a box, then up to five clicks."""

PADDING = -1.0

# How likely each kind of region is a target, by identity (tracer.cu) and, after PARTS, by part.
_PARTS = 64
_WEIGHTS = ((1, 17, 1.0), (17, 61, 0.22), (61, 64, 0.06), (_PARTS + 1, None, 0.05))

SMALLEST, LARGEST = 0.0009, 0.75
"""Targets' share of the image."""


@dataclass
class Targets:
    """Masks to find, T of them, T = images · per image.

    Attributes
    ----------
    mask
        bool [T, S, S].
    valid
        0 where an image had nothing to offer, f32 [T].
    """

    mask: Tensor
    valid: Tensor


def draw_targets(identity: Tensor, part: Tensor, per_image: int) -> Targets:
    """Draw regions of each image: mostly whole objects, now and then a part or a flat shape."""
    count, size = identity.shape[:2]
    device = identity.device
    bins = _PARTS + MAX_INSTANCES * MAX_MATERIALS + 1
    whole, parts = identity.long(), part.long() + _PARTS
    sums = torch.zeros(count, bins, device=device)
    ones = torch.ones(1, device=device).expand(count, size * size)
    sums.scatter_add_(1, whole.flatten(1), ones)
    sums.scatter_add_(1, parts.flatten(1), ones)
    share = sums / (size * size)
    weight = torch.zeros(bins, device=device)
    for start, stop, value in _WEIGHTS:
        weight[start:stop] = value
    fitting = (share > SMALLEST) & (share < LARGEST)
    weight = weight * fitting * (share.clamp(max=0.03) / 0.03) ** 0.35 + 1e-9
    chosen = drawn(weight, per_image)
    wanted = chosen[:, :, None, None]
    mask = (whole[:, None] == wanted) | (parts[:, None] == wanted)
    valid = weight.gather(1, chosen) > 1e-6
    return Targets(mask.flatten(0, 1), valid.flatten().float())


def depth_inside(mask: Tensor, reach: int = 24) -> Tensor:
    """Chessboard distance to the mask's edge, up to `reach`, f32 [T, 1, h, w] of the same."""
    depth, eroded = mask.clone(), mask
    for _ in range(reach):
        eroded = -max_pool2d(-pad(eroded, (1, 1, 1, 1)), 3, 1)
        depth = depth + eroded
    return depth


def _draw_points(weight: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Points in [0, 1]² drawn by weight [T, h, w] and the pixels they lie in: [T, n, 2], [T, n]."""
    height, width = weight.shape[1:]
    pixel = drawn(weight.flatten(1) + 1e-9, count)
    jitter = torch.rand(*pixel.shape, 2, device=weight.device)
    x = (pixel % width + jitter[..., 0]) / width
    y = (pixel // width + jitter[..., 1]) / height
    return torch.stack([x, y], -1), pixel


def _no_points(count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    points = torch.zeros(count, SLOTS, 2, device=device)
    return points, torch.full((count, SLOTS), PADDING, device=device)


def first_prompts(mask: Tensor, boxed: float = 0.12) -> tuple[Tensor, Tensor]:
    """A click inside each mask, most of them deep inside; some get a box, with or without a click.

    Parameters
    ----------
    mask
        f32 [T, 1, h, w] in {0, 1}.
    boxed
        How many get a box.

    Returns
    -------
    points, labels
        f32 [T, SLOTS, 2] in [0, 1]² and [T, SLOTS].
    """
    count, device = len(mask), mask.device
    points, labels = _no_points(count, device)
    depth = depth_inside(mask)[:, 0]
    deepest = depth >= depth.amax((1, 2), keepdim=True) * 0.92
    inside = mask[:, 0] * (depth >= 2) + 1e-3 * mask[:, 0]
    deep = chance(device, 0.6, count)[:, None, None]
    weight = torch.where(deep, (deepest & (depth > 0)).float(), inside)
    points[:, 2:3] = _draw_points(weight, 1)[0]
    labels[:, 2] = 1

    box = chance(device, boxed, count)
    labels[:, 2] = torch.where(box & chance(device, 0.5, count), PADDING, labels[:, 2])
    corners = _corners(mask[:, 0])
    size = (corners[:, 1] - corners[:, 0])[:, None]
    corners = corners + 0.04 * size * torch.randn(count, 2, 2, device=device)
    points[:, :2] = corners.clamp(0, 1)
    labels[:, 0] = torch.where(box, 2.0, PADDING)
    labels[:, 1] = torch.where(box, 3.0, PADDING)
    return points, labels


def click_anywhere(points: Tensor, labels: Tensor, anywhere: Tensor) -> tuple[Tensor, Tensor]:
    """Put a click anywhere in the image in the place of some first prompts, bool [T]."""
    clicked, only = points.clone(), torch.full_like(labels, PADDING)
    clicked[:, 2] = torch.rand_like(clicked[:, 2])
    only[:, 2] = 1
    return (
        torch.where(anywhere[:, None, None], clicked, points),
        torch.where(anywhere[:, None], only, labels),
    )


def _corners(mask: Tensor) -> Tensor:
    """Top left and bottom right of masks [T, h, w], f32 [T, 2, 2] in [0, 1]²."""
    low, high = [], []
    for filled in (mask.amax(1), mask.amax(2)):
        size = filled.shape[-1]
        at = torch.arange(size, device=mask.device)
        low.append(torch.where(filled > 0, at, size).amin(1) / size)
        high.append((torch.where(filled > 0, at, -1).amax(1) + 1) / size)
    return torch.stack([torch.stack(low, -1), torch.stack(high, -1)], 1)


def correct(
    points: Tensor, labels: Tensor, mask: Tensor, predicted: Tensor, slot: int, extra: int = 0
) -> tuple[Tensor, Tensor]:
    """Add a click where the prediction is most wrong, and up to `extra` anywhere it is wrong.

    Parameters
    ----------
    points, labels
        What has been given, [T, SLOTS, 2] and [T, SLOTS].
    mask, predicted
        f32 [T, 1, h, w] in {0, 1}.
    slot
        Where the first new click is put; the others follow.
    """
    count, device = len(mask), mask.device
    points, labels = points.clone(), labels.clone()
    missing, surplus = mask * (1 - predicted), predicted * (1 - mask)
    depth_missing, depth_surplus = depth_inside(missing)[:, 0], depth_inside(surplus)[:, 0]
    more = depth_missing.amax((1, 2)) >= depth_surplus.amax((1, 2))
    depth = torch.where(more[:, None, None], depth_missing, depth_surplus)
    most = depth.amax((1, 2), keepdim=True)
    middle = ((depth >= most * 0.9) & (depth > 0)).float()
    weight = torch.where(chance(device, 0.6, count)[:, None, None], middle, depth)
    points[:, slot : slot + 1] = _draw_points(weight, 1)[0]
    labels[:, slot] = torch.where(most[:, 0, 0] > 0.5, more.float(), PADDING)
    if extra:
        wrong = (missing + surplus)[:, 0]
        places, pixel = _draw_points(wrong, extra)
        truth = mask.flatten(1).gather(1, pixel)
        given = (wrong.flatten(1).gather(1, pixel) > 0) & chance(device, 0.5, count, extra)
        points[:, slot + 1 : slot + 1 + extra] = places
        labels[:, slot + 1 : slot + 1 + extra] = torch.where(given, truth, PADDING)
    return points, labels


def nearly_right(mask: Tensor, other: Tensor) -> Tensor:
    """Masks that are right but for a piece, as logits: what a last correction is made to.

    A click that takes a piece away, or adds one, leaves the rest as it is: that is learnt here, as
    a network's own masks are seldom this good after one click.

    Parameters
    ----------
    mask
        The targets, f32 [T, 1, h, w] in {0, 1}.
    other
        Something else in each image, of the same shape; at times it is the piece too many.

    Returns
    -------
    Tensor
        f32 [T, 1, h, w].
    """
    count, device = len(mask), mask.device
    height, width = mask.shape[-2:]
    band = max_pool2d(mask, 5, 1, 2) - (-max_pool2d(-mask, 5, 1, 2))  # around the outline
    at, _ = _draw_points((band + 1e-2 * mask)[:, 0], 1)
    x, y = (
        (torch.arange(size, device=device) + 0.5).view(shape) / size - at[:, :, i, None]
        for i, (size, shape) in enumerate(((width, (1, 1, -1)), (height, (1, -1, 1))))
    )
    radius = mask.mean((1, 2, 3)).sqrt()[:, None, None]
    angle = uniform(device, count, 1, 1, high=6.28)
    u, v = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x
    across, along = (uniform(device, count, 1, 1, low=0.08, high=0.5) * radius for _ in range(2))
    piece = ((u / across).square() + (v / along).square() < 1).float()[:, None]
    kind = torch.rand(count, 1, 1, 1, device=device)
    more = torch.maximum(mask, torch.where(kind < 0.25, other, piece))
    edited = torch.where(kind < 0.6, more, mask * (1 - piece))
    sure = uniform(device, count, 1, 1, 1, low=1, high=9)
    return (avg_pool2d(edited, 3, 1, 1, count_include_pad=False) * 2 - 1) * sure


def at_quarter(mask: Tensor) -> Tensor:
    """Masks [T, 1, S, S] at stride 4; what would vanish is kept, f32 in {0, 1}."""
    half = (avg_pool2d(mask, 4) > 0.5).float()
    any_left = half.flatten(1).any(1)[:, None, None, None]
    return torch.where(any_left, half, (max_pool2d(mask, 4) > 0).float())
