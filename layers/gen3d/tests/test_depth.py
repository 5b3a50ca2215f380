"""Depth maps from outside: each bad one has its sentence, and a good one is its millimetres."""

import io
import math

import numpy as np
import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from gen3d import images
from gen3d.bounded import Crashed, TimeSpent
from gen3d.errors import InvalidDepth
from gen3d.images import field_of_view, read_depth
from tests.samples import encode

PHOTO = (4000, 3000)
SLOPE = np.linspace(400, 3000, 256 * 192).reshape(192, 256).astype(np.uint16)
"""A floor, from near to far, as a phone measures it: millimetres."""


NOISE = np.random.default_rng(0).integers(400, 3000, (192, 256)).astype(np.uint16)


def png(pixels: np.ndarray, **options: object) -> bytes:
    return encode(Image.fromarray(pixels), "PNG", **options)


def with_unknown(share: float) -> np.ndarray:
    known = SLOPE.copy()
    known.reshape(-1)[: round(share * known.size)] = 0
    return known


def test_a_map_is_its_millimetres() -> None:
    pixels = with_unknown(0.45)
    depth = read_depth(png(pixels), *PHOTO)
    assert depth.mode == "I;16"
    np.testing.assert_array_equal(np.asarray(depth), pixels)


def test_its_aspect_may_differ_by_what_rounding_makes() -> None:
    read_depth(png(SLOPE), 4032, 3024)
    read_depth(png(SLOPE), 4032, 3000)
    read_depth(png(np.ascontiguousarray(SLOPE.T)), *PHOTO[::-1])


def test_what_it_says_of_colours_changes_no_distance() -> None:
    note = PngInfo()
    note.add(b"gAMA", (100_000).to_bytes(4, "big"))
    note.add(b"sBIT", b"\x0c")
    np.testing.assert_array_equal(np.asarray(read_depth(png(SLOPE, pnginfo=note), *PHOTO)), SLOPE)


def moving() -> bytes:
    frames = [Image.fromarray(SLOPE), Image.fromarray(SLOPE[::-1])]
    return encode(frames[0], "PNG", save_all=True, append_images=frames[1:])


def stretched() -> np.ndarray:
    return np.linspace(0, 65535, 256 * 192).reshape(192, 256).astype(np.uint16)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a PNG"),
        (encode(Image.fromarray(SLOPE.astype(np.uint8)), "JPEG"), "not a PNG"),
        (png(SLOPE.astype(np.uint8)), "8 bits a sample. Send a grey PNG of 16 bits"),
        (png(np.zeros((192, 256, 3), np.uint8)), "8 bits a sample, and more than grey"),
        (png(SLOPE.astype(np.uint8), bits=4), "4 bits|8 bits"),
        (moving(), "animated"),
        (png(SLOPE[:45, :60].copy()), "60×45 pixels; each side needs 64"),
        (png(np.full((3075, 4100), 900, np.uint16)), "at most 4096 a side"),
        (png(SLOPE[:150].copy()), "another aspect. Send the map of the whole photo"),
        (png(np.ascontiguousarray(SLOPE.T)), "another aspect. Turn it as the photo is shown"),
        (png(NOISE)[:-3000], "damaged or was cut off"),
        (png(np.zeros_like(SLOPE)), "known in 0 % of the depth map; 50 % are needed"),
        (png(with_unknown(0.55)), "known in 45 % of the depth map"),
        (png(np.full_like(SLOPE, 1500)), "the same everywhere"),
        (png(1500 + SLOPE % 15), "the same everywhere"),
        (png(SLOPE // 1000), "2 mm away in the middle"),
        (png(SLOPE // 100), "mm away in the middle, which no sensor sees"),
        (png(stretched()), "goes up to 65535, all that 16 bits hold"),
    ],
)
def test_a_bad_map_is_named_and_explained(data: bytes, says: str) -> None:
    with pytest.raises(InvalidDepth, match=says) as raised:
        read_depth(data, *PHOTO)
    assert raised.value.message.endswith(".")


def test_one_pixel_that_differs_makes_no_depth() -> None:
    flat = np.full_like(SLOPE, 1500)
    flat[5, 5] = 4000
    with pytest.raises(InvalidDepth, match="the same everywhere"):
        read_depth(png(flat), *PHOTO)


def test_one_that_breaks_its_decoder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, error: Exception) -> None:
            self.error = error

        def ask(self, *_: object) -> None:
            raise self.error

    for error, says in ((Crashed(), "damaged"), (TimeSpent(), "too long")):
        monkeypatch.setattr(images, "_decoder", lambda error=error: Broken(error))
        with pytest.raises(InvalidDepth, match=says):
            read_depth(png(SLOPE), *PHOTO)


def with_focal(focal: object, kind: str, size: tuple[int, int] = (400, 300)) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 1  # without any of its own Pillow writes none into a PNG
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = focal
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind, exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(400, 300), (300, 400)])
def test_a_photo_says_what_its_lens_took_in(kind: str, size: tuple[int, int]) -> None:
    """A lens that sees a whole picture's diagonal under 2 · atan(43.27 / 2 / 26)."""
    view = field_of_view(with_focal(26, kind, size))
    assert view is not None
    diagonal = math.tan(view / 2) * 500 / 400
    assert 2 * math.degrees(math.atan(diagonal)) == pytest.approx(79.5, abs=0.1)


@pytest.mark.parametrize("focal", [0, 3, 9999])
def test_a_lens_that_cannot_be_says_nothing(focal: int) -> None:
    assert field_of_view(with_focal(focal, "JPEG")) is None
    assert field_of_view(encode(Image.new("RGB", (64, 48)), "JPEG")) is None
    assert field_of_view(encode(Image.new("RGB", (64, 48)), "PNG")) is None
