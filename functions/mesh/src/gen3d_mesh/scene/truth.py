"""How true an object is to its photo: drawn from there, against its mask and the photo's colours.

It is told of an object by itself. What stands before it in the photo is missing in its mask and
not in its picture: then it looks less true than it is.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from gen3d.contract import Pose
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.preview import colors_at
from gen3d_mesh.scene.placing import Box, Frame, Thing, focal_by_mask, focal_of, seen
from gen3d_mesh.scene.similarity import Similarity
from gen3d_mesh.splat import Floats

RAYS = 320
"""Along the longer side of what is compared."""

MARGIN = 0.02
"""Of the longer side, around object and mask."""


_Pixel = TypeVar("_Pixel", bound=np.generic)


@dataclass(frozen=True)
class Truth:
    """Shares from 0 to 1.

    Attributes
    ----------
    silhouette : float
        Of what mask or object cover in the photo, what both do (intersection over union).
    colour : float or None
        1 less the mean difference of colours (sRGB) where both are; None where nothing is.
    """

    silhouette: float
    colour: float | None

    @property
    def score(self) -> float:
        """By which variants of an object are put in order: the outline's share times the colours'.

        A place that the outline misses has no colour that could be right.
        """
        return self.silhouette * (self.colour or 0.0)


def mask_box(mask: npt.NDArray[np.bool_]) -> Box:
    """Where a mask of the photo's size lies; it is not empty."""
    frame = Frame(mask.shape[1], mask.shape[0])
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(
        (columns[0] - frame.width / 2) / frame.half,
        (rows[0] - frame.height / 2) / frame.half,
        (columns[-1] + 1 - frame.width / 2) / frame.half,
        (rows[-1] + 1 - frame.height / 2) / frame.half,
    )


def truth(
    coloured: ColouredMesh,
    pose: Pose,
    mask: npt.NDArray[np.bool_],
    photo: npt.NDArray[np.uint8],
) -> Truth | None:
    """Draw an object as its engine saw it, and compare.

    Parameters
    ----------
    coloured : ColouredMesh
    pose : Pose
    mask : (height, width)
        Of the photo's size; not empty.
    photo : (h, w, 3)
        sRGB, of the mask's shape, perhaps smaller.

    Returns
    -------
    Truth or None
        None where the pose puts the object beside or behind the camera.
    """
    canonical = coloured.mesh.vertices * coloured.frame.size + coloured.frame.center
    try:
        points = Similarity.of(pose)(canonical)
    except ValueError:
        return None
    if not (points[:, 2] > 0).all():
        return None
    frame, masked = Frame(mask.shape[1], mask.shape[0]), mask_box(mask)
    focal = (
        focal_of(pose.field_of_view)
        if pose.field_of_view
        else focal_by_mask(Thing(canonical, pose, masked))
    )
    if focal is None:
        return None
    x, y = _grid(Box.of(*seen(points, focal)), masked, frame)
    scene = EmbreeScene()
    # An object of any size, brought near 1 for single precision.
    points = points / points[:, 2].mean()
    TriangleMesh(scene, points.astype(np.float32), coloured.mesh.faces)
    rays = np.stack([-x / focal, -y / focal, np.ones_like(x)], axis=1).astype(np.float32)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    hit = scene.run(np.zeros_like(rays), rays, query="INTERSECT", output=1)
    drawn = hit["primID"] >= 0
    there = _pixels(mask, x, y, frame)
    both = np.flatnonzero(drawn & there)
    silhouette = len(both) / max(int((drawn | there).sum()), 1)
    if not len(both):
        return Truth(silhouette, None)
    u, v = hit["u"][both], hit["v"][both]
    share = np.stack([1 - u - v, u, v], axis=1)[:, :, None]
    made = colors_at(coloured, hit["primID"][both], share)
    taken = _pixels(photo, x[both], y[both], frame).astype(np.float32) / 255
    return Truth(silhouette, 1 - float(np.abs(made - taken).mean()))


def _grid(drawn: Box, masked: Box, frame: Frame) -> tuple[Floats, Floats]:
    """Where rays go: a grid around object and mask, as far as the photo reaches."""
    wide, high = frame.width / 2 / frame.half, frame.height / 2 / frame.half
    left = max(min(drawn.left, masked.left) - MARGIN, -wide)
    right = min(max(drawn.right, masked.right) + MARGIN, wide)
    top = max(min(drawn.top, masked.top) - MARGIN, -high)
    bottom = min(max(drawn.bottom, masked.bottom) + MARGIN, high)
    step = max(right - left, bottom - top) / RAYS
    x, y = np.meshgrid(
        np.arange(left + step / 2, right, step), np.arange(top + step / 2, bottom, step)
    )
    return x.ravel().astype(np.float32), y.ravel().astype(np.float32)


def _pixels(
    picture: npt.NDArray[_Pixel], x: Floats, y: Floats, frame: Frame
) -> npt.NDArray[_Pixel]:
    """The pixels of a picture of the photo, of any size, at places in it."""
    height, width = picture.shape[:2]
    columns = (x * frame.half / frame.width + 0.5) * width
    rows = (y * frame.half / frame.height + 0.5) * height
    picked: npt.NDArray[_Pixel] = picture[
        np.clip(rows.astype(np.intp), 0, height - 1), np.clip(columns.astype(np.intp), 0, width - 1)
    ]
    return picked
