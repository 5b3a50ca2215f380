"""A deployed stack, as its outputs describe it."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

ROOT = Path(__file__).resolve().parents[3]


class CloudError(Exception):
    """Something that the person at the terminal can mend; the message says how."""


def outputs(name: str) -> dict[str, str]:
    """Read the outputs of a stack.

    Raises
    ------
    CloudError
        No credentials, no such stack.
    """
    listed = _described(name).get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in listed}


def parameters(name: str) -> dict[str, str]:
    """Read what a stack was deployed with.

    Raises
    ------
    CloudError
        No credentials, no such stack.
    """
    listed = _described(name).get("Parameters", [])
    return {given["ParameterKey"]: given.get("ParameterValue", "") for given in listed}


def _described(name: str) -> "StackTypeDef":
    client = boto3.client("cloudformation")
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except (ClientError, BotoCoreError) as error:
        raise CloudError(
            f"The stack {name} cannot be read: {error}. Check STACK, AWS_PROFILE and AWS_REGION; "
            "deploy it first, if it is not there."
        ) from None
    return stack


def environment(name: str) -> str:
    """The environment of samconfig.toml that a stack of this name is deployed with."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    del config["version"]
    named = {of["global"]["parameters"]["stack_name"]: env for env, of in config.items()}
    return named.get(name, "default")


def output(name: str, stack: str, found: dict[str, str]) -> str:
    """One output of a stack.

    Raises
    ------
    CloudError
        The stack has no such output.
    """
    if name not in found:
        raise CloudError(
            f"The stack {stack} has no output {name}. Deploy this version of it first."
        )
    return found[name]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Rows below each other, for a terminal."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    )
