"""Decodes strangers' files; `gen3d.images` runs it in a process of its own.

All functions here are pure: bytes in, values out. They take whatever time and memory a file makes
them take.
"""

import gc
import io
import math
import warnings
from collections.abc import Callable
from dataclasses import astuple
from importlib import import_module

from PIL import AvifImagePlugin, ExifTags, Image

from gen3d import bounded, depth
from gen3d.colours import PNG, PngHeader, avif_profile, to_srgb
from gen3d.errors import (
    Gen3DError,
    ImageTooLarge,
    ImageTooSmall,
    InvalidImage,
    InvalidMask,
    UnsupportedImage,
)
from gen3d.formats import PHOTO_FORMATS
from gen3d.images import (
    HEIC,
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SCANS,
    MAX_SIDE,
    MIN_MASK_PIXELS,
    MIN_SIDE,
    TAKEN,
    PhotoInfo,
    is_heic,
)

_TYPES = {taken.name.upper(): media_type for media_type, taken in PHOTO_FORMATS.items()}
_FORMATS = tuple(_TYPES)
_TYPES["MPO"] = _TYPES["JPEG"]  # as Pillow calls what some phones write
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

_JPEG = b"\xff\xd8"
_SCAN = b"\xff\xda\x00"
"""Each scan of a JPEG begins so: the marker, and the first byte of a length below 256."""


def _open(data: bytes) -> Image.Image:
    if not data:
        raise InvalidImage(f"The file is empty. {TAKEN}")
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(
            f"The file has {len(data) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are taken. "
            "Save it smaller or with more compression."
        )
    # Decoding takes as long as scans times pixels. No scan can be read that is not counted here;
    # those of the pictures inside a photo are counted too, of which there are few.
    if data.startswith(_JPEG) and (scans := data.count(_SCAN)) > MAX_SCANS:
        raise UnsupportedImage(
            f"The JPEG was saved in {scans} scans; at most {MAX_SCANS} are taken. "
            "Save it anew as an ordinary JPEG."
        )
    try:
        # The pixels are counted below, before anything is decoded.
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        raise ImageTooLarge(_pixels_message(None)) from None
    except MemoryError:
        raise
    except Exception:
        if is_heic(data):
            raise UnsupportedImage(HEIC) from None
        raise InvalidImage(f"The file is not a photo that can be read. {TAKEN}") from None
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLarge(_pixels_message(image.width * image.height))
    if max(image.width, image.height) > MAX_SIDE:
        raise ImageTooLarge(
            f"The photo has {image.width}×{image.height} pixels; no browser shows more than "
            f"{MAX_SIDE} a side. Save it smaller."
        )
    if min(image.width, image.height) < MIN_SIDE:
        raise ImageTooSmall(
            f"The photo has {image.width}×{image.height} pixels; each side needs {MIN_SIDE}. "
            "Use a larger one."
        )
    if image.format == "AVIF" and (profile := avif_profile(data)) is not None:
        image.info.setdefault("icc_profile", profile)
    # An MPO is a phone's JPEG with a depth map or a preview behind the photo, which comes first.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise UnsupportedImage("The picture is animated. Send a single still photo.")
    if not _has_colours(image):
        raise InvalidImage("The PNG lacks the palette of its colours. Save it anew.")
    return image


def _pixels_message(pixels: int | None) -> str:
    # Rounded up, so that one over the limit does not read as the limit.
    has = f"{math.ceil(pixels / 1e5) / 10:g} megapixels" if pixels else "too many pixels"
    most = f"at most {MAX_PIXELS // 10**6} megapixels are taken"
    return f"The photo has {has}; {most}. Save it smaller."


def _has_colours(image: Image.Image) -> bool:
    """Whether a palette that is needed is there: Pillow makes one up, browsers show nothing."""
    if image.format != "PNG" or image.mode != "P":
        return True
    palette = image.palette.palette if image.palette else b""
    return len(palette) > 0 and len(palette) % 3 == 0  # Pillow itself refuses too many


def read_photo(data: bytes) -> Image.Image:
    """Decode a photo, as `gen3d.images.read_photo` says."""
    return _decode(_open(data), _png_header(data))[0]


