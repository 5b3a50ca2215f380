"""Faces that share corners, and each corner's own place in a picture."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from gen3d.errors import InvalidMesh
from gen3d_mesh.clean import Frame
from gen3d_mesh.coloured_mesh import Texture
from gen3d_mesh.mesh_file import SourceMesh
from gen3d_mesh.repair import compact
from gen3d_mesh.splat import Floats, Up
from gen3d_mesh.surface import Triangles


@dataclass(frozen=True)
class Wedges:
    """Faces that share corners.

    Attributes
    ----------
    vertices : (n, 3) float32
        In the unit frame, Z up.
    faces : (m, 3) int32
    uv : (m, 3, 2) float32 or None
        Each corner's place in the picture, v from the top.
    """

    vertices: Floats
    faces: npt.NDArray[np.int32]
    uv: Floats | None


def upright(source: SourceMesh, up: Up) -> tuple[Frame, Wedges]:
    """Z up in the unit frame, with one vertex at each place."""
    vertices = source.vertices
    turn = {"y": 1, "-y": -1}.get(up)
    if turn is not None:
        vertices = vertices[:, [0, 2, 1]] * np.array([1, -turn, turn])
    corners = vertices[source.faces]
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    size = float((high - low).max())
    if not 0 < size < np.inf:
        raise InvalidMesh("All vertices of the mesh lie in one place, or too far apart.")
    frame = Frame((low + high) / 2, size)
    near = ((vertices - frame.center) / size).astype(np.float32)
    unique, where = np.unique(near + np.float32(0), axis=0, return_inverse=True)
    return frame, Wedges(unique, where.reshape(-1)[source.faces].astype(np.int32), source.uv)


def used(mesh: Wedges) -> Wedges:
    """Without vertices that no face has."""
    compacted = compact(Triangles(mesh.vertices, mesh.faces))
    return Wedges(compacted.vertices, compacted.faces, mesh.uv)


def texture_of(mesh: Wedges, image: npt.NDArray[np.uint8]) -> Texture:
    """The picture, with a vertex in it for each place that a vertex of the mesh has."""
    assert mesh.uv is not None
    # As one number each, which is sorted in a twentieth of the time of three.
    steps = 1_000_000
    u, v = np.round(mesh.uv.reshape(-1, 2).clip(0, 1).astype(np.float64) * steps).T.astype(np.int64)
    keys = (mesh.faces.reshape(-1).astype(np.int64) * (steps + 1) + u) * (steps + 1) + v
    unique, where = np.unique(keys, return_inverse=True)
    rest, v = np.divmod(unique, steps + 1)
    vertices, u = np.divmod(rest, steps + 1)
    return Texture(
        image,
        (np.stack([u, v], axis=1) / steps).astype(np.float32),
        where.reshape(-1, 3).astype(np.int32),
        vertices.astype(np.int32),
    )


def smaller(image: npt.NDArray[np.uint8], most: int) -> npt.NDArray[np.uint8]:
    """A picture of at most so many texels along an edge; 0 leaves it as it is."""
    if max(image.shape) <= most or most == 0:
        return image
    share = most / max(image.shape)
    size = (max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
