"""Bake a finer surface's normals onto a simplified mesh, where that shows.

Normals of a splat's surface are noisy, more so than those of the fewer, larger faces that are made
of it. So they are blended over some voxels, and a map is made only where they then differ from the
mesh's own by more than noise does: where nothing was lost, nothing is written.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from gen3d_mesh import cell_kernels
from gen3d_mesh.cells import Cells
from gen3d_mesh.coloured_mesh import Texture, tangents
from gen3d_mesh.repair import face_normals, vertex_normals
from gen3d_mesh.splat import Floats
from gen3d_mesh.surface import Triangles
from gen3d_mesh.texture import Canvas

REACH = 3.0
"""Voxels over which normals are blended."""

SHOWS = 6.0
"""Degrees, root mean square over the surface, by which normals have to differ. A smooth ball's
differ by 2.3 at 5,000 faces, those of 23 of the bench's clouds at `standard` by 3.7 at most, which
is noise, and none of 23 at `fine` reaches this (bench/mesh/RESULTS.md)."""

PROBES = 10_000
"""Faces at most in whose middle is looked whether a map shows."""


class Surface(Protocol):
    """What a map is baked from."""

    def at(self, points: Floats, facing: Floats) -> Floats:
        """Unit normals (n, 3) near `points`, of what faces the way of `facing`."""
        ...


@dataclass(frozen=True)
class Relief:
    """A dense surface's normals, to be asked near it.

    Attributes
    ----------
    vertices, normals : (n, 3) float32
        Sorted as `cells` wants them.
    cells : Cells
    radius : float
        Of what is blended.
    """

    vertices: Floats
    normals: Floats
    cells: Cells
    radius: float

    @classmethod
    def of(cls, dense: Triangles, voxel: float) -> "Relief":
        """Of a surface that was taken from a grid of such voxels."""
        radius = REACH * voxel
        cells, order = Cells.sort(dense.vertices, radius)
        return cls(dense.vertices[order], vertex_normals(dense)[order], cells, radius)

    def at(self, points: Floats, facing: Floats) -> Floats:
        """Unit normals (n, 3) of what is near `points` and faces the same way."""
        cells = self.cells
        blended, total = cell_kernels.blend_colors(
            self.vertices, cells.start, cells.origin, cells.size, self.normals, self.normals,
            np.ones(len(self.vertices), np.float32), points, facing, np.float32(self.radius),
            cells.order(points),
        )  # fmt: skip
        return _unit(np.where(total[:, None] > 0, blended, facing))


def with_normal_map(
    texture: Texture, mesh: Triangles, normals: Floats, relief: Surface, *, always: bool = False,
    soft: bool = True,
) -> Texture:  # fmt: skip
    """Give a texture a normal map, if it shows.

    Parameters
    ----------
    texture : Texture
        As `gen3d_mesh.texture.bake` made it.
    mesh : Triangles
        In the unit frame.
    normals : (n, 3) float32
        Of its vertices.
    relief : Surface
        That it was made from.
    always : bool
        Make one whether it shows or not.
    soft : bool
        Whether normals hold little that is narrower than some texels; see `bake`.
    """
    if not always and difference(mesh, normals, relief) < SHOWS:
        return texture
    canvas = Canvas.of(mesh, texture)
    world = canvas.asked(normals, lambda *place: _shades(relief.at(*place)), soft=soft)
    painted = canvas.painted
    frames = tangents(mesh.vertices, normals, texture)
    texels = np.flatnonzero(painted)
    normal = _unit(canvas.between(normals, texels))
    right = canvas.between(np.ascontiguousarray(frames[:, :3]), texels, texture.faces)
    right = _unit(right - (right * normal).sum(axis=1, keepdims=True) * normal)
    side = frames[texture.faces[canvas.owner[painted], 0], 3]
    up = np.cross(normal, right) * side[:, None]
    shown = _unit(2 * world[painted] - 1)
    image = np.zeros_like(world)
    image[painted] = np.stack([(shown * way).sum(axis=1) for way in (right, up, normal)], axis=1)
    return replace(texture, normal_map=canvas.padded(_shades(image)))


def difference(mesh: Triangles, normals: Floats, relief: Surface) -> float:
    """Angle between a mesh's normals and a relief's, root mean square over the area, in degrees."""
    step = -(-len(mesh.faces) // PROBES)
    corners = mesh.faces[::step]
    points = mesh.vertices[corners].mean(axis=1)
    normal = _unit(normals[corners].sum(axis=1))
    cosine = (normal * relief.at(points, normal)).sum(axis=1).clip(-1, 1)
    area = np.linalg.norm(face_normals(Triangles(mesh.vertices, corners)), axis=1)
    return float(np.degrees(np.sqrt(np.average(np.arccos(cosine) ** 2, weights=area))))


def _shades(vectors: Floats) -> Floats:
    """Of -1 to 1, as a picture has them: 0 to 1."""
    shades: Floats = vectors * np.float32(0.5) + np.float32(0.5)
    return shades


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-20)
    return unit.astype(np.float32)
