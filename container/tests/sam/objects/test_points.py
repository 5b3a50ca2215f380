"""From a depth map to a point map: where pixels lie, and what the engine makes of it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from container.tests.sam.objects.fake_pipeline import FakePipeline
from container.tests.sam.objects.test_reconstruction import MASK, PHOTO
from gen3d.contract import Pose
from gen3d.options import EngineOptions
from gen3d_inference.engines.interface import Depth
from gen3d_inference.engines.sam.objects import ObjectReconstruction, pipeline
from gen3d_inference.engines.sam.objects.points import points_of, view_of

VIEW = 1.2
FLOOR = np.linspace(3.0, 1.0, 20, dtype=np.float32)[:, None].repeat(30, axis=1)
"""Metres, of the photo's aspect and half its size: nearer at the bottom."""


def depth(view: float | None = VIEW, *, without: slice = slice(0)) -> Depth:
    metres = FLOOR.copy()
    metres[without] = np.nan
    return Depth(metres, view)


@pytest.fixture
def fake() -> FakePipeline:
    return FakePipeline()


@pytest.fixture
def reconstruction(fake: FakePipeline) -> ObjectReconstruction:
    return ObjectReconstruction(Path(), "cpu", load=lambda *_: fake)


def test_points_lie_in_pytorch3ds_camera() -> None:
    """Left and above are positive, and the edges are seen under half of the view."""
    points = points_of(depth(), VIEW)
    assert points.shape == (20, 30, 3)
    assert points.dtype == torch.float32
    np.testing.assert_array_equal(points[..., 2], FLOOR)
    left, right = points[5, 0], points[5, -1]
    assert left[0] > 0 > right[0]
    assert points[0, 3, 1] > 0 > points[-1, 3, 1]
    half = math.atan(float(left[0] / left[2]) * 30 / 29)  # from a pixel's middle to the edge
    assert half == pytest.approx(VIEW / 2)
    assert float(points[0, 0, 1] / points[0, 0, 2]) == pytest.approx(
        math.tan(VIEW / 2) * 19 / 30, rel=1e-5
    )


def test_what_nobody_measured_is_no_point() -> None:
    points = points_of(depth(without=np.s_[:4]), VIEW)
    assert bool(points[:4].isnan().all())
    assert not bool(points[4:].isnan().any())


@pytest.mark.parametrize("view", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("turned", [False, True])
def test_the_view_is_found_of_points_again(view: float, turned: bool) -> None:
    metres = np.ascontiguousarray(FLOOR.T) if turned else FLOOR
    points = points_of(Depth(metres, None), view).permute(2, 0, 1)
    points[:, 3] = torch.inf  # as MoGe says of the sky
    points[:, 5] = torch.nan
    assert view_of(points) == pytest.approx(view, rel=1e-5)


def test_points_that_are_none_have_no_view() -> None:
    assert view_of(torch.full((3, 4, 5), torch.nan)) is None
    assert view_of(torch.zeros(3, 4, 5)) is None


class TestRun:
    def test_upstream_is_given_the_map_and_the_pose_is_metric(
        self, reconstruction: ObjectReconstruction, fake: FakePipeline
    ) -> None:
        _, pose = reconstruction.run(PHOTO, MASK, EngineOptions(), depth=depth())
        (call,) = fake.calls
        torch.testing.assert_close(call["pointmap"], points_of(depth(), VIEW))
        assert pose == Pose(
            rotation=pose.rotation,
            translation=(1, 2, 3),
            scale=(4, 4, 4),
            field_of_view=VIEW,
            metric=True,
        )

    def test_without_a_lens_it_goes_by_what_the_depth_network_sees(
        self, reconstruction: ObjectReconstruction, fake: FakePipeline
    ) -> None:
        _, pose = reconstruction.run(PHOTO, MASK, EngineOptions(), depth=depth(None))
        torch.testing.assert_close(fake.calls[0]["pointmap"], points_of(depth(), 1.0))
        assert (pose.field_of_view, pose.metric) == (1.0, True)

    def test_without_any_view_it_is_left(
        self, reconstruction: ObjectReconstruction, fake: FakePipeline
    ) -> None:
        fake.view = None
        _, pose = reconstruction.run(PHOTO, MASK, EngineOptions(), depth=depth(None))
        assert fake.calls[0]["pointmap"] is None
        assert (pose.field_of_view, pose.metric) == (None, False)

    @pytest.mark.parametrize(("rows", "used"), [(8, True), (13, False), (20, False)])
    def test_one_that_knows_too_little_of_the_object_is_left(
        self, reconstruction: ObjectReconstruction, fake: FakePipeline, rows: int, used: bool
    ) -> None:
        """The object is in the map's rows 5 to 14."""
        given = depth(without=np.s_[:rows])
        _, pose = reconstruction.run(PHOTO, MASK, EngineOptions(), depth=given)
        assert (fake.calls[0]["pointmap"] is not None) is used
        assert pose.metric is used

    def test_without_one_nothing_is_as_before(
        self, reconstruction: ObjectReconstruction, fake: FakePipeline
    ) -> None:
        _, pose = reconstruction.run(PHOTO, MASK, EngineOptions())
        assert fake.calls[0]["pointmap"] is None
        assert not pose.metric


class Base:
    """As much of upstream's class as point maps go through."""

    device = torch.device("cpu")
    clipped: torch.Tensor

    def _clip_pointmap(self, points: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        self.clipped = mask
        return points


class TestPipeline:
    """Our extension of upstream's pipeline, of which the networks are left out."""

    @pytest.fixture
    def own(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        made = pipeline._gaussian_pipeline(Base, Path(), parked=False)()
        self.asked = 0

        def points(photo: torch.Tensor) -> torch.Tensor:
            self.asked += 1
            metres = np.full(photo.shape[1:], 2, np.float32)
            return points_of(Depth(metres, None), 0.8).permute(2, 0, 1)

        monkeypatch.setattr(made, "_points", points)
        return made

    def test_a_map_of_its_own_size_is_laid_over_the_photo(self, own: Any) -> None:
        image = np.dstack([np.asarray(PHOTO), np.uint8(255) * MASK])
        told = points_of(depth(without=np.s_[:2]), VIEW)
        made = own.compute_pointmap(image, told)
        assert made["pointmap"].shape == (3, 40, 60)
        assert self.asked == 0
        # Nearest: what was told of a pixel stands there four times, and nothing is in between.
        each = told.permute(2, 0, 1).repeat_interleave(2, 1).repeat_interleave(2, 2)
        torch.testing.assert_close(made["pointmap"], each, equal_nan=True)
        np.testing.assert_array_equal(own.clipped > 0.5, MASK)
        assert made["pts_color"].shape == (3, 40, 60)

    def test_the_photos_view_is_asked_for_once(self, own: Any) -> None:
        image = np.dstack([np.asarray(PHOTO), np.uint8(255) * MASK])
        assert own.field_of_view(image) == pytest.approx(0.8, rel=1e-4)
        own.compute_pointmap(image)
        assert self.asked == 1
