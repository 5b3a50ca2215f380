"""``python -m gen3d_cloud.verify --stack gen3d``: tries a deployed stack as people use it.

A person is made, who photographs a cup by the page's own door, clicks, waits for the mesh and gets
a mail, and is then forgotten with the job. Around it: no route without a token, the page's headers,
the browser's way to the bucket, alarms, dead letters, and whether the endpoint goes to sleep. With
``--look`` there is no job, and so nothing that wakes the endpoint. The stack of ``make run`` is
tried by ``--at http://localhost:20005``, with AWS_ENDPOINT_URL set to the same.
"""

import argparse
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from gen3d_client import cognito
from gen3d_client.clicks import Click
from gen3d_client.client import Client, ask
from gen3d_client.cognito import Session
from gen3d_client.errors import ApiClientError, JobFailed
from gen3d_client.models import RECONSTRUCTING, Job
from gen3d_client.plans import Plan, Wanted
from gen3d_client.site import Site
from gen3d_cloud.checks import Check, exit_code, report
from gen3d_cloud.deployed import CloudError, output, outputs, parameters

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef

ROOT = Path(__file__).resolve().parents[3]
PHOTO = ROOT / "examples" / "coffee.jpg"
CUP = [Click(226, 232), Click(394, 232), Click(330, 330)]
INBOX = "success+gen3d-{}@simulator.amazonses.com"
"""SES's mailbox simulator: takes every mail, from accounts in the sandbox too."""
ISOLATION = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "x-content-type-options": "nosniff",
}
_CONFIG = {
    "region": "Region",
    "engine": "Engine",
    "userPoolId": "UserPoolId",
    "userPoolClientId": "UserPoolClientId",
    "bucket": "BucketName",
}
_ACTING = {"WakeUpAlarm", "SleepAlarm"}
"""Alarms that do something, and so may ring at any time."""
_POLL_SECONDS = 2.0
_WIDTH = 16
_MAIL_SECONDS = 60
_IDLE_MINUTES = 20
_FORGED = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ."


@dataclass(frozen=True)
class Target:
    """What is tried.

    Parameters
    ----------
    stack : str
    outputs : dict
    page : str
        The page's address; "" where none is hosted.
    apis : tuple of str
        Every address that the API has, the page's way to it last.
    """

    stack: str
    outputs: dict[str, str]
    page: str
    apis: tuple[str, ...]

    @property
    def makes_objects(self) -> bool:
        """Whether there is what makes them: an endpoint, or the lite engine as a function."""
        return "EndpointName" in self.outputs or self.outputs.get("Engine") == "lite"

    @property
    def origin(self) -> str:
        """Where a browser has the page from, also where the stack hosts none."""
        parts = urlsplit(self.page or output("WebUrl", self.stack, self.outputs))
        return f"{parts.scheme}://{parts.netloc}"


def target(stack: str, at: str = "") -> Target:
    """Read the stack.

    Raises
    ------
    CloudError
        It is not there.
    """
    found = outputs(stack)
    hosted = "DistributionId" in found
    if at:
        here = at.rstrip("/")
        return Target(stack, found, here if hosted else "", (f"{here}/api",))
    page = output("WebUrl", stack, found) if hosted else ""
    apis = [output("ApiUrl", stack, found), *([found["WebApiUrl"]] if page else [])]
    return Target(stack, found, page, tuple(apis))


def checks(
    target: Target, http: httpx.Client, with_job: bool = True, minutes: int = 40
) -> Iterator[Check]:
    """Look at all of it; what does not answer keeps nothing else from being looked at."""
    for api in target.apis:
        yield from _tried("routes", partial(routes, api, http))
    if target.page:
        yield from _tried("page", lambda: page(target, http))
    else:
        serve = f"make page STACK={target.stack}"
        yield Check("page", True, f"This stack hosts none; it is served elsewhere, or by {serve}.")
        yield from _tried("page's way in", lambda: [preflight_request(target, http)])
    if with_job and target.makes_objects:
        yield from _tried("job", lambda: job(target, http, minutes))
    elif with_job:
        yield Check("job", None, "There is no endpoint yet, so none can be done.")
    logical = _resources(target.stack)
    yield from _tried("alarms", lambda: [alarms(logical)])
    yield from _tried("alarms' mails", lambda: [subscription(logical)])
    yield from _tried("dead letters", lambda: [dead_letters(target)])
    if "EndpointName" in target.outputs:
        yield from _tried("endpoint's image", lambda: image(target))
        yield from _tried(
            "endpoint's sleep", lambda: sleep(target.outputs["EndpointName"], logical)
        )


