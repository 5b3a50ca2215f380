"""A job as data: its statuses, the transitions between them, its stages and objects.

The API writes CREATED, INITIALIZING and CANCELLED; everything after that is written by the state
machine (``statemachines/gen3d.asl.yaml``), whose conditions repeat `TRANSITIONS`.
"""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from ulid import ULID

from gen3d.errors import ERRORS, ExecutionTimedOut, Gen3DError, InternalError, JobNotFound
from gen3d.paths import JobFiles


class Status(StrEnum):
    """Where a job stands."""

    CREATED = "CREATED"
    INITIALIZING = "INITIALIZING"
    AWAITING_MASK = "AWAITING_MASK"
    RECONSTRUCTING = "RECONSTRUCTING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


class ObjectStatus(StrEnum):
    """Where one object of a job stands."""

    PENDING = "PENDING"
    MESHING = "MESHING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})

_ENDS = {Status.FAILED, Status.CANCELLED, Status.EXPIRED}
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.CREATED: frozenset({Status.INITIALIZING, *_ENDS}),
    Status.INITIALIZING: frozenset({Status.CREATED, Status.AWAITING_MASK, *_ENDS}),
    Status.AWAITING_MASK: frozenset({Status.RECONSTRUCTING, *_ENDS}),
    Status.RECONSTRUCTING: frozenset({Status.COMPLETED, *_ENDS}),
    **{status: frozenset() for status in TERMINAL},
}
"""From → to. INITIALIZING goes back to CREATED where the execution could not be started."""


def new_job_id() -> str:
    """A ULID: unique, and sorts by time."""
    return str(ULID())


def check_job_id(job_id: str) -> str:
    """Refuse what is no job id before it reaches a table.

    Raises
    ------
    JobNotFound
        Not a ULID in its canonical spelling.
    """
    try:
        canonical: str | None = str(ULID.from_str(job_id))
    except ValueError:
        canonical = None
    if canonical != job_id:
        raise JobNotFound("There is no such job. Look it up in your list of jobs.")
    return job_id


class _Record(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


JsonText = Annotated[
    dict[str, Any], BeforeValidator(lambda v: json.loads(v) if isinstance(v, str) else v)
]
"""An object that the state machine keeps as JSON text."""


class Stage(_Record):
    """When a stage started and ended, UTC."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def milliseconds(self) -> int | None:
        """How long it took, or None where it has not ended."""
        if self.start is None or self.end is None:
            return None
        return round((self.end - self.start).total_seconds() * 1000)


class Stages(_Record):
    """The three stages of the hybrid split."""

    initialize: Stage = Field(default_factory=Stage)
    mask: Stage = Field(default_factory=Stage)
    reconstruct: Stage = Field(default_factory=Stage)


class Image(_Record):
    """The upright photo's pixels and the file's length."""

    width: int
    height: int
    bytes: int


class Model(_Record):
    """Which weights made the embeddings; the decoder has to be of the same."""

    engine: str
    revision: str


class Failure(_Record):
    """Why a job or an object failed, and in which state."""

    name: str
    message: str
    stage: str = ""

    def public(self) -> Gen3DError:
        """The failure for the person: an error of ours, never AWS's or a library's words."""
        if self.name in ERRORS:
            return ERRORS[self.name](self.message)
        if self.name in ("States.Timeout", "States.HeartbeatTimeout"):
            return ExecutionTimedOut("It took longer than it may. Create a new job and try again.")
        return InternalError("Something went wrong on our side. Create a new job and try again.")


class JobObject(_Record):
    """One object of a job. `splat` and `mesh` are the answers of their steps."""

    n: int
    name: str
    seed: int = 0
    status: ObjectStatus = ObjectStatus.PENDING
    splat: JsonText | None = None
    mesh: JsonText | None = None
    error: Failure | None = None


class Job(_Record):
    """The job record, as it lies in the table."""

    owner: str
    job_id: str
    identity_id: str
    prefix: str
    email: str
    filename: str
    name: str
    content_type: str
    status: Status
    created_at: datetime
    ttl: int
    stages: Stages = Field(default_factory=Stages)
    image: Image | None = None
    text: str | None = None
    """What to look for in the photo, where the owner said it."""
    model: Model | None = None
    objects: dict[str, JobObject] = Field(default_factory=dict)
    error: Failure | None = None

    @property
    def files(self) -> JobFiles:
        """Keys of the job's files."""
        return JobFiles(self.prefix)

    @property
    def ordered_objects(self) -> list[JobObject]:
        """The objects in the order in which they were named."""
        return sorted(self.objects.values(), key=lambda o: o.n)

    def execution_input(self) -> str:
        """The state machine's input.

        The same job gives the same text, so that starting its execution twice starts one.
        """
        return json.dumps(
            {
                "owner": self.owner,
                "jobId": self.job_id,
                "prefix": self.prefix,
                "contentType": self.content_type,
                "text": self.text,
            },
            sort_keys=True,
        )


def now() -> datetime:
    """The present moment, UTC, to the millisecond that a record keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """Spell a moment as JSONata's ``$now()`` does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{moment.microsecond // 1000:03d}Z"
    )
