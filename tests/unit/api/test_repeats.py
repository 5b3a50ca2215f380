"""POST /jobs by a key of the sender's: the same request makes one job, however often it is sent."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gen3d.errors import FetchFailed
from gen3d.quotas import Quotas
from gen3d_aws import repeats
from gen3d_aws.repeats import ANSWER_SECONDS, KEPT_SECONDS
from tests.support import api, load_event, table

from .requests import Answer, Rows, call, refused
from .test_whole_jobs import CLICK, UPLOADED, FakeInternet, internet, whole

__all__ = ["internet"]

KEY = "4f1c0c1e-2b43-4a53-9c57-1f5f3c1b9a10"


def keyed(key: str = KEY, body: Any = None, known: dict[str, Any] | None = None) -> Answer:
    headers = {**load_event("api/create_job")["headers"], "idempotency-key": key}
    return call("create_job", body or {**UPLOADED, "objects": [CLICK]}, known, headers=headers)


def fetched(key: str = KEY, **said: Any) -> Answer:
    return keyed(key, {"imageUrl": "https://example.com/cup.jpg", "objects": [CLICK], **said})


def notes() -> list[dict[str, Any]]:
    rows = table("TokensTable").scan()["Items"]
    return [row for row in rows if row["callbackId"].startswith("once#")]


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = time.time() + seconds
    monkeypatch.setattr(repeats, "time", type("Later", (), {"time": lambda: moment}))


def test_the_same_request_makes_one_job(rows: Rows) -> None:
    first, again = keyed(), keyed()
    assert first[0] == again[0] == 201
    assert first[1]["jobId"] == again[1]["jobId"]
    assert again[1]["upload"]["fields"]["key"] == first[1]["upload"]["fields"]["key"]
    assert len(rows("JobsTable")) == 1
    (note,) = notes()
    assert KEY not in json.dumps(note, default=str)
    assert 0 <= time.time() + KEPT_SECONDS - int(note["ttl"]) < 60


def test_a_job_that_is_fetched_is_made_once(
    internet: FakeInternet, rows: Rows, executions: Callable[[], list[str]]
) -> None:
    first, again = fetched(), fetched()
    assert (first[0], again[0]) == (202, 202)
    assert executions() == [first[1]["jobId"]] == [again[1]["jobId"]]
    assert len(internet.asked) == 1


def test_fields_in_another_order_are_the_same_request(rows: Rows) -> None:
    first = keyed(body=json.dumps({"filename": "a.jpg", "contentType": "image/jpeg"}))
    again = keyed(body='{"contentType": "image/jpeg",  "filename": "a.jpg", "objects": []}')
    assert first[1]["jobId"] == again[1]["jobId"]


def test_another_request_by_the_key_is_refused(rows: Rows) -> None:
    keyed()
    answer = keyed(body=UPLOADED)
    assert refused(answer) == (422, "IdempotencyKeyReused")
    assert len(rows("JobsTable")) == 1


def test_keys_are_their_senders_own(rows: Rows) -> None:
    keyed()
    keyed(body=UPLOADED, known={"sub": "another"})
    keyed("another key")
    assert len(rows("JobsTable")) == 3


def test_without_a_key_each_request_is_another(rows: Rows) -> None:
    call("create_job", UPLOADED)
    call("create_job", UPLOADED)
    assert len(rows("JobsTable")) == 2
    assert notes() == []


@pytest.mark.parametrize("key", ["", "a" * 256, "clé", "a\tb"])
def test_what_is_no_key_is_refused(key: str, rows: Rows) -> None:
    assert refused(keyed(key)) == (400, "InvalidRequest")
    assert rows("JobsTable") == notes() == []


def test_what_was_refused_may_be_sent_again(
    internet: FakeInternet, rows: Rows, executions: Any
) -> None:
    lies, internet.lies = internet.lies, FetchFailed("Gone.")
    assert refused(fetched()) == (422, "FetchFailed")
    assert notes() == []
    internet.lies = lies
    assert fetched()[0] == 202
    assert len(rows("JobsTable")) == 1


def test_what_a_limit_refused_may_be_sent_again(
    internet: FakeInternet, monkeypatch: pytest.MonkeyPatch, executions: Any
) -> None:
    quotas = Quotas(running_jobs=1, jobs_per_day=9, queued_objects=9)
    monkeypatch.setattr(api, "service", replace(api.service, quotas=quotas))
    whole(CLICK)
    assert refused(fetched()) == (429, "LimitReached")
    monkeypatch.setattr(api, "service", replace(api.service, quotas=Quotas(9, 9, 9)))
    assert fetched()[0] == 202


def test_one_that_is_being_answered_is_not_begun_again(
    internet: FakeInternet, rows: Rows, monkeypatch: pytest.MonkeyPatch, executions: Any
) -> None:
    """Nor is it where it was cut off, until nobody can be at it any more."""
    asked: list[Answer] = []
    lies = internet.lies

    def fetch(url: str, most: int) -> Any:
        if not asked:
            asked.append(fetched())
        return lies

    monkeypatch.setattr(internet, "fetch", fetch)
    assert fetched()[0] == 202
    assert refused(asked[0]) == (409, "JobConflict")
    assert asked[0][1]["retryAfter"]
    assert len(rows("JobsTable")) == 1


def test_one_that_was_cut_off_is_taken_over(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(*_: object) -> None:
        raise SystemExit  # as where the process is killed

    with monkeypatch.context() as cut:
        cut.setattr(api.service.jobs, "create", ends)
        with pytest.raises(SystemExit):
            keyed()
    (note,) = notes()
    assert refused(keyed()) == (409, "JobConflict")
    later(monkeypatch, ANSWER_SECONDS + 1)
    assert keyed()[1]["jobId"] == note["made"]
    assert len(rows("JobsTable")) == 1


def test_one_that_was_cut_off_before_it_began_begins(
    internet: FakeInternet,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    executions: Callable[[], list[str]],
) -> None:
    def ends(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as cut:
        cut.setattr(type(api.service.runs), "start", ends)
        with pytest.raises(SystemExit):
            fetched()
    assert executions() == []
    later(monkeypatch, ANSWER_SECONDS + 1)
    status, body = fetched()
    assert (status, executions()) == (202, [body["jobId"]])
    assert len(rows("JobsTable")) == 1


def test_after_a_day_the_key_is_free(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    first = keyed()
    later(monkeypatch, KEPT_SECONDS + 1)
    again = keyed(body=UPLOADED)
    assert first[1]["jobId"] != again[1]["jobId"]


def test_a_job_that_was_deleted_since_is_not_made_again(rows: Rows) -> None:
    _, body = keyed()
    path: dict[str, Any] = {
        "pathParameters": {"jobId": body["jobId"]},
        "rawPath": f"/jobs/{body['jobId']}",
    }
    assert call("delete_job", **path)[0] == 204
    assert refused(keyed()) == (404, "JobNotFound")
    assert len(rows("JobsTable")) == 1
