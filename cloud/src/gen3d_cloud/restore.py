"""``python -m gen3d_cloud.restore records --stack gen3d --at 6h``: brings back what was lost.

``records`` brings back records that were deleted since a time, from the jobs table's continuous
backup. ``table`` brings back a table that was itself deleted, under its name, which the stack goes
on to use. ``files`` brings back what was deleted or replaced in the bucket since a time, where the
stack keeps it (``RecoverableDays``). Each may be run again, and goes on where it ended.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from gen3d_cloud.deployed import CloudError, output, outputs, table
from gen3d_cloud.retry import moment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        CopySourceTypeDef,
        DeleteMarkerEntryTypeDef,
        ObjectVersionTypeDef,
    )

    Item = dict[str, AttributeValueTypeDef]
    """A record as DynamoDB writes it."""
    Version = ObjectVersionTypeDef | DeleteMarkerEntryTypeDef

_POLL_SECONDS = 20.0
_TABLES = (
    "JobsTable",
    "TokensTable",
    "KeysTable",
    "SharesTable",
    "WebhooksTable",
    "IdempotencyTable",
)


def records(stack: str, at: datetime, replace: bool = False) -> Counter[str]:
    """Bring records back as they were at a time.

    The table of that time is made beside the stack's, and what the stack's lacks is copied. A job
    whose files are gone was deleted for good, or is too old: its record stays away.

    Parameters
    ----------
    stack : str
    at : datetime
        Within the last 35 days.
    replace : bool
        Also those that are there and read differently, such as after a fault that spoilt them.

    Returns
    -------
    Counter of str
        What became of how many.
    """
    found = outputs(stack)
    live = output("JobsTableName", stack, found)
    bucket = output("BucketName", stack, found)
    client = boto3.client("dynamodb")
    then = f"{live}-at-{at:%Y%m%dT%H%M%S}"
    if not _exists(client, then):
        client.restore_table_to_point_in_time(
            SourceTableName=live,
            TargetTableName=then,
            RestoreDateTime=at,
            GlobalSecondaryIndexOverride=[],  # only read once, from end to end
        )
    print(f"The table of that time becomes {then}; this takes minutes, or an hour.", flush=True)
    _wait(client, then)
    done = Counter[str]()
    for item in _scan(client, then):
        done[_bring_back(client, live, bucket, item, replace)] += 1
    print(f"Once all is well: aws dynamodb delete-table --table-name {then}")
    return done


def _bring_back(
    client: "DynamoDBClient", live: str, bucket: str, item: "Item", replace: bool
) -> str:
    key = {"owner": item["owner"], "jobId": item["jobId"]}
    if int(item.get("ttl", {}).get("N", "0")) < time.time():
        return "past their time"
    if item.get("status", {}).get("S") == "DELETED":
        return "deleted by then"
    there = client.get_item(TableName=live, Key=key, ConsistentRead=True).get("Item")
    if there and (there == item or not replace or there["status"]["S"] == "DELETED"):
        return "as they are"
    prefix = f"private/{item['owner']['S']}/jobs/{item['jobId']['S']}/"
    s3 = boto3.client("s3")
    if not s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents"):
        return "without files"
    put = partial(client.put_item, TableName=live, Item=item)
    try:
        put() if there else put(ConditionExpression="attribute_not_exists(jobId)")
    except client.exceptions.ConditionalCheckFailedException:
        return "as they are"
    return "replaced" if there else "brought back"


def revive(stack: str, name: str) -> str:
    """Bring a deleted table back under its name, from the backup that its deletion left.

    Parameters
    ----------
    stack : str
    name : str
        One of the stack's.

    Returns
    -------
    str
        The table's name.

    Raises
    ------
    CloudError
        It is there, or no backup is.
    """
    physical = output(f"{name}Name", stack, outputs(stack))
    client = boto3.client("dynamodb")
    if _exists(client, physical):
        raise CloudError(f"{physical} is there. For its records, see `records`.")
    backups = client.list_backups(TableName=physical, BackupType="ALL")["BackupSummaries"]
    if not backups:
        raise CloudError(f"There is no backup of {physical}. AWS keeps a deleted table's 35 days.")
    last = max(backups, key=lambda backup: backup["BackupCreationDateTime"])
    client.restore_table_from_backup(TargetTableName=physical, BackupArn=last["BackupArn"])
    print(f"{physical} comes back; this takes minutes, or an hour.", flush=True)
    _wait(client, physical)
    # Neither of these is part of a backup.
    client.update_time_to_live(
        TableName=physical,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"},
    )
    client.update_continuous_backups(
        TableName=physical,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    return physical


def files(stack: str, at: datetime, prefix: str) -> Counter[str]:
    """Bring files back as they were at a time.

    Parameters
    ----------
    stack : str
    at : datetime
        Within the last ``RecoverableDays``.
    prefix : str
        Below which.

    Returns
    -------
    Counter of str
        What became of how many.

    Raises
    ------
    CloudError
        The bucket keeps nothing.
    """
    bucket = output("BucketName", stack, outputs(stack))
    s3 = boto3.client("s3")
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise CloudError(
            f"{bucket} keeps nothing that is deleted. For the next time, deploy with "
            "RecoverableDays."
        )
    done = Counter[str]()
    for key, versions in _versions(s3, bucket, prefix):
        before = [version for version in versions if version["LastModified"] <= at]
        if not before or "Size" not in before[0]:
            done["not there then"] += 1
        elif before[0]["IsLatest"]:
            done["as they are"] += 1
        else:
            source: CopySourceTypeDef = {
                "Bucket": bucket,
                "Key": key,
                "VersionId": before[0]["VersionId"],
            }
            s3.copy(source, bucket, key)
            done["brought back"] += 1
    return done


def _versions(s3: "S3Client", bucket: str, prefix: str) -> "Iterator[tuple[str, list[Version]]]":
    """Each key below a prefix with all of its versions and delete markers, newest first."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    key = ""
    versions: list[Version] = []
    for page in pages:
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        for entry in sorted(entries, key=lambda entry: str(entry["Key"])):
            if entry["Key"] != key:
                if versions:
                    yield key, _newest_first(versions)
                key, versions = entry["Key"], []
            versions.append(entry)
    if versions:
        yield key, _newest_first(versions)


