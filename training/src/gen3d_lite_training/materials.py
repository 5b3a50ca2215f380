"""Random colours, materials and light, drawn for whole batches on the device."""

import math
from functools import cache
from typing import TypeAlias

import torch
from torch import Tensor

from .layout import MATERIAL, SCENE
from .shapes import Palette

# How often each of texture.h's patterns is drawn, in its order.
PATTERN_WEIGHTS = (5, 3, 1.2, 0.6, 1.5, 0.8, 0.8, 0.8, 0.6, 1, 0.8, 0.9, 1.2, 1.5)

# A palette's hue, saturation and value, each as (lowest, highest), and its specular strength.
PALETTES: dict[
    Palette, tuple[tuple[float, float], tuple[float, float], tuple[float, float], float]
] = {
    Palette.SKIN: ((0.02, 0.09), (0.25, 0.65), (0.25, 0.95), 0.1),
    Palette.HAIR: ((0.03, 0.13), (0.1, 0.7), (0.03, 0.5), 0.2),
    Palette.GLASS: ((0.5, 0.68), (0.0, 0.4), (0.02, 0.35), 0.8),
    Palette.RUBBER: ((0.0, 1.0), (0.0, 0.15), (0.02, 0.15), 0.2),
    Palette.LEAF: ((0.16, 0.4), (0.3, 0.9), (0.08, 0.6), 0.1),
    Palette.WOOD: ((0.04, 0.12), (0.3, 0.75), (0.15, 0.7), 0.2),
    Palette.METAL: ((0.0, 1.0), (0.0, 0.12), (0.3, 0.9), 0.9),
    Palette.PALE: ((0.05, 0.65), (0.0, 0.18), (0.6, 1.0), 0.3),
    Palette.FUR: ((0.03, 0.12), (0.0, 0.65), (0.05, 0.95), 0.0),
    Palette.STONE: ((0.02, 0.6), (0.0, 0.25), (0.15, 0.75), 0.0),
    Palette.CLOTH: ((0.0, 1.0), (0.0, 0.85), (0.04, 0.9), 0.0),
}
FAITHFUL = 0.7
"""How often a material keeps to its palette."""

Device: TypeAlias = torch.device | str


