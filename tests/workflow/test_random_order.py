"""One job under any order of people, callbacks, retries, deletions and deaths.

The API, the notify function and the reconciler are the real ones, and so are the state machine's
states, conditions and expressions. A test's steps choose who acts next; between any two requests to
the tables somebody else may act, or who made them may die. What has to be so is looked at after
each write, and when everything has come to rest.
"""

import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from moto import mock_aws

from gen3d import images
from gen3d.jobs import TERMINAL, Status, now
from gen3d.options import ANY_SEED, SOME_SEEDS
from gen3d_aws import clients, inventory, runs, store, tokens
from gen3d_aws.store import JobStore
from gen3d_notify import delivery
from tests.support import (
    ADMIN,
    EMAIL,
    JOB_ID,
    OWNER,
    REGION,
    Context,
    encode,
    load_event,
    make_job,
    mask,
    notify,
    reconcile,
)
from tests.unit.api.requests import PHOTO, call

from .harness import WRITES
from .machine import Branch, Execution, Json, StepFunctions, TaskFailed
from .memory import Files, Mails, Tables

EXAMPLES = int(os.environ.get("GEN3D_EXAMPLES") or 200)
"""`make test-faults` asks for more."""

CLIENT = clients.client
MASK = encode(mask())
MODEL = {"engine": "lite", "revision": "0123456789ab"}
OFFERS = {"seed": ANY_SEED.model_dump(), "seeds": SOME_SEEDS.model_dump()}
"""Of the endpoint's engine; a draft's offers a seed alone."""

TWO_SEEDS = {"options": {"engine": {"seed": 5, "seeds": 2}}}
RANK = [Status.INITIALIZING, Status.AWAITING_MASK, Status.RECONSTRUCTING]
TOLD = {
    Status.COMPLETED: {EMAIL: "Your 3D model is ready", ADMIN: "Gen3D job done"},
    Status.FAILED: {EMAIL: "Your 3D model could not be made", ADMIN: "Gen3D job failed"},
    Status.EXPIRED: {EMAIL: "Your photo waited for its mask"},
}
ASKED: dict[str, list[Any]] = {
    "initialize_job": [{}],
    "reconstruct_job": [{"objects": [{}]}, {"objects": [{}, {}]}, {"objects": [TWO_SEEDS, {}]}],
    "cancel_job": [None],
    "retry_job": [
        {},
        {"objects": [{"n": 0, "seed": 5}]},
        {"objects": [{"n": 0, **TWO_SEEDS}]},
        {"objects": [{"n": 0, "keep": 6}]},
    ],
    "delete_job": [None],
}
ANSWERS = {
    "initialize_job": {200, 202, 404, 503},
    "reconstruct_job": {202, 404, 409, 410, 422, 503},
    "cancel_job": {200, 202, 404, 503},
    "retry_job": {202, 400, 404, 409, 422, 503},
    "delete_job": {204, 503},
}
ASKING = st.one_of(
    *(st.tuples(st.just(name), st.sampled_from(bodies)) for name, bodies in ASKED.items())
)


CANCELLED = 3
"""The requests of a cancellation after which the record says so, and nothing is stopped yet."""

WHICH = st.integers(0, 11)
"""One of those that there are, counted around."""


class Killed(BaseException):
    """The function's process ends here: nothing that it would do in case of an error is done."""


def _objects(row: Json) -> dict[str, Json]:
    """A record's objects, and what seeds have made of them, by their keys."""
    return {key: o["M"] for key, o in row.get("objects", {"M": {}})["M"].items()}


def _keeps_what_seeds_made(old: dict[str, Json], new: dict[str, Json]) -> None:
    """Unless the object is asked for anew, or its mesh with other options."""
    for key, made in old.items():
        n, variant, _ = key.partition(".")
        if not variant or "mesh" not in made:
            continue
        was, is_now = old[n], new[n]
        anew = (was["status"]["S"], is_now["status"]["S"]) == ("COMPLETED", "PENDING")
        if key not in new:
            assert anew or was["options"] != is_now["options"], "what a seed has made was lost"
        elif new[key]["options"] == made["options"]:
            assert "mesh" in new[key], "what a seed has made is made again"


