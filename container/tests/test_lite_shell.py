"""The lite engine's geometry, on solids whose surface is known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gen3d_inference.engines.lite.canonical import canonical
from gen3d_inference.engines.lite.crop import Crop
from gen3d_inference.engines.lite.prediction import Prediction
from gen3d_inference.engines.lite.shell import SPREAD, STEEPEST, Columns, Disks, continued
from gen3d_inference.engines.quaternions import quaternions

SIDE = 200
MIDDLE = Crop(0, 0, SIDE, SIDE, SIDE)
FAR = 1e4
"""A distance at which the camera sees no perspective, so that pixels and places agree."""


def columns(
    inside: NDArray[np.bool_], front: NDArray[np.float64], back: NDArray[np.float64]
) -> Columns:
    return Columns(
        inside=inside,
        front=front.astype(np.float32),
        back=back.astype(np.float32),
        front_colour=np.full((SIDE, SIDE, 3), (1, 0, 0), np.float32),
        back_colour=np.full((SIDE, SIDE, 3), (0, 0, 1), np.float32),
        distance=FAR,
    )


def grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    axis = (np.arange(SIDE) + 0.5) * 2 / SIDE - 1
    return np.meshgrid(axis, axis)


def places(disks: Disks) -> NDArray[np.float64]:
    return disks.centre.astype(np.float64) - (0, 0, FAR)


@pytest.fixture(scope="module")
def ball() -> Disks:
    u, v = grid()
    depth = np.sqrt(np.maximum(0.64 - u * u - v * v, 0))
    return columns(u * u + v * v < 0.64, -depth, depth).surface()


@pytest.fixture(scope="module")
def step() -> Disks:
    """A block of depth 1 whose left half reaches 0.8 nearer."""
    u, v = grid()
    inside = (abs(u) < 0.7) & (abs(v) < 0.5)
    return columns(inside, np.where(u < 0, -0.4, 0.4), np.ones_like(u)).surface()


def covered(disks: Disks, wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of wanted surface points to the nearest disk, in pixels."""
    distances: NDArray[np.float64] = cKDTree(places(disks)).query(wanted)[0] * SIDE / 2
    return distances


def test_a_ball_is_covered_all_around(ball: Disks) -> None:
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(4000, 3))
    wanted = 0.8 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    assert covered(ball, wanted).max() < 3


def test_a_ball_has_nothing_off_its_surface(ball: Disks) -> None:
    radii = np.linalg.norm(places(ball), axis=1)
    assert abs(radii - 0.8).max() < 4 / SIDE * STEEPEST


def test_normals_point_out_of_a_ball(ball: Disks) -> None:
    radial = places(ball) / np.linalg.norm(places(ball), axis=1, keepdims=True)
    cosine = (radial * ball.normal).sum(1)
    assert np.median(cosine) > 0.995
    assert (cosine > 0.7).mean() > 0.97


def test_disks_are_orthonormal_flat_and_small(ball: Disks, step: Disks) -> None:
    for disks in (ball, step):
        assert np.allclose(np.linalg.norm(disks.normal, axis=1), 1, atol=1e-4)
        assert np.allclose(np.linalg.norm(disks.along, axis=1), 1, atol=1e-4)
        assert abs((disks.normal * disks.along).sum(1)).max() < 1e-3
        pixels = disks.size * SIDE / 2
        assert (disks.size[:, 2] < disks.size[:, :2].min(1)).all()
        assert pixels.max() < SPREAD * np.hypot(1, STEEPEST) + 1e-3


def test_a_jump_in_depth_is_closed_by_a_wall(step: Disks) -> None:
    v, z = np.meshgrid(np.linspace(-0.45, 0.45, 60), np.linspace(-0.35, 0.35, 60))
    wall = np.stack([np.zeros(v.size), v.ravel(), z.ravel()], 1)
    assert covered(step, wall).max() < 2


def test_a_jump_in_depth_leaves_nothing_beside_it(step: Disks) -> None:
    u, _, z = places(step).T
    between = (z > -0.35) & (z < 0.35)
    at_the_jump, at_the_rim = abs(u) < 2 / SIDE, abs(u) > 0.7 - 3 / SIDE
    top_and_bottom = abs(places(step)[:, 1]) > 0.5 - 3 / SIDE
    assert (at_the_jump | at_the_rim | top_and_bottom)[between].all()


def test_caps_do_not_lean_into_a_jump(step: Disks) -> None:
    u, v, z = places(step).T
    beside = (abs(u) < 2 / SIDE) & (abs(v) < 0.4) & (abs(abs(z) - 0.4) < 1e-2)
    caps = beside & (abs(step.normal[:, 0]) < 0.5)
    assert caps.sum() >= 2 * 0.7 * SIDE / 2
    assert (step.normal[caps, 2] < -0.99).all()


def test_the_wall_faces_the_farther_side_and_wears_the_nearer_colour(step: Disks) -> None:
    u, v, z = places(step).T
    wall = (abs(u) < 2 / SIDE) & (abs(z) < 0.3) & (abs(v) < 0.4)
    assert wall.any()
    assert (step.normal[wall, 0] > 0.9).all()
    assert (step.colour[wall] == (1, 0, 0)).all()


def test_the_rim_runs_from_the_front_s_colour_to_the_back_s(ball: Disks, step: Disks) -> None:
    u, v, z = places(step).T
    rim = (u < -0.69) & (abs(v) < 0.4)
    assert np.corrcoef(z[rim], step.colour[rim, 2])[0, 1] > 0.9


