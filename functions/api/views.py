"""A job as the API shows it: no keys, no owner, links that expire."""

from typing import Any

from gen3d import paths
from gen3d.jobs import Job, JobObject, ObjectStatus, Stage, Status, iso
from gen3d.store import FileStore


def summary(job: Job, files: FileStore) -> dict[str, Any]:
    """A job in a list: enough for a card with a picture."""
    done = [o for o in job.ordered_objects if o.status is ObjectStatus.COMPLETED]
    picture = job.files.object(done[0].n).preview if done else None
    if picture is None and job.image is not None and _has_files(job):
        picture = job.files.image(job.content_type)
    return {
        "jobId": job.job_id,
        "name": job.name,
        "status": job.status,
        "createdAt": iso(job.created_at),
        "objects": len(job.objects),
        "picture": files.link(picture) if picture else None,
    }


def detail(job: Job, files: FileStore) -> dict[str, Any]:
    """A job, whole."""
    there = _has_files(job)
    view: dict[str, Any] = {
        "jobId": job.job_id,
        "name": job.name,
        "filename": job.filename,
        "contentType": job.content_type,
        "prefix": job.prefix,
        "status": job.status,
        "createdAt": iso(job.created_at),
        "text": job.text,
        "stages": {
            "initialize": _stage(job.stages.initialize),
            "mask": _stage(job.stages.mask),
            "reconstruct": _stage(job.stages.reconstruct),
        },
        "objects": [_object(job, o, files) for o in job.ordered_objects],
    }
    if job.image is not None and there:
        view["image"] = {
            "width": job.image.width,
            "height": job.image.height,
            "bytes": job.image.bytes,
            "url": files.link(job.files.image(job.content_type)),
        }
    if job.model is not None and there:
        view["embeddings"] = {"url": files.link(job.files.embeddings)}
        view["decoder"] = {
            "engine": job.model.engine,
            "revision": job.model.revision,
            "url": files.link(paths.decoder(job.model.engine, job.model.revision)),
        }
    if job.error is not None:
        view["error"] = job.error.public().body()
    return view


def _has_files(job: Job) -> bool:
    return job.status is not Status.CANCELLED


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "start": iso(stage.start) if stage.start else None,
        "end": iso(stage.end) if stage.end else None,
        "ms": stage.milliseconds,
    }


def _object(job: Job, o: JobObject, files: FileStore) -> dict[str, Any]:
    keys = job.files.object(o.n)
    view: dict[str, Any] = {"n": o.n, "name": o.name, "seed": o.seed, "status": o.status}
    if not _has_files(job):
        return view
    view["mask"] = {"url": files.link(keys.mask)}
    if o.splat is not None:
        view["splat"] = {"url": files.link(keys.splat, f"{o.name}-splat.ply"), **o.splat}
    if o.mesh is not None:
        view["mesh"] = {k: v for k, v in o.mesh.items() if k != "files"}
        view["files"] = {
            ending: {
                "url": files.link(
                    file["key"], f"{o.name}.{ending}" if ending != "preview" else None
                ),
                "bytes": file["bytes"],
            }
            for ending, file in o.mesh.get("files", {}).items()
        }
    if o.error is not None:
        view["error"] = o.error.public().body()
    return view
