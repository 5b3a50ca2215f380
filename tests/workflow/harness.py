"""Runs one execution: fakes of its three functions, a person, and services that can fail.

The definition is the file's own; a test may lower the numbers in it. The interpreter is the local
stack's.
"""

import copy
import importlib
import io
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from gen3d.jobs import (
    EngineRevision,
    Job,
    ObjectTask,
    Resume,
    Status,
    execution_input,
    execution_name,
)
from gen3d.options import Options
from gen3d_aws.store import JobStore
from gen3d_aws.tokens import Tasks, TokenStore
from tests.support import (
    BUCKET,
    JOB_ID,
    OWNER,
    REGION,
    ROOT,
    STATE_MACHINE,
    client,
    make_job,
    table,
    write_job,
)

if TYPE_CHECKING:  # the interpreter is imported where it is asked for
    from local_aws.workflow.records import Detail

from .fake_functions import (
    PATIENCE,
    FakeFunction,
    Returns,
    lite_of,
    mesh_of,
    modelled,
    task_succeeds,
)

WRITES = ("Begin", "WaitForMask", "BeginReconstruction", "RecordSplat", "RecordMesh", "Complete",
          "RecordPrepared")  # fmt: skip
"""States that write the record of a job that goes well, in their order."""

SUBSTITUTIONS = {
    "SubmitFunctionArn": "submit",
    "MeshFunctionArn": "mesh",
    "LiteFunctionArn": "lite",
    "NotifyFunctionArn": "notify",
    "Drafts": "true",
    "Endpoint": "true",
    "JobsTable": "JobsTable",
    "TokensTable": "TokensTable",
    "Bucket": BUCKET,
    "MaskTimeoutSeconds": "600",
}


def definition(**substitutions: str) -> Any:
    """The state machine as CloudFormation makes it of the file."""
    return copy.deepcopy(_definition(**substitutions))


@cache
def _definition(**substitutions: str) -> Any:
    text = (ROOT / "statemachines" / "gen3d.asl.yaml").read_text()
    for name, value in (SUBSTITUTIONS | substitutions).items():
        text = text.replace(f"${{{name}}}", value)
    return yaml.safe_load(text)


