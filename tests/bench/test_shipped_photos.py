"""Photos that other packages ship are those that were outlined, or are refused."""

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench.lite.photos import drawn
from bench.lite.shipped import OUTLINES, NotAsOutlined, lay_out

PHOTOS = {"data/cup.jpg": {"sha256": hashlib.sha256(b"a cup").hexdigest(), "objects": {}}}


def archive(folder: Path, kind: str, content: bytes) -> Path:
    """A package that ships one photo."""
    path = folder / f"package-1.{kind}"
    if kind == "whl":
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("package/data/cup.jpg", content)
    else:
        with tarfile.open(path, "w:gz") as source:
            member = tarfile.TarInfo("package-1/data/cup.jpg")
            member.size = len(content)
            source.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("kind", ["whl", "tar.gz"])
def test_an_outlined_photo_is_laid_out(tmp_path: Path, kind: str) -> None:
    lay_out(archive(tmp_path, kind, b"a cup"), PHOTOS, tmp_path / "laid")
    assert (tmp_path / "laid" / "cup.jpg").read_bytes() == b"a cup"


@pytest.mark.parametrize("kind", ["whl", "tar.gz"])
def test_another_picture_under_its_name_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(NotAsOutlined, match="is another picture"):
        lay_out(archive(tmp_path, kind, b"a mug"), PHOTOS, tmp_path / "laid")
    with pytest.raises(NotAsOutlined, match=r"other\.jpg is missing"):
        lay_out(archive(tmp_path, kind, b"a cup"), {"data/other.jpg": {}}, tmp_path / "laid")


def test_sixty_objects_are_outlined_in_pinned_packages() -> None:
    packages = json.loads(OUTLINES.read_text())
    objects = [
        one
        for photos in packages.values()
        for photo in photos.values()
        for one in photo["objects"].values()
    ]
    assert len(objects) >= 60
    assert all(len(polygon) >= 8 for one in objects for polygon in one)
    assert all("==" in package for package in packages)


def test_what_is_seen_through_an_object_is_not_in_its_mask() -> None:
    ring: list[list[float]] = [
        [1, 1],
        [9, 1],
        [9, 9],
        [1, 9],
        [1, 1],
        [3, 3],
        [7, 3],
        [7, 7],
        [3, 7],
        [3, 3],
    ]
    (target,) = drawn({"ring": [ring]}, (11, 11))
    assert target.mask[2, 5]
    assert not target.mask[5, 5]
    assert np.count_nonzero(target.mask) > 40
