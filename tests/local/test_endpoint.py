"""The asynchronous endpoint: its queue, its limits, and what it tells when a request is over."""

import io
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from local_aws import aws, children
from local_aws.endpoint import notifications
from local_aws.endpoint.accepted import TELLING_SECONDS, Accepted
from local_aws.endpoint.notifications import Request
from local_aws.endpoint.queue import EndpointQueue
from local_aws.endpoint.server import ServerDown
from local_aws.endpoint.spec import EndpointSpec
from tests.local.running import RunningStack, eventually

SPEC = EndpointSpec(
    name="probe",
    role="arn:aws:iam::123456789012:role/model",
    image="probe",
    environment={},
    model_data=None,
    concurrency=1,
    output_path="s3://bucket/async/out",
    failure_path="s3://bucket/async/failed",
    success_topic="arn:success",
    error_topic="arn:error",
    startup_seconds=5,
)
NOW = datetime.now(UTC)
REQUEST = Request(
    endpoint="probe",
    inference_id="job-initialize-0-0",
    input_location="s3://bucket/in/request.json",
    content_type="application/json",
    custom_attributes="",
    output_location="s3://bucket/async/out/1.out",
    failure_location="s3://bucket/async/failed/1-error.out",
    received=NOW,
    ttl_seconds=3600,
    timeout_seconds=900,
)


def request(name: str) -> Request:
    """A request of its own: as at SageMaker, no two answers lie at one location."""
    return replace(REQUEST, inference_id=name, output_location=f"{SPEC.output_path}/{name}.out")


class FakeServer:
    """An instance whose answers are told beforehand; it raises what the real one raises."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.spec = SPEC
        self.answers = list(answers)
        self.bodies: list[bytes] = []
        self.running = False
        self.refuses: Exception | None = None
        self.stops = 0

    def ensure(self) -> None:
        if self.refuses:
            raise self.refuses
        self.running = True

    def invoke(self, body: bytes, *_rest: Any) -> httpx.Response:
        self.bodies.append(body)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def stop(self) -> None:
        self.running = False
        self.stops += 1


class FakeAws:
    """A bucket and the topics, called as the model's role."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"in/request.json": b'{"task": "initialize"}'}
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.roles: set[str] = set()
        self.faults: list[int] = []
        """Statuses with which writing a file fails, one after the other."""

    def client(self, role: str, _session: str, _service: str) -> "FakeAws":
        self.roles.add(role)
        return self

    def get_object(self, **request: str) -> dict[str, io.BytesIO]:
        if request["Key"] not in self.files:
            error: Any = {"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}
            raise ClientError(error, "GetObject")
        return {"Body": io.BytesIO(self.files[request["Key"]])}

    def put_object(self, **request: Any) -> None:
        if self.faults:
            status = self.faults.pop(0)
            error: Any = {
                "Error": {"Code": "Fault"},
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
            raise ClientError(error, "PutObject")
        self.files[request["Key"]] = request["Body"]

    def publish(self, **request: str) -> None:
        self.published.append((request["TopicArn"], json.loads(request["Message"])))


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    fake = FakeAws()
    monkeypatch.setattr(aws, "role_client", fake.client)
    return fake


class Queues:
    """Makes queues that share what was accepted, and closes them."""

    def __init__(self, accepted: Accepted) -> None:
        self.accepted = accepted
        self.made: list[EndpointQueue] = []

    def make(
        self, server: FakeServer, idle_seconds: float = 600, wake_seconds: float = 0
    ) -> EndpointQueue:
        queue = EndpointQueue(server, self.accepted, idle_seconds, wake_seconds)  # type: ignore[arg-type]
        self.made.append(queue)
        return queue


@pytest.fixture
def queues(tmp_path: Path) -> Iterator[Queues]:
    made = Queues(Accepted(tmp_path / "requests"))
    yield made
    for queue in made.made:
        queue.close()


def handle(queues: Queues, server: FakeServer, *requests: Request) -> EndpointQueue:
    queue = queues.make(server)
    for request in requests:
        queue.put(request)
    return queue


def only(services: FakeAws) -> tuple[str, dict[str, Any]]:
    """The one message that comes."""
    eventually(lambda: services.published)
    assert len(services.published) == 1
    return services.published[0]


def test_an_answer_is_stored_and_told(services: FakeAws, queues: Queues) -> None:
    handle(queues, FakeServer(httpx.Response(200, json={"width": 3})), REQUEST)
    topic, message = only(services)
    assert topic == "arn:success"
    assert message["invocationStatus"] == "Completed"
    assert message["inferenceId"] == "job-initialize-0-0"
    assert message["responseParameters"] == {
        "contentType": "application/json",
        "outputLocation": "s3://bucket/async/out/1.out",
    }
    assert message["requestParameters"] == {
        "contentType": "application/json",
        "endpointName": "probe",
        "inputLocation": "s3://bucket/in/request.json",
    }
    assert (message["eventSource"], message["eventName"]) == ("aws:sagemaker", "InferenceResult")
    assert json.loads(services.files["async/out/1.out"]) == {"width": 3}
    assert services.roles == {SPEC.role}


@pytest.mark.parametrize(("status", "kind"), [(422, "client"), (507, "server")])
def test_a_refusal_is_told_without_its_body_which_lies_at_the_failures_location(
    services: FakeAws, queues: Queues, status: int, kind: str
) -> None:
    body = {"error": "InvalidImage", "message": 'No "photo".'}
    handle(queues, FakeServer(httpx.Response(status, json=body)), REQUEST)
    topic, message = only(services)
    reason = message["failureReason"]
    assert (topic, message["invocationStatus"]) == ("arn:error", "Failed")
    assert reason.startswith(f"ClientError: Received {kind} error ({status}) from model. See")
    assert "InvalidImage" not in reason
    assert json.loads(services.files["async/failed/1-error.out"]) == body


def test_a_request_that_waited_too_long_is_not_sent(services: FakeAws, queues: Queues) -> None:
    server = FakeServer()
    late = replace(REQUEST, received=NOW - timedelta(seconds=61), ttl_seconds=60)
    handle(queues, server, late)
    assert "expired" in only(services)[1]["failureReason"]
    assert server.bodies == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ReadTimeout("late"), "timed out while waiting for a response"),
        (ServerDown("stopped while it handled the request."), "stopped while it handled"),
    ],
)
def test_a_request_without_an_answer_fails(
    services: FakeAws, queues: Queues, error: Exception, words: str
) -> None:
    handle(queues, FakeServer(error, httpx.Response(200)), REQUEST)
    assert words in only(services)[1]["failureReason"]


