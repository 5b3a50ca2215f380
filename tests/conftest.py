"""Fixtures that need nothing but this process."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def aws() -> Iterator[None]:
    """The stack's bucket and tables in moto, in process."""
    # Imported late: tests that do not ask for it need neither moto nor the functions.
    from tests.support import stack

    with stack():
        yield
