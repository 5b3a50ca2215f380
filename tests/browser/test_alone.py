"""The built page by itself. What it asks a server is answered here, so that any answer can fail."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.alone import FORM, JOB, URL, a_job, cognito, serve, signed_in, the_page
from tests.browser.driver import PATIENCE_MS, a_request_is_held, check_accessibility


def _deploy(page: Page, dist: Path) -> None:
    """From now on another version is the newest."""
    newer = the_page(dist, version="newer")

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            cognito(route)
        else:
            newer(route)

    page.route(f"{URL}/", answer)


@pytest.fixture
def ada(browser: Browser, build: Path) -> Iterator[BrowserContext]:
    """Ada's browser; she is signed in."""
    with signed_in(browser, build) as context:
        yield context


def _gallery(context: BrowserContext) -> Page:
    page = context.new_page()
    jobs = [a_job(n, status="COMPLETED", objects=1) for n in (1, 2)]
    page.route("**/api/jobs", lambda route: route.fulfill(json={"jobs": jobs, "cursor": None}))
    page.goto(f"{URL}/gallery")
    expect(page.get_by_label("Delete job 2")).to_be_visible()
    return page


def test_an_expired_session_leaves_the_page_of_an_earlier_version(
    ada: BrowserContext, build: Path
) -> None:
    page = _gallery(ada)
    _deploy(page, build)
    page.route("**/assets/SignIn-*", the_page(build))
    page.route("**/api/jobs/*", lambda route: route.fulfill(status=401, json={}))
    page.get_by_label("Delete job 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    asked = page.get_by_role("dialog", name="Sign in again")
    expect(asked.get_by_role("alert")).to_contain_text("A new version of Gen3D is out")
    expect(asked.get_by_role("button", name="Reload")).to_be_visible()
    expect(page.locator(".new-version")).to_be_hidden()
    expect(page.locator(".job-card")).to_have_count(2)


def test_a_photo_is_not_lost_with_a_part_that_does_not_load(
    ada: BrowserContext, build: Path
) -> None:
    page = ada.new_page()
    part = "**/assets/JobPage-*.js"
    page.route(part, lambda route: route.abort())
    job = a_job(1, status="CREATED")
    page.route("**/api/jobs", lambda route: route.fulfill(status=201, json=job | {"upload": FORM}))
    page.route("**/api/jobs/*", lambda route: route.fulfill(json=job))
    page.goto(URL)
    page.locator("button.sample").first.click()
    expect(page.get_by_role("alert")).to_contain_text("what you did is kept")
    expect(page.locator(".new-version")).to_have_count(0)
    # A part that is gone, and not only out of reach.
    page.route(part, the_page(build))
    _deploy(page, build)
    page.reload()
    expect(page.get_by_role("alert").first).to_contain_text("A new version of Gen3D is out")
    page.unroute(part)
    page.unroute(f"{URL}/")
    # Not the bar's, which goes as soon as the page itself says the same.
    reload = page.locator(".error-boundary").get_by_role("button", name="Reload")
    with page.expect_request(FORM["url"]):
        reload.click()


def test_an_upload_goes_on_by_itself_and_with_a_job_anew_where_its_form_is_too_old(
    ada: BrowserContext,
) -> None:
    page = ada.new_page()
    page.clock.install()
    asked: list[str] = []
    uploads = [503, 403, 204]

    def jobs(route: Route) -> None:
        n = sum(request == "POST /jobs" for request in asked) + 1
        asked.append("POST /jobs")
        route.fulfill(status=201, json=a_job(n, status="CREATED") | {"upload": FORM})

    def job(route: Route) -> None:
        n = int(route.request.url.split(JOB)[1][0])
        asked.append(f"{route.request.method} {n}{route.request.url.split(JOB)[1][1:]}")
        if route.request.method == "DELETE":
            route.fulfill(status=204)
        else:
            begun = route.request.url.endswith("/initialize")
            route.fulfill(json=a_job(n, status="INITIALIZING" if begun else "CREATED"))

    def bucket(route: Route) -> None:
        status = uploads.pop(0)
        asked.append(f"upload {status}")
        if status == 503:
            page.clock.fast_forward("20:00")
        route.fulfill(status=status)

    page.route("**/api/jobs", jobs)
    page.route(f"**/{JOB}*", job)
    page.route(f"**/{JOB}*/initialize", job)
    page.route(FORM["url"], bucket)
    page.goto(URL)
    page.locator("button.sample").first.click()
    expect(page.get_by_role("heading", name="Preparing the photo")).to_be_visible()
    assert [one for one in asked if not one.startswith("GET")] == [
        "POST /jobs",
        "upload 503",
        "upload 403",
        "POST /jobs",
        "DELETE 1",
        "upload 204",
        "POST 2/initialize",
    ]
    assert page.url.endswith(f"{JOB}2")
    # Its record is read too early, and the page does not go back.
    page.clock.run_for(10_000)
    expect(page.get_by_role("heading", name="Preparing the photo")).to_be_visible()


def test_a_job_that_never_began_begins_after_a_reload(ada: BrowserContext) -> None:
    page = ada.new_page()
    begun = []

    def initialize(route: Route) -> None:
        begun.append(route.request.post_data)
        route.fulfill(status=200, json=a_job(1, status="INITIALIZING"))

    page.route("**/api/jobs/*", lambda route: route.fulfill(json=a_job(1, status="CREATED")))
    page.route("**/api/jobs/*/initialize", initialize)
    page.goto(f"{URL}/jobs/{JOB}1")
    expect(page.get_by_role("heading", name="Preparing the photo")).to_be_visible()
    assert begun == ['{"text":null}']


def test_an_error_is_told_in_its_own_dialog(ada: BrowserContext) -> None:
    page = _gallery(ada)
    page.route("**/api/jobs/*", lambda route: route.abort())
    dialog = page.get_by_role("dialog")
    for asked, action in (("Delete", "Delete"), ("Rename", "Rename")):
        page.get_by_label(f"{asked} job 1").click()
        dialog.get_by_role("button", name=action, exact=True).click()
        expect(dialog.get_by_role("alert")).to_contain_text("cannot be reached")
        dialog.get_by_role("button", name="Keep").click()
        page.get_by_label(f"{asked} job 2").click()
        expect(dialog.get_by_role("button", name=action, exact=True)).to_be_enabled()
        expect(dialog.get_by_role("alert")).to_have_count(0)
        dialog.get_by_role("button", name="Close").click()


def test_a_second_tap_deletes_nothing_twice(ada: BrowserContext) -> None:
    page = _gallery(ada)
    held: list[Route] = []
    page.route("**/api/jobs/*", lambda route: held.append(route))
    dialog = page.get_by_role("dialog")
    page.get_by_label("Delete job 1").click()
    delete = dialog.get_by_role("button", name="Delete", exact=True)
    delete.dblclick(force=True)
    expect(delete).to_be_disabled()
    # What becomes of it is no matter of the dialog for the next job.
    dialog.get_by_role("button", name="Close").click()
    page.get_by_label("Delete job 2").click()
    expect(delete).to_be_disabled()
    a_request_is_held(page, held)
    held[0].abort()
    expect(delete).to_be_enabled()
    expect(dialog.get_by_role("alert")).to_have_count(0)
    assert len(held) == 1


def test_a_second_tap_cancels_nothing_twice(ada: BrowserContext) -> None:
    page = ada.new_page()
    held: list[Route] = []
    job = a_job(1, status="RECONSTRUCTING")

    page.route("**/api/jobs/*", lambda route: route.fulfill(json=job))
    page.route("**/api/jobs/*/cancel", lambda route: held.append(route))
    page.goto(f"{URL}/jobs/{job['jobId']}")
    page.get_by_role("button", name="Cancel the job").click()
    dialog = page.get_by_role("dialog")
    cancel = dialog.get_by_role("button", name="Cancel the job")
    cancel.dblclick(force=True)
    expect(cancel).to_be_disabled()
    a_request_is_held(page, held)
    held[0].abort()
    expect(dialog.get_by_role("alert")).to_contain_text("cannot be reached")
    assert len(held) == 1
    dialog.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(cancel).to_be_enabled()
    expect(dialog.get_by_role("alert")).to_have_count(0)


def test_a_job_that_has_ended_meanwhile_is_not_destroyed_by_cancelling_it(
    ada: BrowserContext,
) -> None:
    page = ada.new_page()
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.method)
        ended = "POST" in asked
        route.fulfill(json=a_job(1, status="EXPIRED" if ended else "INITIALIZING"))

    page.route("**/api/jobs/**", answer)
    page.goto(f"{URL}/jobs/{JOB}1")
    page.get_by_role("button", name="Cancel the job").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_role("heading", name="This job has expired")).to_be_visible()
    assert asked.count("POST") == 1
    assert "DELETE" not in asked


