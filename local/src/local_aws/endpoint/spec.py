"""What an endpoint was deployed as."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws import resources

if TYPE_CHECKING:  # CloudFormation's properties are the parameters of SageMaker's API
    from mypy_boto3_sagemaker.type_defs import (
        CreateEndpointConfigInputTypeDef,
        CreateEndpointInputTypeDef,
        CreateModelInputTypeDef,
    )

DEFAULT_STARTUP_SECONDS = 600.0


@dataclass(frozen=True)
class EndpointSpec:
    """An endpoint, its configuration and its model in one.

    Parameters
    ----------
    name : str
    role : str
        ARN of the model's execution role; it reads requests, writes answers and notifies.
    image : str
        URI of the container image.
    environment : dict
        The container's variables.
    model_data : str or None
        S3 prefix that is copied into the model folder.
    concurrency : int
        Requests that one instance is sent at a time.
    output_path, failure_path : str
        S3 prefixes of answers and of failures.
    success_topic, error_topic : str or None
        ARNs of SNS topics.
    startup_seconds : float
        How long the container may take until `/ping` answers.
    """

    name: str
    role: str
    image: str
    environment: dict[str, str]
    model_data: str | None
    concurrency: int
    output_path: str
    failure_path: str
    success_topic: str | None
    error_topic: str | None
    startup_seconds: float


def read(name: str) -> EndpointSpec:
    """Read an endpoint from the deployed stack.

    Raises
    ------
    KeyError
        No such endpoint.
    """
    endpoint: CreateEndpointInputTypeDef = resources.named(
        "AWS::SageMaker::Endpoint", "EndpointName", name
    )
    config: CreateEndpointConfigInputTypeDef = resources.named(
        "AWS::SageMaker::EndpointConfig", "EndpointConfigName", endpoint["EndpointConfigName"]
    )
    variant = config["ProductionVariants"][0]
    model: CreateModelInputTypeDef = resources.named(
        "AWS::SageMaker::Model", "ModelName", variant["ModelName"]
    )
    container = model.get("PrimaryContainer") or model["Containers"][0]
    asynchronous = config["AsyncInferenceConfig"]
    output = asynchronous["OutputConfig"]
    topics = output.get("NotificationConfig") or {}
    clients = asynchronous.get("ClientConfig") or {}
    source = (container.get("ModelDataSource") or {}).get("S3DataSource")
    startup = variant.get("ContainerStartupHealthCheckTimeoutInSeconds", DEFAULT_STARTUP_SECONDS)
    return EndpointSpec(
        name=name,
        role=model["ExecutionRoleArn"],
        image=container["Image"],
        environment={k: str(v) for k, v in (container.get("Environment") or {}).items()},
        model_data=source["S3Uri"] if source else None,
        concurrency=int(clients.get("MaxConcurrentInvocationsPerInstance", 1)),
        output_path=output["S3OutputPath"].rstrip("/"),
        failure_path=output.get("S3FailurePath", output["S3OutputPath"]).rstrip("/"),
        success_topic=topics.get("SuccessTopic"),
        error_topic=topics.get("ErrorTopic"),
        startup_seconds=float(startup),
    )
