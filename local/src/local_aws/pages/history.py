"""From an execution's events to what happened in each state."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Event = dict[str, Any]

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


def rows(record: dict[str, Any]) -> list[Row]:
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


def _rows(
    machine: dict[str, Any], visited: list[Row], going: bool, item: int | None
) -> Iterator[Row]:
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


def _visits(events: list[Event]) -> list[Row]:
    by_id = {event["id"]: event for event in events}
    entered: dict[int, Row] = {}
    for event in events:
        kind: str = event["type"]
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            entered[event["id"]] = Row(
                details["name"],
                kind.removesuffix("StateEntered"),
                _item(event, by_id),
                "RUNNING",
                _time(event),
                input=details.get("input", ""),
            )
            continue
        row = _enclosing(event, by_id, entered)
        if row is None:
            continue
        if kind.endswith("StateExited"):
            row.status = "CAUGHT" if row.error else "SUCCEEDED"
            row.end = _time(event)
            row.output = event["stateExitedEventDetails"].get("output", "")
        elif kind == "TaskScheduled":
            row.attempts += 1
            row.error = row.cause = ""
            row.input = event["taskScheduledEventDetails"].get("parameters", row.input)
        elif kind in _FAILURES:
            failure = _details(event)
            row.error, row.cause = failure.get("error") or kind, failure.get("cause") or ""
    return list(entered.values())


def _details(event: Event) -> dict[str, Any]:
    return next((dict(v) for k, v in event.items() if k.endswith("EventDetails")), {})


def _enclosing(event: Event, by_id: dict[int, Event], entered: dict[int, Row]) -> Row | None:
    """The state in which something happened; an exit names the state that is left."""
    left: dict[str, str] = event.get("stateExitedEventDetails", {})
    seen: Event | None = event
    while seen is not None:
        row = entered.get(seen["id"])
        if row is not None and left.get("name", row.name) == row.name:
            return row
        seen = by_id.get(seen.get("previousEventId", 0))
    return None


def _item(event: Event, by_id: dict[int, Event]) -> int | None:
    seen: Event | None = event
    while seen is not None:
        if seen["type"] == "MapIterationStarted":
            return int(seen["mapIterationStartedEventDetails"]["index"])
        if seen["type"].startswith("MapState"):
            return None
        seen = by_id.get(seen.get("previousEventId", 0))
    return None


def _merge(
    visited: list[Row], machine: dict[str, Any], going: bool, item: int | None = None
) -> list[Row]:
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


def _good_path(machine: dict[str, Any]) -> list[str]:
    path: list[str] = []
    name = machine.get("StartAt")
    while name and name not in path:
        path.append(name)
        state = machine["States"][name]
        choices = state.get("Choices") or [{}]
        name = state.get("Next") or choices[0].get("Next")
    return path


def _time(event: Event) -> int:
    moment = datetime.fromisoformat(str(event["timestamp"]).replace("Z", "+00:00"))
    return int(moment.timestamp() * 1000)
