"""A draft at once, while the endpoint wakes: what it gives, and every way in which one is lost."""

import json
from typing import Any

import pytest

from gen3d.errors import ERRORS
from gen3d.jobs import ObjectStatus, Status
from gen3d_aws.runs import plan_retry
from tests.support import BUCKET, PREFIX, client, table

from .fake_functions import (
    DRAFT,
    EMBEDDINGS,
    Hangs,
    Raises,
    Refused,
    TaskFails,
    TaskNeverEnds,
    lite_of,
    mesh_of,
    task_succeeds,
)
from .harness import Ended, Harness, all_states, definition

PHOTO = f"s3://{BUCKET}/{PREFIX}image.jpg"
OBJECT = f"s3://{BUCKET}/{PREFIX}objects/0/"
LOST = [Raises(), Refused("AccessDeniedException"), Raises("ReconstructionFailed")]


def asleep(harness: Harness) -> str:
    """Start a job whose endpoint sleeps; gives its ARN once a draft can be clicked on."""
    harness.submit.next(TaskNeverEnds())
    arn = harness.start()
    harness.wait_until(
        lambda: harness.job.draft_model is not None and harness.job.status is Status.AWAITING_MASK
    )
    return arn


def wake(harness: Harness) -> None:
    """Let the endpoint answer about the photo."""
    client("stepfunctions").send_task_success(
        taskToken=harness.submit.calls[0]["taskToken"], output=json.dumps(EMBEDDINGS)
    )


def fail(harness: Harness, error: str) -> None:
    """Let the endpoint fail for good."""
    client("stepfunctions").send_task_failure(
        taskToken=harness.submit.calls[0]["taskToken"], error=error, cause="Do this."
    )


def drafted(harness: Harness) -> bool:
    """Whether each object has a draft."""
    objects = harness.job.ordered_objects
    return bool(objects) and all(o.draft is not None for o in objects)


def lost(ended: Ended) -> list[str]:
    """The states that are counted, as often as they were entered."""
    return [name for name in ended.states if name in ("DraftLost", "ObjectDraftLost")]


def test_a_draft_is_clicked_and_made_while_the_endpoint_sleeps(harness: Harness) -> None:
    harness.objects = 2
    arn = asleep(harness)
    job = harness.job
    assert job.draft_model is not None
    assert (job.draft_model.revision, job.model) == (DRAFT["revision"], None)
    assert job.awaits_model
    harness.give_masks()
    harness.wait_until(lambda: drafted(harness))
    assert harness.job.status is Status.RECONSTRUCTING
    assert [o.status for o in harness.job.ordered_objects] == [ObjectStatus.PENDING] * 2
    assert [c["stage"] for c in harness.submit.calls] == ["initialize"]

    wake(harness)
    ended = harness.wait_for_end(arn)
    assert (ended.status, lost(ended)) == ("SUCCEEDED", [])
    job = harness.job
    assert (job.status, job.model and job.model.revision) == (
        Status.COMPLETED,
        EMBEDDINGS["revision"],
    )
    assert [o.draft for o in job.ordered_objects] == [None, None]
    assert [o.status for o in job.ordered_objects] == [ObjectStatus.COMPLETED] * 2
    *meshes, scene = harness.mesh.calls
    assert sorted(c["prefix"] for c in meshes) == sorted(
        f"{PREFIX}objects/{n}/{folder}" for n in (0, 1) for folder in ("", "draft/")
    )
    assert scene["task"] == "scene"
    assert harness.notices == ["completed"]
    result = client("s3").get_object(Bucket=BUCKET, Key=f"{PREFIX}result.json")["Body"].read()
    assert json.loads(result)["embeddings"] == EMBEDDINGS
    assert b"draft" not in result


def test_the_lite_function_is_asked_in_the_contracts_words(harness: Harness) -> None:
    arn = asleep(harness)
    harness.give_masks()
    harness.wait_until(lambda: drafted(harness))
    photo, cup = harness.lite.calls
    assert photo == {
        "task": "initialize",
        "image": PHOTO,
        "output": f"s3://{BUCKET}/{PREFIX}draft/embeddings.safetensors",
    }
    assert cup == {
        "task": "reconstruct",
        "image": PHOTO,
        "mask": f"{OBJECT}mask.png",
        "output": f"{OBJECT}draft/splat.ply",
        "seed": 0,
    }
    assert harness.mesh.calls[0]["options"] == {"mesh": {"quality": "fast"}}
    client("stepfunctions").stop_execution(executionArn=arn)


