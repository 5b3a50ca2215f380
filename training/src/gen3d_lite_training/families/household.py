"""Boxes, screens, books, bags, shoes, tools, appliances, instruments and other things of a home."""

import numpy as np

from ..shapes import LYING, SIDEWAYS, Kind, Operation, Palette, Shape, rotation

Rng = np.random.Generator
SIDES = (-1, 1)


def carton(rng: Rng) -> Shape:
    """A closed box, an open crate, or a board as thin as a card."""
    shape = Shape([Palette.ANY, Palette.ANY, Palette.WOOD])
    half = rng.uniform(0.2, 1, 3)
    style = rng.integers(3)
    if style == 2:
        half[int(rng.integers(3))] = rng.uniform(0.012, 0.06)
    shape.add(Kind.BOX, (0, half[1], 0), half, rounding=rng.uniform(0, 0.12))
    if style == 0 and rng.random() < 0.7:
        band = half * rng.uniform(0.2, 1.01, 3)
        band[int(rng.integers(3))] = half[0] * 1.01
        shape.add(Kind.BOX, (0, half[1], 0), band, rounding=0.01, material=1)
    elif style == 1:
        wall = rng.uniform(0.03, 0.1)
        inside = np.maximum(half - (wall, 0, wall), 0.05)
        at = (0, half[1] + wall * 2, 0)
        shape.add(Kind.BOX, at, inside, operation=Operation.SUBTRACTION)
        for _ in range(rng.integers(0, 5)):
            size = rng.uniform(0.1, 0.3, 3)
            at = (rng.uniform(-0.5, 0.5) * half[0], half[1], rng.uniform(-0.5, 0.5) * half[2])
            shape.add(Kind.ELLIPSOID, at, size, material=1)
    return shape


def screen(rng: Rng) -> Shape:
    """A monitor, a laptop, a phone, a sign or a picture in its frame."""
    shape = Shape([Palette.RUBBER, Palette.GLASS, Palette.METAL, Palette.ANY])
    w, h = rng.uniform(0.4, 1.2), rng.uniform(0.35, 0.9)
    turn, depth = rotation(rng.uniform(-0.4, 0.1)), rng.uniform(0.02, 0.06)
    style = rng.integers(4)
    if style >= 2:
        shape.palettes = [Palette.ANY, Palette.ANY, Palette.METAL, Palette.PALE]
    shape.add(Kind.BOX, (0, h, 0), (w, h, depth), turn, rounding=0.03)
    shape.add(Kind.BOX, (0, h, 0.02), (w * 0.93, h * 0.9, depth), turn, material=1)
    if style == 0:
        shape.add(Kind.BOX, (0, -0.02, 0), (0.1, 0.3, 0.06), material=2)
        shape.add(Kind.BOX, (0, -0.25, 0.05), (0.4, 0.03, 0.25), rounding=0.02, material=2)
    elif style == 1:
        shape.add(Kind.BOX, (0, 0, h * 0.8), (w, 0.04, h * 0.8), rounding=0.03)
        shape.add(Kind.BOX, (0, 0.03, h * 0.7), (w * 0.85, 0.025, h * 0.4), material=2)
        shape.add(Kind.BOX, (0, 0.03, h * 1.4), (w * 0.25, 0.02, h * 0.15), material=3)
    elif style == 2:
        for side in SIDES if rng.random() < 0.5 else (0,):
            shape.limb((side * w * 0.7, -1, -0.04), (side * w * 0.7, h, -0.04), 0.04, 0.04, 2)
        for _ in range(rng.integers(0, 5)):
            at = (rng.uniform(-0.6, 0.6) * w, h * rng.uniform(0.5, 1.5), 0.04)
            size = (rng.uniform(0.1, 0.4) * w, 0.05, depth)
            shape.add(Kind.BOX, at, size, turn, material=3)
    return shape


def books(rng: Rng) -> Shape:
    """A pile of books, or one that lies open."""
    shape = Shape([Palette.ANY, Palette.PALE, Palette.ANY, Palette.ANY])
    if rng.random() < 0.2:
        for side in SIDES:
            turn = rotation(z=side * rng.uniform(0.05, 0.3))
            shape.add(Kind.BOX, (side * 0.4, 0.1, 0), (0.4, 0.02, 0.55), turn)
            shape.add(Kind.BOX, (side * 0.38, 0.15, 0), (0.37, 0.04, 0.5), turn, material=1)
        return shape
    y = 0.0
    for i in range(rng.integers(1, 6)):
        h, w, d = rng.uniform(0.03, 0.12), rng.uniform(0.4, 0.6), rng.uniform(0.3, 0.45)
        turn = rotation(y=rng.uniform(-0.4, 0.4))
        cover = 0 if i % 2 else 2 + i % 2
        shape.add(Kind.BOX, (0, y + h, 0), (w, h, d), turn, rounding=0.01, material=cover)
        pages = (w * 0.98, h * 0.75, d * 1.01)
        shape.add(Kind.BOX, (0.02, y + h, 0), pages, turn, material=1)
        y += 2 * h
    return shape


