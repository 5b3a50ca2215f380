"""From the crop's camera to the canonical frame: [-0.5, 0.5]³, Z up, the front facing -Y.

The object is set upright by the network's guess of how far the camera looks down on it. The camera
is taken to be held level.
"""

import math

import numpy as np

from gen3d.contract import Pose
from gen3d.ply import SH_C0
from gen3d_inference.engines.interface import Floats, Gaussians
from gen3d_inference.engines.lite.crop import FIELD_OF_VIEW, Crop
from gen3d_inference.engines.lite.shell import Disks
from gen3d_inference.engines.quaternions import quaternions

OPACITY_LOGIT = 4.0
"""An opacity of 0.98."""


_TO_POSES_CAMERA = np.diag([-1.0, -1.0, 1.0])
"""The crop's camera (x right, y down, z forward) to the pose's (x left, y up, z forward)."""


def canonical(disks: Disks, elevation: float, crop: Crop) -> tuple[Gaussians, Pose]:
    """Turn, centre and scale disks, and say what undoes it.

    The pose's camera has the field of view that is taken for every photo. How far away the object
    is follows from that alone, and was not seen: its depth is shared with nothing.

    Parameters
    ----------
    disks : Disks
        In the crop's camera.
    elevation : float
        Angle by which the camera looks down, radians.
    crop : Crop
        Where in the photo they were seen.
    """
    sine, cosine = np.sin(elevation), np.cos(elevation)
    # Takes the camera's right, down, forward to the canonical X, Y, Z.
    upright = np.array([[1, 0, 0], [0, -sine, cosine], [0, -cosine, -sine]])
    turned = disks.centre @ upright.T
    low, high = turned.min(0), turned.max(0)
    centre, longest = (low + high) / 2, float((high - low).max())
    axes = np.stack([disks.along, np.cross(disks.normal, disks.along), disks.normal], 2)
    gaussians = Gaussians(
        xyz=((turned - centre) / longest).astype(np.float32),
        f_dc=((disks.colour - 0.5) / SH_C0).astype(np.float32),
        opacity=np.full(len(disks.centre), OPACITY_LOGIT, np.float32),
        scale=np.log(disks.size / longest).astype(np.float32),
        rotation=quaternions(upright @ axes),
    )
    aside = _aside(crop)
    back = aside @ upright.T
    # Turned about the crop's middle, at which the crop's camera looks, and the photo's does not.
    # Away from its middle a photo stretches what it shows; here it is to cover as much as it did.
    size = math.sqrt(crop.away / math.hypot(*crop.off_centre, crop.away))
    from_middle = upright.T @ centre - [0, 0, crop.distance]
    place = size * (aside @ from_middle) + [*crop.off_centre, crop.away]
    w, x, y, z = map(float, quaternions((_TO_POSES_CAMERA @ back)[None])[0])
    left, up, forward = map(float, _TO_POSES_CAMERA @ place)
    return gaussians, Pose(
        rotation=(w, x, y, z),
        translation=(left, up, forward),
        scale=(size * longest,) * 3,
        field_of_view=float(FIELD_OF_VIEW),
        shared_depth=False,
    )


def _aside(crop: Crop) -> Floats:
    """The turn from a camera that looks at the crop's middle to the photo's, which looks past it.

    First up or down, then to the side about the upright axis, as a camera that is held level.
    """
    right, down = crop.off_centre
    flat = math.hypot(right, crop.away)
    sine, cosine = right / flat, crop.away / flat
    to_the_side = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    far = math.hypot(flat, down)
    sine, cosine = down / far, flat / far
    below = np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]])
    turn: Floats = to_the_side @ below
    return turn
