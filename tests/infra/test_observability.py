"""Somebody hears of everything that goes wrong, and mails are sent as they should."""

import json
import re
from typing import Any

import pytest

from tests.infra.template import ROOT, Stack, bare, whole

HEARD_OF = {
    ("AWS/States", "ExecutionsFailed", "{StateMachine}"),
    ("AWS/States", "ExecutionsTimedOut", "{StateMachine}"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "{FailedInvocations.QueueName}"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "{UndeliveredEvents.QueueName}"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "{Unannounced.QueueName}"),
    ("AWS/Lambda", "Errors", "{ApiFunction}"),
    ("AWS/Lambda", "Errors", "{AuthorizeFunction}"),
    ("AWS/Lambda", "Errors", "{SubmitFunction}"),
    ("AWS/Lambda", "Errors", "{CallbackFunction}"),
    ("AWS/Lambda", "Errors", "{MeshFunction}"),
    ("AWS/Lambda", "Errors", "{LiteFunction}"),
    ("AWS/Lambda", "Errors", "{NotifyFunction}"),
    ("AWS/Lambda", "Errors", "{ReconcileFunction}"),
    ("AWS/Lambda", "Errors", "{AnnounceFunction}"),
    ("AWS/Lambda", "Invocations", "{ReconcileFunction}"),
    ("AWS/ApiGateway", "5xx", "{HttpApi}"),
    ("AWS/SageMaker", "Invocation5XXErrors", "{Endpoint.EndpointName}"),
    ("AWS/SageMaker", "ApproximateAgeOfOldestRequest", "{Endpoint.EndpointName}"),
    ("AWS/SageMaker", "ExpiredRequests", "{Endpoint.EndpointName}"),
    ("AWS/SageMaker", "NotificationFailures", "{Endpoint.EndpointName}"),
    ("AWS/ApiGateway", "4xx", "{HttpApi}"),
    ("AWS/Lambda", "Throttles", "all of the account"),
    ("AWS/SES", "Reputation.BounceRate", "all of the account"),
    ("AWS/SES", "Reputation.ComplaintRate", "all of the account"),
    ("Gen3D", "DraftLost", "all of the account"),
    ("Gen3D", "QueueAge", "gen3d"),
    ("Gen3D", "InvocationLost", "gen3d"),
    ("Gen3D", "RecordCorrected", "gen3d"),
    ("Gen3D", "ExecutionStopped", "gen3d"),
    ("Gen3D", "SweepRefused", "gen3d"),
    ("Gen3D", "EndpointPutToSleep", "gen3d"),
    ("/aws/sagemaker/Endpoints", "CPUUtilization", "{Endpoint.EndpointName}"),
}


def alarms() -> dict[str, dict[str, Any]]:
    found = whole().of_type("AWS::CloudWatch::Alarm")
    scaling = ("WakeUpAlarm", "SleepAlarm")
    return {name: alarm for name, alarm in found.items() if name not in scaling}


def test_the_domains_metrics_are_such_as_the_code_counts() -> None:
    code = "".join(
        path.read_text()
        for folder in ("functions", "layers")
        for path in ROOT.glob(f"{folder}/**/*.py")
    )
    filters = whole().of_type("AWS::Logs::MetricFilter").values()
    filtered = {made["MetricName"] for f in filters for made in f["MetricTransformations"]}
    watched = {a["MetricName"] for a in alarms().values() if a["Namespace"] == "Gen3D"}
    shown = set()
    for widget in json.loads(whole()["Dashboard"]["DashboardBody"])["widgets"]:
        namespace = ""
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                continue  # computed of others
            namespace = namespace if metric[0] in (".", "...") else metric[0]
            shown |= {metric[1]} if namespace == "Gen3D" else set()
    assert watched <= shown, "an alarm's figure is on the dashboard"
    counted = {name for name in shown if f'"{name}"' in code}
    assert shown == counted | filtered


def test_lost_drafts_are_counted_by_states_that_there_are() -> None:
    """A state that was renamed would be counted no more, and nobody would hear of it."""
    (made,) = whole().of_type("AWS::Logs::MetricFilter").values()
    states = (ROOT / "statemachines" / "gen3d.asl.yaml").read_text()
    names = re.findall(r'\$\.details\.name = "(\w+)"', made["FilterPattern"])
    assert names == ["DraftLost", "ObjectDraftLost"]
    for name in names:
        assert re.search(rf"(?m)^ +{name}:\n +Type: Pass$", states)
    assert made["LogGroupName"] == "{StateMachineLogs}"
    (machine,) = whole().of_type("AWS::StepFunctions::StateMachine").values()
    assert machine["LoggingConfiguration"]["Level"] == "ALL"


