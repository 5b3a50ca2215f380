"""Every function is set up so that it can be watched and loses nothing."""

import json
from typing import Any

import pytest

from gen3d.internet import SECONDS
from gen3d.webhooks import WAITS
from tests.infra.template import Stack, whole

FUNCTIONS = {
    "AnnounceFunction",
    "ApiFunction",
    "AuthorizeFunction",
    "SubmitFunction",
    "CallbackFunction",
    "MeshFunction",
    "LiteFunction",
    "NotifyFunction",
    "ReconcileFunction",
}


def test_these_are_the_functions() -> None:
    assert set(whole().of_type("AWS::Lambda::Function")) == FUNCTIONS


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
class TestEachFunction:
    def test_has_a_log_group_with_retention(self, name: str) -> None:
        groups = [
            group
            for group in whole().of_type("AWS::Logs::LogGroup").values()
            if group["LogGroupName"] == f"/aws/lambda/{{{name}}}"
        ]
        assert [group["RetentionInDays"] for group in groups] == ["30"]

    def test_writes_json_to_that_group_alone(self, name: str) -> None:
        assert whole()[name]["LoggingConfig"] == {"LogFormat": "JSON"}
        short = whole()[name]["FunctionName"]
        groups = {
            resource
            for statement in whole().statements(role_of(name))
            for resource in statement["Resource"]
            if ":log-group:" in resource
        }
        assert groups == {f"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/{short}:*"}

    def test_cannot_make_a_log_group_without_retention(self, name: str) -> None:
        actions = {a for s in whole().statements(role_of(name)) for a in s["Action"]}
        assert "logs:CreateLogGroup" not in actions

    def test_has_a_timeout_and_memory_of_its_own_choice(self, name: str) -> None:
        function = whole()[name]
        assert 29 <= function["Timeout"] <= 300
        assert 256 <= function["MemorySize"] <= 3008

    def test_is_traced(self, name: str) -> None:
        assert whole()[name]["TracingConfig"] == {"Mode": "Active"}
        assert whole().actions_on(role_of(name), "*") == {
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
        }

    def test_keeps_what_failed_in_a_queue(self, name: str) -> None:
        (config,) = [
            config
            for config in whole().of_type("AWS::Lambda::EventInvokeConfig").values()
            if config["FunctionName"] == f"{{{name}}}"
        ]
        queue = config["DestinationConfig"]["OnFailure"]["Destination"]
        assert queue.strip("{}").removesuffix(".Arn") in whole().of_type("AWS::SQS::Queue")
        assert "sqs:SendMessage" in whole().actions_on(role_of(name), queue)

    def test_has_a_role_of_its_own(self, name: str) -> None:
        others = FUNCTIONS - {name}
        assert role_of(name) not in {role_of(other) for other in others}
        trust = whole()[role_of(name)]["AssumeRolePolicyDocument"]["Statement"]
        assert trust == [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
            }
        ]

    def test_runs_where_its_wheels_run(self, name: str) -> None:
        function = whole()[name]
        assert function["Architectures"] == ["x86_64"]
        assert function.get("Runtime", "python3.12") == "python3.12"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_concurrency_is_kept_for_those_who_may_crowd_out_the_others(name: str) -> None:
    crowded = {"ApiFunction": 50, "MeshFunction": 20}
    assert "ReservedConcurrentExecutions" not in whole()[name], "a new account has 10 in all"
    stack = Stack(ApiConcurrency="50", MeshConcurrency="20")
    assert stack[name].get("ReservedConcurrentExecutions") == (
        str(crowded[name]) if name in crowded else None
    )


def test_only_mesh_and_lite_are_images() -> None:
    images = {
        name
        for name, function in whole().of_type("AWS::Lambda::Function").items()
        if function.get("PackageType") == "Image"
    }
    assert images == {"MeshFunction", "LiteFunction"}


def test_the_mail_about_a_failure_names_every_log() -> None:
    named = set(whole()["NotifyFunction"]["Environment"]["Variables"]["LOG_GROUPS"].split(","))
    stack = whole()
    groups = {group["LogGroupName"] for group in stack.of_type("AWS::Logs::LogGroup").values()}
    for name in FUNCTIONS:
        groups = {g.replace(f"{{{name}}}", stack[name]["FunctionName"]) for g in groups}
    assert named == groups - {"/aws/vendedlogs/apis/gen3d", "/aws/codebuild/gen3d-image"}


def test_queues_are_encrypted_and_keep_two_weeks() -> None:
    queues = whole().of_type("AWS::SQS::Queue")
    assert queues
    for queue in queues.values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 86400


