"""Each thing that stops a first deployment is put in once, and told with what mends it."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber

from gen3d_cloud import weights
from gen3d_cloud.checks import Check, asked, exit_code, report
from gen3d_cloud.deployed import CloudError
from gen3d_cloud.preflight import __main__ as command
from gen3d_cloud.preflight import account, machine, verdicts
from gen3d_cloud.preflight.parameters import resolve
from tests.infra.template import Stack

ACCOUNT = "123456789012"
BUCKET = f"gen3d-{ACCOUNT}-us-east-1"
SENDER, ADMIN = "gen3d@example.com", "admin@example.com"
GIVEN = f"SenderEmail={SENDER} AdminEmail={ADMIN}"
SECRET = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:token"
TYPES = {"sam": "ml.g6e.2xlarge", "open": "ml.g6.2xlarge", "lite": "ml.c7i.xlarge"}
ROOT = Path(__file__).parents[2]
MADE = datetime(2026, 11, 28, tzinfo=UTC)
SERVICES = (
    "sts cloudformation s3 ec2 service-quotas codebuild lambda cloudfront sesv2 secretsmanager"
)
BUILD_IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"


@dataclass
class Aws:
    """An account that is ready, until a test says otherwise; answers are held against the API."""

    engine: str = "sam"
    region: str = "us-east-1"
    status: str = ""  # of the stack; not there
    resources: tuple[str, ...] = ()
    stack_parameters: dict[str, str] = field(default_factory=dict)
    bucket: int = 404
    offered: bool = True
    instances: float | None = 2  # None: the region has no such quota
    default_instances: float | None = None  # where the account has no entry of its own
    builds: float = 1
    build_images: tuple[str, ...] = ("5.0-26.03.25", "5.0-26.09.01")
    functions: int = 1000
    distributions: int = 1
    production: bool = True
    sending: bool = True
    identities: dict[str, bool] = field(default_factory=dict)
    secret: str | None = None
    granted: dict[str, tuple[int, str]] = field(default_factory=dict)
    refused: str = ""  # a service that these credentials may not ask
    token: str = "hf_token"

    def ask(self, url: str, token: str) -> tuple[int, str]:
        """Hugging Face."""
        assert token == (self.secret or self.token)
        repository = url.removeprefix("https://huggingface.co/api/models/")
        return self.granted.get(repository.removesuffix("/auth-check"), (200, ""))

    def stub(self, stubs: dict[str, Stubber], parameters: str, whole: bool) -> None:
        """Queue the answers in the order that they are asked for."""
        stubs["sts"].add_response("get_caller_identity", {"Account": ACCOUNT})
        stacks = stubs["cloudformation"]
        if self.status:
            given = [
                {"ParameterKey": k, "ParameterValue": v} for k, v in self.stack_parameters.items()
            ]
            about: dict[str, Any] = {
                "StackName": "gen3d",
                "CreationTime": MADE,
                "StackStatus": self.status,
                "Parameters": given,
                "Outputs": [{"OutputKey": "HuggingFaceTokenArn", "OutputValue": SECRET}],
            }
            stacks.add_response("describe_stacks", {"Stacks": [about]})
            made = [
                {
                    "LogicalResourceId": name,
                    "ResourceType": "AWS::S3::Bucket",
                    "LastUpdatedTimestamp": MADE,
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for name in self.resources
            ]
            stacks.add_response("list_stack_resources", {"StackResourceSummaries": made})
        else:
            stacks.add_client_error(
                "describe_stacks", "ValidationError", "Stack with id gen3d does not exist", 400
            )
        if self.bucket == 200:
            stubs["s3"].add_response("head_bucket", {}, {"Bucket": BUCKET})
        else:
            stubs["s3"].add_client_error("head_bucket", str(self.bucket), "", self.bucket)
        kind = TYPES[self.engine]
        offer = {"InstanceType": kind.removeprefix("ml."), "LocationType": "region"}
        stubs["ec2"].add_response(
            "describe_instance_type_offerings",
            {"InstanceTypeOfferings": [offer] if self.offered else []},
        )
        quotas = stubs["service-quotas"]
        name = f"{kind} for endpoint usage"
        self._quota(quotas, "list_service_quotas", "sagemaker", name, self.instances)
        if self.instances is None:
            operation = "list_aws_default_service_quotas"
            self._quota(quotas, operation, "sagemaker", name, self.default_instances)
        if self.refused == "service-quotas":
            quotas.add_client_error("list_service_quotas", "AccessDeniedException", "no", 400)
        else:
            size = {"sam": "Large", "open": "Large", "lite": "Medium"}[self.engine]
            name = f"Concurrently running builds for Linux/{size} environment"
            self._quota(quotas, "list_service_quotas", "codebuild", name, self.builds)
        versions = [f"{BUILD_IMAGE.rpartition(':')[0]}:{each}" for each in self.build_images]
        image = {"name": BUILD_IMAGE, "versions": versions}
        languages = [{"language": "BASE", "images": [image]}]
        stubs["codebuild"].add_response(
            "list_curated_environment_images",
            {"platforms": [{"platform": "AMAZON_LINUX", "languages": languages}]},
        )
        limits = {"ConcurrentExecutions": self.functions}
        stubs["lambda"].add_response("get_account_settings", {"AccountLimit": limits})
        listed = {"Quantity": self.distributions, "Marker": "", "MaxItems": 100}
        stubs["cloudfront"].add_response(
            "list_distributions", {"DistributionList": {**listed, "IsTruncated": False}}
        )
        sends: dict[str, Any] = {
            "ProductionAccessEnabled": self.production,
            "SendingEnabled": self.sending,
            "SendQuota": {"Max24HourSend": 50000.0 if self.production else 200.0},
        }
        if whole:
            stubs["sesv2"].add_response("get_account", sends)
        existing = re.search(r"ExistingIdentity=(\S+)", parameters)
        asked_for = [SENDER] if SENDER in parameters or self.stack_parameters else []
        asked_for += ["example.com"] if asked_for and SENDER not in self.identities else []
        asked_for = [existing[1]] if existing else asked_for
        asked_for += [] if self.production else [ADMIN, "example.com"]
        for name in asked_for:
            if name in self.identities:
                answer = {"VerifiedForSendingStatus": self.identities[name]}
                stubs["sesv2"].add_response("get_email_identity", answer, {"EmailIdentity": name})
            else:
                stubs["sesv2"].add_client_error("get_email_identity", "NotFoundException", "", 404)
        if self.secret:
            stubs["secretsmanager"].add_response("get_secret_value", {"SecretString": self.secret})
        else:
            stubs["secretsmanager"].add_client_error(
                "get_secret_value", "ResourceNotFoundException", "AWSCURRENT", 400
            )

    @staticmethod
    def _quota(
        quotas: Stubber, operation: str, service: str, name: str, value: float | None
    ) -> None:
        other = {"QuotaName": "another", "QuotaCode": "L-0", "Value": 100.0}
        mine = {"QuotaName": name, "QuotaCode": "L-F8D7F460", "Value": value}
        found = [other] if value is None else [other, mine]
        quotas.add_response(operation, {"Quotas": found}, {"ServiceCode": service})


Look = Callable[..., dict[str, Check]]


@pytest.fixture(scope="module")
def clients() -> dict[str, Any]:
    """Made once: reading what EC2 can do takes longer than all that is asked of it."""
    make: Any = boto3.Session("testing", "testing", region_name="us-east-1").client
    return {name: make(name) for name in SERVICES.split()}


@pytest.fixture
def look(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives the checks of an account by what they look at."""
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setattr(boto3, "client", lambda name, **options: clients[name])

    def look(parameters: str = GIVEN, whole: bool = True, **faults: Any) -> dict[str, Check]:
        aws = Aws(**faults)
        with ExitStack() as entered:
            stubs = {name: entered.enter_context(Stubber(c)) for name, c in clients.items()}
            aws.stub(stubs, parameters, whole)
            if whole:
                found = account.checks("gen3d", aws.engine, parameters, aws.token, aws.ask)
            else:
                found = account.breaking("gen3d", parameters)
            return {check.what: check for check in found}

    return look


