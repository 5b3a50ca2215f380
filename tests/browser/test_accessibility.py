"""axe finds nothing serious on any page, light or dark, wide or narrow."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.driver import PATIENCE_MS, Selecting, check_accessibility
from tests.local.running import RunningStack


@pytest.mark.parametrize("path", ["/", "/signin", "/nothing", "/shared"])
def test_pages_without_an_account(visitor: Page, stack: RunningStack, path: str) -> None:
    visitor.goto(stack.url + path)
    expect(visitor.locator("h1").first).to_be_visible()
    if path == "/signin":
        expect(visitor.get_by_label("Email")).to_be_visible()
    check_accessibility(visitor)


def test_gallery(ada: BrowserContext, stack: RunningStack, finished: Page) -> None:
    page = ada.new_page()
    page.goto(f"{stack.url}/gallery")
    expect(page.locator(".job-card").first).to_be_visible(timeout=PATIENCE_MS)
    check_accessibility(page)
    page.close()


def test_select(selecting: Selecting) -> None:
    selecting.click((0.5, 0.3))
    check_accessibility(selecting.page)


def test_result(finished: Page) -> None:
    expect(finished.locator("canvas[data-drawn]")).to_be_visible(timeout=PATIENCE_MS)
    check_accessibility(finished)
    finished.get_by_role("button", name="Share").click()
    try:
        check_accessibility(finished)
    finally:  # other tests go on with this page
        finished.get_by_role("button", name="Close").click()


def test_a_phone_scrolls_in_one_direction(
    ada: BrowserContext, stack: RunningStack, finished: Page, waiting_job: Page
) -> None:
    page = ada.new_page()
    page.set_viewport_size({"width": 360, "height": 740})
    for url in (stack.url, f"{stack.url}/gallery", finished.url, waiting_job.url):
        page.goto(url)
        page.wait_for_timeout(1500)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()
