"""Random scenes of many objects, for masks: grounds, walls, rooms, crowds, sky, dead leaves."""

import torch
from torch import Tensor

from .geometry import height_below, look_at, rotations
from .layout import CUTOUT, INSTANCE, MATERIAL, MAX_CUTOUTS, MAX_INSTANCES, MAX_MATERIALS, SCENE
from .materials import chance, colours, constant, drawn, light, log_uniform, materials, uniform
from .renderer import Renderer

CUTOUT_WEIGHTS = (4.0, 2.5, 0.7, 0.5, 0.5)
"""Wavy discs, rectangles, triangles, rings, diamonds."""

CROWDED = 0.15
"""How many scenes on a ground show a crowd: one kind of thing, mostly, in rows."""

ROOMS = 0.4
"""How many scenes with a wall are rooms, with a second wall and mostly a ceiling."""


def cutouts(device: torch.device, count: int, scale: Tensor) -> Tensor:
    """Flat shapes all over the image, f32 [count, MAX_CUTOUTS, CUTOUT.size]; `scale` is [count]."""
    shape = (count, MAX_CUTOUTS)
    out = torch.zeros(*shape, CUTOUT.size, device=device)
    kind = drawn(constant(CUTOUT_WEIGHTS, device), count * MAX_CUTOUTS).view(shape)
    out[..., CUTOUT.at("kind")] = kind.float()
    out[..., CUTOUT["centre"]] = uniform(device, *shape, 2, low=-1.1, high=1.1)
    stretch = torch.exp(0.4 * torch.randn(*shape, 2, device=device))
    size = log_uniform(device, *shape, 1, low=0.05, high=0.8)
    out[..., CUTOUT["size"]] = size * stretch * scale[:, None, None]
    angle = uniform(device, *shape, high=6.28)
    out[..., CUTOUT.at("angle")] = torch.where(chance(device, 0.4, *shape), 0.0, angle)
    lobes = torch.stack(
        [
            uniform(device, *shape, high=0.35),
            torch.randint(1, 6, shape, device=device).float(),
            uniform(device, *shape, high=6.28),
            uniform(device, *shape, high=0.2),
            torch.randint(2, 10, shape, device=device).float(),
            uniform(device, *shape, high=6.28),
        ],
        -1,
    )
    inner = uniform(device, *shape, low=0.5, high=0.9)  # a ring's inner radius
    lobes[..., 3] = torch.where(kind == 3, inner, lobes[..., 3])
    out[..., CUTOUT["lobes"]] = lobes
    out[..., CUTOUT["gradient"]] = 0.3 * torch.randn(*shape, 2, device=device)
    out[..., CUTOUT["material"]] = materials(device, *shape)
    return out


