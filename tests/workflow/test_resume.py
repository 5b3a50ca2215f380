"""A job that is taken up again goes on where it ended; who was overtaken writes nothing.

The executions' inputs are those that the API and the operator's command send.
"""

import json
import threading
from typing import Any

import pytest

from gen3d.jobs import EngineRevision, Failure, Job, JobObject, ObjectStatus, PhotoSize, Status
from gen3d.options import MeshOptions, Options
from gen3d.paths import JobFiles
from gen3d_aws.runs import plan_retry
from tests.support import BUCKET, JOB_ID, OWNER, PREFIX, client, finished_object, table

from .fake_functions import SPLAT, Raises, TaskFails, mesh_of, task_succeeds
from .harness import WRITES, Ended, Harness, all_states, definition

FAILURE = Failure(name="InferenceFailed", message="Try again.", stage="Initialize")
MODEL = EngineRevision(engine="lite", revision="0123456789ab")
IMAGE = PhotoSize(width=64, height=48, bytes=1000)
TIMES = {
    "initialize": {"start": "2026-11-22T23:00:00.000Z", "end": "2026-11-22T23:00:02.000Z"},
    "mask": {"start": "2026-11-22T23:00:02.000Z", "end": "2026-11-22T23:01:00.000Z"},
    "reconstruct": {"start": "2026-11-22T23:01:00.000Z", "end": "2026-11-22T23:02:00.000Z"},
}


def spoon(**changes: Any) -> JobObject:
    """An object that failed."""
    fields: dict[str, Any] = {
        "n": 1,
        "name": "Spoon",
        "options": Options().with_seed(7),
        "status": ObjectStatus.FAILED,
        "error": FAILURE,
    }
    return JobObject(**(fields | changes))


def leave(
    harness: Harness,
    status: Status,
    *objects: JobObject,
    stages: tuple[str, ...] = tuple(TIMES),
    **changes: Any,
) -> None:
    """Let the first run have left the job like this, as it writes it."""
    by_number = {str(o.n): o for o in objects}
    harness.leave(status, objects=by_number, image=IMAGE, text="cup", **changes)
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="SET stages = :stages",
        ExpressionAttributeValues={
            ":stages": {name: TIMES[name] if name in stages else {} for name in TIMES},
        },
    )


def again(harness: Harness, wanted: dict[int, Options] | None = None) -> Ended:
    """Take the job up again, as its owner does by the API."""
    plan = plan_retry(harness.job, wanted)
    return harness.run(run=harness.job.run + 1, resume=plan.resume, objects=plan.objects)


def sent(harness: Harness) -> list[tuple[str, int, int]]:
    """What was sent to the endpoint: the stage, the object and the run."""
    return sorted((c["stage"], c["n"], c["run"]) for c in harness.submit.calls)


def result() -> Any:
    """What was published."""
    file = client("s3").get_object(Bucket=BUCKET, Key=JobFiles(PREFIX).result)
    return json.loads(file["Body"].read())


# Where it ended


def test_a_job_that_failed_at_its_photo_begins_anew(harness: Harness) -> None:
    leave(harness, Status.FAILED, stages=("initialize",), error=FAILURE)
    assert again(harness).status == "SUCCEEDED"
    assert sent(harness) == [("initialize", 0, 2), ("reconstruct", 0, 2)]
    job = harness.job
    assert (job.status, job.run, job.error) == (Status.COMPLETED, 2, None)
    times = job.stages.initialize
    assert times.start is not None
    assert times.start > job.created_at.replace(minute=5)
    assert times.milliseconds is not None
    assert times.milliseconds >= 0
    assert "failedAt" not in harness.row
    assert {p["run"] for p in harness.notify.calls} == {2}
    assert result()["run"] == 2


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.FAILED, Status.CANCELLED])
def test_a_job_without_a_mask_waits_for_it_again(status: Status, harness: Harness) -> None:
    leave(harness, status, stages=("initialize", "mask"), model=MODEL)
    ended = again(harness)
    assert ended.status == "SUCCEEDED"
    assert not {"Initialize", "DraftPhoto"} & set(ended.states)
    assert sent(harness) == [("reconstruct", 0, 2)]
    job = harness.job
    assert (job.status, job.run, job.model) == (Status.COMPLETED, 2, MODEL)
    assert job.stages.initialize.milliseconds == 2000  # what the first run did
    for times in (job.stages.mask, job.stages.reconstruct):  # what the second one did
        assert times.start is not None
        assert times.start > job.created_at.replace(minute=5)
        assert times.milliseconds is not None
        assert times.milliseconds >= 0