@pytest.mark.parametrize("status", ["RECONSTRUCTING", "COMPLETED"])
@pytest.mark.parametrize("answers", [[204], ["lost", 404]])
def test_a_job_is_deleted_by_one_request_and_what_is_gone_is_deleted(
    ada: BrowserContext, status: str, answers: list[int | str]
) -> None:
    page = ada.new_page()
    here = [a_job(n, status=status, objects=1) for n in (1, 2)]
    page.route("**/api/jobs", lambda route: route.fulfill(json={"jobs": here, "cursor": None}))
    left = list(answers)

    def forget(route: Route) -> None:
        assert route.request.method == "DELETE"
        answer = left.pop(0)
        here[:] = here[1:] if len(here) == 2 else here
        if answer == "lost":
            route.abort()
        elif answer == 204:
            route.fulfill(status=204)
        else:
            gone = {"error": "JobNotFound", "message": "There is no such job."}
            route.fulfill(status=404, json=gone)

    page.route("**/api/jobs/*", forget)
    page.goto(f"{URL}/gallery")
    page.get_by_label("Delete job 1").click()
    dialog = page.get_by_role("dialog")
    for answer in answers:
        dialog.get_by_role("button", name="Delete", exact=True).click()
        if answer == "lost":
            expect(dialog.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(dialog).to_be_hidden()
    expect(page.locator(".job-card")).to_have_count(1)
    expect(page.get_by_text("There is no such job")).to_have_count(0)
    assert left == []


def test_a_limit_is_told_with_when_it_ends(ada: BrowserContext) -> None:
    page = ada.new_page()
    sentence = "You have 10 jobs running. Wait until one has ended."
    limit = {"error": "LimitReached", "message": sentence, "retryAfter": 30}
    asked: list[Route] = []

    def refuse(route: Route) -> None:
        asked.append(route)
        route.fulfill(status=429, json=limit)

    page.route("**/api/jobs", refuse)
    page.goto(URL)
    page.locator("button.sample").first.click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(sentence)
    expect(alert).to_contain_text("Try again in")
    assert len(asked) == 1
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()


def test_the_place_in_the_queue_is_told_and_looked_at_ever_less_often(ada: BrowserContext) -> None:
    page = ada.new_page()
    page.clock.install()
    waiting = a_job(1, status="INITIALIZING", run=1, queue={"ahead": 3}, pollSeconds=2)
    looks: list[float] = []

    def look(route: Route) -> None:
        looks.append(0)
        route.fulfill(json=waiting)

    page.route("**/api/jobs/*", look)
    page.goto(f"{URL}/jobs/{JOB}1")
    expect(page.get_by_text("3 requests are before yours.")).to_be_visible()
    for _ in range(120):
        page.clock.run_for(1000)
    # Every two seconds it would be sixty.
    assert 12 <= len(looks) <= 30
    waiting |= {"queue": {"ahead": 0}}
    for _ in range(15):
        page.clock.run_for(1000)
    expect(page.get_by_text("No request is before yours.")).to_be_visible()


def test_a_job_that_failed_is_taken_up_where_it_stopped(ada: BrowserContext) -> None:
    page = ada.new_page()
    failure = {"error": "InferenceFailed", "message": "The model failed. Try again."}
    image = {"width": 64, "height": 64, "bytes": 9, "url": f"{URL}/favicon.svg"}
    cup = {"n": 0, "name": "Cup", "seed": 0, "status": "FAILED", "error": failure}
    job = a_job(1, status="FAILED", run=1, error=failure, image=image, objects=[cup])
    asked: list[str | None] = []

    def retry(route: Route) -> None:
        asked.append(route.request.post_data)
        route.fulfill(status=202, json=job | {"status": "INITIALIZING"})

    page.route("**/api/jobs/*", lambda route: route.fulfill(json=job))
    page.route("**/api/jobs/*/retry", retry)
    page.goto(f"{URL}/jobs/{JOB}1")
    check_accessibility(page)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Reconstructing the object")).to_be_visible()
    assert asked == ["{}"]
    assert page.url.endswith(f"{JOB}1")


def test_one_object_is_made_again_while_the_others_stay_in_sight(ada: BrowserContext) -> None:
    page = ada.new_page()
    image = {"width": 64, "height": 64, "bytes": 9, "url": f"{URL}/favicon.svg"}
    files = {"glb": {"url": f"{URL}/none.glb", "bytes": 9}}
    cup, saucer = (
        {"n": n, "name": name, "seed": 4, "status": "COMPLETED", "files": files}
        for n, name in enumerate(("Cup", "Saucer"))
    )
    job = a_job(1, status="COMPLETED", run=1, image=image, objects=[cup, saucer])
    asked: list[dict[str, Any]] = []

    def retry(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or ""))
        options = asked[0]["objects"][0]["options"]
        seed = options["engine"]["seed"]
        again = {"n": 0, "name": "Cup", "seed": seed, "options": options, "status": "PENDING"}
        job.update(status="RECONSTRUCTING", run=2, objects=[again, saucer])
        route.fulfill(status=202, json=job)

    page.route("**/api/jobs/*", lambda route: route.fulfill(json=job))
    page.route("**/api/jobs/*/retry", retry)
    page.goto(f"{URL}/jobs/{JOB}1")
    page.get_by_role("button", name="Make again").click()
    dialog = page.get_by_role("dialog", name="Make “Cup” again?")
    expect(dialog).to_contain_text("takes this one's place")
    check_accessibility(page)
    dialog.get_by_role("button", name="Make again").click()
    expect(page.get_by_text("Step 1 of 2")).to_be_visible()
    expect(page.get_by_text("Making “Cup”.")).to_be_visible()
    check_accessibility(page)
    expect(page.get_by_role("button", name="Make again")).to_be_disabled()
    (asked_for,) = asked[0]["objects"]
    assert asked_for["n"] == 0
    assert asked_for["options"]["engine"]["seed"] not in (0, 4)
    page.locator(".result-tools .segment", has_text="Saucer").click()
    expect(page.locator(".downloads a", has_text="GLB")).to_be_visible()


