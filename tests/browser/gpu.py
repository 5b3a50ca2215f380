"""Chromium with a GPU that is a processor's (SwiftShader): its speed says nothing of others."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, Playwright

from tests.browser import driver

ARGUMENTS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]

_ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass
class Site:
    """Files of a folder, on a free port of this machine.

    Attributes
    ----------
    scripts
        What is sent before files whose names begin so.
    asked
        The paths that were asked for.
    """

    folder: Path
    url: str = ""
    scripts: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """Serve a folder, isolated as the page is in AWS."""
    site = Site(folder)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Files, site, directory=str(folder))
    )
    site.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


class _Files(http.server.SimpleHTTPRequestHandler):
    def __init__(self, site: Site, *how: object, **more: object) -> None:
        self._site = site
        super().__init__(*how, **more)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self._site.asked.append(path)
        name = path.rsplit("/", 1)[-1]
        before = next((s for n, s in self._site.scripts.items() if name.startswith(n)), None)
        if before is None:
            super().do_GET()
            return
        body = before.encode() + (self._site.folder / path.lstrip("/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        for name, value in _ISOLATED.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def opened(playwright: Playwright, url: str, *arguments: str) -> Iterator[Page]:
    """A page in a browser of its own."""
    browser = playwright.chromium.launch(
        executable_path=driver.CHROMIUM, args=[*driver.ARGUMENTS, *arguments]
    )
    page = browser.new_page()
    page.set_default_timeout(driver.PATIENCE_MS)
    page.goto(url)
    yield page
    browser.close()
