"""What a stack leaves behind when it ends, and what it remembers when it comes back."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.running import RunningStack, eventually


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    """A stack of this test alone; it shadows the one of all tests."""
    running = RunningStack(tmp_path / "state")
    running.start()
    yield running
    if running.alive:
        running.stop()


def children(pid: int) -> set[int]:
    """Every process that was started below this one."""
    found: set[int] = set()
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    grew = True
    while grew:
        more = {child for child, parent in parents.items() if parent in found | {pid}} - found
        found |= more
        grew = bool(more)
    return found


def test_it_ends_what_it_started_and_remembers_the_rest(stack: RunningStack) -> None:
    outputs = stack.outputs
    s3, bucket, table = stack.client("s3"), outputs["BucketName"], outputs["TableName"]
    s3.put_object(Bucket=bucket, Key="in/kept", Body=b'{"kept": true}')
    stack.client("dynamodb").put_item(TableName=table, Item={"id": {"S": "kept"}})
    cognito, client = stack.client("cognito-idp"), outputs["UserPoolClientId"]
    cognito.sign_up(ClientId=client, Username="ada@example.com", Password="Correct-horse-1")
    start_children(stack)
    started = children(stack.pid)

    assert stack.stop(signal.SIGTERM) == 130
    assert not any(alive(pid) for pid in started)

    stack.start()
    assert stack.outputs == outputs
    assert s3.get_object(Bucket=bucket, Key="in/kept")["Body"].read() == b'{"kept": true}'
    item = stack.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "kept"}})
    assert "Item" in item
    cognito.admin_get_user(UserPoolId=outputs["UserPoolId"], Username="ada@example.com")
    assert stack.stop(signal.SIGINT) == 130


def start_children(stack: RunningStack) -> None:
    """Have a function worker and an inference server run."""
    outputs, s3 = stack.outputs, stack.client("s3")
    stack.client("lambda").invoke(FunctionName=outputs["FunctionName"], Payload='{"do": "log"}')
    s3.put_object(Bucket=outputs["BucketName"], Key="in/slow", Body=b'{"seconds": 60}')
    stack.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=outputs["EndpointName"], InputLocation=f"s3://{outputs['BucketName']}/in/slow"
    )
    assert eventually(lambda: len(children(stack.pid)) >= 2)


def waits_for_token(table: str, key: str) -> Any:
    """A state that tells its token under a key, and what it was given."""
    item = {
        "id": {"S": key},
        "token": {"S": "{% $states.context.Task.Token %}"},
        "given": {"S": "{% $given & $states.input.word %}"},
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems.waitForTaskToken",
        "TimeoutSeconds": 600,
        "Arguments": {"TransactItems": [{"Put": {"TableName": table, "Item": item}}]},
        "End": True,
    }


def test_a_kill_loses_nothing(stack: RunningStack) -> None:
    """Killed with work in every part; what it had answered to is as it was, and goes on."""
    outputs, states = stack.outputs, stack.client("stepfunctions")
    table, dynamodb = outputs["TableName"], stack.client("dynamodb")
    cognito, client = stack.client("cognito-idp"), outputs["UserPoolClientId"]
    start_children(stack)

    def create(name: str, **machine: Any) -> str:
        definition = json.dumps({"QueryLanguage": "JSONata", **machine})
        answer = states.create_state_machine(
            name=name, definition=definition, roleArn=outputs["MachineRoleArn"]
        )
        return str(answer["stateMachineArn"])

    def start(machine: str, name: str, **value: Any) -> str:
        text = json.dumps(value)
        answer = states.start_execution(stateMachineArn=machine, name=name, input=text)
        return str(answer["executionArn"])

    def token(key: str, but: str = "") -> str:
        def found() -> str:
            item = dynamodb.get_item(TableName=table, Key={"id": {"S": key}}).get("Item", {})
            text = str(item.get("token", {}).get("S", ""))
            return text if text != but else ""

        return str(eventually(found))

    remember = {"Type": "Pass", "Assign": {"given": "so "}, "Next": "Wait"}
    waits = create(
        "waits",
        StartAt="Remember",
        States={"Remember": remember, "Wait": waits_for_token(table, "waits")},
    )
    each = {
        "Type": "Map",
        "Items": ["a", "b"],
        "ItemSelector": {"word": "{% $states.context.Map.Item.Value %}"},
        "ItemProcessor": {
            "StartAt": "Wait",
            "States": {"Wait": waits_for_token(table, "{% 'each-' & $states.input.word %}")},
        },
        "End": True,
    }
    maps = create(
        "maps", StartAt="Remember", States={"Remember": remember | {"Next": "Each"}, "Each": each}
    )
    told = waits_for_token(table, "told")
    del told["End"]
    both = {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "Ended", "States": {"Ended": waits_for_token(table, "ended")}},
            {
                "StartAt": "Mark",
                "States": {
                    "Mark": {"Type": "Pass", "Assign": {"mark": "marked"}, "Next": "Told"},
                    "Told": told | {"Next": "Say"},
                    "Say": {"Type": "Pass", "Output": "{% $mark %}", "End": True},
                },
            },
        ],
        "End": True,
    }
    parallels = create(
        "parallels", StartAt="Remember", States={"Remember": remember | {"Next": "B"}, "B": both}
    )
    gone = create("gone", StartAt="W", States={"W": {"Type": "Wait", "Seconds": 600, "End": True}})
    done = start(create("does", StartAt="P", States={"P": {"Type": "Succeed"}}), "done")
    eventually(lambda: states.describe_execution(executionArn=done)["status"] == "SUCCEEDED")
    waiting, mapping = start(waits, "waiting", word="it"), start(maps, "mapping")
    paralleling = start(parallels, "paralleling", word="it")
    lost = start(gone, "lost")
    begun = states.describe_execution(executionArn=waiting)["startDate"]
    states.send_task_success(taskToken=token("each-a"), output='"first"')
    states.send_task_success(taskToken=token("ended"), output='"before"')
    old = {key: token(key) for key in ("waits", "each-a", "each-b", "told", "ended")}
    states.delete_state_machine(stateMachineArn=gone)
    cognito.sign_up(ClientId=client, Username="bob@example.com", Password="Correct-horse-1")
    for n in range(100):
        row = {"id": {"S": f"row-{n}"}}
        dynamodb.put_item(TableName=table, Item=row)
        if n % 2:
            dynamodb.delete_item(TableName=table, Key=row)
    started = children(stack.pid)

    assert stack.stop(signal.SIGKILL) == -signal.SIGKILL
    eventually(lambda: not any(alive(pid) for pid in started))
    stack.start()

    assert (
        "Gone on with what the last stop had cut off: waiting, mapping, paralleling" in stack.said
    )
    rows = dynamodb.scan(TableName=table, FilterExpression="begins_with(id, :r)",
                         ExpressionAttributeValues={":r": {"S": "row-"}})["Items"]  # fmt: skip
    assert {row["id"]["S"] for row in rows} == {f"row-{n}" for n in range(0, 100, 2)}
    cognito.admin_get_user(UserPoolId=outputs["UserPoolId"], Username="bob@example.com")
    assert states.describe_execution(executionArn=done)["status"] == "SUCCEEDED"
    ended = states.describe_execution(executionArn=lost)
    assert (ended["status"], ended["error"]) == ("ABORTED", "LocalRestart")

    states.send_task_success(taskToken=token("waits", but=old["waits"]), output='"answer"')
    end = eventually(lambda: ended_well(states, waiting))
    assert (end["output"], end["startDate"]) == ('"answer"', begun)
    row = dynamodb.get_item(TableName=table, Key={"id": {"S": "waits"}})["Item"]
    assert row["given"]["S"] == "so it"
    history = stack.get("/_gen3d/executions/waiting/history.json").json()["events"]
    kinds = [event["type"] for event in history]
    assert kinds.count("ExecutionStarted") == kinds.count("TaskSubmitted") == 1
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))

    for key in ("each-a", "each-b"):
        states.send_task_success(taskToken=token(key, but=old[key]), output=f'"{key}"')
    assert eventually(lambda: ended_well(states, mapping))["output"] == '["each-a","each-b"]'
    # Of a Parallel each branch goes on where it stood; one that had ended is not run again.
    states.send_task_success(taskToken=token("told", but=old["told"]), output='"after"')
    assert eventually(lambda: ended_well(states, paralleling))["output"] == '["before","marked"]'
    assert token("ended") == old["ended"]
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(waits, "waiting", word="it")


def ended_well(states: Any, execution: str) -> Any:
    """The execution once it has succeeded."""
    found = states.describe_execution(executionArn=execution)
    assert found["status"] in ("RUNNING", "SUCCEEDED"), found
    return found if found["status"] == "SUCCEEDED" else None


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except FileNotFoundError:
        return False


def test_a_template_that_cannot_be_deployed_says_what_and_why(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  Bad:\n    Type: AWS::CloudWatch::Dashboard\n"
        "    Properties: {DashboardBody: ''}\n"
    )
    running = RunningStack(tmp_path / "state", template)
    with pytest.raises(AssertionError) as error:
        running.start()
    assert (
        "gen3d: The deployment ended as ROLLBACK_COMPLETE: Bad (AWS::CloudWatch::Dashboard)"
        in str(error.value)
    )
    template.write_text("Resources:\n  Good: {Type: AWS::SNS::Topic}\n")
    running = RunningStack(tmp_path / "state", template)
    running.start()  # the failed one is not in the way
    running.stop()
