"""Files that are fetched for the mesh benchmark: the ones that were published, or none."""

import hashlib
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import pytest

from bench.mesh.public import FILES, Public, obtain

FILE = Public("owner/name", 40 * "a", "folder/cat.spz", hashlib.sha256(b"cat").hexdigest())


def test_a_file_is_fetched_once(tmp_path: Path) -> None:
    asked = list[str]()

    def fetch(url: str) -> bytes:
        asked.append(url)
        return b"cat"

    for _ in range(2):
        path, _ = obtain(FILE, tmp_path, fetch)
        assert path is not None
        assert path.read_bytes() == b"cat"
    assert asked == [f"https://raw.githubusercontent.com/owner/name/{40 * 'a'}/folder/cat.spz"]


def test_without_a_network_it_is_skipped(tmp_path: Path) -> None:
    def fetch(url: str) -> bytes:
        raise URLError("Name or service not known")

    path, reason = obtain(FILE, tmp_path, fetch)
    assert path is None
    assert "not known" in reason
    assert not list(tmp_path.iterdir())


def test_another_file_in_its_place_is_not_measured(tmp_path: Path) -> None:
    path, reason = obtain(FILE, tmp_path, lambda _: b"<html>")
    assert path is None
    assert "not the file that was published" in reason


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_is_pinned(file: Public) -> None:
    assert len(file.commit) == 40
    assert len(file.sha256) == 64


def test_what_is_quickly_tested_needs_no_open3d() -> None:
    """It needs Debian packages, which `make quick` does not install."""
    code = "import sys; sys.modules['open3d'] = None; import bench.mesh.public"
    subprocess.run([sys.executable, "-c", code], check=True)
