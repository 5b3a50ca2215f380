"""``python -m bench.web``: clicks, first loads and frames of the web app, as a table.

Starts a local stack, unless GEN3D_URL names one. Everything is measured in the page that people
use. Other decoders and splats take the place of the job's own in the browser's network, so that any
size can be measured: ``--decoder "SAM 3=path/to/decoder.onnx"``. ``--beside COMMIT`` builds that
commit's page, and clicks on both by turns.
"""

import argparse
import gzip
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Response,
    Route,
    StorageState,
    sync_playwright,
)

from bench.web import stand_ins
from bench.web.before import Before
from gen3d.contract import EmbeddingsMeta
from tests.browser.driver import (
    ARGUMENTS,
    CHROMIUM,
    Selecting,
    an_address,
    running_stack,
    sign_up,
    signed_in,
    start_job,
)
from tests.local.running import ROOT, RunningStack

RESULTS = Path(__file__).parent / "RESULTS.md"
PHOTO = ROOT / "examples" / "coffee.jpg"
LITE = ROOT / "container" / "weights" / "lite" / "decoder.onnx"
CLICKS, WARM = 30, 2
SPLAT = 300_000
FRAMES_SECONDS = 8

LONG = 50
"""Milliseconds from which on a task is a long one (W3C Long Tasks)."""

TIMES = """
window.times = [];
window.tasks = [];
new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(duration);
}).observe({ entryTypes: ["longtask"] });
let pressed = null;
addEventListener("pointerup", ({ target }) => {
    if (target.closest?.(".viewport")) pressed = performance.now();
}, true);
const put = CanvasRenderingContext2D.prototype.putImageData;
CanvasRenderingContext2D.prototype.putImageData = function (...pixels) {
    put.apply(this, pixels);
    if (pressed === null || !this.canvas.classList.contains("mask")) return;
    const start = pressed;
    pressed = null;
    requestAnimationFrame(() => setTimeout(() => times.push(performance.now() - start)));
};
"""
"""From the release of the button to the frame after the one in which the mask was drawn."""

COUNT_FRAMES = """(seconds) => new Promise((done) => {
    const start = performance.now();
    let frames = 0;
    const count = () => {
        frames += 1;
        const passed = (performance.now() - start) / 1000;
        if (passed < seconds) requestAnimationFrame(count);
        else done(frames / passed);
    };
    requestAnimationFrame(count);
})"""


@dataclass
class Loaded:
    """What a page fetched; scripts as gzip would send them."""

    scripts: int = 0
    everything: int = 0
    responses: list[Response] = field(default_factory=list)

    def add_up(self) -> "Loaded":
        """Read the bodies, which is only possible once they are there."""
        for response in self.responses:
            if response.status != 200 or response.request.method != "GET":
                continue
            size = len(gzip.compress(response.body(), 6))
            self.everything += size
            self.scripts += size if response.request.resource_type == "script" else 0
        return self


@contextmanager
def context_of(
    browser: Browser, state: StorageState | None, threads: int
) -> Iterator[BrowserContext]:
    """A fresh browser profile that believes in so many processors."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 860}, storage_state=state, service_workers="block"
    )
    context.add_init_script(
        f"Object.defineProperty(navigator, 'hardwareConcurrency', {{ value: {threads} }});" + TIMES
    )
    yield context
    context.close()


@dataclass(frozen=True)
class Clicks:
    """Milliseconds from click to mask, and of the long tasks on the page's own thread meanwhile."""

    times: list[float]
    tasks: list[float]

    @property
    def median(self) -> float:
        """Of the times."""
        return statistics.median(self.times)


def clicks(*pages: Page) -> list[Clicks]:
    """Click pages by turns, each first click after two to warm up."""
    selecting = [Selecting(page).ready() for page in pages]
    for n in range(CLICKS + 2):
        for page, person in zip(pages, selecting, strict=True):
            if n == WARM:
                page.evaluate("tasks.length = 0")
            # At once: a mouse that rests before it clicks has had its mask made already.
            page.mouse.click(*person.at((0.3 + 0.013 * n, 0.25 + 0.015 * n)))
            page.wait_for_function("(n) => times.length > n", arg=n)
            person.ready().press("Clear this object")
    return [Clicks(page.evaluate("times")[WARM:], page.evaluate("tasks")) for page in pages]


