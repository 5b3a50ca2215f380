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


def chart(root: Path, page: str, number: str, axis: str, *firsts: str) -> str:
    """Draw a table of numbers, with a line for each row over the columns' heads.

    Parameters
    ----------
    root, page, number, *firsts
        As `rows` takes them.
    axis : str
        What the numbers are.
    """
    head, _, *body = rows(root, page, number, *firsts).splitlines()
    label, *columns = _cells(head)
    names = [_cells(row)[0] for row in body]
    steps = ", ".join(f'"{column}"' for column in columns)
    lines = [f"    line [{', '.join(_cells(row)[1:])}]" for row in body]
    text = ["```mermaid", "xychart-beta", f'    x-axis "{label}" [{steps}]']
    text += [f'    y-axis "{axis}"', *lines, "```"]
    order = "From the top at the left: " if len(names) > 1 else ""
    return "\n".join([*text, "", f"{order}{', '.join(names)}. Simulated."])


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


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
