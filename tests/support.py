"""What the unit and workflow tests share: the functions, and the stack's tables.

The functions are imported here, once, with the environment that the template gives them; tests
import them from here.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from gen3d.jobs import Job
from tests.samples import (
    ACCOUNT,
    ADMIN,
    BUCKET,
    EMAIL,
    JOB_ID,
    OWNER,
    PREFIX,
    REGION,
    ROOT,
    SENDER,
    STATE_MACHINE,
    UPLOADS,
    Context,
    encode,
    event_names,
    finished_object,
    load_event,
    make_job,
    mask,
    mesh_object,
)

ENVIRONMENT = {
    "BUCKET": BUCKET,
    "JOBS_TABLE": "JobsTable",
    "TOKENS_TABLE": "TokensTable",
    "KEYS_TABLE": "KeysTable",
    "SHARES_TABLE": "SharesTable",
    "WEBHOOKS_TABLE": "WebhooksTable",
    "DELIVERIES_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/deliveries",
    "EVENT_BUS": "gen3d",
    "IDEMPOTENCY_TABLE": "IdempotencyTable",
    "STATE_MACHINE_ARN": STATE_MACHINE,
    "IDENTITY_POOL_ID": "set by the identity_pool fixture",
    "USER_POOL_ID": "us-east-1_Example12",
    "USER_POOL_CLIENT_ID": "the-page",
    "ENGINE": "sam",
    "ENDPOINT_NAME": "gen3d",
    "MAX_INSTANCES": "1",
    "INVOCATION_TIMEOUT_SECONDS": "900",
    "REQUEST_TTL_SECONDS": "3000",
    "RETENTION_DAYS": "30",
    "MAX_RUNNING_JOBS": "10",
    "MAX_JOBS_PER_DAY": "100",
    "MAX_QUEUED_OBJECTS": "24",
    "SENDER_EMAIL": SENDER,
    "ADMIN_EMAIL": ADMIN,
    "ADMIN_NOTICES": "all",
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
    from gen3d_announce import handler as announce
    from gen3d_announce.settings import AnnounceSettings
    from gen3d_api import handler as api
    from gen3d_api.settings import ApiSettings
    from gen3d_authorize.settings import AuthorizeSettings
    from gen3d_aws.dispatch import QueueSettings
    from gen3d_aws.store import JobStore
    from gen3d_callback import handler as callback
    from gen3d_notify import handler as notify
    from gen3d_notify.settings import NotifySettings
    from gen3d_reconcile import handler as reconcile
    from gen3d_reconcile.settings import ReconcileSettings
    from gen3d_submit import handler as submit

    for _settings in (
        AnnounceSettings,
        ApiSettings,
        AuthorizeSettings,
        QueueSettings,
        NotifySettings,
        ReconcileSettings,
    ):
        _settings.read()

__all__ = [
    "ACCOUNT",
    "ADMIN",
    "BUCKET",
    "EMAIL",
    "JOB_ID",
    "OWNER",
    "PREFIX",
    "REGION",
    "ROOT",
    "SENDER",
    "STATE_MACHINE",
    "UPLOADS",
    "AnnounceSettings",
    "ApiSettings",
    "AuthorizeSettings",
    "Context",
    "NotifySettings",
    "QueueSettings",
    "ReconcileSettings",
    "announce",
    "api",
    "callback",
    "encode",
    "event_names",
    "finished_object",
    "load_event",
    "make_job",
    "mask",
    "mesh_object",
    "notify",
    "reconcile",
    "submit",
    "write_job",
]


@contextmanager
def stack(config: dict[str, Any] | None = None) -> Iterator[None]:
    """The stack's bucket and tables in moto, in process."""
    from moto import mock_aws  # it takes seconds, which only its tests have to wait

    with (
        pytest.MonkeyPatch.context() as environment,
        mock_aws(config=config or {}),
    ):
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        environment.setattr(BaseClient, "_make_api_call", _as_aws_does)
        client("s3").create_bucket(Bucket=BUCKET)
        for name, table in resources("AWS::DynamoDB::Table").items():
            keys = ("KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes")
            definition = {key: table[key] for key in keys if key in table}
            client("dynamodb").create_table(TableName=name, **definition)
        yield


_make_api_call = BaseClient._make_api_call  # type: ignore[attr-defined]


def _as_aws_does(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
    """Refuse what AWS refuses and moto takes: a copy whose source has changed, unused names."""
    if operation == "CopyObject" and "CopySourceIfMatch" in parameters:
        found = _make_api_call(self, "HeadObject", parameters["CopySource"])
        if found["ETag"] != parameters["CopySourceIfMatch"]:
            raise client_error("PreconditionFailed", operation, 412)
    if operation == "TransactWriteItems":
        for (item,) in (each.values() for each in parameters["TransactItems"]):
            _refuse_unused(item, operation)
    return _make_api_call(self, operation, parameters)


def _refuse_unused(item: dict[str, Any], operation: str) -> None:
    """Refuse names and values that no expression uses, as DynamoDB does and moto not in these."""
    used = " ".join(text for name, text in item.items() if name.endswith("Expression"))
    kinds = ("ExpressionAttributeNames", "ExpressionAttributeValues")
    given = [name for kind in kinds for name in item.get(kind, {})]
    if any(not re.search(rf"{name}\b", used) for name in given):
        raise client_error("ValidationException", operation)


def write_job(job: Job) -> Job:
    """Write a job's row, what the state machine knows of it as that writes it."""
    machines: dict[str, Any] = {"objects": {}, "model": None, "scene": None}
    JobStore("JobsTable").create(job.model_copy(update=machines))
    written = job.model_dump(mode="json", by_alias=True, exclude_none=True, include=set(machines))
    kept_as_text = ("options", "splat", "mesh", "draft", "offers")
    for fields in (*written["objects"].values(), written.get("model", {})):
        fields |= {k: json.dumps(fields[k]) for k in kept_as_text if k in fields}
    written |= {k: json.dumps(written[k]) for k in ("scene",) if k in written}
    table("JobsTable").update_item(
        Key={"owner": job.owner, "jobId": job.job_id},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in written),
        ExpressionAttributeValues={f":{name}": value for name, value in written.items()},
    )
    return job


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
        str(o["n"]): {k: v for k, v in o.items() if k in ("n", "name")}
        | {"options": json.dumps(o["options"]), "status": statuses.get(o["have"], "PENDING")}
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
    except ClientError as error:  # its class is another where another session made the client
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
