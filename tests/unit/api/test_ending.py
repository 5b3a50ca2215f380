"""Cancelling, deleting, and taking up again."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.client import BaseClient

from gen3d.jobs import (
    RESUMABLE,
    TERMINAL,
    EngineRevision,
    Failure,
    Job,
    JobObject,
    ObjectStatus,
    Status,
    iso,
    new_job_id,
    now,
)
from gen3d.options import Options
from gen3d_aws.runs import Runs
from gen3d_aws.store import FileStore, JobStore
from tests.support import (
    JOB_ID,
    OWNER,
    PREFIX,
    STATE_MACHINE,
    UPLOADS,
    api,
    begin_execution,
    client,
    finished_object,
    load_event,
    make_job,
    table,
)

from ..conftest import Calls
from .requests import PHOTO, PutJob, Rows, call, refused

EXECUTION = STATE_MACHINE.replace(":stateMachine:", ":execution:")
MODEL = EngineRevision(engine="lite", revision="0" * 12)
RUNNING = set(Status) - TERMINAL


def execution(name: str = JOB_ID) -> dict[str, Any]:
    """What Step Functions says of an execution."""
    described = client("stepfunctions").describe_execution(executionArn=f"{EXECUTION}:{name}")
    return dict(described)


def started_with(name: str) -> Any:
    """The input of an execution."""
    return json.loads(execution(name)["input"])


def test_what_people_do_with_jobs_is_counted(
    executions: Any, files: FileStore, capsys: pytest.CaptureFixture[str]
) -> None:
    _, created = call("create_job")
    files.write(created["upload"]["fields"]["key"], PHOTO, "image/jpeg")
    path = {"pathParameters": {"jobId": created["jobId"]}}
    for name in ("initialize_job", "cancel_job", "delete_job"):
        event = load_event(f"api/{name}")
        raw = event["rawPath"].replace(JOB_ID, created["jobId"])
        event["requestContext"]["http"]["path"] = raw
        call(name, rawPath=raw, requestContext=event["requestContext"], **path)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = [line for line in printed if "_aws" in line]
    for name in ("JobCreated", "JobStarted", "JobCancelled", "JobRemoved"):
        assert [line[name] for line in counted if name in line] == [[1.0]]


# POST /jobs/{jobId}/cancel


@pytest.mark.parametrize("status", RUNNING)
def test_cancelling_stops_the_job_and_keeps_it(
    status: Status,
    put_job: PutJob,
    files: FileStore,
    jobs: JobStore,
    executions: Any,
    calls: Calls,
) -> None:
    put_job(make_job(status))
    files.write(f"{PREFIX}image.jpg", PHOTO, "image/jpeg")
    code, body = call("cancel_job")
    assert (code, body["status"]) == (202, "CANCELLED")
    assert calls.of("StopExecution")
    assert jobs.get(OWNER, JOB_ID).status is Status.CANCELLED
    assert files.read(f"{PREFIX}image.jpg") == PHOTO


@pytest.mark.parametrize("status", RESUMABLE)
def test_cancelling_what_has_ended_destroys_nothing(
    status: Status, put_job: PutJob, files: FileStore, jobs: JobStore, executions: Any
) -> None:
    job = put_job(make_job(status, objects={"0": finished_object()}))
    files.write(f"{PREFIX}image.jpg", PHOTO, "image/jpeg")
    code, body = call("cancel_job")
    assert (code, body["status"]) == (200, status)
    assert jobs.get(OWNER, JOB_ID) == job
    assert files.read(f"{PREFIX}image.jpg") == PHOTO


def test_cancelling_stops_the_execution(created: Job, executions: Any, calls: Calls) -> None:
    call("initialize_job")
    begin_execution(JOB_ID)
    assert call("cancel_job")[0] == 202
    assert execution()["status"] == "ABORTED"
    stop = calls.of("StopExecution")[0]
    assert (stop["error"], stop["cause"]) == ("Cancelled", "By the owner")  # for the operator


def test_an_execution_that_begins_late_does_not_wake_a_cancelled_job(
    created: Job, executions: Any, jobs: JobStore
) -> None:
    call("initialize_job")
    assert call("cancel_job")[0] == 202
    assert not begin_execution(JOB_ID)
    assert jobs.get(OWNER, JOB_ID).status is Status.CANCELLED


def test_an_execution_that_begins_just_then_is_cancelled_too(
    created: Job, executions: Any, jobs: JobStore, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the read of the record and the write of the cancellation."""
    call("initialize_job")
    update = JobStore._update

    def beginning(self: JobStore, *arguments: Any) -> None:
        monkeypatch.setattr(JobStore, "_update", update)
        begin_execution(JOB_ID)
        update(self, *arguments)

    monkeypatch.setattr(JobStore, "_update", beginning)
    assert call("cancel_job")[0] == 202
    assert jobs.get(OWNER, JOB_ID).status is Status.CANCELLED
    assert execution()["status"] == "ABORTED"


