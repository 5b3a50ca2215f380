"""A stack in moto, and clients whose answers are held against AWS's own description."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account."""
    from moto import mock_aws  # here, so that a test that needs none does not wait for it

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


@pytest.fixture
def stack(account: None) -> Callable[[dict[str, Any], dict[str, Any]], dict[str, str]]:
    """Creates a stack from resources and outputs; gives the outputs."""

    def create(resources: dict[str, Any], outputs: dict[str, Any]) -> dict[str, str]:
        client: Any = boto3.client("cloudformation")
        template = {
            "Resources": resources,
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        client.create_stack(StackName="gen3d", TemplateBody=json.dumps(template))
        (made,) = client.describe_stacks(StackName="gen3d")["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in made["Outputs"]}

    return create


@pytest.fixture
def functions(account: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Lambda, which moto runs in Docker alone; everything else is moto's."""
    client: Any = boto3.client("lambda")
    real: Any = boto3.client
    monkeypatch.setattr(
        boto3,
        "client",
        lambda name, **options: client if name == "lambda" else real(name, **options),
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
