"""What a deployment is told, and what it tells."""

import json
import re
import tomllib
from graphlib import TopologicalSorter
from typing import Any

import pytest

from tests.infra.template import ROOT, bare, listed, source, translated, whole

ENVIRONMENTS = ("default", "dev", "prod")


def settings(environment: str) -> dict[str, Any]:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    found: dict[str, Any] = config[environment]
    return found


@pytest.mark.parametrize("environment", ENVIRONMENTS)
class TestEachEnvironment:
    def test_tags_everything(self, environment: str) -> None:
        tags = settings(environment)["deploy"]["parameters"]["tags"]
        assert tags == ["Project=gen3d", f"Stage={environment}"]

    def test_needs_no_more_than_to_make_roles(self, environment: str) -> None:
        assert settings(environment)["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"

    def test_gives_parameters_that_there_are(self, environment: str) -> None:
        given = settings(environment)["deploy"]["parameters"].get("parameter_overrides", [])
        assert {entry.split("=")[0] for entry in given} <= set(source()["Parameters"])


def test_deploying_again_changes_no_parameter_of_the_stack() -> None:
    assert "parameter_overrides" not in settings("default")["deploy"]["parameters"]


def test_what_breaks_or_costs_is_off_until_asked_for_and_prod_asks_for_protection() -> None:
    off = {
        "AllowSelfSignUp": "false",
        "ApiConcurrency": 0,
        "CodesThroughSes": "false",
        "DeletionProtection": "false",
        "EndpointSubnets": "",
        "MeshConcurrency": 0,
        "MonthlyBudget": 0,
        "RecoverableDays": 0,
        "SignUpFirewall": "false",
        "WebAclArn": "",
        "WebOrigins": "",
    }
    parameters = source()["Parameters"]
    assert {name: parameters[name]["Default"] for name in off} == off
    prod = settings("prod")["deploy"]["parameters"]["parameter_overrides"]
    assert {"DeletionProtection=true", "AdminNotices=failures"} <= set(prod)
    assert not [entry for entry in prod if entry.startswith("WebOrigins")]


def test_one_version_is_named_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    changes = re.findall(r"(?m)^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text())
    lock = json.loads((ROOT / "webapp" / "package-lock.json").read_text())
    named = {
        "the stack's output": bare().outputs["Version"],
        "CHANGELOG.md": changes[0],
        **{
            f"{folder}/package.json": json.loads((ROOT / folder / "package.json").read_text())[
                "version"
            ]
            for folder in ("webapp", "webapp/src/api")
        },
        "webapp/package-lock.json": lock["version"],
        "the same, of its root": lock["packages"][""]["version"],
    }
    assert named == dict.fromkeys(named, version)
    titles = [path.stem for path in (ROOT / "docs").glob("Gen3D - *.md")]
    assert {title.rpartition(" ")[2] for title in titles} == {version.rpartition(".")[0]}


def test_environments_are_stacks_of_their_own() -> None:
    names = {settings(e)["global"]["parameters"]["stack_name"] for e in ENVIRONMENTS}
    assert len(names) == len(ENVIRONMENTS)


def test_only_two_addresses_have_to_be_given() -> None:
    parameters = source()["Parameters"]
    required = [name for name, p in parameters.items() if "Default" not in p]
    assert required == ["SenderEmail", "AdminEmail"], "no stranger's is told of users' failures"
    for environment in ("dev", "prod"):
        given = settings(environment)["deploy"]["parameters"]["parameter_overrides"]
        assert "AdminEmail=info@2112-lab.com" in given
        assert any(entry.startswith("MonthlyBudget=") for entry in given)
    assert all(parameter["Description"] for parameter in parameters.values())


def test_no_resources_wait_for_each_other_in_a_circle() -> None:
    resources = translated(source(), {})["Resources"]
    TopologicalSorter(
        {name: needs(each) & set(resources) for name, each in resources.items()}
    ).prepare()


def needs(part: Any) -> set[str]:
    """The names that a resource, or a part of one, refers to."""
    match part:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": path}:
            return {path.split(".")[0] if isinstance(path, str) else path[0]}
        case {"Fn::Sub": [str(text), dict(names)]}:
            return needs({"Fn::Sub": text}) - set(names) | needs(list(names.values()))
        case {"Fn::Sub": str(text)}:
            return {found.split(".")[0] for found in re.findall(r"\$\{([^!}]+)\}", text)}
        case dict():
            first = listed(part["DependsOn"]) if "Type" in part and "DependsOn" in part else []
            return set(first).union(*map(needs, part.values()))
        case list():
            return set().union(*map(needs, part))
    return set()


def test_roles_have_no_fixed_names() -> None:
    for role in whole().of_type("AWS::IAM::Role").values():
        assert "RoleName" not in role


def test_it_tells_what_the_page_and_its_users_need() -> None:
    needed = {
        "AllowSelfSignUp",
        "ApiUrl",
        "BucketName",
        "DistributionId",
        "IdentityPoolId",
        "JobsTableName",
        "Region",
        "RepositoryUri",
        "StateMachineArn",
        "UserPoolClientId",
        "UserPoolId",
        "WebUrl",
    }
    assert needed <= set(bare().outputs)
    assert set(whole().outputs) - set(bare().outputs) == {"EndpointName"}
