"""Colours at vertices and in the texture."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import trimesh
from PIL import Image, ImageDraw
from scipy import sparse
from scipy.sparse import csgraph

from gen3d_mesh import colour
from gen3d_mesh import texture as texture_module
from gen3d_mesh.clean import clean
from gen3d_mesh.coloured_mesh import Texture
from gen3d_mesh.repair import vertex_normals
from gen3d_mesh.shell import find_shell
from gen3d_mesh.simplify import simplify
from gen3d_mesh.solid import find_solid
from gen3d_mesh.splat import joined
from gen3d_mesh.surface import extract
from gen3d_mesh.texture import CELL, NARROW, bake, face_neighbours, paint

from .conftest import BLUE, RED, THINNEST, cloud, sphere, torus, triangles, two_parts

# Colour


def test_colour_of_a_thin_wall_does_not_bleed_through() -> None:
    inner = trimesh.creation.icosphere(4, radius=0.48)
    inner.invert()
    points = [trimesh.sample.sample_surface(s, 40_000, seed=1)[0] for s in (sphere(), inner)]
    one = cloud(sphere())
    splat = joined(
        replace(one, centers=points[0].astype(np.float32), colors=one.colors * 0 + 1),
        replace(one, centers=points[1].astype(np.float32), colors=one.colors * 0),
    )
    # A slit, so that the flood reaches both sides of the wall.
    splat = splat.take(splat.centers[:, 2] < 0.3)
    cleaned = clean(splat)
    solid = find_solid(cleaned.splat, 140, 0.01)
    shell = find_shell(cleaned.splat, solid, cleaned.spacing, THINNEST)
    rays = sphere().vertices[sphere().vertices[:, 2] < 0.1].astype(np.float32)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    center, size = cleaned.frame.center.astype(np.float32), np.float32(cleaned.frame.size)
    outside = colour.blend(shell, (rays * 0.5 - center) / size, rays, cleaned.spacing)
    inside = colour.blend(shell, (rays * 0.48 - center) / size, -rays, cleaned.spacing)
    assert np.median(outside) > 0.95
    assert np.median(inside) < 0.05


def test_colour_where_no_gaussian_is_near_is_the_nearest() -> None:
    cleaned = clean(cloud(sphere()))
    solid = find_solid(cleaned.splat, 112, 0.01)
    shell = find_shell(cleaned.splat, solid, cleaned.spacing, THINNEST)
    above = np.array([[0, 0, 0.9]], np.float32)
    colors = colour.blend(shell, above, np.array([[0, 0, 1]], np.float32), cleaned.spacing)
    np.testing.assert_allclose(colors[0], [0.85, 0.2, 0.2], atol=0.01)


def test_colour_takes_noise_out_but_keeps_edges() -> None:
    one = cloud(sphere(), 60_000)
    noise = np.random.default_rng(3).normal(0, 0.03, one.colors.shape)
    cleaned = clean(replace(one, colors=(one.colors + noise).astype(np.float32)))
    solid = find_solid(cleaned.splat, 140, 0.01)
    shell = find_shell(cleaned.splat, solid, cleaned.spacing, THINNEST)
    points = trimesh.sample.sample_surface(sphere(), 20_000, seed=4)[0].astype(np.float32)
    center, size = cleaned.frame.center.astype(np.float32), np.float32(cleaned.frame.size)
    blended = colour.blend(shell, (points - center) / size, 2 * points, cleaned.spacing)
    flat = np.abs(points[:, 2]) > 2 * cleaned.spacing
    true = np.where(points[:, 2:] > 0, RED, BLUE)
    assert (blended - true)[flat].std() < 0.008
    beside = (np.abs(points[:, 2]) < cleaned.spacing) & (
        np.abs(points[:, 2]) > 0.3 * cleaned.spacing
    )
    assert np.abs(blended - true)[beside].mean() < 0.03


def areas(texture: Texture) -> tuple[float, float]:
    """Sum of the faces' areas in a texture, and the area they cover: less, where they overlap."""
    corners = texture.uv[texture.faces].astype(float)
    a, b, c = corners.transpose(1, 0, 2)
    picture = Image.new("1", (1024, 1024))
    for face in 1024 * corners:
        ImageDraw.Draw(picture).polygon([tuple(p) for p in face], fill=1)
    doubled = np.linalg.det(np.stack([b - a, c - a], axis=1))
    return float(np.abs(doubled).sum() / 2), float(np.asarray(picture).mean())


