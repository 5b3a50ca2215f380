"""The outputs of a stack that another process runs."""

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_aws.settings import STACK, LocalError

_ONCE = Config(retries={"max_attempts": 0}, connect_timeout=2)


def read(url: str) -> dict[str, str]:
    """Ask the stack's CloudFormation.

    Raises
    ------
    LocalError
        Nothing is up there.
    """
    try:
        stacks = boto3.client("cloudformation", config=_ONCE).describe_stacks(StackName=STACK)[
            "Stacks"
        ]
    except (BotoCoreError, ClientError):
        raise LocalError(
            f"No stack is up on {url}. Start one with: python -m gen3d_local up"
        ) from None
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