def test_a_job_goes_on_with_what_each_object_lacks(harness: Harness) -> None:
    cup, plate = finished_object(0), spoon(n=2, name="Plate", splat=SPLAT)
    leave(harness, Status.FAILED, cup, spoon(), plate, model=MODEL, error=FAILURE)
    ended = again(harness)
    assert ended.status == "SUCCEEDED"
    assert "Initialize" not in ended.states
    assert "WaitForMask" not in ended.states
    assert sent(harness) == [("reconstruct", 1, 2)]
    assert [c["options"]["engine"]["seed"] for c in harness.submit.calls] == [7]
    *meshes, _ = harness.mesh.calls
    assert sorted(c["splat"] for c in meshes if "/draft/" not in c["splat"]) == [
        f"{PREFIX}objects/{n}/splat.ply" for n in (1, 2)
    ]
    job = harness.job
    assert (job.status, job.error) == (Status.COMPLETED, None)
    assert job.ordered_objects[0] == cup
    assert [o.status for o in job.ordered_objects] == [ObjectStatus.COMPLETED] * 3
    assert [o.error for o in job.ordered_objects] == [None] * 3
    assert job.ordered_objects[2].splat == SPLAT
    assert job.stages.mask.milliseconds == 58_000
    assert job.stages.reconstruct.start is not None
    assert job.stages.reconstruct.start > job.created_at.replace(minute=5)
    published = result()
    assert [o["n"] for o in published["objects"]] == [0, 1, 2]
    assert {o["status"] for o in published["objects"]} == {"COMPLETED"}
    assert published["objects"][0]["mesh"] == cup.mesh
    assert published["embeddings"] == MODEL.model_dump()
    assert {key for o in published["objects"] for key in o} == {
        *("n", "name", "options", "folder", "status", "splat", "mesh")
    }


def test_one_object_of_several_is_made_anew_with_another_seed(harness: Harness) -> None:
    cup, other = finished_object(0), finished_object(1, "Spoon")
    leave(harness, Status.COMPLETED, cup, other, model=MODEL)
    assert again(harness, {1: Options().with_seed(42)}).status == "SUCCEEDED"
    assert sent(harness) == [("reconstruct", 1, 2)]
    assert [c["options"]["engine"]["seed"] for c in harness.submit.calls] == [42]
    kept, made = harness.job.ordered_objects
    assert kept == cup
    assert (made.seed, made.status, made.name) == (42, ObjectStatus.COMPLETED, "Spoon")
    assert made.mesh == json.loads(mesh_of({"prefix": f"{PREFIX}objects/1/"})["Payload"].read())
    assert harness.notices == ["completed"]


def test_with_other_options_of_the_mesh_a_splat_is_kept(harness: Harness) -> None:
    leave(harness, Status.COMPLETED, finished_object(0), model=MODEL)
    options = Options(mesh=MeshOptions(quality="fine", faces=5000))
    assert again(harness, {0: options}).status == "SUCCEEDED"
    assert sent(harness) == []
    assert [c["options"] for c in harness.mesh.calls] == [options.model_dump()]
    made = harness.job.ordered_objects[0]
    assert (made.options, made.splat) == (options, finished_object(0).splat)
    assert made.mesh != finished_object(0).mesh


