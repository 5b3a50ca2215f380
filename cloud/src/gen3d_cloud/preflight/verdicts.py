"""What the answers of machine and account mean for a deployment. Asks nobody."""

import re
from dataclasses import dataclass

from gen3d_cloud.checks import Check

BUCKET_CHARACTERS = 63
NAME_CHARACTERS = 64
ELSEWHERE = "WebHosting=none WebOrigins=http://localhost:5173"
FUNCTIONS_AT_ONCE = 20
"""A job of eight objects is eight meshes; the page, the other functions and a second person come
beside it."""
UNUSABLE = {
    "ROLLBACK_COMPLETE": "The first deployment failed and was rolled back; what is left holds "
    "nothing, and no deployment can update it.",
    "ROLLBACK_FAILED": "The first deployment failed, and so did its roll-back.",
    "DELETE_FAILED": "The stack was deleted, but not all of it went.",
    "UPDATE_ROLLBACK_FAILED": "An update failed, and so did its roll-back.",
    "CREATE_FAILED": "The first deployment failed and was left as it is.",
}
_CONTINUED = {"UPDATE_ROLLBACK_FAILED": "continue-update-rollback"}


@dataclass(frozen=True)
class Quota:
    """A quota of Service Quotas: what the account has of it now."""

    code: str
    value: float


@dataclass(frozen=True)
class Identity:
    """An address or domain that SES knows."""

    name: str
    verified: bool


def version(text: str) -> tuple[int, ...]:
    """The first version number in what a program says of itself; empty where there is none."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups() if part) if found else ()


def program(what: str, said: str | None, least: tuple[int, ...], use: str, mend: str) -> Check:
    """A program that has to be there, in a version or newer; `said` is None where it is not."""
    if said is None:
        return Check(what, False, f"It is not on the PATH, or does not run. {use}", mend)
    found = version(said)
    shown = ".".join(map(str, found)) or said.strip()
    if found < least:
        wanted = ".".join(map(str, least))
        return Check(what, False, f"{shown} is older than {wanted}. {use}", mend)
    return Check(what, True, f"{shown}.")


def node(said: str | None) -> Check:
    """Node.js 20.19 or newer of 20, or 22.12 and newer."""
    check = program(
        "Node.js", said, (20, 19), "The web app is built with it.", "https://nodejs.org"
    )
    found = version(said or "")
    if check.holds and (21,) <= found < (22, 12):
        says = (
            f"{'.'.join(map(str, found))} lies between 20.19 and 22.12, and lacks what they have."
        )
        return Check("Node.js", False, says, "https://nodejs.org")
    return check


def stack_name(stack: str, region: str) -> Check:
    """Whether what is called for the stack may be called so, the bucket aside."""
    again = "choose another STACK, such as gen3d"
    # CloudFormation's own rule, and what leaves room for the longest name, CloudFront's ApiPath.
    room = NAME_CHARACTERS - len(f"-{region}-api-path")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", stack):
        says = f"{stack!r} is none: it takes letters, digits and hyphens, and begins with a letter."
        return Check("stack's name", False, says, again)
    if len(stack) > room:
        says = f"{stack!r} has {len(stack)} characters; names made of it leave room for {room}."
        return Check("stack's name", False, says, again)
    return Check("stack's name", True, f"{stack} will do.")


def bucket_name(name: str, chosen: bool) -> Check:
    """Whether S3 takes the bucket's name, which is the stack's unless another was chosen."""
    what, mend = "bucket's name", "PARAMETERS='BucketName=… …'"
    mend += "" if chosen else ", or choose another STACK, such as gen3d"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*[a-z0-9]", name):
        says = f"S3 takes small letters, digits and hyphens alone, and not {name!r}."
        return Check(what, False, says, mend)
    if not 3 <= len(name) <= BUCKET_CHARACTERS:
        says = f"{name!r} has {len(name)} characters, where S3 takes 3 to {BUCKET_CHARACTERS}."
        return Check(what, False, says, mend)
    return Check(what, True, f"The bucket {name} may be called so.")


def bucket(name: str, status: int, ours: bool, region: str) -> Check:
    """Whether the bucket's name is free, from what HeadBucket answers."""
    if status == 404:
        return Check("bucket", True, f"{name} is free.")
    if ours:
        return Check("bucket", True, f"{name} is the stack's.")
    if status == 200:
        says = f"{name} is there, kept from a stack that was deleted. The new one would fail on it."
        return Check("bucket", False, says, f"aws s3 rb s3://{name} --force --region {region}")
    if status in (301, 400, 403):
        says = f"{name} belongs to somebody else, or may not be looked at with these credentials."
        return Check("bucket", False, says, "choose another STACK, or PARAMETERS='BucketName=… …'")
    return Check("bucket", None, f"{name}: S3 answered {status}.")


