"""Mend what an engine's mesh may have: faces twice, specks, holes, its inside out.

For the job, whose image has no PyMeshLab; meshes from elsewhere are mended by `gen3d_mesh.remesh`.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gen3d.errors import InvalidMesh
from gen3d_mesh import mesh_kernels
from gen3d_mesh.repair import HOLE_EDGES, compact, face_areas, is_closed, parts
from gen3d_mesh.splat import Floats
from gen3d_mesh.surface import Triangles
from gen3d_mesh.wedges import Wedges

SPECK = 1e-3
"""A part with less than this share of the largest one's area is dropped."""


@dataclass(frozen=True)
class Mended:
    """A mesh, and what was mended of it.

    Attributes
    ----------
    mesh : Wedges
    dropped : int
        Faces without an area between their corners, or that were there twice, or in specks.
    specks : int
        Parts that were dropped.
    filled : int
        Faces that fill holes.
    """

    mesh: Wedges
    dropped: int
    specks: int
    filled: int


def mend(mesh: Wedges) -> Mended:
    """Drop what is no surface, fill holes, and turn a closed mesh that is inside out.

    Raises
    ------
    InvalidMesh
        Nothing with an area is left.
    """
    faces = mesh.faces
    proper = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    kept = np.zeros(len(faces), bool)
    kept[first] = True
    kept &= proper
    area = face_areas(_triangles(mesh))
    count, label = parts(Triangles(mesh.vertices, faces[kept]))
    of_face = label[faces[:, 0]]
    size = np.bincount(of_face[kept], area[kept], minlength=count)
    if not size.max(initial=0) > 0:
        raise InvalidMesh("No face of the mesh has an area.")
    there = np.bincount(of_face[kept], minlength=count) > 0
    small = size < SPECK * size.max()
    kept &= ~small[of_face]
    assert mesh.uv is not None
    rest = replace(mesh, faces=faces[kept], uv=mesh.uv[kept])
    whole, filled = _filled(rest)
    made = compact(_triangles(whole))
    if is_closed(made) and _volume(made) < 0:
        assert whole.uv is not None
        whole = Wedges(made.vertices, made.faces[:, ::-1].copy(), whole.uv[:, ::-1].copy())
    else:
        whole = Wedges(made.vertices, made.faces, whole.uv)
    return Mended(whole, int((~kept).sum()), int((small & there).sum()), filled)


def _triangles(mesh: Wedges) -> Triangles:
    return Triangles(mesh.vertices, mesh.faces)


def _volume(mesh: Triangles) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return float((a * np.cross(b, c)).sum()) / 6


def _filled(mesh: Wedges) -> tuple[Wedges, int]:
    """Fill each hole of few edges by a fan around its middle, in the colours of its rim."""
    assert mesh.uv is not None
    vertices, faces, places = [mesh.vertices], [mesh.faces], [mesh.uv]
    n = len(mesh.vertices)
    for rim in _rims(mesh.faces, n):
        # Each corner of the rim, and the one before it: the hole runs against its faces.
        of_face, k = rim // 3, rim % 3
        a, b = mesh.faces[of_face, k], mesh.faces[of_face, (k + 1) % 3]
        vertices.append(mesh.vertices[a].mean(axis=0, keepdims=True))
        faces.append(np.stack([b, a, np.full(len(a), n)], axis=1).astype(np.int32))
        places.append(np.repeat(mesh.uv[of_face, k][:, None], 3, axis=1))
        n += 1
    filled = sum(map(len, faces[1:]))
    made = Wedges(np.concatenate(vertices), np.concatenate(faces), np.concatenate(places))
    return made, filled


def _rims(faces: npt.NDArray[np.int32], vertices: int) -> list[npt.NDArray[np.int64]]:
    """Corners of faces (3 · face + corner) from which edges around a hole run, hole by hole."""
    corner = np.flatnonzero(mesh_kernels.border(faces, vertices))
    start, end = faces.reshape(-1)[corner], np.roll(faces, -1, axis=1).reshape(-1)[corner]
    once = np.bincount(start, minlength=vertices) == 1
    once &= np.bincount(end, minlength=vertices) == 1
    following = {int(a): (int(b), int(c)) for a, b, c in zip(start, end, corner, strict=True)}
    rims = []
    while following:
        first = next(iter(following))
        at, rim, plain = first, list[int](), True
        while at in following:
            plain &= bool(once[at])
            at, which = following.pop(at)
            rim.append(which)
        if plain and at == first and 3 <= len(rim) <= HOLE_EDGES:
            rims.append(np.array(rim))
    return rims


def places_on(mesh: Triangles, count: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Faces of places spread evenly on a surface, and weights of their corners: (k,), (k, 3)."""
    area = face_areas(mesh).astype(np.float64)
    lot = np.random.default_rng(0)
    share = np.cumsum(area) / max(float(area.sum()), 1e-30)
    face = np.searchsorted(share, (np.arange(count) + lot.random(count)) / count)
    face = np.minimum(face, len(area) - 1)
    s, t = lot.random((2, count))
    s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
    return face, np.stack([1 - s - t, s, t], axis=1).astype(np.float32)
