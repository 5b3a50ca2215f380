"""The sample events are such as the template's wiring sends."""

import json

import pytest

from gen3d.contract import RequestAdapter
from gen3d.jobs import Status, execution_input
from gen3d_submit.handler import Submission
from tests.support import event_names, load_event, notify, resources


def test_every_route_has_a_sample() -> None:
    routes = {route["RouteKey"] for route in resources("AWS::ApiGatewayV2::Route").values()}
    samples = {load_event(n)["routeKey"] for n in event_names() if n.startswith("api/")}
    assert samples == routes


@pytest.mark.parametrize("name", ["initialize", "reconstruct"])
def test_submit_reads_its_samples(name: str) -> None:
    assert Submission.model_validate(load_event(f"submit/{name}")).stage == name


@pytest.mark.parametrize("name", ["initialize", "reconstruct"])
def test_the_lite_functions_samples_are_requests_of_the_contract(name: str) -> None:
    assert RequestAdapter.validate_python(load_event(f"lite/{name}")).task == name


@pytest.mark.parametrize("name", ["completed", "failed", "expired"])
def test_notify_reads_the_state_machines_samples(name: str) -> None:
    notice = notify.notice_of(load_event(f"notify/{name}"))
    assert notice is not None
    assert notice.kind == name


@pytest.mark.parametrize("name", [n for n in event_names() if n.startswith("notify/execution")])
def test_an_executions_input_is_the_jobs_own_text(name: str) -> None:
    from tests.support import make_job

    detail = load_event(name)["detail"]
    assert detail["input"] == execution_input(make_job(Status.INITIALIZING), 1)
    assert detail["status"] in ("FAILED", "TIMED_OUT", "ABORTED")


@pytest.mark.parametrize("name", [n for n in event_names() if n.startswith("callback/")])
def test_a_notification_names_its_invocation(name: str) -> None:
    sent = json.loads(load_event(name)["Records"][0]["Sns"]["Message"])
    assert sent["requestParameters"]["inputLocation"].endswith(f"/{sent['inferenceId']}.json")
    assert ("failureReason" in sent) == (sent["invocationStatus"] == "Failed")
