"""The HTTP API: routes, who is calling, and errors as answers."""

import json
import os
from collections.abc import Mapping
from typing import TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError

from gen3d.errors import (
    DependencyUnavailable,
    Gen3DError,
    InternalError,
    InvalidRequest,
    JobNotFound,
    Unauthorized,
)
from gen3d_api.operations import (
    Caller,
    CreateJob,
    Initialize,
    JobService,
    MaskUploads,
    Reconstruct,
    RenameJob,
    Retry,
)
from gen3d_aws import clients
from gen3d_aws.observability import logger, metrics, tracer

M = TypeVar("M", bound=BaseModel)

app = APIGatewayHttpResolver()
service = JobService.from_settings()
if "AWS_LAMBDA_RUNTIME_API" in os.environ:  # which gives a start a whole processor, and for nothing
    service.prepare()


@app.post("/jobs")
def create_job() -> Response[str]:
    """Create a job and the permission to upload its photo."""
    return _answer(201, service.create(_caller(), _body(CreateJob)))


@app.get("/jobs")
def list_jobs() -> Response[str]:
    """The caller's jobs, newest first."""
    cursor = app.current_event.query_string_parameters.get("cursor")
    return _answer(200, service.list(_caller(), cursor))


@app.get("/jobs/<job_id>")
def get_job(job_id: str) -> Response[str]:
    """A job with signed links to what exists of it."""
    job = service.get(_caller(), job_id)
    return _answer(200, job, job["pollSeconds"])


@app.patch("/jobs/<job_id>")
def rename_job(job_id: str) -> Response[str]:
    """Give a job another name."""
    return _answer(200, service.rename(_caller(), job_id, _body(RenameJob)))


@app.delete("/jobs/<job_id>")
def delete_job(job_id: str) -> Response[str]:
    """Forget a job and its files; again, or where there is none, and nothing more happens."""
    service.delete(_caller(), job_id)
    return Response(204, body="")  # not every gateway takes None


@app.post("/jobs/<job_id>/cancel")
def cancel_job(job_id: str) -> Response[str]:
    """Stop a job and keep what there is of it."""
    cancelled, job = service.cancel(_caller(), job_id)
    return _answer(202 if cancelled else 200, job)


@app.post("/jobs/<job_id>/retry")
def retry_job(job_id: str) -> Response[str]:
    """Take an ended job up where it ended, or make objects of it anew."""
    return _answer(202, service.retry(_caller(), job_id, _body(Retry)))


@app.post("/jobs/<job_id>/initialize")
def initialize_job(job_id: str) -> Response[str]:
    """Check the photo and start the execution; again, and nothing more happens."""
    started, job = service.initialize(_caller(), job_id, _body(Initialize))
    return _answer(202 if started else 200, job)


@app.post("/jobs/<job_id>/masks")
def create_mask_uploads(job_id: str) -> Response[str]:
    """Permissions to upload one mask per object."""
    return _answer(200, service.mask_uploads(_caller(), job_id, _body(MaskUploads)))


@app.post("/jobs/<job_id>/reconstruct")
def reconstruct_job(job_id: str) -> Response[str]:
    """Check the masks and resume the execution with them."""
    return _answer(202, service.reconstruct(_caller(), job_id, _body(Reconstruct)))


def _caller() -> Caller:
    claims = app.current_event.request_context.authorizer.jwt_claim or {}
    if claims.get("token_use") != "id" or not claims.get("sub"):
        raise Unauthorized("Send the ID token of a signed-in user, not the access token.")
    header = app.current_event.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    return Caller(
        sub=claims["sub"],
        email=claims.get("email", ""),
        # API Gateway takes the scheme in any case, and a token without one.
        id_token=token.strip() if scheme.lower() == "bearer" else header,
    )


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


def _answer(
    status: int, body: Mapping[str, object], retry_after: int | None = None
) -> Response[str]:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Response(status, "application/json", json.dumps(body), headers)


def _refuse(error: Gen3DError) -> Response[str]:
    logger.info("Refused", extra={"error": error.name, "reason": error.message})
    return _answer(error.status, error.body(), error.retry_after)


@app.exception_handler(Gen3DError)  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
def named(error: Gen3DError) -> Response[str]:
    """Answer a named error."""
    return _refuse(error)


@app.not_found
def unknown(_error: Exception) -> Response[str]:
    """Answer a path that no route takes, as with an id of odd characters."""
    error = JobNotFound("There is no such job. Check the address.")
    return _answer(error.status, error.body())


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def unforeseen(error: Exception) -> Response[str]:
    """Answer anything else without its details, which go to the log."""
    if clients.transient(error):
        logger.warning("A service did not answer", exc_info=error)
        busy = "Something that this needs is busy. Try again in a moment."
        return _refuse(DependencyUnavailable(busy, clients.RETRY_AFTER))
    logger.exception("Unforeseen error", exc_info=error)
    return _answer(500, InternalError("Something went wrong on our side. Try again.").body())


@logger.inject_lambda_context(
    correlation_id_path=correlation_paths.API_GATEWAY_HTTP, clear_state=True
)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
    """Lambda's entry point."""
    return app.resolve(event, context)