def fails(checks: dict[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if check.holds is not True]


def test_an_account_that_is_ready(look: Look) -> None:
    checks = look()
    assert fails(checks) == []
    assert len(checks) == 16
    assert exit_code(checks.values()) == 0
    assert f"{BUCKET} is free" in checks["bucket"].says


FAULTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("stack", {"status": "ROLLBACK_COMPLETE"}, "holds nothing", "delete-stack --stack-name gen3d"),
    (
        "stack",
        {"status": "UPDATE_ROLLBACK_FAILED", "resources": ("Bucket",)},
        "so did its roll-back",
        "continue-update-rollback",
    ),
    ("stack", {"status": "UPDATE_IN_PROGRESS"}, "wait", "describe-stacks"),
    ("bucket", {"bucket": 200}, "kept from a stack that was deleted", f"s3 rb s3://{BUCKET}"),
    ("bucket", {"bucket": 403}, "somebody else", "another STACK, or PARAMETERS='BucketName="),
    ("ml.g6e.2xlarge in us-east-1", {"offered": False}, "EC2 does not offer", "AWS_REGION"),
    ("ml.g6e.2xlarge in us-east-1", {"instances": None}, "SageMaker does not", "AWS_REGION"),
    (
        "quota of ml.g6e.2xlarge",
        {"instances": 0},
        "0 for endpoint usage",
        "--service-code sagemaker --quota-code L-F8D7F460 --desired-value 2",
    ),
    (
        "quota of ml.c7i.xlarge",
        {"engine": "lite", "instances": None, "default_instances": 0},
        "0 for endpoint usage",
        "--desired-value 2",
    ),
    ("CodeBuild", {"builds": 0}, "more than 0 builds", "--service-code codebuild"),
    ("Lambda", {"functions": 10}, "10 functions at a time", "L-B99A9384"),
    ("SES", {"production": False, "identities": {ADMIN: True}}, "sandbox: 200", "put-account"),
    ("SES", {"sending": False}, "paused", "AWS's case"),
    ("AdminEmail", {"production": False}, "not verified", f"--email-identity {ADMIN}"),
    ("SenderEmail", {"identities": {SENDER: True}}, "fail to make it again", "ExistingIdentity="),
    (
        "SenderEmail",
        {"identities": {SENDER: False}, "status": "CREATE_COMPLETE", "bucket": 200}
        | {"resources": ("SenderIdentity", "Bucket"), "secret": "hf_1"},
        "until its link is clicked",
        f"verify-email-identity --email-address {SENDER}",
    ),
    (
        "weights of facebook/sam3",
        {"granted": {"facebook/sam3": (403, "GatedRepo")}},
        "has not been granted",
        "https://huggingface.co/facebook/sam3",
    ),
    (
        "weights of facebook/sam-3d-objects",
        {"granted": {"facebook/sam-3d-objects": (401, "")}},
        "does not accept the token",
        weights.TOKENS,
    ),
    ("weights", {"token": ""}, "No access token", "export HF_TOKEN"),
    (
        "weights",
        {"status": "CREATE_COMPLETE", "resources": ("Bucket",), "bucket": 200},
        "holds no token",
        f"put-secret-value --secret-id {SECRET}",
    ),
]


