"""What AWS is asked, and read only."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from gen3d_cloud import weights
from gen3d_cloud.checks import Check, asked
from gen3d_cloud.deployed import CloudError
from gen3d_cloud.preflight import verdicts
from gen3d_cloud.preflight.parameters import Parameters, resolve
from gen3d_cloud.preflight.verdicts import Identity, Quota

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

_SIZES = {"SMALL": "Small", "MEDIUM": "Medium", "LARGE": "Large", "XLARGE": "XLarge"}


class Account:
    """An account in a region, and what a stack's name means there.

    Parameters
    ----------
    stack : str

    Raises
    ------
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        No region, no credentials.
    """

    def __init__(self, stack: str) -> None:
        self.stack = stack
        sts = boto3.client("sts")
        self.region: str = sts.meta.region_name
        self.id: str = sts.get_caller_identity()["Account"]
        self.status = ""
        self.parameters: dict[str, str] = {}
        self.outputs: dict[str, str] = {}
        self.resources: set[str] = set()
        """Logical ids of what the stack has made."""
        self._read()

    def _read(self) -> None:
        cloudformation = boto3.client("cloudformation")
        try:
            (found,) = cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":  # it is not there
                return
            raise
        self.status = found["StackStatus"]
        self.parameters = {
            each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])
        }
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
        pages = cloudformation.get_paginator("list_stack_resources")
        self.resources = {
            each["LogicalResourceId"]
            for page in pages.paginate(StackName=self.stack)
            for each in page["StackResourceSummaries"]
            if not each["ResourceStatus"].startswith("DELETE_COMPLETE")
        }

    @property
    def usable(self) -> bool:
        """Whether there is a stack whose resources serve."""
        return bool(self.status) and self.status not in verdicts.UNUSABLE


def checks(stack: str, engine: str, given: str, token: str, ask: weights.Ask) -> Iterator[Check]:
    """Look at the account.

    Parameters
    ----------
    stack, engine : str
    given : str
        Parameters of the deployment to come.
    token : str
        Of Hugging Face, for a stack that has no secret yet.
    ask : gen3d_cloud.weights.Ask

    Raises
    ------
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        There is no account to ask, or it may not be asked for its stacks.
    CloudError
        `given` is no list of parameters.
    """
    account = Account(stack)
    parameters = resolve(stack, engine, account.parameters, given)
    yield from _names(account, parameters)
    yield from asked("endpoint's instances", lambda: _instances(account, parameters))
    yield from asked("CodeBuild", lambda: [_builds(parameters)])
    yield from asked("CodeBuild's image", lambda: [_build_image(parameters)])
    yield from asked("Lambda", lambda: [_concurrency()])
    yield from asked("CloudFront", lambda: [_cloudfront(account, parameters)])
    yield from asked("SES", lambda: _mail(account, parameters))
    yield from asked("weights", lambda: _weights(account, parameters, token, ask))


def breaking(stack: str, given: str) -> Iterator[Check]:
    """Look at what alone would break a deployment half-way, and roll all back.

    Raises
    ------
    botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
        There is no account to ask, or it may not be asked for its stacks.
    CloudError
        `given` is no list of parameters.
    """
    account = Account(stack)
    parameters = resolve(stack, "", account.parameters, given)
    yield from _names(account, parameters)
    yield from asked("SenderEmail", lambda: [_sender(boto3.client("sesv2"), account, parameters)])


def _names(account: Account, parameters: Parameters) -> Iterator[Check]:
    yield Check("account", True, f"{account.id} in {account.region}.")
    yield verdicts.stack_state(account.stack, account.status)
    yield verdicts.stack_name(account.stack, account.region)
    chosen = parameters["BucketName"]
    name = chosen or f"{account.stack}-{account.id}-{account.region}"
    named = verdicts.bucket_name(name, bool(chosen))
    yield named
    if named.holds:
        yield from asked("bucket", lambda: [_bucket(account, name)])


def _bucket(account: Account, name: str) -> Check:
    try:
        boto3.client("s3").head_bucket(Bucket=name)
        status = 200
    except ClientError as error:
        status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    ours = account.usable and "Bucket" in account.resources
    return verdicts.bucket(name, status, ours, account.region)


def quota(service: str, name: str) -> Quota | None:
    """What the account has of a quota; None where the region has no such quota.

    An account that was never granted anything may have no entry of its own: then AWS's default
    counts.
    """
    quotas = boto3.client("service-quotas")
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        for page in quotas.get_paginator(operation).paginate(ServiceCode=service):
            for each in page["Quotas"]:
                if each["QuotaName"] == name and "Value" in each:
                    return Quota(each["QuotaCode"], float(each["Value"]))
    return None


def _instances(account: Account, parameters: Parameters) -> Iterator[Check]:
    for kind in parameters.instance_types:
        named = [{"Name": "instance-type", "Values": [kind.removeprefix("ml.")]}]
        found = boto3.client("ec2").describe_instance_type_offerings(
            LocationType="region", Filters=named
        )
        offered = bool(found["InstanceTypeOfferings"])
        allowed = quota("sagemaker", f"{kind} for endpoint usage")
        yield from verdicts.instance(
            kind, account.region, offered, allowed, parameters.max_instances
        )


def _builds(parameters: Parameters) -> Check:
    size = parameters.builder.removeprefix("BUILD_GENERAL1_")
    environment = f"Linux/{_SIZES.get(size, size)}"
    found = quota("codebuild", f"Concurrently running builds for {environment} environment")
    return verdicts.builds(environment, found)


def _build_image(parameters: Parameters) -> Check:
    platforms = boto3.client("codebuild").list_curated_environment_images()["platforms"]
    images = [image for each in platforms for of in each["languages"] for image in of["images"]]
    offered = {name for each in images for name in (each["name"], *each.get("versions", []))}
    return verdicts.build_image(parameters["BuildImage"], offered)


def _concurrency() -> Check:
    limits = boto3.client("lambda").get_account_settings()["AccountLimit"]
    return verdicts.concurrency(limits["ConcurrentExecutions"])


def _cloudfront(account: Account, parameters: Parameters) -> Check:
    hosting, origins = parameters["WebHosting"], parameters["WebOrigins"]
    if hosting == "none":
        return verdicts.cloudfront(0, hosting, origins, False)
    found = boto3.client("cloudfront").list_distributions()["DistributionList"]
    has_its_own = account.usable and "Distribution" in account.resources
    return verdicts.cloudfront(found["Quantity"], hosting, origins, has_its_own)


def _identity(ses: "SESV2Client", name: str) -> Identity | None:
    try:
        found = ses.get_email_identity(EmailIdentity=name)
    except ses.exceptions.NotFoundException:
        return None
    return Identity(name, bool(found.get("VerifiedForSendingStatus")))


def _sender(ses: "SESV2Client", account: Account, parameters: Parameters) -> Check:
    address, name = parameters["SenderEmail"], parameters["ExistingIdentity"]
    ours = account.usable and "SenderIdentity" in account.resources
    if address and name:
        return verdicts.existing(address, name, _identity(ses, name), ours)
    known = _identity(ses, address) if address else None
    domain = _identity(ses, address.partition("@")[2]) if address and known is None else None
    # An update with another sender finds that one's identity, which is not the stack's.
    ours = ours and account.parameters.get("SenderEmail", address) == address
    return verdicts.sender(address, known, domain, ours)


def _mail(account: Account, parameters: Parameters) -> Iterator[Check]:
    ses = boto3.client("sesv2")
    about = ses.get_account()
    in_production = bool(about.get("ProductionAccessEnabled"))
    a_day = float(about.get("SendQuota", {}).get("Max24HourSend", 0))
    yield verdicts.sending(in_production, bool(about.get("SendingEnabled")), a_day)
    yield _sender(ses, account, parameters)
    address = parameters["AdminEmail"]
    meant = "AdminEmail" in parameters.named or account.parameters.get("AdminEmail") == address
    verified = False
    if address and not in_production:
        for name in (address, address.partition("@")[2]):
            identity = _identity(ses, name)
            verified = verified or (identity is not None and identity.verified)
    yield from verdicts.admin(address, meant, verified, in_production)


def _weights(
    account: Account, parameters: Parameters, token: str, ask: weights.Ask
) -> Iterator[Check]:
    if parameters["Engine"] == "lite":
        yield Check("weights", True, "The lite engine's are part of the project.")
        return
    if parameters["Engine"] == "open":
        says = "Nobody has to approve the open engine's; the build fetches them from Hugging Face."
        yield Check("weights", True, says)
        return
    arn = account.outputs.get("HuggingFaceTokenArn", "") if account.usable else ""
    if arn:
        # The secret's counts: the build reads that and no other.
        try:
            token = weights.secret(arn)
        except CloudError as error:
            yield Check("weights", False, str(error), weights.put_secret(arn))
            return
    if not token:
        says = "No access token of Hugging Face is given, so nobody can say what it may read."
        yield Check("weights", False, says, f"export HF_TOKEN=hf_… (of {weights.TOKENS})")
        return
    for repository in weights.GATED:
        yield weights.access(repository, token, ask)
