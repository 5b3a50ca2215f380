"""Every route with every answer that it has, through the function's handler."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import pytest
from gen3d.errors import ERRORS
from gen3d.images import MAX_BYTES
from gen3d.jobs import (
    TERMINAL,
    Failure,
    Image,
    Job,
    JobObject,
    Model,
    ObjectStatus,
    Status,
    new_job_id,
)
from gen3d.store import FileStore, JobStore
from gen3d.tokens import CLAIM_SECONDS, mask_callback_id
from PIL import Image as Pillow

from tests.support import (
    BUCKET,
    JOB_ID,
    OWNER,
    PREFIX,
    Context,
    api,
    client,
    client_error,
    encode,
    finished_object,
    load_event,
    make_job,
    mask,
    table,
)

from .conftest import Calls, FakeStates

pytestmark = pytest.mark.usefixtures("identity_pool")

Answer = tuple[int, Any]
Call = Callable[..., Answer]
PutJob = Callable[[Job], Job]
Rows = Callable[[str], list[dict[str, Any]]]

TOKEN = "AQCEAAAAKgAAAAMAAAAAAAAAAtoken"
PHOTO = encode(Pillow.new("RGB", (64, 48), "teal"), "JPEG")
OF_A_JOB = (
    "get_job",
    "rename_job",
    "delete_job",
    "initialize_job",
    "create_mask_uploads",
    "reconstruct_job",
)


def call(
    name: str, body: Any = None, claims: dict[str, str] | None = None, **fields: Any
) -> Answer:
    """Send a sample event, with another body or other claims or fields."""
    event = load_event(f"api/{name}")
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    event["requestContext"]["authorizer"]["jwt"]["claims"].update(claims or {})
    event.update(fields)
    answer = api.handler(event, Context())
    assert answer["headers"]["Content-Type"] == "application/json"
    content = json.loads(answer["body"])
    if answer["statusCode"] >= 400:
        assert set(content) == {"error", "message"}
        assert content["error"] in ERRORS
        assert "Traceback" not in content["message"]
    return answer["statusCode"], content


def refused(answer: Answer) -> tuple[int, str]:
    """Status and name of an error."""
    return answer[0], answer[1]["error"]


@pytest.fixture
def created(put_job: PutJob, files: FileStore) -> Job:
    """A job whose photo is uploaded."""
    files.write(f"{PREFIX}image.jpg", PHOTO, "image/jpeg")
    return put_job(make_job())


@pytest.fixture
def awaiting(put_job: PutJob, files: FileStore, states: FakeStates) -> Job:
    """A job that waits for its mask, which is uploaded."""
    job = put_job(make_job(Status.AWAITING_MASK, model=Model(engine="lite", revision="0" * 12)))
    files.write(f"{PREFIX}image.jpg", PHOTO, "image/jpeg")
    for n in range(8):
        files.write(job.files.object(n).mask, encode(mask()), "image/png")
    table("TokensTable").put_item(
        Item={
            "callbackId": mask_callback_id(JOB_ID),
            "token": TOKEN,
            "owner": OWNER,
            "jobId": JOB_ID,
        }
    )
    states.waiting[TOKEN] = None
    return job


# Who is calling


@pytest.mark.parametrize("name", OF_A_JOB)
def test_somebody_elses_job_is_not_found(name: str, created: Job, jobs: JobStore) -> None:
    assert refused(call(name, claims={"sub": "somebody-else"})) == (404, "JobNotFound")
    assert jobs.get(OWNER, JOB_ID) == created


@pytest.mark.parametrize("name", [*OF_A_JOB, "create_job", "list_jobs"])
@pytest.mark.parametrize("claims", [{"token_use": "access"}, {"token_use": ""}, {"sub": ""}])
def test_only_an_id_token_counts(name: str, claims: dict[str, str]) -> None:
    assert refused(call(name, claims=claims)) == (401, "Unauthorized")


def test_an_expired_sign_in_is_named(calls: Calls) -> None:
    calls.fail("GetId", "NotAuthorizedException")
    assert refused(call("create_job")) == (401, "Unauthorized")


@pytest.mark.parametrize("name", OF_A_JOB)
@pytest.mark.parametrize(
    "job_id", ["x", JOB_ID.lower(), "8" * 26, new_job_id(), "%2e%2e", "ü" * 26]
)
def test_a_job_id_that_is_none_is_not_found(name: str, job_id: str) -> None:
    path = load_event(f"api/{name}")["rawPath"].replace(JOB_ID, job_id)
    assert refused(call(name, rawPath=path)) == (404, "JobNotFound")


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


# POST /jobs/{jobId}/initialize


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

    def begin(job: Job, image: Image) -> Any:
        monkeypatch.undo()
        second.append(call("initialize_job"))
        return check(job, image)

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


@pytest.mark.parametrize("status", set(Status) - {Status.CREATED, Status.INITIALIZING})
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
    assert set(body["objects"][0]["files"]) == {"glb", "obj", "stl", "ply", "preview"}
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


# POST /jobs/{jobId}/masks


def test_each_object_gets_a_form_for_its_mask(awaiting: Job) -> None:
    status, body = call("create_mask_uploads", {"count": 8})
    assert status == 200
    keys = [form["fields"]["key"] for form in body["uploads"]]
    assert keys == [awaiting.files.object(n).mask for n in range(8)]


@pytest.mark.parametrize("count", [0, 9, -1, "x", None, 1.5])
def test_another_count_of_masks_is_refused(count: Any, awaiting: Job) -> None:
    assert refused(call("create_mask_uploads", {"count": count})) == (400, "InvalidRequest")


@pytest.mark.parametrize("name", ["create_mask_uploads", "reconstruct_job"])
@pytest.mark.parametrize("status", set(Status) - {Status.AWAITING_MASK})
def test_masks_are_only_taken_while_the_job_waits(
    name: str, status: Status, put_job: PutJob
) -> None:
    put_job(make_job(status))
    expected = (410, "MaskExpired") if status is Status.EXPIRED else (409, "JobConflict")
    assert refused(call(name)) == expected


# POST /jobs/{jobId}/reconstruct


def test_reconstructing_resumes_the_execution_with_its_objects(
    awaiting: Job, states: FakeStates, rows: Rows
) -> None:
    status, body = call("reconstruct_job", {"objects": [{"name": "Cup", "seed": 7}, {}]})

    assert status == 202
    assert [(o["name"], o["status"]) for o in body["objects"]] == [
        ("Cup", "PENDING"),
        ("Object 2", "PENDING"),
    ]
    (resumed,) = states.resumed
    assert resumed["token"] == TOKEN
    assert json.loads(resumed["output"]) == {
        "objects": [{"n": 0, "name": "Cup", "seed": 7}, {"n": 1, "name": "Object 2", "seed": 0}]
    }
    assert rows("TokensTable") == []


@pytest.mark.parametrize(
    "body",
    [
        {"objects": []},
        {"objects": [{}] * 9},
        {"objects": None},
        {},
        {"objects": [{"seed": -1}]},
        {"objects": [{"seed": 2**31}]},
        {"objects": [{"name": ""}]},
        {"objects": [{"name": "x" * 101}]},
        {"objects": [{"mask": "else"}]},
    ],
)
def test_other_objects_than_1_to_8_are_refused(
    body: Any, awaiting: Job, states: FakeStates
) -> None:
    assert refused(call("reconstruct_job", body)) == (400, "InvalidRequest")
    assert states.resumed == []


def test_eight_objects_are_taken(awaiting: Job, states: FakeStates) -> None:
    assert call("reconstruct_job", {"objects": [{}] * 8})[0] == 202


def test_reconstructing_twice_is_a_conflict(awaiting: Job, states: FakeStates) -> None:
    assert call("reconstruct_job")[0] == 202
    assert refused(call("reconstruct_job")) == (409, "JobConflict")
    assert len(states.resumed) == 1


def test_of_two_claims_at_once_one_wins(
    awaiting: Job, states: FakeStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request comes while the first holds the claim and has not resumed yet."""
    succeed = states.send_task_success
    second: list[Answer] = []

    def while_resuming(**call_: str) -> Any:
        second.append(call("reconstruct_job"))
        return succeed(**call_)

    monkeypatch.setattr(states, "send_task_success", while_resuming)
    assert call("reconstruct_job")[0] == 202
    assert refused(second[0]) == (409, "JobConflict")
    assert len(states.resumed) == 1


