"""A running stack is verified as one in AWS is; then each thing is broken once, and told."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gen3d_cloud import verify, weights
from gen3d_cloud.checks import Check, exit_code
from gen3d_cloud.preflight import account
from gen3d_cloud.publish import configuration, publish
from tests.local.running import RunningStack

Verify = Any


@pytest.fixture(scope="module")
def gen3d(whole_stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> RunningStack:
    """The service with a page."""
    dist = tmp_path_factory.mktemp("dist")
    (dist / "index.html").write_text('<!doctype html><div id="root"></div>')
    found = whole_stack.outputs
    here = {"apiUrl": f"{whole_stack.url}/api", "endpoint": whole_stack.url}
    config = configuration(found) | here
    publish(dist, whole_stack.client("s3"), found["BucketName"], config)
    return whole_stack


@pytest.fixture
def target(gen3d: RunningStack, monkeypatch: pytest.MonkeyPatch) -> verify.Target:
    monkeypatch.setenv("AWS_ENDPOINT_URL", gen3d.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(verify, "_POLL_SECONDS", 0.25)
    return verify.target("gen3d", f"{gen3d.url}/")


def look(target: verify.Target, http: httpx.Client | None = None, **options: Any) -> list[Check]:
    with http or httpx.Client(timeout=60) as client:
        return list(verify.checks(target, client, **options))


def fails(checks: list[Check]) -> list[str]:
    return [check.what for check in checks if check.holds is False]


def users(gen3d: RunningStack) -> list[str]:
    found = gen3d.client("cognito-idp").list_users(UserPoolId=gen3d.outputs["UserPoolId"])
    return [user["Username"] for user in found["Users"]]


def jobs(gen3d: RunningStack) -> dict[str, str]:
    """Each job's status, also of those that other tests have left."""
    found = gen3d.client("dynamodb").scan(TableName=gen3d.outputs["JobsTableName"])["Items"]
    return {job["jobId"]["S"]: job["status"]["S"] for job in found}


@pytest.mark.timeout(600)
def test_a_stack_that_does_what_it_should(gen3d: RunningStack, target: verify.Target) -> None:
    before, others = users(gen3d), jobs(gen3d).keys()
    checks = look(target)
    held = [check.what for check in checks if check.holds]
    assert fails(checks) == []
    assert exit_code(checks) == 0
    whole = ["sign-in", "photo", "mesh", "browser's files", "mail"]
    page = ["page", "page's headers", "page's config"]
    assert held[:9] == ["routes", *page, *whole]
    assert [check.what for check in checks if check.holds is None] == ["alarms", "endpoint's sleep"]
    assert users(gen3d) == before
    left = {status for job, status in jobs(gen3d).items() if job not in others}
    assert left == {"DELETED"}


class Changed(httpx.BaseTransport):
    """The network, with one answer that is another."""

    def __init__(self, path: str, **change: Any) -> None:
        self._inner = httpx.HTTPTransport()
        self._path, self._change = path, change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if request.url.path != self._path:
            return answer
        body = answer.read()
        headers = {k: v for k, v in answer.headers.items() if k != self._change.get("without")}
        status = self._change.get("status", answer.status_code)
        return httpx.Response(status, headers=headers, content=self._change.get("body", body))


@pytest.mark.parametrize(
    ("path", "change", "what", "says"),
    [
        ("/api/jobs", {"status": 200}, "routes", "GET /jobs with no token: 200"),
        ("/api/jobs", {"status": 403}, "routes", "POST /jobs with a forged token: 403"),
        ("/", {"status": 502}, "page", "answers 502"),
        ("/", {"body": b"<p>Access denied"}, "page", "not the page"),
        *(
            ("/", {"without": name}, "page's headers", f"{name}: missing")
            for name in (*verify.ISOLATION, "content-security-policy")
        ),
        ("/config.json", {"body": b"<html>"}, "page's config", "is none"),
        (
            "/config.json",
            {"body": json.dumps({"region": "eu-west-1"}).encode()},
            "page's config",
            "region is eu-west-1, the stack says us-east-1",
        ),
    ],
)
def test_an_answer_that_is_another(
    target: verify.Target, path: str, change: dict[str, Any], what: str, says: str
) -> None:
    checks = look(target, httpx.Client(transport=Changed(path, **change)), with_job=False)
    assert fails(checks) == [what]
    assert any(says in check.says for check in checks if check.what == what)


def test_a_photo_that_the_api_refuses(
    gen3d: RunningStack, target: verify.Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "coffee.jpg"
    photo.write_bytes(b"no photo")
    monkeypatch.setattr(verify, "PHOTO", photo)
    before = users(gen3d)
    checks = look(target)
    assert fails(checks) == ["job"]
    assert users(gen3d) == before


def test_an_address_where_nobody_is(target: verify.Target) -> None:
    nowhere = "http://127.0.0.1:9"
    lost = verify.Target(target.stack, target.outputs, nowhere, (f"{nowhere}/api",))
    assert fails(look(lost, with_job=False)) == ["routes", "page"]


def test_a_bucket_that_lets_another_page_in(gen3d: RunningStack, target: verify.Target) -> None:
    s3, bucket = gen3d.client("s3"), gen3d.outputs["BucketName"]
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "public/index.html"})
    with httpx.Client() as http:
        assert verify.cors(target, url, http).holds
        rules = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
        other = [{**rules[0], "AllowedOrigins": ["https://other.example"]}]
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": other})
        try:
            assert verify.cors(target, url, http).holds is False
        finally:
            s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})


def test_a_mail_that_did_not_go_out(target: verify.Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_MAIL_SECONDS", 0.1)
    check = verify.mail(target, "01ARZ3NDEKTSV4RRFFQ69G5FAV", 1)
    assert check.holds is False
    assert "gen3d-notify" in check.mend


def test_an_event_that_was_not_worked_off(gen3d: RunningStack, target: verify.Target) -> None:
    sqs, url = gen3d.client("sqs"), gen3d.outputs["UndeliveredEventsUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    try:
        assert fails(look(target, with_job=False)) == ["dead letters"]
    finally:
        sqs.purge_queue(QueueUrl=url)


def test_an_alarm_that_rings(gen3d: RunningStack, target: verify.Target) -> None:
    logical = verify._resources("gen3d")
    for name, holds in (("SleepAlarm", None), ("MeshErrorsAlarm", False)):
        gen3d.client("cloudwatch").set_alarm_state(
            AlarmName=logical[name], StateValue="ALARM", StateReason="a test"
        )
        assert verify.alarms(logical).holds is holds
    assert "MeshErrorsAlarm" in verify.alarms(logical).says
    gone = logical | {"AnotherAlarm": "gen3d-AnotherAlarm"}
    assert "Not there: AnotherAlarm" in verify.alarms(gone).says


def test_a_running_stack_passes_its_preflight(target: verify.Target) -> None:
    found = account.checks("gen3d", "lite", "", "", weights.ask)
    checks = {check.what: check for check in found}
    assert exit_code(checks.values()) == 0
    unknown = [what for what, check in checks.items() if check.holds is None]
    # Of which this machine has none.
    assert unknown == ["endpoint's instances", "CodeBuild", "CodeBuild's image"]
    assert "is the stack's" in checks["bucket"].says
