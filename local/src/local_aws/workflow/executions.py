"""Puts right how an execution starts and ends, and keeps it where a restart finds it.

Each state that an execution enters is written down with its input and its variables. An execution
that a restart cut off is resumed there: the state is entered again, as the machine's states allow.
What has ended is let go by moto and remembered by its record.
"""

import copy
import json
import logging
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from moto.core.responses import ActionResult
from moto.stepfunctions.models import Execution as PlainExecution
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser import utils
from moto.stepfunctions.parser.api import (
    ExecutionStatus,
    HistoryEvent,
    HistoryEventType,
    StateEnteredEventDetails,
    StateMachineType,
)
from moto.stepfunctions.parser.asl.component.common.flow.start_at import StartAt
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import (
    BranchesDecl,
)
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded
from moto.stepfunctions.parser.backend.execution import (
    BaseExecutionWorkerCommunication,
    Execution,
)
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.backend.state_machine import StateMachineInstance
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from local_aws.workflow import branches
from local_aws.workflow.patches import patch
from local_aws.workflow.records import Checkpoint, Detail, Machine, Record, Records, Stand

log = logging.getLogger(__name__)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

Announce = Callable[[Detail], None]
"""Takes the detail of a "Step Functions Execution Status Change" event."""

_SHOWN = 100
_TOKENS = 10_000
_SETTLE_SECONDS = 10.0
_FULL_SECONDS = 1.0
"""Between two tries to write, while the disk is full."""


class ExecutionEnded(Exception):
    """A thread of an execution that has ended goes no further."""


