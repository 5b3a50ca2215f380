"""Chairs, tables, sofas, lamps, shelves and beds."""

import numpy as np

from ..shapes import Kind, Operation, Palette, Shape, rotation

Rng = np.random.Generator
SIDES = (-1, 1)


def _legs(shape: Shape, rng: Rng, x: float, z: float, height: float, material: int) -> None:
    """Four legs under (±x, height, ±z), square, round or splayed."""
    radius, style = rng.uniform(0.025, 0.08), rng.integers(3)
    splay = rng.uniform(0, 0.15) if style == 2 else 0.0
    for sx in SIDES:
        for sz in SIDES:
            if style == 0:
                half = (radius, height / 2, radius)
                shape.add(
                    Kind.BOX, (sx * x, height / 2, sz * z), half, rounding=0.01, material=material
                )
            else:
                foot = (sx * (x + splay), 0, sz * (z + splay))
                shape.limb(foot, (sx * x, height, sz * z), radius * 0.7, radius, material)


def chair(rng: Rng) -> Shape:
    """A chair with a solid, slatted or rounded back, perhaps with arms."""
    shape = Shape([Palette.ANY, Palette.WOOD, Palette.CLOTH])
    w, d, h = rng.uniform(0.5, 1.1), rng.uniform(0.45, 1), rng.uniform(0.5, 1.1)
    thick, back = rng.uniform(0.02, 0.12), rng.uniform(0.35, 0.9)
    legs = int(rng.integers(2))
    shape.add(Kind.BOX, (0, h / 2, 0), (w / 2, thick, d / 2), rounding=rng.uniform(0.01, 0.1))
    if rng.random() < 0.75:
        _legs(shape, rng, w * 0.43, d * 0.43, h / 2, legs)
    else:
        shape.limb((0, 0.05, 0), (0, h / 2, 0), 0.05, 0.05, legs)
        for angle in np.arange(5) * 2 * np.pi / 5:
            foot = (0.4 * w * np.cos(angle), 0.03, 0.4 * w * np.sin(angle))
            shape.limb((0, 0.08, 0), foot, 0.035, 0.03, legs)
    turn, centre = rotation(-rng.uniform(0, 0.25)), (0, h / 2 + back / 2, -d * 0.47)
    style = rng.integers(3)
    if style == 0:
        rounding = rng.uniform(0.01, 0.1)
        half = (w / 2, back / 2, thick * 0.8)
        shape.add(Kind.BOX, centre, half, turn, rounding=rounding, material=int(rng.integers(2)))
    elif style == 1:
        for i in range(rng.integers(2, 5)):
            at = (0, h / 2 + back * (0.25 + 0.22 * i), -d * 0.47)
            shape.add(Kind.BOX, at, (w * 0.48, 0.04, 0.02), turn, rounding=0.01)
        for side in SIDES:
            at = (side * w * 0.45, h / 2 + back / 2, -d * 0.47)
            shape.add(Kind.BOX, at, (0.03, back / 2, 0.03), turn, material=legs)
    else:
        size = (w * 0.48, back * 0.55, thick * 0.9)
        shape.add(Kind.SUPERELLIPSOID, centre, size, turn, rounding=3.5, material=2)
    if rng.random() < 0.35:
        for side in SIDES:
            at = (side * w / 2, h / 2 + 0.25, 0)
            shape.add(Kind.BOX, at, (0.04, 0.03, d * 0.45), rounding=0.02, material=legs)
            shape.limb(
                (side * w / 2, h / 2, d * 0.4),
                (side * w / 2, h / 2 + 0.25, d * 0.4),
                0.03,
                0.03,
                legs,
            )
    return shape


def table(rng: Rng) -> Shape:
    """A table, square or round, on legs or a pedestal, perhaps with things on it."""
    shape = Shape([Palette.WOOD, Palette.WOOD, Palette.ANY, Palette.PALE])
    w, d, h = rng.uniform(0.6, 1.5), rng.uniform(0.4, 1), rng.uniform(0.35, 1.1)
    thick, legs = rng.uniform(0.02, 0.09), int(rng.integers(2))
    if rng.random() < 0.6:
        shape.add(Kind.BOX, (0, h, 0), (w, thick, d), rounding=0.02)
    else:
        shape.add(Kind.CONE, (0, h, 0), (w, thick, w), rounding=0.01)
        w, d = w * 0.7, w * 0.7
    if rng.random() < 0.65:
        _legs(shape, rng, w * 0.9, d * 0.9, h, legs)
    else:
        radius = rng.uniform(0.04, 0.12)
        shape.add(Kind.CONE, (0, h / 2, 0), (radius, h / 2, radius * 0.8), material=legs)
        shape.add(Kind.CONE, (0, 0.03, 0), (w * 0.5, 0.04, w * 0.4), material=legs)
    if rng.random() < 0.3:
        shape.add(Kind.BOX, (0, h * 0.3, 0), (w * 0.9, 0.03, d * 0.9), material=1)
    for _ in range(rng.integers(0, 4)):
        size = rng.uniform(0.06, 0.18, 3)
        at = (rng.uniform(-0.6, 0.6) * w, h + thick + size[1], rng.uniform(-0.6, 0.6) * d)
        kind = (Kind.BOX, Kind.CONE, Kind.ELLIPSOID)[rng.integers(3)]
        shape.add(kind, at, size, rotation(y=rng.uniform(0, 3)), material=int(rng.integers(2, 4)))
    return shape


