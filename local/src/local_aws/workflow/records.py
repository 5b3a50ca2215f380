"""What is kept of executions, in one file that is true at every moment."""

import json
import threading
from pathlib import Path
from typing import Required, TypedDict

from moto.stepfunctions.parser.api import HistoryEvent

from local_aws.databases import open_database


class Detail(TypedDict):
    """An execution as the detail of its status event; times in milliseconds since 1970."""

    executionArn: str
    stateMachineArn: str
    name: str
    status: str
    startDate: int
    stopDate: int | None
    input: str
    output: str | None
    error: str | None
    cause: str | None


class State(TypedDict, total=False):
    """A state of a definition, or one of a Choice's rules."""

    Type: Required[str]
    Resource: str
    Next: str
    Choices: list["State"]
    Branches: list["Machine"]
    ItemProcessor: "Machine"


class Machine(TypedDict, total=False):
    """A definition: a state machine's, a Parallel's branch's, or what a Map does with each."""

    StartAt: str
    States: dict[str, State]


class Stand(TypedDict):
    """The state that was entered, with its input and the variables then; none at a branch's end."""

    state: str | None
    input: object
    variables: dict[str, object]


class Checkpoint(Stand, total=False):
    """Where an execution stands, and where each branch of its Parallel does, by number."""

    branches: dict[str, Stand]


class Record(TypedDict, total=False):
    """What is kept of an execution, and where it stands; of one in a list, the `detail` alone."""

    detail: Detail
    definition: str
    events: list[HistoryEvent]
    checkpoint: Checkpoint | None


_TABLE = """create table if not exists executions (
    arn text primary key, machine text not null, name text not null, status text not null,
    started integer not null, detail text not null, definition text not null, events text not null,
    checkpoint text
) strict"""
_INDEX = "create index if not exists by_machine on executions (machine, status, started)"


class Records:
    """Records of executions.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._database = open_database(path, _TABLE, _INDEX)
        self._lock = threading.Lock()

    def keep(self, record: Record) -> None:
        """Write a record; one of the same execution is replaced."""
        detail, checkpoint = record["detail"], record.get("checkpoint")
        row = (
            detail["executionArn"],
            detail["stateMachineArn"],
            detail["name"],
            detail["status"],
            detail["startDate"],
            json.dumps(detail),
            record["definition"],
            json.dumps(record["events"]),
            json.dumps(checkpoint) if checkpoint else None,
        )
        self._do("insert or replace into executions values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def get(self, arn: str) -> Record | None:
        """The record of an execution, or None."""
        return next(iter(self._whole("arn = ?", arn)), None)

    def named(self, name: str) -> Record | None:
        """The youngest execution of a name, or None."""
        return next(iter(self._whole("name = ? order by started desc limit 1", name)), None)

    def running(self) -> list[Record]:
        """Every execution that has not ended, oldest first."""
        return self._whole("status = ? order by started", "RUNNING")

    def details(self, machine: str = "", status: str = "", most: int = -1) -> list[Detail]:
        """The `detail` of executions, youngest first.

        Parameters
        ----------
        machine, status : str
            Those of this state machine's ARN and of this status; empty for all.
        most : int
            No more than so many; negative for all.
        """
        rows = self._do(
            "select detail from executions where ? in ('', machine) and ? in ('', status) "
            "order by started desc limit ?",
            (machine, status, most),
        )
        return [json.loads(detail) for (detail,) in rows]

    def _whole(self, condition: str, value: str) -> list[Record]:
        columns = "detail, definition, events, checkpoint"
        rows = self._do(f"select {columns} from executions where {condition}", (value,))  # noqa: S608
        return [
            {
                "detail": json.loads(detail),
                "definition": definition,
                "events": json.loads(events),
                "checkpoint": json.loads(checkpoint) if checkpoint else None,
            }
            for detail, definition, events, checkpoint in rows
        ]

    def _do(self, statement: str, values: tuple[object, ...]) -> list[tuple[str, ...]]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()