@pytest.mark.parametrize(("age", "status"), [(CLAIM_SECONDS + 5, 202), (0, 409)])
def test_a_claim_that_nobody_followed_up_can_be_made_again(
    age: int, status: int, awaiting: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    table("TokensTable").update_item(
        Key={"callbackId": mask_callback_id(JOB_ID)},
        UpdateExpression="SET claimedAt = :t",
        ExpressionAttributeValues={":t": int(time.time()) - age},
    )
    assert call("reconstruct_job")[0] == status


@pytest.mark.parametrize("gone", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_task_that_has_ended_is_gone(
    gone: str, awaiting: Job, states: FakeStates, rows: Rows
) -> None:
    states.waiting[TOKEN] = gone
    assert refused(call("reconstruct_job")) == (410, "MaskExpired")
    assert rows("TokensTable") == []


def test_a_passing_failure_gives_the_claim_back(awaiting: Job, states: FakeStates) -> None:
    states.waiting[TOKEN] = "ThrottlingException"
    assert refused(call("reconstruct_job")) == (500, "InternalError")
    states.waiting[TOKEN] = None
    assert call("reconstruct_job")[0] == 202


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        pytest.param(None, "Mask 1 is not there", id="missing"),
        pytest.param(b"", "not a PNG", id="0 bytes"),
        pytest.param(encode(mask(), "JPEG"), "not a PNG", id="jpeg"),
        pytest.param(encode(mask(9, 9)), "9×9", id="wrong size"),
        pytest.param(encode(Pillow.new("L", (64, 48))), "empty", id="empty"),
        pytest.param(encode(Pillow.new("L", (64, 48), 255)), "whole photo", id="everywhere"),
        pytest.param(encode(mask()) + bytes(MAX_BYTES), "20 MB", id="too many bytes"),
    ],
)
def test_a_bad_mask_is_named_by_its_number(
    bad: bytes | None, says: str, awaiting: Job, files: FileStore, states: FakeStates
) -> None:
    key = awaiting.files.object(1).mask
    files.remove(key)
    if bad is not None:
        files.write(key, bad, "image/png")
    answer = call("reconstruct_job", {"objects": [{}, {}]})
    assert refused(answer) == (422, "InvalidMask")
    assert answer[1]["message"].startswith("Mask 1")
    assert says in answer[1]["message"]
    assert states.resumed == []
    assert call("reconstruct_job", {"objects": [{}]})[0] == 202


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


