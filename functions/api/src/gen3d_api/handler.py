"""The HTTP API: serves `ROUTES`, says who is calling, and gives errors as answers."""

import os
from collections.abc import Callable
from typing import TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_snake

from gen3d.errors import (
    DependencyUnavailable,
    Gen3DError,
    InternalError,
    InvalidRequest,
    JobNotFound,
)
from gen3d_api import batches, version
from gen3d_api.answers import ErrorView, SharedPage
from gen3d_api.key_operations import KeyService
from gen3d_api.operations import JobService
from gen3d_api.route import Answer, Route
from gen3d_api.routes import ROUTES
from gen3d_api.share_operations import ShareService
from gen3d_api.webhook_operations import WebhookService
from gen3d_aws import clients
from gen3d_aws.callers import Caller
from gen3d_aws.observability import logger, metrics, tracer

M = TypeVar("M", bound=BaseModel)
# For the one answer that a browser shows as a page.
_NOTHING_RUNS = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

app = APIGatewayHttpResolver()
service = JobService.from_settings()
keys = KeyService.from_settings()
shares = ShareService.from_settings()
webhooks = WebhookService.from_settings()
if "AWS_LAMBDA_RUNTIME_API" in os.environ:  # which gives a start a whole processor, and for nothing
    service.prepare()


def _served(route: Route) -> Callable[..., Response[str]]:
    def serve(**ids: str) -> Response[str]:
        given: dict[str, object] = {**ids}
        if not route.for_all:
            given["caller"] = _caller(route)
        version.asked_for(app.current_event.headers.get(version.HEADER.lower()))
        if route.body is not None:
            given["body"] = _body(route.body)
        for name in route.query:
            given[name] = app.current_event.query_string_parameters.get(name)
        for name in route.headers:
            given[to_snake(name)] = app.current_event.headers.get(name.lower())
        if "service" in route.parameters:
            given["service"] = service
        if "keys" in route.parameters:
            given["keys"] = keys
        if "shares" in route.parameters:
            given["shares"] = shares
        if "webhooks" in route.parameters:
            given["webhooks"] = webhooks
        return _send(route.answer(**given))

    return serve


for _route in ROUTES:
    app.route(_route.pattern, _route.method)(_served(_route))


def _caller(route: Route) -> Caller:
    authorizer = app.current_event.request_context.authorizer
    header = app.current_event.headers.get("authorization", "")
    caller = Caller.of(authorizer.get_lambda if authorizer else None, header)
    caller.require(route.right)
    return caller


def _body(model: type[M]) -> M:
    try:
        # What is misspelt is refused at any depth, and not lost.
        return model.model_validate_json(app.current_event.decoded_body or "{}", extra="forbid")
    except (ValidationError, ValueError) as error:
        raise InvalidRequest(_what_is_wrong(error)) from None


def _what_is_wrong(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "The body is not JSON. Send a JSON object."
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return f"{where}: {first['msg']}. Correct it and send the request again."


def _send(answer: Answer) -> Response[str]:
    headers = {version.HEADER: str(version.VERSION)}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    if answer.content is None:
        return Response(answer.status, body="", headers=headers)  # not every gateway takes None
    if isinstance(answer.content, SharedPage):
        headers["Content-Security-Policy"] = _NOTHING_RUNS
        return Response(answer.status, "text/html; charset=utf-8", answer.content.root, headers)
    # What was not set is absent. A step's words stand as they were recorded, and need no warning.
    text = answer.content.model_dump_json(exclude_unset=True, warnings=False)
    return Response(answer.status, "application/json", text, headers)


def _send_error(error: Gen3DError) -> Response[str]:
    content = ErrorView.model_validate(error.body())
    return _send(Answer(error.status, content, error.retry_after))


def _refuse(error: Gen3DError) -> Response[str]:
    logger.info("Refused", extra={"error": error.name, "reason": error.message})
    return _send_error(error)


@app.exception_handler(Gen3DError)  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
def named(error: Gen3DError) -> Response[str]:
    """Answer a named error."""
    return _refuse(error)


@app.not_found
def unknown(_error: Exception) -> Response[str]:
    """Answer a path that no route takes, as with an id of odd characters."""
    return _send_error(JobNotFound("There is no such job. Check the address."))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def unforeseen(error: Exception) -> Response[str]:
    """Answer anything else without its details, which go to the log."""
    if clients.transient(error):
        logger.warning("A service did not answer", exc_info=error)
        busy = "Something that this needs is busy. Try again in a moment."
        return _refuse(DependencyUnavailable(busy, clients.RETRY_AFTER))
    logger.exception("Unforeseen error", exc_info=error)
    return _send_error(InternalError("Something went wrong on our side. Try again."))


@logger.inject_lambda_context(
    correlation_id_path=correlation_paths.API_GATEWAY_HTTP, clear_state=True
)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
    """Lambda's entry point: requests, and each minute the batches that wait."""
    if event.get("task") == "batches":
        batches.begin_waiting(service)
        return {}
    return app.resolve(event, context)
