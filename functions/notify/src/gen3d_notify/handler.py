"""Tells the owner and the admin how a job ended, once, whichever trigger comes first.

The owner also hears of a photo whose preparation took long. Three triggers: the state machine, the
arrival of ``result.json``, and the rule on executions that failed, timed out or were aborted. The
last also corrects a record that nobody else could, and tells of an end that its execution did not
live to tell. A notice is of one run of its job: what an earlier one says is past. Nobody is told
anything that the record does not say.
"""

import json
import time
from typing import Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from gen3d.errors import (
    ExecutionAborted,
    ExecutionTimedOut,
    Gen3DError,
    InternalError,
    JobNotFound,
    MailFailed,
)
from gen3d.jobs import RESUMABLE, TERMINAL, Failure, Job, Status
from gen3d_aws import clients
from gen3d_aws.observability import count, logger, metrics, tracer
from gen3d_aws.store import FileStore, JobStore
from gen3d_notify import mails
from gen3d_notify.delivery import deliver
from gen3d_notify.settings import NotifySettings

LOOKS = (0.1, 0.2, 0.5, 1, 2, 4)
"""Seconds between looks at a record that follows its result, mostly within the first."""


class Notice(BaseModel):
    """Which job, and what of it: ``prepared``, or its end."""

    kind: Literal["prepared", "completed", "failed", "expired"]
    owner: str
    jobId: str  # noqa: N815  as the state machine spells it
    run: int = 0
    executionArn: str = ""  # noqa: N815


class StoredObject(BaseModel):
    """A file in the bucket."""

    key: str


class ObjectCreated(BaseModel):
    """S3's event, in what is read of it."""

    object: StoredObject


class ExecutionEnd(BaseModel):
    """Step Functions' event, in what is read of it; `input` is JSON."""

    executionArn: str  # noqa: N815
    status: str
    input: str


def notice_of(event: dict[str, object]) -> Notice | None:
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
            return _from_result(ObjectCreated.model_validate(event["detail"]).object.key)
        case "Step Functions Execution Status Change":
            return _from_execution(ExecutionEnd.model_validate(event["detail"]))
        case other:
            logger.warning("Unknown event", extra={"detail_type": other})
            return None


def _from_result(key: str) -> Notice | None:
    data = FileStore(NotifySettings.read().bucket).read(key)
    if data is None:
        logger.info("The result is gone: the job was removed meanwhile")
        return None
    result = json.loads(data)
    notice = Notice(
        kind="completed",
        owner=result["owner"],
        jobId=result["jobId"],
        run=result.get("run", 0),  # none, as in a record, where both are from before there were any
    )
    return notice if _is_its_own(key, notice) else None


def _is_its_own(key: str, notice: Notice) -> bool:
    """Whether a result lies where its job's own does: what a file says of itself proves nothing."""
    try:
        job = JobStore(NotifySettings.read().jobs_table).get(notice.owner, notice.jobId)
    except JobNotFound:
        logger.info("The job was removed meanwhile")
        return False
    if key != job.files.result:
        logger.warning("A result that is not its job's own", extra={"key": key})
        return False
    return True


def _from_execution(end: ExecutionEnd) -> Notice | None:
    job = json.loads(end.input)
    run = job.get("run", 0)
    notice = Notice(
        kind="failed",
        owner=job["owner"],
        jobId=job["jobId"],
        run=run,
        executionArn=end.executionArn,
    )
    return _corrected(notice, job.get("after", run - 1), end)


def _corrected(notice: Notice, after: int, end: ExecutionEnd) -> Notice | None:
    """Bring a job whose execution ended without saying so to FAILED.

    Returns
    -------
    Notice or None
        What is to be told; None where the job was cancelled or removed meanwhile, or another
        execution has it.
    """
    store = JobStore(NotifySettings.read().jobs_table)
    try:
        job = store.get(notice.owner, notice.jobId)
    except JobNotFound:
        return None
    # An execution that ended before it began left the record as it was, with its own number before.
    never_began = job.run == after < notice.run and job.status in (Status.CREATED, *RESUMABLE)
    if not never_began:
        if job.status_run != notice.run:
            return None
        if job.status in TERMINAL:
            return _untold(notice, job)
    error = _error_of(end)
    failure = Failure(name=error.name, message=error.message, stage="Execution")
    if not store.fail(job, failure, notice.run):
        return _corrected(notice, after, end)
    count("RecordCorrected")
    return notice


