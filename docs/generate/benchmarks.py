"""Tables of the benchmarks' results, as they stand there."""

import re
from collections.abc import Iterator
from pathlib import Path

from docs.generate.parts import DocumentError


def rows(root: Path, page: str, number: str, *firsts: str) -> str:
    """A table of a page of results, or some of its rows.

    Parameters
    ----------
    root : pathlib.Path
        The repository's.
    page : str
        The page's path.
    number : str
        Which of its tables, from 1; from the last one where it is negative.
    *firsts : str
        First cells of the rows that are wanted; all rows where there are none.

    Raises
    ------
    DocumentError
        There is no such table, or a row that is wanted is not in it.
    """
    tables = list(_tables((root / page).read_text()))
    place = int(number) - 1 if int(number) > 0 else int(number) + len(tables)
    if not 0 <= place < len(tables):
        raise DocumentError(f"{page} has {len(tables)} tables, and no number {number}.")
    head, rule, *body = tables[place]
    there = [row.strip("|").split("|")[0].strip() for row in body]
    missing = [first for first in firsts if first not in there]
    if missing:
        raise DocumentError(f"{page}: table {number} has no row {missing[0]!r}.")
    wanted = [row for row, first in zip(body, there, strict=True) if not firsts or first in firsts]
    return "\n".join([head, rule, *wanted])


def _tables(text: str) -> Iterator[list[str]]:
    """Each table's lines; a rule below a row makes that row the head of another table."""
    table: list[str] = []
    for line in [*text.splitlines(), ""]:
        if re.fullmatch(r"[|\s:-]*-[|\s:-]*", line) and len(table) > 1:
            yield table[:-1]
            table = table[-1:]
        if line.startswith("|"):
            table.append(line)
        elif table:
            yield table
            table = []
