"""Keys for programs: what one looks like, what it may, and what is kept of it.

A key is shown once. Kept is a hash of its secret, which is as random as a hash itself, so that
neither salt nor a slow hash would add anything.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from gen3d.errors import LimitReached, NotAllowed

MOST = 20
"""Keys that a person may have at a time."""

_ID_BYTES, _SECRET_BYTES = 8, 32
_FORM = re.compile(r"gen3d_([0-9a-f]{16})_([\w-]{43})", re.ASCII)
"""The beginning lets a scanner of repositories tell what it has found."""


class Right(StrEnum):
    """What may be done with a key."""

    READ = "read"
    """See the owner's jobs and fetch their files."""
    CREATE = "create"
    """Create jobs, and change, end and delete them."""


class ApiKey(BaseModel):
    """What is kept of a key.

    Attributes
    ----------
    owner, email, identity_id : str
        Whose it is, as their sign-in said when it was made: a job is theirs, whoever creates it.
    rights : tuple of Right
    jobs_per_day : int
        How many jobs may be created with it within a day; 0 stands for its owner's limit.
    digest : str
        Of its secret: SHA-256, hexadecimal.
    used_at : datetime or None
        When it was used last, to some minutes.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    key_id: str
    owner: str
    email: str
    identity_id: str
    name: str
    rights: tuple[Right, ...]
    jobs_per_day: int = 0
    created_at: datetime
    used_at: datetime | None = None
    digest: str


@dataclass(frozen=True)
class Secret:
    """A key as its owner has it."""

    key_id: str
    secret: str

    @classmethod
    def new(cls) -> Self:
        """Make one that nobody can guess."""
        return cls(secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Take it apart; None for what is no key."""
        found = _FORM.fullmatch(text)
        return None if found is None else cls(*found.groups())

    @property
    def text(self) -> str:
        """As it is sent."""
        return f"gen3d_{self.key_id}_{self.secret}"

    @property
    def digest(self) -> str:
        """What is kept of the secret."""
        return sha256(self.secret.encode()).hexdigest()

    def opens(self, key: ApiKey) -> bool:
        """Whether it is this key; how long that takes tells nothing of the secret."""
        return hmac.compare_digest(self.digest, key.digest)


def check_count(keys: int) -> None:
    """Refuse another key to who has as many as a person may.

    Raises
    ------
    LimitReached
    """
    if keys >= MOST:
        raise LimitReached(
            f"You have {keys} keys, as many as one person may. Withdraw one that is not used."
        )


def check_right(rights: frozenset[Right] | None, right: Right | None) -> None:
    """Refuse what a key may not.

    Parameters
    ----------
    rights : frozenset of Right or None
        The key's; None for a person, who may everything.
    right : Right or None
        What is asked for; None for what no key may.

    Raises
    ------
    NotAllowed
    """
    if rights is None or right in rights:
        return
    if right is None:
        raise NotAllowed("No key may do this. Sign in, and do it yourself.")
    raise NotAllowed(
        f"This key has no right to {right}. Use another one, or make one with that right."
    )
