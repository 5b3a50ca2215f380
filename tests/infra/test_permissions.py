"""Roles name what they may do and on what; each exception is listed here with its reason."""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from gen3d.formats import MESH_FORMATS, SCENE_FORMATS
from gen3d.paths import JobFiles, job_prefix, seed_folder
from tests.infra.template import listed, whole

NO_RESOURCE_TO_NAME: dict[tuple[str, ...], str] = {
    ("xray:PutTraceSegments", "xray:PutTelemetryRecords"): (
        "X-Ray knows no resources for what is written"
    ),
    (
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    ): "likewise, and for the sampling that a state machine asks for",
    (
        "logs:CreateLogDelivery",
        "logs:GetLogDelivery",
        "logs:UpdateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:DescribeResourcePolicies",
        "logs:DescribeLogGroups",
    ): "log deliveries, through which a state machine logs, have no resource",
    ("ecr:GetAuthorizationToken",): "a token is for the registry, not for a repository",
    ("cloudwatch:PutMetricData",): "metrics have no resource; a condition names the namespaces",
}
"""Actions of statements whose resource is ``*`` → why."""

PATTERNS: dict[str, str] = {
    "{Bucket.Arn}/private/*": "identities and job ids arise at run time",
    "{Bucket.Arn}/uploads/*": "likewise",
    "{Bucket.Arn}/private/*/jobs/*/result.json": "likewise, and this file alone",
    "{Bucket.Arn}/private/*/embeddings.safetensors": "likewise",
    "{Bucket.Arn}/private/*/prompts.json": "likewise",
    "{Bucket.Arn}/private/*/image.*": "likewise; the ending says jpg, png or webp",
    "{Bucket.Arn}/private/*/jobs/*/depth.png": "likewise",
    "{Bucket.Arn}/private/*/splat.ply": "likewise",
    "{Bucket.Arn}/private/*/objects/*/mask.png": "likewise",
    "{Bucket.Arn}/private/*/objects/*/mesh.*": "likewise; the ending is a mesh format",
    "{Bucket.Arn}/private/*/objects/*/mesh.glb": "likewise",
    "{Bucket.Arn}/private/*/objects/*/splat.spz": "likewise",
    "{Bucket.Arn}/private/*/objects/*/preview.png": "likewise",
    "{Bucket.Arn}/private/*/jobs/*/scene.*": "likewise; the ending is a scene's format",
    "{Bucket.Arn}/private/*/objects/*/splat.ply": "likewise",
    "{Bucket.Arn}/private/*/objects/*/engine.glb": "likewise",
    "{Bucket.Arn}/models/lite/*/decoder.onnx": "the revision of the weights in the image",
    "{Bucket.Arn}/models/*/*/decoder.onnx": "a job keeps the engine and revision it began with",
    "{Bucket.Arn}/models/sam/0123456789ab/*": "the files of one revision",
    "{Bucket.Arn}/models/*": "a revision arises when weights are fetched",
    "{Bucket.Arn}/build/*": "one archive an image",
    "arn:aws:ecr:eu-west-1:123456789012:repository/*": "BASE names the image to build on",
    "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/codebuild/gen3d-image:*": (
        "the streams of one log group"
    ),
    "{Bucket.Arn}/async/in/*": "one file an invocation",
    "{Bucket.Arn}/async/out/*": "one file an invocation",
    "{Bucket.Arn}/async/failed/*": "one file an invocation",
    "{Bucket.Arn}/async/progress/*": "one file an invocation",
    "arn:aws:states:eu-west-1:123456789012:execution:{StateMachine.Name}:*": "one a job",
    "arn:aws:ses:eu-west-1:123456789012:identity/*": (
        "the SES sandbox also asks for the recipient's; a condition fixes the sender"
    ),
    **{
        f"arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/gen3d-{name}:*": (
            "the streams of one log group"
        )
        for name in (
            "announce",
            "api",
            "authorize",
            "submit",
            "callback",
            "mesh",
            "lite",
            "notify",
            "reconcile",
        )
    },
    **{
        f"{{{name}Function.Arn}}:*": "versions and aliases of one function"
        for name in ("Submit", "Mesh", "Lite", "Notify")
    },
}
"""Resources with a ``*`` in them → why."""

