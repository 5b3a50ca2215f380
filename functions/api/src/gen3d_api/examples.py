"""An example of each request, answer and error, for the description and for tests.

They are of the models' own types: one that a model refuses cannot be written.
"""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any  # noqa: TID251  fields of a model

from pydantic import BaseModel

from gen3d import errors
from gen3d.announcements import (
    TOLD,
    EventType,
    JobState,
    ObjectState,
    Refusal,
    WebhookMessage,
)
from gen3d.api_keys import Right
from gen3d.contract import Pose
from gen3d.errors import Gen3DError
from gen3d.jobs import ObjectStatus, Status
from gen3d.options import EngineOptions, MeshOptions, Options
from gen3d.prompts import Box, Click
from gen3d.shares import nothing_there
from gen3d.webhooks import DeliveryState
from gen3d_api.answers import (
    AttemptView,
    BatchCounts,
    BatchItem,
    BatchView,
    CreatedJob,
    DecoderView,
    DeliveryPage,
    DeliveryView,
    DraftView,
    ErrorView,
    FileLink,
    ImageView,
    JobPage,
    JobSummary,
    JobView,
    KeyPage,
    KeyView,
    LimitsView,
    Link,
    MeshFigures,
    NewKey,
    NewWebhook,
    ObjectView,
    OfferedRange,
    OfferedValues,
    OffersView,
    OptionsView,
    PhotoLimits,
    ProgressView,
    QueueView,
    SceneObject,
    SceneView,
    SharedView,
    SharePage,
    ShareView,
    SplatView,
    StagesView,
    StageView,
    TruthView,
    UploadForm,
    Uploads,
    WebhookPage,
    WebhookView,
)
from gen3d_api.requests import (
    BatchPhoto,
    CreateBatch,
    CreateJob,
    CreateKey,
    CreateShare,
    CreateWebhook,
    Initialize,
    MaskUploads,
    ObjectAgain,
    ObjectRequest,
    Reconstruct,
    RenameJob,
    Retry,
    ShownObject,
)

JOB_ID = "01M82SZE4Z7ZQ9FY1VB33KS0D2"
KEY_ID = "3f9a61c07be2d584"
SHARE_ID = "kJ3v8QmXo2-TzLr5Wc0bYA"
WEBHOOK_ID = "01JD8ZQ3N5C7R1T4VXYA2B6E8G"
DELIVERY_ID = "01JD91W6K2M4P8S0TZBD3F5H7J"
_PREFIX = f"private/us-east-1:0c1d2e3f/jobs/{JOB_ID}/"
_BUCKET = "https://bucket.s3.amazonaws.com/"
_SIGNED = "?X-Amz-Signature=5f0e"


def _at(minute: int, second: int) -> datetime:
    return datetime(2026, 11, 29, 9, minute, second, tzinfo=UTC)


def _url(path: str) -> str:
    return f"{_BUCKET}{_PREFIX}{path}{_SIGNED}"


def _form(key: str, kind: str) -> UploadForm:
    return UploadForm(
        url=_BUCKET,
        fields={
            "Content-Type": kind,
            "key": f"{_PREFIX.replace('private', 'uploads', 1)}{key}",
            "policy": "eyJleHBpcmF0aW9uIjogIjIwMjYtMTEtMjlUMTA6MDA6MDBaIn0=",
            "x-amz-signature": "5f0e",
        },
    )


_PHOTO = ImageView(width=1200, height=900, bytes=284_118, url=_url("image.jpg"))
_NOT_YET = StageView(start=None, end=None, ms=None)
_PREPARED = StageView(start=_at(0, 4), end=_at(0, 13), ms=9000)
_CHOSEN = StageView(start=_at(0, 13), end=_at(1, 2), ms=49_000)
_OFFERS = OffersView(
    engine={
        "quality": OfferedValues(values=["standard"], seconds={"standard": 14}),
        "seed": OfferedRange(minimum=0, maximum=2**31 - 1),
    },
    mesh={"quality": OfferedValues(values=["fast", "standard"], seconds={"fast": 2})},
)
_OPTIONS = OptionsView(
    engine={"quality": "standard", "seed": 7},
    mesh={"quality": "standard", "faces": None, "texture": None, "height": 95},
)
_FIGURES = MeshFigures(
    vertices=25_112,
    faces=50_000,
    watertight=True,
    components=1,
    gaussians=301_224,
    gaussians_kept=288_410,
    coverage=0.98,
    height=0.095,
    warnings=[],
    truth=TruthView(silhouette=0.96, colour=0.91),
    timings={"read": 210, "surface": 1820},
)


