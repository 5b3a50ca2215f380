"""Webhooks on the page: registered, looked at, sent again, withdrawn."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from standardwebhooks.webhooks import Webhook

from layers.gen3d.tests.web import Web
from tests.browser.driver import PATIENCE_MS, check_accessibility
from tests.local.running import RunningStack, eventually
from tests.local.test_webhooks import receiving


@pytest.fixture
def receiver(stack: RunningStack, tmp_path: Path) -> Iterator[Web]:
    with receiving(stack, tmp_path) as web:
        yield web


class Answers:
    """What the receiver answers next; then it takes everything."""

    def __init__(self, *statuses: int) -> None:
        self._left = list(statuses)

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        status = self._left.pop(0) if self._left else 200
        body = b"the database is away" if status == 500 else b"taken"
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def _cancel_a_job(page: Page, stack: RunningStack) -> str:
    """A job of this person's, which is cancelled; by a request of their page's."""
    script = """async (url) => {
      const token = Object.entries(localStorage).find(([k]) => k.endsWith(".idToken"))[1];
      const ask = async (path, body) => (await fetch(url + path, {method: "POST",
        headers: {Authorization: `Bearer ${token}`, "Content-Type": "application/json"},
        body: JSON.stringify(body)})).json();
      const job = await ask("/jobs", {filename: "cup.jpg", contentType: "image/jpeg"});
      await ask(`/jobs/${job.jobId}/cancel`, {});
      return job.jobId;
    }"""
    return str(page.evaluate(script, f"{stack.url}/api"))


def test_an_address_is_registered_told_told_again_and_withdrawn(
    ada: BrowserContext, stack: RunningStack, receiver: Web
) -> None:
    receiver.answer = Answers(500)
    page, url = ada.new_page(), f"{receiver.url}mine"
    page.goto(f"{stack.url}/keys")
    page.get_by_role("navigation", name="For programs").get_by_role("link", name="Webhooks").click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible(timeout=PATIENCE_MS)
    check_accessibility(page)

    page.get_by_role("button", name="New webhook").click()
    dialog = page.get_by_role("dialog", name="New webhook")
    check_accessibility(page)
    dialog.get_by_label("Its address, over https").fill("https://localhost/")
    dialog.get_by_role("button", name="Register it").click()
    refused = dialog.get_by_role("alert")
    expect(refused).to_contain_text("localhost", timeout=PATIENCE_MS)
    dialog.get_by_label("Its address, over https").fill(url)
    dialog.get_by_label("A job failed").uncheck()
    check_accessibility(page)
    dialog.get_by_role("button", name="Register it").click()
    shown = page.get_by_role("dialog", name="The webhook's secret")
    secret = shown.get_by_label("Secret", exact=True).input_value(timeout=PATIENCE_MS)
    check_accessibility(page)
    shown.get_by_role("button", name="I have kept it").click()
    row = page.locator(".webhook", has_text=url)
    expect(row).to_contain_text("A job was cancelled", timeout=PATIENCE_MS)
    expect(row).not_to_contain_text("A job failed")
    assert secret not in page.content()

    row.get_by_role("button", name="What was sent").click()
    expect(row).to_contain_text("Nothing within a week")
    job_id = _cancel_a_job(page, stack)
    eventually(lambda: len(receiver.posted) == 2)
    expect(row.locator(".delivery-state")).to_have_text("Delivered", timeout=PATIENCE_MS)
    first, second = row.locator(".attempts li").all()
    expect(first).to_contain_text("answered 500 the database is away")
    expect(second).to_contain_text("answered 200 taken")
    expect(row.get_by_role("link")).to_have_attribute("href", f"/jobs/{job_id}")
    check_accessibility(page)

    row.get_by_role("button", name="Send again").click()
    eventually(lambda: len(receiver.posted) == 3)
    expect(row.locator(".attempts li")).to_have_count(3, timeout=PATIENCE_MS)
    for posted in receiver.posted:
        Webhook(secret).verify(posted.body, posted.headers)
        assert json.loads(posted.body)["data"]["jobId"] == job_id

    row.get_by_role("button", name="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible(timeout=PATIENCE_MS)
    page.close()


def test_one_that_has_ended_by_its_answer_says_so(
    bob: BrowserContext, stack: RunningStack, receiver: Web
) -> None:
    receiver.answer = Answers(410)
    page = bob.new_page()
    page.goto(f"{stack.url}/webhooks")
    page.get_by_role("button", name="New webhook").click()
    page.get_by_label("Its address, over https").fill(f"{receiver.url}gone")
    page.get_by_role("button", name="Register it").click()
    page.get_by_role("button", name="I have kept it").click(timeout=PATIENCE_MS)
    row = page.locator(".webhook")
    expect(row).to_be_visible(timeout=PATIENCE_MS)
    _cancel_a_job(page, stack)
    eventually(lambda: len(receiver.posted) == 1)
    row.get_by_role("button", name="What was sent").click()
    expect(row).to_contain_text("it answered 410", timeout=PATIENCE_MS)
    expect(row.get_by_text("Given up")).to_be_visible()
    expect(row.get_by_role("button", name="Send again")).to_have_count(0)
    row.get_by_role("button", name="Withdraw").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(row).to_have_count(0)
    page.close()
