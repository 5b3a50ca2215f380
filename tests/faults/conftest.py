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
