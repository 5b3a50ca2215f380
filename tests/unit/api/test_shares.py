"""Shares: made, opened by whoever has the link, listed, withdrawn; and what they do not open."""

import json
from datetime import datetime, timedelta
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest

from gen3d import shares as domain
from gen3d.jobs import Job, Status, now
from gen3d_aws import store
from gen3d_aws.share_store import ShareStore
from gen3d_aws.store import JobStore
from tests.support import JOB_ID, OWNER, Context, api, finished_object, load_event, make_job, table

from .requests import PutJob, call, refused

STRANGER = {"sub": "somebody-else"}


@pytest.fixture
def done(put_job: PutJob) -> Job:
    """A job with an object that has a mesh, and one that has none."""
    objects = {"0": finished_object(name='Cup "<b>&'), "1": finished_object(1, "Plate")}
    objects["1"].mesh = None
    return put_job(make_job(Status.COMPLETED, objects=objects))


def share(days: int = 7, n: int = 0, **fields: Any) -> dict[str, Any]:
    code, made = call("create_share", {"jobId": JOB_ID, "object": n, "days": days}, **fields)
    assert code == 201, made
    kept: dict[str, Any] = made
    return kept


def of(made: dict[str, Any] | str, where: str = "shared") -> dict[str, Any]:
    """The fields of a request about a share."""
    share_id = made if isinstance(made, str) else made["shareId"]
    return {"rawPath": f"/{where}/{share_id}", "pathParameters": {"shareId": share_id}}


def opened(made: dict[str, Any] | str) -> Any:
    """As somebody who is not signed in."""
    event = load_event("api/get_shared")
    assert "authorizer" not in event["requestContext"]
    assert "authorization" not in event["headers"]
    return call("get_shared", **of(made))


