"""Executions that moto has let go, or does not have yet: the API answers from their records."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from moto.stepfunctions.exceptions import ExecutionAlreadyExists
from moto.stepfunctions.parser.api import HistoryEvent
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.utils import PAGINATION_MODEL
from moto.utilities.paginator import paginate

from local_aws.workflow.executions import Executions, executions_of
from local_aws.workflow.patches import patch
from local_aws.workflow.records import Record


class Past:
    """An execution as its record tells it; takes the place of moto's own.

    Parameters
    ----------
    record : dict
    kept : Executions
        Whose record it is.
    """

    def __init__(self, record: Record, kept: Executions) -> None:
        self._record, self._kept = record, kept
        detail = record["detail"]
        self.execution_arn = detail["executionArn"]
        self.name, self.status = detail["name"], detail["status"]
        self.execution_input = detail["input"]
        self.start_date = _moment(detail["startDate"])
        self.state_machine = SimpleNamespace(arn=detail["stateMachineArn"])

    @property
    def stop_date(self) -> datetime | None:
        """When it ended."""
        stopped = self._record["detail"]["stopDate"]
        return _moment(stopped) if stopped else None

    def stop(self, _date: datetime, error: str | None, cause: str | None) -> None:
        """End what a restart has not resumed yet."""
        if self.status == "RUNNING":
            self._kept.abort(self._record, error, cause)

    def to_describe_output(self) -> dict[str, object]:
        """The answer of DescribeExecution."""
        detail = {k: v for k, v in self._record["detail"].items() if v is not None}
        dates = {"startDate": self.start_date, "stopDate": self.stop_date}
        return detail | {name: date for name, date in dates.items() if date}

    def to_history_output(self) -> dict[str, list[HistoryEvent]]:
        """The answer of GetExecutionHistory."""
        return {"events": self._record["events"]}


def remember(kept: Executions, backend: StepFunctionsParserBackend) -> None:
    """Let moto forget what has ended, as its executions keep their threads' memory."""

    def past(record: Record) -> Execution:
        return cast(Execution, Past(record, kept))  # it has what is asked of one that has ended

    def forget(execution: Execution) -> None:
        for machine in backend.state_machines:
            known = executions_of(machine)
            if execution in known:
                known.remove(execution)

    describe = StepFunctionsParserBackend.describe_execution
    start = StepFunctionsParserBackend.start_execution

    def describe_execution(backend: StepFunctionsParserBackend, execution_arn: str) -> Execution:
        if not kept.is_running(execution_arn):
            record = kept.past.get(execution_arn)
            if record is not None:
                return past(record)
        return cast(Execution, describe(backend, execution_arn))  # see `executions_of`

    def start_execution(
        backend: StepFunctionsParserBackend,
        state_machine_arn: str,
        name: str,
        execution_input: str,
        *rest: str,
        **named: str,
    ) -> Execution:
        arn = f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        record = None if kept.is_running(arn) else kept.past.get(arn)
        if record is None:
            return start(backend, state_machine_arn, name, execution_input, *rest, **named)
        detail = record["detail"]
        if detail["status"] == "RUNNING" and _same(detail["input"], execution_input or "{}"):
            return past(record)
        raise ExecutionAlreadyExists(f"Execution Already Exists: '{arn}'")

    @paginate(pagination_model=PAGINATION_MODEL)  # type: ignore[untyped-decorator]
    def list_executions(
        _backend: StepFunctionsParserBackend,
        state_machine_arn: str,
        status_filter: str | None = None,
    ) -> list[Execution]:
        found = kept.past.details(state_machine_arn, status_filter or "")
        return [past({"detail": detail}) for detail in found]

    patch(
        StepFunctionsParserBackend,
        describe_execution=describe_execution,
        start_execution=start_execution,
        list_executions=list_executions,
    )
    kept.forget = forget


def _same(one: str, other: str) -> bool:
    return bool(json.loads(one) == json.loads(other))


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