@pytest.mark.parametrize(("what", "fault", "says", "mend"), FAULTS)
def test_a_fault_is_told_with_what_mends_it(
    look: Look, what: str, fault: dict[str, Any], says: str, mend: str
) -> None:
    checks = look(**fault)
    assert checks[what].holds is False
    assert says in checks[what].says
    assert mend in checks[what].mend
    assert exit_code(checks.values()) == 1
    assert f"✗ {what}" in report(checks.values())


def test_the_open_engine_asks_for_nobody_s_approval(look: Look) -> None:
    checks = look(engine="open", token="", granted={"facebook/sam3": (403, "GatedRepo")})
    assert checks["weights"].holds
    assert "Nobody has to approve" in checks["weights"].says
    assert checks["quota of ml.g6.2xlarge"].holds
    assert fails(checks) == []


def test_before_a_deployment_only_that_is_looked_at_which_would_break_it(look: Look) -> None:
    names = ["account", "stack", "stack's name", "bucket's name", "bucket", "SenderEmail"]
    assert list(look(whole=False, functions=10, production=False)) == names
    assert fails(look(whole=False)) == []
    broken = look(whole=False, bucket=200, identities={SENDER: True}, status="ROLLBACK_COMPLETE")
    assert fails(broken) == ["stack", "bucket", "SenderEmail"]


