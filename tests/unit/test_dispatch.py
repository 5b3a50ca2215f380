"""The queue before the endpoint: races, losses and deaths of those who send."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from gen3d.jobs import iso, now
from gen3d.queue import Place, Request, Stage
from gen3d_aws import tokens
from gen3d_aws.dispatch import MARKED_SECONDS, RACES, SLACK_SECONDS, Dispatcher
from gen3d_aws.observability import metrics
from gen3d_aws.tokens import Taken, TaskGone, Tasks, TokenRow, TokenStore, mask_callback_id
from tests.support import OWNER, QueueSettings, client_error, make_job, resources, table, template

from .conftest import Calls, FakeStates, let_wait

JOB = "01M82SZE4Z7ZQ9FY1VB33KS0D2"
OTHER = "01M82SZE4Z7ZQ9FY1VB33KS0D3"
Rows = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def store(aws: None) -> TokenStore:
    return TokenStore("TokensTable")


@pytest.fixture
def dispatcher(store: TokenStore) -> Dispatcher:
    return Dispatcher.of(QueueSettings.read())


def put(
    store: TokenStore, n: int, stage: Stage = Stage.RECONSTRUCT, owner: str = OWNER, job: str = JOB
) -> Request:
    """Put a request into the queue; the larger `n`, the later."""
    request = Request(f"2026-11-28T19:00:{n:02}.000Z", f"{job}-1-{stage}-{n}-0", owner, stage)
    store.enqueue(TokenRow(request.callback_id, f"token-{n}", owner, job), request, 60)
    return request


def sent(calls: Calls) -> list[str]:
    """What the endpoint was sent, in order."""
    return [made["InferenceId"] for made in calls.of("InvokeEndpointAsync")]


def mark(store: TokenStore, request: Request) -> None:
    """Mark a request as a dispatcher does that dies before it sends."""
    window = store.window(9)
    assert store.take(window, request, store.waiting()) is Taken.OURS


def age(store: TokenStore, callback: str, seconds: float) -> None:
    """Let a request have been in hand for as long."""
    (one,) = [s for s in store.window().sent if s.callback_id == callback]
    table("TokensTable").update_item(
        Key={"callbackId": "window"},
        UpdateExpression="SET #sent.#at = :at",
        ExpressionAttributeNames={"#sent": f"sent:{callback}", "#at": "at"},
        ExpressionAttributeValues={":at": iso(now() - timedelta(seconds=seconds))},
    )
    assert one


def test_no_more_is_sent_than_the_window_takes(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls
) -> None:
    requests = [put(store, n) for n in range(5)]
    assert dispatcher.dispatch() == 2
    assert dispatcher.dispatch() == 0
    photo = put(store, 9, stage=Stage.INITIALIZE)
    assert dispatcher.dispatch() == 1
    looked = len(calls.of("Query"))
    assert dispatcher.dispatch() == 0
    assert len(calls.of("Query")) == looked, "nobody reads a queue from which nothing can go"
    assert sent(calls) == [*(r.callback_id for r in requests[:2]), photo.callback_id]
    store.settle(requests[0].callback_id)
    assert dispatcher.dispatch() == 1
    assert sent(calls)[-1] == requests[2].callback_id


def test_what_is_sent_is_counted_and_what_cannot_be(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(3):
        put(store, n)
    dispatcher.dispatch_if_possible()
    calls.fail("GetItem", "ThrottlingException")
    dispatcher.dispatch_if_possible()
    metrics.flush_metrics()
    counted = capsys.readouterr().out
    assert '"InvocationSent":[2.0]' in counted
    assert '"DispatchFailed":[1.0]' in counted


def test_what_the_endpoint_refuses_keeps_nothing_behind_it_from_being_sent(
    store: TokenStore, dispatcher: Dispatcher, states: FakeStates, calls: Calls
) -> None:
    first, second = put(store, 0), put(store, 1)
    states.waiting["token-0"] = None
    calls.fail("InvokeEndpointAsync", "ValidationException")
    dispatcher.dispatch()
    assert sent(calls) == [first.callback_id, second.callback_id]
    assert [s.callback_id for s in store.window().sent] == [second.callback_id]


def test_what_is_sent_leaves_the_index_which_never_held_a_token(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls
) -> None:
    put(store, 0)
    found = table("TokensTable").query(
        IndexName="byPlace",
        KeyConditionExpression="lane = :lane",
        ExpressionAttributeValues={":lane": "endpoint"},
    )["Items"]
    assert [set(item) for item in found] == [{"callbackId", "lane", "place", "owner", "stage"}]
    dispatcher.dispatch()
    assert store.waiting() == []


def test_a_row_that_is_too_new_for_the_index_is_sent_by_who_wrote_it(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = put(store, 0)
    monkeypatch.setattr(TokenStore, "waiting", lambda _self: [])
    assert dispatcher.dispatch(own) == 1
    assert dispatcher.dispatch(own) == 0


def test_a_row_that_the_index_still_shows_is_not_sent_again(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale, next_ = put(store, 0), put(store, 1)
    dispatcher.dispatch()
    for request in (stale, next_):
        store.settle(request.callback_id)
    third = put(store, 2)
    monkeypatch.setattr(TokenStore, "waiting", lambda _self: [stale, next_, third])
    assert dispatcher.dispatch() == 1
    assert sent(calls)[2:] == [third.callback_id]


def test_of_two_who_choose_the_same_one_sends_it(store: TokenStore, calls: Calls) -> None:
    request = put(store, 0)
    window, waiting = store.window(2), store.waiting()
    assert store.take(window, request, waiting) is Taken.OURS
    assert store.take(window, request, waiting) is Taken.GONE


def test_a_choice_that_was_made_on_an_older_window_does_not_count(
    store: TokenStore, calls: Calls
) -> None:
    one, two = put(store, 0), put(store, 1)
    old, waiting = store.window(1), store.waiting()
    assert store.take(old, one, waiting) is Taken.OURS
    assert store.take(old, two, waiting) is Taken.CHANGED
    assert [s.callback_id for s in store.window().sent] == [one.callback_id]


def test_a_transaction_that_meets_another_is_made_again(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls
) -> None:
    put(store, 0)
    conflict = client_error("TransactionCanceledException")
    conflict.response["CancellationReasons"] = [
        {"Code": "None"},
        {"Code": "TransactionConflict"},
    ]
    unexplained = client_error("TransactionCanceledException")
    busy = client_error("TransactionInProgressException")
    calls.fail_with("TransactWriteItems", conflict, unexplained, busy)
    assert dispatcher.dispatch() == 1


def test_who_loses_every_race_leaves_the_queue_to_the_others(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, 0)
    waits: list[float] = []
    monkeypatch.setattr("gen3d_aws.dispatch.time.sleep", waits.append)
    calls.fail("TransactWriteItems", "TransactionInProgressException", times=99)
    assert dispatcher.dispatch() == 0
    assert len(calls.of("TransactWriteItems")) == len(waits) == RACES
    assert sum(waits) < 2


def test_any_number_may_dispatch_at_once(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, real = threading.Lock(), BaseClient._make_api_call  # type: ignore[attr-defined]

    def one_at_a_time(*call: Any) -> Any:  # moto's transactions are none for threads
        with lock:
            return real(*call)

    monkeypatch.setattr(BaseClient, "_make_api_call", one_at_a_time)
    requests = [put(store, n) for n in range(12)]
    threads = [threading.Thread(target=dispatcher.dispatch, args=(r,)) for r in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent(calls)) == sorted(s.callback_id for s in store.window().sent)
    assert len(sent(calls)) == 2


@pytest.mark.parametrize(
    "fault",
    [
        client_error("ThrottlingException"),
        client_error("InternalFailure", status=500),
        ConnectTimeoutError(endpoint_url="https://runtime"),
        ReadTimeoutError(endpoint_url="https://runtime"),
    ],
    ids=["throttled", "broken", "unreachable", "silent"],
)
def test_what_the_endpoint_does_not_take_now_keeps_its_place(
    fault: Exception, store: TokenStore, dispatcher: Dispatcher, calls: Calls
) -> None:
    requests = [put(store, n) for n in range(2)]
    calls.fail_with("InvokeEndpointAsync", fault)
    assert dispatcher.dispatch() == 0
    assert store.waiting() == requests
    assert store.window().sent == ()
    assert dispatcher.dispatch() == 2
    assert sent(calls)[1:] == [r.callback_id for r in requests]


def test_without_an_endpoint_everything_waits(
    store: TokenStore, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, 0)
    monkeypatch.setattr(QueueSettings.read(), "endpoint_name", "")
    assert Dispatcher.of(QueueSettings.read()).dispatch() == 0
    assert len(store.waiting()) == 1


def test_who_dies_between_marking_and_sending_loses_nothing(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls
) -> None:
    request = put(store, 0)
    mark(store, request)
    assert dispatcher.send_again() == 0, "somebody may just be at it"
    age(store, request.callback_id, MARKED_SECONDS + 1)
    assert dispatcher.send_again() == 1
    assert sent(calls) == [request.callback_id]
    assert dispatcher.send_again() == 0


def test_what_was_sent_is_not_sent_again(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls
) -> None:
    request = put(store, 0)
    dispatcher.dispatch()
    age(store, request.callback_id, MARKED_SECONDS + 1)
    assert dispatcher.send_again() == 0


def test_what_was_cancelled_after_its_sender_died_is_not_sent(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls
) -> None:
    request = put(store, 0)
    mark(store, request)
    age(store, request.callback_id, MARKED_SECONDS + 1)
    store.drop(make_job(job_id=JOB))
    assert dispatcher.send_again() == 0
    assert sent(calls) == []


def test_an_answer_that_never_comes_fails_its_task_so_that_it_is_sent_again(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls, states: FakeStates, rows: Rows
) -> None:
    request = put(store, 0)
    states.waiting["token-0"] = None
    dispatcher.dispatch()
    longest = dispatcher.request_ttl_seconds + dispatcher.invocation_timeout_seconds + SLACK_SECONDS
    age(store, request.callback_id, longest - 5)
    assert dispatcher.give_up_lost() == 0
    age(store, request.callback_id, longest + 5)
    assert dispatcher.give_up_lost() == 1
    assert [r["error"] for r in states.resumed] == ["InferenceExpired"]
    assert store.window().sent == ()
    assert [row["callbackId"] for row in rows("TokensTable")] == ["window"]


@pytest.mark.parametrize("dropped", [True, False])
def test_a_place_in_the_window_is_freed_though_nobody_waits_for_the_answer(
    dropped: bool, store: TokenStore, dispatcher: Dispatcher, calls: Calls, states: FakeStates
) -> None:
    request = put(store, 0)
    dispatcher.dispatch()
    if dropped:
        store.drop(make_job(job_id=JOB))
    age(store, request.callback_id, 1e5)
    assert dispatcher.give_up_lost() == 1
    assert store.window().sent == ()
    assert states.resumed == []


# Cancelled jobs


def test_a_cancelled_jobs_requests_and_mask_leave_and_no_others(
    store: TokenStore, dispatcher: Dispatcher, calls: Calls, rows: Rows
) -> None:
    requests = [put(store, n) for n in range(4)]
    other = put(store, 9, job=OTHER)
    let_wait(TokenRow(mask_callback_id(JOB), "m", OWNER, JOB))
    let_wait(TokenRow(mask_callback_id(OTHER), "m", OWNER, OTHER))
    dispatcher.dispatch()

    store.drop(make_job(job_id=JOB))

    left = {row["callbackId"] for row in rows("TokensTable")}
    assert left == {"window", other.callback_id, mask_callback_id(OTHER)}
    # What the endpoint has in hand it still works on.
    assert [s.callback_id for s in store.window().sent] == [r.callback_id for r in requests[:2]]


def test_a_jobs_place(store: TokenStore, dispatcher: Dispatcher, calls: Calls) -> None:
    requests = [put(store, n) for n in range(3)]
    dispatcher.dispatch()
    put(store, 9, owner="somebody", job=OTHER)
    first = store.place(make_job(job_id=JOB))
    assert first.ahead == 0
    assert [s.callback_id for s in first.in_hand] == [r.callback_id for r in requests[:2]]
    assert store.place(make_job(job_id=OTHER)) == Place(2, ())
    assert store.place(make_job(job_id="01M82SZE4Z7ZQ9FY1VB33KS0D4")) == Place(None, ())


def test_the_window_is_no_task(store: TokenStore, dispatcher: Dispatcher, calls: Calls) -> None:
    put(store, 0)
    dispatcher.dispatch()
    assert store.get("window") is None


# Resuming


ROW = TokenRow("c", "t", OWNER, JOB)


def test_a_task_that_is_gone_after_the_service_broke_was_resumed(
    states: FakeStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    states.waiting["t"] = None
    real, answers = states.send_task_success, [client_error("InternalError", status=500)]

    def send(**call: str) -> dict[str, Any]:
        real(**call)
        if answers:
            raise answers.pop()
        return {}

    monkeypatch.setattr(states, "send_task_success", send)
    Tasks().succeed(ROW, {})
    assert len(states.resumed) == 1


def test_a_task_that_is_gone_after_throttling_was_not(states: FakeStates) -> None:
    answers = iter([client_error("ThrottlingException"), client_error("TaskTimedOut")])

    def send(**_: str) -> None:
        raise next(answers)

    states.send_task_success = send  # type: ignore[assignment]
    with pytest.raises(TaskGone):
        Tasks().succeed(ROW, {})


def test_the_service_is_asked_thrice_and_by_nobody_else(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen3d_aws.tokens.time.sleep", lambda _: None)
    calls.fail("SendTaskFailure", "ThrottlingException", 9)
    with pytest.raises(Exception, match="ThrottlingException"):
        Tasks().fail(ROW, "InferenceFailed", "")
    assert len(calls.of("SendTaskFailure")) == 3
    config: Any = tokens.states_client().meta.config
    assert config.retries["total_max_attempts"] == 1


def test_a_write_that_meets_a_transaction_is_made_again(
    store: TokenStore, calls: Calls, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("gen3d_aws.tokens.time.sleep", waits.append)
    request = put(store, 0)
    mark(store, request)
    calls.fail("UpdateItem", "TransactionConflictException", 3)
    store.settle(request.callback_id)
    assert store.window().sent == ()
    assert len(waits) == 3
    assert 0 < sum(waits) < 1


def test_a_sender_is_given_up_only_after_its_function_has_ended() -> None:
    longest = template()["Globals"]["Function"]["Timeout"]
    functions = resources("AWS::Serverless::Function")
    for name in ("SubmitFunction", "CallbackFunction"):
        assert functions[name].get("Timeout", longest) < MARKED_SECONDS
