"""Webhooks and what was sent to them, in DynamoDB, and the queue of what is to be sent.

One table holds both, by their owner: ``webhook#`` and an id, ``delivery#`` and the webhook's id and
its own, by which the newest are found.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from gen3d.errors import DeliveryNotFound, WebhookNotFound
from gen3d.jobs import is_ulid, iso
from gen3d.webhooks import (
    MOST_ATTEMPTS,
    Attempt,
    Delivery,
    DeliveryState,
    Webhook,
)
from gen3d_aws import clients
from gen3d_aws.clients import error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import (
        QueryInputTableQueryTypeDef,
        TableAttributeValueTypeDef,
    )
    from mypy_boto3_sqs import SQSClient


def sqs_client() -> "SQSClient":
    """The client of SQS."""
    sqs: SQSClient = clients.client("sqs")
    return sqs


@dataclass(frozen=True)
class WebhookStore:
    """The webhooks table."""

    table: str

    @property
    def _table(self) -> "Table":
        return clients.table(self.table)

    def create(self, webhook: Webhook) -> None:
        """Write a new webhook; its id is random, and again is the same."""
        self._table.put_item(Item=_item(webhook) | _at(webhook.owner, webhook.webhook_id))

    def find(self, owner: str, webhook_id: str) -> Webhook | None:
        """Read a webhook; None where there is none, or none any more."""
        found = self._table.get_item(Key=_at(owner, webhook_id), ConsistentRead=True)
        item = found.get("Item")
        return None if item is None else Webhook.model_validate(item)

    def get(self, owner: str, webhook_id: str) -> Webhook:
        """Read a webhook of this owner.

        Raises
        ------
        WebhookNotFound
        """
        webhook = self.find(owner, webhook_id) if is_ulid(webhook_id) else None
        if webhook is None:
            raise _no_webhook()
        return webhook

    def of(self, owner: str) -> list[Webhook]:
        """A person's webhooks, oldest first."""
        found = self._table.query(
            KeyConditionExpression=Key("owner").eq(owner) & Key("id").begins_with("webhook#"),
            ConsistentRead=True,
        )
        return [Webhook.model_validate(item) for item in found["Items"]]

    def withdraw(self, owner: str, webhook_id: str) -> None:
        """Forget a webhook of this owner; what was sent to it goes with its time.

        Raises
        ------
        WebhookNotFound
        """
        if not is_ulid(webhook_id):
            raise _no_webhook()
        try:
            self._table.delete_item(
                Key=_at(owner, webhook_id), ConditionExpression=Attr("id").exists()
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise _no_webhook() from None

    def stop(self, webhook: Webhook, at: datetime) -> None:
        """Tell it nothing any more."""
        self._change(
            _at(webhook.owner, webhook.webhook_id), "SET #stoppedAt = :at", {":at": iso(at)}
        )

    def note(self, delivery: Delivery) -> None:
        """Note what is to be sent, once: what is known is left as it is."""
        try:
            self._table.put_item(
                Item=_item(delivery) | _key(delivery), ConditionExpression=Attr("id").not_exists()
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise

    def delivery(self, owner: str, webhook_id: str, delivery_id: str) -> Delivery | None:
        """Read a delivery; None where there is none."""
        key = _at(owner, webhook_id, delivery_id)
        item = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return None if item is None else Delivery.model_validate(item)

    def deliveries(
        self, webhook: Webhook, before: str | None, limit: int
    ) -> tuple[list[Delivery], str | None]:
        """What was sent to a webhook, newest first, starting after the delivery `before`.

        Returns
        -------
        list of Delivery
            At most `limit`.
        str or None
            The id after which to go on, where there may be more.
        """
        owner, webhook_id = webhook.owner, webhook.webhook_id
        asked: QueryInputTableQueryTypeDef = {
            "KeyConditionExpression": Key("owner").eq(owner)
            & Key("id").begins_with(f"delivery#{webhook_id}#"),
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if before:
            asked["ExclusiveStartKey"] = cast(
                "dict[str, TableAttributeValueTypeDef]", _at(owner, webhook_id, before)
            )
        found = self._table.query(**asked)
        made = [Delivery.model_validate(item) for item in found["Items"]]
        return made, made[-1].delivery_id if found.get("LastEvaluatedKey") and made else None

    def tried(
        self, delivery: Delivery, attempt: Attempt, state: DeliveryState, wait: int | None
    ) -> bool:
        """Note an attempt.

        Returns
        -------
        bool
            False where another has noted one meanwhile, or the delivery was asked for anew: then
            that one goes on.
        """
        attempts = (*delivery.attempts, attempt)[-MOST_ATTEMPTS:]
        next_at = None if wait is None else iso(attempt.at + timedelta(seconds=wait))
        return self._change(
            _key(delivery),
            "SET attempts = :attempts, tries = :tries, #state = :state, nextAt = :next, "
            "#write = :write",
            {
                ":attempts": [_item(each) for each in attempts],
                ":tries": delivery.tries + 1,
                ":state": state,
                ":next": next_at,
                ":round": delivery.round,
                ":before": delivery.tries,
                # By this it knows what it has written itself, where botocore makes it again.
                ":write": str(uuid.uuid4()),
            },
            "(#round = :round AND tries = :before) OR #write = :write",
        )

    def again(self, webhook: Webhook, delivery_id: str, at: datetime) -> Delivery:
        """Begin a new round of a delivery.

        Raises
        ------
        DeliveryNotFound
        """
        anew = is_ulid(delivery_id) and self._change(
            _at(webhook.owner, webhook.webhook_id, delivery_id),
            "SET #state = :state, tries = :none, nextAt = :at ADD #round :one",
            {":state": DeliveryState.PENDING, ":none": 0, ":at": iso(at), ":one": 1},
        )
        found = self.delivery(webhook.owner, webhook.webhook_id, delivery_id) if anew else None
        if found is None:
            raise DeliveryNotFound(
                "There is no such delivery, or it was longer ago than is kept. Look it up in the "
                "webhook's list."
            )
        return found

    def _change(
        self,
        key: dict[str, str],
        change: str,
        values: "dict[str, TableAttributeValueTypeDef]",
        condition: str = "attribute_exists(#id)",
    ) -> bool:
        """Make a change where it is still true what it follows from; says whether it was."""
        spelled = re.findall(r"#(\w+)", change + condition)
        try:
            self._table.update_item(
                Key=key,
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in spelled},
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


@dataclass(frozen=True)
class DeliveryQueue:
    """What waits to be sent, and for when: SQS hides a message until its next attempt."""

    url: str

    def add(self, delivery: Delivery) -> None:
        """Let it be sent soon. Who has much to be sent holds nobody else up: each is a group."""
        sqs_client().send_message(
            QueueUrl=self.url, MessageBody=delivery.ticket, MessageGroupId=delivery.owner
        )

    def later(self, receipt: str, seconds: int) -> None:
        """Let a message that is in hand come again after some time."""
        sqs_client().change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=seconds
        )


def _at(owner: str, webhook_id: str, delivery_id: str | None = None) -> dict[str, str]:
    of = f"webhook#{webhook_id}" if delivery_id is None else f"delivery#{webhook_id}#{delivery_id}"
    return {"owner": owner, "id": of}


def _key(delivery: Delivery) -> dict[str, str]:
    return _at(delivery.owner, delivery.webhook_id, delivery.delivery_id)


def _item(kept: Webhook | Delivery | Attempt) -> "dict[str, TableAttributeValueTypeDef]":
    return kept.model_dump(mode="json", by_alias=True, exclude_none=True)


def _no_webhook() -> WebhookNotFound:
    return WebhookNotFound("There is no such webhook. Look it up in your list of webhooks.")
