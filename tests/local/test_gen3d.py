"""The whole job through the deployed template, over HTTP, as people and curl see it."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trimesh

from gen3d_local.one_photo import sign_in
from tests.drawn import drawn
from tests.local import permissions
from tests.local.running import ROOT, RunningStack, eventually

PHOTO = ROOT / "examples" / "coffee.jpg"
MASK_SECONDS = 60
FACES = 20_000
"""Fewer than the mesh has by itself."""
ADMIN = "admin@example.com"

Json = dict[str, Any]


@dataclass
class Person:
    """A signed-in user who calls the API."""

    stack: RunningStack
    email: str
    token: str

    def call(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(
            method, f"{self.stack.url}/api{path}", json=body, headers=headers, timeout=60
        )

    def job(self, job_id: str) -> Json:
        return dict(self.call("GET", f"/jobs/{job_id}").raise_for_status().json())

    def reach(self, job_id: str, *statuses: str) -> Json:
        def reached() -> Json | None:
            job = self.job(job_id)
            assert job["status"] in statuses or job["status"] not in {"FAILED", "EXPIRED"}, job
            return job if job["status"] in statuses else None

        return dict(eventually(reached))

    def create(self, photo: Path = PHOTO) -> str:
        body = {"filename": photo.name, "contentType": "image/jpeg"}
        job = self.call("POST", "/jobs", body).raise_for_status().json()
        curl_upload(job["upload"], photo, "image/jpeg")
        return str(job["jobId"])

    def awaiting_mask(self, best: bool = False) -> Json:
        """A new job that waits for its mask, and has a decoder to make it by, or the best."""
        job_id = self.create()
        assert self.call("POST", f"/jobs/{job_id}/initialize").status_code == 202
        return self.with_decoder(job_id, best)

    def with_decoder(self, job_id: str, best: bool = False) -> Json:
        """A job that has begun, once there is a decoder for its mask, or the best."""

        def ready() -> Json | None:
            job = self.reach(job_id, "AWAITING_MASK")
            decoder = job.get("decoder")
            return job if decoder and not (best and decoder["draft"]) else None

        return dict(eventually(ready))

    def upload_mask(self, job: Json, png: bytes, tmp_path: Path) -> None:
        answer = self.call("POST", f"/jobs/{job['jobId']}/masks", {"count": 1}).json()
        file = tmp_path / "mask.png"
        file.write_bytes(png)
        curl_upload(answer["uploads"][0], file, "image/png")

    def reconstruct(self, job: Json) -> httpx.Response:
        options = {"engine": {"seed": 3}, "mesh": {"faces": FACES}}
        body = {"objects": [{"name": "cup", "options": options}]}
        return self.call("POST", f"/jobs/{job['jobId']}/reconstruct", body)


def curl_upload(form: Json, file: Path, kind: str) -> None:
    fields = [part for k, v in form["fields"].items() for part in ("-F", f"{k}={v}")]
    command = ["curl", "-sS", "--fail", *fields, "-F", f"file=@{file};type={kind}", form["url"]]
    subprocess.run(command, check=True, capture_output=True)


def cup_mask(job: Json) -> bytes:
    """A mask from clicks, decoded as the browser does it."""
    model = httpx.get(job["decoder"]["url"]).content
    embeddings = httpx.get(job["embeddings"]["url"]).content
    clicks = ((290, 60, True), (290, 150, True), (90, 60, False))
    return drawn(model, embeddings, clicks)


@pytest.fixture(scope="module")
def gen3d(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    running = RunningStack(
        tmp_path_factory.mktemp("gen3d"),
        template=ROOT / "template.yaml",
        parameters={"MaskTimeoutSeconds": str(MASK_SECONDS)},
    )
    try:
        yield running.start()
    finally:
        running.stop()


def person(gen3d: RunningStack, email: str, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setenv("AWS_ENDPOINT_URL", gen3d.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    tokens = sign_in(gen3d.url, gen3d.outputs, email, "a-good-Passw0rd")
    return Person(gen3d, email, tokens.id_token)


@pytest.fixture(scope="module")
def ann(gen3d: RunningStack) -> Iterator[Person]:
    with pytest.MonkeyPatch.context() as patch:
        yield person(gen3d, "ann@example.com", patch)


@pytest.fixture(scope="module")
def ben(gen3d: RunningStack) -> Iterator[Person]:
    with pytest.MonkeyPatch.context() as patch:
        yield person(gen3d, "ben@example.com", patch)


@pytest.fixture(scope="module")
def forgotten(ann: Person) -> Json:
    """A job whose mask nobody makes; started first, so that it has time to expire."""
    return {**ann.awaiting_mask(), "since": time.monotonic()}


@pytest.fixture(scope="module")
def finished(ann: Person, forgotten: Json, tmp_path_factory: pytest.TempPathFactory) -> Json:
    job = ann.awaiting_mask()
    ann.upload_mask(job, cup_mask(job), tmp_path_factory.mktemp("mask"))
    assert ann.reconstruct(job).status_code == 202
    told: list[Json] = []

    def made() -> Json | None:
        seen = ann.job(job["jobId"])
        told.extend(o["progress"] for o in seen["objects"] if "progress" in o)
        return seen if seen["status"] == "COMPLETED" else None

    return {**eventually(made), "told": told}


def mails(gen3d: RunningStack, job_id: str, to: str) -> list[Json]:
    """Mails to somebody about a job."""
    everything = gen3d.get("/_gen3d/mail.json").json()["mails"]
    return [mail for mail in everything if job_id in mail["html"] and to in str(mail["to"])]


def test_a_photo_becomes_a_closed_mesh(finished: Json, tmp_path: Path) -> None:
    cup = finished["objects"][0]
    assert (cup["name"], cup["seed"], cup["status"]) == ("cup", 3, "COMPLETED")
    assert cup["mesh"]["watertight"]
    assert cup["options"]["engine"] == {"quality": "standard", "seed": 3, "seeds": 1}
    assert 0.9 * FACES < cup["mesh"]["faces"] <= FACES
    assert finished["offers"]["engine"]["quality"]["values"] == ["standard"]  # as the engine said
    for ending in ("glb", "obj", "stl", "ply"):
        file = tmp_path / f"mesh.{ending}"
        file.write_bytes(httpx.get(cup["files"][ending]["url"]).raise_for_status().content)
        mesh = trimesh.load(file, force="mesh")
        assert len(mesh.faces) == cup["mesh"]["faces"]
        assert max(mesh.extents) == pytest.approx(1, abs=0.2)


def test_how_far_it_was_could_be_read_meanwhile(finished: Json) -> None:
    told = finished["told"]
    phases = list(dict.fromkeys(progress["phase"] for progress in told))
    assert phases[-1] == "mesh"
    assert set(phases[:-1]) & {"outline", "network", "surface"}
    done = [progress["fraction"] for progress in told]
    assert done == sorted(done)
    assert 0 <= done[0] < done[-1] < 1


def test_every_stage_has_its_time(finished: Json) -> None:
    assert all(stage["ms"] > 0 for stage in finished["stages"].values())


def test_one_mail_each_for_the_owner_and_the_admin(
    gen3d: RunningStack, ann: Person, finished: Json
) -> None:
    job_id = finished["jobId"]
    mail = eventually(lambda: mails(gen3d, job_id, ann.email))[0]
    assert "cup.glb" in mail["html"]
    assert "cup.glb" in mail["text"]
    eventually(lambda: mails(gen3d, job_id, ADMIN))
    time.sleep(3)  # the second trigger, the arrival of result.json, has had its turn
    assert len(mails(gen3d, job_id, ann.email)) == 1
    assert len(mails(gen3d, job_id, ADMIN)) == 1


def test_the_list_shows_ones_own_jobs(ann: Person, ben: Person, finished: Json) -> None:
    jobs = {job["jobId"]: job for job in ann.call("GET", "/jobs").json()["jobs"]}
    assert jobs[finished["jobId"]]["status"] == "COMPLETED"
    assert httpx.get(jobs[finished["jobId"]]["picture"]).content.startswith(b"\x89PNG")
    assert not ben.call("GET", "/jobs").json()["jobs"]


def test_somebody_elses_job_is_not_there(ann: Person, ben: Person, finished: Json) -> None:
    job_id = finished["jobId"]
    for method, path, body in (
        ("GET", f"/jobs/{job_id}", None),
        ("POST", f"/jobs/{job_id}/cancel", None),
        ("POST", f"/jobs/{job_id}/retry", None),
        ("POST", f"/jobs/{job_id}/initialize", None),
        ("POST", f"/jobs/{job_id}/masks", {"count": 1}),
        ("POST", f"/jobs/{job_id}/reconstruct", {"objects": [{}]}),
    ):
        answer = ben.call(method, path, body)
        assert (answer.status_code, answer.json()["error"]) == (404, "JobNotFound"), path
    assert ben.call("DELETE", f"/jobs/{job_id}").status_code == 204  # gone, for all that he knows
    assert ann.job(job_id)["status"] == "COMPLETED"


def test_a_forged_token_is_refused(gen3d: RunningStack, ann: Person) -> None:
    head, payload, signature = ann.token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "me"}).encode()).decode()
    for token in (f"{head}.{forged.rstrip('=')}.{signature}", "nonsense"):
        assert Person(gen3d, "", token).call("GET", "/jobs").status_code == 401
    assert gen3d.get("/api/jobs").status_code == 401


def test_a_second_reconstruct_is_refused(ann: Person, finished: Json) -> None:
    answer = ann.reconstruct(finished)
    assert (answer.status_code, answer.json()["error"]) == (409, "JobConflict")


def test_initializing_again_starts_nothing(ann: Person, finished: Json) -> None:
    answer = ann.call("POST", f"/jobs/{finished['jobId']}/initialize")
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")


def test_a_bad_mask_is_named_and_the_job_still_waits(ann: Person, tmp_path: Path) -> None:
    job = ann.awaiting_mask()
    ann.upload_mask(job, b"no png", tmp_path)
    answer = ann.reconstruct(job)
    assert (answer.status_code, answer.json()["error"]) == (422, "InvalidMask")
    assert ann.job(job["jobId"])["status"] == "AWAITING_MASK"
    ann.call("DELETE", f"/jobs/{job['jobId']}")


def test_a_file_that_is_no_photo_is_named_and_may_be_replaced(ann: Person, tmp_path: Path) -> None:
    file = tmp_path / "notes.jpg"
    file.write_text("not a photo")
    job_id = ann.create(file)
    answer = ann.call("POST", f"/jobs/{job_id}/initialize")
    assert (answer.status_code, answer.json()["error"]) == (422, "InvalidImage")
    assert ann.job(job_id)["status"] == "CREATED"


def test_a_cancelled_job_is_taken_up_again_and_deleted_and_mails_nobody(
    gen3d: RunningStack, ann: Person
) -> None:
    job = ann.awaiting_mask(best=True)
    job_id = job["jobId"]
    cancelled = ann.call("POST", f"/jobs/{job_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "CANCELLED")
    arn = gen3d.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
    states = gen3d.client("stepfunctions")

    def stopped(name: str) -> bool:
        execution = states.describe_execution(executionArn=f"{arn}:{name}")
        return bool(execution["status"] == "ABORTED")

    eventually(lambda: stopped(job_id))
    assert ann.reconstruct(job).json()["error"] == "JobConflict"
    assert httpx.get(job["image"]["url"]).status_code == 200

    assert ann.call("POST", f"/jobs/{job_id}/retry").status_code == 202
    again = ann.reach(job_id, "AWAITING_MASK")
    assert (again["run"], again["stages"]["initialize"]) == (2, job["stages"]["initialize"])

    assert ann.call("DELETE", f"/jobs/{job_id}").status_code == 204
    eventually(lambda: stopped(f"{job_id}-2"))
    assert httpx.get(job["image"]["url"]).status_code == 404
    assert ann.call("GET", f"/jobs/{job_id}").status_code == 404
    assert ann.call("DELETE", f"/jobs/{job_id}").status_code == 204
    time.sleep(2)  # the backstop rule has had its turn
    assert not mails(gen3d, job_id, "example.com")


def test_a_failure_of_the_model_is_told_to_owner_and_admin(
    gen3d: RunningStack, ann: Person, tmp_path: Path
) -> None:
    job = ann.awaiting_mask()
    ann.upload_mask(job, cup_mask(job), tmp_path)
    gen3d.client("s3").delete_object(
        Bucket=gen3d.outputs["BucketName"], Key=f"{job['prefix']}image.jpg"
    )
    assert ann.reconstruct(job).status_code == 202
    failed = ann.reach(job["jobId"], "FAILED")
    assert failed["error"]["error"] == "InputMissing"
    eventually(lambda: mails(gen3d, job["jobId"], ann.email))
    admin = eventually(lambda: mails(gen3d, job["jobId"], ADMIN))[0]
    assert "InputMissing" in admin["text"]
    assert f":{job['jobId']}" in admin["text"]


def test_a_mask_that_nobody_makes_expires(
    gen3d: RunningStack, ann: Person, forgotten: Json
) -> None:
    time.sleep(max(0, forgotten["since"] + MASK_SECONDS - time.monotonic()))
    expired = ann.reach(forgotten["jobId"], "EXPIRED")
    answer = ann.reconstruct(expired)
    assert (answer.status_code, answer.json()["error"]) == (410, "MaskExpired")
    assert eventually(lambda: mails(gen3d, forgotten["jobId"], ann.email))
    assert not mails(gen3d, forgotten["jobId"], ADMIN)


def test_no_token_is_in_a_log(gen3d: RunningStack, finished: Json) -> None:
    row = "taskToken"
    logs = "".join(p.read_text(errors="replace") for p in (gen3d.folder / "logs").glob("*.log"))
    assert finished["jobId"] in logs
    assert row not in logs


def operator(
    gen3d: RunningStack, program: str, *arguments: str, environment: str = ".venv"
) -> subprocess.CompletedProcess[str]:
    """A program of ``cloud/`` against this stack, as make calls it."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(gen3d.folder),
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
        "AWS_ENDPOINT_URL": gen3d.url,
        "AWS_CONFIG_FILE": str(gen3d.folder / "aws.ini"),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    return subprocess.run(
        [ROOT / environment / "bin" / "python", "-m", program, "--stack", "gen3d", *arguments],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def smoke(gen3d: RunningStack) -> subprocess.CompletedProcess[str]:
    """SageMaker's own SDK asks the endpoint."""
    return operator(gen3d, "gen3d_cloud.smoke", "--minutes", "2", environment=".venvs/smoke")


def test_a_deployed_endpoint_can_be_tried(gen3d: RunningStack) -> None:
    done = smoke(gen3d)
    assert done.returncode == 0, done.stderr
    assert "does both tasks" in done.stdout
    s3, bucket = gen3d.client("s3"), gen3d.outputs["BucketName"]
    for prefix in ("private/smoke/", "async/in/smoke-"):
        assert not s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents")


def test_trying_an_endpoint_fails_where_something_is_missing(gen3d: RunningStack) -> None:
    s3, bucket = gen3d.client("s3"), gen3d.outputs["BucketName"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="models/lite/")["Contents"]
    (licence,) = [item["Key"] for item in listed if item["Key"].endswith("/LICENSE")]
    content = s3.get_object(Bucket=bucket, Key=licence)["Body"].read()
    s3.delete_object(Bucket=bucket, Key=licence)
    try:
        done = smoke(gen3d)
    finally:
        s3.put_object(Bucket=bucket, Key=licence, Body=content)
    assert done.returncode == 1
    assert f"{licence} cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
    assert not s3.list_objects_v2(Bucket=bucket, Prefix="private/smoke/").get("Contents")


def test_dead_letters_are_replayed_and_mail_nobody_twice(
    gen3d: RunningStack, finished: Json
) -> None:
    bucket, job_id = gen3d.outputs["BucketName"], finished["jobId"]
    pages = gen3d.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    (result,) = [
        item["Key"]
        for page in pages
        for item in page["Contents"]
        if item["Key"].endswith(f"/{job_id}/result.json")
    ]
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": result}},
    }
    notify = gen3d.client("lambda").get_function(FunctionName="gen3d-notify")
    arn = notify["Configuration"]["FunctionArn"]
    sqs, failed = gen3d.client("sqs"), gen3d.outputs["FailedInvocationsUrl"]
    body = {"requestContext": {"functionArn": f"{arn}:$LATEST"}, "requestPayload": event}
    sqs.send_message(QueueUrl=failed, MessageBody=json.dumps(body))
    both = [eventually(lambda to=to: mails(gen3d, job_id, to)) for to in ("ann@", ADMIN)]
    assert [len(of) for of in both] == [1, 1]
    done = operator(gen3d, "gen3d_cloud.replay")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gen3d-notify  done" in done.stdout
    assert operator(gen3d, "gen3d_cloud.replay").stdout == "Both queues are empty.\n"
    assert [mails(gen3d, job_id, to) for to in ("ann@", ADMIN)] == both


