"""An endpoint that runs without work is put to sleep, and no other."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from gen3d.jobs import now
from gen3d.queue import Request, Stage
from gen3d_aws import clients
from gen3d_aws.observability import metrics
from gen3d_aws.tokens import TokenRow, TokenStore
from gen3d_reconcile.idle import IDLE, end_idle_instances
from tests.support import JOB_ID, OWNER, REGION, Context, ReconcileSettings, reconcile

from .conftest import Calls

CALLBACK = f"{JOB_ID}-1-reconstruct-0-0"
SOON = timedelta(minutes=10)


class SageMaker:
    """An endpoint; each call and answer is checked against botocore's model of the service."""

    def __init__(self, client: Any) -> None:
        self._stubber = Stubber(client)
        self._stubber.activate()
        self._client = client
        self.status = "InService"
        self.instances = 1

    def look(self, moment: datetime, ends: bool = False) -> int:
        """Let the reconciler look; only where it is to end instances, its call is answered."""
        described = {
            "EndpointName": "gen3d",
            "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/gen3d",
            "EndpointStatus": self.status,
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "ProductionVariants": [
                {"VariantName": "AllTraffic", "CurrentInstanceCount": self.instances}
            ],
        }
        if self.status == "Creating":
            del described["ProductionVariants"]
        self._stubber.add_response("describe_endpoint", described, {"EndpointName": "gen3d"})
        if ends:
            self._stubber.add_response(
                "update_endpoint_weights_and_capacities",
                {"EndpointArn": described["EndpointArn"]},
                {
                    "EndpointName": "gen3d",
                    "DesiredWeightsAndCapacities": [
                        {"VariantName": "AllTraffic", "DesiredInstanceCount": 0}
                    ],
                },
            )
        done = end_idle_instances(ReconcileSettings.read(), moment)
        self._stubber.assert_no_pending_responses()
        return done["EndpointPutToSleep"]


@pytest.fixture
def endpoint(aws: None, monkeypatch: pytest.MonkeyPatch) -> SageMaker:
    sagemaker = boto3.client("sagemaker", region_name=REGION)
    original: Callable[..., Any] = clients.client
    monkeypatch.setattr(
        clients,
        "client",
        lambda service, **options: (
            sagemaker if service == "sagemaker" else original(service, **options)
        ),
    )
    return SageMaker(sagemaker)


def enqueue() -> Request:
    request = Request("2026-11-28T19:00:00.000Z", CALLBACK, OWNER, Stage.RECONSTRUCT)
    TokenStore("TokensTable").enqueue(TokenRow(CALLBACK, "t", OWNER, JOB_ID, 1), request, 60)
    return request


def test_an_hour_without_work_is_enough(endpoint: SageMaker, calls: Calls) -> None:
    began = now()
    assert endpoint.look(began) == 0
    assert endpoint.look(began + IDLE - SOON) == 0
    assert endpoint.look(began + IDLE, ends=True) == 1
    assert all(read["ConsistentRead"] for read in calls.of("GetItem"))


def test_every_instance_is_ended(endpoint: SageMaker, capsys: pytest.CaptureFixture[str]) -> None:
    endpoint.instances = 3
    began = now()
    endpoint.look(began)
    assert endpoint.look(began + IDLE, ends=True) == 3
    metrics.flush_metrics()
    assert '"EndpointPutToSleep":[3.0]' in capsys.readouterr().out


@pytest.mark.parametrize("sent", [False, True])
def test_what_waits_or_is_at_the_endpoint_keeps_it_awake(endpoint: SageMaker, sent: bool) -> None:
    began = now()
    endpoint.look(began)
    request = enqueue()
    if sent:
        tokens = TokenStore("TokensTable")
        tokens.take(tokens.window(), request, [request])
    assert endpoint.look(began + IDLE) == 0
    assert endpoint.look(began + 2 * IDLE) == 0


def test_a_request_that_came_and_went_between_two_looks_was_work(endpoint: SageMaker) -> None:
    began = now()
    endpoint.look(began)
    request = enqueue()
    tokens = TokenStore("TokensTable")
    tokens.take(tokens.window(), request, [request])
    tokens.settle(CALLBACK)
    assert endpoint.look(began + IDLE) == 0
    assert endpoint.look(began + 2 * IDLE, ends=True) == 1


@pytest.mark.parametrize(
    ("status", "instances"), [("Updating", 1), ("InService", 0), ("Creating", 0)]
)
def test_the_hour_begins_when_it_is_awake(endpoint: SageMaker, status: str, instances: int) -> None:
    began = now()
    endpoint.look(began)
    endpoint.status, endpoint.instances = status, instances
    assert endpoint.look(began + IDLE) == 0
    endpoint.status, endpoint.instances = "InService", 1
    assert endpoint.look(began + IDLE + SOON) == 0
    assert endpoint.look(began + 2 * IDLE + SOON, ends=True) == 1


def test_without_an_endpoint_nobody_is_asked(aws: None) -> None:
    config = ReconcileSettings.read().model_copy(update={"endpoint_name": ""})
    assert end_idle_instances(config, now()) == {"EndpointPutToSleep": 0}


def test_the_schedule_has_it_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "end_idle_instances", lambda config, moment: {"looked": 1})
    assert reconcile.handler({"task": "idle"}, Context()) == {"looked": 1}
