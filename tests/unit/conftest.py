"""Fixtures of the unit tests, none of which may reach the network."""

import time
from collections.abc import Callable, Iterator
from email import message_from_string, policy
from email.message import EmailMessage
from io import StringIO
from logging import StreamHandler
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from gen3d.jobs import Job
from gen3d_aws import tokens
from gen3d_aws.observability import logger, metrics
from gen3d_aws.store import FileStore, JobStore
from gen3d_aws.tokens import TokenRow
from tests.support import (
    BUCKET,
    ENVIRONMENT,
    SENDER,
    STATE_MACHINE,
    api,
    client,
    client_error,
    table,
    write_job,
)


@pytest.fixture(autouse=True)
def _offline(socket_disabled: None) -> None:
    """No test of this folder opens a socket."""


@pytest.fixture(autouse=True)
def _no_metrics_left() -> Iterator[None]:
    """Metrics are kept in the process until a handler prints them."""
    yield
    metrics.clear_metrics()


@pytest.fixture
def logs() -> Iterator[StringIO]:
    """Everything that the functions log."""
    stream = StringIO()
    handler = cast("StreamHandler[Any]", logger.registered_handler)
    before = handler.setStream(stream)
    logger.clear_state()
    yield stream
    handler.setStream(before)


@pytest.fixture
def jobs(aws: None) -> JobStore:
    """The jobs table."""
    return JobStore("JobsTable")


@pytest.fixture
def files(aws: None) -> FileStore:
    """The bucket."""
    return FileStore(BUCKET)


@pytest.fixture
def put_job(jobs: JobStore) -> Callable[[Job], Job]:
    """Puts a job into the table, its objects as the state machine writes them."""
    return write_job


@pytest.fixture
def rows(aws: None) -> Callable[[str], list[dict[str, Any]]]:
    """Reads a table whole, but for the rows that say what was let in."""
    return lambda name: [
        row
        for row in table(name).scan()["Items"]
        if not row.get("callbackId", "").startswith("owner#")
    ]


def let_wait(row: TokenRow, ttl: int = 2_000_000_000) -> None:
    """Let a task wait, as the state machine writes the one for a mask."""
    fields = {"callbackId": row.callback_id, "token": row.token, "owner": row.owner}
    table("TokensTable").put_item(Item=fields | {"jobId": row.job_id, "run": row.run, "ttl": ttl})


def brief(seconds: float) -> None:
    """Wait no time at all for what waits a moment."""
    assert 0 < seconds < 2


class FakeStates:
    """The part of Step Functions that knows task tokens, with the service's own errors.

    Attributes
    ----------
    waiting : dict of str to str or None
        Token → None while the task waits, else the name of the error that resuming it gets.
    resumed : list of dict
        The calls that resumed a task.
    lost : int
        So many of the next calls are carried out without their answers arriving.
    """

    def __init__(self) -> None:
        self.waiting: dict[str, str | None] = {}
        self.resumed: list[dict[str, str]] = []
        self.lost = 0

    def send_task_success(self, *, taskToken: str, output: str) -> dict[str, Any]:  # noqa: N803
        self._resume(taskToken, "SendTaskSuccess", output=output)
        return {}

    def send_task_failure(
        self,
        *,
        taskToken: str,  # noqa: N803
        error: str,
        cause: str,
    ) -> dict[str, Any]:
        assert len(error) <= 256
        assert len(cause) <= 32768
        self._resume(taskToken, "SendTaskFailure", error=error, cause=cause)
        return {}

    def _resume(self, token: str, operation: str, **call: str) -> None:
        code = self.waiting.get(token, "InvalidToken")
        if code is not None:
            raise client_error(code, operation)
        self.waiting[token] = "TaskTimedOut"  # as the service answers for a task that has ended
        self.resumed.append({"token": token, **call})
        if self.lost:
            self.lost -= 1
            raise ReadTimeoutError(endpoint_url="https://states.us-east-1.amazonaws.com/")


