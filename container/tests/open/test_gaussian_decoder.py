"""From latents to gaussians and a pose: what is drawn, which way it faces, where it stands."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from container.tests.test_engine import to_camera
from gen3d.errors import ReconstructionFailed
from gen3d_inference.engines.interface import Gaussians
from gen3d_inference.engines.open.cutout import Cutout
from gen3d_inference.engines.open.gaussian_decoder import (
    draw_points,
    gaussians_of,
    into_frame,
    pose_of,
)

LATENT = torch.zeros(1, 2, 3)


def drawn(octree: Any, count: int, levels: int, seed: int = 0) -> NDArray[np.float32]:
    generator = torch.Generator().manual_seed(seed)
    points: NDArray[np.float32] = draw_points(octree, LATENT, count, generator, levels).numpy()
    return points


def ball(centres: Tensor, resolution: Tensor, *_: object) -> dict[str, Tensor]:
    """An octree that knows a ball: children wholly out of it get nothing."""
    size = 1 / int(resolution)
    corners = torch.tensor([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)])
    children = centres[0][:, None] + (corners - 0.5) * size
    nearest = ((children - 0.5).abs() - size / 2).clamp_min(0).norm(dim=-1)
    return {"logits": torch.where(nearest < 0.3, 0.0, -torch.inf)[None]}


def test_as_many_points_as_asked_for_where_the_object_is() -> None:
    points = drawn(ball, 5000, 6)
    assert points.shape == (5000, 3)
    distance = np.linalg.norm(points - 0.5, axis=1)
    assert distance.max() < 0.3 + math.sqrt(3) / 64
    assert np.abs(points.mean(0) - 0.5).max() < 0.02
    assert drawn(ball, 5000, 6, seed=0).tobytes() == points.tobytes()
    assert drawn(ball, 5000, 6, seed=1).tobytes() != points.tobytes()


def test_children_get_their_share_to_within_one_point() -> None:
    """What systematic resampling promises, and plain drawing does not keep."""
    shares = torch.tensor([1.0, 2, 3, 4, 5, 6, 7, 8])
    shares /= shares.sum()
    count = 1000

    def octree(centres: Tensor, *_: object) -> dict[str, Tensor]:
        return {"logits": shares.log().expand(1, centres.shape[1], 8)}

    points = drawn(octree, count, 1)
    child = (points >= 0.5) @ np.array([1, 2, 4])
    counts = np.bincount(child, minlength=8)
    assert counts.sum() == count
    assert (np.abs(counts - shares.numpy() * count) < 1).all()


def test_no_point_is_lost_to_rounding() -> None:
    """Shares add up to a little less than one, which an offset next to one makes a point of."""
    random = torch.Generator().manual_seed(0)
    shares = next(
        logits
        for logits in (torch.randn(8, generator=random) for _ in range(1000))
        if logits.softmax(-1).cumsum(-1)[-1] < 1
    )
    seeds = [
        seed
        for seed in range(4000)
        if torch.rand((1, 1), generator=torch.Generator().manual_seed(seed)) > 0.999
    ]
    assert seeds

    def octree(centres: Tensor, *_: object) -> dict[str, Tensor]:
        return {"logits": shares.expand(1, centres.shape[1], 8)}

    for seed in seeds:
        assert len(drawn(octree, 60_000, 1, seed)) == 60_000


def test_an_octree_sure_of_one_cell_fills_it_alone() -> None:
    def octree(centres: Tensor, *_: object) -> dict[str, Tensor]:
        logits = torch.full((1, centres.shape[1], 8), -torch.inf)
        logits[..., 5] = 0
        return {"logits": logits}

    points = drawn(octree, 64, 8)
    assert np.ptp(points, axis=0).max() <= 1 / 256
    assert (points > [0.99, 0, 0.99]).all()


def splat(xyz: list[list[float]], rotation: list[float]) -> SimpleNamespace:
    n = len(xyz)
    return SimpleNamespace(
        get_xyz=torch.tensor(xyz),
        _features_dc=torch.arange(3.0).expand(n, 1, 3),
        get_scaling=torch.tensor([0.3, 0.2, 0.1]).expand(n, 3),
        _opacity=torch.full((n, 1), 40.0),
        opacity_bias_val=torch.tensor(-2.0),
        _rotation=torch.tensor(rotation).expand(n, 4) - torch.tensor([1.0, 0, 0, 0]),
        rots_bias=torch.tensor([1.0, 0, 0, 0]),
    )


def turned(quaternion: NDArray[np.float32]) -> NDArray[np.float64]:
    w, x, y, z = quaternion.astype(np.float64) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_the_front_comes_to_face_as_ours_does_and_up_stays_up() -> None:
    found = gaussians_of(splat([[0.4, 0, 0], [0, 0, 0.4], [0, 0.4, 0]], [1.0, 0, 0, 0]))
    expected = [[0, -0.4, 0], [0, 0, 0.4], [0.4, 0, 0]]
    np.testing.assert_allclose(found.xyz, expected, atol=1e-7)


def test_axes_turn_with_their_centres() -> None:
    rotation = [0.5, -0.1, 0.7, 0.3]
    before = turned(np.array(rotation, np.float32))
    quarter = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    found = gaussians_of(splat([[0.0, 0, 0]], rotation))
    np.testing.assert_allclose(turned(found.rotation[0]), quarter @ before, atol=1e-6)


def test_a_confident_opacity_stays_finite() -> None:
    found = gaussians_of(splat([[0.0, 0, 0]], [1.0, 0, 0, 0]))
    assert found.opacity.tolist() == [38.0]
    np.testing.assert_allclose(np.exp(found.scale[0]), [0.3, 0.2, 0.1], rtol=1e-6)
    assert found.f_dc.tolist() == [[0, 1, 2]]


def gaussians(xyz: NDArray[np.float32]) -> Gaussians:
    n = len(xyz)
    flat = np.zeros((n, 3), np.float32)
    return Gaussians(xyz, flat, np.zeros(n, np.float32), flat, np.zeros((n, 4), np.float32))


def test_an_object_beyond_the_frame_is_shrunk_and_strays_are_left_out() -> None:
    xyz = np.array([[0.55, 0, 0], [-0.2, 0, 0], [0, 0.1, 0], [7, 0, 0]], np.float32)
    found, factor = into_frame(gaussians(xyz))
    assert factor == pytest.approx(0.5 / 0.55)
    np.testing.assert_allclose(found.xyz, xyz[:3] * factor, rtol=1e-6)
    np.testing.assert_allclose(found.scale, np.log(factor), rtol=1e-6)
    within, untouched = into_frame(gaussians(xyz[1:3]))
    assert untouched == 1.0
    assert within.xyz.tobytes() == xyz[1:3].tobytes()


def test_what_is_no_object_is_left_for_the_writer_to_refuse() -> None:
    xyz = np.full((4, 3), 30, np.float32)
    found, factor = into_frame(gaussians(xyz))
    assert (len(found), factor) == (4, 1.0)


CUTOUT = Cutout(x=450, y=300, half=100)


def camera(*values: float) -> Tensor:
    return torch.tensor(values)[None, None]


def test_the_pose_leads_back_to_the_cutout() -> None:
    """A camera in front, level: the frame's front faces it, and falls on the cutout."""
    pose = pose_of(camera(1, 0, 0, 1 / 3, 0.6), CUTOUT, (600, 400), 1.0)
    focal = 100 * 3 / 0.6
    points = np.array([[0, 0, 0], [0.3, 0, 0], [0, 0, 0.3], [0, -0.3, 0]], np.float32)
    x, y, z = to_camera(pose, points).T
    right, down = -x / z * focal + 300, -y / z * focal + 200
    np.testing.assert_allclose([right[0], down[0]], [450, 300])
    assert right[1] - right[0] == pytest.approx(0.3 / 0.6 * 100)
    assert down[2] - down[0] == pytest.approx(-0.3 / 0.6 * 100)
    np.testing.assert_allclose(z, [3, 3, 3, 2.7])
    assert pose.field_of_view is not None
    assert 300 / math.tan(pose.field_of_view / 2) == pytest.approx(focal)
    assert not pose.shared_depth