def _share() -> ShareView:
    return ShareView(
        share_id=SHARE_ID,
        job_id=JOB_ID,
        object=0,
        name="Cup",
        created_at=_at(0, 0),
        ends_at=_at(0, 0) + timedelta(days=30),
    )


def _mesh_files(folder: str) -> dict[str, FileLink]:
    return {
        "glb": FileLink(url=_url(f"{folder}mesh.glb"), bytes=1_904_220),
        "preview": FileLink(url=_url(f"{folder}preview.png"), bytes=84_110),
    }


def _job(status: Status, stages: StagesView, objects: list[ObjectView]) -> JobView:
    return JobView(
        job_id=JOB_ID,
        name="coffee",
        filename="coffee.jpg",
        content_type="image/jpeg",
        prefix=_PREFIX,
        status=status,
        created_at=_at(0, 0),
        run=1,
        queue=None,
        poll_seconds=None if status is Status.COMPLETED else 1,
        text=None,
        depth=False,
        stages=stages,
        objects=objects,
        image=_PHOTO,
    )


def _prepared(job: JobView, *, draft: bool) -> JobView:
    model = f"{_BUCKET}models/sam/9f2c/decoder.onnx{_SIGNED}"
    job.embeddings = Link(url=_url("embeddings.safetensors"))
    job.decoder = DecoderView(engine="sam", revision="9f2c", url=model, draft=draft)
    job.offers, job.takes = _OFFERS, ["depth"]
    return job


def _object(status: ObjectStatus) -> ObjectView:
    return ObjectView(
        n=0,
        name="Cup",
        options=_OPTIONS,
        seed=7,
        status=status,
        mask=Link(url=_url("objects/0/mask.png")),
    )


def _starting() -> JobView:
    stages = StagesView(initialize=_NOT_YET, mask=_NOT_YET, reconstruct=_NOT_YET)
    job = _job(Status.INITIALIZING, stages, [])
    job.queue = QueueView(ahead=2)
    return job


def _awaiting() -> JobView:
    stages = StagesView(
        initialize=_PREPARED,
        mask=StageView(start=_at(0, 13), end=None, ms=None),
        reconstruct=_NOT_YET,
    )
    return _prepared(_job(Status.AWAITING_MASK, stages, []), draft=False)


def _reconstructing() -> JobView:
    stages = StagesView(
        initialize=_PREPARED,
        mask=_CHOSEN,
        reconstruct=StageView(start=_at(1, 2), end=None, ms=None),
    )
    made = _object(ObjectStatus.PENDING)
    made.progress = ProgressView(phase="shape", fraction=0.41, rest_seconds=9)
    made.draft = DraftView(
        files=_mesh_files("objects/0/draft/"),
        picture=Link(url=_url("objects/0/draft/preview.png")),
        mesh=MeshFigures(vertices=4010, faces=8000, coverage=0.97, truth=None),
    )
    return _prepared(_job(Status.RECONSTRUCTING, stages, [made]), draft=False)


def _complete() -> JobView:
    stages = StagesView(
        initialize=_PREPARED,
        mask=_CHOSEN,
        reconstruct=StageView(start=_at(1, 2), end=_at(1, 21), ms=19_000),
    )
    made = _object(ObjectStatus.COMPLETED)
    made.splat = SplatView(
        url=_url("objects/0/splat.ply"),
        bytes=20_483_512,
        gaussians=301_224,
        pose=Pose(rotation=(1, 0, 0, 0), translation=(0.1, 0, 1.4), scale=(1, 1, 1)),
    )
    made.mesh, made.files = _FIGURES, _mesh_files("objects/0/")
    job = _prepared(_job(Status.COMPLETED, stages, [made]), draft=False)
    job.scene = SceneView(
        files={"glb": FileLink(url=_url("scene/scene.glb"), bytes=1_920_000)},
        metres=True,
        objects=[SceneObject(n=0, placed="pose", height=0.095)],
    )
    return job


