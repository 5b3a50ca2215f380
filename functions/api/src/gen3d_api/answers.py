"""What the API answers: a model an answer, from which its description and the page's types come.

What is absent until there is something of it is a `Maybe`, and is absent while nobody set it; what
is always there, and may be null, says so. There may be more in time: who reads an answer ignores
what they do not know.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, RootModel, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypeAliasType

from gen3d.announcements import EventType
from gen3d.api_keys import Right
from gen3d.contract import MAX_OBJECTS, Pose
from gen3d.errors import ERRORS
from gen3d.formats import MESH_FORMATS, PHOTO_FORMATS, SCENE_FORMATS, SPLAT_FORMATS
from gen3d.jobs import ObjectStatus, Status, iso
from gen3d.webhooks import DeliveryState

T = TypeVar("T")

Maybe: TypeAlias = T | SkipJsonSchema[None]
"""Where it is not set, it is absent."""

SHOWN = [status for status in Status if status is not Status.DELETED]
"""Of a job that is deleted the API says that it is not there."""

_Ulid = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$",
            "description": "A ULID.",
        }
    ),
]
JobId = TypeAliasType("JobId", _Ulid)
KeyId = TypeAliasType(
    "KeyId", Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{16}$"})]
)
ShareId = TypeAliasType(
    "ShareId",
    Annotated[
        str,
        WithJsonSchema(
            {
                "type": "string",
                "pattern": "^[0-9A-Za-z_-]{22}$",
                "description": "A share's, which is its secret, too.",
            }
        ),
    ],
)
BatchId = TypeAliasType("BatchId", _Ulid)
WebhookId = TypeAliasType("WebhookId", _Ulid)
DeliveryId = TypeAliasType("DeliveryId", _Ulid)
JobStatus = TypeAliasType(
    "JobStatus",
    Annotated[
        Status,
        WithJsonSchema({"type": "string", "enum": SHOWN, "description": "Where a job stands."}),
    ],
)
PhotoType = TypeAliasType(
    "PhotoType",
    Annotated[
        str,
        WithJsonSchema(
            {
                "type": "string",
                "enum": list(PHOTO_FORMATS),
                "description": "A photo's media type. More are taken in time.",
            }
        ),
    ],
)
ErrorName = TypeAliasType(
    "ErrorName",
    Annotated[
        str,
        WithJsonSchema(
            {"type": "string", "enum": sorted(ERRORS), "description": "What went wrong, in a word."}
        ),
    ],
)

Url: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "uri"})]
Moment: TypeAlias = Annotated[
    datetime, PlainSerializer(iso), WithJsonSchema({"type": "string", "format": "date-time"})
]
# Promised here, and held where it is made.
Share: TypeAlias = Annotated[float, Field(json_schema_extra={"minimum": 0, "maximum": 1})]
Count: TypeAlias = Annotated[int, Field(json_schema_extra={"minimum": 0})]
Positive: TypeAlias = Annotated[int, Field(json_schema_extra={"minimum": 1})]


class _Answer(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


class _Told(_Answer):
    """With all else that the step tells that made it."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def of(cls, told: Mapping[str, object], **more: object) -> Self:
        """As a step told it, and whichever version recorded it: it is shown, and not judged."""
        return cls.model_construct(None, **more, **told)


class Description(RootModel[dict[str, object]]):
    """An OpenAPI document."""


class ErrorView(_Answer):
    """What went wrong."""

    error: Maybe[ErrorName] = None
    """Absent where API Gateway answers by itself."""
    message: str
    """What happened and what to do, fit to be shown."""
    retry_after: Maybe[int] = None
    """Seconds, as in the header Retry-After."""


class Link(_Answer):
    """Where a file is read, for an hour."""

    url: Url


class FileLink(Link):
    """The same of a file whose length is told."""

    bytes: int


class UploadForm(_Answer):
    """Where a file is uploaded, within the hour: POST the fields as a form, and then ``file``."""

    url: Url
    fields: dict[str, str]


class CreatedJob(_Answer):
    """A job that waits for its photo."""

    job_id: JobId
    prefix: str
    """The job's folder in the bucket, with its closing slash."""
    upload: UploadForm
    depth: Maybe[UploadForm] = None
    """The form of the depth map, where there is one."""


