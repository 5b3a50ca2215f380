"""All objects of a photo together: seen over it, shown and hidden, taken away."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.driver import PATIENCE_MS, watch_pixels
from tests.local.running import eventually


@pytest.fixture
def together(finished: Page, ada: BrowserContext) -> Iterator[Page]:
    """The scene of the finished job, drawn."""
    page = ada.new_page()
    page.goto(finished.url)
    page.locator(".result-tools .segment", has_text="All together").click()
    expect(page.get_by_label("3D view of All objects together")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
    yield page
    page.close()


def _drawn(page: Page) -> Callable[[], int]:
    """Counts what the canvas alone shows: photo and gradient behind it become one colour."""
    page.locator(".viewer-frame").evaluate("frame => { frame.style.background = 'magenta'; }")
    page.locator(".viewer-photo").evaluate("photo => { photo.style.visibility = 'hidden'; }")
    return watch_pixels(page)


def _objects(page: Page) -> Locator:
    return page.locator(".viewer-objects").get_by_role("checkbox")


def test_each_object_is_shown_and_hidden(together: Page) -> None:
    colours = _drawn(together)
    expect(_objects(together)).to_have_count(2)
    assert eventually(lambda: colours() > 3)
    first, second = _objects(together).all()
    first.uncheck()
    assert eventually(lambda: colours() > 1)
    second.uncheck()
    assert eventually(lambda: colours() == 1)
    first.check()
    assert eventually(lambda: colours() > 1)


def test_the_photo_lies_under_the_first_view_until_one_turns(together: Page) -> None:
    photo = together.locator(".viewer-photo")
    expect(photo).to_be_visible()
    together.get_by_role("button", name="Turn", exact=True).click()
    expect(photo).to_have_count(0)
    together.get_by_role("button", name="As in the photo").click()
    expect(photo).to_be_visible()


def test_the_scene_is_taken_away(together: Page, tmp_path: Path) -> None:
    links = together.get_by_label("Downloads of all objects together").get_by_role("link")
    with together.expect_download() as waiting:
        links.filter(has_text="GLB").click()
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert file.name.endswith("-scene.glb")
    assert len(trimesh.load_scene(file).geometry) == 2
    expect(links.filter(has_text="SPZ")).to_be_visible()
    expect(links.filter(has_text="PLY")).to_be_visible()


def _picture(page: Page) -> NDArray[np.int16]:
    """What is drawn of the objects, over black."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))")
    picture = page.locator(".viewer-frame").screenshot(timeout=PATIENCE_MS)
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), np.int16)


def _coloured(page: Page) -> float:
    """Of what is drawn of the objects, the share that is coloured as invented."""
    button = page.get_by_role("button", name="Invented here")
    assert button.get_attribute("aria-pressed") == "false"
    plain = _picture(page)
    button.click()
    coloured = _picture(page)
    button.click()
    drawn = plain.max(axis=2) > 0
    return float((np.abs(coloured - plain).max(axis=2) > 12)[drawn].mean())


def test_what_the_photo_does_not_show_is_coloured(together: Page) -> None:
    together.get_by_role("button", name="Invented here").click()
    expect(together.get_by_text("the engine made it up")).to_be_visible()
    together.get_by_role("button", name="Invented here").click()
    together.add_style_tag(
        content=".viewer-frame { background: #000 !important } .viewer-photo { opacity: 0 }"
        " .viewer-said { visibility: hidden }"
    )
    as_in_the_photo = _coloured(together)
    canvas = together.locator(".viewer-frame canvas")
    for _ in range(18):
        canvas.press("ArrowRight")
    # From behind and above one sees the saucer still, which the photo shows.
    assert eventually(lambda: _coloured(together) > 0.2)
    assert as_in_the_photo < 0.1
