"""Rotations as quaternions, which gaussians and poses are written with."""

import numpy as np

from gen3d_inference.engines.interface import Floats


def quaternions(matrices: Floats) -> Floats:
    """Turn rotation matrices (n, 3, 3) into unit quaternions (n, 4), wxyz.

    Each of the four products ``4·q·q_k`` can be read off the matrix; the one with the largest
    ``q_k`` is the accurate one (Shepperd's method).
    """
    m = np.moveaxis(matrices, 0, -1)
    xx, yy, zz = m[0, 0], m[1, 1], m[2, 2]
    wx, wy, wz = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    xy, xz, yz = m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1]
    products = np.array(
        [
            [1 + xx + yy + zz, wx, wy, wz],
            [wx, 1 + xx - yy - zz, xy, xz],
            [wy, xy, 1 - xx + yy - zz, yz],
            [wz, xz, yz, 1 - xx - yy + zz],
        ]
    )
    largest = np.argmax(np.diagonal(products), axis=1)
    chosen = products[largest, :, np.arange(products.shape[-1])]
    unit: Floats = chosen / np.linalg.norm(chosen, axis=1, keepdims=True)
    return unit.astype(np.float32)
