"""Turns the endpoint's notifications into the end of the task that waits for them."""

import html
import json
import re
import time
from typing import NotRequired, TypedDict

from aws_lambda_powertools.utilities.data_classes import SNSEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import TypeAdapter, ValidationError

from gen3d import paths
from gen3d.contract import Result
from gen3d.errors import Gen3DError, InferenceExpired, InferenceFailed, from_body
from gen3d_aws import clients
from gen3d_aws.dispatch import Dispatcher, QueueSettings
from gen3d_aws.observability import count, logger, metrics, tracer
from gen3d_aws.store import FileStore
from gen3d_aws.tokens import TaskGone, Tasks, TokenRow, TokenStore


class Output(TypedDict):
    """Where an answer lies."""

    outputLocation: str


class Notification(TypedDict):
    """What SageMaker says of an invocation, in what is read of it."""

    inferenceId: str
    invocationStatus: str
    responseParameters: NotRequired[Output]
    failureReason: NotRequired[str]


RESULT: TypeAdapter[Result] = TypeAdapter(Result)


MAX_ANSWER_BYTES = 2**20
"""Of a failure: an error's body has some hundreds."""

NOTE_SECONDS = 1
"""An answer may be faster than the sender notes that the request was taken, and where to look."""


def failure_of(reason: str) -> Gen3DError:
    """Name the error behind SageMaker's ``failureReason``.

    SageMaker wraps the container's answer: ``… from model with message "{body}". See …``. The body
    stands there as it is or quoted, once or more, in JSON's way or in HTML's, and may be cut off or
    left out. What was seen in the open is a table in tests/unit/test_callback.py.
    """
    text = reason
    for _ in range(_QUOTINGS):
        start = text.find('{"error"')
        if start >= 0:
            named = from_body(_json(text[start:])) or from_body(_cut_off(text[start:]))
            if named is not None:
                return type(named)(_plain(named.message), named.retry_after)
        if re.search(r"\{\\*&(?:quot|#34|#x22);error", text):
            text = html.unescape(text)
            continue
        quoted = re.search(r'\{\\+"error', text)
        if quoted is None:
            break
        text = _unquoted(text[quoted.start() :])
    if re.search(r"expire|time.?to.?live|\bttl\b", reason, re.IGNORECASE):
        return InferenceExpired(
            "The request waited too long for the model. Try again; raise MaxInstances if it recurs."
        )
    return InferenceFailed("The model failed without naming a reason. Try again in a while.")


_QUOTINGS = 4
"""More than anybody quotes."""

_ESCAPED = r'(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*'
"""The inside of a JSON string, as far as it is one."""


def _json(text: str) -> object:
    """The JSON value that `text` begins with, or None."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(text)[0]
    except (json.JSONDecodeError, RecursionError):
        return None


def _cut_off(text: str) -> object:
    """What there is of an error's body that has lost its end."""
    found = re.match(rf'\{{"error"\s*:\s*"(\w+)"\s*,\s*"message"\s*:\s*"({_ESCAPED})', text)
    return {"error": found[1], "message": f"{_unquoted(found[2])} …"} if found else None


def _unquoted(text: str) -> str:
    """Undo one quoting, up to the quotation mark that ends it or to where the text was cut off."""
    inside = re.match(_ESCAPED, text)
    assert inside is not None
    return str(json.JSONDecoder(strict=False).decode(f'"{inside[0]}"'))


def _plain(text: str) -> str:
    """Text that can be written: a cut may leave half a character."""
    return text.encode("utf-8", "replace").decode()


def resume(notification: Notification) -> None:
    """End the waiting task with what the notification says."""
    s = QueueSettings.read()
    tokens, tasks = TokenStore(s.tokens_table), Tasks()
    callback = notification["inferenceId"]
    logger.append_keys(callback_id=callback)
    row = tokens.get(callback)
    if row is None:
        logger.warning("Nothing waits for this notification")
    else:
        _end(tokens, tasks, row, notification)
    # Also where nothing waits any more: the endpoint has its hands free all the same.
    tokens.settle(callback)
    Dispatcher.of(s).dispatch_if_possible()


def _end(tokens: TokenStore, tasks: Tasks, row: TokenRow, notification: Notification) -> None:
    try:
        if notification["invocationStatus"] == "Completed":
            location = notification["responseParameters"]["outputLocation"]
            tasks.succeed(row, _result(location))
        else:
            reason = str(notification.get("failureReason", ""))
            logger.warning("The endpoint failed", extra={"reason": reason})
            raise _failure(tokens, row, reason)
        count("InvocationSucceeded")
    except TaskGone:
        logger.warning("The task had ended before its answer came")
    except Gen3DError as failure:
        logger.error("Invocation failed", extra={"error": failure.name, "reason": failure.message})
        count("InvocationFailed")
        _fail(tasks, row, failure)


def _failure(tokens: TokenStore, row: TokenRow, reason: str) -> Gen3DError:
    """The error behind a failure, whose reason need not hold the container's answer.

    What the container answered then lies where SageMaker said when it took the request.
    """
    failure = failure_of(reason)
    if not isinstance(failure, InferenceFailed):
        return failure
    if not row.sent:
        time.sleep(NOTE_SECONDS)
        row = tokens.get(row.callback_id) or row
    if not row.failure_location:
        return failure
    bucket, key = paths.split_uri(row.failure_location)
    answer = FileStore(bucket).open(key, MAX_ANSWER_BYTES)
    if answer is None or not answer.data:
        return failure
    written = answer.data.decode("utf-8", "replace")
    logger.warning("The endpoint's answer", extra={"answer": written[:1000]})
    return failure_of(written)


def _result(location: str) -> dict[str, object]:
    bucket, key = paths.split_uri(location)
    body = FileStore(bucket).read(key)
    try:
        return RESULT.validate_json(body or b"").model_dump(mode="json")
    except ValidationError:
        raise InferenceFailed(
            "The model's answer is not of this version's form. Deploy container and stack together."
        ) from None


def _fail(tasks: Tasks, row: TokenRow, failure: Gen3DError) -> None:
    try:
        tasks.fail(row, failure.name, failure.message)
    except TaskGone:
        logger.warning("The task had ended before its failure came")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@clients.naming_faults()
@event_source(data_class=SNSEvent)
def handler(event: SNSEvent, _context: LambdaContext) -> None:
    """Lambda's entry point; what it raises is tried again and ends in the dead-letter queue."""
    for record in event.records:
        resume(json.loads(record.sns.message))
