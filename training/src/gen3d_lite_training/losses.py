"""What the networks are trained to make small."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .views import Views


def mask_loss(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Focal and Dice loss of each candidate, and its true IoU.

    Parameters
    ----------
    logits
        [T, M, h, w].
    target
        f32 [T, 1, h, w] in {0, 1}.

    Returns
    -------
    loss, iou
        f32 [T, M].

    Notes
    -----
    Focal loss (Lin et al. 2017) is divided by the root of the target's area, so that small things
    count; Dice is that of Milletari et al. 2016.
    """
    logits = logits.float()
    target = target.expand_as(logits)
    p = torch.sigmoid(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    right = p * target + (1 - p) * (1 - target)
    focal = ((1 - right) ** 2 * entropy * (0.5 + 0.5 * target)).mean((2, 3))
    focal = focal / target.mean((2, 3)).clamp(min=0.003) ** 0.5 * 1.2
    together = (p * target).sum((2, 3))
    dice = 1 - (2 * together + 1) / (p.sum((2, 3)) + target.sum((2, 3)) + 1)
    chosen = (logits > 0).float()
    both = (chosen * target).sum((2, 3))
    iou = both / ((chosen + target).clamp(max=1).sum((2, 3)) + 1e-6)
    return focal * 4 + dice, iou.detach()


def score_loss(scores: Tensor, iou: Tensor) -> Tensor:
    """How far expected IoUs [T, M] are off, and whether they rank candidates rightly; f32 [T]."""
    scores = scores.float()
    error = (scores - iou).square().mean(1)
    wanted = torch.softmax(iou / 0.05, 1)
    ranking = -(wanted * torch.log_softmax(scores / 0.05, 1)).sum(1)
    return error + 0.03 * ranking


def answer_loss(
    logits: Tensor, scores: Tensor, wanted: Tensor, wanted_scores: Tensor
) -> tuple[Tensor, Tensor]:
    """How far one decoder's answer is from another's, candidate by candidate.

    Parameters
    ----------
    logits, wanted
        [T, M, h, w].
    scores, wanted_scores
        Expected IoU, [T, M].

    Returns
    -------
    loss, iou
        What is to be made small and how like the candidates are that the other scores best,
        f32 [T].

    Notes
    -----
    The divergence of pixels' probabilities is divided by the root of the mask's area, as in
    `mask_loss`. All candidates weigh the same: on photos one is shown that scenes seldom show.
    """
    logits, wanted, wanted_scores = logits.float(), wanted.float(), wanted_scores.float()
    p, q = torch.sigmoid(logits), torch.sigmoid(wanted)
    entropy = functional.binary_cross_entropy_with_logits
    surprise = entropy(logits, q, reduction="none") - entropy(wanted, q, reduction="none")
    apart = surprise.mean((2, 3)) / q.mean((2, 3)).clamp(min=0.003) ** 0.5
    together = (p * q).sum((2, 3))
    dice = 1 - (2 * together + 1) / (p.square().sum((2, 3)) + q.square().sum((2, 3)) + 1)
    loss = (2 * apart + dice).mean(1) + 4 * score_loss(scores, wanted_scores)
    best = wanted_scores.argmax(1)[:, None]
    ours, theirs = logits > 0, wanted > 0
    both, either = ((ours & theirs).sum((2, 3)), (ours | theirs).sum((2, 3)))
    return loss, ((both + 1e-6) / (either + 1e-6)).gather(1, best)[:, 0].detach()


@dataclass
class SurfaceLoss:
    """Terms of the reconstruction's loss, for the log."""

    total: Tensor
    front: Tensor
    thickness: Tensor
    colour: Tensor
    mask: Tensor
    elevation: Tensor


def surface_loss(surface: Tensor, hidden: Tensor, elevation: Tensor, views: Views) -> SurfaceLoss:
    """Compare the reconstruction's outputs with what was rendered.

    Every pixel of an object weighs the same, and so does every object. Depth errors grow like their
    size, and steeper near 0, so that the answer settles on one of several possibilities rather than
    between them. Slopes at three scales and normals make surfaces smooth, flat and sharp where the
    object is; the logarithm of the thickness keeps thin things thin. How far the camera looks down
    is asked of objects that stand.
    """
    surface, hidden, inside = surface.float(), hidden.float(), views.whole
    count = len(inside)
    pixels = inside.sum((1, 2, 3), keepdim=True).clamp(min=50)
    weight = inside / pixels

    def mean(error: Tensor) -> Tensor:
        return (error * weight).sum() / count

    front, thickness = surface[:, :1], surface[:, 1:2]
    back, true_thickness = front + thickness, views.back - views.front
    front_error = (front - views.front).abs()
    thickness_error = (thickness - true_thickness).abs()
    depth = mean(_settling(front_error)) + mean(_settling(thickness_error))
    depth = depth + 0.5 * mean((back - views.back).abs())
    depth = depth + 0.08 * mean(((thickness + 0.03) / (true_thickness + 0.03)).log().abs())
    slopes = sum(
        _slope_loss(a, b, inside, pixels, step)
        for a, b in ((front, views.front), (back, views.back))
        for step in (1, 4, 16)
    )
    normals = _normal_loss(front, views.front, inside) + _normal_loss(back, views.back, inside)

    colour_error = (surface[:, 2:5] - views.back_colour).abs().mean(1, keepdim=True)
    colour = mean(_settling(colour_error)) + 0.5 * _slope_loss(
        surface[:, 2:5], views.back_colour, inside, pixels, 1
    )
    seen = views.rgba[:, 3:4]
    unseen = inside * (1 - seen)
    front_colour = (hidden[:, 1:] - views.front_colour).abs().mean(1, keepdim=True)
    hidden_colour = (front_colour * (unseen + 0.05 * inside) / pixels).sum() / count
    entropy = functional.binary_cross_entropy_with_logits(hidden[:, :1], inside, reduction="none")
    together = (torch.sigmoid(hidden[:, :1]) * inside).sum((1, 2, 3))
    sizes = torch.sigmoid(hidden[:, :1]).sum((1, 2, 3)) + inside.sum((1, 2, 3))
    mask = entropy.mean() + (1 - (2 * together + 1) / (sizes + 1)).mean()

    off = (elevation.float() - views.elevation).abs() * views.standing
    lean = off.sum() / views.standing.sum().clamp(min=1)

    total = depth + 1.5 * slopes + 0.08 * normals + colour + 2 * hidden_colour
    total = total + 0.5 * mask + 0.5 * lean
    return SurfaceLoss(
        total, mean(front_error), mean(thickness_error), mean(colour_error), mask, lean
    )


def _settling(error: Tensor) -> Tensor:
    return error + 0.05 * torch.log1p(error / 0.03)


def _slope_loss(a: Tensor, b: Tensor, inside: Tensor, pixels: Tensor, step: int) -> Tensor:
    """Error of differences between pixels `step` apart, both inside; jumps count up to a limit."""
    total = torch.zeros((), device=a.device)
    size = a.shape[-1]
    for axis in (2, 3):
        near = inside.narrow(axis, step, size - step) * inside.narrow(axis, 0, size - step)
        error = a - b
        change = error.narrow(axis, step, size - step) - error.narrow(axis, 0, size - step)
        change = change.abs().clamp(max=0.3).mean(1, keepdim=True)
        total = total + (change * near / pixels).sum() / len(a) / step**0.75
    return total


def _normal_loss(depth: Tensor, truth: Tensor, inside: Tensor) -> Tensor:
    """One minus the cosine between normals, where the true surface does not jump."""
    pitch = 2 / depth.shape[-1]

    def slopes(z: Tensor) -> tuple[Tensor, Tensor]:
        right = (z[..., 1:-1, 2:] - z[..., 1:-1, :-2]) / (2 * pitch)
        down = (z[..., 2:, 1:-1] - z[..., :-2, 1:-1]) / (2 * pitch)
        return right, down

    (ax, ay), (bx, by) = slopes(depth), slopes(truth)
    smooth = -functional.max_pool2d(-inside, 3, 1) * ((bx.abs() < 4) & (by.abs() < 4))
    lengths = (1 + ax * ax + ay * ay) * (1 + bx * bx + by * by)
    cosine = (1 + ax * bx + ay * by) * lengths.rsqrt()
    share = smooth / smooth.sum((1, 2, 3), keepdim=True).clamp(min=50)
    return ((1 - cosine) * share).sum() / len(depth)
