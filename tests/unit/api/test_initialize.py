"""Checking the photo and starting the execution, once."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from gen3d.images import MAX_BYTES
from gen3d.jobs import (
    Image,
    Job,
    Status,
)
from gen3d.store import FileStore, JobStore
from PIL import Image as Pillow

from tests.support import (
    JOB_ID,
    OWNER,
    PREFIX,
    STATE_MACHINE,
    api,
    client,
    encode,
    make_job,
    mask,
)

from ..conftest import Calls
from .requests import PHOTO, Answer, PutJob, call, refused


def test_initializing_starts_the_execution_named_like_the_job(
    created: Job, executions: Callable[[], list[str]]
) -> None:
    status, body = call("initialize_job")

    assert (status, body["status"]) == (202, "INITIALIZING")
    assert body["image"] | {"url": ""} == {
        "width": 64,
        "height": 48,
        "bytes": len(PHOTO),
        "url": "",
    }
    assert body["stages"]["initialize"]["start"]
    assert executions() == [JOB_ID]


def test_what_to_look_for_is_kept_and_passed_on(
    created: Job, executions: Callable[[], list[str]]
) -> None:
    assert call("initialize_job", {"text": "  a cup "})[1]["text"] == "a cup"
    assert call("initialize_job", {"text": "another"})[1]["text"] == "a cup"
    (execution,) = client("stepfunctions").list_executions(stateMachineArn=STATE_MACHINE)[
        "executions"
    ]
    described = client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"])["text"] == "a cup"


@pytest.mark.parametrize("text", ["", " ", "x" * 201, 7])
def test_what_is_no_name_is_refused(created: Job, text: Any) -> None:
    assert refused(call("initialize_job", {"text": text})) == (400, "InvalidRequest")
    assert JobStore("JobsTable").get(OWNER, JOB_ID).status is Status.CREATED


def test_an_engine_that_knows_no_names_says_so_before_the_job_begins(
    created: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite = api.service.config.model_copy(update={"engine": "lite"})
    monkeypatch.setattr(api, "service", replace(api.service, config=lite))
    assert refused(call("initialize_job", {"text": "cup"})) == (400, "InvalidRequest")
    assert JobStore("JobsTable").get(OWNER, JOB_ID).status is Status.CREATED


def test_initializing_twice_starts_one_execution(
    created: Job, executions: Callable[[], list[str]]
) -> None:
    assert call("initialize_job")[0] == 202
    assert call("initialize_job")[0] == 200
    assert executions() == [JOB_ID]


def test_initializing_twice_at_once_starts_one_execution(
    created: Job, executions: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call begins while the first still checks the photo."""
    check = api.service.jobs.begin
    second: list[Answer] = []

    def begin(job: Job, image: Image, text: str | None) -> Any:
        monkeypatch.undo()
        second.append(call("initialize_job"))
        return check(job, image, text)

    monkeypatch.setattr(api.service.jobs, "begin", begin)
    monkeypatch.setattr(api.service.config, "identity_pool_id", api.service.config.identity_pool_id)
    first = call("initialize_job")

    assert sorted([first[0], second[0][0]]) == [200, 202]
    assert executions() == [JOB_ID]


def test_a_start_that_was_lost_is_made_up_for(
    put_job: PutJob, executions: Callable[[], list[str]]
) -> None:
    """The function ended after the record was written and before the execution was started."""
    put_job(make_job(Status.INITIALIZING))
    assert call("initialize_job")[0] == 200
    assert executions() == [JOB_ID]


def test_a_start_that_failed_can_be_made_again(
    created: Job,
    executions: Callable[[], list[str]],
    calls: Calls,
    jobs: JobStore,
) -> None:
    calls.fail("StartExecution", "ThrottlingException")
    assert refused(call("initialize_job")) == (500, "InternalError")
    assert jobs.get(OWNER, JOB_ID).status is Status.CREATED
    assert call("initialize_job")[0] == 202
    assert executions() == [JOB_ID]


def test_a_second_start_that_fails_leaves_the_running_job_alone(
    created: Job,
    executions: Callable[[], list[str]],
    calls: Calls,
    jobs: JobStore,
) -> None:
    call("initialize_job")
    calls.fail("StartExecution", "ThrottlingException")
    assert refused(call("initialize_job")) == (500, "InternalError")
    assert jobs.get(OWNER, JOB_ID).status is Status.INITIALIZING


def test_an_execution_that_ended_is_not_started_again(
    put_job: PutJob, executions: Callable[[], list[str]], calls: Calls
) -> None:
    put_job(make_job(Status.INITIALIZING))
    calls.fail("StartExecution", "ExecutionAlreadyExists")
    assert call("initialize_job")[0] == 200


@pytest.mark.parametrize(
    "status", set(Status) - {Status.CREATED, Status.INITIALIZING, Status.DELETED}
)
def test_initializing_later_changes_nothing(
    status: Status, put_job: PutJob, executions: Callable[[], list[str]]
) -> None:
    put_job(make_job(status))
    answer = call("initialize_job")
    assert (answer[0], answer[1]["status"]) == (200, status)
    assert executions() == []


@pytest.mark.parametrize(
    ("photo", "answer"),
    [
        pytest.param(None, (422, "ImageMissing"), id="not uploaded"),
        pytest.param(b"", (422, "InvalidImage"), id="0 bytes"),
        pytest.param(b"text", (422, "InvalidImage"), id="not an image"),
        pytest.param(PHOTO[:-200], (422, "InvalidImage"), id="truncated"),
        pytest.param(encode(mask()), (415, "UnsupportedImage"), id="wrong type"),
        pytest.param(bytes(MAX_BYTES + 1), (413, "ImageTooLarge"), id="too many bytes"),
        pytest.param(
            encode(Pillow.new("RGB", (8, 8)), "JPEG"), (422, "ImageTooSmall"), id="too small"
        ),
    ],
)
def test_a_bad_photo_never_starts_a_job(
    photo: bytes | None,
    answer: tuple[int, str],
    put_job: PutJob,
    files: FileStore,
    jobs: JobStore,
    executions: Callable[[], list[str]],
) -> None:
    put_job(make_job())
    if photo is not None:
        files.write(f"{PREFIX}image.jpg", photo, "image/jpeg")
    assert refused(call("initialize_job")) == answer
    assert executions() == []
    assert jobs.get(OWNER, JOB_ID).status is Status.CREATED
