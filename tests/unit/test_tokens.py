"""Rows of waiting tasks: what they keep, how long, and which faults of a write are told."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from gen3d.errors import JobConflict
from gen3d.jobs import Job, Status
from gen3d.queue import Request, Stage
from gen3d_aws.tokens import Taken, Tasks, TokenRow, TokenStore, mask_callback_id
from tests.support import JOB_ID, OWNER, make_job, table

from .conftest import Calls, FakeStates, let_wait

ROW = TokenRow(f"{JOB_ID}-2-reconstruct-0-0", "token", OWNER, JOB_ID, 2)
REQUEST = Request("2026-11-28T19:00:00.000Z", ROW.callback_id, OWNER, Stage.RECONSTRUCT)


@pytest.fixture
def store(aws: None) -> TokenStore:
    return TokenStore("TokensTable")


def test_a_task_is_read_as_it_was_written(store: TokenStore) -> None:
    store.enqueue(ROW, REQUEST, 60)
    assert store.get(ROW.callback_id) == ROW
    store.note_sent(ROW.callback_id, "s3://bucket/failure")
    sent = replace(ROW, sent=True, failure_location="s3://bucket/failure")
    assert store.get(ROW.callback_id) == sent


def test_a_task_from_before_there_were_runs_is_of_the_first(store: TokenStore) -> None:
    store.enqueue(ROW, REQUEST, 60)
    table("TokensTable").update_item(
        Key={"callbackId": ROW.callback_id},
        UpdateExpression="REMOVE #run",
        ExpressionAttributeNames={"#run": "run"},
    )
    found = store.get(ROW.callback_id)
    assert found is not None
    assert found.run == 1


def test_a_task_is_kept_for_as_long_as_it_was_asked_for(store: TokenStore) -> None:
    before = int(time.time())
    store.enqueue(ROW, REQUEST, 600)
    (row,) = table("TokensTable").scan()["Items"]
    assert before + 600 <= row["ttl"] <= time.time() + 600


def test_tasks_and_the_window_are_read_as_they_are(store: TokenStore, calls: Calls) -> None:
    store.get(ROW.callback_id)
    store.window()
    assert [read["ConsistentRead"] for read in calls.of("GetItem")] == [True, True]


def test_requests_beyond_the_first_answer_wait_too(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [
        Request(
            f"2026-11-28T19:00:0{n}.000Z", f"{JOB_ID}-1-reconstruct-{n}-0", OWNER, REQUEST.stage
        )
        for n in range(3)
    ]
    for request in requests:
        store.enqueue(TokenRow(request.callback_id, "t", OWNER, JOB_ID), request, 60)
    real = BaseClient._make_api_call  # type: ignore[attr-defined]
    monkeypatch.setattr(
        BaseClient,
        "_make_api_call",
        lambda self, operation, parameters: real(self, operation, {**parameters, "Limit": 1}),
    )
    assert store.waiting() == requests


def test_the_window_is_read_as_it_was_written(store: TokenStore) -> None:
    """Who was sent what, whose turn it was, and how many photos came in a row."""
    first, second, third = (
        Request(f"2026-11-28T19:00:0{n}.000Z", f"{JOB_ID}-1-{stage}-{n}-0", owner, stage)
        for n, (owner, stage) in enumerate(
            [(OWNER, Stage.INITIALIZE), (OWNER, Stage.INITIALIZE), ("other", Stage.RECONSTRUCT)]
        )
    )
    for request in (first, second, third):
        row = TokenRow(request.callback_id, "t", request.owner, JOB_ID)
        store.enqueue(row, request, 60)
    empty = store.window(3)
    assert (empty.sent, empty.turns, empty.streak, empty.version) == ((), {}, 0, 0)
    for n, (request, owners) in enumerate([(first, {OWNER}), (second, set()), (third, set())]):
        before = store.window(3)
        assert store.take(before, request, store.waiting()) is Taken.OURS
        window = store.window(3)
        sent = {s.callback_id: s for s in window.sent}[request.callback_id]
        assert (sent.owner, sent.stage) == (request.owner, request.stage)
        assert window.turns == dict.fromkeys(owners, sent.at)
        assert (len(window.sent), window.streak) == (n + 1, (1, 2, 0)[n])
        assert window.version != before.version
    store.leave(first.callback_id)
    assert store.window(3).version != window.version
    assert len(store.window(3).sent) == 2


def test_turns_of_all_who_wait_no_more_are_forgotten_at_once(store: TokenStore) -> None:
    """As after several jobs were cancelled."""
    requests = [
        Request(
            f"2026-11-28T19:00:0{n}.000Z", f"{JOB_ID}-1-reconstruct-{n}-0", owner, REQUEST.stage
        )
        for n, owner in enumerate(["a", "b", "a", "b", "c", "c"])
    ]
    for request in requests:
        store.enqueue(TokenRow(request.callback_id, "t", request.owner, JOB_ID), request, 60)
    for request in requests[:2]:
        assert store.take(store.window(9), request, requests) is Taken.OURS
    assert set(store.window(9).turns) == {"a", "b"}
    assert store.take(store.window(9), requests[4], requests[4:]) is Taken.OURS
    assert set(store.window(9).turns) == {"c"}


def test_a_mask_is_of_the_run_that_waits_for_it(put_job: Callable[[Job], Job]) -> None:
    """Whoever read the job before it was taken up again made theirs for what is gone."""
    store = TokenStore("TokensTable", "JobsTable")
    job = put_job(make_job(Status.AWAITING_MASK, run=2))
    let_wait(TokenRow(mask_callback_id(JOB_ID), "token", OWNER, JOB_ID, 2))
    with pytest.raises(JobConflict):
        store.claim_mask(job.model_copy(update={"run": 1}))
    assert store.claim_mask(job).run == 2


def test_a_request_that_was_sent_is_not_entered_anew(store: TokenStore) -> None:
    store.enqueue(ROW, REQUEST, 60)
    assert store.take(store.window(1), REQUEST, store.waiting()) is Taken.OURS
    store.enqueue(ROW, REQUEST, 60)
    assert store.waiting() == []


WRITES: list[Callable[[TokenStore], None]] = [
    lambda store: store.note_sent(ROW.callback_id, ""),
    lambda store: store.put_back(ROW.callback_id),
    lambda store: store.release_mask(ROW),
    lambda store: store.leave(ROW.callback_id),
]


@pytest.mark.parametrize("write", WRITES, ids=["sent", "back", "mask", "left"])
def test_a_write_of_which_the_task_is_gone_is_none_and_any_other_fault_is_told(
    write: Callable[[TokenStore], None], store: TokenStore, calls: Calls
) -> None:
    write(store)
    assert {row["callbackId"] for row in table("TokensTable").scan()["Items"]} <= {"window"}
    calls.fail("UpdateItem", "ValidationException")
    with pytest.raises(ClientError, match="ValidationException"):
        write(store)


def test_a_task_that_is_entered_anew_is_the_one_that_is_resumed(
    store: TokenStore, calls: Calls
) -> None:
    store.enqueue(ROW, REQUEST, 60)
    store.enqueue(replace(ROW, token="again"), REQUEST, 60)
    found = store.get(ROW.callback_id)
    assert found is not None
    assert found.token == "again"
    calls.fail("PutItem", "ValidationException")
    with pytest.raises(ClientError, match="ValidationException"):
        store.enqueue(ROW, REQUEST, 60)


def test_an_error_is_cut_to_what_the_service_takes(states: FakeStates) -> None:
    states.waiting["token"] = None
    Tasks().fail(ROW, "N" * 300, "c" * 40_000)
    (resumed,) = states.resumed
    assert (resumed["error"], resumed["cause"]) == ("N" * 256, "c" * 32_768)