def _failed() -> JobView:
    job = _starting()
    job.status, job.queue, job.poll_seconds = Status.FAILED, None, None
    said = "The photo was too much for the model's memory. Send a smaller one."
    job.error = ErrorView(error="OutOfMemory", message=said)
    return job


def _seed(seed: int) -> Options:
    return Options(engine=EngineOptions(seed=seed))


def _key(used_at: datetime | None = None) -> dict[str, Any]:
    return {
        "key_id": KEY_ID,
        "name": "Shop's catalogue",
        "rights": [*Right],
        "jobs_per_day": 200,
        "created_at": _at(0, 0),
        "used_at": used_at,
    }


def _webhook() -> dict[str, Any]:
    return {
        "webhook_id": WEBHOOK_ID,
        "url": "https://example.com/gen3d",
        "events": [EventType.COMPLETED, EventType.FAILED],
        "created_at": _at(0, 0),
        "stopped_at": None,
    }


def _delivery() -> dict[str, Any]:
    return {
        "delivery_id": DELIVERY_ID,
        "event_id": f"{JOB_ID}-1-COMPLETED",
        "type": EventType.COMPLETED,
        "job_id": JOB_ID,
        "created_at": _at(4, 0),
    }


def _refused_once() -> DeliveryView:
    refused = AttemptView(at=_at(4, 1), ms=212, status=503, answer="Come again later.")
    silent = AttemptView(at=_at(4, 6), ms=15_004, status=None, answer="")
    said = "example.com did not answer within 15 seconds. Try again, or register another address."
    silent.error = ErrorView(error="FetchFailed", message=said)
    return DeliveryView(
        **_delivery(), state=DeliveryState.PENDING, attempts=[refused, silent], next_at=_at(5, 21)
    )


def _delivered() -> DeliveryView:
    taken = AttemptView(at=_at(4, 1), ms=187, status=204, answer="")
    return DeliveryView(
        **_delivery(), state=DeliveryState.DELIVERED, attempts=[taken], next_at=None
    )


