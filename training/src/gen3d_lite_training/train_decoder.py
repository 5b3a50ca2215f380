"""Trains the light decoder: first looks as the full decoder has them, corrections by the truth.

The encoder stays as it is; what a decoder computes of its features once a photo is the decoder's.
What the full decoder answers to a first prompt is what the light one is to answer, in every
candidate. After further clicks it learns what is right, above all where a click takes something
away, which the full decoder is bad at; where all clicks add, the full decoder's answer counts, too.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from .families import pool
from .losses import answer_loss, mask_loss, score_loss
from .materials import chance
from .networks import LIGHT, DecoderSize, Features, MaskDecoder, MaskNetworks
from .optimiser import averaged, train
from .photo import blended
from .prompts import at_quarter, click_anywhere, correct, first_prompts, nearly_right
from .renderer import Renderer
from .train_masks import Batch, MaskSettings, draw_batch
from .warm_start import restore

ROUNDS = 3

NEARLY = (0.35, 0.15)
"""How many masks are put aside after each round for one that is right but for a piece."""

ANYWHERE = 0.2
"""How many first clicks are somewhere in the image: people explore, and so does the subject."""

BLENDED = 0.35
"""How many photos are blended: the full decoder is asked about them, truth there is none."""


def train_decoder(
    settings: MaskSettings,
    device: torch.device,
    checkpoint: Path,
    seconds: float | None = None,
    compiled: bool = True,
    on_log: Callable[[str], None] = print,
    processes: int = 8,
    size: DecoderSize = LIGHT,
) -> MaskNetworks:
    """Train, or go on training; the networks returned have the files' encoder.

    Parameters
    ----------
    settings
        Its `start` holds the exported encoder and full decoder.
    device, checkpoint, seconds, compiled, on_log, processes
        As of `train_masks`; the checkpoint holds the decoder alone.
    size
        Of the decoder.

    Raises
    ------
    ValueError
        There is no `start`, or it holds other networks.
    """
    if settings.start is None:
        raise ValueError("Name the folder of the networks that the light decoder learns from.")
    teacher = MaskNetworks()
    restore(teacher, [settings.start / f"{name}.onnx" for name in ("encoder", "decoder")])
    teacher = teacher.to(device).requires_grad_(False)
    objects = pool(settings.objects, settings.plan.seed, processes=processes)
    torch.manual_seed(settings.plan.seed)
    decoder = MaskDecoder(size).to(device)
    inherit(decoder, teacher.decoder)
    if device.type == "cuda":
        teacher = teacher.to(memory_format=torch.channels_last)
        decoder = decoder.to(memory_format=torch.channels_last)
    renderer = Renderer(objects, device)
    encode: Callable[[Tensor], tuple[Tensor, Tensor]] = teacher.encoder
    decode: Callable[..., tuple[Tensor, Tensor]] = decoder
    consult: Callable[..., tuple[Tensor, Tensor]] = teacher.decoder
    judge, compare = mask_loss, answer_loss

    def draw(step: int) -> Batch:
        side, images = settings.size(step)
        photo, mask, valid = draw_batch(renderer, images, side, settings.targets)
        photo, changed = blended(photo, BLENDED)
        return photo, mask, valid * ~changed.repeat_interleave(settings.targets)

    def for_each(features: Features) -> Features:
        return Features(*(part.repeat_interleave(settings.targets, 0) for part in features))

    def step_loss(batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        photo, mask, valid = batch
        count = len(mask)
        with torch.no_grad():
            half = (functional.avg_pool2d(mask, 2) > 0.5).float()
            quarter = at_quarter(mask)
            anywhere = chance(device, ANYWHERE, count)
            points, labels = click_anywhere(*first_prompts(quarter), anywhere)
            valid = valid * ~anywhere

        def mean(values: Tensor, weight: Tensor) -> Tensor:
            return (values * weight).sum() / weight.sum().clamp(min=1)

        loss, figures = torch.zeros((), device=device), {}
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            with torch.no_grad():
                found = encode(photo)
                known = for_each(teacher.decoder.prepare(*found))
            features = for_each(decoder.prepare(*found))
            last, has_last = torch.zeros_like(quarter), torch.zeros(count, device=device)
            for turn in range(ROUNDS):
                prompt = (points, labels, last, has_last)
                logits, scores = decode(features, *prompt)
                losses, iou = judge(logits, half)
                if turn < ROUNDS - 1:
                    with torch.no_grad():
                        wanted = consult(known, *prompt)
                    adding = torch.ones_like(valid) if turn == 0 else valid * ~_taken(labels)
                    unlike, agreed = compare(logits, scores, *wanted)
                    loss = loss + (1.0 if turn == 0 else 0.5) * mean(unlike, adding)
                    figures[f"same{turn + 1}"] = mean(agreed, adding)
                if turn > 0:
                    right = losses.amin(1) + score_loss(scores, iou)
                    loss = loss + 0.7 * mean(right, valid)
                shown = scores.argmax(1)
                figures[f"iou{turn + 1}"] = mean(iou.gather(1, shown[:, None])[:, 0], valid)
                if turn == ROUNDS - 1:
                    break
                with torch.no_grad():
                    best = losses.argmin(1)
                    follow = torch.where(chance(device, 0.7, count), shown, best)
                    picked = logits.float()[torch.arange(count, device=device), follow]
                    last = functional.avg_pool2d(picked[:, None], 2).clamp(-12, 12)
                    other = quarter.view(-1, settings.targets, *quarter.shape[1:]).roll(1, 1)
                    nearly = chance(device, NEARLY[turn], count, 1, 1, 1)
                    edited = nearly_right(quarter, other.view_as(quarter))
                    last = torch.where(nearly, edited, last)
                    kept = chance(device, 0.85 if turn == 0 else 1.0, count)
                    has_last = (nearly.flatten() | kept).float()
                    points, labels = correct(
                        points, labels, quarter, (last > 0).float(), 3 + turn, extra=2 * turn
                    )
        return loss, figures

    if compiled:
        encode = torch.compile(teacher.encoder, dynamic=False)
        decode = torch.compile(decoder, dynamic=False)
        consult = torch.compile(teacher.decoder, dynamic=False)
        judge = torch.compile(mask_loss, dynamic=False)
        compare = torch.compile(answer_loss, dynamic=False)
    train(decoder, settings.plan, draw, step_loss, checkpoint, seconds, on_log, settings.size)
    decoder.load_state_dict(averaged(checkpoint))
    teacher.decoder = decoder
    return teacher.eval()


def inherit(decoder: MaskDecoder, teacher: MaskDecoder) -> None:
    """Give a decoder what fits of another's weights, in place; last blocks are the same."""
    state, source = decoder.state_dict(), teacher.state_dict()
    ours, theirs = (f"blocks.{len(one.blocks) - 1}." for one in (decoder, teacher))
    for name, value in state.items():
        given = source[name.replace(ours, theirs) if name.startswith(ours) else name]
        if given.shape == value.shape:
            state[name] = given
    decoder.load_state_dict(state)


def _taken(labels: Tensor) -> Tensor:
    """Whether a click takes something away, bool [T]."""
    return (labels == 0).any(1)
