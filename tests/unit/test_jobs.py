"""A job's statuses, times and ids, and that table and state machine keep to them."""

import json
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from hypothesis import example, given
from hypothesis import strategies as st
from ulid import ULID

from gen3d.errors import JobConflict, JobNotFound
from gen3d.jobs import (
    RESUMABLE,
    TERMINAL,
    TRANSITIONS,
    EngineRevision,
    Failure,
    Job,
    ObjectTask,
    Resume,
    Status,
    TimeSpan,
    check_job_id,
    execution_input,
    execution_name,
    iso,
    new_job_id,
    now,
    oldest_job_id,
    plain,
)
from gen3d.options import Options
from gen3d_aws.store import JobStore
from tests.support import JOB_ID, OWNER, ROOT, make_job, table

from .conftest import Calls


def test_every_status_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(Status)


@pytest.mark.parametrize("status", RESUMABLE)
def test_an_ended_job_may_be_taken_up_again_or_deleted(status: Status) -> None:
    assert TRANSITIONS[status] == {Status.INITIALIZING, Status.DELETED}


def test_nothing_follows_a_deletion() -> None:
    assert not TRANSITIONS[Status.DELETED]
    assert all(Status.DELETED in TRANSITIONS[status] for status in set(Status) - {Status.DELETED})


@pytest.mark.parametrize("status", set(Status) - TERMINAL)
def test_every_running_job_can_fail_be_cancelled_and_expire(status: Status) -> None:
    assert TRANSITIONS[status] >= {Status.FAILED, Status.CANCELLED, Status.EXPIRED}


# The state machine's writes


def states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state by its name, those inside a Parallel or a Map too."""
    for name, state in machine["States"].items():
        yield name, state
        for inside in (*state.get("Branches", []), state.get("ItemProcessor")):
            if inside:
                yield from states(inside)


def status_writes() -> Iterator[Any]:
    """The updates of the state machine that set a job's status: state, from and to."""
    machine = yaml.safe_load((ROOT / "statemachines" / "gen3d.asl.yaml").read_text())
    for name, state in states(machine):
        arguments = state.get("Arguments", {})
        updates = [item.get("Update") for item in arguments.get("TransactItems", [])]
        for update in [u for u in [*updates, arguments] if u and "UpdateExpression" in u]:
            target = re.search(r"SET #status = (:\w+)", update["UpdateExpression"])
            if target is None:
                continue
            values = update["ExpressionAttributeValues"]
            condition = update["ConditionExpression"]
            assert "#status " in condition
            named = [values[v].get("S") for v in re.findall(r":\w+", condition)]
            sources = {Status(name) for name in named if name in set(Status)}
            yield pytest.param(sources, Status(values[target[1]]["S"]), id=name)


@pytest.mark.parametrize(("sources", "target"), list(status_writes()))
def test_the_state_machine_only_makes_transitions_that_exist(
    sources: set[Status], target: Status
) -> None:
    assert sources
    for source in sources - {target}:  # waiting again, after a retry, changes nothing
        cannot_begin = source in RESUMABLE and target is Status.FAILED
        assert target in TRANSITIONS[source] or cannot_begin


def test_the_state_machine_makes_every_transition_that_is_its_own() -> None:
    made = {(s, p.values[1]) for p in status_writes() for s in p.values[0] if s != p.values[1]}
    assert made == {
        *((status, Status.INITIALIZING) for status in RESUMABLE | {Status.CREATED}),
        (Status.INITIALIZING, Status.AWAITING_MASK),
        (Status.INITIALIZING, Status.RECONSTRUCTING),
        (Status.AWAITING_MASK, Status.RECONSTRUCTING),
        (Status.RECONSTRUCTING, Status.COMPLETED),
        (Status.AWAITING_MASK, Status.EXPIRED),
        *((status, Status.FAILED) for status in {Status.CREATED, *RESUMABLE} - {Status.FAILED}),
        (Status.INITIALIZING, Status.FAILED),
        (Status.AWAITING_MASK, Status.FAILED),
        (Status.RECONSTRUCTING, Status.FAILED),
    }