class BatchItem(_Answer):
    """A photo of a batch."""

    job_id: JobId
    """Its job's, which is not there before its turn comes, nor where it was refused."""
    status: Maybe[JobStatus] = None
    """Absent until its turn comes."""
    error: Maybe[ErrorView] = None
    """Why it became no job. Of a job that failed, the job says why."""


class BatchCounts(_Answer):
    """How many photos of a batch are where."""

    waiting: Count
    """For their turn, as their owner has as many jobs as one person may."""
    at_work: Count
    completed: Count
    failed: Count
    """Or cancelled."""
    refused: Count
    """Became no job."""


class BatchView(_Answer):
    """A batch."""

    batch_id: BatchId
    counts: BatchCounts
    jobs: list[BatchItem]
    """In the order of the photos."""


class Uploads(_Answer):
    """Where masks go, in the order of the objects."""

    uploads: list[UploadForm]


class JobSummary(_Answer):
    """A job in a list."""

    job_id: JobId
    name: str
    status: JobStatus
    created_at: Moment
    objects: Count
    picture: Url | None
    """Of the first finished object, else of the first draft, else the photo."""
    draft: bool
    """Whether the picture is of a draft."""


class JobPage(_Answer):
    """Some jobs, newest first, and the cursor of the next page."""

    jobs: list[JobSummary]
    cursor: str | None
    """Null on the last page."""


class KeyView(_Answer):
    """A key for programs, without its secret."""

    key_id: KeyId
    name: str
    rights: list[Right]
    jobs_per_day: Count
    """How many jobs may be created with it within a day; 0 where its owner's limit alone counts."""
    created_at: Moment
    used_at: Moment | None
    """To some minutes; null where it never was."""


class NewKey(KeyView):
    """A key as it was made."""

    key: str
    """To be sent as `Authorization: Bearer …`. It is shown this once."""


class KeyPage(_Answer):
    """All keys, oldest first."""

    keys: list[KeyView]


class ShareView(_Answer):
    """An object that is shared."""

    share_id: ShareId
    """`GET /s/{shareId}` is the link to be sent: a page with title and picture for chats, which
    leads on to the model."""
    job_id: JobId
    object: Annotated[int, Field(ge=0, lt=MAX_OBJECTS)]
    name: str
    """The object's when it was shared."""
    created_at: Moment
    ends_at: Moment


class SharePage(_Answer):
    """All shares that open something, newest first."""

    shares: list[ShareView]


class SharedPage(RootModel[str]):
    """HTML: what a chat shows of a shared object; a browser goes on from it to the model."""


class WebhookView(_Answer):
    """An address that is told of jobs, without its secret."""

    webhook_id: WebhookId
    url: str
    events: list[EventType]
    created_at: Moment
    stopped_at: Moment | None
    """When it answered 410, and is told nothing any more; null while it is told."""


class NewWebhook(WebhookView):
    """A webhook as it was registered."""

    secret: str
    """With which its messages are signed, as Standard Webhooks says. It is shown this once."""


class WebhookPage(_Answer):
    """All webhooks, oldest first."""

    webhooks: list[WebhookView]


class AttemptView(_Answer):
    """One try at a delivery."""

    at: Moment
    ms: Count
    """How long it took."""
    status: int | None
    """What was answered; null where nobody answered."""
    answer: str
    """The beginning of the answer's body."""
    error: Maybe[ErrorView] = None
    """Why there was no answer."""


class DeliveryView(_Answer):
    """Something that a webhook is told, and what became of it."""

    delivery_id: DeliveryId
    event_id: str
    """The header `webhook-id`, the same each time."""
    type: EventType
    job_id: JobId
    created_at: Moment
    state: DeliveryState
    attempts: list[AttemptView]
    """The last twenty, in their order."""
    next_at: Moment | None
    """When it is tried next; null where it is tried no more."""


class DeliveryPage(_Answer):
    """Some deliveries, newest first, and the cursor of the next page."""

    deliveries: list[DeliveryView]
    cursor: str | None
    """Null on the last page."""