class RandomOrder(RuleBasedStateMachine):
    """One job."""

    tables: Tables
    patch: pytest.MonkeyPatch

    def __init__(self) -> None:
        super().__init__()
        self.passed = timedelta()
        self.files, self.mails = Files(), Mails()
        self.states = StepFunctions(self.service)
        self.letters: list[Json] = []
        """Events and invocations that wait to be delivered."""
        self.delivered: list[Json] = []
        self.ends: set[tuple[int, Status]] = set()
        self.killed_while_mailing = 0
        self.chosen: Json = {"objects": [{}]}
        """On the straight way."""
        self.cancelled: Status | None = None
        """What a call left it as that nobody interfered with, and nothing was asked for since."""
        clock = SimpleNamespace(
            time=lambda: time.time() + self.passed.total_seconds(), sleep=self.sleep
        )
        for module in (delivery, notify, tokens, store):
            self.patch.setattr(module, "time", clock)
        self.patch.setattr(reconcile, "now", lambda: now() + self.passed)
        for module, name in (
            (runs, "states_client"),
            (tokens, "states_client"),
            (inventory, "_states"),
        ):
            self.patch.setattr(module, name, lambda: self.states)
        for module, name in ((store, "s3_client"), (inventory, "_s3")):
            self.patch.setattr(module, name, lambda: self.files)
        told = SimpleNamespace(invoke=self.tell)
        self.patch.setattr(
            clients, "client", lambda name, **options: told if name == "lambda" else CLIENT(name)
        )
        self.patch.setattr(delivery, "_ses", lambda: self.mails)
        self.tables.create()
        job = make_job()
        JobStore("JobsTable").create(job)
        self.files.data[job.uploads.image("image/jpeg")] = PHOTO
        for n in range(2):
            self.files.data[job.uploads.mask(n)] = MASK
        self.before = self.record
        self.tables.after = self.look

    def sleep(self, seconds: float) -> None:
        self.passed += timedelta(seconds=seconds)

    # What there is

    @property
    def record(self) -> Json | None:
        """The record, typed as DynamoDB has it, without the token of its last write."""
        row = self.tables.row("JobsTable", owner=OWNER, jobId=JOB_ID)
        return row and {key: value for key, value in row.items() if key != "write"}

    @property
    def status(self) -> tuple[int, Status]:
        row = self.record
        assert row is not None
        return _status(row)

    @property
    def running(self) -> list[Execution]:
        return [e for e in self.states.executions.values() if e.status == "RUNNING"]

    @property
    def branches(self) -> list[Branch]:
        """Everything that can go on, or waits for an answer."""
        return [b for e in self.running for b in (*e.main.leaves(), *e.main.waiting())]

    @property
    def writing(self) -> list[Execution]:
        """Those that run, and those that were stopped while one more write was on its way."""
        stopped = [e for e in self.states.executions.values() if e.stopped and not e.main.over]
        return self.running + stopped

    # What has to be so after each write

    def look(self) -> None:
        """Compare the record with what it was before the last request."""
        old, new = self.before, self.record
        if old == new:
            return
        assert old is not None
        assert new is not None
        (old_run, was), (run, status) = _status(old), _status(new)
        self.before = new
        assert run >= old_run
        assert was is not Status.DELETED, "a tombstone was written to"
        if status is Status.DELETED:
            assert not {"text", "image", "model", "draftModel", "objects", "error"} & new.keys()
            assert {new[key]["S"] for key in ("email", "filename", "name")} == {""}
            return
        if run == old_run:
            assert was not in TERMINAL, f"{was} became {status} in one run"
            if was in RANK and status in RANK:
                assert RANK.index(was) <= RANK.index(status)
        else:
            assert was in TERMINAL | {Status.CREATED}, "begun while another run was at work"
        _keeps_what_seeds_made(_objects(old), _objects(new))
        objects = new.get("objects", {"M": {}})["M"].values()
        done = [o["M"]["status"]["S"] for o in objects]
        if status is Status.COMPLETED:
            assert set(done) <= {"COMPLETED", "FAILED"}
            assert "COMPLETED" in done
        if status is Status.FAILED:
            assert "error" in new
        for o in objects:
            if o["M"]["status"]["S"] == "COMPLETED":
                assert "mesh" in o["M"]
        if status in TERMINAL:
            self.ends.add((run, status))

    # The services that the machine calls

    def service(self, operation: str, arguments: Json) -> Any:
        if operation == "putObject":
            self.files.data[arguments["Key"]] = json.dumps(arguments["Body"]).encode()
            event = load_event("notify/result_created")
            event["detail"]["object"]["key"] = arguments["Key"]
            self.letters.append(event)
            return {}
        payload = arguments["Payload"]
        if arguments.get("InvocationType") == "Event":
            self.letters.append(payload)
            return {"StatusCode": 202}
        match arguments["FunctionName"]:
            case "notify":
                try:
                    notify.handler(payload, Context())
                except Exception as error:
                    raise TaskFailed(type(error).__name__, str(error)) from None
                return {}
            case "mesh":
                names = {kind: f"{payload['prefix']}mesh.{kind}" for kind in ("glb",)}
                self.files.data.update(dict.fromkeys(names.values(), b"mesh"))
                files = {kind: {"key": key, "bytes": 4} for kind, key in names.items()}
                return {"Payload": {"files": files, "vertices": 12, "faces": 20}}
            case "lite":
                if payload["image"].split("/", 3)[3] not in self.files.data:
                    raise TaskFailed("InputMissing")
                self.files.data[payload["output"].split("/", 3)[3]] = b"draft"
                if payload["task"] == "initialize":
                    return {"Payload": MODEL | {"width": 64, "height": 48}}
                return {"Payload": MODEL | {"gaussians": 5000, "bytes": 9}}
            case _:
                return {}  # the request is at the endpoint

    def tell(self, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert (FunctionName, InvocationType) == ("gen3d-notify", "Event")
        self.letters.append(json.loads(Payload))

    # What may happen

    @initialize(
        far=st.integers(0, 24),
        left=st.booleans(),
        further=st.integers(0, 10),
        late=st.booleans(),
        seeds=st.booleans(),
    )
    def begin(self, far: int, left: bool, further: int, late: bool, seeds: bool) -> None:
        """How far the job is already, and an execution of it that a cancellation overtook."""
        self.chosen = {"objects": [TWO_SEEDS if seeds else {}]}
        self.lead(far)
        if left:
            with self.interrupted(CANCELLED, self.die):
                call("cancel_job")
            if further:
                self.lead(further)
            if late:
                self.late_write(which=0)

    def lead(self, far: int) -> None:
        """Take the straight way for so many steps, with a new execution."""
        run = self.status[0]
        for _ in range(far):
            self.lead_on(run)

    def lead_on(self, run: int) -> None:
        """Take the next step, with an execution after that run."""
        branches = [b for e in self.running if e.run > run for b in e.main.leaves()]
        waiting = [b for e in self.running if e.run > run for b in e.main.waiting()]
        if branches:
            self.step(branches[0])
        elif not waiting:
            self.ask(("retry_job" if run else "initialize_job", {}))
        elif waiting[0].at == "WaitForMask":
            call("reconstruct_job", self.chosen)
        else:
            self.reply(waiting[0])

    def lead_to(self, state: str) -> Branch:
        """Take the straight way to a state, with a new execution; answers what stands there."""
        run = self.status[0]
        for _ in range(20):
            for execution in self.running:
                for branch in execution.main.leaves():
                    branch.go_to_the_next_task()
                    if execution.run > run and branch.at == state:
                        return branch
            self.lead_on(run)
        raise AssertionError(f"it does not come to {state}")

    def step_all(self) -> None:
        for execution in self.running:
            for branch in list(execution.main.leaves()):
                self.step(branch)

    def answer_all(self) -> None:
        for execution in self.running:
            for branch in list(execution.main.waiting()):
                if branch.at != "WaitForMask":
                    self.reply(branch)

    @rule(asked=ASKING)
    def person(self, asked: tuple[str, Any]) -> None:
        self.ask(asked)

    def ask(self, asked: tuple[str, Any]) -> None:
        """A call that nobody interferes with."""
        name, body = asked
        run, was = self.status
        pending = any(e.run > run for e in self.running)
        known = {e.run for e in self.states.executions.values()}
        taken_up = was in (Status.FAILED, Status.EXPIRED, Status.CANCELLED)
        status, answer = call(name, body)
        assert status in ANSWERS[name], answer
        assert status != 503, "nothing was out of reach"
        assert (status == 404) == (was is Status.DELETED and name != "delete_job")
        if name == "delete_job":
            assert self.status[1] is Status.DELETED
        started = {e.run for e in self.states.executions.values()} - known
        following = next(n for n in itertools.count(run + 1) if n not in known)
        assert started <= (set() if pending else {following})
        if name == "retry_job" and not body and taken_up and not pending:
            assert status == 202, answer
        if name == "retry_job" and status == 202:
            assert any(e.run > run for e in self.running), "nothing was started"
        if name in ("retry_job", "initialize_job"):
            self.cancelled = None
        if name == "cancel_job" and status != 404:
            assert self.status[1] in TERMINAL
            # A complete job whose retry had not begun is complete all the same.
            kept = was if was is Status.COMPLETED else Status.CANCELLED
            self.cancelled = kept if status == 202 else None
        self.stays_cancelled()

    @rule(asked=ASKING, other=ASKING, requests=st.integers(1, 8))
    def two_browsers(self, asked: Any, other: Any, requests: int) -> None:
        """The second asks while the first is being answered."""
        self.interfere(asked, requests, lambda: self.call(other))

    @rule(asked=ASKING, which=WHICH, requests=st.integers(1, 8))
    def overtaken(self, asked: Any, which: int, requests: int) -> None:
        """An execution goes on while a person is being answered."""
        self.interfere(asked, requests, lambda: self.step_any(which))

    @rule(asked=ASKING, requests=st.integers(1, 8))
    def cut_off(self, asked: Any, requests: int) -> None:
        """The API's process dies."""
        self.interfere(asked, requests, self.die)

    def interfere(self, asked: Any, requests: int, act: Callable[[], None]) -> None:
        self.cancelled = None
        with self.interrupted(requests, act):
            self.call(asked)

    def call(self, asked: tuple[str, Any]) -> None:
        name, body = asked
        status, answer = call(name, body)
        gone = {422} if self.status[1] is Status.DELETED else set()  # the photo, in between
        assert status in ANSWERS[name] | gone, answer

    def interrupted(self, requests: int, act: Callable[[], None]) -> "_Interrupted":
        return _Interrupted(self.tables, requests, act)

    def die(self) -> None:
        raise Killed

    @rule(which=WHICH, steps=st.integers(1, 4))
    def go_on(self, which: int, steps: int) -> None:
        for i in range(steps):
            self.step_any(which + i)

    def step_any(self, which: int) -> None:
        leaves = [branch for e in self.writing for branch in e.main.leaves()]
        if leaves:
            self.step(leaves[which % len(leaves)])

    def step(self, branch: Branch) -> None:
        """Let a branch write; one that was overtaken, or whose job has ended, changes nothing."""
        execution, before = branch.execution, self.record
        assert before is not None
        run, status = _status(before)
        over = run == execution.run and status in TERMINAL
        branch.step()
        if run > execution.run or over or status is Status.DELETED:
            assert self.record == before, f"{execution.arn} wrote"
        if execution.stopped:
            execution.main.over = True

    @rule(which=WHICH)
    def late_write(self, which: int) -> None:
        """Of an execution that was stopped, or that another has overtaken."""
        run, status = self.status
        over = status in TERMINAL
        late = [e for e in self.writing if e.stopped or e.run < run or (e.run == run and over)]
        stopped = [branch for e in late for branch in e.main.leaves()]
        if stopped:
            self.step(stopped[which % len(stopped)])

    @rule(which=WHICH, well=st.sampled_from([True, True, True, False]))
    def endpoint(self, which: int, well: bool) -> None:
        waiting = [b for e in self.running for b in e.main.waiting() if b.at != "WaitForMask"]
        if waiting:
            self.reply(waiting[which % len(waiting)], well)

    def reply(self, branch: Branch, well: bool = True) -> None:
        """The container answers what it was asked, if its photo is still there."""
        files = make_job().files
        if files.image("image/jpeg") not in self.files.data:
            branch.answer(error=TaskFailed("InputMissing"))
        elif not well:
            branch.answer(error=TaskFailed("OutOfMemory"))
        elif branch.at == "Initialize":
            self.files.data[files.embeddings] = b"embeddings"
            branch.answer(MODEL | {"width": 64, "height": 48, "offers": OFFERS})
        else:
            made = branch.variables["object"]
            self.files.data[files.object(int(made["n"]), made["folder"]).splat] = b"splat"
            branch.answer(MODEL | {"gaussians": 5000, "bytes": 9})

    @rule(which=WHICH, error=st.sampled_from(["States.TaskFailed", "States.Timeout"]))
    def go_wrong(self, which: int, error: str) -> None:
        """A task ends with an error, after all its retries; a wait, for nobody came."""
        branches = self.branches
        if branches:
            branch = branches[which % len(branches)]
            if branch.token is not None:
                branch.answer(error=TaskFailed(error))
            else:
                branch.fail(TaskFailed(error))

    @rule(which=WHICH)
    def execution_dies(self, which: int) -> None:
        """It ends without a word of its own."""
        if self.running:
            self.running[which % len(self.running)].died = True

    @rule(which=WHICH, again=st.booleans())
    def delivery(self, which: int, again: bool) -> None:
        """What arrives by itself does so in any order, and some of it twice."""
        self.announce_ends()
        some = self.delivered if again else self.letters
        if some:
            self.deliver(some[which % len(some)])

    @rule(which=WHICH, requests=st.integers(1, 6))
    def delivery_cut_off(self, which: int, requests: int) -> None:
        """The notify function dies; what called it calls it again."""
        self.announce_ends()
        if self.letters:
            letter = self.letters[which % len(self.letters)]
            sent = self.mails.sent.total()
            with self.interrupted(requests, self.die):
                notify.handler(letter, Context())
            self.killed_while_mailing += self.mails.sent.total() - sent

    @rule()
    def mail_is_refused(self) -> None:
        self.mails.refuses = True

    def announce_ends(self) -> None:
        for execution in self.states.executions.values():
            if execution.status in ("FAILED", "ABORTED"):
                event = load_event("notify/execution_failed")
                event["detail"].update(
                    executionArn=execution.arn,
                    input=execution.text,
                    status=execution.status,
                )
                if event not in self.letters + self.delivered:
                    self.letters.append(event)

    def deliver(self, letter: Json) -> None:
        """Until it has arrived: what fails is delivered again, after a minute."""
        for _ in range(3):
            try:
                notify.handler(letter, Context())
            except Exception:
                self.passed += timedelta(minutes=1)
            else:
                break
        if letter in self.letters:
            self.letters.remove(letter)
            self.delivered.append(letter)

    @rule(hours=st.integers(0, 5))
    def reconciler(self, hours: int) -> None:
        self.passed += timedelta(hours=hours)
        reconcile.handler({"task": "sweep"}, Context())

    def stays_cancelled(self) -> None:
        if self.cancelled:
            assert self.status[1] in (self.cancelled, Status.DELETED)

    # What has to be so at rest

    def teardown(self) -> None:
        """Left alone, it ends where its owner can see it, and everybody is told once."""
        try:
            self.come_to_rest()
            self.check_rest()
        finally:
            self.tables.before = self.tables.after = lambda: None
        super().teardown()

    def come_to_rest(self) -> None:
        self.mails.refuses = False
        for execution in self.writing:
            for branch in list(execution.main.leaves())[:1]:
                self.step(branch)
        for _ in range(40):
            if not any(b.at != "WaitForMask" or b.token is None for b in self.branches):
                break
            self.step_all()
            self.answer_all()
            self.stays_cancelled()
        for _ in range(2):
            self.announce_ends()
            self.passed += timedelta(hours=5)
            for letter in list(self.letters):
                self.deliver(letter)
            reconcile.handler({"task": "sweep"}, Context())

    def check_rest(self) -> None:
        run, status = self.status
        waiting = [b for e in self.running for b in e.main.waiting() if e.run == run]
        if status is Status.AWAITING_MASK:
            assert [b.at for b in waiting] == ["WaitForMask"], "waits, and nobody would go on"
        else:
            assert status in TERMINAL | {Status.CREATED}, status
            assert not self.running
        rows = [row["callbackId"]["S"] for row in self.tables.rows("TokensTable")]
        kept = {"window", f"owner#{OWNER}", *([f"{JOB_ID}-mask"] if waiting else [])}
        assert set(rows) <= kept, rows
        if status is Status.DELETED:
            assert not self.files.data, self.files.data.keys()
            assert call("get_job")[0] == 404
        self.check_mails(run, status)

    def check_mails(self, run: int, status: Status) -> None:
        """Of the last end everybody is told; of those before it too, or they had been overtaken."""
        most: Counter[tuple[str, str]] = Counter()
        for _, ended in self.ends:
            most.update(TOLD.get(ended, {}).items())
        sent: Counter[tuple[str, str]] = Counter()
        for (to, subject), times in self.mails.sent.items():
            kind = subject.split(":")[0].replace("models are", "model is")  # of several objects
            sent[to, kind] += times
        sent.pop((EMAIL, "Your photo is ready to be clicked"), None)
        assert (sent - most).total() <= self.killed_while_mailing, (sent, most)
        for whom in TOLD.get(status, {}).items():
            assert sent[whom] >= 1, (run, status, sent)


class _Interrupted:
    """Something happens before one of the next requests to the tables, once."""

    def __init__(self, tables: Tables, requests: int, act: Callable[[], None]) -> None:
        self._tables, self._left, self._act = tables, requests, act

    def __enter__(self) -> None:
        self._tables.before = self._count

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._tables.before = lambda: None
        return kind is Killed

    def _count(self) -> None:
        self._left -= 1
        if not self._left:
            self._tables.before = lambda: None
            self._act()


def _status(row: Json) -> tuple[int, Status]:
    return int(row.get("run", {"N": "0"})["N"]), Status(row["status"]["S"])


@pytest.fixture
def random_order(
    socket_disabled: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[RandomOrder]]:
    """A job among services in memory."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws(), Tables().installed() as tables:
        RandomOrder.tables, RandomOrder.patch = tables, monkeypatch
        # The same two pictures, again and again: checking them is what takes time.
        monkeypatch.setattr(images, "check_photo", cache(images.check_photo))
        monkeypatch.setattr(images, "read_mask", cache(images.read_mask))
        yield RandomOrder


BY_FAILING = {
    "RecordObjectFailure": ("RecordSplat", "States.TaskFailed"),
    "RecordFailure": ("WaitForMask", "States.TaskFailed"),
    "RecordExpiry": ("WaitForMask", "States.Timeout"),
}
"""Where what fails leads to a state."""


def led_to(one: RandomOrder, state: str) -> Branch:
    before, error = BY_FAILING.get(state, (state, None))
    branch = one.lead_to(before)
    if error:
        branch.fail(TaskFailed(error))
        for _ in range(2):  # what fails in a branch of the Parallel goes on outside of it
            for leaf in list(branch.execution.main.leaves()):
                leaf.go_to_the_next_task()
                branch = leaf if leaf.at == state else branch
    assert branch.at == state
    return branch


@pytest.mark.parametrize("overtaken", [False, True])
@pytest.mark.parametrize("state", [*WRITES, *BY_FAILING])
def test_no_write_of_a_run_that_was_cancelled_changes_anything(
    state: str, overtaken: bool, random_order: type[RandomOrder]
) -> None:
    """The cancellation is cut off before it stops the execution; another may be as far by then."""
    one = random_order()
    late = led_to(one, state)
    with one.interrupted(CANCELLED, one.die):
        call("cancel_job")
    assert one.status == (1, Status.CANCELLED)
    if overtaken:
        assert led_to(one, state).execution.run == 2
    before = one.record
    late.step()
    assert one.record == before


@pytest.mark.parametrize("dies", [False, True])
def test_a_completion_is_told_whose_successor_was_withdrawn(
    dies: bool, random_order: type[RandomOrder]
) -> None:
    """An object is asked for anew, and that cancelled, before the first mail went out."""
    one = random_order()
    one.lead_to("Notify")
    one.letters.clear()  # the event of the result is lost
    first = one.running[0]
    one.ask(("retry_job", {"objects": [{"n": 0, "seed": 5}]}))
    one.ask(("cancel_job", None))
    first.died = dies
    one.come_to_rest()
    assert one.status == (2, Status.COMPLETED)
    assert one.mails.sent.total() == 2
    one.check_rest()


@pytest.mark.parametrize("asked", [{}, {"objects": [{"n": 0, "seed": 5}]}])
def test_who_asks_again_is_told_what_the_run_begins_with(
    asked: Json, random_order: type[RandomOrder]
) -> None:
    """Though it has not begun: a new seed does not stand beside the old mesh's figures."""
    one = random_order()
    one.lead_to("WaitForMask")
    one.step_all()
    assert call("reconstruct_job", {"objects": [{}, {}]})[0] == 202
    while one.running:
        one.step_all()
        for execution in one.running:
            for branch in list(execution.main.waiting()):
                one.reply(branch, well=branch.variables.get("object", {"n": 0})["n"] == 0)
    assert [o["status"] for o in call("get_job")[1]["objects"]] == ["COMPLETED", "FAILED"]
    status, told = call("retry_job", asked)
    assert status == 202
    (execution,) = one.running
    execution.main.step()
    begun = call("get_job")[1]
    assert (told["run"], told["objects"]) == (begun["run"], begun["objects"])
    took = [{name: s["ms"] for name, s in job["stages"].items()} for job in (told, begun)]
    assert took[0] == took[1]


def test_what_a_seed_made_is_there_after_a_cancellation(random_order: type[RandomOrder]) -> None:
    one = random_order()
    one.chosen = {"objects": [TWO_SEEDS]}

    def made() -> set[str]:
        assert one.record is not None
        return {key for key, o in _objects(one.record).items() if "mesh" in o}

    while not made():
        one.lead_on(0)
    assert call("cancel_job")[0] == 202
    assert call("retry_job", {})[0] == 202
    one.step_all()
    assert one.status == (2, Status.INITIALIZING)
    assert made() == {"0.5"}


def test_any_order(random_order: type[RandomOrder]) -> None:
    run_state_machine_as_test(
        random_order,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=8,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
