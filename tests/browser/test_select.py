"""Clicks and what they draw. The photo is a cup on a saucer; the engine is the lite one."""

import re

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.driver import PATIENCE_MS, Selecting, a_request_is_held

CUP = (0.5, 0.3)
TABLE = (0.08, 0.9)
SPOON = (0.62, 0.78)
EMBEDDINGS = "**/embeddings.safetensors*"


def test_a_click_draws_a_mask_over_what_was_clicked(selecting: Selecting) -> None:
    selecting.click(CUP)
    assert selecting.covers(CUP)
    assert not selecting.covers(TABLE)
    assert 0.005 < selecting.share() < 0.8


def test_undo_redo_and_clear(selecting: Selecting) -> None:
    selecting.click(CUP, SPOON)
    both = selecting.share()
    selecting.page.keyboard.press("Control+z")
    assert selecting.ready().points.count() == 1
    selecting.press("Redo")
    assert (selecting.points.count(), selecting.share()) == (2, both)
    selecting.press("Clear this object")
    assert (selecting.points.count(), selecting.share()) == (0, 0)
    selecting.press("Undo")
    assert selecting.share() == both


@pytest.mark.parametrize("way", ["right button", "tool"])
def test_a_negative_click_takes_its_place_out(selecting: Selecting, way: str) -> None:
    selecting.click(CUP, (0.5, 0.72))
    inside = next(
        p for p in ((0.55, 0.75), (0.5, 0.8), (0.4, 0.7), (0.45, 0.3)) if selecting.covers(p)
    )
    if way == "tool":
        selecting.tool("Remove")
        selecting.click(inside)
    else:
        selecting.click(inside, button="right")
    expect(selecting.page.locator(".point-remove")).to_have_count(1)
    assert not selecting.covers(inside)


@pytest.mark.parametrize("way", ["right button", "tool"])
def test_a_drag_that_takes_away_makes_no_box(selecting: Selecting, way: str) -> None:
    selecting.click(CUP)
    if way == "tool":
        selecting.tool("Remove")
    button = "left" if way == "tool" else "right"
    selecting.drag((0.27, 0.02), (0.72, 0.6), button=button)
    expect(selecting.page.locator(".point-remove")).to_have_count(1)
    expect(selecting.page.locator(".box-mark")).to_have_count(0)


def test_a_click_on_a_point_removes_it(selecting: Selecting) -> None:
    selecting.click(CUP, SPOON, CUP)
    expect(selecting.points).to_have_count(1)


def test_a_box_selects_what_is_in_it(selecting: Selecting) -> None:
    selecting.drag((0.27, 0.02), (0.72, 0.6))
    expect(selecting.page.locator(".box-mark")).to_be_visible()
    assert selecting.share() > 0.03
    assert not selecting.covers(TABLE)
    assert selecting.points.count() == 0


def test_clicks_stay_exact_when_zoomed(selecting: Selecting) -> None:
    page = selecting.page
    start = selecting.at((0.1, 0.1))
    page.mouse.move(*selecting.at((0.6, 0.7)))
    page.mouse.wheel(0, -900)
    seen = start
    for _ in range(20):  # until the view has moved, and is at rest
        page.wait_for_timeout(200)
        before, seen = seen, selecting.at((0.1, 0.1))
        if before == seen != start:
            break
    selecting.click((0.62, 0.72))
    page.get_by_role("button", name="Whole photo").click()

    def missed_by() -> float:
        point = selecting.points.bounding_box()
        assert point is not None
        x, y = selecting.at((0.62, 0.72))
        return max(
            abs(point["x"] + point["width"] / 2 - x), abs(point["y"] + point["height"] / 2 - y)
        )

    for _ in range(20):  # until the view is at rest
        if missed_by() < 1.5:
            break
        page.wait_for_timeout(200)
    assert missed_by() < 1.5
    assert selecting.covers((0.62, 0.72))


