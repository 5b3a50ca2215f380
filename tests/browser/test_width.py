"""Every page in windows of many widths, with long names, in each language: nothing is wider."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.alone import JOB, URL, a_job, serve, signed_in, to_select
from tests.browser.driver import Selecting
from tests.local.running import ROOT

WINDOWS = [(320, 640), (390, 844), (720, 900), (844, 390), (1440, 900)]
"""The narrowest that the guidelines ask for, two phones, one lying, and a desk; 720 at 200 %."""

WORD = "Donaudampfschifffahrtselektrizitaetenhauptwerker"
WORDS = "The old coffee cup with the chip at its rim, and the saucer that it stands on"
NAMES = {"a word of 48 letters": WORD, "many words": WORDS}

SEEN_MS = 120_000

LOW = (844, 390)
STAGE_TOP, STAGE_HEIGHT = 130, 230
"""Where the stage begins on a phone that lies, and how much of it is in sight, at least."""

LOOK = (Path(__file__).parent / "width.js").read_text()

LANGUAGES = ("de", "en")
"""The one in which the page is used stands last."""

SPEAK = """language => {
  const choice = document.querySelector(".language select");
  Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(choice, language);
  choice.dispatchEvent(new Event("change", { bubbles: true }));
}"""
"""Choose a language where a dialog keeps a person from the header, too."""

IMAGE = {"width": 640, "height": 480, "bytes": 9, "url": f"{URL}/favicon.svg"}
TRUTH = {"silhouette": 0.91, "colour": 0.88}
FIGURES = {"vertices": 25_000, "faces": 50_000, "watertight": True, "components": 1}
STEP = {"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:11:40Z", "ms": 700_000}
STAGES = {"initialize": STEP, "mask": STEP, "reconstruct": STEP}
FAILURE = {"error": "InferenceFailed", "message": "The model failed. Try again."}
OFFERS = {
    "engine": {"seed": {"minimum": 0, "maximum": 99}},
    "mesh": {"quality": {"values": ["fast", "standard", "fine"], "seconds": {"standard": 8}}},
}


def _file(ending: str) -> dict[str, Any]:
    return {"url": f"{URL}/bucket/model.{ending}", "bytes": 123_456_789}


def _made(n: int, name: str, **fields: Any) -> dict[str, Any]:
    files = {ending: _file(ending) for ending in ("glb", "obj", "stl", "ply")}
    mesh = FIGURES | {"coverage": 0.95, "truth": TRUTH, "warnings": ["Look at it closely."]}
    splat = _file("ply") | {"gaussians": 250_000}
    made = {"n": n, "name": name, "seed": 4, "status": "COMPLETED", "files": files}
    return made | {"mesh": mesh, "splat": splat} | fields


def _finished(name: str) -> dict[str, Any]:
    objects = [_made(n, f"{name} {n}"[-48:] if n else name) for n in range(3)]
    placed = [{"n": n, "placed": "mask", "height": 0.3} for n in range(3)]
    scene = {"files": {"glb": _file("glb"), "spz": _file("spz")}, "objects": placed}
    fields: dict[str, Any] = {"image": IMAGE, "stages": STAGES, "offers": OFFERS, "scene": scene}
    fields["decoder"] = {"engine": "sam", "revision": "f" * 40, "url": ""}
    return a_job(1, name=name, status="COMPLETED", run=1, objects=objects, **fields)


class Walk:
    """Ada's browser, and what is seen in it at each width."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        self.faults: list[str] = []

    def job(self, seen: Locator | str, **fields: Any) -> None:
        """A job's page, as soon as `seen` is there."""
        job = a_job(1, name=self.name, **{"stages": STAGES, "run": 1} | fields)
        self.open(job, seen)

    def open(self, job: dict[str, Any], seen: Locator | str) -> None:
        self.page.unroute_all()
        self.page.route("**/api/jobs/*", lambda route: route.fulfill(json=job))
        missing = {"error": "ImageMissing", "message": "There is no photo."}
        initialize = "**/api/jobs/*/initialize"
        self.page.route(initialize, lambda route: route.fulfill(status=409, json=missing))
        self.page.goto(f"{URL}/jobs/{JOB}1")
        self.look(f"{job['status']}", seen)

    def goto(self, what: str, path: str, seen: Locator | str) -> None:
        self.page.goto(f"{URL}{path}")
        self.look(what, seen)

    def look(self, what: str, seen: Locator | str) -> None:
        """Go through the windows."""
        place = self.page.locator(seen) if isinstance(seen, str) else seen
        expect(place.first).to_be_visible(timeout=SEEN_MS)
        for language in LANGUAGES:
            self.page.evaluate(SPEAK, language)
            self.page.wait_for_selector(f"html[lang={language}]", state="attached")
            for width, height in WINDOWS:
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.wait_for_timeout(60)
                found: list[str] = self.page.evaluate(LOOK)
                window = f"{what} in {language} at {width} × {height}"
                self.faults += [f"{window}: {fault}" for fault in found]

    def dialog(self, what: str, button: Locator) -> None:
        """Open a dialog, look at it, and close it again."""
        button.click()
        self.look(what, "dialog[open]")
        self.page.locator("dialog[open]").get_by_role("button", name="Close").click()

    def end(self) -> None:
        assert not self.faults, "\n".join(dict.fromkeys(self.faults))

    def stage(self, stage: Locator) -> None:
        """See that there is enough of the stage on a phone that lies."""
        self.page.set_viewport_size({"width": LOW[0], "height": LOW[1]})
        self.page.evaluate("scrollTo(0, 0)")
        box = stage.bounding_box()
        assert box is not None
        if box["y"] > STAGE_TOP:
            self.faults.append(f"The stage begins at {box['y']}.")
        if min(box["y"] + box["height"], LOW[1]) - box["y"] < STAGE_HEIGHT:
            self.faults.append(f"The stage has {box['height']} from {box['y']}.")


