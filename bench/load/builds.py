"""A build of Gen3D: a checkout whose local stack is run."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.local.running import ROOT, free_port

_REQUIREMENTS = {
    "lambda": "requirements/lambda.txt",
    "mesh": "functions/mesh/requirements.txt",
    "lite": "container/function/requirements.txt",
    "container": "container/requirements.txt",
}
_END_SECONDS = 60


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Another commit in a folder of its own, with this one's environments where they fit."""
    folder = ROOT / "build" / "load" / commit
    _drop(folder)
    git = ["git", "-C", str(ROOT), "worktree", "add", "--quiet", "--detach", str(folder), commit]
    subprocess.run(git, check=True)
    try:
        (folder / ".venvs").mkdir()
        for name, file in _REQUIREMENTS.items():
            theirs = folder / file
            if theirs.exists() and theirs.read_bytes() == (ROOT / file).read_bytes():
                (folder / ".venvs" / name).symlink_to((ROOT / ".venvs" / name).resolve())
                os.utime(folder / file, (0, 0))  # or the newer file would have it made anew
        yield folder
    finally:
        _drop(folder)


def _drop(folder: Path) -> None:
    git = ["git", "-C", str(ROOT), "worktree", "remove", "--force", str(folder)]
    subprocess.run(git, check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


_WITH_ROUTES = ("src/gen3d_api/routes.py", "src/gen3d_api/handler.py", "api.py")
"""Where a build's API has its routes, the newest first."""


def cancels(root: Path) -> bool:
    """Whether a build's API has a call to cancel; the first DELETE did it before."""
    return "/cancel" in _first(root / "functions" / "api", *_WITH_ROUTES).read_text()


def _first(folder: Path, *names: str) -> Path:
    """The first of these files that is there."""
    return next(folder / name for name in names if (folder / name).exists())


class Running:
    """A build's local stack, on a port and with a folder of its own."""

    def __init__(self, root: Path, folder: Path, module: str = "") -> None:
        self._folder = folder
        port = free_port()
        self.url = f"http://localhost:{port}"
        # A build from before the workspace is one folder; its own packages go before this one's.
        module = module or ("gen3d_local" if (root / "local" / "src").exists() else "local")
        sources = [str(path) for path in (root, *root.glob("*/src"), *root.glob("*/*/src"))]
        command = [sys.executable, "-m", module, "up", "--port", str(port)]
        command += ["--folder", str(folder), "--template", str(root / "template.yaml")]
        self._process = subprocess.Popen(
            command,
            cwd=root,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sources)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if "Ctrl-C" in line:
                return
        raise RuntimeError(f"The stack did not start: {said}")

    def stop(self) -> None:
        """End it and what it started."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def mails(self) -> list[dict[str, object]]:
        """Every mail that was sent."""
        return list(httpx.get(f"{self.url}/_gen3d/mail.json", timeout=60).json()["mails"])

    def settle(self, seconds: float) -> None:
        """Let it rest."""
        time.sleep(seconds)
