"""A job that is taken up again goes on where it ended; who was overtaken writes nothing.

The executions' inputs are those that the API and the operator's command send.
"""

import json
import threading
from typing import Any

import pytest

from gen3d.jobs import Failure, Image, Job, JobObject, Model, ObjectStatus, Status
from gen3d.paths import JobFiles
from gen3d_aws.runs import plan_retry
from tests.support import BUCKET, JOB_ID, OWNER, PREFIX, client, finished_object, table

from .actors import SPLAT, Raises, TaskFails, mesh_of, task_succeeds
from .stage import Ended, Stage, all_states

FAILURE = Failure(name="InferenceFailed", message="Try again.", stage="Initialize")
MODEL = Model(engine="lite", revision="0123456789ab")
IMAGE = Image(width=64, height=48, bytes=1000)
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
        "seed": 7,
        "status": ObjectStatus.FAILED,
        "error": FAILURE,
    }
    return JobObject(**(fields | changes))


def leave(
    stage: Stage,
    status: Status,
    *objects: JobObject,
    stages: tuple[str, ...] = tuple(TIMES),
    **changes: Any,
) -> None:
    """Let the first run have left the job like this, as it writes it."""
    by_number = {str(o.n): o for o in objects}
    stage.leave(status, objects=by_number, image=IMAGE, text="cup", **changes)
    rows = {n: o.model_dump(mode="json", exclude_none=True) for n, o in by_number.items()}
    for row in rows.values():
        row |= {k: json.dumps(row[k]) for k in ("splat", "mesh") if k in row}
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="SET objects = :objects, stages = :stages",
        ExpressionAttributeValues={
            ":objects": rows,
            ":stages": {name: TIMES[name] if name in stages else {} for name in TIMES},
        },
    )


def again(stage: Stage, wanted: dict[int, int | None] | None = None) -> Ended:
    """Take the job up again, as its owner does by the API."""
    plan = plan_retry(stage.job, wanted)
    return stage.run(run=stage.job.run + 1, resume=plan.resume, objects=plan.objects)


def sent(stage: Stage) -> list[tuple[str, int, int]]:
    """What was sent to the endpoint: the stage, the object and the run."""
    return sorted((c["stage"], c["n"], c["run"]) for c in stage.submit.calls)


def result() -> Any:
    """What was published."""
    file = client("s3").get_object(Bucket=BUCKET, Key=JobFiles(PREFIX).result)
    return json.loads(file["Body"].read())


# Where it ended


def test_a_job_that_failed_at_its_photo_begins_anew(stage: Stage) -> None:
    leave(stage, Status.FAILED, stages=("initialize",), error=FAILURE)
    assert again(stage).status == "SUCCEEDED"
    assert sent(stage) == [("initialize", 0, 2), ("reconstruct", 0, 2)]
    job = stage.job
    assert (job.status, job.run, job.error) == (Status.COMPLETED, 2, None)
    times = job.stages.initialize
    assert times.start is not None
    assert times.start > job.created_at.replace(minute=5)
    assert times.milliseconds is not None
    assert times.milliseconds >= 0
    assert "failedAt" not in stage.row
    assert {p["run"] for p in stage.notify.calls} == {2}
    assert result()["run"] == 2


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.FAILED, Status.CANCELLED])
def test_a_job_without_a_mask_waits_for_it_again(status: Status, stage: Stage) -> None:
    leave(stage, status, stages=("initialize", "mask"), model=MODEL)
    ended = again(stage)
    assert ended.status == "SUCCEEDED"
    assert ended.states[:4] == ["Accept", "Begin", "Resume", "WaitForMask"]
    assert sent(stage) == [("reconstruct", 0, 2)]
    job = stage.job
    assert (job.status, job.run, job.model) == (Status.COMPLETED, 2, MODEL)
    assert job.stages.initialize.milliseconds == 2000  # what the first run did
    for times in (job.stages.mask, job.stages.reconstruct):  # what the second one did
        assert times.start is not None
        assert times.start > job.created_at.replace(minute=5)
        assert times.milliseconds is not None
        assert times.milliseconds >= 0


def test_a_job_goes_on_with_what_each_object_lacks(stage: Stage) -> None:
    cup, plate = finished_object(0), spoon(n=2, name="Plate", splat=SPLAT)
    leave(stage, Status.FAILED, cup, spoon(), plate, model=MODEL, error=FAILURE)
    ended = again(stage)
    assert ended.status == "SUCCEEDED"
    assert "Initialize" not in ended.states
    assert "WaitForMask" not in ended.states
    assert sent(stage) == [("reconstruct", 1, 2)]
    assert [c["seed"] for c in stage.submit.calls] == [7]
    assert sorted(c["splat"] for c in stage.mesh.calls) == [
        f"{PREFIX}objects/{n}/splat.ply" for n in (1, 2)
    ]
    job = stage.job
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
        *("n", "name", "seed", "status", "splat", "mesh")
    }


