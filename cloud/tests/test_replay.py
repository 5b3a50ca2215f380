"""Dead letters are given again to the function that they were for, and go once it has done them."""

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from gen3d_cloud import replay
from gen3d_cloud.deployed import CloudError

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeFilterType
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

NOTIFY = "arn:aws:lambda:us-east-1:123456789012:function:gen3d-notify"
CALLBACK = "arn:aws:lambda:us-east-1:123456789012:function:gen3d-callback"
Create = Callable[[dict[str, Any], dict[str, Any]], dict[str, str]]
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}


def function(name: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": name,
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Code": {"ZipFile": "handler = print"},
        },
    }


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_WAIT_SECONDS", 0)


@pytest.fixture
def found(stack: Create) -> dict[str, str]:
    queue = {"Type": "AWS::SQS::Queue"}
    resources = {
        "Role": ROLE,
        "Notify": function("gen3d-notify"),
        "Callback": function("gen3d-callback"),
        "Failed": queue,
        "Undelivered": queue,
        "Topic": {"Type": "AWS::SNS::Topic"},
    }
    outputs = {
        "FailedInvocationsUrl": {"Ref": "Failed"},
        "UndeliveredEventsUrl": {"Ref": "Undelivered"},
        "Topic": {"Ref": "Topic"},
    }
    return stack(resources, outputs)


def send(url: str, body: Any, **attributes: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    typed: dict[str, MessageAttributeValueTypeDef] = {
        n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()
    }
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody=text, MessageAttributes=typed)


def failed(event: Any, arn: str = NOTIFY) -> dict[str, Any]:
    """As Lambda writes it."""
    return {
        "version": "1.0",
        "requestContext": {
            "requestId": "e4b46cbf",
            "functionArn": f"{arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "down"},
    }


def expects(functions: Stubber, name: str, event: Any, said: Any = None, **more: str) -> None:
    answer = {"Payload": io.BytesIO(json.dumps(said).encode()), "StatusCode": 200, **more}
    functions.add_response("invoke", answer, {"FunctionName": name, "Payload": json.dumps(event)})


def left(url: str) -> int:
    """Messages in a queue, those that somebody holds among them."""
    names: list[QueueAttributeFilterType] = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
    ]
    found = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(map(int, found["Attributes"].values()))