class Head(HTMLParser):
    """What a chat reads of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.told: dict[str, str] = {}
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        name = given.get("property") or given.get("http-equiv")
        if tag == "meta" and name:
            self.told[name] = given["content"] or ""


def page(made: dict[str, Any] | str) -> Head:
    answer = api.handler({**load_event("api/preview_shared"), **of(made, "s")}, Context())
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    policy = answer["headers"]["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    return Head(answer["body"])


def test_whoever_has_the_link_sees_the_object_and_nothing_else(done: Job) -> None:
    code, seen = opened(share())
    assert code == 200
    assert seen.keys() == {"name", "endsAt", "files"}
    assert seen["name"] == 'Cup "<b>&'
    text = json.dumps(seen)
    assert "objects/0/mesh.glb" in text
    for private in ("image.jpg", "mask.png", "objects/1", "splat.ply", OWNER, done.email):
        assert private not in text
    assert f"X-Amz-Expires={domain.LINK_SECONDS}" in seen["files"]["glb"]["url"]
    assert domain.LINK_SECONDS < store.URL_SECONDS


def test_it_ends_when_it_was_said_to(done: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    made = share(days=1)
    for later, code in ((timedelta(hours=23), 200), (timedelta(hours=25), 404)):
        moment = now() + later
        monkeypatch.setattr("gen3d_api.share_operations.now", lambda at=moment: at)
        assert opened(made)[0] == code
    assert call("list_shares")[1]["shares"] == []
    monkeypatch.undo()
    assert table("SharesTable").scan()["Items"][0]["ttl"] > now().timestamp()


def test_it_ends_with_its_job_at_the_latest(put_job: PutJob) -> None:
    ends = int((now() + timedelta(days=3)).timestamp())
    put_job(make_job(Status.COMPLETED, objects={"0": finished_object()}, ttl=ends))
    assert datetime.fromisoformat(share(days=365)["endsAt"]).timestamp() == ends


def test_a_deleted_job_is_shared_no_more(done: Job, jobs: JobStore) -> None:
    made = share()
    jobs.tombstone(done)
    assert refused(opened(made)) == (404, "ShareNotFound")


def test_withdrawn_by_its_owner_alone_and_at_once(done: Job) -> None:
    made, other = share(), share()
    assert refused(call("withdraw_share", known=STRANGER, **of(made, "shares"))) == (
        404,
        "ShareNotFound",
    )
    assert opened(made)[0] == 200
    assert call("withdraw_share", **of(made, "shares"))[0] == 204
    assert refused(opened(made)) == (404, "ShareNotFound")
    assert refused(call("withdraw_share", **of(made, "shares"))) == (404, "ShareNotFound")
    assert [one["shareId"] for one in call("list_shares")[1]["shares"]] == [other["shareId"]]


def test_nobody_shares_what_is_somebody_elses(done: Job) -> None:
    body = {"jobId": JOB_ID, "object": 0, "days": 7}
    assert refused(call("create_share", body, known=STRANGER)) == (404, "JobNotFound")
    made = share()
    assert call("list_shares", known=STRANGER)[1]["shares"] == []
    assert [one["shareId"] for one in call("list_shares")[1]["shares"]] == [made["shareId"]]


def test_what_is_tampered_with_opens_nothing(done: Job) -> None:
    made = share()["shareId"]
    for id_ in (made[:-1], made + "A", made.swapcase(), JOB_ID, "x" * 2000, "%2e%2e", "-"):
        code, answer = opened(id_)
        assert code == 404, id_
        assert answer["message"]
    assert refused(opened(made[:-1])) == (404, "ShareNotFound")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"jobId": JOB_ID, "object": 1}, (409, "JobConflict")),
        ({"jobId": JOB_ID, "object": 5}, (400, "InvalidRequest")),
        ({"jobId": JOB_ID[:-1] + "9"}, (404, "JobNotFound")),
        ({"jobId": "../" + JOB_ID}, (404, "JobNotFound")),
        ({"jobId": JOB_ID, "days": 0}, (400, "InvalidRequest")),
        ({"jobId": JOB_ID, "days": 366}, (400, "InvalidRequest")),
        ({"object": 0}, (400, "InvalidRequest")),
    ],
)
def test_what_cannot_be_shared_is_said(
    body: dict[str, Any], refusal: tuple[int, str], done: Job
) -> None:
    assert refused(call("create_share", body)) == refusal


def test_an_object_that_is_made_anew_has_no_files_meanwhile(put_job: PutJob, done: Job) -> None:
    made = share()
    anew = finished_object()
    anew.mesh = None
    table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": JOB_ID})
    put_job(make_job(Status.RECONSTRUCTING, objects={"0": anew}))
    assert opened(made)[1]["files"] == {}
    assert "og:image" not in page(made).told


def test_a_person_has_so_many(done: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MOST", 2)
    share(), share()
    body = {"jobId": JOB_ID, "object": 0, "days": 7}
    assert refused(call("create_share", body)) == (429, "LimitReached")


def test_a_chat_shows_title_and_picture_and_a_browser_goes_on(done: Job) -> None:
    made = share()
    head = page(made)
    assert head.told["og:title"] == 'Cup "<b>&'
    assert "objects/0/preview.png" in head.told["og:image"]
    leads = f"https://gen3d.example.com/shared/{made['shareId']}"
    assert head.told["refresh"] == f"0; url={leads}"
    assert head.tags.count("b") == 0


def test_the_page_of_a_link_that_opens_nothing_tells_nothing(done: Job) -> None:
    made = share()
    call("withdraw_share", **of(made, "shares"))
    for id_ in (made["shareId"], "never-was"):
        head = page(id_)
        assert head.told["og:title"] == "A model"
        assert "og:image" not in head.told


def test_the_link_is_in_no_log(done: Job, logs: StringIO) -> None:
    made = share()
    opened(made)
    call("withdraw_share", **of(made, "shares"))
    opened(made)
    assert made["shareId"] not in logs.getvalue()


def test_ids_cannot_be_guessed(done: Job) -> None:
    ids = {share()["shareId"] for _ in range(20)}
    assert len(ids) == 20
    assert all(len(id_) == 22 for id_ in ids)
    found = ShareStore("SharesTable").of(OWNER, now())
    assert {one.share_id for one in found} == ids