def test_a_container_that_does_not_start_fails_its_request(
    services: FakeAws, queues: Queues
) -> None:
    server = FakeServer()
    server.refuses = ServerDown("did not pass the ping health check.")
    handle(queues, server, REQUEST)
    assert "ping health check" in only(services)[1]["failureReason"]


def test_an_input_that_cannot_be_read_fails(services: FakeAws, queues: Queues) -> None:
    handle(queues, FakeServer(), replace(REQUEST, input_location="s3://bucket/in/none"))
    reason = only(services)[1]["failureReason"]
    assert "s3://bucket/in/none" in reason
    assert "Access Denied" in reason


def test_a_failure_does_not_end_the_queue(services: FakeAws, queues: Queues) -> None:
    server = FakeServer(ServerDown("stopped."), httpx.Response(200), httpx.Response(200))
    handle(queues, server, *(request(str(n)) for n in range(3)))
    eventually(lambda: len(services.published) == 3)
    told = [(m["inferenceId"], m["invocationStatus"]) for _, m in services.published]
    assert told == [("0", "Failed"), ("1", "Completed"), ("2", "Completed")]


def test_a_request_whose_answer_found_no_room_is_handled_again(
    services: FakeAws, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_aws.endpoint.queue._AGAIN_SECONDS", 0)
    services.faults = [507, 507]
    server = FakeServer(*(httpx.Response(200, json={"width": n}) for n in range(3)))
    handle(queues, server, REQUEST)
    assert only(services)[1]["invocationStatus"] == "Completed"
    assert json.loads(services.files["async/out/1.out"]) == {"width": 2}


def test_a_request_whose_answer_may_not_be_written_is_not_handled_for_ever(
    services: FakeAws, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_aws.endpoint.queue._AGAIN_SECONDS", 0)
    services.faults = [403]
    server = FakeServer(httpx.Response(200), httpx.Response(200))
    handle(queues, server, REQUEST, request("next"))
    assert only(services)[1]["inferenceId"] == "next"
    assert len(server.bodies) == 2


def test_one_request_at_a_time(services: FakeAws, queues: Queues) -> None:
    go, inside, most = threading.Event(), [0], [0]

    class Slow(FakeServer):
        def invoke(self, body: bytes, *_rest: Any) -> httpx.Response:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            go.wait(10)
            inside[0] -= 1
            return httpx.Response(200)

    handle(queues, Slow(), REQUEST, REQUEST, REQUEST)
    eventually(lambda: inside[0])
    go.set()
    eventually(lambda: len(services.published) == 3)
    assert most == [1]


def test_an_idle_instance_is_stopped(services: FakeAws, queues: Queues) -> None:
    server = FakeServer(httpx.Response(200))
    queue = queues.make(server, idle_seconds=0)
    queue.put(REQUEST)
    eventually(lambda: server.stops)
    assert not server.running


def test_an_instance_that_takes_its_time_is_waited_for(services: FakeAws, queues: Queues) -> None:
    asleep = FakeServer(httpx.Response(200))
    queue = queues.make(asleep, wake_seconds=600)
    queue.put(REQUEST)
    queue.close()
    woken = FakeServer(httpx.Response(200))
    queues.make(woken, wake_seconds=0.01)
    assert only(services)[1]["invocationStatus"] == "Completed"
    assert (len(asleep.bodies), len(woken.bodies)) == (0, 1)


def test_what_was_accepted_is_handled_after_a_restart(services: FakeAws, queues: Queues) -> None:
    begun, go = threading.Event(), threading.Event()

    class Ending(FakeServer):
        def invoke(self, body: bytes, *_rest: Any) -> httpx.Response:
            begun.set()
            go.wait(10)
            raise ServerDown("stopped while it handled the request.")

    first = replace(REQUEST, inference_id="first")
    second = replace(
        REQUEST,
        inference_id="second",
        output_location="s3://bucket/async/out/2.out",
        received=NOW + timedelta(seconds=1),
    )
    stopped = handle(queues, Ending(), first, second)
    assert begun.wait(10)
    stopped.close()
    go.set()
    handle(queues, FakeServer(httpx.Response(200), httpx.Response(200)))
    eventually(lambda: not queues.accepted.all())
    told = [(m["inferenceId"], m["invocationStatus"]) for _, m in services.published]
    assert told == [("first", "Completed"), ("second", "Completed")]


def test_what_was_just_told_is_told_again_after_a_restart(
    services: FakeAws, queues: Queues, tmp_path: Path
) -> None:
    """As it may have been on its way when everything was killed."""
    second = replace(REQUEST, inference_id="2", output_location="s3://bucket/async/out/2.out")
    answers = httpx.Response(200), httpx.Response(507, json={"error": "OutOfMemory"})
    handle(queues, FakeServer(*answers), REQUEST, second)
    eventually(lambda: len(list((tmp_path / "requests").glob("*.told"))) == 2)
    told, services.published = services.published, []
    server = FakeServer()
    queues.make(server)
    assert sorted(m["invocationStatus"] for _, m in told) == ["Completed", "Failed"]
    assert sorted(map(str, services.published)) == sorted(map(str, told))
    assert not server.bodies


def test_what_was_told_a_while_ago_is_not_told_again(
    services: FakeAws, queues: Queues, tmp_path: Path
) -> None:
    queue = handle(queues, FakeServer(httpx.Response(200), httpx.Response(200)), REQUEST)
    first = tmp_path / "requests" / "1.out.told"
    eventually(first.exists)
    arrived = time.time() - TELLING_SECONDS - 1
    os.utime(first, (arrived, arrived))
    queue.put(replace(REQUEST, output_location="s3://bucket/async/out/2.out"))
    eventually(lambda: not first.exists())
    eventually(lambda: len(queues.accepted.told()) == 1)


def test_times_are_spelled_as_aws_does() -> None:
    message = notifications.failed(REQUEST, "why")
    assert str(message["receivedTime"]).endswith("Z")
    assert datetime.fromisoformat(str(message["eventTime"])) >= NOW


# With the real server process


def invoke(stack: RunningStack, **request: Any) -> dict[str, Any]:
    """Send a request to the deployed endpoint; gives the message that comes."""
    s3, bucket, name = stack.client("s3"), stack.outputs["BucketName"], uuid4().hex
    s3.put_object(Bucket=bucket, Key=f"in/{name}", Body=json.dumps(request))
    stack.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=stack.outputs["EndpointName"],
        InputLocation=f"s3://{bucket}/in/{name}",
        ContentType="application/json",
        InferenceId=name,
        InvocationTimeoutSeconds=2,
    )
    message = eventually(lambda: _message(stack, name))
    if message["invocationStatus"] == "Completed":
        key = message["responseParameters"]["outputLocation"].split("/", 3)[3]
        message["answer"] = json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])
    return dict(message)


