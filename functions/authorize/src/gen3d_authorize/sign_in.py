"""Reads a person's sign-in: an ID token of the user pool, held against the pool's public keys."""

import json
import os
import time
import urllib.request
from dataclasses import dataclass, field
from typing import TypedDict, cast

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import GuestProtocol, KeySet, KeySetSerialization

from gen3d.errors import Unauthorized

_FETCH_SECONDS = 3
_FORGET_SECONDS = 3600
"""A pool's keys may be asked for anew after this."""
_UNKNOWN_SECONDS = 60
"""A token of a key that nobody knows has them fetched anew, but not more often than this."""


_NO_SIGN_IN = "This is no sign-in that is taken here. Sign in again, or use a key."
_ACCESS = (
    "This is an access token. Send the ID token of a signed-in user; a program that nobody signs "
    "in for sends a key."
)


class Claims(TypedDict, total=False):
    """What an ID token says of a person."""

    sub: str
    email: str
    exp: int


@dataclass
class SignIn:
    """A user pool's tokens for one client.

    Parameters
    ----------
    region, pool, client : str
        Ids of the user pool and of the page's client in it.
    """

    region: str
    pool: str
    client: str
    _keys: KeySet | None = None
    _fetched: float = field(default=float("-inf"))

    @property
    def issuer(self) -> str:
        """As the pool writes it into its tokens."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.pool}"

    def read(self, token: str) -> Claims:
        """What a token says, once it is sure who wrote it.

        Raises
        ------
        Unauthorized
            Forged, expired, of another pool or client, or no ID token: an access token says
            nothing of whose address a mail goes to, one of client credentials nothing of a person.
        OSError
            The pool's keys could not be fetched.
        """
        try:
            decoded = jwt.decode(token, self._keys_for, algorithms=["RS256"])
            if decoded.claims.get("token_use") == "access":
                raise Unauthorized(_ACCESS)
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.client},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise Unauthorized(_sentence(error)) from None
        if decoded.claims.get("token_use") != "id":
            raise Unauthorized(_NO_SIGN_IN)
        return cast("Claims", decoded.claims)

    def _keys_for(self, token: GuestProtocol) -> KeySet:
        age = time.monotonic() - self._fetched
        named = token.headers().get("kid")
        known = self._keys is not None and named in {key.kid for key in self._keys}
        if self._keys is None or age > (_FORGET_SECONDS if known else _UNKNOWN_SECONDS):
            self._keys = KeySet.import_key_set(self._fetch())
            self._fetched = time.monotonic()
        return self._keys

    def _fetch(self) -> KeySetSerialization:
        # On one machine AWS is elsewhere, as boto3 is told by the same variable.
        base = os.environ.get("AWS_ENDPOINT_URL") or self.issuer.removesuffix(f"/{self.pool}")
        url = f"{base}/{self.pool}/.well-known/jwks.json"
        with urllib.request.urlopen(url, timeout=_FETCH_SECONDS) as answer:  # noqa: S310  our own
            return cast("KeySetSerialization", json.load(answer))


def _sentence(error: Exception) -> str:
    if isinstance(error, ExpiredTokenError):
        return "Your sign-in has expired. Sign in again."
    return _NO_SIGN_IN
