"""Dressed people in many poses, busts, and toy figures."""

import numpy as np
from numpy.typing import NDArray

from ..shapes import Kind, Palette, Shape, rotation

Rng = np.random.Generator
SKIN, HAIR, SHIRT, TROUSERS, SHOES, EXTRA = range(6)
PALETTES = [
    Palette.SKIN,
    Palette.HAIR,
    Palette.CLOTH,
    Palette.CLOTH,
    Palette.RUBBER,
    Palette.ANY,
]
SIDES = (-1, 1)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector))


def _head(shape: Shape, rng: Rng, neck: NDArray[np.float64], radius: float) -> None:
    """A head above the neck: skull, hair or hat, perhaps a nose."""
    centre = neck + (rng.uniform(-0.04, 0.04), radius * 1.6, 0.03)
    size = (radius * 0.85, radius * 1.15, radius * 0.95)
    shape.limb(
        neck - (0, radius * 0.3, 0), neck + (0, radius, 0), radius * 0.5, radius * 0.45, SKIN
    )
    shape.add(Kind.ELLIPSOID, centre, size, material=SKIN)
    style = rng.integers(4)
    crown = centre + (0, radius * 0.35, -radius * 0.15)
    if style == 0:
        long = rng.uniform(0.9, 1.4)
        shape.add(Kind.ELLIPSOID, crown, (radius * 0.95, radius * long, radius), material=HAIR)
    elif style == 1:  # long hair behind
        shape.add(Kind.ELLIPSOID, crown, (radius * 0.95, radius, radius), material=HAIR)
        size = (radius * 0.9, radius * rng.uniform(1.2, 2), radius * 0.5)
        shape.add(Kind.ELLIPSOID, centre - (0, radius * 0.6, radius * 0.6), size, material=HAIR)
    elif style == 2:  # hat or helmet
        at = centre + (0, radius * 0.35, 0)
        shape.add(Kind.DOME, at, (radius * 1.1, radius * 1.2, radius * 1.15), material=EXTRA)
        if rng.random() < 0.6:
            brim = radius * rng.uniform(1.2, 2)
            shape.add(Kind.CONE, at, (brim, radius * 0.08, brim), material=EXTRA)
    if rng.random() < 0.5:
        nose = centre + (0, -radius * 0.1, radius * 0.95)
        shape.add(Kind.ELLIPSOID, nose, (radius * 0.14, radius * 0.2, radius * 0.2), material=SKIN)


def person(rng: Rng) -> Shape:
    """Somebody standing, walking, reaching or sitting; a skirt, a bag or bare arms at times."""
    shape = Shape(PALETTES)
    blend, head = rng.uniform(0, 0.08), rng.uniform(0.13, 0.19)
    sitting = rng.random() < 0.25
    hip = 0.55 if sitting else 1.0
    shoulder = hip + rng.uniform(0.5, 0.65)
    half_width, waist = rng.uniform(0.2, 0.3), rng.uniform(0.12, 0.21)
    lean = rng.uniform(-0.2, 0.25)
    girth = waist * rng.uniform(0.9, 1.3)
    shape.limb((0, hip, 0), (0, shoulder - 0.1, lean), waist * 1.05, girth, SHIRT, blend)
    chest = (half_width * 1.05, 0.12, 0.13)
    shape.add(Kind.ELLIPSOID, (0, shoulder + 0.05, lean), chest, blend=0.08, material=SHIRT)
    _head(shape, rng, np.array([0, shoulder + 0.12, lean]), head)
    bare_arms, bare_legs = rng.random() < 0.4, rng.random() < 0.25
    for side in SIDES:
        joint = np.array([side * half_width, shoulder, lean])
        upper = rng.normal(0, 1, 3) * (0.5, 0.4, 0.7) + (side * 0.3, -0.8, 0)
        upper = _unit(upper)
        elbow = joint + upper * 0.33
        hand = elbow + _unit(upper + rng.normal(0, 0.7, 3)) * 0.32
        shape.limb(joint, elbow, 0.085, 0.07, SHIRT, blend)
        shape.limb(elbow, hand, 0.06, 0.05, SKIN if bare_arms else SHIRT)
        shape.add(Kind.ELLIPSOID, hand, (0.06, 0.07, 0.06), material=SKIN)
        joint = np.array([side * 0.1, hip, 0])
        if sitting:
            thigh = np.array([side * 0.15, -0.1, 1.0])
        else:
            thigh = np.array([side * rng.uniform(0, 0.25), -1.0, rng.uniform(-0.5, 0.6)])
        knee = joint + _unit(thigh) * 0.47
        shin = np.array([rng.uniform(-0.1, 0.1), -1.0, -rng.uniform(0, 0.5)])
        foot = knee + _unit(shin) * 0.47
        shape.limb(joint, knee, 0.12, 0.09, TROUSERS, blend)
        shape.limb(knee, foot, 0.09, 0.06, SKIN if bare_legs else TROUSERS)
        shape.add(Kind.ELLIPSOID, foot + (0, 0, 0.06), (0.06, 0.05, 0.13), material=SHOES)
    if rng.random() < 0.25:
        size = (rng.uniform(0.2, 0.45), rng.uniform(0.2, 0.4), 0.17)
        shape.add(Kind.CONE, (0, hip - 0.15, 0), size, material=TROUSERS)
    elif rng.random() < 0.25:
        back = (0, shoulder - 0.2, lean - 0.22)
        shape.add(Kind.BOX, back, (0.18, 0.25, 0.1), rounding=0.08, material=EXTRA)
    return shape


