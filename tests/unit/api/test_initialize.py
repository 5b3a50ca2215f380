"""Checking the photo and starting the execution, once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody
from PIL import Image as Pillow

from gen3d import images
from gen3d.images import MAX_BYTES
from gen3d.jobs import (
    Job,
    PhotoSize,
    Status,
    new_job_id,
)
from gen3d_api.operations import JobService
from gen3d_aws import clients
from gen3d_aws.runs import NAMES
from gen3d_aws.store import FileStore, JobStore
from tests.support import (
    BUCKET,
    JOB_ID,
    OWNER,
    PREFIX,
    STATE_MACHINE,
    UPLOADS,
    api,
    begin_execution,
    client,
    encode,
    make_job,
    mask,
)

from ..conftest import Calls
from .requests import PHOTO, PutJob, call, refused

EXECUTION = STATE_MACHINE.replace(":stateMachine:", ":execution:")


def test_initializing_starts_the_execution_named_like_the_job(
    created: Job, executions: Callable[[], list[str]]
) -> None:
    status, body = call("initialize_job")

    assert (status, body["status"], body["run"]) == (202, "INITIALIZING", 1)
    assert body["image"] | {"url": ""} == {
        "width": 64,
        "height": 48,
        "bytes": len(PHOTO),
        "url": "",
    }
    assert body["stages"]["initialize"]["start"]
    assert executions() == [JOB_ID]


def test_the_execution_alone_writes_that_the_job_has_begun(
    created: Job, executions: Callable[[], list[str]], jobs: JobStore, calls: Calls
) -> None:
    call("initialize_job")
    assert jobs.get(OWNER, JOB_ID) == created
    assert {write["TableName"] for write in calls.of("UpdateItem")} <= {"TokensTable"}
    assert begin_execution(JOB_ID)
    begun = jobs.get(OWNER, JOB_ID)
    assert (begun.status, begun.run, begun.image) == (
        Status.INITIALIZING,
        1,
        PhotoSize(width=64, height=48, bytes=len(PHOTO)),
    )


def test_what_to_look_for_is_passed_on(created: Job, executions: Callable[[], list[str]]) -> None:
    assert call("initialize_job", {"text": "  a \x00 cup "})[1]["text"] == "a cup"
    begin_execution(JOB_ID)
    assert call("initialize_job", {"text": "another"})[1]["text"] == "a cup"
    assert executions() == [JOB_ID]


@pytest.mark.parametrize("text", ["", " ", "x" * 201, 7])
def test_what_is_no_name_is_refused(created: Job, text: Any) -> None:
    assert refused(call("initialize_job", {"text": text})) == (400, "InvalidRequest")
    assert JobStore("JobsTable").get(OWNER, JOB_ID).status is Status.CREATED


@pytest.mark.parametrize("engine", ["lite", "open"])
def test_an_engine_that_knows_no_names_says_so_before_the_job_begins(
    created: Job, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    config = api.service.config.model_copy(update={"engine": engine})
    monkeypatch.setattr(api, "service", replace(api.service, config=config))
    assert refused(call("initialize_job", {"text": "cup"})) == (400, "InvalidRequest")
    assert JobStore("JobsTable").get(OWNER, JOB_ID).status is Status.CREATED


def test_initializing_twice_starts_one_execution(
    created: Job, executions: Callable[[], list[str]]
) -> None:
    assert call("initialize_job")[0] == 202
    assert call("initialize_job")[0] == 202  # it has not begun yet, and is the same
    begin_execution(JOB_ID)
    assert call("initialize_job")[0] == 200
    assert executions() == [JOB_ID]


def test_of_two_that_initialize_at_once_with_different_texts_one_begins(
    created: Job, executions: Callable[[], list[str]], jobs: JobStore, calls: Calls
) -> None:
    """Where the first is not seen yet, two are started, and the later one finds the job begun."""
    call("initialize_job", {"text": "cup"})
    assert call("initialize_job", {"text": "saucer"})[0] == 200
    assert executions() == [JOB_ID]
    calls.fail("DescribeExecution", "ExecutionDoesNotExist")
    assert call("initialize_job", {"text": "saucer"})[0] == 202
    assert begin_execution(JOB_ID)
    assert not begin_execution(f"{JOB_ID}-2")
    assert jobs.get(OWNER, JOB_ID).text == "cup"


def test_an_execution_that_has_begun_meanwhile_is_the_one(
    created: Job, executions: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call reads the job before the first one's execution begins."""
    keep = JobService._keep_photo

    def beginning(self: JobService, job: Job) -> PhotoSize:
        monkeypatch.undo()
        call("initialize_job", {"text": "cup"})
        begin_execution(JOB_ID)
        return keep(self, job)

    pool = api.service.config.identity_pool_id
    monkeypatch.setattr(JobService, "_keep_photo", beginning)
    status, body = call("initialize_job", {"text": "saucer"})
    monkeypatch.setattr(api.service.config, "identity_pool_id", pool)
    assert (status, body["text"]) == (200, "cup")
    assert executions() == [JOB_ID]


