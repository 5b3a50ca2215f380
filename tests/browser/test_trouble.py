"""What goes wrong is said, and nothing is lost by it."""

import json
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.browser.driver import Selecting, start_job
from tests.local.running import RunningStack


def test_a_job_can_be_cancelled(ada: BrowserContext, stack: RunningStack, photo: Path) -> None:
    page = start_job(ada, stack.url, photo)
    page.get_by_role("button", name="Cancel the job").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_role("heading", name="This job was cancelled")).to_be_visible()
    page.close()


def test_a_failure_of_the_endpoint_is_shown(
    ada: BrowserContext, stack: RunningStack, photo: Path
) -> None:
    page = start_job(ada, stack.url, photo)
    Selecting(page).click((0.5, 0.3))
    bucket = json.loads(stack.get("/config.json").text)["bucket"]
    job_id = page.url.rsplit("/", 1)[-1]
    s3 = stack.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    s3.delete_object(Bucket=bucket, Key=next(k for k in keys if f"{job_id}/image" in k))
    Selecting(page).confirm()
    failed = page.get_by_role("heading", name="This job failed")
    expect(failed).to_be_visible(timeout=300_000)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("link", name="Start anew")).to_be_visible()
    page.close()


def test_a_lost_connection_keeps_the_masks(selecting: Selecting) -> None:
    page = selecting.page
    selecting.click((0.5, 0.3))
    page.route("**/masks", lambda route: route.abort())
    selecting.confirm()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/masks")
    page.get_by_role("button", name="Back to the selection").click()
    expect(selecting.ready().points).to_have_count(1)
