"""What the image encoders are shown of an object."""

import numpy as np
import pytest
from PIL import Image

from gen3d_inference.engines.open.cutout import Cutout

RED = Image.new("RGB", (600, 400), (200, 0, 0))


def test_the_object_fills_five_sixths_before_black() -> None:
    mask = np.zeros((400, 600), bool)
    mask[100:300, 250:350] = True
    cutout = Cutout.around(mask)
    assert (cutout.x, cutout.y) == (300, 200)
    assert cutout.half == pytest.approx(120)
    seen = np.asarray(cutout.picture(RED, mask, 240))
    assert seen.shape == (240, 240, 3)
    rows, columns = (np.flatnonzero(seen[..., 0].any(axis)) for axis in (1, 0))
    assert abs(len(rows) - 200) <= 3
    assert abs(len(columns) - 100) <= 3
    assert seen[120, 120].tolist() == [200, 0, 0]
    assert not seen[5, 5].any()


def test_a_pixel_of_the_rim_is_taken_off() -> None:
    """There the background shines in."""
    pixels = np.full((400, 600, 3), 255, np.uint8)
    mask = np.zeros((400, 600), bool)
    mask[100:300, 200:400] = True
    pixels[mask] = (0, 0, 90)
    seen = np.asarray(Cutout.around(mask).picture(Image.fromarray(pixels), mask, 240))
    assert seen[..., :2].max() < 40


@pytest.mark.parametrize(
    "region",
    [
        (slice(0, 1), slice(0, 1)),
        (slice(399, 400), slice(599, 600)),
        (slice(0, 400), slice(0, 2)),
        (slice(398, 400), slice(0, 600)),
    ],
    ids=["first pixel", "last pixel", "left edge", "bottom edge"],
)
def test_an_object_at_the_photo_s_edge_is_shown(region: tuple[slice, slice]) -> None:
    mask = np.zeros((400, 600), bool)
    mask[region] = True
    seen = np.asarray(Cutout.around(mask).picture(RED, mask, 96))
    assert seen.shape == (96, 96, 3)
    assert seen[..., 0].max() > 20