def test_better_embeddings_come_while_somebody_clicks(harness: Harness) -> None:
    arn = asleep(harness)
    wake(harness)
    harness.wait_until(lambda: harness.job.model is not None)
    assert harness.job.status is Status.AWAITING_MASK
    assert not harness.job.awaits_model
    harness.give_masks()
    assert harness.wait_for_end(arn).status == "SUCCEEDED"


def test_an_endpoint_that_is_awake_is_not_kept_waiting_for_drafts(harness: Harness) -> None:
    ended = harness.run()
    assert "DraftObjects" not in ended.states
    assert [c["task"] for c in harness.lite.calls] == ["initialize"]


def test_one_that_answered_long_ago_may_sleep_again(harness: Harness) -> None:
    (way,) = all_states(harness.machine)["Awake"]["Choices"]
    assert "< 600000" in way["Condition"]
    way["Condition"] = way["Condition"].replace("< 600000", "< 0")
    ended = harness.run()
    assert "RecordObjectDraft" in ended.states
    assert harness.job.ordered_objects[0].draft is None


# A draft is lost


@pytest.mark.parametrize("answer", LOST)
def test_a_draft_of_the_photo_that_fails_loses_nothing(answer: Any, harness: Harness) -> None:
    harness.lite.next(*[answer] * 12)
    ended = harness.run()
    assert (ended.status, harness.job.status) == ("SUCCEEDED", Status.COMPLETED)
    assert lost(ended) == ["DraftLost"]
    assert harness.job.draft_model is None
    assert harness.notices == ["completed"]


def test_a_draft_of_the_photo_that_hangs_holds_nobody_up_for_long(harness: Harness) -> None:
    hangs = Hangs()
    harness.set_timeout("DraftPhoto", 1)
    harness.lite.next(hangs)
    ended = harness.run()
    assert (ended.status, lost(ended)) == ("SUCCEEDED", ["DraftLost"])
    hangs.over.set()


@pytest.mark.parametrize("state", ["RecordDraft", "RecordObjectDraft"])
def test_a_draft_that_cannot_be_recorded_loses_nothing(state: str, harness: Harness) -> None:
    harness.at_once = True
    harness.submit.next(TaskNeverEnds())
    harness.fail(state, "ResourceNotFoundException")
    arn = harness.start()
    harness.wait_for(Status.AWAITING_MASK)
    harness.give_masks()
    harness.wait_until(lambda: len(harness.mesh.calls) == 1)
    wake(harness)
    ended = harness.wait_for_end(arn)
    counted = {"RecordDraft": "DraftLost", "RecordObjectDraft": "ObjectDraftLost"}
    assert (ended.status, lost(ended)) == ("SUCCEEDED", [counted[state]])
    assert harness.job.status is Status.COMPLETED


@pytest.mark.parametrize("function", ["lite", "mesh"])
@pytest.mark.parametrize("answer", LOST)
def test_a_draft_of_an_object_that_fails_loses_nothing(
    answer: Any, function: str, harness: Harness
) -> None:
    harness.objects = 2
    arn = asleep(harness)
    fails = getattr(harness, function)
    fails.for_object(1, answer)
    harness.give_masks()
    harness.wait_until(lambda: harness.job.objects["0"].draft is not None)
    harness.wait_until(lambda: fails.was_asked_about(1))
    harness.mesh.for_object(1, mesh_of)
    wake(harness)
    ended = harness.wait_for_end(arn)
    assert (ended.status, lost(ended)) == ("SUCCEEDED", ["ObjectDraftLost"])
    statuses = [o.status for o in harness.job.ordered_objects]
    assert statuses == [ObjectStatus.COMPLETED] * 2
    assert harness.notices == ["completed"]


def test_a_draft_that_comes_late_takes_nobodys_place(harness: Harness) -> None:
    """The photo's, after the mask; an object's, after the object itself."""
    harness.at_once = True
    harness.submit.next(TaskNeverEnds())
    harness.meanwhile("RecordDraft", lambda: _give_masks_and_wait(harness))
    harness.meanwhile("RecordObjectDraft", lambda: _complete(harness))
    arn = harness.start()
    harness.wait_until(lambda: len(harness.mesh.calls) == 1)
    wake(harness)
    ended = harness.wait_for_end(arn)
    assert (ended.status, lost(ended)) == ("SUCCEEDED", [])
    assert harness.job.draft_model is None
    assert harness.job.ordered_objects[0].draft is None
    assert harness.job.status is Status.COMPLETED


def _give_masks_and_wait(harness: Harness) -> None:
    harness.wait_for(Status.AWAITING_MASK)
    harness.give_masks()
    harness.wait_for(Status.RECONSTRUCTING)


