"""Looks after what nobody else does: the queue, an endpoint without work, and each hour everything.

The operator calls it too, to take failed jobs up again: one with ``{"retry": {"owner": …, "jobId":
…}}``, all that failed since a time with ``{"retrySince": "2026-11-28T12:00:00Z"}``.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TypedDict

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from gen3d.errors import Gen3DError
from gen3d.jobs import now
from gen3d_aws import clients
from gen3d_aws.dispatch import Dispatcher
from gen3d_aws.observability import count, logger, metrics, tracer
from gen3d_aws.runs import Runs
from gen3d_aws.store import JobStore
from gen3d_reconcile.idle import end_idle_instances
from gen3d_reconcile.settings import ReconcileSettings
from gen3d_reconcile.sweep import Sweep, failed_since


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Scheduled(_Event):
    """The schedule's."""

    task: Literal["queue", "idle", "sweep"]


class Retried(_Event):
    """A job, by its owner."""

    owner: str
    jobId: str  # noqa: N815  as everywhere in JSON


class Retry(_Event):
    """The operator's, about one job."""

    retry: Retried


class RetrySince(_Event):
    """The operator's, about all that failed since then."""

    retrySince: AwareDatetime  # noqa: N815


RETRY_SECONDS = 60
"""So long taking one job up may last at worst: three calls, which AWS leaves without an answer."""

EVENT: TypeAdapter[Scheduled | Retry | RetrySince] = TypeAdapter(Scheduled | Retry | RetrySince)


class Outcome(TypedDict):
    """What came of taking jobs up again."""

    retried: list[str]
    refused: dict[str, str]
    """Id → the sentence that says why not."""


def serve_queue() -> dict[str, int]:
    """Make good what senders left behind, send what is next, and say how long the queue is.

    Returns
    -------
    dict of str to int
        What was done, and how many requests wait.
    """
    dispatcher = Dispatcher.of(ReconcileSettings.read())
    done = {
        "InvocationLost": dispatcher.give_up_lost(),
        "InvocationSentAgain": dispatcher.send_again(),
        "InvocationSent": dispatcher.dispatch(),
    }
    waiting = dispatcher.tokens.waiting()
    for name in ("InvocationLost", "InvocationSentAgain"):
        if done[name]:
            count(name, done[name])
    if waiting:  # a metric costs nothing while there is nothing to say
        oldest = datetime.fromisoformat(min(waiting).place)
        count("QueueLength", len(waiting))
        metrics.add_metric(
            name="QueueAge",
            unit=MetricUnit.Seconds,
            value=max(0.0, (datetime.now(UTC) - oldest).total_seconds()),
        )
    return {**done, "QueueLength": len(waiting)}


def retry(jobs: list[tuple[str, str]], until: float) -> Outcome:
    """Take jobs up again where they failed; one that cannot be keeps no other from it.

    Parameters
    ----------
    jobs : list of (str, str)
        Owners and ids.
    until : float
        When this invocation ends, in seconds since 1970. What is left by then is named.

    Returns
    -------
    Outcome
    """
    s = ReconcileSettings.read()
    runs = Runs(s.state_machine_arn, JobStore(s.jobs_table))
    retried: list[str] = []
    refused: dict[str, str] = {}
    for owner, job_id in jobs:
        if time.time() + RETRY_SECONDS > until:
            refused[job_id] = "There was no time left for it. Run the command again."
            continue
        try:
            with clients.naming_faults():
                runs.retry(owner, job_id)
        except Gen3DError as error:
            refused[job_id] = error.message
        except Exception:  # the others go on, and the operator hears of this one
            logger.exception("A job could not be taken up again", extra={"job_id": job_id})
            refused[job_id] = "It failed on our side. Read the reconcile function's log."
        else:
            retried.append(job_id)
    if retried:
        count("JobRetried", len(retried))
    return {"retried": retried, "refused": refused}


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
@clients.naming_faults()
def handler(event: dict[str, object], context: LambdaContext) -> Mapping[str, object]:
    """Lambda's entry point."""
    until = time.time() + context.get_remaining_time_in_millis() / 1000
    match EVENT.validate_python(event):
        case Scheduled(task="queue"):
            done: Mapping[str, object] = serve_queue()
        case Scheduled(task="idle"):
            done = end_idle_instances(ReconcileSettings.read(), now())
        case Scheduled():
            done = Sweep(ReconcileSettings.read(), now()).run()
        case Retry(retry=job):
            done = retry([(job.owner, job.jobId)], until)
        case RetrySince(retrySince=moment):
            failed = [(r.owner, r.job_id) for r in failed_since(ReconcileSettings.read(), moment)]
            done = retry(failed, until)
    logger.info("Done", extra={"done": done})
    return done
