"""Creating, reading, listing, renaming and deleting jobs."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import pytest
from gen3d.jobs import (
    RESUMABLE,
    TERMINAL,
    Failure,
    Job,
    JobObject,
    Model,
    ObjectStatus,
    Status,
    new_job_id,
)
from gen3d.paths import MESH_FORMATS
from gen3d.store import FileStore, JobStore

from tests.support import (
    JOB_ID,
    OWNER,
    PREFIX,
    Context,
    api,
    client,
    finished_object,
    load_event,
    make_job,
)

from ..conftest import Calls
from .requests import PHOTO, PutJob, Rows, call, refused

# POST /jobs


def test_creating_a_job_answers_where_its_photo_goes(jobs: JobStore) -> None:
    status, body = call("create_job")

    assert status == 201
    job = jobs.get(OWNER, body["jobId"])
    assert (job.status, job.email, job.name) == (Status.CREATED, "ada@example.com", "coffee")
    assert body["prefix"] == job.prefix == f"private/{job.identity_id}/jobs/{job.job_id}/"
    assert body["upload"]["fields"]["key"] == f"{job.prefix}image.jpg"
    assert body["upload"]["fields"]["Content-Type"] == "image/jpeg"
    assert "policy" in body["upload"]["fields"]


def test_a_name_is_never_empty(rows: Rows) -> None:
    call("create_job", {"filename": "  .jpg", "contentType": "image/jpeg"})
    (row,) = rows("JobsTable")
    assert row["name"].strip()


@pytest.mark.parametrize("path", ['/jobs/a"b', "/jobs/../x", "/nothing"])
def test_a_path_that_no_route_takes_is_not_found(path: str) -> None:
    event = load_event("api/get_job")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    answer = api.handler(event, Context())
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"] == "JobNotFound"


@pytest.mark.parametrize(
    "body",
    [
        {"filename": "a.jpg"},
        {"contentType": "image/jpeg"},
        {"filename": "", "contentType": "image/jpeg"},
        {"filename": "x" * 256, "contentType": "image/jpeg"},
        {"filename": "a.jpg", "contentType": "image/jpeg", "more": 1},
        {"filename": 1, "contentType": "image/jpeg"},
        [],
        "null",
        "not json",
        '{"filename": "\\ud800", "contentType": "image/jpeg"}',
        "[" * 100_000,
        "",
    ],
)
def test_a_malformed_body_is_refused(body: Any, rows: Rows) -> None:
    assert refused(call("create_job", body)) == (400, "InvalidRequest")
    assert rows("JobsTable") == []


def test_a_body_that_is_not_base64_is_refused() -> None:
    answer = call("create_job", "\x00", isBase64Encoded=True)
    assert refused(answer) == (400, "InvalidRequest")


@pytest.mark.parametrize("kind", ["image/gif", "text/html", "image/svg+xml", ""])
def test_other_types_than_photos_are_refused(kind: str, rows: Rows) -> None:
    answer = call("create_job", {"filename": "a", "contentType": kind})
    assert refused(answer) == (415, "UnsupportedImage")
    assert rows("JobsTable") == []


# GET and PATCH /jobs/{jobId}


def test_a_finished_job_is_shown_whole(put_job: PutJob) -> None:
    failed = JobObject(
        n=1,
        name="Spoon",
        status=ObjectStatus.FAILED,
        error=Failure(name="EmptySurface", message="Click again.", stage="PointCloudToMesh"),
    )
    put_job(
        make_job(
            Status.COMPLETED,
            model=Model(engine="lite", revision="0123456789ab"),
            objects={"1": failed, "0": finished_object()},
        )
    )
    status, body = call("get_job")

    assert status == 200
    assert [o["status"] for o in body["objects"]] == ["COMPLETED", "FAILED"]
    assert set(body["objects"][0]["files"]) == {*MESH_FORMATS, "preview"}
    assert body["objects"][0]["mesh"] == {"vertices": 1200, "faces": 2400}
    assert body["objects"][0]["splat"]["gaussians"] == 5000
    assert body["objects"][1]["error"] == {"error": "EmptySurface", "message": "Click again."}
    assert "models/lite/0123456789ab/decoder.onnx" in body["decoder"]["url"]
    assert body["embeddings"]["url"]
    assert OWNER not in json.dumps(body)


def test_links_are_signed_and_name_the_download(put_job: PutJob) -> None:
    cup = finished_object(name='My "cup"\r\nSet-Cookie: é\\')
    put_job(make_job(Status.COMPLETED, objects={"0": cup}))
    url = urlparse(call("get_job")[1]["objects"][0]["files"]["glb"]["url"])
    query = parse_qs(url.query)
    assert unquote(url.path) == f"/{PREFIX}objects/0/mesh.glb"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    disposition = query["response-content-disposition"][0]
    assert disposition.startswith('attachment; filename="My cup')
    assert "filename*=UTF-8''My%20%22cup" in disposition
    assert disposition.isprintable()
    assert disposition.count('"') == 2
    assert "\\" not in disposition


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("InvalidMask", "InvalidMask"),
        ("States.Timeout", "ExecutionTimedOut"),
        ("RuntimeError", "InternalError"),
        ("Lambda.Unknown", "InternalError"),
        ("DynamoDb.ConditionalCheckFailedException", "InternalError"),
    ],
)
def test_only_named_errors_are_shown(raw: str, shown: str, put_job: PutJob) -> None:
    failure = Failure(name=raw, message="Exception: at 0x7f", stage="Initialize")
    cup = JobObject(n=0, name="Cup", status=ObjectStatus.FAILED, error=failure)
    put_job(make_job(Status.FAILED, error=failure, objects={"0": cup}))
    body = call("get_job")[1]
    for error in (body["error"], body["objects"][0]["error"]):
        assert error["error"] == shown
        assert ("0x7f" in error["message"]) == (raw == shown)


def test_a_cancelled_job_links_to_nothing(put_job: PutJob) -> None:
    put_job(make_job(Status.CANCELLED, objects={"0": finished_object()}))
    assert "http" not in json.dumps(call("get_job")[1])


def test_a_job_is_renamed(created: Job) -> None:
    status, body = call("rename_job")
    assert (status, body["name"]) == (200, "My cup")


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, None, 1])
def test_a_bad_name_is_refused(name: Any, created: Job) -> None:
    assert refused(call("rename_job", {"name": name})) == (400, "InvalidRequest")


# GET /jobs


def test_pages_hold_every_job_once_newest_first(put_job: PutJob) -> None:
    ids = [new_job_id() for _ in range(45)]
    for job_id in ids:
        put_job(make_job(job_id=job_id))
    put_job(make_job(owner="somebody-else"))

    seen: list[str] = []
    query: dict[str, str] = {}
    while True:
        status, body = call("list_jobs", queryStringParameters=query)
        assert status == 200
        seen += [job["jobId"] for job in body["jobs"]]
        if body["cursor"] is None:
            break
        query = {"cursor": body["cursor"]}

    assert seen == sorted(ids, reverse=True)


def test_a_list_without_jobs_is_empty() -> None:
    assert call("list_jobs") == (200, {"jobs": [], "cursor": None})


@pytest.mark.parametrize("cursor", ["x", "é", "eA==", "////", "MDFN" * 50])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    answer = call("list_jobs", queryStringParameters={"cursor": cursor})
    assert refused(answer) == (400, "InvalidRequest")


def test_a_card_shows_the_mesh_or_else_the_photo(put_job: PutJob) -> None:
    put_job(make_job(Status.COMPLETED, objects={"0": finished_object()}))
    put_job(make_job(Status.AWAITING_MASK, job_id=new_job_id()))
    put_job(make_job(job_id=new_job_id()))
    pictures = [job["picture"] for job in call("list_jobs", queryStringParameters={})[1]["jobs"]]
    assert pictures[0] is None
    assert "image.jpg" in pictures[1]
    assert "preview.png" in pictures[2]


# DELETE /jobs/{jobId}


@pytest.mark.parametrize("status", set(Status) - TERMINAL)
def test_deleting_a_running_job_cancels_it(
    status: Status,
    put_job: PutJob,
    files: FileStore,
    jobs: JobStore,
    executions: Callable[[], list[str]],
    calls: Calls,
) -> None:
    put_job(make_job(status))
    files.write(f"{PREFIX}image.jpg", PHOTO, "image/jpeg")
    calls.fail("StopExecution", "ExecutionDoesNotExist")

    assert call("delete_job") == (202, {"jobId": JOB_ID, "status": "CANCELLED"})

    assert calls.of("StopExecution")
    assert jobs.get(OWNER, JOB_ID).status is Status.CANCELLED
    assert files.read(f"{PREFIX}image.jpg") is None


def test_cancelling_stops_the_execution(created: Job, executions: Callable[[], list[str]]) -> None:
    call("initialize_job")
    assert call("delete_job")[0] == 202
    arn = f"arn:aws:states:us-east-1:123456789012:execution:gen3d:{JOB_ID}"
    execution = client("stepfunctions").describe_execution(executionArn=arn)
    assert execution["status"] == "ABORTED"


def test_cancelling_forgets_the_token(awaiting: Job, executions: Any, rows: Rows) -> None:
    call("delete_job")
    assert rows("TokensTable") == []


def test_cancelling_goes_on_where_it_was_cut_off(
    awaiting: Job, executions: Any, rows: Rows, calls: Calls
) -> None:
    calls.fail("StopExecution", "ThrottlingException")
    assert call("delete_job")[0] == 500
    calls.fail("StopExecution", "ExecutionDoesNotExist")
    assert call("delete_job") == (202, {"jobId": JOB_ID, "status": "DELETED"})
    assert len(calls.of("StopExecution")) == 2
    assert rows("TokensTable") == rows("JobsTable") == []


def test_a_cancellation_that_was_not_confirmed_stops_the_execution(
    awaiting: Job, executions: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = JobStore.cancel
    monkeypatch.setattr(JobStore, "cancel", lambda self, job: cancel(self, job) and False)
    calls.fail("StopExecution", "ExecutionDoesNotExist")
    assert call("delete_job")[0] == 202
    assert calls.of("StopExecution")


@pytest.mark.parametrize("status", RESUMABLE)
def test_deleting_an_ended_job_forgets_it(
    status: Status, put_job: PutJob, files: FileStore, rows: Rows
) -> None:
    put_job(make_job(status))
    neighbour = PREFIX.replace(JOB_ID, new_job_id())
    for prefix in (PREFIX, neighbour):
        files.write(f"{prefix}image.jpg", PHOTO, "image/jpeg")

    assert call("delete_job") == (202, {"jobId": JOB_ID, "status": "DELETED"})

    assert rows("JobsTable") == []
    assert files.read(f"{PREFIX}image.jpg") is None
    assert files.read(f"{neighbour}image.jpg") == PHOTO
    assert refused(call("delete_job")) == (404, "JobNotFound")
