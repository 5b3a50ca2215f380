"""Views of one object, as a crop around its mask, for reconstruction."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from gen3d_inference.engines.lite.frames import MARGINS

from .geometry import height_below, look_at, rotations
from .layout import CUTOUT, INSTANCE, MATERIAL, MAX_CUTOUTS, MAX_INSTANCES, MAX_MATERIALS, SCENE
from .materials import chance, drawn, light, materials, uniform
from .photo import photograph
from .renderer import Renderer

OCCLUDED = 0.35
"""How often something else, or the photo's edge, hides a part."""

_STANDING = 0.9999
"""Cosine between an object's upright axis and the world's, above which it stands."""

LOOKS = 3
"""Turns of the object tried for a view; people photograph the one that shows the most of it."""

_SHOWY = 0.8
"""How often the one that shows the most is taken."""

_PROBE = 64
"""Pixels of the first look that finds out where the object lies in the image."""


class Views(NamedTuple):
    """What the network sees and what it should answer, for B crops of S × S pixels.

    Depths are relative to the mean of the object's front, in units of half the crop's side at the
    camera's distance from the object; z points away from the camera.

    Attributes
    ----------
    rgba
        The photo where the object is seen and the mask of that, f32 [B, 4, S, S].
    whole
        The object's mask with what is hidden, f32 [B, 1, S, S].
    front, back
        Depths of the nearest and farthest surface, f32 [B, 1, S, S], 0 outside.
    front_colour, back_colour
        RGB as the photo would show it, f32 [B, 3, S, S].
    scenes, instances
        What was rendered; the camera is in `scenes`.
    unit, depth
        Half the crop's side at the object and the front's mean depth, f32 [B], in world units.
    elevation
        Angle by which the camera looks down on the object, radians, f32 [B].
    standing
        Whether the object stands upright, bool [B]; others have been toppled.
    """

    rgba: Tensor
    whole: Tensor
    front: Tensor
    back: Tensor
    front_colour: Tensor
    back_colour: Tensor
    scenes: Tensor
    instances: Tensor
    unit: Tensor
    depth: Tensor
    elevation: Tensor
    standing: Tensor


