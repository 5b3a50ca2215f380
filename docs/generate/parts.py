"""Generated parts of a document, and the tables that they are made of."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

Part: TypeAlias = Callable[..., str]
"""Gives a part's Markdown; takes the words after its name as strings."""

_OPENING = "<!-- generated: "
_END = "<!-- end -->"
_PART = re.compile(rf"^{_OPENING}(?P<order>.+?) -->\n.*?^{_END}$", re.MULTILINE | re.DOTALL)


class DocumentError(Exception):
    """A document or the data beside it has to be corrected by hand; the message says where."""


def fill(text: str, known: Mapping[str, Part], document: str) -> str:
    """Replace every generated part of a document.

    Parameters
    ----------
    text : str
        The document.
    known : mapping
        Parts by their names.
    document : str
        Its name, for messages.

    Raises
    ------
    DocumentError
        A part is unknown or has no end, or what it is made from is not there.
    """

    def made(match: re.Match[str]) -> str:
        name, *arguments = shlex.split(match["order"])
        if name not in known:
            raise DocumentError(f"{document}: there is no part {name!r}; see docs/generate.")
        content = known[name](*arguments)
        if _END in content:
            raise DocumentError(f"{document}: {match['order']} holds {_END!r}, which would end it.")
        return f"{_OPENING}{match['order']} -->\n\n{content.strip()}\n\n{_END}"

    if len(_PART.findall(text)) != text.count(_OPENING):
        raise DocumentError(f"{document}: a generated part lacks its {_END!r}.")
    return _PART.sub(made, text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(text: str) -> str:
    """Text in a fixed width, as it is."""
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
