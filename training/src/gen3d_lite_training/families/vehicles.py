"""Cars, vans, lorries, buses, bicycles, boats, helicopters, drones and rockets."""

import numpy as np

from ..shapes import LYING, Kind, Operation, Palette, Shape, rotation

Rng = np.random.Generator
BODY, CABIN, WINDOW, TYRE, TRIM, LIGHT = range(6)
PALETTES = [
    Palette.ANY,
    Palette.ANY,
    Palette.GLASS,
    Palette.RUBBER,
    Palette.METAL,
    Palette.PALE,
]
SIDES = (-1, 1)


def _wheels(shape: Shape, radius: float, xs: tuple[float, ...], half_width: float) -> None:
    for x in xs:
        for side in SIDES:
            at = (x, radius, side * half_width)
            shape.add(Kind.CONE, at, (radius, 0.08, radius), LYING, rounding=0.02, material=TYRE)
            hub = (x, radius, side * (half_width + 0.05))
            shape.add(Kind.CONE, hub, (radius * 0.55, 0.05, radius * 0.55), LYING, material=TRIM)


def car(rng: Rng) -> Shape:
    """A saloon, an estate or a pick-up: trapezoid cabin, windows all around, wheels with hubs."""
    shape = Shape(PALETTES)
    if rng.random() < 0.6:
        shape.palettes[CABIN] = Palette.GLASS
    length, width, half = rng.uniform(0.9, 1.4), rng.uniform(0.4, 0.55), rng.uniform(0.16, 0.28)
    wheel, rounding = rng.uniform(0.17, 0.26), rng.uniform(0.04, 0.15)
    deck = wheel + 2 * half
    shape.add(Kind.BOX, (0, wheel + half, 0), (length, half, width), rounding=rounding)
    cabin, height = length * rng.uniform(0.4, 0.68), rng.uniform(0.15, 0.26)
    x, narrow = rng.uniform(-0.3, 0.1), rng.uniform(0.55, 0.95)
    size, extra = (cabin, height, width * 0.92), [narrow]
    shape.add(
        Kind.WEDGE, (x, deck + height * 0.9, 0), size, rounding=0.05, material=CABIN, extra=extra
    )
    roof = (cabin * narrow * 0.98, 0.03, width * 0.9)
    shape.add(Kind.BOX, (x, deck + height * 1.9, 0), roof, rounding=0.03)
    for i in SIDES:
        pane = (cabin * narrow * 0.42, height * 0.65, width * 0.95)
        at = (x + i * cabin * narrow * 0.47, deck + height, 0)
        shape.add(Kind.BOX, at, pane, rounding=0.02, material=WINDOW)
        lamp = (length * 0.97, wheel + half * 1.2, i * width * 0.7)
        shape.add(Kind.ELLIPSOID, lamp, (0.06, 0.07, 0.1), material=LIGHT)
    bumper = (length * 1.01, half * 0.3, width * 0.95)
    shape.add(Kind.BOX, (0, wheel + half * 0.4, 0), bumper, rounding=0.03, material=TRIM)
    _wheels(
        shape, wheel, (-length * rng.uniform(0.55, 0.66), length * rng.uniform(0.55, 0.66)), width
    )
    return shape


def van(rng: Rng) -> Shape:
    """A van, a lorry or a bus."""
    shape = Shape(PALETTES)
    length, width, wheel = rng.uniform(0.9, 1.7), rng.uniform(0.4, 0.6), rng.uniform(0.16, 0.24)
    height, rounding = rng.uniform(0.35, 0.6), rng.uniform(0.02, 0.12)
    floor = wheel * 1.1
    if rng.random() < 0.6:  # van or bus in one body
        at = (0, floor + height, 0)
        shape.add(Kind.BOX, at, (length, height, width), rounding=rounding)
        band = (length * rng.uniform(0.6, 0.9), height * rng.uniform(0.25, 0.4), width * 1.01)
        at = (length * 0.02, floor + height * 1.25, 0)
        shape.add(Kind.BOX, at, band, rounding=0.02, material=WINDOW)
        for i in range(rng.integers(0, 4)):
            x = (i - 1.5) * length * 0.4
            post = (0.03, height * 0.42, width * 1.02)
            shape.add(Kind.BOX, (x, floor + height * 1.25, 0), post, material=BODY)
        screen = (0.03, height * 0.4, width * 0.85)
        shape.add(Kind.BOX, (length, floor + height * 1.25, 0), screen, material=WINDOW)
    else:  # lorry: cab and load
        cab = rng.uniform(0.25, 0.4)
        at = (length - cab, floor + height * 0.85, 0)
        shape.add(Kind.BOX, at, (cab, height * 0.85, width), rounding=rounding, material=CABIN)
        at = (length - cab * 0.8, floor + height * 1.15, 0)
        shape.add(Kind.BOX, at, (cab * 0.85, height * 0.3, width * 1.01), material=WINDOW)
        load = (length - cab * 1.1, height * rng.uniform(0.3, 1.1), width)
        shape.add(Kind.BOX, (-cab * 1.1, floor + 0.08 + load[1], 0), load, rounding=0.02)
        if rng.random() < 0.3:
            hollow = (load[0] * 0.93, load[1], width * 0.9)
            at = (-cab * 1.1, floor + 0.16 + load[1], 0)
            shape.add(Kind.BOX, at, hollow, operation=Operation.SUBTRACTION)
        shape.add(Kind.BOX, (0, floor, 0), (length * 0.95, 0.06, width * 0.8), material=TRIM)
    for side in SIDES:
        lamp = (length, floor + height * 0.35, side * width * 0.7)
        shape.add(Kind.ELLIPSOID, lamp, (0.04, 0.06, 0.08), material=LIGHT)
    _wheels(shape, wheel, (-length * rng.uniform(0.5, 0.7), length * rng.uniform(0.55, 0.7)), width)
    return shape


