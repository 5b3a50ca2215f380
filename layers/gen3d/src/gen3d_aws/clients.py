"""Clients of AWS, all of one patience, and what their faults mean.

botocore waits a minute for a connection and a minute for an answer unless it is told otherwise: one
hung connection would outlast the function that waits for it, and the job with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict, Unpack  # noqa: TID251  who asks knows the client

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from gen3d.errors import DependencyUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table

CONNECT_SECONDS = 2
READ_SECONDS = 5
ATTEMPTS = 3
"""In all, with waits of up to a second or two between them: 20 s at worst."""

RETRY_AFTER = 5
"""Seconds after which a fault of AWS's may well be over."""

_CONNECTION = (ConnectionError, HTTPClientError, IncompleteReadError, ResponseStreamingError)
"""No answer came, or not all of it."""

_TRANSIENT = frozenset(
    {
        "ExecutionLimitExceeded",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalErrorException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


def _config(
    attempts: int = ATTEMPTS,
    connect_timeout: float = CONNECT_SECONDS,
    read_timeout: float = READ_SECONDS,
    signature_version: str | None = None,
) -> Config:
    return Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        signature_version=signature_version,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )


class Options(TypedDict, total=False):
    """How a client is otherwise than most."""

    attempts: int
    connect_timeout: float
    read_timeout: float
    signature_version: str


@cache
def client(service: str, **options: Unpack[Options]) -> Any:
    """A client, made once, as that takes long.

    Parameters
    ----------
    service : str
        By boto3's name.
    **options
        ``attempts``, calls in all, is 1 where a repeated call does something twice; the others are
        fields of botocore's ``Config``.
    """
    return boto3.client(service, config=_config(**options))  # type: ignore[call-overload]


@cache
def dynamodb() -> "DynamoDBServiceResource":
    """DynamoDB in plain Python values."""
    return boto3.resource("dynamodb", config=_config())


@cache
def table(name: str) -> "Table":
    """A table, made once: boto3 builds a class for each, which takes as long as a request."""
    return dynamodb().Table(name)


def error_code(error: BaseException) -> str:
    """The service's name for an error; empty where no service named one."""
    if not isinstance(error, ClientError):
        return ""
    return error.response.get("Error", {}).get("Code", "")


def unanswered(error: BaseException) -> bool:
    """Whether no answer came, so that the call may have been carried out or not."""
    return isinstance(error, _CONNECTION)


def transient(error: BaseException) -> bool:
    """Whether the same call may succeed in a while: throttled, out of service, or unanswered."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error_code(error) in _TRANSIENT or status >= 500
    return unanswered(error)


@contextmanager
def naming_faults() -> Iterator[None]:
    """Give transient faults of AWS the name under which they are tried again.

    Also a decorator, as for a function's handler: Lambda reports an exception by its class.

    Raises
    ------
    DependencyUnavailable
    """
    try:
        yield
    except Exception as error:
        if not transient(error):
            raise
        raise DependencyUnavailable(
            "A service that this needs is busy. Try again in a moment.", RETRY_AFTER
        ) from error
