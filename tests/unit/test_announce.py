"""Programs are told of a job: from a change of its record to the bus and to webhooks."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from jsonschema_rs import Draft202012Validator
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from gen3d.announcements import TOLD, Announcement, EventType
from gen3d.errors import AddressRefused, DependencyUnavailable, FetchFailed, OutOfMemory
from gen3d.internet import Answered
from gen3d.jobs import Failure, Job, JobObject, ObjectStatus, Status
from gen3d.webhooks import WAITS, Attempt, Delivery, DeliveryState, Webhook, new_secret
from gen3d_announce import announcing, delivering
from gen3d_announce.delivering import Deliverer, Ticket
from gen3d_aws.webhook_store import DeliveryQueue, WebhookStore
from tests.support import (
    ENVIRONMENT,
    JOB_ID,
    OWNER,
    ROOT,
    Context,
    announce,
    client,
    load_event,
    make_job,
)

from .conftest import Calls

URL = "https://example.com/gen3d"
AT = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
WEBHOOK_ID = "01JD8ZQ3N5C7R1T4VXYA2B6E8G"
Due = Callable[[], list[dict[str, Any]]]


# What is told


def told(before: Job | None, after: Job) -> Announcement | None:
    return Announcement.of(before, after, AT)


@pytest.mark.parametrize("status", Status)
def test_of_these_statuses_somebody_is_told_once(status: Status) -> None:
    job = make_job(status, run=1)
    found = told(make_job(Status.INITIALIZING, run=1), job)
    assert (found is not None) == (status in TOLD)
    assert told(job, job.model_copy(update={"name": "another"})) is None
    if found is not None:
        assert found.message.type == TOLD[status]
        assert "." not in found.event_id, "a full stop ends the id in a signature"


def test_a_status_that_another_run_came_to_is_told_anew() -> None:
    first, second = (make_job(Status.FAILED, run=run) for run in (1, 2))
    events = [told(None, first), told(first, second)]
    assert len({event.event_id for event in events if event}) == 2


def test_a_complete_job_whose_retry_was_withdrawn_is_complete_as_before() -> None:
    done = make_job(Status.COMPLETED, run=1, completed_run=1)
    assert told(done, done.model_copy(update={"run": 2})) is None


def test_errors_are_told_by_our_names_alone() -> None:
    job = make_job(Status.FAILED, run=1)
    job.error = Failure(name="States.TaskFailed", message="arn:aws:lambda:…", stage="Mesh")
    failed = JobObject(n=0, name="cup", status=ObjectStatus.FAILED)
    failed.error = Failure(name="OutOfMemory", message="Too large.", stage="Reconstruct")
    job.objects = {"0": failed, "0.7": failed}
    event = told(None, job)
    assert event is not None
    said = event.message.data
    assert said.error is not None
    assert said.error.error == "InternalError"
    assert "arn:" not in event.message.model_dump_json()
    (only,) = said.objects
    assert only.error is not None
    assert only.error.error == OutOfMemory.__name__


# Signatures


def test_a_message_is_signed_as_standard_webhooks_says() -> None:
    secret, delivery = new_secret(), on_its_way()
    headers = delivery.headers(secret, datetime.now(UTC))
    said = Verifier(secret).verify(delivery.body, dict(headers))
    assert (said["type"], said["data"]["jobId"]) == ("job.completed", JOB_ID)
    for wrong in (new_secret(), secret):
        body = delivery.body if wrong != secret else delivery.body.replace("coffee", "tea")
        with pytest.raises(WebhookVerificationError):
            Verifier(wrong).verify(body, dict(headers))


def test_the_waits_are_a_day_and_such_as_a_queue_can_hide_a_message() -> None:
    assert 20 * 3600 < sum(WAITS) <= 24 * 3600
    assert list(WAITS) == sorted(WAITS)
    assert max(WAITS) <= 43_200


# From the table's stream


@pytest.fixture
def bus(aws: None) -> Due:
    """The event bus, with a rule of an organisation's that leads to a queue."""
    events, sqs = client("events"), client("sqs")
    events.create_event_bus(Name=ENVIRONMENT["EVENT_BUS"])
    url = sqs.create_queue(QueueName="organisation")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {"detail-type": ["Gen3D Job Status Change"], "source": ["gen3d"]}
    where = {"EventBusName": ENVIRONMENT["EVENT_BUS"]}
    events.put_rule(Name="ends", EventPattern=json.dumps(pattern), **where)
    target = [{"Id": "queue", "Arn": arn["QueueArn"]}]
    events.put_targets(Rule="ends", Targets=target, **where)

    def arrived() -> list[dict[str, Any]]:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    return arrived


