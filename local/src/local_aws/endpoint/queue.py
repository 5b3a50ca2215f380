"""The queue in front of an endpoint, and the workers that empty it."""

import json
import logging
import queue
import threading
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
from botocore.exceptions import ClientError

from local_aws import aws
from local_aws.endpoint import notifications
from local_aws.endpoint.accepted import Accepted
from local_aws.endpoint.notifications import Message, Request
from local_aws.endpoint.server import Server, ServerDown

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_AGAIN_SECONDS = 5.0
"""Before a request is handled again whose answer could not be kept, as on a full disk."""


class EndpointQueue:
    """Requests to one endpoint, handled in the order of their arrival.

    Parameters
    ----------
    server : Server
        The one instance.
    accepted : Accepted
        Keeps what is not answered; what it has already is handled first. What was answered last is
        told again.
    idle_seconds : float
        The server is ended after so long without work.
    wake_seconds : float
        So long an instance takes to be had, before the server starts.
    """

    def __init__(
        self, server: Server, accepted: Accepted, idle_seconds: float, wake_seconds: float = 0
    ) -> None:
        self.spec = server.spec
        self._server = server
        self._idle_seconds = idle_seconds
        self._wake_seconds = wake_seconds
        self._accepted = accepted
        self._requests: queue.Queue[Request] = queue.Queue()
        self._busy = 0
        self._last_work = time.monotonic()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        for topic, message in accepted.told():
            self._publish(topic, message)
        for request in accepted.all():
            self._requests.put(request)
        for _ in range(self.spec.concurrency):
            threading.Thread(target=self._work, daemon=True).start()

    def put(self, request: Request) -> None:
        """Accept a request."""
        self._accepted.keep(request)
        self._requests.put(request)

    @property
    def instances(self) -> int:
        """How many instances run."""
        return int(self._server.running)

    def sleep(self) -> None:
        """End the instance unless it works."""
        with self._lock:
            if self._busy == 0:
                self._server.stop()

    def close(self) -> None:
        """End the server and the workers; what is not answered is found again."""
        self._closed.set()
        self._server.stop()

    def _work(self) -> None:
        while not self._closed.is_set():
            try:
                request = self._requests.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                self._scale_to_zero()
                continue
            with self._lock:
                self._busy += 1
            try:
                self._handle(request)
            except Exception as error:
                log.exception("Request %s was not handled", request.inference_id)
                if _passes(error):
                    self._closed.wait(_AGAIN_SECONDS)
                    self._requests.put(request)
            finally:
                with self._lock:
                    self._busy -= 1
                    self._last_work = time.monotonic()

    def _scale_to_zero(self) -> None:
        with self._lock:
            idle = time.monotonic() - self._last_work
            if self._busy == 0 and idle > self._idle_seconds and self._server.running:
                log.info("The inference server of %s was idle and is stopped", self.spec.name)
                self._server.stop()

    def _handle(self, request: Request) -> None:
        if (datetime.now(UTC) - request.received).total_seconds() > request.ttl_seconds:
            self._fail(request, notifications.EXPIRED)
            return
        try:
            body = self._read(request.input_location)
        except ClientError as error:
            why = error.response.get("Error", {}).get("Message", str(error))
            self._fail(request, notifications.unreadable(request.input_location, why))
            return
        if not self._server.running and self._closed.wait(self._wake_seconds):
            return  # it is found again
        try:
            self._server.ensure()
            answer = self._server.invoke(
                body, request.content_type, request.custom_attributes, request.timeout_seconds
            )
        except httpx.TimeoutException:
            self._fail(request, notifications.TIMED_OUT)
        except ServerDown as error:
            self._fail(request, notifications.stopped(self.spec.name, str(error)))
        else:
            if answer.is_success:
                self._complete(request, answer)
            else:
                log.warning("The container answered %s", answer.text)
                self._fail(request, notifications.refusal(answer.status_code), answer.content)

    def _complete(self, request: Request, answer: httpx.Response) -> None:
        self._write(request.output_location, answer.content)
        content_type = answer.headers.get("content-type", "application/octet-stream")
        message = notifications.completed(request, content_type)
        self._tell(request, self.spec.success_topic, message)

    def _fail(self, request: Request, reason: str, answer: bytes | None = None) -> None:
        if self._closed.is_set():
            return  # it did not fail: its server was ended, and comes back with the stack
        log.warning("Request %s failed: %s", request.inference_id, reason)
        self._write(request.failure_location, reason.encode() if answer is None else answer)
        self._tell(request, self.spec.error_topic, notifications.failed(request, reason))

    def _tell(self, request: Request, topic: str | None, message: Message) -> None:
        self._publish(topic, message)
        self._accepted.answered(request, topic, message)

    def _read(self, uri: str) -> bytes:
        bucket, key = _split(uri)
        s3 = aws.role_client(self.spec.role, "SageMaker", "s3")
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def _write(self, uri: str, content: bytes) -> None:
        bucket, key = _split(uri)
        s3 = aws.role_client(self.spec.role, "SageMaker", "s3")
        s3.put_object(Bucket=bucket, Key=key, Body=content)

    def _publish(self, topic: str | None, message: Message) -> None:
        if topic:
            sns = aws.role_client(self.spec.role, "SageMaker", "sns")
            sns.publish(TopicArn=topic, Message=json.dumps(message))


def _passes(error: Exception) -> bool:
    """Whether what went wrong may be over in a while: a service or the disk, not the request."""
    if isinstance(error, ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    return isinstance(error, OSError)


def _split(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")
