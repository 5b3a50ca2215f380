"""Fixtures that need nothing but this process."""

import gc
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

# Read when a function's modules are first imported, whichever test that may be for.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Gen3D")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "gen3d")
os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")


@cache
def _be_patient() -> None:
    """Give no test of Hypothesis a deadline: a machine that does more is no fault of the code."""
    from hypothesis import settings

    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


@pytest.hookimpl(tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector) -> None:
    """Set Hypothesis up for the tests that use it: importing it takes longer than most tests."""
    if isinstance(collector, pytest.Module) and "hypothesis" in collector.path.read_text():
        _be_patient()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep Hypothesis' plugin from importing it at the end (6.170.15) where nothing used it."""
    manager = session.config.pluginmanager
    if "hypothesis" not in sys.modules and manager.has_plugin("hypothesispytest"):
        manager.unregister(name="hypothesispytest")


@pytest.fixture
def aws() -> Iterator[None]:
    """The stack's bucket and tables in moto, in process."""
    # Imported late: tests that do not ask for it need neither moto nor the functions.
    from tests.support import stack

    with stack():
        yield


# What --quick leaves out (`make quick`), and why. A file is left out for what it imports, and a
# test for the fixture that it asks for or because it is marked as slow; so no list has to be kept.

_ROOT = Path(__file__).parent
_PLACES = {
    "container/tests": "runs the engines",
    "functions/mesh/tests": "computes meshes",
    "layers/gen3d/tests/test_corpus.py": "decodes a thousand files",
    "tests/browser": "drives a browser",
    "tests/faults": "runs the state machine",
    "tests/infra": "translates the template",
    "tests/local": "starts the stack",
    "tests/unit": "AWS by moto",
    "tests/wheel": "installs a package",
    "tests/workflow": "runs the state machine",
}
_IMPORTS = {
    "moto": "AWS by moto",
    "tests.aws": "AWS by moto",
    "tests.support": "AWS by moto",
    "local_aws": "starts the stack",
    "torch": "needs torch",
}
_IMPORT = re.compile(r"^ *(?:from|import) +(\S+)|importorskip\(\"(torch)\"", re.MULTILINE)
_left_out = pytest.StashKey[dict[str, list[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make quick` ask for the tests that need this process alone, and little of its time."""
    parser.addoption("--quick", action="store_true", help="leave out AWS by moto and what is slow")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is left out yet."""
    config.stash[_left_out] = {}
    if config.getoption("--quick"):
        # A sixth of its time went to seeking circles among what stays until the end all the same.
        gc.set_threshold(200_000, 20, 50)


def why_not_quick(path: Path) -> str | None:
    """Why `make quick` leaves out a file of tests or a folder; None where it does not."""
    for place, reason in _PLACES.items():
        if path.is_relative_to(_ROOT / place):
            return reason
    if not (path.name.startswith("test_") and path.suffix == ".py"):
        return None
    for names in _IMPORT.findall(path.read_text()):
        for module, reason in _IMPORTS.items():
            if f"{''.join(names)}.".startswith(f"{module}."):
                return reason
    return None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files out before they are imported: moto alone takes seconds."""
    reason = why_not_quick(collection_path) if config.getoption("--quick") else None
    if reason is None:
        return None
    within = collection_path.rglob("test_*.py") if collection_path.is_dir() else [collection_path]
    left_out = config.stash[_left_out].setdefault(reason, [])
    left_out += (str(path.relative_to(_ROOT)) for path in within)
    return True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that ask for moto by a fixture, and the slow ones."""
    if not config.getoption("--quick"):
        return
    kept: list[pytest.Item] = []
    deselected: list[pytest.Item] = []
    for item in items:
        if {"aws", "account"} & set(getattr(item, "fixturenames", ())):
            reason = "AWS by moto"
        elif item.get_closest_marker("slow"):
            reason = "slow"
        else:
            kept.append(item)
            continue
        deselected.append(item)
        config.stash[_left_out].setdefault(reason, []).append(item.nodeid)
    config.hook.pytest_deselected(items=deselected)
    items[:] = kept


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out or skipped and why, and how many there are: none is overlooked."""
    for reason, names in config.stash[_left_out].items():
        files = sum("::" not in name for name in names)
        counts = [f"{files} files"] * (files > 0)
        counts += [f"{len(names) - files} tests"] * (len(names) > files)
        terminalreporter.write_line(f"left to make test, {reason}: {' and '.join(counts)}")
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