def stack_state(name: str, status: str) -> Check:
    """Whether a stack can be deployed to; `status` is "" where it is not there."""
    if not status:
        return Check("stack", True, f"{name} is not there yet: this is its first deployment.")
    if status in UNUSABLE:
        verb = _CONTINUED.get(status, "delete-stack")
        mend = f"aws cloudformation {verb} --stack-name {name}"
        return Check("stack", False, f"{name} is {status}. {UNUSABLE[status]}", mend)
    if status == "REVIEW_IN_PROGRESS":
        says = f"{name} is REVIEW_IN_PROGRESS: a change set waits, and nothing has been made."
        return Check("stack", True, says)
    if status.endswith("_IN_PROGRESS"):
        mend = f"aws cloudformation describe-stacks --stack-name {name}"
        return Check("stack", False, f"{name} is {status}: wait until that has ended.", mend)
    return Check("stack", True, f"{name} is {status}.")


def instance(
    kind: str, region: str, offered: bool, quota: Quota | None, wanted: int
) -> list[Check]:
    """Whether a region has an instance type, and the account may run so many of it as endpoint."""
    what = f"{kind} in {region}"
    other = "choose another AWS_REGION, or other InstanceTypes"
    if not offered or quota is None:
        who = "EC2" if not offered else "SageMaker"
        return [Check(what, False, f"{who} does not offer it there.", other)]
    there = Check(what, True, "It is offered. Whether one is free shows when one is started.")
    named = f"quota of {kind}"
    if quota.value < wanted:
        says = f"{quota.value:g} for endpoint usage, where MaxInstances is {wanted}. People decide."
        mend = (
            "aws service-quotas request-service-quota-increase --service-code sagemaker "
            f"--quota-code {quota.code} --desired-value {wanted + 1}"
        )
        return [there, Check(named, False, says, mend)]
    spare = "" if quota.value > wanted else " An update wants one more, beside the old instance."
    return [there, Check(named, True, f"{quota.value:g} for endpoint usage.{spare}")]


def builds(environment: str, quota: Quota | None) -> Check:
    """Whether CodeBuild runs a build of the project's size."""
    what = "CodeBuild"
    if quota is None:
        return Check(what, None, f"Service Quotas names no quota for {environment}.")
    if quota.value < 1:
        says = (
            f"No build may run for {environment}: `make image` ends with 'Cannot have more than 0 "
            "builds in queue'."
        )
        mend = (
            "aws service-quotas request-service-quota-increase --service-code codebuild "
            f"--quota-code {quota.code} --desired-value 1"
        )
        return Check(what, False, says, mend)
    return Check(what, True, f"{quota.value:g} at a time for {environment}.")


def build_image(image: str, offered: set[str]) -> Check:
    """Whether CodeBuild still has the image that builds run in, of those that it lists."""
    what = "CodeBuild's image"
    if image in offered:
        return Check(what, True, f"{image} is there.")
    says = f"CodeBuild does not list {image}; a build may end before it began."
    latest = image.rpartition("-")[0]
    return Check(what, None, says, f"if it does: PARAMETERS='BuildImage={latest} …'")


def concurrency(at_once: int) -> Check:
    """Whether Lambda runs enough functions at a time."""
    says = f"{at_once} functions at a time in the account."
    if at_once < FUNCTIONS_AT_ONCE:
        says += (
            f" A job of eight objects with its page takes up to {FUNCTIONS_AT_ONCE}; beyond, the "
            "API answers 503 and steps are tried again."
        )
        mend = (
            "aws service-quotas request-service-quota-increase --service-code lambda "
            "--quota-code L-B99A9384 --desired-value 1000"
        )
        return Check("Lambda", False, says, mend)
    return Check("Lambda", True, says)


