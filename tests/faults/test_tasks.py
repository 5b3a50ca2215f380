"""Every task × every fault, once and for good; what failed is taken up again and completes."""

from collections.abc import Callable
from typing import Any

import pytest

from gen3d.jobs import Status
from tests.workflow.fake_functions import Answer, FakeFunction, Raises, Refused, Returns
from tests.workflow.harness import all_states, definition

from .world import Notification, World, answer, failed, named

FAULTS = ("throttled", "timed out", "malformed answer", "killed half-way", "out of memory",
          "dependency down")  # fmt: skip
HOW_LONG = ("once", "for good")

DRAFTS = ("DraftObject", "DraftMesh", "RecordObjectDraft")
AT_ONCE = ("InitializeAtOnce", "ReconstructAtOnce")
FUNCTIONS = ("Initialize", "NotifyPrepared", "Reconstruct", "PointCloudToMesh", "Notify",
             "NotifyExpiry", "NotifyFailure", "DraftPhoto", "MakeScene", "DecodePrompts",
             *DRAFTS[:2], *AT_ONCE)  # fmt: skip
CALLS = ("Begin", "WaitForMask", "BeginReconstruction", "RecordSplat", "RecordMesh",
         "RecordObjectFailure", "Publish", "Complete", "RecordExpiry", "RecordFailure",
         "RecordDraft", "RecordPrepared", "DraftStands", "RecordMasks", DRAFTS[2])  # fmt: skip
ENDPOINT = ("initialize", "reconstruct")


def test_no_task_is_left_out() -> None:
    tasks = {name for name, s in all_states(definition()).items() if s["Type"] == "Task"}
    assert tasks == {*FUNCTIONS, *CALLS}


def rows(*names: str) -> list[tuple[str, str, str]]:
    return [(name, fault, long) for name in names for fault in FAULTS for long in HOW_LONG]


def lead_to(world: World, task: str) -> bool:
    """Arrange that the task is reached; gives whether a person makes masks."""
    if task in ("RecordExpiry", "NotifyExpiry"):
        world.expire_soon()
        return False
    if task == "NotifyPrepared":
        world.tell_prepared()
    if task in ("DecodePrompts", "RecordMasks"):
        world.show_objects()
        return False
    if task in DRAFTS:
        world.draft_always()
    if task == "MakeScene":
        world.objects = 2
    if task in AT_ONCE:
        world.machine = definition(Drafts="false", Endpoint="false")
    if task == "DraftStands":
        world.endpoint.always["initialize"] = named("OutOfMemory")
    if task in ("RecordFailure", "NotifyFailure"):
        world.prepare_nothing("ImageTooSmall")
    if task == "RecordObjectFailure":
        world.endpoint.always["reconstruct"] = named("ReconstructionFailed")
    return True


def end(world: World, status: Status, runs: int = 1) -> None:
    """The job is at its end, and a job that failed can be taken up again and completes."""
    world.check(runs)
    assert status is world.job.status
    if status not in (Status.FAILED, Status.EXPIRED):
        return
    world.endpoint.always.clear()
    world.expire_late()
    assert world.ask("retry_job", {})[0] == 202
    assert world.go_on() is Status.COMPLETED
    world.check(runs + 1)


# Functions


class Faulty(FakeFunction):
    """A function that fails in one state of the machine: the first time, or each time."""

    def __init__(self, real: Answer, at: Callable[[Any], bool], fault: Answer, often: int) -> None:
        super().__init__(real)
        self._at, self._fault, self._left = at, fault, often

    def invoke(self, payload: dict[str, Any]) -> dict[str, Any]:
        if self._at(payload) and self._left:
            self._left -= 1
            return self._fault(payload)
        return super().invoke(payload)

    def heal(self) -> None:
        """Fail no more."""
        self._left = 0


def after(real: Answer, fault: Answer) -> Answer:
    """The work is done, and then it goes wrong."""

    def act(payload: dict[str, Any]) -> dict[str, Any]:
        real(payload)
        return fault(payload)

    return act


def function_fault(fault: str, real: Answer) -> Answer:
    match fault:
        case "throttled":
            return Refused("TooManyRequestsException")
        case "timed out":
            return Raises("Sandbox.Timedout", "Task timed out after 29.00 seconds")
        case "malformed answer":
            return after(real, Returns({"unheard": ["of"]}))
        case "killed half-way":
            return after(real, Raises("Runtime.ExitError", "signal: killed"))
        case "out of memory":
            return Raises("Lambda.Unknown", "The cause could not be determined")
        case _:
            return Raises("DependencyUnavailable", "A service that this needs is busy.")