@pytest.fixture(params=list(NAMES.values()), ids=list(NAMES))
def walk(request: pytest.FixtureRequest, browser: Browser, build: Path) -> Iterator[Walk]:
    name: str = request.param
    email = f"{name.replace(' ', '.')}@example.com"
    with signed_in(browser, build, email, engine="sam") as context:
        yield Walk(context.new_page(), name)


def test_no_page_is_wider_than_its_window(walk: Walk) -> None:
    page, name = walk.page, walk.name
    walk.goto("the first page", "/", ".drop")
    walk.goto("a page that is none", "/none", "h1")
    jobs = [
        a_job(n, name=name, status=status, objects=1)
        for n, status in enumerate(("COMPLETED", "AWAITING_MASK", "FAILED", "CREATED"))
    ]
    page.route("**/api/jobs", lambda route: route.fulfill(json={"jobs": jobs, "cursor": "next"}))
    walk.goto("the gallery", "/gallery", ".job-card")
    for what in ("Rename", "Delete"):
        walk.dialog(f"{what} in the gallery", page.get_by_label(f"{what} {name}").first)
    page.get_by_role("button", name="Select", exact=True).click()
    page.get_by_label(f"Select {name}").first.check()
    walk.look("several of the gallery", ".job-card-chosen")
    key = {"keyId": "k" * 26, "name": name, "rights": ["read"], "jobsPerDay": 0, "usedAt": None}
    key["createdAt"] = jobs[0]["createdAt"]
    page.route("**/api/keys", lambda route: route.fulfill(json={"keys": [key]}))
    walk.goto("the keys", "/keys", ".key-list li")
    walk.dialog("a new key", page.get_by_role("button", name="New key"))
    walk.dialog("withdrawing", page.get_by_role("button", name="Withdraw").first)
    at = key["createdAt"]
    hook: dict[str, Any] = {"webhookId": "w" * 26, "url": f"https://example.com/{'h' * 200}"}
    hook |= {"events": ["job.completed", "job.awaiting_mask"], "createdAt": at, "stoppedAt": at}
    page.route("**/api/webhooks", lambda route: route.fulfill(json={"webhooks": [hook]}))
    tried: dict[str, Any] = {"at": at, "ms": 12, "status": 410, "answer": "<p>Gone</p>" * 30}
    tries = [tried, tried | {"status": None, "answer": "", "error": FAILURE}]
    sent = {"deliveryId": "d" * 26, "eventId": "e", "type": "job.completed", "jobId": f"{JOB}1"}
    told = {**sent, "createdAt": at, "state": "FAILED", "nextAt": None, "attempts": tries}
    answer = {"deliveries": [told], "cursor": None}
    page.route("**/api/webhooks/*/deliveries", lambda route: route.fulfill(json=answer))
    walk.goto("the webhooks", "/webhooks", ".webhook")
    page.get_by_role("button", name="What was sent").click()
    walk.look("what was sent", ".attempts")
    walk.dialog("a new webhook", page.get_by_role("button", name="New webhook"))
    walk.dialog("withdrawing one", page.get_by_role("button", name="Withdraw").first)
    described = (ROOT / "docs" / "openapi.json").read_text()
    page.route("**/api/openapi.json", lambda route: route.fulfill(body=described))
    walk.goto("the API", "/api", "#retryJob")
    limit = {"error": "LimitReached", "message": f"“{name}” has to wait.", "retryAfter": 3000}
    page.route("**/api/jobs", lambda route: route.fulfill(status=429, json=limit))
    walk.goto("the gallery that is refused", "/gallery", ".note-error")
    page.unroute_all()

    filename = f"{name}.jpg"
    walk.job("text=The photo is missing", status="CREATED", filename=filename)
    walk.job("text=Preparing the photo", status="INITIALIZING", queue={"ahead": 12}, image=IMAGE)
    page.get_by_role("button", name="Rename the job").click()
    walk.look("renaming", ".job-name input")
    walk.dialog("cancelling", page.get_by_role("button", name="Cancel the job"))

    pending = {"n": 0, "name": name, "seed": 0, "status": "PENDING"}
    pending["progress"] = {"phase": "latentsCondition", "fraction": 0.4, "restSeconds": 12}
    failed = {"n": 1, "name": name, "seed": 0, "status": "FAILED", "error": FAILURE}
    fields = {"objects": [pending, failed], "queue": {"ahead": 3}, "image": IMAGE}
    walk.job(".object-progress", status="RECONSTRUCTING", **fields)
    drafted = pending | {"draft": {"files": {"glb": _file("glb")}}}
    walk.job(".viewer", status="RECONSTRUCTING", objects=[drafted, failed], image=IMAGE)
    walk.job("text=This job failed", status="FAILED", error=FAILURE, objects=[failed], image=IMAGE)
    walk.job(".viewer", status="COMPLETED", objects=[_made(0, name), failed], image=IMAGE)
    walk.end()


