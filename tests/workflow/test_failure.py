"""Each state failing in each way that it can: every path ends in a status that stays, and is told.

The one exception is made good by the rule on broken executions, which is applied here too.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from moto.ses.models import ses_backends

from gen3d.jobs import ObjectStatus, Status
from tests.support import ACCOUNT, REGION, Context, client, load_event, notify, table

from .fake_functions import (
    PATIENCE,
    Answer,
    Hangs,
    Raises,
    Refused,
    Returns,
    TaskFails,
    TaskNeverEnds,
    task_succeeds,
)
from .harness import Ended, Harness, all_states, definition

CONDITION = "ConditionalCheckFailedException"
PERMANENT = "ResourceNotFoundException"
FOR_GOOD = 12
"""Answers: more than any rule tries again."""
REFUSED_FOR_GOOD = [Refused()] * FOR_GOOD


def failed(harness: Harness, ended: Ended, state: str, error: str) -> None:
    """The job has failed in this state with this error, and both have been told once."""
    job = harness.job
    assert (ended.status, ended.error) == ("FAILED", error)
    assert ended.states[-3:] == ["RecordFailure", "NotifyFailure", "Failed"]
    assert job.status is Status.FAILED
    assert job.error is not None
    assert (job.error.name, job.error.stage) == (error, state)
    assert job.error.message
    assert harness.notices == ["failed"]


# What a function, or the task behind it, does wrong → the error's name and the person's sentence

NO_DETAILS = "No further details were given."
FUNCTION_FAILURES: list[Any] = [
    pytest.param([Raises()], "RuntimeError", "'NoneType' object is not subscriptable", id="crash"),
    pytest.param(
        [Raises("InvalidSplat", 'Not "a" {PLY}.')], "InvalidSplat", 'Not "a" {PLY}.', id="named"
    ),
    pytest.param(
        [Raises("Sandbox.Timedout", "Task timed out after 30.00 seconds")],
        "Sandbox.Timedout",
        "Task timed out after 30.00 seconds",
        id="out of time",
    ),
    pytest.param(
        REFUSED_FOR_GOOD,
        "Lambda.TooManyRequestsException",
        "TooManyRequestsException, says the service",
        id="throttled for good",
    ),
    pytest.param(
        [Refused("AccessDeniedException")],
        "Lambda.AccessDeniedException",
        "AccessDeniedException, says the service",
        id="denied",
    ),
]
TASK_FAILURES: list[Any] = [
    *FUNCTION_FAILURES,
    pytest.param([TaskFails("OutOfMemory")], "OutOfMemory", "Do this.", id="task failed"),
    pytest.param(
        [TaskFails("InvalidMask", 'A "b" {c} \\ d.')],
        "InvalidMask",
        'A "b" {c} \\ d.',
        id="task failed with braces and quotes",
    ),
    pytest.param(
        [TaskFails("InferenceFailed", 'It said "errorMessage": nothing')],
        "InferenceFailed",
        'It said "errorMessage": nothing',
        id="task failed with a sentence that looks like a function's",
    ),
    pytest.param(
        [TaskFails("InferenceFailed", '{"errorMessage": "cut o')],
        "InferenceFailed",
        '{"errorMessage": "cut o',
        id="task failed with half a function's error",
    ),
    pytest.param(
        [TaskFails("InferenceFailed", "")], "InferenceFailed", NO_DETAILS, id="without a cause"
    ),
    pytest.param([TaskNeverEnds()], "States.Timeout", NO_DETAILS, id="task timed out"),
]


# Initialize


@pytest.mark.parametrize(("answers", "error", "sentence"), TASK_FAILURES)
def test_initialize(answers: list[Answer], error: str, sentence: str, harness: Harness) -> None:
    harness.machine = definition(Drafts="false")
    if error == "States.Timeout":
        harness.set_timeout("Initialize")
    harness.submit.next(*answers * FOR_GOOD)
    failed(harness, harness.run(), "Initialize", error)
    assert harness.job.error is not None
    assert harness.job.error.message.startswith(sentence)


# WaitForMask


def test_wait_for_mask_that_cannot_be_recorded(harness: Harness) -> None:
    harness.fail("WaitForMask", PERMANENT)
    failed(harness, harness.run(), "WaitForMask", f"DynamoDb.{PERMANENT}")


def test_wait_for_mask_of_a_job_that_was_cancelled(harness: Harness) -> None:
    harness.meanwhile("WaitForMask", lambda: _cancelled(harness))
    ended = harness.run()
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Superseded")
    assert harness.job.status is Status.CANCELLED
    assert harness.notices == []
    assert table("TokensTable").scan()["Items"] == []


def _cancelled(harness: Harness) -> None:
    assert harness._jobs.cancel(harness.job)


def cancel(harness: Harness) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The person cancels while a function runs, and stopping the execution comes too late."""

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        _cancelled(harness)
        return task_succeeds(payload)

    return answer


