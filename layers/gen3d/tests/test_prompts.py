"""What a request shows of a photo: which prompts there are, and masks that are given as such."""

import base64
import io
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from gen3d.errors import InvalidMask
from gen3d.prompts import Prompt

SIZE = (12, 10)
"""Width and height of the photo."""
HALF = [0, 60, 60]
"""The left half, as COCO counts: the object first, of 6 columns of 10."""
HALF_LETTERS = "0l1l1"


def of(**said: Any) -> Prompt:
    return Prompt.model_validate(said)


def png(size: tuple[int, int], box: tuple[int, int, int, int]) -> str:
    mask = Image.new("L", size)
    mask.paste(255, box)
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def left_half() -> Image.Image:
    mask = Image.new("L", SIZE)
    mask.paste(255, (0, 0, 6, 10))
    return mask


@pytest.mark.parametrize(
    "said",
    [
        {"mask": png(SIZE, (0, 0, 6, 10))},
        {"polygon": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]},
        {"rle": {"size": [10, 12], "counts": HALF}},
        {"rle": {"size": [10, 12], "counts": HALF_LETTERS}},
    ],
    ids=["png", "polygon", "counts", "letters"],
)
def test_a_mask_that_is_given_is_drawn_at_the_photos_size(said: dict[str, Any]) -> None:
    drawn = of(**said).drawn(*SIZE)
    assert drawn is not None
    assert (drawn.size, drawn.mode) == (SIZE, "L")
    assert drawn.tobytes() == left_half().tobytes()


def test_columns_of_an_rle_are_the_photos() -> None:
    # Nothing but the object's pixels of the first column, from the third row on, and the second's.
    drawn = of(rle={"size": [10, 12], "counts": [2, 16, 102]}).drawn(*SIZE)
    assert drawn is not None
    assert drawn.getbbox() == (0, 0, 2, 10)
    assert [drawn.getpixel((0, y)) for y in (1, 2)] == [0, 255]
    assert [drawn.getpixel((1, y)) for y in (7, 8)] == [255, 0]


def letters(counts: list[int]) -> str:
    """As COCO's rleToString writes runs: five bits a letter, from the fourth on as differences."""
    text = ""
    for n, count in enumerate(counts):
        value = count - counts[n - 2] if n > 2 else count
        more = True
        while more:
            bits = value & 31
            value >>= 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(bits + (32 if more else 0) + 48)
    return text


def test_coco_s_letters_say_the_same_as_its_numbers() -> None:
    runs = [7, 3, 40, 1, 2, 37, 5, 25]
    drawn = [of(rle={"size": [10, 12], "counts": c}).drawn(*SIZE) for c in (runs, letters(runs))]
    assert drawn[0] is not None
    assert drawn[1] is not None
    assert drawn[0].tobytes() == drawn[1].tobytes()


@pytest.mark.parametrize(
    "said",
    [
        {"clicks": [{"x": 0.5, "y": 0.5}]},
        {"box": {"left": 0, "top": 0, "right": 1, "bottom": 1}},
        {"text": "chair"},
        {"text": "chair", "certainty": 0.7},
        {"subject": "auto"},
        {
            "clicks": [{"x": 0.5, "y": 0.5, "inside": False}],
            "box": {"left": 0, "top": 0, "right": 1, "bottom": 1},
        },
    ],
)
def test_what_the_decoder_has_to_find_is_not_drawn_here(said: dict[str, Any]) -> None:
    assert of(**said).drawn(*SIZE) is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "an object is shown by"),
        ({"clicks": []}, "an object is shown by"),
        ({"text": "chair", "subject": "auto"}, "one of text, mask, polygon, rle and"),
        ({"clicks": [{"x": 0.5, "y": 0.5}], "text": "chair"}, "one of text, mask, polygon"),
        ({"clicks": [{"x": 0.5, "y": 0.5, "inside": False}]}, "add one on it"),
        ({"clicks": [{"x": 320, "y": 240}]}, "less than or equal to 1"),
        ({"clicks": [{"x": -0.1, "y": 0.5}]}, "greater than or equal to 0"),
        ({"clicks": [{"x": float("nan"), "y": 0.5}]}, "finite"),
        ({"clicks": [{"x": 0.5, "y": 0.5}] * 33}, "at most 32"),
        ({"box": {"left": 0.5, "top": 0, "right": 0.5, "bottom": 1}}, "left before its right"),
        ({"box": {"left": 0, "top": 0.6, "right": 0.5, "bottom": 0.5}}, "top above its bottom"),
        ({"polygon": [[0, 0], [1, 1]]}, "at least 3"),
        ({"polygon": [[0, 0], [1.2, 0], [1, 1]]}, "less than or equal to 1"),
        ({"mask": "no base64!"}, "Encode the PNG's bytes"),
        ({"mask": "A" * 680_004}, "at most 680000"),
        ({"rle": {"size": [0, 12], "counts": []}}, "greater than or equal to 1"),
        ({"rle": {"size": [10, 12], "counts": [-1]}}, "greater than or equal to 0"),
        ({"text": "  "}, "at least 1"),
        ({"text": "chair", "certainty": 50}, "less than or equal to 1"),
        ({"subject": "auto", "certainty": 0.5}, "certainty: it is asked of what a text finds"),
        ({"subject": "cup"}, "'auto'"),
    ],
)
def test_what_shows_nothing_or_several_things_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        of(**said)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"mask": png((10, 12), (0, 0, 5, 5))}, r"10×12 pixels, the photo 12×10"),
        ({"mask": base64.b64encode(b"GIF89a").decode()}, "not a PNG"),
        ({"mask": png(SIZE, (0, 0, 0, 0))}, "empty"),
        ({"polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}, "covers the whole photo"),
        ({"polygon": [[0.1, 0.1], [0.2, 0.1], [0.2, 0.1]]}, "covers [0-9] pixels"),
        ({"rle": {"size": [12, 10], "counts": HALF}}, "of 10×12 pixels, the photo of 12×10"),
        ({"rle": {"size": [10, 12], "counts": [0, 60]}}, "60 pixels together, .* has 120"),
        ({"rle": {"size": [10, 12], "counts": [0, 10**18]}}, "together"),
        ({"rle": {"size": [10, 12], "counts": [120]}}, "covers 0 pixels"),
        ({"rle": {"size": [10, 12], "counts": [0, 120]}}, "whole photo"),
        ({"rle": {"size": [10, 12], "counts": "~~~"}}, "not COCO's"),
        ({"rle": {"size": [10, 12], "counts": "0l"}}, "cut off"),
        ({"rle": {"size": [10, 12], "counts": "oooooooooooo"}}, "not COCO's"),
        ({"rle": {"size": [10, 12], "counts": "@"}}, "not COCO's"),
    ],
)
def test_a_mask_that_fits_no_photo_is_named(said: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidMask, match=why):
        of(**said).drawn(*SIZE)
