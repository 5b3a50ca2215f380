"""``python -m gen3d_cloud.replay --stack gen3d``: gives functions again what they failed on.

Both queues of dead letters are read: what a function failed on three times, and what SNS and
EventBridge could not hand to one. A message goes once the function has done its work; what fails
again stays for the next time. The functions take an event twice without harm.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gen3d_cloud.deployed import CloudError, output, outputs, table

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

QUEUES = ("FailedInvocationsUrl", "UndeliveredEventsUrl")
_HIDDEN_SECONDS = 420
"""A message is nobody else's for so long: longer than the longest function."""
_WAIT_SECONDS = 2
"""Some, so that all of a queue's servers are asked."""
_ONCE = Config(read_timeout=330, retries={"total_max_attempts": 1})


class Notification(TypedDict):
    """What SNS sends."""

    TopicArn: str


class SnsRecord(TypedDict, total=False):
    """A notification as a function is given it."""

    EventSource: str
    EventVersion: str
    EventSubscriptionArn: str
    Sns: Notification


class SnsEvent(TypedDict):
    """All that a function is given at once: one."""

    Records: list[SnsRecord]


@dataclass(frozen=True)
class Call:
    """What a function is to be given; no function where there is nothing left to do."""

    function: str
    event: Mapping[str, object]


@dataclass(frozen=True)
class Outcome:
    """What became of a message."""

    queue: str
    message: str
    function: str
    result: str
    done: bool


class Stack:
    """A stack's functions and queues.

    Parameters
    ----------
    name : str

    Raises
    ------
    CloudError
        It is not there.
    """

    def __init__(self, name: str) -> None:
        found = outputs(name)
        self.queues = {queue: output(queue, name, found) for queue in QUEUES}
        self._sqs = boto3.client("sqs")
        self._sns = boto3.client("sns")
        self._lambda = boto3.client("lambda", config=_ONCE)
        pages = boto3.client("cloudformation").get_paginator("list_stack_resources")
        self._functions = {
            resource["PhysicalResourceId"]
            for page in pages.paginate(StackName=name)
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == "AWS::Lambda::Function"
        }

    def replay(self, limit: int, look: bool) -> Iterator[Outcome]:
        """Give each message to its function.

        Parameters
        ----------
        limit : int
            At most so many messages.
        look : bool
            Only say what would be done.
        """
        for queue, url in self.queues.items():
            name, seen = queue.removesuffix("Url"), set[str]()
            while limit > 0:
                message = self._receive(url, look)
                if message is None or message["MessageId"] in seen:
                    break
                seen.add(message["MessageId"])
                limit -= 1
                yield self._one(name, url, message, look)

    def _receive(self, url: str, look: bool) -> "MessageTypeDef | None":
        found = self._sqs.receive_message(
            QueueUrl=url,
            MessageAttributeNames=["All"],
            VisibilityTimeout=30 if look else _HIDDEN_SECONDS,
            WaitTimeSeconds=_WAIT_SECONDS,
        ).get("Messages", [])
        return found[0] if found else None

    def _one(self, queue: str, url: str, message: "MessageTypeDef", look: bool) -> Outcome:
        function = "?"
        try:
            call = self._call(message)
            function = call.function
            result = "would be given again" if look else self._give(call)
            if not look:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            done = True
        except (CloudError, ClientError, BotoCoreError) as error:
            result, done = f"stays: {str(error).splitlines()[0]}", False
        return Outcome(queue, message["MessageId"], function, result, done)

    def _give(self, call: Call) -> str:
        if not call.function:
            return "gone: the next scheduled run does what it did"
        payload = json.dumps(call.event)
        answer = self._lambda.invoke(FunctionName=call.function, Payload=payload)
        if "FunctionError" in answer:
            said = json.loads(answer["Payload"].read())
            raise CloudError(f"{said.get('errorType')}: {said.get('errorMessage')}")
        return "done"

    def _call(self, message: "MessageTypeDef") -> Call:
        """Read a message of any of the three senders: Lambda, EventBridge, SNS.

        Raises
        ------
        CloudError
            It is of none of them, or for a function of somebody else's.
        """
        attributes = {
            name: each.get("StringValue", "")
            for name, each in message.get("MessageAttributes", {}).items()
        }
        try:
            body = json.loads(message["Body"])
            if "requestContext" in body:
                call = Call(body["requestContext"]["functionArn"], body["requestPayload"])
            elif "TARGET_ARN" in attributes:
                if body.get("detail-type") == "Scheduled Event":
                    return Call("", body)
                call = Call(attributes["TARGET_ARN"], body)
            else:
                call = self._notification(body if "Records" in body else _as_event(body))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise CloudError("it is not of a kind that is known") from None
        function = call.function.split(":")[6] if call.function.startswith("arn:") else ""
        if function not in self._functions:
            raise CloudError(f"{call.function} is no function of this stack")
        return Call(function, call.event)

    def _notification(self, event: SnsEvent) -> Call:
        """What SNS did not deliver, for the function that listens."""
        record = event["Records"][0]
        topic = record["Sns"]["TopicArn"]
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        for page in pages:
            for subscription in page["Subscriptions"]:
                if subscription["Protocol"] == "lambda":
                    record.setdefault("EventSubscriptionArn", subscription["SubscriptionArn"])
                    return Call(subscription["Endpoint"], event)
        raise CloudError(f"no function listens to {topic}")


def _as_event(notification: Notification) -> SnsEvent:
    """A notification as Lambda would have been given it."""
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notification}]}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.replay", description=__doc__)
    parser.add_argument("--stack", required=True, help="a deployed stack")
    parser.add_argument("--limit", type=int, default=100, help="messages at most (%(default)s)")
    parser.add_argument("--look", action="store_true", help="only say what there is")
    options = parser.parse_args(arguments)
    try:
        outcomes = list(Stack(options.stack).replay(options.limit, options.look))
    except (CloudError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    if not outcomes:
        print("Both queues are empty.")
        return 0
    rows = [[each.queue, each.message, each.function, each.result] for each in outcomes]
    print(table(["queue", "message", "function", "outcome"], rows))
    if len(outcomes) == options.limit:
        print(f"{options.limit} were looked at; there may be more.")
    return 0 if all(each.done for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
