"""What is kept of executions, in one file that is true at every moment."""

import json
import threading
from pathlib import Path
from typing import Any

from local_aws.databases import open_database

Record = dict[str, Any]
"""An execution's `detail`, `definition` and `events`, and where it stands, its `checkpoint`."""

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

    def details(self, machine: str = "", status: str = "", most: int = -1) -> list[Record]:
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

    def _do(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()