def charts(texture: Texture) -> npt.NDArray[np.int32]:
    """The chart of each face: those that share texture vertices."""
    ends = np.concatenate([texture.faces[:, :2], texture.faces[:, 1:]])
    edges = sparse.csr_array((np.ones(len(ends)), ends.T), shape=(len(texture.uv),) * 2)
    number: npt.NDArray[np.int32] = csgraph.connected_components(edges, directed=False)[1]
    return number[texture.faces[:, 0]]


def shared_cells(
    texture: Texture, chart: npt.NDArray[np.int32], width_of_cell: int = CELL
) -> set[tuple[int, ...]]:
    """Cells that corners of faces of several charts lie in."""
    height, width = texture.image.shape[:2]
    cells = (texture.uv[texture.faces] * (width, height) // width_of_cell).astype(int)
    found: dict[tuple[int, ...], set[int]] = {}
    for its_chart, corners in zip(chart.tolist(), cells.tolist(), strict=True):
        for cell in corners:
            found.setdefault(tuple(cell), set()).add(its_chart)
    return {cell for cell, theirs in found.items() if len(theirs) > 1}


@pytest.mark.parametrize("shape", [sphere(), torus(), two_parts()], ids=["sphere", "torus", "two"])
def test_texture_covers_each_face_once(shape: trimesh.Trimesh) -> None:
    cleaned = clean(cloud(shape))
    solid = find_solid(cleaned.splat, 112, 0.01)
    shell = find_shell(cleaned.splat, solid, cleaned.spacing, THINNEST)
    mesh = simplify(extract(shell, solid, 1 / 112), 5000)
    texture = paint(mesh, vertex_normals(mesh), shell, cleaned.spacing, 256)
    assert texture is not None
    np.testing.assert_array_equal(texture.vertices[texture.faces], mesh.faces)
    assert texture.uv.min() > 0
    assert texture.uv.max() < 1

    area, covered = areas(texture)
    assert area < 1.02 * covered
    assert area > 0.5
    chart = charts(texture)
    assert chart.max() < 30
    assert not shared_cells(texture, chart)

    height, width = texture.image.shape[:2]
    middle = (texture.uv[texture.faces].mean(axis=1) * (width, height)).astype(int)
    shown = texture.image[middle[:, 1], middle[:, 0]] / 255
    height = mesh.vertices[mesh.faces].mean(axis=1)[:, 2]
    np.testing.assert_allclose(np.median(shown[height > 0.05], axis=0), RED, atol=0.02)
    np.testing.assert_allclose(np.median(shown[height < -0.05], axis=0), BLUE, atol=0.02)


def test_few_round_charts_are_cut_where_that_fills_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pebble = trimesh.creation.icosphere(4)
    pebble.apply_scale((1, 0.8, 0.35))
    mesh = triangles(pebble)

    def covered() -> float:
        texture = bake(mesh, vertex_normals(mesh), 1024, lambda points, _: np.zeros_like(points))
        assert texture is not None
        return areas(texture)[1]

    better = covered()
    monkeypatch.setattr(texture_module, "FULL", 0)
    assert better > covered() + 0.01


def test_rods_that_lie_askew_are_charts_like_any_others() -> None:
    def texture_of(turn: float) -> Texture:
        rod = trimesh.creation.box((1, 0.03, 0.03)).subdivide_to_size(0.02)
        rod.apply_transform(trimesh.transformations.rotation_matrix(turn, (0, 0, 1)))
        mesh = triangles(rod)
        made = bake(mesh, vertex_normals(mesh), 512, lambda points, _: np.zeros_like(points))
        assert made is not None
        return made

    straight, askew = texture_of(0), texture_of(0.6)
    assert charts(askew).max() <= charts(straight).max()
    assert areas(askew)[1] > 0.85 * areas(straight)[1]


def spiral_stair(turns: float = 2.5, steps: int = 60) -> trimesh.Trimesh:
    """A closed ramp that winds over itself: one patch facing up, several storeys high."""
    angle = np.linspace(0, 2 * np.pi * turns, steps)
    height = 0.12 * angle / np.pi
    rings = np.stack(
        [
            np.stack([r * np.cos(angle), r * np.sin(angle), height + z], axis=1)
            for r, z in ((0.2, 0), (0.45, 0), (0.45, 0.08), (0.2, 0.08))
        ],
        axis=1,
    )
    k = np.arange(4 * steps).reshape(steps, 4)
    a, b = k[:-1], k[1:]
    c, d = np.roll(b, -1, axis=1), np.roll(a, -1, axis=1)
    sides = np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)])
    caps = [[0, 1, 2], [0, 2, 3], k[-1, [2, 1, 0]], k[-1, [3, 2, 0]]]
    shape = trimesh.Trimesh(rings.reshape(-1, 3), np.concatenate([sides.reshape(-1, 3), caps]))
    shape.fix_normals()
    return shape