def halves(decoder: Path) -> bytes:
    """Random embeddings for a decoder."""
    model = json.loads((LITE.parent / "manifest.json").read_text())
    width, height = Image.open(PHOTO).size
    meta = EmbeddingsMeta(
        engine=model["engine"],
        revision=model["revision"],
        input_width="1008",
        input_height="1008",
        image_width=str(width),
        image_height=str(height),
        precision="fp16",
        contract="1",
    ).model_dump()
    return stand_ins.embeddings(decoder, meta)


def put_in_place(page: Page, decoder: Path, embeddings: bytes) -> None:
    """Answer the page's requests for the decoder and the embeddings with others."""
    files = {"decoder.onnx": decoder.read_bytes(), "embeddings.safetensors": embeddings}

    def answer(route: Route) -> None:
        name = route.request.url.split("?")[0].rsplit("/", 1)[-1]
        route.fulfill(body=files[name], headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/decoder.onnx*", answer)
    page.route("**/embeddings.safetensors*", answer)


def first_load(context: BrowserContext, url: str, shown: str) -> tuple[Loaded, float]:
    """Load a page with nothing cached; gives bytes and seconds until `shown` is there."""
    page = context.new_page()
    loaded = Loaded()
    page.on("response", lambda response: loaded.responses.append(response))
    page.goto(url)
    page.locator(shown).first.wait_for(timeout=120_000)
    seconds = page.evaluate("performance.now()") / 1000
    page.wait_for_load_state("networkidle")
    loaded.add_up()
    page.close()
    return loaded, seconds


def frames(context: BrowserContext, url: str, gaussians: int) -> float:
    """Frames per second of a splat that turns."""
    page = context.new_page()
    body = stand_ins.splat(gaussians)
    allow = {"Access-Control-Allow-Origin": "*"}
    page.route("**/splat.ply*", lambda route: route.fulfill(body=body, headers=allow))
    page.goto(url)
    page.locator("canvas[data-drawn=mesh]").wait_for(timeout=120_000)
    page.locator(".viewer-bar .segment", has_text="Splat").click()
    page.locator("canvas[data-drawn=splat]").wait_for(timeout=120_000)
    page.get_by_role("button", name="Turn", exact=True).click()
    rate: float = page.evaluate(COUNT_FRAMES, FRAMES_SECONDS)
    page.close()
    return rate


def finish(page: Page) -> None:
    """Let the job become a mesh."""
    Selecting(page).click((0.5, 0.3)).confirm()
    page.locator(".result").wait_for(timeout=400_000)


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decoder", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--beside", metavar="COMMIT", help="whose page is clicked, too")
    options = parser.parse_args()
    decoders = {"lite": LITE}
    decoders |= {name: Path(path) for name, path in (d.split("=", 1) for d in options.decoder)}

    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(Path(folder)) as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        before = None
        if options.beside:
            (Path(folder) / "before").mkdir()
            before = Before.of(options.beside, Path(folder) / "before")
        text = measure(browser, stack, decoders, before, options.beside)
        browser.close()
    print(text)
    RESULTS.write_text(f"# The web app, measured by `make bench-web`\n\n{text}")