@pytest.mark.parametrize("code", ["ThrottlingException", None])
def test_a_start_that_failed_leaves_nothing_and_can_be_made_again(
    code: str | None,
    created: Job,
    executions: Callable[[], list[str]],
    calls: Calls,
    jobs: JobStore,
) -> None:
    if code:
        calls.fail("StartExecution", code)
    else:
        calls.hang("StartExecution")
    assert refused(call("initialize_job")) == (503, "DependencyUnavailable")
    assert jobs.get(OWNER, JOB_ID) == created
    assert call("initialize_job")[0] == 202
    assert executions() == [JOB_ID]


def test_a_start_whose_answer_was_lost_is_one(
    created: Job, executions: Callable[[], list[str]], calls: Calls
) -> None:
    calls.lose_answer("StartExecution")
    assert call("initialize_job")[0] == 202
    assert executions() == [JOB_ID]


def test_an_execution_that_ended_before_it_began_is_passed_over(
    created: Job, executions: Callable[[], list[str]], jobs: JobStore
) -> None:
    call("initialize_job")
    client("stepfunctions").stop_execution(executionArn=f"{EXECUTION}:{JOB_ID}")
    status, body = call("initialize_job")
    assert (status, body["run"]) == (202, 2)
    assert begin_execution(f"{JOB_ID}-2")
    assert jobs.get(OWNER, JOB_ID).run == 2


def test_executions_that_never_begin_are_given_up(
    created: Job, calls: Calls, executions: Callable[[], list[str]]
) -> None:
    calls.fail("StartExecution", "ExecutionAlreadyExists", times=NAMES)
    answer = call("initialize_job")
    assert refused(answer) == (503, "DependencyUnavailable")
    assert answer[1]["retryAfter"] == 60
    assert len(calls.of("StartExecution")) == NAMES


# How many jobs of one person may be at work


