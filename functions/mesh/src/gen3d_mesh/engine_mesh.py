"""From an engine's textured mesh to a mesh that the writers take.

Where its faces are few enough, its pictures stay as they are. Where they are made fewer, a new
atlas is laid out, and colour, material and normals are baked onto it from the old surface.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from gen3d.errors import InvalidMesh
from gen3d_mesh.clean import Frame
from gen3d_mesh.coloured_mesh import ColouredMesh, Material, Texture, tangents
from gen3d_mesh.coverage import MARGIN, VIEWS, explained, rays_across, reach_of, warning
from gen3d_mesh.mend import mend, places_on
from gen3d_mesh.mesh_file import SourceMesh, read_mesh
from gen3d_mesh.normal_map import with_normal_map
from gen3d_mesh.pipeline import MeshFigures, Quality
from gen3d_mesh.repair import centred, face_normals, is_closed, parts, vertex_normals
from gen3d_mesh.simplify import simplify
from gen3d_mesh.splat import Floats
from gen3d_mesh.surface import Triangles
from gen3d_mesh.texture import Canvas, bake
from gen3d_mesh.wedges import Wedges, smaller, texture_of, upright

REACH = 0.05
"""Of the longest side: how far from the new surface the old one is looked for along its normal."""

LIFT = 1e-5
"""Of the longest side: where a ray begins, so that a surface that it starts on is hit."""

PLACES, NEIGHBOURS = 200_000, 16
"""On the old surface. Of the nearest ones the first that faces the same way is taken, where no ray
hits."""

TEXELS = 1024
"""Along a picture's edge, where a quality has vertex colours alone: a textured mesh keeps one."""

Image8: TypeAlias = npt.NDArray[np.uint8]
Indices: TypeAlias = npt.NDArray[np.int64]


def build_mesh(path: Path, quality: Quality) -> tuple[ColouredMesh, MeshFigures]:
    """Mend an engine's mesh, and make its faces as few as a quality has.

    Parameters
    ----------
    path : pathlib.Path
        A GLB of one material with a picture, Y up, as `gen3d_inference.mesh_writer` makes it.
    quality : Quality
        Of which faces and texels count.

    Raises
    ------
    InvalidMesh
        Damaged, without triangles or picture, too large, or without any area.
    """
    figures = MeshFigures()
    with figures.step("read"):
        source = read_mesh(path, "GLB", maps=True)
        figures.faces_read = len(source.faces)
        figures.warnings += source.notes
    with figures.step("repair"):
        frame, old = upright(source, "y")
        if source.image is None or old.uv is None:
            raise InvalidMesh("The mesh has no picture. An engine's mesh is a textured one.")
        shown = surface_met(Triangles(old.vertices, old.faces))
        mended = mend(old)
        figures.faces_dropped, figures.faces_filled = mended.dropped, mended.filled
        figures.dropped_parts = mended.specks
    surface = _Surface.of(mended.mesh, source)
    texels = quality.texels or TEXELS
    texture: Texture | None
    if len(surface.mesh.faces) <= quality.faces:
        mesh, normals, texture = surface.mesh, surface.normals, surface.texture_within(texels)
    else:
        with figures.step("simplify"):
            closed = is_closed(surface.mesh)
            mesh = simplify(surface.mesh, quality.faces, closed=closed)
            normals = vertex_normals(mesh)
        with figures.step("texture"):
            texture = surface.baked(mesh, normals, texels)
    with figures.step("colour"):
        colors = surface.colours(mesh.vertices, normals)
    with figures.step("coverage"):
        share = explained(shown, mesh)
        figures.coverage = None if share is None else round(share, 4)
    _look(mesh, texture, quality, figures)
    mesh, middle = centred(mesh)
    placed = Frame(frame.center + frame.size * middle, frame.size)
    return ColouredMesh(mesh, normals, colors, placed, texture, source="mesh"), figures