def test_the_server_is_started_told_and_kept(stack: RunningStack) -> None:
    first, second = invoke(stack)["answer"], invoke(stack)["answer"]
    assert first["greeting"] == "hello"
    assert first["started"] == ["serve"]
    assert first["pid"] == second["pid"]


def test_the_server_gives_way_to_what_people_wait_for(stack: RunningStack) -> None:
    pid = invoke(stack)["answer"]["pid"]
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(own + children.LOW, 19)
    assert os.getsid(pid) == os.getsid(stack.pid)  # sessions are weighed before priorities
    assert os.getpgid(pid) == pid


def test_a_crash_fails_one_request_and_the_next_is_served(stack: RunningStack) -> None:
    failed = invoke(stack, crash=True)
    assert "Its log ends: about to crash" in failed["failureReason"]
    assert invoke(stack)["answer"]["greeting"] == "hello"


def test_a_request_that_hangs_does_not_block_the_next(stack: RunningStack) -> None:
    assert "timed out" in invoke(stack, seconds=60)["failureReason"]
    assert invoke(stack)["answer"]["greeting"] == "hello"


def test_an_idle_server_ends_and_comes_back(stack: RunningStack) -> None:
    before = invoke(stack)["answer"]["pid"]
    eventually(lambda: not _alive(before))
    assert invoke(stack)["answer"]["pid"] != before


def test_an_unknown_endpoint_is_refused(stack: RunningStack) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        stack.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName="none", InputLocation="s3://bucket/key"
        )


def _message(stack: RunningStack, inference_id: str) -> dict[str, Any] | None:
    bodies = (json.loads(m["Message"]) for m in stack.take_messages() if "Message" in m)
    return next((body for body in bodies if body["inferenceId"] == inference_id), None)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False
