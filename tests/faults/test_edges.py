"""Every asynchronous edge × {duplicate, late, reordered, lost, unknown}, and the races."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from pydantic import ValidationError

from gen3d.errors import InternalError, MailFailed
from gen3d.jobs import Status, new_job_id
from gen3d_aws import runs, tokens
from gen3d_aws.store import JobStore
from gen3d_aws.tokens import TokenStore
from tests.support import JOB_ID, client, client_error, load_event, make_job, reconcile
from tests.unit.api.requests import call

from .test_tasks import CALLS, lead_to
from .world import MASK, PATIENCE, Notification, World, answer, deliver, named

TOO_LATE = 5.0
"""Hours after which nobody waits for an answer any more."""

STAGES = ("initialize", "reconstruct")


def end(world: World, runs: int = 1, status: Status = Status.COMPLETED) -> None:
    world.check(runs)
    assert world.job.status is status


class Once:
    """Something that happens when it is first asked for."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act, self.due = act, False

    def __call__(self) -> None:
        if self.due:
            self.due = False
            self._act()


class Post:
    """The way of notifications, on which the first of a stage goes astray."""

    def __init__(self, world: World, stage: str, happens: Callable[..., None]) -> None:
        self._world, self._stage, self._happens = world, stage, happens
        self._left = True
        world.endpoint.deliver = self

    def __call__(self, world: World, notification: Notification) -> None:
        if self._left and f"-{self._stage}-" in notification["inferenceId"]:
            self._left = False
            self._happens(world, notification)
        else:
            deliver(world, notification)


def failing(world: World, stage: str) -> None:
    """The first answer of a stage is a failure that is tried again."""
    world.endpoint.faults.append((stage, named("EndpointUnavailable")))


@pytest.fixture(params=["answer", "failure"])
def notified(request: pytest.FixtureRequest) -> Callable[[World, str], None]:
    """What the endpoint notifies of."""
    return failing if request.param == "failure" else lambda world, stage: None


