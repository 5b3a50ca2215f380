"""Task tokens: whoever holds one can resume an execution, so none ever leaves these functions.

A row maps a callback id to its token. The endpoint is told the callback id alone (as
``InferenceId``), the browser not even that.

The rows of requests to the endpoint are its queue too. One that waits stands in the index `QUEUE`,
which holds no token. Sending one takes it from there and notes it in one more row, the window, both
in one transaction that fails where the window has changed: however many send at a time, the
endpoint has no more in hand than it may. It leaves the window when its answer comes, whatever
became of its own row meanwhile.
"""

import json
import random
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypedDict, cast

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from gen3d import queue
from gen3d.errors import JobConflict, MaskExpired
from gen3d.jobs import Job, Status, iso, now
from gen3d.queue import Place, Request, Sent, Stage, Window
from gen3d_aws import clients
from gen3d_aws.clients import error_code

if TYPE_CHECKING:
    from decimal import Decimal

    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_dynamodb.type_defs import (
        QueryInputTableQueryTypeDef,
        TableAttributeValueTypeDef,
    )
    from mypy_boto3_stepfunctions import SFNClient

CLAIM_SECONDS = 60
"""A claim that was not followed by a resumption for this long was lost; it may be made again."""

QUEUE = "byPlace"
"""The index of the requests that wait; what was sent has no lane and so is not in it."""

_LANE = "endpoint"
"""All requests wait for one endpoint."""

_WINDOW = {"callbackId": "window"}
"""The row of what the endpoint has in hand: ``sent:{callbackId}``, ``turn:{owner}``, streak."""

_WAITS = (0.2, 0.6)
"""Seconds before the second and the third attempt to end a task."""

_GONE = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")
_CONFLICTS = ("TransactionConflictException", "TransactionInProgressException")
_CONFLICT_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""A transaction holds its items for milliseconds; botocore does not try again for that."""


def mask_callback_id(job_id: str) -> str:
    """The row that the state machine writes while it waits for a mask."""
    return f"{job_id}-mask"


def callback_id(job_id: str, run: int, stage: str, key: str, attempt: int) -> str:
    """One invocation of the endpoint; at most 64 characters, as an ``InferenceId`` may have.

    Its object is named by its key in the record.

    An execution that takes a job up again, and an attempt after another, has an id of its own: an
    answer that comes late resumes nobody else.
    """
    return f"{job_id}-{run}-{stage}-{key}-{attempt}"


def object_of(job: Job, callback: str) -> str | None:
    """Which object of a job's present run an invocation makes, by its key; None: it makes none."""
    match callback.split("-"):
        case [job.job_id, run, Stage.RECONSTRUCT, key, _] if run == str(job.run):
            return key
    return None


def states_client() -> "SFNClient":
    """The client of Step Functions that resumes tasks."""
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
    run: int = 1
    sent: bool = False
    """Whether SageMaker has taken the request."""
    failure_location: str = ""
    """Where SageMaker said, when it took the request, that a failure's answer would lie."""


class Taken(Enum):
    """What came of taking a request from the queue."""

    OURS = "ours"
    GONE = "gone"
    """It waits no more: somebody else sent it, or its job was cancelled."""
    CHANGED = "changed"
    """The window is not what it was."""


class _Row(TypedDict, total=False):
    """A task in the table, as boto3 reads it."""

    callbackId: str
    token: str
    owner: str
    jobId: str
    run: "Decimal"
    sentAt: str
    failureLocation: str
    place: str
    stage: str


class _SentValue(TypedDict):
    """What the window's row says of a request that was sent."""

    at: str
    owner: str
    stage: str


