"""Masks that no page would send; the photo has `tests.corpus.pictures.SIZE`."""

import random
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.corpus import photos, pictures
from tests.corpus.case import TAKEN, Case, cuts, unique
from tests.corpus.pictures import SIZE, chunk, encode, header, palette, picture, png, rows

GOOD = frozenset({TAKEN})
BAD = frozenset({"InvalidMask"})
EITHER = GOOD | BAD


def masks() -> list[Case]:
    """All of them."""
    return unique(case for part in (_kinds, _bad, _pngs, _damaged) for case in part())


def _kinds() -> Iterator[Case]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        image = picture("L").point(lambda v: 255 if v > 128 else 0).convert(mode)
        yield Case(f"mask of mode {mode}", encode(image, "PNG"), GOOD)
    for name, data in pictures.kinds_of_png():
        # What each kind's bright rows mean is the reader's business; it never fails.
        yield Case(f"mask as {name}", data, EITHER)


def _bad() -> Iterator[Case]:
    for width, height in ((1, 1), (63, 48), (64, 49), (48, 64), (128, 96), (640, 480)):
        data = encode(Image.new("L", (width, height), 255), "PNG")
        yield Case(f"mask of {width}×{height}", data, BAD)
    for value in (0, 1, 127, 128, 255):
        yield Case(f"mask of {value} alone", encode(Image.new("L", SIZE, value), "PNG"), BAD)
    for pixels in (1, 15, 16):
        image = Image.new("L", SIZE)
        for n in range(pixels):
            image.putpixel((n, 0), 255)
        yield Case(f"mask of {pixels} pixels", encode(image, "PNG"), GOOD if pixels > 15 else BAD)
    for kind in ("JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        yield Case(f"mask as {kind}", encode(picture("L"), kind), BAD)
    for name, data in (("nothing", b""), ("text", b"mask"), ("zeros", bytes(500))):
        yield Case(f"mask of {name}", data, BAD)
    yield Case("animated mask", pictures.animation("PNG"), BAD)
    for width, height in ((60_000, 60_000), (2**31 - 1, 2**31 - 1), (0, 0)):
        yield Case(f"mask that says {width}×{height}", png(header(width, height)), BAD)


def _pngs() -> Iterator[Case]:
    """What is odd about a photo's chunks is as odd in a mask."""
    for case in photos._png_chunks():
        yield Case(f"mask: {case.name}", case.data, EITHER)
    paletted = chunk(b"IDAT", zlib.compress(rows(colour=3)))
    coloured = header(colour=3)
    yield Case("mask without its palette", png(coloured, pixels=paletted), BAD)
    yield Case("mask with an empty palette", png(coloured, chunk(b"PLTE"), paletted), BAD)
    yield Case("mask with its palette", png(coloured, palette(1), paletted), GOOD)
    actl = chunk(b"acTL", struct.pack(">II", 5, 0))
    yield Case("mask that says it were animated", png(before=actl), BAD)
    whole = encode(picture("L").point(lambda v: 255 if v > 128 else 0), "PNG")
    yield from cuts("mask", whole, BAD)


def _damaged() -> Iterator[Case]:
    lot = random.Random(18)
    data = encode(picture("L").point(lambda v: 255 if v > 128 else 0), "PNG")
    for n in range(15):
        changed = bytearray(data)
        for _ in range(lot.choice((1, 2, 5))):
            changed[lot.randrange(len(changed))] = lot.randrange(256)
        yield Case(f"damaged mask {n}", bytes(changed), EITHER)
