"""A job in one request: what shows its objects, and a photo that is fetched."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gen3d.errors import AddressRefused, FetchFailed
from gen3d.images import MAX_BYTES
from gen3d.internet import Fetched, Internet
from gen3d.jobs import Status
from gen3d.prompts import Prompts
from gen3d.quotas import Quotas
from gen3d_aws.store import FileStore, JobStore
from tests.support import (
    BUCKET,
    OWNER,
    STATE_MACHINE,
    api,
    begin_execution,
    client,
    encode,
    mask,
)

from .requests import PHOTO, Answer, Rows, call, refused

URL = "https://example.com/photos/my%20cup.jpg"
CLICK = {"clicks": [{"x": 0.5, "y": 0.5}]}
UPLOADED = {"filename": "coffee.jpg", "contentType": "image/jpeg"}


@dataclass
class FakeInternet:
    """Where something lies, or an error."""

    lies: Fetched | Exception = field(
        default_factory=lambda: Fetched(PHOTO, "image/jpeg", "my cup.jpg")
    )
    asked: list[tuple[str, int]] = field(default_factory=list)

    def fetch(self, url: str, most: int) -> Fetched:
        self.asked.append((url, most))
        if isinstance(self.lies, Exception):
            raise self.lies
        return self.lies


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> FakeInternet:
    fake = FakeInternet()
    change(monkeypatch, internet=fake)
    return fake


def change(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setattr(api, "service", replace(api.service, **fields))


def whole(*objects: dict[str, Any], **said: Any) -> Answer:
    return call("create_job", {"imageUrl": URL, "objects": objects, **said})


def shown(*objects: dict[str, Any]) -> Answer:
    return call("create_job", {**UPLOADED, "objects": objects})


def given_to_the_execution(job_id: str) -> dict[str, Any]:
    arn = STATE_MACHINE.replace(":stateMachine:", ":execution:")
    found = client("stepfunctions").describe_execution(executionArn=f"{arn}:{job_id}")
    given: dict[str, Any] = json.loads(found["input"])
    return given


def keys() -> list[str]:
    return [o["Key"] for o in client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]


# By the form


def test_what_shows_the_objects_waits_for_the_photo(
    jobs: JobStore, files: FileStore, executions: Callable[[], list[str]]
) -> None:
    options = {"engine": {"seed": 7, "seeds": 2}, "mesh": {"quality": "fine"}}
    status, body = shown({**CLICK, "name": "Cup", "options": options}, {"subject": "auto"})
    assert status == 201
    assert "upload" in body
    job = jobs.get(OWNER, body["jobId"])
    assert (job.status, job.prompted, job.text) == (Status.CREATED, 3, None)
    kept = files.read(job.files.prompts)
    assert kept is not None
    cup, subject = Prompts.model_validate_json(kept).objects
    assert cup.prompt.clicks[0].x == 0.5
    assert (cup.task["n"], cup.task["name"], cup.task["have"]) == (0, "Cup", "nothing")
    assert cup.task["options"]["mesh"]["quality"] == "fine"
    assert len(cup.task["variants"]) == 2
    assert subject.prompt.subject == "auto"
    assert (subject.task["n"], subject.task["name"]) == (1, "Object 2")

    files.write(job.uploads.image("image/jpeg"), PHOTO, "image/jpeg")
    path: dict[str, Any] = {
        "pathParameters": {"jobId": job.job_id},
        "rawPath": f"/jobs/{job.job_id}/initialize",
    }
    assert call("initialize_job", {}, **path)[0] == 202
    given = given_to_the_execution(job.job_id)
    assert given["prompts"] == job.files.prompts
    assert given["objects"] == []


def test_a_job_that_shows_nothing_is_as_ever(
    jobs: JobStore, files: FileStore, executions: Callable[[], list[str]]
) -> None:
    _, body = call("create_job", UPLOADED)
    job = jobs.get(OWNER, body["jobId"])
    assert job.prompted == 0
    assert files.read(job.files.prompts) is None


def test_a_text_is_the_jobs(jobs: JobStore, files: FileStore, executions: Any) -> None:
    _, body = shown({"text": "a \x00 chair "}, {"text": "a chair"}, CLICK)
    job = jobs.get(OWNER, body["jobId"])
    assert job.text == "a chair"
    files.write(job.uploads.image("image/jpeg"), PHOTO, "image/jpeg")
    path: dict[str, Any] = {
        "pathParameters": {"jobId": job.job_id},
        "rawPath": f"/jobs/{job.job_id}/initialize",
    }
    answer = call("initialize_job", {"text": "table"}, **path)
    assert refused(answer) == (400, "InvalidRequest")
    assert "Leave text out" in answer[1]["message"]
    assert call("initialize_job", {}, **path)[1]["text"] == "a chair"


def test_several_texts_are_refused(rows: Rows) -> None:
    answer = shown({"text": "chair"}, {"text": "table"})
    assert refused(answer) == (400, "InvalidRequest")
    assert "one text" in answer[1]["message"]
    assert rows("JobsTable") == []


def test_a_text_needs_the_engine_that_reads(monkeypatch: pytest.MonkeyPatch, rows: Rows) -> None:
    change(monkeypatch, config=api.service.config.model_copy(update={"engine": "open"}))
    answer = shown({"text": "chair"})
    assert refused(answer) == (400, "InvalidRequest")
    assert "open engine finds objects by clicks only" in answer[1]["message"]
    assert rows("JobsTable") == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "filename and contentType of the photo are needed, or its imageUrl"),
        ({"filename": "a.jpg"}, "filename and contentType"),
        ({"imageUrl": URL, "contentType": "image/jpeg"}, "says itself what it is"),
        ({**UPLOADED, "objects": [{}]}, "objects.0: Value error, an object is shown by"),
        ({**UPLOADED, "objects": [{"clicks": [{"x": 320, "y": 1}]}]}, "objects.0.clicks.0.x"),
        ({**UPLOADED, "objects": [{**CLICK, "subject": "auto"}]}, "an object is shown by"),
        ({**UPLOADED, "objects": [{**CLICK, "colour": "red"}]}, "objects.0.colour: Extra"),
        ({**UPLOADED, "objects": [CLICK] * 9}, "at most 8"),
        ({**UPLOADED, "objects": [{**CLICK, "options": {"mesh": {"faces": 1}}}]}, "faces"),
        ({"imageUrl": f"https://example.com/{'a' * 2048}"}, "imageUrl"),
    ],
)
def test_what_is_no_whole_job_is_named(body: dict[str, Any], why: str, rows: Rows) -> None:
    answer = call("create_job", body)
    assert refused(answer) == (400, "InvalidRequest")
    assert why in answer[1]["message"]
    assert rows("JobsTable") == []


# By its address


def test_one_request_is_a_whole_job(
    internet: FakeInternet, jobs: JobStore, executions: Callable[[], list[str]], files: FileStore
) -> None:
    status, body = whole(CLICK)
    assert (status, body["status"], body["run"], body["name"]) == (202, "INITIALIZING", 1, "my cup")
    assert internet.asked == [(URL, MAX_BYTES)]
    assert executions() == [body["jobId"]]
    job = jobs.get(OWNER, body["jobId"])
    assert (job.content_type, job.filename, job.prompted) == ("image/jpeg", "my cup.jpg", 1)
    assert files.read(job.files.image("image/jpeg")) == PHOTO
    given = given_to_the_execution(job.job_id)
    assert given["prompts"] == job.files.prompts
    assert given["photo"] == job.files.image("image/jpeg")
    assert given["image"] == {"width": 64, "height": 48, "bytes": len(PHOTO)}
    assert begin_execution(job.job_id)


def test_a_photo_alone_waits_for_masks(internet: FakeInternet, executions: Any) -> None:
    status, body = call("create_job", {"imageUrl": URL, "filename": "Mine.png"})
    assert (status, body["name"], body["contentType"]) == (202, "Mine", "image/jpeg")
    assert "prompts" not in given_to_the_execution(body["jobId"])


@pytest.mark.parametrize("name", ["", "\u202e", "a" * 300])
def test_a_photo_whose_address_says_no_name(
    name: str, internet: FakeInternet, executions: Any
) -> None:
    internet.lies = Fetched(PHOTO, "image/jpeg", name)
    status, body = whole(CLICK)
    assert status == 202
    assert 0 < len(body["name"]) <= 100
    assert len(body["filename"]) <= 255


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50)


def test_a_photos_kind_is_what_it_holds(internet: FakeInternet, executions: Any) -> None:
    from PIL import Image as Pillow

    for kind in ("PNG", "WEBP", "AVIF"):
        internet.lies = Fetched(encode(Pillow.new("RGB", (64, 48)), kind), "text/html", "x")
        assert whole(CLICK)[1]["contentType"] == f"image/{kind.lower()}"


@pytest.mark.parametrize(
    ("lies", "status", "name", "why"),
    [
        (AddressRefused("No."), 422, "AddressRefused", "No."),
        (FetchFailed("Gone."), 422, "FetchFailed", "Gone."),
        (Fetched(b"<!doctype html>", "text/html", ""), 415, "UnsupportedImage", "a web page"),
        (Fetched(b" \n<html>", "image/jpeg", ""), 415, "UnsupportedImage", "a web page"),
        (Fetched(b"GIF89a", "image/gif", ""), 415, "UnsupportedImage", "no photo that is taken"),
        (Fetched(HEIC, "image/jpeg", ""), 415, "UnsupportedImage", "a HEIC photo"),
        (Fetched(b"", "image/jpeg", ""), 415, "UnsupportedImage", "no photo that is taken"),
        (Fetched(b"\xff\xd8\xff", "image/jpeg", ""), 422, "InvalidImage", "can be read"),
        (Fetched(PHOTO[:-40], "image/jpeg", ""), 422, "InvalidImage", "damaged"),
    ],
)
def test_of_what_cannot_be_fetched_no_job_is_made(
    lies: Any, status: int, name: str, why: str, internet: FakeInternet, rows: Rows
) -> None:
    internet.lies = lies
    answer = whole(CLICK)
    assert refused(answer) == (status, name)
    assert why in answer[1]["message"]
    assert rows("JobsTable") == []
    assert keys() == []


def test_masks_that_do_not_fit_the_photo_are_refused_at_once(
    internet: FakeInternet, rows: Rows
) -> None:
    png = base64.b64encode(encode(mask(10, 10))).decode()
    for bad in ({"mask": png}, {"rle": {"size": [10, 10], "counts": [0, 100]}}):
        answer = whole(CLICK, bad)
        assert refused(answer) == (422, "InvalidMask")
        assert answer[1]["message"].startswith("Object 1: ")
        assert "64×48" in answer[1]["message"]
    assert rows("JobsTable") == []


def test_what_may_not_begin_leaves_nothing(
    internet: FakeInternet, rows: Rows, monkeypatch: pytest.MonkeyPatch, executions: Any
) -> None:
    change(monkeypatch, quotas=Quotas(running_jobs=1, jobs_per_day=9, queued_objects=9))
    assert whole(CLICK)[0] == 202
    before = keys()
    assert refused(whole(CLICK)) == (429, "LimitReached")
    assert keys() == before
    assert [row["status"] for row in rows("JobsTable") if row["status"] != "DELETED"] == ["CREATED"]


def test_more_objects_than_may_wait_are_refused(
    internet: FakeInternet, monkeypatch: pytest.MonkeyPatch, executions: Any, jobs: JobStore
) -> None:
    """Also those that wait for their masks by themselves, and whose execution began long ago."""
    change(monkeypatch, quotas=Quotas(running_jobs=9, jobs_per_day=9, queued_objects=3))
    _, first = whole(CLICK, CLICK)
    begin_execution(first["jobId"])
    monkeypatch.setattr("gen3d_aws.admissions.NOTED_SECONDS", -1)
    answer = whole(CLICK, CLICK)
    assert refused(answer) == (429, "LimitReached")
    assert "2 of your objects wait" in answer[1]["message"]
    assert whole(CLICK)[0] == 202


def test_photos_come_from_the_public_internet() -> None:
    assert api.service.internet == Internet()
