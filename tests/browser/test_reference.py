"""The page that shows the API, to somebody who is not signed in."""

import json

from playwright.sync_api import Page, expect

from tests.browser.driver import check_accessibility
from tests.local.running import ROOT, RunningStack


def test_anybody_reads_the_api(visitor: Page, stack: RunningStack) -> None:
    refused = []
    visitor.on("console", lambda message: refused.append(message.text))
    visitor.get_by_role("link", name="The API, for programs").click()
    expect(visitor).to_have_url(f"{stack.url}/api")
    expect(visitor.get_by_role("heading", name="The API, version 1")).to_be_visible()
    expect(visitor.get_by_role("heading", name="POST /jobs", exact=True)).to_be_visible()
    assert not [text for text in refused if "Content Security Policy" in text]
    check_accessibility(visitor)

    published = visitor.request.get(f"{stack.url}/api/openapi.json")
    assert published.json() == json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert published.headers["gen3d-version"] == "1"


def test_an_address_leads_to_a_request_or_model(visitor: Page, stack: RunningStack) -> None:
    visitor.goto(f"{stack.url}/api#retryJob")
    part = visitor.locator("#retryJob")
    expect(part).to_be_in_viewport()
    part.get_by_role("combobox").select_option("anew")
    expect(part.get_by_label("retryJob, request, example")).to_contain_text('"n": 0')
    part.get_by_role("link", name="ObjectAgain").click()
    expect(visitor.locator("#ObjectAgain")).to_be_in_viewport()


def test_a_phone_scrolls_in_one_direction(visitor: Page, stack: RunningStack) -> None:
    visitor.set_viewport_size({"width": 360, "height": 740})
    visitor.goto(f"{stack.url}/api")
    expect(visitor.get_by_role("heading", name="The API, version 1")).to_be_visible()
    assert visitor.evaluate("document.documentElement.scrollWidth") <= 360
