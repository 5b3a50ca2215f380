"""Photos, masks and depth maps are hostile until read: everybody reads them through here.

The limits stand here; `gen3d.decoding` checks them and says in a sentence what is too much. A photo
is always taken upright (EXIF orientation applied) and as 8-bit RGB. Whatever a file holds, reading
it takes no more than `SECONDS` of processor time and `MEMORY` bytes, in a process that ends with
it.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import PIL
from PIL import Image

from gen3d.bounded import Bounded, Crashed, Starved, TimeSpent, Values
from gen3d.errors import (
    DependencyUnavailable,
    ImageTooLarge,
    InvalidDepth,
    InvalidImage,
    InvalidMask,
    UnsupportedImage,
)
from gen3d.errors import from_body as error_from

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 16_384
"""Browsers show no larger picture, and a canvas holds none."""
MIN_SIDE = 32
MIN_MASK_PIXELS = 16
"""Fewer pixels than this carry no shape."""
MAX_SCANS = 100
"""Of a JPEG. Progressive ones have about ten; each takes as long to decode as the whole photo."""

SECONDS = 10
"""Of processor time for a photo; the slowest found (50 megapixels, progressive) needs 1.5."""
MASK_SECONDS = 3
"""For a mask: the API reads eight in one request."""
MEMORY = 1024 * 1024 * 1024
"""Of address space; the largest photo that is taken needs 0.6 of it."""

RETRY_AFTER = 5
"""Seconds after which a machine may have memory again."""

TAKEN = "Send a JPEG, PNG, WebP or AVIF photo."
HEIC = "This is a HEIC photo, which is read on the page alone. Choose it there, or save it as JPEG."


@dataclass(frozen=True)
class PhotoInfo:
    """Size of the upright photo in pixels, and its file's type and length."""

    width: int
    height: int
    content_type: str
    bytes: int


_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_LONGEST_BRANDS = 256