@pytest.mark.parametrize("status", TERMINAL)
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


# Faults of ours


def test_a_fault_of_ours_is_logged_and_not_told(created: Job, calls: Calls, logs: StringIO) -> None:
    calls.fail("GetItem", "InternalServerError", times=1)
    status, body = call("get_job")
    assert (status, body["error"]) == (500, "InternalError")
    assert "InternalServerError" not in json.dumps(body)
    assert "InternalServerError" in logs.getvalue()


def test_one_request_leaves_nothing_in_the_next_ones_log(created: Job, logs: StringIO) -> None:
    call("get_job")
    logs.truncate(0)
    call("rename_job", {"name": ""}, rawPath=f"/jobs/{new_job_id()}")
    assert logs.getvalue()
    assert JOB_ID not in logs.getvalue()


def test_tokens_are_never_logged(
    awaiting: Job, states: FakeStates, logs: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    for code in ("ThrottlingException", "TaskTimedOut"):
        states.waiting[TOKEN] = code
        call("reconstruct_job")
    printed = logs.getvalue() + capsys.readouterr().out
    assert "ThrottlingException" in printed
    assert TOKEN not in printed
    assert "an-id-token" not in printed


def test_the_fake_raises_what_boto3_raises(states: FakeStates, aws: None) -> None:
    """The fake's exception is of the kind that the service's client raises."""
    with pytest.raises(client("stepfunctions").exceptions.ClientError) as real:
        client("s3").get_object(Bucket=BUCKET, Key="missing")
    assert type(client_error("TaskTimedOut")) in type(real.value).__mro__
