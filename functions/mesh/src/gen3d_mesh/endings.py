"""Which format a file's name asks for, and what has to be installed to write it.

No library is imported for it, so that a slip of the keys is named at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from gen3d.formats import EVERY_MESH_FORMAT

FORMATS = tuple(EVERY_MESH_FORMAT)
"""Endings: those that a job's files have, and those that need an extra."""

_EXTRAS = {
    "meshopt.glb": ("meshopt", "meshopt", "meshopt"),
    "3mf": ("3mf", "lib3mf", "lib3mf"),
    "usdz": ("usdz", "usd-core", "pxr"),
}
"""Formats that need an extra: its name, its library's, and its module's."""


class NotInstalled(Exception):
    """The library of an extra is not installed; the message says how it is."""


@contextmanager
def extra(name: str, reason: str) -> Iterator[None]:
    """Say what to install where something within is not there.

    Parameters
    ----------
    name : str
        Of the extra.
    reason : str
        What needs it, as the first half of a sentence.

    Raises
    ------
    NotInstalled
    """
    try:
        yield
    except ImportError as error:
        install = f"pip install 'gen3d-mesh[{name}]'"
        if "cannot open shared object file" in str(error):
            # The package itself is there, and links to what a system without a screen lacks.
            install = "on Debian, apt-get install libgl1 libopengl0 libgomp1"
        raise NotInstalled(
            f"{reason}, which is not there ({error}). Install it: {install}."
        ) from None


def needed(ending: str) -> tuple[str, str]:
    """The extra that a format needs, and why."""
    name, library, _ = _EXTRAS[ending]
    return name, f"A .{ending} is written by {library}"


def require(ending: str | None) -> None:
    """Look whether a format's library is there, before a mesh is made for it.

    Raises
    ------
    NotInstalled
    """
    if ending in _EXTRAS:
        with extra(*needed(ending)):
            import_module(_EXTRAS[ending][2])


def ending_of(path: Path) -> str | None:
    """Which of `FORMATS` a file's name asks for: the longest that fits."""
    name = path.name.lower()
    fitting = [ending for ending in FORMATS if name.endswith(f".{ending}")]
    return max(fitting, key=len, default=None)
