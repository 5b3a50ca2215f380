"""All objects of a photo together: seen over it, shown and hidden, taken away."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trimesh
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
