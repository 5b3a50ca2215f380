"""From the crop's camera to the canonical frame: [-0.5, 0.5]³, Z up, the front facing -Y.

The object is set upright by the network's guess of how far the camera looks down on it. The camera
is taken to be held level.
"""

import numpy as np

from gen3d.contract import Pose
from gen3d.ply import SH_C0
from gen3d_inference.engines.interface import Floats, Gaussians
from gen3d_inference.engines.lite.crop import Crop
from gen3d_inference.engines.lite.shell import Disks

OPACITY_LOGIT = 4.0
"""An opacity of 0.98."""

_PYTORCH3D = np.diag([-1, -1, 1])
"""Takes right, down, forward to PyTorch3D's left, up, forward."""


def canonical(disks: Disks, crop: Crop, elevation: float) -> tuple[Gaussians, Pose]:
    """Turn, centre and scale disks; the pose undoes it.

    The pose's unit is half the photo's longer side at the object's distance, so that a point
    (x, y, z) of the camera falls on ``-f · x / z`` and ``-f · y / z`` right and down of the photo's
    centre, in the same unit, with ``f`` of `crop.FIELD_OF_VIEW`: nearly, where a crop that is a
    large part of the photo was seen from `crop.DISTANCES`' least.

    Parameters
    ----------
    elevation : float
        Angle by which the camera looks down, radians.
    """
    sine, cosine = np.sin(elevation), np.cos(elevation)
    # Takes the camera's right, down, forward to the canonical X, Y, Z.
    upright = np.array([[1, 0, 0], [0, -sine, cosine], [0, -cosine, -sine]])
    turned = disks.centre @ upright.T
    low, high = turned.min(0), turned.max(0)
    centre, longest = (low + high) / 2, float((high - low).max())
    middle = centre @ upright
    axes = np.stack([disks.along, np.cross(disks.normal, disks.along), disks.normal], 2)
    gaussians = Gaussians(
        xyz=((turned - centre) / longest).astype(np.float32),
        f_dc=((disks.colour - 0.5) / SH_C0).astype(np.float32),
        opacity=np.full(len(disks.centre), OPACITY_LOGIT, np.float32),
        scale=np.log(disks.size / longest).astype(np.float32),
        rotation=quaternions(upright @ axes),
    )
    unit = crop.photo_scale
    x, y, z = (float(value) * unit for value in middle)
    aside = float(middle[2]) / crop.distance
    right, down = (value * aside for value in crop.offset)
    w, i, j, k = map(float, quaternions((_PYTORCH3D @ upright.T)[None])[0])
    pose = Pose(
        rotation=(w, i, j, k),
        translation=(-(x + right), -(y + down), z),
        scale=(longest * unit,) * 3,
    )
    return gaussians, pose


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