def test_what_nobody_can_know_beforehand_is_said_and_is_no_fault(look: Look) -> None:
    checks = look(distributions=0)
    assert checks["CloudFront"].holds is None
    assert "rolls all back" in checks["CloudFront"].says
    assert "console.aws.amazon.com/support" in checks["CloudFront"].mend
    assert exit_code(checks.values()) == 0
    assert "WebHosting=none WebOrigins=http://localhost:5173" in checks["CloudFront"].mend
    assert verdicts.cloudfront(0, "cloudfront", "", True).holds


def test_without_cloudfront_somebody_says_where_the_page_is() -> None:
    assert verdicts.cloudfront(0, "none", "http://localhost:5173", False).holds
    missing = verdicts.cloudfront(0, "none", "", False)
    assert missing.holds is False
    assert "WebOrigins=http://localhost:5173" in missing.mend


def test_an_image_of_codebuilds_that_is_not_listed_may_yet_be_there(look: Look) -> None:
    check = look(build_images=("5.0-26.09.01",))["CodeBuild's image"]
    assert check.holds is None
    assert f"BuildImage={BUILD_IMAGE} …" in check.mend
    assert look()["CodeBuild's image"].holds
    assert look(f"{GIVEN} BuildImage={BUILD_IMAGE}")["CodeBuild's image"].holds


@pytest.mark.parametrize(
    ("name", "about", "says"),
    [
        ("example.com", {"identities": {"example.com": True}}, ""),
        (SENDER, {"identities": {SENDER: True}}, ""),
        ("example.com", {}, "SES knows no example.com"),
        ("example.com", {"identities": {"example.com": False}}, "has not been confirmed"),
        ("example.org", {"identities": {"example.org": True}}, "is not of example.org"),
        (
            SENDER,
            {"identities": {SENDER: True}, "status": "CREATE_COMPLETE", "bucket": 200}
            | {"resources": ("SenderIdentity", "Bucket"), "secret": "hf_1"},
            "would delete it now",
        ),
    ],
)
def test_an_identity_that_the_account_has(
    look: Look, name: str, about: dict[str, Any], says: str
) -> None:
    checks = look(f"{GIVEN} ExistingIdentity={name}", **about)
    assert checks["ExistingIdentity"].holds is not bool(says)
    assert says in checks["ExistingIdentity"].says
    assert "SenderEmail" not in checks


def test_a_senders_domain_that_is_verified_is_named(look: Look) -> None:
    check = look(identities={"example.com": True})["SenderEmail"]
    assert check.holds
    assert "ExistingIdentity=example.com" in check.says


def test_a_question_that_aws_refuses_hides_no_other_answer(look: Look) -> None:
    checks = look(refused="service-quotas", functions=10)
    assert checks["CodeBuild"].holds is None
    assert "AccessDenied" in checks["CodeBuild"].says
    assert checks["Lambda"].holds is False
    assert checks["quota of ml.g6e.2xlarge"].holds


def test_what_came_before_a_refusal_stays() -> None:
    def refused() -> Any:
        yield Check("a", True, "")
        raise NoCredentialsError

    assert [check.holds for check in asked("b", refused)] == [True, None]


