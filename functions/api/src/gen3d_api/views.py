"""A job as the API shows it: no keys, no owner, links that expire."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NotRequired, TypedDict, cast  # noqa: TID251  answers as steps gave them

from gen3d import paths
from gen3d.contract import Progress
from gen3d.jobs import TERMINAL, Failure, Job, JobObject, ObjectStatus, Status, TimeSpan, iso, now
from gen3d.options import MESH_OFFER, Offer
from gen3d_api import progress_view
from gen3d_api.progress_view import ProgressView
from gen3d_aws.store import FileStore


class Link(TypedDict):
    """Where a file is read, for an hour."""

    url: str


class SizedLink(Link):
    """The same of a file whose length is told."""

    bytes: int


class ImageView(SizedLink):
    """The photo."""

    width: int
    height: int


class DecoderView(Link):
    """What makes masks of the photo's embeddings; a draft's until better ones have come."""

    engine: str
    revision: str
    draft: bool


class StageView(TypedDict):
    """When a stage started and ended."""

    start: str | None
    end: str | None
    ms: int | None


class StagesView(TypedDict):
    """The stages of a run."""

    initialize: StageView
    mask: StageView
    reconstruct: StageView


class QueueView(TypedDict):
    """Where a job waits for the model."""

    ahead: int


class OffersView(TypedDict):
    """What may be chosen: by option, one of some values, or a whole number within bounds."""

    engine: Mapping[str, object]
    mesh: Mapping[str, object]


class DraftView(TypedDict):
    """A mesh that was made at once, and stands in until there is the object's own."""

    files: dict[str, SizedLink]
    picture: Link
    mesh: Mapping[str, object]


class VariantView(TypedDict):
    """What one of several seeds makes of an object."""

    seed: int
    status: ObjectStatus
    kept: bool
    """Whether it is the object."""
    picture: NotRequired[Link]
    mesh: NotRequired[Mapping[str, object]]
    error: NotRequired[Mapping[str, object]]


class ObjectView(TypedDict):
    """An object of a job, with the options that it is made with."""

    n: int
    name: str
    options: Mapping[str, object]
    seed: int
    status: ObjectStatus
    mask: Link
    splat: NotRequired[Mapping[str, object]]
    engineMesh: NotRequired[Mapping[str, object]]
    mesh: NotRequired[Mapping[str, object]]
    files: NotRequired[dict[str, SizedLink]]
    draft: NotRequired[DraftView]
    variants: NotRequired[list[VariantView]]
    """Where several seeds were tried."""
    progress: NotRequired[ProgressView]
    error: NotRequired[Mapping[str, object]]


class SceneView(TypedDict):
    """The objects of a job together, or why they are not."""

    files: NotRequired[dict[str, SizedLink]]
    metres: NotRequired[bool]
    objects: NotRequired[list[Mapping[str, object]]]
    """For each by what it was ``placed``, and how high it is there."""
    error: NotRequired[Mapping[str, object]]


class JobSummary(TypedDict):
    """A job in a list."""

    jobId: str
    name: str
    status: Status
    createdAt: str
    objects: int
    picture: str | None
    draft: bool
    """Whether the picture is of a draft."""


class JobView(TypedDict):
    """A job, whole; ``docs/openapi.yaml`` says the same to others."""

    jobId: str
    name: str
    filename: str
    contentType: str
    prefix: str
    status: Status
    createdAt: str
    run: int
    queue: QueueView | None
    pollSeconds: int | None
    text: str | None
    stages: StagesView
    objects: list[ObjectView]
    image: NotRequired[ImageView]
    embeddings: NotRequired[Link]
    decoder: NotRequired[DecoderView]
    offers: NotRequired[OffersView]
    scene: NotRequired[SceneView]
    error: NotRequired[Mapping[str, object]]


def summary(job: Job, files: FileStore) -> JobSummary:
    """A job in a list: enough for a card with a picture."""
    done = [o for o in job.ordered_objects if o.status is ObjectStatus.COMPLETED]
    drafts = [o for o in job.ordered_objects if o.draft is not None and o.mesh is None]
    picture = None
    if done:
        picture = job.files.object(done[0].n, done[0].folder).preview
    elif drafts:
        picture = job.files.object(drafts[0].n).draft.preview
    elif job.image is not None:
        picture = job.files.image(job.content_type)
    return {
        "jobId": job.job_id,
        "name": job.name,
        "status": job.status,
        "createdAt": iso(job.created_at),
        "objects": len(job.ordered_objects),
        "picture": files.link(picture) if picture else None,
        "draft": bool(drafts) and not done,
    }


def detail(
    job: Job,
    files: FileStore,
    ahead: int | None = None,
    told: Mapping[str, Progress] = MappingProxyType({}),
) -> JobView:
    """A job, whole.

    Parameters
    ----------
    ahead : int, optional
        How many requests the model has to answer before its first.
    told : mapping of str to Progress
        What the model tells of the objects that it has in hand, by their keys.
    """
    view: JobView = {
        "jobId": job.job_id,
        "name": job.name,
        "filename": job.filename,
        "contentType": job.content_type,
        "prefix": job.prefix,
        "status": job.status,
        "createdAt": iso(job.created_at),
        "run": job.run,
        "queue": None if ahead is None else {"ahead": ahead},
        "pollSeconds": poll_seconds(job, ahead or 0),
        "text": job.text,
        "stages": {
            "initialize": _stage(job.stages.initialize),
            "mask": _stage(job.stages.mask),
            "reconstruct": _stage(job.stages.reconstruct),
        },
        "objects": [_object(job, o, files, told) for o in job.ordered_objects],
    }
    if job.image is not None:
        view["image"] = {
            "width": job.image.width,
            "height": job.image.height,
            "bytes": job.image.bytes,
            "url": files.link(job.files.image(job.content_type)),
        }
    best = job.model or job.draft_model
    if best is not None:
        embeddings = job.files.embeddings if job.model else job.files.draft_embeddings
        view["embeddings"] = {"url": files.link(embeddings)}
        view["decoder"] = {
            "engine": best.engine,
            "revision": best.revision,
            "url": files.link(paths.decoder(best.engine, best.revision)),
            "draft": job.awaits_model,
        }
    if job.model is not None:
        view["offers"] = {"engine": _offer(job.model.offers), "mesh": _offer(MESH_OFFER)}
    if job.scene is not None:
        view["scene"] = _scene(job.name, job.scene, files)
    if job.error is not None:
        view["error"] = job.error.public().body()
    return view


