"""What is said of a photo before it is sent."""

import io
from pathlib import Path

import pytest
from PIL import Image

from gen3d_client.clicks import Size
from gen3d_client.errors import ApiClientError
from gen3d_client.photos import media_type, size

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def saved(kind: str, turn: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = turn
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48)).save(buffer, kind, exif=exif.tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_photo_is_known_by_its_bytes(tmp_path: Path, kind: str) -> None:
    photo = tmp_path / "photo.dat"
    photo.write_bytes(saved(kind))
    assert media_type(photo) == f"image/{kind.lower()}"


@pytest.mark.parametrize(
    ("kind", "seen"), [("JPEG", (48, 64)), ("WEBP", (64, 48)), ("AVIF", (48, 64))]
)
def test_a_photo_is_as_large_as_it_is_shown(tmp_path: Path, kind: str, seen: Size) -> None:
    photo = tmp_path / "photo.dat"
    photo.write_bytes(saved(kind, turn=6))
    assert size(photo) == seen


@pytest.mark.parametrize(
    ("start", "says"),
    [(HEIC, "HEIC photo. Save it as JPEG"), (b"ftyp" * 9, "is no photo"), (b"", "no photo")],
)
def test_what_is_not_sent_is_told_of(tmp_path: Path, start: bytes, says: str) -> None:
    photo = tmp_path / "IMG_1.HEIC"
    photo.write_bytes(start)
    with pytest.raises(ApiClientError, match=says):
        media_type(photo)