def cloudfront(distributions: int, hosting: str, origins: str, has_its_own: bool) -> Check:
    """Whether CloudFront will make the page's distribution, as far as that can be known.

    `hosting` and `origins` are the template's WebHosting and WebOrigins.
    """
    what = "CloudFront"
    if hosting == "none" and not origins:
        says = "WebHosting is none, and WebOrigins says not where the page is instead."
        return Check(what, False, says, f"PARAMETERS='{ELSEWHERE} …', for make page")
    if hosting == "none":
        return Check(what, True, "WebHosting is none: nothing of it is made.")
    if has_its_own:
        return Check(what, True, "The stack has its distribution.")
    if distributions:
        return Check(what, True, f"The account has {distributions} distributions; so it may.")
    says = (
        "There is no distribution yet. Whether AWS has verified the account for CloudFront is told "
        "by the first one alone, whose 'Your account must be verified' rolls all back."
    )
    mend = "if so: a case at https://console.aws.amazon.com/support (Account), or meanwhile "
    mend += f"PARAMETERS='{ELSEWHERE} …'"
    return Check(what, None, says, mend)


def sending(in_production: bool, enabled: bool, a_day: float) -> Check:
    """Whether SES mails to anybody."""
    if not enabled:
        says = "AWS has paused the account's mails."
        return Check("SES", False, says, "answer AWS's case about it; see the SES console")
    if not in_production:
        says = (
            f"In its sandbox: {a_day:g} mails a day, to verified addresses alone. A deployment "
            "goes, but people whose address is not verified get no mail."
        )
        mend = (
            "aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL "
            "--website-url https://… --contact-language EN --use-case-description '…'; or verify "
            "each: aws sesv2 create-email-identity --email-identity …"
        )
        return Check("SES", False, says, mend)
    return Check("SES", True, f"Out of its sandbox, {a_day:g} mails a day.")


def existing(address: str, name: str, identity: Identity | None, ours: bool) -> Check:
    """Whether the identity that ExistingIdentity names is there and lets the sender mail."""
    what = "ExistingIdentity"
    if name not in (address, address.partition("@")[2]):
        says = f"{address} is not of {name}: nothing would be mailed."
        return Check(what, False, says, f"PARAMETERS='ExistingIdentity={address} …', or its domain")
    if ours and name == address:
        says = f"The stack itself has made {name}, and would delete it now."
        return Check(what, False, says, "leave ExistingIdentity empty")
    if identity is None:
        says = f"SES knows no {name}. Without ExistingIdentity the stack makes one of {address}."
        mend = f"aws sesv2 create-email-identity --email-identity {name}, or leave it empty"
        return Check(what, False, says, mend)
    if not identity.verified:
        says = f"{name} has not been confirmed: nothing is mailed until it is."
        return Check(what, False, says, f"aws sesv2 get-email-identity --email-identity {name}")
    return Check(what, True, f"{name} is confirmed; {address} mails by it.")


def sender(address: str, identity: Identity | None, domain: Identity | None, ours: bool) -> Check:
    """Whether the stack can make the sender's identity, or has it and it is confirmed.

    `domain` is the identity of the address's domain, asked for where the address has none.
    """
    what = "SenderEmail"
    if not address:
        return Check(what, False, "It is not given.", "PARAMETERS='SenderEmail=you@example.com'")
    if identity is None:
        says = f"{address} is new to SES; the deployment has a link mailed to it."
        if domain is not None and domain.verified:
            says += f" Its domain is confirmed: ExistingIdentity={domain.name} spares the link."
        return Check(what, True, says)
    if not ours:
        says = (
            f"{address} is an identity of SES already, and the stack would fail to make it again."
        )
        return Check(what, False, says, f"PARAMETERS='ExistingIdentity={address} …'")
    if not identity.verified:
        says = f"{address} has not been confirmed: nothing is mailed until its link is clicked."
        return Check(what, False, says, f"aws ses verify-email-identity --email-address {address}")
    return Check(what, True, f"{address} is confirmed.")


def admin(address: str, meant: bool, verified: bool, in_production: bool) -> list[Check]:
    """Whether the admin's address is meant, and can be mailed to."""
    what = "AdminEmail"
    mine = "PARAMETERS='AdminEmail=you@example.com …', or in samconfig.toml"
    if not address:
        return [Check(what, False, "It is not given.", mine)]
    if not meant:
        says = (
            f"{address}, as the repository has it, would get every failure, with people's "
            "addresses. Is that meant?"
        )
        mend = f"PARAMETERS='AdminEmail={address} …' if it is; otherwise your own there"
        return [Check(what, False, says, mend)]
    if not verified and not in_production:
        says = f"{address} is not verified, and SES in its sandbox does not mail to it."
        mend = f"aws sesv2 create-email-identity --email-identity {address}"
        return [Check(what, False, says, mend)]
    return [Check(what, True, f"{address} gets notices and alarms.")]
