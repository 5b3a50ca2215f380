"""Objects as unions of signed-distance primitives, packed for the tracer.

Object frame: y up, the ground at y = 0 while a family builds; `Shape.packed` then moves the
bounding box's centre to the origin and scales to the unit sphere.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .layout import MAX_MATERIALS, MAX_PRIMITIVES, OBJECT, PRIMITIVE

Floats = NDArray[np.float64]


class Kind(IntEnum):
    """Primitives; what `size` means is said beside each, y is the axis of revolution."""

    BOX = 0  # half width, half height, half depth
    CONE = 1  # lower radius, half height, upper radius
    CAPSULE = 2  # lower radius, half length, upper radius
    TORUS = 3  # ring radius, tube radius, – (around z)
    ELLIPSOID = 4  # semi-axes
    LATHE = 5  # radius, half height, –; extra: eight relative radii, bottom to top
    WAVE = 6  # radius, half height, –; extra: amplitude, count, phase, twice
    SUPERELLIPSOID = 7  # semi-axes; rounding: exponent
    DOME = 8  # semi-axes of the upper half ellipsoid
    ARC = 9  # ring radius, tube radius, half angle (around z, about +y)
    WEDGE = 10  # lower half width, half height, half depth; extra: upper over lower width


class Operation(IntEnum):
    """How a primitive joins those before it."""

    UNION = 0
    SMOOTH_UNION = 1
    SUBTRACTION = 2


class Palette(IntEnum):
    """What a material slot usually looks like; materials.py knows the colours."""

    ANY = 0
    SKIN = 1
    HAIR = 2
    GLASS = 3
    RUBBER = 4
    LEAF = 5
    WOOD = 6
    METAL = 7
    PALE = 8
    FUR = 9
    STONE = 10
    CLOTH = 11


def rotation(x: float = 0, y: float = 0, z: float = 0) -> Floats:
    """Rotation matrix Ry · Rx · Rz, angles in radians."""
    cx, sx, cy, sy, cz, sz = np.cos(x), np.sin(x), np.cos(y), np.sin(y), np.cos(z), np.sin(z)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z)


LYING = rotation(x=np.pi / 2)
"""Turns a primitive's axis from y to z: wheels."""
SIDEWAYS = rotation(z=np.pi / 2)
"""Turns a primitive's axis from y to x."""


