"""Write SPZ, Niantic's packed gaussians (github.com/nianticlabs/spz), version 3.

Version 3 is the newest that Spark reads. The libraries that write it either keep 12 bits behind the
point, which moves a gaussian by a quarter of its thickness, or take seconds to compile in a fresh
process.
"""

import gzip
import math
import struct

import numpy as np
import numpy.typing as npt

from gen3d_mesh.scene.together import Gaussians
from gen3d_mesh.splat import Floats

MAGIC, VERSION = 0x5053474E, 3

FRACTION = 16
"""Bits behind the point of a place in what is about 1 large: steps of 1.5e-5. What is smaller has
more, and fewer has what 24 bits would not reach."""

_PLACE_BITS = 23
"""Of a place, without its sign."""

_COLOR = 0.15
"""What a harmonic is multiplied by, so that colours beyond white and black have room."""


def pack(gaussians: Gaussians) -> bytes:
    """Pack gaussians, Y up as SPZ is: a sixth of a PLY.

    Parameters
    ----------
    gaussians : Gaussians
        Right, up, back: glTF's frame.
    """
    bits = _fraction(gaussians.places)
    fixed = np.round(gaussians.places.astype(np.float64) * 2**bits).astype("<i4")
    opacities = 1 / (1 + np.exp(-np.clip(gaussians.opacities, -30, 30)))
    body = [
        struct.pack("<IIIBBBB", MAGIC, VERSION, len(fixed), 0, bits, 0, 0),
        np.ascontiguousarray(fixed[..., None].view(np.uint8).reshape(-1, 3, 4)[..., :3]).tobytes(),
        _bytes(opacities * 255),
        _bytes(gaussians.colors * (_COLOR * 255) + 127.5),
        _bytes((gaussians.scales + 10) * 16),
        _rotations(gaussians.rotations),
    ]
    return gzip.compress(b"".join(body), 6, mtime=0)


def _bytes(values: npt.NDArray[np.floating]) -> bytes:
    return np.clip(np.round(values), 0, 255).astype(np.uint8).tobytes()


def _fraction(places: Floats) -> int:
    most = float(np.abs(places).max(initial=0))
    whole = math.ceil(math.log2(most + 1)) if most > 0 else 0
    small = max(0, -math.frexp(most)[1]) if most > 0 else 0
    return max(0, min(FRACTION + small, _PLACE_BITS - whole))


def _rotations(wxyz: Floats) -> bytes:
    """The three smaller components, each a sign and nine bits, and which one is missing."""
    q = wxyz[:, [1, 2, 3, 0]].astype(np.float64)
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    largest = np.abs(q).argmax(axis=1)
    rows = np.arange(len(q))
    q *= np.where(q[rows, largest] < 0, -1, 1)[:, None]
    steps = np.minimum(np.round(np.abs(q) * (511 * math.sqrt(2))), 511).astype(np.uint32)
    words = steps | (q < 0).astype(np.uint32) << 9
    packed: npt.NDArray[np.uint32] = largest.astype(np.uint32)
    for axis in range(4):
        packed = np.where(axis == largest, packed, packed << np.uint32(10) | words[:, axis])
    return bytes(packed.astype("<u4").tobytes())
