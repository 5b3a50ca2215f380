"""A person at a browser: what the tests do, in a person's words.

Places in a photo are shares of its width and height, so that they hold at any size and zoom.
"""

import io
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.local.running import ROOT, RunningStack, eventually

PATIENCE_MS = 120_000
PASSWORD = "correct-Horse-7-battery"

AXE = ROOT / "webapp" / "node_modules" / "axe-core" / "axe.min.js"

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

Place = tuple[float, float]


@contextmanager
def running_stack(folder: Path, **environment: str) -> Iterator[RunningStack]:
    """The whole of Gen3D on this machine, or the one that GEN3D_URL names, which stays up."""
    stack = RunningStack(folder, ROOT / "template.yaml", environment=environment)
    if "GEN3D_URL" in os.environ:
        stack.url = os.environ["GEN3D_URL"]
        yield stack
        return
    try:
        yield stack.start()
    finally:
        stack.stop()


def a_request_is_held(page: Page, held: list[Route]) -> None:
    """Wait until a request that the page has made has come to the test, which is a moment later."""
    for _ in range(PATIENCE_MS // 20):
        if held:
            return
        page.wait_for_timeout(20)
    raise AssertionError("The page asked for nothing.")


def an_address(name: str) -> str:
    """An address that nobody has yet."""
    return f"{name}-{secrets.token_hex(3)}@example.com"


def code_for(stack: RunningStack, email: str) -> str:
    """The code in the newest mail that the user pool sent to this address."""

    def newest() -> str | None:
        boxes = stack.get("/_ministack/ses/messages").json()["messages"].values()
        mails = [mail for box in boxes for mail in box if email in mail["To"]]
        found = re.search(r"\b\d{6}\b", mails[-1]["BodyText"]) if mails else None
        return found[0] if found else None

    return str(eventually(newest))


def sign_up(page: Page, stack: RunningStack, email: str) -> None:
    """Create an account with the code that comes by mail."""
    page.get_by_role("tab", name="Create Account").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm Password").fill(PASSWORD)
    page.get_by_role("button", name="Create Account").click()
    page.get_by_label("Confirmation Code").fill(code_for(stack, email))
    page.get_by_role("button", name="Confirm").click()
    signed_in(page)


def sign_in(page: Page, email: str) -> None:
    """Fill in the form."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("form button[type=submit]").click()
    signed_in(page)


def signed_in(page: Page) -> None:
    """Wait until the header says so."""
    expect(page.get_by_role("button", name="Sign out")).to_be_visible(timeout=PATIENCE_MS)


def choose_photo(page: Page, photo: Path) -> None:
    """Choose a file in the first page's place for photos."""
    page.get_by_label("Photo", exact=True).set_input_files(photo)


@contextmanager
def sharing(page: Page, name: str) -> Iterator[Locator]:
    """The dialog in which an object is shared."""
    page.locator(".result-tools .segment", has_text=name).click()
    page.get_by_role("button", name="Share").click()
    yield page.get_by_role("dialog")
    page.get_by_role("button", name="Close").click()


def a_share_of(page: Page, name: str) -> str:
    """A new link to an object."""
    with sharing(page, name) as dialog:
        with page.expect_response(lambda answer: answer.request.method == "POST") as made:
            dialog.get_by_role("button", name="New link").click()
        link = dialog.get_by_label("Link", exact=True).first
        expect(link).to_have_value(re.compile(made.value.json()["shareId"]))
        return link.input_value()


def end_share(stack: RunningStack, share_id: str) -> None:
    """Have a share's time be over."""
    dynamodb = stack.client("dynamodb")
    (shares,) = [name for name in dynamodb.list_tables()["TableNames"] if "Shares" in name]
    dynamodb.update_item(
        TableName=shares,
        Key={"shareId": {"S": share_id}},
        UpdateExpression="SET endsAt = :past",
        ExpressionAttributeValues={":past": {"S": "2026-01-01T00:00:00Z"}},
    )


class Selecting:
    """The page on which objects are selected."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.viewport = page.locator(".viewport")

    def ready(self) -> "Selecting":
        """Wait until nothing is being loaded or decoded."""
        expect(self.viewport).to_have_attribute("aria-busy", "false", timeout=PATIENCE_MS)
        # What was decoded is on the screen two frames later, once the page has nothing more to do.
        self.page.evaluate(
            """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
                requestIdleCallback(() => setTimeout(done, 50), { timeout: 2000 }))))"""
        )
        return self

    def at(self, place: Place) -> Place:
        """A place's coordinates on the screen, under any zoom."""
        box = self.page.locator(".viewport-layer").bounding_box()
        assert box is not None
        return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]

    def click(self, *places: Place, button: str = "left") -> "Selecting":
        """Click places, and wait for the mask after each."""
        for place in places:
            self.page.mouse.click(*self.at(place), button=button)  # type: ignore[arg-type]
            self.ready()
        return self

    def drag(self, start: Place, end: Place, button: str = "left") -> "Selecting":
        """Drag from one place to another."""
        there, then = self.at(start), self.at(end)
        self.page.mouse.move(*there)
        self.page.mouse.down(button=button)  # type: ignore[arg-type]
        self.page.mouse.move(*then, steps=6)
        self.page.mouse.up(button=button)  # type: ignore[arg-type]
        return self.ready()

    def tool(self, name: str) -> None:
        """Take another tool, and wait: with the brush's size the toolbar has a row more."""
        self.page.locator(".toolbar .segment", has_text=name).click()
        self.ready()

    def press(self, name: str) -> "Selecting":
        """Press a button of the toolbar."""
        self.page.get_by_role("button", name=name, exact=True).click()
        return self.ready()

    @property
    def points(self) -> Locator:
        """The points of the active object."""
        return self.page.locator(".point")

    def share(self, n: int = 0) -> float:
        """The share of the photo that an object's mask covers."""
        return float(
            self.page.locator(f".mask[data-object='{n}']").get_attribute("data-share") or 0
        )

    def covers(self, place: Place, n: int = 0) -> bool:
        """Whether an object's mask is drawn over a place."""
        alpha = self.page.locator(f".mask[data-object='{n}']").evaluate(
            """(canvas, [x, y]) => canvas.getContext("2d").getImageData(
                Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data[3]""",
            list(place),
        )
        return bool(alpha)

    def start_over(self) -> "Selecting":
        """Take every object away."""
        while True:
            remove = self.page.locator(".object-list").get_by_role("button", name="Remove").first
            if not remove.is_enabled():
                break
            remove.click()
        self.page.get_by_role("button", name="Whole photo").click()
        self.tool("Add")
        return self.ready()

    def confirm(self) -> None:
        """Ask for the reconstruction."""
        self.page.get_by_role("button", name=re.compile("^Reconstruct")).click()


