"""Quadrupeds, birds, fish and insects."""

import numpy as np

from ..shapes import Kind, Operation, Palette, Shape, rotation

Rng = np.random.Generator
SIDES = (-1, 1)
SMOOTH = Operation.SMOOTH_UNION


def quadruped(rng: Rng) -> Shape:
    """A dog, a cow, a horse, a cat…: standing, with head, ears, legs and tail."""
    shape = Shape([Palette.FUR, Palette.FUR, Palette.FUR, Palette.ANY, Palette.RUBBER])
    length, girth = rng.uniform(0.35, 0.8), rng.uniform(0.2, 0.4)
    height, blend = rng.uniform(0.2, 0.9), 0.12
    back = height + girth
    shape.limb(
        (-length, back, 0),
        (length, back + rng.uniform(-0.1, 0.2), 0),
        girth,
        girth * rng.uniform(0.8, 1.1),
        0,
        blend,
    )
    head = np.array(
        [length + rng.uniform(0.15, 0.5), back + rng.uniform(0.1, 0.9), rng.uniform(-0.2, 0.2)]
    )
    shape.limb((length, height + girth * 1.2, 0), head, girth * 0.6, girth * 0.45, 0, blend)
    skull = (girth * rng.uniform(0.6, 1), girth * 0.55, girth * 0.5)
    material = 1 if rng.random() < 0.3 else 0
    shape.add(
        Kind.ELLIPSOID, head + (0.1, 0, 0), skull, operation=SMOOTH, blend=0.05, material=material
    )
    muzzle = head + (0.1 + skull[0] * 0.8, -girth * 0.12, 0)
    size = (girth * 0.4, girth * 0.25, girth * 0.25)
    shape.add(Kind.ELLIPSOID, muzzle, size, operation=SMOOTH, blend=0.04, material=material)
    shape.add(Kind.ELLIPSOID, muzzle + (size[0], 0.02, 0), np.full(3, girth * 0.1), material=4)
    for side in SIDES:
        ear = head + (0, girth * 0.6, side * girth * 0.35)
        size = (girth * 0.15, girth * rng.uniform(0.3, 0.7), girth * 0.15)
        shape.add(Kind.ELLIPSOID, ear, size, rotation(side * 0.4), material=1)
        eye = head + (0.1 + skull[0] * 0.6, girth * 0.2, side * girth * 0.33)
        shape.add(Kind.ELLIPSOID, eye, np.full(3, girth * 0.08), material=4)
        for x in (-length, length):
            hip = (x, height + girth * 0.6, side * girth * 0.5)
            foot = (x + rng.uniform(-0.25, 0.25), 0, side * girth * 0.6)
            sock = 2 if rng.random() < 0.2 else 0
            shape.limb(hip, foot, girth * 0.4, girth * 0.22, sock, 0.08)
    if rng.random() < 0.85:
        tip = (
            -length - girth - rng.uniform(0.1, 0.6),
            back + rng.uniform(-0.4, 0.8),
            rng.uniform(-0.3, 0.3),
        )
        shape.limb((-length - girth * 0.6, back * 1.05, 0), tip, girth * 0.25, girth * 0.1, 0, 0.05)
    if rng.random() < 0.15:  # saddle or blanket
        size = (length * 0.5, girth * 0.5, girth * 0.9)
        shape.add(Kind.ELLIPSOID, (0, back + girth * 0.6, 0), size, material=3)
    return shape


def resting(rng: Rng) -> Shape:
    """A cat or a dog that sits or lies."""
    shape = Shape([Palette.FUR, Palette.FUR, Palette.PALE, Palette.RUBBER])
    girth, sitting = rng.uniform(0.3, 0.45), rng.random() < 0.5
    hip, chest = np.array([-0.4, girth, 0]), np.array([0.3, girth * 0.9, 0])
    if sitting:
        chest = np.array([0.15, girth + rng.uniform(0.4, 0.8), 0])
    shape.limb(hip, chest, girth, girth * 0.75, 0, 0.15)
    head = chest + (rng.uniform(0.15, 0.35), rng.uniform(0.3, 0.5), rng.uniform(-0.2, 0.2))
    skull = girth * rng.uniform(0.6, 0.8)
    shape.limb(chest, head, girth * 0.5, skull * 0.7, 0, 0.1)
    shape.add(Kind.ELLIPSOID, head, (skull, skull * 0.9, skull), operation=SMOOTH, blend=0.06)
    nose = head + (skull * 0.9, -skull * 0.2, 0)
    size = (skull * 0.4, skull * 0.3, skull * 0.4)
    shape.add(Kind.ELLIPSOID, nose, size, operation=SMOOTH, blend=0.05, material=2)
    shape.add(Kind.ELLIPSOID, nose + (skull * 0.38, 0.03, 0), np.full(3, skull * 0.1), material=3)
    for side in SIDES:
        ear = head + (-skull * 0.1, skull * 0.85, side * skull * 0.55)
        size = (skull * 0.12, skull * 0.45, skull * 0.3)
        shape.add(Kind.ELLIPSOID, ear, size, rotation(-side * 0.3), material=1)
        eye = head + (skull * 0.8, skull * 0.2, side * skull * 0.42)
        shape.add(Kind.ELLIPSOID, eye, np.full(3, skull * 0.14), material=3)
        paw = np.array([chest[0] + rng.uniform(0.15, 0.45), 0.08, side * girth * 0.45])
        shape.limb(chest + (0.05, -0.1, side * girth * 0.5), paw, 0.14, 0.11, 0, 0.05)
        shape.add(Kind.ELLIPSOID, hip + (0.1, -girth * 0.3, side * girth * 0.8), (0.3, 0.3, 0.16))
    tail = hip + (-girth - 0.2, rng.uniform(-0.2, 0.3), rng.uniform(-0.5, 0.5))
    shape.limb(hip - (girth * 0.7, 0, 0), tail, 0.1, 0.06, 0, 0.05)
    return shape


