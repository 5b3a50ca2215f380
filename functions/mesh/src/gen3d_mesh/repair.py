"""Make the raw triangles presentable: drop specks and smooth."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from gen3d_mesh.solid import Solid
from gen3d_mesh.splat import Floats
from gen3d_mesh.surface import Triangles

MIN_AREA = 0.01
"""A piece of the mesh with less than this share of the largest one's area is a speck: of the
largest one of the same part of the solid."""


def adjacency(mesh: Triangles) -> sparse.csr_array:
    """Symmetric (n, n) matrix with a 1 for each edge."""
    a, b, c = mesh.faces.T
    rows, columns = np.concatenate([a, b, c, b, c, a]), np.concatenate([b, c, a, a, b, c])
    ones = np.ones(len(rows), np.float32)
    n = len(mesh.vertices)
    matrix = sparse.csr_array((ones, (rows, columns)), shape=(n, n))
    matrix.data[:] = 1
    return matrix


def face_areas(mesh: Triangles) -> Floats:
    """Area of each face."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    area: Floats = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return area


def parts(mesh: Triangles) -> tuple[int, npt.NDArray[np.int32]]:
    """Number of connected parts, and the part of each vertex."""
    count, label = csgraph.connected_components(adjacency(mesh), directed=False)
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
        labels, _ = ndimage.label(solid.mask)
        x, y, z = np.round(solid.grid.index(mesh.vertices)).astype(np.int32).T
        np.maximum.at(part, label, labels[x, y, z])
    largest = np.zeros(part.max() + 1)
    np.maximum.at(largest, part, area)
    largest[0] = area.max()  # of what lies in no part
    keep = area >= MIN_AREA * largest[part]
    return compact(Triangles(mesh.vertices, mesh.faces[keep[of_face]]))


def centred(mesh: Triangles) -> tuple[Triangles, npt.NDArray[np.float64]]:
    """Move the middle of a mesh's box to the origin, and tell where it was."""
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    middle = (low.astype(np.float64) + high) / 2
    return Triangles((mesh.vertices - middle).astype(np.float32), mesh.faces), middle


def taubin(mesh: Triangles, rounds: int, grow: float = -0.53, shrink: float = 0.5) -> Triangles:
    """Smooth without shrinking: Taubin, "A signal processing approach to fair surface design"."""
    matrix = adjacency(mesh)
    degree = np.maximum(matrix.sum(axis=1), 1)[:, None].astype(np.float32)
    vertices = mesh.vertices
    for _ in range(rounds):
        for factor in (shrink, grow):
            vertices = vertices + np.float32(factor) * (matrix @ vertices / degree - vertices)
    return Triangles(vertices, mesh.faces)


def vertex_normals(mesh: Triangles) -> Floats:
    """Unit normals, weighted by the faces' areas: (n, 3) float32."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    of_face = np.cross(b - a, c - a)
    corners = mesh.faces.ravel()
    normals = np.stack(
        [
            np.bincount(corners, np.repeat(of_face[:, k], 3), minlength=len(mesh.vertices))
            for k in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0])
    return np.where(length > 1e-20, normals / np.maximum(length, 1e-20), up).astype(np.float32)


def is_closed(mesh: Triangles) -> bool:
    """Whether each edge has exactly one face on either side."""
    a, b, c = mesh.faces.astype(np.int64).T
    n = len(mesh.vertices)
    there = np.concatenate([a * n + b, b * n + c, c * n + a])
    back = np.concatenate([b * n + a, c * n + b, a * n + c])
    there.sort()
    back.sort()
    return bool((there == back).all() and (np.diff(there) != 0).all())
