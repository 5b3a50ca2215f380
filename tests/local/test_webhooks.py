"""A receiver on this machine is told of jobs by the whole stack, whatever it answers.

The two functions that speak to strangers' servers are given a way in of the tests: to them the
internet is that receiver alone, and a day is some seconds.
"""

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from layers.gen3d.tests.web import Posted, Web, served
from tests.local.running import ROOT, RunningStack, eventually
from tests.local.test_command import EMAIL, PASSWORD, Terminal
from tests.local.test_whole_jobs import Caller

SECONDS = 3
"""That a receiver has to answer, here."""

WAY_IN = """
import ssl
from gen3d import internet, webhooks

internet.PUBLIC.__dict__.update(
    allows=lambda address, port: port == {port} and address in ("127.0.0.1", "::1"),
    tls=lambda: ssl.create_default_context(cafile={certificate!r}),
    seconds={seconds},
)
webhooks.WAITS = (1, 1, 2, 600)

from {package}.handler import handler
"""


@contextmanager
def receiving(stack: RunningStack, folder: Path) -> Iterator[Web]:
    """A receiver, the one server of the internet while it is there."""
    functions = stack.client("lambda")
    with served(folder) as web:
        for name in ("api", "announce"):
            certificate = str(folder / "certificate.pem")
            package = f"gen3d_{name}"
            way_in = WAY_IN.format(
                port=web.port, certificate=certificate, seconds=SECONDS, package=package
            )
            deploy(functions, name, "way_in.handler", {"way_in.py": way_in})
        try:
            yield web
        finally:
            for name in ("api", "announce"):
                deploy(functions, name, f"gen3d_{name}.handler.handler", {})


@pytest.fixture(scope="module")
def receiver(whole_stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with receiving(whole_stack, tmp_path_factory.mktemp("receiver")) as web:
        yield web


def deploy(functions: Any, name: str, handler: str, more: dict[str, str]) -> None:
    """Give a function its code, and some more."""
    source, package = ROOT / "functions" / name / "src", io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for file in sorted(source.rglob("*.py")):
            archive.write(file, file.relative_to(source).as_posix())
        for path, text in more.items():
            archive.writestr(path, text)
    function = f"gen3d-{name}"
    functions.update_function_code(FunctionName=function, ZipFile=package.getvalue())
    functions.update_function_configuration(FunctionName=function, Handler=handler)


@pytest.fixture(scope="module")
def caller(whole_stack: RunningStack) -> Caller:
    return Caller(whole_stack)


class Hook:
    """A registered webhook, at a path of the receiver's."""

    def __init__(self, caller: Caller, web: Web, path: str) -> None:
        self._caller, self._web = caller, web
        self._path, self.url = f"/{path}", f"{web.url}{path}"
        made = caller.ask("POST", "/webhooks", {"url": self.url})
        self.at, self.secret = f"/webhooks/{made['webhookId']}", str(made["secret"])

    @property
    def posted(self) -> list[Posted]:
        return [posted for posted in self._web.posted if posted.path == self._path]

    def verified(self) -> list[Any]:
        """All that was posted, by the library that receivers use."""
        return [Webhook(self.secret).verify(p.body, p.headers) for p in self.posted]

    def deliveries(self) -> list[Any]:
        found: list[Any] = self._caller.ask("GET", f"{self.at}/deliveries")["deliveries"]
        return found

    def in_state(self, state: str) -> Any:
        """The one delivery, once it stands so."""

        def stands() -> Any:
            found = self.deliveries()
            return found[0] if found and found[0]["state"] == state else None

        return eventually(stands)

    def withdraw(self) -> None:
        self._caller.ask("DELETE", self.at)


@pytest.fixture
def register(caller: Caller, receiver: Web) -> Iterator[Callable[[str], Hook]]:
    made: list[Hook] = []

    def registered(path: str) -> Hook:
        made.append(Hook(caller, receiver, path))
        return made[-1]

    yield registered
    for webhook in caller.ask("GET", "/webhooks")["webhooks"]:
        caller.ask("DELETE", f"/webhooks/{webhook['webhookId']}")


def a_cancelled_job(caller: Caller) -> str:
    said = {"filename": "cup.jpg", "contentType": "image/jpeg"}
    job_id = str(caller.ask("POST", "/jobs", said)["jobId"])
    caller.ask("POST", f"/jobs/{job_id}/cancel")
    return job_id


class Answers:
    """What the receiver answers, by path."""

    def __init__(self, web: Web) -> None:
        self.of: dict[str, list[int]] = {}
        self.over = threading.Event()
        web.answer = self

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        statuses = self.of.get(request.path.strip("/"), [])
        if request.path == "/never":
            self.over.wait(30)
            return
        request.send_response(statuses.pop(0) if statuses else 204)
        request.send_header("Content-Length", "0")
        request.end_headers()


@pytest.fixture
def answers(receiver: Web) -> Iterator[Answers]:
    made = Answers(receiver)
    receiver.posted.clear()
    yield made
    made.over.set()


def test_who_answers_500_twice_is_told_at_last(
    caller: Caller, register: Callable[[str], Hook], answers: Answers
) -> None:
    answers.of["flaky"] = [500, 500]
    flaky, well = register("flaky"), register("well")
    job_id = a_cancelled_job(caller)
    delivery = flaky.in_state("DELIVERED")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 500, 204]
    assert (delivery["jobId"], delivery["type"]) == (job_id, "job.cancelled")
    assert [said["data"]["jobId"] for said in flaky.verified()] == [job_id] * 3
    assert len({p.headers["webhook-id"] for p in flaky.posted}) == 1

    again = caller.ask("POST", f"{flaky.at}/deliveries/{delivery['deliveryId']}/redeliver")
    assert again["state"] == "PENDING"
    eventually(lambda: len(flaky.posted) == 4)
    assert len(flaky.in_state("DELIVERED")["attempts"]) == 4
    assert flaky.posted[-1].headers["webhook-id"] == flaky.posted[0].headers["webhook-id"]
    assert flaky.posted[-1].body == flaky.posted[0].body
    assert len(well.posted) == 1, "who took it at once is told once"


