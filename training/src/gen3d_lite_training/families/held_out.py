"""Families that no network is trained on: they measure what carries over to new kinds of things."""

import numpy as np

from ..shapes import Kind, Palette, Shape, rotation

Rng = np.random.Generator
SIDES = (-1, 1)


def plane(rng: Rng) -> Shape:
    """An aeroplane: fuselage, wings, tail, engines, cockpit."""
    shape = Shape([Palette.PALE, Palette.ANY, Palette.ANY, Palette.METAL])
    length, girth = rng.uniform(0.8, 1.2), rng.uniform(0.1, 0.2)
    shape.add(Kind.ELLIPSOID, (0, 0, 0), (length, girth * 1.2, girth))
    wing = (0.18, 0.02, rng.uniform(0.7, 1.1))
    at = (rng.uniform(-0.1, 0.2), rng.uniform(-0.05, 0.1), 0)
    shape.add(Kind.BOX, at, wing, rounding=0.01, material=1)
    shape.add(Kind.BOX, (-length * 0.85, 0.05, 0), (0.1, 0.015, 0.35), rounding=0.01, material=1)
    fin = (0.12, 0.2, 0.02)
    shape.add(Kind.BOX, (-length * 0.85, 0.2, 0), fin, rotation(z=0.3), rounding=0.01, material=2)
    for side in SIDES:
        shape.limb((0, -0.1, side * 0.4), (0.25, -0.1, side * 0.4), 0.07, 0.07, 3)
    shape.add(Kind.ELLIPSOID, (length * 0.55, girth * 0.8, 0), (0.2, 0.1, 0.09), material=3)
    return shape


def house(rng: Rng) -> Shape:
    """A house: walls, roof, door, windows, chimney."""
    shape = Shape([Palette.PALE, Palette.STONE, Palette.WOOD, Palette.STONE])
    w, d, h = rng.uniform(0.5, 1), rng.uniform(0.4, 0.9), rng.uniform(0.3, 0.7)
    shape.add(Kind.BOX, (0, h, 0), (w, h, d))
    if w < d * 1.6:
        roof = (w * 0.75, w * 0.75, d * 1.08)
        shape.add(Kind.BOX, (0, 2 * h, 0), roof, rotation(z=np.pi / 4), material=1)
    else:
        shape.add(Kind.CONE, (0, 2 * h + 0.25, 0), (w * 1.2, 0.3, 0.1), material=1)
    shape.add(Kind.BOX, (0, h * 0.6, d), (0.12, h * 0.6, 0.03), material=2)
    shape.add(Kind.BOX, (w * 0.5, 2 * h + 0.4, 0), (0.1, 0.4, 0.1), material=3)
    for side in SIDES:
        shape.add(Kind.BOX, (side * w * 0.55, h * 1.1, d), (0.13, 0.15, 0.03), material=2)
    return shape