class Shape:
    """An object under construction; primitives beyond the tracer's limit are dropped.

    Parameters
    ----------
    palettes
        What the material slots usually look like, first slot first.
    """

    def __init__(self, palettes: Sequence[Palette] = ()) -> None:
        self.palettes = list(palettes)
        self.relief = 0.0
        self.relief_frequency = 3.0
        self._primitives: list[NDArray[np.float32]] = []
        self._rotations: list[Floats] = []

    def add(
        self,
        kind: Kind,
        centre: ArrayLike,
        size: ArrayLike,
        turn: Floats | None = None,
        *,
        rounding: float = 0.0,
        operation: Operation = Operation.UNION,
        blend: float = 0.0,
        material: int = 0,
        extra: ArrayLike = (),
    ) -> None:
        """Add a primitive; `turn` takes its frame to the object's."""
        if len(self._primitives) == MAX_PRIMITIVES:
            return
        turn = np.eye(3) if turn is None else turn
        row = np.zeros(PRIMITIVE.size, np.float32)
        row[PRIMITIVE["kind"]] = kind
        row[PRIMITIVE["centre"]] = centre
        row[PRIMITIVE["rotation"]] = turn.T.reshape(-1)
        row[PRIMITIVE["size"]] = np.maximum(np.asarray(size, float), 1e-3)
        row[PRIMITIVE["rounding"]] = rounding
        row[PRIMITIVE["operation"]] = operation
        row[PRIMITIVE["blend"]] = blend
        row[PRIMITIVE["material"]] = material % MAX_MATERIALS
        values = np.asarray(extra, np.float32)
        row[PRIMITIVE["extra"]][: len(values)] = values
        self._primitives.append(row)
        self._rotations.append(turn)

    def limb(
        self,
        start: ArrayLike,
        end: ArrayLike,
        start_radius: float,
        end_radius: float,
        material: int = 0,
        blend: float = 0.0,
    ) -> None:
        """Add a tapered capsule between two points, blended into what is there when `blend` > 0."""
        a, b = np.asarray(start, float), np.asarray(end, float) + (0, 1e-3, 0)
        axis = b - a
        length = float(np.linalg.norm(axis)) + 1e-6
        axis = axis / length
        across = np.array([1.0, 0, 0]) if abs(axis[0]) < 0.9 else np.array([0, 0, 1.0])
        x = np.cross(across, axis)
        x /= np.linalg.norm(x)
        self.add(
            Kind.CAPSULE,
            (a + b) / 2,
            (start_radius, length / 2, end_radius),
            np.stack([x, axis, np.cross(x, axis)], 1),
            operation=Operation.SMOOTH_UNION if blend > 0 else Operation.UNION,
            blend=blend,
            material=material,
        )

    def packed(self) -> NDArray[np.float32]:
        """The object in the unit sphere, f32 [OBJECT.size]."""
        solids = [
            (row, turn)
            for row, turn in zip(self._primitives, self._rotations, strict=True)
            if row[PRIMITIVE.at("operation")] != Operation.SUBTRACTION
        ]
        halves = [_half_box(row) for row, _ in solids]
        centres = [row[PRIMITIVE["centre"]] for row, _ in solids]
        reach = [np.abs(turn) @ half for (_, turn), half in zip(solids, halves, strict=True)]
        low = np.min([c - r for c, r in zip(centres, reach, strict=True)], axis=0)
        high = np.max([c + r for c, r in zip(centres, reach, strict=True)], axis=0)
        middle, extent = (low + high) / 2, (high - low) / 2
        swell = max((row[PRIMITIVE.at("blend")] for row, _ in solids), default=0.0) / 4
        radius = (
            self.relief
            + swell
            + max(
                _farthest(row, turn, half, middle)
                for (row, turn), half in zip(solids, halves, strict=True)
            )
        )
        packed = np.zeros(OBJECT.size, np.float32)
        for index, row in enumerate(self._primitives):
            row = row.copy()
            row[PRIMITIVE["centre"]] = (row[PRIMITIVE["centre"]] - middle) / radius
            kind = row[PRIMITIVE.at("kind")]
            lengths = 2 if kind == Kind.ARC else 3  # the third is an angle
            row[PRIMITIVE["size"]][:lengths] /= radius
            if kind != Kind.SUPERELLIPSOID:
                row[PRIMITIVE["rounding"]] /= radius
            row[PRIMITIVE["blend"]] /= radius
            packed[index * PRIMITIVE.size : (index + 1) * PRIMITIVE.size] = row
        packed[OBJECT["count"]] = len(self._primitives)
        packed[OBJECT["relief"]] = self.relief / radius
        packed[OBJECT["relief_frequency"]] = self.relief_frequency * radius
        packed[OBJECT["half_extent"]] = extent / radius
        packed[OBJECT["palettes"]][: len(self.palettes)] = self.palettes
        return packed


def _half_box(row: NDArray[np.float32]) -> Floats:
    """Half the box around a primitive, in its own frame."""
    kind, extra = int(row[PRIMITIVE.at("kind")]), row[PRIMITIVE["extra"]]
    a, b, c = (float(value) for value in row[PRIMITIVE["size"]])
    match kind:
        case Kind.CONE:
            return np.array([max(a, c), b, max(a, c)])
        case Kind.CAPSULE:
            return np.array([max(a, c), b + max(a, c), max(a, c)])
        case Kind.TORUS | Kind.ARC:
            return np.array([a + b, a + b, b])
        case Kind.LATHE:
            return np.array([a * extra.max(), b, a * extra.max()])
        case Kind.WAVE:
            radius = a * (1 + abs(extra[0]) + abs(extra[3]))
            return np.array([radius, b, radius])
        case Kind.WEDGE:
            return np.array([a * max(1.0, extra[0]), b, c])
        case _:
            return np.array([a, b, c])


def _farthest(row: NDArray[np.float32], turn: Floats, half: Floats, point: Floats) -> float:
    """No point of the primitive is farther from `point` than this."""
    offset = row[PRIMITIVE["centre"]] - point
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    corners = float(np.linalg.norm(offset + (signs * half) @ turn.T, axis=1).max())
    if row[PRIMITIVE.at("kind")] in (Kind.ELLIPSOID, Kind.DOME, Kind.TORUS, Kind.CAPSULE):
        return min(corners, float(np.linalg.norm(offset) + half.max()))
    return corners
