"""What comes out: seen, compared, taken away, shared, tried again."""

import html
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.driver import PATIENCE_MS, a_share_of, end_share, sharing, watch_pixels
from tests.local.running import RunningStack, eventually


@pytest.fixture
def drawn_anew(finished: Page, ada: BrowserContext) -> Iterator[Page]:
    """The finished job's page once more, its mesh drawn."""
    page = ada.new_page()
    page.goto(finished.url)
    expect(page.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
    yield page
    page.close()


@pytest.mark.parametrize(
    ("label", "drawn"),
    [("Mesh", "mesh"), ("Splat", "splat"), ("Wires", "wireframe"), ("Points", "points")],
)
def test_every_view_draws_something(finished: Page, label: str, drawn: str) -> None:
    finished.locator(".viewer-bar .segment", has_text=label).click()
    expect(finished.locator(f"canvas[data-drawn={drawn}]")).to_be_visible(timeout=PATIENCE_MS)
    colours = watch_pixels(finished)
    assert eventually(lambda: colours() > 3)


def test_a_picture_and_a_film_are_taken_away(drawn_anew: Page, tmp_path: Path) -> None:
    page = drawn_anew
    page.get_by_role("button", name="Front").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Picture").click()
    waiting.value.save_as(tmp_path / "picture.png")
    picture = Image.open(tmp_path / "picture.png")
    low, high = picture.getchannel("A").getextrema()
    assert (low, high) == (0, 255), "an object before nothing"
    with page.expect_download(timeout=PATIENCE_MS) as waiting:
        page.get_by_role("button", name="Turntable").click()
    assert waiting.value.suggested_filename.endswith(".webm")
    waiting.value.save_as(tmp_path / "film.webm")
    film = (tmp_path / "film.webm").read_bytes()
    assert film[:4] == bytes.fromhex("1a45dfa3"), "an EBML header"
    assert len(film) > 10_000


def test_the_first_view_is_the_photos_own(drawn_anew: Page, tmp_path: Path) -> None:
    """The cup lies over its mask; it can be turned away from that, and back."""
    page = drawn_anew
    below = page.locator(".viewer-photo")
    expect(below).to_be_visible()
    frame, photo = (page.locator(one).bounding_box() for one in (".viewer-frame", ".viewer-photo"))
    assert frame
    assert photo
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Picture").click()
    waiting.value.save_as(tmp_path / "picture.png")
    size = round(frame["width"]), round(frame["height"])
    drawn = np.asarray(Image.open(tmp_path / "picture.png").getchannel("A").resize(size)) > 127
    style = page.locator(".photo-side .lit").get_attribute("style") or ""
    (link,) = re.findall(r'url\("(.+?)"\)', html.unescape(style))
    mask = Image.open(io.BytesIO(page.request.get(link).body())).convert("L")
    mask = mask.resize((round(photo["width"]), round(photo["height"])))
    left, top = round(frame["x"] - photo["x"]), round(frame["y"] - photo["y"])
    wanted = np.asarray(mask.crop((left, top, left + size[0], top + size[1]))) > 127
    assert (drawn & wanted).sum() / (drawn | wanted).sum() > 0.9
    page.get_by_role("button", name="Whole object").click()
    expect(below).to_have_count(0)
    page.get_by_role("button", name="Photo", exact=True).click()
    expect(below).to_be_visible()
    page.locator("canvas").press("ArrowLeft")
    expect(below).to_have_count(0)


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


def _addresses(page: Page) -> list[str]:
    """What the page will have asked for, which grows."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def test_a_share_needs_no_account_and_shows_one_object_alone(
    finished: Page, browser: Browser, bob: BrowserContext
) -> None:
    link = a_share_of(finished, "Object 1")
    assert "/api/s/" in link
    assert len(link) < 80
    signed_out = browser.new_context()
    for context in (signed_out, bob):
        stranger = context.new_page()
        loaded = _addresses(stranger)
        stranger.goto(link)
        expect(stranger.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
        expect(stranger.get_by_role("heading", name="Object 1")).to_be_visible()
        assert "/shared/" in stranger.url
        stranger.get_by_role("link", name="Skip to the content").press("Enter")
        expect(stranger.locator("main")).to_be_focused()
        assert not any(part in url for url in loaded for part in ("image.jpg", "mask", "objects/1"))
        # What may be seen of the object opens nothing else of the job.
        glb = str(stranger.locator(".downloads a").first.get_attribute("href"))
        assert stranger.request.get(glb).status == 200
        assert stranger.request.get(glb.replace("mesh.glb", "mask.png")).status == 403
        assert stranger.request.get(glb.replace("objects/0", "objects/1")).status == 403
        stranger.close()
    signed_out.close()


def test_a_chat_sees_title_and_picture(finished: Page, browser: Browser) -> None:
    link = a_share_of(finished, "Object 2")
    answer = finished.request.get(link, max_redirects=0)
    told = dict(re.findall(r'<meta property="(og:\w+)" content="([^"]*)"', answer.text()))
    assert told["og:title"] == "Object 2"
    picture = finished.request.get(html.unescape(told["og:image"]))
    assert Image.open(io.BytesIO(picture.body())).format == "PNG"


def test_a_share_that_is_withdrawn_or_tampered_with_says_so(
    finished: Page, browser: Browser
) -> None:
    link = a_share_of(finished, "Object 1")
    context = browser.new_context()
    stranger = context.new_page()
    for broken in (link[:-1], link + "A"):
        stranger.goto(broken)
        expect(stranger.get_by_role("heading", name="Nothing is behind this link")).to_be_visible()
    with sharing(finished, "Object 1") as dialog:
        before = dialog.get_by_role("listitem").count()
        dialog.get_by_role("button", name=re.compile("^Withdraw")).first.click()
        expect(dialog.get_by_role("listitem")).to_have_count(before - 1)
    stranger.goto(link)
    expect(stranger.get_by_role("heading", name="Nothing is behind this link")).to_be_visible()
    context.close()


def test_a_share_that_has_ended_says_so_and_is_listed_no_more(
    finished: Page, ada: BrowserContext, stack: RunningStack, browser: Browser
) -> None:
    link = a_share_of(finished, "Object 1")
    context = browser.new_context()
    opened, late = context.new_page(), context.new_page()
    opened.clock.install()
    opened.goto(link)
    expect(opened.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
    owners = ada.new_page()
    owners.goto(finished.url)
    expect(owners.locator("canvas[data-drawn=mesh]")).to_be_visible(timeout=PATIENCE_MS)
    with sharing(owners, "Object 1") as dialog:
        rows = dialog.get_by_role("listitem")
        expect(rows.first).to_be_visible()
        before = rows.count()
        end_share(stack, link.rsplit("/", 1)[-1])
        # To withdraw what has ended is no fault.
        dialog.get_by_role("button", name=re.compile("^Withdraw")).first.click()
        expect(rows).to_have_count(before - 1)
        expect(dialog.get_by_role("alert")).to_have_count(0)
    nothing = "Nothing is behind this link"
    late.goto(link)
    expect(late.get_by_role("heading", name=nothing)).to_be_visible()
    # Who has it open is told with the next look.
    opened.clock.fast_forward("06:00")
    expect(opened.get_by_role("heading", name=nothing)).to_be_visible()
    owners.close()
    context.close()


def test_everything_comes_as_one_zip(finished: Page, tmp_path: Path) -> None:
    finished.locator(".result-tools .segment", has_text="Object 1").click()
    shown = finished.locator(".downloads a").count()
    with finished.expect_download() as waiting:
        finished.get_by_role("button", name="Download all").click()
    assert waiting.value.suggested_filename == "Object 1.zip"
    waiting.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        assert packed.testzip() is None
        assert len(packed.namelist()) == shown
        assert {"Object 1.glb", "Object 1.spz", "Object 1-splat.ply"} <= set(packed.namelist())


def test_the_viewer_takes_the_small_splat(finished: Page, ada: BrowserContext) -> None:
    page = ada.new_page()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url.split("?")[0]))
    page.goto(finished.url)
    page.locator(".viewer-bar .segment", has_text="Splat").click()
    expect(page.locator("canvas[data-drawn=splat]")).to_be_visible(timeout=PATIENCE_MS)
    assert any(url.endswith("splat.spz") for url in loaded)
    assert not any(url.endswith("splat.ply") for url in loaded)
    page.close()


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
