"""Creates or updates the stack, as `sam deploy` does."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from ministack.services.cloudformation import provisioners

from local_aws import aws, resources
from local_aws.deploy import autoscaling, http_api, package, sagemaker
from local_aws.functions import Functions
from local_aws.settings import STACK, LocalError, Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

ARTIFACTS = "local-artifacts"
_POLL_SECONDS = 0.1
Fill = Callable[[dict[str, str]], None]
"""Puts into a deployed stack what its owner keeps there; is given the outputs."""


def install() -> None:
    """Add the resource types that ministack lacks."""
    known = provisioners._RESOURCE_HANDLERS
    known.update(sagemaker.handlers())
    known.update(autoscaling.handlers())
    known.update(http_api.handlers(known["AWS::ApiGatewayV2::Api"]))


def deploy(
    settings: Settings, functions: Functions, parameters: dict[str, str], fill: Fill
) -> dict[str, str]:
    """Deploy the template.

    Parameters
    ----------
    settings : Settings
    functions : Functions
        Is told of the image functions.
    parameters : dict
        For the template; those that it does not have are left out.
    fill : Fill
        Called once the stack is there, each time.

    Returns
    -------
    dict
        The stack's outputs.

    Raises
    ------
    LocalError
        Naming the resource that failed and why.
    """
    root = settings.template.parent
    template = package.read_template(settings.template)
    for uri, image in package.images(template, root).items():
        functions.add_image(uri, image)
        # What an image compiles is not needed before its first call, which waits for it.
        image.build_ahead()
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=ARTIFACTS)

    def upload(name: str, content: bytes) -> dict[str, str]:
        key = f"{package.digest(content)}/{name}"
        s3.put_object(Bucket=ARTIFACTS, Key=key, Body=content)
        return {"Bucket": ARTIFACTS, "Key": key}

    values = {k: v for k, v in parameters.items() if k in (template.get("Parameters") or {})}
    expanded = package.expand(package.package(template, root, upload), values)
    key = upload("template.json", json.dumps(expanded, default=str).encode())["Key"]
    _apply(f"{settings.url}/{ARTIFACTS}/{key}", values)
    outputs = resources.outputs()
    fill(outputs)
    return outputs


def _apply(url: str, parameters: dict[str, str]) -> None:
    cloudformation = aws.client("cloudformation")
    known = resources.stack() is not None
    try:
        (cloudformation.update_stack if known else cloudformation.create_stack)(
            StackName=STACK,
            TemplateURL=url,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
    except ClientError as error:
        message = error.response.get("Error", {}).get("Message", str(error))
        if "No updates" in message:
            return
        raise LocalError(f"The template was refused: {message}") from error
    status = _wait(cloudformation)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise LocalError(f"The deployment ended as {status}: {_first_failure(cloudformation)}")


def _wait(cloudformation: "CloudFormationClient") -> str:
    while True:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        status = str(stack["StackStatus"])
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(_POLL_SECONDS)


def _first_failure(cloudformation: "CloudFormationClient") -> str:
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    failures = [e for e in events if e["ResourceStatus"].endswith("_FAILED")]
    if not failures:
        return "no resource says why."
    first = min(failures, key=lambda e: e["Timestamp"])
    reason = first.get("ResourceStatusReason", "no reason given")
    return f"{first['LogicalResourceId']} ({first['ResourceType']}): {reason}"
