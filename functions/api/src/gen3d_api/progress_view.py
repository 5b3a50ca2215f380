"""How far a job's objects are: as the endpoint tells it, and as it is expected of the mesh step.

Nothing depends on it. What is not told, comes late, is of an earlier run or is no progress at all
is left out, and who asks for a job hardly waits for it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import ceil

from pydantic import ValidationError

from gen3d import paths
from gen3d.contract import Progress
from gen3d.jobs import Job, JobObject, ObjectStatus, Status, variant_key
from gen3d.options import MESH_OFFER, seconds_of
from gen3d.queue import Sent
from gen3d_api.answers import ProgressView
from gen3d_aws.observability import logger
from gen3d_aws.store import FileStore
from gen3d_aws.tokens import object_of

_MOST_BYTES = 1000
"""Of a file that says how far an object is."""

_OVERDUE_SECONDS = 10
"""So long after an object should have been made, nobody knows how long it still takes."""

_ALMOST = 0.95
"""Of the mesh step, which tells nothing: as far as expectation alone may show it."""

_MESHING = "mesh"
_WAITING = "nextSeed"


def told(job: Job, in_hand: Iterable[Sent], files: FileStore) -> dict[str, Progress]:
    """What the endpoint tells of the objects that it has in hand, by their keys."""
    found: dict[str, Progress] = {}
    if job.status is not Status.RECONSTRUCTING:
        return found
    for sent in in_hand:
        key = object_of(job, sent.callback_id)
        if key is None:
            continue
        try:
            data = files.glance(paths.progress(sent.callback_id), _MOST_BYTES)
        except Exception as error:  # the next would keep the caller waiting as long
            logger.warning("How far an object is cannot be read", exc_info=error)
            break
        try:
            if data is not None:
                found[key] = Progress.model_validate_json(data)
        except ValidationError as error:
            logger.warning("No progress", extra={"reason": str(error)})
    return found


def of_object(
    job: Job, o: JobObject, told: Mapping[str, Progress], moment: datetime
) -> ProgressView | None:
    """How far an object is at a moment; None where nothing is known.

    Both steps are one way, of which each is as much as it is expected to take. Of an object of
    which several seeds are tried it is as far as they are together, and nobody knows how long they
    take, as each waits in the queue by itself.
    """
    if job.status is not Status.RECONSTRUCTING:
        return None
    variants = job.variants(o.n)
    if not variants:
        return _of(job, o, str(o.n), told, moment)
    if o.status is not ObjectStatus.PENDING:
        return None
    each = [_of(job, v, variant_key(v.n, v.seed), told, moment) for v in variants]
    under_way = [far for far in each if far is not None]
    ended = sum(v.status in (ObjectStatus.COMPLETED, ObjectStatus.FAILED) for v in variants)
    if not (under_way or ended):
        return None
    return ProgressView(
        phase=under_way[0].phase if under_way else _WAITING,
        fraction=round((ended + sum(far.fraction for far in under_way)) / len(variants), 3),
        rest_seconds=None,
    )


def _of(
    job: Job, o: JobObject, key: str, told: Mapping[str, Progress], moment: datetime
) -> ProgressView | None:
    engine = seconds_of(job.model.offers, o.options.engine) if job.model else None
    mesh = seconds_of(MESH_OFFER, o.options.mesh)
    assert mesh
    share = engine / (engine + mesh) if engine else 0.5
    if o.status is ObjectStatus.PENDING and key in told:
        progress = told[key]
        rest = _rest(progress, moment)
        return ProgressView(
            phase=progress.phase,
            fraction=round(share * progress.fraction, 3),
            rest_seconds=None if rest is None else ceil(rest + mesh),
        )
    if o.status is ObjectStatus.MESHING and o.meshing_since is not None:
        elapsed = max(0.0, (moment - o.meshing_since).total_seconds())
        return ProgressView(
            phase=_MESHING,
            fraction=round(share + (1 - share) * min(elapsed / mesh, _ALMOST), 3),
            rest_seconds=ceil(mesh - elapsed) if elapsed < mesh else None,
        )
    return None


def _rest(progress: Progress, moment: datetime) -> float | None:
    """Seconds that are left of what the endpoint does, by now."""
    if progress.left is None:
        return None
    rest = progress.left - max(0.0, (moment - progress.at).total_seconds())
    return max(rest, 0.0) if rest > -_OVERDUE_SECONDS else None