def test_no_result_is_wider_than_its_window(walk: Walk) -> None:
    page, name = walk.page, walk.name
    shared = {"shareId": "a" * 22, "jobId": f"{JOB}1", "object": 0, "name": name}
    times = {"createdAt": STEP["start"], "endsAt": STEP["end"]}
    shares = {"shares": [shared | times] * 2}
    walk.open(_finished(name), ".viewer")
    page.route("**/api/shares", lambda route: route.fulfill(json=shares))
    walk.stage(page.locator(".viewer-frame"))
    for what in ("Share", "Make again"):
        walk.dialog(what, page.get_by_role("button", name=what))
    page.locator(".result-tools .segment", has_text="All together").click()
    walk.look("all together", "[aria-label='Downloads of all objects together']")
    seen = {"name": name, "endsAt": STEP["end"], "files": _made(0, name)["files"]}
    page.route("**/api/shared/*", lambda route: route.fulfill(json=seen))
    walk.goto("shared", "/shared/abc", ".viewer")
    gone = {"error": "ShareNotFound", "message": "Nothing is behind this link."}
    page.route("**/api/shared/*", lambda route: route.fulfill(status=404, json=gone))
    walk.goto("shared no more", "/shared/abd", "text=Nothing is behind this link")
    walk.end()


def test_no_selection_is_wider_than_its_window(walk: Walk, tmp_path: Path) -> None:
    page, name = walk.page, walk.name
    job, lend = to_select(tmp_path, name=name, text=name, stages=STAGES, offers=OFFERS)
    lend(page.context)
    page.route("**/api/jobs/*", lambda route: route.fulfill(json=job))
    page.goto(f"{URL}/jobs/{JOB}1")
    selecting = Selecting(page).ready()
    for n in (1, 2):
        if n == 2:
            page.get_by_role("button", name="Add", exact=True).click()
        field = page.get_by_label(f"Name of object {n}")
        field.fill(name)
        field.press("Enter")
        selecting.click((0.5, 0.3))
    page.get_by_text("Options").click()
    walk.look("selecting", ".candidate")
    selecting.tool("Brush")
    walk.look("brushing", ".brush-size")
    walk.stage(selecting.viewport)
    page.set_viewport_size({"width": 390, "height": 844})
    page.route("**/masks", lambda route: route.fulfill(status=500, json={}))
    selecting.confirm()
    walk.look("sending", "text=Sending")
    walk.end()


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_no_form_is_wider_than_its_window(name: str, browser: Browser, build: Path) -> None:
    context: BrowserContext = browser.new_context()
    context.route("**/*", serve(build))
    walk = Walk(context.new_page(), name)
    page = walk.page
    walk.goto("signing in", "/signin", page.get_by_label("Email"))
    page.get_by_role("tab", name="Create Account").click()
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Confirm Password").fill("other")
    walk.look("signing up", page.get_by_label("Confirm Password"))
    page.goto(URL)
    photo = (Path(__file__).parents[2] / "examples" / "coffee.jpg").read_bytes()
    field = page.get_by_label("Photo", exact=True)
    field.set_input_files({"name": f"{name}.txt", "mimeType": "text/plain", "buffer": b"none"})
    walk.look("a file that is no photo", page.get_by_text("no photo that can be read"))
    field.set_input_files({"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": photo})
    walk.look("one step before", page.get_by_role("heading", name="One step before"))
    context.close()
    walk.end()