EXAMPLES: dict[type[BaseModel], dict[str, BaseModel]] = {
    CreateJob: {
        "whole": CreateJob(
            imageUrl="https://example.com/coffee.jpg",
            objects=[
                ShownObject(name="Cup", clicks=[Click(x=0.48, y=0.3)]),
                ShownObject(
                    name="Spoon",
                    box=Box(left=0.6, top=0.7, right=0.95, bottom=0.9),
                    options=Options(mesh=MeshOptions(height=95)),
                ),
            ],
        ),
        "shown": CreateJob(
            filename="coffee.jpg",
            contentType="image/jpeg",
            objects=[ShownObject(subject="auto")],
        ),
        "measured": CreateJob(filename="coffee.jpg", contentType="image/jpeg", depth=True),
        "photo": CreateJob(filename="coffee.jpg", contentType="image/jpeg"),
    },
    CreateBatch: {
        "two": CreateBatch(
            photos=[
                BatchPhoto(
                    imageUrl=f"https://example.com/{name}.jpg",
                    objects=[ShownObject(subject="auto")],
                )
                for name in ("cup", "vase")
            ]
        )
    },
    RenameJob: {"name": RenameJob(name="My cup")},
    Initialize: {"allChairs": Initialize(text="chair"), "byClicks": Initialize()},
    MaskUploads: {"two": MaskUploads(count=2)},
    Reconstruct: {
        "two": Reconstruct(
            objects=[
                ObjectRequest(name="Cup", options=Options(mesh=MeshOptions(height=95))),
                ObjectRequest(name="Saucer"),
            ]
        ),
        "one": Reconstruct(objects=[ObjectRequest(name="Cup", options=_seed(7))]),
    },
    Retry: {
        "whatFailed": Retry(),
        "anew": Retry(objects=[ObjectAgain(n=0, options=_seed(5))]),
    },
    CreatedJob: {
        "created": CreatedJob(
            job_id=JOB_ID, prefix=_PREFIX, upload=_form("image.jpg", "image/jpeg")
        ),
        "measured": CreatedJob(
            job_id=JOB_ID,
            prefix=_PREFIX,
            upload=_form("image.jpg", "image/jpeg"),
            depth=_form("depth.png", "image/png"),
        ),
    },
    BatchView: {
        "atWork": BatchView(
            batch_id=JOB_ID,
            counts=BatchCounts(waiting=1, at_work=1, completed=0, failed=0, refused=0),
            jobs=[
                BatchItem(job_id="01M82SZE50AYBNQ3W9C7Z6T4RF", status=Status.RECONSTRUCTING),
                BatchItem(job_id="01M82SZE51K2Y8M5G0D1X7V3PQ"),
            ],
        )
    },
    Uploads: {
        "two": Uploads(uploads=[_form(f"objects/{n}/mask.png", "image/png") for n in range(2)])
    },
    JobPage: {
        "lastPage": JobPage(
            jobs=[
                JobSummary(
                    job_id=JOB_ID,
                    name="coffee",
                    status=Status.COMPLETED,
                    created_at=_at(0, 0),
                    objects=1,
                    picture=_url("objects/0/preview.png"),
                    draft=False,
                )
            ],
            cursor=None,
        )
    },
    CreateKey: {
        "reads": CreateKey(name="Dashboard", rights=[Right.READ]),
        "creates": CreateKey(name="Shop's catalogue", jobsPerDay=200),
    },
    NewKey: {"made": NewKey(**_key(), key=f"gen3d_{KEY_ID}_{'0fMx' * 10}0fM")},
    KeyPage: {"one": KeyPage(keys=[KeyView(**_key(used_at=_at(5, 0)))])},
    CreateShare: {"aMonth": CreateShare(jobId=JOB_ID, object=0, days=30)},
    ShareView: {"made": _share()},
    SharePage: {"one": SharePage(shares=[_share()])},
    SharedView: {
        "cup": SharedView(
            name="Cup", ends_at=_at(0, 0) + timedelta(days=30), files=_mesh_files("objects/0/")
        )
    },
    CreateWebhook: {
        "everything": CreateWebhook(url="https://example.com/gen3d"),
        "ends": CreateWebhook(
            url="https://example.com/gen3d", events=[EventType.COMPLETED, EventType.FAILED]
        ),
    },
    NewWebhook: {
        "registered": NewWebhook(**_webhook(), secret=f"whsec_{'Zm9y' * 10}IEdlbjNE"),
    },
    WebhookPage: {"one": WebhookPage(webhooks=[WebhookView(**_webhook())])},
    DeliveryPage: {
        "two": DeliveryPage(deliveries=[_refused_once(), _delivered()], cursor=None),
    },
    DeliveryView: {
        "again": DeliveryView(
            **_delivery(), state=DeliveryState.PENDING, attempts=[], next_at=_at(6, 0)
        )
    },
    LimitsView: {
        "limits": LimitsView(
            photo=PhotoLimits(
                types=["image/jpeg", "image/png", "image/webp", "image/avif"],
                bytes=20_971_520,
                pixels=50_000_000,
                min_side=32,
                max_side=16_384,
            ),
            objects_per_job=8,
            jobs_at_work=10,
            jobs_per_day=100,
            objects_in_queue=24,
        )
    },
    JobView: {
        "queued": _starting(),
        "awaitingMask": _awaiting(),
        "atWork": _reconstructing(),
        "complete": _complete(),
        "failed": _failed(),
    },
}
"""Model → examples, by names that say what each shows. The last of a body is in `events/api`."""


