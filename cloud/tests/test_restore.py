"""What was lost comes back: records, a table, files; as far as moto's DynamoDB and S3 go.

Moto restores a table as it is now, whatever the time; each test therefore loses things afterwards.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from gen3d_cloud import restore
from gen3d_cloud.deployed import CloudError

Create = Callable[[dict[str, Any], dict[str, Any]], dict[str, str]]
OWNER = "us-east-1:8d2f0c1e"
BUCKET = "gen3d-bucket"


@pytest.fixture
def jobs(stack: Create) -> str:
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "owner", "AttributeType": "S"},
                {"AttributeName": "jobId", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "owner", "KeyType": "HASH"},
                {"AttributeName": "jobId", "KeyType": "RANGE"},
            ],
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
    }
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}}
    outputs = {"JobsTableName": {"Ref": "Jobs"}, "BucketName": BUCKET}
    return stack({"Jobs": table, "Bucket": bucket}, outputs)["JobsTableName"]


def record(job: str, status: str = "COMPLETED", days: int = 20) -> dict[str, Any]:
    return {
        "owner": {"S": OWNER},
        "jobId": {"S": job},
        "status": {"S": status},
        "ttl": {"N": str(int(time.time()) + days * 86400)},
    }


def put(table: str, item: dict[str, Any], photo: bool = True) -> None:
    boto3.client("dynamodb").put_item(TableName=table, Item=item)
    if photo:
        key = f"private/{OWNER}/jobs/{item['jobId']['S']}/image.jpg"
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"photo")


def lose(table: str, job: str) -> None:
    key = {"owner": {"S": OWNER}, "jobId": {"S": job}}
    boto3.client("dynamodb").delete_item(TableName=table, Key=key)


def there(table: str) -> dict[str, str]:
    items = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return {item["jobId"]["S"]: item["status"]["S"] for item in items}


@pytest.fixture
def of_that_time(jobs: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], datetime]:
    """Has the table of now restored, which is then what it was before something was lost."""

    def keep() -> datetime:
        at = datetime.now(UTC)
        boto3.client("dynamodb").restore_table_to_point_in_time(
            SourceTableName=jobs, TargetTableName=f"{jobs}-at-{at:%Y%m%dT%H%M%S}"
        )
        return at

    return keep


class TestRecords:
    def test_that_were_deleted_come_back(
        self, jobs: str, of_that_time: Callable[[], datetime]
    ) -> None:
        for job in ("lost", "kept"):
            put(jobs, record(job))
        at = of_that_time()
        lose(jobs, "lost")
        put(jobs, record("kept", "FAILED"))
        assert restore.records("gen3d", at) == {"brought back": 1, "as they are": 1}
        assert there(jobs) == {"lost": "COMPLETED", "kept": "FAILED"}
        assert restore.records("gen3d", at) == {"as they are": 2}, "again, from the same table"

    def test_that_were_spoilt_come_back_where_that_is_asked_for(
        self, jobs: str, of_that_time: Callable[[], datetime]
    ) -> None:
        put(jobs, record("spoilt"))
        at = of_that_time()
        put(jobs, record("spoilt", "FAILED"))
        assert restore.records("gen3d", at, replace=True) == {"replaced": 1}
        assert there(jobs) == {"spoilt": "COMPLETED"}

    def test_of_what_people_deleted_stay_away(
        self, jobs: str, of_that_time: Callable[[], datetime]
    ) -> None:
        put(jobs, record("without-files"), photo=False)
        put(jobs, record("tombstone", "DELETED"))
        put(jobs, record("old", days=-1))
        put(jobs, record("deleted-since"))
        at = of_that_time()
        for job in ("without-files", "tombstone", "old"):
            lose(jobs, job)
        put(jobs, record("deleted-since", "DELETED"))
        assert restore.records("gen3d", at, replace=True) == {
            "without files": 1,
            "deleted by then": 1,
            "past their time": 1,
            "as they are": 1,
        }
        assert there(jobs) == {"deleted-since": "DELETED"}

    def test_come_from_a_table_that_is_made_for_it(
        self, jobs: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        put(jobs, record("kept"))
        assert restore.main(["records", "--stack", "gen3d", "--at", "5m"]) == 0
        assert "as they are" in capsys.readouterr().out
        tables = boto3.client("dynamodb").list_tables()["TableNames"]
        assert len([name for name in tables if name.startswith(f"{jobs}-at-")]) == 1


class TestTable:
    def test_that_was_deleted_comes_back_under_its_name(self, jobs: str) -> None:
        client = boto3.client("dynamodb")
        put(jobs, record("lost"))
        # AWS makes this one itself as the table goes.
        client.create_backup(TableName=jobs, BackupName=f"{jobs}$DeletedTableBackup")
        client.delete_table(TableName=jobs)
        assert restore.revive("gen3d", "JobsTable") == jobs
        assert there(jobs) == {"lost": "COMPLETED"}
        lives = client.describe_time_to_live(TableName=jobs)["TimeToLiveDescription"]
        assert lives == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
        backups = client.describe_continuous_backups(TableName=jobs)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"

    def test_that_is_there_is_left_alone(self, jobs: str) -> None:
        with pytest.raises(CloudError, match="is there"):
            restore.revive("gen3d", "JobsTable")

    def test_without_a_backup_is_told(self, jobs: str) -> None:
        boto3.client("dynamodb").delete_table(TableName=jobs)
        with pytest.raises(CloudError, match="no backup"):
            restore.revive("gen3d", "JobsTable")


class TestFiles:
    def test_come_back_as_they_were(self, jobs: str, monkeypatch: pytest.MonkeyPatch) -> None:
        s3 = boto3.client("s3")
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for name in ("deleted", "replaced", "kept", "gone-before"):
            s3.put_object(Bucket=BUCKET, Key=f"private/{name}", Body=b"old")
        s3.delete_object(Bucket=BUCKET, Key="private/gone-before")
        at = datetime.now(UTC)
        later = (at + timedelta(minutes=1)).replace(tzinfo=None)
        monkeypatch.setattr("moto.s3.models.utcnow", lambda: later)
        s3.delete_object(Bucket=BUCKET, Key="private/deleted")
        s3.put_object(Bucket=BUCKET, Key="private/replaced", Body=b"new")
        s3.put_object(Bucket=BUCKET, Key="private/later", Body=b"new")
        assert restore.files("gen3d", at, "private/") == {
            "brought back": 2,
            "as they are": 1,
            "not there then": 2,
        }
        kept = {
            item["Key"]: s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
            for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        }
        assert kept == {
            "private/deleted": b"old",
            "private/replaced": b"old",
            "private/kept": b"old",
            "private/later": b"new",
        }

    def test_are_gone_where_nothing_is_kept(
        self, jobs: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert restore.main(["files", "--stack", "gen3d", "--at", "1h"]) == 1
        assert "RecoverableDays" in capsys.readouterr().err


def test_a_time_has_to_be_said() -> None:
    with pytest.raises(SystemExit):
        restore.main(["records", "--stack", "gen3d"])
