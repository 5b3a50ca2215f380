"""Takes the pictures in docs/images: ``python webapp/scripts/screenshots.py``.

Needs the built web app (``make web``); starts a local stack, unless GEN3D_URL names one.
"""

import io
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

from tests.browser.doubles import Drafting  # noqa: E402
from tests.browser.driver import (  # noqa: E402
    ARGUMENTS,
    CHROMIUM,
    Selecting,
    an_address,
    choose_photo,
    running_stack,
    sign_up,
)
from tests.local.running import RunningStack  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PHOTO = ROOT / "examples" / "coffee.jpg"
PATIENCE_MS = 400_000
CUP, SAUCER, RIM = (0.377, 0.58), (0.657, 0.58), (0.55, 0.825)


def take(page: Page, name: str) -> None:
    """Save what is in sight as a small JPEG."""
    page.mouse.move(2, 300)
    page.wait_for_timeout(700)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(IMAGES / f"{name}.jpg", quality=86, optimize=True)
    print(f"{name}.jpg", (IMAGES / f"{name}.jpg").stat().st_size // 1000, "kB", flush=True)


def whole_job(browser: Browser, stack: RunningStack) -> tuple[dict, str]:  # type: ignore[type-arg]
    """Go through a job, taking a picture of each step."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page = context.new_page()
    page.goto(stack.url)
    take(page, "1-photo")
    page.goto(f"{stack.url}/signin")
    expect(page.get_by_label("Email")).to_be_visible()
    take(page, "sign-in")
    sign_up(page, stack, an_address("you"))
    page.goto(stack.url)
    choose_photo(page, PHOTO)
    page.get_by_role("heading", name="Preparing the photo").wait_for(timeout=PATIENCE_MS)
    take(page, "2-prepare")
    expect(page.locator(".viewport")).to_be_visible(timeout=PATIENCE_MS)
    selecting = Selecting(page).ready()
    for place in (CUP, SAUCER, RIM):
        selecting.click(place)
    take(page, "3-select")
    selecting.confirm()
    page.locator(".object-progress").wait_for(timeout=PATIENCE_MS)
    take(page, "4-reconstruct")
    page.locator("canvas[data-drawn=mesh]").wait_for(timeout=PATIENCE_MS)
    take(page, "5-view-mesh")
    page.locator(".viewer-bar .segment", has_text="Splat").click()
    page.locator("canvas[data-drawn=splat]").wait_for(timeout=PATIENCE_MS)
    page.wait_for_timeout(3000)
    take(page, "5-view-splat")
    url = page.url
    page.goto(f"{stack.url}/gallery")
    page.locator(".job-card img").first.wait_for()
    take(page, "gallery")
    state = context.storage_state()
    context.close()
    return dict(state), url


def dark_and_narrow(browser: Browser, stack: RunningStack, state: dict, url: str) -> None:  # type: ignore[type-arg]
    """The same at night, and on a phone."""
    for name, size in (("dark", (1280, 800)), ("phone", (390, 844))):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark",
            storage_state=state,  # type: ignore[arg-type]
        )
        page = context.new_page()
        page.goto(stack.url)
        page.locator(".drop").wait_for()
        take(page, f"photo-{name}")
        page.goto(url)
        page.locator("canvas[data-drawn=mesh]").wait_for(timeout=PATIENCE_MS)
        take(page, f"view-{name}")
        context.close()


def a_draft(browser: Browser, stack: RunningStack, folder: Path) -> None:
    """Better masks that come while somebody selects, and a draft before the real mesh.

    The stack's endpoint is of the draft's engine; the better masks are a double's.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page = context.new_page()
    page.goto(f"{stack.url}/signin")
    sign_up(page, stack, an_address("you"))
    page.close()
    drafting = Drafting(context, stack, folder)
    selecting = drafting.start(PHOTO).click(CUP, SAUCER, RIM)
    drafting.come()
    expect(drafting.news).to_have_text("Better masks are here", timeout=PATIENCE_MS)
    take(drafting.page, "3-better")
    selecting.ready().confirm()
    drafting.page.locator(".viewer .badge").wait_for(timeout=PATIENCE_MS)
    drafting.page.locator("canvas[data-drawn=mesh]").wait_for(timeout=PATIENCE_MS)
    take(drafting.page, "4-draft")
    context.close()


def main() -> None:
    """Take them all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder)) as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        state, url = whole_job(browser, stack)
        dark_and_narrow(browser, stack, state, url)
        browser.close()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder), GEN3D_LOCAL_WAKE_SECONDS="300") as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        a_draft(browser, stack, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