def bust(rng: Rng) -> Shape:
    """Head and shoulders, as a portrait shows them."""
    shape = Shape(PALETTES)
    width = rng.uniform(0.4, 0.6)
    head = rng.uniform(0.22, 0.3)
    shape.add(Kind.ELLIPSOID, (0, 0.35, 0), (width, 0.3, 0.24), material=SHIRT)
    shape.limb((0, -0.3, 0), (0, 0.3, 0), width * 0.75, width * 0.6, SHIRT, 0.15)
    for side in SIDES:
        upper = (side * width * 1.1, -0.35, rng.uniform(-0.1, 0.25))
        shape.limb((side * width * 0.85, 0.3, 0), upper, 0.17, 0.14, SHIRT, 0.1)
    _head(shape, rng, np.array([0, 0.65, 0.02]), head)
    if rng.random() < 0.4:
        shape.add(Kind.TORUS, (0, 0.6, 0.02), (0.17, 0.05, 1), rotation(np.pi / 2), material=EXTRA)
    if rng.random() < 0.4:
        shape.add(Kind.BOX, (0, 0.1, 0.2), (0.12, 0.25, 0.08), rounding=0.05, material=EXTRA)
    return shape


def toy(rng: Rng) -> Shape:
    """A doll, a teddy or a robot: big head, short limbs."""
    shape = Shape([Palette.ANY, Palette.ANY, Palette.ANY, Palette.RUBBER, Palette.PALE])
    boxy = rng.random() < 0.35
    kind = Kind.BOX if boxy else Kind.ELLIPSOID
    body, head = rng.uniform(0.25, 0.4, 3), rng.uniform(0.25, 0.42)
    centre = np.array([0, 0.35 + body[1], 0])
    shape.add(kind, centre, body, rounding=0.08)
    top = centre + (0, body[1] + head * 0.75, 0)
    shape.add(
        kind, top, (head, head * 0.9, head * 0.85), rounding=0.1, material=int(rng.integers(2))
    )
    front = top + (0, 0, head * 0.82)
    for side in SIDES:
        shape.add(
            Kind.ELLIPSOID,
            front + (side * head * 0.35, head * 0.1, 0),
            np.full(3, head * 0.13),
            material=3,
        )
        if rng.random() < 0.8:
            ear = top + (side * head * 0.75, head * 0.75, 0)
            size = (head * 0.3, head * rng.uniform(0.3, 0.9), head * 0.15)
            shape.add(Kind.ELLIPSOID, ear, size, rotation(z=-side * 0.3), material=1)
        joint = centre + (side * body[0] * 0.9, body[1] * 0.5, 0)
        hand = joint + (side * 0.25, rng.uniform(-0.35, 0.3), rng.uniform(0, 0.25))
        shape.limb(joint, hand, 0.11, 0.13, 2 if rng.random() < 0.5 else 0, 0.04)
        foot = (side * 0.2, 0.08, rng.uniform(0, 0.35))
        shape.limb(centre - (-side * 0.12, body[1] * 0.7, 0), foot, 0.13, 0.15, 0, 0.04)
    if rng.random() < 0.6:
        shape.add(
            Kind.ELLIPSOID, front - (0, head * 0.25, 0), (head * 0.35, head * 0.25, 0.1), material=4
        )
    return shape
