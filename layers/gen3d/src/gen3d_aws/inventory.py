"""Everything there is: records, waiting tasks, executions, files. For who compares them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, TypedDict, cast

from botocore.exceptions import ClientError

from gen3d import paths
from gen3d.jobs import Status, execution_name
from gen3d_aws import clients
from gen3d_aws.clients import error_code

if TYPE_CHECKING:
    from decimal import Decimal

    from mypy_boto3_dynamodb.type_defs import ScanInputTableScanTypeDef
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient


def _states() -> "SFNClient":
    states: SFNClient = clients.client("stepfunctions")
    return states


def _s3() -> "S3Client":
    s3: S3Client = clients.client("s3")
    return s3


@dataclass(frozen=True)
class Record:
    """What of a job's record tells whether the job lives."""

    owner: str
    job_id: str
    run: int
    status: Status
    failed_at: datetime | None = None


def records(table: str) -> Iterator[Record]:
    """Every job's record, tombstones included."""
    names = {"#owner": "owner", "#status": "status", "#run": "run"}
    for item in _scan(table, "#owner, jobId, #status, #run, failedAt", names):
        failed = item.get("failedAt")
        yield Record(
            item["owner"],
            item["jobId"],
            int(item.get("run", 0)),
            Status(item["status"]),
            datetime.fromisoformat(failed) if failed else None,
        )


@dataclass(frozen=True)
class WaitingTask:
    """A row of the tokens table, without its token."""

    callback_id: str
    owner: str
    job_id: str
    run: int | None
    """None where an execution from before there were runs wrote it."""
    ttl: int


def waiting_tasks(table: str) -> Iterator[WaitingTask]:
    """Every task that waits for a mask or for the endpoint."""
    names = {"#owner": "owner", "#run": "run", "#ttl": "ttl"}
    for item in _scan(table, "callbackId, #owner, jobId, #run, #ttl", names):
        if "jobId" in item:  # the window is no task
            run = int(item["run"]) if "run" in item else None
            yield WaitingTask(
                item["callbackId"], item["owner"], item["jobId"], run, int(item["ttl"])
            )


def forget_task(table: str, task: WaitingTask) -> bool:
    """Remove a row; False where another execution has written it anew meanwhile."""
    try:
        clients.table(table).delete_item(
            Key={"callbackId": task.callback_id},
            ConditionExpression="#ttl = :ttl",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":ttl": task.ttl},
        )
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        return False
    return True


class _Row(TypedDict, total=False):
    """A row of either table, as boto3 reads it."""

    owner: str
    jobId: str
    status: str
    run: "Decimal"
    failedAt: str
    callbackId: str
    ttl: "Decimal"


def _scan(table: str, projection: str, names: dict[str, str]) -> Iterator[_Row]:
    query: ScanInputTableScanTypeDef = {
        "ProjectionExpression": projection,
        "ExpressionAttributeNames": names,
        "ConsistentRead": True,
    }
    while True:
        page = clients.table(table).scan(**query)
        yield from cast("list[_Row]", page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


@dataclass(frozen=True)
class Execution:
    """An execution of a job."""

    arn: str
    job_id: str
    run: int
    status: str
    start: datetime
    stop: datetime | None = None

    @property
    def name(self) -> str:
        """Its name, which is the job's."""
        return execution_name(self.job_id, self.run)


def running_executions(machine: str) -> Iterator[Execution]:
    """Every execution that runs."""
    pages = (
        _states()
        .get_paginator("list_executions")
        .paginate(stateMachineArn=machine, statusFilter="RUNNING")
    )
    for page in pages:
        for found in page["executions"]:
            job_id, _, run = found["name"].partition("-")
            number = int(run) if run.isdecimal() else 1
            yield Execution(
                found["executionArn"], job_id, number, found["status"], found["startDate"]
            )


def execution(machine: str, job_id: str, run: int) -> Execution | None:
    """One execution, or None where there is none, or none any more."""
    arn = machine.replace(":stateMachine:", ":execution:")
    arn = f"{arn}:{execution_name(job_id, run)}"
    try:
        found = _states().describe_execution(executionArn=arn)
    except ClientError as error:
        if error_code(error) != "ExecutionDoesNotExist":
            raise
        return None
    return Execution(arn, job_id, run, found["status"], found["startDate"], found.get("stopDate"))


def owner_of(one: Execution) -> str:
    """Whose job an execution is of, as its input says."""
    found = _states().describe_execution(executionArn=one.arn)
    return str(json.loads(found["input"])["owner"])


def stop(one: Execution, cause: str) -> None:
    """Stop an execution; nothing happens where it has ended."""
    _states().stop_execution(executionArn=one.arn, error="Superseded", cause=cause)


@dataclass(frozen=True)
class Folder:
    """All files of a job under one of the two places where a job's files lie."""

    prefix: str
    job_id: str
    newest: datetime


def folders(bucket: str) -> Iterator[Folder]:
    """Every job's folder, of uploads and of its own files."""
    for place in (paths.PRIVATE, paths.UPLOADS):
        for prefix, found in groupby(_files(bucket, place), key=lambda file: _folder(file[0])):
            if prefix:
                yield Folder(prefix, prefix.split("/")[3], max(moment for _, moment in found))


def _files(bucket: str, place: str) -> Iterator[tuple[str, datetime]]:
    for page in _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=place):
        for item in page.get("Contents", []):
            yield item["Key"], item["LastModified"]


def _folder(key: str) -> str:
    """The job's folder that a file lies in; empty where it is in none."""
    parts = key.split("/")
    return "/".join(parts[:4]) + "/" if len(parts) > 4 and parts[2] == "jobs" else ""
