"""Any order of people, executions and deaths: the state machine's own writes, without its waits."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonata
import pytest
from botocore.exceptions import ClientError
from gen3d import runs, tokens
from gen3d.jobs import TERMINAL, Status
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.support import (
    BUCKET,
    JOB_ID,
    OWNER,
    SENDER,
    Context,
    client,
    client_error,
    encode,
    load_event,
    make_job,
    mask,
    notify,
    stack,
    table,
)
from tests.unit.api.requests import PHOTO, call
from tests.workflow.stage import all_states, definition

from gen3d.store import JobStore  # isort: skip

STATES = all_states(definition())
MASK = encode(mask())
SPLAT = {"gaussians": 5000, "bytes": 9}
MESH = {"files": {}, "vertices": 12, "faces": 20}
_EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)


def evaluated(part: Any, variables: dict[str, Any]) -> Any:
    """A state's arguments, with every expression in them evaluated."""
    if isinstance(part, dict):
        return {key: evaluated(value, variables) for key, value in part.items()}
    if isinstance(part, list):
        return [evaluated(item, variables) for item in part]
    found = _EXPRESSION.fullmatch(part.strip()) if isinstance(part, str) else None
    if found is None:
        return part
    program = jsonata.Jsonata(found[1])
    program.register_lambda("parse", json.loads)
    for name, value in variables.items():
        program.assign(name, value)
    return program.evaluate(None)


