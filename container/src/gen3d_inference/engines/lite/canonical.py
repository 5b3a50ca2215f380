"""From the crop's camera to the canonical frame: [-0.5, 0.5]³, Z up, the front facing -Y.

The object is set upright by the network's guess of how far the camera looks down on it. The camera
is taken to be held level.
"""

import numpy as np

from gen3d.ply import SH_C0
from gen3d_inference.engines.interface import Gaussians
from gen3d_inference.engines.lite.shell import Disks
from gen3d_inference.engines.quaternions import quaternions

OPACITY_LOGIT = 4.0
"""An opacity of 0.98."""


def canonical(disks: Disks, elevation: float) -> Gaussians:
    """Turn, centre and scale disks.

    What was undone is no pose: the camera was assumed, not seen, and so was its distance.

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
    axes = np.stack([disks.along, np.cross(disks.normal, disks.along), disks.normal], 2)
    return Gaussians(
        xyz=((turned - centre) / longest).astype(np.float32),
        f_dc=((disks.colour - 0.5) / SH_C0).astype(np.float32),
        opacity=np.full(len(disks.centre), OPACITY_LOGIT, np.float32),
        scale=np.log(disks.size / longest).astype(np.float32),
        rotation=quaternions(upright @ axes),
    )
