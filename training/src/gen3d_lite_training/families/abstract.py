"""Shapes of no kind: blobs, solids cut from solids, stacks, bars, letters, sheets."""

import numpy as np
from numpy.typing import NDArray

from ..shapes import Kind, Operation, Shape, rotation
from .vessels import profile

Rng = np.random.Generator


def _any_turn(rng: Rng) -> NDArray[np.float64]:
    return rotation(*rng.uniform(-np.pi, np.pi, 3))


def blob(rng: Rng) -> Shape:
    """Ellipsoids melted into each other."""
    shape, centre = Shape(), np.zeros(3)
    for _ in range(rng.integers(2, 9)):
        material = int(rng.integers(3)) if rng.random() < 0.4 else 0
        shape.add(
            Kind.ELLIPSOID,
            centre,
            rng.uniform(0.15, 0.6, 3),
            _any_turn(rng),
            operation=Operation.SMOOTH_UNION,
            blend=rng.uniform(0.05, 0.3),
            material=material,
        )
        centre = centre + rng.normal(0, 0.35, 3)
    if rng.random() < 0.4:
        shape.relief, shape.relief_frequency = rng.uniform(0.02, 0.08), rng.uniform(2, 8)
    return shape


def _any_primitive(
    shape: Shape,
    rng: Rng,
    centre: NDArray[np.float64],
    scale: float,
    operation: Operation,
    material: int,
    turn: NDArray[np.float64],
) -> None:
    kind = (
        *(Kind.BOX,) * 3,
        *(Kind.CONE,) * 2,
        Kind.CAPSULE,
        Kind.TORUS,
        Kind.ELLIPSOID,
        Kind.LATHE,
        Kind.WAVE,
        Kind.SUPERELLIPSOID,
        Kind.DOME,
        Kind.ARC,
        *(Kind.WEDGE,) * 2,
    )[rng.integers(15)]
    size, rounding = rng.uniform(0.2, 1, 3) * scale, 0.0
    extra: list[float] = []
    match kind:
        case Kind.BOX:
            rounding = rng.uniform(0, 0.6) * size.min()
        case Kind.CONE:
            rounding = rng.uniform(0, 0.3) * size.min()
        case Kind.CAPSULE:
            size[[0, 2]] *= 0.5
        case Kind.TORUS:
            size[1] = size[0] * rng.uniform(0.12, 0.45)
        case Kind.ARC:
            size[1], size[2] = size[0] * rng.uniform(0.1, 0.3), rng.uniform(0.5, 2.6)
        case Kind.LATHE:
            extra, rounding = list(profile(rng)), 0.06 * scale if rng.random() < 0.5 else 0.0
        case Kind.WAVE:
            extra = [rng.uniform(0, 0.35), float(rng.integers(2, 9)), rng.uniform(0, 6)]
            extra += [rng.uniform(0, 0.2), float(rng.integers(1, 6)), rng.uniform(0, 6)]
            size[1] *= 0.5
        case Kind.SUPERELLIPSOID:
            rounding, size = rng.uniform(0.9, 6), np.maximum(size, 0.35 * scale)
        case Kind.DOME:
            rounding = 0.08 * scale if rng.random() < 0.5 else 0.0
        case Kind.WEDGE:
            extra = [rng.uniform(0.02, 1.0)]
            if rng.random() < 0.4:
                size[2] *= 0.15
    shape.add(
        kind,
        centre,
        size,
        turn,
        rounding=rounding,
        operation=operation,
        blend=rng.uniform(0.02, 0.15),
        material=material,
        extra=extra,
    )


def carved(rng: Rng) -> Shape:
    """Primitives joined, some of them melted, and others cut out: concave, CAD-like things."""
    shape = Shape()
    aligned, right_angles = rng.random() < 0.5, rng.random() < 0.5

    def turn() -> NDArray[np.float64]:
        if not aligned:
            return _any_turn(rng)
        return rotation(*(rng.integers(0, 4, 3) * np.pi / 2)) if right_angles else np.eye(3)

    for i in range(rng.integers(1, 8)):
        melted = Operation.SMOOTH_UNION if rng.random() < 0.3 else Operation.UNION
        centre = rng.normal(0, 0.4, 3) * (i > 0)
        scale = rng.uniform(0.4, 1) * (1 if i == 0 else 0.7)
        _any_primitive(shape, rng, centre, scale, melted, int(rng.integers(4)), turn())
    for _ in range(rng.integers(0, 4)):
        centre, scale = rng.normal(0, 0.4, 3), rng.uniform(0.2, 0.6)
        _any_primitive(shape, rng, centre, scale, Operation.SUBTRACTION, 0, turn())
    return shape