class Executions:
    """Executions and their records.

    Parameters
    ----------
    folder : pathlib.Path
        Holds the records.
    announce : callable
        Called at each start and each end.
    """

    def __init__(self, folder: Path, announce: Announce) -> None:
        self.past = Records(folder / "executions.db")
        self._announce = announce
        self._running: dict[str, Execution] = {}
        self._ended_tokens: OrderedDict[str, str] = OrderedDict()
        self._frozen = threading.Event()
        self.forget: Callable[[Execution], None] = lambda _execution: None

    def install(self) -> None:
        """Apply every correction of this module."""
        self._start_one_at_a_time()
        self._write_down_each_state()
        self._write_down_each_branch()
        self._end_at_once()

    def records(self) -> list[Detail]:
        """The last executions, newest first, without their history."""
        return self.past.details(most=_SHOWN)

    def record(self, name: str) -> Record | None:
        """What is kept of an execution: its `detail`, `events` and `definition`."""
        running = next((e for e in list(self._running.values()) if e.name == name), None)
        return as_record(running) if running else self.past.named(name)

    def is_running(self, arn: str) -> bool:
        """Whether the interpreter has an execution in hand."""
        return arn in self._running

    def machine_of(self, token: str) -> str | None:
        """The state machine that waited with a token and has ended, or None."""
        return self._ended_tokens.get(token)

    def freeze(self) -> None:
        """Let no execution enter another state: the services that it needs are about to end."""
        self._frozen.set()

    def resume(self, backend: StepFunctionsParserBackend) -> tuple[list[str], list[str]]:
        """Go on with what ran when the process ended; announce the end of what cannot.

        Parameters
        ----------
        backend : StepFunctionsParserBackend
            Knows the state machines.

        Returns
        -------
        tuple of list of str
            Names of those that go on, and of those that do not.
        """
        resumed, lost = [], []
        for record in self.past.running():
            arn, name = record["detail"]["executionArn"], record["detail"]["name"]
            if arn in self._running:
                continue
            try:
                self._resume(backend, record)
                resumed.append(arn)
            except Exception:
                log.exception("Execution %s cannot go on", name)
                self.abort(record, "LocalRestart", "The local stack was stopped while it ran.")
                lost.append(name)
        self._settle(resumed)
        return [arn.rsplit(":", 1)[-1] for arn in resumed], lost

    def _resume(self, backend: StepFunctionsParserBackend, record: Record) -> None:
        detail, checkpoint = record["detail"], record["checkpoint"]
        machine = next(m for m in backend.state_machines if m.arn == detail["stateMachineArn"])
        snapshot = copy.copy(machine)
        snapshot.definition = record["definition"]
        execution = Execution(
            name=detail["name"],
            sm_type=StateMachineType(machine.sm_type),
            role_arn=machine.roleArn,
            exec_arn=detail["executionArn"],
            account_id=backend.account_id,
            region_name=backend.region_name,
            state_machine=cast(StateMachineInstance, snapshot),  # moto has two classes of them
            start_date=datetime.fromtimestamp(detail["startDate"] / 1000, UTC),
            cloud_watch_logging_session=None,
            activity_store={},
            input_data=detail["input"],
        )
        worker = execution.exec_worker = execution._get_start_execution_worker()
        if checkpoint:
            _enter_at(worker, checkpoint, record["events"], execution.start_date)
            execution.__dict__["_gen3d_resumed"] = (checkpoint, len(record["events"]))
            execution.__dict__["_gen3d_stood"] = checkpoint.get("branches", {})
        execution.exec_status = ExecutionStatus.RUNNING
        executions_of(machine).append(execution)
        self._running[execution.exec_arn] = execution
        worker.start()

    def _settle(self, arns: list[str]) -> None:
        """Wait until those that wait for an answer have told their new tokens."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        for arn in arns:
            while time.monotonic() < deadline:
                execution = self._running.get(arn)
                if execution is None or _has_settled(execution):
                    break
                time.sleep(0.02)

    def abort(self, record: Record, error: str | None, cause: str | None) -> None:
        """End an execution that the interpreter does not have, and announce it."""
        stopped = _milliseconds(datetime.now(UTC))
        record["detail"].update(
            {"status": "ABORTED", "stopDate": stopped, "error": error, "cause": cause}
        )
        record["checkpoint"] = None
        self.past.keep(record)
        self._announce(record["detail"])

    def _start_one_at_a_time(self) -> None:
        """Two equal starts at once both passed moto's check of the name."""
        start = Execution.start
        lock = threading.Lock()

        def one_at_a_time(
            function: Callable[Parameters, Result],
        ) -> Callable[Parameters, Result]:
            def start_one(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
                with lock:
                    utils.TMP_THREADS.clear()  # moto keeps every thread that it ever started
                    return function(*args, **kwargs)

            return start_one

        def start_recorded(execution: Execution) -> None:
            execution.exec_status = ExecutionStatus.RUNNING
            self._running[execution.exec_arn] = execution
            self._keep(execution)
            self._announce(describe(execution))
            start(execution)

        backend = StepFunctionsParserBackend
        patch(backend, start_execution=one_at_a_time(backend.start_execution))
        patch(Execution, start=start_recorded)

    def _write_down_each_state(self) -> None:
        """Moto keeps an execution in memory alone.

        A state of the machine itself is written down, and of each branch of its Parallel; those of
        a Map's objects are entered again with their Map.
        """
        original = CommonStateField._get_state_entered_event_details

        def entered(state: CommonStateField, env: Environment) -> StateEnteredEventDetails:
            if self._frozen.is_set():
                threading.Event().wait()
            execution = self._running.get(_arn(env))
            if execution is None:
                raise ExecutionEnded
            branch = env.__dict__.get("_gen3d_branch")
            if not env.is_frame() or branch is not None:
                self._note(execution, branch, state.name, env)
            return original(state, env)

        patch(CommonStateField, _get_state_entered_event_details=entered)

    def _note(
        self, execution: Execution, branch: int | None, state: str | None, env: Environment
    ) -> None:
        """Write down which state is entered, or that a branch has ended with what it gives."""
        stands: Checkpoint = {
            "state": state,
            "input": env.states.get_input(),
            "variables": dict(env.variable_store._inner_scope),
        }
        with _lock_of(execution):
            if execution.stop_date is not None:
                raise ExecutionEnded
            if branch is not None:
                checkpoint: Checkpoint = execution.__dict__["_gen3d_checkpoint"]
                branches = {**checkpoint.get("branches", {}), str(branch): stands}
                stands = {**checkpoint, "branches": branches}
            execution.__dict__["_gen3d_checkpoint"] = stands
            self._keep(execution, stands)

    def _write_down_each_branch(self) -> None:
        """Branches of a Parallel that a restart cut off go on where each of them stood."""
        original = BranchesDecl._eval_body

        def eval_body(declared: BranchesDecl, env: Environment) -> None:
            execution = self._running.get(_arn(env))
            state = env.states.context_object.context_object_data["State"]
            name = state["Name"] if state else None
            if execution is None or execution.__dict__["_gen3d_checkpoint"]["state"] != name:
                original(declared, env)  # one inside of a Map, which is entered again as a whole
                return
            stood = execution.__dict__.pop("_gen3d_stood", {})
            programs = [
                _Branch(program, n, stood.get(str(n)), partial(self._note, execution))
                for n, program in enumerate(declared.programs)
            ]
            original(BranchesDecl(cast(list[Program], programs)), env)

        patch(BranchesDecl, _eval_body=eval_body)

    def _end_at_once(self) -> None:
        """A stopped or timed-out execution went on until the task it waited for had ended.

        Moto's threads look for an end only between steps, so who ends the execution closes it, and
        what its threads still report is dropped. It also lost the error and the cause, the date of
        a time-out, and the quotes of an output that is text.
        """
        reflect: Callable[[BaseExecutionWorkerCommunication], None] = (
            BaseExecutionWorkerCommunication._reflect_execution_status
        )

        def terminated(communication: BaseExecutionWorkerCommunication) -> None:
            execution = communication.execution
            with _lock_of(execution):
                if execution.stop_date is not None:
                    return
                reflect(communication)
                if execution.exec_status == ExecutionStatus.TIMED_OUT:
                    _close(execution, HistoryEventType.ExecutionTimedOut, {})
                elif env := _environment(execution):
                    _silence(env)
                self._let_go(execution)

        def stop(
            execution: Execution, stop_date: datetime, error: str | None, cause: str | None
        ) -> None:
            with _lock_of(execution):
                if execution.stop_date is not None:
                    return
                env = _environment(execution)
                if env is not None:
                    # A Map reads its objects' error as details, and fails with a text or with None.
                    env.set_stop(stop_date=stop_date, error={}, cause=None)  # type: ignore[arg-type]
                execution.stop_date = datetime.now(UTC)
                execution.exec_status = ExecutionStatus.ABORTED
                execution.error, execution.cause = error or None, cause or None
                details = {"error": error or "", "cause": cause or ""}
                _close(execution, HistoryEventType.ExecutionAborted, details)
                self._let_go(execution)

        def asked_for(response: StepFunctionResponse) -> Execution | None:
            """The interpreter's execution, or what is kept of one; None of moto's plain backend."""
            arn = response._get_param("executionArn")
            found: object = response.stepfunction_backend.describe_execution(arn)
            return None if isinstance(found, PlainExecution) else cast(Execution, found)

        stop_kept, describe_kept = (
            StepFunctionResponse.stop_execution,
            StepFunctionResponse.describe_execution,
        )

        def stop_execution(response: StepFunctionResponse) -> ActionResult:
            execution = asked_for(response)
            if execution is None:
                return stop_kept(response)
            execution.stop(
                datetime.now(UTC), response._get_param("error"), response._get_param("cause")
            )
            return ActionResult({"stopDate": execution.stop_date})

        def describe_execution(response: StepFunctionResponse) -> ActionResult:
            execution = asked_for(response)
            if execution is None:
                return describe_kept(response)
            return ActionResult(execution.to_describe_output())

        patch(BaseExecutionWorkerCommunication, terminated=terminated)
        patch(Execution, stop=stop)
        patch(
            StepFunctionResponse,
            stop_execution=stop_execution,
            describe_execution=describe_execution,
        )

    def _let_go(self, execution: Execution) -> None:
        """Write the end down; only then may anybody find that it has ended."""
        if self._frozen.is_set():
            return  # what ends while the services end would have gone on
        self._keep(execution)
        env = _environment(execution)
        for token in list(env.callback_pool_manager._pool) if env else ():
            self._ended_tokens[token] = execution.state_machine.arn
        while len(self._ended_tokens) > _TOKENS:
            self._ended_tokens.popitem(last=False)
        self._running.pop(execution.exec_arn, None)
        self.forget(execution)
        self._announce(describe(execution))

    def _keep(self, execution: Execution, checkpoint: Checkpoint | None = None) -> None:
        """Write down where an execution stands; while the disk is full, it goes no further."""
        record = as_record(execution)
        record["checkpoint"] = checkpoint
        while True:
            try:
                self.past.keep(record)
                return
            except sqlite3.OperationalError as error:
                full = error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
                if not full or self._frozen.wait(_FULL_SECONDS):
                    raise


class _Branch:
    """A branch of a Parallel, as moto evaluates its program; begins where it stood."""

    def __init__(
        self,
        program: Program,
        n: int,
        stood: Stand | None,
        note: Callable[[int, str | None, Environment], None],
    ) -> None:
        self._program, self._n, self._stood, self._note = program, n, stood, note

    def eval(self, env: Environment) -> None:
        """Run it in a frame of its own."""
        program = self._program
        env.__dict__["_gen3d_branch"] = self._n
        if self._stood is not None:
            env.states.reset(input_value=self._stood["input"])
            if self._stood["state"] is None:
                return
            program = _begun_at(program, self._stood["state"], program.timeout_seconds)
            env.variable_store._inner_scope.update(self._stood["variables"])
        program.eval(env)
        if isinstance(env.program_state(), ProgramEnded):
            with suppress(ExecutionEnded):
                self._note(self._n, None, env)


def executions_of(machine: StateMachine) -> list[Execution]:
    """A machine's executions: moto's interpreter puts its own where another class is declared."""
    return cast(list[Execution], machine.executions)


def as_record(execution: Execution) -> Record:
    """What is kept of an execution."""
    return {
        "detail": describe(execution),
        "definition": execution.state_machine.definition,
        "events": history(execution),
    }


def describe(execution: Execution) -> Detail:
    """An execution as the detail of its status event; times in milliseconds since 1970."""
    output = execution.output if execution.exec_status == ExecutionStatus.SUCCEEDED else None
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date) if execution.stop_date else None,
        "input": execution.execution_input,
        "output": json.dumps(output, separators=(",", ":")) if output is not None else None,
        "error": execution.error,
        "cause": execution.cause,
    }


