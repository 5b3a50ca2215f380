"""A share in a page of another site: framed as its snippet says, and nothing else of the app."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Request, expect

from tests.browser.driver import AXE, PATIENCE_MS, a_share_of, end_share, sharing
from tests.local.running import RunningStack

NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"]) {
  Object.defineProperty(window, name, {
    get() { throw new DOMException("Storage is refused here.", "SecurityError"); },
  });
}
"""


@contextmanager
def a_site_of(html: str, **headers: str) -> Iterator[str]:
    """Another site, with one page; its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<!doctype html><title>A blog</title>{html}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def snippet(finished: Page, ada: BrowserContext) -> str:
    """What the dialog copies, of a share that is new."""
    ada.grant_permissions(["clipboard-read", "clipboard-write"])
    a_share_of(finished, "Object 1")
    with sharing(finished, "Object 1") as dialog:
        dialog.get_by_role("button", name="Copy embed code").first.click()
        expect(dialog.get_by_role("button", name="Embed code copied")).to_be_visible()
    return str(finished.evaluate("navigator.clipboard.readText()"))


@pytest.fixture(params=["signed out", "somebody else"])
def reader(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    """Who reads the other site."""
    if request.param == "somebody else":
        yield request.getfixturevalue("bob")
        return
    context = browser.new_context(viewport={"width": 900, "height": 700})
    context.add_init_script(NO_STORAGE)
    yield context
    context.close()


def embedded(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def share_of(snippet: str) -> str:
    """The share that a snippet names."""
    found = re.search(r"/embed/([\w-]+)", snippet)
    assert found
    return found[1]


@pytest.mark.parametrize("isolated", [False, True])
def test_a_page_of_another_site_shows_the_model(
    snippet: str, reader: BrowserContext, isolated: bool
) -> None:
    headers = {
        "Cross_Origin_Embedder_Policy": "require-corp",
        "Cross_Origin_Opener_Policy": "same-origin",
    }
    assert 'title="Object 1"' in snippet
    page = reader.new_page()
    loaded: list[str] = []
    told: list[str] = []

    def note(request: Request) -> None:
        loaded.append(request.url.split("?")[0])
        told.extend({"authorization", "cookie"} & set(request.headers))
        if request.headers.get("referer", "").startswith(site):
            told.append("referer")

    with a_site_of(snippet, **(headers if isolated else {})) as site:
        page.on("request", note)
        page.goto(site)
        frame = embedded(page)
        expect(frame.locator("img.picture")).to_have_js_property(
            "complete", True, timeout=PATIENCE_MS
        )
        # Before it is touched a frame weighs little.
        assert not any("scene" in url or url.endswith(".glb") for url in loaded), loaded
        frame.get_by_role("button", name="Turn it in 3D").click()
        expect(frame.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
        # What is read there is what was shared.
        files = [url for url in loaded if "/objects/" in url or "image.jpg" in url]
        assert {url.rsplit("/", 1)[-1] for url in files} == {"mesh.glb", "preview.png"}
        assert all("/objects/0/" in url for url in files)
        # Whoever is signed in is not asked for, nor the site told of.
        assert told == []
        with page.expect_popup() as opened:
            frame.get_by_role("link", name="Open in Gen3D").click()
        heading = opened.value.get_by_role("heading", name="Object 1")
        expect(heading).to_be_visible(timeout=PATIENCE_MS)
        opened.value.close()
    page.close()


def test_one_that_was_withdrawn_or_tampered_with_says_so(
    finished: Page, snippet: str, reader: BrowserContext
) -> None:
    page = reader.new_page()
    says = "This model is not shared any more"
    for broken in (
        re.sub(r"(/embed/[^\"]+)", r"\1A", snippet),
        snippet.replace("/embed/", "/embed//"),
    ):
        with a_site_of(broken) as site:
            page.goto(site)
            expect(embedded(page).get_by_role("status")).to_contain_text(says)
    with sharing(finished, "Object 1") as dialog:
        before = dialog.get_by_role("listitem").count()
        dialog.get_by_role("button", name=re.compile("^Withdraw")).first.click()
        expect(dialog.get_by_role("listitem")).to_have_count(before - 1)
    with a_site_of(snippet) as site:
        page.goto(site)
        expect(embedded(page).get_by_role("status")).to_contain_text(says)
        expect(embedded(page).locator("img, canvas, a")).to_have_count(0)
    page.close()


def test_one_that_has_ended_says_so_even_in_a_frame_that_was_open(
    snippet: str, stack: RunningStack, reader: BrowserContext
) -> None:
    opened, late = reader.new_page(), reader.new_page()
    opened.clock.install()
    says = "This model is not shared any more"
    with a_site_of(snippet) as site:
        opened.goto(site)
        turn = embedded(opened).get_by_role("button", name="Turn it in 3D")
        expect(turn).to_be_visible(timeout=PATIENCE_MS)
        end_share(stack, share_of(snippet))
        late.goto(site)
        expect(embedded(late).get_by_role("status")).to_contain_text(says)
        # Its links to the files still hold by now; the frame asks before it uses them.
        opened.clock.fast_forward("06:00")
        turn.click()
        expect(embedded(opened).get_by_role("status")).to_contain_text(says)
        expect(embedded(opened).locator("img, canvas, a")).to_have_count(0)
    opened.close()
    late.close()


def test_no_other_page_can_be_framed(
    finished: Page, snippet: str, stack: RunningStack, ada: BrowserContext
) -> None:
    share, page = share_of(snippet), ada.new_page()
    job = finished.url.removeprefix(stack.url)
    for path in ("/", "/gallery", job, f"/shared/{share}", f"/api/s/{share}", "/embed.html"):
        with a_site_of(f'<iframe src="{stack.url}{path}"></iframe>') as site:
            page.goto(site)
            assert page.frames[1].url == "chrome-error://chromewebdata/", path
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 900])
def test_a_frame_has_its_place_at_any_width(
    snippet: str, browser: Browser, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 620},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    with a_site_of(snippet + '<meta name="color-scheme" content="light dark">') as site:
        page.goto(site)
        frame = embedded(page)
        expect(frame.get_by_role("button", name="Turn it in 3D")).to_be_visible(timeout=PATIENCE_MS)
        inner = page.frames[1]
        assert inner.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert inner.evaluate("document.documentElement.scrollHeight <= innerHeight")
        inner.evaluate(AXE.read_text())
        faults = inner.evaluate("axe.run().then(({ violations }) => violations.map((v) => v.id))")
        assert faults == []
        # All of it by the keyboard: into the frame, into 3D, and out of it to the link.
        page.keyboard.press("Tab")
        # A frame of another origin is another process, to which the focus takes its time.
        expect(frame.get_by_role("button", name="Turn it in 3D")).to_be_focused()
        page.keyboard.press("Enter")
        expect(frame.locator("canvas[data-drawn=mesh]")).to_be_focused(timeout=PATIENCE_MS)
        page.keyboard.press("Tab")
        expect(frame.get_by_role("button", name="Full screen")).to_be_focused()
        page.keyboard.press("Tab")
        expect(frame.get_by_role("link", name="Open in Gen3D")).to_be_focused()
    context.close()
