"""What each role of a running stack may do, and what of it was needed."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

from tests.local.running import RunningStack

Permission = tuple[str, str, str]
"""Role (as the template calls it), action and resource, as the policy spells them."""

REASONS: dict[Permission, str] = {
    ("*", "logs:*", "*"): "AWS writes its services' logs with their roles; here they are files",
    ("*", "xray:*", "*"): "AWS traces with the services' roles; nothing is traced here",
    ("StateMachineRole", "lambda:InvokeFunction", "*:*:*"): "SAM allows versions along with it",
    ("*", "s3:ListBucket", "*"): "S3 answers 404 instead of 403 for a file that is missing",
    ("*", "s3:AbortMultipartUpload", "*"): "an upload in parts that was cut off leaves nothing",
    ("ImageBuildRole", "*", "*"): "images are built in AWS alone; here there is no Docker",
    ("ModelRole", "ecr:*", "*"): "SageMaker fetches the image with the model's role",
    ("ModelRole", "kms:*", "*"): "the topics are encrypted, which is done by SNS here",
    (
        "ModelRole",
        "cloudwatch:PutMetricData",
        "*",
    ): "SageMaker's own metrics, which are AWS's alone",
    ("NotifyRole", "dynamodb:*", "*/*IdempotencyTable*"): "a mail that failed is forgotten again",
    ("NotifyRole", "dynamodb:UpdateItem", "*JobsTable*"): "the backstop corrects a record",
    ("CallbackRole", "s3:GetObject", "*/async/failed/*"): "a failure that lies in a file",
    ("ModelRole", "ec2:*", "*"): "SageMaker puts the endpoint into a VPC, where one is chosen",
    # What the reconcile function mends goes wrong seldom: tests/unit and tests/faults let it.
    ("ReconcileRole", "dynamodb:Scan", "*Table*"): "compares all records and tokens, each hour",
    ("ReconcileRole", "dynamodb:GetItem", "*JobsTable*"): "looks a record up before it changes it",
    ("ReconcileRole", "dynamodb:UpdateItem", "*JobsTable*"): "fails a job that was lost",
    ("ReconcileRole", "dynamodb:UpdateItem", "*TokensTable*"): "sends what nobody has sent",
    ("ReconcileRole", "dynamodb:DeleteItem", "*TokensTable*"): "forgets tasks of ended jobs",
    ("ReconcileRole", "sagemaker:InvokeEndpointAsync", "*"): "sends what nobody has sent",
    ("ReconcileRole", "sagemaker:DescribeEndpoint", "*"): "asks for an idle instance, seldom",
    (
        "ReconcileRole",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
        "*",
    ): "ends an instance that was idle for an hour",
    ("ReconcileRole", "states:ListExecutions", "*"): "compares executions and records, each hour",
    ("ApiRole", "states:DescribeExecution", "*"): "looks whether another start is under way",
    ("ReconcileRole", "states:DescribeExecution", "*"): "looks whether a lost job's still runs",
    ("ReconcileRole", "states:StopExecution", "*"): "stops one whose job has ended",
    ("ReconcileRole", "states:StartExecution", "*"): "the operator takes a failed job up again",
    ("ReconcileRole", "states:SendTaskFailure", "*"): "ends a task whose answer never comes",
    ("ReconcileRole", "s3:DeleteObject", "*/private/*"): "removes files of deleted jobs",
    ("ReconcileRole", "s3:DeleteObject", "*/uploads/*"): "removes what was uploaded to them",
    ("ReconcileRole", "lambda:InvokeFunction", "*"): "has a lost job told",
    (
        "CallbackRole",
        "sagemaker:InvokeEndpointAsync",
        "*",
    ): "sends what had to wait: only in a crowd",
    # Of engines that say a pose, and of jobs with several objects: functions/mesh/tests and
    # tests/browser have both.
    ("MeshRole", "s3:GetObject", "*/private/*/image.*"): "holds an object against its photo",
    ("MeshRole", "s3:GetObject", "*/objects/*/mask.png"): "places an object in the scene",
    ("MeshRole", "s3:GetObject", "*/objects/*/mesh.glb"): "sets objects into the scene",
    ("MeshRole", "s3:GetObject", "*/objects/*/engine.glb"): "a mesh in the place of a splat",
    ("MeshRole", "s3:PutObject", "*/jobs/*/scene.*"): "the scene",
    # Of jobs whose request shows their objects: test_whole_jobs.py has them, on another stack.
    ("LiteRole", "s3:GetObject", "*/models/*/*/decoder.onnx"): "makes masks of what was shown",
    ("LiteRole", "s3:GetObject", "*/prompts.json"): "what was shown",
    ("LiteRole", "s3:GetObject", "*/private/*/embeddings.safetensors"): "the photo's, for them",
    ("LiteRole", "s3:PutObject", "*/objects/*/mask.png"): "the masks",
    ("ModelRole", "s3:GetObject", "*/jobs/*/depth.png"): "of engines that take depth maps",
    ("ModelRole", "s3:PutObject", "*/objects/*/engine.glb"): "of an engine that makes meshes",
    # Lambda reads streams and queues with the function's role; here both are in its own process.
    ("AnnounceRole", "dynamodb:*", "*JobsTable*/stream/*"): "Lambda reads the table's stream",
    ("AnnounceRole", "sqs:ReceiveMessage", "*Deliveries*"): "Lambda takes what is due",
    ("AnnounceRole", "sqs:DeleteMessage", "*Deliveries*"): "Lambda removes what is done with",
    ("AnnounceRole", "sqs:GetQueueAttributes", "*Deliveries*"): "Lambda asks how much is due",
    ("AnnounceRole", "sqs:SendMessage", "*Unannounced*"): "Lambda keeps what could not be told",
    # Of people who have webhooks: test_webhooks.py has them, on another stack.
    ("AnnounceRole", "dynamodb:*Item", "*WebhooksTable*"): "deliveries, and what came of them",
    ("AnnounceRole", "sqs:SendMessage", "*Deliveries*"): "what is to be sent",
    ("AnnounceRole", "sqs:ChangeMessageVisibility", "*Deliveries*"): "puts the next attempt off",
    ("ApiRole", "dynamodb:*", "*WebhooksTable*"): "registers, lists, withdraws",
    ("ApiRole", "sqs:SendMessage", "*Deliveries*"): "sends something again",
    ("SubmitRole", "dynamodb:DeleteItem", "*TokensTable*"): "a request that could not be sent",
    ("SubmitRole", "states:SendTaskFailure", "*"): "a request that can never be sent",
}
"""Permissions that no end-to-end run needs, each with what it is for; ``*`` stands for anything."""


def allowed(stack: RunningStack) -> set[Permission]:
    """Everything that the roles' own policies allow; AWS's managed ones are AWS's affair."""
    iam = stack.client("iam")
    found = set()
    for role in (role["RoleName"] for role in iam.list_roles()["Roles"]):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for statement in _list(document["Statement"]):
                if statement["Effect"] == "Allow":
                    found |= {
                        (_logical(role), action, resource)
                        for action in _list(statement["Action"])
                        for resource in _list(statement["Resource"])
                    }
    return found


def used(stack: RunningStack) -> set[Permission]:
    """What allowed the requests that were made since the stack's folder was made."""
    lines = (stack.folder / "logs" / "permissions.jsonl").read_text().splitlines()
    return {(_logical(role), action, resource) for role, action, resource in map(json.loads, lines)}


def is_explained(permission: Permission) -> bool:
    """Whether a reason stands beside it."""
    return any(_matches(permission, pattern) for pattern in REASONS)


def without_object(permissions: set[Permission]) -> list[Permission]:
    """Reasons for what no role is allowed."""
    return [
        pattern
        for pattern in REASONS
        if not any(_matches(permission, pattern) for permission in permissions)
    ]


def _matches(permission: Permission, pattern: Permission) -> bool:
    return all(fnmatchcase(*pair) for pair in zip(permission, pattern, strict=True))


def _logical(role: str) -> str:
    """The template's name of a role whose name CloudFormation made."""
    return re.sub(r"^gen3d-(\w+)-[0-9A-F]+$", r"\1", role)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