def bicycle(rng: Rng) -> Shape:
    """A bicycle or a motorcycle."""
    shape = Shape([Palette.ANY, Palette.RUBBER, Palette.METAL, Palette.RUBBER])
    wheel, tube = rng.uniform(0.35, 0.48), rng.uniform(0.025, 0.05)
    rear, front = np.array([-0.6, wheel, 0]), np.array([0.6, wheel, 0])
    crank, seat = np.array([-0.1, wheel * 0.9, 0]), np.array([-0.25, wheel * 2.2, 0])
    head = np.array([0.42, wheel * 2.2, 0])
    for hub in (rear, front):
        tyre = rng.uniform(0.03, 0.07)
        shape.add(Kind.TORUS, hub, (wheel - tyre, tyre, 1), material=1)
        for angle in rng.uniform(0, np.pi) + np.arange(2) * np.pi / 2:
            spoke = np.array([np.cos(angle), np.sin(angle), 0]) * wheel * 0.9
            shape.limb(hub - spoke, hub + spoke, 0.015, 0.015, 2)
    for a, b in ((rear, crank), (rear, seat), (crank, seat), (crank, head), (seat, head)):
        shape.limb(a, b, tube, tube, 0)
    shape.limb(front, head + (-0.04, 0.15, 0), tube, tube, 0)
    shape.limb(head + (0, 0.15, -0.25), head + (0, 0.15, 0.25), tube, tube, 3)
    shape.add(Kind.ELLIPSOID, seat + (0, 0.08, 0), (0.16, 0.05, 0.08), material=3)
    if rng.random() < 0.35:  # engine and tank
        size = (0.25, 0.18, 0.13)
        shape.add(Kind.BOX, (0, wheel * 1.1, 0), size, rounding=0.05, material=2)
        shape.add(Kind.ELLIPSOID, (0.12, wheel * 2.1, 0), (0.28, 0.13, 0.13), material=0)
    return shape


def boat(rng: Rng) -> Shape:
    """A boat, with a cabin or with sails."""
    shape = Shape([Palette.ANY, Palette.PALE, Palette.GLASS, Palette.WOOD])
    length, width, depth = rng.uniform(0.8, 1.3), rng.uniform(0.25, 0.45), rng.uniform(0.15, 0.35)
    upside_down = rotation(x=np.pi)
    shape.add(Kind.DOME, (0, depth, 0), (length, depth, width), upside_down, rounding=0.06)
    deck = (length * 0.93, 0.03, width * 0.9)
    shape.add(Kind.SUPERELLIPSOID, (0, depth * 0.8, 0), deck, rounding=2.2, material=3)
    if rng.random() < 0.5:
        at, size = (-0.15, depth + 0.15, 0), (length * 0.4, 0.18, width * 0.6)
        shape.add(Kind.BOX, at, size, rounding=0.03, material=1)
        shape.add(
            Kind.BOX, (-0.15, depth + 0.2, 0), (length * 0.38, 0.07, width * 0.62), material=2
        )
    else:
        mast = rng.uniform(1, 1.8)
        shape.limb((0.05, depth, 0), (0.05, depth + mast, 0), 0.03, 0.02, 3)
        for side, width in ((-1, rng.uniform(0.4, 0.6)), (1, rng.uniform(0.25, 0.45))):
            at = (side * width * 0.55, depth + mast * 0.5, 0)
            half = (width, mast * 0.42, 0.02)
            turn = rotation(y=rng.uniform(-0.4, 0.4))
            shape.add(Kind.WEDGE, at, half, turn, material=1, extra=[0.06])
    return shape


