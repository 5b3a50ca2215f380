"""Who may call, and what they are told of faults of ours."""

import json
from io import StringIO
from typing import Any

import pytest

from gen3d.jobs import (
    Job,
    new_job_id,
)
from gen3d_aws.store import JobStore
from tests.support import (
    BUCKET,
    JOB_ID,
    OWNER,
    client,
    client_error,
    load_event,
)

from ..conftest import Calls, FakeStates
from .requests import OF_A_JOB, TOKEN, call, refused

# Who is calling


@pytest.mark.parametrize("name", set(OF_A_JOB) - {"delete_job"})
def test_somebody_elses_job_is_not_found(name: str, created: Job, jobs: JobStore) -> None:
    assert refused(call(name, known={"sub": "somebody-else"})) == (404, "JobNotFound")
    assert jobs.get(OWNER, JOB_ID) == created


@pytest.mark.parametrize("name", set(OF_A_JOB) - {"delete_job"})
def test_a_deleted_job_is_not_found(name: str, created: Job, jobs: JobStore) -> None:
    jobs.tombstone(created)
    assert refused(call(name)) == (404, "JobNotFound")


def test_deleting_somebody_elses_job_changes_nothing(created: Job, jobs: JobStore) -> None:
    assert call("delete_job", known={"sub": "somebody-else"})[0] == 204
    assert jobs.get(OWNER, JOB_ID) == created


@pytest.mark.parametrize("name", [*OF_A_JOB, "create_job", "list_jobs", "get_limits", "create_key"])
@pytest.mark.parametrize("known", [{"sub": ""}, {"expires": 1_795_392_000}, {"expires": None}])
def test_who_is_nobody_or_not_any_more_is_refused(name: str, known: dict[str, Any]) -> None:
    assert refused(call(name, known=known)) == (401, "Unauthorized")


def test_why_the_authorizer_knew_nobody_is_said() -> None:
    code, body = call("list_jobs", known={"sub": "", "refusal": "The reason."})
    assert (code, body["message"]) == (401, "The reason.")


@pytest.mark.parametrize("header", ["Bearer an-id-token", "bearer  an-id-token", "an-id-token"])
def test_the_scheme_is_taken_in_any_case(header: str, calls: Calls) -> None:
    headers = {"authorization": header}
    assert call("create_job", headers=headers)[0] == 201
    assert set(calls.of("GetId")[0]["Logins"].values()) == {"an-id-token"}


def test_who_is_not_signed_in_is_told_so() -> None:
    """Should a route once be open by mistake: nobody calls without claims."""
    context = load_event("api/list_jobs")["requestContext"]
    del context["authorizer"]
    assert refused(call("list_jobs", requestContext=context)) == (401, "Unauthorized")


def test_who_has_no_address_is_served_all_the_same(jobs: JobStore, calls: Calls) -> None:
    context = load_event("api/create_job")["requestContext"]
    del context["authorizer"]["lambda"]["email"]
    code, body = call("create_job", requestContext=context)
    assert code == 201
    assert jobs.get(OWNER, body["jobId"]).email == ""


def test_an_expired_sign_in_is_named(calls: Calls) -> None:
    calls.fail("GetId", "NotAuthorizedException")
    assert refused(call("create_job")) == (401, "Unauthorized")


@pytest.mark.parametrize("name", OF_A_JOB)
@pytest.mark.parametrize("job_id", ["x", JOB_ID.lower(), "8" * 26, "%2e%2e", "ü" * 26])
def test_a_job_id_that_is_none_is_not_found(name: str, job_id: str) -> None:
    path = load_event(f"api/{name}")["rawPath"].replace(JOB_ID, job_id)
    assert refused(call(name, rawPath=path)) == (404, "JobNotFound")


# Faults of ours


def test_a_fault_of_ours_is_logged_and_not_told(created: Job, calls: Calls, logs: StringIO) -> None:
    calls.fail("GetItem", "ValidationException", times=1)
    status, body = call("get_job")
    assert (status, body["error"]) == (500, "InternalError")
    assert "ValidationException" not in json.dumps(body)
    assert "ValidationException" in logs.getvalue()


@pytest.mark.parametrize("code", ["InternalServerError", "ThrottlingException", None])
def test_a_service_that_does_not_answer_is_not_a_fault_of_ours(
    code: str | None, created: Job, calls: Calls, logs: StringIO
) -> None:
    if code is None:
        calls.hang("GetItem")
    else:
        calls.fail("GetItem", code)
    answer = call("get_job")
    assert refused(answer) == (503, "DependencyUnavailable")
    assert answer[1]["retryAfter"] > 0
    assert "did not answer" in logs.getvalue()


@pytest.mark.parametrize("name", ["reconstruct_job", "delete_job"])
def test_what_is_refused_is_found_in_the_log_by_its_job(
    name: str, created: Job, calls: Calls, logs: StringIO
) -> None:
    """In the fields for which the query asks that the admin's mail holds."""
    calls.fail("StopExecution", "ThrottlingException")
    _, body = call(name)
    *_, line = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert (line["job_id"], line["message"]) == (JOB_ID, "Refused")
    assert (line["error"], line["reason"]) == (body["error"], body["message"])


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
