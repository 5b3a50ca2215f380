"""Cups, bottles, vases, bowls and pots: things turned on a lathe."""

import numpy as np
from numpy.typing import NDArray

from ..shapes import Kind, Palette, Shape, rotation

Rng = np.random.Generator


def profile(rng: Rng) -> NDArray[np.float64]:
    """Eight relative radii from bottom to top, the largest 1."""
    t = np.linspace(0, 1, 8)
    match rng.integers(5):
        case 0:
            radii = np.cumsum(rng.normal(0, 0.25, 8)) + 1
        case 1:
            radii = 0.6 + 0.4 * np.sin(t * np.pi * rng.uniform(0.7, 1.6) + rng.uniform(-0.5, 1))
        case 2:  # a bottle
            radii = np.where(t < rng.uniform(0.5, 0.75), 1, rng.uniform(0.25, 0.5))
        case 3:  # a cup
            radii = rng.uniform(0.4, 1) + (1 - rng.uniform(0.3, 0.9)) * t
        case _:  # a glass on a stem
            radii = np.array([0.7, 0.75, 0.2, 0.15, 0.15, 0.6, 0.9, 1]) * rng.uniform(0.8, 1.2, 8)
    return np.asarray(np.clip(radii / np.max(np.abs(radii)), 0.12, 1))


def vessel(rng: Rng) -> Shape:
    """A hollow or solid vessel with what may belong to it: handle, lid, band, plant."""
    shape = Shape([Palette.ANY, Palette.ANY, Palette.ANY, Palette.LEAF])
    height, radius, radii = rng.uniform(0.4, 1.4), rng.uniform(0.3, 0.8), profile(rng)
    wall = rng.uniform(0.03, 0.08) if rng.random() < 0.65 else 0.0
    shape.add(Kind.LATHE, (0, height, 0), (radius, height, radius), rounding=wall, extra=radii)
    if rng.random() < 0.3:
        tube = rng.uniform(0.04, 0.09)
        centre = (radius * radii[4], height * 1.1, 0)
        shape.add(
            Kind.TORUS,
            centre,
            (height * rng.uniform(0.3, 0.5), tube, 1),
            material=int(rng.integers(2)),
        )
    if rng.random() < 0.25:
        top = radius * radii[7]
        size = (top * 1.05, rng.uniform(0.05, 0.15), top * rng.uniform(0.6, 1))
        shape.add(Kind.CONE, (0, 2 * height, 0), size, rounding=0.02, material=1)
    if rng.random() < 0.3:
        size = (radius * 0.98, rng.uniform(0.1, 0.3) * height, radius * 0.98)
        shape.add(Kind.CONE, (0, height * rng.uniform(0.6, 1.4), 0), size, material=2)
    if rng.random() < 0.2:
        for _ in range(8):
            tip = rng.normal(0, 0.5, 3)
            tip[1] = 2 * height + rng.uniform(0.1, 1)
            if rng.random() < 0.5:
                shape.limb((0, 1.8 * height, 0), tip, 0.02, rng.uniform(0.03, 0.12), 3)
            else:
                turn = rotation(*rng.uniform(-3, 3, 3))
                shape.add(Kind.ELLIPSOID, tip, rng.uniform(0.08, 0.4, 3), turn, material=3)
    return shape


def mug(rng: Rng) -> Shape:
    """A cup with a drink and a handle, perhaps on a saucer with a spoon."""
    shape = Shape([Palette.PALE, Palette.WOOD, Palette.PALE, Palette.METAL])
    height, radius = rng.uniform(0.25, 0.7), rng.uniform(0.35, 0.65)
    base = rng.uniform(0.5, 1)
    radii = np.linspace(base, 1, 8) ** rng.uniform(0.4, 1.5)
    lift = 0.06
    shape.add(
        Kind.LATHE, (0, height + lift, 0), (radius, height, radius), rounding=0.05, extra=radii
    )
    level = lift + 2 * height * rng.uniform(0.55, 0.92)
    inner = radius * 0.93 * float(np.interp(level / (2 * height), np.linspace(0, 1, 8), radii))
    shape.add(Kind.CONE, (0, level, 0), (inner, 0.01, inner), material=1)
    ring, angle = height * rng.uniform(0.4, 0.65), rng.uniform(0, 2 * np.pi)
    turn = rotation(y=angle) @ rotation(z=-np.pi / 2)
    reach = radius * radii[4]
    at = (reach * np.cos(angle), height + lift, -reach * np.sin(angle))
    tube = rng.uniform(0.035, 0.08)
    shape.add(Kind.ARC, at, (ring, tube, np.pi * 0.55), turn)
    if rng.random() < 0.6:
        saucer = radius * rng.uniform(1.3, 2)
        shape.add(
            Kind.LATHE,
            (0, 0.06, 0),
            (saucer, 0.07, saucer),
            rounding=0.04,
            material=2,
            extra=np.linspace(0.45, 1, 8),
        )
        if rng.random() < 0.6:
            side = saucer * 0.75
            shape.limb((-side * 0.6, 0.15, side), (side * 0.8, 0.18, side * 0.7), 0.03, 0.025, 3)
            shape.add(Kind.ELLIPSOID, (side, 0.18, side * 0.65), (0.13, 0.03, 0.08), material=3)
    return shape


def bottle(rng: Rng) -> Shape:
    """A bottle, a jar or a can with cap and label."""
    shape = Shape([Palette.GLASS if rng.random() < 0.4 else Palette.ANY, Palette.ANY, Palette.PALE])
    height, radius = rng.uniform(0.5, 1.3), rng.uniform(0.18, 0.5)
    neck, shoulder = rng.uniform(0.25, 1), int(rng.integers(4, 7))
    radii = np.ones(8)
    radii[shoulder:] = neck
    radii[shoulder - 1] = (1 + neck) / 2
    shape.add(Kind.LATHE, (0, height, 0), (radius, height, radius), extra=radii)
    cap = radius * neck * 1.1
    shape.add(
        Kind.CONE,
        (0, 2 * height, 0),
        (cap, rng.uniform(0.04, 0.12), cap),
        rounding=0.02,
        material=1,
    )
    if rng.random() < 0.7:
        label = rng.uniform(0.15, 0.4) * height
        size = (radius * 1.02, label, radius * 1.02)
        shape.add(Kind.CONE, (0, height * rng.uniform(0.5, 0.9), 0), size, material=2)
    return shape
