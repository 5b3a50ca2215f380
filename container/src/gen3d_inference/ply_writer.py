"""Writes gaussians as the PLY that 3D Gaussian Splatting's tools read."""

import numpy as np

from gen3d.errors import ReconstructionFailed
from gen3d.ply import PROPERTIES
from gen3d_inference.engines.interface import Gaussians

_FAR = 10.0
"""Sides of the frame. Strays, of which good splats have some, are left to the mesh step."""


def pack(gaussians: Gaussians) -> bytes:
    """Lay gaussians out as a PLY file, with no harmonics but the first.

    Raises
    ------
    ReconstructionFailed
        No gaussians, or one that is not finite; an opacity's logit may be ±inf. Or most of them lie
        far out of the object's frame or are far larger.
    """
    n = len(gaussians)
    if n == 0:
        raise ReconstructionFailed(
            "No gaussians came out of this mask. Cover more of the object and try again."
        )
    rows = np.zeros((n, len(PROPERTIES)), "<f4")
    rows[:, 0:3] = gaussians.xyz
    rows[:, 6:9] = gaussians.f_dc
    rows[:, 9] = gaussians.opacity
    rows[:, 10:13] = gaussians.scale
    rows[:, 13:17] = gaussians.rotation
    finite = np.isfinite(rows)
    finite[:, 9] |= np.isinf(rows[:, 9])
    if not finite.all():
        raise ReconstructionFailed(
            f"{(~finite.all(1)).sum()} of {n} gaussians are no numbers. "
            "Try again with another seed or mask."
        )
    with np.errstate(over="ignore"):
        huge = (np.abs(gaussians.xyz) > _FAR).any(1) | (np.exp(gaussians.scale) > _FAR).any(1)
    if huge.mean() > 0.5:
        raise ReconstructionFailed(
            f"{huge.sum()} of {n} gaussians lie far out of the object's frame or are far larger "
            "than it. Try again with another seed or mask."
        )
    header = "".join(
        [
            "ply\nformat binary_little_endian 1.0\n",
            f"element vertex {n}\n",
            *(f"property float {name}\n" for name in PROPERTIES),
            "end_header\n",
        ]
    )
    return header.encode() + rows.tobytes()
