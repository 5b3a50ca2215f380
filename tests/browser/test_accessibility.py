"""axe finds nothing serious on any page, light or dark, wide or narrow."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import WEB_APP
from tests.browser.driver import PATIENCE_MS, Selecting
from tests.local.running import RunningStack

AXE = WEB_APP / "node_modules" / "axe-core" / "axe.min.js"


def _violations(page: Page) -> list[str]:
    # The policy forbids scripts from elsewhere; what a debugger evaluates is not asked.
    page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{v['id']}: {v['help']} {[node['target'] for node in v['nodes']][:3]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


def _check(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.mouse.move(1, 400)
        page.wait_for_timeout(400)
        assert _violations(page) == []


@pytest.mark.parametrize("path", ["/", "/signin", "/nothing", "/shared"])
def test_pages_without_an_account(visitor: Page, stack: RunningStack, path: str) -> None:
    visitor.goto(stack.url + path)
    expect(visitor.locator("h1").first).to_be_visible()
    if path == "/signin":
        expect(visitor.get_by_label("Email")).to_be_visible()
    _check(visitor)


def test_gallery(ada: BrowserContext, stack: RunningStack, finished: Page) -> None:
    page = ada.new_page()
    page.goto(f"{stack.url}/gallery")
    expect(page.locator(".job-card").first).to_be_visible(timeout=PATIENCE_MS)
    _check(page)
    page.close()


def test_select(selecting: Selecting) -> None:
    selecting.click((0.5, 0.3))
    _check(selecting.page)


def test_result(finished: Page) -> None:
    expect(finished.locator("canvas[data-drawn]")).to_be_visible(timeout=PATIENCE_MS)
    _check(finished)
    finished.get_by_role("button", name="Share").click()
    _check(finished)
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
