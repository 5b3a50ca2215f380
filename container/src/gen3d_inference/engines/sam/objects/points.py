"""Point maps, upstream's way to know distances: where each pixel lies in PyTorch3D's camera.

x is to the left, y up, z forward; (height, width, 3), or (3, height, width) inside upstream.
"""

import math

import torch
from torch import Tensor

from gen3d_inference.engines.interface import Depth

LEAST_KNOWN = 0.25
"""Share of an object's pixels whose distance a map has to know, to be of use for the object."""


def points_of(depth: Depth, view: float) -> Tensor:
    """Where a map's pixels lie, as far as it knows.

    Parameters
    ----------
    depth : Depth
    view : float
        Field of view across its longer side, radians.

    Returns
    -------
    (height, width, 3) float32
        Metres; NaN where nothing is known.
    """
    z = torch.from_numpy(depth.metres)
    down, right = _from_middle(*z.shape)
    focal = max(z.shape) / 2 / math.tan(view / 2)
    return torch.stack([-right * z / focal, -down * z / focal, z], dim=2)


def view_of(points: Tensor) -> float | None:
    """The field of view by which points fall onto the pixels that they belong to.

    Parameters
    ----------
    points : (3, height, width)

    Returns
    -------
    float or None
        Radians across the longer side; None where no point lies before the camera.
    """
    shape = points.shape[1:]
    down, right = (each.to(points.device) for each in _from_middle(*shape))
    x, y, z = points.float()
    focal = torch.hypot(right, down) * z / torch.hypot(x, y)
    focal = focal[torch.isfinite(focal) & (focal > 0)]
    return 2 * math.atan(max(shape) / 2 / float(focal.median())) if len(focal) else None


def _from_middle(height: int, width: int) -> tuple[Tensor, Tensor]:
    """How far each pixel lies below and to the right of the middle: (height, width) each."""
    down = torch.arange(height) + 0.5 - height / 2
    right = torch.arange(width) + 0.5 - width / 2
    return torch.meshgrid(down, right, indexing="ij")
