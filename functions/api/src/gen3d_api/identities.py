"""Whose folder a job's files lie in (ADR 1)."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from gen3d.errors import Unauthorized
from gen3d_api.settings import ApiSettings
from gen3d_aws import clients
from gen3d_aws.callers import Caller

if TYPE_CHECKING:
    from mypy_boto3_cognito_identity import CognitoIdentityClient


def identities_client() -> "CognitoIdentityClient":
    """The client of the identity pool."""
    identities: CognitoIdentityClient = clients.client("cognito-identity")
    return identities


def identity_of(config: ApiSettings, caller: Caller) -> str:
    """The caller's identity: by their token or their key, never from them.

    Raises
    ------
    Unauthorized
        The identity pool does not take the token any more.
    """
    if caller.identity_id:
        return caller.identity_id
    provider = f"cognito-idp.{config.aws_region}.amazonaws.com/{config.user_pool_id}"
    try:
        answer = identities_client().get_id(
            IdentityPoolId=config.identity_pool_id, Logins={provider: caller.id_token}
        )
    except ClientError as error:
        if clients.error_code(error) == "NotAuthorizedException":
            raise Unauthorized("The sign-in has expired. Sign in again.") from None
        raise
    return str(answer["IdentityId"])
