"""A job as data: its statuses, the transitions between them, its stages, objects and executions.

The API writes CREATED, CANCELLED and DELETED; everything else of a job's life is written by its
execution (``statemachines/gen3d.asl.yaml``), whose conditions repeat `TRANSITIONS`.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal  # noqa: TID251  answers as their steps gave them

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from ulid import ULID

from gen3d.errors import ERRORS, ExecutionTimedOut, Gen3DError, InternalError, JobNotFound
from gen3d.options import SEED_ALONE, HasOptions, Offer, Options
from gen3d.paths import JobFiles, Uploads, seed_folder, uploads_prefix

MAX_NAME = 100
"""Letters in the name of a job or an object."""


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
    DELETED = "DELETED"
    """Gone for everybody; the record stays for two days as a tombstone, which writers respect."""


class ObjectStatus(StrEnum):
    """Where one object of a job stands."""

    PENDING = "PENDING"
    MESHING = "MESHING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


RESUMABLE = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED})
"""A job that has ended so may be taken up again, by another execution."""

TERMINAL = RESUMABLE | {Status.DELETED}
"""No execution is at work any more."""

_ENDS = {Status.FAILED, Status.CANCELLED, Status.EXPIRED, Status.DELETED}
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.CREATED: frozenset({Status.INITIALIZING, *_ENDS}),
    Status.INITIALIZING: frozenset({Status.AWAITING_MASK, Status.RECONSTRUCTING, *_ENDS}),
    Status.AWAITING_MASK: frozenset({Status.RECONSTRUCTING, *_ENDS}),
    Status.RECONSTRUCTING: frozenset({Status.COMPLETED, *_ENDS}),
    **{status: frozenset({Status.INITIALIZING, Status.DELETED}) for status in RESUMABLE},
    Status.DELETED: frozenset(),
}
"""From → to. An execution that takes up what an earlier one left begins as INITIALIZING. One that
cannot begin leaves any of `RESUMABLE` FAILED, and one that is cancelled before it begins CANCELLED,
unless the job is complete.
"""


def new_job_id() -> str:
    """A ULID: unique, and sorts by time."""
    return str(ULID())


def oldest_job_id(moment: datetime) -> str:
    """The id before all that are made from this moment on."""
    return str(ULID.from_timestamp(moment.timestamp()))[:10] + "0" * 16


def check_job_id(job_id: str) -> str:
    """Refuse what is no job id before it reaches a table.

    Raises
    ------
    JobNotFound
        Not a ULID in its canonical spelling.
    """
    if not is_ulid(job_id):
        raise JobNotFound("There is no such job. Look it up in your list of jobs.")
    return job_id


def is_ulid(text: str) -> bool:
    """Whether it is a ULID in its canonical spelling."""
    try:
        return str(ULID.from_str(text)) == text
    except ValueError:
        return False


_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and a symbol by their categories, which every font leaves blank."""


def plain(text: str) -> str:
    """A name fit for a line of a mail, a header and a log, as somebody wrote it otherwise.

    Control characters and line ends become spaces, and spaces in a row become one. What turns the
    direction of writing goes, as it makes a file's ending read like another. Nothing is left of a
    name that nobody could see.
    """
    shown = _BIDI.sub("", text)
    # Of line ends, Unicode's own are taken for spaces by `split`, and the others are controls.
    spaced = (" " if unicodedata.category(c) == "Cc" else c for c in shown)
    line = " ".join("".join(spaced).split())
    unseen = (c in _FILLERS or unicodedata.category(c) in ("Cf", "Zs") for c in line)
    return "" if all(unseen) else line


PLAIN = BeforeValidator(lambda v: plain(v) if isinstance(v, str) else v)
"""Makes what a person wrote `plain`, before anything else is asked of it."""

PlainText = Annotated[str, PLAIN]