class Execution:
    """An execution: which write it makes next, and with which variables."""

    def __init__(self, arn: str, text: str) -> None:
        self.arn, self.input = arn, json.loads(text)
        self.status, self.next = "RUNNING", "Begin"
        self.stopped = False
        """Then one write may still be on its way."""
        self.variables: dict[str, Any] = {
            "job": self.input,
            "embeddings": {"engine": "lite", "revision": "0123456789ab"},
            "objects": self.input["objects"],
            "states": {
                "context": {
                    "Task": {"Token": f"token of {arn}"},
                    "State": {"RetryCount": 0},
                    "Execution": {"Id": arn},
                }
            },
        }

    def write(self, state: str) -> bool:
        """Make a state's write; False where its condition did not hold."""
        task = STATES[state]
        operation = task["Resource"].split(":")[-1].split(".")[0]
        name = {"updateItem": "update_item", "transactWriteItems": "transact_write_items"}
        try:
            getattr(client("dynamodb"), name[operation])(
                **evaluated(task["Arguments"], self.variables)
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            assert code in ("ConditionalCheckFailedException", "TransactionCanceledException")
            return False
        return True

    def step(self) -> None:
        """Enter the next state."""
        self._step()
        if self.stopped:
            self.status = "ABORTED"

    def _step(self) -> None:
        state = self.next
        if state == "Waiting":
            return
        if state == "RecordFailure":
            self.variables["failure"] = {"Error": "OutOfMemory", "Cause": "Do.", "Stage": "Task"}
        done = self.write(state)
        if not done:
            if state in ("Begin", "RecordExpiry", "RecordFailure"):
                self.status = "SUCCEEDED"
            else:
                self.next = "RecordFailure"
            return
        resumed = {"mask": "WaitForMask", "reconstruct": "BeginReconstruction"}
        match state:
            case "Begin":
                self.next = resumed.get(self.input["resume"], "WaitForMask")
            case "WaitForMask":
                self.next = "Waiting"
            case "BeginReconstruction":
                self.variables["results"] = [
                    {
                        **{k: o[k] for k in ("n", "name", "seed")},
                        "status": "COMPLETED",
                        "splat": SPLAT,
                        "mesh": MESH,
                        "error": None,
                    }
                    for o in self.variables["objects"]
                ]
                self.next = "Complete"
            case _:
                self.status = "FAILED" if state == "RecordFailure" else "SUCCEEDED"


class States:
    """The part of Step Functions that the functions call."""

    def __init__(self) -> None:
        self.executions: dict[str, Execution] = {}

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: N803
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        known = self.executions.get(arn)
        if known is None:
            self.executions[arn] = Execution(arn, input)
        elif known.status != "RUNNING" or known.input != json.loads(input):
            raise client_error("ExecutionAlreadyExists", "StartExecution")
        return {"executionArn": arn}

    def stop_execution(self, *, executionArn: str, **_why: str) -> dict[str, Any]:  # noqa: N803
        if executionArn not in self.executions:
            raise client_error("ExecutionDoesNotExist", "StopExecution")
        execution = self.executions[executionArn]
        if execution.status == "RUNNING":
            execution.stopped = True
        return {}

    def send_task_success(self, *, taskToken: str, output: str) -> dict[str, Any]:  # noqa: N803
        execution = self.executions.get(taskToken.removeprefix("token of "))
        if execution is None or execution.stopped or execution.next != "Waiting":
            raise client_error("TaskTimedOut", "SendTaskSuccess")
        execution.variables["objects"] = json.loads(output)["objects"]
        execution.next = "BeginReconstruction"
        return {}


class Life(RuleBasedStateMachine):
    """One job."""

    states: States
    notices = 0

    def __init__(self) -> None:
        super().__init__()
        self.states.executions.clear()
        for name, key in (("JobsTable", ("owner", "jobId")), ("TokensTable", ("callbackId",))):
            for row in table(name).scan()["Items"]:
                table(name).delete_item(Key={part: row[part] for part in key})
        job = make_job()
        JobStore("JobsTable").create(job)
        client("s3").put_object(Bucket=BUCKET, Key=job.uploads.image("image/jpeg"), Body=PHOTO)
        client("s3").put_object(Bucket=BUCKET, Key=job.uploads.mask(0), Body=MASK)
        self.deleted = False
        self.before: tuple[int, Status] | None = None

    @property
    def running(self) -> list[Execution]:
        return [e for e in self.states.executions.values() if e.status == "RUNNING"]

    def ask(self, name: str, body: Any, *statuses: int) -> None:
        status, answer = call(name, body)
        assert status in ((*statuses, 404) if self.deleted else statuses), answer

    @initialize(far=st.integers(0, 5))
    def begin(self, far: int) -> None:
        """How far the job is already."""
        ways = (
            lambda: call("initialize_job", {}),
            lambda: self.running[0].step(),
            lambda: self.running[0].step(),
            lambda: call("reconstruct_job", {"objects": [{}]}),
            lambda: self.running[0].step(),
        )
        for way in ways[:far]:
            way()

    @rule()
    def start(self) -> None:
        self.ask("initialize_job", {}, 200, 202)

    @rule()
    def reconstruct(self) -> None:
        self.ask("reconstruct_job", {"objects": [{}]}, 202, 409, 410)

    @rule()
    def cancel(self) -> None:
        self.ask("cancel_job", None, 200, 202)

    @rule(again=st.booleans())
    def retry(self, again: bool) -> None:
        body = {"objects": [{"n": 0, "seed": 5}]} if again else {}
        self.ask("retry_job", body, 202, 400, 409)

    @rule(sure=st.integers(0, 5))
    def delete(self, sure: int) -> None:
        if not sure:
            assert call("delete_job")[0] == 204
            self.deleted = True

    @rule(data=st.data(), steps=st.integers(1, 4))
    def go_on(self, data: st.DataObject, steps: int) -> None:
        for _ in range(steps):
            if self.running:
                data.draw(st.sampled_from(self.running)).step()

    @rule(data=st.data(), state=st.sampled_from(["RecordFailure", "RecordExpiry"]))
    def go_wrong(self, data: st.DataObject, state: str) -> None:
        if self.running:
            execution = data.draw(st.sampled_from(self.running))
            if state == "RecordFailure" or execution.next == "Waiting":
                execution.next = state

    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """An execution ends without a word, and its end is told."""
        if self.running:
            execution = data.draw(st.sampled_from(self.running))
            execution.status = "FAILED"
            self.tell(execution)

    @rule(data=st.data())
    def told_again(self, data: st.DataObject) -> None:
        """An event comes late, or once more."""
        over = [e for e in self.states.executions.values() if e.status == "FAILED"]
        if over:
            self.tell(data.draw(st.sampled_from(over)))

    def tell(self, execution: Execution) -> None:
        event = load_event("notify/execution_failed")
        event["detail"].update(
            executionArn=execution.arn, input=json.dumps(execution.input), status="FAILED"
        )
        notify.handler(event, Context())

    @invariant()
    def runs_only_grow(self) -> None:
        job = JobStore("JobsTable").find(OWNER, JOB_ID)
        assert job is not None
        if self.before is not None:
            run, status = self.before
            assert job.run >= run
            if status is Status.DELETED:
                assert job.status is Status.DELETED
            elif job.run == run and status in TERMINAL:
                assert job.status in (status, Status.DELETED)
        self.before = job.run, job.status

    @invariant()
    def what_is_deleted_is_gone(self) -> None:
        if self.deleted:
            assert call("get_job")[0] == 404

    def teardown(self) -> None:
        """Left alone, it comes to rest where its owner can see it."""
        for _ in range(12):
            for execution in self.running:
                execution.step()
        job = JobStore("JobsTable").find(OWNER, JOB_ID)
        assert job is not None
        waiting = [e for e in self.running if e.next == "Waiting" and e.input["run"] == job.run]
        if job.status is Status.AWAITING_MASK:
            assert waiting, "waits, and nobody would go on"
        else:
            assert job.status in TERMINAL | {Status.CREATED, Status.DELETED}, job.status
        super().teardown()


@pytest.fixture
def life(socket_disabled: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Life]]:
    """A job whose Step Functions are ours."""
    with stack():
        Life.states = States()
        for module in (runs, tokens):
            monkeypatch.setattr(module, "_states", lambda: Life.states)
        client("sesv2").create_email_identity(EmailIdentity=SENDER)
        yield Life


def test_any_order(life: type[Life]) -> None:
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=80,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