def test_what_was_shrunk_is_enlarged_again() -> None:
    pose = pose_of(camera(0.6, 0.2, 0.3, 0.5, 0.5), CUTOUT, (600, 400), 0.8)
    assert pose.scale == (1.25, 1.25, 1.25)
    assert np.linalg.norm(pose.rotation) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("from_", [(0, 0, 1), (0, 0, -1)])
def test_a_camera_straight_above_has_a_pose(from_: tuple[float, ...]) -> None:
    pose = pose_of(camera(*from_, 0.5, 0.5), CUTOUT, (600, 400), 1.0)
    _, _, z = to_camera(pose, np.array([[0, 0, 0.4 * from_[2]]], np.float32)).T
    assert z[0] == pytest.approx(1.6, abs=1e-6)


def test_a_camera_without_perspective_is_far_away() -> None:
    pose = pose_of(camera(1, 0, 0, -0.2, 0.5), CUTOUT, (600, 400), 1.0)
    assert pose.translation[2] == pytest.approx(1000)


def test_a_camera_that_sees_everything_is_none() -> None:
    pose = pose_of(camera(1, 0, 0, 1e20, 0.5), CUTOUT, (600, 400), 1.0)
    assert pose.field_of_view == pytest.approx(math.radians(170))


@pytest.mark.parametrize("values", [(np.nan, 0, 0, 1, 1), (0, 0, 0, 1, 1), (1, 0, 0, np.inf, 1)])
def test_a_camera_of_no_numbers_or_no_direction_is_named(values: tuple[float, ...]) -> None:
    with pytest.raises(ReconstructionFailed, match="place in the photo"):
        pose_of(camera(*values), CUTOUT, (600, 400), 1.0)
