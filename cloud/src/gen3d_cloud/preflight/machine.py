"""The programs that a deployment is made with."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from gen3d_cloud.checks import Check
from gen3d_cloud.preflight import verdicts

ROOT = Path(__file__).resolve().parents[4]

Run = Callable[..., str | None]
"""Runs a command; gives what it says, or None where it is not there or fails."""


def run(*command: str) -> str | None:
    """Run a command here."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout + done.stderr if done.returncode == 0 else None


def checks(run: Run) -> Iterator[Check]:
    """Look at each program."""
    here = ".".join(map(str, sys.version_info[:3]))
    yield verdicts.program("Python", here, (3, 11), "Everything needs it.", "set PYTHON=")
    functions = run("python3.12", "--version")
    if functions is None:
        says = "It is not on the PATH, where `sam build` looks for the functions' interpreter."
        yield Check("Python 3.12", False, says, "install it, or sam build --use-container")
    else:
        yield Check("Python 3.12", True, f"{functions.split()[-1]}.")
    yield verdicts.node(run("node", "--version"))
    yield verdicts.program(
        "git", run("git", "--version"), (2,), "An image is built of a commit.", "install git"
    )
    install = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
    yield verdicts.program(
        "AWS CLI", run("aws", "--version"), (2,), "The documented commands use it.", install
    )
    pinned = re.search(
        r"^aws-sam-cli==(\S+)", (ROOT / "requirements" / "sam-cli.txt").read_text(), re.MULTILINE
    )
    least = verdicts.version(pinned[1]) if pinned else ()
    yield verdicts.program(
        "SAM CLI",
        run("sam", "--version"),
        least,
        "It builds and deploys.",
        'make lint && PATH="$PWD/.venvs/sam-cli/bin:$PATH"',
    )
    daemon = run("docker", "version", "--format", "{{.Server.Version}}")
    yield verdicts.program(
        "Docker",
        daemon,
        (20, 10),
        "`sam build` makes the mesh function's image with it.",
        "start Docker, or install it: https://docs.docker.com/engine/install/",
    )
    if daemon is not None and run("docker", "buildx", "version") is None:
        says = "It is not there. Only who builds the inference image by hand needs it."
        yield Check("BuildKit", None, says, "install docker-buildx-plugin")
    elif daemon is not None:
        yield Check("BuildKit", True, "It is there.")