def _rows(shape: tuple[int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Places in rows behind each other, in units of the things' size: x and z, f32 [count, n].

    As people, parked cars, chairs or goods on a shelf stand: close, and one before the other.
    """
    count, things = shape
    columns = torch.randint(2, 7, (count, 1), device=device)
    index = torch.arange(things, device=device).expand(shape)
    apart, behind = (uniform(device, count, 1, low=low, high=2.4) for low in (0.7, 0.9))
    loose = 0.25 * torch.randn(2, *shape, device=device)
    x = (index % columns - (columns - 1) / 2 + loose[0]) * apart
    return x, (torch.div(index, columns, rounding_mode="floor") - 1 + loose[1]) * behind


def _things(renderer: Renderer, count: int, on_ground: Tensor) -> Tensor:
    """Instances for each scene, standing on the ground or floating."""
    device, shape = renderer.device, (count, MAX_INSTANCES)
    grounded = on_ground[:, None]
    out = torch.zeros(*shape, INSTANCE.size, device=device)
    which = torch.randint(0, len(renderer), shape, device=device)
    crowded = chance(device, CROWDED, count, 1) & grounded
    repeated = torch.rand(*shape, device=device) < torch.where(crowded, 0.85, 0.2)
    which = torch.where(repeated, which[:, :1], which)
    out[..., INSTANCE.at("object")] = which.float()
    looks = materials(device, *shape, MAX_MATERIALS, palettes=renderer.palettes(which))
    uniform_look = chance(device, 0.15, *shape)[..., None, None]
    looks = torch.where(uniform_look, looks[:, :, :1], looks)
    same_look = repeated & ~crowded & chance(device, 0.5, count, 1)
    looks = torch.where(same_look[..., None, None], looks[:, :1], looks)
    out[..., INSTANCE["materials"]] = looks.reshape(*shape, MAX_MATERIALS * MATERIAL.size)

    tumbling = (chance(device, 0.12, *shape) | ~grounded).float()
    turn = rotations(
        uniform(device, *shape, high=6.28),
        tumbling * uniform(device, *shape, low=-1.5, high=1.5),
        tumbling * uniform(device, *shape, low=-1.5, high=1.5),
    )
    out[..., INSTANCE["rotation"]] = turn.reshape(*shape, 9)
    usual = log_uniform(device, count, 1, low=0.3, high=1.1)
    spread = torch.where(crowded, 0.12, 0.45)
    scale = (usual * torch.exp(spread * torch.randn(*shape, device=device))).clamp(0.1, 2.2)
    out[..., INSTANCE.at("scale")] = scale
    height = height_below(turn, renderer.half_extent(which)) * scale

    span = uniform(device, count, 1, low=0.8, high=2.8)
    x, z = (uniform(device, *shape, low=-1) * span for _ in range(2))
    row_x, row_z = _rows(shape, device)
    x, z = torch.where(crowded, row_x * usual, x), torch.where(crowded, row_z * usual, z)
    y = torch.where(grounded, height, uniform(device, *shape, low=-1.2, high=1.2))
    centre = torch.stack([x, y, z], -1)
    stacked = chance(device, 0.12, *shape) & grounded
    stacked[:, 0] = False
    below, below_height = torch.roll(centre, 1, 1), torch.roll(height, 1, 1)
    on_top = below.clone()
    on_top[..., 1] += below_height * 0.9 + height
    out[..., INSTANCE["centre"]] = torch.where(stacked[..., None], on_top, centre)
    return out


def _aim(scenes: Tensor, things: Tensor, on_ground: Tensor) -> None:
    """Place cameras, in place: most look over the scene, some close at its first object."""
    device, count = scenes.device, len(scenes)
    elevation = torch.where(
        on_ground,
        uniform(device, count, low=0.03) ** 1.3,
        uniform(device, count, low=-0.5, high=0.5),
    )
    azimuth = uniform(device, count, high=6.28)
    distance = uniform(device, count, low=2.2, high=6)
    level = torch.where(on_ground, uniform(device, count, low=0.1, high=0.8), 0.0)
    x, z = (uniform(device, count, low=-0.5, high=0.5) for _ in range(2))
    target = torch.stack([x, level, z], -1)
    field = uniform(device, count, low=0.35, high=1.15)

    close = chance(device, 0.3, count)
    first, size = things[:, 0, INSTANCE["centre"]], things[:, 0, INSTANCE.at("scale")]
    fill = uniform(device, count, low=0.9, high=2.2)
    near = size * fill / torch.tan(field / 2) + size * 0.3
    jitter = 0.3 * size[:, None] * torch.randn(count, 3, device=device)
    target = torch.where(close[:, None], first + jitter, target)
    distance = torch.where(close, near, distance)

    ray = torch.stack(
        [elevation.cos() * azimuth.sin(), elevation.sin(), elevation.cos() * azimuth.cos()], -1
    )
    eye = target + distance[:, None] * ray
    eye[:, 1] = torch.where(on_ground, eye[:, 1].clamp(min=0.12), eye[:, 1])
    scenes[:, SCENE["eye"]] = eye
    camera = look_at(eye, target, 0.06 * torch.randn(count, device=device))
    scenes[:, SCENE["camera"]] = camera.reshape(count, 9)
    focal = 1 / torch.tan(field / 2)
    aspect = torch.exp(uniform(device, count, low=-0.2, high=0.65))  # photos are made square
    scenes[:, SCENE["focal"]] = torch.stack([focal / aspect.sqrt(), focal * aspect.sqrt()], -1)
    wall = on_ground & chance(device, 0.6, count)
    scenes[:, SCENE.at("wall_angle")] = azimuth + uniform(device, count, low=-0.6, high=0.6)
    behind = -uniform(device, count, low=0.8, high=5)
    scenes[:, SCENE.at("wall_distance")] = torch.where(wall, behind, 1.0)
    room = wall & chance(device, ROOMS, count)
    side = -uniform(device, count, low=0.6, high=4)
    scenes[:, SCENE.at("side_distance")] = torch.where(room, side, 1.0)
    ceiling = eye[:, 1] + log_uniform(device, count, low=0.2, high=3)
    covered = room & chance(device, 0.7, count)
    scenes[:, SCENE.at("ceiling")] = torch.where(covered, ceiling, 0.0)


def random_scenes(renderer: Renderer, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Instances, cut-outs and scenes as `Renderer` takes them.

    Three kinds: 65 % stand on a ground, most with a wall behind; 18 % float before a backdrop; the
    rest are "dead leaves", an image covered with flat textured shapes.
    """
    device = renderer.device
    scenes = torch.zeros(count, SCENE.size, device=device)
    kind = torch.rand(count, device=device)
    on_ground, dead_leaves = kind < 0.65, kind >= 0.83
    things = _things(renderer, count, on_ground)
    _aim(scenes, things, on_ground)
    light(scenes)
    scenes[:, SCENE.at("ground")] = on_ground.float()
    scenes[:, SCENE["sky_top"]] = colours(device, count)
    scenes[:, SCENE["sky_bottom"]] = colours(device, count)
    textured = chance(device, 0.7, count).float()
    scenes[:, SCENE.at("sky_texture")] = torch.rand(count, device=device) * textured
    backdrop = materials(device, count, 3)
    backdrop[:, :2, MATERIAL.at("frequency")] *= 0.7
    for i, name in enumerate(("ground_material", "wall_material", "sky_material")):
        scenes[:, SCENE[name]] = backdrop[:, i]

    few = torch.randint(0, 6, (count,), device=device)
    many = torch.randint(1, MAX_INSTANCES + 1, (count,), device=device)
    scenes[:, SCENE.at("instances")] = torch.where(dead_leaves, few, many).float()
    some = torch.randint(0, 20, (count,), device=device) * chance(device, 0.65, count)
    most = torch.randint(8, MAX_CUTOUTS + 1, (count,), device=device)
    scenes[:, SCENE.at("cutouts")] = torch.where(dead_leaves, most, some).float()
    flat = cutouts(device, count, torch.where(dead_leaves, 1.2, 0.7))
    in_front = torch.where(dead_leaves, 0.5, 0.02)[:, None]
    drawn = torch.rand(count, MAX_CUTOUTS, device=device) < in_front
    flat[..., CUTOUT.at("front")] = drawn.float()
    return things, flat, scenes
