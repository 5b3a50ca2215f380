"""Somebody hears of everything that goes wrong, and mails are sent as they should."""

from typing import Any

from tests.infra.stack import bare, whole

HEARD_OF = {
    ("AWS/States", "ExecutionsFailed", "{StateMachine}"),
    ("AWS/States", "ExecutionsTimedOut", "{StateMachine}"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "{FailedInvocations.QueueName}"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "{UndeliveredEvents.QueueName}"),
    ("AWS/Lambda", "Errors", "{ApiFunction}"),
    ("AWS/Lambda", "Errors", "{SubmitFunction}"),
    ("AWS/Lambda", "Errors", "{CallbackFunction}"),
    ("AWS/Lambda", "Errors", "{MeshFunction}"),
    ("AWS/Lambda", "Errors", "{NotifyFunction}"),
    ("AWS/ApiGateway", "5xx", "{HttpApi}"),
    ("AWS/SageMaker", "Invocation5XXErrors", "{Endpoint.EndpointName}"),
    ("AWS/SageMaker", "ApproximateAgeOfOldestRequest", "{Endpoint.EndpointName}"),
}


def alarms() -> dict[str, dict[str, Any]]:
    found = whole().of_type("AWS::CloudWatch::Alarm")
    scaling = ("WakeUpAlarm", "SleepAlarm")
    return {name: alarm for name, alarm in found.items() if name not in scaling}


def test_the_admin_hears_of_these() -> None:
    heard = {
        (alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"][0]["Value"])
        for alarm in alarms().values()
    }
    assert heard == HEARD_OF
    for alarm in alarms().values():
        assert alarm["AlarmActions"] == ["{AdminTopic}"]


def test_every_queue_has_an_alarm_at_its_first_message() -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]
        for alarm in alarms().values()
        if alarm["Namespace"] == "AWS/SQS" and alarm["Threshold"] == 1
    }
    assert watched == {f"{{{name}.QueueName}}" for name in whole().of_type("AWS::SQS::Queue")}


def test_silence_is_no_alarm_and_each_says_what_it_means() -> None:
    for alarm in whole().of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"].endswith(".")


def test_without_an_endpoint_nothing_watches_one() -> None:
    namespaces = {a["Namespace"] for a in bare().of_type("AWS::CloudWatch::Alarm").values()}
    assert "AWS/SageMaker" not in namespaces


def test_every_log_has_retention() -> None:
    groups = whole().of_type("AWS::Logs::LogGroup")
    assert len(groups) == 9
    assert {group["RetentionInDays"] for group in groups.values()} == {"30"}


def test_the_admin_is_subscribed() -> None:
    assert whole()["AdminTopic"]["Subscription"] == [
        {"Protocol": "email", "Endpoint": "info@2112-lab.com"}
    ]


def test_every_topic_is_encrypted_with_a_key_that_its_publishers_may_use() -> None:
    topics = whole().of_type("AWS::SNS::Topic")
    assert set(topics) == {"AdminTopic", "SuccessTopic", "ErrorTopic"}
    assert {topic["KmsMasterKeyId"] for topic in topics.values()} == {"{TopicKey}"}
    assert whole()["TopicKey"]["EnableKeyRotation"] is True
    (publishers,) = [
        s for s in whole()["TopicKey"]["KeyPolicy"]["Statement"] if s["Sid"] == "Publishers"
    ]
    assert publishers["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "ses.amazonaws.com"]}
    assert publishers["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_bounced_mails_reach_the_admin() -> None:
    destination = whole()["BouncedMails"]["EventDestination"]
    assert destination["Enabled"] is True
    assert {"bounce", "complaint"} <= set(destination["MatchingEventTypes"])
    assert destination["SnsDestination"] == {"TopicARN": "{AdminTopic}"}
    assert whole()["BouncedMails"]["ConfigurationSetName"] == "{ConfigurationSet}"


def test_mails_come_from_the_identity_and_through_the_configuration_set() -> None:
    variables = whole()["NotifyFunction"]["Environment"]["Variables"]
    assert variables["SENDER_EMAIL"] == whole()["SenderIdentity"]["EmailIdentity"]
    assert variables["CONFIGURATION_SET"] == "{ConfigurationSet}"
    assert variables["ADMIN_EMAIL"] == "info@2112-lab.com"
