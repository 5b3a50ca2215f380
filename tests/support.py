"""What the unit and workflow tests share: sample events, the functions, and the stack's tables.

The functions are imported here, once, with the environment that the template gives them; tests
import them from here.
"""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from gen3d.jobs import Image, Job, JobObject, ObjectStatus, Status
from gen3d.paths import MESH_FORMATS
from gen3d.settings import settings
from moto import mock_aws
from PIL import Image as Pillow
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parent.parent
REGION = "us-east-1"
ACCOUNT = "123456789012"
BUCKET = "gen3d-bucket"
STATE_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:gen3d"
OWNER = "7c1f0f2e-2b43-4a53-9c57-1f5f3c1b9a10"
JOB_ID = "01M82SZE4Z7ZQ9FY1VB33KS0D2"
PREFIX = f"private/us-east-1:4f0a51c6-93ad-4b0f-8f67-0d9b8f7e2c11/jobs/{JOB_ID}/"
UPLOADS = PREFIX.replace("private/", "uploads/")
EMAIL = "ada@example.com"
ADMIN = "admin@example.com"
SENDER = "gen3d@example.com"

ENVIRONMENT = {
    "BUCKET": BUCKET,
    "JOBS_TABLE": "JobsTable",
    "TOKENS_TABLE": "TokensTable",
    "IDEMPOTENCY_TABLE": "IdempotencyTable",
    "STATE_MACHINE_ARN": STATE_MACHINE,
    "IDENTITY_POOL_ID": "set by the identity_pool fixture",
    "USER_POOL_ID": "us-east-1_Example12",
    "ENDPOINT_NAME": "gen3d",
    "SENDER_EMAIL": SENDER,
    "ADMIN_EMAIL": ADMIN,
    "CONFIGURATION_SET": "gen3d",
    "NOTIFY_FUNCTION": "gen3d-notify",
    "WEB_URL": "https://gen3d.example.com",
    "LOG_GROUPS": "/aws/lambda/gen3d-api,/aws/lambda/gen3d-mesh",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}

with pytest.MonkeyPatch.context() as _environment:
    for _name, _value in ENVIRONMENT.items():
        _environment.setenv(_name, _value)
    settings.cache_clear()
    import api
    import callback
    import notify
    import reconcile
    import submit

    settings()

__all__ = ["api", "callback", "notify", "reconcile", "submit"]


def load_event(name: str) -> Any:
    """A sample event, such as ``api/create_job``."""
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def event_names() -> list[str]:
    """Names of all sample events."""
    folder = ROOT / "events"
    return sorted(
        path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.json")
    )


@dataclass
class Context:
    """What Lambda tells a function of its invocation."""

    function_name: str = "test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:test"
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        """Half a minute, always."""
        return 30_000


@contextmanager
def stack(config: dict[str, Any] | None = None) -> Iterator[None]:
    """The stack's bucket and tables in moto, in process."""
    with (
        pytest.MonkeyPatch.context() as environment,
        mock_aws(config=config or {}),
    ):
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        environment.setattr(BaseClient, "_make_api_call", _heeding_etags)
        client("s3").create_bucket(Bucket=BUCKET)
        for name, table in resources("AWS::DynamoDB::Table").items():
            keys = ("KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes")
            definition = {key: table[key] for key in keys if key in table}
            client("dynamodb").create_table(TableName=name, **definition)
        yield


_make_api_call = BaseClient._make_api_call  # type: ignore[attr-defined]


def _heeding_etags(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
    """Refuse a copy whose source has changed, as S3 does and moto does not."""
    if operation == "CopyObject" and "CopySourceIfMatch" in parameters:
        found = _make_api_call(self, "HeadObject", parameters["CopySource"])
        if found["ETag"] != parameters["CopySourceIfMatch"]:
            raise client_error("PreconditionFailed", operation, 412)
    return _make_api_call(self, operation, parameters)


def table(name: str) -> Any:
    """A table of the stack, with Python's values."""
    return _dynamodb().Table(name)


@cache
def client(service: str) -> Any:
    """A client, made once: that takes longer than most tests."""
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]


