"""Trains the mask encoder and decoder on random scenes, with simulated clicks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gen3d_inference.engines.lite.frames import ENCODER_SIDE

from .families import pool
from .losses import mask_loss, score_loss
from .materials import chance
from .networks import Features, MaskNetworks
from .optimiser import Plan, averaged, train
from .photo import focus, photograph
from .prints import hung
from .prompts import at_quarter, correct, draw_targets, first_prompts, nearly_right
from .renderer import Renderer
from .scenes import random_scenes
from .warm_start import WARM_BATCHES, warm_start

ROUNDS = 3
ROUND_WEIGHTS = (1.0, 0.7, 0.7)

PAINTINGS = 0.08
"""How many photos are of a painting, and how many are faded."""

NEARLY = 0.3
"""How many masks of the first click are put aside for one that is right but for a piece."""

Batch: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""Photos [B, 3, S, S], masks [B · targets, 1, S, S] and which of these count [B · targets]."""


@dataclass(frozen=True)
class MaskSettings:
    """What a training of masks takes.

    Attributes
    ----------
    plan
        Steps and rates.
    small, large
        Sides of the images, early and late.
    images_small, images_large
        Images a step.
    targets
        Masks asked for in each image.
    objects
        Pool of objects.
    start
        Folder of exported networks to go on from, or None.
    """

    plan: Plan
    small: int = 320
    large: int = ENCODER_SIDE
    images_small: int = 64
    images_large: int = 36
    targets: int = 4
    objects: int = 49_152
    start: Path | None = None

    def size(self, step: int) -> tuple[int, int]:
        """Side of the images and their number in a step."""
        if self.plan.late(step):
            return self.large, self.images_large
        return self.small, self.images_small


def train_masks(
    settings: MaskSettings,
    device: torch.device,
    checkpoint: Path,
    seconds: float | None = None,
    compiled: bool = True,
    on_log: Callable[[str], None] = print,
    processes: int = 8,
) -> MaskNetworks:
    """Train, or go on training; the networks returned have the averaged weights.

    On a GPU it computes in bfloat16; `compiled` has torch.compile fuse what it can.
    """
    objects = pool(settings.objects, settings.plan.seed, processes=processes)
    torch.manual_seed(settings.plan.seed)
    networks = MaskNetworks().to(device)
    if device.type == "cuda":
        networks = networks.to(memory_format=torch.channels_last)
    renderer = Renderer(objects, device)
    encode: Callable[[Tensor], Features] = networks
    decode: Callable[..., tuple[Tensor, Tensor]] = networks.decoder
    judge = mask_loss

    def draw(step: int) -> Batch:
        size, images = settings.size(step)
        return draw_batch(renderer, images, size, settings.targets)

    def step_loss(batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        photo, mask, valid = batch
        with torch.no_grad():
            half = (avg_pool2d(mask, 2) > 0.5).float()
            quarter = at_quarter(mask)
            points, labels = first_prompts(quarter)
        total = valid.sum().clamp(min=1)

        def mean(values: Tensor) -> Tensor:
            return (values * valid).sum() / total

        loss, figures = torch.zeros((), device=device), {}
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            features = Features(
                *(part.repeat_interleave(settings.targets, 0) for part in encode(photo))
            )
            last, has_last = torch.zeros_like(quarter), torch.zeros(len(mask), device=device)
            for turn in range(ROUNDS):
                logits, scores = decode(features, points, labels, last, has_last)
                losses, iou = judge(logits, half)
                best = losses.argmin(1)
                chosen = losses.gather(1, best[:, None])[:, 0]
                if turn == 0:  # every candidate learns a little from every target
                    chosen = 0.85 * chosen + 0.15 * losses.mean(1)
                loss = loss + ROUND_WEIGHTS[turn] * mean(chosen) + mean(score_loss(scores, iou))
                shown = scores.argmax(1)
                figures[f"iou{turn + 1}"] = mean(iou.gather(1, shown[:, None])[:, 0])
                figures[f"best{turn + 1}"] = mean(iou.amax(1))
                if turn == ROUNDS - 1:
                    break
                with torch.no_grad():
                    follow = torch.where(chance(device, 0.7, len(best)), shown, best)
                    picked = logits.float()[torch.arange(len(best), device=device), follow]
                    last = avg_pool2d(picked[:, None], 2).clamp(-12, 12)
                    if turn == 0:
                        other = quarter.view(-1, settings.targets, *quarter.shape[1:]).roll(1, 1)
                        nearly = chance(device, NEARLY, len(best), 1, 1, 1)
                        edited = nearly_right(quarter, other.view_as(quarter))
                        last = torch.where(nearly, edited, last)
                        has_last = (nearly.flatten() | chance(device, 0.85, len(best))).float()
                    else:
                        has_last = torch.ones_like(has_last)
                    points, labels = correct(
                        points, labels, quarter, (last > 0).float(), 3 + turn, extra=2 * turn
                    )
        return loss, figures

    if settings.start is not None and not checkpoint.exists():
        files = [settings.start / f"{name}.onnx" for name in ("encoder", "decoder")]
        warm_start(networks, files, lambda: [step_loss(draw(0)) for _ in range(WARM_BATCHES)])
    if compiled:
        encode = torch.compile(networks, dynamic=False)
        decode = torch.compile(networks.decoder, dynamic=False)
        judge = torch.compile(mask_loss, dynamic=False)
    train(networks, settings.plan, draw, step_loss, checkpoint, seconds, on_log, settings.size)
    networks.load_state_dict(averaged(checkpoint))
    return networks.eval()


def draw_batch(renderer: Renderer, images: int, size: int, targets: int) -> Batch:
    """Draw scenes, photograph them and choose targets in them."""
    rendering = renderer(*random_scenes(renderer, images), size, samples=3)
    photo = photograph(rendering.colour, focus(rendering.identity), PAINTINGS)
    photo, identity, part = hung(photo, rendering.identity, rendering.part)
    mirrored = chance(photo.device, 0.5, images, 1, 1)
    identity, part = (torch.where(mirrored, x.flip(-1), x) for x in (identity, part))
    photo = torch.where(mirrored[:, None], photo.flip(-1), photo)
    drawn = draw_targets(identity, part, targets)
    if photo.is_cuda:
        photo = photo.contiguous(memory_format=torch.channels_last)
    return photo, drawn.mask.float()[:, None], drawn.valid
