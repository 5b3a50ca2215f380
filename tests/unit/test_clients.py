"""One patience for all calls of AWS, shorter than a function's; and what their faults mean."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from gen3d.errors import DependencyUnavailable
from gen3d_aws import clients
from gen3d_aws.store import JobStore
from gen3d_aws.tokens import TokenStore
from tests.support import client_error, resources, template

URL = "https://aws.example.com/"


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(clients, "client", clients.client.__wrapped__)
    yield
    for made in (clients.dynamodb, clients.table):  # which moto has no part in
        made.cache_clear()


def config(**options: Any) -> Any:
    """The configuration of a client."""
    return clients.client("dynamodb", **options).meta.config


def test_every_client_has_the_same_patience() -> None:
    made = config()
    assert (made.connect_timeout, made.read_timeout) == (2, 5)
    assert made.retries == {"mode": "standard", "total_max_attempts": 3}
    tables: Any = clients.dynamodb.__wrapped__().meta.client.meta.config
    assert (tables.retries, tables.read_timeout) == (made.retries, made.read_timeout)


def test_a_call_that_hangs_is_given_up_before_its_function_is() -> None:
    """Three attempts, and twice a wait of at most 1 and 2 s between them (standard mode)."""
    made = config()
    attempts = made.retries["total_max_attempts"]
    worst = attempts * max(made.connect_timeout, made.read_timeout) + sum(range(1, attempts))
    default = template()["Globals"]["Function"]["Timeout"]
    for function in resources("AWS::Serverless::Function").values():
        assert worst < function.get("Timeout", default)


def test_a_table_is_made_once_for_all_who_use_it() -> None:
    """Three stores of a call each made their own: 7 % of the API's processor time."""
    one = JobStore("JobsTable")._table
    assert JobStore("JobsTable")._table is one
    assert TokenStore("JobsTable")._table is one
    assert TokenStore("TokensTable")._table is not one


def test_a_reason_may_ask_for_another_patience() -> None:
    made = config(attempts=1, read_timeout=20)
    assert (made.read_timeout, made.connect_timeout) == (20, 2)
    assert made.retries["total_max_attempts"] == 1


@pytest.mark.parametrize(
    ("error", "transient", "unanswered"),
    [
        (client_error("ThrottlingException"), True, False),
        (client_error("SlowDown", status=503), True, False),
        (client_error("ProvisionedThroughputExceededException"), True, False),
        (client_error("Whatever", status=500), True, False),
        (ConnectTimeoutError(endpoint_url=URL), True, True),
        (ReadTimeoutError(endpoint_url=URL), True, True),
        (EndpointConnectionError(endpoint_url=URL), True, True),
        (ResponseStreamingError(error="reset"), True, True),
        (client_error("ValidationException"), False, False),
        (client_error("AccessDeniedException", status=403), False, False),
        (client_error("ConditionalCheckFailedException"), False, False),
        (NoCredentialsError(), False, False),
        (ParamValidationError(report="x"), False, False),
        (ValueError("x"), False, False),
    ],
    ids=str,
)
def test_what_passes_is_told_from_what_does_not(
    error: Exception, transient: bool, unanswered: bool
) -> None:
    assert clients.transient(error) is transient
    assert clients.unanswered(error) is unanswered


def test_a_fault_that_passes_gets_its_name() -> None:
    with pytest.raises(DependencyUnavailable) as named, clients.naming_faults():
        raise client_error("ThrottlingException")
    assert named.value.retry_after
    assert isinstance(named.value.__cause__, ClientError)


@pytest.mark.parametrize(
    "error", [client_error("ValidationException"), BotoCoreError(), KeyError()]
)
def test_any_other_fault_stays_what_it_is(error: Exception) -> None:
    @clients.naming_faults()
    def fails() -> None:
        raise error

    with pytest.raises(type(error)):
        fails()


def test_only_a_services_own_error_has_a_code() -> None:
    assert clients.error_code(client_error("SlowDown")) == "SlowDown"
    assert clients.error_code(KeyError("SlowDown")) == ""