_SIGNATURES = {b"\xff\xd8": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def media_type(data: bytes, declared: str) -> str:
    """What kind of photo a file is by how it begins.

    Raises
    ------
    UnsupportedImage
        It is none that is taken; a web page is called so.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    for signature, found in _SIGNATURES.items():
        if data.startswith(signature):
            return found
    brands = _brands(data)
    if brands & _AVIF_BRANDS:
        return "image/avif"
    if is_heic(data):
        raise UnsupportedImage(HEIC)
    if declared == "text/html" or data.lstrip()[:1] == b"<":
        raise UnsupportedImage(
            "At the address lies a web page, and no photo. Give the photo's own address."
        )
    raise UnsupportedImage(f"What lies at the address is no photo that is taken. {TAKEN}")


def is_heic(data: bytes) -> bool:
    """Whether a file is a HEIC photo, as iPhones make, by how it begins."""
    brands = _brands(data)
    return bool(brands & _HEIC_BRANDS) and not brands & _AVIF_BRANDS


def _brands(data: bytes) -> set[bytes]:
    """What a HEIF file says that it is, none of any other file (ISO/IEC 14496-12, 4.3)."""
    if data[4:8] != b"ftyp":
        return set()
    length = min(int.from_bytes(data[:4], "big"), len(data), _LONGEST_BRANDS)
    return {data[at : at + 4] for at in range(8, length - 3, 4) if at != 12}  # there, a version


def prepare() -> None:
    """Start the process that decodes, so that the first photo need not wait for it."""
    _decoder().start()


def read_photo(data: bytes) -> Image.Image:
    """Decode a photo, upright and as RGB.

    Parameters
    ----------
    data : bytes
        A JPEG, PNG, WebP or AVIF file.

    Returns
    -------
    PIL.Image.Image
        Mode RGB; 16-bit and CMYK converted, transparency laid on white.

    Raises
    ------
    InvalidImage, UnsupportedImage, ImageTooLarge, ImageTooSmall
    """
    answer, pixels = _photo_task("photo", data)
    return _image("RGB", answer, pixels)


def read_reduced(data: bytes, enough: int) -> tuple[Image.Image, tuple[int, int]]:
    """Decode a photo for something that makes it smaller all the same.

    A JPEG is decoded at a half, a quarter or an eighth of its size, the mean of so many pixels in
    the place of each: in half the time and a quarter of the memory.

    Parameters
    ----------
    data : bytes
        A JPEG, PNG, WebP or AVIF file.
    enough : int
        Pixels that each side keeps, where it has them.

    Returns
    -------
    photo : PIL.Image.Image
        As `read_photo` gives it, perhaps smaller.
    size : tuple of int
        Width and height of the upright photo in the file.

    Raises
    ------
    InvalidImage, UnsupportedImage, ImageTooLarge, ImageTooSmall
    """
    answer, pixels = _photo_task("reduced", data, enough)
    width, height = answer["whole"]
    return _image("RGB", answer, pixels), (width, height)


def check_photo(data: bytes, declared_type: str) -> PhotoInfo:
    """Read a photo whole, so that a job never starts on one that cannot be used.

    Parameters
    ----------
    data : bytes
        The uploaded file.
    declared_type : str
        The content type that was named when the job was created.

    Returns
    -------
    PhotoInfo

    Raises
    ------
    InvalidImage, UnsupportedImage, ImageTooLarge, ImageTooSmall
    """
    answer, _ = _photo_task("check", data, declared_type)
    return PhotoInfo(*answer["info"])


def read_mask(data: bytes, width: int, height: int) -> Image.Image:
    """Decode a mask.

    Parameters
    ----------
    data : bytes
        A PNG; values of 128 and more, or opaque where there is an alpha channel, are the object.
    width, height : int
        Pixels of the upright photo.

    Returns
    -------
    PIL.Image.Image
        Mode L, 0 or 255.

    Raises
    ------
    InvalidMask
    """
    try:
        answer, pixels = _ask("mask", data, MASK_SECONDS, width, height)
    except ImageTooLarge as error:
        raise InvalidMask(error.message) from None
    except TimeSpent:
        raise InvalidMask(
            "The mask takes too long to decode. Send a black and white PNG."
        ) from None
    except Crashed:
        raise InvalidMask("The mask is damaged. Send a black and white PNG.") from None
    return _image("L", answer, pixels)


def read_depth(data: bytes, width: int, height: int) -> Image.Image:
    """Decode a depth map.

    Parameters
    ----------
    data : bytes
        A grey PNG of 16 bits, as `gen3d.depth` says.
    width, height : int
        Pixels of the upright photo, of whose aspect it has to be.

    Returns
    -------
    PIL.Image.Image
        Mode I;16, of its own size: millimetres from the camera's plane, 0 where nobody knows.

    Raises
    ------
    InvalidDepth
    """
    try:
        answer, pixels = _ask("depth", data, SECONDS, width, height)
    except ImageTooLarge as error:
        raise InvalidDepth(error.message) from None
    except TimeSpent:
        raise InvalidDepth("The depth map takes too long to decode. Save it smaller.") from None
    except Crashed:
        raise InvalidDepth("The depth map is damaged. Upload it again.") from None
    return Image.frombytes("I;16", tuple(answer["size"]), pixels)


def field_of_view(data: bytes) -> float | None:
    """What a photo's camera took in, as its EXIF says.

    Parameters
    ----------
    data : bytes
        A JPEG, PNG, WebP or AVIF file.

    Returns
    -------
    float or None
        Radians across the photo's longer side; None where the photo does not say, or nothing that
        could be.

    Raises
    ------
    InvalidImage, UnsupportedImage, ImageTooLarge, ImageTooSmall
    """
    answer, _ = _photo_task("view", data)
    view: float | None = answer["view"]
    return view


def _photo_task(task: str, data: bytes, *arguments: object) -> tuple[Values, bytes]:
    try:
        return _ask(task, data, SECONDS, *arguments)
    except TimeSpent:
        raise UnsupportedImage(
            "The photo takes too long to decode. Save it anew as an ordinary JPEG."
        ) from None
    except Crashed:
        raise InvalidImage(f"The file is not a photo that can be read. {TAKEN}") from None


def _ask(task: str, data: bytes, seconds: int, *arguments: object) -> tuple[Values, bytes]:
    try:
        answer, pixels = _decoder().ask({"task": task, "arguments": arguments}, data, seconds)
    except Starved:
        raise DependencyUnavailable(
            "The machine had too little memory to read the picture. Send the request again.",
            RETRY_AFTER,
        ) from None
    if (error := error_from(answer)) is not None:
        raise error
    return answer, pixels


def _image(mode: str, answer: Values, file: bytes) -> Image.Image:
    """The picture in a PPM: its pixels come last."""
    width, height = answer["size"]
    pixels = memoryview(file)[-width * height * len(mode) :]
    return Image.frombytes(mode, (width, height), pixels)


@cache
def _decoder() -> Bounded:
    packages = [Path(__file__).parents[1], Path(PIL.__file__).parents[1]]
    return Bounded("gen3d.decoding", packages, MEMORY)