def test_who_has_enough_jobs_at_work_waits(
    created: Job,
    executions: Callable[[], list[str]],
    put_job: PutJob,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quotas = replace(api.service.quotas, running_jobs=2)
    monkeypatch.setattr(api, "service", replace(api.service, quotas=quotas))
    put_job(make_job(Status.INITIALIZING, job_id=new_job_id()))
    put_job(make_job(Status.AWAITING_MASK, job_id=new_job_id()))
    put_job(make_job(Status.COMPLETED, job_id=new_job_id()))
    put_job(make_job(Status.INITIALIZING, owner="another"))
    assert call("initialize_job")[0] == 202

    put_job(make_job(Status.RECONSTRUCTING, job_id=new_job_id()))
    answer = call("initialize_job")
    assert refused(answer) == (429, "LimitReached")
    assert answer[1]["retryAfter"] > 0
    monkeypatch.setattr(
        api, "service", replace(api.service, quotas=replace(quotas, running_jobs=0))
    )
    assert call("initialize_job")[0] == 202


# What was checked is what is used


def test_the_photo_is_kept_where_no_browser_may_write(
    created: Job, executions: Callable[[], list[str]], files: FileStore
) -> None:
    call("initialize_job")
    kept = client("s3").get_object(Bucket=BUCKET, Key=f"{PREFIX}image.jpg")
    assert kept["Body"].read() == PHOTO
    assert kept["ContentType"] == "image/jpeg"


@pytest.mark.parametrize(("times", "status"), [(1, 202), (2, 202), (3, 422)])
def test_a_photo_that_is_replaced_while_it_is_checked_is_checked_again(
    times: int,
    status: int,
    created: Job,
    executions: Callable[[], list[str]],
    files: FileStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check = images.check_photo
    seen: list[bytes] = []

    def replaced(data: bytes, kind: str) -> Any:
        seen.append(data)
        if len(seen) <= times:
            other = encode(Pillow.new("RGB", (64, 48), (0, 0, 9 * len(seen))), "JPEG")
            files.write(f"{UPLOADS}image.jpg", other, "image/jpeg")
        return check(data, kind)

    monkeypatch.setattr(images, "check_photo", replaced)
    answer = call("initialize_job")
    assert answer[0] == status
    assert files.read(f"{PREFIX}image.jpg") == (seen[-1] if status == 202 else None)
    assert executions() == ([JOB_ID] if status == 202 else [])


def test_a_photo_that_was_kept_by_an_earlier_call_is_enough(
    created: Job, executions: Callable[[], list[str]], files: FileStore, calls: Calls
) -> None:
    """What is uploaded is gone after a day."""
    calls.fail("StartExecution", "ThrottlingException")
    call("initialize_job")
    files.remove(UPLOADS)
    assert call("initialize_job")[0] == 202


def test_a_read_that_breaks_off_is_made_again(
    created: Job, executions: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = StreamingBody.read
    broken: list[int] = []

    def breaking(self: StreamingBody, amt: int | None = None) -> bytes:
        if not broken:
            broken.append(1)
            raise ResponseStreamingError(error="reset")
        return read(self, amt)

    monkeypatch.setattr(StreamingBody, "read", breaking)
    assert call("initialize_job")[0] == 202
    assert broken


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
        files.write(f"{UPLOADS}image.jpg", photo, "image/jpeg")
    assert refused(call("initialize_job")) == answer
    assert executions() == []
    assert jobs.get(OWNER, JOB_ID).status is Status.CREATED


@pytest.mark.parametrize("key", [UPLOADS, PREFIX])
def test_a_photo_that_is_too_large_is_not_even_read(
    key: str, put_job: PutJob, files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one that lies where only what was checked should."""
    put_job(make_job())
    files.write(f"{key}image.jpg", bytes(MAX_BYTES + 1), "image/jpeg")

    def read(*_: Any) -> bytes:
        raise AssertionError("it is read")

    monkeypatch.setattr(StreamingBody, "read", read)
    answer = call("initialize_job")
    assert refused(answer) == (413, "ImageTooLarge")
    assert "20 MB" in answer[1]["message"]


def test_a_photo_may_be_as_large_as_is_said(
    created: Job, executions: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", len(PHOTO))
    assert call("initialize_job")[0] == 202


def test_what_was_prepared_is_not_made_by_the_first_call(
    created: Job, executions: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person would wait for it, on a fraction of a processor."""
    for made in (clients.client, clients.dynamodb, clients.table):
        made.cache_clear()
    api.service.prepare()

    def late(*what: Any, **_options: Any) -> None:
        raise AssertionError(f"{what} is made by a call")

    monkeypatch.setattr("boto3.client", late)
    monkeypatch.setattr("boto3.resource", late)
    monkeypatch.setattr("gen3d.bounded.subprocess.Popen", late)
    assert call("create_job", body={"filename": "a.jpg", "contentType": "image/jpeg"})[0] == 201
    assert call("initialize_job")[0] == 202
    assert call("cancel_job")[0] == 202
