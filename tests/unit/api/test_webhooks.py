"""Webhooks by the API: registered, shown once, listed, withdrawn, and what was sent to them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gen3d.announcements import Announcement, EventType
from gen3d.errors import AddressRefused
from gen3d.jobs import Status
from gen3d.webhooks import MOST, WAITS, Attempt, Delivery, DeliveryState, Webhook
from gen3d_aws.webhook_store import WebhookStore
from tests.support import JOB_ID, OWNER, api, make_job, table

from .requests import call, refused
from .test_keys import make as make_key
from .test_keys import with_key

URL = "https://example.com/gen3d"
Due = Callable[[], list[dict[str, Any]]]


@dataclass
class FakeInternet:
    """Takes addresses, or refuses them."""

    refuses: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def check(self, url: str) -> None:
        self.asked.append(url)
        if self.refuses:
            raise self.refuses


@pytest.fixture(autouse=True)
def internet(monkeypatch: pytest.MonkeyPatch) -> FakeInternet:
    fake = FakeInternet()
    monkeypatch.setattr(api, "webhooks", replace(api.webhooks, internet=fake))  # type: ignore[arg-type]
    return fake


def register(**body: Any) -> dict[str, Any]:
    code, made = call("create_webhook", {"url": URL, **body})
    assert code == 201, made
    kept: dict[str, Any] = made
    return kept


def at(webhook: dict[str, Any], more: str = "") -> dict[str, Any]:
    return {"rawPath": f"/webhooks/{webhook['webhookId']}{more}"}


def deliveries_of(webhook: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    query = {"cursor": cursor} if cursor else None
    return {**at(webhook, "/deliveries"), "queryStringParameters": query}


def again(webhook: dict[str, Any], delivery_id: str) -> dict[str, Any]:
    return at(webhook, f"/deliveries/{delivery_id}/redeliver")


def listed(webhook: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    code, page = call("list_deliveries", **deliveries_of(webhook, cursor))
    assert code == 200, page
    found: dict[str, Any] = page
    return found


def sent(webhook: dict[str, Any], minutes: int = 0) -> Delivery:
    """Something that is on its way to a webhook."""
    store = WebhookStore("WebhooksTable")
    found = store.get(OWNER, webhook["webhookId"])
    moment = datetime(2026, 11, 29, 9, minutes, tzinfo=UTC)
    told = Announcement.of(None, make_job(Status.COMPLETED, run=minutes), moment)
    assert told is not None
    delivery = Delivery.of(told, found, 2_000_000_000)
    store.note(delivery)
    return delivery


def test_a_secret_is_shown_once(internet: FakeInternet) -> None:
    made = register()
    assert made["secret"].startswith("whsec_")
    assert internet.asked == [URL]
    assert set(made["events"]) == set(EventType)
    code, page = call("list_webhooks")
    assert code == 200
    assert page == {"webhooks": [{k: v for k, v in made.items() if k != "secret"}]}
    assert made["secret"] != register()["secret"]


def test_an_address_that_is_not_public_is_refused(internet: FakeInternet) -> None:
    internet.refuses = AddressRefused("Nothing is sent to localhost.")
    assert refused(call("create_webhook", {"url": URL})) == (422, "AddressRefused")
    assert call("list_webhooks")[1] == {"webhooks": []}


def test_what_is_no_address_of_https_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for url in ("http://example.com/", "ftp://example.com/", "https://ada:pw@example.com/", "x"):
        assert refused(call("create_webhook", {"url": url})) == (422, "AddressRefused"), url


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ""},
        {"url": URL, "events": []},
        {"url": URL, "events": ["job.exploded"]},
        {"url": URL, "secret": "whsec_mine"},
        {"url": f"https://example.com/{'a' * 2048}"},
    ],
)
def test_what_is_asked_wrongly_makes_no_webhook(body: dict[str, Any]) -> None:
    assert refused(call("create_webhook", body)) == (400, "InvalidRequest")
    assert call("list_webhooks")[1] == {"webhooks": []}


def test_nobody_has_more_than_a_few() -> None:
    for _ in range(MOST):
        register()
    assert refused(call("create_webhook", {"url": URL})) == (429, "LimitReached")


def test_a_withdrawn_one_is_gone_and_others_cannot_withdraw_it() -> None:
    made = register()
    other = {"sub": "somebody-else"}
    assert refused(call("withdraw_webhook", known=other, **at(made))) == (404, "WebhookNotFound")
    assert call("list_webhooks", known=other)[1] == {"webhooks": []}
    assert call("withdraw_webhook", **at(made))[0] == 204
    assert refused(call("withdraw_webhook", **at(made))) == (404, "WebhookNotFound")
    assert refused(call("list_deliveries", **deliveries_of(made))) == (404, "WebhookNotFound")


@pytest.mark.parametrize("odd", ["x", "a" * 3000, "01JD8ZQ3N5C7R1T4VXYA2B6E8L"])
def test_an_id_that_is_none_is_not_found(odd: str, deliveries: Due) -> None:
    made, none = register(), {"webhookId": odd}
    assert refused(call("withdraw_webhook", **at(none))) == (404, "WebhookNotFound")
    assert refused(call("list_deliveries", **deliveries_of(none))) == (404, "WebhookNotFound")
    assert refused(call("redeliver", **again(made, odd))) == (404, "DeliveryNotFound")


@pytest.mark.parametrize(
    ("rights", "may"),
    [
        (["read"], {"list_webhooks", "list_deliveries"}),
        (["create"], {"redeliver"}),
        (["read", "create"], {"list_webhooks", "list_deliveries", "redeliver"}),
    ],
)
def test_a_key_reads_or_has_sent_again_and_registers_nothing(
    rights: list[str], may: set[str], identity_pool: str, deliveries: Due
) -> None:
    """A webhook outlives the key that would have registered it, and tells of all jobs."""
    made, key = register(), make_key(rights=rights)
    places = {
        "create_webhook": {},
        "list_webhooks": {},
        "withdraw_webhook": at(made),
        "list_deliveries": deliveries_of(made),
        "redeliver": again(made, sent(made).delivery_id),
    }
    for name, place in places.items():
        answer = with_key(name, key, **place)
        assert (answer[0] < 300) == (name in may), name
        if name not in may:
            assert refused(answer) == (403, "NotAllowed")


def test_what_was_sent_is_shown_newest_first_a_page_at_a_time() -> None:
    made = register()
    for minute in range(23):
        sent(made, minute)
    register()
    first = listed(made)
    assert len(first["deliveries"]) == 20
    rest = listed(made, first["cursor"])
    assert rest["cursor"] is None
    runs = [d["eventId"].split("-")[1] for d in first["deliveries"] + rest["deliveries"]]
    assert runs == [str(n) for n in range(22, -1, -1)]
    wrong = call("list_deliveries", **deliveries_of(made, "x"))
    assert refused(wrong) == (400, "InvalidRequest")


def test_attempts_are_shown_as_they_went(deliveries: Due) -> None:
    made = register()
    delivery = sent(made)
    store = WebhookStore("WebhooksTable")
    moment = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
    bad = Attempt(at=moment, ms=12, status=500, answer="no")
    late = Attempt(at=moment, ms=15_000, error={"error": "FetchFailed", "message": "Late."})
    assert store.tried(delivery, bad, DeliveryState.PENDING, WAITS[0])
    now = store.delivery(OWNER, made["webhookId"], delivery.delivery_id)
    assert now is not None
    assert store.tried(now, late, DeliveryState.FAILED, None)
    (shown,) = listed(made)["deliveries"]
    assert (shown["state"], shown["nextAt"], shown["jobId"]) == ("FAILED", None, JOB_ID)
    first, second = shown["attempts"]
    assert (first["status"], first["answer"]) == (500, "no")
    assert "error" not in first
    assert (second["status"], second["error"]["error"]) == (None, "FetchFailed")


def test_an_attempt_is_noted_once_and_by_whom_has_the_delivery_alone(calls: Any) -> None:
    store = WebhookStore("WebhooksTable")
    delivery = sent(register())
    attempt = Attempt(at=datetime.now(UTC), ms=1, status=500)
    calls.lose_answer("UpdateItem")
    assert store.tried(delivery, attempt, DeliveryState.PENDING, 5), "it meets its own write"
    assert not store.tried(delivery, attempt, DeliveryState.PENDING, 5), "somebody else was first"


def test_something_is_sent_again_whatever_became_of_it(deliveries: Due) -> None:
    made = register()
    delivery = sent(made)
    store = WebhookStore("WebhooksTable")
    taken = Attempt(at=datetime.now(UTC), ms=1, status=204)
    assert store.tried(delivery, taken, DeliveryState.DELIVERED, None)
    code, shown = call("redeliver", **again(made, delivery.delivery_id))
    assert (code, shown["state"], shown["eventId"]) == (202, "PENDING", delivery.event_id)
    assert len(shown["attempts"]) == 1
    (message,) = deliveries()
    ticket = json.loads(message["Body"])
    assert ticket == {**json.loads(delivery.ticket), "round": 1}
    assert message["Attributes"]["MessageGroupId"] == OWNER
    assert not store.tried(delivery, taken, DeliveryState.FAILED, None), "the round before is past"


def test_to_one_that_has_ended_nothing_is_sent_again(deliveries: Due) -> None:
    made = register()
    delivery = sent(made)
    store = WebhookStore("WebhooksTable")
    store.stop(store.get(OWNER, made["webhookId"]), datetime.now(UTC) - timedelta(minutes=1))
    assert refused(call("redeliver", **again(made, delivery.delivery_id))) == (409, "JobConflict")
    assert deliveries() == []
    assert call("list_webhooks")[1]["webhooks"][0]["stoppedAt"]


def test_the_secret_is_in_no_answer_but_the_first_and_in_no_log(logs: Any) -> None:
    made = register()
    answers = [call("list_webhooks"), listed(made)]
    assert made["secret"] not in json.dumps(answers) + logs.getvalue()
    (row,) = table("WebhooksTable").scan()["Items"]
    assert Webhook.model_validate(row).secret == made["secret"], "a signature needs it whole"