def _newest_first(versions: "list[Version]") -> "list[Version]":
    return sorted(versions, key=lambda each: (each["LastModified"], each["IsLatest"]), reverse=True)


def _scan(client: "DynamoDBClient", name: str) -> "Iterator[Item]":
    for page in client.get_paginator("scan").paginate(TableName=name):
        yield from page["Items"]


def _exists(client: "DynamoDBClient", name: str) -> bool:
    try:
        client.describe_table(TableName=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def _wait(client: "DynamoDBClient", name: str) -> None:
    while client.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(_POLL_SECONDS)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.restore", description=__doc__)
    parser.add_argument("what", choices=("records", "table", "files"))
    parser.add_argument("--stack", required=True, help="a deployed stack")
    parser.add_argument("--at", default="", help="2026-11-28T12:00Z, or how long ago: 6h")
    parser.add_argument("--name", default="JobsTable", choices=_TABLES, help="(%(default)s)")
    parser.add_argument("--prefix", default="private/", help="of the files (%(default)s)")
    parser.add_argument("--replace", action="store_true", help="records that are there, too")
    options = parser.parse_args(arguments)
    if options.what != "table" and not options.at:
        parser.error("--at says of which time")
    try:
        if options.what == "table":
            print(f"{revive(options.stack, options.name)} is back, without its tags.")
            return 0
        at = moment(options.at).astimezone(UTC)
        done = (
            records(options.stack, at, options.replace)
            if options.what == "records"
            else files(options.stack, at, options.prefix)
        )
    except (CloudError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    rows = [[outcome, str(number)] for outcome, number in done.most_common()]
    print(table([options.what, "number"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
