"""What a stack leaves behind when it ends, and what it remembers when it comes back."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    stack.client("lambda").invoke(FunctionName=outputs["FunctionName"], Payload='{"do": "log"}')
    stack.client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=outputs["EndpointName"], InputLocation=f"s3://{bucket}/in/kept"
    )
    wait = {"Type": "Wait", "Seconds": 600, "End": True}
    definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": "W", "States": {"W": wait}})
    states = stack.client("stepfunctions")
    machine = states.create_state_machine(
        name="waits", definition=definition, roleArn=outputs["MachineRoleArn"]
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, name="lost")["executionArn"]
    assert eventually(lambda: len(children(stack.pid)) >= 2)
    started = children(stack.pid)

    assert stack.stop(signal.SIGTERM) == 130
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)

    stack.start()
    assert stack.outputs == outputs
    assert s3.get_object(Bucket=bucket, Key="in/kept")["Body"].read() == b'{"kept": true}'
    item = stack.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "kept"}})
    assert "Item" in item
    cognito.admin_get_user(UserPoolId=outputs["UserPoolId"], Username="ada@example.com")
    answer = states.start_execution(stateMachineArn=outputs["MachineArn"], name="again")
    assert "executionArn" in answer
    assert "Gone on with what the last stop had cut off: lost" in stack.said
    assert states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    assert stack.stop(signal.SIGINT) == 130


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
