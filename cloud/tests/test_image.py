"""An image is built by the stack's project, and the build's own commands do what they should."""

import io
import json
import os
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.stub import Stubber
from moto import mock_aws

from gen3d_cloud import deployed as stack
from gen3d_cloud import image, weights

ROOT = Path(__file__).parents[2]
BUCKET = "gen3d-bucket"
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/gen3d"
BUILD = "gen3d-image:1"
TEMPLATE = {
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}}},
    "Outputs": {
        "BucketName": {"Value": BUCKET},
        "ImageBuildName": {"Value": "gen3d-image"},
        "HuggingFaceTokenArn": {"Value": "token"},
    },
}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stack with a bucket and the outputs that are asked for."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(image, "_POLL_SECONDS", 0)
    with mock_aws():
        client = boto3.client("cloudformation")
        client.create_stack(StackName="gen3d", TemplateBody=json.dumps(TEMPLATE))
        boto3.client("secretsmanager").create_secret(Name="token")
        yield


@pytest.fixture
def codebuild(deployed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """CodeBuild, whose answers are held against its API; everything else is moto's."""
    client = boto3.client("codebuild")
    real = boto3.client
    monkeypatch.setattr(
        boto3, "client", lambda name, **options: client if name == "codebuild" else real(name)
    )
    with Stubber(client) as stubber:
        yield stubber


Approved = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def approved(deployed: None, monkeypatch: pytest.MonkeyPatch) -> Approved:
    """Fills the secret; Hugging Face grants what is not said otherwise, and notes who asked."""
    monkeypatch.delenv("HF_ENDPOINT", raising=False)

    def approve(**answers: tuple[int, str]) -> list[tuple[str, str]]:
        asked = []
        boto3.client("secretsmanager").put_secret_value(SecretId="token", SecretString=" hf_1\n")

        def ask(url: str, token: str) -> tuple[int, str]:
            repository = url.split("/api/models/")[1].removesuffix("/auth-check")
            asked.append((repository, token))
            return answers.get(repository, (200, ""))

        monkeypatch.setattr(weights, "ask", ask)
        return asked

    return approve


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=True)
    return done.stdout.decode().strip()


def starts(codebuild: Stubber, tag: str, base: str = "") -> None:
    variables = [
        {"name": "ENGINE", "value": tag.split("-")[0]},
        {"name": "TAG", "value": tag},
        {"name": "BASE", "value": base},
    ]
    expected = {
        "projectName": "gen3d-image",
        "sourceLocationOverride": f"{BUCKET}/build/{commit()}.zip",
        "environmentVariablesOverride": variables,
    }
    codebuild.add_response("start_build", {"build": {"id": BUILD}}, expected)


def answers(codebuild: Stubber, status: str, **more: Any) -> None:
    state = {"id": BUILD, "currentPhase": "BUILD", "buildStatus": status, **more}
    codebuild.add_response("batch_get_builds", {"builds": [state]}, {"ids": [BUILD]})


