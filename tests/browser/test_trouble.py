"""What goes wrong is said, and nothing is lost by it."""

import json
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.browser.driver import PATIENCE_MS, Selecting, start_job
from tests.local.running import RunningStack


def test_a_job_can_be_cancelled(ada: BrowserContext, stack: RunningStack, photo: Path) -> None:
    page = start_job(ada, stack.url, photo)
    page.get_by_role("button", name="Cancel the job").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_role("heading", name="This job was cancelled")).to_be_visible()
    # Nothing is lost by it: it goes on where it stopped.
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".viewport")).to_be_visible(timeout=PATIENCE_MS)
    page.close()


def test_a_failure_of_the_endpoint_is_shown_and_tried_again(
    ada: BrowserContext, stack: RunningStack, photo: Path
) -> None:
    page = start_job(ada, stack.url, photo)
    Selecting(page).click((0.5, 0.3))
    bucket = json.loads(stack.get("/config.json").text)["bucket"]
    job_id = page.url.rsplit("/", 1)[-1]
    s3 = stack.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    image = next(k for k in keys if f"{job_id}/image" in k)
    s3.delete_object(Bucket=bucket, Key=image)
    Selecting(page).confirm()
    failed = page.get_by_role("heading", name="This job failed")
    expect(failed).to_be_visible(timeout=300_000)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("link", name="Start anew")).to_be_visible()
    s3.put_object(Bucket=bucket, Key=image, Body=photo.read_bytes(), ContentType="image/jpeg")
    page.get_by_role("button", name="Try again").click()
    again = page.get_by_role("heading", name="Reconstructing the object")
    expect(again).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".result")).to_be_visible(timeout=300_000)
    assert page.url.endswith(job_id)
    page.close()


def test_a_mask_that_another_tab_has_sent_is_gone_on_with_in_both(
    ada: BrowserContext, stack: RunningStack, photo: Path
) -> None:
    page = start_job(ada, stack.url, photo)
    Selecting(page).click((0.5, 0.3))
    other = ada.new_page()
    other.goto(page.url)
    expect(other.locator(".viewport")).to_be_visible(timeout=PATIENCE_MS)
    Selecting(other).ready()
    expect(other.locator(".point")).to_have_count(1)
    # It has not looked at the job since.
    job = "**/jobs/" + page.url.rsplit("/", 1)[-1]
    other.route(job, lambda route: route.abort())
    Selecting(page).confirm()
    expect(page.locator(".viewport")).to_have_count(0, timeout=PATIENCE_MS)
    with other.expect_response("**/masks") as refused:
        Selecting(other).confirm()
    assert refused.value.status == 409
    expect(other.get_by_role("alert")).to_contain_text("does not wait for a mask")
    other.unroute(job)
    for tab in (page, other):
        expect(tab.locator(".result")).to_be_visible(timeout=300_000)
        tab.close()


def test_a_lost_connection_keeps_the_masks(selecting: Selecting) -> None:
    page = selecting.page
    selecting.click((0.5, 0.3))
    page.route("**/masks", lambda route: route.abort())
    selecting.confirm()
    # It is tried again by itself before it is told.
    banner = page.locator(".offline")
    expect(banner).to_contain_text("sending your masks", timeout=PATIENCE_MS)
    # While it waits: later it would go on by itself.
    page.get_by_role("button", name="Back to the selection").click()
    page.unroute("**/masks")
    expect(selecting.ready().points).to_have_count(1)
