"""``python -m container.tests.sam.objects.checkouts FOLDER``: fetches upstream's code by Git.

At the commits that the image installs and the weights come with; what is there stays. Prints
what ``GEN3D_SAM3D_SOURCE`` has to be, or, where nothing can be fetched, why, and ends with 1.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
DOCKERFILE = ROOT / "container" / "Dockerfile"
DINOV2 = ROOT / "container/src/gen3d_inference/engines/sam/dinov2.py"
SECONDS = 180
"""For one repository."""


def pins() -> dict[str, str]:
    """Commits by the addresses of their repositories."""
    addresses = r"(https://github\.com/[\w-]+/[\w-]+)"
    installed = DOCKERFILE.read_text()
    found = re.findall(rf"git\+{addresses}@([0-9a-f]{{40}})", installed)
    found += re.findall(rf"fetch -q --depth 1 {addresses} \\\s+([0-9a-f]{{40}})", installed)
    commit = re.search(r'_COMMIT = "([0-9a-f]{40})"', DINOV2.read_text())
    assert commit is not None
    return {**dict(found), "https://github.com/facebookresearch/dinov2": commit[1]}


def fetch(folder: Path, address: str, commit: str) -> Path:
    """Have a checkout of a repository at a commit.

    Raises
    ------
    OSError
        There is no Git.
    subprocess.SubprocessError
        It cannot be fetched from here.
    """
    checkout = folder / address.rpartition("/")[2]

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", checkout, *words],
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            check=True,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        ).stdout.strip()

    checkout.mkdir(parents=True, exist_ok=True)
    git("init", "-q")
    try:
        if git("rev-parse", "-q", "--verify", "HEAD") == commit:
            return checkout
    except subprocess.CalledProcessError:
        pass  # nothing is checked out yet
    git("fetch", "-q", "--depth", "1", address, commit)
    git("checkout", "-q", "--force", "FETCH_HEAD")
    return checkout


def main(folder: Path) -> None:
    """Fetch all of them."""
    try:
        checkouts = [fetch(folder, address, commit) for address, commit in pins().items()]
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        sys.exit(f"Upstream's code cannot be fetched here: {said.strip()}")
    print(os.pathsep.join(map(str, checkouts)))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
