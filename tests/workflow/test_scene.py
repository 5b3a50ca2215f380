"""All objects of a job together: when it is made, what of it is kept, and that it fails nothing."""

from typing import Any

import pytest

from gen3d.jobs import ObjectStatus, Resume, Status
from gen3d_aws.runs import plan_retry
from tests.support import PREFIX, finished_object, load_event

from .fake_functions import Answer, Hangs, Raises, Refused, TaskFails, scene_of
from .harness import Harness
from .test_resume import leave, result, spoon


def scenes(harness: Harness) -> list[Any]:
    """What the mesh function was asked for all objects."""
    return [call for call in harness.mesh.calls if call.get("task") == "scene"]


def test_objects_are_set_beside_each_other_once_all_are_there(harness: Harness) -> None:
    harness.objects = 2
    harness.run()
    (asked,) = scenes(harness)
    assert asked == harness.mesh.calls[-1]
    sample = load_event("mesh/scene")
    assert set(asked) == set(sample)
    assert [set(one) for one in asked["objects"]] == [set(one) for one in sample["objects"]]
    assert asked["prefix"] == sample["prefix"]
    assert asked["photo"] == sample["photo"]
    made = scene_of(asked)
    assert harness.job.scene == made
    assert result()["scene"] == made


def test_the_pose_that_an_engine_found_goes_to_mesh_and_scene(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    from . import fake_functions

    pose = load_event("mesh/scene")["objects"][0]["pose"]
    monkeypatch.setitem(fake_functions.SPLAT, "pose", pose)
    harness.objects = 2
    harness.run()
    assert [call["pose"] for call in harness.mesh.calls[:2]] == [pose, pose]
    assert [one["pose"] for one in scenes(harness)[0]["objects"]] == [pose, pose]


def test_one_object_has_no_scene(harness: Harness) -> None:
    harness.run()
    assert scenes(harness) == []
    assert harness.job.scene is None
    assert result()["scene"] is None


def test_of_one_object_a_scene_is_made_where_it_is_asked_for(harness: Harness) -> None:
    leave(harness, Status.COMPLETED, finished_object())
    plan = plan_retry(harness.job, scene=True)
    assert (plan.resume, plan.work) == (Resume.RECONSTRUCT, 0)
    ended = harness.run(run=2, resume=plan.resume, objects=plan.objects, scene=plan.scene)
    assert ended.status == "SUCCEEDED"
    assert harness.submit.calls == []
    assert harness.mesh.calls == scenes(harness)
    assert harness.job.scene == scene_of(scenes(harness)[0])
    assert harness.job.status is Status.COMPLETED


def test_what_has_no_mesh_is_not_in_it(harness: Harness) -> None:
    harness.objects = 3
    harness.submit.for_object(1, TaskFails("ReconstructionFailed"))
    harness.run()
    (asked,) = scenes(harness)
    assert [one["n"] for one in asked["objects"]] == [0, 2]


@pytest.mark.parametrize(
    ("answer", "name", "sentence"),
    [
        (Raises("InputMissing", "Start again."), "InputMissing", "Start again."),
        (Raises(), "RuntimeError", "'NoneType' object is not subscriptable"),
        (Refused("TooManyRequestsException"), "Lambda.TooManyRequestsException", None),
        (Hangs(), "States.Timeout", None),
    ],
    ids=["ours", "a fault", "busy", "late"],
)
def test_a_scene_that_fails_fails_nothing_else(
    answer: Answer, name: str, sentence: str | None, harness: Harness
) -> None:
    harness.objects = 2
    harness.set_timeout("MakeScene")
    usual = harness.mesh._usual

    def but_for_the_scene(payload: dict[str, Any]) -> dict[str, Any]:
        return (answer if payload.get("task") == "scene" else usual)(payload)

    harness.mesh.always(but_for_the_scene)
    ended = harness.run()
    if isinstance(answer, Hangs):
        answer.over.set()
    assert ended.status == "SUCCEEDED"
    job = harness.job
    assert job.status is Status.COMPLETED
    assert [o.status for o in job.ordered_objects] == [ObjectStatus.COMPLETED] * 2
    assert job.scene is not None
    error = job.scene["error"]
    assert (error["name"], error["stage"]) == (name, "MakeScene")
    assert error["message"]
    if sentence is not None:
        assert error["message"] == sentence
    assert result()["scene"] == job.scene
    assert harness.notices == ["completed"]


def test_a_scene_is_gone_while_its_objects_are_made_anew(harness: Harness) -> None:
    leave(harness, Status.COMPLETED, finished_object(), spoon(), scene={"files": {}})
    seen = []
    harness.meanwhile("RecordSplat", lambda: seen.append(harness.job.scene))
    plan = plan_retry(harness.job)
    harness.run(run=2, resume=plan.resume, objects=plan.objects)
    assert seen == [None]
    assert harness.job.scene is not None
    assert harness.job.scene["files"]["glb"]["key"] == f"{PREFIX}scene.glb"
