"""Several seeds of an object: all are made, the truest is kept, and what fails loses nothing."""

import json
from typing import Any

import pytest

from gen3d.jobs import Job, JobObject, ObjectStatus, Resume, Status
from gen3d.options import EngineOptions, MeshOptions, Options
from gen3d_aws.runs import plan_retry
from tests.support import PREFIX, finished_object

from .fake_functions import Raises, TaskFails, mesh_of, task_succeeds
from .harness import Ended, Harness
from .test_resume import leave, result, sent
from .test_scene import scenes

THREE = Options(engine=EngineOptions(seed=5, seeds=3))
SCORES = {5: 0.7, 6: 0.9, 7: 0.8}
SEEDS = "objects/0/seeds"


def judged(payload: dict[str, Any]) -> dict[str, Any]:
    """The mesh function's answer, with how true the object is by its seed."""
    answer = mesh_of(payload)
    if payload.get("task") == "scene" or "/draft/" in payload["prefix"]:
        return answer
    made = json.loads(answer["Payload"].read())
    score = SCORES.get(payload["options"]["engine"]["seed"])
    made["truth"] = score and {"silhouette": score, "colour": 1.0, "score": score}
    answer["Payload"].seek(0)
    answer["Payload"].truncate()
    answer["Payload"].write(json.dumps(made).encode())
    answer["Payload"].seek(0)
    return answer


@pytest.fixture
def trying(harness: Harness) -> Harness:
    """A job whose objects are made by three seeds each."""
    harness.options = THREE
    harness.mesh.always(judged)
    return harness


def again(harness: Harness, wanted: Options | None = None, keep: int | None = None) -> Ended:
    """Take object 0 up again, as its owner does by the API."""
    plan = plan_retry(
        harness.job,
        None if wanted is None else {0: wanted},
        kept=None if keep is None else {0: keep},
    )
    return harness.run(run=harness.job.run + 1, resume=plan.resume, objects=plan.objects)


def failing(seed: int, answer: Any, usual: Any) -> Any:
    """A function that fails for one seed."""

    def answers(payload: dict[str, Any]) -> dict[str, Any]:
        options = payload.get("options", {})
        fails = options.get("engine", {}).get("seed") == seed
        return (answer if fails else usual)(payload)  # type: ignore[no-any-return]

    return answers


def kept(job: Job) -> tuple[ObjectStatus, int, str]:
    """What became of object 0."""
    o = job.ordered_objects[0]
    return o.status, o.seed, o.folder


def by_seed(job: Job) -> dict[int, ObjectStatus]:
    """What became of its variants."""
    return {v.seed: v.status for v in job.variants(0)}


def test_each_seed_is_made_in_a_folder_of_its_own_and_the_truest_is_kept(trying: Harness) -> None:
    assert trying.run().status == "SUCCEEDED"
    asked = trying.submit.calls[1:]
    assert sorted((c["key"], c["folder"], c["options"]["engine"]["seed"]) for c in asked) == [
        (f"0.{seed}", f"seeds/{seed}/", seed) for seed in SCORES
    ]
    assert {c["options"]["engine"]["seeds"] for c in asked} == {1}
    meshes = [c for c in trying.mesh.calls if "/draft/" not in c["prefix"]]
    assert sorted((c["splat"], c["prefix"], c["mask"]) for c in meshes) == [
        (
            f"{PREFIX}{SEEDS}/{seed}/splat.ply",
            f"{PREFIX}{SEEDS}/{seed}/",
            f"{PREFIX}objects/0/mask.png",
        )
        for seed in SCORES
    ]
    job = trying.job
    assert len(job.ordered_objects) == 1
    assert kept(job) == (ObjectStatus.COMPLETED, 6, "seeds/6/")
    assert job.ordered_objects[0].options == THREE.each_seed()[1]
    assert by_seed(job) == dict.fromkeys(SCORES, ObjectStatus.COMPLETED)
    assert {v.seed: v.mesh["truth"]["score"] for v in job.variants(0) if v.mesh} == SCORES
    published = result()
    assert [o["folder"] for o in published["objects"]] == ["seeds/6/"]
    assert [v["options"]["engine"]["seed"] for v in published["variants"]] == [5, 6, 7]


def test_each_is_in_the_record_as_soon_as_it_is_there(trying: Harness) -> None:
    seen: list[Job] = []

    def look(payload: dict[str, Any]) -> dict[str, Any]:
        if payload["stage"] == "reconstruct":
            seen.append(trying.job)
        return task_succeeds(payload)

    trying.submit.always(look)
    trying.run()
    assert {o.status for job in seen for o in job.ordered_objects} == {ObjectStatus.PENDING}
    assert all(set(by_seed(job)) == set(SCORES) for job in seen)
    assert {job.ordered_objects[0].options for job in seen} == {THREE}


def test_other_objects_have_their_one_seed(trying: Harness) -> None:
    leave(trying, Status.COMPLETED, finished_object(0), finished_object(1, "Spoon"))
    assert again(trying, THREE).status == "SUCCEEDED"
    job = trying.job
    assert kept(job) == (ObjectStatus.COMPLETED, 6, "seeds/6/")
    assert job.ordered_objects[1] == finished_object(1, "Spoon")
    assert job.variants(1) == []
    (scene,) = scenes(trying)
    assert [one["folder"] for one in scene["objects"]] == ["seeds/6/", ""]


def test_without_a_score_the_first_is_kept(trying: Harness) -> None:
    trying.mesh.always(mesh_of)
    trying.run()
    assert kept(trying.job) == (ObjectStatus.COMPLETED, 5, "seeds/5/")