def measure(
    browser: Browser,
    stack: RunningStack,
    decoders: dict[str, Path],
    before: Before | None,
    commit: str | None,
) -> str:
    """Make the tables."""
    lines = [
        f"Chromium {browser.version}, {platform.machine()}, {os.cpu_count()} processors with "
        f"{os.getloadavg()[1]:.1f} processes in line for them, rendered in software."
    ]
    with context_of(browser, None, 2) as context:
        page = context.new_page()
        page.goto(f"{stack.url}/signin")
        sign_up(page, stack, an_address("bench"))
        page.close()
        waiting = start_job(context, stack.url, PHOTO)
        url = waiting.url
        state = context.storage_state()

        lines += ["", "| decoder | MB | threads | click → mask, median | fastest | slowest |"]
        lines += ["|---|---|---|---|---|---|"]
    for name, decoder in decoders.items():
        for threads in (1, 2):
            with context_of(browser, state, threads) as context:
                lines.append(clicks_row(context, url, name, decoder, threads))
                print(lines[-1], flush=True)
    beside = []
    if before:
        beside += ["", f"By turns with the page of {commit}, on one thread:", ""]
        beside += ["| decoder | then | now | now by then | fastest | long tasks then | now |"]
        beside += ["|---|---|---|---|---|---|---|"]
        for name, decoder in decoders.items():
            beside.append(beside_row(browser, state, url, name, decoder, before))
            print(beside[-1], flush=True)
    with context_of(browser, state, 2) as context:
        page = context.new_page()
        page.goto(url)
        finish(page)
        rate = frames(context, url, SPLAT)
    lines += ["", "| first load of | scripts, kB gzip | everything, kB gzip | seconds |"]
    lines += ["|---|---|---|---|"]
    pages: list[tuple[str, str, str, StorageState | None]] = [
        ("the first page", "/", ".drop", None),
        ("signing in", "/signin", "form", None),
        ("the gallery", "/gallery", ".job-card", state),
        ("a finished job", url.removeprefix(stack.url), "canvas[data-drawn]", state),
    ]
    for what, path, shown, signed in pages:
        with context_of(browser, signed, 2) as context:
            loaded, seconds = first_load(context, stack.url + path, shown)
        row = [what, f"{loaded.scripts / 1000:,.0f}", f"{loaded.everything / 1000:,.0f}"]
        lines.append(f"| {' | '.join(row)} | {seconds:.1f} |")
    lines += ["", f"A splat of {SPLAT:,} gaussians turns at {rate:.1f} frames a second."]
    return "\n".join(lines + beside) + "\n"


def beside_row(
    browser: Browser,
    state: StorageState,
    url: str,
    name: str,
    decoder: Path,
    before: Before,
) -> str:
    """A row of the table of two pages, clicked by turns."""
    lite = decoder == LITE
    decoder_then = before.lite if lite else before.sam_decoder()
    with context_of(browser, state, 1) as then, context_of(browser, state, 1) as now:
        before.serve(then, url.split("/jobs/")[0])
        pages = [then.new_page(), now.new_page()]
        embeddings = before.lite_embeddings(PHOTO) if lite else halves(decoder_then)
        put_in_place(pages[0], decoder_then, embeddings)
        if not lite:
            put_in_place(pages[1], decoder, halves(decoder))
        for page in pages:
            page.goto(url)
            signed_in(page)
        a, b = clicks(*pages)
    cells = [name, f"{a.median:.0f} ms", f"{b.median:.0f} ms", f"{b.median / a.median:.2f}"]
    cells += [f"{min(a.times):.0f} → {min(b.times):.0f}", *(long_tasks(each) for each in (a, b))]
    return f"| {' | '.join(cells)} |"


def long_tasks(of: Clicks) -> str:
    """How many there were, and the longest."""
    return f"{len(of.tasks)}, {max(of.tasks):.0f} ms" if of.tasks else "none"


def clicks_row(context: BrowserContext, url: str, name: str, decoder: Path, threads: int) -> str:
    """A row of the table of clicks."""
    page = context.new_page()
    if decoder != LITE:
        put_in_place(page, decoder, halves(decoder))
    page.goto(url)
    signed_in(page)
    times = clicks(page)[0].times
    megabytes = decoder.stat().st_size / 1e6
    cells = [name, f"{megabytes:.1f}", str(threads), f"{statistics.median(times):.0f} ms"]
    return f"| {' | '.join([*cells, f'{min(times):.0f}', f'{max(times):.0f}'])} |"


if __name__ == "__main__":
    main()