def history(execution: Execution) -> list[HistoryEvent]:
    """The events of an execution, oldest first, in plain JSON and without task tokens."""
    env = _environment(execution)
    if env is None:
        return []
    text = json.dumps(env.event_manager.get_event_history(), default=str)
    for token in list(env.callback_pool_manager._pool):
        text = text.replace(token, "(task token)")
    events: list[HistoryEvent] = json.loads(text)
    return events


def _environment(execution: Execution) -> Environment | None:
    """What an execution is evaluated in, once its thread has begun."""
    return execution.exec_worker.env if execution.exec_worker else None


def _close(execution: Execution, last_event: HistoryEventType, details: dict[str, str]) -> None:
    """End the history with an event, and wake what still waits so that its threads end."""
    env = _environment(execution)
    if env is None:
        return
    manager, name = env.event_manager, f"{last_event[0].lower()}{last_event[1:]}EventDetails"
    if all(event["type"] != last_event for event in manager.get_event_history()):
        context = copy.copy(env.event_history_context)
        told = cast(EventDetails, {name: details})
        manager.add_event(context=context, event_type=last_event, event_details=told)
    _silence(env)


def _silence(env: Environment) -> None:
    """End every branch; what its threads still report is dropped."""
    patch(env.event_manager, add_event=lambda *_args, **_kwargs: 0)
    for frame in list(env._frames):
        branches.end(frame)
    for endpoint in list(env.callback_pool_manager._pool.values()):
        endpoint.interrupt_all()