class TestBuild:
    def test_sends_the_commit_waits_and_says_what_is_next(
        self, codebuild: Stubber, capsys: pytest.CaptureFixture[str]
    ) -> None:
        starts(codebuild, f"lite-{commit()[:12]}")
        answers(codebuild, "IN_PROGRESS")
        exported = [
            {"name": "CONTAINER_IMAGE", "value": f"{REPOSITORY}:lite-1"},
            {"name": "WEIGHTS_REVISION", "value": "0123456789ab"},
        ]
        answers(codebuild, "SUCCEEDED", exportedEnvironmentVariables=exported)
        assert image.main(["--stack", "gen3d", "--engine", "lite"]) == 0
        said = capsys.readouterr().out
        assert f"ContainerImage={REPOSITORY}:lite-1 WeightsRevision=0123456789ab" in said
        assert "--stack-name gen3d --parameter-overrides Engine=lite" in said
        codebuild.assert_no_pending_responses()
        key = f"build/{commit()}.zip"
        archive = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
        for name in ("Dockerfile", "Dockerfile.dockerignore", "weights/lite/manifest.json"):
            assert f"container/{name}" in names
        assert "layers/gen3d/src/gen3d/errors.py" in names

    def test_another_engine_takes_the_endpoint_down_first(self, deployed: None) -> None:
        serving = {"EndpointName": {"Value": "gen3d-prod"}, "Engine": {"Value": "lite"}}
        template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": serving}
        boto3.client("cloudformation").create_stack(
            StackName="gen3d-prod", TemplateBody=json.dumps(template)
        )
        made = {"CONTAINER_IMAGE": "image", "WEIGHTS_REVISION": "0123456789ab"}
        first, second = image.deployments("gen3d-prod", "sam", made)
        assert first.endswith("""--parameter-overrides 'ContainerImage=""'""")
        assert second.endswith("Engine=sam ContainerImage=image WeightsRevision=0123456789ab")
        assert all("--config-env prod --stack-name gen3d-prod" in each for each in (first, second))
        assert image.deployments("gen3d-prod", "lite", made) == [second.replace("=sam", "=lite")]

    def test_another_base_is_another_image(self, codebuild: Stubber, approved: Approved) -> None:
        base = "123456789012.dkr.ecr.us-east-1.amazonaws.com/python:3.12-own"
        approved()
        starts(codebuild, f"sam-{commit()[:12]}-3.12-own", base)
        answers(codebuild, "SUCCEEDED")
        assert image.build("gen3d", "sam", base) == {}

    def test_what_the_token_may_not_read_is_told_before_anything_is_built(
        self, codebuild: Stubber, approved: Approved, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = approved(**{"facebook/sam-3d-objects": (403, "GatedRepo")})
        assert image.main(["--stack", "gen3d", "--engine", "sam"]) == 1
        said = capsys.readouterr().err
        assert "weights of facebook/sam-3d-objects: " in said
        assert "Nothing was built; ask for access at https://huggingface.co/facebook/" in said
        assert asked == [("facebook/sam3", "hf_1"), ("facebook/sam-3d-objects", "hf_1")]
        assert "Contents" not in boto3.client("s3").list_objects_v2(Bucket=BUCKET)

    def test_an_empty_secret_is_told_before_anything_is_built(self, codebuild: Stubber) -> None:
        with pytest.raises(stack.CloudError, match="put-secret-value --secret-id token"):
            image.build("gen3d", "sam")

    def test_hugging_face_out_of_reach_from_here_stops_no_build(
        self, codebuild: Stubber, approved: Approved, capsys: pytest.CaptureFixture[str]
    ) -> None:
        approved(**dict.fromkeys(weights.GATED, (503, "")))
        starts(codebuild, f"sam-{commit()[:12]}")
        answers(codebuild, "SUCCEEDED")
        assert image.build("gen3d", "sam") == {}
        assert "answered 503" in capsys.readouterr().err

    def test_a_build_that_fails_says_where_and_why(
        self, codebuild: Stubber, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logs = boto3.client("logs")
        logs.create_log_group(logGroupName="/aws/codebuild/gen3d-image")
        logs.create_log_stream(logGroupName="/aws/codebuild/gen3d-image", logStreamName="1")
        event = {"timestamp": int(time.time() * 1000), "message": "Access has not been granted.\n"}
        logs.put_log_events(
            logGroupName="/aws/codebuild/gen3d-image", logStreamName="1", logEvents=[event]
        )
        starts(codebuild, f"lite-{commit()[:12]}")
        failure = {"statusCode": "COMMAND_EXECUTION_ERROR", "message": "Error while executing"}
        answers(
            codebuild,
            "FAILED",
            phases=[{"phaseType": "POST_BUILD", "phaseStatus": "FAILED", "contexts": [failure]}],
            logs={"groupName": "/aws/codebuild/gen3d-image", "streamName": "1", "deepLink": "L"},
        )
        assert image.main(["--stack", "gen3d", "--engine", "lite"]) == 1
        said = capsys.readouterr().err
        assert "post_build: Error while executing" in said
        assert said.rstrip().endswith("Access has not been granted.")

    def test_a_build_that_is_refused_is_told(self, codebuild: Stubber) -> None:
        codebuild.add_client_error("start_build", "AccountLimitExceededException", "No more")
        with pytest.raises(stack.CloudError, match="No more"):
            image.build("gen3d", "lite")

    @pytest.mark.usefixtures("deployed")
    def test_a_stack_that_is_not_there_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert image.main(["--stack", "other", "--engine", "lite"]) == 1
        assert "The stack other cannot be read" in capsys.readouterr().err

    def test_an_output_that_is_missing_is_told(self) -> None:
        with pytest.raises(stack.CloudError, match="no output ImageBuildName"):
            stack.output("ImageBuildName", "gen3d", {})


class TestSweep:
    def upload(self, revision: str, engine: str = "sam", *, whole: bool = True) -> None:
        names = ("decoder.onnx", "LICENSE", "encoder.pt", *(["manifest.json"] if whole else []))
        for name in names:
            boto3.client("s3").put_object(Bucket=BUCKET, Key=f"models/{engine}/{revision}/{name}")

    def names(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for item in boto3.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]:
            folder, _, name = item["Key"].removeprefix("models/").rpartition("/")
            found.setdefault(folder, set()).add(name)
        return found

    @pytest.fixture
    def staged(self, deployed: None, monkeypatch: pytest.MonkeyPatch) -> None:
        """Five revisions, a day after another; the second is in service."""
        template = TEMPLATE | {"Parameters": {"WeightsRevision": {"Type": "String"}}}
        given: Any = {"ParameterKey": "WeightsRevision", "ParameterValue": "2"}
        boto3.client("cloudformation").update_stack(
            StackName="gen3d", TemplateBody=json.dumps(template), Parameters=[given]
        )
        for day in range(1, 6):
            monkeypatch.setattr("moto.s3.models.utcnow", lambda day=day: datetime(2026, 11, day))
            self.upload(str(day))
            self.upload(str(day), "lite")
        self.upload("6", whole=False)

    @pytest.mark.usefixtures("staged")
    def test_the_last_two_and_the_one_in_service_stay(self) -> None:
        before = self.names()
        assert sorted(image.sweep("gen3d", "sam")) == ["1", "3"]
        after = self.names()
        swept = {"decoder.onnx", "LICENSE"}
        assert after == before | {"sam/1": swept, "sam/3": swept}
        assert image.sweep("gen3d", "sam") == []

    @pytest.mark.usefixtures("staged")
    def test_a_bucket_that_refuses_costs_no_build(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        image._tidy("gen3d", "sam")
        assert "Removed the weights of sam 3" in capsys.readouterr().out
        boto3.client("cloudformation").delete_stack(StackName="gen3d")
        image._tidy("gen3d", "sam")
        assert "Old weights were not removed" in capsys.readouterr().err


FAKES = {
    "aws": """
echo "aws $*" >> "$CALLS"
case "$*" in
ecr\\ describe-images*) echo "${MANIFEST:-application/vnd.docker.distribution.manifest.v2+json}" ;;
*) echo password ;;
esac
""",
    "docker": """
echo "docker $*" >> "$CALLS"
case "$1" in
login) cat > /dev/null ;;
pull) test -n "$THERE" ;;
buildx) test -z "$BROKEN" ;;
run)
    for word; do case "$word" in *:/weights) weights="${word%:/weights}" ;; esac; done
    mkdir -p "$weights"
    case "$*" in
    *fetch-weights*) echo '{"revision": "fedcba987654"}' > "$weights/manifest.json" ;;
    esac
    ;;
esac
""",
}


class TestBuildspec:
    """Its commands, run as CodeBuild runs them, with a docker and an aws that log.

    Each has a bash of its own, to which the one before hands its variables and its directory.
    """

    @pytest.fixture
    def run(self, tmp_path: Path) -> Any:
        source = tmp_path / "source" / "container" / "weights" / "lite"
        source.mkdir(parents=True)
        (source / "manifest.json").write_text('{"revision": "0123456789ab"}')
        (tmp_path / "bin").mkdir()
        for name, program in FAKES.items():
            fake = tmp_path / "bin" / name
            fake.write_text(f"#!/bin/bash\n{program}")
            fake.chmod(0o755)
        spec = yaml.safe_load((ROOT / "container" / "buildspec.yml").read_text())
        phases = [spec["phases"][name] for name in ("pre_build", "build", "post_build")]
        assert all(phase["on-failure"] == "ABORT" for phase in phases)
        commands = [command for phase in phases for command in phase["commands"]]
        told = [f'echo "{name}=${name}" >> "$CALLS"' for name in spec["env"]["exported-variables"]]
        state = tmp_path / "state"
        state.write_text("")

        def run(**variables: str) -> tuple[int, list[str]]:
            environment = {
                "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
                "CALLS": str(tmp_path / "calls"),
                "REPOSITORY": REPOSITORY,
                "BUCKET": BUCKET,
                "TAG": "1",
                **spec["env"]["variables"],
                **variables,
            }
            status = 0
            for command in [*commands, *told]:
                keep = f"status=$?; (export -p; echo \"cd '$PWD'\") > {state}; exit $status"
                script = f"set -a; . {state}\n{command}\n{keep}"
                status = subprocess.run(
                    ["bash", "-c", script], env=environment, cwd=tmp_path / "source", check=False
                ).returncode
                if status:
                    break
            return status, (tmp_path / "calls").read_text().splitlines()

        return run

    def test_lite(self, run: Any, tmp_path: Path) -> None:
        status, calls = run(ENGINE="lite")
        assert status == 0
        registry = REPOSITORY.split("/", maxsplit=1)[0]
        logins = [call for call in calls if call.startswith("docker login")]
        assert logins == [f"docker login --username AWS --password-stdin {registry}"]
        (built,) = [call for call in calls if call.startswith("docker buildx")]
        assert built == (
            "docker buildx build -f container/Dockerfile --build-arg ENGINE=lite"
            " --provenance=false --sbom=false"
            f" --output type=image,name={REPOSITORY}:1,oci-mediatypes=false,push=true ."
        ), "SageMaker takes Docker's manifests alone"
        (ran,) = [call for call in calls if call.startswith("docker run")]
        weights = tmp_path / "source" / "container" / "weights" / "lite"
        assert f"--volume {weights}:/weights" in ran
        assert ran.endswith(
            f"{REPOSITORY}:1 -m gen3d_inference.weights_upload /weights --bucket {BUCKET}"
        )
        assert f"CONTAINER_IMAGE={REPOSITORY}:1" in calls
        assert "WEIGHTS_REVISION=0123456789ab" in calls

    def test_sam_on_another_base(self, run: Any) -> None:
        status, calls = run(ENGINE="sam", BASE="aws.example/python:3.12")
        assert status == 0
        assert "docker login --username AWS --password-stdin aws.example" in calls
        (built,) = [call for call in calls if call.startswith("docker buildx")]
        assert "--build-arg SAM_BASE=aws.example/python:3.12 " in built
        (ran,) = [call for call in calls if call.startswith("docker run")]
        arguments = f"fetch-weights --out /weights --bucket {BUCKET}"
        assert ran.endswith(f"{REPOSITORY}:1 -m gen3d_inference.engines.sam {arguments}")
        assert "--env HF_TOKEN " in ran
        assert "WEIGHTS_REVISION=fedcba987654" in calls

    def test_open(self, run: Any) -> None:
        status, calls = run(ENGINE="open")
        assert status == 0
        (built,) = [call for call in calls if call.startswith("docker buildx")]
        assert "--build-arg ENGINE=open " in built
        (ran,) = [call for call in calls if call.startswith("docker run")]
        arguments = f"fetch-weights --out /weights --bucket {BUCKET}"
        assert ran.endswith(f"{REPOSITORY}:1 -m gen3d_inference.engines.open {arguments}")

    def test_an_image_that_is_there_is_not_built_again(self, run: Any) -> None:
        status, calls = run(ENGINE="lite", THERE="yes")
        assert status == 0
        assert not [call for call in calls if call.startswith("docker buildx")]
        assert "WEIGHTS_REVISION=0123456789ab" in calls

    def test_nothing_follows_a_build_that_broke(self, run: Any) -> None:
        status, calls = run(ENGINE="lite", BROKEN="yes")
        assert status == 1
        assert not [call for call in calls if call.startswith(("aws ecr describe", "docker run"))]

    @pytest.mark.parametrize("there", ["", "yes"])
    def test_an_image_that_sagemaker_would_refuse_is_told_of(self, run: Any, there: str) -> None:
        status, calls = run(
            ENGINE="lite", THERE=there, MANIFEST="application/vnd.oci.image.index.v1+json"
        )
        assert status == 1
        assert not [call for call in calls if call.startswith("docker run")], "no weights either"

    def test_the_arguments_are_the_dockerfiles(self) -> None:
        dockerfile = (ROOT / "container" / "Dockerfile").read_text()
        for name in ("ENGINE=", "LITE_BASE=", "SAM_BASE="):
            assert f"\nARG {name}" in dockerfile
