"""Signing in by Cognito's public API: two requests by which a password is proven, and not sent."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import httpx
from pydantic import BaseModel, ValidationError

from gen3d_client.dialogue import Dialogue, Send, send
from gen3d_client.errors import ApiClientError, SignInNeeded, Unreachable
from gen3d_client.site import Site
from gen3d_client.srp import Proof

_EARLY_SECONDS = 60.0
"""A token is renewed so long before its time, as a request takes some of it."""
LOGIN = "gen3d login"


class Tokens(BaseModel):
    """What a sign-in gives; whoever has them is that person."""

    email: str
    id_token: str
    refresh_token: str
    until: float
    """When the first is no longer taken, in seconds of this machine's clock."""


class Credentials(Protocol):
    """What a request to the API is allowed by."""

    def headers(self, anew: bool) -> Dialogue[dict[str, str]]:
        """The headers to send; `anew` where those of before were refused."""


class Token:
    """An ID token that somebody has, and nobody can renew."""

    def __init__(self, token: str) -> None:
        self._token = token

    def headers(self, anew: bool) -> Dialogue[dict[str, str]]:
        """The headers to send."""
        if anew:
            raise SignInNeeded("The sign-in is no longer taken. Sign in again.")
        return {"Authorization": f"Bearer {self._token}"}
        yield  # a dialogue that asks nobody


class Session:
    """A sign-in that is renewed while Cognito allows it.

    Parameters
    ----------
    site : Site
    tokens : Tokens
    keep : callable
        Told of new tokens.
    """

    def __init__(
        self, site: Site, tokens: Tokens, keep: Callable[[Tokens], None] = lambda _tokens: None
    ) -> None:
        self._site, self._tokens, self._keep = site, tokens, keep

    def headers(self, anew: bool) -> Dialogue[dict[str, str]]:
        """The headers to send, with a token that is good for a while."""
        if anew or time.time() > self._tokens.until - _EARLY_SECONDS:
            self._tokens = yield from renewed(self._site, self._tokens)
            self._keep(self._tokens)
        return {"Authorization": f"Bearer {self._tokens.id_token}"}


def sign_in(site: Site, email: str, password: str) -> Dialogue[Tokens]:
    """Sign a person in.

    Raises
    ------
    SignInNeeded
        Password or address are wrong, or the person has to do something first, on the page.
    """
    proof = Proof()
    asked = yield from _call(
        site,
        "InitiateAuth",
        {
            "ClientId": site.user_pool_client_id,
            "AuthFlow": "USER_SRP_AUTH",
            "AuthParameters": {"USERNAME": email, "SRP_A": proof.public},
        },
    )
    if asked.get("ChallengeName") == "PASSWORD_VERIFIER":
        challenge = asked.get("ChallengeParameters")
        answered: dict[str, object] = {
            "ClientId": site.user_pool_client_id,
            "ChallengeName": "PASSWORD_VERIFIER",
            "ChallengeResponses": _proven(proof, site, challenge, password),
            **({"Session": asked["Session"]} if asked.get("Session") else {}),
        }
        asked = yield from _call(site, "RespondToAuthChallenge", answered)
    if "ChallengeName" in asked:
        raise SignInNeeded(_TO_DO.get(str(asked["ChallengeName"]), _ON_THE_PAGE))
    return _tokens(asked, email)


def _proven(proof: Proof, site: Site, challenge: object, password: str) -> dict[str, str]:
    try:
        if isinstance(challenge, dict):
            return proof.answer(site.user_pool_id, challenge, password)
    except (KeyError, ValueError, TypeError):
        pass
    raise Unreachable("The sign-in was answered in a form that is not known here.")


def renewed(site: Site, tokens: Tokens) -> Dialogue[Tokens]:
    """New tokens for old ones.

    Raises
    ------
    SignInNeeded
        The sign-in is over: too old, or ended somewhere else.
    """
    body = {
        "ClientId": site.user_pool_client_id,
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": tokens.refresh_token},
    }
    try:
        answer = yield from _call(site, "InitiateAuth", body)
    except SignInNeeded:
        again = f"{LOGIN} {site.address}"
        raise SignInNeeded(f"The sign-in has ended. Sign in again: {again}") from None
    return _tokens(answer, tokens.email, tokens.refresh_token)


def sign_out(site: Site, tokens: Tokens) -> Dialogue[None]:
    """Have the tokens taken by nobody any more."""
    body = {"Token": tokens.refresh_token, "ClientId": site.user_pool_client_id}
    yield from _call(site, "RevokeToken", body)


_ON_THE_PAGE = "The sign-in asks for more than a password. Sign in on the page first."
_TO_DO = {
    "NEW_PASSWORD_REQUIRED": "The password is for the first time alone. Sign in on the page, and "
    "choose one of your own there.",
}
_WRONG = "E-mail and password do not belong together."
_REFUSALS = {
    "NotAuthorizedException": _WRONG,
    "UserNotFoundException": _WRONG,
    "UserNotConfirmedException": "The address is not confirmed. Sign in on the page, and enter the "
    "code that was mailed.",
    "PasswordResetRequiredException": "The password has to be made anew. Do it on the page.",
    "TooManyRequestsException": "There were too many attempts. Wait a while, then sign in again.",
    "LimitExceededException": "There were too many attempts. Wait a while, then sign in again.",
}


def _call(site: Site, action: str, body: Mapping[str, object]) -> Dialogue[dict[str, object]]:
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AWSCognitoIdentityProviderService.{action}",
    }
    try:
        answer = yield from send(Send("POST", f"{site.cognito}/", headers, body))
    except httpx.HTTPError as error:
        raise Unreachable(
            f"Who signs people in does not answer ({error or type(error).__name__}): {site.cognito}"
        ) from None
    said = _object(answer.content)
    if answer.is_success:
        return said
    name = str(said.get("__type", "")).rpartition("#")[2]
    if name in _REFUSALS:
        raise SignInNeeded(_REFUSALS[name])
    if name == "ResourceNotFoundException":
        raise Unreachable(f"The stack at {site.address} has gone. Sign in at its new address.")
    if answer.is_server_error or not name:
        raise Unreachable(f"Who signs people in answered {answer.status_code}. Try it again later.")
    raise ApiClientError(f"The sign-in was refused: {said.get('message', name)}")


def _object(body: bytes) -> dict[str, object]:
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


class _Result(BaseModel):
    IdToken: str
    ExpiresIn: float
    RefreshToken: str | None = None


def _tokens(answer: Mapping[str, object], email: str, refresh: str = "") -> Tokens:
    try:
        result = _Result.model_validate(answer.get("AuthenticationResult"))
    except ValidationError:
        raise Unreachable("The sign-in was answered without tokens.") from None
    return Tokens(
        email=email,
        id_token=result.IdToken,
        refresh_token=result.RefreshToken or refresh,
        until=time.time() + result.ExpiresIn,
    )
