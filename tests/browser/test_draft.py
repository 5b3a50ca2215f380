"""A draft at once: the page changes to better masks and to the real mesh while somebody works.

Everything is the real thing but for the draft: the page is told of another decoder until the test
lets the better one come, whose embeddings are those of the job, and the draft's the same, a bit to
the right. Its mesh is that of a finished job. At the end a job goes the whole way with drafts of
the stack's own; their decoder is that of its endpoint, so there the page has nothing to change to.
"""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.doubles import Drafting, Job, with_drafts
from tests.browser.driver import (
    PATIENCE_MS,
    Selecting,
    an_address,
    check_accessibility,
    choose_photo,
    running_stack,
    sign_up,
    watch_pixels,
)
from tests.local.running import RunningStack

CUP, SPOON, TABLE = (0.5, 0.3), (0.62, 0.78), (0.08, 0.9)
WAKING = "while the better one wakes up"


@pytest.fixture
def drafting(
    ada: BrowserContext, stack: RunningStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Drafting]:
    """The first page, of a stack that makes drafts."""
    drafting = Drafting(ada, stack, tmp_path_factory.mktemp("draft"))
    yield drafting
    drafting.page.close()


def test_better_masks_take_over_between_two_gestures_and_the_others_can_be_had_back(
    drafting: Drafting, photo: Path
) -> None:
    selecting = drafting.start(photo)
    page = drafting.page
    expect(page.get_by_text(WAKING)).to_be_visible()
    selecting.click(CUP)
    page.get_by_role("button", name="Add", exact=True).click()
    selecting.click(SPOON)
    selecting.tool("Brush")
    selecting.drag(TABLE, (0.12, 0.9))
    drafts = [selecting.share(n) for n in (0, 1)]

    # In the midst of a stroke nothing changes.
    page.mouse.move(*selecting.at((0.2, 0.9)))
    page.mouse.down()
    with page.expect_response("**/embeddings.safetensors*", timeout=PATIENCE_MS):
        drafting.come()
    page.wait_for_timeout(2500)
    page.mouse.move(*selecting.at((0.24, 0.9)), steps=4)
    assert [selecting.share(n) for n in (0, 1)] == drafts
    expect(drafting.note).to_be_hidden()
    page.mouse.up()

    expect(drafting.news).to_have_text("Better masks are here")
    expect(page.get_by_text(WAKING)).to_be_hidden()
    better = [selecting.ready().share(n) for n in (0, 1)]
    assert better[0] != drafts[0]
    assert better[1] != drafts[1]
    assert selecting.covers((0.1, 0.9), 1)
    assert selecting.covers((0.22, 0.9), 1)
    expect(selecting.points).to_have_count(1)
    check_accessibility(page)
    # The first decoder is gone, with its memory, which the browser tells a moment later.
    deadline = time.monotonic() + 10
    while len(decoders := [w for w in page.workers if "/assets/worker-" in w.url]) > 1:
        assert time.monotonic() < deadline, decoders
        page.wait_for_timeout(50)
    assert len(decoders) == 1

    drafting.note.get_by_role("button", name="Keep mine").click()
    assert selecting.ready().share(0) == drafts[0]
    drafting.note.get_by_role("button", name="Take the better ones").click()
    assert selecting.ready().share(0) == better[0]
    drafting.note.get_by_role("button", name="Keep mine").click()
    drafting.note.get_by_role("button", name="Close the note").click()
    expect(drafting.note).to_be_hidden()
    expect(selecting.viewport).to_be_focused()

    # What is kept is what stood, and is no draft any more.
    page.wait_for_timeout(600)
    page.reload()
    selecting.ready()
    assert selecting.share(0) == drafts[0]
    expect(drafting.note).to_be_hidden()
    # The next click goes to the better decoder.
    selecting.click((0.5, 0.72))
    assert drafting.asked == ["draft", "better", "better"]


def test_what_was_clicked_before_a_reload_is_decoded_anew_where_better_masks_came_meanwhile(
    drafting: Drafting, photo: Path
) -> None:
    selecting = drafting.start(photo).click(CUP)
    draft = selecting.share()
    drafting.page.wait_for_timeout(600)
    drafting.come()
    drafting.page.reload()
    selecting.ready()
    expect(drafting.news).to_have_text("Better masks are here")
    expect(selecting.points).to_have_count(1)
    assert selecting.share() != draft
    drafting.note.get_by_role("button", name="Keep mine").click()
    assert selecting.ready().share() == draft


def test_better_masks_that_do_not_load_leave_the_draft_and_can_be_loaded_again(
    drafting: Drafting, photo: Path
) -> None:
    selecting = drafting.start(photo).click(CUP)
    page = drafting.page
    page.route("**/embeddings.safetensors*", lambda route: route.abort())
    drafting.come()
    again = page.get_by_role("button", name="Load again")
    expect(again).to_be_visible(timeout=PATIENCE_MS)
    selecting.click(SPOON)
    expect(selecting.points).to_have_count(2)
    page.unroute("**/embeddings.safetensors*")
    page.route("**/embeddings.safetensors*", drafting.embeddings)
    again.click()
    expect(drafting.news).to_have_text("Better masks are here", timeout=PATIENCE_MS)
    expect(again).to_be_hidden()