def test_a_finger_taps_and_two_zoom(selecting: Selecting) -> None:
    fingers = selecting.page.context.new_cdp_session(selecting.page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    layer = selecting.page.locator(".viewport-layer")
    before = layer.bounding_box()
    assert before is not None
    x, y = selecting.at((0.5, 0.5))
    touch("touchStart", (x - 40, y), (x + 40, y))
    for apart in (60, 80, 100):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    after = layer.bounding_box()
    assert after is not None
    assert after["width"] > 1.5 * before["width"]
    assert selecting.points.count() == 0

    in_sight = (0.5, 0.45)
    touch("touchStart", selecting.at(in_sight))
    touch("touchEnd")
    selecting.ready()
    expect(selecting.points).to_have_count(1)
    assert selecting.covers(in_sight)


def test_brush_and_eraser_mend_the_mask_by_hand(selecting: Selecting) -> None:
    selecting.tool("Brush")
    selecting.drag((0.1, 0.88), (0.2, 0.88))
    assert selecting.covers((0.15, 0.88))
    selecting.tool("Erase")
    selecting.drag((0.15, 0.8), (0.15, 0.96))
    assert not selecting.covers((0.15, 0.88))
    assert selecting.covers((0.105, 0.88))


def test_objects_have_names_and_masks_of_their_own(selecting: Selecting) -> None:
    page = selecting.page
    selecting.click(CUP)
    page.get_by_role("button", name="Add", exact=True).click()
    selecting.click(SPOON)
    name = page.get_by_label("Name of object 2")
    name.fill("Spoon")
    name.press("Enter")
    assert selecting.covers(CUP, 0)
    assert selecting.covers(SPOON, 1)
    expect(page.get_by_role("button", name=re.compile("Reconstruct 2 objects"))).to_be_enabled()
    page.get_by_role("button", name="Remove Spoon").click()
    expect(page.locator(".mask")).to_have_count(1)


def test_another_of_the_three_masks_can_be_chosen(selecting: Selecting) -> None:
    selecting.click(CUP)
    offered = selecting.page.locator(".candidate")
    expect(offered).to_have_count(3)
    shares = set()
    for n in range(3):
        offered.nth(n).click()
        expect(offered.nth(n)).to_have_attribute("aria-pressed", "true")
        shares.add(selecting.ready().share())
    assert len(shares) > 1


def test_the_keyboard_is_enough(selecting: Selecting) -> None:
    selecting.viewport.focus()
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        selecting.page.keyboard.press(key)
    assert selecting.ready().share() > 0
    selecting.page.keyboard.press("Shift+ArrowDown")
    selecting.page.keyboard.press("Backspace")
    selecting.ready()
    expect(selecting.page.locator(".point-remove")).to_have_count(1)


def test_a_reload_loses_nothing(selecting: Selecting) -> None:
    page = selecting.page
    selecting.click(CUP, SPOON)
    selecting.tool("Brush")
    selecting.drag((0.1, 0.88), (0.2, 0.88))
    before = selecting.share()
    page.wait_for_timeout(1000)
    page.reload()
    selecting.ready()
    expect(selecting.points).to_have_count(2)
    assert selecting.share() == before


def test_two_tabs_on_one_job_go_on_from_each_other(
    selecting: Selecting, ada: BrowserContext
) -> None:
    page = selecting.page
    other = Selecting(ada.new_page())
    other.page.goto(page.url)
    expect(other.viewport).to_be_visible(timeout=PATIENCE_MS)
    other.ready()
    page.bring_to_front()
    selecting.click(CUP)
    expect(other.points).to_have_count(1)
    other.page.bring_to_front()
    assert other.ready().covers(CUP)
    other.click(SPOON)
    expect(selecting.points).to_have_count(2)
    other.page.close()
    page.bring_to_front()
    page.reload()
    expect(selecting.ready().points).to_have_count(2)


def test_a_kept_selection_is_not_faulted_before_it_is_decoded(selecting: Selecting) -> None:
    page = selecting.page
    selecting.click(CUP)
    page.wait_for_timeout(1000)
    held: list[Route] = []
    page.route(EMBEDDINGS, lambda route: held.append(route))
    page.reload()
    expect(page.get_by_text("Loading the selection tool")).to_be_visible(timeout=PATIENCE_MS)
    expect(selecting.points).to_have_count(1)
    expect(page.locator(".complaint")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Reconstruct"))).to_be_disabled()
    a_request_is_held(page, held)
    for route in held:
        route.continue_()
    page.unroute(EMBEDDINGS)
    selecting.ready()
    assert selecting.covers(CUP)


def test_nothing_cannot_be_sent(selecting: Selecting) -> None:
    button = selecting.page.get_by_role("button", name=re.compile("^Reconstruct"))
    expect(button).to_be_disabled()