@pytest.fixture
def store(aws: None) -> WebhookStore:
    return WebhookStore("WebhooksTable")


@pytest.fixture
def webhook(store: WebhookStore) -> Webhook:
    made = a_webhook()
    store.create(made)
    return made


def a_webhook(webhook_id: str = WEBHOOK_ID, **fields: Any) -> Webhook:
    given: dict[str, Any] = {
        "owner": OWNER,
        "webhook_id": webhook_id,
        "url": URL,
        "events": tuple(EventType),
        "secret": new_secret(),
        "created_at": AT,
    }
    return Webhook(**(given | fields))


def image(job: Job) -> dict[str, Any]:
    """A record as the stream spells it."""
    item = job.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


def change(before: Job | None, after: Job | None) -> dict[str, Any]:
    images = {"OldImage": before, "NewImage": after}
    return {
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": AT.timestamp(),
            **{name: image(job) for name, job in images.items() if job is not None},
        },
    }


def hear(*records: dict[str, Any]) -> Any:
    return announce.handler({"Records": records}, Context())


def test_a_change_reaches_the_bus_and_each_webhook(
    bus: Due, deliveries: Due, store: WebhookStore, webhook: Webhook
) -> None:
    other = "01JD8ZQ3N5C7R1T4VXYA2B6E8H"
    store.create(a_webhook(other, events=(EventType.FAILED,)))
    store.create(a_webhook("01JD8ZQ3N5C7R1T4VXYA2B6E8J", stopped_at=AT))
    store.create(a_webhook("01JD8ZQ3N5C7R1T4VXYA2B6E8K", owner="somebody-else"))
    hear(change(make_job(Status.RECONSTRUCTING, run=1), make_job(Status.COMPLETED, run=1)))

    (message,) = deliveries()
    assert message["Attributes"]["MessageGroupId"] == OWNER
    ticket = Ticket.model_validate_json(message["Body"])
    assert ticket.webhook_id == WEBHOOK_ID
    delivery = store.delivery(OWNER, WEBHOOK_ID, ticket.delivery_id)
    assert delivery is not None
    assert delivery.event_id == f"{JOB_ID}-1-COMPLETED"
    assert valid("webhook", json.loads(delivery.body))

    (event,) = bus()
    assert valid("eventbridge", event)
    assert (event["source"], event["detail"]["status"]) == ("gen3d", "COMPLETED")
    assert event["detail"] == json.loads(delivery.body)["data"]


def valid(name: str, document: dict[str, Any]) -> bool:
    """Whether it is as the published schema says."""
    schema = json.loads((ROOT / "docs" / "events" / f"{name}.schema.json").read_text())
    return bool(Draft202012Validator(schema).is_valid(document))


@pytest.mark.parametrize("name", ["webhook", "eventbridge"])
def test_the_published_schemas_have_valid_examples(name: str) -> None:
    schema = json.loads((ROOT / "docs" / "events" / f"{name}.schema.json").read_text())
    assert len(schema["examples"]) == len(EventType)
    assert all(valid(name, example) for example in schema["examples"])
    assert not valid(name, {})


def test_what_is_nothing_to_tell_is_not_told(bus: Due, deliveries: Due, webhook: Webhook) -> None:
    done = make_job(Status.COMPLETED, run=1)
    hear(
        change(None, make_job(Status.CREATED)),
        change(done, done.model_copy(update={"name": "renamed"})),
        change(done, make_job(Status.DELETED, run=1)),
        change(done, None),
    )
    assert (bus(), deliveries()) == ([], [])


def test_a_change_that_comes_twice_is_the_same_delivery(
    bus: Due, deliveries: Due, store: WebhookStore, webhook: Webhook
) -> None:
    once = change(None, make_job(Status.FAILED, run=1))
    hear(once)
    hear(once)
    first, second = deliveries()
    assert first["Body"] == second["Body"]
    found, _ = store.deliveries(webhook, None, 10)
    assert len(found) == 1


