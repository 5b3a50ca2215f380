"""A person's limits hold however many requests come at once, and whatever an index shows."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from gen3d.errors import DependencyUnavailable, LimitReached
from gen3d.jobs import Job, JobObject, Status, new_job_id
from gen3d.quotas import Quotas
from gen3d_aws.admissions import NEW, NOTED_SECONDS, Admissions, Note, _of
from gen3d_aws.store import JobStore
from tests.support import OWNER, make_job, table

from .conftest import Calls

PutJob = Callable[[Job], Job]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Ask = Callable[[Admissions, Job], Any]


def limited(jobs: JobStore, running: int = 0, day: int = 0, queued: int = 0) -> Admissions:
    return Admissions("TokensTable", jobs, Quotas(running, day, queued))


def several(count: int, put_job: PutJob, status: Status = Status.CREATED) -> list[Job]:
    return [put_job(make_job(status, job_id=new_job_id())) for _ in range(count)]


def at_once(
    asks: Iterable[Callable[[], Any]], admissions: Admissions, monkeypatch: pytest.MonkeyPatch
) -> list[bool]:
    """Make all requests, each of which has read when the next one does: the worst order there is.

    The last to read writes first; for all others what they have read is past.
    """
    pending, let_in = list(asks), []
    read = Admissions._read

    def reading(self: Admissions, *arguments: Any) -> Any:
        found = read(self, *arguments)
        if pending:
            ask(pending.pop())
        return found

    def ask(request: Callable[[], Any]) -> None:
        try:
            with request():
                let_in.append(True)
        except LimitReached:
            let_in.append(False)

    monkeypatch.setattr("gen3d_aws.admissions.time.sleep", lambda _: None)
    with monkeypatch.context() as worst:
        worst.setattr(Admissions, "_read", reading)
        ask(pending.pop())
    return let_in


@pytest.fixture
def _blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index shows nothing yet."""
    monkeypatch.setattr(JobStore, "_in_status", lambda *_: iter(()))


