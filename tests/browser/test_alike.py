"""A person clicks on what the browser shows; the server reads the same file, and sees the same.

Each kind of file that may lie differently or have other colours here and there is shown by the real
Chromium and read by `gen3d.images`: the same size, and pixels within two levels. An AVIF's alpha is
left out: Chromium 156 stretches it as if its levels went from 16 to 235, whatever the file says.
"""

import base64
import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from gen3d.colours import SRGB, Primaries, matrix_profile
from gen3d.images import read_photo

Levels = npt.NDArray[np.uint8]

SIZE = (64, 48)
P3 = Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE = Primaries((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
IN_A_LINE = Primaries((0.1, 0.1), (0.2, 0.2), (0.3, 0.3))
CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

SHOW = """async (file) => {
    const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([bytes]));
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const drawing = canvas.getContext("2d");
    drawing.fillStyle = "white";
    drawing.fillRect(0, 0, canvas.width, canvas.height);
    drawing.drawImage(image, 0, 0);
    const { data } = drawing.getImageData(0, 0, canvas.width, canvas.height);
    let text = "";
    for (const level of data) text += String.fromCharCode(level);
    return [canvas.width, canvas.height, btoa(text)];
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def shown(page: Page, file: bytes) -> Levels:
    """The picture as Chromium draws it on white, (height, width, 3)."""
    width, height, data = page.evaluate(SHOW, base64.b64encode(file).decode())
    levels = np.frombuffer(base64.b64decode(data), np.uint8)
    return levels.reshape(height, width, 4)[..., :3]


def picture(mode: str = "RGB") -> Image.Image:
    """Eight by six patches, no two of one colour, and none as it would be turned or mirrored."""
    image = Image.new("RGB", SIZE)
    for n in range(48):
        left, top = n % 8 * 8, n // 8 * 8
        colour = (n % 8 * 36, n // 8 * 50, (n * 5 + 9) % 256)
        image.paste(colour, (left, top, left + 8, top + 8))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    quality: dict[str, dict[str, object]] = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    }
    image.save(buffer, kind, **(quality.get(kind, {}) | options))
    return buffer.getvalue()


def turned(turn: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = turn
    return exif.tobytes()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(depth: int, colour: int, rows: npt.NDArray[np.integer], *chunks: bytes) -> bytes:
    """A PNG of samples as they are; (height, width) or (height, width, channels)."""
    height, width = rows.shape[:2]
    flat = rows.reshape(height, -1)
    if depth == 16:
        packed = flat.astype(">u2").view(np.uint8).reshape(height, -1)
    else:
        bits = (flat[..., None] >> np.arange(depth)[::-1]) & 1
        packed = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    lines = np.insert(packed, 0, 0, axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(lines))]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*parts, chunk(b"IEND", b"")])


def with_chunk(file: bytes, added: bytes, before: bytes) -> bytes:
    at = file.index(before) - 4
    return file[:at] + added + file[at:]


def greys(depth: int) -> npt.NDArray[np.int64]:
    steps = np.linspace(0, 2**depth - 1, SIZE[0]).round().astype(int)
    return np.tile(steps, (SIZE[1], 1))


def gamma(exponent: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(1e5 / exponent)))


def chromaticities(of: Primaries) -> bytes:
    places = (of.white, of.red, of.green, of.blue)
    return chunk(b"cHRM", struct.pack(">8I", *(round(v * 1e5) for place in places for v in place)))


def orientations() -> Iterator[tuple[str, bytes]]:
    for turn in range(1, 9):
        exif = turned(turn)
        yield f"JPEG turned by {turn}", saved(picture(), "JPEG", exif=exif)
        yield f"WebP turned by {turn}", saved(picture(), "WEBP", exif=exif)
        yield f"AVIF turned by {turn}", saved(picture(), "AVIF", exif=exif)
        plain = saved(picture(), "PNG")
        body = chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
        yield f"PNG turned by {turn}", with_chunk(plain, body, b"IDAT")
        yield f"PNG turned by {turn}, said after its pixels", with_chunk(plain, body, b"IEND")


def profiles() -> Iterator[tuple[str, bytes]]:
    wide = matrix_profile(P3, CURVE)
    for kind in ("JPEG", "PNG", "WEBP"):
        yield f"{kind} of Display P3", saved(picture(), kind, icc_profile=wide)
        yield f"{kind} of sRGB", saved(picture(), kind, icc_profile=matrix_profile(SRGB, CURVE))
        yield f"{kind} of a broken profile", saved(picture(), kind, icc_profile=wide[:200])
    for name, profile in (
        ("Adobe RGB", matrix_profile(ADOBE, (2.19921875,))),
        ("a profile of linear light", matrix_profile(SRGB, (1.0,))),
    ):
        yield f"PNG of {name}", saved(picture(), "PNG", icc_profile=profile)
    yield "grey JPEG with a screen's profile", saved(picture("L"), "JPEG", icc_profile=wide)
    yield "PNG of Display P3 with alpha", saved(half_clear(), "PNG", icc_profile=wide)
    paletted = picture().quantize(48)
    yield "PNG of Display P3 with a palette", saved(paletted, "PNG", icc_profile=wide)


def half_clear() -> Image.Image:
    image = picture("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(SIZE))
    return image


def figures() -> Iterator[tuple[str, bytes]]:
    plain, wide = saved(picture(), "PNG"), matrix_profile(P3, CURVE)
    srgb, p3 = chunk(b"sRGB", b"\0"), chunk(b"cICP", b"\x0c\x0d\0\1")
    for name, chunks in (
        ("gamma of 1", gamma(1)),
        ("gamma of 1.8", gamma(1.8)),
        ("gamma of 2.2", gamma(2.2)),
        ("gamma and chromaticities", gamma(2.2) + chromaticities(P3)),
        ("chromaticities alone", chromaticities(P3)),
        ("gamma and chromaticities of nothing", gamma(2.2) + chunk(b"cHRM", bytes(32))),
        ("gamma and primaries in a line", gamma(2.2) + chromaticities(IN_A_LINE)),
        ("gamma beyond all measure", chunk(b"gAMA", b"\0\0\0\1")),
        ("gamma of nothing", chunk(b"gAMA", bytes(4))),
        ("sRGB beside gamma", srgb + gamma(1)),
        ("Display P3 by cICP", p3),
        ("Display P3 by cICP beside gamma", p3 + gamma(1)),
        ("sRGB by cICP", chunk(b"cICP", b"\1\x0d\0\1")),
    ):
        yield f"PNG with {name}", with_chunk(plain, chunks, b"IDAT")
    profiled = saved(picture(), "PNG", icc_profile=wide)
    yield "PNG with a profile beside gamma", with_chunk(profiled, gamma(1), b"IDAT")
    grey = saved(picture("L"), "PNG")
    yield "grey PNG with gamma of 1", with_chunk(grey, gamma(1), b"IDAT")


def avifs() -> Iterator[tuple[str, bytes]]:
    plain, wide = saved(picture(), "AVIF"), matrix_profile(P3, CURVE)
    yield "AVIF of Display P3", saved(picture(), "AVIF", icc_profile=wide)
    yield "AVIF of sRGB", saved(picture(), "AVIF", icc_profile=matrix_profile(SRGB, CURVE))
    figures = plain.index(b"colrnclx") + len(b"colrnclx")
    for lights in (1, 2, 9, 12):  # BT.709, not said, BT.2020, Display P3
        for curve in (1, 2, 13):  # of video, not said, of sRGB
            code = struct.pack(">HH", lights, curve)
            file = plain[:figures] + code + plain[figures + 4 :]
            yield f"AVIF of primaries {lights} and curve {curve}", file
    yield "AVIF of video's range", saved(picture(), "AVIF", range="limited")
    yield "AVIF of half its colours", saved(picture(), "AVIF", subsampling="4:2:0")
    yield "grey AVIF", saved(picture("L"), "AVIF")


def depths() -> Iterator[tuple[str, bytes]]:
    for depth in (1, 2, 4, 8, 16):
        rows = greys(depth)
        clear = int(rows[0, 40])
        key = chunk(b"tRNS", struct.pack(">H", clear))
        yield f"grey PNG of {depth} bits", png(depth, 0, rows)
        yield f"grey PNG of {depth} bits, {clear} of them clear", png(depth, 0, rows, key)
    for depth in (8, 16):
        colours = np.stack([greys(depth), greys(depth)[:, ::-1], greys(depth) // 2], -1)
        clear = colours[0, 20]
        key = chunk(b"tRNS", struct.pack(">3H", *clear))
        yield f"PNG of {depth} bits a colour", png(depth, 2, colours)
        yield f"PNG of {depth} bits a colour, one clear", png(depth, 2, colours, key)
        light = np.stack([greys(depth), greys(depth)[:, ::-1]], -1)
        yield f"grey PNG of {depth} bits with alpha", png(depth, 4, light)
    for depth in (1, 2, 4, 8):
        rows = greys(depth)
        rows[:] = rows * (min(2**depth, 48) - 1) // rows.max()
        palette = np.array(picture().resize((8, 6), Image.Resampling.NEAREST)).reshape(-1, 3)
        parts = [chunk(b"PLTE", palette[: 2**depth].tobytes()), chunk(b"tRNS", b"\x80\xff\0")]
        yield f"PNG with a palette of {depth} bits", png(depth, 3, rows, parts[0])
        if depth > 1:
            yield f"PNG with a palette of {depth} bits, some clear", png(depth, 3, rows, *parts)


def others() -> Iterator[tuple[str, bytes]]:
    yield "grey JPEG", saved(picture("L"), "JPEG")
    yield "progressive JPEG", saved(picture(), "JPEG", progressive=True)
    yield "WebP with alpha", saved(half_clear(), "WEBP", exact=True)


FILES = dict(
    pair for kinds in (orientations, profiles, avifs, figures, depths, others) for pair in kinds()
)


@pytest.mark.parametrize("name", FILES)
def test_the_server_sees_what_the_browser_shows(name: str, page: Page) -> None:
    theirs = shown(page, FILES[name]).astype(int)
    ours = np.asarray(read_photo(FILES[name])).astype(int)
    assert ours.shape == theirs.shape
    # An AVIF holds brightness and two differences: the way to red, green and blue rounds once more.
    assert np.abs(ours - theirs).max() <= (3 if name.startswith("AVIF") else 2)


def test_enough_kinds_are_tried() -> None:
    assert len(FILES) >= 40
