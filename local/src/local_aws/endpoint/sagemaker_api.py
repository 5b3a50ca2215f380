"""The SageMaker API that functions use: invocations, and how many instances there are."""

import json
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict
from urllib.parse import unquote
from uuid import uuid4

from local_aws.endpoint import spec as specs
from local_aws.endpoint.accepted import Accepted
from local_aws.endpoint.notifications import Request
from local_aws.endpoint.queue import EndpointQueue
from local_aws.endpoint.server import ServerFactory
from local_aws.services import Query, Response
from local_aws.settings import ACCOUNT, REGION

_DEFAULT_TTL_SECONDS = 21600
_DEFAULT_TIMEOUT_SECONDS = 900
_PREFIX = "x-amzn-sagemaker-"
_REQUESTS = "requests"


class ControlRequest(TypedDict, total=False):
    """A request about how many instances there are."""

    EndpointName: str
    DesiredWeightsAndCapacities: list[dict[str, object]]


class Endpoints:
    """Every endpoint of the stack; each has a queue from its first request on.

    Parameters
    ----------
    server : callable
        Makes the instance of an endpoint.
    idle_seconds : float
        After so long without work an instance ends.
    wake_seconds : float
        So long it takes to be had again.
    folder : pathlib.Path
        Has a folder for each endpoint.
    """

    def __init__(
        self, server: ServerFactory, idle_seconds: float, wake_seconds: float, folder: Path
    ) -> None:
        self._server = server
        self._seconds = (idle_seconds, wake_seconds)
        self._folder = folder
        self._queues: dict[str, EndpointQueue] = {}
        self._lock = threading.Lock()

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, _query: Query
    ) -> Response:
        """Answer one request, already authorized."""
        operation = headers.get("x-amz-target", "").removeprefix("SageMaker.")
        if operation:
            return self._control(operation, json.loads(body))
        parts = path.strip("/").split("/")
        if method != "POST" or len(parts) != 3 or parts[2] != "async-invocations":
            return _error(400, "ValidationError", "Only InvokeEndpointAsync is served here.")
        name = unquote(parts[1])
        location = headers.get(f"{_PREFIX}inputlocation", "")
        if not location.startswith("s3://"):
            return _error(400, "ValidationError", "InputLocation has to be an S3 URI.")
        try:
            found = self._queue(name)
        except KeyError:
            return _error(
                400, "ValidationError", f"Endpoint {name} of account {ACCOUNT} not found."
            )
        request = _accept(found.spec, location, headers)
        found.put(request)
        body = json.dumps({"InferenceId": request.inference_id}).encode()
        return 202, {
            "Content-Type": "application/json",
            "X-Amzn-SageMaker-OutputLocation": request.output_location,
            "X-Amzn-SageMaker-FailureLocation": request.failure_location,
        }, body  # fmt: skip

    def _control(self, operation: str, request: ControlRequest) -> Response:
        """What reads and changes how many instances there are."""
        name = request.get("EndpointName", "")
        try:
            found = self._queue(name)
        except KeyError:
            return _error(400, "ValidationException", f'Could not find endpoint "{name}".')
        variant: dict[str, object] = {"VariantName": "AllTraffic"}
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{name.lower()}"
        answer: dict[str, object] = {"EndpointArn": arn}
        if operation == "DescribeEndpoint":
            count = {"CurrentInstanceCount": found.instances}
            described = {"EndpointName": name, "EndpointStatus": "InService"}
            answer |= described | {"ProductionVariants": [variant | count]}
        elif operation == "UpdateEndpointWeightsAndCapacities":
            if request["DesiredWeightsAndCapacities"] != [variant | {"DesiredInstanceCount": 0}]:
                return _error(400, "ValidationException", "Instances come by themselves here.")
            found.sleep()
        else:
            return _error(400, "UnknownOperationException", f"{operation} is not served here.")
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()

    def resume(self) -> None:
        """Handle what was accepted before the last stop and not answered."""
        for folder in self._folder.glob(f"*/{_REQUESTS}"):
            if any(folder.iterdir()):
                with suppress(KeyError):  # it is not deployed any more
                    self._queue(folder.parent.name)

    def close(self) -> None:
        """End every instance."""
        with self._lock:
            for found in self._queues.values():
                found.close()
            self._queues.clear()

    def _queue(self, name: str) -> EndpointQueue:
        """The endpoint's queue, made anew when the endpoint was deployed anew."""
        wanted = specs.read(name)
        with self._lock:
            found = self._queues.get(name)
            if found is None or found.spec != wanted:
                if found is not None:
                    found.close()
                accepted = Accepted(self._folder / name / _REQUESTS)
                found = EndpointQueue(self._server(wanted), accepted, *self._seconds)
                self._queues[name] = found
            return found


def endpoint_arn(path: str, body: bytes) -> str | None:
    """What an IAM policy names when it allows something with an endpoint."""
    if path == "/":
        name = json.loads(body or b"{}").get("EndpointName", "")
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{name.lower()}" if name else None
    parts = path.strip("/").split("/")
    if len(parts) < 2 or parts[0] != "endpoints":
        return None
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{unquote(parts[1]).lower()}"


def _accept(spec: specs.EndpointSpec, location: str, headers: dict[str, str]) -> Request:
    def header(name: str, default: object) -> str:
        return headers.get(_PREFIX + name) or str(default)

    number = uuid4()
    return Request(
        endpoint=spec.name,
        inference_id=header("inference-id", uuid4()),
        input_location=location,
        content_type=header("content-type", "application/octet-stream"),
        custom_attributes=header("custom-attributes", ""),
        output_location=f"{spec.output_path}/{number}.out",
        failure_location=f"{spec.failure_path}/{number}-error.out",
        received=datetime.now(UTC),
        ttl_seconds=float(header("requestttlseconds", _DEFAULT_TTL_SECONDS)),
        timeout_seconds=float(header("invocationtimeoutseconds", _DEFAULT_TIMEOUT_SECONDS)),
    )


def _error(status: int, code: str, message: str) -> Response:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return status, headers, json.dumps({"message": message}).encode()
