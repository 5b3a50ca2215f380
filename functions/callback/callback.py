"""Turns the endpoint's notifications into the end of the task that waits for them."""

import json
import re
from typing import Any

from aws_lambda_powertools.utilities.data_classes import SNSEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext
from gen3d import paths
from gen3d.contract import InitializeResult, ReconstructResult
from gen3d.errors import Gen3DError, InferenceExpired, InferenceFailed, from_body
from gen3d.observability import count, logger, metrics, tracer
from gen3d.settings import settings
from gen3d.store import FileStore
from gen3d.tokens import TaskGone, Tasks, TokenStore
from pydantic import TypeAdapter, ValidationError

RESULT: TypeAdapter[InitializeResult | ReconstructResult] = TypeAdapter(
    ReconstructResult | InitializeResult
)


def failure_of(reason: str) -> Gen3DError:
    """Name the error behind SageMaker's ``failureReason``.

    SageMaker wraps the container's answer: ``… from model with message "{body}". See …``.
    """
    # The body stands there as it is, or quoted once more.
    named = from_body(_json_at('{"error"', reason)) or from_body(
        _json_at('{"error"', str(_json_at('"{\\"error', reason)))
    )
    if named is not None:
        return named
    if re.search(r"expire|time.?to.?live|\bttl\b", reason, re.IGNORECASE):
        return InferenceExpired(
            "The request waited too long for the model. Try again; raise MaxInstances if it recurs."
        )
    return InferenceFailed("The model failed without naming a reason. Try again in a while.")


def _json_at(opening: str, text: str) -> object:
    """The JSON value that begins with `opening`, or None."""
    start = text.find(opening)
    try:
        return json.JSONDecoder().raw_decode(text, start)[0] if start >= 0 else None
    except json.JSONDecodeError:
        return None


def resume(notification: dict[str, Any]) -> None:
    """End the waiting task with what the notification says."""
    s = settings()
    tokens, tasks = TokenStore(s.tokens_table), Tasks()
    callback = notification["inferenceId"]
    logger.append_keys(callback_id=callback)
    row = tokens.get(callback)
    if row is None:
        logger.warning("Nothing waits for this notification")
        return
    try:
        if notification["invocationStatus"] == "Completed":
            location = notification["responseParameters"]["outputLocation"]
            tasks.succeed(row, _result(location))
        else:
            reason = str(notification.get("failureReason", ""))
            logger.warning("The endpoint failed", extra={"reason": reason})
            raise failure_of(reason)
        count("InvocationSucceeded")
    except TaskGone:
        logger.warning("The task had ended before its answer came")
    except Gen3DError as failure:
        logger.error("Invocation failed", extra={"error": failure.name, "reason": failure.message})
        count("InvocationFailed")
        _fail(tasks, row, failure)
    tokens.delete(callback)


def _result(location: str) -> dict[str, Any]:
    bucket, key = paths.split_uri(location)
    body = FileStore(bucket).read(key)
    try:
        return RESULT.validate_json(body or b"").model_dump(mode="json")
    except ValidationError:
        raise InferenceFailed(
            "The model's answer is not of this version's form. Deploy container and stack together."
        ) from None


def _fail(tasks: Tasks, row: Any, failure: Gen3DError) -> None:
    try:
        tasks.fail(row, failure.name, failure.message)
    except TaskGone:
        logger.warning("The task had ended before its failure came")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@event_source(data_class=SNSEvent)
def handler(event: SNSEvent, _context: LambdaContext) -> None:
    """Lambda's entry point; what it raises is tried again and ends in the dead-letter queue."""
    for record in event.records:
        resume(json.loads(record.sns.message))
