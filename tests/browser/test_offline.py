"""The connection is lost and comes back: told in one place, and what waits goes on by itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.alone import FORM, JOB, URL, a_job, signed_in, to_select
from tests.browser.driver import PATIENCE_MS, Selecting, check_accessibility


@pytest.fixture
def ada(browser: Browser, build: Path) -> Iterator[BrowserContext]:
    """Ada's browser; she is signed in."""
    with signed_in(browser, build) as context:
        yield context


class Line:
    """What leads from a page to everything: it breaks, and is mended."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.banner = page.locator(".offline")

    def breaks(self) -> None:
        self.page.route("**/*", self._nothing)

    def is_mended(self) -> None:
        self.page.unroute("**/*", self._nothing)

    def is_told_once(self, *waiting: str) -> None:
        """See that one place says so, and what waits."""
        for what in waiting:
            expect(self.banner).to_contain_text(what, timeout=PATIENCE_MS)
        expect(self.page.get_by_text("cannot be reached")).to_have_count(1)
        expect(self.page.get_by_role("alert")).to_have_count(0)

    def _nothing(self, route: Route) -> None:
        route.abort("internetdisconnected")


def test_the_gallery_opened_without_a_connection_comes_by_itself(ada: BrowserContext) -> None:
    page = ada.new_page()
    line = Line(page)
    # What is fetched ahead does not come either.
    page.route("**/assets/Gallery-*", lambda route: route.abort("internetdisconnected"))
    jobs = {"jobs": [a_job(1, status="COMPLETED", objects=1)], "cursor": None}
    page.route("**/api/jobs", lambda route: route.fulfill(json=jobs))
    page.goto(URL)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    line.breaks()
    page.get_by_role("link", name="Gallery").click()
    line.is_told_once("the gallery")
    check_accessibility(page)
    page.unroute("**/assets/Gallery-*")
    line.is_mended()
    expect(page.locator(".job-card")).to_be_visible(timeout=PATIENCE_MS)
    expect(line.banner).to_have_count(0)
    # Its styles have come, too.
    assert page.locator(".cards").evaluate("it => getComputedStyle(it).display") == "grid"


def test_pages_that_come_next_are_there_before_they_are_needed(ada: BrowserContext) -> None:
    page = ada.new_page()
    line = Line(page)
    with (
        page.expect_response("**/assets/Gallery-*.js"),
        page.expect_response("**/assets/JobPage-*.js"),
    ):
        page.goto(URL)
    page.wait_for_timeout(300)
    line.breaks()
    page.get_by_role("link", name="Gallery").click()
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    line.is_told_once("your gallery")


def test_a_job_whose_beginning_was_not_answered_goes_on_without_another_upload(
    ada: BrowserContext,
) -> None:
    page = ada.new_page()
    line = Line(page)
    uploads: list[str] = []
    asked: list[str] = []

    def bucket(route: Route) -> None:
        uploads.append(route.request.url)
        route.fulfill(status=204)
        line.breaks()

    def initialize(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=202, json=a_job(1, status="INITIALIZING"))

    created = a_job(1, status="CREATED")
    page.route(
        "**/api/jobs", lambda route: route.fulfill(status=201, json=created | {"upload": FORM})
    )
    page.route("**/api/jobs/*", lambda route: route.fulfill(json=created))
    page.route("**/api/jobs/*/initialize", initialize)
    page.route(FORM["url"], bucket)
    page.goto(URL)
    page.locator("button.sample").first.click()
    line.is_told_once("the upload of your photo")
    expect(page.get_by_role("heading", name="Checking the photo")).to_be_visible()
    line.is_mended()
    heading = page.get_by_role("heading", name="Preparing the photo")
    expect(heading).to_be_visible(timeout=PATIENCE_MS)
    assert len(uploads) == len(asked) == 1


def test_masks_that_were_confirmed_without_a_connection_are_sent_by_themselves(
    ada: BrowserContext, tmp_path: Path
) -> None:
    job, lend = to_select(tmp_path)
    lend(ada)
    page = ada.new_page()
    line = Line(page)
    sent: list[Any] = []

    def reconstruct(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(status=202, json=job | {"status": "RECONSTRUCTING"})

    page.route("**/api/jobs/*", lambda route: route.fulfill(json=job))
    page.route("**/api/jobs/*/masks", lambda route: route.fulfill(json={"uploads": [FORM]}))
    page.route("**/api/jobs/*/reconstruct", reconstruct)
    page.route(FORM["url"], lambda route: route.fulfill(status=204))
    page.goto(f"{URL}/jobs/{JOB}1")
    selecting = Selecting(page).ready()
    selecting.click((0.5, 0.3))
    line.breaks()
    selecting.confirm()
    line.is_told_once("sending your masks")
    expect(page.get_by_role("button", name="Back to the selection")).to_be_visible()
    line.is_mended()
    page.get_by_role("button", name="Try now").click()
    heading = page.get_by_role("heading", name="Reconstructing")
    expect(heading).to_be_visible(timeout=PATIENCE_MS)
    assert len(sent) == 1
