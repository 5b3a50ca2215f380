"""Python environments that hold what a deployed part holds, and no more.

A requirement that somebody forgot to name is then missing here as it would be in AWS.
"""

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_aws import children
from local_aws.settings import ROOT, LocalError

ENVIRONMENTS = ROOT / ".venvs"
PACKAGES = ENVIRONMENTS / "packages"
"""Beside the environments, so that `make clean` leaves them: nothing is fetched a second time."""
BUILD = ROOT / "build"


_OF_THE_MAKEFILE = {
    ROOT / "requirements" / "lambda.txt": "lambda",
    ROOT / "functions" / "mesh" / "requirements.txt": "mesh",
    ROOT / "container" / "function" / "requirements.txt": "lite",
    ROOT / "container" / "requirements.txt": "container",
}


def environment(requirements: Path) -> Path:
    """Make an environment in `.venvs` that holds exactly these requirements.

    Returns
    -------
    pathlib.Path
        Its Python.

    Raises
    ------
    LocalError
        The requirements cannot be installed.
    """
    other = f"{requirements.parent.name}-{_digest(requirements)[:8]}"
    name = _OF_THE_MAKEFILE.get(requirements, other)
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    ready = folder / ".ready"  # the Makefile makes the same environments, with the same mark
    with _lock(name):
        if not ready.exists() or ready.stat().st_mtime < requirements.stat().st_mtime:
            print(f"Setting up .venvs/{name} (once) ...", flush=True)
            _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
            _uv("pip", "sync", "--quiet", "--python", str(python), str(requirements))
            ready.touch()
    return python


def packages(requirements: Path) -> Path:
    """Install requirements into a folder of its own, as `sam build` does; kept by their content."""
    folder = PACKAGES / _digest(requirements)[:16]
    with _lock("packages"):
        if not folder.exists():
            print(f"Installing what {requirements.parent} asks for (once) ...", flush=True)
            half = folder.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            half.parent.mkdir(parents=True, exist_ok=True)
            _uv("pip", "install", "--quiet", "--compile-bytecode", "--python", sys.executable,
                "--target", str(half), "-r", str(requirements))  # fmt: skip
            half.rename(folder)
    return folder


def _digest(requirements: Path) -> str:
    return hashlib.sha256(sys.version.encode() + requirements.read_bytes()).hexdigest()


def _uv(*arguments: str) -> None:
    # Bytecode that is not compared with its source stays valid when a layer is unpacked.
    environment = os.environ | {"PYC_INVALIDATION_MODE": "UNCHECKED_HASH"}
    command = [sys.executable, "-m", "uv", *arguments]
    done = children.run(command, env=environment)
    if done.returncode:
        raise LocalError(f"uv {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")


@contextmanager
def _lock(name: str) -> Iterator[None]:
    """Two stacks on one checkout do not install the same thing at once."""
    ENVIRONMENTS.mkdir(exist_ok=True)
    with (ENVIRONMENTS / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":  # for `make setup`
    packages(Path(sys.argv[1]).resolve())