def mirrored(rng: Rng) -> Shape:
    """A core with parts in mirrored pairs: what many made and grown things have in common."""
    shape = Shape()
    core = rng.uniform(0.2, 0.7, 3)
    kind = (Kind.BOX, Kind.ELLIPSOID, Kind.SUPERELLIPSOID, Kind.CONE)[rng.integers(4)]
    rounding = 3.0 if kind == Kind.SUPERELLIPSOID else rng.uniform(0, 0.15)
    shape.add(kind, (0, 0, 0), core, rounding=rounding)
    for i in range(rng.integers(1, 6)):
        kind = (Kind.BOX, Kind.ELLIPSOID, Kind.CONE, Kind.WEDGE)[rng.integers(4)]
        at = rng.uniform(-1, 1, 3) * core
        at[0] = core[0] * rng.uniform(0.3, 1.3)
        size = rng.uniform(0.06, 0.5, 3)
        size[int(rng.integers(3))] *= rng.uniform(0.1, 1)
        angles = rng.normal(0, 0.5, 3) * (rng.random() < 0.6)
        for side in (1, -1):
            turn = rotation(angles[0], side * angles[1], side * angles[2])
            where = at * (side, 1, 1)
            shape.add(kind, where, size, turn, rounding=0.02, material=1 + i % 4, extra=[0.5])
    if rng.random() < 0.5:
        at = (0, core[1] * rng.uniform(0.6, 1.2), core[2] * rng.uniform(-1, 1))
        shape.add(Kind.ELLIPSOID, at, rng.uniform(0.1, 0.4, 3), material=5)
    return shape


def stack(rng: Rng) -> Shape:
    """Slabs, discs and balls on top of each other."""
    shape, y = Shape(), 0.0
    for i in range(rng.integers(2, 8)):
        h, w = rng.uniform(0.08, 0.4), rng.uniform(0.2, 0.7)
        kind = (Kind.BOX, Kind.BOX, Kind.CONE, Kind.ELLIPSOID)[rng.integers(4)]
        depth = rng.uniform(0.2, 0.7) if kind == Kind.BOX else w
        at = (rng.uniform(-0.1, 0.1), y + h, rng.uniform(-0.1, 0.1))
        turn = rotation(y=rng.uniform(0, 3))
        shape.add(kind, at, (w, h, depth), turn, rounding=rng.uniform(0, 0.06), material=i % 4)
        y += 2 * h * (0.9 if kind == Kind.ELLIPSOID else 1)
    return shape


def bars(rng: Rng) -> Shape:
    """Rods from joint to joint, with rings: frames, cranes, wire."""
    shape = Shape()
    count = int(rng.integers(3, 12))
    joints = rng.normal(0, 0.5, (count, 3)) * (1, 1, rng.uniform(0.02, 0.7))
    radius = rng.uniform(0.02, 0.1)
    for i in range(count):
        other = (i + 1) % count if rng.random() < 0.6 else int(rng.integers(count))
        material = int(rng.random() < 0.3)
        shape.limb(joints[i], joints[other], radius, radius * rng.uniform(0.7, 1.3), material)
    for i in range(rng.integers(0, 4)):
        turn = None if rng.random() < 0.5 else _any_turn(rng)
        shape.add(Kind.TORUS, joints[i], (rng.uniform(0.2, 0.4), radius * 0.6, 1), turn, material=2)
    return shape


def letter(rng: Rng) -> Shape:
    """Bars and bows in one plane, of one depth: letters, brackets, keys, handles."""
    shape = Shape()
    depth, thick = rng.uniform(0.03, 0.25), rng.uniform(0.06, 0.2)
    for i in range(rng.integers(2, 6)):
        at = (rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5), 0)
        material = 0 if rng.random() < 0.8 else 1 + i % 2
        if rng.random() < 0.65:
            turn = rotation(z=rng.integers(4) * np.pi / 4 + rng.normal(0, 0.05))
            half = (rng.uniform(0.25, 0.8), thick, depth)
            shape.add(Kind.BOX, at, half, turn, rounding=0.01, material=material)
        else:
            turn = rotation(z=rng.integers(4) * np.pi / 2)
            size = (rng.uniform(0.2, 0.5), thick, rng.uniform(1.2, 3.1))
            shape.add(Kind.ARC, at, size, turn, material=material)
    return shape


def sheets(rng: Rng) -> Shape:
    """Thin boards and discs at angles: cards, fans, kites, blades, stands."""
    shape = Shape()
    for i in range(rng.integers(1, 6)):
        half = np.array([rng.uniform(0.2, 0.9), rng.uniform(0.2, 0.9), rng.uniform(0.012, 0.04)])
        at = rng.normal(0, 0.25, 3) * (i > 0)
        turn = _any_turn(rng) if rng.random() < 0.5 else rotation(y=rng.integers(4) * np.pi / 2)
        style = rng.integers(3)
        if style == 0:
            shape.add(Kind.BOX, at, half, turn, rounding=0.01, material=i % 4)
        elif style == 1:
            shape.add(Kind.ELLIPSOID, at, half, turn, material=i % 4)
        else:
            extra = [rng.uniform(0.02, 0.9)]
            shape.add(Kind.WEDGE, at, half, turn, material=i % 4, extra=extra)
    return shape
