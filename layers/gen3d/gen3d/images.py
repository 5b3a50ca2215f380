"""Photos and masks are hostile until read: the one place that reads them.

A photo is always taken upright (EXIF orientation applied) and as 8-bit RGB. All functions here are
pure: bytes in, values out.
"""

import io
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from gen3d.errors import (
    ImageTooLarge,
    ImageTooSmall,
    InvalidImage,
    InvalidMask,
    UnsupportedImage,
)

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MIN_SIDE = 32
MIN_MASK_PIXELS = 16
"""Fewer pixels than this carry no shape."""

_FORMATS = ("JPEG", "PNG", "WEBP")
_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what turns the photo upright; from 5 on that exchanges width and height."""

_TAKEN = "Send a JPEG, PNG or WebP photo."


@dataclass(frozen=True)
class PhotoInfo:
    """Size of the upright photo in pixels, and its file's type and length."""

    width: int
    height: int
    content_type: str
    bytes: int


def _open(data: bytes) -> Image.Image:
    if not data:
        raise InvalidImage(f"The file is empty. {_TAKEN}")
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(
            f"The file has {len(data) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are taken. "
            "Save it smaller or with more compression."
        )
    try:
        with warnings.catch_warnings():
            # The pixel count is checked below, before anything is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise ImageTooLarge(_pixels_message(None)) from None
    except Exception:
        raise InvalidImage(f"The file is not a photo that can be read. {_TAKEN}") from None
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLarge(_pixels_message(image.width * image.height))
    if min(image.width, image.height) < MIN_SIDE:
        raise ImageTooSmall(
            f"The photo has {image.width}×{image.height} pixels; each side needs {MIN_SIDE}. "
            "Use a larger one."
        )
    # An MPO is a phone's JPEG with a depth map or a preview behind the photo, which comes first.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise UnsupportedImage("The picture is animated. Send a single still photo.")
    return image


def _pixels_message(pixels: int | None) -> str:
    has = f"{pixels / 1e6:.0f} megapixels" if pixels else "too many pixels"
    return f"The photo has {has}; at most {MAX_PIXELS // 10**6} are taken. Save it smaller."


def read_photo(data: bytes) -> Image.Image:
    """Decode a photo, upright and as RGB.

    Parameters
    ----------
    data : bytes
        A JPEG, PNG or WebP file.

    Returns
    -------
    PIL.Image.Image
        Mode RGB; 16-bit and CMYK converted, transparency laid on white.

    Raises
    ------
    InvalidImage, UnsupportedImage, ImageTooLarge, ImageTooSmall
    """
    return _decode(_open(data))[0]


def read_reduced(data: bytes, enough: int) -> tuple[Image.Image, tuple[int, int]]:
    """Decode a photo for something that makes it smaller all the same.

    A JPEG is decoded at a half, a quarter or an eighth of its size, the mean of so many pixels in
    the place of each: in half the time and a quarter of the memory.

    Parameters
    ----------
    data : bytes
        A JPEG, PNG or WebP file.
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
    image = _open(data)
    width, height = image.size
    if image.format == "JPEG":
        image.draft(None, (enough, enough))
    photo, turned = _decode(image)
    return photo, (height, width) if turned else (width, height)


def _decode(image: Image.Image) -> tuple[Image.Image, bool]:
    """Upright and as RGB, and whether that exchanged width and height."""
    try:
        image.load()
        orientation = _orientation(image)
        if orientation in _TURNS:
            image = image.transpose(_TURNS[orientation])
    except Exception:
        raise InvalidImage(
            "The photo is damaged or was cut off in the upload. Upload it again."
        ) from None
    return _to_rgb(image), orientation in (5, 6, 7, 8)


def _orientation(image: Image.Image) -> Any:
    # Pillow's own getexif() falls back to XMP and to a text in a PNG, which no browser heeds: the
    # photo would be turned here and not where the person clicks.
    exif = Image.Exif()
    exif.load(image.info.get("exif", b""))
    return exif.get(ExifTags.Base.Orientation)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # PIL clips 16-bit grey to 255 when it converts; keep the high byte instead.
        return image.point(lambda v: v / 257).convert("L").convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


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
    actual = _TYPES[_open(data).format or ""]
    if actual != declared_type:
        raise UnsupportedImage(
            f"The file holds {actual} but was announced as {declared_type}. "
            "Give the file its right ending and create the job again."
        )
    photo = read_photo(data)
    return PhotoInfo(photo.width, photo.height, actual, len(data))


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
        mask: Image.Image = Image.open(io.BytesIO(data), formats=("PNG",))
    except Exception:
        raise InvalidMask("The mask is not a PNG. Send a PNG of the photo's size.") from None
    if getattr(mask, "n_frames", 1) > 1:
        raise InvalidMask("The mask is animated. Send a PNG with a single picture.")
    if mask.size != (width, height):
        raise InvalidMask(
            f"The mask has {mask.width}×{mask.height} pixels, the photo {width}×{height}. "
            "Send a mask of the photo's size, upright as it is shown."
        )
    try:
        mask.load()
    except Exception:
        raise InvalidMask("The mask is damaged or was cut off. Upload it again.") from None
    if "transparency" in mask.info:
        mask = mask.convert("RGBA")
    elif mask.mode == "1":
        mask = mask.convert("L")
    grey = _to_rgb(mask).convert("L") if "A" not in mask.getbands() else _alpha_or_grey(mask)
    binary = grey.point(lambda v: 255 if v >= 128 else 0)
    pixels = binary.histogram()[255]
    if pixels == 0:
        raise InvalidMask("The mask is empty. Click the object before you send it.")
    if pixels < MIN_MASK_PIXELS:
        raise InvalidMask(f"The mask has {pixels} pixels; it needs {MIN_MASK_PIXELS} or more.")
    if pixels == width * height:
        raise InvalidMask("The mask covers the whole photo. Leave the background out.")
    return binary


def _alpha_or_grey(mask: Image.Image) -> Image.Image:
    alpha = mask.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return mask.convert("RGB").convert("L")
    return alpha
