"""Webhooks, as Standard Webhooks describes them: who is told, by what signature, and how often.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from ulid import ULID

from gen3d.announcements import Announcement, EventType
from gen3d.errors import LimitReached

MOST = 5
"""Webhooks that a person may have at a time."""

KEPT_DAYS = 7
"""For so long a delivery can be seen, and made again."""

WAITS = (5, 60, 300, 1800, 7200, 18000, 28800, 28800)
"""Seconds after each attempt that failed until the next; together 23.6 hours. SQS hides a message
for 12 hours at most."""

MOST_ATTEMPTS = 20
"""So many of the last attempts are kept."""

_SECRET_BYTES = 32
_PREFIX = "whsec_"
_GONE = 410
"""Says whoever wants to hear nothing any more."""


class _Kept(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )


class Webhook(_Kept):
    """What is kept of a webhook.

    Attributes
    ----------
    secret : str
        What its messages are signed with, as its owner has it. A signature needs it whole, so that
        no hash of it would do.
    events : tuple of EventType
        What it is told of.
    stopped_at : datetime or None
        When its receiver said that it is gone; it is told nothing any more.
    """

    owner: str
    webhook_id: str
    url: str
    events: tuple[EventType, ...]
    secret: str
    created_at: datetime
    stopped_at: datetime | None = None


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "PENDING"
    """It is tried, or tried again."""
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    """It was tried for a day, or the receiver said that it is gone."""


class Attempt(_Kept):
    """One try, and what came of it."""

    at: datetime
    ms: int
    status: int | None = None
    answer: str = ""
    """The beginning of what was answered."""
    error: Mapping[str, str] | None = None
    """Why there was no answer."""

    @property
    def taken(self) -> bool:
        """Whether the receiver has what was sent."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver wants to hear nothing any more."""
        return self.status == _GONE


class Delivery(_Kept):
    """An announcement on its way to one webhook.

    Attributes
    ----------
    body : str
        What is posted, to the byte: it is signed.
    round : int
        How often somebody has asked for it to be made again.
    tries : int
        Attempts of this round.
    """

    owner: str
    webhook_id: str
    delivery_id: str
    event_id: str
    type: EventType
    job_id: str
    body: str
    created_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    round: int = 0
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
    next_at: datetime | None = None
    ttl: int

    @classmethod
    def of(cls, announcement: Announcement, webhook: Webhook, ttl: int) -> "Delivery":
        """What a webhook is to be told; the same announcement gives the same one."""
        message = announcement.message
        return cls(
            owner=webhook.owner,
            webhook_id=webhook.webhook_id,
            delivery_id=_id(message.timestamp, announcement.event_id, webhook.webhook_id),
            event_id=announcement.event_id,
            type=message.type,
            job_id=message.data.job_id,
            body=message.model_dump_json(by_alias=True, exclude_none=True),
            created_at=message.timestamp,
            next_at=message.timestamp,
            ttl=ttl,
        )

    @property
    def ticket(self) -> str:
        """What waits in the queue for its turn, as JSON."""
        fields = ("owner", "webhook_id", "delivery_id", "round")
        return json.dumps({name: getattr(self, name) for name in fields})

    def headers(self, secret: str, at: datetime) -> Mapping[str, str]:
        """The headers with which it is posted."""
        moment = str(int(at.timestamp()))
        return {
            "Content-Type": "application/json",
            "webhook-id": self.event_id,
            "webhook-timestamp": moment,
            "webhook-signature": sign(secret, self.event_id, moment, self.body),
        }


def new_webhook_id() -> str:
    """A ULID: unique, and sorts by time."""
    return str(ULID())


def new_secret() -> str:
    """A secret that nobody can guess."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign(secret: str, event_id: str, moment: str, body: str) -> str:
    """A message's signature: HMAC-SHA256 over its id, its moment and its body.

    Parameters
    ----------
    secret : str
        As `new_secret` makes it.
    event_id, moment, body : str
        The headers ``webhook-id`` and ``webhook-timestamp``, in seconds since 1970, and the body.
    """
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = hmac.digest(key, f"{event_id}.{moment}.{body}".encode(), sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def check_count(webhooks: int) -> None:
    """Refuse another webhook to who has as many as a person may.

    Raises
    ------
    LimitReached
    """
    if webhooks >= MOST:
        raise LimitReached(
            f"You have {webhooks} webhooks, as many as one person may. Withdraw one that is not "
            "used."
        )


def _id(moment: datetime, *names: str) -> str:
    """A ULID of this moment that follows from what it is of."""
    digest = sha256("#".join(names).encode()).digest()
    time = int(moment.timestamp() * 1000).to_bytes(6, "big")
    return str(ULID.from_bytes(time + digest[:10]))
