"""Keys for programs: made, shown once, listed, withdrawn, and what may be done with one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gen3d.api_keys import MOST, Secret
from gen3d.jobs import Job, now
from gen3d.quotas import Quotas
from gen3d_authorize import handler as authorize
from gen3d_aws.store import JobStore
from tests.support import EMAIL, OWNER, Context, api, table

from ..conftest import Calls
from .requests import OF_A_JOB, call, refused

READS = ("list_jobs", "get_job")
KEYS = ("create_key", "list_keys", "withdraw_key")


def make(**body: Any) -> dict[str, Any]:
    code, made = call("create_key", {"name": "robot", **body})
    assert code == 201
    kept: dict[str, Any] = made
    return kept


def with_key(name: str, made: dict[str, Any], body: Any = None, **fields: Any) -> Any:
    """Call as a program does: what the authorizer says of the key is what the API is told."""
    header = f"Bearer {made['key']}"
    known: Any = authorize.handler({"identitySource": [header]}, Context())
    context = {"expires": None, **known["context"]}
    return call(name, body, known=context, headers={"authorization": header}, **fields)


def test_a_key_is_shown_once() -> None:
    made = make()
    assert Secret.read(made["key"])
    code, page = call("list_keys")
    assert code == 200
    (shown,) = page["keys"]
    assert shown == {key: value for key, value in made.items() if key != "key"}
    assert shown["rights"] == ["create", "read"]
    assert shown["usedAt"] is None


def test_what_is_kept_opens_nothing() -> None:
    secret = make()["key"].split("_", 2)[2]
    assert secret not in str(table("KeysTable").scan()["Items"])


def test_a_key_makes_jobs_of_its_owner(jobs: JobStore, calls: Calls) -> None:
    made = make()
    asked = len(calls.of("GetId"))
    code, created = with_key("create_job", made)
    assert code == 201
    job = jobs.get(OWNER, created["jobId"])
    assert (job.email, job.key_id) == (EMAIL, made["keyId"])
    assert created["prefix"].startswith(f"private/{job.identity_id}/")
    assert len(calls.of("GetId")) == asked, "a program has no token to ask with"
    page = call("list_jobs", queryStringParameters=None)[1]
    assert created["jobId"] in {j["jobId"] for j in page["jobs"]}


@pytest.mark.parametrize("name", sorted({*OF_A_JOB, "create_job"} - {*READS}))
def test_a_key_that_may_read_changes_nothing(name: str, created: Job, jobs: JobStore) -> None:
    made = make(rights=["read"])
    assert refused(with_key(name, made)) == (403, "NotAllowed")
    assert jobs.get(OWNER, created.job_id) == created


@pytest.mark.parametrize("name", READS)
def test_a_key_that_may_read_reads(name: str, created: Job) -> None:
    assert with_key(name, make(rights=["read"]))[0] == 200
    assert refused(with_key(name, make(rights=["create"]))) == (403, "NotAllowed")


@pytest.mark.parametrize("name", KEYS)
def test_no_key_has_to_do_with_keys(name: str) -> None:
    assert refused(with_key(name, make())) == (403, "NotAllowed")


def test_a_withdrawn_key_is_gone() -> None:
    made = make()
    path = f"/keys/{made['keyId']}"
    at: dict[str, Any] = {"rawPath": path, "pathParameters": {"keyId": made["keyId"]}}
    assert refused(call("withdraw_key", known={"sub": "somebody-else"}, **at)) == (
        404,
        "KeyNotFound",
    )
    assert call("withdraw_key", **at)[0] == 204
    assert call("list_keys")[1]["keys"] == []
    assert refused(call("withdraw_key", **at)) == (404, "KeyNotFound")
    assert refused(with_key("list_jobs", made)) == (401, "Unauthorized")


def test_keys_of_others_are_not_listed() -> None:
    make()
    assert call("list_keys", known={"sub": "somebody-else"})[1]["keys"] == []


def test_a_key_has_a_limit_of_its_own(jobs: JobStore) -> None:
    small, other = make(jobsPerDay=2), make()
    call("create_job")  # its owner's, which does not count
    for _ in range(2):
        assert with_key("create_job", small)[0] == 201
    code, body = with_key("create_job", small)
    assert (code, body["error"]) == (429, "LimitReached")
    assert "2 jobs were created with this key" in body["message"]
    assert with_key("create_job", other)[0] == 201
    counted = jobs.created_since(OWNER, now() - timedelta(hours=1))
    assert sorted(counted.values()).count(small["keyId"]) == 2


def test_a_key_does_not_lift_its_owners_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    service = replace(api.service, quotas=Quotas(0, 1, 0))
    monkeypatch.setattr(api, "service", service)
    made = make(jobsPerDay=50)
    assert with_key("create_job", made)[0] == 201
    assert refused(with_key("create_job", made)) == (429, "LimitReached")


def test_nobody_has_more_keys_than_can_be_looked_through() -> None:
    for _ in range(MOST):
        make()
    assert refused(call("create_key", {"name": "one more"})) == (429, "LimitReached")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "rights": []},
        {"name": "x", "rights": ["write"]},
        {"name": "x", "rights": ["read", "read", "read"]},
        {"name": "x", "jobsPerDay": -1},
        {"name": "x", "jobsPerDay": 1e9},
        {"name": "x", "key": "gen3d_mine"},
    ],
)
def test_what_is_asked_wrongly_makes_no_key(body: dict[str, Any]) -> None:
    assert refused(call("create_key", body)) == (400, "InvalidRequest")
    assert call("list_keys")[1]["keys"] == []
