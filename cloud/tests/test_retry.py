"""Failed jobs are taken up again by one command."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from gen3d_cloud import retry
from gen3d_cloud.deployed import CloudError

JOB = "01M82SZE4Z7ZQ9FY1VB33KS0D2"
OWNER = "us-east-1:8d2f0c1e"
Create = Callable[[dict[str, Any], dict[str, Any]], dict[str, str]]


@pytest.fixture(autouse=True)
def deployed(stack: Create) -> None:
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
        },
    }
    outputs = {"JobsTableName": {"Ref": "Jobs"}, "ReconcileFunctionName": "gen3d-reconcile"}
    found = stack({"Jobs": table}, outputs)
    for job, owner in ((JOB, OWNER), ("01M82SZE4Z7ZQ9FY1VB33KS0D3", "us-east-1:another")):
        item = {"owner": {"S": owner}, "jobId": {"S": job}, "status": {"S": "FAILED"}}
        boto3.client("dynamodb").put_item(TableName=found["JobsTableName"], Item=item)


def answers(functions: Stubber, event: Any, said: Any, **more: str) -> None:
    functions.add_response(
        "invoke",
        {"Payload": io.BytesIO(json.dumps(said).encode()), "StatusCode": 200, **more},
        {"FunctionName": "gen3d-reconcile", "Payload": json.dumps(event)},
    )


def test_one_job_is_found_by_its_id(functions: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"retry": {"owner": OWNER, "jobId": JOB}}
    answers(functions, event, {"retried": [JOB], "refused": {}})
    assert retry.main(["--stack", "gen3d", "--job", JOB]) == 0
    assert f"{JOB}  taken up again" in capsys.readouterr().out


def test_all_that_failed_since_a_time(
    functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"retrySince": "2026-11-28T12:00:00+00:00"}
    refused = {JOB: "The job has not failed."}
    answers(functions, event, {"retried": [], "refused": refused})
    assert retry.main(["--stack", "gen3d", "--since", "2026-11-28T12:00Z"]) == 1
    assert f"{JOB}  The job has not failed." in capsys.readouterr().out


def test_none_that_failed_is_said(functions: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    answers(functions, {"retrySince": "2026-11-28T00:00:00+00:00"}, {"retried": [], "refused": {}})
    assert retry.main(["--stack", "gen3d", "--since", "2026-11-28"]) == 0
    assert capsys.readouterr().out == "No job has failed since then.\n"


def test_a_function_that_fails_is_told(
    functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"retry": {"owner": OWNER, "jobId": JOB}}
    answers(functions, event, {"errorMessage": "no table"}, FunctionError="Unhandled")
    assert retry.main(["--stack", "gen3d", "--job", JOB]) == 1
    assert "no table" in capsys.readouterr().err


def test_a_job_that_is_not_there_is_told(
    functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retry.main(["--stack", "gen3d", "--job", "nothing"]) == 1
    assert "There is no job nothing" in capsys.readouterr().err


def test_one_job_or_a_time_has_to_be_named() -> None:
    with pytest.raises(SystemExit):
        retry.main(["--stack", "gen3d"])


def test_a_time_may_be_said_by_how_long_ago_it_was() -> None:
    before = datetime.now(UTC)
    ago = retry.moment("6h") + timedelta(hours=6)
    assert before <= ago <= datetime.now(UTC)
    with pytest.raises(CloudError, match="is no time"):
        retry.moment("yesterday")
