"""What the reconciler mends, and what it leaves: all that is under way, or that it cannot know."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from pydantic import ValidationError

from gen3d import paths
from gen3d.errors import InternalError
from gen3d.jobs import TERMINAL, Failure, Job, Status, execution_name, iso, now
from gen3d.queue import Request, Stage
from gen3d_aws import inventory
from gen3d_aws.clients import client as shared_client
from gen3d_aws.observability import metrics
from gen3d_aws.store import FileStore, JobStore
from gen3d_aws.tokens import TokenRow, TokenStore, mask_callback_id
from gen3d_reconcile.sweep import FEW, PATIENCE, Sweep
from tests.support import (
    BUCKET,
    JOB_ID,
    OWNER,
    PREFIX,
    STATE_MACHINE,
    Context,
    ReconcileSettings,
    client,
    client_error,
    make_job,
    reconcile,
    table,
)

from .conftest import Calls, FakeStates, let_wait

Rows = Callable[[str], list[dict[str, Any]]]
RUNNING = sorted(set(Status) - TERMINAL - {Status.CREATED})
LATER = timedelta(hours=2)


class Invocations:
    """The part of Lambda that takes asynchronous invocations."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert (FunctionName, InvocationType) == ("gen3d-notify", "Event")
        self.made.append(json.loads(Payload))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What notify was told."""
    fake = Invocations()
    monkeypatch.setattr(
        "gen3d_aws.clients.client",
        lambda service, **options: (
            fake if service == "lambda" else shared_client(service, **options)
        ),
    )
    return fake.made


@pytest.fixture
def start(aws: None) -> Callable[..., str]:
    """Starts an execution of a state machine that waits for ever."""
    definition = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 9, "End": True}}}
    client("stepfunctions").create_state_machine(
        name="gen3d",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::123456789012:role/gen3d",
    )

    def begin(run: int = 1, job_id: str = JOB_ID) -> str:
        arn: str = client("stepfunctions").start_execution(
            stateMachineArn=STATE_MACHINE,
            name=execution_name(job_id, run),
            input=json.dumps({"owner": OWNER, "jobId": job_id}),
        )["executionArn"]
        return arn

    return begin


def status(arn: str) -> str:
    return str(client("stepfunctions").describe_execution(executionArn=arn)["status"])


def sweep(moment: datetime | None = None) -> dict[str, int]:
    return Sweep(ReconcileSettings.read(), moment or now() + LATER).run()


def record() -> Job:
    return JobStore("JobsTable").get(OWNER, JOB_ID)


# Records without an execution


@pytest.mark.parametrize("running", RUNNING)
@pytest.mark.parametrize("run", [1, 2])
def test_a_job_whose_execution_is_gone_fails_and_its_owner_is_told_once(
    running: Status,
    run: int,
    start: Callable[..., str],
    put_job: Callable[[Job], Job],
    told: list[dict[str, Any]],
) -> None:
    start(job_id="01M82SZE4Z7ZQ9FY1VB33KS0D9")  # somebody else's
    put_job(make_job(job_id="01M82SZE4Z7ZQ9FY1VB33KS0D9", status=running, run=1))
    put_job(make_job(running, run=run))

    assert sweep() == {"RecordCorrected": 1}

    assert record().status is Status.FAILED
    assert record().error == Failure(
        name="ExecutionAborted",
        message="The job was lost on our side. Try it again: it goes on where it ended.",
        stage="Execution",
    )
    assert told == [{"kind": "failed", "owner": OWNER, "jobId": JOB_ID, "run": run}]
    assert sweep() == {}
    assert len(told) == 1


def test_jobs_that_are_left_hide_none_behind_them(
    start: Callable[..., str],
    put_job: Callable[[Job], Job],
    told: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = [f"01M82SZE4Z7ZQ9FY1VB33KS0D{n}" for n in range(6)]
    ended, runs, just_ended, moved_on, *abandoned = ids
    put_job(make_job(Status.COMPLETED, job_id=ended, run=1))
    for job_id in ids[1:]:
        put_job(make_job(Status.RECONSTRUCTING, job_id=job_id, run=1))
    start(job_id=runs)
    client("stepfunctions").stop_execution(executionArn=start(job_id=just_ended))
    records = [
        replace(r, run=0) if r.job_id == moved_on else r for r in inventory.records("JobsTable")
    ]
    records.sort(key=lambda record: record.job_id)
    monkeypatch.setattr(inventory, "records", lambda _table: records)
    assert sweep(now()) == {"RecordCorrected": 2}
    assert [notice["jobId"] for notice in told] == abandoned


def test_a_job_that_began_while_all_was_compared_runs(
    start: Callable[..., str],
    put_job: Callable[[Job], Job],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its execution is not among those that ran a moment before."""
    put_job(make_job(Status.INITIALIZING, run=1))
    start()
    monkeypatch.setattr(inventory, "running_executions", lambda _machine: [])
    assert sweep() == {}
    assert record().status is Status.INITIALIZING


