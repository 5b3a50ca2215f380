"""Tells the owner and the admin how a job ended, once, whichever trigger comes first.

The owner also hears of a photo whose preparation took long. Three triggers: the state machine, the
arrival of ``result.json``, and the rule on executions that failed, timed out or were aborted. The
last also corrects a record that nobody else could.
"""

import json
from typing import Any, Literal

import mails
from aws_lambda_powertools.utilities.typing import LambdaContext
from delivery import deliver, register
from gen3d.errors import (
    ExecutionAborted,
    ExecutionTimedOut,
    Gen3DError,
    InternalError,
    JobNotFound,
    MailFailed,
)
from gen3d.jobs import TERMINAL, Failure, Job, Status
from gen3d.observability import count, logger, metrics, tracer
from gen3d.settings import settings
from gen3d.store import FileStore, JobStore
from pydantic import BaseModel


class Notice(BaseModel):
    """Which job, and what of it: ``prepared``, or its end."""

    kind: Literal["prepared", "completed", "failed", "expired"]
    owner: str
    jobId: str  # noqa: N815  as the state machine spells it
    executionArn: str = ""  # noqa: N815


def notice_of(event: dict[str, Any]) -> Notice | None:
    """Read any of the three triggers.

    Returns
    -------
    Notice or None
        None where the event is about something else, or there is nothing to tell.
    """
    match event.get("detail-type"):
        case None:
            return Notice.model_validate(event)
        case "Object Created":
            return _from_result(event["detail"]["object"]["key"])
        case "Step Functions Execution Status Change":
            return _from_execution(event["detail"])
        case other:
            logger.warning("Unknown event", extra={"detail_type": other})
            return None


def _from_result(key: str) -> Notice | None:
    data = FileStore(settings().bucket).read(key)
    if data is None:
        logger.info("The result is gone: the job was removed meanwhile")
        return None
    result = json.loads(data)
    notice = Notice(kind="completed", owner=result["owner"], jobId=result["jobId"])
    return notice if _is_its_own(key, notice) else None


def _is_its_own(key: str, notice: Notice) -> bool:
    """Whether a result lies where its job's own does: what a file says of itself proves nothing."""
    try:
        job = JobStore(settings().jobs_table).get(notice.owner, notice.jobId)
    except JobNotFound:
        logger.info("The job was removed meanwhile")
        return False
    if key != job.files.result:
        logger.warning("A result that is not its job's own", extra={"key": key})
        return False
    return True


def _from_execution(detail: dict[str, Any]) -> Notice | None:
    job = json.loads(detail["input"])
    notice = Notice(
        kind="failed",
        owner=job["owner"],
        jobId=job["jobId"],
        executionArn=detail["executionArn"],
    )
    return notice if _correct_record(notice, detail) else None


def _correct_record(notice: Notice, detail: dict[str, Any]) -> bool:
    """Bring a job whose execution ended without saying so to FAILED.

    Returns
    -------
    bool
        Whether the job has failed; False where it was cancelled, removed or completed.
    """
    store = JobStore(settings().jobs_table)
    try:
        job = store.get(notice.owner, notice.jobId)
    except JobNotFound:
        return False
    if job.status not in TERMINAL:
        error = _error_of(detail)
        failure = Failure(name=error.name, message=error.message, stage="Execution")
        if store.fail(job, failure):
            count("RecordCorrected")
            return True
        return _correct_record(notice, detail)
    return job.status is Status.FAILED


def _error_of(detail: dict[str, Any]) -> Gen3DError:
    match detail["status"]:
        case "ABORTED":
            return ExecutionAborted("The job was stopped from outside. Start a new one.")
        case "TIMED_OUT":
            return ExecutionTimedOut("The job took longer than it may. Start a new one.")
        case _:
            return InternalError("The job failed on our side. Start a new one.")


_TRUE_IN: dict[str, set[Status]] = {
    # Told shortly before the record says so.
    "prepared": {Status.INITIALIZING, Status.AWAITING_MASK},
    # So is this: the result is there first.
    "completed": {Status.RECONSTRUCTING, Status.COMPLETED},
    "failed": {Status.FAILED},
    "expired": {Status.EXPIRED},
}
"""Statuses in which a notice is true; another one, as of a cancelled job, is past."""


def notify(notice: Notice) -> None:
    """Send what this calls for; a job that was cancelled or removed calls for nothing."""
    s = settings()
    try:
        job = JobStore(s.jobs_table).get(notice.owner, notice.jobId)
    except JobNotFound:
        logger.info("The job was removed meanwhile")
        return
    if job.status not in _TRUE_IN[notice.kind]:
        logger.info("The notice is past", extra={"status": job.status})
        return
    failures = []
    for role, mail in _mails(notice, job, FileStore(s.bucket)):
        try:
            deliver(f"{job.job_id}#{notice.kind}#{role}", mail)
        except MailFailed as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def _mails(notice: Notice, job: Job, files: FileStore) -> list[tuple[str, mails.Mail]]:
    s = settings()
    match notice.kind:
        case "prepared":
            return [("owner", mails.prepared(job, s.web_url))]
        case "completed":
            return [
                ("owner", mails.completed(job, files, s.web_url)),
                ("admin", mails.completed_admin(job, s.admin_email)),
            ]
        case "failed":
            return [
                ("owner", mails.failed(job, s.web_url)),
                ("admin", mails.failed_admin(job, notice.executionArn, s)),
            ]
        case "expired":
            return [("owner", mails.expired(job, s.web_url))]


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Lambda's entry point."""
    register(context)
    notice = notice_of(event)
    if notice is None:
        return
    logger.append_keys(job_id=notice.jobId, kind=notice.kind)
    notify(notice)