@pytest.mark.cell("edges", "a notification, {stage}", "duplicate")
@pytest.mark.parametrize("stage", STAGES)
def test_a_notification_that_comes_twice(
    stage: str, notified: Callable[[World, str], None], world: World
) -> None:
    notified(world, stage)

    def twice(world: World, notification: Notification) -> None:
        deliver(world, notification)
        deliver(world, notification)

    Post(world, stage, twice)
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "a notification, {stage}", "{fault}")
@pytest.mark.parametrize("fault", ["late", "lost"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_notification_that_comes_late_or_never(
    stage: str, fault: str, notified: Callable[[World, str], None], world: World
) -> None:
    notified(world, stage)
    held: list[Notification] = []
    given_up = Once(lambda: world.look_after(hours=TOO_LATE))

    def hold(world: World, notification: Notification) -> None:
        held.append(notification)
        given_up.due = True

    Post(world, stage, hold)
    world.meantime = given_up
    assert world.run_job() is Status.COMPLETED
    if fault == "late":
        deliver(world, held[0])
    assert len(world.endpoint.accepted) == 3
    end(world)


@pytest.mark.cell("edges", "a notification, {stage}", "reordered")
@pytest.mark.parametrize("stage", STAGES)
def test_a_notification_that_comes_after_that_of_the_next_attempt(
    stage: str, notified: Callable[[World, str], None], world: World
) -> None:
    """Each finds its own attempt or nobody, in whichever order they come."""
    notified(world, stage)
    held: list[Notification] = []
    given_up = Once(lambda: world.look_after(hours=TOO_LATE))

    def hold(world: World, notification: Notification) -> None:
        held.append(notification)
        given_up.due = True
        world.endpoint.deliver = then_both

    def then_both(world: World, notification: Notification) -> None:
        if held and f"-{stage}-" in notification["inferenceId"]:
            deliver(world, held.pop())
        deliver(world, notification)

    Post(world, stage, hold)
    world.meantime = given_up
    assert world.run_job() is Status.COMPLETED
    assert not held
    assert len(world.endpoint.accepted) == 3
    end(world)


@pytest.mark.cell("edges", "a notification, reconstruct", "reordered")
def test_notifications_in_another_order(world: World) -> None:
    world.objects = 2
    held: list[Notification] = []

    def after_the_next(world: World, notification: Notification) -> None:
        held.append(notification)

    post = Post(world, "reconstruct", after_the_next)

    def pass_on(world: World, notification: Notification) -> None:
        post(world, notification)
        if held and held[0] is not notification:
            deliver(world, held.pop())

    world.endpoint.deliver = pass_on
    assert world.run_job() is Status.COMPLETED
    assert [o.mesh is not None for o in world.job.ordered_objects] == [True, True]
    end(world)


@pytest.mark.cell("edges", "a notification, {stage}", "unknown")
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    "inference", ["{job}-9-{stage}-0-0", "{job}-1-{stage}-7-0", "{other}-1-{stage}-0-0"]
)
def test_a_notification_that_nobody_knows(stage: str, inference: str, world: World) -> None:
    name = inference.format(job=JOB_ID, other=new_job_id(), stage=stage)

    def and_another(world: World, notification: Notification) -> None:
        deliver(world, {**notification, "inferenceId": name})
        deliver(world, notification)

    Post(world, stage, and_another)
    assert world.run_job() is Status.COMPLETED
    end(world)


# The arrival of result.json, and the end of an execution


@pytest.mark.cell("edges", "result.json arrives", "duplicate")
def test_a_result_that_is_announced_twice(world: World) -> None:
    def twice(world: World, event: Any) -> None:
        world.deliver_event(event)
        world.deliver_event(event)

    world.deliver_result = twice
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "result.json arrives", "lost")
def test_a_result_that_is_never_announced(world: World) -> None:
    world.deliver_result = lambda world, event: None
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "result.json arrives", "reordered")
@pytest.mark.parametrize("then", [Status.COMPLETED, Status.FAILED])
def test_a_result_that_is_announced_before_the_record_says_so(then: Status, world: World) -> None:
    def early() -> None:
        event = load_event("notify/result_created")
        event["detail"]["object"]["key"] = make_job().files.result
        world.deliver_event(event)

    world.meanwhile("Complete", early)
    if then is Status.FAILED:
        world.fail("Complete", "ResourceNotFoundException")
    world.deliver_result = lambda world, event: None
    assert world.run_job() is then
    assert [type(error) for error in world.undelivered] == [MailFailed] * 3
    end(world, status=then)


@pytest.mark.cell("edges", "result.json arrives", "late")
def test_a_result_that_is_announced_after_a_second_run(world: World) -> None:
    held: list[Any] = []
    world.deliver_result = lambda world, event: held.append(event)
    assert world.run_job() is Status.COMPLETED
    end(world)
    assert world.ask("retry_job", {"objects": [{"n": 0, "seed": 5}]})[0] == 202
    assert world.go_on() is Status.COMPLETED
    for event in held:
        world.deliver_event(event)
    end(world, 2)


@pytest.mark.cell("edges", "result.json arrives", "unknown")
def test_a_result_of_nobodys(world: World) -> None:
    def strange(world: World, event: Any) -> None:
        event["detail"]["object"]["key"] = make_job().files.result.replace(JOB_ID, new_job_id())
        world.deliver_event(event)

    world.deliver_result = strange
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "an execution has ended", "{fault}")
@pytest.mark.parametrize("fault", ["duplicate", "lost", "unknown", "late"])
def test_the_end_of_an_execution(fault: str, world: World) -> None:
    """The machine's own words fail, so that the event's are needed."""
    fall_silent(world)
    held: list[Any] = []

    def happens(world: World, event: Any) -> None:
        held.append(event)
        if fault == "duplicate":
            world.deliver_event(event)
            world.deliver_event(event)
        if fault == "unknown":
            other = event["detail"]["input"].replace(JOB_ID, new_job_id())
            world.deliver_event({**event, "detail": {**event["detail"], "input": other}})

    world.deliver_end = happens
    world.run_job()
    if fault != "duplicate":  # the reconciler finds what nobody told
        assert world.job.status is Status.AWAITING_MASK
        world.look_after(hours=TOO_LATE)
    end(world, status=Status.FAILED)
    speak_again(world)
    assert world.ask("retry_job", {})[0] == 202
    assert world.go_on() is Status.COMPLETED
    for event in held:
        world.deliver_event(event)
    end(world, 2)


