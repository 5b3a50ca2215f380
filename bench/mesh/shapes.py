"""True shapes: Z up, longest side 0.94, centred.

A shape's name may hold a number: ``jug 12`` has a mouth of 12 % of its height, ``berries 5`` small
parts of 5 % of the large one's diameter, ``gap 1`` a gap of 1 % of a side, ``wheel 0.4`` spokes of
0.4 % of the diameter, ``bumps 6`` bumps of 6 % of the diameter.
"""

import manifold3d
import numpy as np
import numpy.typing as npt
import trimesh
from manifold3d import CrossSection, Manifold


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
    return _triangles(_mug())


def scene() -> trimesh.Trimesh:
    """A mug, a ball and a box on a floor 2.5 % of its length thick."""
    solid = _box((4.0, 2.6, 0.1), 0, 0, 0) + _mug().translate((-1.1, 0.3, 0.84))
    solid += Manifold.sphere(0.55, 96).translate((0.6, -0.5, 0.57))
    return _triangles(solid + _box((0.7, 0.5, 0.9), 1.4, 0.5, 0.49))


def _mug() -> Manifold:
    handle = _solid(trimesh.creation.torus(0.42, 0.07, major_sections=96, minor_sections=32))
    handle = handle.rotate((90, 0, 0)).translate((0.6, 0, 0))

    def cylinder(radius: float) -> Manifold:
        return Manifold.cylinder(1.6, radius, radius, 96, True)

    return cylinder(0.62) + (handle - cylinder(0.6)) - cylinder(0.56).translate((0, 0, 0.06))


def bowl() -> trimesh.Trimesh:
    """An open half sphere of no thickness at all."""
    ball = trimesh.creation.icosphere(5, 1.0)
    return trimesh.Trimesh(ball.vertices, ball.faces[ball.triangles_center[:, 2] < 0])


def two_parts() -> trimesh.Trimesh:
    """A ball over a box, apart."""
    ball = trimesh.creation.icosphere(4, 0.4).apply_translation([0, 0, 0.6])
    box = trimesh.creation.box([0.7, 0.5, 0.6]).apply_translation([0, 0, -0.4])
    return trimesh.util.concatenate([ball, box])


def berries(percent: float) -> trimesh.Trimesh:
    """A ball and six small ones around it, of so many percent of its diameter, 8 % away."""
    radius = 0.01 * percent
    ball = trimesh.creation.icosphere(5, 1.0)
    small = [
        trimesh.creation.icosphere(4, radius).apply_translation((1.16 + radius) * sign * axis)
        for axis in np.eye(3)
        for sign in (-1, 1)
    ]
    return trimesh.util.concatenate([ball, *small])


def bumps(percent: float) -> trimesh.Trimesh:
    """A ball with bumps and dents so many percent of its diameter apart, a fifteenth as high."""
    ball = trimesh.creation.icosphere(7, 1.0)
    waves = np.sin(100 * np.pi / percent * ball.vertices).prod(axis=1)
    high = 1 + 0.02 * percent / 15 * waves[:, None]
    return trimesh.Trimesh(ball.vertices * high, ball.faces)


_PROFILES = {
    "jug": [(0.26, 0.0), (0.34, 0.15), (0.36, 0.35), (0.30, 0.58), (None, 0.76), (None, 1.0)],
    "bottle": [(0.17, 0.0), (0.17, 0.5), (0.16, 0.58), (None, 0.74), (None, 1.0)],
    "vase": [(0.14, 0.0), (0.30, 0.3), (0.36, 0.6), (0.28, 0.86), (None, 0.96), (None, 1.0)],
}
"""Outer radius by height; the mouth's is put where there is none."""

WALL = 0.03
"""Of a vessel, in shares of its height."""