def test_while_an_object_is_made_anew_the_others_are_there(harness: Harness) -> None:
    cup = finished_object(0)
    leave(harness, Status.COMPLETED, cup, spoon(), model=MODEL)
    harness.machine = definition(Drafts="false")
    seen: list[Job] = []

    def look_and_send(payload: dict[str, Any]) -> dict[str, Any]:
        seen.append(harness.job)
        return task_succeeds(payload)

    def look_and_make(payload: dict[str, Any]) -> dict[str, Any]:
        if "splat" in payload:
            seen.append(harness.job)
        return mesh_of(payload)

    harness.submit.always(look_and_send)
    harness.mesh.always(look_and_make)
    assert again(harness).status == "SUCCEEDED"
    assert [job.status for job in seen] == [Status.RECONSTRUCTING] * 2
    assert [job.ordered_objects[0] for job in seen] == [cup] * 2
    assert [job.ordered_objects[1].status for job in seen] == [
        ObjectStatus.PENDING,
        ObjectStatus.MESHING,
    ]
    assert [job.ordered_objects[1].error for job in seen] == [None] * 2
    began, since = (job.stages.reconstruct.start for job in seen), seen[1].ordered_objects[1]
    assert seen[0].ordered_objects[1].meshing_since is None
    assert since.meshing_since is not None
    assert all(start is not None and since.meshing_since >= start for start in began)
    assert harness.job.ordered_objects[1].meshing_since is None


def test_objects_that_were_not_named_stay_as_they_are(harness: Harness) -> None:
    plate = spoon(n=2, name="Plate", splat=SPLAT)
    leave(harness, Status.COMPLETED, finished_object(0), spoon(), plate, model=MODEL)
    assert again(harness, {1: Options().with_seed(9)}).status == "SUCCEEDED"
    assert sent(harness) == [("reconstruct", 1, 2)]
    cup, made, left = harness.job.ordered_objects
    assert (cup.status, made.status, made.seed) == (*[ObjectStatus.COMPLETED] * 2, 9)
    assert left == plate
    assert result()["objects"][2]["error"] == FAILURE.model_dump()


def test_what_failed_in_this_run_is_named(harness: Harness) -> None:
    """And not what was left as it had failed before."""
    leave(harness, Status.FAILED, spoon(n=0), spoon(), model=MODEL, error=FAILURE)
    harness.submit.always(TaskFails("InvalidMask", "Draw it again."))
    assert again(harness, {1: Options()}).error == "InvalidMask"
    assert [o.error.name for o in harness.job.ordered_objects if o.error] == [
        "InferenceFailed",
        "InvalidMask",
    ]


def test_what_fails_again_does_not_lose_what_there_is(harness: Harness) -> None:
    cup = finished_object(0)
    leave(harness, Status.COMPLETED, cup, spoon(), model=MODEL)
    harness.submit.always(TaskFails("OutOfMemory", "Take a smaller photo."))
    assert again(harness).status == "SUCCEEDED"
    job = harness.job
    assert (job.status, job.run) == (Status.COMPLETED, 2)
    assert job.ordered_objects[0] == cup
    failure = job.ordered_objects[1].error
    assert failure is not None
    assert (failure.name, failure.message) == ("OutOfMemory", "Take a smaller photo.")
    assert harness.notices == ["completed"]


def test_a_job_whose_only_object_fails_again_has_failed(harness: Harness) -> None:
    leave(harness, Status.FAILED, spoon(n=0), model=MODEL, error=FAILURE)
    harness.mesh.always(Raises("EmptySurface", "Nothing there."))
    ended = again(harness)
    assert (ended.status, ended.error) == ("FAILED", "EmptySurface")
    job = harness.job
    assert (job.status, job.run) == (Status.FAILED, 2)
    assert job.error is not None
    assert job.error.name == "EmptySurface"
    assert harness.notices == ["failed"]


def test_a_job_may_fail_and_be_taken_up_again_and_again(harness: Harness) -> None:
    harness.machine = definition(Drafts="false")
    harness.objects = 2
    harness.mesh.for_object(1, Raises("EmptySurface"))
    harness.submit.next(TaskFails("OutOfMemory"))
    assert harness.run().error == "OutOfMemory"
    assert again(harness).status == "SUCCEEDED"
    assert [o.status for o in harness.job.ordered_objects] == [
        ObjectStatus.COMPLETED,
        ObjectStatus.FAILED,
    ]
    harness.mesh.for_object(1, mesh_of)
    assert again(harness).status == "SUCCEEDED"
    assert [o.status for o in harness.job.ordered_objects] == [ObjectStatus.COMPLETED] * 2
    assert sent(harness) == [
        ("initialize", 0, 1),
        ("initialize", 0, 2),
        ("reconstruct", 0, 2),
        ("reconstruct", 1, 2),
    ]
    assert [(p["kind"], p["run"]) for p in harness.notify.calls] == [
        ("failed", 1),
        ("completed", 2),
        ("completed", 3),
    ]