def _enter_at(
    worker: ExecutionWorker, checkpoint: Checkpoint, events: list[HistoryEvent], started: datetime
) -> None:
    """Let an execution begin where it stood, with the history that it had."""
    program_of, environment_of = (
        worker._get_evaluation_entrypoint,
        worker._get_evaluation_environment,
    )
    last = events[-1]["id"] if events else 0

    def program() -> EvalComponent:
        whole = program_of()
        assert isinstance(whole, Program)
        timeout = whole.timeout_seconds
        if timeout:
            gone = (datetime.now(UTC) - started).total_seconds()
            timeout = TimeoutSeconds(max(1, int(timeout.timeout_seconds - gone)))
        assert checkpoint["state"] is not None
        return _begun_at(whole, checkpoint["state"], timeout)

    def environment() -> Environment:
        env = environment_of()
        env.states.reset(input_value=checkpoint["input"])
        env.variable_store._inner_scope.update(checkpoint["variables"])
        manager, context = env.event_manager, env.event_history_context
        manager._history_event_list.extend(events)
        manager._event_id_gen._next_id = last + 1
        context.source_event_id = context.last_published_event_id = last
        patch(manager, add_event=_but_the_start(manager.add_event, last))
        return env

    patch(worker, _get_evaluation_entrypoint=program, _get_evaluation_environment=environment)


