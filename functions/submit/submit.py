"""Puts one invocation into the endpoint's queue and remembers which task waits for it."""

from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError
from gen3d import paths
from gen3d.contract import InitializeRequest, ReconstructRequest, Seed, TextPrompt
from gen3d.errors import InferenceFailed
from gen3d.observability import count, logger, metrics, tracer
from gen3d.settings import settings
from gen3d.store import FileStore, error_code
from gen3d.tokens import TokenRow, TokenStore, callback_id
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

TOKEN_DAYS = 2
"""A row outlives every task that can wait for it."""


class ThrottlingException(Exception):
    """SageMaker's, by the name that the state machine tries again; botocore has no class for it."""


class Submission(BaseModel):
    """What the state machine sends."""

    # A validation error must not show the token that came with what it complains about.
    model_config = ConfigDict(hide_input_in_errors=True)

    stage: Literal["initialize", "reconstruct"]
    owner: str
    jobId: str  # noqa: N815  as the state machine spells it
    prefix: str
    contentType: str  # noqa: N815
    n: int
    text: TextPrompt | None = None
    seed: Seed = 0
    attempt: int
    taskToken: str  # noqa: N815


def request_for(submission: Submission, bucket: str) -> InitializeRequest | ReconstructRequest:
    """The endpoint's request for a stage."""
    files = paths.JobFiles(submission.prefix)
    image = paths.uri(bucket, files.image(submission.contentType))
    if submission.stage == "initialize":
        output = paths.uri(bucket, files.embeddings)
        return InitializeRequest(image=image, output=output, text=submission.text)
    keys = files.object(submission.n)
    return ReconstructRequest(
        image=image,
        mask=paths.uri(bucket, keys.mask),
        output=paths.uri(bucket, keys.splat),
        seed=submission.seed,
    )


@cache
def _endpoint() -> "SageMakerRuntimeClient":
    return boto3.client("sagemaker-runtime")


def submit(submission: Submission) -> str:
    """Queue the invocation; the row is written first, so that no answer can miss it.

    Returns
    -------
    str
        The invocation's id.
    """
    s = settings()
    if not s.endpoint_name:
        raise InferenceFailed(
            "No model endpoint is deployed. Build the container and deploy with ContainerImage set."
        )
    callback = callback_id(submission.jobId, submission.stage, submission.n, submission.attempt)
    row = TokenRow(callback, submission.taskToken, submission.owner, submission.jobId)
    TokenStore(s.tokens_table).put(row, TOKEN_DAYS * 86400)
    key = paths.async_input(callback)
    request = request_for(submission, s.bucket)
    FileStore(s.bucket).write(key, request.model_dump_json().encode(), "application/json")
    try:
        _endpoint().invoke_endpoint_async(
            EndpointName=s.endpoint_name,
            InputLocation=paths.uri(s.bucket, key),
            ContentType="application/json",
            InferenceId=callback,
            InvocationTimeoutSeconds=s.invocation_timeout_seconds,
            RequestTTLSeconds=s.request_ttl_seconds,
        )
    except ClientError as error:
        if error_code(error) != ThrottlingException.__name__:
            raise
        raise ThrottlingException(str(error)) from None
    return callback


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, str]:
    """Lambda's entry point."""
    submission = Submission.model_validate(event)
    logger.append_keys(job_id=submission.jobId, stage=submission.stage, n=submission.n)
    callback = submit(submission)
    logger.info("Submitted", extra={"callback_id": callback})
    count("InvocationSubmitted")
    return {"callbackId": callback}
