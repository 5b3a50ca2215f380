"""The project that builds the image and fetches the weights: told all it asks for, and no more."""

import re
from typing import Any

import pytest
import yaml

from tests.infra.template import ROOT, Stack, bare, source

PUSHED = "{Repository.Arn}"


def environment() -> dict[str, Any]:
    found: dict[str, Any] = bare()["ImageBuild"]["Environment"]
    return found


def buildspec() -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load((ROOT / "container" / "buildspec.yml").read_text())
    return spec


def test_it_is_there_before_there_is_an_endpoint() -> None:
    assert bare().outputs["ImageBuildName"] == "{ImageBuild}"
    assert bare().outputs["HuggingFaceTokenArn"] == "{HuggingFaceToken}"


def test_it_can_run_docker_and_has_room_for_image_and_weights() -> None:
    assert environment()["PrivilegedMode"] is True
    assert "ConcurrentBuildLimit" not in bare()["ImageBuild"], "a new account's is none"
    assert bare()["ImageBuild"]["Source"] == {
        "Type": "S3",
        "Location": "{Bucket}/build/source.zip",
        "BuildSpec": "container/buildspec.yml",
    }
    assert (ROOT / "container" / "buildspec.yml").is_file()


@pytest.mark.parametrize(
    ("parameters", "size"),
    [
        ({"Engine": "sam"}, "BUILD_GENERAL1_LARGE"),
        ({"Engine": "open"}, "BUILD_GENERAL1_LARGE"),
        ({"Engine": "lite"}, "BUILD_GENERAL1_MEDIUM"),
        ({"Engine": "lite", "BuildComputeType": "BUILD_GENERAL1_SMALL"}, "BUILD_GENERAL1_SMALL"),
    ],
)
def test_its_machine_fits_the_engine_and_the_account(parameters: dict[str, str], size: str) -> None:
    assert Stack(**parameters)["ImageBuild"]["Environment"]["ComputeType"] == size


def test_the_commands_are_given_what_they_ask_for() -> None:
    given = {each["Name"]: each["Value"] for each in environment()["EnvironmentVariables"]}
    assert given == {
        "ENGINE": "sam",
        "REPOSITORY": "{Repository.RepositoryUri}",
        "BUCKET": "{Bucket}",
        "HF_TOKEN": "{HuggingFaceToken}",
    }
    by_the_build = {"TAG", *buildspec()["env"]["variables"]}
    commands = str(buildspec()["phases"])
    for name in set(given) | by_the_build:
        assert f"${name}" in commands or f"${{{name}" in commands or f"--env {name}" in commands


def test_the_token_is_in_no_template_and_read_by_nobody_else() -> None:
    assert set(bare()["HuggingFaceToken"]) == {"Description"}
    able = {
        role
        for role in bare().of_type("AWS::IAM::Role")
        if "secretsmanager:GetSecretValue"
        in {a for s in bare().statements(role) for a in s["Action"]}
    }
    assert able == {"ImageBuildRole"}
    assert bare().actions_on("ImageBuildRole", "{HuggingFaceToken}") == {
        "secretsmanager:GetSecretValue"
    }


def test_it_pushes_to_the_stacks_own_registry_alone() -> None:
    pushing = {"ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"}
    where = {
        resource
        for statement in bare().statements("ImageBuildRole")
        if pushing & set(statement["Action"])
        for resource in statement["Resource"]
    }
    assert where == {PUSHED}
    assert pushing <= bare().actions_on("ImageBuildRole", PUSHED)


def test_it_may_look_at_the_bucket_as_codebuild_does_at_a_source() -> None:
    assert bare().actions_on("ImageBuildRole", "{Bucket.Arn}") == {
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
        "s3:ListBucket",
    }


def test_it_writes_weights_and_nothing_else() -> None:
    where = {
        resource
        for statement in bare().statements("ImageBuildRole")
        if "s3:PutObject" in statement["Action"]
        for resource in statement["Resource"]
    }
    assert where == {"{Bucket.Arn}/models/*"}


def test_a_build_ends_and_its_log_is_kept() -> None:
    assert bare()["ImageBuild"]["TimeoutInMinutes"] <= 180
    assert bare()["ImageBuild"]["LogsConfig"] == {
        "CloudWatchLogs": {"Status": "ENABLED", "GroupName": "{ImageBuildLogs}"}
    }
    assert bare()["ImageBuildLogs"]["LogGroupName"] == "/aws/codebuild/gen3d-image"
    assert bare()["ImageBuild"]["Name"] == "gen3d-image"


def test_the_builds_docker_does_not_change_by_itself() -> None:
    """A release of https://github.com/aws/aws-codebuild-docker-images, and not what is newest."""
    image = source()["Parameters"]["BuildImage"]["Default"]
    assert re.fullmatch(r"aws/codebuild/amazonlinux-x86_64-standard:5\.0-\d\d\.\d\d\.\d\d", image)
