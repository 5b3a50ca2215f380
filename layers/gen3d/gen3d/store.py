"""Jobs in DynamoDB and files in S3: with `gen3d.tokens`, the only modules that know AWS."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.config import Config
from botocore.exceptions import ClientError

from gen3d.errors import JobConflict, JobNotFound
from gen3d.images import MAX_BYTES
from gen3d.jobs import TERMINAL, Failure, Image, Job, Status, iso, now

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

URL_SECONDS = 3600
"""Signed links live this long, or until the function's own credentials end."""

_CONFLICT_WAITS = (0.05, 0.1, 0.2, 0.4)
"""A transaction holds its items for milliseconds."""


@cache
def dynamodb() -> "DynamoDBServiceResource":
    """DynamoDB in plain Python values; clients are made once, as that takes long."""
    return boto3.resource("dynamodb")


@cache
def _s3() -> "S3Client":
    # Signature 4 with the regional host: what a presigned link needs in every region.
    return boto3.client("s3", config=Config(signature_version="s3v4"))


def error_code(error: ClientError) -> str:
    """The service's name for an error."""
    return error.response.get("Error", {}).get("Code", "")


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
    """The jobs table. Every write states what it expects to find."""

    def __init__(self, table: str) -> None:
        self._name = table

    @property
    def _table(self) -> "Table":
        return dynamodb().Table(self._name)

    def create(self, job: Job) -> None:
        """Write a new job."""
        item = job.model_dump(mode="json", by_alias=True, exclude_none=True)
        item["createdAt"] = iso(job.created_at)
        # The state machine sets times inside the stages, which therefore have to exist.
        item["stages"] = {"initialize": {}, "mask": {}, "reconstruct": {}}
        self._table.put_item(Item=item, ConditionExpression=Attr("jobId").not_exists())

    def get(self, owner: str, job_id: str) -> Job:
        """Read a job of this owner.

        Raises
        ------
        JobNotFound
            No such job, or somebody else's.
        """
        key = {"owner": owner, "jobId": job_id}
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        if item is None:
            raise JobNotFound("There is no such job. Look it up in your list of jobs.")
        return Job.model_validate(item)

    def page(self, owner: str, before: str | None, limit: int) -> list[Job]:
        """Jobs of an owner, newest first, starting after the job id `before`."""
        condition: ConditionBase = Key("owner").eq(owner)
        if before:
            condition = condition & Key("jobId").lt(before)
        found = self._table.query(
            KeyConditionExpression=condition, ScanIndexForward=False, Limit=limit
        )
        return [Job.model_validate(item) for item in found["Items"]]

    def begin(self, job: Job, image: Image, text: str | None = None) -> None:
        """CREATED → INITIALIZING, with what is known of the photo now and is looked for in it.

        Raises
        ------
        JobConflict
            The job is not CREATED any more.
        """
        self._update(
            job,
            {Status.CREATED},
            {
                "status": Status.INITIALIZING,
                "image": image.model_dump(),
                "text": text,
                "stages.initialize.start": iso(now()),
            },
        )

    def unbegin(self, job: Job) -> None:
        """INITIALIZING → CREATED, where the execution could not be started."""
        self._update(job, {Status.INITIALIZING}, {"status": Status.CREATED})

    def rename(self, job: Job, name: str) -> None:
        """Give the job another name, whatever its status."""
        self._update(job, set(Status), {"name": name})

    def cancel(self, job: Job) -> bool:
        """Any running status → CANCELLED; False where the job had ended by then."""
        try:
            self._update(job, set(Status) - TERMINAL, {"status": Status.CANCELLED})
        except JobConflict:
            return False
        return True

    def fail(self, job: Job, failure: Failure) -> bool:
        """Any running status → FAILED; False where the job had ended by then."""
        changes = {
            "status": Status.FAILED,
            "error": failure.model_dump(),
            "failedAt": iso(now()),
        }
        try:
            self._update(job, set(Status) - TERMINAL, changes)
        except JobConflict:
            return False
        return True

    def delete(self, job: Job) -> None:
        """Forget the job."""
        self._table.delete_item(Key={"owner": job.owner, "jobId": job.job_id})

    def _update(self, job: Job, expected: Iterable[Status], changes: Mapping[str, Any]) -> None:
        names: dict[str, str] = {"#status": "status"}
        values: dict[str, Any] = {}
        assignments = []
        for i, (path, value) in enumerate(changes.items()):
            parts = path.split(".")
            names.update({f"#{part}": part for part in parts})
            values[f":v{i}"] = value
            assignments.append(".".join(f"#{part}" for part in parts) + f" = :v{i}")
        allowed = {f":s{i}": status for i, status in enumerate(sorted(expected))}
        try:
            _past_transactions(
                lambda: self._table.update_item(
                    Key={"owner": job.owner, "jobId": job.job_id},
                    UpdateExpression="SET " + ", ".join(assignments),
                    ConditionExpression=f"#status IN ({', '.join(allowed)})",
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


class FileStore:
    """The bucket."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket

    def size(self, key: str) -> int | None:
        """Bytes of a file, or None where there is none."""
        try:
            return _s3().head_object(Bucket=self.bucket, Key=key)["ContentLength"]
        except ClientError as error:
            if error_code(error) in ("404", "NoSuchKey", "NotFound"):
                return None
            raise

    def read(self, key: str) -> bytes | None:
        """A file's bytes, or None where there is none."""
        try:
            return _s3().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error_code(error) in ("404", "NoSuchKey", "NotFound"):
                return None
            raise

    def write(self, key: str, data: bytes, content_type: str) -> None:
        """Write a file."""
        _s3().put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def link(self, key: str, filename: str | None = None) -> str:
        """A signed link to read a file; with `filename`, one that a browser saves under it."""
        parameters: dict[str, Any] = {"Bucket": self.bucket, "Key": key}
        if filename:
            plain = re.sub(r'[^ -~]|["\\]', "", filename)
            parameters["ResponseContentDisposition"] = (
                f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
            )
        return _s3().generate_presigned_url("get_object", parameters, ExpiresIn=URL_SECONDS)

    def upload_form(self, key: str, content_type: str) -> dict[str, Any]:
        """A signed form (``url``, ``fields``) for one file of this type and at most 20 MB."""
        return dict(
            _s3().generate_presigned_post(
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
        )

    def remove(self, prefix: str) -> int:
        """Delete every file under a prefix; returns how many there were."""
        removed = 0
        for page in (
            _s3().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        ):
            keys: list[ObjectIdentifierTypeDef] = [
                {"Key": item["Key"]} for item in page.get("Contents", [])
            ]
            if keys:
                _s3().delete_objects(Bucket=self.bucket, Delete={"Objects": keys})
            removed += len(keys)
        return removed