def bag(rng: Rng) -> Shape:
    """A suitcase, a backpack or a handbag."""
    shape = Shape([Palette.CLOTH, Palette.CLOTH, Palette.METAL, Palette.RUBBER])
    w, h, d = rng.uniform(0.3, 0.65), rng.uniform(0.35, 0.6), rng.uniform(0.12, 0.3)
    shape.add(Kind.BOX, (0, h, 0), (w, h, d), rounding=rng.uniform(0.05, 0.22))
    at = (0, h * 0.65, d)
    shape.add(Kind.BOX, at, (w * 0.75, h * 0.4, d * 0.4), rounding=0.08, material=1)
    ring = w * rng.uniform(0.3, 0.7)
    handle = rng.uniform(0.02, 0.045)
    shape.add(Kind.ARC, (0, 2 * h, 0), (ring, handle, 1.6), material=2)
    if rng.random() < 0.4:
        for side in SIDES:
            at = (side * w * 0.7, 0, 0)
            shape.add(Kind.CONE, at, (0.08, 0.05, 0.08), SIDEWAYS, material=3)
    return shape


def shoe(rng: Rng) -> Shape:
    """A shoe or a boot, alone or in a pair."""
    shape = Shape([Palette.ANY, Palette.RUBBER, Palette.PALE])
    length, shaft = rng.uniform(0.45, 0.6), rng.uniform(0.15, 0.7)
    for side in SIDES if rng.random() < 0.5 else (0,):
        z = side * 0.27
        shift = side * rng.uniform(0, 0.1)
        sole = (length, 0.06, 0.19)
        shape.add(Kind.SUPERELLIPSOID, (shift, 0.06, z), sole, rounding=3.0, material=1)
        toe, heel = (shift + length * 0.55, 0.18, z), (shift - length * 0.6, 0.2, z)
        shape.limb(heel, toe, 0.17, 0.13, 0, 0.08)
        top = (shift - length * 0.55, 0.25 + shaft, z)
        shape.limb(heel, top, 0.17, 0.17, 0, 0.1)
        tongue = (shift + 0.05, 0.33, z)
        shape.add(Kind.ELLIPSOID, tongue, (0.2, 0.06, 0.09), rotation(z=-0.5), material=2)
    return shape


def tool(rng: Rng) -> Shape:
    """Something with a handle: hammer, spoon, spade, brush, pan, sword, racket."""
    shape = Shape([Palette.WOOD, Palette.METAL, Palette.ANY])
    reach, grip = rng.uniform(0.5, 1.1), rng.uniform(0.025, 0.08)
    shape.limb((0, 0, 0), (0, reach, 0), grip, grip * rng.uniform(0.6, 1.2))
    head = np.array([0, reach, 0])
    match rng.integers(5):
        case 0:
            size = (rng.uniform(0.15, 0.35), rng.uniform(0.05, 0.12), rng.uniform(0.05, 0.12))
            shape.add(Kind.BOX, head, size, rounding=0.02, material=1)
        case 1:
            size = (rng.uniform(0.1, 0.25), rng.uniform(0.12, 0.35), rng.uniform(0.02, 0.05))
            shape.add(Kind.ELLIPSOID, head + (0, size[1], 0), size, material=1)
        case 2:
            radius = rng.uniform(0.25, 0.5)
            at = head + (0, radius, 0)
            shape.add(Kind.CONE, at, (radius * 0.85, 0.07, radius), LYING, material=1)
            inside = (radius * 0.85, 0.07, radius * 0.9)
            shape.add(Kind.CONE, at + (0, 0, 0.04), inside, LYING, operation=Operation.SUBTRACTION)
        case 3:
            size = (rng.uniform(0.05, 0.15), rng.uniform(0.3, 0.7), 0.02)
            extra = [rng.uniform(0.1, 1.2)]
            shape.add(Kind.WEDGE, head + (0, size[1], 0), size, material=1, extra=extra)
            shape.add(Kind.BOX, head, (size[0] * 2, 0.04, 0.05), rounding=0.02, material=2)
        case _:
            radius = rng.uniform(0.2, 0.35)
            shape.add(Kind.TORUS, head + (0, radius, 0), (radius, 0.03, 1), material=1)
            shape.add(Kind.CONE, head + (0, radius, 0), (radius, 0.012, radius), LYING, material=2)
    return shape


