"""The model endpoint: there when there is an image for it, and at no cost while nobody waits."""

import json
import re
from typing import Any

import boto3
import pytest
from botocore.model import StructureShape

from gen3d.queue import INVOCATIONS_PER_INSTANCE
from gen3d_cloud.image import tag
from tests.infra.template import ROOT, Stack, bare, source, whole

ENDPOINT_TYPES = {
    "AWS::SageMaker::Model",
    "AWS::SageMaker::EndpointConfig",
    "AWS::SageMaker::Endpoint",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
}


def variant() -> dict[str, Any]:
    (only,) = whole()["EndpointConfig"]["ProductionVariants"]
    found: dict[str, Any] = only
    return found


@pytest.mark.parametrize("kind", sorted(ENDPOINT_TYPES))
def test_exists_only_with_a_container(kind: str) -> None:
    assert not bare().of_type(kind)
    assert whole().of_type(kind)


def test_a_first_deployment_makes_the_registry_and_names_no_endpoint() -> None:
    assert "Repository" in bare().resources
    assert "RepositoryUri" in bare().outputs
    assert "EndpointName" not in bare().outputs
    assert bare()["SubmitFunction"]["Environment"]["Variables"]["ENDPOINT_NAME"] == ""
    assert "{Endpoint}" not in str(bare().statements("SubmitRole"))


def test_submit_may_call_this_endpoint() -> None:
    variables = whole()["SubmitFunction"]["Environment"]["Variables"]
    assert variables["ENDPOINT_NAME"] == "{Endpoint.EndpointName}"
    assert whole().actions_on("SubmitRole", "{Endpoint}") == {"sagemaker:InvokeEndpointAsync"}


def test_a_container_needs_weights() -> None:
    rule = source()["Rules"]["EndpointHasWeights"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ContainerImage"}, ""]}]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "WeightsRevision"}, ""]}]}


def test_the_model_gets_its_weights_uncompressed_from_the_bucket() -> None:
    container = whole()["Model"]["PrimaryContainer"]
    assert container["ModelDataSource"] == {
        "S3DataSource": {
            "S3Uri": "s3://{Bucket}/models/sam/0123456789ab/",
            "S3DataType": "S3Prefix",
            "CompressionType": "None",
        }
    }
    assert container["Environment"] == {
        "GEN3D_ENGINE": "sam",
        "GEN3D_MODEL_DIR": "/opt/ml/model",
        "GEN3D_MODEL_REVISION": "0123456789ab",
    }


def test_an_engine_of_one_s_own_is_named_by_its_class() -> None:
    own = {"Engine": "cushion", "EngineClass": "cushion_engine:CushionEngine"}
    for name, value in own.items():
        assert re.fullmatch(source()["Parameters"][name]["AllowedPattern"], value)
    stack = Stack(ContainerImage="image", WeightsRevision="0123456789ab", **own)
    container = stack["Model"]["PrimaryContainer"]
    assert container["Environment"]["GEN3D_ENGINE"] == "cushion_engine:CushionEngine"
    data = container["ModelDataSource"]["S3DataSource"]
    assert data["S3Uri"] == "s3://{Bucket}/models/cushion/0123456789ab/"


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({"Engine": "sam"}, "ml.g6e.2xlarge"),
        ({"Engine": "open"}, "ml.g6.2xlarge"),
        ({"Engine": "lite"}, "ml.c7i.xlarge"),
        ({"Engine": "sam", "InstanceTypes": "ml.g5.2xlarge"}, "ml.g5.2xlarge"),
    ],
)
def test_the_engine_chooses_its_instance_unless_somebody_does(
    parameters: dict[str, str], wanted: str
) -> None:
    stack = Stack(ContainerImage="image", WeightsRevision="0123456789ab", **parameters)
    (only,) = stack["EndpointConfig"]["ProductionVariants"]
    assert only["InstanceType"] == wanted
    assert "InstancePools" not in only


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_several_instance_types_are_pools_in_their_order(count: int) -> None:
    types = ["ml.g6e.2xlarge", "ml.g6e.4xlarge", "ml.g5.2xlarge", "ml.g5.4xlarge", "ml.g6.2xlarge"]
    given = ",".join(types[:count])
    assert re.fullmatch(source()["Parameters"]["InstanceTypes"]["AllowedPattern"], given)
    stack = Stack(ContainerImage="image", WeightsRevision="0123456789ab", InstanceTypes=given)
    (only,) = stack["EndpointConfig"]["ProductionVariants"]
    assert "InstanceType" not in only, "SageMaker takes one of the two"
    assert only["InstancePools"] == [
        {"InstanceType": kind, "Priority": n} for n, kind in enumerate(types[:count], 1)
    ]


