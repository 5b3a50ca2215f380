"""Pieces of PNG, JPEG and WebP files, laid out by hand where no encoder would write them so."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image

WIDTH, HEIGHT = SIZE = (64, 48)

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of PNG's colour types."""
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Of PNG's colour types: all that the standard has."""

_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2)]  # fmt: skip


def picture(mode: str = "RGB") -> Image.Image:
    """Two colours, the brighter one inside: a photo or a mask."""
    image = Image.new("L", SIZE, 40)
    image.paste(220, (16, 12, 32, 24))
    return image.convert(mode)


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes = b"", crc: int | None = None) -> bytes:
    """A PNG's chunk; its checksum is right where no other is given."""
    checksum = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def header(
    width: int = WIDTH,
    height: int = HEIGHT,
    colour: int = 2,
    depth: int = 8,
    interlace: int = 0,
    compression: int = 0,
    filtering: int = 0,
) -> bytes:
    """A PNG's IHDR."""
    fields = (width, height, depth, colour, compression, filtering, interlace)
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *fields))


def rows(colour: int = 2, depth: int = 8, interlace: int = 0) -> bytes:
    """A PNG's pixels before compression: dark above, bright below."""
    bits = CHANNELS.get(colour, 1) * max(depth, 1)
    passes = _ADAM7 if interlace == 1 else [(0, 0, 1, 1)]
    data = b""
    for left, top, right, down in passes:
        width = (WIDTH - left + right - 1) // right
        for y in range(top, HEIGHT, down):
            value = b"\x00" if y < HEIGHT // 2 else (b"\x55" if depth < 8 else b"\xff")
            if colour == 3 and depth == 8:
                value = b"\x00" if y < HEIGHT // 2 else b"\x01"
            data += b"\x00" + value * ((width * bits + 7) // 8)
    return data


def png(
    ihdr: bytes | None = None,
    before: bytes = b"",
    pixels: bytes | None = None,
    after: bytes = b"",
    end: bytes = chunk(b"IEND"),
) -> bytes:
    """A PNG with whatever chunks before and after its pixels."""
    data = chunk(b"IDAT", zlib.compress(rows())) if pixels is None else pixels
    return PNG_SIGNATURE + (header() if ihdr is None else ihdr) + before + data + after + end


def palette(depth: int = 8) -> bytes:
    """As many greys as pixels of so many bits may name."""
    colours = min(2**depth, 256)
    greys = (255 * n // (colours - 1) for n in range(colours))
    return chunk(b"PLTE", b"".join(bytes([grey] * 3) for grey in greys))


def kinds_of_png() -> Iterator[tuple[str, bytes]]:
    """Every colour type and depth of the standard, plain and interlaced."""
    for colour, depths in DEPTHS.items():
        for depth in depths:
            for interlace in (0, 1):
                name = f"png colour {colour} depth {depth}{' interlaced' * interlace}"
                colours = palette(depth) if colour == 3 else b""
                data = chunk(b"IDAT", zlib.compress(rows(colour, depth, interlace)))
                shape = header(colour=colour, depth=depth, interlace=interlace)
                yield name, png(shape, colours, data)


def animation(kind: str, frames: int = 3) -> bytes:
    """Frames that differ."""
    pictures = [Image.new("RGB", SIZE, (80 * n, 200, 10)) for n in range(frames)]
    return encode(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=100)


def segment(marker: int, body: bytes, length: int | None = None) -> bytes:
    """A JPEG's segment; its length is right where no other is given."""
    size = len(body) + 2 if length is None else length
    return bytes([0xFF, marker]) + struct.pack(">H", size) + body


def jpeg(**options: Any) -> bytes:
    """An ordinary JPEG."""
    return encode(picture(), "JPEG", **{"quality": 90, **options})


def with_segments(*segments: bytes) -> bytes:
    """A JPEG with more segments behind its first mark."""
    data = jpeg()
    return data[:2] + b"".join(segments) + data[2:]


def with_scans(count: int) -> bytes:
    """A small progressive JPEG with its first scan again and again: so many scans in all."""
    data = jpeg(progressive=True)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    tables = data.rindex(b"\xff\xc4", first, second)  # of the second scan, behind the first's data
    more = count - data.count(b"\xff\xda")
    return data[:tables] + data[first:tables] * more + data[tables:]


def riff(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    """A WebP of such chunks."""
    body = b"WEBP"
    for kind, data in chunks:
        body += kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def tiff(*entries: tuple[int, int, int, bytes], following: int = 0, order: str = "<") -> bytes:
    """What EXIF holds: one directory of (tag, type, count, four bytes)."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    data = start + struct.pack(order + "IH", 8, len(entries))
    for tag, kind, count, value in entries:
        data += struct.pack(order + "HHI", tag, kind, count) + value
    return data + struct.pack(order + "I", following)
