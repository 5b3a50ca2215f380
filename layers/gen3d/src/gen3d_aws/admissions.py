"""Lets people begin what their limits allow, exactly, however many requests they make at once.

Each asks what its owner has already, and all might ask before the first has written anything: an
execution writes that it has begun some tens of milliseconds after it was started, and an index
follows its table a moment later. So what was let in is noted in one row an owner, which changes
only if nobody has changed it since it was read. Of requests at once one is let in; the others read
again, and find it there. What becomes of a job that was noted is looked up in its record, for a
minute; by then the index shows it.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict, cast

from botocore.exceptions import BotoCoreError, ClientError

from gen3d.errors import DependencyUnavailable
from gen3d.jobs import Job, Status
from gen3d.quotas import Quotas, check_key
from gen3d_aws import clients
from gen3d_aws.clients import error_code
from gen3d_aws.store import JobStore

if TYPE_CHECKING:
    from decimal import Decimal

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import TableAttributeValueTypeDef

NOTED_SECONDS = 60
"""What was let in has begun by then, and the index shows it, or it never will."""

RACES = 20
"""Lost so often, the owner makes more requests at once than anybody answers."""

NEW = -1

_DAY_SECONDS = 86400


@dataclass(frozen=True)
class Note:
    """What was let in: a run of a job, or that it is made, with so many objects for the queue."""

    run: int
    """`NEW` where the job is made."""
    objects: int
    at: int


class _Row(TypedDict, total=False):
    """An owner's row, as boto3 reads it."""

    version: "Decimal"
    noted: "dict[str, dict[str, Decimal]]"


