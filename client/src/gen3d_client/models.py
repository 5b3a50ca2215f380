"""What the API answers, as far as it is read here; what is not known is kept, and passed on.

Only what a client cannot do without is required, so that one that is older than the API reads on:
a status or a phase is any word, files are those that an answer names, and an object's figures are
whatever the mesh step says.
"""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from gen3d_client.errors import Outdated

A = TypeVar("A", bound="Answer")


class Answer(BaseModel):
    """A part of an answer; its fields are called as on the wire, in snake case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    def as_json(self) -> dict[str, object]:
        """As it came, with what is not known here."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Link(Answer):
    """A signed link."""

    url: str


class Upload(Link):
    """A form by which a file may be posted."""

    fields: dict[str, str]
    beside: "Upload | None" = None
    """Of a photo's, the form of its depth map, where it has one."""


class Created(Answer):
    """A job that was made just now."""

    job_id: str
    upload: Upload | None = None
    """Where its photo goes; None where the service has fetched it."""
    depth: Upload | None = None
    """Where its depth map goes."""

    @property
    def forms(self) -> Upload | None:
        """Where all that goes up goes."""
        return self.upload and self.upload.model_copy(update={"beside": self.depth})


class Uploads(Answer):
    """A form for each mask."""

    uploads: list[Upload]


class Failure(Answer):
    """Why something is not there."""

    error: str = ""
    message: str = ""


class DecoderLink(Link):
    """Where the decoder is, of which revision, and whether a better one is on its way."""

    revision: str
    draft: bool = False


class HowFar(Answer):
    """How far an object is."""

    phase: str
    fraction: float
    rest_seconds: float | None = None


class Draft(Answer):
    """A mesh that stands in until there is the object's own."""

    files: dict[str, Link] = {}


class Figures(Answer):
    """What the mesh step says of its work."""

    warnings: list[str] = []


class Thing(Answer):
    """An object of a job."""

    n: int = 0
    name: str = ""
    status: str = ""
    mask: Link | None = None
    files: dict[str, Link] = {}
    splat: Link | None = None
    engine_mesh: Link | None = None
    mesh: Figures | None = None
    draft: Draft | None = None
    progress: HowFar | None = None
    error: Failure | None = None


class Scene(Answer):
    """The objects together, or why they are not."""

    files: dict[str, Link] = {}
    error: Failure | None = None


class StageTime(Answer):
    """How long a stage of a job took."""

    ms: float | None = None


class Waiting(Answer):
    """Where a job waits for the model."""

    ahead: int = 0


class Offered(Answer):
    """What may be chosen of an option: one of some values, or a whole number within bounds."""

    values: list[str | int] | None = None
    minimum: int | None = None
    maximum: int | None = None


Offers = dict[str, dict[str, Offered]]
"""By part, ``engine`` or ``mesh``, and name."""

CREATED, AWAITING_MASK, RECONSTRUCTING = "CREATED", "AWAITING_MASK", "RECONSTRUCTING"
COMPLETED = "COMPLETED"
KNOWN_ENDS = {COMPLETED, "FAILED", "CANCELLED", "EXPIRED"}


class Job(Answer):
    """A job with signed links to what there is of it."""

    job_id: str
    status: str
    poll_seconds: float | None
    name: str = ""
    run: int = 0
    queue: Waiting | None = None
    decoder: DecoderLink | None = None
    embeddings: Link | None = None
    offers: Offers = {}
    objects: list[Thing] = []
    scene: Scene | None = None
    stages: dict[str, StageTime] = {}
    error: Failure | None = None

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.poll_seconds is None

    @property
    def waits_for_masks(self) -> bool:
        """Whether somebody has to show its objects, which nobody has done yet."""
        return self.status == AWAITING_MASK

    @property
    def why(self) -> str:
        """Why it has ended so, in the sentence that the person would read."""
        said = self.error.message if self.error else ""
        return said or f"The job ended as {self.status}."


class Summary(Answer):
    """A row of one's jobs."""

    job_id: str
    name: str
    status: str
    created_at: str
    objects: int = 0
    picture: str | None = None
    draft: bool = False


class Page(Answer):
    """Some of one's jobs, and where the next ones begin."""

    jobs: list[Summary]
    cursor: str | None = None


class BatchJob(Answer):
    """A photo of a batch: its job's status once it has begun, or why it became no job."""

    job_id: str
    status: str | None = None
    error: Failure | None = None


class Batch(Answer):
    """Photos of one request, each a job of its own, in their order."""

    batch_id: str
    counts: dict[str, int]
    jobs: list[BatchJob]

    @property
    def at_work(self) -> int:
        """How many photos have come to no end yet."""
        return self.counts.get("waiting", 0) + self.counts.get("atWork", 0)


class KeyRow(Answer):
    """A key for a program, without its secret."""

    key_id: str
    name: str
    rights: list[str]
    jobs_per_day: int = 0
    created_at: str = ""
    used_at: str | None = None


class NewKey(KeyRow):
    """A key as it was made: its secret is in no other answer."""

    key: str


class Keys(Answer):
    """All of somebody's keys."""

    keys: list[KeyRow]


class WebhookRow(Answer):
    """An address that is told of jobs, without its secret."""

    webhook_id: str
    url: str
    events: list[str]
    created_at: str = ""
    stopped_at: str | None = None
    """When its receiver answered 410, and was told nothing any more."""


class NewWebhook(WebhookRow):
    """A webhook as it was registered: its secret is in no other answer."""

    secret: str


class Webhooks(Answer):
    """All of somebody's webhooks."""

    webhooks: list[WebhookRow]


class Attempt(Answer):
    """One try at a delivery: what was answered, or why nobody did."""

    at: str = ""
    ms: int = 0
    status: int | None = None
    answer: str = ""
    error: Failure | None = None


class Delivery(Answer):
    """Something that a webhook is told, and what became of it."""

    delivery_id: str
    state: str
    type: str = ""
    job_id: str = ""
    created_at: str = ""
    attempts: list[Attempt] = []
    next_at: str | None = None


class Deliveries(Answer):
    """Some of what a webhook was told, and where the next ones begin."""

    deliveries: list[Delivery]
    cursor: str | None = None


def read(kind: type[A], body: bytes, what: str) -> A:
    """Read an answer.

    Raises
    ------
    Outdated
        It is not of the form that is known here.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise Outdated(f"{what} is not as expected ({where}: {first['msg']}).") from None
