"""Masks that come with the photo, for an engine that finds things by their names.

The engine here finds nothing by name. Everything is the real thing but for what it would add: the
page is told of the other engine, and two masks are laid beside the embeddings on their way to it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.doubles import changed, with_masks
from tests.browser.driver import Selecting, choose_photo
from tests.local.running import RunningStack

CUP, TABLE = (0.5, 0.3), (0.08, 0.9)


@pytest.fixture
def naming(
    ada: BrowserContext, stack: RunningStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """The first page, of a stack whose engine finds things by their names."""
    folder = tmp_path_factory.mktemp("embeddings")
    page = ada.new_page()

    def config(route: Route) -> None:
        told = route.fetch().json()
        route.fulfill(json={**told, "engine": "sam"})

    def initialize(route: Route) -> None:
        assert json.loads(route.request.post_data or "{}") == {"text": "cup"}
        answer = route.fetch(post_data="{}")
        route.fulfill(response=answer)

    def job(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "text": "cup"})

    def embeddings(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=changed(answer.body(), folder, with_masks))

    page.route("**/config.json", config)
    page.route("**/api/jobs/*", job)
    page.route("**/api/jobs/*/initialize", initialize)
    page.route("**/embeddings.safetensors*", embeddings)
    page.goto(stack.url)
    yield page
    page.close()


def test_what_was_found_by_its_name_can_be_chosen_and_refined(naming: Page, photo: Path) -> None:
    naming.get_by_label("What is it?").fill(" cup ")
    choose_photo(naming, photo)
    expect(naming.locator(".viewport")).to_be_visible(timeout=120_000)
    selecting = Selecting(naming).ready()
    expect(naming.get_by_role("heading", name="Found: cup")).to_be_visible()
    naming.get_by_role("button", name="cup 1 of 2, certainty 90 percent").click()
    selecting.ready()
    assert selecting.covers(CUP)
    assert not selecting.covers(TABLE)
    assert abs(selecting.share() - 0.16) < 0.005
    assert naming.get_by_label("Name of object 1").input_value() == "cup"

    selecting.press("Undo")
    assert selecting.share() == 0
    naming.get_by_role("button", name="cup 2 of 2").click()
    assert selecting.ready().covers(TABLE)
    selecting.click(CUP)
    expect(selecting.points).to_have_count(1)
    assert selecting.covers(CUP)
