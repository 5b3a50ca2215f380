"""`AWS::ApplicationAutoScaling::*`: recorded only; the local endpoint scales by itself."""

from collections.abc import Callable
from typing import TypedDict

from local_aws.settings import ACCOUNT, REGION


class Target(TypedDict):
    """What scales."""

    ResourceId: str
    ScalableDimension: str
    ServiceNamespace: str


class Policy(TypedDict):
    """By what it scales."""

    PolicyName: str


def handlers() -> dict[str, dict[str, Callable[..., object]]]:
    """CloudFormation handlers by resource type."""
    nothing: Callable[..., None] = lambda _id, _properties: None  # noqa: E731
    return {
        "AWS::ApplicationAutoScaling::ScalableTarget": {"create": _target, "delete": nothing},
        "AWS::ApplicationAutoScaling::ScalingPolicy": {"create": _policy, "delete": nothing},
    }


def _target(_logical_id: str, properties: Target, _stack: str) -> tuple[str, dict[str, str]]:
    physical_id = "|".join(
        (properties["ResourceId"], properties["ScalableDimension"], properties["ServiceNamespace"])
    )
    return physical_id, {"Id": physical_id}


def _policy(_logical_id: str, properties: Policy, _stack: str) -> tuple[str, dict[str, str]]:
    name = properties["PolicyName"]
    arn = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{name}:policyName/{name}"
    return arn, {"Arn": arn, "PolicyName": name}
