"""DINOv2's code, which SAM 3D Objects runs. Its weights are in that one's own checkpoints."""

import hashlib
import tempfile
import zipfile
from pathlib import Path

from huggingface_hub.file_download import http_get

from gen3d.errors import WeightsUnavailable
from gen3d_inference.engines.parts.downloads import explained

CODE = "dinov2"
"""Inside the weights folder."""

_COMMIT = "b8931f7bf91576930313be2c6d6af376033b35f0"
ARCHIVE = f"https://github.com/facebookresearch/dinov2/archive/{_COMMIT}.zip"
CODE_DIGEST = "f82bb1c598255d9d8a7416c14e04d65bb4c5b16bbda7a58da7faab0e212a0383"
"""Of the files' names and contents: the archive is packed anew, differently, now and then."""
_WANTED = ("hubconf.py", "LICENSE", "dinov2/")


def fetch(folder: Path) -> None:
    """Bring the code into the weights folder; what is there already, whole, stays.

    Raises
    ------
    WeightsUnavailable
    """
    if _digest(folder / CODE) != CODE_DIGEST:
        with explained("DINOv2"):
            _fetch_code(folder / CODE)


def paths(folder: Path) -> set[str]:
    """What `fetch` brings, by path inside the weights folder."""
    return {f"{CODE}/{name}" for name in _contents(folder / CODE)}


def _fetch_code(target: Path) -> None:
    with tempfile.TemporaryFile() as archive:
        http_get(ARCHIVE, archive)
        try:
            files = _read(zipfile.ZipFile(archive))
        except zipfile.BadZipFile:
            files = {}
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if _digest(target) != CODE_DIGEST:
        raise WeightsUnavailable(
            f"{ARCHIVE} holds other code than was reviewed. Remove {target} and run this again; if "
            "it stays so, somebody on the way changes it."
        )


def _read(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """The wanted files, without the folder that all of them lie in."""
    named = {info.filename.partition("/")[2]: info for info in archive.infolist()}
    return {
        name: archive.read(info)
        for name, info in named.items()
        if name.startswith(_WANTED) and not info.is_dir() and ".." not in Path(name).parts
    }


def _contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _digest(folder: Path) -> str:
    contents = _contents(folder)
    lines = "".join(f"{name} {contents[name]}\n" for name in sorted(contents))
    return hashlib.sha256(lines.encode()).hexdigest()
