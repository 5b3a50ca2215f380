"""Turns, moves and uniform scales of space, and the frames of the project by them."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from gen3d.contract import Pose

Doubles = npt.NDArray[np.float64]

UNEVEN = 0.1
"""By so much an object's scale may differ from axis to axis, and its mean is taken: SAM 3D Objects
says three numbers for what it means to be one."""


@dataclass(frozen=True)
class Similarity:
    """``p' = scale · R p + translation``, of columns.

    Attributes
    ----------
    rotation : scipy.spatial.transform.Rotation
    translation : (3,) float64
    scale : float
    """

    rotation: Rotation
    translation: Doubles
    scale: float = 1.0

    @classmethod
    def turn(cls, axis: str, degrees: float) -> "Similarity":
        """Turn about x, y or z, counter-clockwise as seen from its positive end."""
        return cls(Rotation.from_euler(axis, degrees, degrees=True), np.zeros(3))

    @classmethod
    def move(cls, by: Doubles) -> "Similarity":
        """Move by so much."""
        return cls(Rotation.identity(), by)

    @classmethod
    def size(cls, scale: float) -> "Similarity":
        """Scale about the origin."""
        return cls(Rotation.identity(), np.zeros(3), scale)

    @classmethod
    def of(cls, pose: Pose) -> "Similarity":
        """An engine's pose, from the canonical frame to the camera that it names.

        Raises
        ------
        ValueError
            It is no similarity: what is not finite, or scaled differently from axis to axis.
        """
        scales = np.array(pose.scale)
        values = np.concatenate([scales, pose.translation, pose.rotation])
        if not np.isfinite(values).all() or scales.min() <= 0 or not any(pose.rotation):
            raise ValueError("The pose is no turn, size and place.")
        if scales.max() > (1 + UNEVEN) * scales.min():
            raise ValueError("The pose's scale differs from axis to axis.")
        w, x, y, z = pose.rotation
        rotation = Rotation.from_quat([x, y, z, w])
        return cls(rotation, np.array(pose.translation), float(np.exp(np.log(scales).mean())))

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """The rotation, xyzw as glTF has it, w not negative."""
        x, y, z, w = self.rotation.as_quat(canonical=True).tolist()
        return x, y, z, w

    @property
    def inverse(self) -> "Similarity":
        """The way back."""
        back = self.rotation.inv()
        return Similarity(back, -back.apply(self.translation) / self.scale, 1 / self.scale)

    def then(self, other: "Similarity") -> "Similarity":
        """Go on: what comes of this one is moved by the other."""
        return Similarity(
            other.rotation * self.rotation,
            other(self.translation[None])[0],
            other.scale * self.scale,
        )

    def __call__(self, points: npt.NDArray[np.floating]) -> Doubles:
        """Move points, (n, 3)."""
        moved: Doubles = self.scale * self.rotation.apply(points) + self.translation
        return moved


FROM_CAMERA = Similarity.turn("y", 180)
"""PyTorch3D's camera (x left, y up, z forward) to glTF's (x right, y up, looking along -z)."""

Y_UP = Similarity.turn("x", -90)
"""The canonical frame (Z up) to glTF's (Y up): (x, y, z) → (x, z, -y)."""

FACING = Similarity.turn("x", -90).then(Similarity.turn("y", 180))
"""The canonical frame to PyTorch3D's camera, of an object whose front (-Y) faces it, upright."""


def between(first: Doubles, second: Doubles) -> Similarity:
    """The smallest turn that takes one direction to another; half a turn has no smallest."""
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    axis = np.cross(first, second)
    length = float(np.linalg.norm(axis))
    if length < 1e-12:
        axis, length = np.cross(first, np.roll(first, 1) + 0.5), 1.0
        axis /= np.linalg.norm(axis)
        angle = 0.0 if float(first @ second) > 0 else math.pi
    else:
        axis, angle = axis / length, math.atan2(length, float(first @ second))
    return Similarity(Rotation.from_rotvec(angle * axis), np.zeros(3))
