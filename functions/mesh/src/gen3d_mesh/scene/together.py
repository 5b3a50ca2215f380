"""The gaussians of several objects as one cloud."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from gen3d.errors import InvalidSplat
from gen3d.ply import PROPERTIES
from gen3d_mesh.scene.similarity import Similarity
from gen3d_mesh.splat import Floats

_ROW = 4 * len(PROPERTIES)


@dataclass(frozen=True)
class Gaussians:
    """Gaussians as a PLY holds them.

    Attributes
    ----------
    places : (n, 3) float32
    colors : (n, 3) float32
        Harmonics of degree 0.
    opacities : (n,) float32
        Logits.
    scales : (n, 3) float32
        Natural logarithms of standard deviations.
    rotations : (n, 4) float32
        wxyz, unit.
    """

    places: Floats
    colors: Floats
    opacities: Floats
    scales: Floats
    rotations: Floats

    @classmethod
    def read(cls, data: bytes) -> "Gaussians":
        """Read the PLY that the inference image writes, of degree 0, but for what is not finite.

        Raises
        ------
        InvalidSplat
            It is none, or of another layout.
        """
        head, end, body = data.partition(b"end_header\n")
        told = [line.split()[-1] for line in head.decode("ascii", "replace").splitlines()[3:]]
        if not end or tuple(told) != PROPERTIES or len(body) % _ROW:
            raise InvalidSplat(
                "The object's splat has another layout than the engines write. Make it again."
            )
        rows = np.frombuffer(body, "<f4").reshape(-1, len(PROPERTIES))
        rows = rows[np.isfinite(rows[:, :13]).all(axis=1)]
        rotations = rows[:, 13:17]
        length = np.linalg.norm(rotations, axis=1, keepdims=True)
        usable = np.isfinite(length) & (length > 0)
        unit = np.where(usable, rotations / np.where(usable, length, 1), (1, 0, 0, 0))
        return cls(rows[:, 0:3], rows[:, 6:9], rows[:, 9], rows[:, 10:13], unit.astype(np.float32))

    def moved(self, move: Similarity) -> "Gaussians":
        """Moved, turned and scaled: each gaussian with all that it is."""
        turned = move.rotation * Rotation.from_quat(self.rotations[:, [1, 2, 3, 0]])
        return Gaussians(
            move(self.places).astype(np.float32),
            self.colors,
            self.opacities,
            (self.scales + np.log(move.scale)).astype(np.float32),
            turned.as_quat()[:, [3, 0, 1, 2]].astype(np.float32),
        )

    def ply(self) -> bytes:
        """The 3DGS PLY of them."""
        rows = np.zeros((len(self.places), len(PROPERTIES)), "<f4")
        rows[:, 0:3], rows[:, 6:9], rows[:, 9] = self.places, self.colors, self.opacities
        rows[:, 10:13], rows[:, 13:17] = self.scales, self.rotations
        header = [
            "ply",
            "format binary_little_endian 1.0",
            f"element vertex {len(rows)}",
            *(f"property float {name}" for name in PROPERTIES),
            "end_header\n",
        ]
        return "\n".join(header).encode() + rows.tobytes()


def joined(parts: Sequence[Gaussians]) -> Gaussians:
    """One cloud of several."""
    return Gaussians(
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.colors for part in parts]),
        np.concatenate([part.opacities for part in parts]),
        np.concatenate([part.scales for part in parts]),
        np.concatenate([part.rotations for part in parts]),
    )
