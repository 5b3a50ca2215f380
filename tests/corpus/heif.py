"""HEIC photos as phones make them: turned by their own boxes, in tiles, with profiles or figures.

pillow-heif codes the pictures; the boxes around them (ISO/IEC 23008-12) are written here, as it
writes few of those that matter.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pillow_heif
from PIL import Image

_HIDDEN = 1


def heic(
    image: Image.Image,
    *,
    turn: int = 0,
    mirror: int | None = None,
    tile: int | None = None,
    colours: bytes | None = None,
    exif: bytes | None = None,
    ten_bits: bool = False,
) -> bytes:
    """A HEIC photo.

    Parameters
    ----------
    image : PIL.Image.Image
        Mode RGB, as it is stored.
    turn : int
        Quarter turns against the clock, before it is mirrored.
    mirror : int, optional
        0: upside down; 1: left is right.
    tile : int, optional
        Side of the tiles in which it is stored, as phones do; one picture where there is none.
    colours : bytes, optional
        What the box `colr` holds.
    exif : bytes, optional
        As Pillow writes it.
    ten_bits : bool
        As some cameras store it.
    """
    side = tile or max(image.size)
    columns, rows = (-(-length // side) for length in image.size)
    if tile is None:
        parts = [_coded(image, ten_bits)]
    else:
        whole = Image.new("RGB", (columns * side, rows * side))
        whole.paste(image)
        parts = [
            _coded(whole.crop((x * side, y * side, (x + 1) * side, (y + 1) * side)), ten_bits)
            for y in range(rows)
            for x in range(columns)
        ]
    shown = [_box(b"ispe", struct.pack(">III", 0, *image.size))]
    if turn:
        shown.append(_box(b"irot", bytes([turn])))
    if mirror is not None:
        shown.append(_box(b"imir", bytes([mirror])))
    if colours is not None:
        shown.append(_box(b"colr", colours))
    codec = _box(b"hvcC", parts[0].settings)
    if tile is None:
        items = [_Item(b"hvc1", parts[0].data, [*shown, codec])]
    else:
        size = _box(b"ispe", struct.pack(">III", 0, side, side))
        tiles = [_Item(b"hvc1", part.data, [size, codec], _HIDDEN) for part in parts]
        grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *image.size)
        items = [_Item(b"grid", grid, shown, of=len(tiles)), *tiles]
    if exif is not None:
        items.append(_Item(b"Exif", struct.pack(">I", 0) + exif.removeprefix(b"Exif\0\0"), []))
    return _file(items)


@dataclass(frozen=True)
class _Coded:
    settings: bytes
    data: bytes


@dataclass(frozen=True)
class _Item:
    kind: bytes
    data: bytes
    properties: list[bytes]
    flags: int = 0
    of: int = 0
    """How many of the items behind it it is laid of."""


def _coded(image: Image.Image, ten_bits: bool) -> _Coded:
    buffer = io.BytesIO()
    if ten_bits:
        levels = bytes(byte for level in image.tobytes() for byte in (level, level))
        file = pillow_heif.from_bytes("RGB;16", image.size, levels)
    else:
        file = pillow_heif.from_pillow(image)
    file.save(buffer, quality=-1, chroma=444)
    data = buffer.getvalue()
    boxes = dict(_boxes(data))
    settings = dict(_boxes(dict(_boxes(dict(_boxes(boxes[b"meta"][4:]))[b"iprp"]))[b"ipco"]))
    return _Coded(settings[b"hvcC"], boxes[b"mdat"])


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + length]
        at += length


def _box(kind: bytes, *body: bytes) -> bytes:
    content = b"".join(body)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _full(kind: bytes, *body: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *body)


def _file(items: list[_Item]) -> bytes:
    start = _box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    properties = list(dict.fromkeys(each for item in items for each in item.properties))
    names = [
        _full(b"infe", struct.pack(">HH4s", n, 0, item.kind), b"\0", version=2, flags=item.flags)
        for n, item in enumerate(items, 1)
    ]
    owned = [
        struct.pack(">HB", n, len(item.properties))
        + bytes(
            properties.index(each) + 1 | (0x80 if each[4:8] in (b"irot", b"imir", b"hvcC") else 0)
            for each in item.properties
        )
        for n, item in enumerate(items, 1)
    ]
    references = b""
    for n, item in enumerate(items, 1):
        if item.of:
            laid = struct.pack(f">{item.of}H", *range(n + 1, n + 1 + item.of))
            references += _box(b"dimg", struct.pack(">HH", n, item.of), laid)
        if item.kind == b"Exif":
            references += _box(b"cdsc", struct.pack(">HHH", n, 1, 1))

    def meta(begin: int) -> bytes:
        places, at = [], begin
        for n, item in enumerate(items, 1):
            places.append(struct.pack(">HHHII", n, 0, 1, at, len(item.data)))
            at += len(item.data)
        return _full(
            b"meta",
            _full(b"hdlr", bytes(4), b"pict", bytes(13)),
            _full(b"pitm", struct.pack(">H", 1)),
            _full(b"iinf", struct.pack(">H", len(items)), *names),
            _full(b"iref", references) if references else b"",
            _box(
                b"iprp",
                _box(b"ipco", *properties),
                _full(b"ipma", struct.pack(">I", len(owned)), *owned),
            ),
            _full(b"iloc", b"\x44\0", struct.pack(">H", len(items)), *places),
        )

    begin = len(start) + len(meta(0)) + 8
    return start + meta(begin) + _box(b"mdat", *(item.data for item in items))