class StageView(_Answer):
    """When a stage started and ended."""

    start: Moment | None
    end: Moment | None
    ms: int | None
    """Once it has ended."""


class StagesView(_Answer):
    """The stages of a run."""

    initialize: StageView
    mask: StageView
    reconstruct: StageView


class QueueView(_Answer):
    """Where a job waits for the model."""

    ahead: Count
    """Requests before its first."""


class ImageView(FileLink):
    """The photo, upright."""

    bytes: Positive
    width: Positive
    height: Positive


class DecoderView(Link):
    """What makes masks of the photo's embeddings.

    When engine or revision changes, better ones have come; a mask that was made before may be sent
    all the same.
    """

    engine: str
    revision: str
    draft: bool
    """Whether better embeddings are on their way."""


class OfferedValues(_Answer):
    """One of some values may be chosen."""

    values: list[str | int]
    seconds: dict[str, float]
    """About how long an object takes with each; may be empty."""


class OfferedRange(_Answer):
    """A whole number may be chosen between these, which belong to it."""

    minimum: int
    maximum: int


Offered = TypeAliasType("Offered", OfferedValues | OfferedRange)


class OffersView(_Answer):
    """What may be chosen, by option. Its default, which need not be among it, always may."""

    engine: dict[str, Offered]
    mesh: dict[str, Offered]


class OptionsView(_Answer):
    """What an object is made with, by option."""

    engine: dict[str, str | int | None]
    mesh: dict[str, str | int | None]


class TruthView(_Answer):
    """How true a mesh is to the photo, drawn from there as its pose says."""

    silhouette: Share
    """Of what mesh or mask cover, the share that both do."""
    colour: Share | None
    """1 less the mean difference of their colours, where both are."""
    score: Maybe[Share] = None
    """The first times the second, by which one of several seeds is kept; not of older meshes."""


class MeshFigures(_Told):
    """What the mesh step says of its work."""

    vertices: int
    faces: int
    watertight: Maybe[bool] = None
    components: Maybe[int] = None
    gaussians: Maybe[int] = None
    """Of the splat that it was made of."""
    gaussians_kept: Maybe[int] = None
    coverage: Share | None = None
    """Share of the surface that the splat, or the engine's mesh, shows from outside that has the
    mesh within 2 % of the longest side; null where it shows hardly any, absent of older meshes."""
    warnings: Maybe[list[str]] = None
    """What to know before the mesh is used, in sentences."""
    height: Maybe[float] = None
    """Metres, upright, where it was said, or a depth map told it: then files are in metres, but
    those for printers, in millimetres."""
    truth: TruthView | None = None
    """Null where the engine did not see how the object stood in the photo."""
    timings: Maybe[dict[str, float]] = None
    """Milliseconds a step."""


class SplatView(_Told, FileLink):
    """The gaussians, with what their step says of them."""

    gaussians: int
    timings: Maybe[dict[str, float]] = None
    pose: Maybe[Pose] = None
    """Of an engine that finds it out."""


class EngineMeshView(_Told, FileLink):
    """In the place of a splat, of an engine that makes meshes: its GLB, as it came."""

    vertices: int
    faces: int
    timings: Maybe[dict[str, float]] = None
    pose: Maybe[Pose] = None
    """Of an engine that finds it out."""


MeshFiles: TypeAlias = Annotated[
    dict[str, FileLink],
    Field(
        description=f"By ending: {', '.join(MESH_FORMATS)}; {', '.join(SPLAT_FORMATS)} holds the "
        "gaussians where the GLB has its mesh, and `preview` is a picture."
    ),
]
SceneFiles: TypeAlias = Annotated[
    dict[str, FileLink],
    Field(description=f"By ending: {', '.join(SCENE_FORMATS)}; `preview` is a picture."),
]


class SharedView(_Answer):
    """What is shared: the object, and nothing else of its job."""

    name: str
    ends_at: Moment
    files: MeshFiles
    """Empty while the object is made anew. The links live a quarter of an hour."""


