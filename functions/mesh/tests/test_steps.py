"""Each step by itself, on arrays whose answer is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import trimesh
from scipy.spatial import cKDTree

from gen3d.errors import EmptySurface, Gen3DError, InvalidSplat
from gen3d_mesh.cells import Cells
from gen3d_mesh.clean import clean
from gen3d_mesh.repair import drop_specks, is_closed, parts, taubin, vertex_normals
from gen3d_mesh.sample import ball
from gen3d_mesh.shell import find_shell
from gen3d_mesh.shell_kernels import shortest_axis
from gen3d_mesh.simplify import simplify
from gen3d_mesh.solid import Grid, Parts, Solid, fill, find_solid, seal
from gen3d_mesh.splat import Floats, Splat, joined
from gen3d_mesh.surface import Triangles, extract

from .conftest import THINNEST, bowl, cloud, made, sphere, torus, triangles, two_parts

# Clean


def test_clean_brings_to_the_unit_frame_and_back() -> None:
    splat = ball(5000)
    moved = replace(splat, centers=splat.centers * 40 + np.array([5, -3, 100], np.float32))
    cleaned = clean(replace(moved, scales=moved.scales * 40))
    low, high = cleaned.splat.centers.min(axis=0), cleaned.splat.centers.max(axis=0)
    assert (high - low).max() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(low + high, 0, atol=1e-5)
    back = cleaned.splat.centers * cleaned.frame.size + cleaned.frame.center
    distance, _ = cKDTree(moved.centers).query(back)
    assert distance.max() < 1e-4


def test_clean_drops_haze_strays_and_the_broken() -> None:
    splat = ball(20_000)
    n = 40
    rng = np.random.default_rng(0)
    far = replace(splat.take(np.arange(n)), centers=np.full((n, 3), 1e30, np.float32))
    stray = replace(
        splat.take(np.arange(n)), centers=rng.uniform(0.7, 0.9, (n, 3)).astype(np.float32)
    )
    broken = replace(splat.take(np.arange(n)), centers=np.full((n, 3), np.nan, np.float32))
    sizeless = replace(splat.take(np.arange(n)), scales=np.full((n, 3), np.nan, np.float32))
    colourless = replace(splat.take(np.arange(n)), colors=np.full((n, 3), np.nan, np.float32))
    clear = replace(splat.take(np.arange(n)), opacities=np.full(n, 0.01, np.float32))
    haze = replace(splat.take(np.arange(n)), scales=np.full((n, 3), 0.3, np.float32))
    cleaned = clean(joined(splat, far, stray, broken, sizeless, colourless, clear, haze))
    assert len(cleaned.splat) == pytest.approx(20_000, abs=30)
    assert cleaned.frame.size == pytest.approx(1, abs=0.01)


def with_a_part_far_out() -> Splat:
    """A ball, and a hundredth as much beyond the box that holds nearly all."""
    splat = ball(20_000)
    part = splat.take(np.arange(100))
    offset = np.array([0.9, 0, 0], np.float32)
    return joined(splat, replace(part, centers=part.centers * np.float32(0.1) + offset))


@pytest.mark.parametrize("splat", [ball(20_000), with_a_part_far_out()], ids=["ball", "far part"])
def test_spacing_is_the_distance_to_the_eighth_neighbour(splat: Splat) -> None:
    cleaned = clean(splat)
    distance, _ = cKDTree(cleaned.splat.centers).query(cleaned.splat.centers, k=9)
    assert cleaned.spacing == pytest.approx(np.median(distance[:, 8]), rel=0.1)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda s: s.take(np.arange(1)), EmptySurface, "Of 1 gaussians 1 can"),
        (lambda s: replace(s, opacities=s.opacities * 0), EmptySurface, "gaussians 0 can"),
        (
            lambda s: replace(s, centers=s.centers * np.float32(np.nan)),
            EmptySurface,
            "gaussians 0 can",
        ),
        (lambda s: replace(s, centers=s.centers * 0), EmptySurface, "in one point"),
        (
            lambda s: replace(s, centers=s.centers * np.array([1, 1, 0], np.float32)),
            EmptySurface,
            "in a plane or on a line",
        ),
        (
            lambda s: replace(s, centers=s.centers * np.array([1, 0, 0], np.float32)),
            EmptySurface,
            "in a plane or on a line",
        ),
        (
            lambda s: replace(s, centers=s.centers * np.float32(1e30)),
            InvalidSplat,
            "out of bounds: the file is damaged",
        ),
        (lambda s: replace(s, scales=s.scales * 1000), EmptySurface, "gaussians 0 can"),
        (
            lambda s: replace(s, centers=s.centers * (np.arange(2000) % 5 < 2)[:, None]),
            EmptySurface,
            "in one spot",
        ),
    ],
    ids=["one", "transparent", "nan", "point", "plane", "line", "huge", "haze", "spot"],
)
def test_clean_refuses_what_has_no_surface(
    change: Callable[[Splat], Splat], error: type[Gen3DError], words: str
) -> None:
    with pytest.raises(error, match=words):
        clean(change(ball(2000)))


def test_cells_count_like_a_tree() -> None:
    points = ball(3000).centers
    cells, order = Cells.sort(points, 0.05)
    counted = cells.count(points[order], points, 0.05)
    expected = cKDTree(points).query_ball_point(points, 0.05, return_length=True)
    np.testing.assert_array_equal(counted, expected)


# Solid


def test_solid_is_the_shape_give_or_take_two_voxels() -> None:
    cleaned = clean(cloud(torus()))
    solid = find_solid(cleaned.splat, 112, 0.01)
    index = np.moveaxis(np.indices(solid.mask.shape), 0, -1)
    x, y, z = np.moveaxis(index * solid.grid.voxel + solid.grid.origin, -1, 0)
    x, y, z = (c * cleaned.frame.size for c in (x, y, z))
    distance = np.hypot(np.hypot(x, y) - 0.35, z) - 0.13
    two = 2 * solid.grid.voxel
    assert solid.mask[distance < 0].all()
    assert not solid.mask[distance > two].any()


def test_seal_finds_a_pocket_with_a_hole_but_no_bowl() -> None:
    x, y, z = np.mgrid[-1:1:100j, -1:1:100j, -1:1:100j]
    r = np.sqrt(x * x + y * y + z * z)
    shell = (r > 0.75) & (r < 0.8)
    holed = shell & (np.hypot(x, y) > 0.12)
    bowl = shell & (z < 0)
    inner = r < 0.6
    assert seal(holed, 80)[inner].mean() > 0.95
    assert not seal(bowl, 80).any()


def shells(*layers: tuple[float, float], mouth: float) -> npt.NDArray[np.bool_]:
    """Spheres between two radii each, in 96 voxels, with a hole of so many along +x."""
    x, y, z = np.indices((96, 96, 96)) - 47.5
    distance = np.sqrt(x * x + y * y + z * z)
    walls = np.any([(distance > low) & (distance < high) for low, high in layers], axis=0)
    opened: npt.NDArray[np.bool_] = walls & ~((np.hypot(y, z) < mouth) & (x > 0))
    return opened


@pytest.mark.parametrize(
    "wall",
    [
        pytest.param([(29, 37)], id="sides that touch"),
        pytest.param([(28, 31), (36, 39)], id="sides apart"),
        pytest.param([(18, 21), (36, 39)], id="a thick wall"),
    ],
)
def test_seal_leaves_a_vessel_open_and_shuts_a_solid(wall: list[tuple[float, float]]) -> None:
    """A vessel's wall has two sides; round a solid there is one, with haze behind it."""
    haze = np.random.default_rng(0).random((96, 96, 96)) < 0.002
    assert not seal(shells(*wall, mouth=7), 80)[48, 48, 48]
    assert seal(shells((37, 39), mouth=7), 80)[48, 48, 48]
    assert seal(shells((37, 39), mouth=7) | haze, 80)[40:56, 40:56, 40:56].mean() > 0.9