def surface_met(mesh: Triangles) -> Floats:
    """Points where a mesh's surface is met first by parallel rays from six sides.

    The rays are those along which `gen3d_mesh.coverage` looks at splats.

    Parameters
    ----------
    mesh : Triangles
        In the unit frame, as the engine made it: faces without an area, or twice, do no harm.

    Returns
    -------
    (n, 3) float32
    """
    scene = EmbreeScene()
    TriangleMesh(scene, mesh.vertices, mesh.faces)
    half = MARGIN * reach_of(mesh)
    _, across = rays_across(half)
    y, x = (each.reshape(-1) for each in np.meshgrid(across, across, indexing="ij"))
    met = []
    for axes in VIEWS:
        for side in (-1, 1):
            start = np.stack([x, y, np.full(len(x), side * half, np.float32)], axis=1) @ axes
            way = np.repeat(-side * axes[2:], len(start), axis=0).astype(np.float32)
            hit = scene.run(start, way, query="INTERSECT", output=1)
            there = hit["primID"] >= 0
            met.append(start[there] + hit["tfar"][there, None] * way[there])
    return np.concatenate(met).astype(np.float32)


def _look(mesh: Triangles, texture: Texture | None, quality: Quality, figures: MeshFigures) -> None:
    """Say what became of it."""
    figures.vertices, figures.faces = len(mesh.vertices), len(mesh.faces)
    figures.components, _ = parts(mesh)
    figures.watertight = is_closed(mesh)
    if (sentence := warning(figures.coverage, of_mesh=True)) is not None:
        figures.warnings.append(sentence)
    if not figures.watertight:
        figures.warnings.append(
            "The engine's mesh is open, and so is this one: a printer's program has to close it."
        )
    if figures.faces > quality.faces:
        figures.warnings.append(
            f"It has more faces than the {quality.faces:,} that were asked for: those at open "
            "edges are kept."
        )
    if texture is None:
        figures.warnings.append(
            "Its surface is in more pieces than a picture has room for: it has colours of "
            "vertices alone."
        )