STARTED = {"model": MODEL, "objects": {"0": finished_object()}}


@pytest.mark.parametrize("status", RESUMABLE)
def test_cancelling_takes_away_a_retry_that_has_not_begun(
    status: Status, put_job: PutJob, executions: Any, jobs: JobStore
) -> None:
    """Between the start of the execution and what it writes first."""
    job = put_job(make_job(status, run=3, **STARTED))
    assert call("retry_job", {"objects": [{"n": 0}]})[0] == 202
    code, body = call("cancel_job")
    kept = Status.COMPLETED if status is Status.COMPLETED else Status.CANCELLED
    assert (code, body["status"]) == (202, kept)
    assert execution(f"{JOB_ID}-4")["status"] == "ABORTED"
    assert not begin_execution(f"{JOB_ID}-4")  # though the stop came late
    assert jobs.get(OWNER, JOB_ID).objects == job.objects
    assert call("cancel_job")[0] == 200
    assert call("retry_job", {"objects": [{"n": 0}]})[0] == 202
    assert begin_execution(f"{JOB_ID}-5")


def test_cancelling_takes_away_the_retry_that_found_a_name_taken(
    put_job: PutJob, executions: Any, calls: Calls
) -> None:
    put_job(make_job(Status.COMPLETED, run=1, **STARTED))
    for seed in (1, 2):  # of two browsers
        calls.fail("DescribeExecution", "ExecutionDoesNotExist")
        assert call("retry_job", {"objects": [{"n": 0, "seed": seed}]})[0] == 202
    assert call("cancel_job")[0] == 202
    for run in (2, 3):
        assert execution(f"{JOB_ID}-{run}")["status"] == "ABORTED"
        assert not begin_execution(f"{JOB_ID}-{run}")


