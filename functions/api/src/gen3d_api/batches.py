"""Batches: up to a hundred photos in a request, each a job of its own, as the limits allow.

What the limits leave waits, and is begun by `begin_waiting`, each minute.
"""

import time
from collections import Counter
from datetime import timedelta

from pydantic import TypeAdapter

from gen3d.errors import (
    BatchNotFound,
    DependencyUnavailable,
    Gen3DError,
    JobConflict,
    JobNotFound,
    LimitReached,
)
from gen3d.jobs import RESUMABLE, Status, new_job_id, now
from gen3d.paths import batch_file
from gen3d.quotas import check_key
from gen3d_api import identities, shown
from gen3d_api.answers import BatchCounts, BatchItem, BatchView, ErrorView
from gen3d_api.operations import JobService
from gen3d_api.requests import BatchPhoto, CreateBatch
from gen3d_aws.batch_store import Batch, Batches
from gen3d_aws.callers import Caller
from gen3d_aws.observability import count, logger
from gen3d_aws.repeats import Repeats

AT_ONCE_SECONDS = 8
"""So long a request begins what it asks for; a photo takes at most fifteen seconds more."""

EACH_MINUTE_SECONDS = 12
"""The same of who looks each minute, in a function of 29 seconds."""

_PATIENCE = 60
"""Seconds after which what failed on our side is tried again."""

_PHOTOS: TypeAdapter[list[BatchPhoto]] = TypeAdapter(list[BatchPhoto])


def create(service: JobService, caller: Caller, body: CreateBatch, key: str | None) -> BatchView:
    """Note a batch and begin what may begin now."""
    for photo in body.photos:
        shown.require_reader(service.config.engine, shown.text_of(photo.objects))
    repeats = Repeats(service.config.tokens_table)
    with repeats.of(caller.sub, key, body.model_dump_json(), new_job_id) as batch_id:
        batch = _batches(service).find(batch_id) or _noted(service, caller, body, batch_id)
    _begin(service, batch, time.monotonic() + AT_ONCE_SECONDS)
    return get(service, caller, batch_id)


def get(service: JobService, caller: Caller, batch_id: str) -> BatchView:
    """What has become of a batch.

    Raises
    ------
    BatchNotFound
        No such batch, or somebody else's.
    """
    batch = _batches(service).find(batch_id)
    if batch is None or batch.owner != caller.sub:
        raise BatchNotFound("There is no such batch. It may be older than jobs are kept.")
    found = service.jobs.statuses(batch.owner, batch.made)
    items = [_item(batch, job_id, found.get(job_id)) for job_id in batch.made]
    counted = Counter(map(_counted, items))
    return BatchView(
        batch_id=batch_id,
        counts=BatchCounts(**{name: counted[name] for name in BatchCounts.model_fields}),
        jobs=items,
    )


def begin_waiting(service: JobService) -> None:
    """Begin what waits and may begin by now, of whichever batch waits longest."""
    until = time.monotonic() + EACH_MINUTE_SECONDS
    for batch in _batches(service).waiting():
        try:
            _begin(service, batch, until)
        except Exception as error:  # the others have their turn all the same
            logger.exception("A batch cannot go on", exc_info=error)
            _batches(service).later(batch, _PATIENCE)
        if time.monotonic() > until:
            break


def _noted(service: JobService, caller: Caller, body: CreateBatch, batch_id: str) -> Batch:
    moment = now()
    created = service.jobs.created_since(caller.sub, moment - timedelta(days=1))
    more = len(body.photos) - 1
    service.quotas.check_day(len(created) + more)
    by_key = sum(key_id == caller.key_id for key_id in created.values())
    check_key(by_key + more, caller.jobs_per_day)
    identity_id = identities.identity_of(service.config, caller)
    made = tuple(new_job_id() for _ in body.photos)
    kept = timedelta(days=service.config.retention_days)
    batch = Batch(
        batch_id=batch_id,
        owner=caller.sub,
        email=caller.email,
        identity_id=identity_id,
        key_id=caller.key_id,
        jobs_per_day=caller.jobs_per_day,
        file=batch_file(identity_id, batch_id),
        made=made,
        waiting=frozenset(made),
        ttl=int((moment + kept).timestamp()),
    )
    service.files.write(batch.file, _PHOTOS.dump_json(body.photos), "application/json")
    _batches(service).create(batch)
    count("BatchCreated")
    return batch


def _begin(service: JobService, batch: Batch, until: float) -> None:
    """Begin photos in their order, until the time is over or their owner may have no more."""
    file = service.files.read(batch.file)
    photos = _PHOTOS.validate_json(file) if file else []
    caller = Caller(
        batch.owner,
        batch.email,
        key_id=batch.key_id,
        identity_id=batch.identity_id,
        jobs_per_day=batch.jobs_per_day,
    )
    turns = [(i, photo) for i, photo in zip(batch.made, photos, strict=False) if i in batch.waiting]
    for job_id, photo in turns:
        if time.monotonic() > until:
            return
        refused = None
        try:
            service.begin_fetched(caller, photo.as_job, job_id)
        except (LimitReached, DependencyUnavailable) as error:
            _batches(service).later(batch, error.retry_after or 30)
            return
        except (JobConflict, JobNotFound):  # begun by somebody else at this moment, or deleted
            logger.info("A photo of a batch has a job already", extra={"job": job_id})
        except Gen3DError as error:
            service.delete(caller, job_id)
            refused = error
        _batches(service).begun(batch, job_id, refused)
    _batches(service).done(batch)


def _item(batch: Batch, job_id: str, status: Status | None) -> BatchItem:
    item = BatchItem(job_id=job_id)
    if job_id in batch.refused:
        item.error = ErrorView.model_validate(batch.refused[job_id])
    elif status is not None and status is not Status.DELETED:
        item.status = status
    return item


def _counted(item: BatchItem) -> str:
    if item.error is not None:
        return "refused"
    if item.status in (None, Status.CREATED):
        return "waiting"
    if item.status is Status.COMPLETED:
        return "completed"
    return "failed" if item.status in RESUMABLE else "at_work"


def _batches(service: JobService) -> Batches:
    return Batches(service.config.tokens_table)
