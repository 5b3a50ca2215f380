"""The real state machine in process: the local stack's interpreter, moto's tables and bucket."""

from collections.abc import Iterator

import pytest

from tests.support import stack

from .harness import Harness


@pytest.fixture(autouse=True)
def _offline(socket_disabled: None) -> None:
    """No test of this folder opens a socket."""


@pytest.fixture
def harness(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    """A created job, its photo and masks aside: the state machine looks at neither."""
    with stack({"stepfunctions": {"execute_state_machine": True}}):
        harness = Harness(monkeypatch, tmp_path_factory.getbasetemp() / "executions")
        yield harness
        harness.end()
