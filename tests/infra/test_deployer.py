"""Who deploys may do what the template needs, and the regions are those that have all of it."""

import json
import re
from fnmatch import fnmatch

import pytest

from docs.generate.deployer import policy
from docs.generate.parts import DocumentError
from docs.generate.regions import regions, schemas
from tests.infra.template import Stack

KINDS = {
    resource["Type"]
    for resource in Stack(
        SignUpFirewall="true", MonthlyBudget="9", ContainerImage="image", WeightsRevision="0" * 12
    ).resources.values()
}


def allowed() -> dict[str, list[str]]:
    document = json.loads(policy(KINDS).removeprefix("```json\n").removesuffix("\n```"))
    return {each["Resource"]: each["Action"] for each in document["Statement"]}


OTHERS = {
    *(
        "amplify",
        "apprunner",
        "appsync",
        "bedrock-agentcore",
        "elasticloadbalancing",
    ),  # of a web ACL
    *("elasticfilesystem", "s3files"),  # of functions
    *("kinesis", "firehose", "s3tables", "payments", "cognito-sync"),
}
"""Services that CloudFormation asks for uses of these types which the template has not."""
ELSEWHERE = re.compile("iam:.*(User|Group|Boundary|ListRoles|ListPolicies)|ec2:.*VerifiedAccess")


def test_every_call_that_cloudformation_makes_is_allowed() -> None:
    """By its own word on each type, which cfn-lint brings."""
    listed = json.loads((schemas() / "providers" / "us-east-1.json").read_text())
    granted = {action for actions in allowed().values() for action in actions}
    asked = set()
    for kind in KINDS:
        schema = json.loads((schemas() / "resources" / f"{listed[kind]}.json").read_text())
        for handler in schema.get("handlers", {}).values():
            asked.update(handler.get("permissions", []))
    assert len(asked) > 300
    missing = {
        action
        for action in asked
        if not any(fnmatch(action.lower(), pattern.lower()) for pattern in granted)
        and action.partition(":")[0] not in OTHERS
        and not ELSEWHERE.match(action)
    }
    assert missing == set()


def test_roles_and_policies_are_the_stacks_own() -> None:
    for resource, actions in allowed().items():
        if any(action.startswith("iam:") for action in actions):
            assert resource.startswith("arn:aws:iam::123456789012:")
    assert "iam:PassRole" in allowed()["arn:aws:iam::123456789012:role/gen3d-*"]
    assert "iam:CreatePolicy" in allowed()["arn:aws:iam::123456789012:policy/gen3d-*"]
    assert "iam:*" not in str(allowed())


def test_it_fits_into_a_policy_of_iams() -> None:
    assert len("".join(policy(KINDS).split())) < 6144


def test_a_type_of_a_service_that_is_not_known_is_told() -> None:
    with pytest.raises(DocumentError, match="AWS::Kinesis::Stream"):
        policy(KINDS | {"AWS::Kinesis::Stream"})


def test_regions_that_lack_something_are_left_out() -> None:
    table = regions(KINDS)
    assert "| `us-east-1` | `ml.g6e.2xlarge` | `ml.g6.2xlarge` | `ml.c7i.xlarge` |" in table
    assert "`eu-central-1`" in table
    assert "`ca-west-1`" not in table, "no CodeBuild"
    assert "`us-east-1`" not in regions(KINDS | {"AWS::Nowhere::Thing"})