# The table's writes

Write = Callable[[JobStore, Job], Any]
FAILURE = Failure(name="InternalError", message="m", stage="s")
WRITES: list[tuple[str, Write, Status]] = [
    ("cancel", lambda s, j: s.cancel(j), Status.CANCELLED),
    ("fail", lambda s, j: s.fail(j, FAILURE), Status.FAILED),
    ("tombstone", lambda s, j: s.tombstone(j), Status.DELETED),
]


@pytest.mark.parametrize("source", Status)
@pytest.mark.parametrize(("name", "write", "target"), WRITES, ids=[w[0] for w in WRITES])
def test_a_write_makes_its_transition_or_changes_nothing(
    name: str,
    write: Write,
    target: Status,
    source: Status,
    jobs: JobStore,
    put_job: Callable[[Job], Job],
) -> None:
    job = put_job(make_job(source))
    try:
        done = write(jobs, job) is not False
    except JobConflict:
        done = False
    if source is target is Status.DELETED:  # deleted already, which is all that was wanted
        return
    assert done == (target in TRANSITIONS[source])
    found = jobs.find(OWNER, JOB_ID)
    assert found is not None
    assert found.status is (target if done else source)


def test_a_job_is_read_as_it_was_written(jobs: JobStore, put_job: Callable[[Job], Job]) -> None:
    job = put_job(make_job(Status.AWAITING_MASK))
    assert jobs.get(OWNER, JOB_ID) == job


def test_a_job_is_created_once(jobs: JobStore, put_job: Callable[[Job], Job]) -> None:
    job = put_job(make_job())
    with pytest.raises(JobConflict):
        jobs.create(job)


def test_somebody_elses_job_is_not_found(jobs: JobStore, put_job: Callable[[Job], Job]) -> None:
    put_job(make_job())
    with pytest.raises(JobNotFound):
        jobs.get("somebody-else", JOB_ID)


def test_a_removed_job_cannot_be_written_to(jobs: JobStore) -> None:
    with pytest.raises(JobConflict):
        jobs.rename(make_job(), "name")


@pytest.mark.parametrize(("name", "write", "target"), WRITES, ids=[w[0] for w in WRITES])
def test_a_write_whose_answer_was_lost_knows_its_own_success(
    name: str,
    write: Write,
    target: Status,
    jobs: JobStore,
    put_job: Callable[[Job], Job],
    calls: Calls,
) -> None:
    """The client makes the call again by itself, and meets what it has written."""
    job = put_job(make_job(Status.AWAITING_MASK))
    calls.lose_answer("UpdateItem")
    assert write(jobs, job) is not False
    found = jobs.find(OWNER, JOB_ID)
    assert found is not None
    assert found.status is target


def test_a_job_whose_answer_was_lost_is_created(jobs: JobStore, calls: Calls) -> None:
    calls.lose_answer("PutItem")
    jobs.create(make_job())
    assert jobs.get(OWNER, JOB_ID) == make_job()


def test_another_write_is_not_taken_for_ones_own(
    jobs: JobStore, put_job: Callable[[Job], Job]
) -> None:
    job = put_job(make_job(Status.AWAITING_MASK))
    assert jobs.cancel(job)
    assert not jobs.fail(job, FAILURE)
    assert jobs.get(OWNER, JOB_ID).status is Status.CANCELLED


def test_a_job_that_is_cancelled_before_it_begins_gives_its_number_up(
    jobs: JobStore, put_job: Callable[[Job], Job]
) -> None:
    """An execution that was started for it finds the number taken."""
    assert jobs.cancel(put_job(make_job()))
    assert jobs.get(OWNER, JOB_ID).run == 1


