"""The whole journey in German, which a browser asks for that prefers it."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.driver import (
    PASSWORD,
    PATIENCE_MS,
    Selecting,
    an_address,
    check_accessibility,
    code_for,
)
from tests.local.running import ROOT, RunningStack

PHOTO = ROOT / "examples" / "coffee.jpg"

TEXTS = ROOT / "webapp" / "src" / "texts" / "en"
SENTENCES = re.compile(r'"([A-Z][^"$]{12,}[.!?])"')


def _english(page: Page) -> list[str]:
    """The sentences of the English catalogue that the page shows."""
    seen = " ".join(page.locator("body").inner_text().split())
    texts = "".join(path.read_text() for path in TEXTS.iterdir())
    return [sentence for sentence in SENTENCES.findall(texts) if sentence in seen]


def _sign_up(page: Page, stack: RunningStack, email: str) -> None:
    page.get_by_role("tab", name="Konto anlegen").click()
    page.get_by_label("E-Mail").fill(email)
    page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    page.get_by_label("Passwort wiederholen").fill(PASSWORD)
    assert _english(page) == []
    page.get_by_role("button", name="Konto anlegen").click()
    page.get_by_label("Bestätigungscode").fill(code_for(stack, email))
    page.get_by_role("button", name="Bestätigen").click()


def test_a_whole_journey_is_in_german(
    browser: Browser, stack: RunningStack, tmp_path: Path
) -> None:
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(stack.url)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", name="Klick ein Objekt an.")).to_be_visible()
    assert _english(page) == []
    check_accessibility(page)

    nothing = tmp_path / "nichts.txt"
    nothing.write_text("nichts")
    field = page.get_by_label("Foto", exact=True)
    field.set_input_files(nothing)
    expect(page.get_by_role("alert")).to_contain_text("lässt sich nicht als Foto lesen")
    field.set_input_files(PHOTO)
    expect(page.get_by_role("heading", name="Vorher noch ein Schritt")).to_be_visible()
    _sign_up(page, stack, an_address("ada"))

    expect(page.get_by_role("button", name="Abmelden")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".viewport")).to_be_visible(timeout=PATIENCE_MS)
    selecting = Selecting(page).ready()
    assert _english(page) == []
    selecting.click((0.377, 0.58), (0.657, 0.58))
    page.get_by_role("button", name="Tastenkürzel", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Strg+Umschalt+Z")
    page.get_by_role("button", name="Schließen").click()
    page.get_by_text("Einstellungen", exact=True).click()
    assert _english(page) == []
    check_accessibility(page)
    page.get_by_role("button", name="In 3D rekonstruieren").click()

    expect(page.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
    expect(page).to_have_title(re.compile("^Fertig"), timeout=PATIENCE_MS)
    page.get_by_text("Zahlen", exact=True).click()
    expect(page.locator(".figures")).to_contain_text(re.compile(r"\d,\d %"))
    page.get_by_role("button", name="Teilen").click()
    expect(page.get_by_role("dialog")).to_contain_text("Wer einen Link hat")
    assert _english(page) == []
    page.get_by_role("button", name="Schließen").click()
    check_accessibility(page)

    page.get_by_role("link", name="Galerie").first.click()
    expect(page.locator(".job-card")).to_contain_text("Fertig")
    page.set_viewport_size({"width": 320, "height": 640})
    page.get_by_label("Suchen").fill("fertig")
    page.get_by_label("Reihenfolge").select_option("Nach Namen")
    page.get_by_role("button", name="Auswählen", exact=True).click()
    page.get_by_role("button", name="Alle hier").click()
    expect(page.get_by_text("1 ausgewählt")).to_be_visible()
    with page.expect_download() as packed:
        page.get_by_role("button", name="Herunterladen").click()
    assert packed.value.suggested_filename == "models.zip"
    check_accessibility(page)
    page.get_by_role("button", name="Löschen", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Löschen").click()
    expect(page.get_by_role("heading", name="Noch keine Aufträge")).to_be_visible()
    assert _english(page) == []

    page.get_by_label("Sprache").select_option("English")
    expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible(timeout=PATIENCE_MS)
    context.close()
