"""What may be started with, and what is said of the rest."""

import io
import json
import os
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.driver import PATIENCE_MS, choose_photo, signed_in
from tests.local.running import RunningStack


def _png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.jpg", b"these are notes", "no photo that can be read"),
        ("empty.png", b"", "The file is empty"),
        ("phone.jpg", b"\0\0\0\x18ftypheic" + bytes(50), "The HEIC photo is damaged"),
        ("dot.png", _png(20, 400), "each side needs 32"),
        ("torn.png", _png(300, 300)[:200], "damaged"),
    ],
)
def test_a_file_that_is_unfit_is_refused_with_a_reason(
    visitor: Page, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    choose_photo(visitor, file)
    expect(visitor.get_by_role("alert")).to_contain_text(message)


def test_a_pasted_photo_is_taken(visitor: Page) -> None:
    expect(visitor.get_by_text("or paste it")).to_be_visible()
    visitor.evaluate(
        """async () => {
            const canvas = new OffscreenCanvas(64, 64);
            canvas.getContext("2d").fillRect(0, 0, 9, 9);
            const data = new DataTransfer();
            data.items.add(new File([await canvas.convertToBlob()], "pasted.png"));
            window.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
        }"""
    )
    expect(visitor.get_by_text("pasted.png")).to_be_visible()


def test_a_dropped_photo_is_taken(visitor: Page, photo: Path) -> None:
    data = visitor.evaluate_handle(
        """async (url) => {
            const data = new DataTransfer();
            data.items.add(new File([await (await fetch(url)).blob()], "dropped.jpg"));
            return data;
        }""",
        visitor.locator(".sample img").first.get_attribute("src"),
    )
    visitor.locator(".drop").dispatch_event("drop", {"dataTransfer": data})
    expect(visitor.get_by_text("dropped.jpg")).to_be_visible()


def test_a_photo_that_the_server_refuses_gives_way_to_another(
    ada: BrowserContext, stack: RunningStack, tmp_path: Path
) -> None:
    still, animated = tmp_path / "still.webp", tmp_path / "animated.webp"
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    red.save(still)
    red.save(animated, save_all=True, append_images=[blue], duration=100)
    page = ada.new_page()
    page.goto(stack.url)
    choose_photo(page, animated)
    expect(page.get_by_role("alert")).to_contain_text("animated", timeout=PATIENCE_MS)
    choose_photo(page, still)
    expect(page.locator(".viewport")).to_be_visible(timeout=PATIENCE_MS)
    page.close()


def test_a_large_photo_goes_up_by_the_form_and_says_how_far_it_is(
    ada: BrowserContext, stack: RunningStack, tmp_path: Path
) -> None:
    noise = Image.frombytes("RGB", (1500, 1300), os.urandom(1500 * 1300 * 3))
    file = tmp_path / "noise.png"
    noise.save(file)
    page = ada.new_page()
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    page.goto(stack.url)
    signed_in(page)
    rate = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": 2 * 1024**2}
    slow.send("Network.emulateNetworkConditions", {"offline": False, **rate})
    bucket = json.loads(stack.get("/config.json").text)["bucket"]
    with page.expect_request(f"**/{bucket}") as sent:
        choose_photo(page, file)
        bar = page.get_by_role("progressbar", name="Upload")
        expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d$"))
    assert sent.value.method == "POST"
    expect(page.locator(".viewport")).to_be_visible(timeout=PATIENCE_MS)
    page.close()