def test_a_cancellation_follows_a_job_that_began_meanwhile(
    jobs: JobStore, put_job: Callable[[Job], Job]
) -> None:
    put_job(make_job(Status.INITIALIZING, run=1))
    assert jobs.cancel(make_job())
    assert jobs.get(OWNER, JOB_ID).status is Status.CANCELLED


def test_a_job_that_is_gone_meanwhile_is_not_cancelled(jobs: JobStore) -> None:
    assert not jobs.cancel(make_job())


def test_a_job_that_runs_keeps_its_number(jobs: JobStore, put_job: Callable[[Job], Job]) -> None:
    assert jobs.cancel(put_job(make_job(Status.INITIALIZING, run=1)))
    assert jobs.get(OWNER, JOB_ID).run == 1


def test_an_earlier_run_cannot_fail_a_later_one(
    jobs: JobStore, put_job: Callable[[Job], Job]
) -> None:
    put_job(make_job(Status.INITIALIZING, run=2))
    assert not jobs.fail(make_job(Status.INITIALIZING, run=1), FAILURE)
    assert jobs.get(OWNER, JOB_ID).status is Status.INITIALIZING


def test_what_was_read_of_an_earlier_run_neither_chooses_nor_withdraws(
    jobs: JobStore, put_job: Callable[[Job], Job]
) -> None:
    put_job(make_job(Status.AWAITING_MASK, run=2))
    with pytest.raises(JobConflict):
        jobs.choose(make_job(Status.AWAITING_MASK, run=1), [ObjectTask.anew(0, "Cup", Options())])
    table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": JOB_ID})
    put_job(make_job(Status.COMPLETED, run=3))
    assert not jobs.withdraw(make_job(Status.COMPLETED, run=1), 2)
    assert jobs.get(OWNER, JOB_ID).run == 3


@pytest.mark.parametrize("write", [w[1] for w in WRITES], ids=[w[0] for w in WRITES])
def test_records_from_before_there_were_runs_are_taken(
    write: Write, jobs: JobStore, put_job: Callable[[Job], Job]
) -> None:
    put_job(make_job(Status.RECONSTRUCTING))
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="REMOVE #run, #write",
        ExpressionAttributeNames={"#run": "run", "#write": "write"},
    )
    assert write(jobs, jobs.get(OWNER, JOB_ID)) is not False


