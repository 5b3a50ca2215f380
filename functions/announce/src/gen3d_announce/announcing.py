"""From a change of a job's record to the event bus, and to the queue of each webhook's deliveries.

The stream of the jobs table has each change of a status, whoever wrote it, and gives it again until
it was taken. All is therefore told at least once, by an id by which a second time is known.
"""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any  # noqa: TID251  DynamoDB's JSON

from boto3.dynamodb.types import TypeDeserializer
from pydantic import BaseModel

from gen3d.announcements import Announcement, BusEvent
from gen3d.errors import DependencyUnavailable
from gen3d.jobs import Job
from gen3d.webhooks import KEPT_DAYS, Delivery
from gen3d_announce.settings import AnnounceSettings
from gen3d_aws import clients
from gen3d_aws.observability import count, logger
from gen3d_aws.webhook_store import DeliveryQueue, WebhookStore

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

Image = dict[str, dict[str, Any]]
"""A record's fields, each with the name of its type, as DynamoDB spells it."""

_plain = TypeDeserializer().deserialize


class Change(BaseModel):
    """A change of a record, in what is read of it."""

    ApproximateCreationDateTime: float
    OldImage: Image | None = None
    NewImage: Image | None = None

    @property
    def announcement(self) -> Announcement | None:
        """What it gives to tell; None for a record that goes, and for most changes."""
        if self.NewImage is None:
            return None
        at = datetime.fromtimestamp(self.ApproximateCreationDateTime, UTC)
        return Announcement.of(
            _job(self.OldImage) if self.OldImage else None, _job(self.NewImage), at
        )


def _job(image: Image) -> Job:
    return Job.model_validate(_plain({"M": image}))


@dataclass(frozen=True)
class Announcer:
    """Tells what is to be told."""

    bus: str
    webhooks: WebhookStore
    queue: DeliveryQueue

    @classmethod
    def from_settings(cls) -> "Announcer":
        """Wire it as the environment says."""
        s = AnnounceSettings.read()
        return cls(s.event_bus, WebhookStore(s.webhooks_table), DeliveryQueue(s.deliveries_url))

    def tell(self, told: Announcement) -> None:
        """Put it on the event bus, and let it be sent to who wants to hear of it.

        Raises
        ------
        DependencyUnavailable
            The event bus did not take it. What was told already is told again.
        """
        job = told.message.data
        logger.info("Announced", extra={"event": told.event_id, "job_id": job.job_id})
        for webhook in self.webhooks.of(job.owner):
            if webhook.stopped_at is None and told.message.type in webhook.events:
                delivery = Delivery.of(told, webhook, int(time.time()) + KEPT_DAYS * 86400)
                self.webhooks.note(delivery)
                self.queue.add(delivery)
        self._put(told)
        count("StatusAnnounced")

    def _put(self, told: Announcement) -> None:
        event = BusEvent.of(told.message.data)
        detail = event.detail.model_dump_json(by_alias=True, exclude_none=True)
        answer = _events().put_events(
            Entries=[
                {
                    "Time": told.message.timestamp,
                    "Source": event.source,
                    "DetailType": event.detail_type,
                    "Detail": detail,
                    "EventBusName": self.bus,
                }
            ]
        )
        if answer["FailedEntryCount"]:
            logger.error(
                "Refused by the event bus", extra={"answer": json.dumps(answer["Entries"])}
            )
            raise DependencyUnavailable("The event bus did not take an event. It is sent again.")


def _events() -> "EventBridgeClient":
    events: EventBridgeClient = clients.client("events")
    return events
