"""What a deployment over an older one may not replace: what people made, and what has a name.

By CloudFormation's own word on each type (``createOnlyProperties``), which cfn-lint brings. A
change of such a property, or of a logical id here, makes the resource anew and leaves the old one
behind. Where it is meant, CHANGELOG.md says so and the version's first number grows.
"""

import json
from typing import Any

import pytest

from docs.generate.regions import schemas
from tests.infra.template import Stack, whole

BUCKET = "gen3d-123456789012-eu-west-1"
FIXED: dict[str, dict[str, Any]] = {
    "Bucket": {"BucketName": BUCKET},
    "JobsTable": {"KeySchema": ["owner", "jobId"]},
    "TokensTable": {"KeySchema": ["callbackId"]},
    "KeysTable": {"KeySchema": ["keyId"]},
    "SharesTable": {"KeySchema": ["shareId"]},
    "WebhooksTable": {"KeySchema": ["owner", "id"]},
    "IdempotencyTable": {"KeySchema": ["id"]},
    "UserPool": {
        "UsernameAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": False},
    },
    "UserPoolClient": {"GenerateSecret": False, "UserPoolId": "{UserPool}"},
    "IdentityPool": {},
    "Repository": {"EncryptionConfiguration": {"EncryptionType": "AES256"}},
    "HuggingFaceToken": {},
    "HttpApi": {"ProtocolType": "HTTP"},
    "Distribution": {},
    "StateMachine": {"StateMachineName": "gen3d-job", "StateMachineType": "STANDARD"},
    "Endpoint": {"EndpointName": "gen3d"},
}
UNTOLD = {"AWS::Cognito::UserPool": {"UsernameAttributes", "UsernameConfiguration"}}
"""What the schemas are silent about, by CloudFormation's documents."""


def replacing(kind: str) -> set[str]:
    """The properties of a type whose change makes a resource anew."""
    listed = json.loads((schemas() / "providers" / "us-east-1.json").read_text())
    schema = json.loads((schemas() / "resources" / f"{listed[kind]}.json").read_text())
    paths = [
        *schema.get("createOnlyProperties", []),
        *schema.get("conditionalCreateOnlyProperties", []),
    ]
    return {path.split("/")[2] for path in paths} | UNTOLD.get(kind, set())


@pytest.mark.parametrize("name", FIXED)
def test_an_upgrade_keeps(name: str) -> None:
    resource = whole().resources[name]
    properties = resource.get("Properties", {})
    found = {key: properties[key] for key in replacing(resource["Type"]) if key in properties}
    if "KeySchema" in found:
        found["KeySchema"] = [key["AttributeName"] for key in found["KeySchema"]]
    assert found == FIXED[name]


def test_an_endpoint_of_another_image_is_the_same_endpoint() -> None:
    changed = Stack(
        ContainerImage="123456789012.dkr.ecr.eu-west-1.amazonaws.com/gen3d:2",
        WeightsRevision="ba9876543210",
        MaxInstances="3",
    )
    assert changed["Model"] != whole()["Model"]
    assert changed["Endpoint"] == whole()["Endpoint"]
    for kind in ("Model", "EndpointConfig"):
        named = {f"{kind}Name"} & set(whole()[kind])
        assert not named, "what is named can be made anew only once the old one is gone"


def test_no_parameter_but_the_buckets_name_replaces_what_people_made() -> None:
    before = Stack()
    after = Stack(
        Engine="lite",
        AllowSelfSignUp="true",
        CodesThroughSes="true",
        DeletionProtection="true",
        RecoverableDays="7",
        WebHosting="none",
        WebOrigins="http://localhost:5173",
    )
    for name in set(FIXED) - {"Distribution", "Endpoint"}:
        kind = before.resources[name]["Type"]
        old, new = before.resources[name]["Properties"], after.resources[name]["Properties"]
        assert [key for key in replacing(kind) if old.get(key) != new.get(key)] == [], name
