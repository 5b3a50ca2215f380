"""What one person may have: everything up to the limit, nothing beyond, and no limit at 0."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from gen3d.errors import LimitReached
from gen3d.limits import Limits

LIMITS = Limits(running_jobs=10, jobs_per_day=100, queued_objects=24)
NONE = Limits(running_jobs=0, jobs_per_day=0, queued_objects=0)

CHECKS: list[tuple[Callable[[Limits, int], None], int]] = [
    (lambda limits, has: limits.check_running(has), 10),
    (lambda limits, has: limits.check_day(has), 100),
    (lambda limits, has: limits.check_queued(has, 1), 24),
    (lambda limits, has: limits.check_queued(has - 7, 8), 24),
]


@pytest.mark.parametrize(("check", "most"), CHECKS)
def test_the_limit_itself_may_be_reached(check: Callable[[Limits, int], None], most: int) -> None:
    check(LIMITS, most - 1)
    with pytest.raises(LimitReached) as refused:
        check(LIMITS, most)
    assert refused.value.retry_after
    assert refused.value.status == 429


@pytest.mark.parametrize(("check", "most"), CHECKS)
def test_nothing_is_no_limit(check: Callable[[Limits, int], None], most: int) -> None:
    with suppress(LimitReached):
        check(NONE, most * 100)
        return
    pytest.fail("refused without a limit")
