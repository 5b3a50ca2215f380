"""The base images: the registry's own, or what stands in for them where no registry answers."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.images.docker import CheckError, Docker, finished

STAND_IN = "stand-in:bookworm"
_PACKAGES = (
    "ca-certificates libbz2-1.0 libexpat1 libffi8 liblzma5 libreadline8 libsqlite3-0 libssl3 "
    "libuuid1 zlib1g python3 python3-venv"
)
_PYTHON = "3.12"
_CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")


def default(dockerfile: Path, argument: str) -> str:
    """Give the base that a Dockerfile names by itself."""
    (name,) = re.findall(rf"^ARG {argument}=(\S+)$", dockerfile.read_text(), re.MULTILINE)
    return str(name)


class Bases:
    """Which image stands for which.

    Attributes
    ----------
    said : list of str
        For the reader: each base, and what stood in for it and why.
    """

    def __init__(self, docker: Docker) -> None:
        self._docker = docker
        self.said: list[str] = []

    def get(self, name: str) -> str:
        """Have a base at hand under the very name that the Dockerfile gives it."""
        try:
            self._docker.run("pull", "--quiet", name)
        except CheckError as error:
            reason = str(error).splitlines()[0][:120]
        else:
            self.said.append(f"{name}: pulled")
            return name
        if not self._docker.run("images", "--quiet", STAND_IN):
            self._make()
        self._docker.run("tag", STAND_IN, name)
        self.said.append(
            f"{name}: NOT asked for, stood in for by Debian bookworm of mmdebstrap with Python "
            f"{self._python()} ({reason})"
        )
        return name

    def _python(self) -> str:
        return self._docker.run(
            "run", "--rm", "--network=host", STAND_IN, "python", "-V"
        ).removeprefix("Python ")

    def _make(self) -> None:
        if not shutil.which("mmdebstrap"):
            raise CheckError("No registry answers, and mmdebstrap is missing: apt-get install it.")
        root, log = self._docker.folder / "base", self._docker.folder / "mmdebstrap.log"
        command = ["mmdebstrap", "--variant=minbase", f"--include={_PACKAGES.replace(' ', ',')}"]
        finished([*command, "bookworm", str(root)], log, self._docker.environment)
        python = this_machines_python()
        if python:
            _copy_python(python, root / "usr" / "local")
        else:
            _use_debians_python(root)
        finished(["chroot", str(root), "ldconfig"], log, self._docker.environment)
        _let_pip_reach_its_index(root)
        packed = f"tar -C {root} -c . | docker import - {STAND_IN}-files"
        finished(["bash", "-o", "pipefail", "-c", packed], log, self._docker.environment)
        # `docker import` sets no variables, and BuildKit takes none from a base without them.
        context = self._docker.folder / "context"
        context.mkdir()
        (context / "Dockerfile").write_text(
            f"FROM {STAND_IN}-files\nENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8\n"
        )
        self._docker.run("build", "--quiet", "--network=host", "--tag", STAND_IN, str(context))
        shutil.rmtree(root)


def this_machines_python() -> Path | None:
    """Where Python 3.12 is installed here, if it is."""
    known = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(known.glob(f"{_PYTHON}.*/bin/python{_PYTHON}"))
    on_path = shutil.which(f"python{_PYTHON}")
    for program in [*map(str, found), *([on_path] if on_path else [])]:
        asked = subprocess.run(
            [program, "-c", "import sys; print(sys.base_prefix)"],
            capture_output=True,
            text=True,
            check=False,
        )
        if not asked.returncode and asked.stdout.strip() != "/usr":
            return Path(asked.stdout.strip())
    return None


def _copy_python(source: Path, target: Path) -> None:
    """Lay an installed Python and its pip into a prefix."""
    library = Path("lib") / f"python{_PYTHON}"

    def left_out(folder: str, names: list[str]) -> set[str]:
        if Path(folder).name == "site-packages":
            return {name for name in names if not name.startswith("pip")}
        return {"__pycache__", "test", "idlelib", "tkinter"}.intersection(names)

    shutil.copytree(source / library, target / library, ignore=left_out, symlinks=True)
    headers = Path("include") / f"python{_PYTHON}"
    shutil.copytree(source / headers, target / headers, dirs_exist_ok=True)
    for shared in (source / "lib").glob("libpython*.so*"):
        shutil.copy2(shared, target / "lib", follow_symlinks=False)
    programs = target / "bin"
    programs.mkdir(exist_ok=True)
    shutil.copy2(source / "bin" / f"python{_PYTHON}", programs)
    for name in ("python", "python3"):
        (programs / name).symlink_to(f"python{_PYTHON}")
    _write_pip(programs)


def _use_debians_python(root: Path) -> None:
    programs = root / "usr" / "local" / "bin"
    (programs / "python").symlink_to("/usr/bin/python3")
    # The image is the environment, as in Docker's own images of Python.
    for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    finished(
        ["chroot", str(root), "python3", "-m", "ensurepip"], root.parent / "pip.log", os.environ
    )
    _write_pip(programs)


def _write_pip(programs: Path) -> None:
    pip = programs / "pip"
    pip.write_text('#!/bin/sh\nexec /usr/local/bin/python -m pip "$@"\n')
    pip.chmod(0o755)


def _let_pip_reach_its_index(root: Path) -> None:
    """Give the stand-in this machine's certificates and index, which go with it at the end."""
    shutil.copy2(Path("/") / _CERTIFICATES, root / _CERTIFICATES)
    lines = ["[global]", f"cert = /{_CERTIFICATES}", "root-user-action = ignore"]
    asked = subprocess.run(
        ["python3", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    for name, value in re.findall(
        r"^(?:global|:env:)\.((?:extra-)?index-url)='(https?:[^']+)'", asked.stdout, re.MULTILINE
    ):
        lines.append(f"{name} = {value}")
    (root / "etc" / "pip.conf").write_text("\n".join(lines) + "\n")