def test_one_object_of_several_is_made_anew_with_another_seed(stage: Stage) -> None:
    cup, other = finished_object(0), finished_object(1, "Spoon")
    leave(stage, Status.COMPLETED, cup, other, model=MODEL)
    assert again(stage, {1: 42}).status == "SUCCEEDED"
    assert sent(stage) == [("reconstruct", 1, 2)]
    assert [c["seed"] for c in stage.submit.calls] == [42]
    kept, made = stage.job.ordered_objects
    assert kept == cup
    assert (made.seed, made.status, made.name) == (42, ObjectStatus.COMPLETED, "Spoon")
    assert made.mesh == json.loads(mesh_of({"prefix": f"{PREFIX}objects/1/"})["Payload"].read())
    assert stage.notices == ["completed"]


def test_while_an_object_is_made_anew_the_others_are_there(stage: Stage) -> None:
    cup = finished_object(0)
    leave(stage, Status.COMPLETED, cup, spoon(), model=MODEL)
    seen: list[Job] = []

    def look_and_send(payload: dict[str, Any]) -> dict[str, Any]:
        seen.append(stage.job)
        return task_succeeds(payload)

    def look_and_make(payload: dict[str, Any]) -> dict[str, Any]:
        seen.append(stage.job)
        return mesh_of(payload)

    stage.submit.always(look_and_send)
    stage.mesh.always(look_and_make)
    assert again(stage).status == "SUCCEEDED"
    assert [job.status for job in seen] == [Status.RECONSTRUCTING] * 2
    assert [job.ordered_objects[0] for job in seen] == [cup] * 2
    assert [job.ordered_objects[1].status for job in seen] == [
        ObjectStatus.PENDING,
        ObjectStatus.MESHING,
    ]
    assert [job.ordered_objects[1].error for job in seen] == [None] * 2


def test_objects_that_were_not_named_stay_as_they_are(stage: Stage) -> None:
    plate = spoon(n=2, name="Plate", splat=SPLAT)
    leave(stage, Status.COMPLETED, finished_object(0), spoon(), plate, model=MODEL)
    assert again(stage, {1: 9}).status == "SUCCEEDED"
    assert sent(stage) == [("reconstruct", 1, 2)]
    cup, made, left = stage.job.ordered_objects
    assert (cup.status, made.status, made.seed) == (*[ObjectStatus.COMPLETED] * 2, 9)
    assert left == plate
    assert result()["objects"][2]["error"] == FAILURE.model_dump()


def test_what_failed_in_this_run_is_named(stage: Stage) -> None:
    """And not what was left as it had failed before."""
    leave(stage, Status.FAILED, spoon(n=0), spoon(), model=MODEL, error=FAILURE)
    stage.submit.always(TaskFails("InvalidMask", "Draw it again."))
    assert again(stage, {1: None}).error == "InvalidMask"
    assert [o.error.name for o in stage.job.ordered_objects if o.error] == [
        "InferenceFailed",
        "InvalidMask",
    ]


def test_what_fails_again_does_not_lose_what_there_is(stage: Stage) -> None:
    cup = finished_object(0)
    leave(stage, Status.COMPLETED, cup, spoon(), model=MODEL)
    stage.submit.always(TaskFails("OutOfMemory", "Take a smaller photo."))
    assert again(stage).status == "SUCCEEDED"
    job = stage.job
    assert (job.status, job.run) == (Status.COMPLETED, 2)
    assert job.ordered_objects[0] == cup
    failure = job.ordered_objects[1].error
    assert failure is not None
    assert (failure.name, failure.message) == ("OutOfMemory", "Take a smaller photo.")
    assert stage.notices == ["completed"]


def test_a_job_whose_only_object_fails_again_has_failed(stage: Stage) -> None:
    leave(stage, Status.FAILED, spoon(n=0), model=MODEL, error=FAILURE)
    stage.mesh.always(Raises("EmptySurface", "Nothing there."))
    ended = again(stage)
    assert (ended.status, ended.error) == ("FAILED", "EmptySurface")
    job = stage.job
    assert (job.status, job.run) == (Status.FAILED, 2)
    assert job.error is not None
    assert job.error.name == "EmptySurface"
    assert stage.notices == ["failed"]


