"""From the crop's camera to the canonical frame: [-0.5, 0.5]³, Z up, the front facing -Y.

The object is set upright by the network's guess of how far the camera looks down on it. The camera
is taken to be held level.
"""

import numpy as np

from gen3d.contract import Pose
from gen3d.ply import SH_C0
from gen3d_inference.engines.interface import Gaussians
from gen3d_inference.engines.lite.crop import Crop
from gen3d_inference.engines.lite.shell import Disks
from gen3d_inference.engines.quaternions import quaternions

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