def test_nobody_makes_a_mask_in_time(harness: Harness) -> None:
    harness.expire_soon()
    ended = harness.run(masks=False)
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Expired")
    assert harness.job.status is Status.EXPIRED
    assert harness.job.stages.mask.milliseconds is not None
    assert harness.notices == ["expired"]


def test_the_masks_timeout_is_the_parameters() -> None:
    machine = definition(MaskTimeoutSeconds="42")
    assert all_states(machine)["WaitForMask"]["TimeoutSeconds"] == "{% 42 %}"


@pytest.mark.parametrize("answers", [[Raises()], REFUSED_FOR_GOOD, [Raises("MailFailed")] * 9])
def test_an_expiry_that_cannot_be_told_is_one_all_the_same(
    answers: list[Answer], harness: Harness
) -> None:
    harness.expire_soon()
    harness.notify.next(*answers)
    assert harness.run(masks=False).status == "SUCCEEDED"
    assert harness.job.status is Status.EXPIRED


def test_an_expiry_that_lambda_does_not_take_is_told_by_the_backstop(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.expire_soon()
    monkeypatch.setattr(harness, "enqueue", lambda _, payload: Refused()(payload))
    ended = harness.run(masks=False)
    assert (ended.status, ended.error) == ("FAILED", "MailFailed")
    for _ in range(2):
        wake_the_backstop(harness)
        assert harness.job.status is Status.EXPIRED
    (mail,) = ses_backends[ACCOUNT][REGION].sent_messages
    assert "waited for its mask" in mail.raw_data


def test_an_expiry_whose_record_was_not_confirmed_is_told(harness: Harness) -> None:
    harness.expire_soon()
    harness.lose_answer("RecordExpiry")
    assert harness.run(masks=False).status == "SUCCEEDED"
    assert harness.job.status is Status.EXPIRED
    assert harness.notices == ["expired"]


def test_an_expiry_of_a_job_that_moved_on_is_not_told(harness: Harness) -> None:
    harness.expire_soon()
    harness.fail("RecordExpiry", CONDITION)
    ended = harness.run(masks=False)
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Superseded")
    assert harness.notices == []


def test_an_expiry_that_cannot_be_recorded_is_a_failure(harness: Harness) -> None:
    harness.expire_soon()
    harness.fail("RecordExpiry", PERMANENT)
    failed(harness, harness.run(masks=False), "RecordExpiry", f"DynamoDb.{PERMANENT}")


# The writes on the way


@pytest.mark.parametrize("state", ["BeginReconstruction", "Publish", "Complete"])
def test_a_write_that_fails_for_good(state: str, harness: Harness) -> None:
    service, code = ("S3", "NoSuchBucket") if state == "Publish" else ("DynamoDb", PERMANENT)
    harness.fail(state, code)
    error = f"{service}.{code}" + ("" if code.endswith("Exception") else "Exception")
    failed(harness, harness.run(), state, error)


@pytest.mark.parametrize("state", ["BeginReconstruction", "Complete"])
def test_a_write_that_is_throttled_for_good(state: str, harness: Harness) -> None:
    harness.fail(state, *["ThrottlingException"] * FOR_GOOD)
    failed(harness, harness.run(), state, "DynamoDb.ThrottlingException")


@pytest.mark.parametrize("state", ["BeginReconstruction", "Complete"])
def test_a_write_whose_condition_fails(state: str, harness: Harness) -> None:
    harness.fail(state, CONDITION)
    failed(harness, harness.run(), state, f"DynamoDb.{CONDITION}")


# Begin


def test_a_job_that_cannot_begin_has_failed(harness: Harness) -> None:
    harness.fail("Begin", PERMANENT)
    failed(harness, harness.run(), "Begin", f"DynamoDb.{PERMANENT}")
    assert harness.job.run == 1


# One object among others


def one_object_failed(harness: Harness, ended: Ended, state: str, error: str) -> None:
    job = harness.job
    assert ended.status == "SUCCEEDED"
    assert job.status is Status.COMPLETED
    assert [o.status for o in job.ordered_objects] == [
        ObjectStatus.COMPLETED,
        ObjectStatus.FAILED,
    ]
    failure = job.ordered_objects[1].error
    assert failure is not None
    assert (failure.name, failure.stage) == (error, state)
    assert failure.message
    assert harness.notices == ["completed"]


@pytest.mark.parametrize(("answers", "error", "sentence"), TASK_FAILURES)
def test_reconstruct_fails_for_one_object(
    answers: list[Answer], error: str, sentence: str, harness: Harness
) -> None:
    harness.objects = 2
    if error == "States.Timeout":
        harness.set_timeout("Reconstruct")
    harness.submit.for_object(1, answers[0])
    one_object_failed(harness, harness.run(), "Reconstruct", error)
    failure = harness.job.ordered_objects[1].error
    assert failure is not None
    assert failure.message.startswith(sentence)


@pytest.mark.parametrize(
    ("answers", "error", "sentence"),
    [*FUNCTION_FAILURES, pytest.param([Hangs()], "States.Timeout", NO_DETAILS, id="timed out")],
)
def test_the_mesh_fails_for_one_object(
    answers: list[Answer], error: str, sentence: str, harness: Harness
) -> None:
    harness.objects = 2
    if error == "States.Timeout":
        harness.set_timeout("PointCloudToMesh")
    harness.mesh.for_object(1, answers[0])
    one_object_failed(harness, harness.run(), "PointCloudToMesh", error)
    failure = harness.job.ordered_objects[1].error
    assert failure is not None
    assert failure.message.startswith(sentence)
    if isinstance(answers[0], Hangs):
        answers[0].over.set()


def _unheard(set_stop: Callable[..., None]) -> Callable[..., None]:
    """A stop that branches do not hear of, as one that opens in this very moment."""

    def alone(env: Any, **why: Any) -> None:
        frames, env._frames = env._frames, []
        set_stop(env, **why)
        env._frames = frames

    return alone


@pytest.mark.parametrize("heard", ["moto's word", "ours", "none"])
def test_what_answers_after_its_execution_has_ended_changes_nothing(
    heard: str, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch ends with its execution, though the function that it called is still at work.

    It hears of the end by moto's own word, by ours, or when it enters its next state.
    """
    from moto.stepfunctions.parser.asl.eval.environment import Environment

    from local_aws.workflow import branches

    hangs, others = Hangs(), set(threading.enumerate())
    harness.mesh.always(hangs)
    arn = harness.start()
    harness.wait_for(Status.AWAITING_MASK)
    harness.give_masks()
    harness.wait_until(lambda: bool(harness.mesh.calls))
    if heard != "moto's word":
        monkeypatch.setattr(Environment, "set_stop", _unheard(Environment.set_stop))
    if heard == "none":
        monkeypatch.setattr(branches, "end", lambda _: None)
    client("stepfunctions").stop_execution(executionArn=arn)
    ended, row = harness.wait_for_end(arn), harness.row
    assert ended.status == "ABORTED"
    frames = list(_environment(arn)._frames)
    if heard == "none":
        assert any(frame.is_running() for frame in frames)
    else:  # each by itself, in a moment
        harness.wait_until(lambda: not any(frame.is_running() for frame in frames))
    hangs.over.set()
    for thread in set(threading.enumerate()) - others:
        thread.join(PATIENCE)
    assert harness.row == row
    assert harness.ended(arn) == ended


def _environment(arn: str) -> Any:
    """Where the interpreter keeps how far an execution is."""
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    execution = stepfunctions_parser_backends[ACCOUNT][REGION].describe_execution(arn)
    return execution.exec_worker.env


def test_an_error_that_comes_after_a_time_out_does_not_take_its_place(harness: Harness) -> None:
    from moto.stepfunctions.parser.asl.eval.program_state import ProgramTimedOut

    arn = harness.start()
    harness.wait_for(Status.AWAITING_MASK)
    env = _environment(arn)
    env.set_timed_out()
    env.set_error(None)
    assert isinstance(env.program_state(), ProgramTimedOut)
    client("stepfunctions").stop_execution(executionArn=arn)


@pytest.mark.parametrize("state", ["RecordSplat", "RecordMesh"])
def test_a_write_about_one_object_fails(state: str, harness: Harness) -> None:
    harness.objects = 2
    harness.fail(state, PERMANENT)
    ended = harness.run()
    assert ended.status == "SUCCEEDED"
    assert harness.job.status is Status.COMPLETED
    statuses = [o.status for o in harness.job.ordered_objects]
    assert sorted(statuses) == [ObjectStatus.COMPLETED, ObjectStatus.FAILED]
    assert harness.notices == ["completed"]


def test_an_object_whose_failure_cannot_be_recorded_does_not_lose_the_others(
    harness: Harness,
) -> None:
    harness.objects = 2
    harness.mesh.for_object(1, Raises("EmptySurface", "Nothing there. Click again."))
    harness.fail("RecordObjectFailure", PERMANENT)
    one_object_failed(harness, harness.run(), "PointCloudToMesh", "EmptySurface")
    assert harness.job.ordered_objects[1].splat is not None  # to be gone on from


def test_objects_whose_failures_cannot_be_recorded_fail_the_job(harness: Harness) -> None:
    harness.objects = 2
    harness.mesh.for_object(1, Raises("EmptySurface"))
    harness.fail("RecordMesh", PERMANENT)
    harness.fail("RecordObjectFailure", PERMANENT, PERMANENT)
    failed(harness, harness.run(), "RecordMesh", f"DynamoDb.{PERMANENT}")


@pytest.mark.parametrize("objects", [1, 3])
def test_every_object_failing_fails_the_job_with_the_firsts_error(
    objects: int, harness: Harness
) -> None:
    harness.objects = objects
    harness.mesh.always(Raises("EmptySurface", "Nothing there. Click again."))
    ended = harness.run()
    failed(harness, ended, "PointCloudToMesh", "EmptySurface")
    assert [o.status for o in harness.job.ordered_objects] == [ObjectStatus.FAILED] * objects
    assert harness.job.error is not None
    assert harness.job.error.message == "Nothing there. Click again."
    assert "Publish" not in ended.states


@pytest.mark.parametrize("state", ["RecordObjectFailure", "RecordFailure"])
def test_a_failure_whose_record_was_not_confirmed_is_told_once(
    state: str, harness: Harness
) -> None:
    harness.mesh.always(Raises("EmptySurface"))
    harness.lose_answer(state)
    failed(harness, harness.run(), "PointCloudToMesh", "EmptySurface")
    assert [o.status for o in harness.job.ordered_objects] == [ObjectStatus.FAILED]


def test_a_job_cancelled_in_the_map_stays_cancelled(harness: Harness) -> None:
    harness.submit.for_object(0, cancel(harness))
    ended = harness.run()
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Superseded")
    assert harness.job.status is Status.CANCELLED
    assert harness.notices == []


# Telling


@pytest.mark.parametrize(
    "answers",
    [[Raises()], REFUSED_FOR_GOOD, [Raises("MailFailed")] * 9, [Hangs()]],
    ids=["crash", "throttled", "mail failed", "timed out"],
)
def test_a_mail_that_fails_never_fails_a_job(answers: list[Answer], harness: Harness) -> None:
    if isinstance(answers[0], Hangs):
        harness.set_timeout("Notify", 1)
    harness.notify.next(*answers * FOR_GOOD)
    ended = harness.run()
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Done")
    assert harness.job.status is Status.COMPLETED
    if isinstance(answers[0], Hangs):
        answers[0].over.set()


def test_a_mail_that_failed_is_tried_again(harness: Harness) -> None:
    harness.notify.next(Raises("MailFailed"), Returns())
    assert harness.run().status == "SUCCEEDED"
    assert harness.notices == ["completed", "completed"]


def test_a_failure_that_cannot_be_told_keeps_its_name(harness: Harness) -> None:
    harness.machine = definition(Drafts="false")
    harness.submit.next(TaskFails("OutOfMemory"))
    harness.notify.next(Raises())
    ended = harness.run()
    assert (ended.status, ended.error) == ("FAILED", "OutOfMemory")
    assert harness.job.status is Status.FAILED


# What only the rule on broken executions can make good


def wake_the_backstop(harness: Harness) -> None:
    """Send the status event of the execution's end to the notify function, as EventBridge does."""
    (detail,) = [d for d in harness.announced if d["status"] != "RUNNING"]
    event = load_event("notify/execution_failed") | {"detail": detail}
    client("sesv2").create_email_identity(EmailIdentity="gen3d@example.com")
    notify.handler(event, Context())


def test_a_failure_that_cannot_be_recorded_is_recorded_by_the_backstop(harness: Harness) -> None:
    harness.machine = definition(Drafts="false")
    harness.submit.next(TaskFails("OutOfMemory"))
    harness.fail("RecordFailure", PERMANENT)
    ended = harness.run()
    assert (ended.status, ended.error) == ("FAILED", "OutOfMemory")
    assert harness.job.error is None
    wake_the_backstop(harness)
    assert harness.job.status is Status.FAILED


def test_an_execution_that_takes_too_long_is_recorded_by_the_backstop(harness: Harness) -> None:
    harness.machine["TimeoutSeconds"] = 1
    ended = harness.run(masks=False)
    assert ended.status == "TIMED_OUT"
    wake_the_backstop(harness)
    assert harness.job.error is not None
    assert harness.job.error.name == "ExecutionTimedOut"


@pytest.mark.parametrize("cancelled", [True, False])
def test_an_execution_that_is_stopped(cancelled: bool, harness: Harness) -> None:
    arn = harness.start()
    harness.wait_for(Status.AWAITING_MASK)
    if cancelled:
        harness._jobs.cancel(harness.job)
    client("stepfunctions").stop_execution(executionArn=arn, error="E", cause="c")
    ended = harness.ended(arn)
    assert ended.status == "ABORTED"
    wake_the_backstop(harness)
    assert harness.job.status is (Status.CANCELLED if cancelled else Status.FAILED)


def test_starting_twice_runs_once(harness: Harness) -> None:
    arn = harness.start()
    assert harness.start() == arn
    harness.wait_for(Status.AWAITING_MASK)
    # The draft's embeddings may let masks be made before the endpoint is asked.
    harness.wait_until(lambda: bool(harness.submit.calls))
    assert len(harness.submit.calls) == 1
    client("stepfunctions").stop_execution(executionArn=arn)