def _complete(harness: Harness) -> None:
    table("JobsTable").update_item(
        Key={"owner": harness.job.owner, "jobId": harness.job.job_id},
        UpdateExpression="SET objects.#n.#status = :completed",
        ExpressionAttributeNames={"#n": "0", "#status": "status"},
        ExpressionAttributeValues={":completed": "COMPLETED"},
    )


# The endpoint is lost


def test_a_mask_is_made_by_a_draft_where_the_endpoint_cannot_look_at_the_photo(
    harness: Harness,
) -> None:
    arn = asleep(harness)
    fail(harness, "OutOfMemory")
    harness.wait_until(lambda: not harness.job.awaits_model)
    job = harness.job
    assert (job.status, job.model) == (Status.AWAITING_MASK, None)
    assert job.draft_model is not None
    harness.give_masks()
    ended = harness.wait_for_end(arn)
    assert ended.status == "SUCCEEDED"
    result = client("s3").get_object(Bucket=BUCKET, Key=f"{PREFIX}result.json")["Body"].read()
    assert json.loads(result)["embeddings"] == DRAFT


def test_an_endpoint_that_never_wakes_leaves_the_draft_and_says_so(harness: Harness) -> None:
    ended = _never_wakes(harness)
    assert (ended.status, ended.error) == ("FAILED", "InferenceExpired")
    job = harness.job
    assert job.status is Status.FAILED
    assert job.error is not None
    assert (job.error.name, job.error.stage) == ("InferenceExpired", "Reconstruct")
    (cup,) = job.ordered_objects
    assert (cup.status, cup.draft is not None) == (ObjectStatus.FAILED, True)
    assert harness.notices == ["failed"]


def _never_wakes(harness: Harness) -> Ended:
    arn = asleep(harness)
    harness.submit.always(TaskFails("InferenceExpired"))
    harness.give_masks()
    harness.wait_until(lambda: drafted(harness))
    fail(harness, "EndpointMissing")
    return harness.wait_for_end(arn)


def test_what_failed_beside_a_draft_goes_on_with_its_mask(harness: Harness) -> None:
    _never_wakes(harness)
    harness.submit.always(task_succeeds)
    plan = plan_retry(harness.job)
    lite = len(harness.lite.calls)
    ended = harness.run(run=2, resume=plan.resume, objects=plan.objects)
    assert ended.status == "SUCCEEDED"
    assert not {"WaitForMask", "Initialize", "DraftPhoto"} & set(ended.states)
    assert len(harness.lite.calls) == lite, "it has a draft already"
    (cup,) = harness.job.ordered_objects
    assert (cup.status, cup.draft) == (ObjectStatus.COMPLETED, None)


def test_an_object_that_fails_among_others_keeps_its_draft(harness: Harness) -> None:
    harness.objects = 2
    arn = asleep(harness)
    harness.submit.for_object(1, TaskFails("ReconstructionFailed"))
    harness.give_masks()
    harness.wait_until(lambda: drafted(harness))
    wake(harness)
    assert harness.wait_for_end(arn).status == "SUCCEEDED"
    made, failed = harness.job.ordered_objects
    assert (made.draft, failed.draft is not None) == (None, True)


def test_embeddings_that_cannot_be_recorded_leave_the_draft(harness: Harness) -> None:
    arn = asleep(harness)
    harness.fail("RecordPrepared", "ResourceNotFoundException")
    wake(harness)
    harness.wait_until(lambda: not harness.job.awaits_model)
    assert harness.job.model is None
    harness.give_masks()
    assert harness.wait_for_end(arn).status == "SUCCEEDED"


# Both are lost


def test_without_draft_and_endpoint_the_job_fails_by_the_endpoints_error(harness: Harness) -> None:
    harness.lite.always(Raises("WeightsInvalid"))
    harness.submit.next(TaskFails("OutOfMemory", "Take a smaller photo."))
    ended = harness.run(masks=False)
    assert (ended.status, ended.error, ended.cause) == (
        "FAILED",
        "OutOfMemory",
        "Take a smaller photo.",
    )
    job = harness.job
    assert job.error is not None
    assert (job.error.name, job.error.stage) == ("OutOfMemory", "Initialize")
    assert job.error.message == "Take a smaller photo."
    assert harness.notices == ["failed"]


def test_a_draft_that_is_just_coming_is_waited_for(harness: Harness) -> None:
    """The first look finds none."""
    harness.submit.next(TaskFails("OutOfMemory"))
    harness.meanwhile(
        "DraftStands", lambda: harness.wait_until(lambda: harness.job.draft_model is not None)
    )
    harness.fail("DraftStands", "ConditionalCheckFailedException")
    assert harness.run().status == "SUCCEEDED"


