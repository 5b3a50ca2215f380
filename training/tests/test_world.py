"""The procedural world: objects fit their sphere, and the renderer sees what was placed."""

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training's tests run in .venvs/torch")

from gen3d_lite_training import families, layout  # noqa: E402
from gen3d_lite_training.networks.blocks import doubled  # noqa: E402
from gen3d_lite_training.photo import blended, painted  # noqa: E402
from gen3d_lite_training.prints import PICTURE, hung  # noqa: E402
from gen3d_lite_training.prompts import (  # noqa: E402
    click_anywhere,
    correct,
    draw_targets,
    first_prompts,
    nearly_right,
)
from gen3d_lite_training.renderer import Renderer, Rendering  # noqa: E402
from gen3d_lite_training.scenes import random_scenes  # noqa: E402
from gen3d_lite_training.shapes import Kind, Shape  # noqa: E402
from gen3d_lite_training.views import _turn, random_views  # noqa: E402


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(families.pool(64, seed=1), "cpu")


def _ball(radius_of_box: float = 1.0) -> Any:
    shape = Shape()
    shape.add(Kind.ELLIPSOID, (5, 5, 5), (radius_of_box,) * 3)
    return shape.packed()


def _looking_at(renderer: Renderer, distance: float = 4.0) -> Rendering:
    scene = torch.zeros(1, layout.SCENE.size)
    scene[0, layout.SCENE["eye"]] = torch.tensor([0.0, 0.0, distance])
    scene[0, layout.SCENE["camera"]] = torch.tensor([-1.0, 0, 0, 0, -1, 0, 0, 0, -1])
    scene[0, layout.SCENE["focal"]] = 2.0
    scene[0, layout.SCENE.at("wall_distance")] = 1.0
    scene[0, layout.SCENE.at("instances")] = 1.0
    instances = torch.zeros(1, layout.MAX_INSTANCES, layout.INSTANCE.size)
    instances[0, 0, layout.INSTANCE["rotation"]] = torch.eye(3).reshape(9)
    instances[0, 0, layout.INSTANCE.at("scale")] = 1.0
    cutouts = torch.zeros(1, layout.MAX_CUTOUTS, layout.CUTOUT.size)
    return renderer(instances, cutouts, scene, 64, with_back=True)


def test_a_ball_is_seen_where_geometry_puts_it() -> None:
    view = _looking_at(Renderer(_ball()[None], "cpu"))
    middle = (0, 32, 32)
    assert view.identity[middle] == 1
    assert view.front is not None
    assert view.back is not None
    assert view.front[middle] == pytest.approx(3.0, abs=0.02)
    assert view.back[middle] == pytest.approx(5.0, abs=0.02)
    expected = math.pi * (32 * 2.0 / math.sqrt(15)) ** 2  # the cone that touches the ball
    assert int((view.identity == 1).sum()) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    "family", [*families.TRAINED, *families.HELD_OUT], ids=lambda f: f.__name__
)
def test_every_family_fits_the_unit_sphere(family: families.Family) -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        packed = family(rng).packed()
        assert np.isfinite(packed).all()
        half = packed[layout.OBJECT["half_extent"]]
        assert (half > 0).all()
        assert half.max() <= math.sqrt(3)  # the box around a turned primitive is loose


def test_held_out_families_are_not_trained_on() -> None:
    assert not set(families.TRAINED) & set(families.HELD_OUT)


def test_a_pool_does_not_depend_on_the_number_of_processes() -> None:
    assert np.array_equal(families.pool(128, 5), families.pool(128, 5, processes=2))


def test_scenes_show_several_things(renderer: Renderer) -> None:
    torch.manual_seed(0)
    rendering = renderer(*random_scenes(renderer, 8), 64)
    assert torch.isfinite(rendering.colour).all()
    assert rendering.colour.std() > 0.05
    instances = [set(ids.unique().tolist()) & set(range(1, 17)) for ids in rendering.identity]
    assert sum(len(found) for found in instances) >= 8


