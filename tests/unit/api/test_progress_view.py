"""How far an object is, in the answer about its job."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest

from gen3d.contract import Progress
from gen3d.jobs import (
    EngineRevision,
    Job,
    JobObject,
    ObjectStatus,
    StageTimes,
    Status,
    TimeSpan,
    now,
)
from gen3d.options import MeshOptions, OneOf, Options
from gen3d.paths import progress as progress_of
from gen3d_api import progress_view
from gen3d_api.answers import ProgressView
from tests.support import BUCKET, JOB_ID, OWNER, client, make_job, table

from ..conftest import Calls
from .requests import PutJob, call

SAM = EngineRevision(
    engine="sam",
    revision="0" * 12,
    offers={"quality": OneOf(values=("fast", "standard"), seconds={"fast": 8, "standard": 12})},
)
"""Of whose objects the mesh step takes a quarter: 4 seconds."""


def callback(n: int = 0, run: int = 1, attempt: int = 0, stage: str = "reconstruct") -> str:
    return f"{JOB_ID}-{run}-{stage}-{n}-{attempt}"


def hand_over(*callbacks: str) -> None:
    """Let the endpoint have requests in hand, in this order."""
    sent = {
        f"sent:{each}": {
            "at": f"2026-11-29T19:00:0{i}.000Z",
            "owner": OWNER,
            "stage": "reconstruct",
        }
        for i, each in enumerate(callbacks)
    }
    table("TokensTable").put_item(Item={"callbackId": "window", "version": 1, **sent})


def tell(name: str, body: bytes | None = None, **fields: Any) -> None:
    """Say how far the endpoint is with a request, as the container does."""
    said = {"phase": "latents", "fraction": 0.5, "left": 6, "at": now(), **fields}
    data = Progress.model_validate(said).model_dump_json().encode() if body is None else body
    client("s3").put_object(Bucket=BUCKET, Key=progress_of(name), Body=data)


@pytest.fixture
def reconstructing(put_job: PutJob) -> Callable[..., Job]:
    """Puts a job whose objects are made."""

    def put(*objects: JobObject, **fields: Any) -> Job:
        made = objects or (JobObject(n=0, name="cup"),)
        job = make_job(Status.RECONSTRUCTING, run=1, model=SAM, **fields)
        return put_job(job.model_copy(update={"objects": {str(o.n): o for o in made}}))

    return put


def shown() -> list[Any]:
    return [thing.get("progress") for thing in call("get_job")[1]["objects"]]


def test_it_is_the_endpoints_and_the_mesh_steps_in_one(
    reconstructing: Callable[..., Job],
) -> None:
    reconstructing()
    hand_over(callback())
    tell(callback())
    (far,) = shown()
    assert far["restSeconds"] in (10, 9)  # a second may pass
    assert far == {"phase": "latents", "fraction": 0.375, "restSeconds": far["restSeconds"]}


def test_who_waits_is_told_to_ask_when_it_is_expected(
    reconstructing: Callable[..., Job],
) -> None:
    start = now() - timedelta(seconds=2000)
    meshing = JobObject(n=0, name="cup", status=ObjectStatus.MESHING, meshing_since=now())
    stages = StageTimes(reconstruct=TimeSpan(start=start))
    reconstructing(meshing, stages=stages)
    job = call("get_job")[1]
    assert job["pollSeconds"] == job["objects"][0]["progress"]["restSeconds"] < 10


def test_what_has_passed_since_it_was_told_is_no_longer_left(
    reconstructing: Callable[..., Job],
) -> None:
    reconstructing()
    hand_over(callback())
    for ago, rest in ((4, {5, 6}), (-60, {10}), (12, {4}), (3600, {None})):
        tell(callback(), at=now() - timedelta(seconds=ago))
        (far,) = shown()
        assert far["restSeconds"] in rest
        assert far["fraction"] == 0.375


def test_while_networks_are_loaded_nobody_knows_what_is_left(
    reconstructing: Callable[..., Job],
) -> None:
    reconstructing()
    hand_over(callback())
    tell(callback(), phase="loading", fraction=0, left=None)
    assert shown() == [{"phase": "loading", "fraction": 0, "restSeconds": None}]


@pytest.mark.parametrize(
    ("elapsed", "fraction", "rest"), [(1, 0.8125, 3), (3600, 0.9875, None), (-5, 0.75, 4)]
)
def test_the_mesh_step_is_as_far_as_is_expected_of_it_and_never_done(
    elapsed: float, fraction: float, rest: int | None
) -> None:
    moment = now()
    since = moment - timedelta(seconds=elapsed)
    meshing = JobObject(n=0, name="cup", status=ObjectStatus.MESHING, meshing_since=since)
    job = make_job(Status.RECONSTRUCTING, run=1, model=SAM)
    far = progress_view.of_object(job, meshing, {}, moment)
    assert far is not None
    assert far.model_dump() == {
        "phase": "mesh",
        "fraction": pytest.approx(fraction, abs=1e-3),
        "restSeconds": rest,
    }


def test_the_mesh_step_reads_when_it_began(reconstructing: Callable[..., Job]) -> None:
    options = Options(mesh=MeshOptions(quality="fine"))
    meshing = JobObject(
        n=0, name="cup", status=ObjectStatus.MESHING, meshing_since=now(), options=options
    )
    reconstructing(meshing)
    (far,) = shown()
    assert far["phase"] == "mesh"
    assert far["restSeconds"] in (8, 7)


def test_each_object_in_hand_has_its_own(reconstructing: Callable[..., Job]) -> None:
    reconstructing(*(JobObject(n=n, name=f"cup {n}") for n in range(3)))
    hand_over(callback(1), callback(0))
    tell(callback(1), fraction=1, left=0)
    tell(callback(0), fraction=0)
    tell(callback(2))  # nobody has it in hand
    assert [far and far["fraction"] for far in shown()] == [0, 0.75, None]


@pytest.mark.parametrize(
    "name",
    [
        callback(run=2),
        callback(stage="initialize"),
        callback().replace(JOB_ID, "01M82SZE4Z7ZQ9FY1VB33KS0D4"),
        JOB_ID,
        f"{JOB_ID}-1-reconstruct-9-0",
    ],
)
def test_of_another_run_stage_or_job_it_is_left_out(
    reconstructing: Callable[..., Job], name: str
) -> None:
    reconstructing()
    hand_over(name)
    tell(name)
    assert shown() == [None]


def test_of_an_attempt_that_is_over_it_is_left_out(reconstructing: Callable[..., Job]) -> None:
    reconstructing()
    tell(callback(attempt=0))
    hand_over(callback(attempt=1))
    assert shown() == [None]
    tell(callback(attempt=1), fraction=0.1)
    hand_over(callback(attempt=0), callback(attempt=1))
    assert shown()[0]["fraction"] == 0.075


@pytest.mark.parametrize("status", [ObjectStatus.COMPLETED, ObjectStatus.FAILED])
def test_late_it_is_left_out(reconstructing: Callable[..., Job], status: ObjectStatus) -> None:
    reconstructing(JobObject(n=0, name="cup", status=status))
    hand_over(callback())
    tell(callback())
    assert shown() == [None]


def test_a_job_that_is_not_being_made_has_none(put_job: PutJob, calls: Calls) -> None:
    put_job(make_job(Status.INITIALIZING, run=1, objects={"0": JobObject(n=0, name="cup")}))
    hand_over(callback())
    tell(callback())
    assert shown() == [None]
    assert calls.of("GetObject") == []
    ended = make_job(
        Status.CANCELLED,
        objects={"0": JobObject(n=0, name="cup", status=ObjectStatus.MESHING, meshing_since=now())},
    )
    assert progress_view.of_object(ended, ended.ordered_objects[0], {}, now()) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"phase": "latents"}',
        json.dumps({"phase": "latents", "fraction": 2, "at": "2026-11-29T19:00:00Z"}).encode(),
        json.dumps({"phase": "<b>", "fraction": 0.5, "at": "2026-11-29T19:00:00Z"}).encode(),
        b'{"phase": "latents", "fraction": NaN, "at": "2026-11-29T19:00:00Z"}',
        b'{"phase": "latents", "fraction": 0.5, "left": 1e99, "at": "2026-11-29T19:00:00Z"}',
        b'{"phase": "latents", "fraction": 0.5, "at": "2026-11-29T19:00:00"}',
        b" " * 1001,
    ],
)
def test_what_is_no_progress_is_left_out(reconstructing: Callable[..., Job], body: bytes) -> None:
    reconstructing()
    hand_over(callback())
    tell(callback(), body)
    assert shown() == [None]


def test_storage_that_does_not_answer_is_asked_once_and_the_job_is_shown(
    reconstructing: Callable[..., Job], calls: Calls, logs: StringIO
) -> None:
    reconstructing(*(JobObject(n=n, name=f"cup {n}") for n in range(3)))
    hand_over(callback(0), callback(1), callback(2))
    for fault in (calls.hang, lambda name, times: calls.fail(name, "SlowDown", times)):
        calls.made.clear()
        fault("GetObject", times=9)
        assert shown() == [None] * 3
        assert len(calls.of("GetObject")) == 1
    assert "cannot be read" in logs.getvalue()


def test_an_engine_that_does_not_say_how_long_it_takes_has_half_of_the_way(
    reconstructing: Callable[..., Job],
) -> None:
    job = reconstructing()
    silent = job.model_copy(update={"model": EngineRevision(engine="x", revision="0" * 12)})
    said = Progress(phase="a", fraction=0.5, left=None, at=now())
    far = progress_view.of_object(silent, silent.ordered_objects[0], {"0": said}, now())
    assert far == ProgressView(phase="a", fraction=0.25, rest_seconds=None)
