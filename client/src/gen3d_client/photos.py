"""What a photo's header says, before anything is started for it."""

from pathlib import Path

from PIL import Image

from gen3d_client.errors import ApiClientError

_FORMATS = ("JPEG", "PNG", "WEBP")
_ORIENTATION = 0x0112
_ON_ITS_SIDE = range(5, 9)


def size(path: Path) -> tuple[int, int]:
    """Width and height of a photo when it is upright.

    Raises
    ------
    ApiClientError
        It is not there, or no photo.
    """
    if not path.is_file():
        raise ApiClientError(f"{path} is not there. Name a JPEG, PNG or WebP photo.")
    try:
        with Image.open(path, formats=_FORMATS) as photo:
            width, height = photo.size
            turned = photo.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ApiClientError(f"{path} is no photo. Name a JPEG, PNG or WebP photo.") from None
    return (height, width) if turned else (width, height)