def test_texture_keeps_storeys_apart() -> None:
    shape = spiral_stair()
    assert shape.is_watertight
    mesh = triangles(shape)
    ball = clean(cloud(sphere()))
    shell = find_shell(ball.splat, find_solid(ball.splat, 112, 0.01), ball.spacing, THINNEST)
    texture = paint(mesh, vertex_normals(mesh), shell, ball.spacing, 256)
    assert texture is not None
    area, covered = areas(texture)
    assert area < 1.02 * covered


def test_charts_of_thin_rings_fill_the_picture_in_narrower_cells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are few texels wide, and cells of `CELL` would leave a half of it empty."""
    ring = trimesh.creation.torus(0.4, 0.06, major_sections=96, minor_sections=24)
    away = ring.copy().apply_translation([0.1, 0.1, 0.3])
    mesh = triangles(trimesh.util.concatenate([ring, away]))

    def grey() -> Texture:
        texture = bake(mesh, vertex_normals(mesh), 256, lambda places, _: 0 * places)
        assert texture is not None
        return texture

    texture = grey()
    area, covered = areas(texture)
    with monkeypatch.context() as patch:
        patch.setattr(texture_module, "WAYS", texture_module.WAYS[:1])
        assert covered > areas(grey())[1] + 0.05
    assert area < 1.02 * covered
    chart = charts(texture)
    assert chart.max() < 200
    assert not shared_cells(texture, chart, NARROW)
    canvas = texture_module.Canvas.of(mesh, texture)
    height, width = texture.image.shape[:2]
    assert canvas.cells.shape == (height // NARROW, width // NARROW)


def test_colours_fill_the_cells_of_their_chart_first() -> None:
    colors = np.zeros((CELL, 3 * CELL, 3), np.float32)
    painted = np.zeros(colors.shape[:2], bool)
    for x, shade in ((0, 100), (CELL, 200)):  # of two charts, whose cells touch
        colors[0, x], painted[0, x] = shade / 255, True
    image = texture_module._pad(colors, painted, np.array(2 * [[4, 4, 7, 7, -1, -1]], np.int32))
    assert (image[:, :CELL] == 100).all()
    assert (image[:, CELL:] == 200).all()


def test_a_picture_with_fewer_cells_than_pieces_is_none() -> None:
    mesh = triangles(sphere())
    ball = clean(cloud(sphere()))
    shell = find_shell(ball.splat, find_solid(ball.splat, 112, 0.01), ball.spacing, THINNEST)
    for size in (2 * CELL, CELL - 1):
        assert paint(mesh, vertex_normals(mesh), shell, ball.spacing, size) is None
    rounded = paint(mesh, vertex_normals(mesh), shell, ball.spacing, 12 * CELL + 5)
    assert rounded is not None
    assert rounded.image.shape[1] == 12 * CELL


def test_face_neighbours_share_an_edge() -> None:
    mesh = triangles(torus())
    across = mesh.faces[face_neighbours(mesh.faces, len(mesh.vertices))]
    for k in range(3):
        shared = (mesh.faces[:, :, None] == across[:, k][:, None, :]).any(axis=2).sum(axis=1)
        assert (shared == 2).all()
