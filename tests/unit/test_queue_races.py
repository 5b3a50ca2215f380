"""The queue under any order of arrivals, answers, deaths, losses and cancellations.

Whatever happens, the endpoint has no more in hand than it may; once people leave and only the
reconciler goes on, every task has been ended, each by what happened to its own request, and nothing
is left in the table.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as limits
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from gen3d.jobs import now
from gen3d.queue import FOR_PHOTOS, Request, Stage, choose
from gen3d_aws import dispatch, tokens
from gen3d_aws.dispatch import Dispatcher
from gen3d_aws.tokens import Taken, TaskGone, TokenRow, TokenStore
from tests.support import QueueSettings, client_error, make_job, stack, table

from .conftest import FakeStates

DAY = timedelta(days=1)


class FakeEndpoint:
    """Keeps what it is sent until it answers; may refuse for a while."""

    def __init__(self) -> None:
        self.queue: list[str] = []
        self.busy = False

    def invoke_endpoint_async(
        self,
        *,
        InferenceId: str,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        if self.busy:
            raise client_error("ThrottlingException", "InvokeEndpointAsync")
        self.queue.append(InferenceId)
        return {"InferenceId": InferenceId}


class Queue(RuleBasedStateMachine):
    """Submit, callback, reconciler and API, each of which may die at any point."""

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self._context = stack()
        self._context.__enter__()
        self._patch = pytest.MonkeyPatch()
        self.endpoint, self.states = FakeEndpoint(), FakeStates()
        self.passed = timedelta()
        self._patch.setattr(tokens, "states_client", lambda: self.states)
        self._patch.setattr(dispatch, "_runtime", lambda: self.endpoint)
        self._patch.setattr(dispatch, "now", lambda: now() + self.passed)
        self._patch.setattr("gen3d_aws.tokens.time.sleep", lambda _: None)
        self.store = TokenStore("TokensTable")
        self.dispatcher = Dispatcher.of(QueueSettings.read())
        self.count = 0
        self.dropped: set[str] = set()

    def teardown(self) -> None:
        try:
            self.end()
        finally:
            self._patch.undo()
            self._context.__exit__(None, None, None)

    @rule(target=requests, owner=st.sampled_from("abc"), stage=st.sampled_from(Stage))
    def submit(self, owner: str, stage: Stage) -> Request:
        """A person's request arrives; its submitter may die before it sends anything."""
        self.count += 1
        job = f"JOB{owner}{self.count % 3}"
        name = f"{job}-1-{stage}-{self.count}-0"
        request = Request(f"2026-11-28T19:00:00.{self.count:03}Z", name, owner, stage)
        self.states.waiting[f"token-{name}"] = None
        self.dropped.discard(job)
        self.store.enqueue(TokenRow(name, f"token-{name}", owner, job), request, 60)
        return request

    @rule(request=requests)
    def submit_again(self, request: Request) -> None:
        """Its submission is repeated: it waits or is in hand once, or was answered already."""
        if self.store.get(request.callback_id):
            row = TokenRow(
                request.callback_id, f"token-{request.callback_id}", request.owner, request.job_id
            )
            self.store.enqueue(row, request, 60)

    @rule()
    def send(self) -> None:
        """Anybody sends."""
        self.dispatcher.dispatch()

    @rule()
    def die(self) -> None:
        """Anybody dies between marking and sending."""
        window, waiting = self.store.window(self.dispatcher.size), self.store.waiting()
        chosen = choose(waiting, window)
        if chosen:
            assert self.store.take(window, chosen, waiting) is Taken.OURS

    @rule(busy=st.booleans())
    def refuse(self, busy: bool) -> None:
        """The endpoint takes nothing for a while."""
        self.endpoint.busy = busy

    @rule(target=requests, twice=st.booleans(), lost=st.booleans())
    def answer(self, twice: bool, lost: bool) -> Any:
        """The endpoint answers the oldest; SNS delivers it twice, or never."""
        if self.endpoint.queue:
            name = self.endpoint.queue.pop(0)
            for _ in range(0 if lost else 1 + twice):
                self._callback(name)
        return multiple()

    @rule(request=requests)
    def answer_unasked(self, request: Request) -> None:
        """An answer comes late, of something that was answered before."""
        if self.store.get(request.callback_id) is None:
            self._callback(request.callback_id)

    @rule(request=requests)
    def cancel(self, request: Request) -> None:
        """The job is cancelled: its execution ends, and with it its tasks."""
        for token in self.states.waiting:
            if token.startswith(f"token-{request.job_id}-"):
                self.states.waiting[token] = "TaskTimedOut"
        self.store.drop(make_job(job_id=request.job_id))
        self.dropped.add(request.job_id)

    @rule(minutes=st.sampled_from([1, 2, 90]))
    def reconcile(self, minutes: int) -> None:
        """Time goes by, and the reconciler looks."""
        self.passed += timedelta(minutes=minutes)
        self.dispatcher.give_up_lost()
        self.dispatcher.send_again()
        self.dispatcher.dispatch()

    def _callback(self, name: str) -> None:
        row = self.store.get(name)
        if row is not None:
            with suppress(TaskGone):
                self.dispatcher.tasks.succeed(row, {})
        self.store.settle(name)

    @invariant()
    def the_window_is_kept(self) -> None:
        sent = self.store.window().sent
        assert len(sent) <= self.dispatcher.size + FOR_PHOTOS
        assert sum(s.stage is Stage.RECONSTRUCT for s in sent) <= self.dispatcher.size

    @invariant()
    def what_waits_is_not_in_hand(self) -> None:
        waiting = {r.callback_id for r in self.store.waiting()}
        assert not waiting & {s.callback_id for s in self.store.window().sent}

    @invariant()
    def a_cancelled_job_waits_for_nothing(self) -> None:
        assert not self.dropped & {r.job_id for r in self.store.waiting()}

    def end(self) -> None:
        """Nobody comes any more: the reconciler and the endpoint alone bring all to its end."""
        self.endpoint.busy = False
        for _ in range(2 * self.count + 4):
            while self.endpoint.queue:
                self._callback(self.endpoint.queue.pop(0))
            self.reconcile(90)
        assert self.store.waiting() == []
        assert [row["callbackId"] for row in table("TokensTable").scan()["Items"]] in (
            [],
            ["window"],
        )
        assert self.store.window().sent == ()
        assert None not in self.states.waiting.values(), "a task waits for ever"


TestQueue = Queue.TestCase
TestQueue.settings = limits(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # to shrink a failure takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)