TOKENS: dict[str, set[str]] = {
    "ApiRole": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
    "SubmitRole": {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    },
    "CallbackRole": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
    "StateMachineRole": {"dynamodb:PutItem"},
    "ReconcileRole": {
        "dynamodb:Scan",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    },
}
"""Who may touch task tokens: claim and forget, keep and send, look up and send, keep, sweep."""

ROLES = sorted(whole().of_type("AWS::IAM::Role"))


def statements() -> list[tuple[str, dict[str, Any]]]:
    return [(role, statement) for role in ROLES for statement in whole().statements(role)]


def test_no_action_is_a_wildcard() -> None:
    assert [a for _, s in statements() for a in s["Action"] if "*" in a] == []


def test_no_statement_is_turned_around() -> None:
    for _, statement in statements():
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)


def test_every_resource_is_named_where_it_can_be() -> None:
    unnamed = {tuple(s["Action"]) for _, s in statements() if "*" in s["Resource"]}
    assert unnamed == set(NO_RESOURCE_TO_NAME)


def test_every_pattern_has_its_reason() -> None:
    patterns = {r for _, s in statements() for r in s["Resource"] if "*" in r and r != "*"}
    assert patterns == set(PATTERNS)


def test_the_mesh_step_may_write_all_that_it_writes() -> None:
    """What it may not fails every object, and in no test but those of a whole stack."""
    able = [
        resource.replace("{Bucket.Arn}/", "")
        for role, statement in statements()
        if role == "MeshRole" and "s3:PutObject" in statement["Action"]
        for resource in statement["Resource"]
    ]
    job = JobFiles(job_prefix("identity", "job"))
    keys = [job.scene_picture, *(job.scene(ending) for ending in SCENE_FORMATS)]
    for one in (job.object(0), job.object(0).draft, job.object(0, seed_folder(4))):
        keys += [one.preview, one.packed_splat, *(one.mesh(ending) for ending in MESH_FORMATS)]
    assert [key for key in keys if not any(fnmatchcase(key, each) for each in able)] == []


def test_no_role_takes_a_policy_of_somebody_elses() -> None:
    arns = {arn for role in ROLES for arn in whole()[role].get("ManagedPolicyArns", [])}
    assert arns == {"{FunctionBasics}"}


def test_only_these_roles_may_touch_task_tokens() -> None:
    able = {role: whole().actions_on(role, "{TokensTable.Arn}") for role in ROLES}
    assert {role: actions for role, actions in able.items() if actions} == TOKENS


def test_only_these_may_resume_an_execution_and_only_two_with_a_result() -> None:
    resume = {"states:SendTaskSuccess", "states:SendTaskFailure"}
    by_name = "arn:aws:states:eu-west-1:123456789012:stateMachine:gen3d-job"
    assert whole().resources["StateMachine"]["Properties"]["StateMachineName"] == "gen3d-job"
    able = {
        role: actions & resume
        for role in ROLES
        if (
            actions := whole().actions_on(role, "{StateMachine}")
            | whole().actions_on(role, by_name)
        )
        & resume
    }
    assert able == {
        "ApiRole": {"states:SendTaskSuccess"},
        "CallbackRole": resume,
        "SubmitRole": {"states:SendTaskFailure"},
        "ReconcileRole": {"states:SendTaskFailure"},
    }


def test_the_queues_index_is_read_by_those_who_send_or_tell_and_holds_no_token() -> None:
    (index,) = whole()["TokensTable"]["GlobalSecondaryIndexes"]
    assert index["Projection"] == {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": ["owner", "stage"],
    }
    resource = f"{{TokensTable.Arn}}/index/{index['IndexName']}"
    able = {role: found for role in ROLES if (found := whole().actions_on(role, resource))}
    assert set(able) == {"ApiRole", "CallbackRole", "SubmitRole", "ReconcileRole"}
    assert all(actions == {"dynamodb:Query"} for actions in able.values())


