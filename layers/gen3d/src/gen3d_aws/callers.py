"""Who is calling, as the authorizer tells the API: the one shape of what goes between the two."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from gen3d.api_keys import Right, check_right
from gen3d.errors import Unauthorized

_MISSING = "Sign in, or send a key: `Authorization: Bearer …`."


@dataclass(frozen=True)
class Caller:
    """A person, or a program with a person's key.

    Attributes
    ----------
    sub, email : str
        The person, in the user pool.
    expires : int or None
        When their sign-in ends, in seconds since 1970; the gateway keeps an answer for a minute.
    id_token : str
        A person's; empty for a program.
    key_id : str
        A program's; empty for a person.
    identity_id : str
        Whose folder it is, of a program; a person's follows from their token.
    rights : frozenset of Right or None
        None for a person, who may everything.
    jobs_per_day : int
        0 where there is no limit but the person's own.
    """

    sub: str
    email: str
    expires: int | None = None
    id_token: str = ""
    key_id: str = ""
    identity_id: str = ""
    rights: frozenset[Right] | None = None
    jobs_per_day: int = 0

    def require(self, right: Right | None) -> None:
        """Refuse what the key may not; None is what no key may.

        Raises
        ------
        NotAllowed
        """
        check_right(self.rights, right)

    def as_context(self) -> dict[str, str | int]:
        """What the authorizer answers; the token stays out, as the gateway logs what is here."""
        context: dict[str, str | int] = {"sub": self.sub, "email": self.email}
        if self.expires is not None:
            context["expires"] = self.expires
        if self.rights is not None:
            context |= {
                "keyId": self.key_id,
                "identityId": self.identity_id,
                "rights": " ".join(sorted(self.rights)),
                "jobsPerDay": self.jobs_per_day,
            }
        return context

    @classmethod
    def of(cls, context: Mapping[str, object] | None, header: str) -> "Caller":
        """Read the authorizer's answer beside the header that it was about.

        Raises
        ------
        Unauthorized
            It knew nobody, or their sign-in has ended since.
        """
        known = context or {}
        sub, rights = str(known.get("sub") or ""), known.get("rights")
        if not sub:
            raise Unauthorized(str(known.get("refusal") or _MISSING))
        if rights is not None:
            return cls(
                sub,
                str(known.get("email") or ""),
                key_id=str(known["keyId"]),
                identity_id=str(known["identityId"]),
                rights=frozenset(Right(right) for right in str(rights).split()),
                jobs_per_day=int(str(known.get("jobsPerDay") or 0)),
            )
        expires = int(str(known.get("expires") or 0))
        if expires <= time.time():
            raise Unauthorized("Your sign-in has expired. Sign in again.")
        return cls(sub, str(known.get("email") or ""), expires, credential(header))


def credential(header: str) -> str:
    """A header's token or key. API Gateway takes the scheme in any case, and what has none."""
    scheme, _, text = header.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else header
