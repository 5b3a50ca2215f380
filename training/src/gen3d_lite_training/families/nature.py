"""Trees, plants, rocks, fruit, mushrooms and plates of food."""

import numpy as np

from ..shapes import Kind, Operation, Palette, Shape, rotation

Rng = np.random.Generator


def _any_turn(rng: Rng) -> np.ndarray:
    return rotation(*rng.uniform(-np.pi, np.pi, 3))


def tree(rng: Rng) -> Shape:
    """A tree with a round crown or in cones."""
    shape = Shape([Palette.WOOD, Palette.LEAF, Palette.LEAF])
    height = rng.uniform(0.5, 1.6)
    top = (rng.uniform(-0.2, 0.2), height, rng.uniform(-0.2, 0.2))
    shape.limb((0, 0, 0), top, rng.uniform(0.06, 0.15), rng.uniform(0.03, 0.1))
    if rng.random() < 0.35:
        tiers = int(rng.integers(2, 5))
        for i in range(tiers):
            size = (0.7 * (1 - i / (tiers + 1)), 0.3, 0.04)
            shape.add(Kind.CONE, (0, height + i * 0.45, 0), size, material=1)
    else:
        for _ in range(rng.integers(3, 12)):
            at = np.array([0, height + 0.2, 0]) + rng.normal(0, 0.35, 3)
            material = 1 + int(rng.random() < 0.2)
            shape.add(
                Kind.ELLIPSOID,
                at,
                rng.uniform(0.2, 0.55, 3),
                _any_turn(rng),
                operation=Operation.SMOOTH_UNION,
                blend=0.08,
                material=material,
            )
    if rng.random() < 0.7:
        shape.relief, shape.relief_frequency = rng.uniform(0.02, 0.07), rng.uniform(3, 9)
    return shape


def plant(rng: Rng) -> Shape:
    """Leaves or flowers on stems, a cactus, perhaps in a pot."""
    shape = Shape([Palette.ANY, Palette.LEAF, Palette.ANY, Palette.LEAF])
    base = 0.0
    if rng.random() < 0.6:
        radius, base = rng.uniform(0.2, 0.35), rng.uniform(0.3, 0.6)
        shape.add(Kind.CONE, (0, base / 2, 0), (radius * rng.uniform(0.6, 1), base / 2, radius))
    for _ in range(rng.integers(3, 8)):
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.7)
        tip = np.array([reach * np.cos(angle), base + rng.uniform(0.4, 1.3), reach * np.sin(angle)])
        shape.limb((0, base, 0), tip, 0.03, 0.02, 3)
        if rng.random() < 0.6:  # a leaf along its stem
            turn = rotation(y=-angle) @ rotation(z=rng.uniform(-0.3, 1.2))
            size = (rng.uniform(0.2, 0.4), 0.02, rng.uniform(0.06, 0.18))
            shape.add(Kind.ELLIPSOID, tip, size, turn, material=1)
        else:
            size = np.array([1, rng.uniform(0.3, 1), 1]) * rng.uniform(0.08, 0.2)
            shape.add(Kind.ELLIPSOID, tip, size, material=2)
    return shape


def rock(rng: Rng) -> Shape:
    """A rock or a vegetable with a stalk."""
    shape = Shape([Palette.STONE if rng.random() < 0.6 else Palette.ANY, Palette.LEAF])
    kind = Kind.ELLIPSOID if rng.random() < 0.6 else Kind.SUPERELLIPSOID
    shape.add(kind, (0, 0, 0), rng.uniform(0.4, 1, 3), _any_turn(rng), rounding=rng.uniform(1.5, 4))
    shape.relief, shape.relief_frequency = rng.uniform(0, 0.12), rng.uniform(1.5, 5)
    if rng.random() < 0.3:
        shape.limb((0, 0.5, 0), (rng.uniform(-0.2, 0.2), rng.uniform(0.9, 1.2), 0), 0.04, 0.05, 1)
    return shape


def fruit(rng: Rng) -> Shape:
    """An apple, a pear, a banana or a bunch."""
    shape = Shape([Palette.ANY, Palette.WOOD, Palette.LEAF])
    match rng.integers(3):
        case 0:  # round, with a stalk and a leaf
            radius = rng.uniform(0.4, 0.6)
            height = radius * rng.uniform(0.8, 1.1)
            shape.add(Kind.ELLIPSOID, (0, height, 0), (radius, height, radius))
            if rng.random() < 0.5:
                shape.limb((0, height, 0), (0, 2.2 * height, 0), radius * 0.8, radius * 0.4, 0, 0.2)
            top = 2.1 * height
            shape.limb((0, top, 0), (0.06, top + 0.25, 0), 0.03, 0.03, 1)
            turn = rotation(z=0.5)
            shape.add(Kind.ELLIPSOID, (0.2, top + 0.15, 0), (0.2, 0.02, 0.09), turn, material=2)
        case 1:
            for i in range(rng.integers(1, 4)):
                bend = rng.uniform(0.5, 0.9)
                tube = rng.uniform(0.09, 0.15)
                turn = rotation(x=0.35 * i, z=np.pi + rng.uniform(-0.3, 0.3))
                shape.add(Kind.ARC, (0, 0.9, 0.05 * i), (0.8, tube, bend), turn)
            shape.add(Kind.ELLIPSOID, (0.75, 0.5, 0), (0.06, 0.08, 0.06), material=1)
        case _:
            radius = rng.uniform(0.15, 0.25)
            for _ in range(12):
                at = rng.normal(0, 0.22, 3) * (1, 1.3, 1)
                shape.add(Kind.ELLIPSOID, at, np.full(3, radius))
            shape.limb((0, 0.3, 0), (0.1, 0.8, 0), 0.03, 0.04, 1)
    return shape


def mushroom(rng: Rng) -> Shape:
    """A mushroom, an umbrella or a parasol."""
    shape = Shape([Palette.PALE, Palette.ANY, Palette.WOOD])
    height, cap = rng.uniform(0.5, 1.4), rng.uniform(0.35, 0.9)
    thin = rng.random() < 0.4
    stem = 0.03 if thin else rng.uniform(0.08, 0.25)
    shape.limb((0, 0, 0), (0, height, 0), stem * 1.1, stem, 2 if thin else 0)
    size = (cap, cap * rng.uniform(0.35, 0.8), cap)
    at = (0, height - 0.05, 0)
    shape.add(Kind.DOME, at, size, rounding=0.05 if thin else 0.0, material=1)
    return shape


def plate(rng: Rng) -> Shape:
    """Food, at times on a plate."""
    shape = Shape([Palette.PALE, Palette.ANY, Palette.ANY, Palette.LEAF])
    if rng.random() < 0.55:
        radius = rng.uniform(0.7, 1)
        radii = np.linspace(0.5, 1, 8)
        shape.add(Kind.LATHE, (0, 0.08, 0), (radius, 0.08, radius), rounding=0.03, extra=radii)
    for i in range(rng.integers(2, 12)):
        size = rng.uniform(0.1, 0.38, 3)
        at = rng.normal(0, 0.33, 3)
        at[1] = 0.15 + size[1] + abs(at[1]) * 0.3
        kind = (Kind.ELLIPSOID, Kind.SUPERELLIPSOID, Kind.TORUS, Kind.CONE)[rng.integers(4)]
        rounding = 2.5 if kind == Kind.SUPERELLIPSOID else 0.03
        if kind == Kind.TORUS:
            size[1] = size[0] * 0.35
        shape.add(kind, at, size, _any_turn(rng), rounding=rounding, material=1 + i % 3)
    return shape