def test_nobody_may_scan_a_table_but_who_compares_everything() -> None:
    whole_tables = {"dynamodb:Scan", "dynamodb:BatchGetItem"}
    assert {role for role, s in statements() if whole_tables & set(s["Action"])} == {
        "ReconcileRole"
    }


@pytest.mark.parametrize(
    ("role", "service"),
    [
        ("ImageBuildRole", "codebuild.amazonaws.com"),
        ("ModelRole", "sagemaker.amazonaws.com"),
        ("StateMachineRole", "states.amazonaws.com"),
    ],
)
def test_services_act_for_this_account_alone(role: str, service: str) -> None:
    (statement,) = whole()[role]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": service}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_every_role_is_for_a_service_of_this_account_alone() -> None:
    for role in ROLES:
        (statement,) = whole()[role]["AssumeRolePolicyDocument"]["Statement"]
        assert set(statement["Principal"]) == {"Service"}, role
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_mails_come_from_one_address() -> None:
    (statement,) = [
        s
        for role, s in statements()
        if role == "NotifyRole" and any(a.startswith("ses:") for a in s["Action"])
    ]
    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": "sender@example.com"}}


def test_a_browser_has_no_credentials_of_aws() -> None:
    assert whole()["IdentityPool"]["AllowUnauthenticatedIdentities"] is False
    assert not whole().of_type("AWS::Cognito::IdentityPoolRoleAttachment")
    trusted = {
        principal
        for role in ROLES
        for statement in whole()[role]["AssumeRolePolicyDocument"]["Statement"]
        for principal in statement["Principal"]
    }
    assert trusted == {"Service"}, "nobody from outside takes a role"


@pytest.mark.parametrize(
    ("kind", "policies", "named"),
    [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "{{{}.Arn}}"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "{{{}}}"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "{{{}.Arn}}"),
    ],
)
def test_nothing_is_sent_but_by_tls(kind: str, policies: str, named: str) -> None:
    refused = {
        resource
        for policy in whole().of_type(policies).values()
        for statement in policy["PolicyDocument"]["Statement"]
        if (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for resource in listed(statement["Resource"])
    }
    assert {named.format(name) for name in whole().of_type(kind)} <= refused


def test_policies_on_resources_let_in_nobody_but_the_services_that_need_it() -> None:
    policies = [
        (name, statement)
        for kind, field in (
            ("AWS::S3::BucketPolicy", "PolicyDocument"),
            ("AWS::SQS::QueuePolicy", "PolicyDocument"),
            ("AWS::SNS::TopicPolicy", "PolicyDocument"),
            ("AWS::KMS::Key", "KeyPolicy"),
        )
        for name, properties in whole().of_type(kind).items()
        for statement in properties[field]["Statement"]
    ]
    allowed = {
        (name, service)
        for name, statement in policies
        if statement["Effect"] == "Allow"
        for service in listed(statement["Principal"].get("Service", []))
        if statement.get("Condition")
    }
    assert allowed == {
        ("BucketPolicy", "cloudfront.amazonaws.com"),
        ("UndeliveredEventsPolicy", "sns.amazonaws.com"),
        ("UndeliveredEventsPolicy", "events.amazonaws.com"),
        ("AdminTopicPolicy", "cloudwatch.amazonaws.com"),
        ("AdminTopicPolicy", "ses.amazonaws.com"),
        ("TopicKey", "cloudwatch.amazonaws.com"),
        ("TopicKey", "ses.amazonaws.com"),
    }
    unconditional = [
        name for name, s in policies if s["Effect"] == "Allow" and "Condition" not in s
    ]
    assert unconditional == ["TopicKey"], "the account's own line"
    people = [
        (name, statement["Principal"])
        for name, statement in policies
        if statement["Effect"] == "Allow" and "Service" not in statement["Principal"]
    ]
    # The account's own key policy hands the decision to IAM; there is no other way to write it.
    assert people == [("TopicKey", {"AWS": "arn:aws:iam::123456789012:root"})]
