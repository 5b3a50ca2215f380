"""The builds as the project makes them: SAM's of the functions, the buildspec's of the others."""

import os
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import yaml

from tests.images.base import Bases, default
from tests.images.docker import CheckError, Docker, finished

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_SAM = ROOT / ".venvs" / "sam-cli"

# SAM builds through Docker's SDK, which nothing but its caller tells to use the host's network.
_ON_THE_HOSTS_NETWORK = """
from docker.api.build import BuildApiMixin as _Api

def _build(self, *arguments, _whole=_Api.build, **options):
    return _whole(self, *arguments, **{**options, "network_mode": "host"})

_Api.build = _build
"""

# What the buildspec calls: Docker, told to share the host's network; and ECR, answered by the
# registry that was pushed to.
_DOCKER = """#!/bin/bash
PATH=${PATH#*:}
if [ "$1 $2" = "buildx build" ]; then set -- buildx build --network=host "${@:3}"; fi
exec docker "$@"
"""
_AWS = """#!/bin/bash
for word in "$@"; do case $word in imageTag=*) tag=${word#imageTag=} ;; esac; done
curl -fsS -o /dev/null -w '%{content_type}' -H "Accept: $ACCEPT" \
  "http://${REPOSITORY%%/*}/v2/${REPOSITORY#*/}/manifests/$tag"
"""
_KINDS = (
    MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)


@dataclass(frozen=True)
class Built:
    """An image and what building it took."""

    name: str
    seconds: float
    bytes: int
    manifest: str
    """Media type of what was pushed."""


@dataclass(frozen=True)
class Function:
    """A function that is an image, as the template names it."""

    name: str
    dockerfile: Path
    tag: str


MESH = Function("MeshFunction", ROOT / "functions" / "mesh" / "Dockerfile", "mesh")
LITE = Function("LiteFunction", ROOT / "container" / "function" / "Dockerfile", "lite")


def function(docker: Docker, bases: Bases, made: Function) -> Built:
    """Build a function's image by ``sam build``."""
    bases.get(default(made.dockerfile, "BASE"))
    environment = {**docker.environment, "SAM_CLI_TELEMETRY": "0"}
    if docker.own:
        hook = docker.folder / "sam"
        hook.mkdir(exist_ok=True)
        (hook / "sitecustomize.py").write_text(_ON_THE_HOSTS_NETWORK)
        environment["PYTHONPATH"] = str(hook)
    start = time.monotonic()
    command = [str(_SAM / "bin" / "python"), "-m", "samcli", "build", made.name]
    command += ["--template", str(ROOT / "template.yaml")]
    command += ["--build-dir", str(docker.folder / f"{made.name}-build")]
    finished(command, docker.folder / f"{made.name}-build.log", environment)
    seconds = time.monotonic() - start
    name = f"{made.name.lower()}:{made.tag}"
    pushed = f"{docker.registry}/{name}"
    docker.run("tag", name, pushed)
    docker.run("push", "--quiet", pushed)
    return Built(name, seconds, _size(docker, name), _manifest(pushed))


def inference(docker: Docker, bases: Bases, engine: str) -> Built:
    """Build and push an engine's image by the buildspec's own lines.

    Raises
    ------
    CheckError
        A line failed; or what was pushed is no manifest that SageMaker takes.
    """
    base = bases.get(default(ROOT / "container" / "Dockerfile", f"{engine.upper()}_BASE"))
    programs = docker.folder / f"programs-{engine}"
    programs.mkdir()
    for name, text in {"docker": _DOCKER if docker.own else "", "aws": _AWS}.items():
        if text:
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
    name = f"{docker.registry}/gen3d:{engine}"
    environment = {
        **docker.environment,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "ENGINE": engine,
        "BASE": base,
        "REPOSITORY": name.rpartition(":")[0],
        "TAG": engine,
        "CONTAINER_IMAGE": name,
        "ACCEPT": ", ".join(_KINDS),
    }
    spec = yaml.safe_load((ROOT / "container" / "buildspec.yml").read_text())
    script = "\n".join(["set -e", f"cd {shlex.quote(str(ROOT))}"])
    script = "\n".join([script, *spec["phases"]["build"]["commands"]])
    start = time.monotonic()
    finished(["bash", "-c", script], docker.folder / f"build-{engine}.log", environment)
    seconds = time.monotonic() - start
    if not docker.run("images", "--quiet", name):
        docker.run("pull", "--quiet", name)
    built = Built(name, seconds, _size(docker, name), _manifest(name))
    if built.manifest != MANIFEST:
        raise CheckError(f"SageMaker does not take {engine}'s manifest: {built.manifest}")
    return built


def _size(docker: Docker, name: str) -> int:
    return int(docker.image(name)["Size"])


def _manifest(name: str) -> str:
    """Media type of a pushed image's manifest."""
    registry, _, rest = name.partition("/")
    repository, _, tag = rest.rpartition(":")
    asked = Request(
        f"http://{registry}/v2/{repository}/manifests/{tag}",
        headers={"Accept": ", ".join(_KINDS)},
    )
    with urlopen(asked, timeout=30) as answer:
        return str(answer.headers["Content-Type"])