def test_sagemaker_knows_pools_of_as_many_types() -> None:
    shapes = boto3.client("sagemaker", region_name="us-east-1").meta.service_model
    variant_shape = shapes.shape_for("ProductionVariant")
    assert isinstance(variant_shape, StructureShape)
    pools = variant_shape.members["InstancePools"]
    assert pools.metadata["max"] == 5


def test_an_update_can_replace_model_and_configuration() -> None:
    assert "ModelName" not in whole()["Model"]
    assert "EndpointConfigName" not in whole()["EndpointConfig"]


def test_answers_come_as_files_and_notifications() -> None:
    config = whole()["EndpointConfig"]["AsyncInferenceConfig"]
    expected = {"MaxConcurrentInvocationsPerInstance": INVOCATIONS_PER_INSTANCE}
    assert config["ClientConfig"] == expected
    assert config["OutputConfig"] == {
        "S3OutputPath": "s3://{Bucket}/async/out/",
        "S3FailurePath": "s3://{Bucket}/async/failed/",
        "NotificationConfig": {"SuccessTopic": "{SuccessTopic}", "ErrorTopic": "{ErrorTopic}"},
    }
    assert "sns:Publish" in whole().actions_on("ModelRole", "{SuccessTopic}")
    assert "sns:Publish" in whole().actions_on("ModelRole", "{ErrorTopic}")
    assert "kms:GenerateDataKey" in whole().actions_on("ModelRole", "{TopicKey.Arn}")


def test_there_is_time_to_fetch_and_load_the_weights() -> None:
    assert 60 <= variant()["ModelDataDownloadTimeoutInSeconds"] <= 3600
    assert 60 <= variant()["ContainerStartupHealthCheckTimeoutInSeconds"] <= 3600


@pytest.mark.parametrize(("engine", "chosen"), [("sam", True), ("open", True), ("lite", False)])
def test_only_a_gpu_gets_a_host_image_with_its_driver(engine: str, chosen: bool) -> None:
    stack = Stack(Engine=engine, ContainerImage="image", WeightsRevision="0123456789ab")
    (only,) = stack["EndpointConfig"]["ProductionVariants"]
    assert ("InferenceAmiVersion" in only) is chosen


def test_scales_to_none_and_to_no_more_than_asked() -> None:
    target = whole()["ScalableTarget"]
    assert target["MinCapacity"] == 0
    assert target["MaxCapacity"] == "1"
    assert target["ResourceId"] == "endpoint/{Endpoint.EndpointName}/variant/AllTraffic"
    assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    assert variant()["VariantName"] == "AllTraffic"