class TokenStore:
    """The tokens table."""

    def __init__(self, table: str, jobs_table: str = "") -> None:
        self._name = table
        self._jobs_name = jobs_table

    @property
    def _table(self) -> "Table":
        return clients.table(self._name)

    def get(self, callback: str) -> TokenRow | None:
        """The task behind a callback id, or None where nothing waits for it any more."""
        answer = self._table.get_item(Key={"callbackId": callback}, ConsistentRead=True)
        item = cast("_Row | None", answer.get("Item"))
        if item is None or "token" not in item:
            return None
        return TokenRow(
            callback,
            item["token"],
            item["owner"],
            item["jobId"],
            int(item.get("run", 1)),
            "sentAt" in item,
            item.get("failureLocation", ""),
        )

    def delete(self, callback: str) -> None:
        """Forget a task that was resumed."""
        _past_conflicts(lambda: self._table.delete_item(Key={"callbackId": callback}))

    def claim_mask(self, job: Job) -> TokenRow:
        """Take the right to resume a job that waits for its mask.

        One transaction: of two requests at the same time, one gets the claim. botocore gives it a
        name, by which DynamoDB knows it again where its answer was lost.

        Raises
        ------
        JobConflict
            The job does not wait for a mask, or another request has the claim.
        """
        now = int(time.time())
        key = {"callbackId": mask_callback_id(job.job_id)}
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
                            "UpdateExpression": "SET #write = :write",
                            "ConditionExpression": "#status = :awaiting"
                            " AND (#run = :run OR attribute_not_exists(#run))",
                            "ExpressionAttributeNames": {
                                "#status": "status",
                                "#run": "run",
                                "#write": "write",
                            },
                            "ExpressionAttributeValues": {
                                ":write": str(uuid.uuid4()),
                                ":awaiting": Status.AWAITING_MASK,
                                ":run": job.run,
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
        try:
            self._table.update_item(
                Key={"callbackId": row.callback_id},
                UpdateExpression="REMOVE claimedAt",
                ConditionExpression="attribute_exists(callbackId)",
            )
        except ClientError as error:  # the job was cancelled or deleted meanwhile
            if error_code(error) != "ConditionalCheckFailedException":
                raise

    # The queue

    def enqueue(self, row: TokenRow, request: Request, ttl_seconds: int) -> None:
        """Let a request wait for its turn.

        Made again, as after a lost answer, it keeps its place, or stays sent; a task that was
        entered anew is the one that its answer resumes then.
        """
        item: dict[str, TableAttributeValueTypeDef] = {
            "callbackId": row.callback_id,
            "token": row.token,
            "owner": row.owner,
            "jobId": row.job_id,
            "run": row.run,
            "stage": request.stage,
            "lane": _LANE,
            "place": request.place,
            "state": "QUEUED",
            "ttl": int(time.time()) + ttl_seconds,
        }
        try:
            self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(callbackId)")
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            _past_conflicts(
                lambda: self._table.update_item(
                    Key={"callbackId": row.callback_id},
                    UpdateExpression="SET #token = :token",
                    ExpressionAttributeNames={"#token": "token"},
                    ExpressionAttributeValues={":token": row.token},
                )
            )

    def waiting(self) -> list[Request]:
        """All requests that wait, oldest first; the newest may be missing for a moment."""
        found: list[Request] = []
        query: QueryInputTableQueryTypeDef = {
            "IndexName": QUEUE,
            "KeyConditionExpression": Key("lane").eq(_LANE),
        }
        while True:
            page = self._table.query(**query)
            found += [
                Request(i["place"], i["callbackId"], i["owner"], Stage(i["stage"]))
                for i in cast("list[_Row]", page["Items"])
            ]
            if "LastEvaluatedKey" not in page:
                return found
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def window(self, size: int = 1) -> Window:
        """What the endpoint has in hand, as it is."""
        item = self._table.get_item(Key=_WINDOW, ConsistentRead=True).get("Item", {})
        in_hand = {
            name.removeprefix("sent:"): cast("_SentValue", value)
            for name, value in item.items()
            if name.startswith("sent:")
        }
        sent = [
            Sent(value["at"], callback, value["owner"], Stage(value["stage"]))
            for callback, value in in_hand.items()
        ]
        turns = {k.removeprefix("turn:"): str(v) for k, v in item.items() if k.startswith("turn:")}
        return Window(
            size,
            tuple(sorted(sent)),
            turns,
            int(cast("Decimal", item.get("streak", 0))),
            int(cast("Decimal", item.get("version", 0))),
        )

    def take(self, window: Window, request: Request, waiting: Iterable[Request]) -> Taken:
        """Take a request from the queue into the window that it was chosen for."""
        following = queue.after(window, request, iso(now()), waiting)
        sent = following.sent[-1]
        # Only what changes is written: beside the request one turn, and those that are forgotten.
        set_: dict[str, TableAttributeValueTypeDef] = {
            f"sent:{sent.callback_id}": {"at": sent.at, "owner": sent.owner, "stage": sent.stage},
            "streak": following.streak,
            "version": window.version + 1,
        }
        if sent.owner in following.turns:
            set_[f"turn:{sent.owner}"] = sent.at
        forgotten = [f"turn:{owner}" for owner in set(window.turns) - set(following.turns)]
        names = {f"#n{i}": name for i, name in enumerate([*set_, *forgotten])}
        placeholders = list(names)
        assignments = ", ".join(f"{p} = :v{i}" for i, p in enumerate(placeholders[: len(set_)]))
        removals = ", ".join(placeholders[len(set_) :])
        try:
            self._table.meta.client.transact_write_items(
                TransactItems=[
                    {
                        "Update": {
                            "TableName": self._name,
                            "Key": {"callbackId": request.callback_id},
                            "UpdateExpression": "SET #state = :sent REMOVE #lane",
                            "ConditionExpression": "#state = :queued",
                            "ExpressionAttributeNames": {"#state": "state", "#lane": "lane"},
                            "ExpressionAttributeValues": {":sent": "SENT", ":queued": "QUEUED"},
                        }
                    },
                    {
                        "Update": {
                            "TableName": self._name,
                            "Key": _WINDOW,
                            "UpdateExpression": f"SET {assignments}"
                            + (f" REMOVE {removals}" if removals else ""),
                            "ConditionExpression": "#version = :version"
                            if window.version
                            else "attribute_not_exists(#version)",
                            "ExpressionAttributeNames": {**names, "#version": "version"},
                            "ExpressionAttributeValues": {
                                **{f":v{i}": value for i, value in enumerate(set_.values())},
                                **({":version": window.version} if window.version else {}),
                            },
                        }
                    },
                ]
            )
        except ClientError as error:
            if error_code(error) in _CONFLICTS:
                return Taken.CHANGED
            if error_code(error) != "TransactionCanceledException":
                raise
            reasons = error.response.get("CancellationReasons", [])
            row = reasons[0].get("Code") if reasons else None
            return Taken.GONE if row == "ConditionalCheckFailed" else Taken.CHANGED
        return Taken.OURS

    def note_sent(self, callback: str, failure_location: str) -> None:
        """SageMaker has taken the request, and says where the answer lies should it fail."""
        try:
            self._table.update_item(
                Key={"callbackId": callback},
                UpdateExpression="SET sentAt = :now, failureLocation = :failure",
                ConditionExpression="attribute_exists(callbackId)",
                ExpressionAttributeValues={":now": iso(now()), ":failure": failure_location},
            )
        except ClientError as error:  # its answer was faster, or its job was cancelled meanwhile
            if error_code(error) != "ConditionalCheckFailedException":
                raise

    def put_back(self, callback: str) -> None:
        """Let a request that could not be sent wait again, in its place."""
        try:
            _past_conflicts(
                lambda: self._table.update_item(
                    Key={"callbackId": callback},
                    UpdateExpression="SET #state = :queued, #lane = :lane",
                    ConditionExpression="#state = :sent",
                    ExpressionAttributeNames={"#state": "state", "#lane": "lane"},
                    ExpressionAttributeValues={
                        ":queued": "QUEUED",
                        ":sent": "SENT",
                        ":lane": _LANE,
                    },
                )
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
        self.leave(callback)

    def leave(self, callback: str) -> None:
        """The endpoint has the request in hand no more."""
        _past_conflicts(
            lambda: self._table.update_item(
                Key=_WINDOW,
                UpdateExpression="REMOVE #sent ADD #version :one",
                ExpressionAttributeNames={"#sent": f"sent:{callback}", "#version": "version"},
                ExpressionAttributeValues={":one": 1},
            )
        )

    def settle(self, callback: str) -> None:
        """Forget a request that was answered, or will not be."""
        self.leave(callback)
        self.delete(callback)

    def place(self, job: Job) -> Place:
        """Where a job stands in the queue, and what of it the endpoint has in hand."""
        return queue.place(job.job_id, self.waiting(), self.window())

    def drop(self, job: Job) -> None:
        """Forget every task of a job that was cancelled or deleted.

        What the endpoint has in hand stays in the window until its answer comes, which then resumes
        nobody.
        """
        requests: list[Request | Sent] = [*self.waiting(), *self.window().sent]
        for request in requests:
            if request.job_id == job.job_id:
                self.delete(request.callback_id)
        self.delete(mask_callback_id(job.job_id))


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
        _end(lambda: states_client().send_task_success(taskToken=row.token, output=text))

    def fail(self, row: TokenRow, name: str, message: str) -> None:
        """Resume with a named error.

        Raises
        ------
        TaskGone
            There is nothing to resume any more.
        """
        # The service takes at most 256 and 32768 characters.
        error, cause = name[:256], message[:32768]
        _end(
            lambda: states_client().send_task_failure(taskToken=row.token, error=error, cause=cause)
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
            lost = lost or clients.unanswered(error) or _broke(error)
            time.sleep(wait)
        else:
            return


def _broke(error: Exception) -> bool:
    """Whether the service failed in the middle of the call, and may have carried it out."""
    if not isinstance(error, ClientError):
        return False
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500


def _past_conflicts(write: Callable[[], object]) -> None:
    for seconds in _CONFLICT_WAITS:
        try:
            write()
        except ClientError as error:
            if error_code(error) not in _CONFLICTS:
                raise
            time.sleep(seconds * random.uniform(0.5, 1))  # noqa: S311 — parts those who wait
        else:
            return
    write()


def mask_expired() -> MaskExpired:
    """The error for a mask that came after its task had ended."""
    return MaskExpired(
        "The job no longer waits for a mask: it ended or waited too long. Try it again."
    )
