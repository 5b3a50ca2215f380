"""A job whose request shows its objects: masks are made of it, and nobody is waited for."""

from typing import Any

import pytest

from gen3d.jobs import ObjectStatus, ObjectTask, Status
from gen3d.options import EngineOptions, Options
from gen3d_aws.runs import plan_retry
from tests.support import BUCKET, PREFIX

from .fake_functions import DRAFT, Decodes, Raises, TaskFails, task_succeeds
from .harness import Harness, all_states

FOLDER = f"s3://{BUCKET}/{PREFIX}"
MISSED = {
    "name": "NothingFound",
    "stage": "DecodePrompts",
    "message": "Nothing was found where the clicks are.",
}


def show(harness: Harness, *tasks: ObjectTask) -> None:
    """Let the request have shown these objects."""
    harness.prompted = sum(len(task.steps) for task in tasks)
    harness.lite.always(Decodes([task.model_dump() for task in tasks]))


def cup(n: int = 0, seeds: int = 1, **left: Any) -> ObjectTask:
    options = Options(engine=EngineOptions(seed=7, seeds=seeds))
    return ObjectTask.anew(n, f"Cup {n}", options).model_copy(update=left)


def decoded(harness: Harness) -> list[dict[str, Any]]:
    """What was asked of the decoder."""
    return [call for call in harness.lite.calls if call["task"] == "decode"]


def test_a_request_that_shows_its_objects_needs_nobody(harness: Harness) -> None:
    show(harness, cup(0), cup(1))
    ended = harness.run(masks=False)
    assert ended.status == "SUCCEEDED"
    assert "WaitForMask" not in ended.states
    assert "NotifyPrepared" not in ended.states
    assert decoded(harness) == [
        {
            "task": "decode",
            "prompts": f"{FOLDER}prompts.json",
            "embeddings": f"{FOLDER}embeddings.safetensors",
            "output": f"{FOLDER}objects/",
        }
    ]
    job = harness.job
    assert job.status is Status.COMPLETED
    assert [(o.name, o.seed, o.status) for o in job.ordered_objects] == [
        ("Cup 0", 7, ObjectStatus.COMPLETED),
        ("Cup 1", 7, ObjectStatus.COMPLETED),
    ]
    assert job.stages.mask.milliseconds is not None
    assert job.stages.reconstruct.milliseconds is not None
    assert harness.notices == ["completed"]


def test_who_waits_long_for_the_endpoint_is_not_told_to_draw_a_mask(harness: Harness) -> None:
    show(harness, cup())
    (way,) = all_states(harness.machine)["TookLong"]["Choices"]
    way["Condition"] = way["Condition"].replace("60000", "-1")
    assert "NotifyPrepared" not in harness.run(masks=False).states


def test_an_object_that_was_not_found_costs_the_others_nothing(harness: Harness) -> None:
    show(harness, cup(0), cup(1, have="left", error=MISSED))
    ended = harness.run(masks=False)
    assert ended.status == "SUCCEEDED"
    found, missed = harness.job.ordered_objects
    assert found.status is ObjectStatus.COMPLETED
    assert missed.status is ObjectStatus.FAILED
    assert missed.error is not None
    assert missed.error.model_dump() == MISSED
    assert [call["n"] for call in harness.submit.calls if call["stage"] == "reconstruct"] == [0]


def test_several_seeds_of_what_a_request_shows_are_tried(harness: Harness) -> None:
    show(harness, cup(seeds=2))
    assert harness.run(masks=False).status == "SUCCEEDED"
    sent = [c["key"] for c in harness.submit.calls if c["stage"] == "reconstruct"]
    assert sorted(sent) == ["0.7", "0.8"]
    assert [v.status for v in harness.job.variants(0)] == [ObjectStatus.COMPLETED] * 2


def test_where_nothing_was_found_the_job_fails_by_that_name(harness: Harness) -> None:
    show(harness, cup())
    harness.lite.next(Decodes([]), Raises("NothingFound", "Put the click on the object."))
    ended = harness.run(masks=False)
    assert (ended.status, ended.error) == ("FAILED", "NothingFound")
    job = harness.job
    assert job.status is Status.FAILED
    assert job.error is not None
    assert (job.error.name, job.error.stage, job.error.message) == (
        "NothingFound",
        "DecodePrompts",
        "Put the click on the object.",
    )
    assert harness.notices == ["failed"]
    assert job.objects == {}


def test_a_draft_s_embeddings_do_where_the_endpoint_has_none(harness: Harness) -> None:
    show(harness, cup())
    harness.submit.next(TaskFails("OutOfMemory"))
    assert harness.run(masks=False).status == "SUCCEEDED"
    (asked,) = decoded(harness)
    assert asked["embeddings"] == f"{FOLDER}draft/embeddings.safetensors"
    assert harness.job.draft_model is not None
    assert harness.job.draft_model.revision == DRAFT["revision"]


def test_one_without_any_embeddings_fails_as_the_endpoint_did(harness: Harness) -> None:
    show(harness, cup())
    harness.submit.next(TaskFails("OutOfMemory"))
    harness.lite.next(Raises("ReconstructionFailed"))
    ended = harness.run(masks=False)
    assert ended.error == "OutOfMemory"
    assert decoded(harness) == []


@pytest.mark.parametrize("function", ["submit", "lite"])
def test_taken_up_again_it_shows_its_objects_again(function: str, harness: Harness) -> None:
    show(harness, cup())
    if function == "submit":
        harness.submit.next(TaskFails("OutOfMemory"))
        harness.lite.next(Raises("ReconstructionFailed"))
    else:
        harness.lite.next(Decodes([]), Raises("NothingFound"))
    assert harness.run(masks=False).status == "FAILED"
    plan = plan_retry(harness.job)
    ended = harness.run(masks=False, run=2, resume=plan.resume, objects=plan.objects)
    assert ended.status == "SUCCEEDED"
    assert "WaitForMask" not in ended.states
    asked = decoded(harness)[-1]
    assert asked["embeddings"] == f"{FOLDER}embeddings.safetensors"
    assert harness.job.status is Status.COMPLETED


def test_objects_that_have_their_masks_are_not_shown_again(harness: Harness) -> None:
    show(harness, cup(0), cup(1))
    harness.submit.for_object(1, TaskFails("OutOfMemory"))
    assert harness.run(masks=False).status == "SUCCEEDED"
    harness.submit.for_object(1, task_succeeds)
    plan = plan_retry(harness.job)
    ended = harness.run(masks=False, run=2, resume=plan.resume, objects=plan.objects)
    assert ended.status == "SUCCEEDED"
    assert len(decoded(harness)) == 1
    assert [o.status for o in harness.job.ordered_objects] == [ObjectStatus.COMPLETED] * 2


def test_one_that_is_cancelled_while_masks_are_made_stays_so(harness: Harness) -> None:
    show(harness, cup())

    def cancel() -> None:
        assert harness._jobs.cancel(harness.job)

    harness.meanwhile("RecordMasks", cancel)
    ended = harness.run(masks=False)
    assert "Superseded" in ended.states
    assert harness.job.status is Status.CANCELLED
    assert harness.notices == []


def test_a_lost_answer_to_its_masks_is_no_fault(harness: Harness) -> None:
    show(harness, cup())
    harness.lose_answer("RecordMasks")
    assert harness.run(masks=False).status == "SUCCEEDED"
