"""What of a splat its mesh explains, on shapes whose missing share is known."""

from dataclasses import replace

import numpy as np
import open3d as o3d
import pytest
import trimesh
from scipy.spatial import cKDTree

from gen3d_mesh.clean import Frame
from gen3d_mesh.coverage import LEAST, are_near, coverage, in_unit_frame, surface_shown, warning
from gen3d_mesh.sample import ball
from gen3d_mesh.splat import Floats, Splat, joined
from gen3d_mesh.surface import Triangles

from .conftest import cloud, sphere, torus, triangles
from .test_spread import plates

UNIT = Frame(np.zeros(3), 1.0)


def without(shape: trimesh.Trimesh, axis: int, above: float) -> Triangles:
    """A shape without its faces above a height."""
    return triangles(
        trimesh.Trimesh(shape.vertices, shape.faces[shape.triangles_center[:, axis] < above])
    )


def floating(count: int) -> Splat:
    """Small round gaussians all over the unit frame."""
    centers = np.random.default_rng(3).uniform(-0.6, 0.6, (count, 3)).astype(np.float32)
    return replace(
        ball(count),
        centers=centers,
        opacities=np.full(count, 0.4, np.float32),
        scales=np.full((count, 3), 0.006, np.float32),
    )


@pytest.mark.parametrize("shape", [sphere(), torus()], ids=["sphere", "torus"])
def test_true_mesh_explains_all(shape: trimesh.Trimesh) -> None:
    shown = in_unit_frame(joined(cloud(shape), floating(1500)), UNIT)
    share = coverage(shown, triangles(shape))
    assert share is not None
    assert share > 0.99
    assert warning(share) is None


def test_opaque_clumps_that_float_about_are_let_off() -> None:
    rng = np.random.default_rng(4)
    places = rng.normal(size=(60, 3))
    places *= rng.uniform(0.55, 0.7, (60, 1)) / np.linalg.norm(places, axis=1, keepdims=True)
    centers = np.repeat(places, 40, axis=0) + rng.normal(0, 0.008, (2400, 3))
    clumps = replace(
        floating(2400),
        centers=centers.astype(np.float32),
        opacities=np.full(2400, 0.9, np.float32),
    )
    shown = surface_shown(joined(cloud(sphere()), clumps), 0.5)
    off = np.linalg.norm(shown, axis=1) - 0.5
    assert len(shown) > 2000
    assert (off > 0.04).mean() < 0.005


@pytest.mark.parametrize("missing", [0.1, 0.3])
def test_a_cap_that_is_missing_is_missing(missing: float) -> None:
    """A cap of a ball has its height's share of the area."""
    for axis in range(3):
        share = coverage(ball(40_000), without(sphere(), axis, 0.5 - missing))
        assert share is not None
        # Its rim, up to `NEAR` from the rest, is explained still; six sides are not all sides.
        assert 1 - share == pytest.approx(missing, abs=0.05)
        assert share < LEAST
        sentence = warning(share)
        assert sentence is not None
        assert f"{100 * share:.0f} %" in sentence


def test_a_cap_inside_a_mouth_does_not_explain_the_wall_behind() -> None:
    shell = ball(40_000)
    shell = shell.take(shell.centers[:, 2] < 0)
    plate = trimesh.creation.cylinder(0.5, 0.01).apply_translation([0, 0, -0.005])
    below = without(sphere(), 2, 0.0)
    closed = triangles(
        trimesh.util.concatenate([trimesh.Trimesh(below.vertices, below.faces), plate])
    )
    assert coverage(shell, closed) == pytest.approx(1, abs=0.01)  # from outside: all is there
    flat = coverage(shell, triangles(plate))
    assert flat is not None
    assert flat < 0.3


