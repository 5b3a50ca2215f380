"""Reads a depth map of a stranger's, and the photo's field of view; `gen3d.images` runs it.

A map is what exporters of LiDAR phones write (ARKit's `sceneDepth`): a grey PNG of 16 bits, how far
what each pixel shows lies from the camera's plane in millimetres, 0 where nobody knows. A wrong
metre is worse than none, so that what can be told from other maps is refused.
"""

import io
import math
from array import array
from collections import Counter
from collections.abc import Mapping

from PIL import ExifTags, Image

from gen3d.errors import InvalidDepth

MIN_SIDE, MAX_SIDE = 64, 4096
"""Pixels. Sensors have 256 × 192 or so; larger ones were enlarged."""

ASPECT = 0.01
"""By how much, as a share, the map's aspect may differ from the photo's."""

KNOWN = 0.5
"""Share of pixels whose distance has to be known."""

APART = 0.01
"""Share by which its distances have to differ, at least, those at either `EDGE` left out."""

EDGE = 0.02
NEAREST = 50
"""Millimetres; a sensor sees nothing so near, so that a map whose middle is has another unit."""

STRETCHED = 2**16 - 1
"""To this value maps without a unit are stretched."""

FULL_FRAME = math.hypot(36, 24)
"""Millimetres across the picture of a 35 mm camera, whose focal length a photo's EXIF names; to be
compared by diagonals (CIPA DCG-001)."""

SHORTEST, LONGEST = 5, 2000
"""Millimetres of such a focal length that a lens can have."""

_SEND = "Send a grey PNG of 16 bits, in millimetres, 0 where nothing is known."


def read_depth(data: bytes, width: int, height: int) -> Image.Image:
    """Decode a depth map, as `gen3d.images.read_depth` says."""
    try:
        depth: Image.Image = Image.open(io.BytesIO(data), formats=("PNG",))
    except MemoryError:
        raise
    except Exception:
        raise InvalidDepth(f"The depth map is not a PNG. {_SEND}") from None
    if getattr(depth, "n_frames", 1) > 1:
        raise InvalidDepth("The depth map is animated. Send a PNG with a single picture.")
    bits, kind = data[24], data[25]
    if (bits, kind) != (16, 0):
        colours = "" if kind == 0 else ", and more than grey"
        raise InvalidDepth(f"The depth map has {bits} bits a sample{colours}. {_SEND}")
    _require_size(depth.width, depth.height, width, height)
    try:
        depth.load()
    except MemoryError:
        raise
    except Exception:
        raise InvalidDepth("The depth map is damaged or was cut off. Upload it again.") from None
    _require_distances(Counter(array("H", depth.tobytes("raw", "I;16N"))))
    return depth


def _require_size(width: int, height: int, photo_width: int, photo_height: int) -> None:
    has = f"The depth map has {width}×{height} pixels"
    if min(width, height) < MIN_SIDE:
        raise InvalidDepth(f"{has}; each side needs {MIN_SIDE}. Send it as the phone saved it.")
    if max(width, height) > MAX_SIDE:
        raise InvalidDepth(f"{has}; at most {MAX_SIDE} a side are taken. Save it smaller.")
    photo = photo_width / photo_height
    if abs(width / height / photo - 1) > ASPECT:
        turned = abs(height / width / photo - 1) <= ASPECT
        what = "Turn it as the photo is shown." if turned else "Send the map of the whole photo."
        raise InvalidDepth(
            f"{has}, the photo {photo_width}×{photo_height}, which is another aspect. {what}"
        )


def _require_distances(counts: Mapping[int, int]) -> None:
    """Refuse what tells no distances, by how many pixels have each value."""
    known = sum(counts.values()) - counts.get(0, 0)
    share = known / sum(counts.values())
    if share < KNOWN:
        raise InvalidDepth(
            f"Distances are known in {100 * share:.0f} % of the depth map; {100 * KNOWN:.0f} % are "
            "needed. Take the photo from nearer, where the sensor sees what is in it."
        )
    if STRETCHED in counts:
        raise InvalidDepth(
            f"The depth map goes up to {STRETCHED}, all that 16 bits hold, as maps do that have no "
            "unit. Send distances in millimetres, and 0 for what is out of reach."
        )
    near, middle, far = _quantiles(counts, known)
    if middle < NEAREST:
        raise InvalidDepth(
            f"What the depth map shows is {middle} mm away in the middle, which no sensor sees. "
            "Send distances in millimetres, and no metres or centimetres."
        )
    if far - near < APART * far:
        raise InvalidDepth(
            "The depth map is the same everywhere. Send the one that was measured with the photo."
        )


def _quantiles(counts: Mapping[int, int], known: int) -> tuple[int, int, int]:
    """The distance at either edge of those that are known, and in the middle."""
    places = [EDGE * known, known / 2, (1 - EDGE) * known]
    found = list[int]()
    passed = 0
    for value in sorted(value for value in counts if value):
        passed += counts[value]
        while len(found) < len(places) and passed >= places[len(found)]:
            found.append(value)
    near, middle, far = found
    return near, middle, far


def field_of_view(photo: Image.Image) -> float | None:
    """Across a photo's longer side, as `gen3d.images.field_of_view` says."""
    width, height = photo.size
    try:
        told = photo.getexif().get_ifd(ExifTags.IFD.Exif)
        focal = told.get(ExifTags.Base.FocalLengthIn35mmFilm)
    except MemoryError:
        raise
    except Exception:  # whatever is wrong with it, the photo is good all the same
        return None
    if not isinstance(focal, int) or not SHORTEST <= focal <= LONGEST:
        return None
    across = FULL_FRAME * max(width, height) / math.hypot(width, height)
    return 2 * math.atan(across / (2 * focal))
