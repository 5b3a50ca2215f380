"""Fits the layer that says how far the camera looks down, once the rest is trained."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..frames import CROP_SIDE
from .families import pool
from .networks import Reconstruction
from .renderer import Renderer
from .views import random_views

RIDGE = 200.0
"""Penalty of the squared weights; features have unit variance."""

KEPT_APART = 5
"""One view in so many measures the error."""


@dataclass(frozen=True)
class ElevationSettings:
    """What a fit takes.

    Attributes
    ----------
    seed
        Of objects and views.
    views
        Views drawn; the toppled objects among them, a fifth, are left out.
    batch
        Views at a time.
    size
        Side of the crops.
    objects
        Pool of objects.
    """

    seed: int = 7
    views: int = 6_144
    batch: int = 32
    size: int = CROP_SIDE
    objects: int = 8_192


def fit_elevation(
    network: Reconstruction,
    settings: ElevationSettings,
    device: torch.device,
    on_log: Callable[[str], None] = print,
    processes: int = 8,
) -> None:
    """Set `network.elevation` to the least squares' solution; the rest stays as it is.

    The layer is linear in the tokens' mean, so that its best weights have a closed form (ridge
    regression, Hoerl and Kennard 1970). An object whose elevation cannot be told gets the middle of
    those that it may have.
    """
    objects = pool(settings.objects, settings.seed + 2, processes=processes)
    torch.manual_seed(settings.seed)
    renderer = Renderer(objects, device)
    network = network.to(device).eval()
    features, elevations = [], []
    for done in range(0, settings.views, settings.batch):
        with torch.no_grad():
            views = random_views(renderer, settings.batch, settings.size, samples=1)
            _, tokens = network.encode(views.rgba)
        features.append(tokens.mean(1)[views.standing].double().cpu())
        elevations.append(views.elevation[views.standing].double().cpu())
        if done // settings.batch % 32 == 0:
            on_log(f"view {done}/{settings.views}")
    x, y = torch.cat(features), torch.cat(elevations)
    apart = torch.arange(len(x)) % KEPT_APART == 0
    weight, bias = _ridge(x[~apart], y[~apart])
    error = (x[apart] @ weight + bias - y[apart]).abs().rad2deg()
    on_log(f"elevation {error.mean():.1f} degrees off, median {error.median():.1f}")
    weight, bias = _ridge(x, y)
    with torch.no_grad():
        network.elevation.weight.copy_(weight[None])
        network.elevation.bias.copy_(bias)


def _ridge(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Weights [C] and bias of the best line through x [N, C] and y [N]."""
    mean, deviation = x.mean(0), x.std(0) + 1e-6
    z = (x - mean) / deviation
    penalty = RIDGE * torch.eye(z.shape[1], dtype=z.dtype)
    weight = torch.linalg.solve(z.T @ z + penalty, z.T @ (y - y.mean())) / deviation
    return weight, y.mean() - mean @ weight