@pytest.mark.cell("edges", "an execution has ended", "reordered")
def test_the_ends_of_two_executions_in_another_order(world: World) -> None:
    fall_silent(world)
    held: list[Any] = []
    world.deliver_end = lambda world, event: held.append(event)
    world.run_job()
    world.look_after(hours=TOO_LATE)
    end(world, status=Status.FAILED)
    assert world.ask("retry_job", {})[0] == 202
    world.go_on()
    for event in reversed(held):
        world.deliver_event(event)
    end(world, 2, Status.FAILED)
    speak_again(world)
    world.deliver_end = World.deliver_event
    assert world.ask("retry_job", {})[0] == 202
    assert world.go_on() is Status.COMPLETED
    end(world, 3)


def fall_silent(world: World) -> None:
    """Let executions fail without a word of their own."""
    world.prepare_nothing("GpuUnavailable")
    world.fail("RecordFailure", *["InternalServerErrorException"] * 1000)


def speak_again(world: World) -> None:
    world.endpoint.always.clear()
    world.fail("RecordFailure")


# The person: the start, the masks


@pytest.mark.cell("edges", "the start", "duplicate")
def test_a_start_that_is_asked_for_twice(world: World) -> None:
    world.deploy()
    assert world.begin()[0] == 202
    assert world.begin()[0] in (200, 202)  # Step Functions knows the same start again
    assert world.go_on() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "the start", "lost")
@pytest.mark.parametrize("made", [True, False])
def test_a_start_whose_answer_is_lost(
    made: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deploy()
    lose(monkeypatch, runs, "start_execution", made)
    assert world.begin()[0] in (200, 202, 503)
    assert world.begin()[0] in (200, 202)
    assert world.go_on() is Status.COMPLETED
    assert len({d["executionArn"] for d in world.announced}) == 1
    end(world)


@pytest.mark.cell("edges", "the start", "reordered")
def test_a_start_after_the_cancellation(world: World) -> None:
    world.deploy()
    world.ask("cancel_job")
    status, job = world.begin()
    assert (status, job["status"]) == (200, "CANCELLED")
    assert world.ask("retry_job", {})[0] == 202
    assert world.go_on() is Status.COMPLETED
    end(world, 2)  # the cancellation took the first run's place


@pytest.mark.cell("edges", "the masks", "reordered")
def test_masks_before_they_are_asked_for(world: World) -> None:
    world.deploy()
    assert world.ask("reconstruct_job", {"objects": [{}]})[0] == 409
    world.begin()
    assert world.go_on() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "the masks", "late")
def test_masks_that_come_too_late(world: World) -> None:
    world.expire_soon()
    assert world.run_job(masks=False) is Status.EXPIRED
    assert world.ask("reconstruct_job", {"objects": [{}]})[0] == 410
    end(world, status=Status.EXPIRED)


@pytest.mark.cell("edges", "the masks", "duplicate")
def test_masks_that_come_twice(world: World) -> None:
    real = world.give_masks

    def twice() -> None:
        real()
        assert world.ask("reconstruct_job", {"objects": [{"name": "other"}]})[0] == 409

    world.give_masks = twice  # type: ignore[method-assign]
    assert world.run_job() is Status.COMPLETED
    assert [o.name for o in world.job.ordered_objects] == ["Cup 0"]
    end(world)