@dataclass(frozen=True)
class _Surface:
    """The mended mesh, to be asked for what is seen of it.

    Attributes
    ----------
    mesh : Triangles
    normals : (n, 3) float32
        Of its vertices, smooth.
    texture : Texture
        As it came; faces as those of `mesh`.
    scene : EmbreeScene
        To cast rays at it.
    """

    mesh: Triangles
    normals: Floats
    texture: Texture
    scene: EmbreeScene

    @classmethod
    def of(cls, mended: Wedges, source: SourceMesh) -> "_Surface":
        """Of a mended mesh with the pictures of its source."""
        assert source.image is not None
        mesh = Triangles(mended.vertices, mended.faces)
        scene = EmbreeScene()
        TriangleMesh(scene, mesh.vertices, mesh.faces)
        texture = replace(
            texture_of(mended, source.image),
            normal_map=source.normal_map,
            material=source.material,
        )
        return cls(mesh, vertex_normals(mesh), texture, scene)

    def texture_within(self, texels: int) -> Texture:
        """As it came, of at most so many texels along an edge of each picture."""
        old = self.texture
        return replace(
            old,
            image=smaller(old.image, texels),
            normal_map=old.normal_map
            if old.normal_map is None
            else smaller(old.normal_map, texels),
            material=_smaller_material(old.material, texels),
        )

    def baked(self, mesh: Triangles, normals: Floats, texels: int) -> Texture | None:
        """All pictures anew, for a mesh near this one; None where it is in too many pieces."""
        # Of a picture that is much finer than the new one, a texel alone would be a matter of luck.
        known = replace(self, texture=self.texture_within(2 * texels))
        made = bake(mesh, normals, texels, known.colours)
        if made is None:
            return None
        material = known.texture.material
        if material.picture is not None:
            canvas = Canvas.of(mesh, made)
            picture = canvas.padded(canvas.asked(normals, known.materials, soft=False))
            material = replace(material, picture=picture)
        made = replace(made, material=material)
        finely = known.texture.normal_map is not None
        return with_normal_map(made, mesh, normals, known, always=finely, soft=not finely)

    def colours(self, points: Floats, facing: Floats) -> Floats:
        """Colours at places near the surface that face so: (n, 3), sRGB."""
        return self._seen(self.texture.image, *self._nearest(points, facing))

    def materials(self, points: Floats, facing: Floats) -> Floats:
        """What the material's picture has there: (n, 3)."""
        assert self.texture.material.picture is not None
        return self._seen(self.texture.material.picture, *self._nearest(points, facing))

    def at(self, points: Floats, facing: Floats) -> Floats:
        """Unit normals there, as the normal map bends them: (n, 3)."""
        face, share = self._nearest(points, facing)
        normal = _unit(_between(self.normals[self.mesh.faces[face]], share))
        relief = self.texture.normal_map
        if relief is None:
            return normal
        frames = self._frames[self.texture.faces[face]]
        right = _between(frames[:, :, :3], share)
        right = _unit(right - (right * normal).sum(axis=1, keepdims=True) * normal)
        up = np.cross(normal, right) * frames[:, 0, 3:]
        x, y, z = (2 * self._seen(relief, face, share) - 1).T
        return _unit(x[:, None] * right + y[:, None] * up + z[:, None] * normal)

    @cached_property
    def _frames(self) -> Floats:
        return tangents(self.mesh.vertices, self.normals, self.texture)

    @cached_property
    def _places(self) -> tuple[cKDTree, Indices, Floats]:
        face, share = places_on(self.mesh, PLACES)
        points = _between(self.mesh.vertices[self.mesh.faces[face]], share)
        return cKDTree(points), face, share

    def _nearest(self, points: Floats, facing: Floats) -> tuple[Indices, Floats]:
        """The face that lies nearest along each normal, and weights of its corners there."""
        points, facing = (np.ascontiguousarray(each, np.float32) for each in (points, facing))
        face = np.full(len(points), -1, np.int64)
        share = np.zeros((len(points), 3), np.float32)
        nearest = np.full(len(points), np.inf, np.float32)
        for way in (facing, -facing):
            along = np.full((len(points), 1), -LIFT, np.float32)
            asked = np.arange(len(points))
            for _ in range(2):  # behind the far side of a thin wall once more
                hit = self.scene.run(
                    points[asked] + along[asked] * way[asked], way[asked], query="INTERSECT",
                    output=1, dists=np.full(len(asked), REACH, np.float32),
                )  # fmt: skip
                there = hit["primID"] >= 0
                normal = self._facing[np.where(there, hit["primID"], 0)]
                alike = (normal * facing[asked]).sum(axis=1) > 0
                distance = along[asked, 0] + hit["tfar"]
                found = there & alike & (distance < nearest[asked])
                which = asked[found]
                u, v = hit["u"][found], hit["v"][found]
                face[which], nearest[which] = hit["primID"][found], distance[found]
                share[which] = np.stack([1 - u - v, u, v], axis=1)
                beyond = there & ~alike
                along[asked[beyond], 0] = distance[beyond] + np.float32(LIFT)
                asked = asked[beyond]
        lost = np.flatnonzero(face < 0)
        if len(lost):
            tree, faces, shares = self._places
            near = tree.query(points[lost], k=NEIGHBOURS, workers=-1)[1]
            alike = (self._facing[faces[near]] * facing[lost, None]).sum(axis=2) > 0
            which = near[np.arange(len(lost)), alike.argmax(axis=1)]
            face[lost], share[lost] = faces[which], shares[which]
        return face, share

    @cached_property
    def _facing(self) -> Floats:
        return face_normals(self.mesh)

    def _seen(self, image: Image8, face: Indices, share: Floats) -> Floats:
        """Of a picture, between its texels: (n, 3), from 0 to 1."""
        height, width = image.shape[:2]
        uv = _between(self.texture.uv[self.texture.faces[face]], share)
        place = np.stack([uv[:, 1] * height - 0.5, uv[:, 0] * width - 0.5])
        seen = [
            map_coordinates(image[..., k].astype(np.float32), place, order=1, mode="nearest")
            for k in range(3)
        ]
        return (np.stack(seen, axis=1) / 255).astype(np.float32)


def _smaller_material(material: Material, texels: int) -> Material:
    picture = material.picture
    return material if picture is None else replace(material, picture=smaller(picture, texels))


def _between(corners: Floats, share: Floats) -> Floats:
    between: Floats = (corners * share[:, :, None]).sum(axis=1).astype(np.float32)
    return between


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-20)
    return unit.astype(np.float32)