def test_who_has_a_mask_of_their_own_needs_no_embeddings(harness: Harness) -> None:
    harness.at_once = True
    harness.lite.next(*[Raises()] * 12)
    harness.submit.next(TaskNeverEnds())
    arn = harness.start()
    harness.wait_for(Status.AWAITING_MASK)
    harness.give_masks()
    harness.wait_for(Status.RECONSTRUCTING)
    fail(harness, "OutOfMemory")
    assert harness.wait_for_end(arn).status == "SUCCEEDED"
    assert harness.job.status is Status.COMPLETED


# It ends in between


def test_better_embeddings_that_come_after_the_mask_are_kept(harness: Harness) -> None:
    arn = asleep(harness)
    harness.give_masks()
    harness.wait_until(lambda: drafted(harness))
    before = harness.job.objects
    harness.submit.always(TaskNeverEnds())
    wake(harness)
    harness.wait_until(lambda: harness.job.model is not None)
    assert (harness.job.status, harness.job.objects) == (Status.RECONSTRUCTING, before)
    client("stepfunctions").stop_execution(executionArn=arn)


def test_a_job_that_is_cancelled_gets_no_draft(harness: Harness) -> None:
    arn = asleep(harness)
    hangs = Hangs()
    harness.mesh.always(hangs)
    harness.give_masks()
    harness.wait_until(lambda: bool(harness.mesh.calls))
    assert harness._jobs.cancel(harness.job)
    client("stepfunctions").stop_execution(executionArn=arn)
    row = harness.row
    hangs.over.set()
    assert harness.wait_for_end(arn).status == "ABORTED"
    assert harness.row == row


def test_the_mask_is_waited_for_no_longer_than_it_was(harness: Harness) -> None:
    harness.expire_soon()
    arn = asleep(harness)
    ended = harness.wait_for_end(arn)
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Expired")
    assert harness.job.status is Status.EXPIRED
    with pytest.raises(Exception, match="TaskTimedOut"):
        wake(harness)


def test_what_ends_a_branch_is_an_error_of_ours() -> None:
    assert all_states(definition())["NobodyCame"]["Error"] in ERRORS


# Without drafts, and without an endpoint


def test_drafts_may_be_left_out(harness: Harness) -> None:
    harness.machine = definition(Drafts="false")
    harness.submit.next(TaskNeverEnds())
    harness.at_once = True
    arn = harness.start()
    harness.wait_for(Status.AWAITING_MASK)
    harness.give_masks()
    harness.wait_for(Status.RECONSTRUCTING)
    wake(harness)
    assert harness.wait_for_end(arn).status == "SUCCEEDED"
    assert harness.lite.calls == []


@pytest.fixture
def alone(harness: Harness) -> Harness:
    """A stack without an endpoint."""
    harness.machine = definition(Drafts="false", Endpoint="false")
    return harness


def test_without_an_endpoint_the_lite_function_makes_everything(alone: Harness) -> None:
    alone.objects = 2
    ended = alone.run()
    assert ended.status == "SUCCEEDED"
    assert alone.submit.calls == []
    assert {c["output"] for c in alone.lite.calls} == {
        f"s3://{BUCKET}/{PREFIX}{name}"
        for name in ("embeddings.safetensors", "objects/0/splat.ply", "objects/1/splat.ply")
    }
    job = alone.job
    assert job.status is Status.COMPLETED
    assert (job.model and job.model.revision, job.draft_model) == (DRAFT["revision"], None)
    assert [o.splat and o.splat["gaussians"] for o in job.ordered_objects] == [5000] * 2


def test_without_an_endpoint_what_fails_is_named(alone: Harness) -> None:
    alone.lite.next(Raises("InputMissing", "The photo is gone."))
    ended = alone.run(masks=False)
    assert (ended.status, ended.error) == ("FAILED", "InputMissing")
    assert alone.job.error is not None
    assert (alone.job.error.stage, alone.job.error.message) == (
        "InitializeAtOnce",
        "The photo is gone.",
    )
    alone.lite.always(Raises("ReconstructionFailed", "Cover the whole object."))
    alone.lite.next(lite_of)
    plan = plan_retry(alone.job)
    ended = alone.run(run=2, resume=plan.resume, objects=plan.objects)
    assert ended.error == "ReconstructionFailed"
    assert alone.job.ordered_objects[0].error is not None
    assert alone.job.ordered_objects[0].error.stage == "ReconstructAtOnce"