@pytest.mark.cell("tasks", "{task}", "{fault}")
@pytest.mark.parametrize(("task", "fault", "long"), rows(*FUNCTIONS))
def test_functions(task: str, fault: str, long: str, world: World) -> None:
    name = {"Initialize": "submit", "Reconstruct": "submit", "PointCloudToMesh": "mesh",
            "DraftPhoto": "lite", "DraftObject": "lite", "DraftMesh": "mesh",
            "MakeScene": "mesh", "DecodePrompts": "lite",
            **dict.fromkeys(AT_ONCE, "lite")}  # fmt: skip
    function = name.get(task, "notify")
    real = getattr(world, function)._usual
    at: Callable[[Any], bool] = {
        "Initialize": lambda p: p["stage"] == "initialize",
        "Reconstruct": lambda p: p["stage"] == "reconstruct",
        "PointCloudToMesh": lambda p: "/draft/" not in p["splat"],
        "MakeScene": lambda p: p.get("task") == "scene",
        "DraftPhoto": lambda p: p["task"] == "initialize",
        "DecodePrompts": lambda p: p["task"] == "decode",
        "DraftObject": lambda p: p["task"] == "reconstruct",
        "DraftMesh": lambda p: "/draft/" in p["splat"],
        "InitializeAtOnce": lambda p: p["task"] == "initialize",
        "ReconstructAtOnce": lambda p: p["task"] == "reconstruct",
        "NotifyPrepared": lambda p: p["kind"] == "prepared",
        "Notify": lambda p: p["kind"] == "completed",
        "NotifyExpiry": lambda p: p["kind"] == "expired",
        "NotifyFailure": lambda p: p["kind"] == "failed",
    }[task]
    often = 1 if long == "once" else 1000
    faulty = Faulty(real, at, function_fault(fault, real), often)
    setattr(world, function, faulty)
    status = world.run_job(lead_to(world, task))
    if long == "once" and "Failure" not in task and "Expiry" not in task and (
        task not in ("PointCloudToMesh", "InitializeAtOnce", "DecodePrompts")
        or fault != "malformed answer"
    ):  # fmt: skip
        assert status is Status.COMPLETED
    faulty.heal()
    if long == "for good":
        world.replay()
    end(world, status)


# Calls of DynamoDB and S3 by the state machine


@pytest.mark.cell("tasks", "{task}", "{fault}")
@pytest.mark.parametrize(("task", "fault", "long"), rows(*CALLS))
def test_calls(task: str, fault: str, long: str, world: World) -> None:
    s3 = task == "Publish"
    code = {
        "throttled": "SlowDown" if s3 else "ThrottlingException",
        "timed out": "SdkClientException",
        "malformed answer": "SdkClientException",
        "killed half-way": "InternalError" if s3 else "InternalServerErrorException",
        "out of memory": "InternalError" if s3 else "InternalServerErrorException",
        "dependency down": "ServiceUnavailable" if s3 else "InternalServerErrorException",
    }[fault]
    unconfirmed = fault in ("timed out", "killed half-way", "malformed answer")
    if long == "for good":
        world.fail(task, *[code] * 1000)
    elif unconfirmed and not s3:  # the write is made all the same
        world.lose_answer(task)
    else:
        world.fail(task, code)
    status = world.run_job(lead_to(world, task))
    world.fail(task)
    end(world, status)


# The endpoint


def endpoint_fault(fault: str) -> Callable[[World, str], Notification]:
    match fault:
        case "throttled":
            return named("EndpointUnavailable")
        case "timed out":
            return lambda world, inference: failed(
                world, inference, "The request expired: RequestTTLSeconds exceeded."
            )
        case "malformed answer":
            return lambda world, inference: answer(world, inference, '{"gaussians": "many"')
        case "killed half-way":
            return lambda world, inference: failed(
                world, inference, 'Received server error (0) from model with message "". See'
            )
        case "out of memory":
            return named("OutOfMemory")
        case _:
            return named("StorageUnavailable")


@pytest.mark.cell("tasks", "the endpoint's {stage}", "{fault}")
@pytest.mark.parametrize(("stage", "fault", "long"), rows(*ENDPOINT))
def test_the_endpoint(stage: str, fault: str, long: str, world: World) -> None:
    act = endpoint_fault(fault)
    if long == "once":
        world.endpoint.faults.append((stage, act))
    else:
        world.endpoint.always[stage] = act
    status = world.run_job()
    if long == "once" and fault != "out of memory":
        assert status is Status.COMPLETED
    end(world, status)
