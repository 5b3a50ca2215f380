"""Tables of the benchmarks' results, as they stand there."""

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
        Which of its tables, from 1.
    *firsts : str
        First cells of the rows that are wanted; all rows where there are none.

    Raises
    ------
    DocumentError
        There is no such table, or a row that is wanted is not in it.
    """
    tables = list(_tables((root / page).read_text()))
    if not 1 <= int(number) <= len(tables):
        raise DocumentError(f"{page} has {len(tables)} tables, and no number {number}.")
    head, rule, *body = tables[int(number) - 1]
    there = [row.strip("|").split("|")[0].strip() for row in body]
    missing = [first for first in firsts if first not in there]
    if missing:
        raise DocumentError(f"{page}: table {number} has no row {missing[0]!r}.")
    wanted = [row for row, first in zip(body, there, strict=True) if not firsts or first in firsts]
    return "\n".join([head, rule, *wanted])


def _tables(text: str) -> Iterator[list[str]]:
    table: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            table.append(line)
        elif table:
            yield table
            table = []
