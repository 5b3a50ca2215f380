"""What a stack in AWS alone can show: whether its endpoint sleeps, and whom alarms reach."""

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from gen3d_cloud import verify
from gen3d_cloud.checks import Check
from gen3d_cloud.deployed import CloudError

ROOT = Path(__file__).parents[2]
MADE = datetime(2026, 11, 28, tzinfo=UTC)
SERVICES = ("sagemaker", "application-autoscaling", "cloudwatch", "sns", "cloudformation", "ecr")
LOGICAL = {"SleepAlarm": "gen3d-sleep", "AdminTopic": "arn:aws:sns:us-east-1:123456789012:admin"}


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    make: Any = boto3.Session("testing", "testing", region_name="us-east-1").client
    return {name: make(name) for name in SERVICES}


@pytest.fixture
def stubs(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Clients whose answers are held against AWS's description, by their names."""
    monkeypatch.setattr(boto3, "client", lambda name, **options: clients[name])
    with ExitStack() as entered:
        stubs = {name: entered.enter_context(Stubber(c)) for name, c in clients.items()}
        yield stubs
        for stub in stubs.values():
            stub.assert_no_pending_responses()


def endpoint(
    stubs: dict[str, Stubber],
    running: int,
    backlog: list[float] | None = None,
    status: str = "InService",
    last: str = "Successful",
) -> None:
    stubs["sagemaker"].add_response(
        "describe_endpoint",
        {
            "EndpointName": "gen3d",
            "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/gen3d",
            "EndpointStatus": status,
            "FailureReason": "No capacity." if status == "Failed" else "",
            "CreationTime": MADE,
            "LastModifiedTime": MADE,
            "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": running}],
        },
        {"EndpointName": "gen3d"},
    )
    if status == "Failed":
        return
    activity = {
        "ActivityId": "1",
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/gen3d/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "Description": "Setting desired instance count to 1.",
        "Cause": "an alarm",
        "StartTime": MADE,
        "StatusCode": last,
        "StatusMessage": "Insufficient capacity." if last == "Failed" else "",
    }
    asked = {"ServiceNamespace": "sagemaker", "ResourceId": activity["ResourceId"]}
    stubs["application-autoscaling"].add_response(
        "describe_scaling_activities",
        {"ScalingActivities": [activity]},
        {**asked, "MaxResults": 1},
    )
    if backlog is None:
        return
    alarm = {
        "AlarmName": "gen3d-sleep",
        "StateValue": "OK",
        "Namespace": "AWS/SageMaker",
        "MetricName": "ApproximateBacklogSize",
        "Dimensions": [{"Name": "EndpointName", "Value": "gen3d"}],
    }
    stubs["cloudwatch"].add_response("describe_alarms", {"MetricAlarms": [alarm]})
    points = [{"Timestamp": MADE, "Maximum": value} for value in backlog]
    stubs["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": points})


def slept(stubs: dict[str, Stubber], **about: Any) -> list[Check]:
    endpoint(stubs, **about)
    return list(verify.sleep("gen3d", LOGICAL))


def test_an_endpoint_that_sleeps(stubs: dict[str, Stubber]) -> None:
    (check,) = slept(stubs, running=0)
    assert check.holds


def test_an_endpoint_that_has_worked_may_be_awake(stubs: dict[str, Stubber]) -> None:
    (check,) = slept(stubs, running=1, backlog=[0.0] * 18 + [1.0])
    assert check.holds is None
    assert "LOOK=1" in check.mend


@pytest.mark.parametrize(
    ("backlog", "says"), [([], "for ever"), ([0.0] * 19, "nothing was asked for 20 minutes")]
)
def test_an_endpoint_that_stays_awake(
    stubs: dict[str, Stubber], backlog: list[float], says: str
) -> None:
    (check,) = slept(stubs, running=1, backlog=backlog)
    assert check.holds is False
    assert says in check.says
    assert "VariantName=main,DesiredInstanceCount=0" in check.mend


def test_an_endpoint_without_capacity(stubs: dict[str, Stubber]) -> None:
    size, _ = slept(stubs, running=0, last="Failed")
    assert size.holds is False
    assert "Insufficient capacity" in size.says


