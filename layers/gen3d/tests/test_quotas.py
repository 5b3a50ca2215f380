"""What one person may have: everything up to the limit, nothing beyond, and no limit at 0."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from gen3d.errors import InvalidRequest, LimitReached
from gen3d.quotas import Quotas

QUOTAS = Quotas(running_jobs=10, jobs_per_day=100, queued_objects=24)
NONE = Quotas(running_jobs=0, jobs_per_day=0, queued_objects=0)

CHECKS: list[tuple[Callable[[Quotas, int], None], int]] = [
    (lambda quotas, has: quotas.check_running(has), 10),
    (lambda quotas, has: quotas.check_day(has), 100),
    (lambda quotas, has: quotas.check_queued(has, 1), 24),
    (lambda quotas, has: quotas.check_queued(has - 7, 8), 24),
]


@pytest.mark.parametrize(("check", "most"), CHECKS)
def test_the_limit_itself_may_be_reached(check: Callable[[Quotas, int], None], most: int) -> None:
    check(QUOTAS, most - 1)
    with pytest.raises(LimitReached) as refused:
        check(QUOTAS, most)
    assert refused.value.retry_after
    assert refused.value.status == 429


SENTENCES: list[tuple[Callable[[], None], str, int]] = [
    (
        lambda: QUOTAS.check_running(10),
        "10 of your jobs are at work, as many as one person may have. "
        "Wait until one is done, or cancel one.",
        30,
    ),
    (
        lambda: QUOTAS.check_day(100),
        "You have created 100 jobs within a day, as many as one person may. "
        "Come back tomorrow, or ask the administrator for more.",
        3600,
    ),
    (
        lambda: QUOTAS.check_queued(20, 5),
        "20 of your objects wait to be reconstructed, and 5 more would exceed the 24 that one "
        "person may have. Wait until some are done, or choose fewer.",
        60,
    ),
]


@pytest.mark.parametrize(("check", "sentence", "seconds"), SENTENCES)
def test_a_refusal_says_what_to_do_and_when(
    check: Callable[[], None], sentence: str, seconds: int
) -> None:
    with pytest.raises(LimitReached) as refused:
        check()
    assert (refused.value.message, refused.value.retry_after) == (sentence, seconds)


def test_more_objects_than_anybody_may_have_are_not_waited_for() -> None:
    """Waiting never helps, so nothing says for how long."""
    for queued in (0, 20):
        with pytest.raises(InvalidRequest) as refused:
            QUOTAS.check_queued(queued, 25)
        assert (refused.value.status, refused.value.retry_after) == (400, None)
        assert refused.value.message == (
            "objects: 25 at once are more than the 24 that one person may have in the queue. "
            "Ask for 24 at most."
        )
    QUOTAS.check_queued(0, 24)
    NONE.check_queued(0, 25)


@pytest.mark.parametrize(("check", "most"), CHECKS)
def test_nothing_is_no_limit(check: Callable[[Quotas, int], None], most: int) -> None:
    with suppress(LimitReached):
        check(NONE, most * 100)
        return
    pytest.fail("refused without a limit")