def _told(status: Status, *objects: ObjectState, error: Refusal | None = None) -> WebhookMessage:
    state = JobState.model_validate(
        {
            "job_id": JOB_ID,
            "owner": "7c1f0f2e-2b43-4a53-9c57-1f5f3c1b9a10",
            "name": "coffee.jpg",
            "status": status,
            "run": 1,
            "created_at": _at(0, 0),
            "objects": objects,
            "error": error,
        }
    )
    return WebhookMessage(type=TOLD[status], timestamp=_at(4, 0), data=state)


_CUP = ObjectState(n=0, name="Cup", status=ObjectStatus.COMPLETED)
_SPOON = ObjectState(
    n=1,
    name="Spoon",
    status=ObjectStatus.FAILED,
    error=Refusal(error="NothingFound", message="The clicks show no object. Move them."),
)

MESSAGES = {
    message.type: message
    for message in (
        _told(Status.AWAITING_MASK),
        _told(Status.COMPLETED, _CUP, _SPOON),
        _told(
            Status.FAILED,
            error=Refusal(error="InternalError", message="Something went wrong on our side."),
        ),
        _told(Status.CANCELLED),
        _told(Status.EXPIRED),
    )
}
"""What a webhook is told, of each kind."""

QUERY = {"cursor": base64.urlsafe_b64encode(JOB_ID.encode()).decode()}
"""By what stands behind the question mark."""

ERRORS: dict[type[Gen3DError], Gen3DError] = {
    type(error): error
    for error in (
        errors.InvalidRequest("filename: Field required. Correct it and send the request again."),
        errors.UnsupportedVersion(
            "Gen3D-Version: this API speaks version 1. "
            "Name that, or leave the header out; a newer program may need a newer deployment."
        ),
        errors.Unauthorized("Your sign-in has expired. Sign in again."),
        errors.NotAllowed(
            "This key has no right to create. Use another one, or make one with that right."
        ),
        errors.KeyNotFound("There is no such key. Look it up in your list of keys."),
        errors.WebhookNotFound("There is no such webhook. Look it up in your list of webhooks."),
        errors.DeliveryNotFound(
            "There is no such delivery, or it was longer ago than is kept. Look it up in the "
            "webhook's list."
        ),
        errors.JobNotFound("There is no such job. Look it up in your list of jobs."),
        nothing_there(),
        errors.JobConflict("The job does not wait for a mask: it is CREATED. Read its status."),
        errors.MaskExpired("The job waited too long for its mask. Create it anew."),
        errors.ImageTooLarge("The photo has more than 20 MB. Save it smaller."),
        errors.UnsupportedImage("image/gif is not taken. Send a JPEG, PNG, WebP or AVIF photo."),
        errors.ImageMissing("The photo is not there yet. Upload it, then initialize the job."),
        errors.InvalidImage("The file is not a photo that can be read."),
        errors.ImageTooSmall("The photo has 16×16 pixels. Send one with 32 at least a side."),
        errors.IdempotencyKeyReused(
            "Idempotency-Key: it was another request's within a day. Send a new one."
        ),
        errors.BatchNotFound("There is no such batch. It may be older than jobs are kept."),
        errors.AddressRefused(
            "Nothing is fetched from localhost: photos are fetched over https, port 443, from "
            "public addresses alone. Upload the photo instead."
        ),
        errors.FetchFailed("There is nothing at the photo's address on example.com. Check it."),
        errors.InvalidDepth(
            "The depth map has 256×192 pixels, the photo 1200×1600, which is another aspect. "
            "Turn it as the photo is shown."
        ),
        errors.InvalidMask("Mask 0 is not there. Upload it, then send the request again."),
        errors.OptionNotOffered(
            "Object 0: engine.quality: the engine does not offer fine. Choose standard."
        ),
        errors.LimitReached(
            "3 of your jobs are at work, as many as one person may have. "
            "Wait until one is done, or cancel one.",
            retry_after=30,
        ),
        errors.InternalError("Something went wrong on our side. Try again."),
        errors.DependencyUnavailable(
            "Something that this needs is busy. Try again in a moment.", retry_after=2
        ),
    )
}
"""Of each error that a route may refuse, one."""
