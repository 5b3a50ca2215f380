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


# What `make test-faults` ends with: a table by row, and one line of sums.

_FAULT_TABLES = ("test_functions", "test_calls", "test_the_endpoint")


def _cell(test: str) -> tuple[str, str]:
    """The row and the column of a test, by its name."""
    name, _, rest = test.rsplit("::", 1)[-1].partition("[")
    parts = rest.removesuffix("]")
    if name in _FAULT_TABLES:
        row, _, rest = parts.partition("-")
        kind = "endpoint, " if name == "test_the_endpoint" else ""
        return kind + row, rest.rpartition("-")[0]
    return name.removeprefix("test_").replace("_", " "), ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of tasks and faults, the list of edges, and how many cells there were."""
    tasks: dict[str, dict[str, list[bool]]] = {}
    edges: dict[str, list[bool]] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            row, column = _cell(report.nodeid)
            passed = outcome == "passed"
            if column:
                tasks.setdefault(row, {}).setdefault(column, []).append(passed)
            else:
                edges.setdefault(row, []).append(passed)
    columns = list(dict.fromkeys(column for cells in tasks.values() for column in cells))
    write = terminalreporter.write_line
    write("")
    if columns:
        write(f"{'':24}" + "".join(f"{column:>18}" for column in columns))
    for row, cells in tasks.items():
        write(f"{row:24}" + "".join(f"{_sum(cells.get(column, [])):>18}" for column in columns))
    for row, done in edges.items():
        write(f"{row:72}{_sum(done):>10}")
    everything = [*edges.values(), *(done for cells in tasks.values() for done in cells.values())]
    good = sum(sum(done) for done in everything)
    total = sum(len(done) for done in everything)
    write(f"{total} cells: {good} passed, {total - good} failed")


def _sum(done: list[bool]) -> str:
    return f"{sum(done)}/{len(done)}" if done else ""
