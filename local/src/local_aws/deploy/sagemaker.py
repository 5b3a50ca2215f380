"""`AWS::SageMaker::*`: names and ARNs; the endpoint itself lives in `local_aws.endpoint`."""

from collections.abc import Callable, Mapping

from local_aws.settings import ACCOUNT, REGION

Attributes = dict[str, str]


def handlers() -> dict[str, dict[str, Callable[..., object]]]:
    """CloudFormation handlers by resource type."""
    return {
        "AWS::SageMaker::Model": _kind("model", "ModelName"),
        "AWS::SageMaker::EndpointConfig": _kind("endpoint-config", "EndpointConfigName"),
        "AWS::SageMaker::Endpoint": _kind("endpoint", "EndpointName"),
    }


def _kind(kind: str, attribute: str) -> dict[str, Callable[..., object]]:
    def create(
        logical_id: str, properties: Mapping[str, str], stack: str
    ) -> tuple[str, Attributes]:
        name = properties.get(attribute) or f"{stack}-{logical_id}"
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name.lower()}"
        return arn, {attribute: name}

    return {"create": create, "delete": lambda _id, _properties: None}
