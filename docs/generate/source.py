"""Files of the repository as code blocks."""

import re
from pathlib import Path

from docs.generate.parts import DocumentError

_LANGUAGES = {
    ".py": "python",
    ".ts": "ts",
    ".tsx": "tsx",
    ".css": "css",
    ".html": "html",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".svg": "xml",
    ".toml": "toml",
    ".txt": "text",
}


def blocks(root: Path, *patterns: str) -> str:
    """The text of files, each under its path, in the order of the patterns and of their paths.

    Raises
    ------
    DocumentError
        A pattern names no file.
    """
    paths: list[Path] = []
    for pattern in patterns:
        found = sorted(path for path in root.glob(pattern) if path.is_file())
        if not found:
            raise DocumentError(f"source {pattern}: there is no such file.")
        paths += [path for path in found if path not in paths]
    return "\n\n".join(_block(path, path.relative_to(root).as_posix()) for path in paths)


def _block(path: Path, name: str) -> str:
    text = path.read_text().rstrip("\n")
    language = "dockerfile" if path.name == "Dockerfile" else _LANGUAGES.get(path.suffix, "text")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"#### `{name}`\n\n{fence}{language}\n{text}\n{fence}"