def test_what_is_offered_can_be_chosen_when_an_object_is_made_again(ada: BrowserContext) -> None:
    page = ada.new_page()
    image = {"width": 64, "height": 64, "bytes": 9, "url": f"{URL}/favicon.svg"}
    cup = {"n": 0, "name": "Cup", "seed": 4, "status": "COMPLETED"}
    cup["options"] = {"engine": {"seed": 4, "ofTomorrow": 9}, "mesh": {"quality": "standard"}}
    seconds = {"fast": 1, "fine": 8}
    offers = {
        "engine": {"quality": {"values": ["standard"]}, "seed": {"minimum": 0, "maximum": 99}},
        "mesh": {
            "quality": {"values": ["fast", "fine"], "seconds": seconds},
            "faces": {"minimum": 1000, "maximum": 200_000},
        },
    }
    job = a_job(1, status="COMPLETED", run=1, image=image, objects=[cup], offers=offers)
    asked: list[dict[str, Any]] = []

    def retry(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or ""))
        route.fulfill(status=202, json=job | {"status": "RECONSTRUCTING", "run": 2})

    page.route("**/api/jobs/*", lambda route: route.fulfill(json=job))
    page.route("**/api/jobs/*/retry", retry)
    page.goto(f"{URL}/jobs/{JOB}1")
    page.get_by_role("button", name="Make again").click()
    dialog = page.get_by_role("dialog", name="Make “Cup” again?")
    expect(dialog.get_by_label("Seed")).to_be_hidden()
    dialog.get_by_text("Options").click(timeout=PATIENCE_MS)
    expect(dialog.get_by_label("Reconstruction quality")).to_have_count(0)
    expect(dialog.get_by_label("Seed")).not_to_have_value("4")
    dialog.get_by_label("Seed").fill("4")
    dialog.get_by_label("Mesh quality").select_option("fine")
    dialog.get_by_label("Faces, at most").fill("999")
    check_accessibility(page)
    dialog.get_by_role("button", name="Make again").click()
    expect(dialog).to_be_hidden()
    (again,) = asked[0]["objects"]
    # What this page does not know goes back as it came.
    assert again["options"] == {
        "engine": {"seed": 4, "ofTomorrow": 9},
        "mesh": {"quality": "fine", "faces": 1000},
    }


