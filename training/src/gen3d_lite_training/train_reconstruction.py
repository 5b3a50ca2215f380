"""Trains the reconstruction on views of single objects."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gen3d_inference.engines.lite.frames import CROP_SIDE

from .families import pool
from .losses import surface_loss
from .networks import Reconstruction
from .optimiser import Plan, averaged, train
from .renderer import Renderer
from .views import Views, random_views
from .warm_start import WARM_BATCHES, warm_start


@dataclass(frozen=True)
class ReconstructionSettings:
    """What a training of the reconstruction takes.

    Attributes
    ----------
    plan
        Steps and rates.
    size
        Side of the crops.
    images
        Crops a step.
    objects
        Pool of objects.
    start
        Folder of an exported network to go on from, or None.
    """

    plan: Plan
    size: int = CROP_SIDE
    images: int = 64
    objects: int = 65_536
    start: Path | None = None


def train_reconstruction(
    settings: ReconstructionSettings,
    device: torch.device,
    checkpoint: Path,
    seconds: float | None = None,
    compiled: bool = True,
    on_log: Callable[[str], None] = print,
    processes: int = 8,
) -> Reconstruction:
    """Train, or go on training; the network returned has the averaged weights.

    On a GPU it computes in bfloat16; `compiled` has torch.compile fuse what it can.
    """
    objects = pool(settings.objects, settings.plan.seed + 1, processes=processes)
    torch.manual_seed(settings.plan.seed)
    network = Reconstruction().to(device)
    if device.type == "cuda":
        network = network.to(memory_format=torch.channels_last)
    renderer = Renderer(objects, device)
    predict: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]] = network
    judge = surface_loss

    def draw(_: int) -> Views:
        return random_views(renderer, settings.images, settings.size, samples=2)

    def step_loss(views: Views) -> tuple[Tensor, dict[str, Tensor]]:
        rgba = views.rgba
        if rgba.is_cuda:
            rgba = rgba.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            answers = predict(rgba)
        loss = judge(*answers, views)
        return loss.total, {
            "front": loss.front,
            "thickness": loss.thickness,
            "colour": loss.colour,
            "mask": loss.mask,
            "elevation": loss.elevation,
        }

    if settings.start is not None and not checkpoint.exists():
        file = settings.start / "reconstruction.onnx"
        warm_start(network, [file], lambda: [step_loss(draw(0)) for _ in range(WARM_BATCHES)])
    if compiled:
        predict = torch.compile(network, dynamic=False)
        judge = torch.compile(surface_loss, dynamic=False)
    train(network, settings.plan, draw, step_loss, checkpoint, seconds, on_log)
    network.load_state_dict(averaged(checkpoint))
    return network.eval()
