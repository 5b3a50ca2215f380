"""What the numbers of a photo mean: from the colours that its file names to sRGB.

Browsers show a photo so, and textures, pictures and the model's eyes have to see the same. A file
names its colours by a profile (ICC), or, as PNG may, by figures from which a profile is made here.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageCms

PNG = b"\x89PNG\r\n\x1a\n"
"""How a PNG begins."""

_D50 = (0.9642, 1.0, 0.8249)
"""The white of a profile's own space, X, Y, Z (ICC.1:2022, 7.2.16)."""

_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
"""From X, Y, Z to what an eye's cones are stretched by when it gets used to another white."""

Matrix = tuple[tuple[float, ...], ...]

_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@dataclass(frozen=True)
class Primaries:
    """Chromaticities, x and y of each."""

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float] = (0.3127, 0.3290)


SRGB = Primaries((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_OF_CICP = {
    1: SRGB,
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""Rec. ITU-T H.273, table 2: BT.709, BT.2020, Display P3."""

_CURVES_OF_CICP = {4: (2.2,), 5: (2.8,), 8: (1.0,), 13: _SRGB_CURVE}
"""Its table 3: those that are no video's and no screen's of more than white."""

_STEEPEST = 32767.0
"""The largest exponent that a profile can hold."""

_OF_SCREENS = 45455
"""1 ÷ 2.2, which is written where sRGB is meant, and read so by browsers."""


@dataclass(frozen=True)
class PngHeader:
    """What a PNG says before its pixels; what comes after them no browser heeds.

    Attributes
    ----------
    depth : int
        Bits of a sample.
    chunks : dict
        The first of each kind, as it stands there.
    """

    depth: int
    chunks: dict[bytes, bytes]

    @classmethod
    def read(cls, data: bytes) -> "PngHeader":
        """Read it of a PNG that Pillow has opened."""
        found: dict[bytes, bytes] = {}
        for kind, body in _chunks(data):
            found.setdefault(kind, body)
        return cls(data[24], found)

    @property
    def profile(self) -> bytes | None:
        """A profile made of the figures that the file names its colours by, if by any.

        The order is that of the standard (PNG, third edition, 4.3): cICP, an ICC profile, sRGB,
        and then gAMA and cHRM.
        """
        if (code := self.chunks.get(b"cICP")) is not None and len(code) == 4:
            primaries, curve = _OF_CICP.get(code[0]), _CURVES_OF_CICP.get(code[1])
            if primaries and curve and code[2:] == b"\0\1":
                return matrix_profile(primaries, curve)
        if b"iCCP" in self.chunks or b"sRGB" in self.chunks or b"gAMA" not in self.chunks:
            return None
        gamma = int.from_bytes(self.chunks[b"gAMA"][:4], "big")
        lights = self.chunks.get(b"cHRM")
        if not gamma or (gamma == _OF_SCREENS and lights is None):
            return None
        try:
            return matrix_profile(_chromaticities(lights), (min(1e5 / gamma, _STEEPEST),))
        except (ArithmeticError, struct.error):
            return None  # figures of no colours: browsers show the photo as if they were not there


def avif_profile(data: bytes) -> bytes | None:
    """Make a profile of the figures by which an AVIF names its colours, if by any.

    A profile of the file's own goes before them (ISO/IEC 23000-22, 7.3.6.4).
    """
    at = data.find(b"colrnclx")
    if at < 0:
        return None
    primaries, curve = struct.unpack(">HH", data[at + 8 : at + 12].ljust(4, b"\0"))
    lights = _OF_CICP.get(primaries, SRGB)
    return matrix_profile(lights, _CURVES_OF_CICP.get(curve, _SRGB_CURVE))


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Give a picture the numbers of sRGB.

    Parameters
    ----------
    image : PIL.Image.Image
        Mode L, RGB or CMYK, or one of these with alpha.
    profile : bytes or None
        What its numbers mean; None where the file does not say.

    Returns
    -------
    PIL.Image.Image
        As it was where the profile is broken, of another kind of picture, or sRGB's own.
    """
    colours = {"LA": "L", "RGBA": "RGB", "P": "RGB"}.get(image.mode, image.mode)
    if not profile or colours not in ("L", "RGB", "CMYK"):
        return image
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            colours,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    if colours == "RGB" and _changes_nothing(transform):
        return image
    if image.mode == colours:
        return transform.apply(image)
    alpha = image.convert("RGBA").getchannel("A")
    shown = transform.apply(image.convert(colours))
    shown.putalpha(alpha)
    return shown


def matrix_profile(primaries: Primaries, curve: tuple[float, ...]) -> bytes:
    """Make an ICC profile of a screen (ICC.1:2022, 8.3.3).

    Parameters
    ----------
    primaries : Primaries
    curve : tuple of float
        From a number to its light: an exponent alone, or ``g, a, b, c, d`` of
        ``(a·v + b)^g`` from ``d`` on and ``c·v`` below.
    """
    kind = 0 if len(curve) == 1 else 3
    light = b"para" + struct.pack(">IHH", 0, kind, 0) + b"".join(_fixed(each) for each in curve)
    tags = {
        b"wtpt": b"XYZ " + bytes(4) + b"".join(_fixed(each) for each in _D50),
        b"rTRC": light,
        b"gTRC": light,
        b"bTRC": light,
    }
    columns = zip(*_to_d50(primaries), strict=True)
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True):
        tags[name] = b"XYZ " + bytes(4) + b"".join(_fixed(each) for each in column)
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">II4s4s4s4s", start + len(body), 0, b"\4\x30\0\0", b"mntr", b"RGB ", b"XYZ "
    )
    header = header.ljust(36, b"\0") + b"acsp"
    header = header.ljust(68, b"\0") + b"".join(_fixed(each) for each in _D50)
    return header.ljust(128, b"\0") + table + body


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in (b"IDAT", b"IEND"):
            return
        yield kind, data[at + 8 : at + 8 + length]
        at += length + 12


def _chromaticities(chunk: bytes | None) -> Primaries:
    if chunk is None or len(chunk) != 32:
        return SRGB
    wx, wy, *rest = (each / 1e5 for each in struct.unpack(">8I", chunk))
    red, green, blue = zip(rest[::2], rest[1::2], strict=True)
    return Primaries(red, green, blue, (wx, wy))


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Most profiles are sRGB's by another name, and no photo need be gone through for that."""
    levels = [round(255 * n / 8) for n in range(9)]
    probe = Image.new("RGB", (81, 9))
    probe.putdata([(r, g, b) for r in levels for g in levels for b in levels])
    after = transform.apply(probe)
    return all(abs(a - b) <= 1 for a, b in zip(probe.tobytes(), after.tobytes(), strict=True))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _to_d50(primaries: Primaries) -> Matrix:
    """From linear red, green, blue to X, Y, Z before the profile's white."""
    white = _xyz(primaries.white)
    lights = _columns(_xyz(primaries.red), _xyz(primaries.green), _xyz(primaries.blue))
    (shares,) = zip(*_times(_inverse(lights), _columns(white)), strict=True)
    native = tuple(tuple(v * s for v, s in zip(row, shares, strict=True)) for row in lights)
    before, after = (
        [row[0] for row in _times(_BRADFORD, _columns(each))] for each in (white, _D50)
    )
    stretch = tuple(
        tuple(after[i] / before[i] if i == j else 0.0 for j in range(3)) for i in range(3)
    )
    return _times(_times(_times(_inverse(_BRADFORD), stretch), _BRADFORD), native)


def _xyz(place: tuple[float, float]) -> tuple[float, ...]:
    x, y = place
    return x / y, 1.0, (1 - x - y) / y


def _columns(*columns: tuple[float, ...]) -> Matrix:
    return tuple(zip(*columns, strict=True))


def _times(a: Matrix, b: Matrix) -> Matrix:
    return tuple(
        tuple(
            sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)
        )
        for row in a
    )


def _inverse(m: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = m
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    return tuple(tuple(each / determinant for each in row) for row in cofactors)