@pytest.mark.parametrize("moment", ["_stop", "withdraw"])
def test_a_retry_that_begins_while_it_is_cancelled_is_stopped(
    moment: str, put_job: PutJob, executions: Any, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its stop, or after it, as where the first write was under way by then."""
    put_job(make_job(Status.COMPLETED, run=1, **STARTED))
    call("retry_job", {"objects": [{"n": 0}]})
    at: Any = Runs if moment == "_stop" else JobStore
    real = getattr(at, moment)

    def beginning(self: Any, *arguments: Any) -> Any:
        begin_execution(f"{JOB_ID}-2")
        return real(self, *arguments)

    monkeypatch.setattr(at, moment, beginning)
    code, body = call("cancel_job")
    assert (code, body["status"]) == (202, "CANCELLED")
    assert jobs.get(OWNER, JOB_ID).run == 2
    assert execution(f"{JOB_ID}-2")["status"] == "ABORTED"


def test_cancelling_forgets_the_token(awaiting: Job, executions: Any, rows: Rows) -> None:
    call("cancel_job")
    assert rows("TokensTable") == []


def test_cancelling_goes_on_where_it_was_cut_off(
    awaiting: Job, executions: Any, rows: Rows, calls: Calls
) -> None:
    calls.fail("StopExecution", "ThrottlingException")
    assert refused(call("cancel_job")) == (503, "DependencyUnavailable")
    code, body = call("cancel_job")
    assert (code, body["status"]) == (200, "CANCELLED")
    assert len(calls.of("StopExecution")) == 3  # of the next run, too, which there is not
    assert rows("TokensTable") == []


def test_a_cancellation_whose_answer_was_lost_is_one(
    awaiting: Job, executions: Any, calls: Calls
) -> None:
    """The client makes the call again by itself and finds the job cancelled."""
    calls.lose_answer("UpdateItem")
    assert call("cancel_job")[0] == 202


# DELETE /jobs/{jobId}


@pytest.mark.parametrize("status", set(Status) - {Status.DELETED})
def test_deleting_forgets_the_job_and_its_files(
    status: Status,
    put_job: PutJob,
    files: FileStore,
    jobs: JobStore,
    rows: Rows,
    executions: Any,
    calls: Calls,
) -> None:
    put_job(make_job(status, objects={"0": finished_object()}, text="a cup"))
    neighbour = new_job_id()
    for key in (PREFIX, UPLOADS):
        files.write(f"{key}image.jpg", PHOTO, "image/jpeg")
        files.write(f"{key.replace(JOB_ID, neighbour)}image.jpg", PHOTO, "image/jpeg")

    assert call("delete_job") == (204, None)

    assert calls.of("StopExecution")
    assert refused(call("get_job")) == (404, "JobNotFound")
    assert call("list_jobs", queryStringParameters={})[1]["jobs"] == []
    (row,) = rows("JobsTable")
    kept = json.dumps(row, default=str)
    assert not any(word in kept for word in ("ada@example.com", "coffee", "cup", "Cup"))
    assert {row["name"], row["filename"], row["email"]} == {""}
    days = (int(row["ttl"]) - now().timestamp()) / 86400  # so long it counts against limits, too
    assert days == pytest.approx(2, abs=0.1)
    for key in (PREFIX, UPLOADS):
        assert files.read(f"{key}image.jpg") is None
        assert files.read(f"{key.replace(JOB_ID, neighbour)}image.jpg") == PHOTO


def test_deleting_again_or_what_never_was_is_no_error(created: Job, executions: Any) -> None:
    assert call("delete_job")[0] == 204
    assert call("delete_job")[0] == 204
    assert call("delete_job", rawPath=f"/jobs/{new_job_id()}")[0] == 204


def test_deleting_stops_an_execution_that_begins_just_then(
    put_job: PutJob, executions: Any, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_job(make_job(Status.FAILED, run=1, model=MODEL))
    call("retry_job", {})
    tombstone = JobStore.tombstone

    def beginning(self: JobStore, job: Job) -> None:
        begin_execution(f"{JOB_ID}-2")
        tombstone(self, job)

    monkeypatch.setattr(JobStore, "tombstone", beginning)
    assert call("delete_job")[0] == 204
    assert execution(f"{JOB_ID}-2")["status"] == "ABORTED"


def test_an_execution_does_not_begin_a_deleted_job(created: Job, executions: Any) -> None:
    call("initialize_job")
    call("delete_job")
    assert not begin_execution(JOB_ID)


@pytest.mark.parametrize("operation", ["StopExecution", "ListObjectsV2", "DeleteObjects"])
def test_deleting_goes_on_where_it_was_cut_off(
    operation: str,
    awaiting: Job,
    executions: Any,
    files: FileStore,
    rows: Rows,
    calls: Calls,
) -> None:
    calls.fail(operation, "SlowDown")
    assert refused(call("delete_job")) == (503, "DependencyUnavailable")
    assert refused(call("get_job")) == (404, "JobNotFound")  # nobody works on it any more
    assert call("delete_job")[0] == 204
    assert rows("TokensTable") == []
    assert files.read(f"{PREFIX}image.jpg") is None
    assert files.read(awaiting.uploads.mask(7)) is None


def test_a_file_that_s3_keeps_is_not_taken_for_removed(
    created: Job, executions: Any, files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DeleteObjects answers 200 and says inside what it has not removed."""
    kept = {"Errors": [{"Key": f"{UPLOADS}image.jpg", "Code": "SlowDown", "Message": "Slow."}]}
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def busy(self: BaseClient, operation: str, parameters: Any) -> Any:
        return kept if operation == "DeleteObjects" else real(self, operation, parameters)

    with monkeypatch.context() as slow:
        slow.setattr(BaseClient, "_make_api_call", busy)
        answer = call("delete_job")
        assert refused(answer) == (503, "DependencyUnavailable")
        assert answer[1]["retryAfter"] > 0
    assert call("delete_job")[0] == 204
    assert files.read(f"{UPLOADS}image.jpg") is None


# POST /jobs/{jobId}/retry


def failed_object(n: int, **fields: Any) -> JobObject:
    """An object whose last attempt failed."""
    failure = Failure(name="InferenceFailed", message="m", stage="Reconstruct")
    fields = {"name": "Spoon", "options": SEED_3, **fields}
    return JobObject(n=n, status=ObjectStatus.FAILED, error=failure, **fields)


SEED_3 = Options().with_seed(3)
ENDED = (Status.FAILED, Status.EXPIRED, Status.CANCELLED)


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize(
    ("fields", "resume"),
    [
        ({}, "initialize"),
        ({"model": MODEL}, "mask"),
        ({"model": MODEL, "objects": {"0": failed_object(0)}}, "reconstruct"),
    ],
    ids=["initialize", "mask", "reconstruct"],
)
def test_a_job_goes_on_where_it_ended(
    fields: dict[str, Any],
    resume: str,
    status: Status,
    put_job: PutJob,
    executions: Callable[[], list[str]],
    jobs: JobStore,
) -> None:
    failure = Failure(name="InferenceFailed", message="m", stage="Initialize")
    put_job(make_job(status, run=1, text="cup", error=failure, **fields))
    code, body = call("retry_job", {})
    assert (code, body["status"], body["run"]) == (202, "INITIALIZING", 2)
    assert "error" not in body
    assert executions() == [f"{JOB_ID}-2"]
    sent = started_with(f"{JOB_ID}-2")
    assert (sent["resume"], sent["run"], sent["text"]) == (resume, 2, "cup")
    assert sent["image"] == {"width": 64, "height": 48, "bytes": 1000}
    assert (sent["embeddings"] is None) == (resume == "initialize")
    assert [o["have"] for o in sent["objects"]] == (["nothing"] if resume == "reconstruct" else [])
    assert begin_execution(f"{JOB_ID}-2")
    assert jobs.get(OWNER, JOB_ID).run == 2


def test_what_there_is_of_each_object_is_kept(put_job: PutJob, executions: Any) -> None:
    done = finished_object(0)
    splat = {"gaussians": 7, "bytes": 8}
    spoon = {"name": "Spoon", "seed": 3, "options": SEED_3.model_dump()}
    nothing = dict.fromkeys(("splat", "mesh", "error"))
    objects = {
        "0": done,
        "1": failed_object(1),
        "2": failed_object(2, splat=splat),
    }
    put_job(make_job(Status.COMPLETED, run=1, model=MODEL, objects=objects))
    code, body = call("retry_job", {})
    assert code == 202
    assert [o["status"] for o in body["objects"]] == ["COMPLETED", "PENDING", "PENDING"]
    assert started_with(f"{JOB_ID}-2")["objects"] == [
        {
            "n": 0,
            "name": "Cup",
            "seed": 0,
            "options": Options().model_dump(),
            "have": "mesh",
            **nothing,
            "splat": done.splat,
            "mesh": done.mesh,
        },
        {"n": 1, **spoon, "have": "nothing", **nothing},
        {"n": 2, **spoon, "have": "splat", **nothing, "splat": splat},
    ]


@pytest.mark.parametrize(
    ("asked", "seed"),
    [
        ({"options": {"engine": {"seed": 5}}}, 5),
        ({"options": {}}, 0),
        ({"seed": 5}, 5),
        ({"seed": 0}, 0),
        ({}, 3),
    ],
)
def test_an_object_can_be_asked_for_anew(
    asked: dict[str, Any], seed: int, put_job: PutJob, executions: Any
) -> None:
    second = finished_object(1).model_copy(update={"options": SEED_3})
    objects = {"0": finished_object(0), "1": second}
    put_job(make_job(Status.COMPLETED, run=1, model=MODEL, objects=objects))
    code, body = call("retry_job", {"objects": [{"n": 1, **asked}]})
    assert (code, body["objects"][1]["seed"]) == (202, seed)
    first, second = started_with(f"{JOB_ID}-2")["objects"]
    assert first["have"] == "mesh"
    assert second == {
        "n": 1,
        "name": "Cup",
        "seed": seed,
        "options": Options().with_seed(seed).model_dump(),
        "have": "nothing",
        "splat": None,
        "mesh": None,
        "error": None,
    }


def retried(options: dict[str, Any]) -> Any:
    """What a retry of the only object with these options starts, or its error."""
    code, body = call("retry_job", {"objects": [{"n": 0, "options": options}]})
    return started_with(f"{JOB_ID}-2")["objects"][0] if code == 202 else (code, body["error"])


def test_what_differs_for_the_mesh_step_alone_keeps_its_splat(
    put_job: PutJob, executions: Any
) -> None:
    done = finished_object(0)
    put_job(make_job(Status.COMPLETED, run=1, model=MODEL, objects={"0": done}))
    task = retried({"mesh": {"quality": "fine"}})
    assert (task["have"], task["splat"], task["mesh"]) == ("splat", done.splat, None)


def test_what_differs_for_the_engine_is_made_from_the_photo(
    put_job: PutJob, executions: Any
) -> None:
    put_job(make_job(Status.COMPLETED, run=1, model=MODEL, objects={"0": finished_object(0)}))
    task = retried({"engine": {"seed": 4}, "mesh": {"quality": "fine"}})
    assert (task["have"], task["splat"]) == ("nothing", None)


def test_a_retry_asks_for_nothing_that_the_engine_does_not_offer(
    put_job: PutJob, executions: Callable[[], list[str]]
) -> None:
    put_job(make_job(Status.COMPLETED, run=1, model=MODEL, objects={"0": finished_object(0)}))
    assert retried({"engine": {"quality": "fine"}}) == (422, "OptionNotOffered")
    assert executions() == []


def test_objects_that_are_not_named_stay_as_they_are(put_job: PutJob, executions: Any) -> None:
    splat = {"gaussians": 7, "bytes": 8}
    failed, unmade = failed_object(2, splat=splat), JobObject(n=3, name="Plate")
    objects = {"0": finished_object(0), "1": failed_object(1), "2": failed, "3": unmade}
    put_job(make_job(Status.CANCELLED, run=1, model=MODEL, objects=objects))
    code, body = call("retry_job", {"objects": [{"n": 1}]})
    assert code == 202
    assert [o["status"] for o in body["objects"]][:3] == ["COMPLETED", "PENDING", "FAILED"]
    assert body["objects"][2]["error"]["error"] == "InferenceFailed"
    assert body["objects"][2]["splat"].items() >= splat.items()
    assert body["objects"][0]["files"]
    sent = started_with(f"{JOB_ID}-2")["objects"]
    assert [o["have"] for o in sent] == ["mesh", "nothing", "left", "left"]
    assert failed.error is not None
    assert (sent[2]["splat"], sent[2]["error"]) == (splat, failed.error.model_dump())
    # It was never begun, and has to end as something.
    assert sent[3]["error"]["name"] == "ExecutionAborted"


def test_naming_one_object_queues_no_other(
    put_job: PutJob, executions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left counts against no limit."""
    eight = {str(n): failed_object(n) for n in range(8)}
    put_job(make_job(Status.COMPLETED, run=1, model=MODEL, objects=eight))
    quotas = replace(api.service.quotas, queued_objects=1)
    monkeypatch.setattr(api, "service", replace(api.service, quotas=quotas))
    assert refused(call("retry_job", {})) == (400, "InvalidRequest")
    assert call("retry_job", {"objects": [{"n": 5}]})[0] == 202


def test_a_job_of_which_nothing_failed_is_not_taken_up(put_job: PutJob, executions: Any) -> None:
    put_job(make_job(Status.COMPLETED, model=MODEL, objects={"0": finished_object()}))
    answer = call("retry_job", {})
    assert refused(answer) == (409, "JobConflict")
    assert "Name the objects" in answer[1]["message"]
    assert executions() == []


@pytest.mark.parametrize("status", ENDED)
def test_a_job_that_ended_before_it_was_complete_is_made_complete(
    status: Status, put_job: PutJob, executions: Any
) -> None:
    """Each object is made, and the last steps failed."""
    put_job(make_job(status, run=1, model=MODEL, objects={"0": finished_object()}))
    assert call("retry_job", {})[0] == 202
    assert [o["have"] for o in started_with(f"{JOB_ID}-2")["objects"]] == ["mesh"]


@pytest.mark.parametrize("status", RUNNING)
def test_a_job_that_has_not_ended_is_not_taken_up(
    status: Status, put_job: PutJob, executions: Any
) -> None:
    put_job(make_job(status, model=MODEL, objects={"0": failed_object(0)}))
    assert refused(call("retry_job", {})) == (409, "JobConflict")
    assert executions() == []


@pytest.mark.parametrize(
    "body",
    [
        {"objects": [{"n": 1}]},
        {"objects": [{"n": -1}]},
        {"objects": [{"n": 8}]},
        {"objects": [{"n": 0, "seed": -1}]},
        {"objects": [{"n": 0, "name": "x"}]},
        {"objects": [{}]},
        {"objects": None},
        {"more": 1},
    ],
)
def test_objects_that_the_job_has_not_are_refused(
    body: Any, put_job: PutJob, executions: Any
) -> None:
    put_job(make_job(Status.FAILED, model=MODEL, objects={"0": failed_object(0)}))
    assert refused(call("retry_job", body)) == (400, "InvalidRequest")
    assert executions() == []


def test_taking_a_job_up_twice_starts_one_execution(
    put_job: PutJob, executions: Callable[[], list[str]]
) -> None:
    put_job(make_job(Status.FAILED, run=1, model=MODEL))
    assert call("retry_job", {})[0] == 202
    assert call("retry_job", {})[0] == 202  # it has not begun yet, and is the same
    begin_execution(f"{JOB_ID}-2")
    assert refused(call("retry_job", {})) == (409, "JobConflict")
    assert executions() == [f"{JOB_ID}-2"]


def test_of_two_different_retries_the_second_is_refused(
    put_job: PutJob, executions: Callable[[], list[str]]
) -> None:
    """The first has not begun yet, and will."""
    put_job(make_job(Status.COMPLETED, run=1, **STARTED))
    first = {"objects": [{"n": 0, "seed": 1}]}
    assert call("retry_job", first)[0] == 202
    assert refused(call("retry_job", {"objects": [{"n": 0, "seed": 2}]})) == (409, "JobConflict")
    assert call("retry_job", first)[0] == 202
    assert executions() == [f"{JOB_ID}-2"]
    client("stepfunctions").stop_execution(executionArn=f"{EXECUTION}:{JOB_ID}-2")
    assert call("retry_job", {"objects": [{"n": 0, "seed": 2}]})[0] == 202


def test_of_two_different_retries_at_once_one_begins(
    put_job: PutJob, executions: Callable[[], list[str]], jobs: JobStore, calls: Calls
) -> None:
    """Each would write over what the other made, as it knows the job as it was before both.

    Step Functions does not describe yet what was started a moment ago.
    """
    for first, second in ((2, 3), (3, 2)):
        put_job(make_job(Status.COMPLETED, job_id=JOB_ID, run=1, **STARTED))
        for seed in (1, 2):
            calls.fail("DescribeExecution", "ExecutionDoesNotExist")
            assert call("retry_job", {"objects": [{"n": 0, "seed": seed}]})[0] == 202
        assert begin_execution(f"{JOB_ID}-{first}")
        job = jobs.get(OWNER, JOB_ID)
        table("JobsTable").update_item(
            Key={"owner": OWNER, "jobId": JOB_ID},
            UpdateExpression="SET #status = :completed",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":completed": "COMPLETED"},
        )
        assert not begin_execution(f"{JOB_ID}-{second}")
        assert jobs.get(OWNER, JOB_ID).run == job.run
        table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": JOB_ID})


def test_a_retry_does_not_begin_a_job_deleted_meanwhile(put_job: PutJob, executions: Any) -> None:
    put_job(make_job(Status.COMPLETED, run=1, **STARTED))
    call("retry_job", {"objects": [{"n": 0}]})
    assert call("delete_job")[0] == 204
    assert not begin_execution(f"{JOB_ID}-2")
    assert refused(call("retry_job", {"objects": [{"n": 0}]})) == (404, "JobNotFound")


@pytest.mark.parametrize("over", [False, True])
def test_of_two_browsers_that_take_a_job_up_one_is_told_of_the_other(
    over: bool,
    put_job: PutJob,
    executions: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which may have ended already."""
    objects = {"0": finished_object(0)}
    job = put_job(make_job(Status.COMPLETED, run=1, model=MODEL, objects=objects))
    call("retry_job", {"objects": [{"n": 0, "seed": 1}]})
    begin_execution(f"{JOB_ID}-2")
    if over:
        client("stepfunctions").stop_execution(executionArn=f"{EXECUTION}:{JOB_ID}-2")
    reads = [job]
    get = JobStore.get
    monkeypatch.setattr(
        JobStore, "get", lambda self, *key: reads.pop() if reads else get(self, *key)
    )
    answer = call("retry_job", {"objects": [{"n": 0, "seed": 2}]})
    assert refused(answer) == (409, "JobConflict")
    assert executions() == [f"{JOB_ID}-2"]


def test_a_job_that_was_cancelled_before_it_began_begins(
    created: Job, executions: Callable[[], list[str]], files: FileStore
) -> None:
    call("cancel_job")
    assert call("retry_job", {})[0] == 202
    assert files.read(f"{PREFIX}image.jpg") == PHOTO
    assert started_with(f"{JOB_ID}-2")["image"] == {
        "width": 64,
        "height": 48,
        "bytes": len(PHOTO),
    }


def test_a_job_whose_cancellation_was_cut_off_is_stopped_before_it_is_taken_up(
    created: Job, executions: Any, calls: Calls
) -> None:
    call("initialize_job")
    begin_execution(JOB_ID)
    calls.fail("StopExecution", "ThrottlingException")
    call("cancel_job")
    assert call("retry_job", {})[0] == 202
    assert execution()["status"] == "ABORTED"


def test_taking_up_counts_against_the_limits(
    put_job: PutJob, executions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    eight = {str(n): failed_object(n) for n in range(8)}
    put_job(make_job(Status.FAILED, model=MODEL, objects=eight))
    waiting = {str(n): JobObject(n=n, name="Cup") for n in range(3)}
    put_job(make_job(Status.RECONSTRUCTING, job_id=new_job_id(), objects=waiting))
    for changes in ({"running_jobs": 1}, {"queued_objects": 10}):
        quotas = replace(api.service.quotas, **changes)
        with monkeypatch.context() as few:
            few.setattr(api, "service", replace(api.service, quotas=quotas))
            assert refused(call("retry_job", {})) == (429, "LimitReached")
    assert executions() == []
    assert call("retry_job", {})[0] == 202


@pytest.mark.parametrize(
    ("changes", "resumed"),
    [
        ({}, "initialize"),
        ({"model": MODEL}, "mask"),
        ({"model": MODEL, "objects": {"0": failed_object(0)}}, "reconstruct"),
    ],
)
def test_what_is_taken_up_counts_from_now_on(
    changes: dict[str, Any], resumed: str, created: Job, put_job: PutJob, executions: Any
) -> None:
    """The answer says of the stages what the execution is about to write."""
    table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": JOB_ID})
    put_job(make_job(Status.FAILED, run=1, **changes))
    long_ago = {"start": "2026-11-22T23:00:00Z", "end": "2026-11-22T23:01:00Z"}
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="SET stages = :stages",
        ExpressionAttributeValues={
            ":stages": dict.fromkeys(("initialize", "mask", "reconstruct"), long_ago)
        },
    )
    before = iso(now())
    _, body = call("retry_job", {})
    began = body["stages"].pop(resumed)
    assert (began["start"] >= before, began["end"], began["ms"]) == (True, None, None)
    assert all(stage["ms"] == 60_000 for stage in body["stages"].values())
    assert body["pollSeconds"] == 1


def test_the_operator_takes_a_job_up_as_its_owner_does(
    put_job: PutJob, executions: Callable[[], list[str]], jobs: JobStore
) -> None:
    put_job(make_job(Status.FAILED, run=1, model=MODEL, objects={"0": failed_object(0)}))
    begun = Runs(STATE_MACHINE, jobs).retry(OWNER, JOB_ID)
    assert begun is not None
    assert (begun.run, executions()) == (2, [f"{JOB_ID}-2"])
    assert started_with(f"{JOB_ID}-2")["resume"] == "reconstruct"