def parts(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A machine and each that is inside of it: a Parallel's branches, what a Map does."""
    yield machine
    for state in machine["States"].values():
        for inside in (*state.get("Branches", []), state.get("ItemProcessor")):
            if inside:
                yield from parts(inside)


def all_states(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every state by its name, those inside a Parallel or a Map too."""
    return {name: state for part in parts(machine) for name, state in part["States"].items()}


@dataclass
class Ended:
    """How an execution ended."""

    status: str
    error: str
    cause: str
    output: Any
    states: list[str]
    """Names of the states that were entered, in order."""


class Harness:
    """One job and its execution."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, records: Path) -> None:
        self.submit, self.mesh = FakeFunction(task_succeeds), FakeFunction(mesh_of)
        self.lite, self.notify = FakeFunction(lite_of), FakeFunction(Returns())
        self.machine = definition()
        self.objects = 1
        self.options: Options | None = None
        """Of each object; where there are none, its number is its seed."""
        self.at_once = False
        """Whether the person makes masks without waiting for the endpoint's embeddings."""
        self.text: str | None = "cup"
        self.prompted = 0
        self.depth = False
        """How many objects the request showed that made the job."""
        self.retry_waits: list[float] = []
        self.dead_letters: list[tuple[FakeFunction, dict[str, Any]]] = []
        self._failures: dict[str, list[str]] = {}
        self._lost: set[str] = set()
        self._meanwhile: dict[str, Callable[[], None]] = {}
        self._jobs = JobStore("JobsTable")
        self.announced = _interpreter(records)
        self.announced.clear()
        self._started: list[str] = []
        self._fake_the_services(monkeypatch)
        self._save_time(monkeypatch)
        self._take_turns_at_the_tables(monkeypatch)
        self._jobs.create(make_job())

    # What is prepared

    def fail(self, state: str, *codes: str) -> None:
        """Let a state's next calls of DynamoDB or S3 fail with these errors."""
        assert state in all_states(self.machine)
        self._failures[state] = list(codes)

    def lose_answer(self, state: str) -> None:
        """Let a state's next write be made, but not be confirmed."""
        assert state in all_states(self.machine)
        self._lost.add(state)

    def meanwhile(self, state: str, act: Callable[[], None]) -> None:
        """Let something happen just before a state's next call of DynamoDB or S3."""
        assert state in all_states(self.machine)
        self._meanwhile[state] = act

    def expire_soon(self) -> None:
        """Let the mask be waited for a second."""
        all_states(self.machine)["WaitForMask"]["TimeoutSeconds"] = "{% 1 %}"

    def leave(self, status: Status, run: int = 1, **changes: Any) -> None:
        """Let an earlier run have left the job like this."""
        table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": JOB_ID})
        write_job(make_job(status, run=run, **changes))

    def set_timeout(self, state: str, seconds: int = 2) -> None:
        """Lower a state's TimeoutSeconds."""
        task = all_states(self.machine)[state]
        assert "TimeoutSeconds" in task
        task["TimeoutSeconds"] = seconds

    # The run

    @property
    def job(self) -> Job:
        """The record."""
        return self._jobs.get(OWNER, JOB_ID)

    @property
    def notices(self) -> list[str]:
        """Kinds of the notices that were sent."""
        return [payload["kind"] for payload in self.notify.calls]

    @property
    def row(self) -> dict[str, Any]:
        """The record as it lies in the table."""
        return dict(table("JobsTable").get_item(Key={"owner": OWNER, "jobId": JOB_ID})["Item"])

    def start(
        self,
        run: int = 1,
        resume: Resume = Resume.INITIALIZE,
        objects: Iterable[ObjectTask] = (),
        after: int | None = None,
        scene: bool = False,
    ) -> str:
        """Start an execution, which goes on the run before unless another is said."""
        after = run - 1 if after is None else after
        model = EngineRevision(engine="lite", revision="0123456789ab")
        about = {"text": self.text, "model": model, "prompted": self.prompted}
        job = make_job(Status.INITIALIZING, run=after, depth=self.depth, **about)
        states = client("stepfunctions")
        states.create_state_machine(
            name=STATE_MACHINE.rsplit(":", 1)[-1],
            definition=json.dumps(self.machine),
            roleArn="arn:aws:iam::123456789012:role/gen3d",
        )
        started = states.start_execution(
            stateMachineArn=STATE_MACHINE,
            name=execution_name(JOB_ID, run),
            input=execution_input(job, run, resume, objects, scene=scene),
        )
        self._started.append(started["executionArn"])
        return self._started[-1]

    def give_masks(self) -> None:
        """Do as the API does when the person has made the masks."""
        objects = [
            ObjectTask.anew(n, f'Cup "{n}"', self.options or Options().with_seed(n))
            for n in range(self.objects)
        ]
        row = TokenStore("TokensTable", "JobsTable").claim_mask(self.job)
        self._jobs.choose(self.job, objects)
        said = {"n", "name", "seed", "options", "variants"}
        chosen = [o.model_dump(include=said) for o in objects]
        Tasks().succeed(row, {"objects": chosen})

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, f"the job is {self._jobs.find(OWNER, JOB_ID)}"
            time.sleep(0.02)

    def wait_for(self, status: Status) -> None:
        """Wait until the record has a status."""
        self.wait_until(lambda: self.job.status is status)

    def has_ended(self, arn: str) -> bool:
        """Whether the end of an execution was announced."""
        return any(d["stopDate"] for d in self.announced if d["executionArn"] == arn)

    def wait_for_end(self, arn: str) -> Ended:
        """Wait until an execution has ended."""
        self.wait_until(lambda: self.has_ended(arn))
        return self.ended(arn)

    def end(self) -> None:
        """Stop what still runs, and wait until nothing of it does.

        Every test's executions have the same names: one that went on into the next test would write
        to its tables, and end the execution that is called like it there.
        """
        from moto.stepfunctions.parser.utils import TMP_THREADS

        for arn in self._started:
            if not self.has_ended(arn):
                client("stepfunctions").stop_execution(executionArn=arn)
        for thread in TMP_THREADS:
            thread.join(PATIENCE)
            assert not thread.is_alive(), f"{thread.name} goes on"

    def run(
        self,
        masks: bool = True,
        run: int = 1,
        resume: Resume = Resume.INITIALIZE,
        objects: Iterable[ObjectTask] = (),
        after: int | None = None,
        scene: bool = False,
    ) -> Ended:
        """Run to the end, with a person who makes masks or one who does not."""
        arn = self.start(run, resume, objects, after, scene)
        if masks:
            self.wait_until(lambda: self._waits_for_masks() or self.has_ended(arn))
            if not self.has_ended(arn):
                self.give_masks()
        return self.wait_for_end(arn)

    def _waits_for_masks(self) -> bool:
        found = self._jobs.find(OWNER, JOB_ID)
        if found is None or found.status is not Status.AWAITING_MASK:
            return False
        return self.at_once or not found.awaits_model

    def ended(self, arn: str) -> Ended:
        """How the execution ended."""
        states = client("stepfunctions")
        execution = states.describe_execution(executionArn=arn)
        history = states.get_execution_history(executionArn=arn)["events"]
        return Ended(
            execution["status"],
            execution.get("error", ""),
            execution.get("cause", ""),
            json.loads(execution.get("output", "null")),
            [e["stateEnteredEventDetails"]["name"] for e in history if "Entered" in e["type"]],
        )

    # The services

    def _fake_the_services(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clients = {
            "lambda": SimpleNamespace(invoke=self._invoke),
            "dynamodb": _Failing(client("dynamodb"), self._check, self._answer),
            "s3": _Failing(client("s3"), self._check, self._answer),
        }

        def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
            assert region == REGION
            return clients[service]

        for name, module in list(sys.modules.items()):
            if name.startswith("moto.stepfunctions") and hasattr(module, "boto_client_for"):
                monkeypatch.setattr(module, "boto_client_for", boto_client_for)

    def _invoke(self, **call: Any) -> dict[str, Any]:
        function: FakeFunction = getattr(self, call["FunctionName"])
        if call.get("InvocationType") != "Event":
            return function.invoke(json.loads(call["Payload"]))
        self.enqueue(function, json.loads(call["Payload"]))
        return {"StatusCode": 202, "Payload": io.BytesIO()}

    def enqueue(self, function: FakeFunction, payload: dict[str, Any]) -> None:
        """Lambda's queue of asynchronous calls: each is made three times, then a dead letter."""
        for _ in range(3):
            try:
                answer = function.invoke(copy.deepcopy(payload))
            except ClientError:  # it waits there while the function is throttled
                continue
            if "FunctionError" not in answer:
                return
        self.dead_letters.append((function, payload))

    def _check(self, service: Any, operation: str, parameters: dict[str, Any]) -> None:
        state = self._state_of(operation, parameters)
        self._meanwhile.pop(state, lambda: None)()
        codes = self._failures.get(state)
        if codes:
            raise modelled(service, codes.pop(0), operation)

    def _answer(self, service: Any, operation: str, parameters: dict[str, Any]) -> None:
        state = self._state_of(operation, parameters) if self._lost else ""
        if state in self._lost:
            self._lost.remove(state)
            raise modelled(service, "InternalServerErrorException", operation)

    def _state_of(self, operation: str, parameters: dict[str, Any]) -> str:
        """The state that makes a call, known by its operation and expression."""
        expression = parameters.get("UpdateExpression")
        for name, state in all_states(self.machine).items():
            if state.get("Resource", "").split(":")[-1].split(".")[0] == _camel(operation) and (
                state["Arguments"].get("UpdateExpression") == expression
            ):
                return name
        raise AssertionError(f"no state calls {operation} with {expression}")

    def _save_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
        from moto.stepfunctions.parser.models import StepFunctionsParserBackend

        # Retries do not wait; that they would is noted.
        waiting = SimpleNamespace(sleep=self.retry_waits.append)
        monkeypatch.setattr(retrier_decl, "time", waiting)
        # A definition is parsed when it is created and again when it is started: once is enough.
        parsed_at_start = staticmethod(lambda definition: None)
        monkeypatch.setattr(StepFunctionsParserBackend, "_validate_definition", parsed_at_start)

    def _take_turns_at_the_tables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Moto's tables are plain dictionaries, which take no two threads at a time."""
        real = BaseClient._make_api_call  # type: ignore[attr-defined]
        turn = threading.RLock()

        def call(service: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
            if service.meta.service_model.service_name != "dynamodb":
                return real(service, operation, parameters)
            with turn:
                return real(service, operation, parameters)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)


class _Failing:
    """A client whose calls are checked before they are made, and their answers after."""

    def __init__(self, service: Any, check: Any, answer: Any) -> None:
        self._service, self._check, self._answer = service, check, answer

    def __getattr__(self, operation: str) -> Any:
        def call(**parameters: Any) -> Any:
            self._check(self._service, operation, copy.deepcopy(parameters))
            answer = getattr(self._service, operation)(**parameters)
            self._answer(self._service, operation, parameters)
            return answer

        return call


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


@cache
def _interpreter(records: Path) -> "list[Detail]":
    """Correct moto's interpreter as the local stack does; answers where ends are announced."""
    from local_aws.workflow import branches, calls, language, tasks
    from local_aws.workflow.executions import Executions

    importlib.import_module("moto.stepfunctions.parser.models")
    announced: list[Detail] = []
    for module in (language, calls, branches, tasks):
        module.install()
    Executions(records, announced.append).install()
    return announced
