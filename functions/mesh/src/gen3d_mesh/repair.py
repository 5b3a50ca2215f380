"""Make the raw triangles presentable: drop specks and smooth."""

import numpy as np
import numpy.typing as npt

from gen3d_mesh import mask_kernels, mesh_kernels
from gen3d_mesh.grid_kernels import bounds
from gen3d_mesh.solid import Solid
from gen3d_mesh.splat import Floats
from gen3d_mesh.surface import Triangles

MIN_AREA = 0.01
"""A piece of the mesh with less than this share of the largest one's area is a speck: of the
largest one of the same part of the solid."""

HOLE_EDGES = 30
"""A hole with more edges around it is an opening; MeshLab's own bound."""


def face_areas(mesh: Triangles) -> Floats:
    """Area of each face."""
    normals = face_normals(mesh)
    area: Floats = np.sqrt(np.einsum("ij,ij->i", normals, normals)) / 2
    return area


def face_normals(mesh: Triangles) -> Floats:
    """Normal of each face, as long as twice its area: (m, 3)."""
    normals: Floats = mesh_kernels.face_normals(mesh.vertices, mesh.faces)
    return normals


def parts(mesh: Triangles) -> tuple[int, npt.NDArray[np.int32]]:
    """Number of connected parts, and the part of each vertex."""
    count, label = mesh_kernels.connected(mesh.faces, len(mesh.vertices))
    return int(count), label


def compact(mesh: Triangles) -> Triangles:
    """Drop vertices that no face uses."""
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    renumber = (np.cumsum(used) - 1).astype(np.int32)
    return Triangles(mesh.vertices[used], renumber[mesh.faces])


def drop_specks(mesh: Triangles, solid: Solid) -> Triangles:
    """Keep the pieces with at least `MIN_AREA` of the area of their part's largest piece."""
    count, label = parts(mesh)
    if count == 1:
        return mesh
    of_face = label[mesh.faces[:, 0]]
    area = np.bincount(of_face, face_areas(mesh), minlength=count)
    part = np.zeros(count, np.int32)
    if solid.parts.kept > 1:
        labels, _ = mask_kernels.label(solid.mask)
        x, y, z = np.round(solid.grid.index(mesh.vertices)).astype(np.int32).T
        np.maximum.at(part, label, labels[x, y, z])
    largest = np.zeros(part.max() + 1)
    np.maximum.at(largest, part, area)
    largest[0] = area.max()  # of what lies in no part
    keep = area >= MIN_AREA * largest[part]
    return compact(Triangles(mesh.vertices, mesh.faces[keep[of_face]]))


def centred(mesh: Triangles) -> tuple[Triangles, npt.NDArray[np.float64]]:
    """Move the middle of a mesh's box to the origin, and tell where it was."""
    low, high = bounds(mesh.vertices)
    middle = (low.astype(np.float64) + high) / 2
    return Triangles((mesh.vertices - middle).astype(np.float32), mesh.faces), middle


def taubin(mesh: Triangles, rounds: int, grow: float = -0.53, shrink: float = 0.5) -> Triangles:
    """Smooth without shrinking: Taubin, "A signal processing approach to fair surface design"."""
    vertices = mesh.vertices
    for _ in range(rounds):
        for share in (shrink, grow):
            vertices = mesh_kernels.towards_neighbours(vertices, mesh.faces, np.float32(share))
    return Triangles(vertices, mesh.faces)


def vertex_normals(mesh: Triangles) -> Floats:
    """Unit normals, weighted by the faces' areas: (n, 3) float32."""
    normals: Floats = mesh_kernels.vertex_normals(
        face_normals(mesh), mesh.faces, len(mesh.vertices)
    )
    return normals


def is_closed(mesh: Triangles) -> bool:
    """Whether each edge has exactly one face on either side."""
    return bool(mesh_kernels.closed(mesh.faces, len(mesh.vertices)))