class TestRunbook:
    """Each alarm has its entry: what it means, where to look, how it ends."""

    def entries(self) -> dict[str, str]:
        page = (ROOT / "docs" / "Gen3D - Runbook - 1.2.md").read_text()
        parts = re.split(r"(?m)^### (\w+)$", page.split("\n## Restoring\n")[0])
        return dict(zip(parts[1::2], parts[2::2], strict=True))

    def test_names_every_alarm_and_no_other(self) -> None:
        assert set(self.entries()) == set(alarms())

    @pytest.mark.parametrize("name", sorted(alarms()))
    def test_says_what_to_do(self, name: str) -> None:
        entry = re.split(r"(?m)^## ", self.entries()[name])[0]
        means, looks, ends = re.fullmatch(
            r"\s*\*\*It means\*\* (.+?)\n\n((?:\d\. .+?\n)+)\n\*\*It ends\*\* (.+?)\s*", entry, re.S
        ).groups()  # type: ignore[union-attr]
        assert re.findall(r"(?m)^(\d)\. ", looks) == ["1", "2", "3"]
        assert len(means) > 40
        assert len(ends) > 20


def test_the_admin_hears_of_these() -> None:
    heard = {
        (alarm["Namespace"], alarm["MetricName"], of.get("Value", "all of the account"))
        for alarm in alarms().values()
        for of in alarm.get("Dimensions", [{}])[:1]
    }
    assert heard == HEARD_OF
    for alarm in alarms().values():
        assert alarm["AlarmActions"] == ["{AdminTopic}"]


def test_every_queue_of_what_failed_has_an_alarm_at_its_first_message() -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]
        for alarm in alarms().values()
        if alarm["Namespace"] == "AWS/SQS" and alarm["Threshold"] == 1
    }
    queues = whole().of_type("AWS::SQS::Queue")
    failed = {name for name, queue in queues.items() if "RedrivePolicy" not in queue}
    assert watched == {f"{{{name}.QueueName}}" for name in failed}
    assert set(queues) - failed == {"Deliveries"}, "a message in it is in order"


def test_silence_is_no_alarm_but_of_the_schedule_and_each_says_what_it_means() -> None:
    for name, alarm in whole().of_type("AWS::CloudWatch::Alarm").items():
        silence = "breaching" if name == "ReconcilerSilentAlarm" else "notBreaching"
        assert alarm["TreatMissingData"] == silence
        assert alarm["AlarmDescription"].endswith(".")


def test_without_an_endpoint_nothing_watches_one() -> None:
    namespaces = {a["Namespace"] for a in bare().of_type("AWS::CloudWatch::Alarm").values()}
    assert "AWS/SageMaker" not in namespaces


def test_the_dashboard_adds_no_microseconds_to_milliseconds() -> None:
    """AWS gives TimeInBacklog in the former, and TotalProcessingTime in the latter."""
    (widget,) = [
        w["properties"]
        for w in json.loads(whole()["Dashboard"]["DashboardBody"])["widgets"]
        if w["properties"]["title"].startswith("Stages")
    ]
    computed, waiting = widget["metrics"][:2]
    assert computed[0]["expression"] == f"{waiting[-1]['id']} / 1000"
    assert waiting[1] == "TimeInBacklog"
    assert waiting[-1]["visible"] is False


class TestMoney:
    """Whoever leaves an instance running hears of it, in more ways than one."""

    def test_an_instance_that_runs_on_is_told_of(self) -> None:
        for hours in ("6", "24"):
            stack = Stack(
                ContainerImage="image", WeightsRevision="0123456789ab", MaxAwakeHours=hours
            )
            alarm = stack["AwakeAlarm"]
            assert (alarm["Statistic"], alarm["Threshold"]) == ("SampleCount", 1)
            assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3600, hours)

    def test_there_is_no_budget_until_somebody_names_one(self) -> None:
        assert not whole().of_type("AWS::Budgets::Budget")

    def test_a_budget_mails_the_admin_before_and_when_it_is_spent(self) -> None:
        budget = Stack(MonthlyBudget="50", AdminEmail="ada@example.com")["Budget"]
        assert budget["Budget"]["BudgetLimit"] == {"Amount": "50", "Unit": "USD"}
        assert budget["Budget"]["TimeUnit"] == "MONTHLY"
        assert [
            (n["Notification"]["NotificationType"], n["Notification"]["Threshold"])
            for n in budget["NotificationsWithSubscribers"]
        ] == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
        for notification in budget["NotificationsWithSubscribers"]:
            assert notification["Subscribers"] == [
                {"SubscriptionType": "EMAIL", "Address": "ada@example.com"}
            ]

    def test_the_reconciler_may_put_this_endpoint_to_sleep(self) -> None:
        allowed = whole().actions_on("ReconcileRole", "{Endpoint}")
        assert allowed == {
            "sagemaker:InvokeEndpointAsync",
            "sagemaker:DescribeEndpoint",
            "sagemaker:UpdateEndpointWeightsAndCapacities",
        }


def test_every_log_has_retention() -> None:
    groups = whole().of_type("AWS::Logs::LogGroup")
    assert len(groups) == 13
    assert {group["RetentionInDays"] for group in groups.values()} == {"30"}


def test_the_admin_is_subscribed() -> None:
    assert whole()["AdminTopic"]["Subscription"] == [
        {"Protocol": "email", "Endpoint": "admin@example.com"}
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
    assert variables["ADMIN_EMAIL"] == "admin@example.com"
