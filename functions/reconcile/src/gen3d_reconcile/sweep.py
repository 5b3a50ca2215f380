"""Compares records, executions, waiting tasks and files, and mends what contradicts.

Each of them is written by another hand, and any hand may fail. A job that runs has a record that
says so; where one of the two is without the other for longer than a failure takes to be told, the
other is ended too. Everything is looked up again before it is changed: the comparison is minutes
old by then.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gen3d.errors import ExecutionAborted, InternalError
from gen3d.jobs import TERMINAL, Failure, Job, Status, execution_name
from gen3d_aws import clients, inventory
from gen3d_aws.inventory import Execution, Folder, Record, WaitingTask
from gen3d_aws.observability import count, logger
from gen3d_aws.store import FileStore, JobStore
from gen3d_reconcile.settings import ReconcileSettings

PATIENCE = timedelta(minutes=15)
"""So long what is under way may look like a contradiction."""

UNKNOWN_DAYS = 1
"""Files under no record are kept for so long."""

FEW = 20
"""More folders than that without a record, if they are more than half, are not believed."""

_LOST = Failure(
    name=ExecutionAborted.__name__,
    message="The job was lost on our side. Try it again: it goes on where it ended.",
    stage="Execution",
)

_RUNNING = frozenset(Status) - TERMINAL - {Status.CREATED}


@dataclass
class Sweep:
    """One comparison of everything with everything.

    Attributes
    ----------
    done : Counter of str
        What was mended, by the name of its metric.
    """

    config: ReconcileSettings
    moment: datetime

    def __post_init__(self) -> None:
        self.done: Counter[str] = Counter()
        self._jobs = JobStore(self.config.jobs_table)
        self._files = FileStore(self.config.bucket)

    def run(self) -> dict[str, int]:
        """Mend all that contradicts.

        Returns
        -------
        dict of str to int
            Metric → how often.

        Raises
        ------
        InternalError
            A part failed; the others were done all the same.
        """
        running = {e.name: e for e in inventory.running_executions(self.config.state_machine_arn)}
        records = {r.job_id: r for r in inventory.records(self.config.jobs_table)}
        parts: list[Callable[[], None]] = [
            lambda: self.fail_abandoned(records, running),
            lambda: self.stop_orphans(records, running),
            lambda: self.forget_tasks(records),
            lambda: self.remove_files(records),
        ]
        failed = 0
        for part in parts:
            try:
                part()
            except Exception:
                logger.exception("A part of the sweep failed")
                failed += 1
        for name, value in self.done.items():
            count(name, value)
        if failed:
            raise InternalError(f"{failed} parts of the sweep failed. Read the log.")
        return dict(self.done)

    def fail_abandoned(self, records: dict[str, Record], running: dict[str, Execution]) -> None:
        """Fail jobs whose record says that they run and whose execution is gone, and tell of it."""
        for record in records.values():
            if record.status not in _RUNNING:
                continue
            if execution_name(record.job_id, record.run) in running:
                continue
            found = inventory.execution(self.config.state_machine_arn, record.job_id, record.run)
            if found is not None and (
                found.status == "RUNNING"
                # Who listens to the ends of executions may just be at it.
                or (found.stop is not None and self.moment - found.stop < PATIENCE)
            ):
                continue
            job = self._jobs.find(record.owner, record.job_id)
            if job is None or job.run != record.run or job.status not in _RUNNING:
                continue
            if self._jobs.fail(job, _LOST):
                logger.warning("A record without an execution", extra={"job_id": job.job_id})
                self.done["RecordCorrected"] += 1
                self._tell(job)

    def stop_orphans(self, records: dict[str, Record], running: dict[str, Execution]) -> None:
        """Stop executions whose job was cancelled, deleted, taken up by another, or forgotten."""
        for execution in running.values():
            record = records.get(execution.job_id)
            if self.moment - execution.start < PATIENCE or not _is_over(record, execution):
                continue
            owner = record.owner if record else inventory.owner_of(execution)
            if _is_over(self._record(owner, execution.job_id), execution):
                logger.warning("An execution without a job", extra={"job_id": execution.job_id})
                inventory.stop(execution, "Its job has ended")
                self.done["ExecutionStopped"] += 1

    def forget_tasks(self, records: dict[str, Record]) -> None:
        """Remove tokens of tasks that have ended with their job."""
        for task in inventory.waiting_tasks(self.config.tokens_table):
            if not _has_ended(records.get(task.job_id), task):
                continue
            if _has_ended(self._record(task.owner, task.job_id), task) and inventory.forget_task(
                self.config.tokens_table, task
            ):
                self.done["TokenRemoved"] += 1

    def remove_files(self, records: dict[str, Record]) -> None:
        """Remove files of deleted jobs, which something may have written after the deletion.

        Also those that no record knows. But where records themselves were lost, as before they are
        restored, files are all that is left.
        """
        unknown: list[Folder] = []
        known = 0
        for folder in inventory.folders(self.config.bucket):
            record = records.get(folder.job_id)
            if record is None:
                unknown.append(folder)
                continue
            known += 1
            if record.status is Status.DELETED:
                self._remove(folder)
        old = [f for f in unknown if self.moment - f.newest > timedelta(days=UNKNOWN_DAYS)]
        if len(old) > max(FEW, known):
            logger.error(
                "Most files are under no record. Are records lost? Nothing was removed.",
                extra={"folders": len(old), "known": known},
            )
            self.done["SweepRefused"] += 1
            return
        for folder in old:
            self._remove(folder)

    def _remove(self, folder: Folder) -> None:
        removed = self._files.remove(folder.prefix)
        logger.warning("Files without a job", extra={"job_id": folder.job_id, "files": removed})
        self.done["FileRemoved"] += removed

    def _record(self, owner: str, job_id: str) -> Record | None:
        job = self._jobs.find(owner, job_id)
        return Record(job.owner, job.job_id, job.run, job.status) if job else None

    def _tell(self, job: Job) -> None:
        notice = {"kind": "failed", "owner": job.owner, "jobId": job.job_id, "run": job.run}
        clients.client("lambda").invoke(
            FunctionName=self.config.notify_function,
            InvocationType="Event",
            Payload=json.dumps(notice).encode(),
        )


def _is_over(record: Record | None, execution: Execution) -> bool:
    """Whether nobody waits for what an execution does.

    One of a job that has completed or failed may still be telling of it.
    """
    if record is None or record.status is Status.DELETED or record.run > execution.run:
        return True
    return record.status is Status.CANCELLED and record.run == execution.run


def _has_ended(record: Record | None, task: WaitingTask) -> bool:
    if record is None or record.status in TERMINAL:
        return True
    return task.run is not None and task.run < record.run


def failed_since(config: ReconcileSettings, moment: datetime) -> Iterator[Record]:
    """Jobs that have failed since a moment, and are failed still."""
    for record in inventory.records(config.jobs_table):
        if record.status is Status.FAILED and record.failed_at and record.failed_at >= moment:
            yield record