def test_a_retry_whose_begin_is_not_confirmed_begins_once(harness: Harness) -> None:
    leave(harness, Status.COMPLETED, finished_object(0), spoon(), model=MODEL)
    harness.lose_answer("Begin")
    assert again(harness).status == "SUCCEEDED"
    assert len(harness.retry_waits) == 1
    assert [o.status for o in harness.job.ordered_objects] == [ObjectStatus.COMPLETED] * 2


@pytest.mark.parametrize(
    "status", [Status.FAILED, Status.EXPIRED, Status.CANCELLED, Status.COMPLETED]
)
def test_a_retry_that_cannot_begin_is_told(status: Status, harness: Harness) -> None:
    leave(harness, status, finished_object(0), spoon(), model=MODEL)
    before = harness.job
    harness.fail("Begin", "ResourceNotFoundException")
    assert again(harness).status == "FAILED"
    job = harness.job
    assert (job.status, job.run) == (Status.FAILED, 2)
    assert job.error is not None
    assert job.error.stage == "Begin"
    assert harness.notices == ["failed"]
    assert (job.objects, job.model, job.stages) == (before.objects, before.model, before.stages)
    assert again(harness).status == "SUCCEEDED"


def test_a_retry_that_cannot_begin_leaves_a_job_that_was_cancelled_meanwhile(
    harness: Harness,
) -> None:
    leave(harness, Status.COMPLETED, finished_object(0), spoon(), model=MODEL)
    harness.fail("Begin", "ResourceNotFoundException")
    harness.meanwhile("RecordFailure", lambda: withdraw(harness))
    superseded(harness, again(harness))
    assert (harness.job.status, harness.job.run, harness.job.error) == (Status.COMPLETED, 2, None)


def withdraw(harness: Harness) -> None:
    """Do as the API does when the person cancels a retry that has not begun."""
    assert harness._jobs.withdraw(harness.job, harness.job.run + 1)


# Superseded before it began


def superseded(harness: Harness, ended: Ended) -> None:
    """The execution did nothing and told nobody."""
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Superseded")
    assert harness.submit.calls == harness.mesh.calls == harness.notify.calls == []


def test_a_job_cancelled_before_it_begins_does_not_begin(harness: Harness) -> None:
    harness.meanwhile("Begin", lambda: cancel(harness))
    superseded(harness, harness.run())
    assert harness.job.status is Status.CANCELLED


def cancel(harness: Harness) -> None:
    """Do as the API does when the person cancels; that the execution is stopped comes too late."""
    assert harness._jobs.cancel(harness.job)


def test_a_retry_cancelled_before_it_begins_does_not_begin(harness: Harness) -> None:
    leave(harness, Status.COMPLETED, finished_object(0), spoon(), model=MODEL)
    harness.meanwhile("Begin", lambda: withdraw(harness))
    superseded(harness, again(harness))
    assert harness.job.status is Status.COMPLETED


def test_a_retry_that_was_planned_before_another_does_not_begin(harness: Harness) -> None:
    """What it knows of the objects is past."""
    leave(harness, Status.COMPLETED, finished_object(0), spoon(), model=MODEL)
    planned = plan_retry(harness.job)
    harness.leave(Status.COMPLETED, run=2, image=IMAGE)
    before = harness.row
    superseded(harness, harness.run(run=3, after=1, resume=planned.resume, objects=planned.objects))
    assert harness.row == before


def test_a_job_that_was_cancelled_before_it_began_can_be_taken_up(harness: Harness) -> None:
    cancel(harness)
    assert harness.run(run=harness.job.run + 1).status == "SUCCEEDED"
    assert harness.job.status is Status.COMPLETED


def test_a_deleted_job_does_not_begin(harness: Harness) -> None:
    harness.meanwhile("Begin", lambda: harness._jobs.tombstone(harness.job))
    superseded(harness, harness.run())
    assert harness.row["status"] == Status.DELETED


