"""What is told of a job to programs: by webhooks, and on the stack's event bus.

A job's record is the one place where its status is written, so that what is told follows from two
states of it, before a change and after.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from gen3d.jobs import Failure, Job, ObjectStatus, Status


class EventType(StrEnum):
    """What is told."""

    AWAITING_MASK = "job.awaiting_mask"
    """The photo is prepared, and somebody has to say what is wanted of it."""
    COMPLETED = "job.completed"
    """The meshes are there, of some objects at least."""
    FAILED = "job.failed"
    CANCELLED = "job.cancelled"
    EXPIRED = "job.expired"
    """Nobody made a mask in time."""


TOLD: Mapping[Status, EventType] = {Status[each.name]: each for each in EventType}
"""The statuses of which somebody is told."""


class _Told(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Refusal(_Told):
    """Why something failed."""

    error: str
    """The error's name, as the API has it."""
    message: str


class ObjectState(_Told):
    """Where one object stands."""

    n: int
    name: str
    status: ObjectStatus
    error: Refusal | SkipJsonSchema[None] = None


class JobState(_Told):
    """Where a job stands. Its files have links that last an hour: ask for the job, and get them."""

    job_id: str
    owner: str
    """The person's `sub` in the user pool."""
    name: str
    status: Literal[
        Status.AWAITING_MASK, Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED
    ]
    run: int
    """Which run of the job came to this: 1, and more once it was taken up again."""
    key_id: str | SkipJsonSchema[None] = None
    """The key with which it was created; absent where a person did."""
    created_at: datetime
    objects: list[ObjectState]
    """As long as it waits for masks there are none."""
    error: Refusal | SkipJsonSchema[None] = None


class WebhookMessage(_Told):
    """What is posted to a webhook."""

    type: EventType
    timestamp: datetime
    """When it came to be; attempts at telling it have times of their own."""
    data: JobState


class BusEvent(_Told):
    """What EventBridge's rules see; EventBridge adds more, `id` and `time` among it."""

    source: Literal["gen3d"]
    detail_type: Literal["Gen3D Job Status Change"] = Field(alias="detail-type")
    detail: JobState

    @classmethod
    def of(cls, state: JobState) -> Self:
        """The event of a job's state."""
        kind = "Gen3D Job Status Change"
        return cls.model_validate({"source": "gen3d", "detail-type": kind, "detail": state})


class Announcement(_Told):
    """What is to be told, once."""

    event_id: str
    """The same however often it is told. It has no full stop, which would end it in a signature."""
    message: WebhookMessage

    @classmethod
    def of(cls, before: Job | None, after: Job, at: datetime) -> Self | None:
        """What a change of a job's record gives to tell.

        Returns
        -------
        Announcement or None
            None where the status is none of `TOLD`, or was there before.
        """
        kind = TOLD.get(after.status)
        if kind is None or (before is not None and _standing(before) == _standing(after)):
            return None
        status, run = _standing(after)
        message = WebhookMessage(type=kind, timestamp=at, data=_state(after))
        return cls(event_id=f"{after.job_id}-{run}-{status}", message=message)


def _standing(job: Job) -> tuple[Status, int]:
    return job.status, job.status_run


def _state(job: Job) -> JobState:
    return JobState.model_validate(
        {
            "job_id": job.job_id,
            "owner": job.owner,
            "name": job.name,
            "status": job.status,
            "run": job.status_run,
            "key_id": job.key_id or None,
            "created_at": job.created_at,
            "objects": [
                ObjectState(n=o.n, name=o.name, status=o.status, error=_refusal(o.error))
                for o in job.ordered_objects
            ],
            "error": _refusal(job.error),
        }
    )


def _refusal(failure: Failure | None) -> Refusal | None:
    if failure is None:
        return None
    error = failure.public()
    return Refusal(error=error.name, message=error.message)
