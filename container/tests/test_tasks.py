"""What a job's objects share."""

import pytest
from PIL import Image

from gen3d_inference import tasks


def test_a_photo_is_decoded_once_for_the_objects_that_come_one_after_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: list[bytes] = []

    def read(file: bytes) -> Image.Image:
        decoded.append(file)
        return Image.new("RGB", (2, 2), file[0])

    monkeypatch.setattr(tasks, "read_photo", read)
    photos = tasks._Photos()
    for file in (b"a", b"a", b"b", b"b", b"a"):
        photo = photos.read(bytes(bytearray(file)))
        assert photo.getpixel((0, 0)) == Image.new("RGB", (1, 1), file[0]).getpixel((0, 0))
    assert decoded == [b"a", b"b", b"a"]