def test_a_job_without_a_record_does_not_begin(harness: Harness) -> None:
    key = {"owner": OWNER, "jobId": JOB_ID}
    harness.meanwhile("Begin", lambda: table("JobsTable").delete_item(Key=key))
    superseded(harness, harness.run(masks=False))
    assert table("JobsTable").scan()["Items"] == []


@pytest.mark.parametrize("status", Status)
def test_a_run_that_is_not_the_next_one_does_not_begin(status: Status, harness: Harness) -> None:
    harness.leave(status, run=2, image=IMAGE)
    before = harness.row
    superseded(harness, harness.run(masks=False, run=1))
    assert harness.row == before


@pytest.mark.parametrize(
    "status", [Status.INITIALIZING, Status.AWAITING_MASK, Status.RECONSTRUCTING]
)
def test_a_job_that_is_at_work_is_not_begun_by_another_run(
    status: Status, harness: Harness
) -> None:
    harness.leave(status, run=1, image=IMAGE)
    before = harness.row
    superseded(harness, harness.run(masks=False, run=2))
    assert harness.row == before


def test_of_two_runs_that_are_started_at_once_one_has_the_job(harness: Harness) -> None:
    """As where two requests to begin meet, of which one finds the first name taken."""
    arns = [harness.start(run=run) for run in (1, 2)]
    harness.wait_for(Status.AWAITING_MASK)
    harness.wait_until(lambda: any(harness.has_ended(arn) for arn in arns))
    harness.give_masks()
    ends = [harness.wait_for_end(arn).states[-1] for arn in arns]
    assert sorted(ends) == ["Done", "Superseded"]
    assert harness.notices == ["completed"]
    assert len({run for _, _, run in sent(harness)}) == 1


# Superseded on its way


def overtake(harness: Harness, seen: list[Any]) -> None:
    """Let another run take the job, and note the record as that one writes it."""
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="SET #run = #run + :one",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={":one": 1},
    )
    seen.append(harness.row)


@pytest.mark.parametrize(
    "state",
    [
        "WaitForMask",
        "BeginReconstruction",
        "RecordSplat",
        "RecordMesh",
        "RecordObjectFailure",
        "Complete",
        "RecordExpiry",
        "RecordFailure",
    ],
)
def test_an_execution_that_was_overtaken_writes_nothing(state: str, harness: Harness) -> None:
    seen: list[Any] = []
    if state in ("RecordObjectFailure", "RecordFailure"):
        harness.mesh.always(Raises("EmptySurface"))
    if state == "RecordExpiry":
        harness.expire_soon()
    assert state in all_states(harness.machine)
    harness.meanwhile(state, lambda: overtake(harness, seen))
    ended = harness.run(masks=state != "RecordExpiry")
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Superseded")
    assert seen == [harness.row]
    assert harness.notices == []
    tokens = table("TokensTable").scan()["Items"]
    assert bool(tokens) == (state != "WaitForMask")


@pytest.mark.parametrize("state", WRITES[1:])
def test_an_execution_whose_job_is_deleted_leaves_the_tombstone(
    state: str, harness: Harness
) -> None:
    harness.meanwhile(state, lambda: harness._jobs.tombstone(harness.job))
    ended = harness.run()
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Superseded")
    assert harness.row["status"] == Status.DELETED
    assert harness.notices == []


def test_an_object_of_a_cancelled_job_publishes_nothing(harness: Harness) -> None:
    harness.objects = 2
    first = threading.Event()

    def second(payload: dict[str, Any]) -> dict[str, Any]:
        assert first.wait(20)
        cancel(harness)
        return task_succeeds(payload)

    harness.submit.for_object(1, second)
    arn = harness.start()
    harness.wait_for(Status.AWAITING_MASK)
    harness.give_masks()
    harness.wait_until(lambda: harness.job.objects["0"].status is ObjectStatus.COMPLETED)
    first.set()
    assert harness.wait_for_end(arn).states[-1] == "Superseded"
    listed = client("s3").list_objects_v2(Bucket=BUCKET)
    assert listed["KeyCount"] == 0
    assert harness.job.status is Status.CANCELLED