def test_an_endpoint_that_failed(stubs: dict[str, Stubber]) -> None:
    (check,) = slept(stubs, running=0, status="Failed")
    assert check.holds is False
    assert "No capacity." in check.says


@pytest.mark.parametrize(
    ("arn", "holds"), [("PendingConfirmation", False), (f"{LOGICAL['AdminTopic']}:1", True)]
)
def test_whether_the_admin_confirmed(stubs: dict[str, Stubber], arn: str, holds: bool) -> None:
    mine = {"SubscriptionArn": arn, "Endpoint": "admin@example.com", "Protocol": "email"}
    topic = {"TopicArn": LOGICAL["AdminTopic"]}
    stubs["sns"].add_response("list_subscriptions_by_topic", {"Subscriptions": [mine]}, topic)
    check = verify.subscription(LOGICAL)
    assert check.holds is holds
    assert "admin@example.com" in check.says + check.mend


def described(stubs: dict[str, Stubber], **outputs: str) -> None:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    about = {
        "StackName": "gen3d",
        "CreationTime": MADE,
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": listed,
    }
    stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [about]})


def test_a_page_and_both_ways_to_the_api(stubs: dict[str, Stubber]) -> None:
    page = {"WebUrl": "https://d", "WebApiUrl": "https://d/api", "DistributionId": "E1"}
    described(stubs, ApiUrl="https://a", **page)
    found = verify.target("gen3d")
    assert (found.page, found.apis) == ("https://d", ("https://a", "https://d/api"))


def test_a_stack_without_a_page(stubs: dict[str, Stubber]) -> None:
    described(stubs, ApiUrl="https://a", WebUrl="http://localhost:5173")
    found = verify.target("gen3d")
    assert (found.page, found.apis) == ("", ("https://a",))
    assert found.origin == "http://localhost:5173"


def test_a_stack_that_is_not_there(
    stubs: dict[str, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        stubs["cloudformation"].add_client_error("describe_stacks", "ValidationError", "no", 400)
    with pytest.raises(CloudError):
        verify.target("gen3d")
    assert verify.main(["--stack", "gen3d"]) == 1
    assert "deploy it first" in capsys.readouterr().err


@pytest.mark.parametrize(("there", "holds"), [(True, True), (False, False)])
def test_an_image_that_expired_is_told(stubs: dict[str, Stubber], there: bool, holds: bool) -> None:
    registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com/gen3d-repository-1"
    about = {
        "StackName": "gen3d",
        "CreationTime": MADE,
        "StackStatus": "CREATE_COMPLETE",
        "Parameters": [{"ParameterKey": "ContainerImage", "ParameterValue": f"{registry}:sam-1"}],
    }
    asked = {"repositoryName": "gen3d-repository-1", "imageIds": [{"imageTag": "sam-1"}]}
    stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [about]})
    if there:
        stubs["ecr"].add_response("describe_images", {"imageDetails": []}, asked)
    else:
        stubs["ecr"].add_client_error("describe_images", "ImageNotFoundException", "", 400)
    target = verify.Target("gen3d", {"RepositoryUri": registry}, "", ())
    (check,) = verify.image(target)
    assert check.holds is holds
    assert "sam-1" in check.says


def test_every_route_is_asked() -> None:
    described = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
    for_all = {"/openapi.json", "/shared/{shareId}", "/s/{shareId}"}
    closed = described.keys() - for_all
    asked = {path.replace("{jobId}", "01ARZ3NDEKTSV4RRFFQ69G5FAV") for path in closed}
    assert {path for _, path in verify.operations()} == asked


@pytest.mark.parametrize(
    ("outputs", "makes"),
    [
        ({"Engine": "sam"}, False),
        ({"Engine": "lite"}, True),
        ({"Engine": "open", "EndpointName": "gen3d"}, True),
    ],
)
def test_a_job_is_tried_where_something_makes_objects(outputs: dict[str, str], makes: bool) -> None:
    assert verify.Target("gen3d", outputs, "", ()).makes_objects is makes