@pytest.mark.parametrize("stage", ["submit", "mesh"])
def test_a_seed_that_fails_costs_the_others_nothing(trying: Harness, stage: str) -> None:
    if stage == "submit":
        trying.submit.always(failing(6, TaskFails("ReconstructionFailed", "No."), task_succeeds))
    else:
        trying.mesh.always(failing(6, Raises("EmptySurface", "No."), judged))
    assert trying.run().status == "SUCCEEDED"
    job = trying.job
    assert job.status is Status.COMPLETED
    assert kept(job) == (ObjectStatus.COMPLETED, 7, "seeds/7/")
    assert job.ordered_objects[0].error is None
    assert by_seed(job) == {**dict.fromkeys(SCORES, ObjectStatus.COMPLETED), 6: ObjectStatus.FAILED}
    (lost,) = (v for v in job.variants(0) if v.seed == 6)
    assert lost.error is not None
    assert lost.error.message == "No."


def test_what_failed_of_them_is_made_when_they_are_asked_for_again(trying: Harness) -> None:
    trying.submit.always(failing(6, TaskFails("ReconstructionFailed"), task_succeeds))
    trying.run()
    trying.submit.always(task_succeeds)
    trying.submit.calls.clear()
    again(trying, THREE)
    assert [c["key"] for c in trying.submit.calls] == ["0.6"]
    assert kept(trying.job) == (ObjectStatus.COMPLETED, 6, "seeds/6/")


def test_where_all_fail_the_object_did_and_is_taken_up_with_all(trying: Harness) -> None:
    trying.submit.for_object(0, TaskFails("ReconstructionFailed", "No."))
    assert trying.run().error == "ReconstructionFailed"
    job = trying.job
    assert job.status is Status.FAILED
    o = job.ordered_objects[0]
    trying.submit.for_object(0, task_succeeds)
    assert again(trying).status == "SUCCEEDED"
    assert kept(trying.job) == (ObjectStatus.COMPLETED, 6, "seeds/6/")
    assert o.options == THREE


def test_a_job_that_was_cut_off_goes_on_with_the_seeds_that_it_lacks(trying: Harness) -> None:
    trying.options = None
    cut = JobObject(n=0, name="Cup", options=THREE)
    done, halfway, nothing = (
        finished_object(0).model_copy(update={"options": one, "folder": f"seeds/{seed}/"})
        for seed, one in zip(SCORES, THREE.each_seed(), strict=True)
    )
    objects = {
        "0": cut,
        "0.5": done,
        "0.6": halfway.model_copy(update={"mesh": None, "status": ObjectStatus.MESHING}),
        "0.7": JobObject(n=0, name="Cup", options=nothing.options, folder="seeds/7/"),
    }
    leave(trying, Status.CANCELLED)
    trying.leave(Status.CANCELLED, objects=objects)
    assert again(trying).status == "SUCCEEDED"
    assert [c["key"] for c in trying.submit.calls] == ["0.7"]
    assert sorted(c["prefix"][-8:] for c in trying.mesh.calls if "/draft/" not in c["prefix"]) == [
        "seeds/6/",
        "seeds/7/",
    ]
    assert kept(trying.job) == (ObjectStatus.COMPLETED, 6, "seeds/6/")


def test_what_was_kept_until_now_stays_beside_the_new_ones(trying: Harness) -> None:
    leave(trying, Status.COMPLETED, finished_object(0))  # with seed 0
    before = trying.job.ordered_objects[0]
    assert before.mesh is not None
    before.mesh["truth"] = {"silhouette": 1, "colour": 1, "score": 0.95}
    trying.leave(Status.COMPLETED, objects={"0": before})
    again(trying, THREE)
    job = trying.job
    assert set(by_seed(job)) == {before.seed, *SCORES}
    assert kept(job) == (ObjectStatus.COMPLETED, before.seed, "")
    assert job.ordered_objects[0].mesh == before.mesh


def test_another_one_can_be_chosen_and_nothing_is_made_for_it(trying: Harness) -> None:
    trying.objects = 2
    trying.run()
    trying.submit.calls.clear()
    trying.mesh.calls.clear()
    plan = plan_retry(trying.job, kept={0: 7})
    assert (plan.resume, plan.work) == (Resume.RECONSTRUCT, 0)
    assert again(trying, keep=7).status == "SUCCEEDED"
    assert sent(trying) == []
    assert trying.mesh.calls == scenes(trying)
    assert [one["folder"] for one in scenes(trying)[0]["objects"]] == ["seeds/7/", "seeds/6/"]
    job = trying.job
    assert kept(job) == (ObjectStatus.COMPLETED, 7, "seeds/7/")
    assert by_seed(job) == dict.fromkeys(SCORES, ObjectStatus.COMPLETED)
    assert [o.seed for o in job.ordered_objects] == [7, 6]


def test_a_choice_outlives_another_quality_of_the_mesh_which_all_get(trying: Harness) -> None:
    trying.run()
    again(trying, keep=5)
    trying.submit.calls.clear()
    trying.mesh.calls.clear()
    chosen = trying.job.ordered_objects[0].options
    tall = chosen.model_copy(update={"mesh": MeshOptions(height=810)})
    again(trying, tall)
    assert sent(trying) == []
    assert sorted(c["options"]["engine"]["seed"] for c in trying.mesh.calls) == [5, 6, 7]
    job = trying.job
    assert kept(job) == (ObjectStatus.COMPLETED, 5, "seeds/5/")
    assert {v.options.mesh.height for v in job.variants(0)} == {810}


def test_one_seed_again_leaves_no_others(trying: Harness) -> None:
    trying.run()
    again(trying, Options().with_seed(9))
    job = trying.job
    assert kept(job) == (ObjectStatus.COMPLETED, 9, "")
    assert set(job.objects) == {"0"}
