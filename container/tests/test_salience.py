"""What a photo is about, among masks as clicks of a grid are answered."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gen3d_inference.salience import GRID, SURE, subject

SIDE = 56
Mask = NDArray[np.bool_]

Y, X = np.mgrid[:SIDE, :SIDE] / SIDE


def disc(x: float, y: float, radius: float) -> Mask:
    return np.asarray((X - x) ** 2 + (Y - y) ** 2 < radius**2)


def asked(*things: Mask, parts: tuple[Mask, ...] = ()) -> tuple[Mask, float]:
    """The subject where a click is answered by a thing it lies on, a part of it, else a speck."""
    steps = (np.arange(GRID) + 0.5) / GRID
    masks, clicks = [], []
    for y in steps:
        for x in steps:
            at = int(y * SIDE), int(x * SIDE)
            speck = disc(x, y, 0.07)
            masks += [
                next((thing for thing in things if thing[at]), speck),
                next((part for part in parts if part[at]), speck),
            ]
            clicks += [(x, y)] * 2
    scores = np.tile([0.7, 0.9], len(masks) // 2)
    index, lead = subject(np.array(masks), scores, np.array(clicks))
    return masks[index], lead


SKY = Y < 0.55
THING = disc(0.5, 0.55, 0.22)


def test_a_thing_is_taken_and_neither_the_sky_nor_the_ground() -> None:
    mask, lead = asked(THING, SKY & ~THING, ~SKY & ~THING)
    assert (mask == THING).all()
    assert lead > SURE


def test_a_sky_alone_is_no_subject_to_be_sure_of() -> None:
    _, lead = asked(SKY, disc(0.3, 0.8, 0.14), disc(0.7, 0.8, 0.14))
    assert lead < SURE


def test_of_two_things_alike_neither_is_taken_for_sure() -> None:
    _, lead = asked(disc(0.28, 0.5, 0.18), disc(0.72, 0.5, 0.18))
    assert lead < 0.1


def test_the_whole_is_taken_and_not_a_part() -> None:
    part = THING & (X < 0.6)
    mask, lead = asked(THING, parts=(part,))
    assert (mask == THING).all()
    assert lead > SURE


def test_a_mask_that_one_click_alone_gives_is_behind_one_that_all_do() -> None:
    thing, once = disc(0.3, 0.5, 0.2), disc(0.7, 0.5, 0.2)
    masks = np.array([thing] * 4 + [once] + [disc(0.7, y, 0.07) for y in (0.4, 0.5, 0.6)])
    at = [(0.3, 0.4), (0.3, 0.6), (0.2, 0.5), (0.4, 0.5)]
    at += [(0.65, 0.5), (0.7, 0.4), (0.7, 0.5), (0.7, 0.6)]
    index, lead = subject(masks, np.full(8, 0.8), np.array(at))
    assert index < 4
    assert lead > 0.3


def test_nothing_that_is_of_any_size_is_no_subject() -> None:
    empty = np.zeros((4, SIDE, SIDE), bool)
    clicks = np.array([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]])
    assert subject(empty, np.ones(4), clicks)[1] == 0
    assert subject(~empty, np.ones(4), clicks)[1] == 0


@pytest.mark.parametrize("side", [56, 224, 256])
def test_it_holds_at_any_resolution(side: int) -> None:
    times = -(-side // SIDE)
    large = np.kron(THING, np.ones((times, times), bool))
    other = np.zeros_like(large)
    other[: large.shape[0] // 2] = True
    masks = np.array([other & ~large, large])
    assert subject(masks, np.full(2, 0.8), np.array([[0.1, 0.1], [0.5, 0.5]]))[0] == 1
