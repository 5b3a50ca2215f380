"""Accounts: by mail, and again when a session has ended."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.driver import PASSWORD, Selecting, an_address, sign_up, signed_in
from tests.local.running import RunningStack

CLICK_SIGNED_OUT = """(button) => {
    Object.keys(localStorage)
        .filter((key) => key.startsWith("CognitoIdentityServiceProvider") && /[tT]oken$/.test(key))
        .forEach((key) => localStorage.removeItem(key));
    button.click();
}"""
"""Both at once: the page asks for its job every few seconds and would notice first."""


def test_an_account_is_made_with_the_code_from_the_mail(visitor: Page, stack: RunningStack) -> None:
    email = an_address("carol")
    visitor.get_by_role("link", name="Sign in").click()
    sign_up(visitor, stack, email)
    expect(visitor.get_by_text(email)).to_be_visible()
    visitor.get_by_role("button", name="Sign out").click()
    expect(visitor.get_by_role("link", name="Sign in")).to_be_visible()


def test_a_photo_that_is_chosen_before_the_sign_in_is_kept(
    visitor: Page, stack: RunningStack
) -> None:
    visitor.get_by_role("button", name="A cup of espresso").click()
    expect(visitor.get_by_text("coffee.jpg")).to_be_visible()
    visitor.reload()
    expect(visitor.get_by_text("coffee.jpg")).to_be_visible()
    visitor.get_by_role("link", name="Sign in").click()
    sign_up(visitor, stack, an_address("dora"))
    visitor.wait_for_url("**/jobs/*")
    visitor.goto(stack.url)
    expect(visitor.locator(".drop")).to_be_visible()


def test_another_tab_begins_without_the_photo(visitor: Page, stack: RunningStack) -> None:
    visitor.get_by_role("button", name="A cup of espresso").click()
    expect(visitor.get_by_text("coffee.jpg")).to_be_visible()
    other = visitor.context.new_page()
    other.goto(stack.url)
    expect(other.locator(".drop")).to_be_visible()
    other.close()


def test_another_photo_can_be_chosen_before_the_sign_in(visitor: Page) -> None:
    visitor.get_by_role("button", name="A cup of espresso").click()
    visitor.get_by_role("button", name="Choose another photo").click()
    expect(visitor.locator(".drop")).to_be_visible()
    visitor.reload()
    expect(visitor.locator(".drop")).to_be_visible()
    expect(visitor.get_by_text("coffee.jpg")).to_be_hidden()


def test_an_expired_session_signs_in_again_without_losing_the_selection(
    selecting: Selecting, ada: BrowserContext
) -> None:
    page = selecting.page
    email = page.locator(".header-email").inner_text()
    selecting.click((0.5, 0.3))
    share = selecting.share()

    page.get_by_role("button", name="Rename the job").click()
    page.get_by_label("Name of the job").fill("After the night")
    page.get_by_role("button", name="Save the name").evaluate(CLICK_SIGNED_OUT)

    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Email").fill(email)
    dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    dialog.locator("form button[type=submit]").click()
    expect(dialog).to_be_hidden()

    signed_in(page)
    expect(page.get_by_role("heading", name=re.compile("After the night"))).to_be_visible()
    assert selecting.points.count() == 1
    assert selecting.share() == share
