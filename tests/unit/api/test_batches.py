"""Batches: each photo a job, a bad one among them, and those that wait for their turn."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gen3d.errors import FetchFailed
from gen3d.internet import Fetched
from gen3d.jobs import Status, new_job_id
from gen3d.quotas import Quotas
from gen3d_api import batches
from gen3d_aws import batch_store
from gen3d_aws.store import JobStore
from tests.support import OWNER, Context, api, begin_execution, load_event, table

from .requests import PHOTO, Answer, call, refused
from .test_whole_jobs import CLICK

Executions = Callable[[], list[str]]


class Web:
    """An internet in which a photo lies at each address, but for those of bad ones."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def fetch(self, url: str, _most: int) -> Fetched:
        self.asked.append(url)
        if "bad" in url:
            raise FetchFailed("There is nothing at the photo's address.")
        if "broken" in url:
            raise RuntimeError
        return Fetched(PHOTO, "image/jpeg", url.rpartition("/")[2])


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    found = Web()
    change(monkeypatch, internet=found)
    return found


def change(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setattr(api, "service", replace(api.service, **fields))


KEY = {
    "keyId": "0123456789abcdef",
    "identityId": "us-east-1:program",
    "rights": "create read",
    "jobsPerDay": 2,
}
"""What the authorizer says of a program."""


def asked(*names: str, known: dict[str, Any] | None = None, **headers: str) -> Answer:
    photos = [{"imageUrl": f"https://example.com/{name}", "objects": [CLICK]} for name in names]
    given = {**load_event("api/create_batch")["headers"], **headers}
    return call("create_batch", {"photos": photos}, known, headers=given)


def read(batch_id: str, **fields: Any) -> Answer:
    path: dict[str, Any] = {
        "pathParameters": {"batchId": batch_id},
        "rawPath": f"/batches/{batch_id}",
    }
    return call("get_batch", **path, **fields)


def a_minute_later(monkeypatch: pytest.MonkeyPatch, seconds: float = 60) -> None:
    moment = time.time() + seconds
    with monkeypatch.context() as clock:
        clock.setattr(batch_store, "time", type("Later", (), {"time": lambda: moment}))
        assert api.handler({"task": "batches"}, Context()) == {}


def end(jobs: JobStore, job_id: str, status: Status) -> None:
    begin_execution(job_id)
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": job_id},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": status},
    )


def test_each_photo_becomes_a_job(web: Web, executions: Executions, jobs: JobStore) -> None:
    status, body = asked("cup.jpg", "vase.jpg")
    assert status == 202
    assert body["counts"] == {
        "waiting": 2, "atWork": 0, "completed": 0, "failed": 0, "refused": 0
    }  # fmt: skip
    ids = [item["jobId"] for item in body["jobs"]]
    assert sorted(executions()) == sorted(ids)
    assert [jobs.get(OWNER, i).name for i in ids] == ["cup", "vase"]
    assert all(jobs.get(OWNER, i).prompted == 1 for i in ids)
    end(jobs, ids[0], Status.COMPLETED)
    end(jobs, ids[1], Status.RECONSTRUCTING)
    _, body = read(body["batchId"])
    assert (body["counts"]["completed"], body["counts"]["atWork"]) == (1, 1)
    assert [item["status"] for item in body["jobs"]] == ["COMPLETED", "RECONSTRUCTING"]


def test_a_bad_photo_leaves_the_others(web: Web, executions: Executions) -> None:
    _, body = asked("cup.jpg", "bad.jpg", "vase.jpg")
    assert len(executions()) == 2
    assert body["counts"]["refused"] == 1
    _, bad, _ = body["jobs"]
    assert bad["error"] == {
        "error": "FetchFailed",
        "message": "There is nothing at the photo's address.",
    }
    assert "status" not in bad