def read_reduced(data: bytes, enough: int) -> tuple[Image.Image, tuple[int, int]]:
    """Decode a photo smaller, as `gen3d.images.read_reduced` says."""
    image = _open(data)
    width, height = image.size
    if image.format == "JPEG":
        image.draft(None, (enough, enough))
    photo, turned = _decode(image, _png_header(data))
    return photo, (height, width) if turned else (width, height)


def check_photo(data: bytes, declared_type: str) -> PhotoInfo:
    """Read a photo whole, as `gen3d.images.check_photo` says."""
    image = _open(data)
    actual = _TYPES[image.format or ""]
    if actual != declared_type:
        raise UnsupportedImage(
            f"The file holds {actual} but was announced as {declared_type}. "
            "Give the file its right ending and create the job again."
        )
    photo, _ = _decode(image, _png_header(data))
    return PhotoInfo(photo.width, photo.height, actual, len(data))


def _decode(image: Image.Image, png: PngHeader | None) -> tuple[Image.Image, bool]:
    """Upright and as sRGB, and whether that exchanged width and height."""
    try:
        image.load()
        orientation = _orientation(image, png)
        profile = image.info.get("icc_profile")
        image = _eight_bits(image, png)
        if png is not None and png.profile is not None:
            profile = png.profile
            image = image.convert("RGBA" if "A" in image.getbands() else "RGB")
        image = _on_white(to_srgb(image, profile))
        if orientation in _TURNS:
            image = image.transpose(_TURNS[orientation])
    except MemoryError:
        raise
    except Exception:
        raise InvalidImage(
            "The photo is damaged or was cut off in the upload. Upload it again."
        ) from None
    return image, orientation in (5, 6, 7, 8)


def _orientation(image: Image.Image, png: PngHeader | None) -> int:
    # As browsers turn it (Chromium 156, Firefox 153), or the photo would lie otherwise here than
    # where the person clicks: a JPEG by its EXIF; a PNG by what comes before its pixels; a WebP
    # never; an AVIF by its own turn, which Pillow puts in the place of its EXIF's. Pillow's own
    # getexif() goes by XMP and by a PNG's texts, too.
    if image.format == "WEBP":
        return 1
    exif = Image.Exif()
    try:
        exif.load(png.chunks.get(b"eXIf", b"") if png else image.info.get("exif", b""))
        turn = exif.get(ExifTags.Base.Orientation)
    except Exception:  # whatever is wrong with it: browsers show the photo all the same
        return 1
    return turn if isinstance(turn, int) else 1


def _png_header(data: bytes) -> PngHeader | None:
    return PngHeader.read(data) if data.startswith(PNG) else None


def _eight_bits(image: Image.Image, png: PngHeader | None) -> Image.Image:
    """A byte a sample, and what a colour makes transparent as alpha.

    Pillow compares that colour, which a PNG has in its own bits, with samples that it has already
    made bytes of.
    """
    clear = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        # PIL clips 16-bit grey to 255 when it converts; keep the high byte instead.
        grey = image.point(lambda v: v / 257).convert("L")
        if isinstance(clear, int):
            opaque = [0 if value == clear else 255 for value in range(2**16)]
            grey.putalpha(image.convert("I").point(opaque, "L"))
        return grey
    if clear is None:
        return image
    if png is not None and image.mode in ("1", "L") and png.depth < 8:
        image = image.convert("L")
        image.info["transparency"] = clear * 255 // (2**png.depth - 1)
    if png is not None and image.mode == "RGB" and png.depth == 16:
        # Their low bytes are gone: what differs from the colour by these alone is clear as well.
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    return image.convert("RGBA")


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA"):
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba)
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def read_mask(data: bytes, width: int, height: int) -> Image.Image:
    """Decode a mask, as `gen3d.images.read_mask` says."""
    try:
        mask: Image.Image = Image.open(io.BytesIO(data), formats=("PNG",))
    except MemoryError:
        raise
    except Exception:
        raise InvalidMask("The mask is not a PNG. Send a PNG of the photo's size.") from None
    if getattr(mask, "n_frames", 1) > 1:
        raise InvalidMask("The mask is animated. Send a PNG with a single picture.")
    if mask.size != (width, height):
        raise InvalidMask(
            f"The mask has {mask.width}×{mask.height} pixels, the photo {width}×{height}. "
            "Send a mask of the photo's size, upright as it is shown."
        )
    if not _has_colours(mask):
        raise InvalidMask("The mask lacks the palette of its colours. Send a black and white PNG.")
    try:
        mask.load()
        grey = _grey(_eight_bits(mask, _png_header(data)))
    except MemoryError:
        raise
    except Exception:
        raise InvalidMask("The mask is damaged or was cut off. Upload it again.") from None
    binary = grey.point(lambda v: 255 if v >= 128 else 0)
    pixels = binary.histogram()[255]
    if pixels == 0:
        raise InvalidMask("The mask is empty. Click the object before you send it.")
    if pixels < MIN_MASK_PIXELS:
        raise InvalidMask(f"The mask has {pixels} pixels; it needs {MIN_MASK_PIXELS} or more.")
    if pixels == width * height:
        raise InvalidMask("The mask covers the whole photo. Leave the background out.")
    return binary


