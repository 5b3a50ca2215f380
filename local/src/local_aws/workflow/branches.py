"""Puts right how the branches of an execution end."""

import logging
from datetime import UTC, datetime

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
    inline_iteration_component,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import (
    BranchWorker,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramRunning

from local_aws.workflow.patches import patch

log = logging.getLogger(__name__)


def install() -> None:
    """Apply every correction of this module."""
    _end_a_map_with_its_first_failure()
    _end_a_parallel_with_its_first_failure()
    _end_once()
    _be_quiet_about_failures()


def end(env: Environment) -> None:
    """End a branch and all below it: no further state is entered, and what waits is woken."""
    env.set_stop(stop_date=datetime.now(UTC), error=None, cause=None)
    for frame in list(env._frames):
        end(frame)
    task = env.states.context_object.context_object_data.get("Task")
    endpoint = env.callback_pool_manager.get(task["Token"]) if task else None
    if endpoint is not None:
        endpoint.interrupt_all()


def _end_a_map_with_its_first_failure() -> None:
    """The other objects of a Map that had failed went on, and wrote beside what caught it."""
    component = inline_iteration_component.InlineIterationComponent
    original = component._eval_body

    def eval_body(
        self: inline_iteration_component.InlineIterationComponent, env: Environment
    ) -> None:
        before = list(env._frames)
        try:
            original(self, env)
        except Exception:
            for frame in [frame for frame in env._frames if frame not in before]:
                end(frame)
            raise

    patch(component, _eval_body=eval_body)


def _end_a_parallel_with_its_first_failure() -> None:
    """What the other branches of a Parallel that had failed waited for went on waiting."""

    def stop(self: BranchWorker, **_why: object) -> None:
        end(self.env)

    patch(BranchWorker, stop=stop)


def _end_once() -> None:
    """An error that came after a time-out or a stop took its place."""
    set_error, set_timed_out = Environment.set_error, Environment.set_timed_out

    def error_once(self: Environment, error: ExecutionFailedEventDetails) -> None:
        with self._state_mutex:
            if isinstance(self._program_state, ProgramRunning | None):
                set_error(self, error)

    def timed_out_once(self: Environment) -> None:
        with self._state_mutex:
            if isinstance(self._program_state, ProgramRunning | None):
                set_timed_out(self)

    patch(Environment, set_error=error_once, set_timed_out=timed_out_once)


def _be_quiet_about_failures() -> None:
    """Each failure of a state was an error in the log, with the whole machine, once a level.

    What fails is in the history; a machine that is cancelled has failed at nothing.
    """

    def note(
        self: EvalComponent,
        failure_event_exception: Exception | None = None,
        exception: Exception | None = None,
    ) -> None:
        reason = failure_event_exception or exception
        log.debug("%s ended with %s", type(self).__name__, type(reason).__name__)

    patch(EvalComponent, _log_failure_event_exception=note, _log_exception=note)
