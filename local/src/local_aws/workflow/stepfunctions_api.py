"""The Step Functions API: executions go to moto, everything else to ministack."""

import asyncio
import json
from collections.abc import Mapping
from typing import TypedDict

import yaml
from ministack import app as ministack
from moto.core import config as moto_config
from moto.moto_server.werkzeug_app import create_backend_app
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from werkzeug.test import Client

from local_aws import resources
from local_aws.services import Handler, Query, Response
from local_aws.settings import ACCOUNT, REGION
from local_aws.workflow import branches, calls, language, past, tasks
from local_aws.workflow.executions import Executions
from local_aws.workflow.records import Detail, Record

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


class Deployed(TypedDict):
    """A state machine as ministack keeps it."""

    name: str
    definition: str
    roleArn: str


class Workflow:
    """The interpreter and its door.

    Parameters
    ----------
    kept : Executions
        Keeps the records.
    machines : mapping
        ministack's state machines by ARN.
    """

    def __init__(self, kept: Executions, machines: Mapping[str, Deployed]) -> None:
        moto_config.default_user_config["stepfunctions"] = {"execute_state_machine": True}
        for module in (language, calls, branches):
            module.install()
        tasks.install(kept.machine_of)
        kept.install()
        self.backend = stepfunctions_parser_backends[ACCOUNT][REGION]
        past.remember(kept, self.backend)
        self.executions = kept
        self._machines = machines
        self._known: dict[str, tuple[str, str]] = {}
        self._wsgi = create_backend_app("stepfunctions")
        self._ministack: Handler = ministack.SERVICE_HANDLERS["states"]

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: Query
    ) -> Response:
        """Answer one request, already authorized."""
        if headers.get("x-amz-target", "").rsplit(".", 1)[-1] not in _EXECUTED_BY_MOTO:
            return await self._ministack(method, path, headers, body, query)
        self._mirror(json.loads(body or b"{}").get("stateMachineArn"))
        return await asyncio.to_thread(self._ask_moto, method, path, headers, body)

    def resume(self) -> tuple[list[str], list[str]]:
        """Go on with what ran when the process ended; see `Executions.resume`."""
        for arn in list(self._machines):  # also what nobody has started: parsing takes a while
            self._mirror(arn)
        return self.executions.resume(self.backend)

    def resource(self, _path: str, body: bytes) -> str | None:
        """What an IAM policy names: a token stands for the state machine that waits with it."""
        token = json.loads(body or b"{}").get("taskToken")
        if not token:
            return None
        found = tasks.find(self.backend, token)
        if found:
            return str(found[0].state_machine.arn)
        deployed = resources.of_type("AWS::StepFunctions::StateMachine")
        ours = deployed[0]["PhysicalResourceId"] if deployed else None
        return self.executions.machine_of(token) or ours  # whose token was lost with a restart

    def all(self) -> list[Detail]:
        """Every execution as the detail of its status event, newest first."""
        return self.executions.records()

    def record(self, name: str) -> Record | None:
        """The `detail`, `events` and `definition` of an execution, or None."""
        return self.executions.record(name)

    def _mirror(self, arn: str | None) -> None:
        """Give moto the definition that ministack has now."""
        record = self._machines.get(arn) if arn else None
        if arn is None or record is None:
            return
        now = (record["definition"], record["roleArn"])
        if self._known.get(arn) == now:
            return
        # A definition may be deployed as YAML; AWS keeps JSON.
        definition = json.dumps(yaml.safe_load(record["definition"]))
        if any(machine.arn == arn for machine in self.backend.state_machines):
            self.backend.update_state_machine(arn, definition, record["roleArn"])
        else:
            self.backend.create_state_machine(record["name"], definition, record["roleArn"])
        self._known[arn] = now

    def _ask_moto(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        answer = Client(self._wsgi).open(path, method=method, headers=headers, data=body)
        return answer.status_code, dict(answer.headers), answer.data