class BusyBus:
    """EventBridge as it answers where an event was not taken: by its entry, and not by an error."""

    def put_events(self, **_: Any) -> dict[str, Any]:
        entry = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        return {"FailedEntryCount": 1, "Entries": [entry]}


def test_what_the_bus_does_not_take_comes_again(
    deliveries: Due, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "_events", BusyBus)
    with pytest.raises(DependencyUnavailable):
        hear(change(None, make_job(Status.FAILED, run=1)))


# Deliveries


@dataclass
class FakeInternet:
    """A receiver."""

    answers: list[Answered | Exception] = field(default_factory=list)
    got: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> Answered:
        self.got.append((url, body, headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> FakeInternet:
    fake = FakeInternet()

    def wired(cls: type[Deliverer]) -> Deliverer:
        queue = DeliveryQueue(ENVIRONMENT["DELIVERIES_URL"])
        return Deliverer(WebhookStore("WebhooksTable"), queue, fake)  # type: ignore[arg-type]

    monkeypatch.setattr(delivering.Deliverer, "from_settings", classmethod(wired))
    return fake


def on_its_way(webhook: Webhook | None = None) -> Delivery:
    event = told(None, make_job(Status.COMPLETED, run=1))
    assert event is not None
    return Delivery.of(event, webhook or a_webhook(), 2_000_000_000)


class Turns:
    """A delivery's message, which comes up as often as it is put off."""

    def __init__(self, store: WebhookStore, webhook: Webhook, calls: Calls) -> None:
        self.delivery, self._store, self._calls = on_its_way(webhook), store, calls
        self.clock = datetime.now(UTC)
        store.note(self.delivery)

    def take(self, delivery: Delivery | None = None) -> bool:
        """Whether the message of a turn is done with; the clock is at its time, at least."""
        self.clock = max(self.clock, self.now.next_at or self.clock)
        queue = DeliveryQueue(ENVIRONMENT["DELIVERIES_URL"])
        queue.add(delivery or self.delivery)
        answer = client("sqs").receive_message(QueueUrl=queue.url, VisibilityTimeout=600)
        (message,) = answer["Messages"]
        record = {
            "eventSource": "aws:sqs",
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
        }
        failures = hear(record)["batchItemFailures"]
        assert failures in ([], [{"itemIdentifier": message["MessageId"]}])
        client("sqs").delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
        return not failures

    @property
    def now(self) -> Delivery:
        found = self._store.delivery(OWNER, WEBHOOK_ID, self.delivery.delivery_id)
        assert found is not None
        return found

    @property
    def hidden(self) -> list[int]:
        """For how long its message was put off, each time."""
        changed = self._calls.of("ChangeMessageVisibility")
        return [call["VisibilityTimeout"] for call in changed]


@pytest.fixture
def turns(
    store: WebhookStore,
    webhook: Webhook,
    calls: Calls,
    deliveries: Due,
    monkeypatch: pytest.MonkeyPatch,
) -> Turns:
    made = Turns(store, webhook, calls)
    monkeypatch.setattr(delivering, "now", lambda: made.clock)
    return made


def test_a_receiver_that_fails_twice_has_it_the_third_time(
    turns: Turns, internet: FakeInternet, webhook: Webhook
) -> None:
    internet.answers = [Answered(500, "oh"), FetchFailed("Late."), Answered(204, "")]
    assert [turns.take() for _ in range(3)] == [False, False, True]
    assert turns.hidden == [5, 60]
    assert turns.now.state == DeliveryState.DELIVERED
    assert [a.status for a in turns.now.attempts] == [500, None, 204]
    assert turns.now.next_at is None
    url, body, headers = internet.got[-1]
    assert url == URL
    Verifier(webhook.secret).verify(body, headers)
    assert {h["webhook-id"] for _, _, h in internet.got} == {turns.delivery.event_id}
    assert {b for _, b, _ in internet.got} == {body}, "to the byte the same"


def test_it_is_given_up_after_a_day(turns: Turns, internet: FakeInternet) -> None:
    internet.answers = [Answered(503, "")] * (len(WAITS) + 1)
    assert [turns.take() for _ in range(len(WAITS) + 1)] == [False] * len(WAITS) + [True]
    assert turns.hidden == list(WAITS)
    assert turns.now.state == DeliveryState.FAILED
    assert turns.take(), "nothing is sent any more"
    assert not internet.answers


@pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 429])
def test_what_is_not_taken_is_tried_again(
    status: int, turns: Turns, internet: FakeInternet
) -> None:
    internet.answers = [Answered(status, "")]
    assert not turns.take()
    assert turns.now.state == DeliveryState.PENDING
    assert turns.now.next_at is not None


