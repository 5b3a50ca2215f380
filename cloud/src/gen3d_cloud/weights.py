"""Whether a token of Hugging Face may read the gated weights, asked before anything is built.

By the one request that `huggingface_hub.auth_check` makes: what a gated repository holds is told to
everybody, but only who may read it is answered 200 here.
"""

import os
from collections.abc import Callable
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
from botocore.exceptions import ClientError

from gen3d_cloud.checks import Check
from gen3d_cloud.deployed import CloudError

GATED = ("facebook/sam3", "facebook/sam-3d-objects")
TOKENS = "https://huggingface.co/settings/tokens"

Ask = Callable[[str, str], tuple[int, str]]
"""Asks an address with a token; gives the status and Hugging Face's name of the error.

Raises `OSError` where nobody answers."""


def ask(url: str, token: str) -> tuple[int, str]:
    """Ask over the network."""
    request = Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310  https, or HF_ENDPOINT's
    try:
        with urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, ""
    except HTTPError as error:
        with error:
            return error.code, error.headers.get("X-Error-Code", "")


def access(repository: str, token: str, ask: Ask) -> Check:
    """Whether a token may read a repository."""
    what = f"weights of {repository}"
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    page = f"https://huggingface.co/{repository}"
    try:
        status, error = ask(f"{endpoint}/api/models/{repository}/auth-check", token)
    except OSError as unreachable:
        return Check(what, None, f"{endpoint} cannot be reached from here: {unreachable}.")
    match status, error:
        case HTTPStatus.OK, _:
            return Check(what, True, "The token may read them.")
        case _, "GatedRepo":
            says = (
                "The token's account has not been granted access, or the token may not read gated "
                "repositories. The owner decides by hand, which can take days."
            )
            return Check(what, False, says, f"ask for access at {page}; see the token at {TOKENS}")
        case HTTPStatus.UNAUTHORIZED, _:
            return Check(
                what, False, "Hugging Face does not accept the token.", f"make one at {TOKENS}"
            )
        case HTTPStatus.FORBIDDEN, _:
            says = "The token may not read gated repositories that its account may read."
            return Check(what, False, says, f"allow it at {TOKENS}")
        case HTTPStatus.NOT_FOUND, _:
            return Check(
                what, False, f"{endpoint} has no such repository.", "check HF_ENDPOINT; unset it"
            )
    return Check(what, None, f"{endpoint} answered {status}; ask again later.")


def secret(arn: str) -> str:
    """The token in a stack's secret.

    Raises
    ------
    CloudError
        There is none yet.
    """
    client = boto3.client("secretsmanager")
    try:
        value = str(client.get_secret_value(SecretId=arn).get("SecretString", "")).strip()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        value = ""
    if not value:
        raise CloudError(f"The stack's secret {arn} holds no token of Hugging Face yet.")
    return value


def put_secret(arn: str) -> str:
    """The command that fills a stack's secret."""
    return f"aws secretsmanager put-secret-value --secret-id {arn} --secret-string hf_…"
