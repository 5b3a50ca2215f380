"""What the pipeline makes and the writers write."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gen3d_mesh import mesh_kernels
from gen3d_mesh.clean import Frame
from gen3d_mesh.splat import Floats, Up
from gen3d_mesh.surface import Triangles


@dataclass(frozen=True)
class Material:
    """What a surface is beside its colour, as glTF's metallic-roughness has it.

    Attributes
    ----------
    metallic, roughness : float
        From 0 to 1; factors of the picture, where there is one.
    picture : (h, w, 3) uint8 or None
        Linear: roughness is green, metal blue.
    """

    metallic: float = 0.0
    roughness: float = 1.0
    picture: npt.NDArray[np.uint8] | None = None

    def shown(self, channel: int) -> npt.NDArray[np.uint8]:
        """A channel of the picture as it is seen, with its factor: (h, w)."""
        assert self.picture is not None
        factor = {1: self.roughness, 2: self.metallic}[channel]
        return np.round(self.picture[..., channel] * np.float32(factor)).astype(np.uint8)


ROUGH = Material()
"""Of which nothing is known: rough, not metallic."""


@dataclass(frozen=True)
class Texture:
    """A picture of the surface.

    Attributes
    ----------
    image : (h, w, 3) uint8
        sRGB, first row at the top.
    uv : (k, 2) float32
        In [0, 1], v from the top as in glTF.
    faces : (m, 3) int32
        Corners of the mesh's faces in `uv`.
    vertices : (k,) int32
        The mesh's vertex of each texture vertex: those on a seam occur more than once.
    normal_map : (h, w, 3) uint8 or None
        Normals of a finer surface, -1 to 1, in the frames that `tangents` names: red along the
        tangent, green to the picture's top, blue outward.
    material : Material
        Its picture is seen through the same places.
    """

    image: npt.NDArray[np.uint8]
    uv: Floats
    faces: npt.NDArray[np.int32]
    vertices: npt.NDArray[np.int32]
    normal_map: npt.NDArray[np.uint8] | None = None
    material: Material = ROUGH


@dataclass(frozen=True)
class ColouredMesh:
    """A coloured mesh, Z up, the middle of its box at the origin, in the unit frame's scale.

    Attributes
    ----------
    mesh : Triangles
    normals : (n, 3) float32
        Unit, outward.
    colors : (n, 3) float32
        sRGB in [0, 1].
    frame : Frame
        The way back to the splat's frame.
    texture : Texture or None
    scale : float
        Units of what is written in one of the splat's.
    up : Up
        The axis of the file's frame that was turned to Z before all this.
    source : str
        What the mesh was made from.
    """

    mesh: Triangles
    normals: Floats
    colors: Floats
    frame: Frame
    texture: Texture | None = None
    scale: float = 1.0
    up: Up = "z"
    source: Literal["splat", "mesh"] = "splat"

    @property
    def positions(self) -> Floats:
        """Vertices as they are written, seen from the frame's centre, Z up."""
        return self.mesh.vertices * np.float32(self.frame.size * self.scale)


def tangents(vertices: Floats, normals: Floats, texture: Texture) -> Floats:
    """Tangents of a texture's vertices, to the right of its picture.

    Parameters
    ----------
    vertices, normals : (n, 3) float32
        Of the mesh.
    texture : Texture

    Returns
    -------
    (k, 4) float32
        As glTF has them: unit, and 1, or -1 where the picture is seen from behind.
    """
    pick, upward = texture.vertices, texture.uv * np.array([1, -1], np.float32)
    found: Floats = mesh_kernels.tangents(vertices[pick], normals[pick], upward, texture.faces)
    return found


def y_up(vectors: Floats) -> Floats:
    """Turn Z up into Y up: (x, y, z) → (x, z, -y)."""
    return np.stack([vectors[:, 0], vectors[:, 2], -vectors[:, 1]], axis=1)


def srgb_to_linear(colors: Floats) -> Floats:
    """IEC 61966-2-1; glTF wants vertex colours linear."""
    low = colors / np.float32(12.92)
    high = ((colors + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(colors <= 0.04045, low, high).astype(np.float32)


def linear_to_srgb(colors: Floats) -> Floats:
    """Inverse of `srgb_to_linear`."""
    low = colors * np.float32(12.92)
    high = np.float32(1.055) * colors ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(colors <= 0.0031308, low, high).astype(np.float32)
