"""What tells programs × every fault: from a change of the record to the bus and the receiver.

`Programs` is what Lambda, the stream and SQS do around the function: a change is given again until
it was taken, a message comes up when it is due. Its clock jumps to whatever comes next.
"""

import heapq
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError
from botocore.parsers import ResponseParserError
from standardwebhooks.webhooks import Webhook as Verifier

from gen3d.errors import FetchFailed
from gen3d.internet import Answered
from gen3d.jobs import Status
from gen3d.webhooks import WAITS, DeliveryState, new_webhook_id
from gen3d_announce import announcing, delivering
from gen3d_announce.delivering import Deliverer
from gen3d_aws.webhook_store import DeliveryQueue, WebhookStore
from tests.support import (
    ENVIRONMENT,
    JOB_ID,
    OWNER,
    Context,
    announce,
    client,
    client_error,
    make_job,
    resources,
    stack,
)
from tests.unit.test_announce import a_webhook, change

from .test_tasks import FAULTS, HOW_LONG

TELLING = ("Query", "PutItem", "SendMessage", "PutEvents")
DELIVERING = ("GetItem", "UpdateItem", "ChangeMessageVisibility")
Act = Callable[[], Answered]


class Killed(BaseException):
    """The function's process is gone, without a word."""


class Programs:
    """Everything on the way from a record to a program, and what failed on it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
        self.store = WebhookStore("WebhooksTable")
        self.webhook = a_webhook()
        self.store.create(self.webhook)
        self.posted: list[tuple[datetime, str]] = []
        """When the receiver got which event, whatever it answered."""
        self.receives: Callable[[], Answered] = lambda: Answered(204, "")
        self.bus: list[Any] = []
        self.dead: list[Any] = []
        """What waits in the queue `Unannounced`."""
        self.faults: dict[str, tuple[str, int]] = {}
        """By operation, what happens to so many of its next calls."""
        self._waiting: list[tuple[datetime, int, dict[str, Any]]] = []
        self._hidden: timedelta | None = None
        self._call = BaseClient._make_api_call  # type: ignore[attr-defined]
        template = resources("AWS::SQS::Queue")["Deliveries"]
        self._receives_at_most = template["RedrivePolicy"]["maxReceiveCount"]
        self._hides = timedelta(seconds=template["VisibilityTimeout"])
        client("sqs").create_queue(QueueName="deliveries")
        monkeypatch.setattr(BaseClient, "_make_api_call", self._called())
        monkeypatch.setattr(announcing, "_events", lambda: SimpleNamespace(put_events=self._put))
        monkeypatch.setattr(delivering, "now", lambda: self.clock)
        wired = Deliverer(self.store, DeliveryQueue(ENVIRONMENT["DELIVERIES_URL"]), self)  # type: ignore[arg-type]
        monkeypatch.setattr(Deliverer, "from_settings", classmethod(lambda _: wired))

    # What the function reaches

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> Answered:
        """The receiver gets a message."""
        # By `sign`, as `verify` takes nothing of another day than today.
        signed = Verifier(self.webhook.secret).sign(
            headers["webhook-id"], self.clock, body.decode()
        )
        assert signed == headers["webhook-signature"]
        self.posted.append((self.clock, headers["webhook-id"]))
        return self.receives()

    def _put(self, **asked: Any) -> dict[str, Any]:
        def put() -> dict[str, Any]:
            self.bus += [json.loads(entry["Detail"]) for entry in asked["Entries"]]
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

        if self.faults.get("PutEvents", ("", 0))[0] == "throttled" and self._due("PutEvents"):
            refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
            return {"FailedEntryCount": 1, "Entries": [refused]}
        answer: dict[str, Any] = self._faulty("PutEvents", put)
        return answer

    def _called(self) -> Callable[..., Any]:
        def call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
            def real() -> Any:
                if operation == "ChangeMessageVisibility":
                    self._hidden = timedelta(seconds=parameters["VisibilityTimeout"])
                return self._call(client, operation, parameters)

            return self._faulty(operation, real)

        return call

    def _due(self, operation: str) -> str | None:
        fault, left = self.faults.get(operation, ("", 0))
        if not left:
            return None
        self.faults[operation] = (fault, left - 1)
        return fault

    def _faulty(self, operation: str, real: Callable[[], Any]) -> Any:
        match self._due(operation):
            case None:
                return real()
            case "throttled":
                raise client_error("ThrottlingException", operation)
            case "timed out":  # it is made all the same
                real()
                raise ReadTimeoutError(endpoint_url="https://aws.example.com/")
            case "malformed answer":
                real()
                raise ResponseParserError("Unable to parse response")
            case "killed half-way":
                real()
                raise Killed
            case "out of memory":
                raise Killed
            case _:
                raise client_error("InternalServerError", operation, 500)

    def heal(self) -> None:
        """Nothing fails any more."""
        self.faults.clear()
        self.receives = lambda: Answered(204, "")

    # What calls the function

    def _invoke(self, *records: dict[str, Any]) -> Any:
        try:
            return announce.handler({"Records": records}, Context())
        except (Exception, Killed):
            return None

    def give(self, *records: dict[str, Any]) -> None:
        """The stream gives changes, again and then by halves, until each was taken or given up."""
        if any(self._invoke(*records) for _ in range(21)):
            return
        if len(records) == 1:
            self.dead += records
            return
        middle = len(records) // 2
        self.give(*records[:middle])
        self.give(*records[middle:])

    def replay(self) -> None:
        """What was given up is given once more, as an operator has it."""
        dead, self.dead = self.dead, []
        for record in dead:
            if record["eventSource"] == "aws:sqs":
                self._later(self.clock, {**record, "received": 0})
            else:
                self.give(record)

    def run(self, until: timedelta = timedelta(days=2)) -> None:
        """Let messages come up as they are due."""
        end = self.clock + until
        self.take_in()
        while self._waiting and self._waiting[0][0] <= end:
            due, _, message = heapq.heappop(self._waiting)
            self.clock = max(self.clock, due)
            self._come_up(message)
            self.take_in()
        self.clock = max(self.clock, min(end, self.clock + until))

    def take_in(self) -> None:
        """See what was put into the queue."""
        while True:
            found = self._call(
                client("sqs"),
                "ReceiveMessage",
                {"QueueUrl": ENVIRONMENT["DELIVERIES_URL"], "VisibilityTimeout": 43_000},
            ).get("Messages")
            if not found:
                return
            message = {
                "eventSource": "aws:sqs",
                "messageId": found[0]["MessageId"],
                "receiptHandle": found[0]["ReceiptHandle"],
                "body": found[0]["Body"],
            }
            self._later(self.clock, {**message, "received": 0})

    def _later(self, due: datetime, message: dict[str, Any]) -> None:
        heapq.heappush(self._waiting, (due, id(message), message))

    def _come_up(self, message: dict[str, Any]) -> None:
        if message["received"] == self._receives_at_most:
            self.dead.append(message)
            return
        self._hidden = None
        answer = self._invoke(message)
        if answer is None or answer["batchItemFailures"]:
            hidden = self._hides if self._hidden is None else self._hidden
            self._later(self.clock + hidden, {**message, "received": message["received"] + 1})

    # What has to be so at the end

    def check(self, *events: str) -> None:
        """Each event has reached the receiver and the bus, under its one name, and none is due."""
        self.run()
        assert not self.dead
        assert {name for _, name in self.posted} == set(events)
        told = {f"{each['jobId']}-{each['run']}-{each['status']}" for each in self.bus}
        assert told == set(events)
        assert self.states() == [DeliveryState.DELIVERED] * len(events)

    def states(self) -> list[DeliveryState]:
        """Where its deliveries stand."""
        found, _ = self.store.deliveries(self.webhook, None, 100)
        return [each.state for each in found]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    with stack():
        yield Programs(monkeypatch)


def ended(run: int = 1, status: Status = Status.COMPLETED) -> dict[str, Any]:
    return change(make_job(Status.RECONSTRUCTING, run=run), make_job(status, run=run))


EVENT = f"{JOB_ID}-1-COMPLETED"


@pytest.mark.cell("telling programs", "{operation}", "{fault}")
@pytest.mark.parametrize("long", HOW_LONG)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", TELLING)
def test_a_change(operation: str, fault: str, long: str, programs: Programs) -> None:
    programs.faults[operation] = (fault, 1 if long == "once" else 10_000)
    programs.give(ended())
    programs.run()
    assert not programs.dead or long == "for good"
    assert programs.dead or programs.bus, "what was not told is kept"
    programs.heal()
    programs.replay()
    programs.check(EVENT)


@pytest.mark.cell("telling programs", "{operation}", "{fault}")
@pytest.mark.parametrize("long", HOW_LONG)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", DELIVERING)
def test_a_delivery(operation: str, fault: str, long: str, programs: Programs) -> None:
    programs.give(ended())
    programs.faults[operation] = (fault, 1 if long == "once" else 10_000)
    if operation == "ChangeMessageVisibility":
        programs.receives = lambda: Answered(503, "")
    programs.run(timedelta(minutes=30))
    assert not programs.dead, "within half an hour nothing is given up"
    programs.run(timedelta(hours=4))
    programs.heal()
    programs.run()
    programs.replay()
    programs.check(EVENT)


def receivers_fault(fault: str) -> Act:
    def killed() -> Answered:
        raise Killed

    def late() -> Answered:
        raise FetchFailed("example.com did not answer within 15 seconds.")

    match fault:
        case "throttled":
            return lambda: Answered(429, "")
        case "timed out":
            return late
        case "malformed answer":
            return lambda: Answered(302, "\x00" * 1000)
        case "killed half-way" | "out of memory":
            return killed
        case _:
            return lambda: Answered(503, "")


@pytest.mark.cell("telling programs", "the receiver", "{fault}")
@pytest.mark.parametrize("long", HOW_LONG)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_receiver(fault: str, long: str, programs: Programs) -> None:
    """One that is away for the morning is told when it is back; nobody has to do anything."""
    programs.give(ended())
    act = receivers_fault(fault)
    if long == "once":
        answers = iter([act])
        programs.receives = lambda: next(answers, lambda: Answered(204, ""))()
    else:
        programs.receives = act
    # Of a process that dies with each attempt nobody notes an attempt.
    hours = 2 if fault in ("killed half-way", "out of memory") else 8
    programs.run(timedelta(hours=hours))
    programs.heal()
    programs.check(EVENT)


# The edges


def twice_on_its_way(programs: Programs) -> None:
    """The bus refuses a change for a while, whose deliveries are queued each time."""
    programs.faults["PutEvents"] = ("throttled", 12)
    programs.give(ended())
    programs.take_in()
    assert len(programs._waiting) == 13


@pytest.mark.cell("edges of telling", "a change of the record", "duplicate")
def test_a_change_that_comes_often_is_told_once(programs: Programs) -> None:
    twice_on_its_way(programs)
    programs.check(EVENT)
    assert len(programs.posted) == 1


@pytest.mark.cell("edges of telling", "a delivery's message", "duplicate")
def test_messages_of_one_delivery_share_its_attempts(programs: Programs) -> None:
    """However many there are, a receiver that is away is given its day, and its pauses."""
    twice_on_its_way(programs)
    programs.receives = lambda: Answered(503, "")
    programs.run(timedelta(hours=20))
    assert programs.states() == [DeliveryState.PENDING]
    moments = sorted({at for at, _ in programs.posted})
    pauses = [(b - a).total_seconds() for a, b in pairwise(moments)]
    assert pauses == list(WAITS[: len(pauses)])
    assert len(programs.posted) <= len(moments) + 12, "they end where they meet"
    programs.heal()
    programs.check(EVENT)


@pytest.mark.cell("edges of telling", "a delivery's message", "late")
def test_a_message_that_comes_up_late(programs: Programs) -> None:
    programs.give(ended())
    programs.take_in()
    programs.clock += timedelta(days=3)
    programs.check(EVENT)


@pytest.mark.cell("edges of telling", "a delivery's message", "early")
def test_a_message_that_comes_up_early_waits_for_its_turn(programs: Programs) -> None:
    """Its putting off failed, so that the queue gives it again after its own time."""
    programs.receives = lambda: Answered(503, "")
    programs.give(ended())
    programs.run(timedelta(minutes=8))
    programs.faults["ChangeMessageVisibility"] = ("throttled", 1)
    programs.run(timedelta(hours=6))
    moments = [at for at, _ in programs.posted]
    pauses = [(b - a).total_seconds() for a, b in pairwise(moments)]
    assert pauses == list(WAITS[: len(pauses)])
    programs.heal()
    programs.check(EVENT)


@pytest.mark.cell("edges of telling", "a delivery's message", "lost")
def test_a_message_that_is_lost_is_sent_again_by_hand(programs: Programs) -> None:
    programs.give(ended())
    programs.take_in()
    programs._waiting.clear()
    (delivery,), _ = programs.store.deliveries(programs.webhook, None, 1)
    again = programs.store.again(programs.webhook, delivery.delivery_id, programs.clock)
    DeliveryQueue(ENVIRONMENT["DELIVERIES_URL"]).add(again)
    programs.check(EVENT)


@pytest.mark.cell("edges of telling", "a delivery's message", "unknown")
def test_a_message_of_nobodys(programs: Programs) -> None:
    programs.give(ended())
    programs.take_in()
    (_, _, message), *_ = programs._waiting
    other = message["body"].replace(programs.webhook.webhook_id, new_webhook_id())
    programs._later(programs.clock, {**message, "body": other})
    programs.check(EVENT)


@pytest.mark.cell("edges of telling", "a delivery's message", "reordered")
def test_a_message_of_the_round_before(programs: Programs) -> None:
    programs.receives = lambda: Answered(503, "")
    programs.give(ended())
    programs.run(timedelta(minutes=2))
    (delivery,), _ = programs.store.deliveries(programs.webhook, None, 1)
    again = programs.store.again(programs.webhook, delivery.delivery_id, programs.clock)
    DeliveryQueue(ENVIRONMENT["DELIVERIES_URL"]).add(again)
    programs.heal()
    before = len(programs.posted)
    programs.check(EVENT)
    assert len(programs.posted) == before + 1


@pytest.mark.cell("edges of telling", "a change of the record", "late")
@pytest.mark.cell("edges of telling", "a change of the record", "reordered")
@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_changes_in_any_order_are_told_by_their_names(
    order: tuple[int, int], programs: Programs
) -> None:
    for run in order:
        programs.give(ended(run, Status.FAILED))
        programs.clock += timedelta(hours=3)
    programs.check(f"{JOB_ID}-1-FAILED", f"{JOB_ID}-2-FAILED")


@pytest.mark.cell("edges of telling", "a change of the record", "lost")
def test_a_change_that_is_given_up_is_kept(programs: Programs) -> None:
    programs.faults["PutEvents"] = ("dependency down", 10_000)
    programs.give(ended(1), ended(2))
    assert len(programs.dead) == 2
    programs.heal()
    programs.replay()
    programs.check(EVENT, EVENT.replace("-1-", "-2-"))


@pytest.mark.cell("edges of telling", "a change of the record", "unknown")
def test_a_change_that_nobody_can_read_holds_up_no_other(programs: Programs) -> None:
    strange = ended()
    strange["dynamodb"]["NewImage"] = {"owner": {"S": OWNER}, "status": {"S": "COMPLETED"}}
    programs.give(strange, ended(), strange)
    assert programs.dead == [strange, strange]
    programs.dead.clear()
    programs.check(EVENT)