def _untold(notice: Notice, job: Job) -> Notice | None:
    """What there is to tell of a job whose execution wrote its end and then broke down."""
    match job.status:
        case Status.FAILED:
            return notice
        case Status.EXPIRED:
            return notice.model_copy(update={"kind": "expired"})
        case Status.COMPLETED:
            return notice.model_copy(update={"kind": "completed"})
        case _:
            return None


def _error_of(end: ExecutionEnd) -> Gen3DError:
    match end.status:
        case "ABORTED":
            return ExecutionAborted("The job was stopped from outside. Try it again.")
        case "TIMED_OUT":
            return ExecutionTimedOut("The job took longer than it may. Try it again.")
        case _:
            return InternalError("The job failed on our side. Try it again.")


_TRUE_IN: dict[str, set[Status]] = {
    # Told shortly before the record says so.
    "prepared": {Status.INITIALIZING, Status.AWAITING_MASK},
    "completed": {Status.COMPLETED},
    "failed": {Status.FAILED},
    "expired": {Status.EXPIRED},
}
"""Statuses in which a notice is true; another one, as of a cancelled job, is past."""


def notify(notice: Notice, until: float) -> None:
    """Send what this calls for; a job that was cancelled or removed calls for nothing.

    Parameters
    ----------
    notice : Notice
    until : float
        When this invocation ends, in seconds since 1970.

    Raises
    ------
    MailFailed
        One mail or both were not sent, or it is not known yet what became of the job.
    """
    s = NotifySettings.read()
    try:
        job = _settled(notice, JobStore(s.jobs_table))
    except JobNotFound:
        logger.info("The job was removed meanwhile")
        return
    if job.status_run != notice.run or job.status not in _TRUE_IN[notice.kind]:
        logger.info("The notice is past", extra={"status": job.status, "run": job.run})
        return
    failures = []
    for role, mail in _mails(notice, job, FileStore(s.bucket)):
        try:
            deliver(f"{job.job_id}#{notice.run}#{notice.kind}#{role}", mail, until)
        except MailFailed as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def _settled(notice: Notice, store: JobStore) -> Job:
    """Read the job; where its result is there and its record has not followed yet, wait for it.

    Raises
    ------
    MailFailed
        It did not follow. Who called calls again; should the record follow only after that, its
        execution tells, or the rule on executions that broke down.
    """
    for wait in (*LOOKS, None):
        job = store.get(notice.owner, notice.jobId)
        under_way = job.status is Status.RECONSTRUCTING and job.run == notice.run
        if notice.kind != "completed" or not under_way:
            return job
        if wait is not None:
            time.sleep(wait)
    raise MailFailed("The record does not say yet that the job is complete. It is asked again.")


def _mails(notice: Notice, job: Job, files: FileStore) -> list[tuple[str, mails.Mail]]:
    s = NotifySettings.read()
    match notice.kind:
        case "prepared":
            return [("owner", mails.prepared(job, s.web_url))]
        case "completed":
            told = [("owner", mails.completed(job, files, s.web_url))]
            if s.admin_notices == "all":
                told.append(("admin", mails.completed_admin(job, s.admin_email)))
            return told
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
@clients.naming_faults()
def handler(event: dict[str, object], context: LambdaContext) -> None:
    """Lambda's entry point."""
    until = time.time() + context.get_remaining_time_in_millis() / 1000
    notice = notice_of(event)
    if notice is None:
        return
    logger.append_keys(job_id=notice.jobId, kind=notice.kind)
    notify(notice, until)