@pytest.fixture
def deliveries(aws: None) -> Callable[[], list[dict[str, Any]]]:
    """The queue of deliveries; gives the messages that are due, and leaves them hidden."""
    client("sqs").create_queue(QueueName="deliveries")

    def due() -> list[dict[str, Any]]:
        answer = client("sqs").receive_message(
            QueueUrl=ENVIRONMENT["DELIVERIES_URL"],
            MaxNumberOfMessages=10,
            VisibilityTimeout=600,
            MessageSystemAttributeNames=["All"],
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    return due


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> FakeStates:
    """Task tokens; none waits at first."""
    fake = FakeStates()
    monkeypatch.setattr(tokens, "states_client", lambda: fake)
    # That module's alone: in a process with other tests, threads of theirs wait by the same clock.
    monkeypatch.setattr(tokens, "time", SimpleNamespace(time=time.time, sleep=brief))
    return fake


@pytest.fixture
def identity_pool(aws: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Cognito identity pool."""
    pool = client("cognito-identity").create_identity_pool(
        IdentityPoolName="gen3d", AllowUnauthenticatedIdentities=False
    )["IdentityPoolId"]
    monkeypatch.setattr(api.service.config, "identity_pool_id", pool)
    return str(pool)


@pytest.fixture
def executions(aws: None) -> Callable[[], list[str]]:
    """A state machine; answers the names of its executions."""
    client("stepfunctions").create_state_machine(
        name="gen3d",
        definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/gen3d",
    )
    return lambda: [
        execution["name"]
        for execution in client("stepfunctions").list_executions(stateMachineArn=STATE_MACHINE)[
            "executions"
        ]
    ]


@pytest.fixture
def mailbox(aws: None) -> Callable[[], list[EmailMessage]]:
    """SES, with the sender verified; answers the mails that were sent."""
    from moto.ses.models import ses_backends

    client("sesv2").create_email_identity(EmailIdentity=SENDER)
    backend = ses_backends["123456789012"]["us-east-1"]

    def mails() -> list[EmailMessage]:
        return [
            message_from_string(sent.raw_data, policy=policy.default)
            for sent in backend.sent_messages
        ]

    return mails


class Calls:
    """The calls of AWS through boto3, which can be told to fail where the service would answer.

    Attributes
    ----------
    made : list of (str, dict)
        Operations and their parameters.
    """

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []
        self._failures: dict[str, list[Exception]] = {}
        self._lost: set[str] = set()

    def fail(self, operation: str, code: str, times: int = 1) -> None:
        """Let the next calls of an operation fail with a service's error."""
        self.fail_with(operation, *[client_error(code, operation)] * times)

    def fail_with(self, operation: str, *errors: Exception) -> None:
        """Let the next calls of an operation raise these, the last first."""
        self._failures[operation] = list(errors)

    def hang(self, operation: str, times: int = 1) -> None:
        """Let the next calls of an operation be given up before a connection is made."""
        url = "https://aws.example.com/"
        self._failures[operation] = [ConnectTimeoutError(endpoint_url=url)] * times

    def lose_answer(self, operation: str) -> None:
        """Let the next call of an operation be made twice, as where its first answer is lost."""
        self._lost.add(operation)

    def loses(self, operation: str) -> bool:
        """Whether the answer to this call is lost."""
        if operation not in self._lost:
            return False
        self._lost.remove(operation)
        return True

    def of(self, operation: str) -> list[dict[str, Any]]:
        """Parameters of the calls of an operation."""
        return [parameters for name, parameters in self.made if name == operation]

    def note(self, operation: str, parameters: dict[str, Any]) -> None:
        """Take note of a call, and fail it if told to."""
        self.made.append((operation, parameters))
        if self._failures.get(operation):
            raise self._failures[operation].pop()


@pytest.fixture
def calls(aws: None, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The calls of AWS."""
    noted = Calls()
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        noted.note(operation, parameters)
        if noted.loses(operation):
            real(self, operation, parameters)
        return real(self, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return noted
