"""What is looked at of a photo before anything is started for it."""

from pathlib import Path

from gen3d_client.clicks import Size
from gen3d_client.errors import ApiClientError

_ORIENTATION = 0x0112
_ON_ITS_SIDE = range(5, 9)
_LONGEST_START = 64


def media_type(path: Path) -> str:
    """By what a file begins with, whatever it is called.

    Raises
    ------
    ApiClientError
        It is not there, or no photo.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LONGEST_START)
    except FileNotFoundError:
        raise ApiClientError(
            f"{path} is not there. Name a JPEG, PNG, WebP or AVIF photo."
        ) from None
    except OSError as error:
        raise ApiClientError(f"{path} cannot be read: {error.strerror}.") from None
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    if start[4:8] == b"ftyp":
        brands = start[8 : int.from_bytes(start[:4], "big")]
        if b"avif" in brands or b"avis" in brands:
            return "image/avif"
        if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"mif1")):
            raise ApiClientError(
                f"{path} is a HEIC photo. Save it as JPEG, or send it by the page."
            )
    raise ApiClientError(f"{path} is no photo. Name a JPEG, PNG, WebP or AVIF photo.")


def size(path: Path) -> Size:
    """Width and height of a photo when it is upright, as browsers and the service turn it.

    Raises
    ------
    ApiClientError
        It is not there, or no photo.
    """
    media_type(path)
    from PIL import Image  # for who gives places in pixels alone

    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP", "AVIF")) as photo:
            width, height = photo.size
            exif = Image.Exif()
            if photo.format != "WEBP":  # which nobody turns
                exif.load(photo.info.get("exif", b""))  # of a PNG what comes before its pixels
            turned = exif.get(_ORIENTATION) in _ON_ITS_SIDE
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ApiClientError(f"{path} is no photo. Name a JPEG, PNG, WebP or AVIF photo.") from None
    return (height, width) if turned else (width, height)
