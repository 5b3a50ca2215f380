"""Photos that nobody's camera made."""

import random
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, ImageCms

from gen3d.images import MAX_SCANS
from tests.corpus import pictures
from tests.corpus.case import TAKEN, Case, cuts, unique
from tests.corpus.pictures import (
    SIZE,
    chunk,
    encode,
    header,
    jpeg,
    palette,
    picture,
    png,
    riff,
    rows,
    segment,
    tiff,
    with_scans,
    with_segments,
)

JPEG, PNG, WEBP, AVIF = "image/jpeg", "image/png", "image/webp", "image/avif"
GOOD = frozenset({TAKEN})
BAD = frozenset({"InvalidImage"})
EITHER = GOOD | BAD
"""Browsers and libraries differ here; there is no right answer, only a named one."""
LARGE = frozenset({"ImageTooLarge"})
SMALL = frozenset({"ImageTooSmall"})
OTHER = frozenset({"UnsupportedImage"})


def photos() -> list[Case]:
    """All of them."""
    return unique(
        case
        for part in (_cut_off, _no_photos, _pngs, _png_chunks, _jpegs, _exif, _profiles, _webps,
                     _animated, _sides, _announced_otherwise, _damaged)
        for case in part()
    )  # fmt: skip


def _cut_off() -> Iterator[Case]:
    for name, kind, data in (
        ("jpeg", JPEG, jpeg()),
        ("progressive jpeg", JPEG, jpeg(progressive=True)),
        ("png", PNG, encode(picture(), "PNG")),
        ("webp", WEBP, encode(picture(), "WEBP", quality=80)),
        ("lossless webp", WEBP, encode(picture(), "WEBP", lossless=True)),
        ("avif", AVIF, encode(picture(), "AVIF")),
    ):
        yield Case(f"whole {name}", data, GOOD, kind)
        yield from cuts(name, data, BAD, kind)


