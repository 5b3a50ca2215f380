"""Lets a request that is sent again do nothing a second time, by the key that its sender gave it.

The first one notes the id of what it is about to make, before it makes anything; who comes later
with the key is given that id, and finds what was made under it. What was refused is forgotten, so
that it may be sent again. The rows lie beside the tokens: ``once#``, whose they are and the key's
hash.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, cast

from boto3.dynamodb.conditions import Attr, ConditionBase
from botocore.exceptions import BotoCoreError, ClientError

from gen3d.errors import IdempotencyKeyReused, InvalidRequest, JobConflict
from gen3d_aws import clients

if TYPE_CHECKING:
    from decimal import Decimal

    from mypy_boto3_dynamodb.service_resource import Table

MAX_KEY = 255
KEPT_SECONDS = 86_400
ANSWER_SECONDS = 30
"""Longer than a request may take; who began it is gone by then."""

_HURRY = "It is just being answered. Send it again in a moment."


class _Row(TypedDict):
    """What is noted of a request, as boto3 reads it."""

    body: str
    made: str
    until: "Decimal"
    """While it is being answered, until when it may be; 0 once it has been."""


@dataclass(frozen=True)
class Repeats:
    """The requests that may come again."""

    table: str

    @contextmanager
    def of(self, owner: str, key: str | None, body: str, new: Callable[[], str]) -> Iterator[str]:
        """The id under which a request makes something: the same whenever it comes again.

        Parameters
        ----------
        owner : str
        key : str or None
            The sender's; without one each request is another.
        body : str
            What is asked, in one spelling.
        new : callable
            Makes an id.

        Raises
        ------
        InvalidRequest
            The key is none.
        IdempotencyKeyReused
            It was another request's.
        JobConflict
            The request that was sent before is still being answered.
        """
        if key is None:
            yield new()
            return
        if not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
            raise InvalidRequest(
                f"Idempotency-Key: 1 to {MAX_KEY} plain letters are taken. Send a UUID."
            )
        about = f"once#{owner}#{_hash(key)}"
        made = self._begin(about, _hash(body), new)
        try:
            yield made
        except Exception:
            self._forget(about)
            raise
        self._answered(about)

    def _begin(self, about: str, body: str, new: Callable[[], str]) -> str:
        now = int(time.time())
        made = new()
        # DynamoDB removes a row some time after its own is over.
        if self._note(about, body, made, now, Attr("ttl").not_exists() | Attr("ttl").lt(now)):
            return made
        row = self._read(about)
        if row is None:  # forgotten at this moment
            raise JobConflict(_HURRY, 1)
        if row["body"] != body:
            raise IdempotencyKeyReused(
                "Idempotency-Key: it was another request's within a day. Send a new one."
            )
        if row["until"] == 0:
            return row["made"]
        gone = Attr("until").eq(row["until"]) & Attr("until").lt(now)
        if not self._note(about, body, row["made"], now, gone):
            raise JobConflict(_HURRY, 2)
        return row["made"]

    def _note(self, about: str, body: str, made: str, now: int, condition: ConditionBase) -> bool:
        """False where another request has it."""
        try:
            self._table.update_item(
                Key={"callbackId": about},
                UpdateExpression="SET #body = :body, #made = :made, #until = :until, #ttl = :ttl",
                ConditionExpression=condition,
                ExpressionAttributeNames={
                    "#body": "body",
                    "#made": "made",
                    "#until": "until",
                    "#ttl": "ttl",
                },
                ExpressionAttributeValues={
                    ":body": body,
                    ":made": made,
                    ":until": now + ANSWER_SECONDS,
                    ":ttl": now + KEPT_SECONDS,
                },
            )
        except ClientError as error:
            if clients.error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _read(self, about: str) -> "_Row | None":
        found = self._table.get_item(Key={"callbackId": about}, ConsistentRead=True).get("Item")
        return None if found is None else cast("_Row", found)

    def _answered(self, about: str) -> None:
        # Where that fails, the same request is told to wait for half a minute, and then takes over.
        with suppress(ClientError, BotoCoreError):
            self._table.update_item(
                Key={"callbackId": about},
                UpdateExpression="SET #until = :answered",
                ExpressionAttributeNames={"#until": "until"},
                ExpressionAttributeValues={":answered": 0},
            )

    def _forget(self, about: str) -> None:
        with suppress(ClientError, BotoCoreError):
            self._table.delete_item(Key={"callbackId": about})

    @property
    def _table(self) -> "Table":
        return clients.table(self.table)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
