"""One stack for all tests of this folder, with a template that has one of everything."""

from collections.abc import Iterator

import pytest

from tests.local.running import RunningStack


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
