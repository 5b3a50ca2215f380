"""Jobs in DynamoDB and files in S3."""

import re
import time
import uuid
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import quote

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError

from gen3d.errors import DependencyUnavailable, JobConflict, JobNotFound
from gen3d.images import MAX_BYTES
from gen3d.jobs import (
    RESUMABLE,
    TERMINAL,
    Failure,
    Job,
    ObjectTask,
    Status,
    iso,
    now,
    oldest_job_id,
)
from gen3d_aws import clients
from gen3d_aws.clients import error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import (
        QueryInputTableQueryTypeDef,
        TableAttributeValueTypeDef,
    )
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

URL_SECONDS = 3600
"""Signed links live this long, or until the function's own credentials end."""

TOMBSTONE_DAYS = 2
"""Longer than anything that was under way when a job was deleted, and than a day of its owner's."""

BY_STATUS = "byStatus"
"""The jobs table's index of an owner's jobs by their status."""

_ACTIVE = (Status.INITIALIZING, Status.RECONSTRUCTING)
"""The model or a function is at work; a job that waits for its mask costs nothing."""

_CONFLICT_WAITS = (0.05, 0.1, 0.2, 0.4)
"""A transaction holds its items for milliseconds."""


_MISSING = ("404", "NoSuchKey", "NotFound")

_PERSONAL = ("text", "image", "model", "draftModel", "objects", "scene", "error")
"""What a tombstone has no need of, beside names and the address."""


def s3_client() -> "S3Client":
    """The client of S3, whose links are taken in every region."""
    # Signature 4 with the regional host: what a presigned link needs in every region.
    s3: S3Client = clients.client("s3", signature_version="s3v4")
    return s3


def hasty_s3_client() -> "S3Client":
    """One that tries a call once and waits for seconds: for what can be done without."""
    s3: S3Client = clients.client("s3", attempts=1, connect_timeout=1, read_timeout=1)
    return s3


def _past_transactions(write: Callable[[], object]) -> None:
    """Make a write, again where a transaction just holds its item: botocore does not retry that."""
    for seconds in _CONFLICT_WAITS:
        try:
            write()
        except ClientError as error:
            if error_code(error) != "TransactionConflictException":
                raise
            time.sleep(seconds)
        else:
            return
    write()