def test_a_near_camera_spreads_what_is_far() -> None:
    u, v = grid()
    inside = (abs(u) < 0.5) & (abs(v) < 0.5)
    near = columns(inside, np.full_like(u, -0.5), np.full_like(u, 0.5))
    near = Columns(**{**vars(near), "distance": 2.5})
    x, _, z = near.surface().centre.T
    front, back = z < 2.5 - 0.49, z > 2.5 + 0.49
    assert np.ptp(x[back]) / np.ptp(x[front]) == pytest.approx(3.0 / 2.0, rel=1e-3)


def test_the_shortest_axis_stays_the_normal_in_the_canonical_frame(ball: Disks) -> None:
    gaussians, _ = canonical(ball, 0.0, MIDDLE)
    w, x, y, z = gaussians.rotation.T.astype(np.float64)
    third = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], 1)
    assert (gaussians.scale.argmin(1) == 2).all()
    radial = gaussians.xyz / np.linalg.norm(gaussians.xyz, axis=1, keepdims=True)
    assert np.median((third * radial).sum(1)) > 0.995
    right, forward, down = ball.normal[:, 0], ball.normal[:, 2], ball.normal[:, 1]
    assert np.allclose(third, np.stack([right, forward, -down], 1), atol=1e-3)


@pytest.mark.parametrize("elevation", [0.0, 0.6, -0.2])
def test_the_object_is_set_upright_in_the_middle_of_its_frame(
    ball: Disks, elevation: float
) -> None:
    """What is nearest the camera is in front and, seen from above, raised; -Y is the front."""
    gaussians, _ = canonical(ball, elevation, MIDDLE)
    assert np.abs(gaussians.xyz).max() == pytest.approx(0.5)
    assert np.allclose(gaussians.xyz.max(0) + gaussians.xyz.min(0), 0, atol=1e-6)
    _, down, forward = places(ball).T
    sine, cosine = np.sin(elevation), np.cos(elevation)
    for which, place in (
        (forward.argmin(), (0, -cosine, sine)),
        (down.argmin(), (0, sine, cosine)),
    ):
        assert np.allclose(gaussians.xyz[which] / 0.5, place, atol=0.2)


def test_quaternions_turn_as_their_matrices() -> None:
    rng = np.random.default_rng(0)
    matrices = np.linalg.qr(rng.normal(size=(500, 3, 3)))[0]
    matrices[:, :, 2] *= np.linalg.det(matrices)[:, None]
    half_turns = np.stack([np.diag(axes) for axes in ((1, -1, -1), (-1, 1, -1), (-1, -1, 1))])
    matrices = np.concatenate([matrices, half_turns, np.eye(3)[None]])
    w, x, y, z = quaternions(matrices).T.astype(np.float64)
    turned = np.stack([1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)], 1)
    assert np.allclose(turned, matrices[:, :, 0], atol=1e-5)
    upright = np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], 1)
    assert np.allclose(upright, matrices[:, :, 2], atol=1e-5)


def test_a_crop_at_the_edge_reaches_beyond_the_photo() -> None:
    mask = np.zeros((100, 200), bool)
    mask[:40, 180:] = True
    crop = Crop.around(mask, 1.25)
    assert (crop.side, crop.left, crop.top) == (50, 165, -5)
    cut = crop.mask(mask, 50)
    assert cut.sum() == 40 * 20
    assert cut[5:45, 15:35].all()


def test_what_reaches_the_grid_s_edge_is_closed_there() -> None:
    u, _ = grid()
    block = columns(abs(u) < 0.5, np.full_like(u, -0.4), np.full_like(u, 0.4)).surface()
    depth = np.linspace(-0.35, 0.35, 50)
    for y in (-1, 1):
        wanted = np.stack([np.zeros(50), np.full(50, y), depth], 1)
        assert covered(block, wanted).max() < 4


def test_colours_go_on_into_what_is_hidden() -> None:
    u, _ = grid()
    colours = np.where(u[..., None] < 0, (1.0, 0, 0), (0, 0, 1.0)).astype(np.float32)
    hidden = abs(u) < 0.2
    filled = continued(np.where(hidden[..., None], 0.5, colours), ~hidden, hidden)
    middle = filled[SIDE // 2]
    assert np.array_equal(middle[:70], colours[SIDE // 2, :70])
    assert middle[85, 0] > 0.9
    assert middle[115, 2] > 0.9
    assert abs(filled.sum(2) - 1).max() < 1e-3


@pytest.mark.parametrize(
    ("added", "hidden"),
    [
        ((slice(40, 60), slice(20, 40)), 400),  # beside the object
        ((slice(0, 10), slice(80, 90)), 0),  # away from it
        ((slice(20, 70), slice(17, 20)), 0),  # as thin as an outline
        ((slice(40, 90), slice(20, 70)), 0),  # more than what is seen
    ],
)
def test_only_what_touches_the_object_and_is_no_outline_is_hidden(
    added: tuple[slice, slice], hidden: int
) -> None:
    shown, whole = np.zeros((2, 100, 100), bool)
    shown[10:40, 20:70] = True
    whole[10:40, 20:70] = whole[added] = True
    logits = np.where(whole, 5.0, -5.0).astype(np.float32)
    prediction = Prediction.of(shown, np.zeros((5, 100, 100), np.float32), logits, 0.0)
    assert (prediction.whole & ~shown).sum() == hidden
