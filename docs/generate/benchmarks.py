"""Tables of the benchmarks' results, as they stand there and as charts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from docs.generate.parts import DocumentError

_COLOURS = "#2563a8, #d9662b, #3f8f5b, #7d5ba6"
"""Of lines and bars: Mermaid's own are too pale for a line. To be told apart without seeing red."""

_OPENING = [
    "```mermaid",
    f'%%{{init: {{"themeVariables": {{"xyChart": {{"plotColorPalette": "{_COLOURS}"}}}}}}}}%%',
]

_LONGEST_LABEL = 19
"""Letters beside a bar: Mermaid leaves all labels out where one takes a fifth of the width."""


def rows(root: Path, page: str, number: str, *firsts: str) -> str:
    """A table of a page of results, or some of its rows.

    Parameters
    ----------
    root : pathlib.Path
        The repository's.
    page : str
        The page's path.
    number : str
        Which of its tables, from 1; from the last one where it is negative. Or the heading that
        it is the first below, which holds where tables come and go.
    *firsts : str
        First cells of the rows that are wanted; all rows where there are none.

    Raises
    ------
    DocumentError
        There is no such table, or a row that is wanted is not in it.
    """
    text = (root / page).read_text()
    if not re.fullmatch(r"-?\d+", number):
        _, heading, text = text.partition(f"# {number}\n")
        if not heading:
            raise DocumentError(f"{page} has no heading {number!r}.")
        number = "1"
    tables = list(_tables(text))
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
        What the numbers are; with `` over `` and what the columns are, where the first head does
        not say it.
    """
    head, _, *body = rows(root, page, number, *firsts).splitlines()
    first, *columns = _cells(head)
    axis, _, over = axis.partition(" over ")
    label = over or first
    names = [_cells(row)[0] for row in body]
    steps = ", ".join(f'"{column}"' for column in columns)
    lines = [f"    line [{', '.join(_cells(row)[1:])}]" for row in body]
    text = [*_OPENING, "xychart-beta", f'    x-axis "{label}" [{steps}]']
    text += [f'    y-axis "{axis}"', *lines, "```"]
    order = "From the top at the left: " if len(names) > 1 else ""
    simulated = " Simulated." if "simulation" in page else ""
    return "\n".join([*text, "", f"{order}{', '.join(names)}.{simulated}"])


def bars(root: Path, page: str, number: str, by: str, column: str, *wanted: str) -> str:
    """Draw a column of a table, with a bar for each row, under each other.

    Parameters
    ----------
    root, page, number
        As `rows` takes them.
    by : str
        Head of the column that names the bars, or several with ``+`` between them.
    column : str
        Head of the column of numbers. A unit may stand behind each.
    *wanted : str
        ``head=cell``: rows that are wanted, in this order. Several of one head are alternatives;
        all rows where there are none.

    Raises
    ------
    DocumentError
        There is no such table, column or row, or something else than a number in the column.
    """
    head, _, *body = rows(root, page, number).splitlines()
    heads = _cells(head)
    table = [dict(zip(heads, _cells(row), strict=True)) for row in body]
    allowed: dict[str, list[str]] = {}
    for condition in wanted:
        name, _, cell = condition.partition("=")
        allowed.setdefault(name, []).append(cell)
    names = by.split("+")
    for name in (*names, column, *allowed):
        if name not in heads:
            raise DocumentError(f"{page}: table {number} has no column {name!r}.")
    for name, cells in allowed.items():
        for cell in cells:
            if all(row[name] != cell for row in table):
                raise DocumentError(f"{page}: table {number} has no row of {name} {cell!r}.")
    chosen = [row for row in table if all(row[n] in cells for n, cells in allowed.items())]
    chosen.sort(key=lambda row: [cells.index(row[name]) for name, cells in allowed.items()])
    numbers = [re.fullmatch(r"([\d.,]+)( [^\d\s]+)?", row[column]) for row in chosen]
    if not chosen or not all(numbers):
        raise DocumentError(f"{page}: {column!r} of table {number} has no numbers to draw.")
    labels = [", ".join(row[name] for name in names) for row in chosen]
    units = {found[2] or "" for found in numbers if found}
    unit = units.pop() if len(units) == 1 else ""
    values = [found[1].replace(",", "") for found in numbers if found]
    below = ""
    if max(map(len, labels)) > _LONGEST_LABEL:
        below = f"\n\nFrom the top, by {by.replace('+', ', ')}: {'; '.join(labels)}."
        labels = [str(place) for place in range(1, len(labels) + 1)]
    lines = [
        *_OPENING,
        "xychart-beta horizontal",
        f"    x-axis {json.dumps(labels)}",
        f'    y-axis "{column}{unit and f",{unit}"}" 0 --> {max(map(float, values)):g}',
        f"    bar [{', '.join(values)}]",
        "```",
    ]
    return "\n".join(lines) + below


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