@cache
def _dynamodb() -> Any:
    return boto3.resource("dynamodb", region_name=REGION)


@cache
def template() -> Any:
    """The template as it was written."""
    return yaml_parse((ROOT / "template.yaml").read_text())


def resources(kind: str) -> dict[str, Any]:
    """Properties of the template's resources of a type, by name."""
    found = template()["Resources"].items()
    return {name: r["Properties"] for name, r in found if r["Type"] == kind}


def client_error(code: str, operation: str = "Operation", status: int = 400) -> ClientError:
    """The exception that boto3 raises for a service's error."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"{code}, says the service"},
            "ResponseMetadata": {
                "RequestId": "r-1",
                "HTTPStatusCode": status,
                "HTTPHeaders": {},
                "RetryAttempts": 0,
                "HostId": "",
            },
        },
        operation,
    )


def make_job(status: Status = Status.CREATED, **changes: Any) -> Job:
    """A job of the sample events' owner."""
    fields: dict[str, Any] = {
        "owner": OWNER,
        "job_id": JOB_ID,
        "identity_id": PREFIX.split("/")[1],
        "prefix": PREFIX,
        "email": EMAIL,
        "filename": "coffee.jpg",
        "name": "coffee",
        "content_type": "image/jpeg",
        "status": status,
        "created_at": datetime(2026, 11, 22, 23, 0, tzinfo=UTC),
        "ttl": 2_000_000_000,
        "image": None if status is Status.CREATED else Image(width=64, height=48, bytes=1000),
    }
    return Job(**{**fields, **changes})


def begin_execution(name: str) -> bool:
    """Do what the state machine does first, in an execution that was started; whether it may.

    moto keeps executions and runs none.
    """
    arn = f"{STATE_MACHINE.replace(':stateMachine:', ':execution:')}:{name}"
    job = json.loads(client("stepfunctions").describe_execution(executionArn=arn)["input"])
    ended = Attr("status").is_in(["CREATED", "FAILED", "EXPIRED", "CANCELLED", "COMPLETED"])
    again = Attr("run").eq(job["run"]) & Attr("status").eq("INITIALIZING")
    statuses = {"mesh": "COMPLETED", "left": "FAILED"}
    objects = {
        str(o["n"]): {k: v for k, v in o.items() if k in ("n", "name", "seed")}
        | {"status": statuses.get(o["have"], "PENDING")}
        for o in job["objects"]
    }
    try:
        table("JobsTable").update_item(
            Key={"owner": job["owner"], "jobId": job["jobId"]},
            UpdateExpression="SET #status = :status, #run = :run, image = :image, #text = :text"
            + (", objects = :objects" if objects else ""),
            ConditionExpression=(Attr("run").eq(job["after"]) & ended) | again,
            ExpressionAttributeNames={"#status": "status", "#run": "run", "#text": "text"},
            ExpressionAttributeValues={
                ":status": "INITIALIZING",
                ":run": job["run"],
                ":image": job["image"],
                ":text": job["text"],
                **({":objects": objects} if objects else {}),
            },
        )
    except client("dynamodb").exceptions.ConditionalCheckFailedException:
        return False
    return True


def finished_object(n: int = 0, name: str = "Cup") -> JobObject:
    """An object that became a mesh."""
    folder = f"{PREFIX}objects/{n}/"
    mesh = {
        "files": {
            ending: {"key": f"{folder}mesh.{ending}", "bytes": 10} for ending in MESH_FORMATS
        },
        "vertices": 1200,
        "faces": 2400,
    }
    mesh["files"]["preview"] = {"key": f"{folder}preview.png", "bytes": 10}  # type: ignore[index]
    return JobObject(
        n=n,
        name=name,
        status=ObjectStatus.COMPLETED,
        splat={"gaussians": 5000, "bytes": 9},
        mesh=mesh,
    )


def encode(image: Pillow.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def mask(width: int = 64, height: int = 48) -> Pillow.Image:
    """A mask with a rectangle for an object."""
    image = Pillow.new("L", (width, height))
    image.paste(255, (width // 4, height // 4, width // 2, height // 2))
    return image