@pytest.mark.parametrize(
    ("stack", "says"),
    [
        ("Gen3d", "small letters"),
        ("gen3D", "small letters"),
        ("gen_3d", "small letters"),
        ("g" * 41, "has 64 characters, where S3 takes 3 to 63"),
    ],
)
def test_a_stack_whose_name_no_bucket_can_have(stack: str, says: str) -> None:
    check = verdicts.bucket_name(f"{stack}-{ACCOUNT}-us-east-1", chosen=False)
    assert check.holds is False
    assert says in check.says
    assert "BucketName=" in check.mend
    assert verdicts.bucket_name(f"{'g' * 40}-{ACCOUNT}-us-east-1", chosen=False).holds


@pytest.mark.parametrize("stack", ["gen_3d", "3d", "", "g" * 46])
def test_a_name_that_no_stack_can_have(stack: str) -> None:
    assert verdicts.stack_name(stack, "us-east-1").holds is False
    assert verdicts.stack_name("Gen3D", "us-east-1").holds


def test_the_longest_name_that_is_made_of_a_stacks() -> None:
    fixed = Stack().resources.values()
    names = [
        value
        for each in fixed
        for key, value in each.get("Properties", {}).items()
        if key in ("FunctionName", "Name", "EndpointName") and str(value).startswith("gen3d")
    ]
    assert max(map(len, names)) == len("gen3d-eu-west-1-api-path")
    assert verdicts.stack_name("g" * 45, "us-east-1").holds


def test_the_repositorys_own_admin_is_asked_about(look: Look) -> None:
    default = resolve("gen3d-prod", "", {}, "")["AdminEmail"]
    assert default == "info@2112-lab.com"
    said = verdicts.admin(default, False, True, True)[0]
    assert said.holds is False
    assert "Is that meant?" in said.says
    assert look(f"SenderEmail={SENDER} AdminEmail={default}")["AdminEmail"].holds
    there = {"AdminEmail": ADMIN, "SenderEmail": SENDER}
    kept = {"status": "CREATE_COMPLETE", "bucket": 200, "secret": "hf_1", "resources": ("Bucket",)}
    assert look(f"SenderEmail={SENDER}", stack_parameters=there, **kept)["AdminEmail"].holds


def test_a_stack_that_was_deployed_owns_what_is_there(look: Look) -> None:
    checks = look(
        status="UPDATE_COMPLETE",
        bucket=200,
        resources=("Bucket", "SenderIdentity"),
        identities={SENDER: True},
        secret="hf_secret",
    )
    assert fails(checks) == []


def test_what_was_rolled_back_owns_nothing(look: Look) -> None:
    checks = look(status="ROLLBACK_COMPLETE")
    assert fails(checks) == ["stack"]


def test_a_verified_domain_lets_its_admin_be_mailed_from_the_sandbox(look: Look) -> None:
    checks = look(production=False, identities={"example.com": True})
    assert fails(checks) == ["SES"]


def test_the_lite_engine_needs_no_token(look: Look) -> None:
    assert look(engine="lite", token="")["weights"].holds


class TestParameters:
    def test_the_command_stands_in_samconfigs_stead(self) -> None:
        listed = resolve("gen3d-prod", "", {"MaxInstances": "5", "RetentionDays": "40"}, "")
        assert (listed["MaxInstances"], listed["RetentionDays"]) == ("2", "40")
        given = resolve("gen3d-prod", "lite", {"MaxInstances": "5"}, "SenderEmail=a@b.c")
        assert (given["MaxInstances"], given["Engine"]) == ("5", "lite")
        assert given.instance_types == ["ml.c7i.xlarge"]
        assert given.named == {"SenderEmail", "Engine"}

    def test_types_by_priority(self) -> None:
        given = resolve("gen3d", "sam", {}, "InstanceTypes=ml.g6e.2xlarge,ml.g5.2xlarge")
        assert given.instance_types == ["ml.g6e.2xlarge", "ml.g5.2xlarge"]

    def test_what_is_no_list_is_told(self) -> None:
        with pytest.raises(CloudError, match="'sender' is no parameter"):
            resolve("gen3d", "", {}, "sender")

    def test_the_usual_types_are_the_templates(self) -> None:
        template = (ROOT / "template.yaml").read_text()
        for kind in TYPES.values():
            assert kind in template


