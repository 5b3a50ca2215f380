"""Executions of jobs: starting one, taking a job up again, and stopping what runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from gen3d import clients
from gen3d.jobs import Job, execution_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def _states() -> "SFNClient":
    states: SFNClient = clients.client("stepfunctions")
    return states


@dataclass(frozen=True)
class Runs:
    """The executions of one state machine."""

    state_machine_arn: str

    def stop(self, job: Job) -> None:
        """Stop the job's execution; nothing happens where there is none, or it has ended."""
        arn = self.state_machine_arn.replace(":stateMachine:", ":execution:", 1)
        try:
            _states().stop_execution(
                executionArn=f"{arn}:{execution_name(job.job_id, job.run)}",
                error="Cancelled",
                cause="By the owner",
            )
        except ClientError as error:
            if clients.error_code(error) != "ExecutionDoesNotExist":
                raise