def test_an_execution_that_has_just_ended_is_left_to_who_listens_for_it(
    start: Callable[..., str], put_job: Callable[[Job], Job], told: list[dict[str, Any]]
) -> None:
    put_job(make_job(Status.RECONSTRUCTING, run=1))
    client("stepfunctions").stop_execution(executionArn=start())
    assert sweep(now()) == {}
    assert record().status is Status.RECONSTRUCTING
    assert sweep() == {"RecordCorrected": 1}


@pytest.mark.parametrize("running", RUNNING)
def test_a_job_that_runs_is_left(
    running: Status, start: Callable[..., str], put_job: Callable[[Job], Job]
) -> None:
    put_job(make_job(running, run=2))
    arn = start(2)
    assert sweep() == {}
    assert record().status is running
    assert status(arn) == "RUNNING"


@pytest.mark.parametrize("ended", sorted(TERMINAL | {Status.CREATED}))
def test_what_does_not_run_needs_no_execution(
    ended: Status, start: Callable[..., str], put_job: Callable[[Job], Job]
) -> None:
    put_job(make_job(ended, run=1))
    assert sweep() == {}
    assert table("JobsTable").scan()["Items"][0]["status"] == ended


def test_a_job_that_moved_on_while_all_was_compared_is_left(
    start: Callable[..., str], put_job: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = put_job(make_job(Status.INITIALIZING, run=2))
    seen = inventory.Record(job.owner, job.job_id, 1, Status.RECONSTRUCTING)
    monkeypatch.setattr(inventory, "records", lambda _table: [seen])
    assert sweep() == {}
    assert record().status is Status.INITIALIZING


# Executions without a record


@pytest.mark.parametrize(
    ("job", "execution"),
    [
        (None, 1),
        (make_job(Status.DELETED, run=1), 1),
        (make_job(Status.CANCELLED, run=1), 1),
        (make_job(Status.CANCELLED, run=2), 2),
        (make_job(Status.COMPLETED, run=2), 1),
    ],
    ids=["forgotten", "deleted", "cancelled", "cancelled again", "superseded"],
)
def test_an_execution_that_nobody_waits_for_is_stopped(
    job: Job | None,
    execution: int,
    start: Callable[..., str],
    put_job: Callable[[Job], Job],
) -> None:
    if job:
        put_job(job)
    arn = start(execution)
    assert sweep(now()) == {}, "it may just be under way"
    assert sweep() == {"ExecutionStopped": 1}
    assert status(arn) == "ABORTED"


@pytest.mark.parametrize(
    "job",
    [
        make_job(Status.COMPLETED, run=2),
        make_job(Status.FAILED, run=2),
        make_job(Status.EXPIRED, run=2),
        make_job(Status.FAILED, run=1),
        make_job(Status.CANCELLED, run=1),
        make_job(Status.CREATED, run=0),
    ],
    ids=["mails", "mails a failure", "mails an expiry", "begins", "begins anew", "begins first"],
)
def test_an_execution_that_begins_or_tells_is_left(
    job: Job, start: Callable[..., str], put_job: Callable[[Job], Job]
) -> None:
    put_job(job)
    arn = start(2)
    assert sweep() == {}
    assert status(arn) == "RUNNING"


def test_executions_that_are_left_hide_none_behind_them(
    start: Callable[..., str], put_job: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"01M82SZE4Z7ZQ9FY1VB33KS0D{n}" for n in range(5)]
    put_job(make_job(Status.RECONSTRUCTING, job_id=ids[0], run=1))
    put_job(make_job(Status.RECONSTRUCTING, job_id=ids[1], run=1))
    arns = [start(job_id=job_id) for job_id in ids]
    seen = sorted(inventory.records("JobsTable"), key=lambda record: record.job_id)
    seen[1] = replace(seen[1], status=Status.CANCELLED)  # it was taken up again since
    monkeypatch.setattr(inventory, "records", lambda _table: seen)
    found = sorted(inventory.running_executions(STATE_MACHINE), key=lambda e: e.job_id)
    found[2] = replace(found[2], start=now() + LATER)  # it has just begun
    monkeypatch.setattr(inventory, "running_executions", lambda _machine: found)
    assert sweep() == {"ExecutionStopped": 2}
    assert [status(arn) for arn in arns] == ["RUNNING"] * 3 + ["ABORTED"] * 2


def test_an_execution_whose_record_was_not_seen_is_looked_up_by_its_owner(
    start: Callable[..., str], put_job: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The execution says whose it is."""
    put_job(make_job(Status.RECONSTRUCTING, run=1))
    arn = start()
    monkeypatch.setattr(inventory, "records", lambda _table: [])
    assert sweep() == {}
    assert status(arn) == "RUNNING"


@pytest.mark.parametrize("run", [1, 2])
def test_an_execution_is_the_same_among_all_and_alone(start: Callable[..., str], run: int) -> None:
    start(run)
    assert list(inventory.running_executions(STATE_MACHINE)) == [
        inventory.execution(STATE_MACHINE, JOB_ID, run)
    ]


def test_who_stopped_an_execution_is_said_in_its_history(
    start: Callable[..., str], calls: Calls
) -> None:
    start()
    sweep()
    (stopped,) = calls.of("StopExecution")
    assert (stopped["error"], stopped["cause"]) == ("Superseded", "Its job has ended")


# Tasks


def put_tasks(run: int, job_id: str = JOB_ID) -> None:
    store = TokenStore("TokensTable")
    let_wait(TokenRow(mask_callback_id(job_id), "m", OWNER, job_id, run))
    callback = f"{job_id}-{run}-reconstruct-0-0"
    request = Request("2026-11-28T19:00:00.000Z", callback, OWNER, Stage.RECONSTRUCT)
    store.enqueue(TokenRow(callback, "t", OWNER, job_id, run), request, 60)


def test_tasks_that_are_left_hide_none_behind_them(
    start: Callable[..., str], put_job: Callable[[Job], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"01M82SZE4Z7ZQ9FY1VB33KS0D{n}" for n in range(3)]
    put_job(make_job(Status.AWAITING_MASK, job_id=ids[0], run=1))
    put_job(make_job(Status.AWAITING_MASK, job_id=ids[1], run=1))
    for job_id in ids:
        start(job_id=job_id)
        put_tasks(1, job_id)
    seen = sorted(inventory.records("JobsTable"), key=lambda record: record.job_id)
    seen[1] = replace(seen[1], status=Status.CANCELLED)  # it was taken up again since
    tasks = sorted(inventory.waiting_tasks("TokensTable"), key=lambda task: task.job_id)
    monkeypatch.setattr(inventory, "records", lambda _table: seen)
    monkeypatch.setattr(inventory, "waiting_tasks", lambda _table: tasks)
    assert sweep(now()) == {"TokenRemoved": 2}


def test_a_task_from_before_there_were_runs_stays_until_its_job_ends(
    aws: None, put_job: Callable[[Job], Job], rows: Rows
) -> None:
    put_job(make_job(Status.AWAITING_MASK, run=2))
    put_tasks(1)
    for row in rows("TokensTable"):
        table("TokensTable").update_item(
            Key={"callbackId": row["callbackId"]},
            UpdateExpression="REMOVE #run",
            ExpressionAttributeNames={"#run": "run"},
        )
    assert {task.run for task in inventory.waiting_tasks("TokensTable")} == {None}
    Sweep(ReconcileSettings.read(), now()).forget_tasks(
        {r.job_id: r for r in inventory.records("JobsTable")}
    )
    assert len(rows("TokensTable")) == 2


def test_a_record_from_before_there_were_runs_is_of_none(put_job: Callable[[Job], Job]) -> None:
    put_job(make_job(Status.RECONSTRUCTING))
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="REMOVE #run",
        ExpressionAttributeNames={"#run": "run"},
    )
    assert [found.run for found in inventory.records("JobsTable")] == [0]


@pytest.mark.parametrize("ended", [None, *sorted(TERMINAL)])
def test_tasks_of_a_job_that_has_ended_are_forgotten(
    ended: Status | None, start: Callable[..., str], put_job: Callable[[Job], Job], rows: Rows
) -> None:
    if ended:
        put_job(make_job(ended, run=1))
    put_tasks(1)
    assert sweep() == {"TokenRemoved": 2}
    assert rows("TokensTable") == []


def test_tasks_of_an_earlier_execution_are_forgotten_and_no_others(
    start: Callable[..., str], put_job: Callable[[Job], Job], rows: Rows
) -> None:
    put_job(make_job(Status.RECONSTRUCTING, run=2))
    start(2)
    put_tasks(1)
    put_tasks(2)
    TokenStore("TokensTable").leave("nobody")  # makes the window, which is no task
    assert sweep() == {"TokenRemoved": 1}
    left = {row["callbackId"] for row in rows("TokensTable")}
    assert left == {mask_callback_id(JOB_ID), f"{JOB_ID}-2-reconstruct-0-0", "window"}


def test_what_a_job_has_that_was_taken_up_while_all_was_compared_stays(
    start: Callable[..., str],
    put_job: Callable[[Job], Job],
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_job(make_job(Status.RECONSTRUCTING, run=1))
    arn = start()
    put_tasks(1)
    seen = inventory.Record(OWNER, JOB_ID, 1, Status.CANCELLED)
    monkeypatch.setattr(inventory, "records", lambda _table: [seen])
    assert sweep() == {}
    assert status(arn) == "RUNNING"
    assert len(rows("TokensTable")) == 2


def test_a_task_that_was_written_anew_meanwhile_stays(aws: None, rows: Rows) -> None:
    put_tasks(1)
    (seen,) = [t for t in inventory.waiting_tasks("TokensTable") if t.callback_id.endswith("mask")]
    let_wait(TokenRow(seen.callback_id, "new", OWNER, JOB_ID, 2), ttl=seen.ttl + 1)
    assert inventory.forget_task("TokensTable", seen) is False
    assert len(rows("TokensTable")) == 2


# Files


def put_files(files: FileStore, job: Job) -> None:
    for key in (job.files.image("image/jpeg"), job.files.object(0).splat, job.uploads.mask(0)):
        files.write(key, b"x", "image/jpeg")


def keys() -> list[str]:
    found = client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [item["Key"] for item in found]


def test_files_that_came_after_a_deletion_go(
    start: Callable[..., str], put_job: Callable[[Job], Job], files: FileStore
) -> None:
    put_files(files, put_job(make_job(Status.DELETED, run=1)))
    assert sweep(now()) == {"FileRemoved": 3}
    assert keys() == []


@pytest.mark.parametrize("kept", sorted(set(Status) - {Status.DELETED}))
def test_files_of_every_other_job_stay(
    kept: Status, start: Callable[..., str], put_job: Callable[[Job], Job], files: FileStore
) -> None:
    start()
    put_files(files, put_job(make_job(kept, run=1)))
    Sweep(ReconcileSettings.read(), now() + timedelta(days=40)).remove_files(
        {r.job_id: r for r in inventory.records("JobsTable")}
    )
    assert len(keys()) == 3


def test_files_under_no_record_go_after_a_day(start: Callable[..., str], files: FileStore) -> None:
    put_files(files, make_job())
    for other in ("public/index.html", "models/lite/1/decoder.onnx", "async/in/1.json"):
        files.write(other, b"x", "text/plain")
    assert sweep(now() + timedelta(hours=23)) == {}
    assert sweep(now() + timedelta(hours=25)) == {"FileRemoved": 3}
    assert len(keys()) == 3


def test_each_folder_of_a_job_is_found_once_and_no_other(files: FileStore) -> None:
    job = make_job()
    put_files(files, job)
    for other in ("private/i/jobs/file", "private/i/else/1/file", "public/i/jobs/1/file"):
        files.write(other, b"x", "text/plain")
    found = list(inventory.folders(BUCKET))
    assert [(f.prefix, f.job_id) for f in found] == [
        (job.prefix, JOB_ID),
        (job.uploads.prefix, JOB_ID),
    ]


def test_files_under_no_record_hide_no_deleted_jobs(
    start: Callable[..., str], put_job: Callable[[Job], Job], files: FileStore
) -> None:
    prefix = paths.job_prefix("us-east-1:0", "01M82SZE4Z7ZQ9FY1VB33KS000")  # lies before
    files.write(f"{prefix}image.jpg", b"x", "image/jpeg")
    assert prefix < PREFIX
    put_files(files, put_job(make_job(Status.DELETED, run=1)))
    assert sweep(now()) == {"FileRemoved": 3}
    assert keys() == [f"{prefix}image.jpg"]


def test_where_records_are_lost_files_are_kept(
    start: Callable[..., str], files: FileStore, logs: StringIO
) -> None:
    for n in range(FEW + 1):
        prefix = paths.job_prefix("us-east-1:a", f"01M82SZE4Z7ZQ9FY1VB33KS{n:03}")
        files.write(f"{prefix}image.jpg", b"x", "image/jpeg")
    assert sweep(now() + timedelta(days=3)) == {"SweepRefused": 1}
    assert len(keys()) == FEW + 1
    assert "Are records lost?" in logs.getvalue()


@pytest.mark.parametrize(("deleted", "done"), [(21, {"FileRemoved": 21}), (20, {})])
def test_files_under_no_record_go_where_most_are_under_one(
    deleted: int, done: dict[str, int], aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of twenty-one unknown folders: with as many known ones, records are not lost."""
    monkeypatch.setattr("gen3d_reconcile.sweep.FEW", 20)
    ids = [f"01M82SZE4Z7ZQ9FY1VB33KS{n:03}" for n in range(21 + deleted)]
    folders = [inventory.Folder(f"private/i/jobs/{i}/", i, now()) for i in ids]
    monkeypatch.setattr(inventory, "folders", lambda _bucket: folders)
    monkeypatch.setattr(FileStore, "remove", lambda *_: 1)
    known = {i: inventory.Record(OWNER, i, 1, Status.COMPLETED) for i in ids[21:]}
    one = Sweep(ReconcileSettings.read(), now() + LATER * 20)
    one.remove_files(known)
    assert {name: n for name, n in one.done.items() if name != "SweepRefused"} == done


def test_what_was_mended_is_counted(
    start: Callable[..., str],
    put_job: Callable[[Job], Job],
    told: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    ids = [f"01M82SZE4Z7ZQ9FY1VB33KS0D{n}" for n in range(4)]
    for job_id in ids[:2]:
        put_job(make_job(Status.RECONSTRUCTING, job_id=job_id, run=1))
    for job_id in ids[2:]:
        start(job_id=job_id)
    assert sweep() == {"RecordCorrected": 2, "ExecutionStopped": 2}
    metrics.flush_metrics()
    printed = capsys.readouterr().out
    assert '"RecordCorrected":[2.0]' in printed
    assert '"ExecutionStopped":[2.0]' in printed


def test_one_part_that_fails_does_not_keep_the_others_from_theirs(
    start: Callable[..., str], put_job: Callable[[Job], Job], files: FileStore, calls: Calls
) -> None:
    put_files(files, put_job(make_job(Status.DELETED, run=1)))
    put_tasks(1)
    calls.fail("DeleteItem", "AccessDeniedException", 9)
    with pytest.raises(InternalError, match=r"^1 parts"):
        sweep()
    assert keys() == []
    calls.fail("ListObjectsV2", "AccessDeniedException", 9)
    with pytest.raises(InternalError, match=r"^2 parts"):
        sweep()


def test_patience_is_longer_than_a_failure_takes_to_be_told() -> None:
    assert timedelta(minutes=10) <= PATIENCE


# The queue


def test_each_minute_the_queue_is_served_and_measured(
    calls: Calls, states: FakeStates, capsys: pytest.CaptureFixture[str]
) -> None:
    store = TokenStore("TokensTable")
    ago = iso(now() - timedelta(minutes=31))
    for n in range(5):
        callback = f"{JOB_ID}-1-reconstruct-{n}-0"
        request = Request(ago, callback, OWNER, Stage.RECONSTRUCT)
        store.enqueue(TokenRow(callback, f"t{n}", OWNER, JOB_ID), request, 60)

    answer = reconcile.handler({"task": "queue"}, Context())

    assert answer == {
        "InvocationLost": 0,
        "InvocationSentAgain": 0,
        "InvocationSent": 2,
        "QueueLength": 3,
    }
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (told,) = [line for line in printed if "QueueAge" in line]
    assert told["QueueLength"] == [3]
    assert 31 * 60 <= told["QueueAge"][0] < 32 * 60
    assert told["service"] == "gen3d"
    defined = {m["Name"]: m["Unit"] for m in told["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert defined["QueueAge"] == "Seconds"


def test_what_senders_left_behind_is_counted(
    calls: Calls, states: FakeStates, capsys: pytest.CaptureFixture[str]
) -> None:
    store = TokenStore("TokensTable")
    for n, ago in enumerate([timedelta(hours=9)] * 2 + [timedelta(minutes=5)] * 2):
        callback = f"{JOB_ID}-1-reconstruct-{n}-0"
        request = Request(iso(now() - ago), callback, OWNER, Stage.RECONSTRUCT)
        store.enqueue(TokenRow(callback, f"t{n}", OWNER, JOB_ID), request, 60)
        states.waiting[f"t{n}"] = None
        with pytest.MonkeyPatch.context() as then:
            then.setattr("gen3d_aws.tokens.now", lambda ago=ago: now() - ago)
            store.take(store.window(9), request, [request])
    reconcile.handler({"task": "queue"}, Context())
    printed = capsys.readouterr().out
    assert '"InvocationLost":[2.0]' in printed
    assert '"InvocationSentAgain":[2.0]' in printed


def test_an_empty_queue_says_nothing(calls: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    reconcile.handler({"task": "queue"}, Context())
    assert "QueueLength" not in [
        key for line in capsys.readouterr().out.splitlines() for key in json.loads(line)
    ]


# The operator


@pytest.fixture(autouse=True)
def _five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the template gives the function."""
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 300_000)


def test_a_failed_job_is_taken_up_again(
    start: Callable[..., str], put_job: Callable[[Job], Job]
) -> None:
    put_job(make_job(Status.FAILED, run=1))
    answer = reconcile.handler({"retry": {"owner": OWNER, "jobId": JOB_ID}}, Context())
    assert answer == {"retried": [JOB_ID], "refused": {}}
    names = [
        e["name"]
        for e in client("stepfunctions").list_executions(stateMachineArn=STATE_MACHINE)[
            "executions"
        ]
    ]
    assert names == [f"{JOB_ID}-2"]


def test_all_that_failed_since_a_time_are(
    start: Callable[..., str],
    put_job: Callable[[Job], Job],
    jobs: JobStore,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ids = [f"01M82SZE4Z7ZQ9FY1VB33KS0D{n}" for n in range(4)]
    for job_id in ids[:3]:
        jobs.fail(
            put_job(make_job(Status.INITIALIZING, job_id=job_id, run=1)),
            Failure(name="E", message=""),
        )
    put_job(make_job(Status.COMPLETED, job_id=ids[3], run=1))
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": ids[0]},
        UpdateExpression="SET failedAt = :old",
        ExpressionAttributeValues={":old": "2026-01-01T00:00:00.000Z"},
    )
    since = iso(now() - timedelta(minutes=1))
    answer = reconcile.handler({"retrySince": since}, Context())
    assert sorted(answer["retried"]) == ids[1:3]
    assert answer["refused"] == {}
    assert '"JobRetried":[2.0]' in capsys.readouterr().out


FAULTS = {
    "throttled": (client_error("ThrottlingException", "StartExecution"), "Try again"),
    "no answer": (ReadTimeoutError(endpoint_url="https://states.example.com/"), "Try again"),
    "not allowed": (client_error("AccessDeniedException", "StartExecution"), "log"),
}


@pytest.mark.parametrize(("error", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_fault_at_one_job_keeps_no_other_from_being_taken_up(
    error: Exception,
    sentence: str,
    start: Callable[..., str],
    put_job: Callable[[Job], Job],
    jobs: JobStore,
    calls: Calls,
) -> None:
    ids = [f"01M82SZE4Z7ZQ9FY1VB33KS0D{n}" for n in range(3)]
    for job_id in ids:
        job = put_job(make_job(Status.INITIALIZING, job_id=job_id, run=1))
        jobs.fail(job, Failure(name="E", message=""))
    calls.fail_with("StartExecution", error)
    answer = reconcile.handler({"retrySince": iso(now() - timedelta(minutes=1))}, Context())
    ((job_id, why),) = answer["refused"].items()
    assert sentence in why
    assert sorted([job_id, *answer["retried"]]) == ids
    again = reconcile.handler({"retry": {"owner": OWNER, "jobId": job_id}}, Context())
    assert again == {"retried": [job_id], "refused": {}}


def test_all_that_there_is_no_time_for_is_named(
    start: Callable[..., str],
    put_job: Callable[[Job], Job],
    jobs: JobStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = [f"01M82SZE4Z7ZQ9FY1VB33KS0D{n}" for n in range(3)]
    for job_id in ids:
        job = put_job(make_job(Status.INITIALIZING, job_id=job_id, run=1))
        jobs.fail(job, Failure(name="E", message=""))
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 59_000)
    answer = reconcile.handler({"retrySince": iso(now() - timedelta(minutes=1))}, Context())
    assert answer["retried"] == []
    assert sorted(answer["refused"]) == ids
    assert all("no time" in why for why in answer["refused"].values())


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        (make_job(Status.RECONSTRUCTING, run=1), "has not ended"),
        (make_job(Status.CANCELLED, run=1, image=None), "photo was never checked"),
    ],
)
def test_what_cannot_be_taken_up_is_named(
    job: Job, sentence: str, start: Callable[..., str], put_job: Callable[[Job], Job]
) -> None:
    put_job(job)
    answer = reconcile.handler({"retry": {"owner": OWNER, "jobId": JOB_ID}}, Context())
    assert answer["retried"] == []
    assert sentence in answer["refused"][JOB_ID]


@pytest.mark.parametrize(
    "event",
    [{}, {"task": "all"}, {"retry": {"owner": OWNER}}, {"retrySince": "2026-11-28T12:00:00"}],
)
def test_any_other_event_is_refused(event: dict[str, Any], aws: None) -> None:
    with pytest.raises(ValidationError):
        reconcile.handler(event, Context())