CONFLICT = "TransactionConflictException"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between writes that met a transaction, none of which takes time."""
    noted: list[float] = []
    monkeypatch.setattr("gen3d_aws.store.time.sleep", noted.append)
    return noted


@pytest.mark.parametrize("times", [1, 4])
def test_a_write_outlasts_a_transaction(
    times: int, waits: list[float], jobs: JobStore, put_job: Callable[[Job], Job], calls: Calls
) -> None:
    job = put_job(make_job(Status.AWAITING_MASK))
    calls.fail("UpdateItem", CONFLICT, times)
    assert jobs.cancel(job)
    assert jobs.get(OWNER, JOB_ID).status is Status.CANCELLED
    assert len(waits) == times
    assert sum(waits) < 1


@pytest.mark.parametrize(("code", "made"), [(CONFLICT, 5), ("ValidationException", 1)])
def test_a_write_that_never_passes_is_given_up(
    code: str,
    made: int,
    waits: list[float],
    jobs: JobStore,
    put_job: Callable[[Job], Job],
    calls: Calls,
) -> None:
    job = put_job(make_job(Status.AWAITING_MASK))
    before = len(calls.of("UpdateItem"))
    calls.fail("UpdateItem", code, times=9)
    with pytest.raises(ClientError, match=code):
        jobs.rename(job, "name")
    assert len(calls.of("UpdateItem")) - before == made


def test_each_run_has_a_name_that_step_functions_takes() -> None:
    names = [execution_name(JOB_ID, run) for run in (1, 2, 10**6)]
    assert names[:2] == [JOB_ID, f"{JOB_ID}-2"]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name) for name in names)


def test_the_execution_input_is_always_the_same_text() -> None:
    assert execution_input(make_job(), 1) == execution_input(make_job(name="renamed"), 1)


def test_a_job_from_the_start_takes_over_no_embeddings() -> None:
    model = EngineRevision(engine="lite", revision="0" * 12)
    for resume, kept in ((Resume.INITIALIZE, None), (Resume.MASK, model.model_dump())):
        text = execution_input(make_job(Status.FAILED, run=1, model=model), 2, resume)
        assert json.loads(text)["embeddings"] == kept


# Ids and times


def test_ids_are_taken_and_sort_by_time() -> None:
    ids = [check_job_id(new_job_id()) for _ in range(3)]
    assert len(set(ids)) == 3
    assert new_job_id()[:8] >= ids[0][:8]


@pytest.mark.parametrize(
    "job_id",
    ["", "x", JOB_ID.lower(), JOB_ID[:-1], JOB_ID + "0", "8" * 26, "../" + JOB_ID[3:], "é" * 26],
)
def test_what_is_no_job_id_is_not_found(job_id: str) -> None:
    with pytest.raises(JobNotFound):
        check_job_id(job_id)


def test_what_was_created_since_a_moment_comes_after_its_id() -> None:
    moment = datetime(2026, 11, 28, 12, 0, 0, 5000, UTC)
    made = [str(ULID.from_timestamp(moment.timestamp() + d)) for d in (-0.001, 0, 0.001)]
    assert [job_id >= oldest_job_id(moment) for job_id in made] == [False, True, True]
    assert check_job_id(oldest_job_id(moment))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  My   cup ", "My cup"),
        ("a\x00b\tc\r\nSubject: d", "a b c Subject: d"),
        *((f"a{turn}b", "ab") for turn in "\u202a\u202b\u202c\u202d\u202e"),
        *((f"a{turn}b", "ab") for turn in "\u2066\u2067\u2068\u2069"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("12\u202fkg", "12 kg"),
        ("Tässchen 杯 👩‍🚀", "Tässchen 杯 👩‍🚀"),
        ("\x1b\x7f", ""),
        ("\u200b \xad\ufeff", ""),
        *((blank, "") for blank in "\u115f\u1160\u2800\u3164\uffa0"),
        ("a \u3164 b", "a \u3164 b"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_a_name_is_one_line_of_what_can_be_seen(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text())
def test_no_text_leaves_a_control_character(text: str) -> None:
    shown = plain(text)
    assert shown == plain(shown)
    assert not any(unicodedata.category(c) == "Cc" for c in shown)


@given(st.text(min_size=24, max_size=28) | st.text())
def test_any_text_is_a_job_id_or_not_found(text: str) -> None:
    with suppress(JobNotFound):
        assert check_job_id(text) == text


def test_a_stage_lasts_from_start_to_end() -> None:
    stage = TimeSpan.model_validate(
        {"start": "2026-11-22T23:00:00.000Z", "end": "2026-11-22T23:00:01.250Z"}
    )
    assert stage.milliseconds == 1250
    assert TimeSpan(start=stage.start).milliseconds is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
@example(datetime(2026, 11, 28, 12, 0, 0, 999_999))
def test_a_moment_is_spelled_as_the_state_machine_does(moment: datetime) -> None:
    spelled = iso(moment.replace(tzinfo=UTC))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", spelled)
    milliseconds = moment.microsecond // 1000 * 1000
    assert datetime.fromisoformat(spelled) == moment.replace(tzinfo=UTC, microsecond=milliseconds)


def test_a_moment_is_spelled_in_utc_wherever_the_function_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = datetime(2026, 11, 28, 12, tzinfo=UTC)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        spelled = iso(moment)
    time.tzset()
    assert spelled == "2026-11-28T12:00:00.000Z"


def test_the_present_is_what_a_record_can_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(2026, 11, 28, 12, 0, 0, 500_400, tz)

    monkeypatch.setattr("gen3d.jobs.datetime", Clock)
    assert now() == datetime(2026, 11, 28, 12, 0, 0, 500_000, UTC)