def jug(wall: float) -> trimesh.Trimesh:
    """A round jug of height 1 with a neck 10 % wide inside."""
    height = np.linspace(0, 1, 80)
    inner = np.interp(height, [0, 0.1, 0.4, 0.7, 1], [0.2, 0.3, 0.3, 0.05, 0.05])
    outer = list(zip(inner + wall, height, strict=True))
    cavity = [(r, z) for r, z in zip(inner, height, strict=True) if z > wall]
    outline = [(0, 0), *outer, *cavity[::-1], (0, cavity[0][1])]
    return trimesh.creation.revolve(np.array(outline), sections=64)


def test_a_jug_of_narrow_mouth_is_hollow(tmp_path: Path) -> None:
    shape = jug(0.03)
    splat = cloud(shape, 60_000)
    coloured, figures = made(tmp_path, splat)
    assert figures.watertight
    assert figures.components == 1
    volume = trimesh.Trimesh(coloured.positions, coloured.mesh.faces).volume
    assert volume == pytest.approx(shape.volume, rel=0.1)


def test_flood_does_not_enter_by_a_pinhole() -> None:
    box = np.zeros((40, 40, 40), bool)
    box[10:30, 10:30, 10:30] = True
    box[12:28, 12:28, 12:28] = False
    box[20, 20, 28:30] = False
    assert fill(box)[20, 20, 20]
    assert not fill(box)[5, 5, 5]


