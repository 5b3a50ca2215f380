"""Task tokens: whoever holds one can resume an execution, so none ever leaves these functions.

A row maps a callback id to its token. The endpoint is told the callback id alone (as
``InferenceId``), the browser not even that.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from gen3d import clients
from gen3d.clients import dynamodb, error_code
from gen3d.errors import JobConflict, MaskExpired
from gen3d.jobs import Job, JobObject, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_stepfunctions import SFNClient

CLAIM_SECONDS = 60
"""A claim that was not followed by a resumption for this long was lost; it may be made again."""

_WAITS = (0.2, 0.6)
"""Seconds before the second and the third attempt."""

_GONE = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


def mask_callback_id(job_id: str) -> str:
    """The row that the state machine writes while it waits for a mask."""
    return f"{job_id}-mask"


def callback_id(job_id: str, stage: str, n: int, attempt: int) -> str:
    """One invocation of the endpoint; at most 64 characters, as an ``InferenceId`` may have."""
    return f"{job_id}-{stage}-{n}-{attempt}"


def _states() -> "SFNClient":
    # One attempt: a repetition that botocore makes by itself meets its own success as a lost task.
    states: SFNClient = clients.client("stepfunctions", attempts=1)
    return states


class TaskGone(Exception):
    """The task ended before it was resumed: timed out, stopped, or resumed already."""


@dataclass(frozen=True)
class TokenRow:
    """A waiting task."""

    callback_id: str
    token: str = field(repr=False)
    owner: str
    job_id: str


class TokenStore:
    """The tokens table."""

    def __init__(self, table: str, jobs_table: str = "") -> None:
        self._name = table
        self._jobs_name = jobs_table

    @property
    def _table(self) -> "Table":
        return dynamodb().Table(self._name)

    def put(self, row: TokenRow, ttl_seconds: int) -> None:
        """Remember a task that now waits."""
        self._table.put_item(
            Item={
                "callbackId": row.callback_id,
                "token": row.token,
                "owner": row.owner,
                "jobId": row.job_id,
                "ttl": int(time.time()) + ttl_seconds,
            }
        )

    def get(self, callback: str) -> TokenRow | None:
        """The task behind a callback id, or None where nothing waits for it any more."""
        item: dict[str, Any] | None = self._table.get_item(
            Key={"callbackId": callback}, ConsistentRead=True
        ).get("Item")
        if item is None:
            return None
        return TokenRow(callback, item["token"], item["owner"], item["jobId"])

    def delete(self, callback: str) -> None:
        """Forget a task that was resumed."""
        self._table.delete_item(Key={"callbackId": callback})

    def claim_mask(self, job: Job, objects: list[JobObject]) -> TokenRow:
        """Take the right to resume a job that waits for its mask, and record its objects.

        One transaction: of two requests at the same time, one gets the claim.

        Raises
        ------
        JobConflict
            The job does not wait for a mask, or another request has the claim.
        """
        now = int(time.time())
        key = {"callbackId": mask_callback_id(job.job_id)}
        rows = {
            str(o.n): o.model_dump(mode="json", by_alias=True, exclude_none=True) for o in objects
        }
        try:
            # The resource's client takes and gives plain Python values.
            self._table.meta.client.transact_write_items(
                TransactItems=[
                    {
                        "Update": {
                            "TableName": self._name,
                            "Key": key,
                            "UpdateExpression": "SET claimedAt = :now",
                            "ConditionExpression": "#owner = :owner AND"
                            " (attribute_not_exists(claimedAt) OR claimedAt < :stale)",
                            "ExpressionAttributeNames": {"#owner": "owner"},
                            "ExpressionAttributeValues": {
                                ":now": now,
                                ":stale": now - CLAIM_SECONDS,
                                ":owner": job.owner,
                            },
                        }
                    },
                    {
                        "Update": {
                            "TableName": self._jobs_name,
                            "Key": {"owner": job.owner, "jobId": job.job_id},
                            "UpdateExpression": "SET objects = :objects",
                            "ConditionExpression": "#status = :awaiting",
                            "ExpressionAttributeNames": {"#status": "status"},
                            "ExpressionAttributeValues": {
                                ":objects": rows,
                                ":awaiting": Status.AWAITING_MASK,
                            },
                        }
                    },
                ]
            )
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            raise JobConflict(
                "The job does not wait for a mask, or it has been given one already. "
                "Read its status."
            ) from None
        row = self.get(key["callbackId"])
        if row is None:
            raise JobConflict("The job does not wait for a mask any more. Read its status.")
        return row

    def release_mask(self, row: TokenRow) -> None:
        """Give a claim back, so that the request can be made again."""
        self._table.update_item(
            Key={"callbackId": row.callback_id}, UpdateExpression="REMOVE claimedAt"
        )


class Tasks:
    """Resumes waiting executions."""

    def succeed(self, row: TokenRow, output: object) -> None:
        """Resume with a result.

        Raises
        ------
        TaskGone
            There is nothing to resume any more.
        """
        text = json.dumps(output)
        _end(lambda: _states().send_task_success(taskToken=row.token, output=text))

    def fail(self, row: TokenRow, name: str, message: str) -> None:
        """Resume with a named error.

        Raises
        ------
        TaskGone
            There is nothing to resume any more.
        """
        # The service takes at most 256 and 32768 characters.
        _end(
            lambda: _states().send_task_failure(
                taskToken=row.token, error=name[:256], cause=message[:32768]
            )
        )


def _end(call: Callable[[], object]) -> None:
    """End a task; where an answer was lost and the task then is gone, it was this that ended it."""
    lost = False
    for wait in (*_WAITS, None):
        try:
            call()
        except Exception as error:
            if error_code(error) in _GONE:
                if lost:
                    return
                raise TaskGone from None
            if wait is None or not clients.transient(error):
                raise
            lost = lost or clients.unanswered(error)
            time.sleep(wait)
        else:
            return


def mask_expired() -> MaskExpired:
    """The error for a mask that came after its task had ended."""
    return MaskExpired(
        "The job no longer waits for a mask: it ended or waited too long. "
        "Create a new job from the same photo."
    )
