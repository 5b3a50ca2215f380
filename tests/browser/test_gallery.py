"""One's jobs: with pictures, resumed, renamed, deleted."""

import json
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.driver import PATIENCE_MS, Selecting, choose_photo, signed_in
from tests.local.running import RunningStack


def test_a_job_is_resumed_at_its_step(
    ada: BrowserContext, stack: RunningStack, waiting_job: Page, finished: Page
) -> None:
    page = ada.new_page()
    page.goto(f"{stack.url}/gallery")
    ready = page.locator(".job-card", has=page.get_by_text("Ready")).first
    expect(ready.locator("img")).to_be_visible(timeout=PATIENCE_MS)
    page.locator(f"a[href='{waiting_job.url.removeprefix(stack.url)}']").click()
    Selecting(page).ready()
    page.close()


def test_an_upload_that_a_reload_cut_off_goes_on(
    ada: BrowserContext, stack: RunningStack, photo: Path
) -> None:
    page = ada.new_page()
    page.goto(stack.url)
    signed_in(page)
    bucket = json.loads(stack.get("/config.json").text)["bucket"]
    form = f"**/{bucket}"
    page.route(form, lambda route: None)
    choose_photo(page, photo)
    page.wait_for_url("**/jobs/*")
    expect(page.get_by_role("heading", name="Uploading the photo")).to_be_visible()
    page.unroute(form)
    page.reload()
    expect(page.locator(".viewport")).to_be_visible(timeout=PATIENCE_MS)
    page.close()


def test_a_job_is_renamed_and_deleted(
    ada: BrowserContext, stack: RunningStack, photo: Path
) -> None:
    page = ada.new_page()
    page.goto(stack.url)
    signed_in(page)
    choose_photo(page, photo)
    page.wait_for_url("**/jobs/*")
    path = page.url.removeprefix(stack.url)
    page.goto(f"{stack.url}/gallery")
    card = page.locator(".job-card", has=page.locator(f"a[href='{path}']"))
    card.hover()
    card.get_by_role("button", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("My cup")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(card).to_contain_text("My cup")
    card.hover()
    card.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    page.goto(stack.url + path)
    expect(page.get_by_role("heading", name="No such job")).to_be_visible()
    page.close()