class JobStore:
    """The jobs table. Every write states what it expects to find.

    Each also leaves a token of its own in the row. Where the answer to a write is lost, botocore
    makes it again, and meets what it has written itself: the token tells it so.
    """

    def __init__(self, table: str) -> None:
        self._name = table

    @property
    def _table(self) -> "Table":
        return clients.table(self._name)

    def create(self, job: Job) -> None:
        """Write a new job.

        Raises
        ------
        JobConflict
            There is one of this id.
        """
        item = job.model_dump(mode="json", by_alias=True, exclude_none=True)
        item["createdAt"] = iso(job.created_at)
        item["write"] = str(uuid.uuid4())
        absent = Attr("jobId").not_exists() | Attr("write").eq(item["write"])
        try:
            self._table.put_item(Item=item, ConditionExpression=absent)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise JobConflict("There is a job of this id already. Create another one.") from None

    def get(self, owner: str, job_id: str) -> Job:
        """Read a job of this owner.

        Raises
        ------
        JobNotFound
            No such job, or somebody else's, or a deleted one.
        """
        job = self.find(owner, job_id)
        if job is None or job.status is Status.DELETED:
            raise JobNotFound("There is no such job. Look it up in your list of jobs.")
        return job

    def find(self, owner: str, job_id: str) -> Job | None:
        """Read a job of this owner, also one that was deleted; None where there is no record."""
        key = {"owner": owner, "jobId": job_id}
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return None if item is None else Job.model_validate(item)

    def page(self, owner: str, before: str | None, limit: int) -> tuple[list[Job], str | None]:
        """Jobs of an owner, newest first, starting after the job id `before`.

        Returns
        -------
        list of Job
            At most `limit`.
        str or None
            The id after which to go on, where there may be more.
        """
        jobs: list[Job] = []
        while True:
            condition: ConditionBase = Key("owner").eq(owner)
            if before:
                condition = condition & Key("jobId").lt(before)
            found = self._table.query(
                KeyConditionExpression=condition,
                FilterExpression=Attr("status").ne(Status.DELETED),
                ScanIndexForward=False,
                Limit=limit,
            )
            jobs += [Job.model_validate(item) for item in found["Items"]]
            # One answer holds at most a megabyte, and tombstones count into its limit.
            last = found.get("LastEvaluatedKey")
            if len(jobs) > limit or (len(jobs) == limit and last):
                return jobs[:limit], jobs[limit - 1].job_id
            if last is None:
                return jobs, None
            before = str(last["jobId"])

    def created_since(self, owner: str, moment: datetime) -> dict[str, str]:
        """The jobs that an owner has created since a moment, deleted ones among them.

        Returns
        -------
        dict of str to str
            Job → the key that created it; empty where the owner did.
        """
        since = Key("owner").eq(owner) & Key("jobId").gte(oldest_job_id(moment))
        found = self._query(
            {
                "KeyConditionExpression": since,
                "ProjectionExpression": "jobId, keyId",
                "ConsistentRead": True,
            }
        )
        return {str(item["jobId"]): str(item.get("keyId", "")) for item in found}

    def statuses(self, owner: str, job_ids: Collection[str]) -> dict[str, Status]:
        """The statuses of jobs that there are, whose ids were made one after another."""
        between = Key("owner").eq(owner) & Key("jobId").between(min(job_ids), max(job_ids))
        found = self._query(
            {
                "KeyConditionExpression": between,
                "ProjectionExpression": "jobId, #status",
                "ExpressionAttributeNames": {"#status": "status"},
                "ConsistentRead": True,
            }
        )
        statuses = {str(item["jobId"]): Status(str(item["status"])) for item in found}
        return {job_id: statuses[job_id] for job_id in job_ids if job_id in statuses}

    def active(self, owner: str) -> set[str]:
        """The jobs of an owner that the model or a function is at work on, as of a moment ago."""
        return {job_id for status in _ACTIVE for job_id in self._in_status(owner, status)}

    def queued_objects(self, owner: str, without: Container[str] = ()) -> int:
        """How many objects of an owner wait for the model, but for those of some jobs."""
        ids = {i for status in _ACTIVE for i in self._in_status(owner, status)}
        jobs = (self.find(owner, i) for i in ids if i not in without)
        return sum(job.waiting_objects for job in jobs if job is not None)

    def _in_status(self, owner: str, status: Status) -> Iterable[str]:
        found = self._query(
            {
                "IndexName": BY_STATUS,
                "KeyConditionExpression": Key("owner").eq(owner) & Key("status").eq(status),
            }
        )
        return (str(item["jobId"]) for item in found)

    def rename(self, job: Job, name: str) -> None:
        """Give the job another name, whatever its status."""
        self._update(job, set(Status) - {Status.DELETED}, {"name": name})

    def choose(self, job: Job, objects: Iterable[ObjectTask]) -> None:
        """Record what was chosen in the photo, once its masks are kept: a retry trusts in them.

        Raises
        ------
        JobConflict
            The job does not wait for a mask any more.
        """
        rows = {
            key: {
                **o.model_dump(mode="json", by_alias=True, exclude_none=True),
                "options": o.options.model_dump_json(),
            }
            for task in objects
            for key, o in task.records().items()
        }
        self._update(job, {Status.AWAITING_MASK}, {"objects": rows}, job.run)

    def cancel(self, job: Job) -> bool:
        """Any running status → CANCELLED; False where the job had ended by then.

        A job that has not begun gives up the number of its next execution, which may just begin.
        """
        while job.status not in TERMINAL:
            try:
                if job.status is Status.CREATED:
                    changes: dict[str, TableAttributeValueTypeDef] = {
                        "status": Status.CANCELLED,
                        "run": job.run + 1,
                    }
                    self._update(job, {Status.CREATED}, changes, job.run)
                else:
                    begun = set(Status) - TERMINAL - {Status.CREATED}
                    self._update(job, begun, {"status": Status.CANCELLED})
            except JobConflict:
                found = self.find(job.owner, job.job_id)
                if found is None:
                    break
                job = found
            else:
                return True
        return False

    def withdraw(self, job: Job, run: int) -> bool:
        """Let no execution up to `run` begin an ended job; False where one has, or it is deleted.

        What is complete stays so. Else the job is as if it had been cancelled just after it began.
        """
        changes: dict[str, TableAttributeValueTypeDef] = {"run": run}
        if job.status is not Status.COMPLETED:
            changes["status"] = Status.CANCELLED
        return self._may(lambda: self._update(job, {job.status}, changes, job.run))

    def fail(self, job: Job, failure: Failure, run: int | None = None) -> bool:
        """Any running status → FAILED, of this run; False where the job had ended by then.

        With a later `run`, which was started and ended before it began, any status is left for it.
        """
        changes: dict[str, TableAttributeValueTypeDef] = {
            "status": Status.FAILED,
            "error": failure.model_dump(),
            "failedAt": iso(now()),
        }
        expected = set(Status) - TERMINAL
        if run is not None and run > job.run:
            expected = {Status.CREATED, *RESUMABLE}
            changes["run"] = run
        return self._may(lambda: self._update(job, expected, changes, job.run))

    @staticmethod
    def _may(write: Callable[[], None]) -> bool:
        try:
            write()
        except JobConflict:
            return False
        return True

    def tombstone(self, job: Job) -> None:
        """Any status → DELETED, for good: nothing of the person stays, but for where files lie.

        What still writes files for the job may find them too late to stop; with the record, they
        can be found and removed.
        """
        deleted = now()
        changes: dict[str, TableAttributeValueTypeDef] = {
            "status": Status.DELETED,
            "deletedAt": iso(deleted),
            "ttl": int((deleted + timedelta(days=TOMBSTONE_DAYS)).timestamp()),
            **dict.fromkeys(("email", "filename", "name"), ""),
        }
        try:
            self._update(job, set(Status) - {Status.DELETED}, changes, forget=_PERSONAL)
        except JobConflict:  # it is one, or its time is over
            return

    def _query(self, query: "QueryInputTableQueryTypeDef") -> Iterable[Mapping[str, object]]:
        while True:
            found = self._table.query(**query)
            yield from found["Items"]
            if "LastEvaluatedKey" not in found:
                return
            query["ExclusiveStartKey"] = found["LastEvaluatedKey"]

    def _update(
        self,
        job: Job,
        expected: Iterable[Status],
        changes: Mapping[str, "TableAttributeValueTypeDef"],
        run: int | None = None,
        forget: Iterable[str] = (),
    ) -> None:
        names: dict[str, str] = {"#status": "status", "#write": "write"}
        values: dict[str, TableAttributeValueTypeDef] = {":write": str(uuid.uuid4())}
        assignments = ["#write = :write"]
        for i, (name, value) in enumerate(changes.items()):
            names[f"#{name}"] = name
            values[f":v{i}"] = value
            assignments.append(f"#{name} = :v{i}")
        allowed = {f":s{i}": status for i, status in enumerate(sorted(expected))}
        condition = f"#status IN ({', '.join(allowed)})"
        if run is not None:
            names["#run"] = "run"
            values[":run"] = run
            # Records from before there were runs have none.
            absent = "attribute_not_exists(#run)" if run == 0 else ""
            condition += f" AND ({' OR '.join(filter(None, ['#run = :run', absent]))})"
        names.update({f"#{name}": name for name in forget})
        removal = " REMOVE " + ", ".join(f"#{name}" for name in forget) if forget else ""
        try:
            _past_transactions(
                lambda: self._table.update_item(
                    Key={"owner": job.owner, "jobId": job.job_id},
                    UpdateExpression="SET " + ", ".join(assignments) + removal,
                    ConditionExpression=f"({condition}) OR #write = :write",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues={**values, **allowed},
                )
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise JobConflict(
                "The job has moved on meanwhile. Read its status and try again."
            ) from None


@dataclass(frozen=True)
class StoredFile:
    """What lay under a key when it was read; a later upload under the key has another `etag`."""

    key: str
    etag: str
    size: int
    data: bytes = field(repr=False)
    """Empty where the file is larger than was asked for."""


class UploadForm(TypedDict):
    """Where to POST the fields, then the file."""

    url: str
    fields: dict[str, str]


class FileStore:
    """The bucket; its signed links live `link_seconds`."""

    def __init__(self, bucket: str, link_seconds: int = URL_SECONDS) -> None:
        self.bucket = bucket
        self.link_seconds = link_seconds

    def read(self, key: str) -> bytes | None:
        """A file's bytes, or None where there is none."""
        file = self.open(key)
        return None if file is None else file.data

    def open(self, key: str, most: int | None = None) -> StoredFile | None:
        """Read a file of at most `most` bytes, or None where there is none."""
        for attempt in range(1, clients.ATTEMPTS + 1):
            try:
                answer = s3_client().get_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise
            size = answer["ContentLength"]
            try:
                # As a context, the body would be the raw stream, with errors of another library.
                with closing(answer["Body"]) as body:
                    data = b"" if most is not None and size > most else body.read()
            except Exception as error:  # while the bytes come, botocore tries nothing again
                if attempt == clients.ATTEMPTS or not clients.unanswered(error):
                    raise
            else:
                return StoredFile(key, answer["ETag"], size, data)
        raise AssertionError("the last attempt returns or raises")

    def glance(self, key: str, most: int) -> bytes | None:
        """A small file's bytes by one hasty call, or None where there is none, or a larger one."""
        try:
            answer = hasty_s3_client().get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        with closing(answer["Body"]) as body:
            return body.read() if answer["ContentLength"] <= most else None

    def keep(self, file: StoredFile, key: str, content_type: str) -> bool:
        """Copy what was read to another key; False where it has been replaced or removed since."""
        try:
            s3_client().copy_object(
                Bucket=self.bucket,
                Key=key,
                CopySource={"Bucket": self.bucket, "Key": file.key},
                CopySourceIfMatch=file.etag,
                ContentType=content_type,
                MetadataDirective="REPLACE",
            )
        except ClientError as error:
            if error_code(error) in ("PreconditionFailed", "412", *_MISSING):
                return False
            raise
        return True

    def write(self, key: str, data: bytes, content_type: str) -> None:
        """Write a file."""
        s3_client().put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def link(self, key: str, filename: str | None = None) -> str:
        """A signed link to read a file; with `filename`, one that a browser saves under it."""
        parameters = {"Bucket": self.bucket, "Key": key}
        if filename:
            plain = re.sub(r'[^ -~]|["\\]', "", filename)
            parameters["ResponseContentDisposition"] = (
                f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
            )
        return s3_client().generate_presigned_url(
            "get_object", parameters, ExpiresIn=self.link_seconds
        )

    def upload_form(self, key: str, content_type: str) -> UploadForm:
        """A signed form for one file of this type and at most 20 MB."""
        form = s3_client().generate_presigned_post(
            self.bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[
                {"Content-Type": content_type},
                # One byte over, so that the API can name the error instead of S3.
                ["content-length-range", 0, MAX_BYTES + 1],
            ],
            ExpiresIn=URL_SECONDS,
        )
        return {"url": form["url"], "fields": form["fields"]}

    def remove(self, prefix: str) -> int:
        """Delete every file under a prefix; returns how many there were.

        Raises
        ------
        DependencyUnavailable
            S3 kept some of them, as when it is busy. Try again.
        """
        removed = 0
        for page in (
            s3_client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        ):
            keys: list[ObjectIdentifierTypeDef] = [
                {"Key": item["Key"]} for item in page.get("Contents", [])
            ]
            if keys:
                answer = s3_client().delete_objects(
                    Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True}
                )
                kept = answer.get("Errors", [])
                if kept:
                    raise DependencyUnavailable(
                        f"{len(kept)} files could not be removed yet. Try again in a moment.",
                        clients.RETRY_AFTER,
                    )
            removed += len(keys)
        return removed
