"""The messages that SageMaker publishes when an asynchronous request is over."""

from dataclasses import dataclass
from datetime import UTC, datetime

from local_aws.settings import REGION

Message = dict[str, object]


@dataclass(frozen=True)
class Request:
    """One asynchronous invocation, as it was accepted."""

    endpoint: str
    inference_id: str
    input_location: str
    content_type: str
    custom_attributes: str
    output_location: str
    failure_location: str
    received: datetime
    ttl_seconds: float
    timeout_seconds: float


def completed(request: Request, content_type: str) -> Message:
    """The message to the success topic."""
    return _message(request) | {
        "invocationStatus": "Completed",
        "responseParameters": {
            "contentType": content_type,
            "outputLocation": request.output_location,
        },
    }


def failed(request: Request, reason: str) -> Message:
    """The message to the error topic."""
    return _message(request) | {"invocationStatus": "Failed", "failureReason": reason}


def refusal(status: int) -> str:
    """What SageMaker says of an answer of the container that is not 2xx.

    The words are those of a notification as it came (see `SAID` in tests/unit/test_callback.py):
    the answer itself lies at the failure's location alone.
    """
    kind = "client" if status < 500 else "server"
    return (
        f"ClientError: Received {kind} error ({status}) from model. See the SageMaker Endpoint "
        "logs in your account for more information."
    )


EXPIRED = "ClientError: The request expired: it was in the queue for longer than RequestTTLSeconds."
TIMED_OUT = (
    "ClientError: Your invocation timed out while waiting for a response from container model. "
    "Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and "
    "try again."
)


def unreadable(location: str, why: str) -> str:
    """The request's input could not be read."""
    return f"ClientError: Unable to access the input location {location}: {why}"


def stopped(endpoint: str, why: str) -> str:
    """The container was not there, or went away."""
    return f"InternalServerError: The container of endpoint {endpoint} {why}"


def _message(request: Request) -> Message:
    return {
        "awsRegion": REGION,
        "eventTime": _iso(datetime.now(UTC)),
        "receivedTime": _iso(request.received),
        "requestParameters": {
            "contentType": request.content_type,
            "endpointName": request.endpoint,
            "inputLocation": request.input_location,
        },
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