def test_follows_the_backlog() -> None:
    policy = whole()["BacklogPolicy"]
    assert policy["ScalingTargetId"] == "{ScalableTarget}"
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["DisableScaleIn"] is True
    metric = tracking["CustomizedMetricSpecification"]
    assert metric["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert metric["Dimensions"] == [{"Name": "EndpointName", "Value": "{Endpoint.EndpointName}"}]


def test_one_request_wakes_an_instance() -> None:
    policy = whole()["WakeUpPolicy"]
    assert policy["ScalingTargetId"] == "{ScalableTarget}"
    steps = policy["StepScalingPolicyConfiguration"]
    assert steps["AdjustmentType"] == "ExactCapacity"
    assert steps["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    alarm = whole()["WakeUpAlarm"]
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    assert alarm["Statistic"] == "Maximum", "a minute may begin without a request"
    assert alarm["Threshold"] == 1
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["AlarmActions"] == ["{WakeUpPolicy}"]


def test_the_last_instance_ends_after_ten_minutes_without_a_request() -> None:
    policy = whole()["SleepPolicy"]
    assert policy["ScalingTargetId"] == "{ScalableTarget}"
    steps = policy["StepScalingPolicyConfiguration"]
    assert steps["AdjustmentType"] == "ExactCapacity"
    assert steps["StepAdjustments"] == [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": 0}]
    alarm = whole()["SleepAlarm"]
    assert alarm["MetricName"] == "ApproximateBacklogSize"
    assert alarm["Dimensions"] == [{"Name": "EndpointName", "Value": "{Endpoint.EndpointName}"}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "LessThanThreshold")
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 600
    assert alarm["AlarmActions"] == ["{SleepPolicy}"]


def test_its_log_has_retention_because_it_is_made_first() -> None:
    assert whole().resources["Endpoint"]["DependsOn"] == "EndpointLogs"
    assert whole()["EndpointLogs"]["LogGroupName"] == "/aws/sagemaker/Endpoints/gen3d"
    assert whole()["Endpoint"]["EndpointName"] == "gen3d"
    actions = whole().actions_on("ModelRole", "{EndpointLogs.Arn}")
    assert "logs:PutLogEvents" in actions
    assert "logs:CreateLogGroup" not in actions


def test_it_reads_and_writes_the_files_of_its_contract() -> None:
    found = {
        action: {
            resource
            for statement in whole().statements("ModelRole")
            if action in statement["Action"]
            for resource in statement["Resource"]
        }
        for action in ("s3:GetObject", "s3:PutObject")
    }
    assert found == {
        "s3:GetObject": {
            "{Bucket.Arn}/models/sam/0123456789ab/*",
            "{Bucket.Arn}/async/in/*",
            "{Bucket.Arn}/private/*/image.*",
            "{Bucket.Arn}/private/*/jobs/*/depth.png",
            "{Bucket.Arn}/private/*/objects/*/mask.png",
        },
        "s3:PutObject": {
            "{Bucket.Arn}/async/out/*",
            "{Bucket.Arn}/async/failed/*",
            "{Bucket.Arn}/async/progress/*",
            "{Bucket.Arn}/private/*/embeddings.safetensors",
            "{Bucket.Arn}/private/*/objects/*/splat.ply",
            "{Bucket.Arn}/private/*/objects/*/engine.glb",
        },
    }


@pytest.mark.parametrize("engine", ["sam", "open", "lite"])
def test_the_images_of_one_engine_do_not_push_out_those_of_the_other(engine: str) -> None:
    policy = json.loads(whole()["Repository"]["LifecyclePolicy"]["LifecyclePolicyText"])
    priorities = [rule["rulePriority"] for rule in policy["rules"]]
    assert priorities == sorted(set(priorities))
    name = tag(engine, "0123456789abcdef", "")
    counted = [
        rule["selection"]["countNumber"]
        for rule in policy["rules"]
        if any(name.startswith(p) for p in rule["selection"].get("tagPrefixList", []))
    ]
    assert counted == [20]


def test_an_image_stays_what_its_tag_says() -> None:
    assert whole()["Repository"]["ImageTagMutability"] == "IMMUTABLE"
    assert whole()["Repository"]["ImageScanningConfiguration"] == {"ScanOnPush": True}


class TestNetwork:
    """The container decodes what strangers send: its way out may be closed, but for S3."""

    def test_is_sagemakers_own_unless_somebody_names_theirs(self) -> None:
        assert "VpcConfig" not in whole()["Model"]
        actions = {a for s in whole().statements("ModelRole") for a in s["Action"]}
        assert not {action for action in actions if action.startswith("ec2:")}

    def test_goes_through_the_subnets_that_are_named(self) -> None:
        stack = Stack(
            ContainerImage="image",
            WeightsRevision="0123456789ab",
            EndpointSubnets="subnet-0123abcd,subnet-4567abcd",
            EndpointSecurityGroups="sg-0123abcd",
        )
        assert stack["Model"]["VpcConfig"] == {
            "Subnets": ["subnet-0123abcd", "subnet-4567abcd"],
            "SecurityGroupIds": ["sg-0123abcd"],
        }
        actions = {a for s in stack.statements("ModelRole") for a in s["Action"]}
        assert "ec2:CreateNetworkInterface" in actions

    def test_is_not_isolated_as_the_container_reads_and_writes_by_itself(self) -> None:
        assert "EnableNetworkIsolation" not in whole()["Model"]
        assert (
            "boto3" in (ROOT / "container" / "src" / "gen3d_inference" / "storage.py").read_text()
        )
