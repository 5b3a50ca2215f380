"""The cloud that the files beside it hold; ``python source.py FILE`` writes it as a 3DGS PLY."""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

COUNT = 240
NAMES = (
    *("x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2"),
    *(f"f_rest_{k}" for k in range(9)),
    *("opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
)


def source() -> npt.NDArray[np.float32]:
    """Turned, uneven gaussians on an ellipsoid, with harmonics of the first degree: (n, 23)."""
    lot = np.random.default_rng(21)
    rows = lot.random((COUNT, len(NAMES))) * 2 - 1
    points = rows[:, :3] / np.linalg.norm(rows[:, :3], axis=1, keepdims=True)
    rows[:, :3] = points * (0.5, 0.4, 0.3) + (0.2, -0.1, 0.4)
    rows[:, 6:15] *= 0.2
    rows[:, 15] = 2 + 2 * rows[:, 15]  # opacity .5 to .98
    rows[:, 16:19] = np.log(0.02) + rows[:, 16:19]
    rows[:, 19:] /= np.linalg.norm(rows[:, 19:], axis=1, keepdims=True)
    return rows.astype(np.float32)


def write(path: Path) -> None:
    """Write a binary PLY with the properties that the reference code writes, but normals."""
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {COUNT}"]
    header += [f"property float {name}" for name in NAMES]
    path.write_bytes("\n".join([*header, "end_header\n"]).encode() + source().tobytes())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