def test_an_address_that_leads_inside_meanwhile_is_asked_nothing(
    turns: Turns, internet: FakeInternet
) -> None:
    internet.answers = [AddressRefused("Nothing is sent to example.com.")]
    assert not turns.take()
    (attempt,) = turns.now.attempts
    assert attempt.error is not None
    assert attempt.error["error"] == "AddressRefused"


def test_who_is_gone_is_told_nothing_any_more(
    turns: Turns, internet: FakeInternet, store: WebhookStore, webhook: Webhook
) -> None:
    event = told(None, make_job(Status.FAILED, run=1))
    assert event is not None
    another = Delivery.of(event, webhook, 2_000_000_000)
    store.note(another)
    internet.answers = [Answered(410, "Gone")]
    assert turns.take()
    assert turns.now.state == DeliveryState.FAILED
    assert store.get(OWNER, WEBHOOK_ID).stopped_at is not None
    assert turns.take(another), "what was on its way already is not sent either"
    assert len(internet.got) == 1


def test_a_withdrawn_webhook_stops(
    turns: Turns, internet: FakeInternet, store: WebhookStore
) -> None:
    internet.answers = [Answered(500, "")]
    assert not turns.take()
    store.withdraw(OWNER, WEBHOOK_ID)
    assert turns.take()
    assert len(internet.got) == 1


def test_a_delivery_that_is_asked_for_anew_leaves_the_round_before(
    turns: Turns, internet: FakeInternet, store: WebhookStore, webhook: Webhook
) -> None:
    internet.answers = [Answered(500, ""), Answered(200, "")]
    assert not turns.take()
    anew = store.again(webhook, turns.delivery.delivery_id, AT)
    assert turns.take(), "the first round's message is past"
    assert turns.take(anew)
    assert turns.now.state == DeliveryState.DELIVERED
    assert len(turns.now.attempts) == 2


def test_attempts_do_not_pile_up_without_end(
    turns: Turns, internet: FakeInternet, store: WebhookStore, webhook: Webhook
) -> None:
    internet.answers = [Answered(200, "y" * 1000)] * 25
    delivery = turns.delivery
    for _ in range(25):
        turns.take(delivery)
        delivery = store.again(webhook, delivery.delivery_id, AT)
    assert len(turns.now.attempts) == 20


def test_where_putting_off_fails_the_queue_gives_it_again(
    turns: Turns, internet: FakeInternet, calls: Calls
) -> None:
    internet.answers = [Answered(500, ""), Answered(200, "")]
    calls.fail("ChangeMessageVisibility", "InternalFailure", times=3)
    with pytest.raises(DependencyUnavailable):
        turns.take()
    client("sqs").purge_queue(QueueUrl=ENVIRONMENT["DELIVERIES_URL"])
    assert turns.take()
    assert turns.now.state == DeliveryState.DELIVERED


def test_neither_secret_nor_body_is_logged(
    turns: Turns, internet: FakeInternet, webhook: Webhook, logs: Any
) -> None:
    internet.answers = [Answered(500, "their words")]
    turns.take()
    for private in (webhook.secret, "their words", "coffee"):
        assert private not in logs.getvalue()


@pytest.mark.parametrize("name", ["status_changed", "delivery_due"])
def test_the_samples_are_read(name: str, bus: Due, deliveries: Due, internet: FakeInternet) -> None:
    assert announce.handler(load_event(f"announce/{name}"), Context()) == {"batchItemFailures": []}
    assert (len(bus()) == 1) == (name == "status_changed")


def test_the_stream_brings_exactly_what_is_told() -> None:
    """Lambda leaves out what the filter does not name: a status more would be told nobody."""
    pattern = (ROOT / "template.yaml").read_text().split('{"status": {"S":')[1]
    named = json.loads(pattern[: pattern.index("]") + 1])
    assert set(named) == {status.value for status in TOLD}


def test_an_attempt_is_taken_by_2xx_alone() -> None:
    taken = {s for s in range(100, 600) if Attempt(at=AT, ms=1, status=s).taken}
    assert taken == set(range(200, 300))
    assert not Attempt(at=AT, ms=1).taken
