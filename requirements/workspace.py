"""``python requirements/workspace.py .venv``: puts the workspace's packages on its path.

One file of relative paths, and no installation: it asks no network and no build backend, `uv pip
sync` leaves it alone, and it stays true where a checkout is moved, copied or linked to.
"""

import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "gen3d-workspace.pth"


def members(root: Path = ROOT) -> list[Path]:
    """The folders of the workspace's members, as ``pyproject.toml`` names them."""
    config = tomllib.loads((root / "pyproject.toml").read_text())
    patterns = config["tool"]["uv"]["workspace"]["members"]
    return sorted(path.parent for each in patterns for path in root.glob(f"{each}/pyproject.toml"))


def link(environment: Path) -> None:
    """Write the file that Python reads when it starts in an environment."""
    for packages in environment.glob("lib/python3*/site-packages"):
        sources = (os.path.relpath(member / "src", packages) for member in members())
        (packages / NAME).write_text("\n".join(sources) + "\n")


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        link(Path(folder))