def test_a_job_may_fail_and_be_taken_up_again_and_again(stage: Stage) -> None:
    stage.objects = 2
    stage.mesh.for_object(1, Raises("EmptySurface"))
    stage.submit.next(TaskFails("OutOfMemory"))
    assert stage.run().error == "OutOfMemory"
    assert again(stage).status == "SUCCEEDED"
    assert [o.status for o in stage.job.ordered_objects] == [
        ObjectStatus.COMPLETED,
        ObjectStatus.FAILED,
    ]
    stage.mesh.for_object(1, mesh_of)
    assert again(stage).status == "SUCCEEDED"
    assert [o.status for o in stage.job.ordered_objects] == [ObjectStatus.COMPLETED] * 2
    assert sent(stage) == [
        ("initialize", 0, 1),
        ("initialize", 0, 2),
        ("reconstruct", 0, 2),
        ("reconstruct", 1, 2),
    ]
    assert [(p["kind"], p["run"]) for p in stage.notify.calls] == [
        ("failed", 1),
        ("completed", 2),
        ("completed", 3),
    ]


def test_a_retry_whose_begin_is_not_confirmed_begins_once(stage: Stage) -> None:
    leave(stage, Status.COMPLETED, finished_object(0), spoon(), model=MODEL)
    stage.lose_answer("Begin")
    assert again(stage).status == "SUCCEEDED"
    assert len(stage.retry_waits) == 1
    assert [o.status for o in stage.job.ordered_objects] == [ObjectStatus.COMPLETED] * 2


@pytest.mark.parametrize(
    "status", [Status.FAILED, Status.EXPIRED, Status.CANCELLED, Status.COMPLETED]
)
def test_a_retry_that_cannot_begin_is_told(status: Status, stage: Stage) -> None:
    leave(stage, status, finished_object(0), spoon(), model=MODEL)
    before = stage.job
    stage.fail("Begin", "ResourceNotFoundException")
    assert again(stage).status == "FAILED"
    job = stage.job
    assert (job.status, job.run) == (Status.FAILED, 2)
    assert job.error is not None
    assert job.error.stage == "Begin"
    assert stage.notices == ["failed"]
    assert (job.objects, job.model, job.stages) == (before.objects, before.model, before.stages)
    assert again(stage).status == "SUCCEEDED"


def test_a_retry_that_cannot_begin_leaves_a_job_that_was_cancelled_meanwhile(stage: Stage) -> None:
    leave(stage, Status.COMPLETED, finished_object(0), spoon(), model=MODEL)
    stage.fail("Begin", "ResourceNotFoundException")
    stage.meanwhile("RecordFailure", lambda: withdraw(stage))
    superseded(stage, again(stage))
    assert (stage.job.status, stage.job.run, stage.job.error) == (Status.COMPLETED, 2, None)


def withdraw(stage: Stage) -> None:
    """Do as the API does when the person cancels a retry that has not begun."""
    assert stage._jobs.withdraw(stage.job, stage.job.run + 1)


# Superseded before it began


def superseded(stage: Stage, ended: Ended) -> None:
    """The execution did nothing and told nobody."""
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Superseded")
    assert stage.submit.calls == stage.mesh.calls == stage.notify.calls == []


def test_a_job_cancelled_before_it_begins_does_not_begin(stage: Stage) -> None:
    stage.meanwhile("Begin", lambda: cancel(stage))
    superseded(stage, stage.run())
    assert stage.job.status is Status.CANCELLED


def cancel(stage: Stage) -> None:
    """Do as the API does when the person cancels; that the execution is stopped comes too late."""
    assert stage._jobs.cancel(stage.job)


def test_a_retry_cancelled_before_it_begins_does_not_begin(stage: Stage) -> None:
    leave(stage, Status.COMPLETED, finished_object(0), spoon(), model=MODEL)
    stage.meanwhile("Begin", lambda: withdraw(stage))
    superseded(stage, again(stage))
    assert stage.job.status is Status.COMPLETED


def test_a_retry_that_was_planned_before_another_does_not_begin(stage: Stage) -> None:
    """What it knows of the objects is past."""
    leave(stage, Status.COMPLETED, finished_object(0), spoon(), model=MODEL)
    planned = plan_retry(stage.job)
    stage.leave(Status.COMPLETED, run=2, image=IMAGE)
    before = stage.row
    superseded(stage, stage.run(run=3, after=1, resume=planned.resume, objects=planned.objects))
    assert stage.row == before