def test_a_program_calls_with_a_key_of_its_owners(ann: Person, finished: Json) -> None:
    made = ann.call("POST", "/keys", {"name": "robot", "rights": ["read"]}).json()
    robot = Person(ann.stack, ann.email, made["key"])
    assert robot.job(finished["jobId"])["status"] == "COMPLETED"
    refused = robot.call("DELETE", f"/jobs/{finished['jobId']}")
    assert (refused.status_code, refused.json()["error"]) == (403, "NotAllowed")
    assert made["keyId"] in {key["keyId"] for key in ann.call("GET", "/keys").json()["keys"]}
    assert ann.call("DELETE", f"/keys/{made['keyId']}").status_code == 204
    assert ann.call("GET", "/keys").json()["keys"] == []
    forged = Person(ann.stack, ann.email, ann.token[:-9] + "AAAAAAAAA")
    assert forged.call("GET", "/jobs").status_code == 401


def test_an_object_is_shared_with_somebody_who_is_not_signed_in(
    gen3d: RunningStack, ann: Person, finished: Json
) -> None:
    body = {"jobId": finished["jobId"], "object": 0, "days": 1}
    made = ann.call("POST", "/shares", body).json()
    assert [one["shareId"] for one in ann.call("GET", "/shares").json()["shares"]] == [
        made["shareId"]
    ]
    seen = gen3d.get(f"/api/shared/{made['shareId']}").json()
    assert seen["name"] == "cup"
    small = httpx.get(seen["files"]["spz"]["url"], timeout=30)
    assert small.status_code == 200
    page = gen3d.get(f"/api/s/{made['shareId']}").text
    assert f"/shared/{made['shareId']}" in page
    assert ann.call("DELETE", f"/shares/{made['shareId']}").status_code == 204
    assert gen3d.get(f"/api/shared/{made['shareId']}").status_code == 404


def test_every_permission_is_needed_or_explained(gen3d: RunningStack, finished: Json) -> None:
    """The last test, so that the others have needed theirs."""
    given = permissions.allowed(gen3d)
    never = given - permissions.used(gen3d)
    assert not sorted(p for p in never if not permissions.is_explained(p))
    assert not permissions.without_object(given), "reasons for what nobody is allowed"
