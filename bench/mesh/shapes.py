"""True shapes: Z up, longest side 0.94, centred."""

import manifold3d
import numpy as np
import numpy.typing as npt
import trimesh
from manifold3d import Manifold


def _solid(mesh: trimesh.Trimesh) -> Manifold:
    vertices, faces = np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.uint32)
    return Manifold(manifold3d.Mesh(vertices, faces))


def _triangles(solid: Manifold) -> trimesh.Trimesh:
    mesh = solid.to_mesh()
    return trimesh.Trimesh(mesh.vert_properties[:, :3], mesh.tri_verts, process=True)


def _box(size: tuple[float, float, float], x: float, y: float, z: float) -> Manifold:
    return Manifold.cube(size, True).translate((x, y, z))


def chair() -> trimesh.Trimesh:
    """Slats, stretchers and legs 1–3 % of the height thick; seven handles."""
    solid = _box((1, 1, 0.06), 0, 0, 0)
    for x in (-0.46, 0.46):
        solid += _box((0.06, 0.06, 1.2), x, 0.46, 0.6) + _box((0.03, 0.92, 0.03), x, 0, -0.6)
        for y in (-0.46, 0.46):
            solid += _box((0.06, 0.06, 1.0), x, y, -0.5)
    for z in (0.3, 0.6, 0.9, 1.15):
        solid += _box((0.98, 0.03, 0.09), 0, 0.46, z)
    return _triangles(solid + _box((0.92, 0.03, 0.03), 0, 0, -0.6))


def mug() -> trimesh.Trimesh:
    """A wall 4 % thick, an open cavity and a handle."""
    handle = _solid(trimesh.creation.torus(0.42, 0.07, major_sections=96, minor_sections=32))
    handle = handle.rotate((90, 0, 0)).translate((0.6, 0, 0))

    def cylinder(radius: float) -> Manifold:
        return Manifold.cylinder(1.6, radius, radius, 96, True)

    solid = cylinder(0.62) + (handle - cylinder(0.6)) - cylinder(0.56).translate((0, 0, 0.06))
    return _triangles(solid)


def bowl() -> trimesh.Trimesh:
    """An open half sphere of no thickness at all."""
    ball = trimesh.creation.icosphere(5, 1.0)
    return trimesh.Trimesh(ball.vertices, ball.faces[ball.triangles_center[:, 2] < 0])


def two_parts() -> trimesh.Trimesh:
    """A ball over a box, apart."""
    ball = trimesh.creation.icosphere(4, 0.4).apply_translation([0, 0, 0.6])
    box = trimesh.creation.box([0.7, 0.5, 0.6]).apply_translation([0, 0, -0.4])
    return trimesh.util.concatenate([ball, box])


def build(name: str) -> trimesh.Trimesh:
    """Make one of `NAMES`."""
    mesh = {
        "sphere": lambda: trimesh.creation.icosphere(5, 1.0),
        "torus": lambda: trimesh.creation.torus(1.0, 0.35, major_sections=128, minor_sections=64),
        "chair": chair,
        "mug": mug,
        "two parts": two_parts,
        "bowl": bowl,
    }[name]()
    mesh.apply_translation(-mesh.bounds.mean(axis=0))
    mesh.apply_scale(0.94 / mesh.extents.max())
    return mesh


NAMES = ("sphere", "torus", "chair", "mug", "two parts", "bowl")


def albedo(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """True sRGB colour in [0, 1] at `points` (n, 3): waves under a checker of a tenth."""
    x, y, z = points.T
    waves = np.stack(
        [
            0.5 + 0.38 * np.sin(9 * x + 2 * z),
            0.5 + 0.38 * np.sin(11 * y + 1),
            0.5 + 0.38 * np.sin(13 * z - 2 * x),
        ],
        axis=1,
    )
    dark = np.floor(points * 10).sum(axis=1).astype(int) % 2 == 0
    colors: npt.NDArray[np.float64] = np.clip(waves * np.where(dark, 0.55, 1)[:, None], 0, 1)
    return colors