# Shell


def test_shell_drops_the_inner_and_points_outward() -> None:
    outer = cloud(sphere())
    rng = np.random.default_rng(0)
    inner = replace(
        outer.take(np.arange(4000)), centers=rng.uniform(-0.2, 0.2, (4000, 3)).astype(np.float32)
    )
    cleaned = clean(joined(outer, inner))
    shell = find_shell(
        cleaned.splat, find_solid(cleaned.splat, 112, 0.01), cleaned.spacing, THINNEST
    )
    radius = np.linalg.norm(shell.splat.centers, axis=1)
    assert radius.min() > 0.4
    assert len(shell.splat) > 0.97 * len(outer)
    outward = (shell.normals * shell.splat.centers).sum(axis=1) / radius
    assert np.quantile(outward, 0.01) > 0.95


@pytest.mark.parametrize(("shape", "degrees"), [(sphere(), 2.2), (torus(), 2.9)])
def test_flat_gaussians_say_more_of_a_normal_than_the_solid(
    shape: trimesh.Trimesh, degrees: float
) -> None:
    """The solid's descent alone, smoothed over voxels, is off by 3.1 and by 3.5 degrees."""
    splat = cloud(shape)
    _, faces = trimesh.sample.sample_surface(shape, len(splat), seed=1)
    normals = shape.face_normals[faces].astype(np.float32)
    turned = np.stack(
        [1 + normals[:, 2], -normals[:, 1], normals[:, 0], np.zeros(len(splat))], axis=1
    )  # brings Z to the normal
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    flat = (splat.scales * np.array([1, 1, 0.1])).astype(np.float32)
    cleaned = clean(replace(splat, scales=flat, rotations=turned.astype(np.float32)))
    shell = find_shell(
        cleaned.splat, find_solid(cleaned.splat, 112, 0.01), cleaned.spacing, THINNEST
    )
    back = shell.splat.centers * cleaned.frame.size + cleaned.frame.center
    true = normals[cKDTree(splat.centers).query(back)[1]]
    cosines = np.clip((shell.normals * true).sum(axis=1), -1, 1)
    assert np.degrees(np.arccos(cosines)).mean() < degrees


def test_only_what_has_two_sides_close_by_is_a_sheet() -> None:
    leaf, aside = cloud(bowl(), noise=0.002), np.array([1.2, 0, 0], np.float32)
    leaf = replace(leaf, centers=leaf.centers + aside)
    cleaned = clean(joined(cloud(sphere(), noise=0.002), leaf))
    solid = find_solid(cleaned.splat, 172, 0.01)
    shell = find_shell(cleaned.splat, solid, cleaned.spacing, THINNEST)
    on_ball = (
        shell.splat.centers[:, 0] < shell.splat.centers[:, 0].min() + 1.05 / cleaned.frame.size
    )
    assert not shell.halves[on_ball].any()
    assert (shell.halves[~on_ball] > 0).mean() > 0.95

    def off(points: Floats) -> float:
        """How far the leaf's points lie from the true sheet, in the mean."""
        from_center = points[~on_ball] * cleaned.frame.size + cleaned.frame.center - aside
        return float(np.abs(np.linalg.norm(from_center, axis=1) - 0.5).mean())

    assert off(shell.feet) < 0.9 * off(shell.splat.centers)