def _grey(mask: Image.Image) -> Image.Image:
    if "A" not in mask.getbands():
        return _on_white(mask).convert("L")
    alpha = mask.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return mask.convert("RGB").convert("L")
    return alpha


# In a process of its own


def _check(data: bytes, declared: str) -> tuple[bounded.Values, bounded.Body]:
    return {"info": astuple(check_photo(data, declared))}, b""


def _photo(data: bytes) -> tuple[bounded.Values, bounded.Body]:
    photo = read_photo(data)
    return {"size": photo.size}, _pixels(photo)


def _reduced(data: bytes, enough: int) -> tuple[bounded.Values, bounded.Body]:
    photo, whole = read_reduced(data, enough)
    return {"size": photo.size, "whole": whole}, _pixels(photo)


def _mask(data: bytes, width: int, height: int) -> tuple[bounded.Values, bounded.Body]:
    mask = read_mask(data, width, height)
    return {"size": mask.size}, _pixels(mask)


def _depth(data: bytes, width: int, height: int) -> tuple[bounded.Values, bounded.Body]:
    read = depth.read_depth(data, width, height)
    return {"size": read.size}, read.tobytes("raw", "I;16")


def _view(data: bytes) -> tuple[bounded.Values, bounded.Body]:
    return {"view": depth.field_of_view(_open(data))}, b""


def _pixels(image: Image.Image) -> bounded.Body:
    # Image.tobytes() takes twice as long as the decoder. A PPM is a line and then the pixels.
    line = f"P6\n{image.width} {image.height}\n255\n"
    length = len(line) + image.width * image.height * len(image.getbands())
    return length, lambda pipe: image.save(pipe, "PPM")


_TASKS: dict[str, Callable[..., tuple[bounded.Values, bounded.Body]]] = {
    "check": _check,
    "photo": _photo,
    "reduced": _reduced,
    "mask": _mask,
    "depth": _depth,
    "view": _view,
}


def answer(request: bounded.Values, data: bytes) -> tuple[bounded.Values, bounded.Body]:
    """Do a task, and answer an error as its body."""
    try:
        return _TASKS[request["task"]](data, *request["arguments"])
    except Gen3DError as error:
        return error.body(), b""
    except MemoryError:
        large = ImageTooLarge("The picture needs too much memory to decode. Save it smaller.")
        return large.body(), b""


def main() -> None:
    """Serve until the other end is closed."""
    warnings.simplefilter("ignore")  # of odd metadata, and of sizes that are checked all the same
    # Once, and not in each copy; what is not there when a file is opened has Pillow import all.
    Image.preinit()
    for plugin in ("MpoImagePlugin", "WebPImagePlugin"):
        import_module(f"PIL.{plugin}")
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each takes address space, and there is one processor
    gc.freeze()  # or the copies would copy what they only look at
    gc.disable()
    bounded.serve(answer)


if __name__ == "__main__":
    main()