def _begun_at(program: Program, state: str, timeout: TimeoutSeconds | None) -> Program:
    """A program that begins at another state, and ends by another time."""
    return Program(
        program.query_language,
        StartAt(state),
        program.states,
        timeout,
        program.comment,
        program.version,
    )


def _but_the_start(add_event: Callable[Parameters, int], last: int) -> Callable[Parameters, int]:
    """Add every event to a history but that of the start, which it has already."""

    def add(*args: Parameters.args, **named: Parameters.kwargs) -> int:
        if named.get("event_type") == HistoryEventType.ExecutionStarted:
            return last
        return add_event(*args, **named)

    return add


def _has_settled(execution: Execution) -> bool:
    """Whether what was resumed has been entered and, where it waits for a token, told it."""
    checkpoint, last = execution.__dict__.get("_gen3d_resumed", (None, 0))
    env = _environment(execution)
    if env is None:
        return False
    by_id = {event["id"]: event for event in env.event_manager.get_event_history()}
    entered, told = set(), set()
    for event in by_id.values():
        if event["id"] <= last:
            continue
        if details := event.get("stateEnteredEventDetails"):
            entered.add(details["name"])
        if event["type"] == "TaskSubmitted":
            told.add(_state_of(event, by_id))
    if checkpoint is None:  # it had not entered a state before
        return bool(entered)
    branches = [each["state"] for each in checkpoint.get("branches", {}).values()]
    expected = {checkpoint["state"], *branches} - {None}
    waiting = expected & set(_waiting_states(json.loads(execution.state_machine.definition)))
    return expected <= entered and waiting <= told


def _state_of(event: HistoryEvent | None, by_id: dict[int, HistoryEvent]) -> str | None:
    """The state in which something happened."""
    while event is not None:
        if details := event.get("stateEnteredEventDetails"):
            return details["name"]
        event = by_id.get(event.get("previousEventId") or 0)
    return None


def _waiting_states(machine: Machine) -> Iterator[str]:
    """The states that wait for a token, those of a Parallel's branches too."""
    for name, state in machine["States"].items():
        if str(state.get("Resource", "")).endswith(".waitForTaskToken"):
            yield name
        for branch in state.get("Branches", []):
            yield from _waiting_states(branch)


def _arn(env: Environment) -> str:
    return env.states.context_object.context_object_data["Execution"]["Id"]


def _lock_of(execution: Execution) -> threading.RLock:
    """Each execution has one end."""
    return execution.__dict__.setdefault("_gen3d_lock", threading.RLock())  # type: ignore[no-any-return]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
