"""Puts one invocation into the endpoint's queue and remembers which task waits for it."""

from typing import Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ConfigDict

from gen3d import paths
from gen3d.contract import InitializeRequest, ReconstructRequest, TextPrompt
from gen3d.errors import EndpointMissing
from gen3d.jobs import iso, now
from gen3d.options import HasOptions
from gen3d.queue import Request, Stage
from gen3d_aws import clients
from gen3d_aws.dispatch import Dispatcher, QueueSettings
from gen3d_aws.observability import count, logger, metrics, tracer
from gen3d_aws.store import FileStore
from gen3d_aws.tokens import TokenRow, TokenStore, callback_id

TOKEN_DAYS = 2
"""A row outlives every task that can wait for it, a day each."""


class Submission(HasOptions):
    """What the state machine sends."""

    # A validation error must not show the token that came with what it complains about.
    model_config = ConfigDict(hide_input_in_errors=True)

    stage: Literal["initialize", "reconstruct"]
    owner: str
    jobId: str  # noqa: N815  as the state machine spells it
    run: int = 1  # an execution that began before there were runs sends none
    prefix: str
    contentType: str  # noqa: N815
    n: int
    key: str | None = None
    """In the record; None from an execution that began before it could be other than `n`."""
    folder: str = ""
    """Of the object's, where what is made of it goes."""
    text: TextPrompt | None = None
    depth: bool = False
    """Whether the photo has a depth map."""
    attempt: int
    taskToken: str  # noqa: N815


def request_for(submission: Submission, bucket: str) -> InitializeRequest | ReconstructRequest:
    """The endpoint's request for a stage."""
    files = paths.JobFiles(submission.prefix)
    image = paths.uri(bucket, files.image(submission.contentType))
    if submission.stage == "initialize":
        output = paths.uri(bucket, files.embeddings)
        return InitializeRequest(image=image, output=output, text=submission.text)
    made = files.object(submission.n, submission.folder)
    return ReconstructRequest(
        image=image,
        mask=paths.uri(bucket, files.object(submission.n).mask),
        output=paths.uri(bucket, made.splat),
        options=submission.options,
        depth=paths.uri(bucket, files.depth) if submission.depth else None,
    )


def submit(submission: Submission) -> str:
    """Put the invocation into the queue, then send what is next, which may be another one.

    The request's file and the row are written first, so that no answer can miss them. Once the row
    stands the task waits: whatever goes wrong with sending is made good by who sends next.

    Returns
    -------
    str
        The invocation's id.
    """
    s = QueueSettings.read()
    if not s.endpoint_name:
        raise EndpointMissing(
            "No model endpoint is deployed. Build the container and deploy with ContainerImage set."
        )
    tokens, stage = TokenStore(s.tokens_table), Stage(submission.stage)

    def id_of(attempt: int) -> str:
        key = submission.key or str(submission.n)
        return callback_id(submission.jobId, submission.run, stage, key, attempt)

    callback = id_of(submission.attempt)
    request = request_for(submission, s.bucket)
    FileStore(s.bucket).write(
        paths.async_input(callback), request.model_dump_json().encode(), "application/json"
    )
    row = TokenRow(
        callback, submission.taskToken, submission.owner, submission.jobId, submission.run
    )
    waiting = Request(iso(now()), callback, submission.owner, stage)
    tokens.enqueue(row, waiting, TOKEN_DAYS * 86400)
    if submission.attempt:  # the attempt before is over, and would only be in the way
        tokens.delete(id_of(submission.attempt - 1))
    Dispatcher.of(s).dispatch_if_possible(waiting)
    return callback


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@clients.naming_faults()
def handler(event: dict[str, object], _context: LambdaContext) -> dict[str, str]:
    """Lambda's entry point."""
    submission = Submission.model_validate(event)
    logger.append_keys(job_id=submission.jobId, stage=submission.stage, n=submission.n)
    callback = submit(submission)
    logger.info("Submitted", extra={"callback_id": callback})
    count("InvocationSubmitted")
    return {"callbackId": callback}