def test_what_a_function_failed_on_is_given_to_it_again(
    found: dict[str, str], functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    send(found["FailedInvocationsUrl"], failed({"kind": "completed"}))
    expects(functions, "gen3d-notify", {"kind": "completed"})
    assert replay.main(["--stack", "gen3d"]) == 0
    assert left(found["FailedInvocationsUrl"]) == 0
    (line,) = capsys.readouterr().out.splitlines()[1:]
    assert line.startswith("FailedInvocations ")
    assert line.endswith("gen3d-notify  done")


def test_what_fails_again_stays_and_the_others_go_on(
    found: dict[str, str], functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        send(found["FailedInvocationsUrl"], failed({"n": number}))
    expects(functions, "gen3d-notify", {"n": 0})
    said = {"errorType": "MailFailed", "errorMessage": "SES is down\nfor all"}
    expects(functions, "gen3d-notify", {"n": 1}, said, FunctionError="Unhandled")
    expects(functions, "gen3d-notify", {"n": 2})
    assert replay.main(["--stack", "gen3d"]) == 1
    assert left(found["FailedInvocationsUrl"]) == 1
    assert "stays: MailFailed: SES is down\n" in capsys.readouterr().out


def test_a_function_that_cannot_be_called_keeps_its_message(
    found: dict[str, str], functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    send(found["FailedInvocationsUrl"], failed({}))
    functions.add_client_error("invoke", "TooManyRequestsException", "Rate Exceeded.", 429)
    assert replay.main(["--stack", "gen3d"]) == 1
    assert left(found["FailedInvocationsUrl"]) == 1
    assert "Rate Exceeded." in capsys.readouterr().out


def test_an_event_of_eventbridge_goes_to_its_target(
    found: dict[str, str], functions: Stubber
) -> None:
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": {}}
    rule = "arn:aws:events:us-east-1:123456789012:rule/gen3d-ResultWritten"
    send(found["UndeliveredEventsUrl"], event, RULE_ARN=rule, TARGET_ARN=NOTIFY, ERROR_CODE="X")
    expects(functions, "gen3d-notify", event)
    assert replay.main(["--stack", "gen3d"]) == 0
    assert left(found["UndeliveredEventsUrl"]) == 0


def test_a_scheduled_run_that_was_missed_is_not_caught_up(
    found: dict[str, str], functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    send(found["UndeliveredEventsUrl"], event, TARGET_ARN=CALLBACK)
    assert replay.main(["--stack", "gen3d"]) == 0
    assert left(found["UndeliveredEventsUrl"]) == 0
    assert "the next scheduled run" in capsys.readouterr().out


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_notification_goes_to_who_listens_to_its_topic(
    found: dict[str, str], functions: Stubber, wrapped: bool
) -> None:
    topic = found["Topic"]
    subscription = boto3.client("sns").subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=CALLBACK
    )["SubscriptionArn"]
    said = {"Type": "Notification", "TopicArn": topic, "Message": '{"inferenceId": "1"}'}
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": said}
    send(found["UndeliveredEventsUrl"], {"Records": [record]} if wrapped else said)
    event = {"Records": [record | {"EventSubscriptionArn": subscription}]}
    expects(functions, "gen3d-callback", event)
    assert replay.main(["--stack", "gen3d"]) == 0
    assert left(found["UndeliveredEventsUrl"]) == 0


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("no json", "not of a kind"),
        ({"hello": 1}, "not of a kind"),
        ([1], "not of a kind"),
        (failed({}, NOTIFY.replace("gen3d", "other")), "no function of this stack"),
    ],
)
def test_nothing_else_is_called_nor_lost(
    found: dict[str, str],
    functions: Stubber,
    body: Any,
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    send(found["UndeliveredEventsUrl"], body)
    assert replay.main(["--stack", "gen3d"]) == 1
    assert left(found["UndeliveredEventsUrl"]) == 1
    assert why in capsys.readouterr().out


def test_a_topic_that_nobody_listens_to_keeps_its_message(
    found: dict[str, str], functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    send(found["UndeliveredEventsUrl"], {"Type": "Notification", "TopicArn": found["Topic"]})
    assert replay.main(["--stack", "gen3d"]) == 1
    assert "no function listens" in capsys.readouterr().out


def test_it_ends_after_as_many_as_asked(
    found: dict[str, str], functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        send(found["FailedInvocationsUrl"], failed({"n": number}))
    for number in range(2):
        expects(functions, "gen3d-notify", {"n": number})
    assert replay.main(["--stack", "gen3d", "--limit", "2"]) == 0
    assert left(found["FailedInvocationsUrl"]) == 1
    assert "there may be more" in capsys.readouterr().out


def test_a_look_changes_nothing(
    found: dict[str, str], functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    send(found["FailedInvocationsUrl"], failed({}))
    assert replay.main(["--stack", "gen3d", "--look"]) == 0
    assert left(found["FailedInvocationsUrl"]) == 1
    assert "gen3d-notify  would be given again" in capsys.readouterr().out


def test_empty_queues_are_said(
    found: dict[str, str], functions: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay.main(["--stack", "gen3d"]) == 0
    assert capsys.readouterr().out == "Both queues are empty.\n"


def test_a_stack_of_an_older_version_is_told(stack: Create) -> None:
    stack({"Queue": {"Type": "AWS::SQS::Queue"}}, {"Other": "1"})
    with pytest.raises(CloudError, match="Deploy this version"):
        replay.Stack("gen3d")
