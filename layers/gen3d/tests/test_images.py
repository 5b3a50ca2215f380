"""Photos and masks from outside: everything bad has a name, everything good comes out upright."""

import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import gen3d
from gen3d import decoding, images
from gen3d.bounded import Bounded, Crashed, Starved, TimeSpent
from gen3d.errors import (
    ERRORS,
    DependencyUnavailable,
    Gen3DError,
    ImageTooLarge,
    ImageTooSmall,
    InvalidImage,
    InvalidMask,
    UnsupportedImage,
)
from gen3d.images import check_photo, read_mask, read_photo, read_reduced
from tests.samples import encode, mask

SIZE = (64, 48)
RED, GREEN, BLUE, YELLOW = (250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)


def quarters() -> Image.Image:
    """A picture whose four quarters tell its orientation: red, green / blue, yellow."""
    image = Image.new("RGB", SIZE, RED)
    w, h = SIZE[0] // 2, SIZE[1] // 2
    image.paste(GREEN, (w, 0, 2 * w, h))
    image.paste(BLUE, (0, h, w, 2 * h))
    image.paste(YELLOW, (w, h, 2 * w, 2 * h))
    return image


def corner_colours(image: Image.Image) -> list[tuple[int, ...]]:
    """Colours in the middle of the four quarters, to the nearest of what `quarters` paints."""
    w, h = image.size
    points = [
        (w // 4, h // 4),
        (3 * w // 4, h // 4),
        (w // 4, 3 * h // 4),
        (3 * w // 4, 3 * h // 4),
    ]
    return [tuple(250 if v > 125 else 0 for v in image.getpixel(p)) for p in points]  # type: ignore[union-attr]


def png_claiming(
    width: int,
    height: int,
    mode: int = 2,
    depth: int = 8,
    data: bytes = b"",
    palette: bytes = b"",
) -> bytes:
    """A PNG whose header claims any size and type; `data` are its rows before compression."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, depth, mode, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"PLTE", palette) if palette else b"")
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", SIZE, colour) for colour in (RED, GREEN)]
    return encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def with_scans(count: int) -> bytes:
    """A small progressive JPEG with its first scan again and again: so many scans in all."""
    data = encode(quarters(), "JPEG", progressive=True)
    first, second = [found.start() for found in re.finditer(b"\xff\xda", data)][:2]
    tables = data.rindex(b"\xff\xc4", first, second)  # of the second scan, behind the first's data
    more = count - data.count(b"\xff\xda")
    return data[:tables] + data[first:tables] * more + data[tables:]


ROWS = (b"\0" + bytes(SIZE[0])) * SIZE[1]
PNG = encode(quarters())
JPEG = encode(quarters(), "JPEG", quality=95)
WEBP = encode(quarters(), "WEBP", lossless=True)
NOISE = encode(Image.effect_noise((256, 256), 90), "JPEG")


# Photos that are refused


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(b"", InvalidImage, id="0 bytes"),
        pytest.param(b"not a picture", InvalidImage, id="text"),
        pytest.param(b"%PDF-1.7\n" + bytes(100), InvalidImage, id="pdf"),
        pytest.param(encode(quarters(), "GIF"), InvalidImage, id="gif"),
        pytest.param(encode(quarters(), "TIFF"), InvalidImage, id="tiff"),
        pytest.param(encode(quarters(), "BMP"), InvalidImage, id="bmp"),
        pytest.param(animation("GIF"), InvalidImage, id="animated gif"),
        pytest.param(animation("PNG"), UnsupportedImage, id="animated png"),
        pytest.param(animation("WEBP"), UnsupportedImage, id="animated webp"),
        pytest.param(NOISE[: len(NOISE) // 2], InvalidImage, id="truncated jpeg"),
        pytest.param(PNG[:-60], InvalidImage, id="truncated png"),
        pytest.param(WEBP[: len(WEBP) // 2], InvalidImage, id="truncated webp"),
        pytest.param(PNG[:20], InvalidImage, id="png header only"),
        pytest.param(png_claiming(64, 48, data=b"x"), InvalidImage, id="png without its rows"),
        pytest.param(bytes(images.MAX_BYTES + 1), ImageTooLarge, id="over 20 MB"),
        pytest.param(png_claiming(10_001, 5_000), ImageTooLarge, id="over 50 megapixels"),
        pytest.param(png_claiming(12_000, 8_000), ImageTooLarge, id="where Pillow only warns"),
        pytest.param(png_claiming(60_000, 60_000), ImageTooLarge, id="decompression bomb"),
        pytest.param(encode(Image.new("L", (16_385, 32))), ImageTooLarge, id="too wide to show"),
        pytest.param(encode(Image.new("L", (32, 16_385))), ImageTooLarge, id="too high to show"),
        pytest.param(png_claiming(64, 48, mode=3, data=ROWS), InvalidImage, id="no palette"),
        pytest.param(
            png_claiming(64, 48, mode=3, data=ROWS, palette=bytes(3 * 257)),
            InvalidImage,
            id="more colours than a palette has",
        ),
        pytest.param(with_scans(images.MAX_SCANS + 1), UnsupportedImage, id="too many scans"),
        pytest.param(encode(Image.new("RGB", (31, 64))), ImageTooSmall, id="too narrow"),
        pytest.param(encode(Image.new("RGB", (64, 31))), ImageTooSmall, id="too low"),
    ],
)
def test_a_bad_photo_has_a_name(data: bytes, error: type[Gen3DError]) -> None:
    with pytest.raises(error) as refused:
        read_photo(data)
    assert 400 <= refused.value.status < 500
    assert refused.value.message.endswith(".")


def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is_unpacked() -> None:
    bomb = png_claiming(30_000, 30_000, mode=0, data=bytes(50_000_000))
    assert len(bomb) < 100_000
    with pytest.raises(ImageTooLarge):
        read_photo(bomb)


def test_as_many_scans_as_are_taken_are_decoded() -> None:
    assert corner_colours(read_photo(with_scans(images.MAX_SCANS))) == [RED, GREEN, BLUE, YELLOW]


AT_MOST = "at most 50 megapixels are taken. Save it smaller."


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (bytes(2 * images.MAX_BYTES), "The file has 40 MB; at most 20 MB are taken."),
        (png_claiming(12_000, 8_000), f"The photo has 96 megapixels; {AT_MOST}"),
        (png_claiming(10_001, 5_000), f"The photo has 50.1 megapixels; {AT_MOST}"),
        (png_claiming(60_000, 60_000), f"The photo has too many pixels; {AT_MOST}"),
    ],
)
def test_what_is_too_large_is_told_with_its_size(data: bytes, sentence: str) -> None:
    with pytest.raises(ImageTooLarge, match=re.escape(sentence)):
        read_photo(data)


def test_an_orientation_that_cannot_be_read_turns_nothing() -> None:
    data = encode(quarters(), "JPEG", quality=95, exif=b"Exif\0\0 is what this is not")
    assert corner_colours(read_photo(data)) == [RED, GREEN, BLUE, YELLOW]


@pytest.mark.parametrize("read", [lambda d: read_photo(d), lambda d: read_reduced(d, 100)])
def test_scans_are_counted_before_anything_is_decoded(read: Callable[[bytes], object]) -> None:
    """Nothing but a beginning and scans: whoever decodes it finds no photo at all."""
    with pytest.raises(UnsupportedImage, match="101 scans"):
        read(b"\xff\xd8" + b"\xff\xda\x00\x08\x01" * 101)


def test_a_film_behind_the_photo_has_no_scans() -> None:
    """Phones append a film to a JPEG: megabytes, in which any two bytes turn up by chance."""
    film = np.random.default_rng(0).bytes(10_000_000)
    assert film.count(b"\xff\xda") > images.MAX_SCANS
    assert read_photo(JPEG + film).size == SIZE


@pytest.mark.parametrize(
    ("fault", "photo", "mask"),
    [
        (TimeSpent, UnsupportedImage, InvalidMask),
        (Crashed, InvalidImage, InvalidMask),
        (Starved, DependencyUnavailable, DependencyUnavailable),
    ],
)
def test_each_end_of_the_decoder_has_a_name(
    fault: type[Exception],
    photo: type[Gen3DError],
    mask: type[Gen3DError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(*_: object) -> None:
        raise fault

    monkeypatch.setattr(Bounded, "ask", ask)
    for read, error in (
        (lambda: check_photo(PNG, "image/png"), photo),
        (lambda: read_photo(PNG), photo),
        (lambda: read_reduced(PNG, 100), photo),
        (lambda: read_mask(PNG, *SIZE), mask),
    ):
        with pytest.raises(error) as named:
            read()
        again = images.RETRY_AFTER if fault is Starved else None
        assert (named.value.retry_after, named.value.message.endswith(".")) == (again, True)


def test_each_picture_has_its_own_time_to_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    def ask(_self: Bounded, _request: object, _data: bytes, seconds: int) -> None:
        given.append(seconds)
        raise TimeSpent

    monkeypatch.setattr(Bounded, "ask", ask)
    for read in (
        lambda: check_photo(PNG, "image/png"),
        lambda: read_photo(PNG),
        lambda: read_reduced(PNG, 100),
        lambda: read_mask(PNG, *SIZE),
    ):
        with pytest.raises(Gen3DError):
            read()
    assert given == [images.SECONDS] * 3 + [images.MASK_SECONDS]


def test_a_file_may_be_as_large_as_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_BYTES", len(PNG))
    assert decoding.read_photo(PNG).size == SIZE
    monkeypatch.setattr(decoding, "MAX_BYTES", len(PNG) - 1)
    with pytest.raises(ImageTooLarge):
        decoding.read_photo(PNG)


def test_a_photo_is_decoded_within_the_memory_that_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A photo of 24 megabytes decoded and an interpreter of 30 do not fit into 40."""
    packages = [Path(module.__file__ or "").parents[1] for module in (gen3d, PIL)]
    tight = Bounded("gen3d.decoding", packages, 40 * 2**20)
    monkeypatch.setattr(images, "_decoder", lambda: tight)
    try:
        assert read_photo(JPEG).size == SIZE
        with pytest.raises(ImageTooLarge, match="too much memory"):
            read_photo(encode(Image.new("RGB", (3000, 2000)), "PNG"))
        with pytest.raises(InvalidMask, match="too much memory"):
            read_mask(encode(mask(5000, 4000)), 5000, 4000)
    finally:
        tight.close()


@pytest.mark.parametrize(
    "size", [(32, 32), pytest.param((5_000, 10_000), marks=pytest.mark.slow), (16_384, 32)]
)
def test_the_limits_themselves_are_taken(size: tuple[int, int]) -> None:
    assert read_photo(encode(Image.new("L", size))).size == size


@pytest.mark.parametrize(
    ("data", "declared"),
    [(PNG, "image/jpeg"), (JPEG, "image/png"), (JPEG, "image/webp"), (WEBP, "image/png")],
)
def test_a_photo_of_another_type_than_announced_is_refused(data: bytes, declared: str) -> None:
    with pytest.raises(UnsupportedImage, match="announced as"):
        check_photo(data, declared)


# Photos that are taken


@pytest.mark.parametrize(
    ("data", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
)
def test_a_good_photo_is_described(data: bytes, kind: str) -> None:
    assert check_photo(data, kind) == images.PhotoInfo(*SIZE, kind, len(data))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_honoured(orientation: int) -> None:
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = quarters() if undo is None else quarters().transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(stored, "JPEG", quality=95, exif=exif)

    photo = read_photo(data)

    assert photo.size == SIZE
    assert corner_colours(photo) == [RED, GREEN, BLUE, YELLOW]
    info = check_photo(data, "image/jpeg")
    assert (info.width, info.height) == SIZE
    assert read_reduced(data, 1000)[1] == SIZE


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def exif_saying(tag: int, value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[tag] = value
    return exif


def png_with_text(key: str, text: str) -> bytes:
    info = PngInfo()
    info.add_text(key, text)
    return encode(quarters(), pnginfo=info)


def xmp_in_png() -> bytes:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return encode(quarters(), pnginfo=info)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encode(quarters(), "JPEG", quality=95, xmp=XMP), id="jpeg"),
        # Without a density of its own, Pillow looks for one in EXIF as soon as it opens a JPEG.
        pytest.param(
            encode(quarters(), "JPEG", quality=95, xmp=XMP, exif=exif_saying(0x0128, 2)),
            id="jpeg with exif that names none",
        ),
        pytest.param(encode(quarters(), "WEBP", lossless=True, xmp=XMP), id="webp"),
        pytest.param(xmp_in_png(), id="png"),
        pytest.param(
            png_with_text(
                "Raw profile type exif",
                f"\nexif\n{26:8}\n{exif_saying(0x0112, 6).tobytes().hex()}\n",
            ),
            id="text in png",
        ),
    ],
)
def test_an_orientation_that_browsers_do_not_heed_turns_nothing(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as plain:
        plain.load()
        assert plain.getexif()[0x0112] == 6, "Pillow heeds it"
    photo = read_photo(data)
    assert photo.size == SIZE
    assert corner_colours(photo) == [RED, GREEN, BLUE, YELLOW]
    assert read_reduced(data, 1000)[1] == SIZE


def test_a_jpeg_is_reduced_to_what_is_enough() -> None:
    x, y = np.meshgrid(np.linspace(0, 255, 1200), np.linspace(0, 255, 800))
    photo = Image.fromarray(np.dstack([x, y, (x + y) / 2]).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright, size = read_reduced(encode(photo, "JPEG", exif=exif, quality=95), 150)
    assert size == (800, 1200)
    assert upright.size == (200, 300)
    whole = read_photo(encode(photo, "JPEG", exif=exif, quality=95)).resize((200, 300))
    assert np.abs(np.asarray(upright, int) - np.asarray(whole, int)).max() <= 6

    for enough, sizes in ((400, (600, 400)), (401, (1200, 800)), (5000, (1200, 800))):
        reduced, size = read_reduced(encode(photo, "JPEG"), enough)
        assert (reduced.size, size) == (sizes, (1200, 800))
    assert read_reduced(encode(photo, "PNG"), 100)[0].size == (1200, 800)


def palette_with_transparency() -> bytes:
    image = quarters().convert("P")
    return encode(image, transparency=image.getpixel((0, 0)))


def grey_16_bit(value: int) -> bytes:
    row = b"\0" + struct.pack(">H", value) * SIZE[0]
    return png_claiming(*SIZE, mode=0, depth=16, data=row * SIZE[1])


def colour_16_bit(rgb: tuple[int, int, int]) -> bytes:
    row = b"\0" + struct.pack(">HHH", *rgb) * SIZE[0]
    return png_claiming(*SIZE, mode=2, depth=16, data=row * SIZE[1])


@pytest.mark.parametrize(
    ("data", "first", "tolerance"),
    [
        pytest.param(encode(quarters().convert("CMYK"), "JPEG", quality=95), RED, 8, id="cmyk"),
        pytest.param(encode(quarters().convert("L")), (75, 75, 75), 1, id="grey"),
        pytest.param(encode(quarters().convert("1")), None, 0, id="1 bit"),
        pytest.param(encode(quarters().convert("P")), RED, 8, id="palette"),
        pytest.param(palette_with_transparency(), (255, 255, 255), 0, id="transparent palette"),
        pytest.param(encode(Image.new("RGBA", SIZE, (9, 9, 9, 0))), (255,) * 3, 0, id="rgba"),
        pytest.param(encode(Image.new("LA", SIZE, (9, 0))), (255,) * 3, 0, id="grey and alpha"),
        pytest.param(grey_16_bit(0x8000), (128,) * 3, 1, id="16-bit grey"),
        pytest.param(grey_16_bit(0xFFFF), (255,) * 3, 0, id="16-bit white"),
        pytest.param(grey_16_bit(0x0303), (3,) * 3, 0, id="16-bit dark"),
        pytest.param(colour_16_bit((0xFA00, 0, 0x8000)), (250, 0, 128), 1, id="16-bit colour"),
    ],
)
def test_every_kind_of_pixel_becomes_8_bit_rgb(
    data: bytes, first: tuple[int, ...] | None, tolerance: int
) -> None:
    photo = read_photo(data)
    assert (photo.mode, photo.size) == ("RGB", SIZE)
    if first is not None:
        pixel: Any = photo.getpixel((5, 5))
        assert pixel == pytest.approx(first, abs=tolerance)


def test_a_photo_with_a_second_picture_inside_is_still_one_photo() -> None:
    """Phones append a depth or gain map to a JPEG (MPO); Pillow counts it as a frame."""
    depth = Image.new("RGB", SIZE, BLUE)
    data = encode(quarters(), "MPO", save_all=True, append_images=[depth], quality=95)

    assert check_photo(data, "image/jpeg").content_type == "image/jpeg"
    assert corner_colours(read_photo(data)) == [RED, GREEN, BLUE, YELLOW]


# Masks


def with_rectangle(mode: str, background: Any, objekt: Any) -> Image.Image:
    image = Image.new(mode, SIZE, background)
    image.paste(objekt, (16, 12, 32, 24))
    return image


def mask_of_palette(background: tuple[int, ...], objekt: tuple[int, ...], **options: Any) -> bytes:
    image = Image.new("P", SIZE, 0)
    image.putpalette([*background, *objekt])
    image.paste(1, (16, 12, 32, 24))
    return encode(image, **options)


def mask_16_bit() -> bytes:
    rows = b""
    for y in range(SIZE[1]):
        inside = [12 <= y < 24 and 16 <= x < 32 for x in range(SIZE[0])]
        rows += b"\0" + b"".join(struct.pack(">H", 0xFFFF if i else 0) for i in inside)
    return png_claiming(*SIZE, mode=0, depth=16, data=rows)


BLACK, WHITE = (0, 0, 0), (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encode(mask()), id="grey"),
        pytest.param(encode(with_rectangle("1", 0, 1)), id="1 bit"),
        pytest.param(encode(with_rectangle("RGB", BLACK, WHITE)), id="rgb"),
        pytest.param(encode(with_rectangle("RGBA", (*BLACK, 0), (*BLACK, 255))), id="alpha"),
        pytest.param(encode(with_rectangle("RGBA", (*BLACK, 255), (*WHITE, 255))), id="opaque"),
        pytest.param(encode(with_rectangle("LA", (255, 0), (255, 255))), id="grey and alpha"),
        pytest.param(mask_of_palette(BLACK, WHITE), id="palette"),
        pytest.param(mask_of_palette(BLACK, WHITE, transparency=0), id="transparent palette"),
        pytest.param(mask_16_bit(), id="16 bit"),
        pytest.param(encode(with_rectangle("L", 127, 128)), id="at the threshold"),
    ],
)
def test_every_kind_of_mask_becomes_0_or_255(data: bytes) -> None:
    read = read_mask(data, *SIZE)
    assert (read.mode, read.size) == ("L", SIZE)
    assert read.getbbox() == (16, 12, 32, 24)
    assert set(read.tobytes()) == {0, 255}


def dotted(pixels: int) -> bytes:
    image = Image.new("L", SIZE)
    for i in range(pixels):
        image.putpixel((i, 0), 255)
    return encode(image)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_mask_may_be_what_is_not_of_the_clear_colour(depth: int) -> None:
    """The colour is said in the file's own bits; of 16, one that differs by the last is another."""
    clear, other = 2**depth - 2, 2**depth - 1
    samples = np.full((SIZE[1], SIZE[0]), clear)
    samples[10:30, 16:40] = other
    bits = (samples[..., None] >> np.arange(depth)[::-1]) & 1
    rows = np.packbits(bits.reshape(SIZE[1], -1).astype(np.uint8), axis=1)
    data = png_claiming(*SIZE, mode=0, depth=depth, data=np.insert(rows, 0, 0, axis=1).tobytes())
    body = b"tRNS" + struct.pack(">H", clear)
    key = struct.pack(">I", 2) + body + struct.pack(">I", zlib.crc32(body))
    at = data.index(b"IDAT") - 4
    found = np.asarray(read_mask(data[:at] + key + data[at:], *SIZE)) > 0
    assert np.array_equal(found, samples == other)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "not a PNG", id="0 bytes"),
        pytest.param(b"not a picture", "not a PNG", id="text"),
        pytest.param(encode(mask(), "JPEG"), "not a PNG", id="jpeg"),
        pytest.param(encode(mask(63, 48)), "63×48", id="wrong size"),
        pytest.param(encode(mask(48, 64)), "48×64", id="turned"),
        pytest.param(encode(mask(1, 1)), "1×1", id="tiny"),
        pytest.param(png_claiming(60_000, 60_000), "PNG", id="decompression bomb"),
        pytest.param(encode(mask())[:-40], "cut off", id="truncated"),
        pytest.param(png_claiming(*SIZE, mode=3, data=ROWS), "palette", id="no palette"),
        pytest.param(encode(Image.new("L", SIZE)), "empty", id="empty"),
        pytest.param(encode(Image.new("RGBA", SIZE, (255, 255, 255, 0))), "empty", id="clear"),
        pytest.param(encode(Image.new("L", SIZE, 255)), "whole photo", id="everywhere"),
        pytest.param(dotted(1), "1 pixel", id="one pixel"),
        pytest.param(dotted(images.MIN_MASK_PIXELS - 1), "15 pixels", id="too few pixels"),
        pytest.param(animation("PNG"), "animated", id="animated"),
    ],
)
def test_a_bad_mask_is_named_and_explained(data: bytes, says: str) -> None:
    with pytest.raises(InvalidMask, match=says):
        read_mask(data, *SIZE)


def test_the_fewest_pixels_are_taken() -> None:
    assert read_mask(dotted(images.MIN_MASK_PIXELS), *SIZE).histogram()[255] == 16


# Arbitrary bytes


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file with some bytes changed, and perhaps cut short."""
    data = bytearray(draw(st.sampled_from([PNG, JPEG, WEBP, animation("PNG"), NOISE])))
    for _ in range(draw(st.integers(0, 8))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))])


def error_of(read: Callable[[], object]) -> Gen3DError | None:
    try:
        read()
    except Gen3DError as error:
        return error
    return None


@pytest.mark.slow
@settings(deadline=None)
@given(st.one_of(st.binary(max_size=400), damaged()))
@pytest.mark.filterwarnings("default")  # Pillow warns of odd metadata
def test_arbitrary_bytes_only_ever_give_named_errors(data: bytes) -> None:
    for read in (
        lambda: check_photo(data, "image/png"),
        lambda: read_photo(data),
        lambda: read_mask(data, *SIZE),
    ):
        error = error_of(read)
        assert error is None or (error.name in ERRORS and 400 <= error.status < 500)