MACHINE = {
    "python3.12 --version": "Python 3.12.1",
    "node --version": "v22.12.0",
    "git --version": "git version 2.39.5",
    "aws --version": "aws-cli/2.17.0 Python/3.11.8",
    "sam --version": "SAM CLI, version 1.170.0",
    "docker version --format {{.Server.Version}}": "28.5.2",
    "docker buildx version": "github.com/docker/buildx v0.32.1",
}


def programs(**changed: str | None) -> dict[str, Check]:
    said: dict[str, str | None] = dict(MACHINE)
    for name, says in changed.items():
        (key,) = [key for key in said if key.startswith(name.replace("_", " "))]
        said[key] = says
    return {check.what: check for check in machine.checks(lambda *c: said[" ".join(c)])}


def test_a_machine_that_is_ready() -> None:
    assert fails(programs()) == []
    assert len(programs()) == 8


@pytest.mark.parametrize(
    ("what", "fault", "says", "mend"),
    [
        ("Python 3.12", {"python3.12": None}, "interpreter", "--use-container"),
        ("Node.js", {"node": "v18.20.1"}, "18.20.1 is older than 20.19", "nodejs.org"),
        ("Node.js", {"node": "v21.7.0"}, "between 20.19 and 22.12", "nodejs.org"),
        ("git", {"git": None}, "not on the PATH", "install git"),
        ("AWS CLI", {"aws": "aws-cli/1.45.11"}, "older than 2", "docs.aws.amazon.com/cli"),
        ("SAM CLI", {"sam": "SAM CLI, version 1.99.0"}, "older than 1.170", "make lint"),
        ("Docker", {"docker_version": None}, "does not run", "start Docker"),
    ],
)
def test_a_program_that_is_missing_or_old(
    what: str, fault: dict[str, str | None], says: str, mend: str
) -> None:
    check = programs(**fault)[what]
    assert check.holds is False
    assert says in check.says
    assert mend in check.mend


def test_buildkit_is_for_some_alone() -> None:
    assert programs(docker_buildx=None)["BuildKit"].holds is None


def test_a_program_that_is_not_there_or_fails() -> None:
    assert machine.run("gen3d-no-such-program") is None
    assert machine.run("git", "no-such-command") is None
    assert "git version" in (machine.run("git", "--version") or "")


def test_without_credentials_the_machine_is_still_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def client(name: str, **options: Any) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(boto3, "client", client)
    monkeypatch.setattr(machine, "run", lambda *command: MACHINE.get(" ".join(command)))
    assert command.main(["--stack", "gen3d"]) == 1
    said = capsys.readouterr().out
    assert "✓ Python" in said
    assert "✗ account" in said
    assert "aws configure" in said


def test_the_gated_repositories_are_those_that_are_fetched() -> None:
    source = (
        ROOT / "container" / "src" / "gen3d_inference" / "engines" / "sam" / "fetch.py"
    ).read_text()
    for repository in weights.GATED:
        assert f'Repository(\n    "{repository}"' in source


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        ((200, ""), True),
        ((401, "GatedRepo"), False),
        ((403, ""), False),
        ((401, "RepoNotFound"), False),
        ((404, "RepoNotFound"), False),
        ((503, ""), None),
    ],
)
def test_what_hugging_face_answers(answer: tuple[int, str], holds: bool | None) -> None:
    assert weights.access("facebook/sam3", "hf", lambda url, token: answer).holds is holds


def test_hugging_face_that_cannot_be_reached_is_no_refusal() -> None:
    def nobody(url: str, token: str) -> tuple[int, str]:
        raise ConnectionRefusedError("refused")

    assert weights.access("facebook/sam3", "hf", nobody).holds is None