def test_better_masks_that_come_after_the_mask_was_confirmed_change_nothing(
    drafting: Drafting, photo: Path
) -> None:
    selecting = drafting.start(photo).click(CUP)
    page = drafting.page
    held: list[Route] = []
    page.route("**/api/jobs/*/masks", lambda route: held.append(route))
    # What shows a draft is on its way before there is one.
    with page.expect_request("**/assets/Viewer-*.js", timeout=PATIENCE_MS):
        selecting.confirm()
    expect(page.get_by_role("heading", name="Sending the mask")).to_be_visible()
    with page.expect_response(
        lambda response: bool(re.search(r"/api/jobs/\w+$", response.url)), timeout=PATIENCE_MS
    ):
        drafting.come()
    page.wait_for_timeout(1500)
    assert drafting.asked == ["draft"]
    for route in held:
        route.continue_()
    expect(page.locator(".object-progress, .result").first).to_be_visible(timeout=PATIENCE_MS)


def test_what_is_found_by_its_name_comes_with_the_better_masks(
    drafting: Drafting, photo: Path
) -> None:
    drafting.text = "cup"
    selecting = drafting.start(photo)
    page = drafting.page
    expect(page.get_by_role("heading", name="Found: cup")).to_be_visible()
    expect(page.get_by_text("It is looked for by its name")).to_be_visible()
    drafting.come()
    page.get_by_role("button", name="cup 1 of 2, certainty 90 percent").click(timeout=PATIENCE_MS)
    assert abs(selecting.ready().share() - 0.16) < 0.005


@pytest.fixture
def seen(finished: Page, ada: BrowserContext) -> Iterator[Callable[[Callable[[Job], Job]], Page]]:
    """The page of the finished job as another would be shown."""
    pages: list[Page] = []

    def open_page(change: Callable[[Job], Job]) -> Page:
        page = ada.new_page()
        pages.append(page)

        def job(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, json=change(answer.json()))

        page.route("**/api/jobs/*", job)
        page.goto(finished.url)
        return page

    yield open_page
    for page in pages:
        page.close()


def test_a_draft_is_in_sight_until_the_real_mesh_is(
    seen: Callable[[Callable[[Job], Job]], Page],
) -> None:
    done: list[bool] = []
    page = seen(lambda job: job if done else with_drafts(job))
    drawn = page.locator("canvas[data-drawn=mesh]")
    expect(drawn).to_be_visible(timeout=PATIENCE_MS)
    badge = page.locator(".viewer .badge")
    expect(badge).to_have_text("Draft")
    bar = page.get_by_role("progressbar", name="Object 1")
    expect(bar).to_have_attribute("aria-valuetext", "42 %, about 15 s left")
    expect(page.get_by_text("latents condition · about 15 s left")).to_be_visible()
    expect(page.get_by_text("Making “Object 1”, “Object 2”. A draft stays")).to_be_visible()
    expect(page.get_by_role("list", name="Downloads of the draft")).to_be_visible()
    colours = watch_pixels(page)
    assert colours() > 3
    check_accessibility(page)
    done.append(True)
    expect(badge).to_be_hidden(timeout=PATIENCE_MS)
    expect(drawn).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("list", name="Downloads", exact=True)).to_be_visible()


def test_a_job_that_failed_shows_its_draft(seen: Callable[[Callable[[Job], Job]], Page]) -> None:
    error = {"error": "EndpointUnavailable", "message": "The endpoint did not wake."}

    def failed(job: Job) -> Job:
        drafts = with_drafts(job, status="FAILED", error=error)
        objects = [o | {"status": "FAILED", "error": error} for o in drafts["objects"]]
        return drafts | {"objects": objects}

    page = seen(failed)
    failure = page.get_by_role("heading", name="This job failed")
    expect(failure).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("What you see below is a draft.")).to_be_visible()
    expect(page.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".viewer .badge")).to_have_text("Draft")
    with page.expect_download() as waiting:
        page.locator(".downloads a", has_text="Draft, GLB").first.click()
    assert waiting.value.suggested_filename.endswith(".glb")


@pytest.fixture
def asleep(build: Path, tmp_path: Path) -> Iterator[RunningStack]:
    """A stack whose endpoint takes a minute to wake, so that drafts are made."""
    with running_stack(tmp_path, GEN3D_LOCAL_WAKE_SECONDS="60") as stack:
        yield stack


def test_a_job_is_clicked_and_seen_while_the_endpoint_sleeps(
    browser: Browser, asleep: RunningStack, photo: Path
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.goto(f"{asleep.url}/signin")
    sign_up(page, asleep, an_address("dora"))
    page.goto(asleep.url)
    choose_photo(page, photo)
    expect(page.get_by_text(WAKING)).to_be_visible(timeout=PATIENCE_MS)
    selecting = Selecting(page).ready().click(CUP)
    assert selecting.covers(CUP)
    selecting.confirm()
    drafts = page.get_by_role("list", name="Downloads of the draft")
    expect(drafts).to_be_visible(timeout=300_000)
    expect(page.get_by_text("A draft stays in sight meanwhile.")).to_be_visible()
    expect(drafts).to_be_hidden(timeout=300_000)
    expect(page.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".viewer .badge")).to_have_count(0)
    context.close()