def test_every_event_that_cannot_be_delivered_is_kept() -> None:
    stack = whole()
    for subscription in stack.of_type("AWS::SNS::Subscription").values():
        assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": "{UndeliveredEvents.Arn}"}
    rules = stack.of_type("AWS::Events::Rule")
    for rule in rules.values():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": "{UndeliveredEvents.Arn}"}
            assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    statements = [
        statement
        for statement in stack["UndeliveredEventsPolicy"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    topics, sources = [s["Condition"]["ArnEquals"]["aws:SourceArn"] for s in statements]
    assert topics == ["{SuccessTopic}", "{ErrorTopic}"]
    assert set(sources) == {f"{{{name}.Arn}}" for name in rules}


class TestAnnouncements:
    def mappings(self) -> dict[str, dict[str, Any]]:
        found = whole().of_type("AWS::Lambda::EventSourceMapping").values()
        assert {mapping["FunctionName"] for mapping in found} == {"{AnnounceFunction}"}
        return {mapping["EventSourceArn"]: mapping for mapping in found}

    def test_the_function_hears_of_records_and_of_deliveries(self) -> None:
        assert set(self.mappings()) == {"{JobsTable.StreamArn}", "{Deliveries.Arn}"}

    def test_the_stream_has_a_record_before_and_after(self) -> None:
        assert whole()["JobsTable"]["StreamSpecification"] == {
            "StreamViewType": "NEW_AND_OLD_IMAGES"
        }

    def test_a_change_that_cannot_be_told_holds_the_others_up_for_a_while_alone(self) -> None:
        stream = self.mappings()["{JobsTable.StreamArn}"]
        assert stream["StartingPosition"] == "TRIM_HORIZON", "nothing is left out at a deployment"
        assert stream["BisectBatchOnFunctionError"] is True
        assert 0 < stream["MaximumRetryAttempts"] < 100
        assert stream["MaximumRecordAgeInSeconds"] < 86_400, "a stream forgets after a day"
        kept = stream["DestinationConfig"]["OnFailure"]["Destination"]
        assert kept == "{Unannounced.Arn}"
        assert "sqs:SendMessage" in whole().actions_on("AnnounceRole", kept)

    def test_a_delivery_is_one_call_which_says_whether_it_comes_again(self) -> None:
        due = self.mappings()["{Deliveries.Arn}"]
        assert due["BatchSize"] == 1, "a slow receiver holds nothing else up"
        assert due["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert due["ScalingConfig"] == {"MaximumConcurrency": 5}
        queue, function = whole()["Deliveries"], whole()["AnnounceFunction"]
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert function["Timeout"] > SECONDS + 20, "the table and the queue want some, too"
        redrive = queue["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"] == "{Unannounced.Arn}"
        assert redrive["maxReceiveCount"] > 2 * (len(WAITS) + 1), "else a day ends early"
        assert queue["MessageRetentionPeriod"] > sum(WAITS) + 86_400

    def test_it_puts_events_on_this_bus_alone(self) -> None:
        assert whole().actions_on("AnnounceRole", "{JobEvents.Arn}") == {"events:PutEvents"}
        assert whole()["JobEvents"]["Name"] == "gen3d"

    def test_it_reads_no_job_and_no_file(self) -> None:
        """It speaks to strangers' servers: it may do no more than that."""
        for resource in ("{JobsTable.Arn}", "{Bucket.Arn}", "{KeysTable.Arn}"):
            assert not whole().actions_on("AnnounceRole", resource)


def test_callback_hears_of_every_answer_of_the_endpoint() -> None:
    subscriptions = whole().of_type("AWS::SNS::Subscription").values()
    assert {s["TopicArn"] for s in subscriptions} == {"{SuccessTopic}", "{ErrorTopic}"}
    assert {s["Endpoint"] for s in subscriptions} == {"{CallbackFunction.Arn}"}


def test_notify_is_woken_by_results_and_by_broken_executions() -> None:
    found = whole().of_type("AWS::Events::Rule")
    rules = {name: rule for name, rule in found.items() if "EventPattern" in rule}
    assert {name: rule["EventPattern"] for name, rule in rules.items()} == {
        "NotifyFunctionResultWritten": {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": ["{Bucket}"]},
                "object": {"key": [{"wildcard": "private/*/jobs/*/result.json"}]},
            },
        },
        "NotifyFunctionExecutionBroken": {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {
                "stateMachineArn": ["{StateMachine}"],
                "status": ["FAILED", "TIMED_OUT", "ABORTED"],
            },
        },
    }
    for rule in rules.values():
        assert [target["Arn"] for target in rule["Targets"]] == ["{NotifyFunction.Arn}"]


def test_queue_idle_endpoint_and_everything_are_looked_after_now_and_then() -> None:
    found = whole().of_type("AWS::Events::Rule").values()
    schedules = [rule for rule in found if "ScheduleExpression" in rule]
    targets = [(rule["ScheduleExpression"], *rule["Targets"]) for rule in schedules]
    assert {(target["Input"], how_often, target["Arn"]) for how_often, target in targets} == {
        ('{"task": "queue"}', "rate(1 minute)", "{ReconcileFunction.Arn}"),
        ('{"task": "idle"}', "rate(10 minutes)", "{ReconcileFunction.Arn}"),
        ('{"task": "sweep"}', "rate(1 hour)", "{ReconcileFunction.Arn}"),
        ('{"task": "batches"}', "rate(1 minute)", "{ApiFunction.Arn}"),
    }


def test_all_that_send_are_told_the_same() -> None:
    sending = {
        "ENDPOINT_NAME",
        "INVOCATION_TIMEOUT_SECONDS",
        "MAX_INSTANCES",
        "REQUEST_TTL_SECONDS",
        "TOKENS_TABLE",
    }
    told = [
        {variable: environment(name)[variable] for variable in sending}
        for name in ("SubmitFunction", "CallbackFunction", "ReconcileFunction")
    ]
    assert told[0] == told[1] == told[2]
    assert told[0]["ENDPOINT_NAME"] == "{Endpoint.EndpointName}"


def test_the_dashboard_is_json_and_shows_every_function_and_queue() -> None:
    body = json.loads(whole()["Dashboard"]["DashboardBody"])
    shown = json.dumps(body)
    for name in FUNCTIONS:
        assert f"{{{name}}}" in shown
    for name in whole().of_type("AWS::SQS::Queue"):
        assert f"{{{name}.QueueName}}" in shown


def environment(name: str) -> dict[str, str]:
    variables: dict[str, str] = whole()[name]["Environment"]["Variables"]
    return variables


def role_of(name: str) -> str:
    role: str = whole()[name]["Role"]
    return role.strip("{}").removesuffix(".Arn")