def bird(rng: Rng) -> Shape:
    """A bird that sits, or spreads its wings."""
    shape = Shape([Palette.FUR, Palette.ANY, Palette.WOOD, Palette.PALE])
    girth, length = rng.uniform(0.2, 0.35), rng.uniform(0.3, 0.55)
    pitch = rng.uniform(0, 0.9)
    body = np.array([0, 0.45 + girth, 0])
    shape.add(Kind.ELLIPSOID, body, (length, girth, girth), rotation(z=pitch))
    head = body + (length * np.cos(pitch), length * np.sin(pitch) + rng.uniform(0.05, 0.5), 0)
    shape.limb(body + (length * 0.5, 0.1, 0), head, girth * 0.5, girth * 0.4, 0, 0.1)
    shape.add(Kind.ELLIPSOID, head, np.full(3, girth * rng.uniform(0.5, 0.8)), material=1)
    beak = head + (girth * rng.uniform(0.9, 1.8), -0.05, 0)
    shape.limb(head, beak, girth * 0.25, 0.02, 2)
    spread = rng.random() < 0.4
    for side in SIDES:
        if spread:
            wing = (length * 0.45, 0.03, rng.uniform(0.4, 0.7))
            at = body + (0, girth * 0.4, side * (girth + wing[2] * 0.7))
            turn = rotation(x=-side * rng.uniform(-0.2, 0.7), y=side * 0.2)
            shape.add(Kind.ELLIPSOID, at, wing, turn, material=1)
        else:
            at = body + (-0.05, 0, side * girth * 0.85)
            size = (length * 0.8, girth * 0.6, girth * 0.25)
            shape.add(Kind.ELLIPSOID, at, size, rotation(z=pitch), material=1)
        leg = body + (0, -girth * 0.6, side * girth * 0.4)
        foot = np.array([leg[0] + 0.03, 0, leg[2]])
        shape.limb(leg, foot, 0.035, 0.025, 2)
        shape.limb(foot, foot + (0.13, 0.01, 0), 0.025, 0.02, 2)
    tail = body - (length * np.cos(pitch) * 1.3, length * np.sin(pitch), 0)
    size = (length * 0.6, 0.03, girth * 0.5)
    shape.add(Kind.ELLIPSOID, tail, size, rotation(z=pitch * 0.7), material=1)
    return shape


def fish(rng: Rng) -> Shape:
    """A fish with fins."""
    shape = Shape([Palette.ANY, Palette.ANY, Palette.RUBBER])
    length, height, width = rng.uniform(0.6, 1), rng.uniform(0.2, 0.45), rng.uniform(0.1, 0.22)
    shape.add(Kind.ELLIPSOID, (0, 0, 0), (length, height, width))
    fin = rng.uniform(0.15, 0.35)
    for up in SIDES:
        size = (fin * 1.2, fin * 0.6, 0.025)
        at = (-length - fin * 0.4, up * fin * 0.5, 0)
        shape.add(Kind.ELLIPSOID, at, size, rotation(z=-up * 0.7), material=1)
        shape.add(
            Kind.ELLIPSOID, (0, up * height, 0), (length * 0.35, fin * 0.7, 0.025), material=1
        )
        at = (length * 0.65, height * 0.2, up * width * 0.65)
        shape.add(Kind.ELLIPSOID, at, np.full(3, 0.06), material=2)
        at = (length * 0.2, -height * 0.3, up * (width + 0.05))
        shape.add(Kind.ELLIPSOID, at, (0.18, 0.08, 0.02), rotation(y=up * 0.6), material=1)
    return shape


