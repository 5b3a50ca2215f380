"""AWS clients of this stack: the developer's own, and those of a role."""

import threading
from functools import cache
from typing import TYPE_CHECKING, Literal, overload
from uuid import uuid4

import boto3
from botocore.config import Config

from local_aws.settings import ACCOUNT

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient

_CONFIG = Config(retries={"max_attempts": 1}, inject_host_prefix=False, read_timeout=900)


@overload
def client(service: Literal["cloudformation"]) -> "CloudFormationClient": ...
@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: str) -> "BaseClient": ...


def client(service: str) -> "BaseClient":
    """A client with the credentials of the account's root."""
    return _client(service)


@cache
def _client(service: str) -> "BaseClient":
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload,no-any-return]


@cache
def role_credentials(role_arn: str, session: str) -> dict[str, str]:
    """Credentials of a role that a service assumes, as environment variables.

    They are registered with ministack's STS and do not end, because a service renews its own.
    """
    from ministack.services import sts

    role = role_arn.rsplit("/", 1)[-1]
    key, secret, token = f"ASIA{uuid4().hex[:16].upper()}", uuid4().hex, uuid4().hex
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
            "UserId": f"{role}:{session}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
    }


_creating = threading.Lock()
"""A session's clients may be used, but not created, by several threads at once."""


@cache
def _role_session(role_arn: str, session: str) -> boto3.Session:
    credentials = role_credentials(role_arn, session)
    return boto3.Session(
        credentials["AWS_ACCESS_KEY_ID"],
        credentials["AWS_SECRET_ACCESS_KEY"],
        credentials["AWS_SESSION_TOKEN"],
    )


@overload
def role_client(role_arn: str, session: str, service: Literal["s3"]) -> "S3Client": ...
@overload
def role_client(role_arn: str, session: str, service: Literal["sns"]) -> "SNSClient": ...
@overload
def role_client(
    role_arn: str, session: str, service: str, config: Config = _CONFIG
) -> "BaseClient": ...


def role_client(
    role_arn: str, session: str, service: str, config: Config = _CONFIG
) -> "BaseClient":
    """A client with the credentials of a role, so that its policies are enforced."""
    return _role_client(role_arn, session, service, config)


@cache
def _role_client(role_arn: str, session: str, service: str, config: Config) -> "BaseClient":
    with _creating:
        return _role_session(role_arn, session).client(service, config=config)  # type: ignore[call-overload,no-any-return]