def _occluders(seen: Tensor) -> Tensor:
    """Boxes and ellipses (ellipse?, x, y, half width, half height, angle), f32 [B, 6].

    They lie on the object's outline or, very large, cut it along a line; `seen` is its mask,
    bool [B, P, P].
    """
    count, device = len(seen), seen.device
    points = drawn(seen.flatten(1).float() + 1e-9, 1)[:, 0]
    size = seen.shape[-1]
    x = (points % size + 0.5) / size * 2 - 1
    y = (points // size + 0.5) / size * 2 - 1
    width = seen.flatten(1).float().mean(1).sqrt() * 2
    half = width[:, None] * uniform(device, count, 2, low=0.12, high=0.5)
    angle = uniform(device, count, high=6.28)
    cut = chance(device, 0.4, count)
    half = torch.where(cut[:, None], torch.full_like(half, 4.0), half)
    x = torch.where(cut, x + angle.cos() * 4, x)
    y = torch.where(cut, y + angle.sin() * 4, y)
    ellipse = (chance(device, 0.4, count) & ~cut).float()
    return torch.stack([ellipse, x, y, half[:, 0], half[:, 1], angle], -1)


def _covers(occluders: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Whether occluders [B, 6] cover image points [B, H, W]; bool [B, H, W]."""
    ellipse, cx, cy, half_x, half_y, angle = (v[:, None, None] for v in occluders.unbind(-1))
    dx, dy = x - cx, y - cy
    u = ((angle.cos() * dx + angle.sin() * dy) / half_x).abs()
    v = ((-angle.sin() * dx + angle.cos() * dy) / half_y).abs()
    return torch.where(ellipse > 0, u * u + v * v < 1, (u < 1) & (v < 1))


def _extent(mask: Tensor) -> tuple[Tensor, Tensor]:
    """First and last column of a mask [B, P, P] in [-1, 1]; the whole image where it is empty."""
    size = mask.shape[-1]
    edges = torch.arange(size, device=mask.device) / size * 2 - 1
    filled = mask.any(1)
    low = torch.where(filled, edges, 9.0).amin(1)
    high = torch.where(filled, edges + 2 / size, -9.0).amax(1)
    empty = low > high
    return torch.where(empty, -1.0, low), torch.where(empty, 1.0, high)


def _pose(renderer: Renderer, which: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Instances, scenes and the cameras' distance of one object each, seen whole."""
    device, count = renderer.device, len(which)
    instances = torch.zeros(count, MAX_INSTANCES, INSTANCE.size, device=device)
    first = instances[:, 0]
    first[:, INSTANCE.at("object")] = which.float()
    looks = materials(device, count, MAX_MATERIALS, palettes=renderer.palettes(which))
    plain = chance(device, 0.15, count)[:, None, None]
    looks = torch.where(plain, looks[:, :1], looks)
    first[:, INSTANCE["materials"]] = looks.reshape(count, MAX_MATERIALS * MATERIAL.size)
    tumbling = chance(device, 0.2, count).float()
    elevation = torch.where(
        chance(device, 0.85, count),
        uniform(device, count, low=0, high=0.75),
        uniform(device, count, low=-0.25, high=1.2),
    )
    zero = torch.zeros(count, device=device)
    ray = torch.stack([zero, elevation.sin(), elevation.cos()], -1)
    turn = _turn(renderer.half_extent(which), tumbling, ray)
    first[:, INSTANCE["rotation"]] = turn.reshape(count, 9)
    first[:, INSTANCE.at("scale")] = 1.0
    height = height_below(turn, renderer.half_extent(which))
    first[:, INSTANCE.at("centre") + 1] = height

    distance = 1.25 / torch.tan(uniform(device, count, low=0.25, high=1.0) / 2) + 0.2
    target = torch.stack([zero, height, zero], -1)
    eye = target + distance[:, None] * ray
    scenes = torch.zeros(count, SCENE.size, device=device)
    scenes[:, SCENE["eye"]] = eye
    camera = look_at(eye, target, 0.05 * torch.randn(count, device=device))
    scenes[:, SCENE["camera"]] = camera.reshape(count, 9)
    scenes[:, SCENE["focal"]] = (distance / 1.02)[:, None]
    light(scenes)
    scenes[:, SCENE.at("wall_distance")] = 1.0
    scenes[:, SCENE.at("instances")] = 1.0
    return instances, scenes, distance


def _turn(half: Tensor, tumbling: Tensor, ray: Tensor) -> Tensor:
    """Rotations that mostly show much of objects, f32 [B, 3, 3].

    A plank seen edge-on is no view that anybody takes, and a network that was shown many takes
    every slim thing for one. How much is shown is the area of the bounding box's silhouette: each
    side's area times the cosine at which it is seen.

    Parameters
    ----------
    half
        Half the objects' bounding boxes, f32 [B, 3].
    tumbling
        1 for what need not stand, else 0, f32 [B].
    ray
        From the object to the camera, f32 [B, 3].
    """
    count, device = len(half), half.device
    turns = rotations(
        uniform(device, LOOKS, count, high=6.28),
        tumbling * uniform(device, LOOKS, count, low=-1.5, high=1.5),
        tumbling * uniform(device, LOOKS, count, low=-1.5, high=1.5),
    )
    sides = half.prod(1, keepdim=True) / half.clamp(min=1e-4)
    shown = ((turns @ ray[:, :, None])[..., 0].abs() * sides).sum(-1)
    most = torch.where(chance(device, _SHOWY, count), shown.argmax(0), 0)
    return turns[most, torch.arange(count, device=device)]


def random_views(
    renderer: Renderer,
    count: int,
    size: int,
    samples: int = 3,
    occluded: float = OCCLUDED,
) -> Views:
    """Draw views of random objects."""
    device = renderer.device
    which = torch.randint(0, len(renderer), (count,), device=device)
    instances, scenes, distance = _pose(renderer, which)
    flat = torch.zeros(count, MAX_CUTOUTS, CUTOUT.size, device=device)

    seen = renderer(instances, flat, scenes, _PROBE).identity == 1
    occluders = _occluders(seen)
    steps = (torch.arange(_PROBE, device=device) + 0.5) / _PROBE * 2 - 1
    covered = _covers(occluders, steps[None, None, :], steps[None, :, None])
    left = (seen & ~covered).sum((1, 2)) / seen.sum((1, 2)).clamp(min=1)
    hidden = chance(device, occluded, count) & (left > 0.4) & (left < 0.97)
    seen = seen & ~(covered & hidden[:, None, None])
    (x0, x1), (y0, y1) = _extent(seen), _extent(seen.transpose(1, 2))
    half = torch.maximum(x1 - x0, y1 - y0).clamp(min=0.1) / 2
    half = half * uniform(device, count, low=MARGINS[0], high=MARGINS[1])
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    focal = distance / 1.02 / half
    scenes[:, SCENE["focal"]] = focal[:, None]
    scenes[:, SCENE["principal"]] = torch.stack([-x, -y], -1) / half[:, None]

    shown = renderer(instances, flat, scenes, size, samples, with_back=True)
    assert shown.front is not None
    assert shown.back is not None
    assert shown.back_colour is not None
    whole = (shown.identity == 1).float()[:, None]
    steps = (torch.arange(size, device=device) + 0.5) / size * 2 - 1
    covered = _covers(
        occluders,
        steps[None, None, :] * half[:, None, None] + x[:, None, None],
        steps[None, :, None] * half[:, None, None] + y[:, None, None],
    )
    mask = whole * ~(covered & hidden[:, None, None])[:, None]
    unit = distance / focal
    pixels = whole.sum((1, 2, 3)).clamp(min=1)
    depth = (shown.front[:, None] * whole).sum((1, 2, 3)) / pixels
    shift, scale = depth[:, None, None, None], unit[:, None, None, None]
    front = (shown.front[:, None] - shift) / scale * whole
    back = torch.maximum((shown.back[:, None] - shift) / scale * whole, front)

    inside = whole.permute(0, 2, 3, 1)
    both = torch.cat([shown.colour, shown.back_colour], 1)  # one exposure for both sides
    tall = torch.cat([inside, inside], 1)
    photo = photograph(both * tall + 0.2 * (1 - tall))
    front_colour, back_colour = photo[:, :, :size], photo[:, :, size:]
    mask = _imprecise(mask)
    return Views(
        torch.cat([front_colour * mask, mask], 1),
        whole,
        front,
        back,
        front_colour,
        back_colour,
        scenes,
        instances,
        unit,
        depth,
        *_stance(scenes, instances),
    )


def _stance(scenes: Tensor, instances: Tensor) -> tuple[Tensor, Tensor]:
    """Cameras' elevation and whether objects stand, f32 and bool [B]."""
    camera = scenes[:, SCENE["camera"]].unflatten(1, (3, 3))
    turn = instances[:, 0, INSTANCE["rotation"]].unflatten(1, (3, 3))
    return torch.asin(-camera[:, 2, 1]), turn[:, 1, 1] > _STANDING


def _imprecise(mask: Tensor) -> Tensor:
    """Masks as people draw them: at times a pixel too small or too large, f32 [B, 1, S, S]."""
    wide = max_pool2d(mask, 3, 1, 1)
    narrow = -max_pool2d(-mask, 3, 1, 1)
    draw = torch.rand(len(mask), 1, 1, 1, device=mask.device)
    return torch.where(draw < 0.2, narrow, torch.where(draw > 0.85, wide, mask))