@pytest.mark.usefixtures("_blind")
def test_of_eight_beginnings_at_once_three_are_let_in(
    jobs: JobStore, put_job: PutJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = limited(jobs, running=3)
    asks = [partial(mine.run, job, 0) for job in several(8, put_job)]
    assert sum(at_once(asks, mine, monkeypatch)) == 3
    (last,) = several(1, put_job)
    with pytest.raises(LimitReached, match="3 of your jobs"), mine.run(last, 0):
        pass


@pytest.mark.usefixtures("_blind")
def test_of_eight_requests_at_once_as_many_objects_are_queued_as_may(
    jobs: JobStore, put_job: PutJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = limited(jobs, queued=10)
    waiting, ended = several(4, put_job, Status.AWAITING_MASK), several(4, put_job, Status.FAILED)
    asks: list[Callable[[], Any]] = [partial(mine.masks, job, 3) for job in waiting]
    asks += [partial(mine.run, job, 3) for job in ended]
    assert sum(at_once(asks, mine, monkeypatch)) == 3


def test_of_eight_creations_at_once_three_are_let_in(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = limited(jobs, day=3)
    new = [make_job(job_id=new_job_id()) for _ in range(8)]
    asks = [partial(mine.creation, job, LONG_AGO) for job in new]
    assert sum(at_once(asks, mine, monkeypatch)) == 3


@pytest.mark.usefixtures("_blind")
def test_a_request_whose_answer_was_lost_counts_once(
    jobs: JobStore, put_job: PutJob, calls: Calls
) -> None:
    mine = limited(jobs, running=1)
    (job,) = several(1, put_job)
    calls.lose_answer("UpdateItem")
    with mine.run(job, 0):
        pass
    with mine.run(job, 0):  # and it may be asked for again
        pass


@pytest.mark.usefixtures("_blind")
def test_what_failed_after_it_was_let_in_counts_no_more(jobs: JobStore, put_job: PutJob) -> None:
    mine = limited(jobs, running=1)
    first, second = several(2, put_job)
    with suppress(OSError), mine.run(first, 0):
        raise OSError
    with mine.run(second, 0):
        pass


@pytest.mark.usefixtures("_blind")
def test_what_was_let_in_counts_for_a_minute(
    jobs: JobStore, put_job: PutJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has not begun by then never will; what has, the index shows."""
    mine = limited(jobs, running=1)
    first, second = several(2, put_job)
    now = 1_800_000_000
    for later, let_in in ((0, True), (NOTED_SECONDS - 1, False), (NOTED_SECONDS + 1, True)):
        monkeypatch.setattr("gen3d_aws.admissions.time.time", lambda later=later: now + later)
        try:
            with mine.run(second if later else first, 0):
                assert let_in
        except LimitReached:
            assert not let_in
    (row,) = table("TokensTable").scan()["Items"]
    assert set(row["noted"]) == {second.job_id}  # who asks removes what is past
    assert row["ttl"] > now + NOTED_SECONDS


def test_what_the_index_shows_counts_once(jobs: JobStore, put_job: PutJob) -> None:
    """A job that has begun is in both, and one that has ended may still be in the index."""
    mine = limited(jobs, running=2, queued=4)
    begun, other = several(2, put_job)
    with mine.run(begun, 2):
        pass
    key = {"owner": OWNER, "jobId": begun.job_id}
    table("JobsTable").delete_item(Key=key)
    two = {str(n): JobObject(n=n, name="Cup") for n in range(2)}
    put_job(begun.model_copy(update={"status": Status.RECONSTRUCTING, "run": 1, "objects": two}))
    with mine.run(other, 2):
        pass


def test_what_the_index_shows_counts_beside_what_was_noted(jobs: JobStore, put_job: PutJob) -> None:
    two = {str(n): JobObject(n=n, name="Cup") for n in range(2)}
    for _ in range(2):
        put_job(make_job(Status.RECONSTRUCTING, job_id=new_job_id(), objects=two))
    first, second = several(2, put_job)
    with limited(jobs, running=3, queued=5).run(first, 1):
        pass
    for mine, said in (
        (limited(jobs, running=3), "3 of your jobs"),
        (limited(jobs, queued=5), "5 of your objects"),
    ):
        with pytest.raises(LimitReached, match=said), mine.run(second, 1):
            pass


def test_a_job_does_not_stand_in_its_own_way(jobs: JobStore, put_job: PutJob) -> None:
    """Where the index shows it still as it was before it ended."""
    two = {str(n): JobObject(n=n, name="Cup") for n in range(2)}
    job = put_job(make_job(Status.RECONSTRUCTING, run=1, objects=two))
    with limited(jobs, running=1, queued=2).run(job, 2):
        pass


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.usefixtures("_blind")
def test_what_cannot_be_forgotten_hides_no_fault(
    answered: bool, jobs: JobStore, put_job: PutJob, calls: Calls
) -> None:
    (job,) = several(1, put_job)

    def begin() -> None:
        with limited(jobs, running=1).run(job, 0):
            if answered:
                calls.fail("UpdateItem", "AccessDeniedException")
            else:
                calls.hang("UpdateItem")
            raise OSError("its own")

    with pytest.raises(OSError, match="its own"):
        begin()


@pytest.mark.usefixtures("_blind")
def test_who_read_before_something_was_forgotten_reads_again(
    jobs: JobStore, put_job: PutJob
) -> None:
    mine = limited(jobs, running=1)
    (job,) = several(1, put_job)
    with suppress(OSError), mine.run(job, 0):
        version, noted = mine._read(OWNER, 0)
        raise OSError
    assert not mine._write(OWNER, version, noted, 0)


NOTE = Note(run=2, objects=3, at=0)
ONE = {"0": JobObject(n=0, name="Cup")}


@pytest.mark.parametrize(
    ("status", "run", "note", "counts"),
    [
        (Status.COMPLETED, 1, NOTE, (True, 3)),  # its second run has not begun
        (Status.INITIALIZING, 2, NOTE, (True, 3)),
        (Status.RECONSTRUCTING, 2, NOTE, (True, 1)),  # as the record says
        (Status.AWAITING_MASK, 2, NOTE, (True, 3)),  # its masks were let in
        (Status.AWAITING_MASK, 2, Note(2, 1, 0), (True, 1)),
        (Status.AWAITING_MASK, 2, Note(2, 0, 0), (False, 0)),  # its photo was
        (Status.COMPLETED, 2, NOTE, (False, 0)),
        (Status.CANCELLED, 2, NOTE, (False, 0)),
        (Status.DELETED, 1, NOTE, (False, 0)),
        (Status.CREATED, 0, Note(NEW, 0, 0), (False, 0)),  # it was created
    ],
)
def test_what_was_let_in_counts_as_its_record_says(
    status: Status, run: int, note: Note, counts: tuple[bool, int]
) -> None:
    assert _of(make_job(status, run=run, objects=ONE), note) == counts


def test_without_limits_nothing_is_noted(jobs: JobStore, put_job: PutJob, calls: Calls) -> None:
    mine = limited(jobs)
    (job,) = several(1, put_job)
    calls.made.clear()
    for ask in (mine.creation(job, LONG_AGO), mine.run(job, 8), mine.masks(job, 8)):
        with ask:
            pass
    assert calls.made == []


def test_who_loses_every_race_is_told_to_come_back(
    jobs: JobStore, put_job: PutJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen3d_aws.admissions.time.sleep", lambda _: None)
    monkeypatch.setattr(Admissions, "_write", lambda *_: False)
    (job,) = several(1, put_job)
    with pytest.raises(DependencyUnavailable) as told, limited(jobs, running=1).run(job, 0):
        pass
    assert told.value.retry_after


@pytest.mark.usefixtures("_blind")
def test_a_job_that_is_gone_counts_no_more(jobs: JobStore, put_job: PutJob) -> None:
    mine = limited(jobs, running=1, queued=1)
    gone, other = several(2, put_job)
    with mine.run(gone, 1):
        pass
    table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": gone.job_id})
    with mine.run(other, 1):
        pass


def test_what_was_let_in_is_read_as_it_is(jobs: JobStore, put_job: PutJob, calls: Calls) -> None:
    """A read that may be old would cost a race that nobody else runs."""
    (job,) = several(1, put_job)
    with limited(jobs, running=1).run(job, 0):
        pass
    assert [read.get("ConsistentRead") for read in calls.of("GetItem")] == [True]


def test_a_limit_asks_for_nothing_else(jobs: JobStore, put_job: PutJob, calls: Calls) -> None:
    """A job that begins needs no place in the queue, and one that has begun is at work already."""
    (job,) = several(1, put_job)
    with limited(jobs, running=1, queued=9).run(job, 0):
        pass
    assert len(calls.of("Query")) == 2  # preparing, and being made
    with limited(jobs, running=1, queued=9).masks(job, 1):
        pass
    assert len(calls.of("Query")) == 4  # the same: objects are shown in advance, or wait
