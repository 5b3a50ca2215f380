"""Weights folders are sealed with a manifest, and checked against it before they are used.

``python -m gen3d_inference.weights seal DIR --engine lite`` writes ``manifest.json``;
``python -m gen3d_inference.weights check DIR`` says whether the folder is whole.
"""

import argparse
import hashlib
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gen3d.errors import WeightsInvalid

MANIFEST = "manifest.json"
_UNSEALED = {MANIFEST, "README.md"}
_AGAIN = "Fetch the weights again."
_READERS = 8
"""Files that are read at a time: hashing is bound by one core, reading by the disk."""


class File(BaseModel):
    """One file of the folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sha256: str
    bytes: int


class Manifest(BaseModel):
    """What ``manifest.json`` holds; `files` by their path inside the folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    engine: str
    revision: str
    files: dict[str, File]


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _revision(files: dict[str, File]) -> str:
    lines = "".join(f"{name} {files[name].sha256}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()[:12]


def visible(folder: Path) -> list[Path]:
    """The files that a seal covers; half a download lies in a hidden folder, for example."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.relative_to(folder).as_posix() not in _UNSEALED
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def seal(folder: Path, engine: str) -> Manifest:
    """Write the manifest of everything in `folder` but hidden files and the README beside them.

    Raises
    ------
    WeightsInvalid
        There is nothing to seal.
    """
    files = {
        path.relative_to(folder).as_posix(): File(sha256=_digest(path), bytes=path.stat().st_size)
        for path in visible(folder)
    }
    if not files:
        raise WeightsInvalid(f"{folder} holds no weights to seal. Name the folder they lie in.")
    manifest = Manifest(engine=engine, revision=_revision(files), files=files)
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
    return manifest


def read(folder: Path, engine: str | None = None, revision: str | None = None) -> Manifest:
    """Read a folder's manifest and see that all of its files are there, by their sizes.

    Takes no time, however large the files; `verify` reads them.

    Parameters
    ----------
    folder : Path
        A sealed folder.
    engine, revision : str, optional
        What the folder has to be; any will do where left out.

    Raises
    ------
    WeightsInvalid
        Absent, partial, or of another engine or revision.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError:
        raise WeightsInvalid(f"There is no {MANIFEST} in {folder}. {_AGAIN}") from None
    except ValidationError:
        raise WeightsInvalid(f"{folder / MANIFEST} is not a manifest. {_AGAIN}") from None
    for name, file in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise WeightsInvalid(f"{name} is missing in {folder}. {_AGAIN}")
        if path.stat().st_size != file.bytes:
            raise WeightsInvalid(
                f"{name} in {folder} has {path.stat().st_size} bytes instead of {file.bytes}. "
                f"{_AGAIN}"
            )
    if manifest.revision != _revision(manifest.files):
        raise WeightsInvalid(f"The manifest in {folder} was changed by hand. {_AGAIN}")
    if engine is not None and manifest.engine != engine:
        raise WeightsInvalid(
            f"{folder} holds weights of the {manifest.engine} engine, not of {engine}. "
            "Set GEN3D_ENGINE, or fetch the other weights."
        )
    if revision is not None and manifest.revision != revision:
        raise WeightsInvalid(
            f"{folder} holds revision {manifest.revision}, not {revision}. {_AGAIN}"
        )
    return manifest


def verify(folder: Path, files: Mapping[str, File]) -> None:
    """Hold files against their digests, several at a time.

    Raises
    ------
    WeightsInvalid
        One of them was changed.
    """
    names = sorted(files, key=lambda name: -files[name].bytes)  # the longest first
    with ThreadPoolExecutor(_READERS) as pool:
        digests = pool.map(lambda name: _digest(folder / name), names)
        for name, digest in zip(names, digests, strict=True):
            if digest != files[name].sha256:
                raise WeightsInvalid(
                    f"{name} in {folder} is not the file that was sealed. {_AGAIN}"
                )


def check(folder: Path, engine: str | None = None, revision: str | None = None) -> Manifest:
    """Read a folder's manifest and hold every file against it: `read`, then `verify`.

    Raises
    ------
    WeightsInvalid
        Absent, partial, changed, or of another engine or revision.
    """
    manifest = read(folder, engine, revision)
    verify(folder, manifest.files)
    return manifest


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_inference.weights", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sealing = commands.add_parser("seal", help="write the manifest")
    sealing.add_argument("folder", type=Path)
    sealing.add_argument("--engine", required=True, help="its name: lite, open, sam or another")
    checking = commands.add_parser("check", help="hold the files against the manifest")
    checking.add_argument("folder", type=Path)
    checking.add_argument("--engine")
    checking.add_argument("--revision")
    options = parser.parse_args(arguments)
    try:
        if options.command == "seal":
            manifest = seal(options.folder, options.engine)
        else:
            manifest = check(options.folder, options.engine, options.revision)
    except WeightsInvalid as error:
        print(error.message, file=sys.stderr)
        return 1
    size = sum(file.bytes for file in manifest.files.values())
    print(f"{manifest.engine} {manifest.revision}: {len(manifest.files)} files, {size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