def test_a_splat_without_a_surface_tells_nothing() -> None:
    haze = replace(ball(2000), opacities=np.full(2000, 0.02, np.float32))
    assert coverage(in_unit_frame(haze, UNIT), triangles(sphere())) is None
    nothing = haze.take(np.zeros(0, int))
    assert coverage(in_unit_frame(nothing, UNIT), triangles(sphere())) is None
    assert warning(None) is None


def test_broken_gaussians_are_left_out() -> None:
    good = cloud(sphere())
    broken = good.take(np.arange(50))
    broken = replace(broken, centers=broken.centers.copy(), scales=broken.scales.copy())
    broken.centers[:10], broken.centers[10:20] = np.nan, np.inf
    broken.centers[20:30] = 3e38
    broken.scales[30:40], broken.scales[40:45], broken.scales[45:] = np.nan, np.inf, 50
    with np.errstate(all="raise"):
        shown = surface_shown(in_unit_frame(joined(broken, good), UNIT), 0.6)
    whole = surface_shown(in_unit_frame(good, UNIT), 0.6)
    np.testing.assert_allclose(shown, whole, atol=1e-7)


def test_large_flat_gaussians_show_their_planes() -> None:
    """Seen askew, the depth of one changes by several times its thickness."""
    shown = surface_shown(in_unit_frame(plates(), UNIT), 0.5)
    above = np.linalg.norm(shown[shown[:, 2] > 0.1], axis=1)
    assert len(above) > 1000
    np.testing.assert_allclose(above, 0.5, atol=0.015)


def test_lace_is_told() -> None:
    """Holes between large flat gaussians, as trained splats came out before these were spread."""
    splat = in_unit_frame(plates(), UNIT)
    ball = trimesh.creation.icosphere(5, radius=0.5)
    holes = splat.centers[splat.centers[:, 2] > 0.1][::40]
    away, _ = cKDTree(holes).query(ball.triangles_center)
    share = coverage(splat, triangles(ball))
    assert share is not None
    assert share > 0.985
    lace = ball.faces[away > 0.06]
    assert len(lace) > 0.8 * len(ball.faces)
    share = coverage(splat, triangles(trimesh.Trimesh(ball.vertices, lace)))
    assert share is not None
    assert share < LEAST - 0.02
    assert warning(share) is not None


def test_few_faces_are_named_where_they_are_the_cause() -> None:
    for dense, named in ((None, False), (0.99, True), (0.85, False), (0.8, False)):
        sentence = warning(0.8, dense=dense)
        assert sentence is not None
        assert ("--faces" in sentence) is named
        assert ("Another photo" in sentence) is not named
    assert warning(LEAST, dense=1.0) is None


def rng_points(count: int) -> Floats:
    return np.random.default_rng(0).uniform(-0.6, 0.6, (count, 3)).astype(np.float32)


def test_distances_are_open3ds() -> None:
    """On triangles of every size and shape, those without an area among them."""
    rng = np.random.default_rng(1)
    first = rng.uniform(-0.5, 0.5, (300, 1, 3))
    corners = first + rng.normal(0, 1, (300, 3, 3)) * rng.choice([0.002, 0.03, 0.4], (300, 1, 1))
    corners[:20, 2] = corners[:20, 1]
    corners[20:30, 1:] = corners[20:30, :1]
    mesh = Triangles(
        corners.reshape(-1, 3).astype(np.float32), np.arange(900, dtype=np.int32).reshape(-1, 3)
    )
    points = rng_points(20_000)
    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(
        o3d.core.Tensor.from_numpy(mesh.vertices),
        o3d.core.Tensor.from_numpy(mesh.faces.astype(np.uint32)),
    )
    distance = scene.compute_distance(o3d.core.Tensor.from_numpy(points)).numpy()
    for within in (0.004, 0.02):
        near = are_near(points, mesh, within)
        clear = np.abs(distance - within) > 1e-5
        assert clear.mean() > 0.99
        assert 0.02 < near.mean() < 0.98
        np.testing.assert_array_equal(near[clear], distance[clear] <= within)
