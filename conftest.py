"""Fixtures that need nothing but this process."""

import os
from collections.abc import Iterator

import pytest

# Read when a function's modules are first imported, whichever test that may be for.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Gen3D")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "gen3d")
os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")


@pytest.fixture
def aws() -> Iterator[None]:
    """The stack's bucket and tables in moto, in process."""
    # Imported late: tests that do not ask for it need neither moto nor the functions.
    from tests.support import stack

    with stack():
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say of each test that was skipped why, and how many there are, so that none is overlooked."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons: dict[str, list[str]] = {}
    for report in skipped:
        _, _, reason = report.longrepr
        reasons.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    for reason, tests in reasons.items():
        terminalreporter.write_line(f"skipped, {reason}:")
        for test in tests:
            terminalreporter.write_line(f"  {test}")
    terminalreporter.write_line(f"skipped in all: {len(skipped)}")
