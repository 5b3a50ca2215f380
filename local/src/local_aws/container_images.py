"""Stands in for container images: a Dockerfile is read, its files laid out, its command run.

What `COPY`, `ENV`, `WORKDIR`, `ENTRYPOINT` and `CMD` say is done, and so is a `RUN` that starts
Python. `FROM` and every other `RUN` are stood in for by a Python environment that holds the part's
requirements, for they build a system of which only Python matters here. The container's root is a
folder, so absolute paths are moved below it, and below a scratch folder where they begin with
``/tmp``.
"""

import fcntl
import hashlib
import json
import logging
import os
import re
import shlex
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_aws import children
from local_aws.settings import LocalError

log = logging.getLogger(__name__)

_BUILT = ".built"


@dataclass
class ContainerImage:
    """What is left of a Dockerfile: a folder, variables, and a command."""

    root: Path
    python: Path
    environment: dict[str, str] = field(default_factory=dict)
    workdir: Path = Path("/")
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    runs: list[tuple[dict[str, str], list[str]]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The folder in which the image starts."""
        return self.inside(self.workdir)

    def variables(self, scratch: Path) -> dict[str, str]:
        """The variables of `ENV`, and a PATH on which `python` is the image's.

        Parameters
        ----------
        scratch : pathlib.Path
            Stands in for ``/tmp``.
        """
        moved = {name: self._moved(value, scratch) for name, value in self.environment.items()}
        own = {"PATH": f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(scratch)}
        return moved | own

    def start(self, command: list[str]) -> list[str]:
        """The words that start the image with a command."""
        return self.entrypoint + command

    def build(self) -> None:
        """Run what `RUN` starts, once for equal files; whoever comes later waits.

        Raises
        ------
        LocalError
            It failed.
        """
        built = self.root / _BUILT
        with _lock(self.root.parent, self.root.name):
            if built.exists():
                return
            scratch = self.root / "tmp"
            scratch.mkdir(exist_ok=True)
            for environment, words in self.runs:
                variables = ContainerImage(self.root, self.python, environment).variables(scratch)
                log.info("Running %s in %s", shlex.join(words), self.root.name)
                gives_way = ["nice", "-n", str(children.LOW), *words]
                done = children.run(gives_way, cwd=self.folder, env=variables)
                if done.returncode:
                    reason = done.stderr.strip()[-500:]
                    raise LocalError(f"RUN {shlex.join(words)} failed: {reason}")
            built.touch()

    def build_ahead(self) -> threading.Thread:
        """Build beside what goes on; a failure is logged, and met again by whoever needs it."""

        def build() -> None:
            try:
                self.build()
            except LocalError:
                log.warning("%s is built again when it is needed", self.root.name, exc_info=True)

        thread = threading.Thread(target=build, daemon=True)
        thread.start()
        return thread

    def inside(self, path: Path) -> Path:
        """Where an absolute path of the container lies here."""
        return self.root / path.relative_to("/")

    def _moved(self, value: str, scratch: Path) -> str:
        return ":".join(self._moved_path(part, scratch) for part in value.split(":"))

    def _moved_path(self, text: str, scratch: Path) -> str:
        path = Path(text)
        if not path.is_absolute():
            return text
        if path.is_relative_to("/tmp"):  # noqa: S108  the container's own, which nobody shares
            return str(scratch / path.relative_to("/tmp"))  # noqa: S108
        known = self.inside(path).exists() or (
            path.parent != Path("/") and self.inside(path.parent).exists()
        )
        return str(self.inside(path)) if known else text


def assemble(dockerfile: Path, context: Path, builds: Path, python: Path) -> ContainerImage:
    """Lay out the last stage of a Dockerfile, and the stages that it is made from.

    Arguments have their defaults; the same files give the same folder.

    Parameters
    ----------
    dockerfile, context : pathlib.Path
        As `docker build -f dockerfile context` takes them.
    builds : pathlib.Path
        Folder of all builds.
    python : pathlib.Path
        The interpreter that stands in for `FROM` and `RUN`.

    Raises
    ------
    LocalError
        The Dockerfile is missing, or has a line that cannot be stood in for.
    """
    if not dockerfile.exists():
        raise LocalError(f"{dockerfile} is missing; the template names it as an image's source.")
    builds.mkdir(parents=True, exist_ok=True)
    name = dockerfile.parent.name
    with _lock(builds, name):
        half = builds / f"{name}.half"
        shutil.rmtree(half, ignore_errors=True)
        image = _lay_out(dockerfile, context, ContainerImage(half, python))
        root = builds / f"{name}-{_digest(half, dockerfile)}"
        if not root.exists():
            half.rename(root)
        image.root = root
    return image


def _lay_out(dockerfile: Path, context: Path, image: ContainerImage) -> ContainerImage:
    image.root.mkdir()
    arguments, instructions = _last_stage(_instructions(dockerfile.read_text()))
    for instruction, rest in instructions:
        match instruction:
            case "ENV":
                for word in shlex.split(rest):
                    name, _, value = word.partition("=")
                    image.environment[name] = _expand(value, arguments | image.environment)
            case "WORKDIR":
                image.workdir = image.workdir / _expand(rest, image.environment)
                image.folder.mkdir(parents=True, exist_ok=True)
            case "COPY":
                _copy(rest, context, image)
            case "RUN":
                _remember_run(rest, image)
            case "ENTRYPOINT":
                image.entrypoint, image.command = _words(rest), []
            case "CMD":
                image.command = _words(rest)
            case "ADD" | "ONBUILD" | "VOLUME":
                raise LocalError(f"{dockerfile} uses {instruction}; use COPY and ENV instead.")
    return image


def _last_stage(
    instructions: list[tuple[str, str]],
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The arguments' defaults, and what the last stage and those below it say, from the ground."""
    arguments: dict[str, str] = {}
    stages: dict[str, list[tuple[str, str]]] = {}
    last: list[tuple[str, str]] = []
    for instruction, rest in instructions:
        if instruction == "ARG":
            name, _, default = rest.partition("=")
            arguments.setdefault(name, default)
        elif instruction == "FROM":
            base, _, name = _expand(rest, arguments).partition(" AS ")
            last = stages[name] = list(stages.get(base, []))
        else:
            last.append((instruction, rest))
    return arguments, last


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    pairs = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [(name.upper(), rest.strip()) for name, _, rest in pairs]


def _copy(rest: str, context: Path, image: ContainerImage) -> None:
    words = _words(rest)
    if any(word.startswith("--from") for word in words):
        return  # another stage's or image's files belong to the system that `FROM` and `RUN` build
    *sources, target = [word for word in words if not word.startswith("--")]
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


def _remember_run(rest: str, image: ContainerImage) -> None:
    words = shlex.split(_expand(rest, image.environment))
    assigned = {}
    while words and re.fullmatch(r"\w+=.*", words[0]):
        name, _, value = words.pop(0).partition("=")
        assigned[name] = value
    if words and words[0] == "python":
        image.runs.append((image.environment | assigned, words))


@contextmanager
def _lock(builds: Path, name: str) -> Iterator[None]:
    """Two stacks on one checkout do not build the same thing at once."""
    with (builds / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _digest(root: Path, dockerfile: Path) -> str:
    total = hashlib.sha256(dockerfile.read_bytes())
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            total.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return total.hexdigest()[:12]


def _words(rest: str) -> list[str]:
    if rest.startswith("["):
        return [str(word) for word in json.loads(rest)]
    return shlex.split(rest)


def _expand(text: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda m: variables.get(m[1], ""), text)