def test_what_exceeds_the_limits_waits_its_turn(
    web: Web, executions: Executions, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, quotas=Quotas(running_jobs=2, jobs_per_day=9, queued_objects=9))
    _, body = asked("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    ids = [item["jobId"] for item in body["jobs"]]
    assert sorted(executions()) == sorted(ids[:2])
    for job_id in ids[:2]:
        begin_execution(job_id)
    a_minute_later(monkeypatch)
    assert len(executions()) == 2
    end(jobs, ids[0], Status.COMPLETED)
    a_minute_later(monkeypatch, seconds=120)
    assert sorted(executions()) == sorted(ids[:3])
    assert len(web.asked) <= 4  # none is fetched twice
    _, body = read(body["batchId"])
    assert (body["counts"]["completed"], body["counts"]["waiting"]) == (1, 2)


def test_one_whose_limit_was_reached_is_not_tried_before_its_time(
    web: Web, monkeypatch: pytest.MonkeyPatch, executions: Executions, jobs: JobStore
) -> None:
    change(monkeypatch, quotas=Quotas(running_jobs=1, jobs_per_day=9, queued_objects=9))
    _, body = asked("a.jpg", "b.jpg")
    end(jobs, body["jobs"][0]["jobId"], Status.COMPLETED)
    a_minute_later(monkeypatch, seconds=5)
    assert len(executions()) == 1
    a_minute_later(monkeypatch, seconds=31)
    assert len(executions()) == 2


def test_a_batch_that_takes_long_goes_on_each_minute(
    web: Web, monkeypatch: pytest.MonkeyPatch, executions: Executions
) -> None:
    monkeypatch.setattr(batches, "AT_ONCE_SECONDS", -1)
    _, body = asked("a.jpg", "b.jpg")
    assert executions() == []
    assert body["counts"]["waiting"] == 2
    assert "status" not in body["jobs"][0]
    a_minute_later(monkeypatch)
    assert len(executions()) == 2
    a_minute_later(monkeypatch)
    assert len(web.asked) == 2
    waiting = table("TokensTable").scan()["Items"]
    assert [row for row in waiting if "lane" in row] == []


def test_a_fault_of_ours_holds_no_other_batch_up(
    web: Web, monkeypatch: pytest.MonkeyPatch, executions: Executions
) -> None:
    monkeypatch.setattr(batches, "AT_ONCE_SECONDS", -1)
    asked("broken.jpg")
    asked("a.jpg")
    a_minute_later(monkeypatch)
    assert len(executions()) == 1


def test_more_than_a_day_allows_are_refused_at_once(
    web: Web, monkeypatch: pytest.MonkeyPatch, executions: Executions
) -> None:
    change(monkeypatch, quotas=Quotas(running_jobs=9, jobs_per_day=2, queued_objects=9))
    assert refused(asked("a.jpg", "b.jpg", "c.jpg")) == (429, "LimitReached")
    assert executions() == web.asked == []
    assert asked("a.jpg", "b.jpg")[0] == 202


def test_a_program_has_the_limit_of_its_key(
    web: Web, monkeypatch: pytest.MonkeyPatch, executions: Executions, jobs: JobStore
) -> None:
    assert refused(asked("a.jpg", "b.jpg", "c.jpg", known=KEY)) == (429, "LimitReached")
    monkeypatch.setattr(batches, "AT_ONCE_SECONDS", -1)
    _, body = asked("a.jpg", "b.jpg", known=KEY)
    a_minute_later(monkeypatch)
    made = [jobs.get(OWNER, item["jobId"]) for item in body["jobs"]]
    assert {job.key_id for job in made} == {KEY["keyId"]}
    assert {job.identity_id for job in made} == {KEY["identityId"]}
    assert len(executions()) == 2


def test_the_same_batch_is_made_once(web: Web, executions: Executions) -> None:
    key: dict[str, Any] = {"idempotency-key": "one"}
    first, again = asked("a.jpg", **key), asked("a.jpg", **key)
    assert first[1]["batchId"] == again[1]["batchId"]
    assert len(executions()) == 1
    assert refused(asked("b.jpg", **key)) == (422, "IdempotencyKeyReused")


def test_a_batch_is_its_makers_own(web: Web, executions: Executions) -> None:
    _, body = asked("a.jpg")
    assert refused(read(body["batchId"], known={"sub": "another"})) == (404, "BatchNotFound")
    assert refused(read(new_job_id())) == (404, "BatchNotFound")
    assert refused(read("nonsense")) == (404, "BatchNotFound")


@pytest.mark.parametrize(
    "photos",
    [
        [],
        [{"imageUrl": "https://example.com/a.jpg"}],
        [{"imageUrl": "https://example.com/a.jpg", "objects": []}],
        [{"objects": [CLICK]}],
        [{"imageUrl": "https://example.com/a.jpg", "objects": [CLICK]}] * 101,
        [{"imageUrl": "https://a.example", "objects": [{"text": "a"}, {"text": "b"}]}],
    ],
)
def test_what_is_no_batch_is_refused(photos: list[Any], web: Web, executions: Executions) -> None:
    assert refused(call("create_batch", {"photos": photos})) == (400, "InvalidRequest")
    assert executions() == web.asked == []
