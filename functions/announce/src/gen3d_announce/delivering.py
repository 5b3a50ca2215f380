"""One attempt at a delivery, and when the next is due.

A receiver has fifteen seconds; one that answers slowly, badly or never holds up its own message
alone. That one is hidden in the queue until its next attempt, for a day in all.
"""

import math
import time
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from gen3d.errors import AddressRefused, FetchFailed
from gen3d.internet import PUBLIC, Internet
from gen3d.jobs import now
from gen3d.webhooks import WAITS, Attempt, Delivery, DeliveryState, Webhook
from gen3d_announce.settings import AnnounceSettings
from gen3d_aws.observability import count, logger
from gen3d_aws.webhook_store import DeliveryQueue, WebhookStore


class Ticket(BaseModel):
    """What waits in the queue for a delivery, as `Delivery.ticket` writes it."""

    model_config = ConfigDict(frozen=True)

    owner: str
    webhook_id: str
    delivery_id: str
    round: int


@dataclass(frozen=True)
class Deliverer:
    """Makes deliveries."""

    webhooks: WebhookStore
    queue: DeliveryQueue
    internet: Internet = PUBLIC

    @classmethod
    def from_settings(cls) -> "Deliverer":
        """Wire it as the environment says."""
        s = AnnounceSettings.read()
        return cls(WebhookStore(s.webhooks_table), DeliveryQueue(s.deliveries_url))

    def attempt(self, ticket: Ticket, receipt: str) -> bool:
        """Try a delivery, unless there is no need for it any more.

        Parameters
        ----------
        ticket : Ticket
        receipt : str
            Of the message that brought it, by which it is put off.

        Returns
        -------
        bool
            Whether its message is done with; else it comes again when the next attempt is due.
        """
        found = self._wanted(ticket)
        if found is None:
            logger.info("Nothing to deliver any more", extra=ticket.model_dump())
            return True
        webhook, delivery = found
        if early := _seconds_until_due(delivery):
            self.queue.later(receipt, early)
            return False
        tried = self._post(webhook, delivery)
        state, wait = _after(tried, delivery.tries)
        if not self.webhooks.tried(delivery, tried, state, wait):
            return True  # another message has this delivery
        if tried.gone:
            self.webhooks.stop(webhook, tried.at)
        _count(state)
        if wait is None:
            return True
        self.queue.later(receipt, wait)
        return False

    def _wanted(self, ticket: Ticket) -> tuple[Webhook, Delivery] | None:
        webhook = self.webhooks.find(ticket.owner, ticket.webhook_id)
        if webhook is None or webhook.stopped_at is not None:
            return None
        delivery = self.webhooks.delivery(ticket.owner, ticket.webhook_id, ticket.delivery_id)
        if delivery is None or delivery.state is not DeliveryState.PENDING:
            return None
        return (webhook, delivery) if delivery.round == ticket.round else None

    def _post(self, webhook: Webhook, delivery: Delivery) -> Attempt:
        at, begun = now(), time.monotonic()

        def taken() -> int:
            return round((time.monotonic() - begun) * 1000)

        headers = delivery.headers(webhook.secret, at)
        try:
            answered = self.internet.send(webhook.url, delivery.body.encode(), headers)
        except (AddressRefused, FetchFailed) as error:
            why = {"error": error.name, "message": error.message}
            return Attempt(at=at, ms=taken(), error=why)
        return Attempt(at=at, ms=taken(), status=answered.status, answer=answered.text)


def _seconds_until_due(delivery: Delivery) -> int:
    """How much too early a message is; 0 where it is due.

    One may be of several for the same delivery, as a change is told again from its beginning, or
    come up again as it could not be put off. Together they make no more attempts than one.
    """
    left = (delivery.next_at - now()).total_seconds() if delivery.next_at else 0.0
    return max(0, math.ceil(left))


def _after(tried: Attempt, before: int) -> tuple[DeliveryState, int | None]:
    """Where a delivery stands after an attempt, and in how many seconds the next is due."""
    if tried.taken:
        return DeliveryState.DELIVERED, None
    if tried.gone or before >= len(WAITS):
        return DeliveryState.FAILED, None
    return DeliveryState.PENDING, WAITS[before]


def _count(state: DeliveryState) -> None:
    match state:
        case DeliveryState.DELIVERED:
            count("WebhookDelivered")
        case DeliveryState.PENDING:
            count("WebhookRefused")
        case DeliveryState.FAILED:
            count("WebhookGivenUp")