def sofa(rng: Rng) -> Shape:
    """A sofa or an armchair with cushions."""
    shape = Shape([Palette.CLOTH, Palette.CLOTH, Palette.ANY, Palette.WOOD])
    w, d = rng.uniform(0.5, 2), rng.uniform(0.45, 0.9)
    arm, rounding = rng.uniform(0.1, 0.25), rng.uniform(0.03, 0.15)
    shape.add(Kind.BOX, (0, 0.3, 0), (w, 0.2, d), rounding=rounding)
    shape.add(Kind.BOX, (0, 0.65, -d * 0.8), (w, 0.45, 0.2), rotation(-0.12), rounding=rounding)
    for side in SIDES:
        shape.add(Kind.BOX, (side * w, 0.45, 0), (arm, 0.35, d), rounding=rounding)
    seats = int(np.clip(round(w * 1.5), 1, 3))
    for i in range(seats):
        x = (i + 0.5) / seats * 2 * w - w
        shape.add(Kind.BOX, (x, 0.52, 0.05), (w / seats * 0.95, 0.1, d * 0.9), rounding=0.08)
    for i in range(rng.integers(0, 4)):
        turn = rotation(-0.3, rng.uniform(-0.4, 0.4), rng.uniform(-0.3, 0.3))
        at = (rng.uniform(-0.8, 0.8) * w, 0.75, -d * 0.4)
        shape.add(Kind.BOX, at, (0.22, 0.22, 0.08), turn, rounding=0.08, material=1 + i % 2)
    _legs(shape, rng, w * 0.9, d * 0.8, 0.15, 3)
    return shape


def lamp(rng: Rng) -> Shape:
    """A standing or table lamp, straight or with a bent arm."""
    shape = Shape([Palette.METAL, Palette.PALE, Palette.ANY])
    height, shade = rng.uniform(0.6, 2), rng.uniform(0.2, 0.5)
    foot = rng.uniform(0.2, 0.4)
    shape.add(Kind.CONE, (0, 0.04, 0), (foot, 0.04, foot * rng.uniform(0.5, 1)))
    top = np.array([0.0, height, 0.0])
    if rng.random() < 0.6:
        shape.limb((0, 0, 0), top, 0.03, 0.03)
    else:
        elbow = np.array([-rng.uniform(0.1, 0.4), height * 0.6, 0.0])
        top[0] = rng.uniform(0.1, 0.6)
        shape.limb((0, 0, 0), elbow, 0.03, 0.03)
        shape.limb(elbow, top, 0.03, 0.03)
    size = (shade, rng.uniform(0.12, 0.35), shade * rng.uniform(0.3, 1))
    if rng.random() < 0.75:
        shape.add(Kind.CONE, top, size, rotation(z=rng.uniform(-0.3, 0.3)), material=1)
    else:
        shape.add(Kind.DOME, top, (shade, shade * 0.8, shade), rounding=0.04, material=1)
    if rng.random() < 0.4:
        shape.add(Kind.ELLIPSOID, (0, height * 0.3, 0), (0.2, 0.25, 0.2), material=2)
    return shape


def shelf(rng: Rng) -> Shape:
    """A shelf, a cabinet or a chest of drawers, hollow where it is open."""
    shape = Shape([Palette.WOOD, Palette.ANY, Palette.METAL, Palette.ANY])
    height, w, d = rng.uniform(0.5, 1.8), rng.uniform(0.35, 0.9), rng.uniform(0.2, 0.45)
    rows = int(rng.integers(1, 5))
    shape.add(Kind.BOX, (0, height / 2, 0), (w, height / 2, d), rounding=0.02)
    for i in range(rows):
        y, half = height * (i + 0.5) / rows, height / rows
        if rng.random() < 0.55:
            at = (0, y, d * 0.6)
            shape.add(Kind.BOX, at, (w * 0.9, half * 0.42, d), operation=Operation.SUBTRACTION)
            for _ in range(rng.integers(0, 3)):
                size = (rng.uniform(0.04, 0.15), half * rng.uniform(0.15, 0.35), d * 0.5)
                at = (rng.uniform(-0.6, 0.6) * w, y - half * 0.42 + size[1], -d * 0.1)
                shape.add(Kind.BOX, at, size, material=int(rng.integers(1, 4)))
        else:
            shape.add(Kind.BOX, (0, y, d), (w * 0.9, half * 0.42, 0.02), rounding=0.01, material=1)
            shape.add(Kind.ELLIPSOID, (0, y, d + 0.03), (0.05, 0.03, 0.03), material=2)
    return shape


def bed(rng: Rng) -> Shape:
    """A bed with a mattress and pillows."""
    shape = Shape([Palette.WOOD, Palette.PALE, Palette.CLOTH])
    w = rng.uniform(0.5, 1.2)
    shape.add(Kind.BOX, (0, 0.25, 0), (w, 0.15, 1.0), rounding=0.05)
    shape.add(Kind.BOX, (0, 0.42, 0.1), (w * 0.98, 0.1, 0.85), rounding=0.08, material=1)
    shape.add(Kind.BOX, (0, 0.5, -1), (w, rng.uniform(0.3, 0.6), 0.06), rounding=0.03)
    shape.add(Kind.BOX, (0, 0.47, 0.35), (w * 1.01, 0.1, 0.6), rounding=0.08, material=2)
    for side in SIDES:
        at = (side * w * 0.5, 0.55, -0.75)
        shape.add(Kind.BOX, at, (w * 0.35, 0.08, 0.18), rounding=0.07, material=1)
    return shape
