"""A job as the API shows it: no keys, no owner, links that expire."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypedDict, cast  # noqa: TID251  answers as steps gave them

from gen3d import paths
from gen3d.contract import Progress
from gen3d.jobs import TERMINAL, Failure, Job, JobObject, ObjectStatus, Status, TimeSpan, now
from gen3d.options import MESH_OFFER, Offer, OneOf
from gen3d_api import progress_view
from gen3d_api.answers import (
    DecoderView,
    DraftView,
    EngineMeshView,
    ErrorView,
    FileLink,
    ImageView,
    JobSummary,
    JobView,
    Link,
    MeshFigures,
    ObjectView,
    Offered,
    OfferedRange,
    OfferedValues,
    OffersView,
    OptionsView,
    QueueView,
    SceneObject,
    SceneView,
    SplatView,
    StagesView,
    StageView,
    VariantView,
)
from gen3d_aws.store import FileStore


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
    return JobSummary(
        job_id=job.job_id,
        name=job.name,
        status=job.status,
        created_at=job.created_at,
        objects=len(job.ordered_objects),
        picture=files.link(picture) if picture else None,
        draft=bool(drafts) and not done,
    )


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
    objects = [_object(job, o, files, told) for o in job.ordered_objects]
    view = JobView(
        job_id=job.job_id,
        name=job.name,
        filename=job.filename,
        content_type=job.content_type,
        prefix=job.prefix,
        status=job.status,
        created_at=job.created_at,
        run=job.run,
        queue=None if ahead is None else QueueView(ahead=ahead),
        poll_seconds=poll_seconds(job, ahead or 0, _soonest(objects)),
        text=job.text,
        depth=job.depth,
        stages=StagesView(
            initialize=_stage(job.stages.initialize),
            mask=_stage(job.stages.mask),
            reconstruct=_stage(job.stages.reconstruct),
        ),
        objects=objects,
    )
    if job.image is not None:
        view.image = ImageView(
            width=job.image.width,
            height=job.image.height,
            bytes=job.image.bytes,
            url=files.link(job.files.image(job.content_type)),
        )
    best = job.model or job.draft_model
    if best is not None:
        embeddings = job.files.embeddings if job.model else job.files.draft_embeddings
        view.embeddings = Link(url=files.link(embeddings))
        view.decoder = DecoderView(
            engine=best.engine,
            revision=best.revision,
            url=files.link(paths.decoder(best.engine, best.revision)),
            draft=job.awaits_model,
        )
    if job.model is not None:
        view.offers = OffersView(engine=_offer(job.model.offers), mesh=_offer(MESH_OFFER))
        view.takes = list(job.model.takes)
    if job.scene is not None:
        view.scene = _scene(job.name, job.scene, files)
    if job.error is not None:
        view.error = _error(job.error)
    return view


def _error(failure: Failure) -> ErrorView:
    return ErrorView.model_validate(failure.public().body())


def _scene(name: str, scene: Mapping[str, Any], files: FileStore) -> SceneView:
    if "error" in scene:
        return SceneView(error=_error(Failure(**scene["error"])))
    return SceneView(
        files=files_of(f"{name}-scene", scene, files),
        metres=scene["metres"],
        objects=[SceneObject.of(o) for o in scene["objects"]],
    )


def _offer(offer: Offer) -> dict[str, Offered]:
    return {
        name: OfferedValues(values=list(offered.values), seconds=offered.seconds)
        if isinstance(offered, OneOf)
        else OfferedRange(minimum=offered.minimum, maximum=offered.maximum)
        for name, offered in offer.items()
    }


_PATIENCE = ((20, 1), (60, 2), (300, 5))
"""Below so many seconds of a stage, ask again after so many; then after ten."""

_AT_HAND_SECONDS = 2
"""Between looks at a job whose mask is being made, while embeddings are on their way."""

_IDLE_SECONDS = 30
"""Between looks at a job that waits for a person, or far back in the queue."""


def poll_seconds(job: Job, ahead: int, soonest: int | None = None) -> int | None:
    """After how many seconds it is worth asking again; None for a job that has ended.

    Those who have just begun see each step at once, and those who wait long ask seldom: the number
    of requests follows the number of jobs that end, not that of people who watch. Who waits for
    something that is expected sooner asks then.

    Parameters
    ----------
    job : Job
    ahead : int
        How many requests the model has to answer before its first.
    soonest : int, optional
        Seconds until one of its objects is expected to be made.
    """
    if job.status in TERMINAL:
        return None
    if job.status is Status.AWAITING_MASK and job.awaits_model:
        return max(_AT_HAND_SECONDS, _calm(job, ahead))
    if job.status in (Status.CREATED, Status.AWAITING_MASK):
        return _IDLE_SECONDS
    calm = _calm(job, ahead)
    return calm if soonest is None else max(1, min(calm, soonest))


def _soonest(objects: Iterable[ObjectView]) -> int | None:
    known = [o.progress.rest_seconds for o in objects if o.progress is not None]
    return min((rest for rest in known if rest is not None), default=None)


def _calm(job: Job, ahead: int) -> int:
    """The longer what is under way has taken, the more seldom; and as a place in the queue says."""
    # The stage that began last: a run that takes a job up again begins with any of them.
    stages = (job.stages.initialize, job.stages.mask, job.stages.reconstruct)
    starts = [stage.start for stage in stages if stage.start]
    age = (now() - max(starts)).total_seconds() if starts else 0
    calm = next((seconds for limit, seconds in _PATIENCE if age < limit), 10)
    return max(calm, min(ahead, _IDLE_SECONDS))


def _stage(stage: TimeSpan) -> StageView:
    return StageView(start=stage.start, end=stage.end, ms=stage.milliseconds)


def _object(job: Job, o: JobObject, files: FileStore, told: Mapping[str, Progress]) -> ObjectView:
    keys = job.files.object(o.n, o.folder)
    view = ObjectView(
        n=o.n,
        name=o.name,
        options=OptionsView.model_validate(o.options.model_dump()),
        seed=o.seed,
        status=o.status,
        mask=Link(url=files.link(job.files.object(o.n).mask)),
    )
    if o.gaussians is not None:
        link = files.link(keys.splat, f"{o.name}-splat.ply")
        view.splat = SplatView.of(o.gaussians, url=link)
    if o.engine_mesh is not None:
        link = files.link(keys.engine_mesh, f"{o.name}-engine.glb")
        told_of_it = {k: v for k, v in o.engine_mesh.items() if k != "shape"}
        view.engine_mesh = EngineMeshView.of(told_of_it, url=link)
    if o.mesh is not None:
        view.mesh = _figures(o.mesh)
        view.files = files_of(o.name, o.mesh, files)
    elif o.draft is not None:
        view.draft = DraftView(
            files=files_of(f"{o.name}-draft", o.draft, files),
            picture=Link(url=files.link(job.files.object(o.n).draft.preview)),
            mesh=_figures(o.draft),
        )
    variants = [_variant(job, o, v, files) for v in job.variants(o.n)]
    if variants:
        view.variants = variants
    far = progress_view.of_object(job, o, told, now())
    if far is not None:
        view.progress = far
    if o.error is not None:
        view.error = _error(o.error)
    return view


def _variant(job: Job, o: JobObject, variant: JobObject, files: FileStore) -> VariantView:
    view = VariantView(
        seed=variant.seed,
        status=variant.status,
        kept=o.mesh is not None and o.seed == variant.seed,
    )
    if variant.mesh is not None:
        view.picture = Link(url=files.link(job.files.object(o.n, variant.folder).preview))
        view.mesh = _figures(variant.mesh)
    if variant.error is not None:
        view.error = _error(variant.error)
    return view


def _figures(mesh: Mapping[str, object]) -> MeshFigures:
    """What the mesh step tells of a mesh, without where it lies."""
    return MeshFigures.of({k: v for k, v in mesh.items() if k != "files"})


class _MeshFile(TypedDict):
    """A file in what the mesh step tells."""

    key: str
    bytes: int


def files_of(name: str, mesh: Mapping[str, object], files: FileStore) -> dict[str, FileLink]:
    """A mesh's files by their endings, which a browser saves under this name."""
    made = cast("dict[str, _MeshFile]", mesh.get("files", {}))
    return {
        ending: FileLink(
            url=files.link(file["key"], f"{name}.{ending}" if ending != "preview" else None),
            bytes=file["bytes"],
        )
        for ending, file in made.items()
    }
