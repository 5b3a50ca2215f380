"""Finished models on the first page, to be turned before one signs up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.alone import URL, serve
from tests.browser.driver import PATIENCE_MS, check_accessibility


@pytest.fixture
def asked(page: Page) -> list[str]:
    """What is fetched."""
    names: list[str] = []
    page.on("request", lambda request: names.append(request.url))
    return names


@pytest.fixture
def page(browser: Browser, build: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE_MS)
    context.route("**/*", serve(build))
    yield context.new_page()
    context.close()


def _of(asked: list[str], ending: str) -> int:
    return sum(url.split("?")[0].endswith(ending) for url in asked)


def test_models_come_when_they_are_wanted_and_are_turned(page: Page, asked: list[str]) -> None:
    page.goto(URL)
    expect(page.locator(".drop")).to_be_visible()
    page.wait_for_timeout(500)
    assert _of(asked, ".glb") == 0
    assert not any("Examples" in url or "turntable" in url for url in asked)

    page.locator(".examples").evaluate("place => place.scrollIntoView()")
    example = page.locator(".example").first
    expect(example.locator("img")).to_be_visible()
    page.wait_for_timeout(500)
    assert _of(asked, ".glb") == 0, "a weak machine draws nothing that nobody wants"
    canvas = example.get_by_role("application")
    canvas.hover()
    expect(example.locator("canvas.there")).to_be_visible(timeout=PATIENCE_MS)
    assert _of(asked, ".glb") == 1
    before = canvas.screenshot()
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1000)
    assert canvas.screenshot() != before
    check_accessibility(page)


def test_a_picture_stays_where_no_model_comes(page: Page) -> None:
    page.route("**/*.glb", lambda route: route.abort())
    page.goto(URL)
    page.locator(".examples").evaluate("place => place.scrollIntoView()")
    example = page.locator(".example").first
    expect(example.locator("img")).to_be_visible()
    example.get_by_role("application").focus()
    page.wait_for_timeout(1500)
    expect(example.locator("img")).to_be_visible()
    expect(example.locator("canvas.there")).to_have_count(0)
