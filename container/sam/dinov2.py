"""DINOv2, which SAM 3D Objects loads through ``torch.hub``: code and weights, laid out for it.

``TORCH_HOME`` names the folder; then ``torch.hub`` finds everything there and downloads nothing.
"""

import hashlib
import tempfile
import zipfile
from pathlib import Path

from gen3d.errors import WeightsUnavailable
from huggingface_hub.file_download import http_get

from container.sam.downloads import Remote, download, explained

FOLDER = "dinov2"
CODE = f"{FOLDER}/hub/facebookresearch_dinov2_main"
"""Named as ``torch.hub`` names the main branch of a repository."""

_COMMIT = "b8931f7bf91576930313be2c6d6af376033b35f0"
ARCHIVE = f"https://github.com/facebookresearch/dinov2/archive/{_COMMIT}.zip"
CODE_DIGEST = "f82bb1c598255d9d8a7416c14e04d65bb4c5b16bbda7a58da7faab0e212a0383"
"""Of the files' names and contents: the archive is packed anew, differently, now and then."""
_WANTED = ("hubconf.py", "LICENSE", "dinov2/")

WEIGHTS = Remote(
    source="DINOv2",
    path=f"{FOLDER}/hub/checkpoints/dinov2_vitl14_reg4_pretrain.pth",
    url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_reg4_pretrain.pth",
    bytes=1_217_607_321,
    digest="36e4deffbaef061a2576705b0c36f93621e2ae20bf6274694821b0b492551b51",
)

_TRUSTED = f"{FOLDER}/hub/trusted_list"
"""``torch.hub`` makes this file where it is missing, which a model folder may not allow."""


def fetch(folder: Path) -> None:
    """Bring DINOv2 into the weights folder; what is there already, whole, stays.

    Raises
    ------
    WeightsUnavailable
    """
    download(WEIGHTS, folder)
    if _digest(folder / CODE) != CODE_DIGEST:
        with explained("DINOv2"):
            _fetch_code(folder / CODE)
    (folder / _TRUSTED).write_text("facebookresearch_dinov2\n")


def paths(folder: Path) -> set[str]:
    """What `fetch` brings, by path inside the weights folder."""
    code = {f"{CODE}/{name}" for name in _contents(folder / CODE)}
    return code | {WEIGHTS.path, _TRUSTED}


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