def appliance(rng: Rng) -> Shape:
    """A machine in a box: washing machine, oven, radio, camera, toaster."""
    shape = Shape([Palette.PALE, Palette.GLASS, Palette.METAL, Palette.ANY, Palette.RUBBER])
    if rng.random() < 0.5:
        shape.palettes[0] = Palette.ANY
    w, h, d = rng.uniform(0.4, 0.9), rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.6)
    shape.add(Kind.BOX, (0, h, 0), (w, h, d), rounding=rng.uniform(0.02, 0.15))
    radius = min(w, h) * rng.uniform(0.4, 0.75)
    x = rng.uniform(-0.25, 0.25) * w
    if rng.random() < 0.6:  # a round door or a lens
        depth = rng.uniform(0.03, 0.3)
        at = (x, h * 0.95, d)
        shape.add(Kind.CONE, at, (radius, depth, radius), LYING, material=2)
        at = (x, h * 0.95, d + 0.02)
        shape.add(Kind.CONE, at, (radius * 0.8, depth, radius * 0.8), LYING, material=1)
    else:
        at = (x, h * 0.9, d)
        shape.add(Kind.BOX, at, (w * 0.6, h * 0.55, 0.03), rounding=0.02, material=1)
        shape.limb(
            (x - w * 0.5, h * 1.55, d + 0.06), (x + w * 0.5, h * 1.55, d + 0.06), 0.03, 0.03, 2
        )
    for i in range(rng.integers(1, 5)):
        at = (-w * 0.75 + i * w * 0.4, 2 * h * 0.9, d)
        shape.add(Kind.CONE, at, (0.05, 0.04, 0.05), LYING, material=3 + i % 2)
    if rng.random() < 0.3:
        shape.add(Kind.BOX, (0, 2 * h, 0), (w * 0.4, 0.08, d * 0.5), rounding=0.03, material=4)
    return shape


def instrument(rng: Rng) -> Shape:
    """A guitar, a violin or a banjo."""
    shape = Shape([Palette.WOOD, Palette.WOOD, Palette.RUBBER, Palette.METAL])
    waist, depth, neck = rng.uniform(0.25, 0.45), rng.uniform(0.04, 0.14), rng.uniform(0.6, 1.1)
    shape.add(Kind.CONE, (0, 0.4, 0), (waist * 1.15, depth, waist * 1.15), LYING, rounding=0.02)
    shape.add(Kind.CONE, (0, 0.85, 0), (waist * 0.85, depth, waist * 0.85), LYING, rounding=0.02)
    shape.add(Kind.CONE, (0, 0.65, 0.02), (waist * 0.35, depth, waist * 0.35), LYING, material=2)
    shape.add(Kind.BOX, (0, 0.9 + neck / 2, depth), (0.05, neck / 2 + 0.2, 0.03), material=1)
    shape.add(Kind.BOX, (0, 1 + neck, depth * 0.8), (0.08, 0.13, 0.03), material=1)
    shape.add(Kind.BOX, (0, 0.3, depth), (0.12, 0.025, 0.03), material=2)
    for side in SIDES:
        shape.limb(
            (side * 0.02, 0.3, depth + 0.04), (side * 0.02, 1 + neck, depth + 0.04), 0.008, 0.008, 3
        )
    return shape


def wearable(rng: Rng) -> Shape:
    """Spectacles, headphones, a hat, a watch or a ring."""
    shape = Shape([Palette.RUBBER, Palette.GLASS, Palette.ANY, Palette.METAL])
    match rng.integers(4):
        case 0:
            rim, tube = rng.uniform(0.25, 0.35), rng.uniform(0.02, 0.05)
            for side in SIDES:
                at = (side * 0.42, 0, 0)
                shape.add(Kind.TORUS, at, (rim, tube, 1))
                shape.add(Kind.CONE, at, (rim, 0.012, rim), LYING, material=1)
                shape.limb((side * (0.42 + rim), 0.05, 0), (side * 0.75, 0, -0.9), tube, tube)
            shape.limb((-0.15, 0.05, 0), (0.15, 0.05, 0), tube, tube)
        case 1:
            ring = rng.uniform(0.5, 0.7)
            band = rng.uniform(0.03, 0.07)
            shape.add(Kind.ARC, (0, 0, 0), (ring, band, 1.6))
            cup = rng.uniform(0.15, 0.25)
            for side in SIDES:
                at = (side * ring, -0.1, 0)
                shape.add(Kind.CONE, at, (cup, 0.1, cup), SIDEWAYS, rounding=0.05, material=2)
                at = (side * (ring - 0.08), -0.1, 0)
                shape.add(Kind.CONE, at, (cup * 0.85, 0.07, cup * 0.85), SIDEWAYS, rounding=0.05)
        case 2:
            crown, brim = rng.uniform(0.35, 0.45), rng.uniform(0.4, 0.9)
            if rng.random() < 0.5:
                shape.add(Kind.DOME, (0, 0, 0), (crown, crown, crown), rounding=0.03, material=2)
            else:
                shape.add(
                    Kind.CONE, (0, 0.25, 0), (crown, 0.3, crown * 0.85), rounding=0.04, material=2
                )
            shape.add(Kind.CONE, (0, 0.02, 0), (brim, 0.025, brim), rounding=0.01, material=2)
            shape.add(Kind.CONE, (0, 0.1, 0), (crown * 1.03, 0.06, crown * 1.02))
        case _:
            shape.add(Kind.TORUS, (0, 0, 0), (0.5, rng.uniform(0.05, 0.12), 1), LYING, material=3)
            at = (0, 0, 0.5)
            shape.add(Kind.CONE, at, (0.25, 0.07, 0.25), LYING, rounding=0.02, material=3)
            shape.add(Kind.CONE, (0, 0, 0.56), (0.21, 0.03, 0.21), LYING, material=1)
    return shape


