"""From TripoSplat's latents to gaussians and a pose."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gen3d.contract import Pose
from gen3d.errors import ReconstructionFailed
from gen3d_inference.engines.interface import Floats, Gaussians
from gen3d_inference.engines.open.cutout import Cutout
from gen3d_inference.engines.quaternions import quaternions

_LEVELS = 8
"""Of the octree: 256 cells a side in the last."""
_STRAY = 0.6
"""How far out of the frame, which ends at 0.5, a gaussian is still one of the object's."""
_WIDEST = math.radians(170)
"""View across a photo at most: what the network says beyond it is no camera."""

_FARTHEST = 1000.0
"""Distance of a camera that sees without perspective, in sides of the frame."""
_TO_THE_FRONT = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""A quarter turn about Z. Upstream has the object's front face +X, our frame -Y."""
_QUARTER = math.sqrt(0.5)


def draw_points(
    octree: Any, latent: Tensor, count: int, generator: torch.Generator, levels: int = _LEVELS
) -> Tensor:
    """Draw points where the octree sees the object, level by level.

    A cell's points are dealt to its eight children by systematic resampling: of `n` equidistant
    marks with one common random offset, as many fall to a child as lie within its share. How many
    that are is a difference of two numbers rounded up, so that all cells are dealt at once.

    Parameters
    ----------
    octree : callable
        Upstream's; gives each cell's eight logits.
    latent : (1, tokens, channels)
    count : int
        Of the points.

    Returns
    -------
    (count, 3) float32
        In the unit cube.
    """
    device = latent.device
    corners = torch.tensor([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)], device=device)
    cells = torch.zeros((1, 3), dtype=torch.long, device=device)
    held = torch.tensor([count], device=device)
    for level in range(1, levels + 1):
        centres = (cells.float() + 0.5) / 2 ** (level - 1)
        resolution = torch.tensor([2**level], device=device)
        logits = octree(centres[None], resolution, latent, None)["logits"][0].float()
        offset = torch.rand((len(cells), 1), device=device, generator=generator)
        bounds = (held[:, None] * logits.softmax(-1).cumsum(-1) - offset).ceil().long()
        bounds = bounds.clamp_min(0).minimum(held[:, None])
        bounds[:, -1] = held  # whatever rounding left of the sum
        dealt = bounds.diff(dim=1, prepend=torch.zeros_like(bounds[:, :1]))
        some = dealt > 0
        cells = (2 * cells[:, None] + corners)[some]
        held = dealt[some]
    cells = cells.repeat_interleave(held, 0, output_size=count)
    inside = torch.rand(cells.shape, device=device, generator=generator)
    return (cells.float() + inside) / 2**levels


def gaussians_of(splat: Any) -> Gaussians:
    """Read upstream's ``Gaussian``, and turn its front to where ours is; up is Z in both frames.

    Its PLY writer turns the object another way, to have -Y up; and takes an opacity through the
    sigmoid and back, which in float32 makes ±inf of confident ones. Neither is done here.
    """
    columns = {
        "xyz": splat.get_xyz,
        "f_dc": splat._features_dc.transpose(1, 2).flatten(1),
        "opacity": (splat._opacity + splat.opacity_bias_val).flatten(),
        "scale": splat.get_scaling.log(),
        "rotation": splat._rotation + splat.rots_bias,
    }
    arrays: dict[str, Floats] = {
        name: column.detach().float().cpu().numpy() for name, column in columns.items()
    }
    x, y, z = arrays["xyz"].T
    w, i, j, k = arrays["rotation"].T * np.float32(_QUARTER)
    arrays["xyz"] = np.stack([y, -x, z], 1)
    arrays["rotation"] = np.stack([w + k, i + j, j - i, k - w], 1)
    return Gaussians(**arrays)


def into_frame(gaussians: Gaussians) -> tuple[Gaussians, float]:
    """Shrink an object to the frame where it reaches beyond; leave out strays.

    Returns
    -------
    Gaussians
        As they were where most lie out of the frame: no splat of an object.
    float
        By how much they were shrunk.
    """
    reach = np.abs(gaussians.xyz).max(1)
    near = reach <= _STRAY
    if near.mean() <= 0.5:
        return gaussians, 1.0
    factor = min(1.0, 0.5 / float(reach[near].max()))
    return (
        Gaussians(
            xyz=gaussians.xyz[near] * np.float32(factor),
            f_dc=gaussians.f_dc[near],
            opacity=gaussians.opacity[near],
            scale=gaussians.scale[near] + np.float32(math.log(factor)),
            rotation=gaussians.rotation[near],
        ),
        factor,
    )


def pose_of(camera: Tensor, cutout: Cutout, size: tuple[int, int], shrunk: float) -> Pose:
    """Read TripoSplat's camera, and place what it sees in the photo that the cutout is of.

    The camera looks at the object's origin from a direction (three values, Z up), at a distance
    (its inverse is the fourth), with half a picture as wide as the fifth says, at the origin. Its
    picture is the cutout. The photo's camera is taken to have the same focal length and to look
    past the object.

    Parameters
    ----------
    camera : (1, 1, 5)
    cutout : Cutout
    size : (int, int)
        The photo's width and height in pixels.
    shrunk : float
        What `into_frame` says.

    Raises
    ------
    ReconstructionFailed
        The camera is no finite numbers, or has no direction.
    """
    values = camera.detach().double().cpu().numpy().reshape(-1)
    length = float(np.linalg.norm(values[:3]))
    if not np.isfinite(values).all() or not length > 0:
        raise ReconstructionFailed(
            "The object's place in the photo could not be found. Try another seed or mask."
        )
    towards = values[:3] / length
    distance = 1 / max(float(values[3]), 1 / _FARTHEST)
    half_width = max(abs(float(values[4])), 1e-3)
    focal = cutout.half * distance / half_width
    forward = -towards
    level = np.cross(np.array([0.0, 0.0, 1.0]), forward)
    if not np.linalg.norm(level) > 1e-6:  # from straight above, any side will do
        level = np.array([1.0, 0.0, 0.0])
    left = level / np.linalg.norm(level)
    rows = np.stack([left, np.cross(forward, left), forward])
    w, x, y, z = map(float, quaternions((rows @ _TO_THE_FRONT.T)[None])[0])
    width, height = size
    return Pose(
        rotation=(w, x, y, z),
        translation=(
            (width / 2 - cutout.x) / focal * distance,
            (height / 2 - cutout.y) / focal * distance,
            distance,
        ),
        scale=(1 / shrunk,) * 3,
        field_of_view=min(2 * math.atan2(max(width, height) / 2, focal), _WIDEST),
        shared_depth=False,
    )
