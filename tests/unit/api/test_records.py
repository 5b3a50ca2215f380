"""Creating, reading, listing and renaming jobs."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import pytest
from botocore.client import BaseClient
from ulid import ULID

from gen3d import images
from gen3d.contract import MAX_OBJECTS
from gen3d.formats import MESH_FORMATS, PHOTO_FORMATS
from gen3d.jobs import (
    TERMINAL,
    EngineRevision,
    Failure,
    Job,
    JobObject,
    ObjectStatus,
    StageTimes,
    Status,
    TimeSpan,
    new_job_id,
    now,
    plain,
)
from gen3d.queue import Place
from gen3d.quotas import Quotas
from gen3d_api import views
from gen3d_aws.store import JobStore
from gen3d_aws.tokens import TokenStore
from tests.support import (
    JOB_ID,
    OWNER,
    PREFIX,
    Context,
    api,
    finished_object,
    load_event,
    make_job,
    mesh_object,
    table,
)

from ..conftest import Calls
from .requests import PutJob, Rows, call, refused

DRAFT_MODEL = EngineRevision(engine="lite", revision="d4af7d4af7d4")

# POST /jobs


def test_creating_a_job_answers_where_its_photo_goes(jobs: JobStore) -> None:
    status, body = call("create_job")

    assert status == 201
    job = jobs.get(OWNER, body["jobId"])
    assert (job.status, job.email, job.name) == (Status.CREATED, "ada@example.com", "coffee")
    assert body["prefix"] == job.prefix == f"private/{job.identity_id}/jobs/{job.job_id}/"
    assert body["upload"]["fields"]["key"] == job.uploads.image("image/jpeg")
    assert job.uploads.prefix == job.prefix.replace("private/", "uploads/")
    assert body["upload"]["fields"]["Content-Type"] == "image/jpeg"
    assert "policy" in body["upload"]["fields"]


def test_a_new_job_is_kept_for_as_long_as_was_said(rows: Rows) -> None:
    before = int(now().timestamp())
    call("create_job")
    (row,) = rows("JobsTable")
    days = 86400 * api.service.config.retention_days
    assert before + days <= row["ttl"] <= now().timestamp() + days


def test_a_folder_is_named_after_its_owners_identity(rows: Rows, calls: Calls) -> None:
    """Of which Cognito alone knows the name."""
    call("create_job")
    call("create_job", known={"sub": "another"}, headers={"authorization": "another-token"})
    identities = {row["identityId"] for row in rows("JobsTable")}
    assert len(identities) == len(calls.of("GetId")) == 2
    assert all(identity.startswith("us-east-1:") for identity in identities)


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("my.red.cup.jpg", "my.red.cup"),
        ("c" * 150 + ".jpg", "c" * 100),
        ("." + "c" * 150, "." + "c" * 99),
    ],
)
def test_a_job_is_named_like_its_photo(filename: str, name: str, rows: Rows) -> None:
    call("create_job", {"filename": filename, "contentType": "image/jpeg"})
    (row,) = rows("JobsTable")
    assert (row["filename"], row["name"]) == (filename, name)


@pytest.mark.parametrize("filename", ["  .jpg", "\u200b\u3164.jpg"])
def test_a_name_can_always_be_seen(rows: Rows, filename: str) -> None:
    call("create_job", {"filename": filename, "contentType": "image/jpeg"})
    (row,) = rows("JobsTable")
    assert plain(row["name"])


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


def test_what_is_wrong_is_named_where_it_is() -> None:
    for name, body, where in (
        ("create_job", "[]", "body: "),
        ("create_job", '{"filename": 1}', "filename: "),
        ("reconstruct_job", '{"objects": [{"seed": -1}]}', "objects.0.seed: "),
        (
            "reconstruct_job",
            '{"objects": [{"options": {"mesh": {"texture": 3}}}]}',
            "objects.0.options.mesh.texture: ",
        ),
        (
            "retry_job",
            '{"objects": [{"n": 0, "options": {"engine": {"sed": 3}}}]}',
            "objects.0.options.engine.sed: ",
        ),
    ):
        assert call(name, body)[1]["message"].startswith(where)


def test_a_body_that_is_not_base64_is_refused() -> None:
    answer = call("create_job", "\x00", isBase64Encoded=True)
    assert refused(answer) == (400, "InvalidRequest")


def test_what_cannot_stand_in_a_line_is_taken_out_of_names(rows: Rows) -> None:
    filename = "my\x00cup\r\n\u202egpj.jpg"
    call("create_job", {"filename": filename, "contentType": "image/jpeg"})
    (row,) = rows("JobsTable")
    assert (row["filename"], row["name"]) == ("my cup gpj.jpg", "my cup gpj")
    assert refused(call("create_job", {"filename": "\n", "contentType": "image/jpeg"}))[0] == 400


def test_a_job_whose_answer_was_lost_is_created_once(rows: Rows, calls: Calls) -> None:
    """The client makes the call again by itself and meets its own row."""
    calls.lose_answer("PutItem")
    assert call("create_job")[0] == 201
    assert len(rows("JobsTable")) == 1


def test_who_has_created_enough_jobs_today_comes_back_tomorrow(
    put_job: PutJob, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    quotas = replace(api.service.quotas, jobs_per_day=3)
    monkeypatch.setattr(api, "service", replace(api.service, quotas=quotas))
    yesterday = str(ULID.from_timestamp((now() - timedelta(hours=25)).timestamp()))
    for job_id in (yesterday, new_job_id(), new_job_id()):
        put_job(make_job(job_id=job_id))
    put_job(make_job(job_id=new_job_id(), owner="another"))
    _, third = call("create_job")
    assert refused(call("create_job")) == (429, "LimitReached")
    assert call("delete_job", rawPath=f"/jobs/{third['jobId']}")[0] == 204
    assert refused(call("create_job")) == (429, "LimitReached")


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
            model=EngineRevision(engine="lite", revision="0123456789ab"),
            objects={"1": failed, "0": finished_object()},
        )
    )
    status, body = call("get_job")

    assert status == 200
    assert [o["status"] for o in body["objects"]] == ["COMPLETED", "FAILED"]
    assert set(body["objects"][0]["files"]) == {*MESH_FORMATS, "preview"}
    mesh = {"vertices": 1200, "faces": 2400, "coverage": 0.9987, "warnings": []}
    assert body["objects"][0]["mesh"] == mesh
    assert body["objects"][0]["splat"]["gaussians"] == 5000
    assert body["objects"][1]["error"] == {"error": "EmptySurface", "message": "Click again."}
    assert "models/lite/0123456789ab/decoder.onnx" in body["decoder"]["url"]
    assert body["embeddings"]["url"]
    assert OWNER not in json.dumps(body)


def test_an_engine_s_mesh_is_shown_in_the_place_of_a_splat(put_job: PutJob) -> None:
    put_job(make_job(Status.COMPLETED, objects={"0": mesh_object()}))
    _, body = call("get_job")
    (cup,) = body["objects"]
    assert "splat" not in cup
    url = cup["engineMesh"].pop("url")
    assert urlparse(url).path.endswith("/objects/0/engine.glb")
    assert "Cup-engine.glb" in unquote(url)
    assert cup["engineMesh"] == {"vertices": 9000, "faces": 15000, "bytes": 9}
    assert set(cup["files"]) == {*MESH_FORMATS, "preview"}


@pytest.mark.parametrize("pose", [None, {"rotation": [1, 0, 0, 0], "translation": [0, 0, 2]}])
def test_a_pose_is_shown_where_there_is_one(put_job: PutJob, pose: dict[str, Any] | None) -> None:
    """As it was recorded, by whichever version."""
    cup = finished_object()
    assert cup.splat is not None
    splat = cup.splat if pose is None else {**cup.splat, "pose": pose}
    put_job(make_job(Status.COMPLETED, objects={"0": cup.model_copy(update={"splat": splat})}))
    _, body = call("get_job")
    assert body["objects"][0]["splat"].get("pose") == pose


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


def test_each_link_leads_to_its_file_and_saves_under_its_name(put_job: PutJob) -> None:
    put_job(make_job(Status.COMPLETED, objects={"0": finished_object()}))
    _, body = call("get_job")
    (cup,) = body["objects"]
    folder = f"/{PREFIX}objects/0/"
    for link, path, name in (
        (body["image"], f"/{PREFIX}image.jpg", None),
        (cup["mask"], f"{folder}mask.png", None),
        (cup["splat"], f"{folder}splat.ply", "Cup-splat.ply"),
        (cup["files"]["preview"], f"{folder}preview.png", None),
        (cup["files"]["glb"], f"{folder}mesh.glb", "Cup.glb"),
    ):
        url = urlparse(link["url"])
        saved = parse_qs(url.query).get("response-content-disposition", [""])[0]
        assert unquote(url.path) == path
        assert saved.endswith(f"UTF-8''{name}") if name else not saved
    assert (cup["name"], body["image"]["bytes"], body["text"]) == ("Cup", 1000, None)


def test_a_stage_is_shown_with_its_beginning_and_end(put_job: PutJob) -> None:
    times = {"start": "2026-11-22T23:00:00.000Z", "end": "2026-11-22T23:00:01.250Z"}
    put_job(make_job(Status.RECONSTRUCTING))
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="SET stages.mask = :times",
        ExpressionAttributeValues={":times": times},
    )
    assert call("get_job")[1]["stages"] == {
        "initialize": {"start": None, "end": None, "ms": None},
        "mask": {**times, "ms": 1250},
        "reconstruct": {"start": None, "end": None, "ms": None},
    }


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("InvalidMask", "InvalidMask"),
        ("States.Timeout", "ExecutionTimedOut"),
        ("States.HeartbeatTimeout", "ExecutionTimedOut"),
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


def test_a_cancelled_job_keeps_what_there_is_of_it(put_job: PutJob) -> None:
    put_job(make_job(Status.CANCELLED, objects={"0": finished_object()}))
    body = call("get_job")[1]
    assert body["image"]["url"]
    assert set(body["objects"][0]["files"]) == {*MESH_FORMATS, "preview"}


# When to ask again


@pytest.mark.parametrize("status", TERMINAL - {Status.DELETED})
def test_a_job_that_has_ended_needs_no_more_looks(status: Status, put_job: PutJob) -> None:
    put_job(make_job(status))
    assert call("get_job")[1]["pollSeconds"] is None


def test_the_answer_says_when_to_ask_again(put_job: PutJob) -> None:
    put_job(make_job(Status.AWAITING_MASK))
    answer = api.handler(load_event("api/get_job"), Context())
    body = json.loads(answer["body"])
    assert answer["headers"]["Retry-After"] == str(body["pollSeconds"])
    assert body["queue"] is None  # it waits for a person, and in no queue


@pytest.mark.parametrize(
    ("status", "age", "ahead", "seconds"),
    [
        (Status.INITIALIZING, None, 0, 1),
        (Status.INITIALIZING, 3, 0, 1),
        (Status.RECONSTRUCTING, 3, 0, 1),
        (Status.RECONSTRUCTING, 30, 0, 2),
        (Status.RECONSTRUCTING, 200, 0, 5),
        (Status.RECONSTRUCTING, 2000, 0, 10),
        (Status.RECONSTRUCTING, 3, 8, 8),
        (Status.RECONSTRUCTING, 3, 500, 30),
        (Status.AWAITING_MASK, 3, 0, 2),
        (Status.AWAITING_MASK, 200, 0, 5),
        (Status.AWAITING_MASK, 3, 8, 8),
    ],
)
def test_who_waits_long_asks_seldom(
    status: Status, age: int | None, ahead: int, seconds: int
) -> None:
    start = None if age is None else now() - timedelta(seconds=age)
    stage = TimeSpan(start=start)
    job = make_job(status, stages=StageTimes(initialize=stage, reconstruct=stage))
    assert views.poll_seconds(job, ahead) == seconds


@pytest.mark.parametrize(("soonest", "seconds"), [(None, 10), (60, 10), (7, 7), (1, 1), (0, 1)])
def test_who_waits_for_what_is_nearly_made_asks_when_it_is(
    soonest: int | None, seconds: int
) -> None:
    stage = TimeSpan(start=now() - timedelta(seconds=2000))
    job = make_job(Status.RECONSTRUCTING, stages=StageTimes(reconstruct=stage))
    assert views.poll_seconds(job, 0, soonest) == seconds
    assert views.poll_seconds(make_job(Status.COMPLETED), 0, soonest) is None


@pytest.mark.parametrize("draft", [None, DRAFT_MODEL])
@pytest.mark.parametrize("gone", ["prepared", "given up"])
def test_who_has_the_best_decoder_there_will_be_is_left_alone(
    draft: EngineRevision | None, gone: str
) -> None:
    moment = now() - timedelta(seconds=3)
    stages = StageTimes(
        initialize=TimeSpan(start=moment, end=moment if gone == "given up" else None)
    )
    model = EngineRevision(engine="sam", revision="0" * 12) if gone == "prepared" else None
    job = make_job(Status.AWAITING_MASK, stages=stages, model=model, draft_model=draft)
    assert views.poll_seconds(job, 0) == 30


# Drafts


def test_a_draft_decoder_is_shown_until_there_is_a_better_one(
    put_job: PutJob,
) -> None:
    waits = StageTimes(initialize=TimeSpan(start=now()))
    put_job(make_job(Status.AWAITING_MASK, draft_model=DRAFT_MODEL, stages=waits))
    shown = call("get_job")[1]
    assert (shown["decoder"]["engine"], shown["decoder"]["draft"]) == ("lite", True)
    assert "/models/lite/d4af7d4af7d4/decoder.onnx" in shown["decoder"]["url"]
    assert "/draft/embeddings.safetensors" in shown["embeddings"]["url"]
    assert "offers" not in shown

    model = EngineRevision(engine="sam", revision="0" * 12)
    _forget()
    put_job(make_job(Status.AWAITING_MASK, draft_model=DRAFT_MODEL, model=model, stages=waits))
    better = call("get_job")[1]
    assert (better["decoder"]["engine"], better["decoder"]["draft"]) == ("sam", False)
    assert "/draft/" not in better["embeddings"]["url"]


def test_a_draft_is_all_there_will_be_where_the_endpoint_was_given_up(
    put_job: PutJob,
) -> None:
    over = StageTimes(initialize=TimeSpan(start=now(), end=now()))
    put_job(make_job(Status.AWAITING_MASK, draft_model=DRAFT_MODEL, stages=over))
    assert call("get_job")[1]["decoder"]["draft"] is False


def _forget() -> None:
    table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": JOB_ID})


def drafted_object(**changes: Any) -> JobObject:
    """An object with a draft of two files."""
    keys = make_job().files.object(0).draft
    files = {
        "glb": {"key": keys.mesh("glb"), "bytes": 10},
        "preview": {"key": keys.preview, "bytes": 20},
    }
    draft = {"files": files, "vertices": 12, "faces": 20}
    return JobObject(**{"n": 0, "name": "Cup", "draft": draft, **changes})


def test_a_draft_mesh_is_shown_until_there_is_the_objects_own(
    put_job: PutJob,
) -> None:
    put_job(make_job(Status.RECONSTRUCTING, objects={"0": drafted_object()}))
    (thing,) = call("get_job")[1]["objects"]
    draft = thing["draft"]
    assert draft["mesh"] == {"vertices": 12, "faces": 20}
    assert draft["files"]["glb"]["bytes"] == 10
    assert "objects/0/draft/mesh.glb" in draft["files"]["glb"]["url"]
    assert "Cup-draft.glb" in draft["files"]["glb"]["url"]
    assert "objects/0/draft/preview.png" in draft["picture"]["url"]
    assert not {"mesh", "files"} & thing.keys()
    (card,) = call("list_jobs", queryStringParameters={})[1]["jobs"]
    assert card["draft"] is True
    assert "objects/0/draft/preview.png" in card["picture"]

    done = finished_object(0)
    _forget()
    put_job(make_job(Status.COMPLETED, objects={"0": done}))
    (thing,) = call("get_job")[1]["objects"]
    assert "draft" not in thing
    (card,) = call("list_jobs", queryStringParameters={})[1]["jobs"]
    assert (card["draft"], "/draft/" in card["picture"]) == (False, False)


def test_the_answer_says_how_many_are_first(
    put_job: PutJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_job(make_job(Status.RECONSTRUCTING))
    monkeypatch.setattr(TokenStore, "place", lambda _, job: Place(12, ()))
    body = call("get_job")[1]
    assert (body["queue"], body["pollSeconds"]) == ({"ahead": 12}, 12)


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


def test_a_page_reads_no_more_than_it_shows(put_job: PutJob, calls: Calls) -> None:
    for _ in range(20):
        put_job(make_job(job_id=new_job_id()))
    body = call("list_jobs", queryStringParameters={})[1]
    assert (len(body["jobs"]), [query["Limit"] for query in calls.of("Query")]) == (20, [20])
    assert body["cursor"] is None  # there is no next page


def test_the_list_leaves_deleted_jobs_out(put_job: PutJob, jobs: JobStore) -> None:
    kept = [put_job(make_job(job_id=new_job_id())) for _ in range(25)]
    for _ in range(30):
        jobs.tombstone(put_job(make_job(job_id=new_job_id())))
    first = call("list_jobs", queryStringParameters={})[1]
    second = call("list_jobs", queryStringParameters={"cursor": first["cursor"]})[1]
    assert [len(first["jobs"]), len(second["jobs"])] == [20, 5]
    assert second["cursor"] is None
    seen = [job["jobId"] for job in first["jobs"] + second["jobs"]]
    assert seen == sorted((job.job_id for job in kept), reverse=True)


def test_a_page_that_dynamodb_cuts_short_goes_on(
    put_job: PutJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A megabyte ends an answer of its, however many rows were asked for."""
    ids = sorted((put_job(make_job(job_id=new_job_id())).job_id for _ in range(5)), reverse=True)
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def short(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        return real(self, operation, parameters | ({"Limit": 2} if operation == "Query" else {}))

    monkeypatch.setattr(BaseClient, "_make_api_call", short)
    answer = call("list_jobs", queryStringParameters={})[1]
    assert [job["jobId"] for job in answer["jobs"]] == ids
    assert answer["cursor"] is None


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
    assert f"{PREFIX}objects/0/preview.png" in unquote(pictures[2])


# All objects together


def test_a_scene_is_shown_with_links_to_its_files(put_job: PutJob) -> None:
    files = {
        "glb": {"key": f"{PREFIX}scene.glb", "bytes": 7},
        "preview": {"key": f"{PREFIX}scene.png", "bytes": 8},
    }
    stand = [{"n": 0, "placed": "pose", "height": 1}]
    scene = {"files": files, "metres": True, "objects": stand}
    put_job(make_job(Status.COMPLETED, objects={"0": finished_object()}, scene=scene))
    shown = call("get_job")[1]["scene"]
    assert (shown["metres"], shown["objects"]) == (True, stand)
    assert shown["files"]["glb"]["bytes"] == 7
    assert "/scene.glb?" in shown["files"]["glb"]["url"]
    saved = parse_qs(urlparse(shown["files"]["glb"]["url"]).query)["response-content-disposition"]
    assert "coffee-scene.glb" in saved[0]


def test_why_there_is_no_scene_is_said_in_words_of_ours(put_job: PutJob) -> None:
    failed = {"name": "RuntimeError", "stage": "MakeScene", "message": "'NoneType' object"}
    put_job(make_job(Status.COMPLETED, objects={"0": finished_object()}, scene={"error": failed}))
    shown = call("get_job")[1]["scene"]
    assert set(shown) == {"error"}
    assert shown["error"]["error"] == "InternalError"
    assert "NoneType" not in shown["error"]["message"]


def test_a_job_without_a_scene_shows_none(put_job: PutJob) -> None:
    put_job(make_job(Status.COMPLETED, objects={"0": finished_object()}))
    assert "scene" not in call("get_job")[1]


# GET /limits


def test_the_limits_are_those_by_which_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    status, body = call("get_limits")
    assert status == 200
    assert body["photo"]["types"] == list(PHOTO_FORMATS)
    assert (body["photo"]["bytes"], body["objectsPerJob"]) == (images.MAX_BYTES, MAX_OBJECTS)
    assert (body["jobsAtWork"], body["jobsPerDay"], body["objectsInQueue"]) == (10, 100, 24)
    monkeypatch.setattr(api, "service", replace(api.service, quotas=Quotas(0, 0, 0)))
    _, body = call("get_limits")
    assert (body["jobsAtWork"], body["jobsPerDay"], body["objectsInQueue"]) == (None, None, None)