def _no_photos() -> Iterator[Case]:
    for name, data in (
        ("nothing", b""),
        ("one zero", b"\0"),
        ("zeros", bytes(4096)),
        ("ones", b"\xff" * 4096),
        ("text", b"not a picture"),
        ("utf-16", "ÿþ text".encode("utf-16")),
        ("html", b"<!doctype html><script>alert(1)</script>"),
        ("svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"/>'),
        ("pdf", b"%PDF-1.7\n" + bytes(100)),
        ("zip", b"PK\3\4" + bytes(100)),
        ("gzip", b"\x1f\x8b\x08" + bytes(100)),
        ("program", b"MZ" + bytes(200)),
        ("elf", b"\x7fELF" + bytes(200)),
        ("avif", b"\0\0\0\x18ftypavif" + bytes(200)),
        ("jpeg 2000", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(200)),
        ("jpeg xl", b"\xff\x0a" + bytes(200)),
        ("photoshop", b"8BPS\0\1" + bytes(200)),
        ("postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n"),
        ("gif", encode(picture(), "GIF")),
        ("tiff", encode(picture(), "TIFF")),
        ("bmp", encode(picture(), "BMP")),
        ("ico", encode(picture(), "ICO")),
        ("ppm", encode(picture(), "PPM")),
        ("tga", encode(picture(), "TGA")),
        ("wave", b"RIFF\x24\0\0\0WAVEfmt " + bytes(40)),
        ("png after a line break was changed", encode(picture(), "PNG").replace(b"\r\n", b"\n", 1)),
        ("png with another version", b"\x8aPNG\r\n\x1a\n" + png()[8:]),
        ("jpeg's first mark", b"\xff\xd8"),
        ("jpeg's first and last mark", b"\xff\xd8\xff\xd9"),
        ("blank before a png", b"\n" + png()),
        ("blank before a jpeg", b" " + jpeg()),
    ):
        yield Case(f"no photo: {name}", data, BAD, PNG)
    for brand in (b"heic", b"heix", b"hevc", b"mif1"):
        data = b"\0\0\0\x18ftyp" + brand + bytes(200)
        yield Case(f"heic of brand {brand.decode()}", data, OTHER, "image/heic")


def _pngs() -> Iterator[Case]:
    for name, data in pictures.kinds_of_png():
        yield Case(name, data, GOOD, PNG)
    for colour, depth in ((0, 3), (0, 0), (0, 32), (1, 8), (2, 4), (3, 16), (4, 4), (5, 8), (6, 1),
                          (7, 8), (255, 255)):  # fmt: skip
        data = png(header(colour=colour, depth=depth), palette())
        yield Case(f"png of no colour type {colour} with depth {depth}", data, BAD, PNG)
    for mode in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16"):
        image = Image.new("I;16", SIZE, 40_000) if mode == "I;16" else picture(mode)
        if mode != "PA":
            yield Case(f"png of mode {mode}", encode(image, "PNG"), GOOD, PNG)
    yield Case("png packed by another method", png(header(compression=1)), EITHER, PNG)
    yield Case("png filtered by another method", png(header(filtering=1)), EITHER, PNG)
    yield Case("png interlaced by another method", png(header(interlace=7)), EITHER, PNG)


def _png_chunks() -> Iterator[Case]:
    whole = zlib.compress(rows())
    halves = chunk(b"IDAT", whole[:20]) + chunk(b"IDAT", whole[20:])
    bytewise = b"".join(chunk(b"IDAT", whole[n : n + 1]) for n in range(len(whole)))
    paletted = chunk(b"IDAT", zlib.compress(rows(colour=3)))
    coloured = header(colour=3)
    text = chunk(b"tEXt", b"Comment\0" + b"x" * 500_000)
    unpacks = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(4_000_000)))
    for name, expected, data in (
        ("without an end", EITHER, png(end=b"")),
        ("without pixels", BAD, png(pixels=b"")),
        ("with no bytes of pixels", BAD, png(pixels=chunk(b"IDAT"))),
        ("without a header", BAD, png(ihdr=b"")),
        ("with a header of no length", BAD, png(ihdr=chunk(b"IHDR"))),
        ("with half a header", BAD, png(ihdr=chunk(b"IHDR", bytes(6)))),
        ("with two headers", EITHER, png(before=header())),
        ("with two headers that differ", EITHER, png(before=header(width=32))),
        ("with its header last", BAD, png(ihdr=b"", after=header())),
        ("with a wrong checksum in its header", BAD, png(header()[:-4] + bytes(4))),
        ("with a wrong checksum of pixels", EITHER, png(pixels=chunk(b"IDAT", whole, crc=1))),
        ("with a wrong checksum of a text", EITHER, png(before=chunk(b"tEXt", b"a\0b", crc=1))),
        ("with a chunk that nobody may pass over", EITHER, png(before=chunk(b"ABCD", b"x"))),
        ("with a chunk that nobody knows", GOOD, png(before=chunk(b"abCd", b"x"))),
        ("with a chunk whose name is no text", BAD, png(before=chunk(b"\0\1\2\3", b"x"))),
        ("with its pixels in two chunks", GOOD, png(pixels=halves)),
        ("with each byte of its pixels in a chunk", GOOD, png(pixels=bytewise)),
        ("with empty chunks before its pixels", EITHER, png(before=chunk(b"IDAT") * 50)),
        ("with a text among its pixels", EITHER,
         png(pixels=chunk(b"IDAT", whole[:20]) + text + chunk(b"IDAT", whole[20:]))),
        ("with a palette that it does not need", GOOD, png(before=palette())),
        ("without its palette", BAD, png(coloured, pixels=paletted)),
        ("with an empty palette", BAD, png(coloured, chunk(b"PLTE"), paletted)),
        ("with a byte of a palette", BAD, png(coloured, chunk(b"PLTE", b"x"), paletted)),
        ("with a palette of 257 colours", BAD, png(coloured, chunk(b"PLTE", bytes(771)), paletted)),
        ("with its palette behind its pixels", BAD, png(coloured, b"", paletted, palette())),
        ("with one colour for pixels of two", EITHER,
         png(coloured, chunk(b"PLTE", b"abc"), paletted)),
        ("with two palettes", EITHER, png(coloured, palette() + palette(), paletted)),
        ("with more transparencies than colours", EITHER,
         png(coloured, palette(1) + chunk(b"tRNS", bytes(256)), paletted)),
        ("with transparency before its palette", EITHER,
         png(coloured, chunk(b"tRNS", b"\0") + palette(), paletted)),
        ("with transparency of no length", EITHER, png(before=chunk(b"tRNS"))),
        ("with transparency of odd length", EITHER, png(before=chunk(b"tRNS", b"abc"))),
        ("with transparency over an alpha channel", EITHER,
         png(header(colour=6), chunk(b"tRNS", bytes(6)),
             chunk(b"IDAT", zlib.compress(rows(colour=6))))),
        ("with a gamma of zero", EITHER, png(before=chunk(b"gAMA", bytes(4)))),
        ("with a gamma of no length", EITHER, png(before=chunk(b"gAMA"))),
        ("with primaries of zero", EITHER, png(before=chunk(b"cHRM", bytes(32)))),
        ("with a density beyond measure", EITHER, png(before=chunk(b"pHYs", b"\xff" * 9))),
        ("with a density of no length", EITHER, png(before=chunk(b"pHYs"))),
        ("with an intent that does not exist", EITHER, png(before=chunk(b"sRGB", b"\x09"))),
        ("with a long text", GOOD, png(before=text)),
        ("with many texts", EITHER, png(before=chunk(b"tEXt", b"a\0b") * 2000)),
        ("with a text that unpacks to much", EITHER, png(before=unpacks)),
        ("with a text that does not unpack", EITHER, png(before=chunk(b"zTXt", b"a\0\0garbage"))),
        ("with an international text of zeros", EITHER, png(before=chunk(b"iTXt", bytes(20)))),
        ("with a text that says Exif", EITHER,
         png(before=chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 99\nzz"))),
        ("with exif that is garbage", GOOD, png(before=chunk(b"eXIf", b"garbage"))),
        ("with empty exif", EITHER, png(before=chunk(b"eXIf"))),
        ("with exif twice", GOOD, png(before=chunk(b"eXIf", tiff()) * 2)),
        ("animated, of one frame", EITHER | OTHER,
         png(before=chunk(b"acTL", struct.pack(">II", 1, 0)))),
        ("animated, of no frames", EITHER, png(before=chunk(b"acTL", struct.pack(">II", 0, 0)))),
        ("animated, of two thousand million frames", EITHER | OTHER,
         png(before=chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))),
        ("animated, of no length", EITHER, png(before=chunk(b"acTL"))),
        ("animated behind its pixels", EITHER | OTHER,
         png(after=chunk(b"acTL", struct.pack(">II", 2, 0)))),
        ("with a frame of no animation", EITHER, png(before=chunk(b"fcTL", bytes(26)))),
        ("with a chunk longer than any", BAD, png(before=struct.pack(">I", 2**31) + b"tEXtab")),
        ("with a chunk longer than the file", BAD, png(before=struct.pack(">I", 10**6) + b"tEXt")),
        ("with more behind its end", GOOD, png() + b"more" * 100),
        ("with another png behind its end", GOOD, png() + png()),
        ("packed with a wrong checksum", EITHER, png(pixels=chunk(b"IDAT", whole[:-4] + b"abcd"))),
        ("packed with more behind its pixels", EITHER, png(pixels=chunk(b"IDAT", whole + b"more"))),
        ("packed with a dictionary", BAD, png(pixels=chunk(b"IDAT", b"\x78\xbb" + whole[2:]))),
        ("not packed at all", BAD, png(pixels=chunk(b"IDAT", rows()))),
        ("of filters that do not exist", BAD,
         png(pixels=chunk(b"IDAT", zlib.compress(b"\x09" + rows()[1:])))),
        ("with fewer rows than announced", BAD,
         png(pixels=chunk(b"IDAT", zlib.compress(rows()[:-500])))),
        ("with more rows than announced", EITHER,
         png(pixels=chunk(b"IDAT", zlib.compress(rows() * 3)))),
    ):  # fmt: skip
        yield Case(f"png {name}", data, expected, PNG)


def _jpegs() -> Iterator[Case]:
    for mode in ("L", "RGB", "CMYK"):
        for options in ({}, {"progressive": True}, {"optimize": True}, {"quality": 1},
                        {"quality": 100}, {"restart_marker_rows": 1}):  # fmt: skip
            name = f"jpeg of mode {mode} {options}"
            yield Case(name, encode(picture(mode), "JPEG", **options), GOOD, JPEG)
    for subsampling in range(3):
        yield Case(f"jpeg subsampled {subsampling}", jpeg(subsampling=subsampling), GOOD, JPEG)
    yield Case("jpeg of plain rgb", jpeg(keep_rgb=True), GOOD, JPEG)
    for scans in (MAX_SCANS - 1, MAX_SCANS):
        yield Case(f"jpeg of {scans} scans", with_scans(scans), GOOD, JPEG)
    for scans in (MAX_SCANS + 1, MAX_SCANS + 20, 3 * MAX_SCANS):
        yield Case(f"jpeg of {scans} scans", with_scans(scans), OTHER, JPEG)
    data = jpeg()
    frame, scan, tables = data.index(b"\xff\xc0"), data.index(b"\xff\xda"), data.index(b"\xff\xc4")
    shape = data[frame + 4 : tables]  # precision, sides, components

    def framed(body: bytes, marker: int = 0xC0) -> bytes:
        return data[:frame] + segment(marker, body) + data[tables:]

    for name, expected, changed in (
        ("with fill bytes before its marks", EITHER,
         data[:frame] + b"\xff" * 20 + data[frame:]),
        ("with a thousand comments", GOOD, with_segments(segment(0xFE, b"x") * 1000)),
        ("with empty comments", GOOD, with_segments(segment(0xFE, b"") * 50)),
        ("with a segment of no length", EITHER, with_segments(segment(0xE5, b"", length=0))),
        ("with a segment longer than the file", BAD, with_segments(segment(0xE5, b"x", 65_535))),
        ("with two heads of JFIF", GOOD, with_segments(segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"))),
        ("with a head of JFIF cut off", EITHER, with_segments(segment(0xE0, b"JFIF\0"))),
        ("with a transform that Adobe does not know", EITHER,
         with_segments(segment(0xEE, b"Adobe\0\x64\0\0\0\0\x09"))),
        ("with Adobe's mark cut off", EITHER, with_segments(segment(0xEE, b"Adobe"))),
        ("with Photoshop's garbage", EITHER,
         with_segments(segment(0xED, b"Photoshop 3.0\x008BIM\xff\xff\xff\xff\xff"))),
        ("without its tables of quanta", BAD, data[:2] + data[frame:]),
        ("with quanta of zero", EITHER, with_segments(segment(0xDB, bytes(65)))),
        ("with an empty table of quanta", EITHER, with_segments(segment(0xDB, b""))),
        ("without its tables of codes", EITHER, data[:tables] + data[scan:]),
        ("with codes that overflow", BAD,
         data[:scan] + segment(0xC4, b"\0" + b"\xff" * 16) + data[scan:]),
        ("with a restart after each block and no restarts", EITHER,
         data[:scan] + segment(0xDD, b"\0\1") + data[scan:]),
        ("without a frame", BAD, data[:frame] + data[tables:]),
        ("with two frames", BAD, data[:tables] + data[frame:]),
        ("without a scan", BAD, data[:scan] + b"\xff\xd9"),
        ("that ends before it begins", BAD, data[:2] + b"\xff\xd9" + data[2:]),
        ("that begins twice", EITHER, data[:2] + data),
        ("with garbage among its marks", EITHER, data[:frame] + b"garbage" + data[frame:]),
        ("with more behind its end", GOOD, data + bytes(1000)),
        ("with another jpeg behind its end", GOOD, data + data),
        ("with no precision", BAD, framed(b"\0" + shape[1:])),
        ("with a precision of 12 bits", BAD, framed(b"\x0c" + shape[1:])),
        ("with no height", BAD, framed(shape[:1] + b"\0\0" + shape[3:])),
        ("with no width", BAD | SMALL, framed(shape[:3] + b"\0\0" + shape[5:])),
        ("with no components", BAD, framed(shape[:5] + b"\0")),
        ("with two components", BAD, framed(shape[:5] + b"\2" + shape[6:12])),
        ("with five components", BAD, framed(shape[:5] + b"\5" + shape[6:] + bytes(6))),
        ("with fewer components than announced", BAD, framed(shape[:12])),
        ("with components of one name", EITHER, framed(shape[:6] + shape[6:9] * 3)),
        ("subsampled by nothing", BAD, framed(shape[:7] + b"\0" + shape[8:])),
        ("subsampled by five", BAD, framed(shape[:7] + b"\x55" + shape[8:])),
        ("subsampled by four both ways", EITHER, framed(shape[:7] + b"\x44" + shape[8:])),
        ("that says it were lossless", EITHER, framed(shape, 0xC3)),
        ("that says it were progressive", EITHER, framed(shape, 0xC2)),
        ("that says it were arithmetic", EITHER, framed(shape, 0xC9)),
        ("that says it were hierarchical", BAD, framed(shape, 0xC5)),
        ("with a scan of no components", BAD,
         data[:scan] + segment(0xDA, b"\0\0\x3f\0") + data[scan + 14 :]),
        ("with a scan of components that it lacks", BAD,
         data[:scan] + segment(0xDA, b"\1\x09\0\0\x3f\0") + data[scan + 14 :]),
    ):  # fmt: skip
        yield Case(f"jpeg {name}", changed, expected, JPEG)


def _exif() -> Iterator[Case]:
    def turned(kind: int, count: int, value: bytes) -> bytes:
        return tiff((0x0112, kind, count, value))

    for name, expected, exif in (
        *((f"orientation {n}", GOOD, turned(3, 1, bytes([n, 0, 0, 0]))) for n in range(10)),
        ("orientation 65535", GOOD, turned(3, 1, b"\xff\xff\0\0")),
        ("orientation as a long", GOOD, turned(4, 1, b"\6\0\0\0")),
        ("orientation as a byte", GOOD, turned(1, 1, b"\6\0\0\0")),
        ("orientation as text", GOOD, turned(2, 4, b"six\0")),
        ("orientation as two numbers", GOOD, turned(3, 2, b"\6\0\3\0")),
        ("orientation as no number", GOOD, turned(3, 0, b"\0\0\0\0")),
        ("orientation as a fraction that lies nowhere", GOOD, turned(5, 1, b"\xff\xff\xff\x7f")),
        ("orientation as a float", GOOD, turned(11, 1, struct.pack("<f", 6))),
        ("orientation of no type", GOOD, turned(99, 1, b"\6\0\0\0")),
        ("orientation of a thousand million numbers", GOOD, turned(3, 2**30, b"\x10\0\0\0")),
        ("orientation of big endians", GOOD, tiff((0x0112, 3, 1, b"\0\6\0\0"), order=">")),
        ("a directory that follows itself", GOOD, tiff(following=8)),
        ("a directory beyond the end", GOOD, tiff(following=2**31)),
        ("sub-directories that contain themselves", GOOD, tiff((0x8769, 4, 1, b"\x08\0\0\0"))),
        ("more entries than it has", GOOD, b"II*\0\x08\0\0\0\xff\xff"),
        ("only its first bytes", GOOD, b"II*\0"),
        ("another order", GOOD, b"XX*\0\x08\0\0\0\0\0"),
        ("another number", GOOD, b"II\x2b\0\x08\0\0\0\0\0"),
        ("nothing", GOOD, b""),
        ("a resolution that is no number", GOOD, tiff((0x011A, 2, 4, b"abc\0"))),
        ("garbage", GOOD, b"\x99" * 300),
        ("sixty thousand bytes", GOOD, tiff() + bytes(60_000)),
    ):  # fmt: skip
        yield Case(f"jpeg with exif: {name}", with_segments(segment(0xE1, b"Exif\0\0" + exif)),
                   expected, JPEG)  # fmt: skip
        if name.startswith("orientation"):
            yield Case(f"png with exif: {name}", png(before=chunk(b"eXIf", exif)), expected, PNG)
    loud = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><tiff:Orientation>6</tiff:Orientation>"
    yield Case("jpeg with xmp that does not end", with_segments(segment(0xE1, loud)), GOOD, JPEG)


def _profiles() -> Iterator[Case]:
    real = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in (
        ("real", real),
        ("cut off", real[: len(real) // 2]),
        ("garbage", b"\x99" * 500),
        ("empty", b""),
    ):
        packed = chunk(b"iCCP", b"p\0\0" + zlib.compress(profile))
        yield Case(f"png with a profile: {name}", png(before=packed), GOOD, PNG)
        part = segment(0xE2, b"ICC_PROFILE\0\1\1" + profile)
        yield Case(f"jpeg with a profile: {name}", with_segments(part), GOOD, JPEG)
    for name, expected, data in (
        ("that does not unpack", EITHER, png(before=chunk(b"iCCP", b"p\0\0garbage"))),
        ("without a name", EITHER, png(before=chunk(b"iCCP", b"p" * 90))),
        ("packed by another method", EITHER, png(before=chunk(b"iCCP", b"p\0\7x"))),
        ("that unpacks to much", EITHER,
         png(before=chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(8_000_000))))),
    ):  # fmt: skip
        yield Case(f"png with a profile {name}", data, expected, PNG)
    for name, marks in (("of parts in disorder", (2, 1)), ("of the same part twice", (1, 1)),
                        ("whose second part is missing", (1,)), ("of no part", (0,))):  # fmt: skip
        parts = [segment(0xE2, b"ICC_PROFILE\0" + bytes([mark, 2]) + real[:100]) for mark in marks]
        yield Case(f"jpeg with a profile {name}", with_segments(*parts), GOOD, JPEG)


def _webps() -> Iterator[Case]:
    lossy, lossless = (
        encode(picture(), "WEBP", **{"quality": 80, "lossless": it}) for it in (0, 1)
    )
    vp8, vp8l = lossy[20:], lossless[20:]
    extended = struct.pack("<I", 0) + struct.pack("<I", 63)[:3] + struct.pack("<I", 47)[:3]
    for mode in ("L", "RGB", "RGBA"):
        for options in ({"lossless": True}, {"quality": 1}, {"quality": 100, "method": 0}):
            name = f"webp of mode {mode} {options}"
            yield Case(name, encode(picture(mode), "WEBP", **options), GOOD, WEBP)
    for name, expected, data in (
        ("with more behind its end", GOOD, lossy + b"more"),
        ("of a size of zero", EITHER, lossy[:4] + bytes(4) + lossy[8:]),
        ("of a size beyond the file", BAD, lossy[:4] + b"\xf0\xff\xff\x7f" + lossy[8:]),
        ("of no chunks", BAD, riff()),
        ("of an unknown chunk", BAD, riff((b"ABCD", b"x" * 20))),
        ("extended, without a picture", BAD, riff((b"VP8X", extended))),
        ("extended", EITHER, riff((b"VP8X", extended), (b"VP8 ", vp8))),
        ("extended, of another size", EITHER | SMALL,
         riff((b"VP8X", extended[:4] + bytes(6)), (b"VP8 ", vp8))),
        ("extended beyond all measure", BAD | LARGE,
         riff((b"VP8X", extended[:4] + b"\xff" * 6), (b"VP8 ", vp8))),
        ("with exif that is garbage", GOOD,
         encode(picture(), "WEBP", exif=b"Exif\0\0garbage")),
        ("with a profile that is garbage", GOOD, encode(picture(), "WEBP", icc_profile=b"garbage")),
        ("with xmp that is garbage", GOOD, encode(picture(), "WEBP", xmp=b"\xff\xfe<x")),
        ("whose pictures say another kind", BAD, riff((b"VP8 ", vp8l))),
        ("lossless of garbage", BAD, riff((b"VP8L", b"\x2f" + b"\x99" * 50))),
        ("lossy of garbage", BAD, riff((b"VP8 ", vp8[:10] + b"\x99" * 8))),
        ("lossless beyond all measure", BAD | LARGE,
         riff((b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(9)))),
        ("with an alpha of garbage", EITHER,
         riff((b"VP8X", b"\x10" + extended[1:]), (b"ALPH", b"\x99" * 9), (b"VP8 ", vp8))),
        ("with an empty chunk of frames", EITHER | OTHER,
         riff((b"VP8X", b"\x02" + extended[1:]), (b"ANIM", bytes(6)), (b"ANMF", b""))),
    ):  # fmt: skip
        yield Case(f"webp {name}", data, expected, WEBP)


def _animated() -> Iterator[Case]:
    yield Case("animated png", pictures.animation("PNG"), OTHER, PNG)
    yield Case("animated webp", pictures.animation("WEBP"), OTHER, WEBP)
    yield Case("animated avif", pictures.animation("AVIF"), OTHER, AVIF)
    yield Case("animated gif", pictures.animation("GIF"), BAD, PNG)
    several = pictures.animation("MPO")
    yield Case("jpeg with pictures behind it", several, GOOD, JPEG)
    yield Case("jpeg without the pictures behind it", several[: len(several) // 2], EITHER, JPEG)
    yield Case("jpeg whose pictures lie nowhere",
               with_segments(segment(0xE2, b"MPF\0" + tiff((0xB001, 4, 1, b"\xff\xff\0\0")))),
               EITHER, JPEG)  # fmt: skip
    yield Case("jpeg whose list of pictures is garbage",
               with_segments(segment(0xE2, b"MPF\0" + b"\x99" * 50)), EITHER, JPEG)  # fmt: skip


def _sides() -> Iterator[Case]:
    for width, height, expected in (
        (0, 0, BAD), (0, 48, BAD), (64, 0, BAD), (1, 1, SMALL), (31, 31, SMALL), (31, 9000, SMALL),
        (16_385, 32, LARGE), (32, 16_385, LARGE), (1_000_000, 32, LARGE), (10_001, 5_000, LARGE),
        (60_000, 60_000, LARGE), (2**31 - 1, 1, LARGE), (2**31 - 1, 2**31 - 1, LARGE),
        (2**32 - 1, 2**32 - 1, LARGE | BAD), (7_000, 7_000, BAD), (16_384, 3_000, BAD),
    ):  # fmt: skip
        data = png(header(width, height))
        yield Case(f"png that says {width}×{height}", data, expected, PNG)
    data = jpeg()
    place = data.index(b"\xff\xc0") + 5
    for width, height, expected in (
        (65_535, 65_535, LARGE), (65_500, 32, LARGE), (32, 65_500, LARGE), (8, 8, SMALL),
        (10_000, 5_001, LARGE),
    ):  # fmt: skip
        sides = struct.pack(">HH", height, width)
        changed = data[:place] + sides + data[place + 4 :]
        yield Case(f"jpeg that says {width}×{height}", changed, expected, JPEG)
    for size in ((32, 32), (16_384, 32), (33, 37), (32, 2_000)):
        yield Case(f"png of {size}", encode(Image.new("L", size), "PNG"), GOOD, PNG)
    wide = encode(Image.new("L", (30_000, 1_600)), "PNG")
    yield Case("png of 30000×1600", wide, LARGE, PNG)


def _announced_otherwise() -> Iterator[Case]:
    files = {
        kind: encode(picture(), name)
        for kind, name in ((JPEG, "JPEG"), (PNG, "PNG"), (WEBP, "WEBP"), (AVIF, "AVIF"))
    }
    for kind, data in files.items():
        for other in {*files, "image/gif", "text/html", ""} - {kind}:
            yield Case(f"{kind} announced as {other!r}", data, OTHER, other)


def _damaged() -> Iterator[Case]:
    """A random sample of bytes changed, always the same ones."""
    rng = random.Random(18)
    for name, kind, data in (
        ("jpeg", JPEG, jpeg()),
        ("progressive jpeg", JPEG, jpeg(progressive=True)),
        ("png", PNG, encode(picture(), "PNG")),
        ("webp", WEBP, encode(picture(), "WEBP", quality=80)),
        ("avif", AVIF, encode(picture(), "AVIF")),
    ):
        for n in range(20):
            changed = bytearray(data)
            for _ in range(rng.choice((1, 2, 5, 20))):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            expected = GOOD | BAD | LARGE | SMALL | OTHER
            yield Case(f"damaged {name} {n}", bytes(changed), expected, kind)
