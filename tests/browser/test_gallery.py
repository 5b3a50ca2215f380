"""One's jobs: with pictures, resumed, renamed, deleted."""

import json
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.alone import URL, a_job
from tests.browser.alone import signed_in as signed_in_alone
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


def test_jobs_are_searched_ordered_and_taken_together(browser: Browser, build: Path) -> None:
    """On two pages of answers: what is looked for may be on any."""
    names = ["Cup 10", "Cup 2", "Plate", "Tasse"]
    jobs = [a_job(n, name=name, status="COMPLETED") for n, name in enumerate(names)]
    for n, job in enumerate(jobs):
        job["createdAt"] = f"2026-11-2{9 - n}T10:00:00Z"
    with signed_in_alone(browser, build) as context:
        page = context.new_page()
        gone: list[str] = []

        def answer(route: Route) -> None:
            if route.request.method == "DELETE":
                gone.append(route.request.url[-1])
                route.fulfill(status=204, body="")
                return
            second = "cursor" in route.request.url
            shown = [job for job in jobs if job["jobId"][-1] not in gone]
            page_of = shown[2:] if second else shown[:2]
            route.fulfill(json={"jobs": page_of, "cursor": None if second else "next"})

        page.route("**/api/jobs**", answer)
        page.goto(f"{URL}/gallery")
        titles = page.locator(".job-title")
        expect(titles).to_have_text(["Cup 10", "Cup 2"])
        page.get_by_label("Order").select_option("name")
        expect(titles).to_have_text(["Cup 2", "Cup 10", "Plate", "Tasse"])
        page.get_by_label("Search").fill("cup")
        expect(titles).to_have_text(["Cup 2", "Cup 10"])
        page.get_by_role("button", name="Select", exact=True).click()
        page.get_by_role("button", name="All shown").click()
        expect(page.get_by_text("2 selected")).to_be_visible()
        page.get_by_label("Select Cup 10").uncheck()
        page.get_by_label("Selected jobs").get_by_role("button", name="Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(titles).to_have_text(["Cup 10"])
        assert gone == ["1"]
        page.get_by_label("Search").fill("nothing")
        expect(page.get_by_text("No job is called so")).to_be_visible()
