"""What comes out: seen, compared, taken away, shared, tried again."""

import io
import re
from pathlib import Path

import pytest
import trimesh
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.driver import PATIENCE_MS, watch_pixels
from tests.local.running import eventually


@pytest.mark.parametrize(
    ("label", "drawn"),
    [("Mesh", "mesh"), ("Splat", "splat"), ("Wires", "wireframe"), ("Points", "points")],
)
def test_every_view_draws_something(finished: Page, label: str, drawn: str) -> None:
    finished.locator(".viewer-bar .segment", has_text=label).click()
    expect(finished.locator(f"canvas[data-drawn={drawn}]")).to_be_visible(timeout=PATIENCE_MS)
    colours = watch_pixels(finished)
    assert eventually(lambda: colours() > 3)


def test_figures_are_there(finished: Page) -> None:
    figures = finished.locator(".figures")
    # What one came for is above them.
    expect(figures).to_be_hidden()
    finished.get_by_text("Figures", exact=True).click()
    for name in ("Gaussians", "Vertices", "Faces", "Seed"):
        expect(figures.get_by_text(name, exact=True)).to_be_visible()


def test_the_photo_stands_beside_the_model(finished: Page) -> None:
    expect(finished.locator(".photo-side img").first).to_be_visible()
    finished.get_by_label("Show the photo").uncheck()
    expect(finished.locator(".photo-side")).to_have_count(0)
    finished.get_by_label("Show the photo").check()


@pytest.mark.parametrize("ending", ["GLB", "OBJ", "STL", "PLY"])
def test_downloads_are_meshes_by_their_names(finished: Page, tmp_path: Path, ending: str) -> None:
    with finished.expect_download() as waiting:
        finished.locator(".downloads a", has_text=re.compile(f"^{ending}(?!, )")).click()
    assert waiting.value.suggested_filename == f"Object 1.{ending.lower()}"
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    mesh = trimesh.load(file, force="mesh")
    assert len(mesh.faces) > 100


def _shared(finished: Page, name: str) -> str:
    finished.locator(".result-tools .segment", has_text=name).click()
    finished.get_by_role("button", name="Share").click()
    link = finished.get_by_label("Link").input_value()
    finished.get_by_role("button", name="Close").click()
    return link


def test_a_shared_link_needs_no_account_and_says_when_it_has_ended(
    finished: Page, browser: Browser
) -> None:
    other, link = (_shared(finished, name) for name in ("Object 2", "Object 1"))
    context = browser.new_context()
    stranger = context.new_page()
    stranger.goto(link)
    expect(stranger.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
    stranger.get_by_role("link", name="Skip to the content").press("Enter")
    expect(stranger.locator("main")).to_be_focused()
    assert stranger.url == link
    stranger.goto(other)
    expect(stranger.get_by_role("heading", name="Object 2")).to_be_visible()
    stranger.clock.install()
    stranger.clock.fast_forward("02:00:00")
    stranger.reload()
    expect(stranger.get_by_role("heading", name="This link has ended")).to_be_visible()
    context.close()


def test_an_open_page_renews_its_links_and_keeps_its_scene(
    finished: Page, ada: BrowserContext
) -> None:
    page = ada.new_page()
    page.clock.install()
    page.goto(finished.url)
    expect(page.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
    link = page.locator(".downloads a").first
    before = str(link.get_attribute("href"))
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.clock.fast_forward("18:00")  # fifteen minutes, and what chance adds to them
    expect(link).not_to_have_attribute("href", before)
    assert not any(".glb" in url for url in loaded)
    page.close()


def test_somebody_elses_job_is_no_job(finished: Page, bob: BrowserContext) -> None:
    page = bob.new_page()
    page.goto(finished.url)
    expect(page.get_by_role("heading", name="No such job")).to_be_visible()
    page.close()


def test_masks_were_sent_at_the_photos_size(finished: Page) -> None:
    mask = finished.locator(".photo-side .lit").evaluate(
        "image => getComputedStyle(image).maskImage.slice(5, -2)"
    )
    picture = Image.open(io.BytesIO(finished.request.get(mask).body()))
    assert (picture.size, picture.mode) == ((600, 400), "L")
    assert {value for value, count in enumerate(picture.histogram()) if count} == {0, 255}


def test_one_object_is_made_again_and_the_other_stays_in_sight(
    finished: Page, ada: BrowserContext
) -> None:
    page = ada.new_page()
    page.goto(finished.url)
    objects = page.locator(".result-tools .segment")
    objects.filter(has_text="Object 2").click()
    loaded = page.locator("canvas[data-drawn=mesh]")
    expect(loaded).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Make again").click()
    page.get_by_role("dialog").get_by_role("button", name="Make again").click()
    expect(page.get_by_text("Making “Object 2”.")).to_be_visible()
    objects.filter(has_text="Object 1").click()
    expect(page.locator(".downloads a", has_text="STL")).to_be_visible()
    objects.filter(has_text="Object 2").click()
    expect(page.get_by_text("Making “Object 2”.")).to_be_hidden(timeout=300_000)
    expect(loaded).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".figures div", has_text="Seed")).not_to_have_text("Seed0")
    assert page.url == finished.url
    page.close()
