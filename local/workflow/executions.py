"""Puts right how an execution starts and ends, and keeps a record of each one.

A record is a JSON file: the execution while it runs, and its history once it has ended. What a
restart cuts off is found by its record, and its end is announced as AWS announces it.
"""

import copy
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.backend.execution import (
    BaseExecutionWorkerCommunication,
    Execution,
)
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

Announce = Callable[[dict[str, Any]], None]
"""Takes the detail of a "Step Functions Execution Status Change" event."""


_SHOWN = 100


class Executions:
    """Records of executions in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        One file an execution, named like it.
    announce : callable
        Called at each start and each end.
    """

    def __init__(self, folder: Path, announce: Announce) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._announce = announce

    def install(self) -> None:
        """Apply every correction of this module."""
        self._start_one_at_a_time()
        self._end_at_once()

    def records(self) -> list[dict[str, Any]]:
        """The last executions, newest first, without their history."""
        paths = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        found = [json.loads(path.read_text())["detail"] for path in paths[-_SHOWN:]]
        return sorted(found, key=lambda detail: detail["startDate"], reverse=True)

    def record(self, name: str) -> dict[str, Any] | None:
        """What is kept of an execution: its `detail`, `events` and `definition`."""
        path = self._folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def abort_lost(self) -> list[str]:
        """Announce the end of what ran when the process ended, for it cannot go on.

        Returns
        -------
        list of str
            Their names.
        """
        lost = []
        for path in self._folder.glob("*.json"):
            record = json.loads(path.read_text())
            detail = record["detail"]
            if detail["status"] != "RUNNING":
                continue
            detail.update(
                status="ABORTED",
                stopDate=_milliseconds(datetime.now(UTC)),
                error="LocalRestart",
                cause="The local stack was stopped while the execution ran.",
            )
            path.write_text(json.dumps(record))
            self._announce(detail)
            lost.append(detail["name"])
        return lost

    def _start_one_at_a_time(self) -> None:
        """Two equal starts at once both passed moto's check of the name."""
        check_and_start = StepFunctionsParserBackend.start_execution
        start = Execution.start
        lock = threading.Lock()

        def start_one(backend: Any, *args: Any, **kwargs: Any) -> Any:
            with lock:
                return check_and_start(backend, *args, **kwargs)

        def start_recorded(execution: Any) -> None:
            execution.exec_status = ExecutionStatus.RUNNING
            self._keep(execution)
            start(execution)

        StepFunctionsParserBackend.start_execution = start_one
        Execution.start = start_recorded

    def _end_at_once(self) -> None:
        """A stopped or timed-out execution went on until the task it waited for had ended.

        Moto's threads look for an end only between steps, so who ends the execution closes it, and
        what its threads still report is dropped. It also lost the error and the cause, the date of
        a time-out, and the quotes of an output that is text.
        """
        reflect = BaseExecutionWorkerCommunication._reflect_execution_status

        def terminated(communication: Any) -> None:
            execution = communication.execution
            with _lock_of(execution):
                if execution.stop_date is not None:
                    return
                reflect(communication)
                if execution.exec_status == ExecutionStatus.TIMED_OUT:
                    _close(execution, HistoryEventType.ExecutionTimedOut, {})
            self._keep(execution)

        def stop(execution: Any, stop_date: Any, error: str | None, cause: str | None) -> None:
            with _lock_of(execution):
                if execution.stop_date is not None:
                    return
                env = execution.exec_worker.env
                if env is not None:
                    env.set_stop(stop_date=stop_date, error=error, cause=cause)
                execution.stop_date = datetime.now(UTC)
                execution.exec_status = ExecutionStatus.ABORTED
                execution.error, execution.cause = error or None, cause or None
                details = {"error": error or "", "cause": cause or ""}
                _close(execution, HistoryEventType.ExecutionAborted, details)
            self._keep(execution)

        def stop_execution(response: Any) -> Any:
            execution = response.stepfunction_backend.describe_execution(
                response._get_param("executionArn")
            )
            execution.stop(None, response._get_param("error"), response._get_param("cause"))
            return ActionResult({"stopDate": execution.stop_date})

        def describe_execution(response: Any) -> Any:
            execution = response.stepfunction_backend.describe_execution(
                response._get_param("executionArn")
            )
            return ActionResult(execution.to_describe_output())

        BaseExecutionWorkerCommunication.terminated = terminated
        Execution.stop = stop
        StepFunctionResponse.stop_execution = stop_execution
        StepFunctionResponse.describe_execution = describe_execution

    def _keep(self, execution: Any) -> None:
        record = as_record(execution)
        path = self._folder / f"{execution.name}.json"
        half = path.with_suffix(".half")
        half.write_text(json.dumps(record))
        half.rename(path)
        self._announce(record["detail"])


def as_record(execution: Any) -> dict[str, Any]:
    """What is kept of an execution."""
    return {
        "detail": describe(execution),
        "definition": execution.state_machine.definition,
        "events": history(execution),
    }


def describe(execution: Any) -> dict[str, Any]:
    """An execution as the detail of its status event; times in milliseconds since 1970."""
    output = execution.output if execution.exec_status == ExecutionStatus.SUCCEEDED else None
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.exec_status.value,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date) if execution.stop_date else None,
        "input": json.dumps(execution.input_data),
        "output": json.dumps(output) if output is not None else None,
        "error": execution.error,
        "cause": execution.cause,
    }


def history(execution: Any) -> list[dict[str, Any]]:
    """The events of an execution, oldest first, in plain JSON and without task tokens."""
    env = execution.exec_worker.env if execution.exec_worker else None
    if env is None:
        return []
    text = json.dumps(env.event_manager.get_event_history(), default=str)
    for token in list(env.callback_pool_manager._pool):
        text = text.replace(token, "(task token)")
    return json.loads(text)  # type: ignore[no-any-return]


def _close(execution: Any, last_event: str, details: dict[str, str]) -> None:
    """End the history with an event, and wake what still waits so that its threads end."""
    env = execution.exec_worker.env
    if env is None:
        return
    manager, name = env.event_manager, f"{last_event[0].lower()}{last_event[1:]}EventDetails"
    if all(event["type"] != last_event for event in manager.get_event_history()):
        context = copy.copy(env.event_history_context)
        manager.add_event(context=context, event_type=last_event, event_details={name: details})
    manager.add_event = lambda *_args, **_kwargs: 0
    for endpoint in list(env.callback_pool_manager._pool.values()):
        endpoint.interrupt_all()


def _lock_of(execution: Any) -> threading.RLock:
    """Each execution has one end."""
    return execution.__dict__.setdefault("_gen3d_lock", threading.RLock())  # type: ignore[no-any-return]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
