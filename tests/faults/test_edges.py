"""Every asynchronous edge × {duplicate, late, reordered, lost, unknown}, and the races."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from gen3d import runs, tokens
from gen3d.jobs import Status, new_job_id
from gen3d.tokens import TokenStore

from tests.support import JOB_ID, client, make_job
from tests.unit.api.requests import call

from .test_tasks import CALLS
from .world import MASK, Notification, World, answer, deliver, named

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


@pytest.mark.parametrize("stage", STAGES)
def test_a_notification_that_comes_twice(
    stage: str, notified: Callable[[World, str], None], world: World
) -> None:
    notified(world, stage)

    def twice(world: World, notification: Notification) -> None:
        deliver(world, notification)
        deliver(world, notification)

    Post(world, stage, twice)
    assert world.play() is Status.COMPLETED
    end(world)


@pytest.mark.parametrize("late", [True, False], ids=["late", "lost"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_notification_that_comes_late_or_never(
    stage: str, late: bool, notified: Callable[[World, str], None], world: World
) -> None:
    notified(world, stage)
    held: list[Notification] = []
    given_up = Once(lambda: world.look_after(hours=TOO_LATE))

    def hold(world: World, notification: Notification) -> None:
        held.append(notification)
        given_up.due = True

    Post(world, stage, hold)
    world.meantime = given_up
    assert world.play() is Status.COMPLETED
    if late:
        deliver(world, held[0])
    assert len(world.endpoint.taken) == 3
    end(world)


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
    assert world.play() is Status.COMPLETED
    assert [o.mesh is not None for o in world.job.ordered_objects] == [True, True]
    end(world)


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
    assert world.play() is Status.COMPLETED
    end(world)


# The arrival of result.json, and the end of an execution


def test_a_result_that_is_announced_twice(world: World) -> None:
    def twice(world: World, event: Any) -> None:
        world.deliver_event(event)
        world.deliver_event(event)

    world.deliver_result = twice
    assert world.play() is Status.COMPLETED
    end(world)


def test_a_result_that_is_never_announced(world: World) -> None:
    world.deliver_result = lambda world, event: None
    assert world.play() is Status.COMPLETED
    end(world)


def test_a_result_that_is_announced_before_the_record_says_so(world: World) -> None:
    world.meanwhile("Complete", world.deliver_events)
    assert world.play() is Status.COMPLETED
    end(world)


def test_a_result_that_is_announced_after_a_second_run(world: World) -> None:
    held: list[Any] = []
    world.deliver_result = lambda world, event: held.append(event)
    assert world.play() is Status.COMPLETED
    assert world.ask("retry_job", {"objects": [{"n": 0, "seed": 5}]})[0] == 202
    assert world.go_on() is Status.COMPLETED
    for event in held:
        world.deliver_event(event)
    world.check(2)


def test_a_result_of_nobodys(world: World) -> None:
    def strange(world: World, event: Any) -> None:
        event["detail"]["object"]["key"] = make_job().files.result.replace(JOB_ID, new_job_id())
        world.deliver_event(event)

    world.deliver_result = strange
    assert world.play() is Status.COMPLETED
    end(world)


@pytest.mark.parametrize("how", ["twice", "never", "of nobody's", "after a second run"])
def test_the_end_of_an_execution(how: str, world: World) -> None:
    """The machine's own words fail, so that the event's are needed."""
    world.endpoint.always["initialize"] = named("GpuUnavailable")
    world.fail("RecordFailure", *["InternalServerErrorException"] * 1000)
    held: list[Any] = []

    def happens(world: World, event: Any) -> None:
        held.append(event)
        if how == "twice":
            world.deliver_event(event)
            world.deliver_event(event)
        if how == "of nobody's":
            other = event["detail"]["input"].replace(JOB_ID, new_job_id())
            world.deliver_event({**event, "detail": {**event["detail"], "input": other}})

    world.deliver_end = happens
    world.play()
    if how != "twice":  # the reconciler finds what nobody told
        assert world.job.status is Status.INITIALIZING
        world.look_after(hours=TOO_LATE)
    end(world, status=Status.FAILED)
    world.endpoint.always.clear()
    world.fail("RecordFailure")
    assert world.ask("retry_job", {})[0] == 202
    assert world.go_on() is Status.COMPLETED
    for event in held:
        world.deliver_event(event)
    end(world, 2)


# The person: the start, the masks


def test_a_start_that_is_asked_for_twice(world: World) -> None:
    world.deploy()
    assert world.begin()[0] == 202
    assert world.begin()[0] in (200, 202)  # Step Functions knows the same start again
    assert world.go_on() is Status.COMPLETED
    end(world)


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


def test_a_start_after_the_cancellation(world: World) -> None:
    world.deploy()
    world.ask("cancel_job")
    status, job = world.begin()
    assert (status, job["status"]) == (200, "CANCELLED")
    assert world.ask("retry_job", {})[0] == 202
    assert world.go_on() is Status.COMPLETED
    end(world, 2)  # the cancellation took the first run's place


def test_masks_before_they_are_asked_for(world: World) -> None:
    world.deploy()
    assert world.ask("reconstruct_job", {"objects": [{}]})[0] == 409
    world.begin()
    assert world.go_on() is Status.COMPLETED
    end(world)


def test_masks_that_come_too_late(world: World) -> None:
    world.expire_soon()
    assert world.play(masks=False) is Status.EXPIRED
    assert world.ask("reconstruct_job", {"objects": [{}]})[0] == 410
    end(world, status=Status.EXPIRED)


def test_masks_that_come_twice(world: World) -> None:
    real = world.give_masks

    def twice() -> None:
        real()
        assert world.ask("reconstruct_job", {"objects": [{"name": "other"}]})[0] == 409

    world.give_masks = twice  # type: ignore[method-assign]
    assert world.play() is Status.COMPLETED
    assert [o.name for o in world.job.ordered_objects] == ["Cup 0"]
    end(world)


@pytest.mark.parametrize("made", [True, False])
def test_masks_whose_answer_is_lost(
    made: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = world.give_masks

    def losing() -> None:
        lose(monkeypatch, tokens, "send_task_success", made)
        real()

    world.give_masks = losing  # type: ignore[method-assign]
    assert world.play() is Status.COMPLETED, world.job.error
    end(world)


def test_masks_of_nobodys(world: World) -> None:
    world.deploy()
    path = f"/jobs/{new_job_id()}/reconstruct"
    assert call("reconstruct_job", {"objects": [{}]}, rawPath=path)[0] == 404
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

    monkeypatch.setattr(module, "_states", Losing)


# Races


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
    assert world.play() is Status.COMPLETED
    assert (others, refusals) == ([202], [409])
    assert [o.name for o in world.job.ordered_objects] == ["other"]
    end(world)


REACHED = [task for task in CALLS if task not in ("RecordObjectFailure", "RecordExpiry")]


def lead_to(world: World, task: str) -> None:
    if task == "RecordFailure":
        world.endpoint.always["initialize"] = named("GpuUnavailable")


@pytest.mark.parametrize("task", REACHED)
def test_a_cancellation_races_with_each_write(task: str, world: World) -> None:
    lead_to(world, task)
    world.meanwhile(task, lambda: cancelled(world))
    status = world.play()
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


@pytest.mark.parametrize("task", REACHED)
def test_a_deletion_races_with_each_write(task: str, world: World) -> None:
    lead_to(world, task)

    def delete() -> None:
        assert world.ask("delete_job")[0] == 204

    world.meanwhile(task, delete)
    world.deploy()
    world.begin()
    end_of_all = world.wait_until
    given = False
    while not world.at_rest:
        world.deliver_events()
        found = world._jobs.find(make_job().owner, JOB_ID)
        if not given and found is not None and found.status is Status.AWAITING_MASK:
            world.give_masks()
            given = True
    end_of_all(lambda: world.at_rest)
    world.look_after(hours=TOO_LATE)
    world.check_gone()


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
    given = False
    while not world.at_rest:
        world.deliver_events()
        if not given and stage == "reconstruct" and world._waits_for_masks():
            world.give_masks()
            given = True
    world.look_after(hours=TOO_LATE)
    world.check_gone()