def start_job(context: BrowserContext, url: str, photo: Path) -> Page:
    """A new page with a new job that waits for its mask."""
    page = context.new_page()
    page.goto(url)
    signed_in(page)
    choose_photo(page, photo)
    page.wait_for_url("**/jobs/*", timeout=PATIENCE_MS)
    expect(page.locator(".viewport")).to_be_visible(timeout=PATIENCE_MS)
    Selecting(page).ready()
    return page


def watch_pixels(page: Page) -> Callable[[], int]:
    """Counts the colours in the middle of the viewer; one colour means that nothing is drawn."""

    def colours() -> int:
        picture = page.locator(".viewer-frame").screenshot(timeout=PATIENCE_MS)
        image = Image.open(io.BytesIO(picture)).convert("RGB")
        width, height = image.size
        middle = image.crop((width // 3, height // 3, width * 2 // 3, height * 2 // 3))
        found = middle.quantize(64).getcolors()
        return len([n for n, _ in found or [] if n > 20])

    return colours


def check_accessibility(page: Page) -> None:
    """See that axe finds nothing serious on a page, light or dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.mouse.move(1, 400)
        page.wait_for_timeout(400)
        found = _violations(page)
        assert not found, found  # no test's own file: pytest says nothing of it by itself


def _violations(page: Page) -> list[str]:
    # The policy forbids scripts from elsewhere; what a debugger evaluates is not asked.
    page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{v['id']}: {v['help']} "
        f"{[(node['target'], node['failureSummary'].splitlines()[-1]) for node in v['nodes']][:3]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
