"""Puts right how moto's interpreter calls other services."""

import importlib
import json
import sys
from collections.abc import Callable
from typing import TypeVar

from botocore.awsrequest import AWSRequest
from botocore.client import BaseClient
from botocore.config import Config
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import (
    StateCredentials,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service,
    state_task_service_aws_sdk,
    state_task_service_lambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import (
    ResourceRuntimePart,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment

from local_aws import aws
from local_aws.workflow.patches import patch

Task = TypeVar("Task")

_CONFIG = Config(
    # The interpreter has no types for parameters and retries by the state's own rules.
    parameter_validation=False,
    retries={"max_attempts": 0},
    inject_host_prefix=False,
    read_timeout=900,
)


def install() -> None:
    """Apply every correction of this module."""
    _call_as_the_execution_role()
    _name_services_as_aws_does()
    _send_blobs_as_bytes()
    _survive_answers_without_metadata()
    _let_functions_be_called_without_waiting()


def _call_as_the_execution_role() -> None:
    """Moto calls its own server with made-up credentials; here the role's policies count."""

    def client(region: str, service: str, state_credentials: StateCredentials) -> BaseClient:
        del region  # there is only one
        made = aws.role_client(state_credentials.role_arn, "states", service, _CONFIG)
        # A connection that the server closes as it is used again would fail a state: nothing is
        # repeated here that the state does not repeat.
        made.meta.events.register("before-send", _close_afterwards, unique_id="close-afterwards")
        return made

    importlib.import_module("moto.stepfunctions.parser.models")  # and with it the whole language
    for name, loaded in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions") and hasattr(loaded, "boto_client_for"):
            patch(loaded, boto_client_for=client)


def _close_afterwards(request: AWSRequest, **_: object) -> None:
    request.headers["Connection"] = "close"


def _name_services_as_aws_does() -> None:
    """Error names begin with the service as AWS writes it; moto knows two of them."""
    state_task_service.StateTaskService._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES.update(
        {"sagemakerruntime": "sagemaker-runtime", "cloudwatchlogs": "logs", "eventbridge": "events"}
    )
    state_task_service_aws_sdk._SERVICE_ERROR_NAMES.update(
        {"s3": "S3", "sesv2": "SesV2", "sns": "Sns", "sqs": "Sqs", "lambda": "Lambda"}
    )


def _send_blobs_as_bytes() -> None:
    """Text or JSON for a binary parameter, as S3's Body, was passed on as it was and refused."""
    service = state_task_service_aws_sdk.StateTaskServiceAwsSdk
    original = service._eval_service_task

    def call(
        self: state_task_service_aws_sdk.StateTaskServiceAwsSdk,
        env: Environment,
        resource_runtime_part: ResourceRuntimePart,
        normalised_parameters: dict[str, object],
        state_credentials: StateCredentials,
    ) -> None:
        model = aws.client(self._get_boto_service_name()).meta.service_model
        operation = self.resource.api_action[0].upper() + self.resource.api_action[1:]
        parameters = model.operation_model(operation).input_shape
        for name, shape in parameters.members.items() if parameters else ():
            value = normalised_parameters.get(name)
            if shape.type_name == "blob" and value is not None:
                text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
                normalised_parameters[name] = text.encode()
        original(self, env, resource_runtime_part, normalised_parameters, state_credentials)

    patch(service, _eval_service_task=call)


def _survive_answers_without_metadata() -> None:
    """A denial without a request id became a KeyError, and its message was lost."""

    def surviving(original: Callable[[Task, Environment, Exception], FailureEvent]) -> object:
        def from_error(self: Task, env: Environment, ex: Exception) -> FailureEvent:
            response = getattr(ex, "response", None)
            if isinstance(response, dict):
                metadata = response.setdefault("ResponseMetadata", {})
                metadata.setdefault("RequestId", "none")
                metadata.setdefault("HTTPStatusCode", 400)
                response.setdefault("Error", {}).setdefault("Message", str(ex))
            return original(self, env, ex)

        return from_error

    for service in (
        state_task_service_aws_sdk.StateTaskServiceAwsSdk,
        state_task_service_lambda.StateTaskServiceLambda,
    ):
        patch(service, _from_error=surviving(service._from_error))


def _let_functions_be_called_without_waiting() -> None:
    """Of what ``lambda:invoke`` takes in AWS, moto left ``InvocationType`` out."""
    state_task_service_lambda._SUPPORTED_API_PARAM_BINDINGS["invoke"].add("InvocationType")