def test_views_are_whole_unless_occluded_and_backs_lie_behind(renderer: Renderer) -> None:
    torch.manual_seed(0)
    views = random_views(renderer, 6, 64, samples=1, occluded=0.0)
    assert (views.back >= views.front).all()
    mean = (views.front * views.whole).sum((1, 2, 3)) / views.whole.sum((1, 2, 3))
    assert mean.abs().max() < 1e-3
    torch.manual_seed(0)
    hidden = random_views(renderer, 12, 64, samples=1, occluded=1.0)
    missing = hidden.whole.sum() - (hidden.rgba[:, 3:] * hidden.whole).sum()
    assert missing > 0.05 * hidden.whole.sum()


def test_views_tell_how_the_object_was_seen(renderer: Renderer) -> None:
    torch.manual_seed(3)
    views = random_views(renderer, 96, 32, samples=1)
    eye = views.scenes[:, layout.SCENE["eye"]]
    centre = views.instances[:, 0, layout.INSTANCE["centre"]]
    above, away = eye[:, 1] - centre[:, 1], (eye - centre)[:, ::2].norm(dim=1)
    assert torch.allclose(views.elevation, torch.atan2(above, away), atol=1e-4)
    assert 0.6 < views.standing.float().mean() < 0.95


def test_clicks_are_right_about_the_object(renderer: Renderer) -> None:
    torch.manual_seed(1)
    rendering = renderer(*random_scenes(renderer, 4), 64)
    targets = draw_targets(rendering.identity, rendering.part, 3)
    mask = targets.mask.float()[:, None][targets.valid > 0]
    points, labels = first_prompts(mask, boxed=0.0)
    assert (labels[:, 2] == 1).all()
    assert _at(mask, points[:, 2]).all()
    wrong = torch.roll(mask, 9, 3)
    points, labels = correct(points, labels, mask, wrong, 3, extra=2)
    for slot in (3, 4, 5):
        given = labels[:, slot] >= 0
        assert given.any()
        assert (_at(mask, points[:, slot])[given] == labels[given, slot]).all()


def _at(mask: Any, points: Any) -> Any:
    size = mask.shape[-1]
    column, row = (points * size).long().clamp(0, size - 1).unbind(-1)
    return mask[torch.arange(len(mask)), 0, row, column]


def test_some_first_prompts_are_one_click_anywhere() -> None:
    mask = torch.zeros(2, 1, 16, 16)
    mask[..., :4, :4] = 1
    first = first_prompts(mask, boxed=1)
    points, labels = click_anywhere(*first, torch.tensor([False, True]))
    assert torch.equal(points[0], first[0][0])
    assert torch.equal(labels[0], first[1][0])
    assert labels[1].tolist() == [-1, -1, 1, -1, -1, -1, -1]
    assert not torch.equal(points[1, 2], first[0][1, 2])


def test_blended_photos_are_told_from_those_left_as_they_are() -> None:
    torch.manual_seed(0)
    photo = torch.rand(8, 3, 16, 16)
    mixed, changed = blended(photo, 0.5)
    assert 0 < changed.sum() < 8
    assert ((mixed != photo).flatten(1).any(1) == changed).all()
    assert mixed.min() >= 0
    assert mixed.max() <= 1


def test_doubled_is_bilinear() -> None:
    image = torch.randn(2, 3, 5, 7)
    wanted = torch.nn.functional.interpolate(image, scale_factor=2.0, mode="bilinear")
    assert torch.allclose(doubled(image), wanted, atol=1e-6)