def test_the_form_asks_for_a_password_as_the_pool_takes_it(browser: Browser, build: Path) -> None:
    context = browser.new_context()
    context.route("**/*", serve(build))
    page = context.new_page()
    page.goto(f"{URL}/signin")
    page.get_by_role("tab", name="Create Account").click()
    hint = "12 characters or more, with a lower-case letter and a digit."
    expect(page.get_by_text(hint)).to_be_visible()
    page.get_by_label("Password", exact=True).fill("short-Horse")
    page.get_by_label("Confirm Password").fill("short-Horse")
    expect(page.get_by_text("at least 12 characters")).to_be_visible()
    expect(page.get_by_text("must have numbers")).to_be_visible()
    expect(page.get_by_text("upper case")).to_have_count(0)
    check_accessibility(page)
    context.close()


def test_a_bar_rests_where_motion_is_not_wanted(ada: BrowserContext) -> None:
    page = ada.new_page()
    page.emulate_media(reduced_motion="reduce")
    job = a_job(1, status="INITIALIZING")
    page.route("**/api/jobs/*", lambda route: route.fulfill(json=job))
    page.goto(f"{URL}/jobs/{job['jobId']}")
    bar = page.locator(".progress-unknown span").first
    bar.wait_for()
    shares = bar.evaluate(
        """async (bar) => {
          const shares = new Set();
          for (let frame = 0; frame < 20; frame++) {
            await new Promise(requestAnimationFrame);
            const [inner, outer] = [bar, bar.parentElement].map((e) => e.getBoundingClientRect());
            const seen = Math.min(inner.right, outer.right) - Math.max(inner.left, outer.left);
            if (frame > 4) shares.add(Math.round((100 * seen) / outer.width));
          }
          return [...shares];
        }"""
    )
    assert shares == [40]


def test_a_page_without_storage_works(browser: Browser, build: Path) -> None:
    context = browser.new_context()
    context.add_init_script(
        """for (const name of ["localStorage", "sessionStorage", "indexedDB"])
          Object.defineProperty(window, name, {
            get: () => { throw new DOMException("denied", "SecurityError") } })"""
    )
    context.route("**/*", serve(build))
    page = context.new_page()
    page.goto(URL)
    page.get_by_role("button", name="Dark colours").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator("button.sample").first.click()
    expect(page.get_by_role("heading", name="One step before")).to_be_visible()
    expect(page.get_by_label("Email")).to_be_visible()
    page.get_by_role("button", name="Choose another photo").click()
    expect(page.locator("button.sample").first).to_be_visible()
    context.close()


def test_an_app_without_its_configuration_can_be_reloaded(ada: BrowserContext) -> None:
    page = ada.new_page()
    page.route("**/config.json", lambda route: route.abort())
    page.goto(URL)
    expect(page.get_by_role("alert")).to_contain_text("Check the connection")
    page.unroute("**/config.json")
    page.get_by_role("button", name="Reload").click()
    expect(page.locator("button.sample").first).to_be_visible()