class DraftView(_Answer):
    """A mesh that was made at once, and stands in until there is the object's own.

    It stays where the object failed.
    """

    files: MeshFiles
    picture: Link
    mesh: MeshFigures


class ProgressView(_Answer):
    """How far an object is from the mask to the mesh: an estimate, and nothing depends on it."""

    phase: str
    """What goes on now: a phase of the engine, by the engine's own name, or ``mesh``; or
    ``nextSeed``, while one of several waits in the queue."""
    fraction: Share
    rest_seconds: Count | None
    """About how long it still takes; null where nobody knows."""


class VariantView(_Answer):
    """What one of several seeds makes of an object."""

    seed: int
    status: ObjectStatus
    kept: bool
    """Whether it is the object."""
    picture: Maybe[Link] = None
    mesh: Maybe[MeshFigures] = None
    error: Maybe[ErrorView] = None


class ObjectView(_Answer):
    """An object of a job."""

    n: Annotated[int, Field(ge=0, lt=MAX_OBJECTS)]
    name: str
    options: OptionsView
    seed: Annotated[int, Field(deprecated=True)]
    """As ``options.engine.seed``."""
    status: ObjectStatus
    mask: Link
    splat: Maybe[SplatView] = None
    engine_mesh: Maybe[EngineMeshView] = None
    mesh: Maybe[MeshFigures] = None
    files: Maybe[MeshFiles] = None
    draft: Maybe[DraftView] = None
    """While there is one and no mesh."""
    variants: Maybe[list[VariantView]] = None
    """Where several seeds were tried; one of them is the object."""
    progress: Maybe[ProgressView] = None
    """While the object is made, and it is known."""
    error: Maybe[ErrorView] = None


class SceneObject(_Told):
    """How an object stands in the scene."""

    n: int
    placed: Literal["pose", "mask"]
    """By its pose, or by its mask alone where the engine did not see its distance."""
    height: float
    """Upright."""


class SceneView(_Answer):
    """The objects together, as they stood in the photo; or why they are not."""

    files: Maybe[SceneFiles] = None
    metres: Maybe[bool] = None
    """Whether that is the unit, as a height was said, or a depth map told it."""
    objects: Maybe[list[SceneObject]] = None
    error: Maybe[ErrorView] = None


class JobView(_Answer):
    """A job, whole, with signed links to what exists of it."""

    job_id: JobId
    name: str
    filename: str
    content_type: PhotoType
    prefix: str
    """The job's folder in the bucket, with its closing slash."""
    status: JobStatus
    created_at: Moment
    run: Count
    """How often the job has begun."""
    queue: QueueView | None
    """Null where it does not wait for the model."""
    poll_seconds: Positive | None
    """Read it again after so long; null where nothing more will come."""
    text: str | None
    """What was looked for in the photo."""
    depth: bool
    """Whether a depth map belongs to the photo."""
    stages: StagesView
    objects: Annotated[list[ObjectView], Field(max_length=MAX_OBJECTS)]
    image: Maybe[ImageView] = None
    embeddings: Maybe[Link] = None
    """The best there are; of a draft until those of the engine have come."""
    decoder: Maybe[DecoderView] = None
    """The one that belongs to the embeddings."""
    offers: Maybe[OffersView] = None
    """What may be chosen for its objects, once the engine has said it."""
    takes: Maybe[list[str]] = None
    """What the engine can use beside photo and masks, likewise: ``depth``, or nothing. A depth map
    that it does not take is left."""
    scene: Maybe[SceneView] = None
    """Of several objects, and of one where it was asked for."""
    error: Maybe[ErrorView] = None


class PhotoLimits(_Answer):
    """Which photos are taken."""

    types: list[PhotoType]
    bytes: int
    pixels: int
    """Width times height."""
    min_side: int
    """Of the shorter side, in pixels."""
    max_side: int
    """Of the longer side, in pixels."""


class LimitsView(_Answer):
    """How much may be sent, and how much a person may have; null where nothing limits it."""

    photo: PhotoLimits
    objects_per_job: int
    jobs_at_work: int | None
    """Those that wait for a mask not counted."""
    jobs_per_day: int | None
    objects_in_queue: int | None
    """Each counted as often as it has seeds."""
