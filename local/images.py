"""Stands in for container images: a Dockerfile is read, its files are laid out, its command is run.

What `COPY`, `ENV`, `WORKDIR`, `ENTRYPOINT` and `CMD` say is done as they say. `FROM` and `RUN` are
stood in for by a Python environment that holds the part's requirements, for they build a system of
which only Python matters here. The container's root is a folder, so absolute paths in `ENV` and
`WORKDIR` are moved below it.
"""

import json
import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from local.settings import LocalError


@dataclass
class Image:
    """What is left of a Dockerfile: a folder, variables, and a command."""

    root: Path
    python: Path
    environment: dict[str, str] = field(default_factory=dict)
    workdir: Path = Path("/")
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def variables(self) -> dict[str, str]:
        """The variables of `ENV`, and a PATH on which `python` is the image's."""
        moved = {name: self._moved(value) for name, value in self.environment.items()}
        return moved | {"PATH": f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin"}

    def start(self, command: list[str] | None = None) -> list[str]:
        """The words that start the image, with another command where one is given."""
        words = self.command if command is None else command
        return [self._moved(word) for word in self.entrypoint + words]

    def inside(self, path: Path) -> Path:
        """Where an absolute path of the container lies here."""
        return self.root / path.relative_to("/")

    def _moved(self, value: str) -> str:
        parts = value.split(":")
        return ":".join(
            str(self.inside(Path(part)))
            if part.startswith("/") and self.inside(Path(part)).exists()
            else part
            for part in parts
        )


def assemble(dockerfile: Path, context: Path, root: Path, python: Path) -> Image:
    """Lay out the last stage of a Dockerfile.

    Parameters
    ----------
    dockerfile, context : pathlib.Path
        As `docker build -f dockerfile context` takes them.
    root : pathlib.Path
        Folder to fill; emptied before.
    python : pathlib.Path
        The interpreter that stands in for `FROM` and `RUN`.

    Raises
    ------
    LocalError
        The Dockerfile is missing, or has a line that cannot be stood in for.
    """
    if not dockerfile.exists():
        raise LocalError(f"{dockerfile} is missing; the template names it as an image's source.")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    image = Image(root, python)
    for instruction, rest in _instructions(dockerfile.read_text()):
        match instruction:
            case "FROM":
                image = Image(root, python)
            case "ENV":
                for word in shlex.split(rest):
                    name, _, value = word.partition("=")
                    image.environment[name] = _expand(value, image.environment)
            case "WORKDIR":
                image.workdir = image.workdir / _expand(rest, image.environment)
                image.inside(image.workdir).mkdir(parents=True, exist_ok=True)
            case "COPY":
                _copy(rest, context, image)
            case "ENTRYPOINT":
                image.entrypoint, image.command = _words(rest), []
            case "CMD":
                image.command = _words(rest)
            case "ADD" | "ONBUILD" | "VOLUME":
                raise LocalError(f"{dockerfile.name} uses {instruction}; use COPY and ENV instead.")
    return image


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    pairs = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [(name.upper(), rest.strip()) for name, _, rest in pairs]


def _copy(rest: str, context: Path, image: Image) -> None:
    flags = [word for word in shlex.split(rest) if word.startswith("--")]
    if any(flag.startswith("--from") for flag in flags):
        return  # another stage's or image's files belong to the system that `FROM` and `RUN` build
    *sources, target = [word for word in _words(rest) if not word.startswith("--")]
    target = _expand(target, image.environment)
    into = image.inside(image.workdir / target)
    for pattern in sources:
        found = sorted(context.glob(pattern)) if pattern not in (".", "./") else [context]
        if not found:
            raise LocalError(f"COPY {pattern}: there is no such file in {context}.")
        for source in found:
            if source.is_dir():
                skip = shutil.ignore_patterns("__pycache__", "*.pyc")
                shutil.copytree(source, into, ignore=skip, dirs_exist_ok=True)
            else:
                place = into / source.name if target.endswith("/") or len(found) > 1 else into
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, place)


def _words(rest: str) -> list[str]:
    if rest.startswith("["):
        return [str(word) for word in json.loads(rest)]
    return shlex.split(rest)


def _expand(text: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda m: variables.get(m[1], ""), text)
