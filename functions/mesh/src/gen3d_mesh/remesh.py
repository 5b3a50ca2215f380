"""Repair, decimate and remesh a mesh that somebody else made, by PyMeshLab (the extra ``meshes``).

Edges between three faces and more are cut, holes of few edges filled, faces turned to one side; the
decimation counts a texture's places into its error, so that the picture stays as it is. Remeshed,
all triangles are about even, and the picture is painted anew from the old surface.
"""

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from gen3d.errors import InvalidMesh
from gen3d_mesh.coloured_mesh import ColouredMesh, Texture
from gen3d_mesh.mesh_file import SourceMesh
from gen3d_mesh.repair import HOLE_EDGES, face_areas, is_closed, parts, vertex_normals
from gen3d_mesh.splat import Floats, Up
from gen3d_mesh.surface import Triangles
from gen3d_mesh.wedges import Wedges, smaller, texture_of, upright, used

TEXTURE_WEIGHT = 3.0
"""Of a place in the picture against one in space, in the decimation's error. On a mug of 50,000
faces brought to 1,000, 2.6 % of the surface is off in colour by over .15; with 1, 3.1 %."""

MEASURED = 20_000
"""Places at most, from which the deviation is measured."""

LEAST_HOLE = 3
"""Edges: no hole has fewer."""

FEATURE = 30.0
"""Degrees: a sharper edge is kept where a mesh is remeshed."""

REMESHING_ROUNDS = 8

SAMPLES = 400_000
"""Of the old surface, from which a remeshed one takes its colours."""


@dataclass(frozen=True)
class Repairs:
    """What was found and mended.

    Attributes
    ----------
    faces : int
        Before anything was done.
    filled : int
        Faces that fill holes.
    dropped : int
        Faces that were there twice, or had no area.
    deviation : float
        The largest distance from the mended surface to the finished one, as a share of the
        longest side.
    """

    faces: int
    filled: int
    dropped: int
    deviation: float = 0.0


def repair_mesh(
    source: SourceMesh,
    faces: int | None = None,
    *,
    up: Up | None = None,
    even: bool = False,
    texels: int | None = None,
    holes: int = HOLE_EDGES,
) -> tuple[ColouredMesh, Repairs]:
    """Make of a mesh from elsewhere one that the writers take.

    Parameters
    ----------
    source : SourceMesh
    faces : int, optional
        At most so many; as many as there are without it.
    up : Up, optional
        The axis that points to the sky, in the place of the format's.
    even : bool
        Remesh to triangles of about one size.
    texels : int, optional
        At most so many along the picture's edge; 0 for vertex colours alone.
    holes : int
        Edges around a hole that is filled, at most; 0 to fill none.

    Raises
    ------
    ImportError
        PyMeshLab is not installed.
    InvalidMesh
        Nothing with an area is left.
    """
    frame, old = upright(source, up or source.up)
    mended, filled = _mended(old, holes)
    image = source.image
    if image is not None and texels is not None:
        image = smaller(image, texels)
    colours = _Colours(old, source)
    if even:
        made = _even(mended, faces or len(mended.faces))
    elif faces is not None and faces < len(mended.faces):
        made = _decimated(mended, faces)
    else:
        made = mended
    made = used(made)
    dropped = len(source.faces) - (len(mended.faces) - filled)
    deviation = 0.0 if made.faces.shape == mended.faces.shape else _deviation(mended, made)
    repairs = Repairs(len(source.faces), filled, dropped, deviation)
    mesh = Triangles(made.vertices, made.faces)
    normals = vertex_normals(mesh)
    texture = None
    if image is not None and texels != 0:
        if even:
            texture = colours.painted(mesh, normals, max(image.shape[:2]))
        else:
            texture = texture_of(made, image)
    return ColouredMesh(
        mesh, normals, colours.at(mesh.vertices), frame, texture, source="mesh",
        up=up or source.up,
    ), repairs  # fmt: skip


