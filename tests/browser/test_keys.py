"""Keys for programs: made and withdrawn on the page, used as a program does."""

import httpx
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.driver import PATIENCE_MS, check_accessibility
from tests.local.running import RunningStack


def _make(page: Page, name: str, without: str = "") -> str:
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog", name="New key")
    dialog.get_by_label("What it is for").fill(name)
    if without:
        dialog.get_by_label(without).uncheck()
    check_accessibility(page)
    dialog.get_by_role("button", name="Make the key").click()
    made = page.get_by_role("dialog", name=f"The key “{name}”")
    key = made.get_by_label("Key", exact=True).input_value(timeout=PATIENCE_MS)
    check_accessibility(page)
    made.get_by_role("button", name="I have kept it").click()
    expect(page.locator(".key", has_text=name)).to_be_visible(timeout=PATIENCE_MS)
    assert key not in page.content()
    return key


def _withdraw(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Withdraw {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.locator(".key", has_text=name)).to_have_count(0)


def test_a_program_calls_with_a_key_until_it_is_withdrawn(
    ada: BrowserContext, bob: BrowserContext, stack: RunningStack
) -> None:
    page = ada.new_page()
    page.goto(stack.url)
    page.get_by_role("link", name="Keys for programs").click()
    expect(page.get_by_text("No keys yet")).to_be_visible(timeout=PATIENCE_MS)
    check_accessibility(page)
    both = _make(page, "Robot")
    reads = _make(page, "Dashboard", without="Create, change and delete jobs")
    gone = _make(page, "Old script")
    _withdraw(page, "Old script")

    def ask(method: str, key: str, **body: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.request(
            method, f"{stack.url}/api/jobs", headers=headers, json=body or None, timeout=60
        )

    created = ask("POST", both, filename="cup.jpg", contentType="image/jpeg")
    assert created.status_code == 201
    listed = ask("GET", reads)
    assert listed.status_code == 200
    assert created.json()["jobId"] in {job["jobId"] for job in listed.json()["jobs"]}
    refused = ask("POST", reads, filename="cup.jpg", contentType="image/jpeg")
    assert (refused.status_code, refused.json()["error"]) == (403, "NotAllowed")
    withdrawn = ask("GET", gone)
    assert (withdrawn.status_code, withdrawn.json()["error"]) == (401, "Unauthorized")
    forged = ask("GET", both[:-1] + ("a" if both[-1] != "a" else "b"))
    assert (forged.status_code, forged.json()["error"]) == (401, "Unauthorized")
    page.reload()
    expect(page.locator(".key", has_text="Robot")).to_contain_text("used", timeout=PATIENCE_MS)
    expect(page.locator(".key", has_text="Dashboard")).to_contain_text("read ·")

    other = bob.new_page()
    other.goto(f"{stack.url}/keys")
    expect(other.get_by_text("No keys yet")).to_be_visible(timeout=PATIENCE_MS)
    other.close()
    for name in ("Robot", "Dashboard"):
        _withdraw(page, name)
    page.close()
