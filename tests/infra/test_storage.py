"""Files and records are private, encrypted, recoverable, and gone when they should be."""

import re
from typing import Any

import pytest

from tests.infra.template import Stack, source, whole

TABLES = {
    "JobsTable": [("owner", "HASH"), ("jobId", "RANGE")],
    "TokensTable": [("callbackId", "HASH")],
    "KeysTable": [("keyId", "HASH")],
    "SharesTable": [("shareId", "HASH")],
    "WebhooksTable": [("owner", "HASH"), ("id", "RANGE")],
    "IdempotencyTable": [("id", "HASH")],
}


def bucket() -> dict[str, Any]:
    return whole()["Bucket"]


def test_there_is_one_bucket() -> None:
    assert set(whole().of_type("AWS::S3::Bucket")) == {"Bucket"}


def test_the_bucket_is_private() -> None:
    assert bucket()["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert bucket()["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_the_bucket_is_encrypted_and_asks_for_tls() -> None:
    (rule,) = bucket()["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (deny,) = [
        s for s in whole()["BucketPolicy"]["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"
    ]
    assert deny["Principal"] == "*"
    assert deny["Action"] == "s3:*"
    assert deny["Resource"] == ["{Bucket.Arn}", "{Bucket.Arn}/*"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_the_web_app_is_readable_through_cloudfront() -> None:
    (allow,) = [
        s for s in whole()["BucketPolicy"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"
    ]
    assert allow["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allow["Action"] == "s3:GetObject"
    assert allow["Resource"] == "{Bucket.Arn}/public/*"
    assert allow["Condition"] == {
        "StringEquals": {
            "aws:SourceArn": "arn:aws:cloudfront::123456789012:distribution/{Distribution}"
        }
    }


def test_files_go_when_they_should() -> None:
    rules = bucket()["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert {r["Prefix"]: r["ExpirationInDays"] for r in rules if "Prefix" in r} == {
        "private/": "30",
        "uploads/": 1,
        "async/": 1,
        "build/": 30,
    }
    broken = [r for r in rules if "AbortIncompleteMultipartUpload" in r]
    assert [r["AbortIncompleteMultipartUpload"] for r in broken] == [{"DaysAfterInitiation": 1}]
    assert "VersioningConfiguration" not in bucket(), "an old version would outlive its deletion"


@pytest.mark.parametrize(("days", "kept", "gone_after"), [("0", None, 1), ("7", "Enabled", "7")])
def test_what_was_deleted_is_kept_only_for_as_long_as_somebody_asked(
    days: str, kept: str | None, gone_after: int | str
) -> None:
    found = Stack(RecoverableDays=days)["Bucket"]
    assert found.get("VersioningConfiguration", {}).get("Status") == kept
    (old,) = [r for r in found["LifecycleConfiguration"]["Rules"] if r["Id"] == "old-versions"]
    assert old["Status"] == "Enabled"
    assert old["NoncurrentVersionExpiration"] == {"NoncurrentDays": gone_after}
    assert old["ExpiredObjectDeleteMarker"] is True


@pytest.mark.parametrize("asked", ["true", "false"])
def test_tables_and_people_are_protected_once_somebody_asks(asked: str) -> None:
    assert source()["Parameters"]["DeletionProtection"]["Default"] == "false"
    stack = Stack(DeletionProtection=asked)
    tables = stack.of_type("AWS::DynamoDB::Table").values()
    assert {t["DeletionProtectionEnabled"] for t in tables} == {asked == "true"}
    assert stack["UserPool"]["DeletionProtection"] == ("ACTIVE" if asked == "true" else "INACTIVE")


def test_a_job_outlives_the_longest_wait_for_its_mask() -> None:
    parameters = source()["Parameters"]
    days = parameters["MaskTimeoutSeconds"]["MaxValue"] / 86400
    assert parameters["RetentionDays"]["MinValue"] > days


def test_the_bucket_may_be_called_otherwise_than_the_stack() -> None:
    assert bucket()["BucketName"] == "gen3d-123456789012-eu-west-1"
    stack = Stack(BucketName="pictures")
    assert stack["Bucket"]["BucketName"] == "pictures"
    host = "pictures.s3.eu-west-1.amazonaws.com"
    assert stack["Distribution"]["DistributionConfig"]["Origins"][0]["DomainName"] == host
    assert f"https://{host};" in str(stack["ResponseHeaders"])


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        *((name, True) for name in ("", "gen3d", "abc", "g" * 63)),
        *((name, False) for name in ("Gen3d", "a_b", "a.b", "ab", "-gen3d", "g" * 64)),
    ],
)
def test_a_buckets_name_is_told_before_anything_is_made(name: str, fits: bool) -> None:
    pattern = source()["Parameters"]["BucketName"]["AllowedPattern"]
    assert bool(re.search(pattern, name)) is fits


def test_the_arrival_of_a_file_is_an_event() -> None:
    assert bucket()["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


@pytest.mark.parametrize(
    ("origins", "extra"),
    [("", []), ("http://localhost:5173", ["http://localhost:5173"]), ("https://a,https://b", None)],
)
def test_browsers_may_come_from_exact_origins(origins: str, extra: list[str] | None) -> None:
    (rule,) = Stack(WebOrigins=origins)["Bucket"]["CorsConfiguration"]["CorsRules"]
    named = extra if extra is not None else ["https://a", "https://b"]
    assert rule["AllowedOrigins"] == ["https://{Distribution.DomainName}", *named]
    assert "*" not in rule["AllowedHeaders"]
    # The page tells by the latter whether it knows how much is to come.
    assert rule["ExposedHeaders"] == ["ETag", "Content-Encoding"]


def test_these_are_the_tables() -> None:
    assert set(whole().of_type("AWS::DynamoDB::Table")) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
class TestEachTable:
    def test_has_its_keys(self, name: str) -> None:
        table = whole()[name]
        keys = [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]]
        assert keys == TABLES[name]
        assert {a["AttributeType"] for a in table["AttributeDefinitions"]} == {"S"}

    def test_can_be_restored(self, name: str) -> None:
        assert whole()[name]["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True
        }

    def test_forgets(self, name: str) -> None:
        if name == "KeysTable":  # a key opens until its owner withdraws it
            assert "TimeToLiveSpecification" not in whole()[name]
            return
        assert whole()[name]["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}

    def test_is_encrypted_with_a_key_of_the_account(self, name: str) -> None:
        assert whole()[name]["SSESpecification"] == {"SSEEnabled": True}

    def test_is_paid_by_the_request(self, name: str) -> None:
        assert whole()[name]["BillingMode"] == "PAY_PER_REQUEST"


def test_what_people_made_survives_the_stack_once_it_stands() -> None:
    policies = {
        name: (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        for name, resource in whole().resources.items()
        if resource["Type"]
        in (
            "AWS::S3::Bucket",
            "AWS::DynamoDB::Table",
            "AWS::Cognito::UserPool",
            "AWS::ECR::Repository",
        )
    }
    # What a first deployment made before it failed is empty, and would be in the way of the next.
    kept = ("RetainExceptOnCreate", "Retain")
    assert policies == {
        "Bucket": kept,
        "JobsTable": kept,
        "KeysTable": kept,
        "SharesTable": kept,
        "WebhooksTable": kept,
        "UserPool": kept,
        "Repository": kept,
        "TokensTable": ("Delete", "Delete"),
        "IdempotencyTable": ("Delete", "Delete"),
    }