def _set(mesh: Wedges) -> Any:
    """A MeshSet of PyMeshLab with the mesh."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import pymeshlab

    meshes = pymeshlab.MeshSet(verbose=False)
    _add(meshes, mesh)
    return meshes


def _add(meshes: Any, mesh: Wedges) -> None:
    import pymeshlab

    if mesh.uv is None:
        vertices = mesh.vertices.astype(float)
        meshes.add_mesh(pymeshlab.Mesh(vertex_matrix=vertices, face_matrix=mesh.faces))
        return
    # Faces made from arrays name no picture, without which the decimation refuses them.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.ply"
        path.write_bytes(_ply(mesh, mesh.uv))
        meshes.load_new_mesh(str(path))


def _ply(mesh: Wedges, uv: Floats) -> bytes:
    row = np.dtype(
        [("three", "u1"), ("corners", "<i4", 3), ("six", "u1"), ("uv", "<f4", 6), ("of", "<i4")]
    )
    faces = np.zeros(len(mesh.faces), row)
    faces["three"], faces["corners"] = 3, mesh.faces
    faces["six"], faces["uv"] = 6, uv.reshape(-1, 6)
    header = [
        "ply",
        "format binary_little_endian 1.0",
        "comment TextureFile picture.png",
        f"element vertex {len(mesh.vertices)}",
        *(f"property float {axis}" for axis in "xyz"),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "property list uchar float texcoord",
        "property int texnumber",
        "end_header\n",
    ]
    return "\n".join(header).encode() + mesh.vertices.astype("<f4").tobytes() + faces.tobytes()


def _taken(meshes: Any, *, textured: bool) -> Wedges:
    """The mesh of a MeshSet as arrays."""
    mesh = meshes.current_mesh()
    uv = mesh.wedge_tex_coord_matrix().reshape(-1, 3, 2).astype(np.float32) if textured else None
    return Wedges(mesh.vertex_matrix().astype(np.float32), mesh.face_matrix().astype(np.int32), uv)


def _mended(mesh: Wedges, holes: int) -> tuple[Wedges, int]:
    """Repair, and count the faces that fill holes."""
    meshes = _set(mesh)
    meshes.meshing_remove_duplicate_faces()
    meshes.meshing_remove_null_faces()
    meshes.meshing_repair_non_manifold_edges(method="Split Vertices")
    if not meshes.current_mesh().face_number():
        raise InvalidMesh("No face of the mesh has an area.")
    turned = _coherent(meshes)
    meshes.set_selection_none()
    if holes >= LEAST_HOLE:
        meshes.meshing_close_holes(maxholesize=holes, newfaceselected=True, selfintersection=False)
    new = meshes.current_mesh().face_selection_array().astype(bool)
    meshes.meshing_repair_non_manifold_vertices()
    made = _taken(meshes, textured=mesh.uv is not None)
    if made.uv is not None and new.any():
        made = replace(made, uv=_uv_of_new(made.faces, made.uv, new))
    # Each part faces the way that most of its faces did: a cavity's look inward.
    count, label = parts(Triangles(made.vertices, made.faces))
    of_face = label[made.faces[:, 0]]
    votes = np.bincount(of_face[~new], np.where(turned, 1, -1), minlength=count)
    return _outward(_turned(made, votes[of_face] > 0)), int(new.sum())


def _coherent(meshes: Any) -> npt.NDArray[np.bool_]:
    """Turn faces so that neighbours face one way, and say which were turned."""
    import pymeshlab

    before = meshes.current_mesh().face_matrix()
    try:
        meshes.meshing_re_orient_faces_coherently()
    except pymeshlab.PyMeshLabException:  # a Moebius strip has no sides
        return np.zeros(len(before), bool)
    after = meshes.current_mesh().face_matrix()
    first = after.argmin(axis=1)[:, None] + np.arange(3)
    start = before.argmin(axis=1)[:, None] + np.arange(3)
    rolled = np.take_along_axis(after, first % 3, axis=1)
    turned: npt.NDArray[np.bool_] = (
        rolled[:, 1] != np.take_along_axis(before, start % 3, axis=1)[:, 1]
    )
    return turned


def _uv_of_new(faces: npt.NDArray[np.int32], uv: Floats, new: npt.NDArray[np.bool_]) -> Floats:
    """Give each face that fills a hole one colour, of a corner: its rim may lie in many charts."""
    place = np.zeros((int(faces.max()) + 1, 2), np.float32)
    place[faces[~new]] = uv[~new]
    return np.where(new[:, None, None], place[faces[:, :1]], uv)


def _decimated(mesh: Wedges, faces: int) -> Wedges:
    meshes = _set(mesh)
    if mesh.uv is None:
        meshes.meshing_decimation_quadric_edge_collapse(
            targetfacenum=faces, preserveboundary=True, preservenormal=True, preservetopology=True,
            planarquadric=True,
        )  # fmt: skip
    else:
        meshes.meshing_decimation_quadric_edge_collapse_with_texture(
            targetfacenum=faces, preserveboundary=True, preservenormal=True,
            extratcoordw=TEXTURE_WEIGHT,
        )  # fmt: skip
    return _taken(meshes, textured=mesh.uv is not None)


def _even(mesh: Wedges, faces: int) -> Wedges:
    """Triangles of about one size, so long that `faces` of them cover the surface."""
    import pymeshlab

    area = float(face_areas(Triangles(mesh.vertices, mesh.faces)).sum())
    side = (4 * area / (3**0.5 * faces)) ** 0.5
    meshes = _set(replace(mesh, uv=None))
    meshes.meshing_isotropic_explicit_remeshing(
        iterations=REMESHING_ROUNDS, targetlen=pymeshlab.PureValue(side), featuredeg=FEATURE
    )  # fmt: skip
    made = _taken(meshes, textured=False)
    return _decimated(made, faces) if len(made.faces) > faces else made


def _deviation(old: Wedges, made: Wedges) -> float:
    meshes = _set(replace(old, uv=None))
    _add(meshes, replace(made, uv=None))
    count = min(len(old.vertices), MEASURED)
    found = meshes.get_hausdorff_distance(
        sampledmesh=0, targetmesh=1, samplevert=False, sampleface=True, samplenum=count
    )
    return float(found["max"])


def _outward(mesh: Wedges) -> Wedges:
    """Turn all faces of a closed mesh that is inside out."""
    triangles = Triangles(mesh.vertices, mesh.faces)
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    if (a * np.cross(b, c)).sum() < 0 and is_closed(triangles):
        return _turned(mesh, np.ones(len(mesh.faces), bool))
    return mesh


def _turned(mesh: Wedges, which: npt.NDArray[np.bool_]) -> Wedges:
    faces = np.where(which[:, None], mesh.faces[:, ::-1], mesh.faces)
    uv = mesh.uv
    if uv is not None:
        uv = np.where(which[:, None, None], uv[:, ::-1], uv)
    return Wedges(mesh.vertices, faces, uv)


class _Colours:
    """Of the old surface, by the nearest of many places on it."""

    def __init__(self, mesh: Wedges, source: SourceMesh) -> None:
        self._mesh, self._source = mesh, source
        self._plain = source.image is None and bool((source.colors == source.colors[0]).all())
        self._known: tuple[cKDTree, Floats] | None = None

    def at(self, points: Floats) -> Floats:
        """Colours in sRGB at places near the surface: (n, 3)."""
        if self._plain:
            return np.broadcast_to(self._source.colors[0], points.shape).astype(np.float32)
        if self._known is None:
            places, colors = self._places(SAMPLES)
            self._known = cKDTree(places), colors
        tree, colors = self._known
        found: Floats = colors[tree.query(points, workers=-1)[1]]
        return found

    def painted(self, mesh: Triangles, normals: Floats, size: int) -> Texture | None:
        """A texture of a closed mesh, as sharp as there are places known."""
        from gen3d_mesh.texture import bake

        if not is_closed(mesh):
            return None
        return bake(mesh, normals, size, lambda points, _: self.at(points))

    def _places(self, count: int) -> tuple[Floats, Floats]:
        """Places spread evenly on the surface, and their colours; vertices among them."""
        mesh, source = self._mesh, self._source
        area = face_areas(Triangles(mesh.vertices, mesh.faces)).astype(np.float64)
        lot = np.random.default_rng(0)
        share = np.cumsum(area) / max(float(area.sum()), 1e-30)
        face = np.searchsorted(share, (np.arange(count) + lot.random(count)) / count)
        face = np.minimum(face, len(area) - 1)
        s, t = lot.random((2, count))
        s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
        weights = np.stack([1 - s - t, s, t], axis=1).astype(np.float32)[:, :, None]
        points = (mesh.vertices[mesh.faces[face]] * weights).sum(axis=1)
        if mesh.uv is None or source.image is None:
            each = source.colors[source.faces]
            colors = (each[face] * weights).sum(axis=1)
            corners = mesh.vertices[mesh.faces.reshape(-1)]
            return np.concatenate([corners, points]), np.concatenate([each.reshape(-1, 3), colors])
        height, width = source.image.shape[:2]
        x, y = ((mesh.uv[face] * weights).sum(axis=1) * (width, height)).astype(int).T
        texels = source.image[y.clip(0, height - 1), x.clip(0, width - 1)]
        return points, texels.astype(np.float32) / np.float32(255)