def _scene(name: str, scene: Mapping[str, Any], files: FileStore) -> SceneView:
    if "error" in scene:
        return {"error": Failure(**scene["error"]).public().body()}
    return {
        "files": _files(f"{name}-scene", scene, files),
        "metres": scene["metres"],
        "objects": scene["objects"],
    }


def _offer(offer: Offer) -> Mapping[str, object]:
    return {name: offered.model_dump(mode="json") for name, offered in offer.items()}


_PATIENCE = ((20, 1), (60, 2), (300, 5))
"""Below so many seconds of a stage, ask again after so many; then after ten."""

_AT_HAND_SECONDS = 2
"""Between looks at a job whose mask is being made, while embeddings are on their way."""

_IDLE_SECONDS = 30
"""Between looks at a job that waits for a person, or far back in the queue."""


def poll_seconds(job: Job, ahead: int) -> int | None:
    """After how many seconds it is worth asking again; None for a job that has ended.

    Those who have just begun see each step at once, and those who wait long ask seldom: the number
    of requests follows the number of jobs that end, not that of people who watch.
    """
    if job.status in TERMINAL:
        return None
    if job.status is Status.AWAITING_MASK and job.awaits_model:
        return max(_AT_HAND_SECONDS, _calm(job, ahead))
    if job.status in (Status.CREATED, Status.AWAITING_MASK):
        return _IDLE_SECONDS
    return _calm(job, ahead)


def _calm(job: Job, ahead: int) -> int:
    """The longer what is under way has taken, the more seldom; and as a place in the queue says."""
    # The stage that began last: a run that takes a job up again begins with any of them.
    stages = (job.stages.initialize, job.stages.mask, job.stages.reconstruct)
    starts = [stage.start for stage in stages if stage.start]
    age = (now() - max(starts)).total_seconds() if starts else 0
    calm = next((seconds for limit, seconds in _PATIENCE if age < limit), 10)
    return max(calm, min(ahead, _IDLE_SECONDS))


def _stage(stage: TimeSpan) -> StageView:
    return {
        "start": iso(stage.start) if stage.start else None,
        "end": iso(stage.end) if stage.end else None,
        "ms": stage.milliseconds,
    }


def _object(job: Job, o: JobObject, files: FileStore, told: Mapping[str, Progress]) -> ObjectView:
    keys = job.files.object(o.n, o.folder)
    view: ObjectView = {
        "n": o.n,
        "name": o.name,
        "options": o.options.model_dump(),
        "seed": o.seed,
        "status": o.status,
        "mask": {"url": files.link(job.files.object(o.n).mask)},
    }
    if o.gaussians is not None:
        view["splat"] = {"url": files.link(keys.splat, f"{o.name}-splat.ply"), **o.gaussians}
    if o.engine_mesh is not None:
        link = files.link(keys.engine_mesh, f"{o.name}-engine.glb")
        view["engineMesh"] = {
            "url": link,
            **{k: v for k, v in o.engine_mesh.items() if k != "shape"},
        }
    if o.mesh is not None:
        view["mesh"] = _figures(o.mesh)
        view["files"] = _files(o.name, o.mesh, files)
    elif o.draft is not None:
        view["draft"] = {
            "files": _files(f"{o.name}-draft", o.draft, files),
            "picture": {"url": files.link(job.files.object(o.n).draft.preview)},
            "mesh": _figures(o.draft),
        }
    variants = [_variant(job, o, v, files) for v in job.variants(o.n)]
    if variants:
        view["variants"] = variants
    far = progress_view.of_object(job, o, told, now())
    if far is not None:
        view["progress"] = far
    if o.error is not None:
        view["error"] = o.error.public().body()
    return view


def _variant(job: Job, o: JobObject, variant: JobObject, files: FileStore) -> VariantView:
    view: VariantView = {
        "seed": variant.seed,
        "status": variant.status,
        "kept": o.mesh is not None and o.seed == variant.seed,
    }
    if variant.mesh is not None:
        view["picture"] = {"url": files.link(job.files.object(o.n, variant.folder).preview)}
        view["mesh"] = _figures(variant.mesh)
    if variant.error is not None:
        view["error"] = variant.error.public().body()
    return view


def _figures(mesh: Mapping[str, object]) -> Mapping[str, object]:
    """What the mesh step tells of a mesh, without where it lies."""
    return {k: v for k, v in mesh.items() if k != "files"}


class _MeshFile(TypedDict):
    """A file in what the mesh step tells."""

    key: str
    bytes: int


def _files(name: str, mesh: Mapping[str, object], files: FileStore) -> dict[str, SizedLink]:
    """A mesh's files by their endings, which a browser saves under this name."""
    made = cast("dict[str, _MeshFile]", mesh.get("files", {}))
    return {
        ending: {
            "url": files.link(file["key"], f"{name}.{ending}" if ending != "preview" else None),
            "bytes": file["bytes"],
        }
        for ending, file in made.items()
    }
