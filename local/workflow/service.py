"""The Step Functions API: executions go to moto, everything else to ministack."""

import asyncio
import json
from typing import Any

import yaml
from ministack import app as ministack
from moto.core import config as moto_config
from moto.moto_server.werkzeug_app import create_backend_app
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from werkzeug.test import Client

from local.services import Handler, Response
from local.settings import ACCOUNT, REGION
from local.workflow import calls, executions, language, tasks
from local.workflow.executions import Executions

_EXECUTED_BY_MOTO = {
    "StartExecution",
    "StopExecution",
    "DescribeExecution",
    "DescribeStateMachineForExecution",
    "ListExecutions",
    "GetExecutionHistory",
    "SendTaskSuccess",
    "SendTaskFailure",
    "SendTaskHeartbeat",
}


class Workflow:
    """The interpreter and its door.

    Parameters
    ----------
    kept : Executions
        Keeps the records.
    machines : mapping
        ministack's state machines by ARN.
    """

    def __init__(self, kept: Executions, machines: Any) -> None:
        moto_config.default_user_config["stepfunctions"] = {"execute_state_machine": True}
        for module in (language, calls, tasks):
            module.install()
        kept.install()
        self.executions = kept
        self._machines = machines
        self._wsgi = create_backend_app("stepfunctions")
        self._ministack: Handler = ministack.SERVICE_HANDLERS["states"]
        self.backend = stepfunctions_parser_backends[ACCOUNT][REGION]

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        """Answer one request, already authorized."""
        if headers.get("x-amz-target", "").rsplit(".", 1)[-1] not in _EXECUTED_BY_MOTO:
            return await self._ministack(method, path, headers, body, query)
        self._mirror(json.loads(body or b"{}").get("stateMachineArn"))
        return await asyncio.to_thread(self._ask_moto, method, path, headers, body)

    def resource(self, _path: str, body: bytes) -> str | None:
        """What an IAM policy names: a token stands for the state machine that waits with it."""
        token = json.loads(body or b"{}").get("taskToken")
        found = tasks.find(self.backend, token) if token else None
        return str(found[0].state_machine.arn) if found else None

    def all(self) -> list[dict[str, Any]]:
        """Every execution as the detail of its status event, newest first."""
        return self.executions.records()

    def record(self, name: str) -> dict[str, Any] | None:
        """The `detail`, `events` and `definition` of an execution, or None."""
        record = self.executions.record(name)
        running = self._running(name) if record else None
        return executions.as_record(running) if running else record

    def _running(self, name: str) -> Any:
        for machine in self.backend.state_machines:
            for execution in machine.executions:
                if execution.name == name and execution.status == "RUNNING":
                    return execution
        return None

    def _mirror(self, arn: str | None) -> None:
        """Give moto the definition that ministack has now."""
        record = self._machines.get(arn) if arn else None
        if record is None:
            return
        known = next((m for m in self.backend.state_machines if m.arn == arn), None)
        # A definition may be deployed as YAML; AWS keeps JSON.
        definition = json.dumps(yaml.safe_load(record["definition"]))
        role = record["roleArn"]
        if known is None:
            self.backend.create_state_machine(record["name"], definition, role)
        elif (known.definition, known.roleArn) != (definition, role):
            self.backend.update_state_machine(arn, definition, role)

    def _ask_moto(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        answer = Client(self._wsgi).open(path, method=method, headers=headers, data=body)
        return answer.status_code, dict(answer.headers), answer.data
