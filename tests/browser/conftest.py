"""A stack, a browser, and two people with accounts."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser.driver import (
    ARGUMENTS,
    CHROMIUM,
    Selecting,
    an_address,
    running_stack,
    sign_up,
    start_job,
)
from tests.local.running import ROOT, RunningStack

WEB_APP = ROOT / "webapp"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A whole job takes its time on a small machine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def build() -> Path:
    """The web app, built anew where its sources have changed."""
    if not (WEB_APP / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=WEB_APP, check=True)
    built = WEB_APP / "dist" / "index.html"
    sources = [
        *(WEB_APP / "src").rglob("*"),
        *WEB_APP.glob("*.*"),
        *(WEB_APP / "public").rglob("*"),
    ]
    newest = max(path.stat().st_mtime for path in sources if path.is_file())
    if not built.exists() or built.stat().st_mtime < newest:
        subprocess.run(["npm", "run", "--silent", "build"], cwd=WEB_APP, check=True)
    return built.parent


@pytest.fixture(scope="session")
def stack(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole of Gen3D on this machine, or the one that GEN3D_URL names."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver: a process has one, whose loop runs until the end."""
    if not shutil.which(CHROMIUM):
        pytest.fail("Chromium is missing. Run `apt-get install chromium`.")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield chromium
    chromium.close()


@pytest.fixture
def visitor(browser: Browser, stack: RunningStack) -> Iterator[Page]:
    """Somebody who is not signed in, on the first page."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.goto(stack.url)
    yield page
    context.close()


@pytest.fixture(scope="session")
def photo() -> Path:
    """A cup."""
    return ROOT / "examples" / "coffee.jpg"


def _person(browser: Browser, stack: RunningStack, name: str) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.goto(f"{stack.url}/signin")
    sign_up(page, stack, an_address(name))
    page.close()
    yield context
    context.close()


@pytest.fixture(scope="session")
def ada(browser: Browser, stack: RunningStack) -> Iterator[BrowserContext]:
    """Somebody with an account."""
    yield from _person(browser, stack, "ada")


@pytest.fixture(scope="session")
def bob(browser: Browser, stack: RunningStack) -> Iterator[BrowserContext]:
    """Somebody else."""
    yield from _person(browser, stack, "bob")


@pytest.fixture(scope="session")
def waiting_job(ada: BrowserContext, stack: RunningStack, photo: Path) -> Page:
    """A job of Ada's that waits for its mask."""
    return start_job(ada, stack.url, photo)


@pytest.fixture
def selecting(waiting_job: Page) -> Selecting:
    """Its page, with nothing selected."""
    return Selecting(waiting_job).ready().start_over()


@pytest.fixture(scope="session")
def finished(ada: BrowserContext, stack: RunningStack, photo: Path) -> Page:
    """A job of Ada's with two objects, finished."""
    page = start_job(ada, stack.url, photo)
    selecting = Selecting(page)
    selecting.click((0.5, 0.3), (0.5, 0.72))
    page.get_by_role("button", name="Add", exact=True).click()
    selecting.click((0.62, 0.78))
    selecting.confirm()
    page.locator(".result").wait_for(timeout=400_000)
    return page
