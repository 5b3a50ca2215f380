"""A function in an image."""

import os
from pathlib import Path
from typing import Any


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Lambda's entry point."""
    return {
        "data": os.environ["DATA"],
        "cache": os.environ["CACHE"],
        "plain": os.environ["PLAIN"],
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "folder": sorted(path.name for path in Path.cwd().iterdir() if path.name != "__pycache__"),
    }