@dataclass(frozen=True)
class Admissions:
    """Who is let in. Its rows lie beside the tokens: ``owner#`` and whose they are."""

    table: str
    jobs: JobStore
    quotas: Quotas

    @contextmanager
    def creation(self, job: Job, since: datetime, of_key: int = 0) -> Iterator[None]:
        """Let a new job be created, where its owner has not created enough since a moment.

        Parameters
        ----------
        job : Job
        since : datetime
        of_key : int, optional
            How many the key that creates it may have created since then; 0 for no such limit.

        Raises
        ------
        LimitReached
        """

        def check(noted: Mapping[str, Note]) -> None:
            new = {job_id for job_id, note in noted.items() if note.run == NEW}
            created = self.jobs.created_since(job.owner, since)
            self.quotas.check_day(len(created.keys() | new))
            # What is not written yet may be of any of the owner's keys.
            of_this = {job_id for job_id, key in created.items() if key == job.key_id}
            check_key(len(of_this | (new - created.keys())), of_key)

        with self._noted(job, NEW, 0, check, bool(self.quotas.jobs_per_day or of_key)):
            yield

    @contextmanager
    def run(self, job: Job, objects: int) -> Iterator[None]:
        """Let a job's next run begin, with so many objects for the queue.

        Raises
        ------
        LimitReached
        """

        def check(noted: Mapping[str, Note]) -> None:
            found = self._looked_up(job, noted)
            self.quotas.check_running(self._active(job, found))
            if objects:
                self.quotas.check_queued(self._queued(job, found), objects)

        asked = bool(self.quotas.running_jobs or (objects and self.quotas.queued_objects))
        with self._noted(job, job.run + 1, objects, check, asked):
            yield

    @contextmanager
    def masks(self, job: Job, objects: int) -> Iterator[None]:
        """Let a job that waits for its masks go on with so many objects.

        Raises
        ------
        LimitReached
        """

        def check(noted: Mapping[str, Note]) -> None:
            self.quotas.check_queued(self._queued(job, self._looked_up(job, noted)), objects)

        with self._noted(job, job.run, objects, check, bool(self.quotas.queued_objects)):
            yield

    def _looked_up(self, job: Job, noted: Mapping[str, Note]) -> dict[str, tuple[bool, int]]:
        """Of each job that was let in, whether it is at work, and with how many objects."""
        jobs = {job_id: self.jobs.find(job.owner, job_id) for job_id in noted}
        return {
            job_id: (False, 0) if found is None else _of(found, noted[job_id])
            for job_id, found in jobs.items()
        }

    def _active(self, job: Job, noted: Mapping[str, tuple[bool, int]]) -> int:
        """How many other jobs of the owner are at work."""
        shown = self.jobs.active(job.owner) - {job.job_id} - noted.keys()
        return len(shown) + sum(at_work for at_work, _ in noted.values())

    def _queued(self, job: Job, noted: Mapping[str, tuple[bool, int]]) -> int:
        """How many objects of the owner's other jobs wait for the model."""
        shown = self.jobs.queued_objects(job.owner, {job.job_id, *noted})
        return shown + sum(objects for _, objects in noted.values())

    @contextmanager
    def _noted(
        self,
        job: Job,
        run: int,
        objects: int,
        check: Callable[[Mapping[str, Note]], None],
        asked: bool,
    ) -> Iterator[None]:
        """Note what is let in while it is done; what fails is forgotten."""
        if not asked:
            yield
            return
        self._note(job, Note(run, objects, int(time.time())), check)
        try:
            yield
        except Exception:
            self._forget(job)
            raise

    def _note(self, job: Job, note: Note, check: Callable[[Mapping[str, Note]], None]) -> None:
        for race in range(RACES):
            version, noted = self._read(job.owner, note.at)
            noted.pop(job.job_id, None)  # of its own, as where the answer to noting it was lost
            check(noted)
            if self._write(job.owner, version, {**noted, job.job_id: note}, note.at):
                return
            time.sleep(random.uniform(0, 0.02 * (race + 1)))  # noqa: S311 — parts those who race
        raise DependencyUnavailable(
            "You ask for too much at once. Try again in a moment.", clients.RETRY_AFTER
        )

    @property
    def _table(self) -> "Table":
        return clients.table(self.table)

    def _read(self, owner: str, now: int) -> tuple[int, dict[str, Note]]:
        answer = self._table.get_item(Key=_key(owner), ConsistentRead=True)
        row = cast("_Row", answer.get("Item", {}))
        notes = {
            job_id: Note(**{name: int(value) for name, value in fields.items()})
            for job_id, fields in row.get("noted", {}).items()
        }
        recent = {i: note for i, note in notes.items() if note.at > now - NOTED_SECONDS}
        return int(row.get("version", 0)), recent

    def _write(self, owner: str, version: int, noted: Mapping[str, Note], now: int) -> bool:
        """False where somebody has written since the version was read."""
        values: dict[str, TableAttributeValueTypeDef] = {
            ":next": version + 1,
            ":noted": {job_id: asdict(note) for job_id, note in noted.items()},
            ":ttl": now + _DAY_SECONDS,
        }
        condition = "#version = :version" if version else "attribute_not_exists(#version)"
        try:
            self._table.update_item(
                Key=_key(owner),
                UpdateExpression="SET #version = :next, #noted = :noted, #ttl = :ttl",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#version": "version", "#noted": "noted", "#ttl": "ttl"},
                ExpressionAttributeValues={**values, **({":version": version} if version else {})},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _forget(self, job: Job) -> None:
        """Where that fails, it counts for a minute more."""
        with suppress(ClientError, BotoCoreError):
            self._table.update_item(
                Key=_key(job.owner),
                UpdateExpression="REMOVE #noted.#job ADD #version :one",
                ConditionExpression="attribute_exists(#noted.#job)",
                ExpressionAttributeNames={
                    "#noted": "noted",
                    "#job": job.job_id,
                    "#version": "version",
                },
                ExpressionAttributeValues={":one": 1},
            )


def _key(owner: str) -> dict[str, str]:
    return {"callbackId": f"owner#{owner}"}


def _of(job: Job, note: Note) -> tuple[bool, int]:
    """Whether a job that was let in counts as being at work, and with how many objects."""
    if note.run == NEW or job.status is Status.DELETED:
        return False, 0
    if job.status is Status.RECONSTRUCTING:
        return True, job.waiting_objects
    if job.run < note.run or job.status is Status.INITIALIZING:
        return True, note.objects
    # Its masks were let in, and its execution has not gone on yet.
    goes_on = job.status is Status.AWAITING_MASK and note.objects > 0
    return (True, note.objects) if goes_on else (False, 0)
