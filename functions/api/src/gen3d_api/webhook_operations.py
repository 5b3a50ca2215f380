"""What the API does with webhooks: one method a route."""

from dataclasses import dataclass

from gen3d.errors import JobConflict
from gen3d.internet import PUBLIC, Internet
from gen3d.jobs import now
from gen3d.webhooks import Delivery, Webhook, check_count, new_secret, new_webhook_id
from gen3d_api import cursors
from gen3d_api.answers import (
    AttemptView,
    DeliveryPage,
    DeliveryView,
    ErrorView,
    NewWebhook,
    WebhookPage,
    WebhookView,
)
from gen3d_api.requests import CreateWebhook
from gen3d_api.settings import ApiSettings
from gen3d_aws.callers import Caller
from gen3d_aws.observability import count
from gen3d_aws.webhook_store import DeliveryQueue, WebhookStore

_PAGE = 20


@dataclass(frozen=True)
class WebhookService:
    """The use cases of webhooks."""

    webhooks: WebhookStore
    queue: DeliveryQueue
    internet: Internet = PUBLIC

    @classmethod
    def from_settings(cls) -> "WebhookService":
        """Wire the service as the environment says."""
        s = ApiSettings.read()
        return cls(WebhookStore(s.webhooks_table), DeliveryQueue(s.deliveries_url))

    def create(self, caller: Caller, body: CreateWebhook) -> NewWebhook:
        """Register an address; its secret is in this answer and in no other."""
        check_count(len(self.webhooks.of(caller.sub)))
        self.internet.check(body.url)
        webhook = Webhook(
            owner=caller.sub,
            webhook_id=new_webhook_id(),
            url=body.url,
            events=tuple(sorted(set(body.events))),
            secret=new_secret(),
            created_at=now(),
        )
        self.webhooks.create(webhook)
        count("WebhookCreated")
        return NewWebhook(**dict(_shown(webhook)), secret=webhook.secret)

    def list(self, caller: Caller) -> WebhookPage:
        """The caller's webhooks, oldest first."""
        return WebhookPage(webhooks=[_shown(each) for each in self.webhooks.of(caller.sub)])

    def withdraw(self, caller: Caller, webhook_id: str) -> None:
        """Forget a webhook: nothing more is sent to it."""
        self.webhooks.withdraw(caller.sub, webhook_id)
        count("WebhookWithdrawn")

    def deliveries(self, caller: Caller, webhook_id: str, cursor: str | None) -> DeliveryPage:
        """What was sent to a webhook, newest first."""
        webhook = self.webhooks.get(caller.sub, webhook_id)
        found, last = self.webhooks.deliveries(webhook, cursors.read(cursor), _PAGE)
        following = cursors.written(last) if last else None
        return DeliveryPage(deliveries=[_delivery(each) for each in found], cursor=following)

    def redeliver(self, caller: Caller, webhook_id: str, delivery_id: str) -> DeliveryView:
        """Let something be sent again."""
        webhook = self.webhooks.get(caller.sub, webhook_id)
        if webhook.stopped_at is not None:
            raise JobConflict(
                "The webhook has ended, as its receiver answered 410. Withdraw it, and register "
                "another one."
            )
        delivery = self.webhooks.again(webhook, delivery_id, now())
        self.queue.add(delivery)
        return _delivery(delivery)


def _shown(webhook: Webhook) -> WebhookView:
    return WebhookView(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        events=list(webhook.events),
        created_at=webhook.created_at,
        stopped_at=webhook.stopped_at,
    )


def _delivery(delivery: Delivery) -> DeliveryView:
    view = DeliveryView(
        delivery_id=delivery.delivery_id,
        event_id=delivery.event_id,
        type=delivery.type,
        job_id=delivery.job_id,
        created_at=delivery.created_at,
        state=delivery.state,
        attempts=[],
        next_at=delivery.next_at,
    )
    for each in delivery.attempts:
        tried = AttemptView(at=each.at, ms=each.ms, status=each.status, answer=each.answer)
        if each.error is not None:
            tried.error = ErrorView.model_validate(each.error)
        view.attempts.append(tried)
    return view