def tent(rng: Rng) -> Shape:
    """A tent: a ridge, a pyramid, a tunnel or a dome, at times with an awning."""
    shape = Shape([Palette.CLOTH, Palette.CLOTH, Palette.WOOD, Palette.ANY])
    width, height, depth = rng.uniform(0.4, 0.9), rng.uniform(0.3, 0.7), rng.uniform(0.4, 1)
    style = rng.integers(4)
    if style == 0:
        shape.add(Kind.WEDGE, (0, height, 0), (width, height, depth), extra=[0.03])
    elif style == 1:
        for angle in (0, np.pi / 2):
            half = (width, height, width * 0.98)
            shape.add(Kind.WEDGE, (0, height, 0), half, rotation(y=angle), extra=[0.03])
        depth = width
    elif style == 2:
        shape.add(Kind.CAPSULE, (0, 0, 0), (width, depth, width * rng.uniform(0.6, 1)), LYING)
        ground = (2 * width, width, 2 * depth + 2)
        shape.add(Kind.BOX, (0, -width, 0), ground, operation=Operation.SUBTRACTION)
        height = width / 2
    else:
        shape.add(Kind.DOME, (0, 0, 0), (width, height * 1.4, depth))
        height *= 0.7
    door = (width * 0.25, height * rng.uniform(0.4, 0.7), 0.02)
    shape.add(Kind.WEDGE, (0, door[1], depth), door, material=3, extra=[0.3])
    if rng.random() < 0.4:
        roof = (width * 0.8, 0.015, depth * 0.3)
        at = np.array([0, height * rng.uniform(1, 1.4), depth * 1.3])
        shape.add(Kind.BOX, at, roof, rotation(x=rng.uniform(-0.1, 0.4)), material=1)
        for side in SIDES:
            foot = (side * roof[0], 0, depth * 1.55)
            shape.limb(foot, at + (side * roof[0], 0, roof[2]), 0.02, 0.02, 2)
    return shape


def disc(rng: Rng) -> Shape:
    """A coin, a medal, a button, a plaque or a clock: round and flat, lying or upright."""
    struck = Palette.METAL if rng.random() < 0.6 else Palette.ANY
    shape = Shape([struck, Palette.METAL, Palette.ANY])
    thick, upright = rng.uniform(0.02, 0.1), rng.random() < 0.4
    turn = LYING if upright else rotation()
    middle = np.array([0, 1.0 if upright else thick, 0])
    axis = turn @ np.array([0, 1.0, 0])
    edge = rng.uniform(0, thick * 0.8)
    shape.add(Kind.CONE, middle, (1, thick, 1), turn, rounding=edge)
    if rng.random() < 0.5:
        rim = rng.uniform(0.8, 0.95)
        at = middle + axis * thick
        size = (rim, rng.uniform(0.01, 0.3) * thick, rim)
        shape.add(Kind.CONE, at, size, turn, operation=Operation.SUBTRACTION)
    for _ in range(rng.integers(0, 7)):  # what is struck on it
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.6)
        where = turn @ np.array([np.cos(angle) * reach, thick, np.sin(angle) * reach])
        size = (rng.uniform(0.05, 0.35), thick * rng.uniform(0.2, 0.8), rng.uniform(0.05, 0.35))
        lean = turn @ rotation(y=rng.uniform(0, np.pi))
        material = int(rng.integers(2))
        shape.add(Kind.ELLIPSOID, middle + where, size, lean, material=material)
    return shape