def insect(rng: Rng) -> Shape:
    """A beetle, a spider or a crab: a body on many thin legs."""
    shape = Shape([Palette.ANY, Palette.ANY, Palette.RUBBER])
    length, width = rng.uniform(0.3, 0.6), rng.uniform(0.2, 0.4)
    body = np.array([0, rng.uniform(0.2, 0.45), 0])
    shape.add(Kind.ELLIPSOID, body, (length, rng.uniform(0.15, 0.25), width))
    shape.add(Kind.ELLIPSOID, body + (length, 0, 0), np.full(3, width * 0.5), material=1)
    reach = rng.uniform(0.4, 0.9)
    for side in SIDES:
        for i in range(int(rng.integers(3, 5))):
            x = (i - 1.3) * length * 0.45
            knee = body + (x * 1.5, rng.uniform(0.05, 0.3), side * (width + reach * 0.5))
            foot = np.array([x * 2, 0, side * (width + reach)])
            shape.limb(body + (x, 0, side * width * 0.6), knee, 0.04, 0.03, 2)
            shape.limb(knee, foot, 0.03, 0.02, 2)
    return shape


def winged(rng: Rng) -> Shape:
    """A dragonfly, a butterfly, a bee or a bat, its wings spread."""
    shape = Shape([Palette.ANY, Palette.ANY, Palette.RUBBER, Palette.ANY])
    girth, abdomen = rng.uniform(0.06, 0.2), rng.uniform(0.2, 0.8)
    lift = rng.uniform(0.1, 0.3)
    chest = np.array([0, lift + girth, 0])
    shape.add(Kind.ELLIPSOID, chest, (girth * 1.4, girth, girth))
    droop = rng.uniform(-0.2, 0.15)
    tail = chest - (abdomen, abdomen * droop, 0)
    shape.limb(chest, tail, girth * rng.uniform(0.4, 0.9), girth * rng.uniform(0.2, 0.8), 0, 0.03)
    head = chest + (girth * 1.7, 0, 0)
    shape.add(Kind.ELLIPSOID, head, np.full(3, girth * rng.uniform(0.5, 0.9)), material=2)
    raised = rng.uniform(-0.2, 0.9) if rng.random() < 0.5 else rng.normal(0, 0.1)
    reach, swept = rng.uniform(0.35, 0.8), rng.uniform(-0.3, 0.6)
    broad = reach * rng.uniform(0.15, 0.7)
    kind = (Kind.ELLIPSOID, Kind.ELLIPSOID, Kind.BOX)[rng.integers(3)]
    for pair in range(int(rng.integers(1, 3))):
        angle = swept - pair * rng.uniform(0.5, 1.1)
        out = reach * (1 - 0.25 * pair)
        for side in SIDES:
            turn = rotation(x=-side * raised, y=side * angle)
            at = chest + turn @ (0, 0, side * (out + girth * 0.5))
            shape.add(kind, at, (broad, 0.015, out), turn, rounding=0.01, material=1 + 2 * pair)
    return shape


def flat_bodied(rng: Rng) -> Shape:
    """A starfish, a ray, a turtle or a lizard: low and broad, on the ground."""
    shape = Shape([Palette.ANY, Palette.ANY, Palette.RUBBER])
    height = rng.uniform(0.05, 0.2)
    length, width = rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.8)
    shape.add(Kind.ELLIPSOID, (0, height, 0), (length, height, width))
    if rng.random() < 0.3:
        arms = int(rng.integers(4, 8))
        reach = max(length, width) * rng.uniform(1.2, 2)
        for angle in np.arange(arms) * 2 * np.pi / arms:
            tip = (reach * np.cos(angle), height * 0.4, reach * np.sin(angle))
            shape.limb((0, height, 0), tip, height, height * 0.4, 0, 0.05)
        return shape
    head = np.array([length * rng.uniform(1, 1.4), height, 0])
    shape.limb((length * 0.6, height, 0), head, height * 0.8, height * 0.7, 1, 0.04)
    tail = (-length * rng.uniform(1.2, 2.6), height * 0.5, rng.uniform(-0.3, 0.3))
    shape.limb((-length * 0.8, height, 0), tail, height * 0.7, height * 0.15, 0, 0.04)
    for side in SIDES:
        for x in (length * rng.uniform(0.4, 0.7), -length * rng.uniform(0.3, 0.6)):
            foot = (x + rng.uniform(-0.1, 0.2), 0.04, side * (width + rng.uniform(0.1, 0.3)))
            shape.limb((x, height * 0.7, side * width * 0.5), foot, height * 0.5, 0.04, 1, 0.03)
    return shape
