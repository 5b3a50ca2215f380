"""A depth map of one's own: its form, its check, and what the execution is told."""

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from gen3d.jobs import EngineRevision, Job, Status, execution_input
from gen3d.paths import JobFiles, Uploads
from gen3d_aws.store import FileStore, JobStore
from tests.support import JOB_ID, OWNER, PREFIX, UPLOADS, client, encode, load_event, make_job

from .requests import PHOTO, PutJob, call, refused

CREATE = {"filename": "coffee.jpg", "contentType": "image/jpeg"}
SLOPE = np.linspace(400, 3000, 128 * 96).reshape(96, 128).astype(np.uint16)
MAP = encode(Pillow.fromarray(SLOPE), "PNG")  # of the photo's aspect, 64 × 48


@pytest.fixture
def measured(put_job: PutJob, files: FileStore) -> Job:
    """A job that is to have a depth map, whose photo is uploaded."""
    files.write(f"{UPLOADS}image.jpg", PHOTO, "image/jpeg")
    return put_job(make_job(depth=True))


def upload(files: FileStore, data: bytes) -> None:
    files.write(Uploads(UPLOADS).depth, data, "image/png")


def test_a_job_with_a_depth_map_has_a_second_form(jobs: JobStore) -> None:
    status, body = call("create_job", {**CREATE, "depth": True})
    assert status == 201
    fields = body["depth"]["fields"]
    assert fields["key"] == body["upload"]["fields"]["key"].replace("image.jpg", "depth.png")
    assert fields["Content-Type"] == "image/png"
    assert jobs.get(OWNER, body["jobId"]).depth


def test_one_without_has_none(jobs: JobStore) -> None:
    body = call("create_job", CREATE)[1]
    assert "depth" not in body
    job = jobs.get(OWNER, body["jobId"])
    assert not job.depth
    assert "depth" not in json.loads(execution_input(job, 1))


def test_the_same_request_again_has_the_same_forms() -> None:
    headers = {**load_event("api/create_job")["headers"], "idempotency-key": "a-word-of-mine"}
    body = {**CREATE, "depth": True}
    first, again = (call("create_job", body, headers=headers)[1] for _ in "12")
    assert first["depth"]["fields"]["key"] == again["depth"]["fields"]["key"]


def test_a_photo_from_an_address_has_no_map() -> None:
    body = {"imageUrl": "https://example.com/coffee.jpg", "depth": True}
    answer = call("create_job", body)
    assert refused(answer) == (400, "InvalidRequest")
    assert "depth: a map is uploaded beside a photo" in answer[1]["message"]


def test_what_was_checked_is_kept_and_told_of(
    measured: Job, files: FileStore, executions: Any
) -> None:
    upload(files, MAP)
    status, body = call("initialize_job")
    assert (status, body["depth"]) == (202, True)
    assert files.read(JobFiles(PREFIX).depth) == MAP
    assert executions() == [JOB_ID]
    (one,) = client("stepfunctions").list_executions(
        stateMachineArn=client("stepfunctions").list_state_machines()["stateMachines"][0][
            "stateMachineArn"
        ]
    )["executions"]
    told = client("stepfunctions").describe_execution(executionArn=one["executionArn"])["input"]
    assert json.loads(told)["depth"] is True


def test_one_that_is_not_there_yet_is_asked_for(
    measured: Job, files: FileStore, executions: Any
) -> None:
    answer = call("initialize_job")
    assert refused(answer) == (422, "InvalidDepth")
    assert "not there yet" in answer[1]["message"]
    assert executions() == []
    upload(files, MAP)
    assert call("initialize_job")[0] == 202


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"no picture", "not a PNG"),
        (encode(Pillow.fromarray(SLOPE[:60].copy()), "PNG"), "each side needs 64"),
        (encode(Pillow.fromarray(SLOPE[:70].copy()), "PNG"), "another aspect"),
        (encode(Pillow.fromarray(np.full_like(SLOPE, 900)), "PNG"), "same everywhere"),
        (MAP + bytes(20 * 2**20), "more than 20 MB"),
    ],
)
def test_a_bad_one_is_refused_and_another_may_be_sent(
    data: bytes, says: str, measured: Job, files: FileStore, executions: Any, jobs: JobStore
) -> None:
    upload(files, data)
    answer = call("initialize_job")
    assert refused(answer) == (422, "InvalidDepth")
    assert says in answer[1]["message"]
    assert executions() == []
    assert jobs.get(OWNER, JOB_ID).status is Status.CREATED
    assert files.read(JobFiles(PREFIX).depth) is None
    upload(files, MAP)
    assert call("initialize_job")[0] == 202


def test_one_that_is_replaced_while_it_is_checked_is_not_kept(
    measured: Job, files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = FileStore.keep

    def replaced(self: FileStore, file: Any, target: str, content_type: str) -> bool:
        if target.endswith("depth.png"):
            upload(files, encode(Pillow.fromarray(SLOPE[::-1].copy()), "PNG"))
        return keep(self, file, target, content_type)

    upload(files, MAP)
    monkeypatch.setattr(FileStore, "keep", replaced)
    answer = call("initialize_job")
    assert refused(answer) == (422, "InvalidDepth")
    assert "replaced while it was being checked" in answer[1]["message"]


@pytest.mark.parametrize("takes", [(), ("depth",)])
def test_the_answer_says_whether_the_engine_takes_it(takes: Any, put_job: PutJob) -> None:
    model = EngineRevision(engine="sam", revision="0" * 12, takes=takes)
    put_job(make_job(Status.AWAITING_MASK, depth=True, model=model))
    body = call("get_job")[1]
    assert (body["depth"], body["takes"]) == (True, list(takes))