def rotorcraft(rng: Rng) -> Shape:
    """A helicopter with its tail boom, or a drone on four arms."""
    shape = Shape(PALETTES)
    if rng.random() < 0.5:
        length, width = rng.uniform(0.3, 0.6), rng.uniform(0.16, 0.3)
        height = width * rng.uniform(0.9, 1.3)
        middle = np.array([0, height + rng.uniform(0.12, 0.3), 0])
        shape.add(Kind.ELLIPSOID, middle, (length, height, width), material=BODY)
        nose = middle + (length * 0.5, height * 0.15, 0)
        shape.add(
            Kind.ELLIPSOID, nose, (length * 0.5, height * 0.75, width * 0.93), material=WINDOW
        )
        tail = middle - (length * rng.uniform(1.8, 2.8), -height * 0.3, 0)
        shape.limb(middle, tail, height * 0.4, 0.04, BODY)
        fin = tail + (0, 0.12, 0)
        shape.add(Kind.BOX, fin, (0.08, 0.15, 0.02), rotation(z=0.4), material=TRIM)
        hubs, blade, blades = [middle + (0, height * 1.3, 0)], length * rng.uniform(1.2, 2.2), 2
        shape.limb(middle, hubs[0], 0.06, 0.05, TRIM)
        for side in SIDES:
            skid = np.array([0, 0.03, side * width])
            shape.limb(skid - (length, 0, 0), skid + (length, 0, 0), 0.03, 0.03, TRIM)
            shape.limb(skid, middle, 0.03, 0.03, TRIM)
    else:
        core = rng.uniform(0.12, 0.3, 3) * (1, 0.4, 1)
        middle = np.array([0, core[1] + rng.uniform(0.1, 0.25), 0])
        shape.add(Kind.BOX, middle, core, rounding=0.04, material=BODY)
        reach, blade, blades = rng.uniform(0.4, 0.7), rng.uniform(0.2, 0.35), 1
        corners = [np.array([x, 0.05, z]) * (reach, 1, reach) for x in SIDES for z in SIDES]
        hubs = [middle + corner for corner in corners]
        for hub in hubs:
            shape.limb(middle, hub, 0.05, 0.04, CABIN)
    turn = rng.uniform(0, np.pi)
    for hub in hubs:
        for k in range(blades):
            at, across = hub + (0, 0.05, 0), rotation(y=turn + k * np.pi / 2)
            shape.add(Kind.BOX, at, (blade, 0.012, 0.04), across, material=TYRE)
    return shape


def rocket(rng: Rng) -> Shape:
    """A slim upright rocket: stages, a pointed nose, fins, at times boosters and a glider."""
    shape = Shape([Palette.PALE, Palette.ANY, Palette.METAL, Palette.PALE])
    radius, height = rng.uniform(0.07, 0.2), rng.uniform(0.8, 1.3)
    foot = radius * rng.uniform(0.5, 1.5)
    shape.add(Kind.CONE, (0, foot + height, 0), (radius, height, radius))
    upper = radius * rng.uniform(0.5, 1)
    tip = rng.uniform(0.1, 0.4)
    top = foot + 2 * height
    if upper < 0.9 * radius:
        stage = rng.uniform(0.15, 0.5)
        shape.add(Kind.CONE, (0, top + stage, 0), (upper, stage, upper), material=1)
        top += 2 * stage
    shape.add(Kind.CONE, (0, top + tip, 0), (upper, tip, upper * rng.uniform(0, 0.3)), material=1)
    shape.add(Kind.CONE, (0, foot / 2, 0), (radius * 0.8, foot / 2, radius * 0.4), material=2)
    turn, count = rng.uniform(0, 2 * np.pi), int(rng.integers(2, 5))
    angles = turn + 2 * np.pi * np.arange(count) / count
    style = rng.integers(3)
    for angle in angles:
        out = np.array([np.cos(angle), 0, -np.sin(angle)])
        if style == 0:  # fins
            fin = np.array([radius * rng.uniform(0.8, 1.6), height * 0.18, 0.012])
            at = out * (radius + fin[0] * 0.8) + (0, foot + fin[1], 0)
            shape.add(Kind.BOX, at, fin, rotation(y=angle), material=1)
        elif style == 1:  # boosters
            thin, short = radius * rng.uniform(0.3, 0.7), height * rng.uniform(0.4, 0.9)
            at = out * (radius + thin) + (0, foot + short, 0)
            shape.add(Kind.CONE, at, (thin, short, thin), material=3)
            nose = at + (0, short + 2 * thin, 0)
            shape.add(Kind.CONE, nose, (thin, 2 * thin, 0.01), material=3)
    if style == 2 and rng.random() < 0.5:  # a glider on its back
        body = height * rng.uniform(0.5, 0.8)
        at = np.array([0, foot + body, radius * 1.9])
        shape.add(Kind.ELLIPSOID, at, (radius * 0.7, body, radius * 0.7), material=3)
        wing = (radius * rng.uniform(2, 3.5), body * 0.35, 0.02)
        shape.add(Kind.WEDGE, at - (0, body * 0.5, 0), wing, material=3, extra=[0.3])
    return shape
