"""From an execution's events to what happened in each state."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from moto.stepfunctions.parser.api import HistoryEvent

from local_aws.workflow.records import Machine, Record

_FAILURES = ("TaskFailed", "TaskTimedOut", "EvaluationFailed", "LambdaFunctionFailed")


@dataclass
class Row:
    """One visit of a state; times in milliseconds since 1970.

    `status` is PENDING, RUNNING, SUCCEEDED, CAUGHT, FAILED, TIMED_OUT or ABORTED; `item` counts the
    objects of a Map from 0 and is None outside of one.
    """

    name: str
    kind: str
    item: int | None = None
    status: str = "PENDING"
    start: int | None = None
    end: int | None = None
    attempts: int = 0
    error: str = ""
    cause: str = ""
    input: str = ""
    output: str = ""

    @property
    def milliseconds(self) -> int | None:
        """How long it took."""
        return self.end - self.start if self.start is not None and self.end is not None else None


def rows(record: Record) -> list[Row]:
    """The states of an execution, in order, those of a Parallel and of a Map's objects below it.

    Parameters
    ----------
    record : dict
        `detail`, `definition` and `events` of an execution.
    """
    visited = _visits(record["events"])
    ended = record["detail"]["status"]
    for row in visited:
        if row.status == "RUNNING" and ended not in ("RUNNING", "SUCCEEDED"):
            row.status, row.end = ended, record["detail"]["stopDate"]
    return list(_rows(json.loads(record["definition"]), visited, ended == "RUNNING", None))


def _rows(machine: Machine, visited: list[Row], going: bool, item: int | None) -> Iterator[Row]:
    """The rows of a machine, or of what a Parallel or a Map has of one; names are of one state."""
    mine = [row for row in visited if row.item == item and row.name in machine["States"]]
    for row in _merge(mine, machine, going, item):
        yield row
        state = machine["States"][row.name]
        for branch in state.get("Branches", []):
            yield from _rows(branch, visited, row.status == "RUNNING", item)
        processor = state.get("ItemProcessor")
        if processor:
            inside = [each for each in visited if each.name in processor["States"]]
            for index in sorted({each.item for each in inside if each.item is not None}):
                runs = any(each.status == "RUNNING" for each in inside if each.item == index)
                yield from _rows(processor, inside, runs, index)


def _visits(events: list[HistoryEvent]) -> list[Row]:
    by_id = {event["id"]: event for event in events}
    entered: dict[int, Row] = {}
    for event in events:
        kind: str = event["type"]
        details = event.get("stateEnteredEventDetails")
        if details is not None:
            entered[event["id"]] = Row(
                details["name"],
                kind.removesuffix("StateEntered"),
                _item(event, by_id),
                "RUNNING",
                _time(event),
                input=details.get("input") or "",
            )
            continue
        row = _enclosing(event, by_id, entered)
        if row is None:
            continue
        if exited := event.get("stateExitedEventDetails"):
            row.status = "CAUGHT" if row.error else "SUCCEEDED"
            row.end = _time(event)
            row.output = exited.get("output") or ""
        elif scheduled := event.get("taskScheduledEventDetails"):
            row.attempts += 1
            row.error = row.cause = ""
            row.input = scheduled.get("parameters", row.input)
        elif kind in _FAILURES:
            error, row.cause = _failure(event)
            row.error = error or kind
    return list(entered.values())


def _failure(event: HistoryEvent) -> tuple[str, str]:
    """The error and the cause that an event tells, where it does."""
    for details in (
        event.get("taskFailedEventDetails"),
        event.get("taskTimedOutEventDetails"),
        event.get("evaluationFailedEventDetails"),
        event.get("lambdaFunctionFailedEventDetails"),
    ):
        if details is not None:
            return details.get("error") or "", details.get("cause") or ""
    return "", ""


def _enclosing(
    event: HistoryEvent, by_id: dict[int, HistoryEvent], entered: dict[int, Row]
) -> Row | None:
    """The state in which something happened; an exit names the state that is left."""
    left = event.get("stateExitedEventDetails")
    seen: HistoryEvent | None = event
    while seen is not None:
        row = entered.get(seen["id"])
        if row is not None and (left is None or left["name"] == row.name):
            return row
        seen = by_id.get(seen.get("previousEventId") or 0)
    return None


def _item(event: HistoryEvent, by_id: dict[int, HistoryEvent]) -> int | None:
    seen: HistoryEvent | None = event
    while seen is not None:
        if iteration := seen.get("mapIterationStartedEventDetails"):
            return iteration["index"]
        if seen["type"].startswith("MapState"):
            return None
        seen = by_id.get(seen.get("previousEventId") or 0)
    return None


def _merge(visited: list[Row], machine: Machine, going: bool, item: int | None = None) -> list[Row]:
    """What was visited, and while it goes on what is still to come on the good path."""
    if not going or not visited:
        return visited
    names = {row.name for row in visited}
    path = _good_path(machine)
    last = next((n for n, name in reversed(list(enumerate(path))) if name in names), None)
    if last is None or visited[-1].name not in path:
        return visited
    states = machine["States"]
    return visited + [Row(name, states[name]["Type"], item) for name in path[last + 1 :]]


def _good_path(machine: Machine) -> list[str]:
    path: list[str] = []
    name = machine.get("StartAt")
    while name and name not in path:
        path.append(name)
        state = machine["States"][name]
        choices = state.get("Choices") or [state]
        name = state.get("Next") or choices[0].get("Next")
    return path


def _time(event: HistoryEvent) -> int:
    moment = datetime.fromisoformat(str(event["timestamp"]).replace("Z", "+00:00"))
    return int(moment.timestamp() * 1000)
