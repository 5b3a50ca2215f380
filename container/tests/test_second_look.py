"""The lite engine's second look: a sharper outline, never another object."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from gen3d.options import EngineOptions
from gen3d_inference import ply_writer
from gen3d_inference.engines.interface import Floats, Mask
from gen3d_inference.engines.lite import lite_engine
from gen3d_inference.engines.lite.frames import ENCODER_SIDE
from gen3d_inference.engines.lite.lite_engine import LiteEngine
from gen3d_inference.engines.lite.second_look import FIRST_SIDE, Decode, Prompt, look_again

WIDTH, HEIGHT = 1200, 900
MIDDLE = (540, 390, 660, 510)


@pytest.fixture(scope="module")
def engine(lite_weights: Path) -> LiteEngine:
    return LiteEngine(lite_weights)


def scene(*boxes: tuple[int, int, int, int]) -> tuple[Image.Image, Mask]:
    """Red ellipses on a grey-green ground with some grain, and their mask."""
    grain = np.random.default_rng(0).integers(-6, 7, (HEIGHT, WIDTH, 3))
    photo = Image.fromarray((np.array((90, 110, 90)) + grain).astype(np.uint8))
    mask = Image.new("L", photo.size)
    for box in boxes:
        ImageDraw.Draw(photo).ellipse(box, fill=(200, 40, 30))
        ImageDraw.Draw(mask).ellipse(box, fill=255)
    return photo, np.asarray(mask) > 0


def first_look(truth: Mask) -> Mask:
    """What a person chooses from: 224 × 224 ragged pixels, enlarged."""
    small = Image.fromarray(truth.astype(np.float32)).resize(
        (FIRST_SIDE,) * 2, Image.Resampling.BOX
    )
    ragged = np.asarray(small) + np.random.default_rng(1).normal(0, 0.3, (FIRST_SIDE,) * 2)
    near = ndimage.binary_dilation(np.asarray(small) > 0)
    ragged = np.where(near, ragged, 0).astype(np.float32)
    chosen: Mask = np.asarray(Image.fromarray(ragged).resize((WIDTH, HEIGHT))) > 0.5
    return chosen


def iou(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / (a | b).sum())


def sees_red(crop: Image.Image, prompt: Prompt) -> Floats:
    """Perfect networks: everything red, and two candidates that are not it."""
    colours = np.asarray(crop.resize((FIRST_SIDE,) * 2, Image.Resampling.BOX), np.float32)
    red = colours[..., 0] - 145
    return np.stack([np.full_like(red, 9), red, -red])


def answering(answer: Mask, chosen: Mask) -> Decode:
    """Networks that answer a mask of the photo when they are asked for the chosen one."""
    rows, columns = np.flatnonzero(chosen.any(1)), np.flatnonzero(chosen.any(0))

    def decode(crop: Image.Image, prompt: Prompt) -> Floats:
        first, last, _ = prompt["point_coords"][0]
        scale = (columns[-1] + 1 - columns[0]) / (last[0] - first[0])
        left, top = columns[0] - first[0] * scale, rows[0] - first[1] * scale
        box = (left, top, left + ENCODER_SIDE * scale, top + ENCODER_SIDE * scale)
        picture = Image.fromarray(answer.astype(np.float32) * 2 - 1)
        return np.asarray(picture.resize((FIRST_SIDE,) * 2, box=box))[None] * 8

    return decode


def never(crop: Image.Image, prompt: Prompt) -> Floats:
    pytest.fail("there was no need to look again")


def test_a_small_object_gets_sharper(engine: LiteEngine) -> None:
    photo, truth = scene(MIDDLE)
    mask = first_look(truth)
    sharper = look_again(photo, mask, engine.decode)
    assert 0.8 < iou(mask, truth) < 0.97 < iou(sharper, truth)


def test_the_engine_reconstructs_from_the_sharper_mask(
    engine: LiteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, truth = scene(MIDDLE)
    mask = first_look(truth)
    sharper = look_again(photo, mask, engine.decode)
    gaussians, _ = engine.reconstruct(photo, mask, EngineOptions())
    monkeypatch.setattr(lite_engine, "look_again", lambda _photo, given, _decode: given)
    assert ply_writer.pack(gaussians) == ply_writer.pack(
        engine.reconstruct(photo, sharper, EngineOptions())[0]
    )
    assert ply_writer.pack(gaussians) != ply_writer.pack(
        engine.reconstruct(photo, mask, EngineOptions())[0]
    )


def test_a_look_at_the_same_gives_the_same(engine: LiteEngine) -> None:
    photo, truth = scene(MIDDLE)
    mask = first_look(truth)
    kept = mask.copy()
    first, second = (look_again(photo, mask, engine.decode) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.array_equal(mask, kept)


@pytest.mark.parametrize(
    "box",
    [
        MIDDLE,
        (-60, 300, 60, 420),
        (1140, 300, 1260, 420),
        (300, -60, 420, 60),
        (300, 840, 420, 960),
        (-50, -50, 70, 70),
        (1130, 830, 1260, 960),
        (20, 400, 460, 470),
        (500, -20, 560, 400),
    ],
    ids=["middle", "left", "right", "top", "bottom", "first corner", "last corner", "wide", "tall"],
)
def test_the_outline_falls_where_it_was_seen(box: tuple[int, int, int, int]) -> None:
    photo, truth = scene(box)
    mask = first_look(truth)
    assert iou(mask, truth) < 0.97 < 0.985 < iou(look_again(photo, mask, sees_red), truth)


def test_the_networks_are_asked_for_the_mask() -> None:
    photo, mask = scene(MIDDLE)
    asked: list[Prompt] = []

    def listening(crop: Image.Image, prompt: Prompt) -> Floats:
        asked.append(prompt)
        return sees_red(crop, prompt)

    look_again(photo, mask, listening)
    (prompt,) = asked
    assert prompt["point_labels"].tolist() == [[2, 3, 1]]
    assert prompt["has_mask_input"].tolist() == [1]
    first, last, click = prompt["point_coords"][0]
    shown: NDArray[np.bool_] = prompt["mask_input"][0, 0] > 0
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    assert first == pytest.approx((columns[0] * 4, rows[0] * 4), abs=4)
    assert last == pytest.approx((columns[-1] * 4 + 4, rows[-1] * 4 + 4), abs=4)
    assert click == pytest.approx((ENCODER_SIDE / 2, ENCODER_SIDE / 2), abs=4)


def test_a_large_object_is_left_alone() -> None:
    photo, mask = scene((150, 100, 1000, 800))
    assert look_again(photo, mask, never) is mask


def test_another_object_is_not_taken() -> None:
    """Even where it has the sharper edges: here, half of what was chosen."""
    photo, truth = scene(MIDDLE)
    chosen = ndimage.binary_dilation(truth, iterations=4)
    half = truth.copy()
    half[:, :600] = False
    assert look_again(photo, chosen, answering(half, chosen)) is chosen


@pytest.mark.parametrize("more", [True, False])
def test_the_choice_is_kept_but_for_its_outline(more: bool) -> None:
    """The networks see more than was chosen, or less."""
    photo, whole = scene(MIDDLE)
    part = whole.copy()
    part[:, 640:] = False
    chosen, answer = (first_look(part), whole) if more else (first_look(whole), part)
    sharper = look_again(photo, chosen, answering(answer, chosen))
    pixels = (FIRST_SIDE / HEIGHT, FIRST_SIDE / WIDTH)
    within, beyond = (ndimage.distance_transform_edt(each, pixels) for each in (chosen, ~chosen))
    changed = sharper != chosen
    assert changed.any()
    assert (within + beyond)[changed].max() < 1.25


def test_an_outline_on_the_photo_s_edges_is_not_made_worse() -> None:
    photo, mask = scene(MIDDLE)
    for shift in (-2, -1, 1, 2):
        beside = ndimage.shift(mask, shift, order=0)
        assert look_again(photo, mask, answering(beside, mask)) is mask


def test_an_outline_needs_edges() -> None:
    """A shape in the midst of texture, on the calmest line there is, was drawn for its own sake."""
    photo = Image.effect_noise((WIDTH, HEIGHT), 60).convert("RGB")
    ImageDraw.Draw(photo).ellipse(MIDDLE, outline=(128, 128, 128), width=1)
    _, mask = scene(MIDDLE)
    shrunk = ndimage.binary_erosion(mask, iterations=5)
    assert look_again(photo, mask, answering(shrunk, mask)) is mask


def test_neither_specks_nor_holes_are_made() -> None:
    photo, truth = scene(MIDDLE)
    answer = truth.copy()
    answer[450:453, MIDDLE[2] + 4 : MIDDLE[2] + 6] = True
    answer[450:453, MIDDLE[0] + 2 : MIDDLE[0] + 4] = False
    mask = first_look(truth)
    sharper = look_again(photo, mask, answering(answer, mask))
    assert (sharper != mask).any()
    for part in (sharper, ~sharper):
        _, parts = ndimage.label(part)
        assert parts == 1


@pytest.mark.parametrize("size", [(40, 30), (3000, 33), (33, 3000)])
@pytest.mark.parametrize("width", [1, 4, 12])
def test_any_mask_is_taken(engine: LiteEngine, size: tuple[int, int], width: int) -> None:
    photo = Image.effect_noise(size, 60).convert("RGB")
    mask = np.zeros(size[::-1], bool)
    mask[3:28, 10 : 10 + width] = True
    sharper = look_again(photo, mask, engine.decode)
    assert sharper.shape == mask.shape
    assert sharper.any()


def test_a_speck_is_left_alone() -> None:
    photo, mask = scene((600, 400, 610, 410))
    assert look_again(photo, mask, never) is mask