def test_who_never_answers_holds_nobody_up_and_once_withdrawn_is_asked_no_more(
    caller: Caller, register: Callable[[str], Hook], answers: Answers
) -> None:
    never, well = register("never"), register("well")
    job_id = a_cancelled_job(caller)
    assert well.in_state("DELIVERED")["jobId"] == job_id
    tried = eventually(lambda: [d for d in never.deliveries() if d["attempts"]])
    attempt = tried[0]["attempts"][0]
    assert attempt["status"] is None
    assert attempt["error"]["error"] == "FetchFailed"
    assert "did not answer" in attempt["error"]["message"]
    assert never.verified()[0]["data"]["jobId"] == job_id

    never.withdraw()
    asked = len(never.posted)
    time.sleep(SECONDS + 3)  # an attempt that was under way ends, and the next would be due
    assert len(never.posted) <= asked + 1
    settled = len(never.posted)
    a_cancelled_job(caller)
    eventually(lambda: len(well.posted) == 2)
    assert len(never.posted) == settled


def test_who_is_gone_is_told_nothing_any_more(
    caller: Caller, register: Callable[[str], Hook], answers: Answers
) -> None:
    answers.of["gone"] = [410]
    gone, well = register("gone"), register("well")
    a_cancelled_job(caller)
    assert gone.in_state("FAILED")["attempts"][0]["status"] == 410
    a_cancelled_job(caller)
    eventually(lambda: len(well.posted) == 2)
    assert len(gone.posted) == 1
    stopped = {w["url"]: w["stoppedAt"] for w in caller.ask("GET", "/webhooks")["webhooks"]}
    assert [url for url, at in stopped.items() if at] == [gone.url]


def test_the_command_registers_looks_sends_again_and_withdraws(
    caller: Caller, receiver: Web, answers: Answers, whole_stack: RunningStack, tmp_path: Path
) -> None:
    terminal = Terminal(tmp_path)
    login = ("login", whole_stack.url, "--email", EMAIL, "--password-stdin")
    terminal.gen3d(*login, said=PASSWORD)
    answers.of["shown"] = [500]
    url = f"{receiver.url}shown"
    secret = terminal.gen3d("webhooks", "add", url, "--event", "job.cancelled")[0].strip()
    (row,) = [row for row in terminal.gen3d("webhooks")[0].splitlines() if url in row]
    webhook = row.split()[0]
    job_id = a_cancelled_job(caller)

    def delivered() -> Any:
        found = json.loads(terminal.gen3d("webhooks", "deliveries", webhook, "--json")[0])
        return found[0] if found and found[0]["state"] == "DELIVERED" else None

    delivery = eventually(delivered)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 204]
    assert delivery["jobId"] == job_id
    terminal.gen3d("webhooks", "redeliver", webhook, delivery["deliveryId"])
    eventually(lambda: len(receiver.posted) == 3)
    for posted in receiver.posted:
        Webhook(secret).verify(posted.body, posted.headers)
    terminal.gen3d("webhooks", "withdraw", webhook)
    assert webhook not in terminal.gen3d("webhooks")[0]
    assert terminal.gen3d("webhooks", "deliveries", webhook, code=1)[1].startswith("gen3d: There")
    assert terminal.gen3d("webhooks", "add", "http://a.example", code=1)[1].startswith("gen3d: ")


def test_an_organisations_rule_hears_of_it(whole_stack: RunningStack, caller: Caller) -> None:
    events, sqs = whole_stack.client("events"), whole_stack.client("sqs")
    bus = whole_stack.outputs["EventBusName"]
    url = sqs.create_queue(QueueName="organisation")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {"source": ["gen3d"], "detail": {"status": ["CANCELLED"]}}
    events.put_rule(Name="cancelled", EventBusName=bus, EventPattern=json.dumps(pattern))
    target = [{"Id": "queue", "Arn": arn["QueueArn"]}]
    events.put_targets(Rule="cancelled", EventBusName=bus, Targets=target)
    job_id = a_cancelled_job(caller)

    def told() -> Any:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        return [body for body in bodies if body["detail"]["jobId"] == job_id]

    (event,) = eventually(told)
    assert event["detail-type"] == "Gen3D Job Status Change"
    events.remove_targets(Rule="cancelled", EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name="cancelled", EventBusName=bus)
    sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize(
    "url", ["https://localhost/", "https://169.254.169.254/", "http://a.example/"]
)
def test_no_address_inside_is_registered(caller: Caller, url: str) -> None:
    assert caller.refused({"url": url}, "/webhooks") == (422, "AddressRefused")
