"""One stack for all tests of this folder, with a template that has one of everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.running import PATIENCE, ROOT, RunningStack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole service come last, so that it does not idle beside the others.

    Each has more time than it waits for something that does not come, which it then says.
    """
    items.sort(key=lambda item: "whole_stack" in getattr(item, "fixturenames", ()))
    for item in items:
        here = Path(__file__).parent in item.path.parents
        if here and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(2 * PATIENCE))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A deployed stack; its parameters are not the template's defaults."""
    running = RunningStack(
        tmp_path_factory.mktemp("stack"),
        parameters={"Greeting": "hello", "Origins": "http://b.example,http://c.example"},
        environment={"GEN3D_LOCAL_IDLE_SECONDS": "3"},
    )
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def whole_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole service, from its template as it stands, for tests that leave nothing behind."""
    running = RunningStack(tmp_path_factory.mktemp("service"), ROOT / "template.yaml")
    try:
        yield running.start()
    finally:
        running.stop()