class _Record(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


_JSON_TEXT = BeforeValidator(lambda v: json.loads(v) if isinstance(v, str) else v)
"""Of what the state machine keeps as JSON text."""

JsonText = Annotated[dict[str, Any], _JSON_TEXT]


class TimeSpan(_Record):
    """When a stage of a job started and ended, UTC."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def milliseconds(self) -> int | None:
        """How long it took, or None where it has not ended."""
        if self.start is None or self.end is None:
            return None
        return round((self.end - self.start).total_seconds() * 1000)


class StageTimes(_Record):
    """When each stage of the hybrid split started and ended."""

    initialize: TimeSpan = Field(default_factory=TimeSpan)
    mask: TimeSpan = Field(default_factory=TimeSpan)
    reconstruct: TimeSpan = Field(default_factory=TimeSpan)


class PhotoSize(_Record):
    """The upright photo's pixels and the file's length."""

    width: int
    height: int
    bytes: int


class EngineRevision(_Record):
    """Whose weights made the embeddings; the decoder has to be of the same."""

    engine: str
    revision: str
    offers: Annotated[Offer, _JSON_TEXT] = SEED_ALONE
    """What may be chosen of it."""
    takes: Annotated[tuple[str, ...], _JSON_TEXT] = Field(
        default=(), exclude_if=lambda takes: not takes
    )
    """What it can use beside photo and masks: of `gen3d.contract.Takes`."""


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
            return ExecutionTimedOut("It took longer than it may. Try it again.")
        return InternalError("Something went wrong on our side. Try it again.")


class JobObject(HasOptions, _Record):
    """One object of a job. `splat` and `mesh` are the answers of the engine and of the mesh step.

    An engine's answer is called a splat whatever it made: see `engine_mesh`.

    `draft` is the answer about a mesh that the lite engine made at once, which stands in until
    there is `mesh`.
    """

    n: int
    name: str
    options: Annotated[Options, _JSON_TEXT] = Options()
    status: ObjectStatus = ObjectStatus.PENDING
    splat: JsonText | None = None
    mesh: JsonText | None = None
    draft: JsonText | None = None
    folder: str = Field(default="", exclude_if=lambda folder: not folder)
    """In which folder of the object its files lie: a seed's, where it was kept among several."""
    meshing_since: datetime | None = None
    """When there was a splat, while its mesh is made."""
    error: Failure | None = None

    @property
    def engine_mesh(self) -> JsonText | None:
        """The engine's answer, if it made a mesh in the place of a splat."""
        return self.splat if self.splat and self.splat.get("shape") == "mesh" else None

    @property
    def gaussians(self) -> JsonText | None:
        """The engine's answer, if it made a splat."""
        return None if self.engine_mesh else self.splat


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
    key_id: str = ""
    """The key that created it; empty where its owner did."""
    run: int = 0
    """Which execution the record is of: 0 before the first has begun, 2 and more for retries."""
    completed_run: int | None = None
    """Which run completed the job last, as it wrote itself."""
    deleted_at: datetime | None = None
    stages: StageTimes = Field(default_factory=StageTimes)
    image: PhotoSize | None = None
    text: str | None = None
    """What to look for in the photo, where the owner said it."""
    prompted: int = Field(default=0, exclude_if=lambda objects: not objects)
    """How many objects the request that made the job shows, each as often as it has seeds; 0 where
    a person makes masks."""
    depth: bool = Field(default=False, exclude_if=lambda depth: not depth)
    """Whether its owner has a depth map of the photo."""
    model: EngineRevision | None = None
    draft_model: EngineRevision | None = None
    """The lite engine's, whose embeddings stand in until there are those of `model`."""
    objects: dict[str, JobObject] = Field(default_factory=dict)
    """By their numbers; and by `variant_key` what several seeds make of one."""
    scene: JsonText | None = None
    """The answer of the step that set the objects beside each other, or its ``error``."""
    error: Failure | None = None

    @property
    def files(self) -> JobFiles:
        """Keys of the job's files."""
        return JobFiles(self.prefix)

    @property
    def uploads(self) -> Uploads:
        """Keys to which the job's photo and masks are uploaded."""
        return Uploads(uploads_prefix(self.identity_id, self.job_id))

    @property
    def awaits_model(self) -> bool:
        """Whether embeddings of `model` are on their way."""
        begun = self.stages.initialize.start is not None and self.stages.initialize.end is None
        return self.model is None and begun and self.status not in (Status.CREATED, *TERMINAL)

    @property
    def waiting_objects(self) -> int:
        """How many objects wait for the model, or will once their masks are made by themselves."""
        if self.status is Status.RECONSTRUCTING:
            return sum(o.status is ObjectStatus.PENDING for o in self.engine_objects)
        unmasked = self.status is Status.INITIALIZING and not self.objects
        return self.prompted if unmasked else 0

    @property
    def status_run(self) -> int:
        """The run whose doing the status is.

        A complete job has the number of a later one where that was withdrawn before it began.
        """
        if self.status is Status.COMPLETED and self.completed_run is not None:
            return self.completed_run
        return self.run

    @property
    def ordered_objects(self) -> list[JobObject]:
        """The objects in the order in which they were named."""
        return sorted((o for key, o in self.objects.items() if key.isdecimal()), key=lambda o: o.n)

    def variants(self, n: int) -> list[JobObject]:
        """What several seeds make of an object, by their seeds; none where it has one alone."""
        found = (o for key, o in self.objects.items() if o.n == n and not key.isdecimal())
        return sorted(found, key=lambda o: o.seed)

    @property
    def engine_objects(self) -> list[JobObject]:
        """What an engine makes: each object, or in its place its variants."""
        return [made for o in self.ordered_objects for made in self.variants(o.n) or [o]]


# Executions


def execution_name(job_id: str, run: int) -> str:
    """The name of a job's execution: that of the job, for retries with their number."""
    return job_id if run <= 1 else f"{job_id}-{run}"


class Resume(StrEnum):
    """Where an execution takes its job up."""

    INITIALIZE = "initialize"
    MASK = "mask"
    RECONSTRUCT = "reconstruct"


def variant_key(n: int, seed: int) -> str:
    """Under which a record holds what one of several seeds makes of an object."""
    return f"{n}.{seed}"


class ObjectTask(HasOptions):
    """One object as an execution gets it: what to make, and what there is of it already.

    One that is ``left`` failed before, and stays as it is. Where several seeds are tried, each is a
    task among its ``variants``; then the truest is kept, or the seed that is ``kept``.
    """

    n: int
    name: str
    have: Literal["nothing", "splat", "mesh", "left"] = "nothing"
    splat: dict[str, Any] | None = None
    mesh: dict[str, Any] | None = None
    draft: dict[str, Any] | None = Field(default=None, exclude_if=lambda draft: draft is None)
    error: dict[str, str] | None = None
    folder: str = Field(default="", exclude_if=lambda folder: not folder)
    variants: tuple["ObjectTask", ...] = Field(default=(), exclude_if=lambda each: not each)
    kept: int | None = Field(default=None, exclude_if=lambda kept: kept is None)

    @classmethod
    def anew(cls, n: int, name: str, options: Options) -> "ObjectTask":
        """An object of which there is nothing yet."""
        each = options.each_seed() if options.engine.seeds > 1 else ()
        variants = tuple(
            cls(n=n, name=name, options=one, folder=seed_folder(one.engine.seed)) for one in each
        )
        return cls(n=n, name=name, options=options, variants=variants)

    @property
    def steps(self) -> "tuple[ObjectTask, ...]":
        """What is made one by one: its variants, or itself."""
        return self.variants or (self,)

    def records(self) -> dict[str, JobObject]:
        """What a record holds of it before anything is made of it."""
        own = {str(self.n): self._record()}
        return own | {variant_key(v.n, v.seed): v._record() for v in self.variants}

    def _record(self) -> JobObject:
        # Nothing but what the task keeps: what has other options has no figures yet.
        return JobObject(
            n=self.n,
            name=self.name,
            options=self.options,
            status=_STATUS_OF.get(self.have, ObjectStatus.PENDING),
            splat=self.splat,
            mesh=self.mesh,
            draft=self.draft,
            folder=self.folder,
            error=Failure(**self.error) if self.error else None,
        )


_STATUS_OF = {"mesh": ObjectStatus.COMPLETED, "left": ObjectStatus.FAILED}


def execution_input(
    job: Job,
    run: int,
    resume: Resume = Resume.INITIALIZE,
    objects: Iterable[ObjectTask] = (),
    *,
    scene: bool = False,
) -> str:
    """The state machine's input, as JSON.

    The same job gives the same text, so that starting an execution twice starts one. It says
    ``after`` which run it goes on: what it knows of the job is past once another has begun.

    Parameters
    ----------
    job : Job
        With its photo's size, and the text to look for.
    run : int
        Which execution of the job this is, from 1.
    resume : Resume
    objects : iterable of ObjectTask
        All of the job's objects, where it resumes with their reconstruction.
    scene : bool
        Whether one is wanted of a single object, too.
    """
    first = resume is Resume.INITIALIZE
    return json.dumps(
        {
            "owner": job.owner,
            "jobId": job.job_id,
            "run": run,
            "after": job.run,
            "prefix": job.prefix,
            "photo": job.files.image(job.content_type),
            "contentType": job.content_type,
            "text": job.text,
            "image": job.image.model_dump() if job.image else None,
            "resume": resume,
            "embeddings": job.model.model_dump() if job.model and not first else None,
            "objects": [o.model_dump() for o in objects],
            **({"scene": True} if scene else {}),
            **({"prompts": job.files.prompts} if job.prompted else {}),
            **({"depth": True} if job.depth else {}),
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
