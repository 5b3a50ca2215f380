"""The pages of a running stack."""

import base64
import json
import re
from email.message import EmailMessage
from typing import Any

import pytest

from tests.local.running import RunningStack, eventually

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


def send(stack: RunningStack, subject: str, html: str, sender: str = "probe@example.com") -> None:
    """Send a mail with a picture, as notify does."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, sender, "ada@example.com"
    message.set_content("plain words")
    message.add_alternative(html, subtype="html")
    body: Any = message.get_body(("html",))
    body.add_related(PICTURE, "image", "png", cid="<preview>")
    stack.client("sesv2").send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": ["ada@example.com"]},
        Content={"Raw": {"Data": message.as_bytes()}},
    )


@pytest.fixture(scope="module")
def execution(stack: RunningStack) -> str:
    """The name of an execution that has ended."""
    states, arn = stack.client("stepfunctions"), stack.outputs["MachineArn"]
    states.start_execution(stateMachineArn=arn, name="shown", input='{"word": "<b>"}')
    ended = arn.replace(":stateMachine:", ":execution:") + ":shown"
    eventually(lambda: states.describe_execution(executionArn=ended)["status"] == "SUCCEEDED")
    return "shown"


def test_executions_are_listed(stack: RunningStack, execution: str) -> None:
    page = stack.get("/_gen3d/").text
    assert f"/_gen3d/executions/{execution}" in page
    assert "SUCCEEDED" in page


def test_an_execution_shows_its_states(stack: RunningStack, execution: str) -> None:
    page = stack.get(f"/_gen3d/executions/{execution}").text
    assert "Greet" in page
    assert "<b>" not in page  # a person's input is shown, never run
    assert "&lt;b&gt;" in page


def test_the_history_can_be_read_by_a_program(stack: RunningStack, execution: str) -> None:
    history = stack.get(f"/_gen3d/executions/{execution}/history.json").json()
    assert history["detail"]["status"] == "SUCCEEDED"
    assert history["events"][-1]["type"] == "ExecutionSucceeded"


def test_an_unknown_execution_is_not_found(stack: RunningStack) -> None:
    assert stack.get("/_gen3d/executions/none").status_code == 404
    assert stack.get("/_gen3d/executions/..%2f..%2flock").status_code == 404


def test_no_token_is_shown(stack: RunningStack) -> None:
    states = stack.client("stepfunctions")
    item = {"id": {"S": "shown"}, "token": {"S": "{% $states.context.Task.Token %}"}}
    put = {"Put": {"TableName": stack.outputs["TableName"], "Item": item}}
    wait = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems.waitForTaskToken",
        "TimeoutSeconds": 60,
        "Arguments": {"TransactItems": [put]},
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "W", "States": {"W": wait}}
    machine = states.create_state_machine(
        name="hides",
        definition=json.dumps(definition),
        roleArn=stack.outputs["MachineRoleArn"],
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, name="hides")["executionArn"]
    table, key = stack.outputs["TableName"], {"id": {"S": "shown"}}
    found = eventually(
        lambda: stack.client("dynamodb").get_item(TableName=table, Key=key).get("Item")
    )
    token = found["token"]["S"]
    path = "/_gen3d/executions/hides"
    for page in (path, f"{path}/history.json"):
        eventually(lambda page=page: "(task token)" in stack.get(page).text)
        assert token not in stack.get(page).text
    states.stop_execution(executionArn=execution)
    assert token not in stack.get(f"{path}/history.json").text
    for file in (stack.folder / "executions").iterdir():
        assert token.encode() not in file.read_bytes()


def test_a_mail_is_listed_and_shown_with_its_picture(stack: RunningStack) -> None:
    html = '<html><head></head><body><img src="cid:preview"><a href="x">go</a></body></html>'
    send(stack, "A mail & more", html)
    assert "A mail &amp; more" in stack.get("/_gen3d/mail").text
    mail = stack.get("/_gen3d/mail.json").json()["mails"][0]
    assert (mail["subject"], mail["to"]) == ("A mail & more", "ada@example.com")
    assert mail["text"].strip() == "plain words"
    assert f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}" in mail["html"]
    assert "A mail &amp; more" in stack.get(f"/_gen3d/mail/{mail['id']}").text


def test_the_code_of_a_sign_up_is_among_the_mails(stack: RunningStack) -> None:
    email = "new@example.com"
    client = stack.outputs["UserPoolClientId"]
    stack.client("cognito-idp").sign_up(ClientId=client, Username=email, Password="Correct-horse-1")
    mail = stack.get("/_gen3d/mail.json").json()["mails"][0]
    assert mail["to"] == email
    assert re.search(r"\b\d{6}\b", mail["text"] + mail["html"])


def test_a_mail_cannot_do_anything(stack: RunningStack) -> None:
    send(stack, "Evil", "<html><head></head><body><script>evil()</script></body></html>")
    mail = stack.get("/_gen3d/mail.json").json()["mails"][0]
    body = stack.get(f"/_gen3d/mail/{mail['id']}/body")
    policy = body.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy
    assert "evil()" not in stack.get(f"/_gen3d/mail/{mail['id']}").text


def test_links_to_the_deployed_page_lead_here(stack: RunningStack) -> None:
    send(stack, "Linked", f'<a href="{stack.outputs["WebUrl"]}/jobs/1">job</a>')
    mail = stack.get("/_gen3d/mail.json").json()["mails"][0]
    assert f'href="{stack.url}/jobs/1"' in mail["html"]


def test_only_an_identity_of_the_stack_sends(stack: RunningStack) -> None:
    before = len(stack.get("/_gen3d/mail.json").json()["mails"])
    with pytest.raises(Exception, match="not verified"):
        send(stack, "Forged", "x", sender="else@example.org")
    assert len(stack.get("/_gen3d/mail.json").json()["mails"]) == before
