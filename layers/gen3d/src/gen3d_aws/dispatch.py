"""Hands the endpoint what is next in the queue.

Whoever puts a request into the queue, takes an answer or looks after the queue calls `dispatch`;
any number may at the same time. A request is marked before it is sent: whoever dies in between
leaves a mark without a message, which `Dispatcher.send_again` finds.
"""

import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from gen3d import paths
from gen3d.errors import EndpointMissing, Gen3DError, InferenceExpired, InferenceFailed
from gen3d.jobs import now
from gen3d.queue import Request, choose, window_size
from gen3d.settings import Given, Settings
from gen3d_aws import clients
from gen3d_aws.observability import count, logger
from gen3d_aws.tokens import Taken, TaskGone, Tasks, TokenStore

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

RACES = 8
"""Lost so often, a dispatcher leaves it to those who win: they go on until nothing can be sent."""

MARKED_SECONDS = 60
"""A request that was marked so long ago and not sent has lost its sender: no call takes longer."""

SLACK_SECONDS = 300
"""Beyond the longest wait and work that SageMaker allows, its answer was lost."""


def _runtime() -> "SageMakerRuntimeClient":
    runtime: SageMakerRuntimeClient = clients.client("sagemaker-runtime")
    return runtime


class QueueSettings(Settings):
    """The variables of each function that sends."""

    tokens_table: Given
    endpoint_name: str
    """Empty where none is deployed."""
    max_instances: int
    invocation_timeout_seconds: int
    request_ttl_seconds: int


@dataclass(frozen=True)
class Dispatcher:
    """Sends requests to one endpoint, through its window.

    Attributes
    ----------
    endpoint : str
        Its name; empty where none is deployed, and then everything waits.
    size : int
        How many reconstructions it may have in hand; of all requests, `FOR_PHOTOS` more.
    """

    tokens: TokenStore
    tasks: Tasks
    bucket: str
    endpoint: str
    size: int
    invocation_timeout_seconds: int
    request_ttl_seconds: int

    @classmethod
    def of(cls, config: QueueSettings) -> "Dispatcher":
        """Wire it as the environment says."""
        return cls(
            TokenStore(config.tokens_table),
            Tasks(),
            config.bucket,
            config.endpoint_name,
            window_size(config.max_instances),
            config.invocation_timeout_seconds,
            config.request_ttl_seconds,
        )

    def dispatch(self, own: Request | None = None) -> int:
        """Send what is next until the endpoint has its fill or nothing waits.

        Parameters
        ----------
        own : Request, optional
            One that the caller has just put into the queue, as the index may not show it yet.

        Returns
        -------
        int
            How many were sent.
        """
        sent = races = 0
        gone: set[str] = set()
        while self.endpoint and races < RACES:
            window = self.tokens.window(self.size)
            if window.full:
                break
            waiting = {r.callback_id: r for r in self.tokens.waiting()}
            if own is not None:
                waiting[own.callback_id] = own
            requests = [r for r in waiting.values() if r.callback_id not in gone]
            chosen = choose(requests, window)
            if chosen is None:
                break
            match self.tokens.take(window, chosen, requests):
                case Taken.OURS:
                    if not self._send(chosen.callback_id):
                        break
                    sent += 1
                    gone.add(chosen.callback_id)
                case Taken.GONE:
                    gone.add(chosen.callback_id)
                case Taken.CHANGED:
                    races += 1
                    time.sleep(random.uniform(0, 0.05 * races))  # noqa: S311 — parts those who race
        if sent:
            count("InvocationSent", sent)
        return sent

    def dispatch_if_possible(self, own: Request | None = None) -> None:
        """`dispatch` for who has done their own work already, which a fault must not undo.

        What could not be sent waits for the next who dispatches, for a minute at most.
        """
        try:
            self.dispatch(own)
        except Exception:
            logger.exception("The queue could not be served")
            count("DispatchFailed")

    def send_again(self) -> int:
        """Send what was marked and not sent; one that was sent after all is answered twice.

        The second answer finds no task.
        """
        marked = now() - timedelta(seconds=MARKED_SECONDS)
        lost = [s for s in self.tokens.window().sent if datetime.fromisoformat(s.at) < marked]
        again = 0
        for request in lost:
            row = self.tokens.get(request.callback_id)
            if self.endpoint and row is not None and not row.sent:
                logger.warning("Sent again", extra={"callback_id": request.callback_id})
                again += self._send(request.callback_id)
        return again

    def give_up_lost(self) -> int:
        """Fail the tasks whose answer will not come any more, so that they are sent again."""
        patience = self.request_ttl_seconds + self.invocation_timeout_seconds + SLACK_SECONDS
        latest = now() - timedelta(seconds=patience)
        lost = [s for s in self.tokens.window().sent if datetime.fromisoformat(s.at) < latest]
        for request in lost:
            logger.warning("No answer came", extra={"callback_id": request.callback_id})
            self._fail(
                request.callback_id,
                InferenceExpired("The model gave no answer in time. It is asked again."),
            )
        return len(lost)

    def _send(self, callback: str) -> bool:
        """Send a request that is in the window already; False where the endpoint takes none now."""
        try:
            accepted = _runtime().invoke_endpoint_async(
                EndpointName=self.endpoint,
                InputLocation=paths.uri(self.bucket, paths.async_input(callback)),
                ContentType="application/json",
                InferenceId=callback,
                CustomAttributes=callback,  # handed on to the container, which InferenceId is not
                InvocationTimeoutSeconds=self.invocation_timeout_seconds,
                RequestTTLSeconds=self.request_ttl_seconds,
            )
        except Exception as error:
            if clients.transient(error):
                logger.warning("The endpoint takes no request now", extra={"reason": str(error)})
                self.tokens.put_back(callback)
                return False
            # The same would be refused again, and everything behind it would wait.
            logger.exception("The endpoint refused a request", extra={"callback_id": callback})
            self._fail(callback, _refusal(error))
            return True
        self.tokens.note_sent(callback, accepted.get("FailureLocation", ""))
        return True

    def _fail(self, callback: str, failure: Gen3DError) -> None:
        row = self.tokens.get(callback)
        if row is not None:
            try:
                self.tasks.fail(row, failure.name, failure.message)
            except TaskGone:
                logger.warning("The task had ended by then", extra={"callback_id": callback})
        self.tokens.settle(callback)


def _refusal(error: Exception) -> Gen3DError:
    if isinstance(error, ClientError) and "not found" in str(error):
        return EndpointMissing(
            "There is no model endpoint at present. Ask the administrator, then try again."
        )
    return InferenceFailed("The model's endpoint refused the request. Try again in a while.")