@pytest.mark.cell("edges", "the masks", "lost")
@pytest.mark.parametrize("made", [True, False])
def test_masks_whose_answer_is_lost(
    made: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = world.give_masks

    def losing() -> None:
        lose(monkeypatch, tokens, "send_task_success", made)
        real()

    world.give_masks = losing  # type: ignore[method-assign]
    assert world.run_job() is Status.COMPLETED, world.job.error
    end(world)


@pytest.mark.cell("edges", "the masks", "unknown")
def test_masks_of_nobodys(world: World) -> None:
    world.deploy()
    assert world.ask_of(new_job_id(), "reconstruct_job", {"objects": [{}]})[0] == 404
    world.begin()
    assert world.go_on() is Status.COMPLETED
    end(world)


def lose(monkeypatch: pytest.MonkeyPatch, module: Any, operation: str, made: bool) -> None:
    """Lose the next answer of Step Functions, to a call that was made or not."""
    real = client("stepfunctions")
    left = [True]

    class Losing:
        def __getattr__(self, name: str) -> Any:
            def call(**parameters: Any) -> Any:
                if name != operation or not left:
                    return getattr(real, name)(**parameters)
                left.clear()
                if made:
                    getattr(real, name)(**parameters)
                raise ReadTimeoutError(endpoint_url="https://states.us-east-1.amazonaws.com")

            return call

    monkeypatch.setattr(module, "states_client", Losing)


@pytest.mark.cell("edges", "the start", "late")
def test_a_start_after_the_end(world: World) -> None:
    assert world.run_job() is Status.COMPLETED
    status, job = world.begin()
    assert (status, job["status"]) == (200, "COMPLETED")
    end(world)


@pytest.mark.cell("edges", "the start", "unknown")
def test_a_start_of_nobodys(world: World) -> None:
    world.deploy()
    assert world.ask_of(new_job_id(), "initialize_job", {})[0] == 404
    assert world.run_job() is Status.COMPLETED
    end(world)


# The person: cancelling, deleting, once more


@pytest.mark.cell("edges", "the cancellation", "duplicate")
def test_a_cancellation_that_comes_twice(world: World) -> None:
    world.give_masks = lambda: answered(world, "cancel_job", 202, 200)  # type: ignore[method-assign]
    assert world.run_job() is Status.CANCELLED
    ends_cancelled(world)


@pytest.mark.cell("edges", "the cancellation", "late")
def test_a_cancellation_after_the_end(world: World) -> None:
    assert world.run_job() is Status.COMPLETED
    answered(world, "cancel_job", 200)
    end(world)


@pytest.mark.cell("edges", "the cancellation", "reordered")
def test_a_cancellation_before_the_masks(world: World) -> None:
    def overtaken() -> None:
        world.write(make_job().uploads.mask(0), MASK)
        answered(world, "cancel_job", 202)
        answered(world, "reconstruct_job", 409, body={"objects": [{}]})

    world.give_masks = overtaken  # type: ignore[method-assign]
    assert world.run_job() is Status.CANCELLED
    ends_cancelled(world)


@pytest.mark.cell("edges", "the cancellation", "lost")
@pytest.mark.parametrize("made", [True, False])
def test_a_cancellation_that_is_cut_off(
    made: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def losing() -> None:
        lose(monkeypatch, runs, "stop_execution", made)
        answered(world, "cancel_job", 503, 200)

    world.give_masks = losing  # type: ignore[method-assign]
    assert world.run_job() is Status.CANCELLED
    ends_cancelled(world)


@pytest.mark.cell("edges", "the cancellation", "unknown")
def test_a_cancellation_of_nobodys(world: World) -> None:
    assert world.ask_of(new_job_id(), "cancel_job")[0] == 404
    assert world.run_job() is Status.COMPLETED
    end(world)


def answered(world: World, name: str, *statuses: int, body: Any = None) -> None:
    """Call the API as often as there are answers to expect."""
    assert [world.ask(name, body)[0] for _ in statuses] == list(statuses)


def ends_cancelled(world: World) -> None:
    """Nobody is told, and it can be taken up again."""
    assert not world.mails()
    end(world, status=Status.CANCELLED)
    del world.give_masks
    answered(world, "retry_job", 202, body={})
    assert world.go_on() is Status.COMPLETED
    end(world, 2)


@pytest.mark.cell("edges", "the deletion", "duplicate")
def test_a_deletion_that_comes_twice(world: World) -> None:
    assert world.run_job() is Status.COMPLETED
    answered(world, "delete_job", 204, 204)
    world.check_gone()


@pytest.mark.cell("edges", "the deletion", "late")
def test_a_deletion_after_the_end(world: World) -> None:
    world.prepare_nothing("ImageTooSmall")
    assert world.run_job() is Status.FAILED
    answered(world, "delete_job", 204)
    answered(world, "retry_job", 404, body={})
    world.check_gone()


@pytest.mark.cell("edges", "the deletion", "reordered")
def test_a_deletion_before_the_start(world: World) -> None:
    world.deploy()
    answered(world, "delete_job", 204)
    answered(world, "initialize_job", 404, body={})
    world.check_gone()


@pytest.mark.cell("edges", "the deletion", "lost")
@pytest.mark.parametrize("operation", ["DeleteObjects", "ListObjectsV2", "UpdateItem"])
def test_a_deletion_that_is_cut_off(
    operation: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.run_job() is Status.COMPLETED
    real = BaseClient._make_api_call  # type: ignore[attr-defined]
    left = [1]

    def refuse(client: Any, name: str, parameters: Any) -> Any:
        if name == operation and left:
            left.clear()
            raise client_error("SlowDown", name, 503)
        return real(client, name, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    answered(world, "delete_job", 503, 204)
    world.check_gone()


@pytest.mark.cell("edges", "the deletion", "unknown")
def test_a_deletion_of_nobodys(world: World) -> None:
    assert world.ask_of(new_job_id(), "delete_job")[0] == 204
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "the retry", "duplicate")
def test_a_retry_that_is_asked_for_twice(world: World) -> None:
    fails(world)
    answered(world, "retry_job", 202, body={})
    assert world.ask("retry_job", {})[0] in (202, 409)  # the same start again, or it has begun
    assert world.go_on() is Status.COMPLETED
    end(world, 2)


@pytest.mark.cell("edges", "the retry", "late")
def test_a_retry_after_it_has_completed(world: World) -> None:
    assert world.run_job() is Status.COMPLETED
    answered(world, "retry_job", 409, body={})
    end(world)


@pytest.mark.cell("edges", "the retry", "reordered")
def test_a_retry_before_the_failure(world: World) -> None:
    def early() -> None:
        answered(world, "retry_job", 409, body={})
        real()

    real, world.give_masks = world.give_masks, early  # type: ignore[method-assign]
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "the retry", "lost")
@pytest.mark.parametrize("made", [True, False])
def test_a_retry_whose_answer_is_lost(
    made: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(world)
    lose(monkeypatch, runs, "start_execution", made)
    assert world.ask("retry_job", {})[0] == 503
    assert world.ask("retry_job", {})[0] in (202, 409)
    assert world.go_on() is Status.COMPLETED
    end(world, 2)


@pytest.mark.cell("edges", "the retry", "unknown")
def test_a_retry_of_nobodys(world: World) -> None:
    fails(world)
    assert world.ask_of(new_job_id(), "retry_job", {})[0] == 404
    answered(world, "retry_job", 202, body={})
    assert world.go_on() is Status.COMPLETED
    end(world, 2)


def fails(world: World) -> None:
    """Lead to a failure whose reason is gone then."""
    world.prepare_nothing("GpuUnavailable")
    assert world.run_job() is Status.FAILED
    end(world, status=Status.FAILED)
    world.endpoint.always.clear()


# The request to the endpoint


class Request:
    """The way to the endpoint, on which the first request of a stage meets something."""

    def __init__(self, world: World, stage: str, happens: Callable[..., None]) -> None:
        self._stage, self._happens, self._left = stage, happens, True
        self.send = world.endpoint.invoke_endpoint_async
        world.endpoint.invoke_endpoint_async = self  # type: ignore[method-assign]

    def __call__(self, **request: Any) -> dict[str, Any]:
        if self._left and f"-{self._stage}-" in request["InferenceId"]:
            self._left = False
            self._happens(self.send, request)
            return {}
        return self.send(**request)


@pytest.mark.cell("edges", "a request, {stage}", "duplicate")
@pytest.mark.parametrize("stage", STAGES)
def test_a_request_that_is_taken_twice(stage: str, world: World) -> None:
    def twice(send: Any, request: Any) -> None:
        send(**request)
        send(**request)

    Request(world, stage, twice)
    assert world.run_job() is Status.COMPLETED
    world.wait_until(lambda: len(world.endpoint.accepted) == 3)
    end(world)


@pytest.mark.cell("edges", "a request, {stage}", "{fault}")
@pytest.mark.parametrize("fault", ["late", "reordered"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_request_that_comes_late_or_after_the_next_attempt(
    stage: str, fault: str, world: World
) -> None:
    held: list[Any] = []
    world.meantime = given_up = Once(lambda: world.look_after(hours=TOO_LATE))

    def hold(_send: Any, request: Any) -> None:
        held.append(request)
        given_up.due = True

    way = Request(world, stage, hold)
    send = way.send

    def then_both(**request: Any) -> dict[str, Any]:
        answer = send(**request)
        if fault == "reordered" and held and f"-{stage}-" in request["InferenceId"]:
            send(**held.pop())
        return answer

    way.send = then_both
    assert world.run_job() is Status.COMPLETED
    if fault == "late":
        send(**held.pop())
    assert not held
    world.wait_until(lambda: len(world.endpoint.accepted) == 3)
    end(world)


@pytest.mark.cell("edges", "a request, {stage}", "lost")
@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("stage", STAGES)
def test_a_request_whose_answer_is_lost(stage: str, made: bool, world: World) -> None:
    """It waits in its place again, until the reconciler looks after the queue."""
    world.meantime = looked_after = Once(world.look_after)

    def losing(send: Any, request: Any) -> None:
        looked_after.due = True
        if made:
            send(**request)
        raise ReadTimeoutError(endpoint_url="https://runtime.sagemaker.us-east-1.amazonaws.com")

    Request(world, stage, losing)
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "a request, {stage}", "unknown")
@pytest.mark.parametrize("stage", STAGES)
def test_a_request_to_no_endpoint(stage: str, world: World) -> None:
    def refused(_send: Any, _request: Any) -> None:
        message = "Endpoint gen3d of account 123456789012 not found."
        error = {"Error": {"Code": "ValidationError", "Message": message}}
        raise ClientError(error, "InvokeEndpointAsync")  # type: ignore[arg-type]

    world.draft_nothing()
    Request(world, stage, refused)
    assert world.run_job() is Status.FAILED
    end(world, status=Status.FAILED)
    answered(world, "retry_job", 202, body={})
    assert world.go_on() is Status.COMPLETED
    end(world, 2)


# The notice of an expiry, which waits in Lambda's own queue


@pytest.mark.cell("edges", "the notice of an expiry", "{fault}")
@pytest.mark.parametrize("fault", ["duplicate", "late", "reordered", "lost", "unknown"])
def test_the_notice_of_an_expiry(fault: str, world: World) -> None:
    world.expire_soon()
    held: list[Any] = []
    arrive = world.enqueue

    def happens(function: Any, payload: Any) -> None:
        if fault == "lost":
            world.dead_letters.append((function, payload))
        elif fault == "unknown":
            arrive(function, {**payload, "jobId": new_job_id()})
            arrive(function, payload)
        elif fault == "duplicate":
            arrive(function, payload)
            arrive(function, payload)
        else:
            held.append((function, payload))
            world.untold.add((payload["run"], Status.EXPIRED))

    world.enqueue = happens  # type: ignore[method-assign]
    assert world.run_job(masks=False) is Status.EXPIRED
    del world.enqueue
    world.replay()
    end(world, status=Status.EXPIRED)
    if fault == "reordered":  # the next one's comes first
        answered(world, "retry_job", 202, body={})
        assert world.go_on(masks=False) is Status.EXPIRED
        world.untold.discard((2, Status.EXPIRED))
        end(world, 2, Status.EXPIRED)
        for letter in held:
            arrive(*letter)
    world.expire_late()
    answered(world, "retry_job", 202, body={})
    assert world.go_on() is Status.COMPLETED
    for letter in held:
        arrive(*letter)
    end(world, 3 if fault == "reordered" else 2)


# The reconciler's schedule


@pytest.mark.cell("edges", "the schedule", "duplicate")
def test_a_schedule_that_comes_at_every_moment(world: World) -> None:
    def twice() -> None:
        world.look_after()
        world.look_after()

    world.meantime = twice
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "the schedule", "late")
@pytest.mark.parametrize("found", [Status.AWAITING_MASK, Status.COMPLETED])
def test_a_schedule_that_comes_late(found: Status, world: World) -> None:
    """A job that waits for its person, or has ended, is no contradiction after hours."""

    def look() -> None:
        if world.job.status is found:
            world.look_after(hours=TOO_LATE)

    world.meantime = look
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "the schedule", "reordered")
def test_a_schedule_whose_tasks_come_in_another_order(world: World) -> None:
    world.looks = ("sweep", "queue")
    world.meantime = world.look_after
    assert world.run_job() is Status.COMPLETED
    end(world)


@pytest.mark.cell("edges", "the schedule", "lost")
def test_a_schedule_that_breaks_down(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody else tells of, the next look finds."""
    fall_silent(world)
    world.deliver_end = lambda world, event: None
    world.run_job()
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "fail", refused_by_the_table)
        with pytest.raises(InternalError):
            world.look_after(hours=TOO_LATE)
    assert world.job.status is Status.AWAITING_MASK
    world.look_after(hours=TOO_LATE)
    end(world, status=Status.FAILED)
    speak_again(world)
    answered(world, "retry_job", 202, body={})
    assert world.go_on() is Status.COMPLETED
    end(world, 2)


def refused_by_the_table(*_: Any) -> bool:
    raise client_error("ThrottlingException", "UpdateItem")


@pytest.mark.cell("edges", "the schedule", "unknown")
def test_a_schedule_of_something_unheard_of(world: World) -> None:
    with pytest.raises(ValidationError):
        world.invoke(reconcile.handler, {"task": "unheard"})
    other = {"retry": {"owner": make_job().owner, "jobId": new_job_id()}}
    assert not world.invoke(reconcile.handler, other)["retried"]
    assert world.run_job() is Status.COMPLETED
    end(world)


def test_every_edge_meets_every_fault(request: pytest.FixtureRequest) -> None:
    """The table has no hole, and no row but these."""
    filled = {cell for item in request.session.items for cell in cells_of(item)}
    edges = {row: {column for s, r, column in filled if (s, r) == ("edges", row)} for row in EDGES}
    if request.config.option.keyword or "::" in str(request.config.args):
        pytest.skip("not all tests of this file were asked for")
    assert edges == {row: set(FAULTS) for row in EDGES}


EDGES = (
    "the start",
    "the masks",
    "the cancellation",
    "the deletion",
    "the retry",
    *(f"a request, {stage}" for stage in STAGES),
    *(f"a notification, {stage}" for stage in STAGES),
    "result.json arrives",
    "an execution has ended",
    "the notice of an expiry",
    "the schedule",
)
FAULTS = ("duplicate", "late", "reordered", "lost", "unknown")


def cells_of(item: pytest.Item) -> list[Any]:
    return [cell for name, cell in item.user_properties if name == "cell"]


# Races


@pytest.mark.cell("at once", "two browsers resume one job", "holds")
def test_two_browsers_resume_one_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second asks between the first one's check of the masks and its claim."""
    real = TokenStore.claim_mask
    others: list[int] = []

    def claim(store: TokenStore, job: Any) -> Any:
        if not others:
            others.append(0)
            others[0] = world.ask("reconstruct_job", {"objects": [{"name": "other"}]})[0]
        return real(store, job)

    monkeypatch.setattr(TokenStore, "claim_mask", claim)
    refusals: list[int] = []

    def both() -> None:
        world.write(make_job().uploads.mask(0), MASK)
        refusals.append(world.ask("reconstruct_job", {"objects": [{"name": "first"}]})[0])

    world.give_masks = both  # type: ignore[method-assign]
    assert world.run_job() is Status.COMPLETED
    assert (others, refusals) == ([202], [409])
    assert [o.name for o in world.job.ordered_objects] == ["other"]
    end(world)


REACHED = [task for task in CALLS if task not in ("RecordObjectFailure", "RecordExpiry")]


@pytest.mark.cell("races", "a cancellation", "{task}")
@pytest.mark.parametrize("task", REACHED)
def test_a_cancellation_races_with_each_write(task: str, world: World) -> None:
    lead_to(world, task)
    world.meanwhile(task, lambda: cancelled(world))
    status = world.run_job()
    assert status is Status.CANCELLED
    assert not world.mails()
    world.check()
    world.endpoint.always.clear()
    assert world.ask("retry_job", {})[0] == 202
    assert world.go_on() is Status.COMPLETED
    world.check(world.job.run)


def cancelled(world: World) -> None:
    status, _ = world.ask("cancel_job")
    assert status in (200, 202)


@pytest.mark.cell("races", "a deletion", "{task}")
@pytest.mark.parametrize("task", REACHED)
def test_a_deletion_races_with_each_write(task: str, world: World) -> None:
    lead_to(world, task)

    def delete() -> None:
        assert world.ask("delete_job")[0] == 204

    world.meanwhile(task, delete)
    world.deploy()
    world.begin()
    world.live(masks=task != "RecordFailure")  # with a mask a job goes on without embeddings
    world.look_after(hours=TOO_LATE)
    world.check_gone()


@pytest.mark.cell("at once", "a deletion, and the endpoint's {stage}", "holds")
@pytest.mark.parametrize("stage", STAGES)
def test_a_deletion_while_the_endpoint_works(stage: str, world: World) -> None:
    """The container writes after the deletion what it was asked for before."""

    def slow(world: World, inference: str) -> Notification:
        notification = answer(world, inference)
        assert world.ask("delete_job")[0] == 204
        world.write(make_job().files.embeddings, b"late")
        return notification

    world.endpoint.always[stage] = slow
    world.deploy()
    world.begin()
    world.live()
    world.look_after(hours=TOO_LATE)
    world.check_gone()


@pytest.mark.cell("at once", "a cancellation, and success: first {first}", "holds")
@pytest.mark.parametrize("first", ["the look", "the success"])
def test_a_cancellation_races_with_success(
    first: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job completes before the cancellation, or between its look and its write."""
    completed, looked = threading.Event(), threading.Event()
    answers: list[Any] = []
    real = JobStore.cancel

    def after_the_success(store: JobStore, job: Any) -> bool:
        looked.set()
        assert completed.wait(PATIENCE)
        return real(store, job)

    if first != "the success":
        monkeypatch.setattr(JobStore, "cancel", after_the_success)
        thread = threading.Thread(target=lambda: answers.append(call("cancel_job")))

        def look() -> None:
            thread.start()
            assert looked.wait(PATIENCE)

        world.meanwhile("Complete", look)
    assert world.run_job() is Status.COMPLETED
    completed.set()
    if first == "the success":
        answers.append(call("cancel_job"))
    else:
        thread.join(PATIENCE)
    ((status, job),) = answers
    assert (status, job["status"]) == (200, "COMPLETED")
    end(world)