def _tried(what: str, check: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    try:
        yield from check()
    except (ApiClientError, CloudError) as error:
        yield Check(what, False, str(error))
    except httpx.HTTPError as error:
        yield Check(what, False, f"It does not answer: {error or type(error).__name__}.")
    except (ClientError, BotoCoreError) as error:
        yield Check(what, None, f"AWS did not answer: {error}")


def operations() -> list[tuple[str, str]]:
    """Method and path of every route that is not for all, from the API's own description."""
    described = json.loads((ROOT / "docs" / "openapi.json").read_text())
    return [
        (method.upper(), path.replace("{jobId}", "01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if operation.get("security") != []
    ]


def routes(api: str, http: httpx.Client) -> Iterator[Check]:
    """Whether every route answers 401 to nobody, and to a token of nobody's."""
    open_to = []
    for method, path in operations():
        for whose, headers in (("no", {}), ("a forged", {"Authorization": f"Bearer {_FORGED}"})):
            status = http.request(method, api + path, headers=headers).status_code
            if status != httpx.codes.UNAUTHORIZED:
                open_to.append(f"{method} {path} with {whose} token: {status}")
    what = "routes"
    if open_to:
        says = f"{api} is not 401 without a token: {'; '.join(open_to)}."
        yield Check(what, False, says, "sam deploy; look at the routes' authorizer")
    else:
        yield Check(what, True, f"All {len(operations())} of {api} answer 401 without a token.")


def page(target: Target, http: httpx.Client) -> Iterator[Check]:
    """Whether the page comes, isolated, and speaks to this stack."""
    publish = f"make deploy-web STACK={target.stack}"
    answer = http.get(f"{target.page}/")
    kind = answer.headers.get("content-type", "")
    if answer.status_code != httpx.codes.OK or "<div id=" not in answer.text:
        says = f"{target.page} answers {answer.status_code} {kind}, not the page."
        yield Check("page", False, says, publish)
        return
    yield Check("page", True, f"{target.page} shows it.")
    wrong = [
        f"{name}: {answer.headers.get(name, 'missing')}"
        for name, value in ISOLATION.items()
        if answer.headers.get(name) != value
    ]
    if "content-security-policy" not in answer.headers:
        wrong.append("content-security-policy: missing")
    if wrong:
        says = f"It lacks what isolates it; clicks are then slow. {'; '.join(wrong)}."
        yield Check("page's headers", False, says, "sam deploy; look at ResponseHeaders")
    else:
        yield Check("page's headers", True, "It is isolated, and says what it may load.")
    answer = http.get(f"{target.page}/config.json")
    try:
        config = answer.json()
    except ValueError:
        says = f"config.json answers {answer.status_code}, and is none."
        yield Check("page's config", False, says, publish)
        return
    stale = [
        f"{name} is {config.get(name)}, the stack says {target.outputs.get(key)}"
        for name, key in _CONFIG.items()
        if config.get(name) != target.outputs.get(key)
    ]
    if stale:
        yield Check("page's config", False, f"Of another deployment: {'; '.join(stale)}.", publish)
    else:
        yield Check("page's config", True, "config.json names this stack.")


def preflight_request(target: Target, http: httpx.Client) -> Check:
    """Whether the API lets a page of another origin call it."""
    what, origin = "page's way in", target.origin
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = http.request("OPTIONS", f"{target.apis[-1]}/jobs", headers=asks)
    allowed = answer.headers.get("access-control-allow-origin", "nobody")
    if answer.is_success and allowed in (origin, "*"):
        return Check(what, True, f"The API lets a page at {origin} call it.")
    says = f"The API lets {allowed} call it, not a page at {origin} ({answer.status_code})."
    return Check(what, False, says, f"sam deploy with WebOrigins={origin}")


@contextmanager
def _person(target: Target) -> Iterator[Client]:
    """A person who signs in as the page does; gives their client. Gone afterwards."""
    users = boto3.client("cognito-idp")
    pool, email = target.outputs["UserPoolId"], INBOX.format(secrets.token_hex(4))
    password = f"{secrets.token_urlsafe(24)}aA1"
    verified: AttributeTypeTypeDef = {"Name": "email_verified", "Value": "true"}
    users.admin_create_user(
        UserPoolId=pool,
        Username=email,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": email}, verified],
    )
    try:
        users.admin_set_user_password(
            UserPoolId=pool, Username=email, Password=password, Permanent=True
        )
        site = Site(
            address=target.page,
            region=users.meta.region_name,
            api_url=target.apis[-1],
            user_pool_id=pool,
            user_pool_client_id=target.outputs["UserPoolClientId"],
            endpoint=users.meta.endpoint_url,
        )
        tokens = ask(cognito.sign_in(site, email, password))
        with Client(site.api_url, Session(site, tokens), _POLL_SECONDS) as client:
            yield client
    finally:
        users.admin_delete_user(UserPoolId=pool, Username=email)


def job(target: Target, http: httpx.Client, minutes: int) -> Iterator[Check]:
    """One job from sign-in to mail. A job that fails is kept, to be looked into."""
    with _person(target) as client:
        yield Check("sign-in", True, "A person who was made for this signs in.")
        times = {"": time.monotonic()}
        begun: list[str] = []

        def told(what: Job | str) -> None:
            if isinstance(what, Job) and what.status == RECONSTRUCTING:
                times.setdefault(RECONSTRUCTING, time.monotonic())

        plan = Plan(photo=PHOTO, objects=[Wanted(name="cup", clicks=CUP)])
        try:
            found = client.make(plan, told, lambda each: begun.append(each.job_id), minutes * 60)
        except JobFailed as error:
            raise ApiClientError(f"Job {begun[0]} came to nothing: {error}") from None
        prepared = times.get(RECONSTRUCTING, times[""])
        took = prepared - times[""]
        yield Check("photo", True, f"Uploaded and prepared in {took:.0f} s, waking included.")
        url = found.objects[0].files["glb"].url
        mesh = client.download(url)
        if mesh[:4] != b"glTF" or int.from_bytes(mesh[8:12], "little") != len(mesh):
            raise ApiClientError(
                f"The mesh of job {found.job_id} is no whole GLB ({len(mesh)} bytes)."
            )
        took = time.monotonic() - prepared
        yield Check("mesh", True, f"COMPLETED {took:.0f} s after that, {len(mesh):,} bytes.")
        yield from _tried("browser's files", lambda: [cors(target, url, http)])
        yield from _tried("mail", lambda: [mail(target, found.job_id, found.run)])
        client.delete(found.job_id)


def cors(target: Target, url: str, http: httpx.Client) -> Check:
    """Whether the page's script may read what a signed link names."""
    what, origin = "browser's files", target.origin
    with http.stream("GET", url, headers={"Origin": origin}) as answer:
        allowed = answer.headers.get("access-control-allow-origin", "nobody")
        if answer.is_success and allowed in (origin, "*"):
            return Check(what, True, f"The bucket lets {origin} read by signed links.")
    says = f"The bucket lets {allowed} read, not {origin} ({answer.status_code})."
    return Check(what, False, says, "sam deploy; look at the bucket's CORS and WebOrigins")


def mail(target: Target, job_id: str, run: int) -> Check:
    """Whether the owner's mail went out: SES took it."""
    table = boto3.resource("dynamodb").Table(target.outputs["IdempotencyTableName"])
    key = f"mail#{job_id}#{run}#completed#owner"
    deadline = time.monotonic() + _MAIL_SECONDS
    while time.monotonic() < deadline:
        item = table.get_item(Key={"id": key}, ConsistentRead=True).get("Item", {})
        if item.get("state") == "SENT":
            return Check("mail", True, "SES took the owner's mail.")
        time.sleep(_POLL_SECONDS)
    says = f"None went out in {_MAIL_SECONDS} s."
    logs = f"aws logs tail /aws/lambda/{target.stack}-notify --since 10m"
    return Check("mail", False, says, f"{logs}; is SenderEmail confirmed?")


def _resources(stack: str) -> dict[str, str]:
    """Physical ids of the stack's alarms and topics, by their logical ids."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources")
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack)
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] in ("AWS::CloudWatch::Alarm", "AWS::SNS::Topic")
    }


class Alarm(TypedDict):
    """What of an alarm is read here."""

    StateValue: str
    Namespace: str
    MetricName: str
    Dimensions: list[dict[str, str]]


def _alarms(names: list[str]) -> dict[str, Alarm]:
    pages = boto3.client("cloudwatch").get_paginator("describe_alarms")
    return {
        alarm["AlarmName"]: alarm
        for page in pages.paginate(AlarmNames=names)
        for alarm in page["MetricAlarms"]
    }


def alarms(logical: dict[str, str]) -> Check:
    """Which alarms ring, and which have nothing to judge by."""
    names = {physical: name for name, physical in logical.items() if name.endswith("Alarm")}
    states = {names[each]: about["StateValue"] for each, about in _alarms(list(names)).items()}
    missing = sorted(set(names.values()) - set(states))
    if missing:
        return Check("alarms", False, f"Not there: {', '.join(missing)}.", "sam deploy")
    ringing = sorted(n for n, s in states.items() if s == "ALARM" and n not in _ACTING)
    if ringing:
        return Check("alarms", False, f"In alarm: {', '.join(ringing)}.", "see the Runbook")
    silent = sorted(name for name, state in states.items() if state == "INSUFFICIENT_DATA")
    if silent:
        says = f"{len(silent)} of {len(states)} have no data (yet): {', '.join(silent)}."
        return Check("alarms", None, says, "look again a quarter of an hour after a deployment")
    return Check("alarms", True, f"{len(states)} have data, and none rings.")


def subscription(logical: dict[str, str]) -> Check:
    """Whether the admin has confirmed that alarms may be mailed."""
    what, topic = "alarms' mails", logical["AdminTopic"]
    pages = boto3.client("sns").get_paginator("list_subscriptions_by_topic")
    found = [each for page in pages.paginate(TopicArn=topic) for each in page["Subscriptions"]]
    confirmed = [each["Endpoint"] for each in found if each["SubscriptionArn"].startswith("arn:")]
    if confirmed:
        return Check(what, True, f"They go to {', '.join(confirmed)}.")
    says = "Nobody has confirmed the subscription, so no alarm is mailed."
    waiting = " ".join(each["Endpoint"] for each in found) or "ADDRESS"
    again = f"aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint"
    return Check(what, False, says, f"click the link in AWS's mail; again: {again} {waiting}")


def dead_letters(target: Target) -> Check:
    """Whether functions left anything undone."""
    sqs = boto3.client("sqs")
    left = 0
    for queue in ("FailedInvocationsUrl", "UndeliveredEventsUrl"):
        about = sqs.get_queue_attributes(
            QueueUrl=target.outputs[queue], AttributeNames=["ApproximateNumberOfMessages"]
        )
        left += int(about["Attributes"]["ApproximateNumberOfMessages"])
    if left:
        says = f"{left} events were not worked off."
        return Check("dead letters", False, says, f"make replay STACK={target.stack} LOOK=1")
    return Check("dead letters", True, "None.")


def image(target: Target) -> Iterator[Check]:
    """Whether the registry still has the image in service, which each waking instance fetches."""
    what, uri = "endpoint's image", parameters(target.stack).get("ContainerImage", "")
    registry, _, tag = uri.rpartition(":")
    if registry != target.outputs.get("RepositoryUri"):
        return  # of another registry, or of this machine
    ecr = boto3.client("ecr")
    try:
        ecr.describe_images(repositoryName=registry.partition("/")[2], imageIds=[{"imageTag": tag}])
    except ecr.exceptions.ImageNotFoundException:
        says = f"The registry has no {tag} any more: the next instance cannot start."
        again = f"git checkout COMMIT && make image STACK={target.stack} ENGINE=…"
        yield Check(what, False, says, f"{again}, with the commit that the tag names")
    else:
        yield Check(what, True, f"{tag} is in the registry.")


def sleep(endpoint: str, logical: dict[str, str]) -> Iterator[Check]:
    """Whether the endpoint ends its instances when nobody asks for anything."""
    what = "endpoint's sleep"
    look = f"aws sagemaker describe-endpoint --endpoint-name {endpoint}"
    sagemaker = boto3.client("sagemaker")
    about = sagemaker.describe_endpoint(EndpointName=endpoint)
    if about["EndpointStatus"] not in ("InService", "Updating", "SystemUpdating"):
        says = f"The endpoint is {about['EndpointStatus']}. {about.get('FailureReason', '')}"
        yield Check(what, False, says.strip(), look)
        return
    (variant,) = about["ProductionVariants"]
    scaling = boto3.client("application-autoscaling")
    activities = scaling.describe_scaling_activities(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{endpoint}/variant/{variant['VariantName']}",
        MaxResults=1,
    )["ScalingActivities"]
    if activities and activities[0]["StatusCode"] in ("Failed", "Unfulfilled"):
        says = f"The last change of its size failed: {activities[0].get('StatusMessage', '')}"
        yield Check("endpoint's size", False, says, "see the quota and the type's capacity")
    running = variant.get("CurrentInstanceCount", 0)
    if not running:
        yield Check(what, True, "It sleeps: no instance runs.")
        return
    backlog = _backlog(logical["SleepAlarm"])
    stop = (
        "aws sagemaker update-endpoint-weights-and-capacities "
        f"--endpoint-name {endpoint} --desired-weights-and-capacities "
        f"VariantName={variant['VariantName']},DesiredInstanceCount=0"
    )
    if not backlog:
        says = (
            f"{running} run, and the metric that ends them has had no data for {_IDLE_MINUTES} "
            "minutes: they may run, and cost, for ever."
        )
        yield Check(what, False, says, stop)
    elif len(backlog) >= _IDLE_MINUTES - 5 and max(backlog) < 1:
        says = f"{running} run, though nothing was asked for {_IDLE_MINUTES} minutes."
        yield Check(what, False, says, stop)
    else:
        says = f"{running} run, as something was asked for within {_IDLE_MINUTES} minutes."
        yield Check(what, None, says, "look again in half an hour: make verify STACK=… LOOK=1")


def _backlog(alarm: str) -> list[float]:
    """What the alarm that puts the endpoint to sleep has seen, a value a minute."""
    about = _alarms([alarm])[alarm]
    now = datetime.now(UTC)
    points = boto3.client("cloudwatch").get_metric_statistics(
        Namespace=about["Namespace"],
        MetricName=about["MetricName"],
        Dimensions=about["Dimensions"],
        StartTime=now - timedelta(minutes=_IDLE_MINUTES),
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return [point["Maximum"] for point in points]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.verify", description=__doc__)
    parser.add_argument("--stack", default="gen3d", help="(%(default)s)")
    parser.add_argument("--at", default="", help="where the page is, if not where the stack says")
    parser.add_argument("--look", action="store_true", help="without a job")
    parser.add_argument("--minutes", type=int, default=40, help="to wait for each step (40)")
    options = parser.parse_args(arguments)
    found = []
    try:
        goal = target(options.stack, options.at)
        with httpx.Client(timeout=60) as http:
            for check in checks(goal, http, not options.look, options.minutes):
                print(report([check], _WIDTH), flush=True)  # a job takes minutes
                found.append(check)
    except (CloudError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