def test_a_job_that_was_cancelled_before_it_began_can_be_taken_up(stage: Stage) -> None:
    cancel(stage)
    assert stage.run(run=stage.job.run + 1).status == "SUCCEEDED"
    assert stage.job.status is Status.COMPLETED


def test_a_deleted_job_does_not_begin(stage: Stage) -> None:
    stage.meanwhile("Begin", lambda: stage._jobs.tombstone(stage.job))
    superseded(stage, stage.run())
    assert stage.row["status"] == Status.DELETED


def test_a_job_without_a_record_does_not_begin(stage: Stage) -> None:
    key = {"owner": OWNER, "jobId": JOB_ID}
    stage.meanwhile("Begin", lambda: table("JobsTable").delete_item(Key=key))
    superseded(stage, stage.run(masks=False))
    assert table("JobsTable").scan()["Items"] == []


@pytest.mark.parametrize("status", Status)
def test_a_run_that_is_not_the_next_one_does_not_begin(status: Status, stage: Stage) -> None:
    stage.leave(status, run=2, image=IMAGE)
    before = stage.row
    superseded(stage, stage.run(masks=False, run=1))
    assert stage.row == before


@pytest.mark.parametrize(
    "status", [Status.INITIALIZING, Status.AWAITING_MASK, Status.RECONSTRUCTING]
)
def test_a_job_that_is_at_work_is_not_begun_by_another_run(status: Status, stage: Stage) -> None:
    stage.leave(status, run=1, image=IMAGE)
    before = stage.row
    superseded(stage, stage.run(masks=False, run=2))
    assert stage.row == before


def test_of_two_runs_that_are_started_at_once_one_has_the_job(stage: Stage) -> None:
    """As where two requests to begin meet, of which one finds the first name taken."""
    arns = [stage.start(run=run) for run in (1, 2)]
    stage.wait_for(Status.AWAITING_MASK)
    stage.wait_until(lambda: any(stage.has_ended(arn) for arn in arns))
    stage.give_masks()
    ends = [stage.wait_for_end(arn).states[-1] for arn in arns]
    assert sorted(ends) == ["Done", "Superseded"]
    assert stage.notices == ["completed"]
    assert len({run for _, _, run in sent(stage)}) == 1


# Superseded on its way


def overtake(stage: Stage, seen: list[Any]) -> None:
    """Let another run take the job, and note the record as that one writes it."""
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="SET #run = #run + :one",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={":one": 1},
    )
    seen.append(stage.row)


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
def test_an_execution_that_was_overtaken_writes_nothing(state: str, stage: Stage) -> None:
    seen: list[Any] = []
    if state in ("RecordObjectFailure", "RecordFailure"):
        stage.mesh.always(Raises("EmptySurface"))
    if state == "RecordExpiry":
        stage.machine["States"]["WaitForMask"]["TimeoutSeconds"] = "{% 1 %}"
    assert state in all_states(stage.machine)
    stage.meanwhile(state, lambda: overtake(stage, seen))
    ended = stage.run(masks=state != "RecordExpiry")
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Superseded")
    assert seen == [stage.row]
    assert stage.notices == []
    tokens = table("TokensTable").scan()["Items"]
    assert bool(tokens) == (state != "WaitForMask")


@pytest.mark.parametrize(
    "state", ["WaitForMask", "BeginReconstruction", "RecordSplat", "RecordMesh", "Complete"]
)
def test_an_execution_whose_job_is_deleted_leaves_the_tombstone(state: str, stage: Stage) -> None:
    stage.meanwhile(state, lambda: stage._jobs.tombstone(stage.job))
    ended = stage.run()
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Superseded")
    assert stage.row["status"] == Status.DELETED
    assert stage.notices == []


def test_an_object_of_a_cancelled_job_publishes_nothing(stage: Stage) -> None:
    stage.objects = 2
    first = threading.Event()

    def second(payload: dict[str, Any]) -> dict[str, Any]:
        assert first.wait(20)
        cancel(stage)
        return task_succeeds(payload)

    stage.submit.for_object(1, second)
    arn = stage.start()
    stage.wait_for(Status.AWAITING_MASK)
    stage.give_masks()
    stage.wait_until(lambda: stage.job.objects["0"].status is ObjectStatus.COMPLETED)
    first.set()
    assert stage.wait_for_end(arn).states[-1] == "Superseded"
    listed = client("s3").list_objects_v2(Bucket=BUCKET)
    assert listed["KeyCount"] == 0
    assert stage.job.status is Status.CANCELLED
