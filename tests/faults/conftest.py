"""A world for each cell, and how many cells there were."""

from collections.abc import Iterator

import pytest

from tests.support import stack

from .world import World, world_of


@pytest.fixture(autouse=True)
def _offline(socket_disabled: None) -> None:
    """No test of this folder opens a socket."""


@pytest.fixture
def world(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A created job whose photo is uploaded, and everything that works on it."""
    with stack({"stepfunctions": {"execute_state_machine": True}}):
        yield from world_of(monkeypatch, tmp_path_factory.getbasetemp() / "executions")


# What `make test-faults` ends with: one table. A test says by its mark which cell it fills; where
# rows are of one kind, as tasks or edges, none of them may leave a column open.

_MARK = "cell(section, row, column): the cells of the table that a test fills"


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", _MARK)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each report say which cells are its test's."""
    for item in items:
        call = getattr(item, "callspec", None)
        values = {} if call is None else call.params
        for mark in item.iter_markers("cell"):
            section, *cell = mark.args
            row, column = (text.format(**values) for text in cell)
            item.user_properties.append(("cell", (section, row, column)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, in each cell how many of its tests passed, and how many cells there are."""
    sections: dict[str, dict[str, dict[str, list[bool]]]] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, (section, row, column) in report.user_properties:
                if name == "cell":
                    cells = sections.setdefault(section, {}).setdefault(row, {})
                    cells.setdefault(column, []).append(outcome == "passed")
    write = terminalreporter.write_line
    for section, rows in sections.items():
        columns = sorted({c: 0 for cells in rows.values() for c in cells}, key=_place)
        widths = [max(len(column), 7) + 2 for column in columns]
        write("")
        write(f"{section:42}" + "".join(f"{c:>{w}}" for c, w in zip(columns, widths, strict=True)))
        for row, cells in rows.items():
            sums = (_sum(cells.get(column, [])) for column in columns)
            write(f"  {row:40}" + "".join(f"{s:>{w}}" for s, w in zip(sums, widths, strict=True)))
    every = [
        done for rows in sections.values() for cells in rows.values() for done in cells.values()
    ]
    hold = sum(all(done) for done in every)
    write("")
    write(
        f"{len(every)} cells of {sum(map(len, every))} tests: {hold} hold, "
        f"{len(every) - hold} do not"
    )


_ORDER = ("duplicate", "late", "reordered", "lost", "unknown")


def _place(column: str) -> int:
    """A fixed order where the tests of a row are of several kinds; otherwise as they come."""
    return _ORDER.index(column) if column in _ORDER else 0


def _sum(done: list[bool]) -> str:
    return f"{sum(done)}/{len(done)}" if done else "–"
