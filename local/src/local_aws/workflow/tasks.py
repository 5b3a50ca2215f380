"""Puts right how a waiting task ends: by its token, by a missed heartbeat, with a cause."""

from collections.abc import Callable

from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.parser.api import (
    ExecutionStatus,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_callback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackEndpoint,
    CallbackOutcomeFailure,
    CallbackOutcomeSuccess,
    HeartbeatTimeoutError,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from local_aws.workflow.executions import executions_of
from local_aws.workflow.patches import patch

Ended = Callable[[str], object]
"""Whether a token is one of an execution that has ended."""


def install(ended: Ended = lambda _token: None) -> None:
    """Apply every correction of this module.

    Parameters
    ----------
    ended : callable
        Tells the token of an execution that has ended from an invented one.
    """
    _settle_a_token_once(ended)
    _give_each_try_a_token()
    _pass_the_cause_on()
    _tell_heartbeats_from_timeouts()


def find(
    backend: StepFunctionsParserBackend, token: str
) -> tuple[Execution, CallbackEndpoint] | None:
    """The execution and the endpoint that wait, or waited, with this token."""
    for machine in list(backend.state_machines):
        for execution in list(executions_of(machine)):
            env = execution.exec_worker.env if execution.exec_worker else None
            endpoint = env.callback_pool_manager.get(token) if env else None
            if endpoint is not None:
                return execution, endpoint
    return None


def _settle_a_token_once(ended: Ended) -> None:
    """Moto took a second answer, or one that came too late, and forgot it silently."""

    def waiting(backend: StepFunctionsParserBackend, token: str) -> CallbackEndpoint:
        found = find(backend, token)
        if found is None and not ended(token):
            raise AWSError("Invalid Token: 'Invalid token'", "InvalidToken")
        if (
            found is None
            or found[0].status != ExecutionStatus.RUNNING
            or found[1]._notify_event.is_set()
        ):
            gone = "Task Timed Out: 'Provided task does not exist anymore'"
            raise AWSError(gone, "TaskTimedOut")
        return found[1]

    def success(self: StepFunctionsParserBackend, task_token: str, outcome: str) -> None:
        waiting(self, task_token).notify(CallbackOutcomeSuccess(task_token, outcome))

    def failure(
        self: StepFunctionsParserBackend,
        task_token: str,
        error: str | None = None,
        cause: str | None = None,
    ) -> None:
        endpoint = waiting(self, task_token)
        endpoint.notify(CallbackOutcomeFailure(task_token, error or "", cause or ""))

    def heartbeat(self: StepFunctionsParserBackend, task_token: str) -> None:
        waiting(self, task_token).notify_heartbeat()

    patch(
        StepFunctionsParserBackend,
        send_task_success=success,
        send_task_failure=failure,
        send_task_heartbeat=heartbeat,
    )


def _give_each_try_a_token() -> None:
    """Moto let a second try wait with the first one's token, which was used up."""
    kind = state_task_service_callback.StateTaskServiceCallback
    original = kind._eval_execution

    def eval_execution(
        self: state_task_service_callback.StateTaskServiceCallback, env: Environment
    ) -> None:
        context = env.states.context_object
        data = context.context_object_data
        state = data["State"]
        if "Task" in data and state is not None and state["RetryCount"] > 0:
            env.callback_pool_manager.add(context.update_task_token())
        original(self, env)

    patch(kind, _eval_execution=eval_execution)


def _pass_the_cause_on() -> None:
    """SendTaskFailure's cause was not read from the request."""

    def send_task_failure(self: StepFunctionResponse) -> ActionResult:
        token, error, cause = map(self._get_param, ("taskToken", "error", "cause"))
        backend = self.stepfunction_backend
        assert isinstance(backend, StepFunctionsParserBackend)
        backend.send_task_failure(token, error=error, cause=cause)
        return EmptyResult()

    patch(StepFunctionResponse, send_task_failure=send_task_failure)


def _tell_heartbeats_from_timeouts() -> None:
    """A missed heartbeat is `States.HeartbeatTimeout`; moto called it `States.Timeout`."""
    original = StateTask._from_error

    def from_error(self: StateTask, env: Environment, ex: Exception) -> FailureEvent:
        event = original(self, env, ex)
        if not isinstance(ex, HeartbeatTimeoutError):
            return event
        kind = StatesErrorNameType.StatesHeartbeatTimeout
        details = event.event_details["taskTimedOutEventDetails"] if event.event_details else None
        if details is not None:
            details["error"] = kind.to_name()
        return FailureEvent(env, StatesErrorName(kind), event.event_type, event.event_details)

    patch(StateTask, _from_error=from_error)
