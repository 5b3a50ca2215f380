"""`AWS::ApplicationAutoScaling::*`: recorded only; the local endpoint scales by itself."""

from collections.abc import Callable
from typing import Any

from local_aws.settings import ACCOUNT, REGION

Attributes = dict[str, Any]


def handlers() -> dict[str, dict[str, Callable[..., Any]]]:
    """CloudFormation handlers by resource type."""
    nothing: Callable[..., None] = lambda _id, _properties: None  # noqa: E731
    return {
        "AWS::ApplicationAutoScaling::ScalableTarget": {"create": _target, "delete": nothing},
        "AWS::ApplicationAutoScaling::ScalingPolicy": {"create": _policy, "delete": nothing},
    }


def _target(_logical_id: str, properties: Attributes, _stack: str) -> tuple[str, Attributes]:
    names = ("ResourceId", "ScalableDimension", "ServiceNamespace")
    physical_id = "|".join(properties[name] for name in names)
    return physical_id, {"Id": physical_id}


def _policy(_logical_id: str, properties: Attributes, _stack: str) -> tuple[str, Attributes]:
    name = properties["PolicyName"]
    arn = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{name}:policyName/{name}"
    return arn, {"Arn": arn, "PolicyName": name}