def uniform(device: Device, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Uniform numbers in [low, high), f32 [*shape]."""
    return torch.rand(*shape, device=device) * (high - low) + low


def chance(device: Device, probability: float, *shape: int) -> Tensor:
    """True with a probability, bool [*shape]."""
    return torch.rand(*shape, device=device) < probability


def log_uniform(device: Device, *shape: int, low: float, high: float) -> Tensor:
    """Numbers whose logarithm is uniform, f32 [*shape]."""
    return torch.exp(uniform(device, *shape, low=math.log(low), high=math.log(high)))


@cache
def constant(values: tuple[float, ...], device: Device) -> Tensor:
    """Numbers on the device, f32; kept, as a step that is recorded may not copy from the host."""
    return torch.tensor(values, device=device)


def drawn(weight: Tensor, count: int) -> Tensor:
    """Indices drawn in proportion to `weight` [..., n], with replacement; i64 [..., count].

    torch.multinomial has the host wait for the device, which a step that is recorded may not.
    """
    cumulative = weight.cumsum(-1)
    wanted = torch.rand(*weight.shape[:-1], count, device=weight.device) * cumulative[..., -1:]
    return torch.searchsorted(cumulative, wanted, right=True).clamp(max=weight.shape[-1] - 1)


def hsv_to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """RGB [..., 3] of hue (any real, period 1), saturation and value [...]."""
    hue = (hue % 1) * 6

    def channel(offset: int) -> Tensor:
        k = (offset + hue) % 6
        return value - value * saturation * torch.clamp(torch.minimum(k, 4 - k), 0, 1)

    return torch.stack([channel(5), channel(3), channel(1)], -1)


def colours(device: Device, *shape: int) -> Tensor:
    """Colours as photos have them: many greys and warm tones, few pure ones; f32 [*shape, 3]."""
    kind = torch.rand(*shape, device=device)
    hue = torch.rand(*shape, device=device)
    saturation = torch.rand(*shape, device=device) ** 1.7
    warm, grey = (kind > 0.4) & (kind < 0.7), kind < 0.25
    hue = torch.where(warm, uniform(device, *shape, low=0.01, high=0.14), hue)
    saturation = torch.where(grey, saturation * 0.12, saturation)
    saturation = torch.where(warm, saturation * 0.75, saturation)
    return hsv_to_rgb(hue, saturation, uniform(device, *shape, low=0.04, high=1.0))


@cache
def _palette_table(device: Device) -> Tensor:
    """Rows of (hue, hue, saturation, saturation, value, value, specular), f32 [palettes, 7]."""
    rows = torch.zeros(len(Palette), 7)
    for palette, (hue, saturation, value, specular) in PALETTES.items():
        rows[palette] = torch.tensor([*hue, *saturation, *value, specular])
    return rows.to(device)


def materials(device: Device, *shape: int, palettes: Tensor | None = None) -> Tensor:
    """Random materials.

    Parameters
    ----------
    device
        Where.
    shape
        How many.
    palettes
        `Palette` of each, i64 [*shape]; without, all are ANY.

    Returns
    -------
    Tensor
        f32 [*shape, MATERIAL.size].
    """
    out = torch.zeros(*shape, MATERIAL.size, device=device)
    pattern = drawn(constant(PATTERN_WEIGHTS, device), math.prod(shape)).view(*shape)
    out[..., MATERIAL.at("pattern")] = pattern.float()
    base, other, third = colours(device, *shape, 3).unbind(-2)
    shiny = torch.where(
        chance(device, 0.35, *shape), uniform(device, *shape, low=0.05, high=0.9), 0.0
    )
    if palettes is not None:
        low_high = _palette_table(device)[palettes]
        mixed = torch.rand(*shape, 3, device=device)
        hue, saturation, value = (
            low_high[..., 2 * i] + (low_high[..., 2 * i + 1] - low_high[..., 2 * i]) * mixed[..., i]
            for i in range(3)
        )
        faithful = (palettes != Palette.ANY) & chance(device, FAITHFUL, *shape)
        base = torch.where(faithful[..., None], hsv_to_rgb(hue, saturation, value), base)
        shiny = torch.where(faithful, low_high[..., 6] * torch.rand(*shape, device=device), shiny)
    close = chance(device, 0.55, *shape)[..., None]
    shifted = base * uniform(device, *shape, 1, low=0.45, high=1.5)
    shifted = shifted + 0.06 * torch.randn(*shape, 3, device=device)
    out[..., MATERIAL["colours"]] = torch.cat(
        [base, torch.where(close, shifted, other).clamp(0.01, 1), third], -1
    )
    out[..., MATERIAL.at("frequency")] = log_uniform(device, *shape, low=1, high=14)
    out[..., MATERIAL.at("contrast")] = uniform(device, *shape, low=0.2)
    out[..., MATERIAL.at("specular")] = shiny
    out[..., MATERIAL.at("seed")] = torch.randint(0, 9999, shape, device=device).float()
    out[..., MATERIAL.at("angle")] = uniform(device, *shape, high=2 * math.pi)
    grain = uniform(device, *shape, low=0.05, high=0.9)
    out[..., MATERIAL.at("grain")] = torch.where(chance(device, 0.6, *shape), grain, 0.0)
    return out


def light(scenes: Tensor) -> None:
    """Light scenes [B, SCENE.size] at random, in place: a sun from above and the sky's glow."""
    device, count = scenes.device, len(scenes)
    direction = torch.randn(count, 3, device=device)
    direction[:, 1] = direction[:, 1].abs() + 0.35
    scenes[:, SCENE["light"]] = torch.nn.functional.normalize(direction, dim=-1)
    scenes[:, SCENE.at("light_strength")] = uniform(device, count, low=0.15, high=1.1)
    scenes[:, SCENE.at("ambient")] = uniform(device, count, low=0.25, high=0.85)
    tint = torch.randn(count, 3, device=device).clamp(-4, 4)
    scenes[:, SCENE["light_colour"]] = (1 + 0.15 * tint).clamp(min=0.3)
    shadow = uniform(device, count, low=0.3)
    scenes[:, SCENE.at("shadow")] = torch.where(chance(device, 0.8, count), shadow, 0.0)
    scenes[:, SCENE.at("occlusion")] = uniform(device, count, high=0.9)