def test_shortest_axis_follows_the_rotation() -> None:
    splat = replace(
        ball(2),
        scales=np.array([[1, 2, 3], [3, 2, 1]], np.float32),
        rotations=np.array([[0.5**0.5, 0, 0, 0.5**0.5], [0.5**0.5, 0.5**0.5, 0, 0]], np.float32),
    )
    # A quarter turn about z takes x to y; one about x takes z to -y.
    axes = [shortest_axis(*of) for of in zip(splat.scales, splat.rotations, strict=True)]
    np.testing.assert_allclose(axes, [[0, 1, 0], [0, -1, 0]], atol=1e-6)


# Surface, repair, simplify


def test_surface_lies_on_the_gaussians() -> None:
    cleaned = clean(cloud(sphere()))
    solid = find_solid(cleaned.splat, 112, 0.01)
    mesh = extract(find_shell(cleaned.splat, solid, cleaned.spacing, THINNEST), solid, 1 / 112)
    radius = np.linalg.norm(mesh.vertices * cleaned.frame.size, axis=1)
    assert np.abs(radius - 0.5).max() < 0.005
    assert is_closed(mesh)


def test_specks_go_and_parts_stay() -> None:
    """A part with a thousandth of the area stays: it is a piece of the solid's, not a speck."""
    speck = trimesh.creation.icosphere(1, radius=0.02).apply_translation([0.2, 0, 0.1])
    small = trimesh.creation.icosphere(2, radius=0.01).apply_translation([-0.4, 0, 0])
    shape = trimesh.util.concatenate([two_parts(), small])
    grid = Grid.around(np.array(shape.bounds, np.float32), 100)
    mask = np.zeros(grid.shape, bool)
    mask[tuple(np.round(grid.index(shape.sample(50_000, seed=0))).astype(int).T)] = True
    solid = Solid(grid, mask, mask.astype(np.float32), 0.01, Parts(3, 0, 0))
    mesh = drop_specks(triangles(trimesh.util.concatenate([shape, speck])), solid)
    assert parts(mesh)[0] == 3
    assert len(mesh.vertices) == len(shape.vertices)


def test_taubin_smooths_without_shrinking() -> None:
    shape = sphere()
    noisy = shape.vertices * (
        1 + np.random.default_rng(0).normal(0, 0.01, (len(shape.vertices), 1))
    )
    smooth = taubin(Triangles(noisy.astype(np.float32), shape.faces.astype(np.int32)), 10)
    radius = np.linalg.norm(smooth.vertices, axis=1)
    assert radius.std() < 0.5 * np.linalg.norm(noisy, axis=1).std()
    assert radius.mean() == pytest.approx(0.5, rel=0.005)


@pytest.mark.parametrize("shape", [sphere(), torus(), two_parts()], ids=["sphere", "torus", "two"])
@pytest.mark.parametrize("faces", [1000, 100])
def test_simplify_keeps_topology_and_shape(shape: trimesh.Trimesh, faces: int) -> None:
    few = simplify(triangles(shape.subdivide()), faces)
    assert len(few.faces) <= faces
    result = trimesh.Trimesh(few.vertices, few.faces, process=False)
    assert result.is_watertight
    assert result.euler_number == shape.euler_number
    assert parts(few)[0] == shape.body_count
    assert result.volume == pytest.approx(shape.volume, rel=0.03 if faces == 1000 else 0.15)


def test_simplify_stops_where_topology_would_change() -> None:
    few = simplify(triangles(torus()), 1)
    assert is_closed(few)
    assert trimesh.Trimesh(few.vertices, few.faces).euler_number == 0


def test_is_closed_tells_holes_and_flipped_faces() -> None:
    mesh = triangles(sphere())
    assert is_closed(mesh)
    assert not is_closed(Triangles(mesh.vertices, mesh.faces[1:]))
    flipped = mesh.faces.copy()
    flipped[0] = flipped[0, ::-1]
    assert not is_closed(Triangles(mesh.vertices, flipped))


def test_vertex_normals_point_outward() -> None:
    mesh = triangles(sphere())
    normals = vertex_normals(mesh)
    assert (normals * mesh.vertices).sum(axis=1).min() > 0.49
