"""Answers API Gateway who is calling.

Whoever is not known is let through with the reason in the place of a name, for the API to answer:
the gateway itself would say "Forbidden" to an expired sign-in, and nothing of what to do.
"""

from functools import cache

from aws_lambda_powertools.utilities.typing import LambdaContext

from gen3d.api_keys import Secret
from gen3d.errors import Gen3DError, Unauthorized
from gen3d.jobs import now
from gen3d_authorize.settings import AuthorizeSettings
from gen3d_authorize.sign_in import SignIn
from gen3d_aws.callers import Caller, credential
from gen3d_aws.key_store import KeyStore
from gen3d_aws.observability import count, logger, metrics, tracer


@cache
def _sign_in() -> SignIn:
    s = AuthorizeSettings.read()
    return SignIn(s.aws_region, s.user_pool_id, s.user_pool_client_id)


def authorize(header: str) -> Caller:
    """Tell whose a header is.

    Raises
    ------
    Unauthorized
    """
    text = credential(header)
    secret = Secret.read(text)
    return _person(text) if secret is None else _program(secret)


def _person(token: str) -> Caller:
    claims = _sign_in().read(token)
    return Caller(claims["sub"], claims.get("email", ""), claims["exp"], token)


def _program(secret: Secret) -> Caller:
    keys = KeyStore(AuthorizeSettings.read().keys_table)
    key = keys.find(secret.key_id)
    if key is None or not secret.opens(key):
        count("KeyRefused")
        raise Unauthorized("There is no such key, or it was withdrawn. Use another one.")
    count("KeyUsed")
    keys.note_use(key, now())
    return Caller(
        sub=key.owner,
        email=key.email,
        key_id=key.key_id,
        identity_id=key.identity_id,
        rights=frozenset(key.rights),
        jobs_per_day=key.jobs_per_day,
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, object], _context: LambdaContext) -> dict[str, object]:
    """Lambda's entry point, a simple answer of payload version 2.0."""
    sources = event.get("identitySource")
    header = sources[0] if isinstance(sources, list) and sources else ""
    try:
        known = authorize(str(header)).as_context()
    except Gen3DError as error:
        logger.info("Refused", extra={"error": error.name, "reason": error.message})
        known = {"refusal": error.message}
    return {"isAuthorized": True, "context": known}