def test_a_plank_is_seldom_seen_edge_on() -> None:
    torch.manual_seed(0)
    count = 400
    plank = torch.tensor([[0.7, 0.7, 0.05]]).expand(count, 3)
    ray = torch.tensor([[0.0, 0.0, 1.0]]).expand(count, 3)
    turns = _turn(plank, torch.zeros(count), ray)
    face = (turns @ ray[:, :, None])[:, 2, 0].abs()  # 1 where its face is turned to the camera
    assert (face < 0.25).float().mean() < 0.07  # 0.16 of all turns
    assert torch.allclose(turns @ turns.mT, torch.eye(3).expand(count, 3, 3), atol=1e-5)


def test_a_room_has_a_second_wall_and_a_ceiling(renderer: Renderer) -> None:
    scene = torch.zeros(1, layout.SCENE.size)
    scene[0, layout.SCENE["eye"]] = torch.tensor([0.0, 1.0, 0.0])
    rows = torch.tensor([1.0, 0, 0, 0, -1, 0, 0, 0, -1])  # looks along -z
    scene[0, layout.SCENE["camera"]] = rows
    scene[0, layout.SCENE["focal"]] = 0.7
    scene[0, layout.SCENE.at("ground")] = 1
    scene[0, layout.SCENE.at("wall_distance")] = -3.0

    def seen() -> Any:
        things = torch.zeros(1, layout.MAX_INSTANCES, layout.INSTANCE.size)
        flat = torch.zeros(1, layout.MAX_CUTOUTS, layout.CUTOUT.size)
        return renderer(things, flat, scene, 64).identity[0]

    open_, ground, wall, side = seen(), 61, 62, 63
    assert set(open_.unique().tolist()) == {ground, wall}
    scene[0, layout.SCENE.at("side_distance")] = -1.0
    scene[0, layout.SCENE.at("ceiling")] = 2.0
    room = seen()
    assert set(room.unique().tolist()) == {0, ground, wall, side}
    assert room[0, 32] == 0
    assert room[-1, 32] == ground
    assert room[32, 32] == wall
    assert side in (room[32, 0], room[32, -1])


def test_a_hung_picture_is_one_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    monkeypatch.setattr("gen3d_lite_training.prints.HUNG", 1.0)
    photo = torch.rand(6, 3, 48, 48)
    identity = torch.full((6, 48, 48), 3, dtype=torch.uint8)
    shown, named, parts = hung(photo, identity, identity)
    picture = named == PICTURE
    assert picture.any()
    assert (parts[picture] == 0).all()
    assert (named[~picture] == 3).all()
    assert torch.equal(shown.movedim(1, -1)[~picture], photo.movedim(1, -1)[~picture])
    assert not torch.equal(shown, photo)


def test_paint_has_fewer_tones_and_keeps_edges() -> None:
    torch.manual_seed(0)
    step = (torch.arange(32) >= 16).float().expand(1, 3, 32, 32)
    noisy = step + 0.05 * torch.randn(1, 3, 32, 32)
    picture = painted(noisy)
    assert picture.shape == noisy.shape
    flat = picture[..., 4:12]
    assert flat.std() < 0.5 * noisy[..., 4:12].std()
    across = picture[..., 17].mean() - picture[..., 14].mean()
    assert across > 0.9


def test_a_nearly_right_mask_lacks_a_piece_or_has_one_too_many() -> None:
    torch.manual_seed(0)
    mask = torch.zeros(200, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    other = torch.zeros_like(mask)
    other[..., 26:30, 26:30] = 1
    edited = (nearly_right(mask, other) > 0).float()
    both = (edited * mask).sum((1, 2, 3)) / (edited + mask).clamp(max=1).sum((1, 2, 3))
    assert both.mean() > 0.75
    assert both.min() > 0.3
    more = (edited * (1 - mask)).flatten(1).any(1)
    less = ((1 - edited) * mask).flatten(1).sum(1) > 12  # corners are rounded anyway
    assert 0.4 < more.float().mean() < 0.8
    assert less.float().mean() > 0.2
    assert (edited * other).flatten(1).any(1).float().mean() > 0.1
