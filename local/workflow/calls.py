"""Puts right how moto's interpreter calls other services."""

import importlib
import sys
from typing import Any

from botocore.config import Config
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service,
    state_task_service_aws_sdk,
    state_task_service_lambda,
)

from local import aws

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
    _survive_answers_without_metadata()


def _call_as_the_execution_role() -> None:
    """Moto calls its own server with made-up credentials; here the role's policies count."""

    def client(region: str, service: str, state_credentials: Any = None) -> Any:
        del region  # there is only one
        return aws.role_client(state_credentials.role_arn, "states", service, _CONFIG)

    importlib.import_module("moto.stepfunctions.parser.models")  # and with it the whole language
    for name, loaded in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions") and hasattr(loaded, "boto_client_for"):
            loaded.boto_client_for = client


def _name_services_as_aws_does() -> None:
    """Error names begin with the service as AWS writes it; moto knows two of them."""
    state_task_service.StateTaskService._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES.update(
        {"sagemakerruntime": "sagemaker-runtime", "cloudwatchlogs": "logs", "eventbridge": "events"}
    )
    state_task_service_aws_sdk._SERVICE_ERROR_NAMES.update(
        {"s3": "S3", "sesv2": "SesV2", "sns": "Sns", "sqs": "Sqs", "lambda": "Lambda"}
    )


def _survive_answers_without_metadata() -> None:
    """A denial without a request id became a KeyError, and its message was lost."""
    for service in (
        state_task_service_aws_sdk.StateTaskServiceAwsSdk,
        state_task_service_lambda.StateTaskServiceLambda,
    ):
        original = service._from_error

        def from_error(self: Any, env: Any, ex: Exception, original: Any = original) -> Any:
            response = getattr(ex, "response", None)
            if isinstance(response, dict):
                metadata = response.setdefault("ResponseMetadata", {})
                metadata.setdefault("RequestId", "none")
                metadata.setdefault("HTTPStatusCode", 400)
                response.setdefault("Error", {}).setdefault("Message", str(ex))
            return original(self, env, ex)

        service._from_error = from_error