def vessel(kind: str, percent: float) -> trimesh.Trimesh:
    """A hollow jug, bottle or vase whose mouth is so many percent of its height wide."""
    mouth = 0.005 * percent
    points = [(mouth + WALL if r is None else r, z) for r, z in _PROFILES[kind]]
    r, z = np.array(points).T
    heights = np.linspace(0, 1, 60)
    radii = np.interp(heights, z, r)
    inner = np.maximum(radii - WALL, mouth)
    floor = np.searchsorted(heights, WALL)
    outline = [
        (0, 0), *zip(radii, heights, strict=True),
        *zip(inner[floor:][::-1], heights[floor:][::-1], strict=True), (0, heights[floor]),
    ]  # fmt: skip
    solid = Manifold.revolve(CrossSection([np.array(outline)]), 128)
    if kind == "jug":
        handle = _solid(trimesh.creation.torus(0.2, 0.025, major_sections=96, minor_sections=32))
        handle = handle.rotate((90, 0, 0)).translate((0.36, 0, 0.52))
        within = [(0, 0), *zip(radii - WALL / 2, heights, strict=True), (0, 1)]
        filled = Manifold.revolve(CrossSection([np.array(within)]), 128)
        solid += handle - filled
    return _triangles(solid)


def gap(percent: float) -> trimesh.Trimesh:
    """Two cubes with a gap of so many percent of a cube's side between them."""
    half = 0.5 + 0.005 * percent
    return _triangles(_box((1, 1, 1), -half, 0, 0) + _box((1, 1, 1), half, 0, 0))


def chain() -> trimesh.Trimesh:
    """Five links that hang in one another, 1 % of the length apart at the least."""
    ring, tube, apart = 0.14, 0.024, 0.01
    links = []
    for k in range(5):
        link = trimesh.creation.torus(ring, tube, major_sections=96, minor_sections=32)
        if k % 2:
            link.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
        links.append(link.apply_translation([k * (2 * ring - 2 * tube - apart), 0, 0]))
    return trimesh.util.concatenate(links)


def wheel(percent: float) -> trimesh.Trimesh:
    """24 spokes of so many percent of the diameter between a hub and a rim: 24 handles."""
    thick = 0.01 * percent
    solid = Manifold.cylinder(0.08, 0.15, 0.15, 96, True)
    solid += _solid(trimesh.creation.torus(0.47, 0.03, major_sections=192, minor_sections=32))
    for k in range(24):
        spoke = _box((0.36, thick, thick), 0.30, 0, 0)
        solid += spoke.rotate((0, 0, 15.0 * k))
    return _triangles(solid)


def build(name: str) -> trimesh.Trimesh:
    """Make a shape by its name, such as those of `NAMES`."""
    kind, _, number = name.rpartition(" ")
    if kind == "berries":
        mesh = berries(float(number))
    elif kind == "bumps":
        mesh = bumps(float(number))
    elif kind in _PROFILES:
        mesh = vessel(kind, float(number))
    elif kind == "gap":
        mesh = gap(float(number))
    elif kind == "wheel":
        mesh = wheel(float(number))
    else:
        mesh = {
            "sphere": lambda: trimesh.creation.icosphere(5, 1.0),
            "torus": lambda: trimesh.creation.torus(
                1.0, 0.35, major_sections=128, minor_sections=64
            ),
            "chair": chair,
            "mug": mug,
            "scene": scene,
            "two parts": two_parts,
            "bowl": bowl,
            "chain": chain,
        }[name]()
    mesh.apply_translation(-mesh.bounds.mean(axis=0))
    mesh.apply_scale(0.94 / mesh.extents.max())
    return mesh


NAMES = (
    "sphere", "torus", "chair", "mug", "two parts", "bowl", "chain", "scene",
    "wheel 1.8", "wheel 0.4",
    *(f"berries {percent}" for percent in (14, 5)),
    *(f"bumps {percent}" for percent in (4, 6, 12)),
    *(f"{kind} {percent}" for kind in _PROFILES for percent in (8, 12, 18, 26)),
    *(f"gap {percent}" for percent in (0.6, 1, 1.8, 2.7)),
)  # fmt: skip


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
