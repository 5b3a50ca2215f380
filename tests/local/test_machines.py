"""What the state machine needs of an interpreter, with machines of one or two states."""

import json
import threading
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.local.running import RunningStack, eventually

JSONATA = {"QueryLanguage": "JSONata"}
PUT_TOKEN = "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems.waitForTaskToken"


class Machines:
    """Creates machines and runs them."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.states = stack.client("stepfunctions")

    def create(self, **machine: Any) -> str:
        """Create a machine; gives its ARN."""
        answer = self.states.create_state_machine(
            name=f"m-{uuid4().hex[:8]}",
            definition=json.dumps({**JSONATA, **machine}),
            roleArn=self.stack.outputs["MachineRoleArn"],
        )
        return str(answer["stateMachineArn"])

    def start(self, machine: str, value: Any = None) -> str:
        """Start an execution; gives its ARN."""
        name = f"e-{uuid4().hex[:8]}"
        text = json.dumps({} if value is None else value)
        answer = self.states.start_execution(stateMachineArn=machine, name=name, input=text)
        return str(answer["executionArn"])

    def end(self, execution: str) -> dict[str, Any]:
        """Wait for the end of an execution."""

        def ended() -> Any:
            found = self.states.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return dict(eventually(ended))

    def run(self, value: Any = None, **machine: Any) -> dict[str, Any]:
        """Create, start, and wait."""
        return self.end(self.start(self.create(**machine), value))

    def output(self, value: Any = None, **machine: Any) -> Any:
        """What a machine that succeeds gives."""
        end = self.run(value, **machine)
        assert end["status"] == "SUCCEEDED", end
        return json.loads(end["output"])

    def events(self, execution: str) -> list[dict[str, Any]]:
        """The history."""
        return list(self.states.get_execution_history(executionArn=execution)["events"])

    def waiting(self, **state: Any) -> tuple[str, str]:
        """An execution that waits for its token; gives both."""
        key = uuid4().hex
        machine = self.create(
            StartAt="Wait", States={"Wait": self.wait_for_token(key) | {"End": True} | state}
        )
        execution = self.start(machine)
        return execution, self.token(key)

    def wait_for_token(self, key: str) -> dict[str, Any]:
        """A state that puts its token into the table."""
        item = {"id": {"S": key}, "token": {"S": "{% $states.context.Task.Token %}"}}
        put = {
            "TableName": self.stack.outputs["TableName"],
            "Item": item,
            "ConditionExpression": "attribute_not_exists(id)",
        }
        return {
            "Type": "Task",
            "Resource": PUT_TOKEN,
            "TimeoutSeconds": 60,
            "Arguments": {"TransactItems": [{"Put": put}]},
        }

    def token(self, key: str) -> str:
        """The token in the table, as soon as it is there."""
        table, dynamodb = self.stack.outputs["TableName"], self.stack.client("dynamodb")
        item = eventually(
            lambda: dynamodb.get_item(TableName=table, Key={"id": {"S": key}}).get("Item")
        )
        return str(item["token"]["S"])


@pytest.fixture(scope="module")
def machines(stack: RunningStack) -> Machines:
    """Machines on the stack."""
    return Machines(stack)


def passing(output: Any, **more: Any) -> dict[str, Any]:
    """A machine of one Pass state."""
    return {
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "Output": output, "End": True, **more}},
    }


def test_the_deployed_machine_runs(stack: RunningStack, machines: Machines) -> None:
    execution = machines.start(stack.outputs["MachineArn"])
    output = json.loads(machines.end(execution)["output"])
    assert output == {"greeting": "hello", "name": execution.rsplit(":", 1)[-1]}


def test_the_context_knows_the_execution(machines: Machines) -> None:
    context = machines.output(**passing("{% $states.context.Execution %}"))
    assert context["RedriveCount"] == 0
    assert context["Id"].endswith(context["Name"])


@pytest.mark.parametrize(
    "text", ['say "this"', "back\\slash", "two\nlines", "ünïcode 3D ✓", "$a{b}"]
)
def test_any_text_survives_variables(machines: Machines, text: str) -> None:
    states = {
        "A": {"Type": "Pass", "Assign": {"text": "{% $states.input.text %}"}, "Next": "B"},
        "B": {
            "Type": "Pass",
            "Output": "{% $text & '|' & $states.context.State.Name %}",
            "End": True,
        },
    }
    assert machines.output({"text": text}, StartAt="A", States=states) == f"{text}|B"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$parse('{\"a\": [1, null]}').a[0]", 1),
        ("$parse('\"$uuid()\"')", "$uuid()"),
        ("$length($uuid())", 36),
        (
            "$hash('a', 'SHA-256')",
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        ),
        ("$partition([1, 2, 3], 2)", [[1, 2], [3]]),
    ],
)
def test_awss_own_functions_are_there(machines: Machines, expression: str, value: object) -> None:
    assert machines.output(**passing(f"{{% {expression} %}}")) == value


def test_what_does_not_exist_is_an_error(machines: Machines) -> None:
    end = machines.run(**passing("{% $states.input.none %}"))
    assert (end["status"], end["error"]) == ("FAILED", "States.QueryEvaluationError")


def test_a_map_of_eight_runs_at_once_and_keeps_its_order(
    stack: RunningStack, machines: Machines
) -> None:
    inner = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": stack.outputs["FunctionArn"],
            "Payload": {"do": "log", "line": "{% $string($states.context.Map.Item.Index) %}"},
        },
        "Output": "{% [$states.input, $states.context.Map.Item.Index] %}",
        "End": True,
    }
    each = {
        "Type": "Map",
        "Items": "{% $states.input %}",
        "MaxConcurrency": 8,
        "ItemProcessor": {"StartAt": "I", "States": {"I": inner}},
        "End": True,
    }
    items = list("abcdefgh")
    expected = [[item, n] for n, item in enumerate(items)]
    assert machines.output(items, StartAt="M", States={"M": each}) == expected


def test_a_functions_error_can_be_caught_by_its_name(
    stack: RunningStack, machines: Machines
) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": stack.outputs["FunctionArn"], "Payload": {"do": "raise"}},
        "Catch": [
            {
                "ErrorEquals": ["NamedError"],
                "Output": "{% $parse($states.errorOutput.Cause).errorMessage %}",
                "Next": "C",
            }
        ],
        "End": True,
    }
    states = {"T": task, "C": {"Type": "Pass", "End": True}}
    assert machines.output(StartAt="T", States=states) == 'with "quotes"'


def test_a_file_is_written_as_it_was_given(stack: RunningStack, machines: Machines) -> None:
    bucket = stack.outputs["BucketName"]

    def put(key: str, body: Any) -> dict[str, Any]:
        arguments = {"Bucket": bucket, "Key": key, "Body": body}
        resource = "arn:aws:states:::aws-sdk:s3:putObject"
        task = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}
        return machines.run(StartAt="T", States={"T": task})

    s3 = stack.client("s3")
    assert put("out/text", "{% 'a' & 'b' %}")["status"] == "SUCCEEDED"
    assert s3.get_object(Bucket=bucket, Key="out/text")["Body"].read() == b"ab"
    assert put("out/json", {"a": [1]})["status"] == "SUCCEEDED"
    assert json.load(s3.get_object(Bucket=bucket, Key="out/json")["Body"]) == {"a": [1]}
    denied = put("elsewhere", "x")
    assert (denied["status"], denied["error"]) == ("FAILED", "S3.AccessDeniedException")
    assert "not authorized" in denied["cause"]


def test_a_condition_that_fails_has_awss_name(stack: RunningStack, machines: Machines) -> None:
    key = uuid4().hex
    table = stack.outputs["TableName"]
    stack.client("dynamodb").put_item(TableName=table, Item={"id": {"S": key}})
    transaction = machines.wait_for_token(key) | {"End": True}
    end = machines.run(StartAt="T", States={"T": transaction})
    assert end["error"] == "DynamoDb.TransactionCanceledException"
    update = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem",
        "Arguments": {
            "TableName": table,
            "Key": {"id": {"S": key}},
            "UpdateExpression": "SET a = :a",
            "ConditionExpression": "attribute_exists(b)",
            "ExpressionAttributeValues": {":a": {"S": "a"}},
        },
        "End": True,
    }
    end = machines.run(StartAt="T", States={"T": update})
    assert end["error"] == "DynamoDb.ConditionalCheckFailedException"


@pytest.mark.parametrize("send", ["success", "failure", "heartbeat"])
def test_a_token_is_answered_once(machines: Machines, send: str) -> None:
    execution, token = machines.waiting()
    machines.states.send_task_success(taskToken=token, output='{"mask": 1}')
    assert json.loads(machines.end(execution)["output"]) == {"mask": 1}
    again = getattr(machines.states, f"send_task_{send}")
    more = {"output": "{}"} if send == "success" else {}
    with pytest.raises(ClientError) as error:
        again(taskToken=token, **more)
    assert error.value.response["Error"]["Code"] == "TaskTimedOut"


def test_an_invented_token_is_invalid(machines: Machines) -> None:
    with pytest.raises(ClientError) as error:
        machines.states.send_task_success(taskToken="invented", output="{}")
    assert error.value.response["Error"]["Code"] == "InvalidToken"


def test_a_failure_keeps_its_error_and_cause(machines: Machines) -> None:
    execution, token = machines.waiting()
    machines.states.send_task_failure(taskToken=token, error="InvalidMask", cause='"It" is empty.')
    end = machines.end(execution)
    assert (end["status"], end["error"], end["cause"]) == (
        "FAILED",
        "InvalidMask",
        '"It" is empty.',
    )


def test_a_task_that_nobody_answers_times_out(machines: Machines) -> None:
    execution, token = machines.waiting(TimeoutSeconds=1)
    assert machines.end(execution)["error"] == "States.Timeout"
    with pytest.raises(ClientError) as error:
        machines.states.send_task_success(taskToken=token, output="{}")
    assert error.value.response["Error"]["Code"] == "TaskTimedOut"


def test_a_missed_heartbeat_has_its_own_name(machines: Machines) -> None:
    execution, _ = machines.waiting(HeartbeatSeconds=1)
    assert machines.end(execution)["error"] == "States.HeartbeatTimeout"


def test_stopping_ends_an_execution_that_waits(machines: Machines) -> None:
    execution, token = machines.waiting()
    machines.states.stop_execution(executionArn=execution, error="Cancelled", cause="By the owner")
    end = machines.states.describe_execution(executionArn=execution)
    assert (end["status"], end["error"], end["cause"]) == ("ABORTED", "Cancelled", "By the owner")
    assert [e["type"] for e in machines.events(execution)][-1] == "ExecutionAborted"
    with pytest.raises(ClientError):
        machines.states.send_task_success(taskToken=token, output="{}")
    assert [e["type"] for e in machines.events(execution)].count("ExecutionAborted") == 1


def test_an_execution_times_out_while_it_waits(machines: Machines) -> None:
    key = uuid4().hex
    wait = machines.wait_for_token(key) | {"End": True}
    end = machines.run(TimeoutSeconds=1, StartAt="Wait", States={"Wait": wait})
    assert end["status"] == "TIMED_OUT"


def test_a_map_that_has_failed_ends_its_other_objects(machines: Machines) -> None:
    key = uuid4().hex
    waiting = machines.wait_for_token("{% '" + key + "' & $states.input %}") | {"End": True}
    each = {
        "Type": "Map",
        "Items": ["fails", "waits"],
        "ItemProcessor": {"StartAt": "Wait", "States": {"Wait": waiting}},
        "Catch": [{"ErrorEquals": ["Failed"], "Next": "Hold"}],
        "End": True,
    }
    hold = machines.wait_for_token(f"{key}hold") | {"End": True}
    execution = machines.start(machines.create(StartAt="Each", States={"Each": each, "Hold": hold}))
    fails, waits = machines.token(f"{key}fails"), machines.token(f"{key}waits")
    machines.states.send_task_failure(taskToken=fails, error="Failed", cause="")
    held = machines.token(f"{key}hold")
    with pytest.raises(ClientError, match="TaskTimedOut"):
        machines.states.send_task_success(taskToken=waits, output="{}")
    machines.states.send_task_success(taskToken=held, output="{}")
    assert machines.end(execution)["status"] == "SUCCEEDED"


def test_the_branches_of_a_parallel_run_beside_each_other_and_give_a_list(
    machines: Machines,
) -> None:
    key = uuid4().hex
    branches = [
        {"StartAt": "Wait", "States": {"Wait": machines.wait_for_token(key) | {"End": True}}},
        {
            "StartAt": "Note",
            "States": {
                "Note": {"Type": "Pass", "Assign": {"noted": "{% $outer & '!' %}"}, "Next": "Say"},
                "Say": {"Type": "Pass", "Output": "{% $noted %}", "End": True},
            },
        },
    ]
    states = {
        "First": {"Type": "Pass", "Assign": {"outer": "from outside"}, "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Branches": branches,
            "Assign": {"said": "{% $states.result[1] %}"},
            "Output": "{% $states.result[0] %}",
            "Next": "Last",
        },
        "Last": {
            "Type": "Pass",
            "Output": "{% [$states.input.answer, $said, $exists($noted)] %}",
            "End": True,
        },
    }
    execution = machines.start(machines.create(StartAt="First", States=states))
    machines.states.send_task_success(taskToken=machines.token(key), output='{"answer": 1}')
    assert json.loads(machines.end(execution)["output"]) == [1, "from outside!", False]


def test_a_parallel_that_has_failed_ends_its_other_branches_and_says_why(
    machines: Machines,
) -> None:
    key = uuid4().hex
    each = {
        "Type": "Map",
        "Items": ["0"],
        "ItemProcessor": {
            "StartAt": "Deep",
            "States": {"Deep": machines.wait_for_token(f"{key}deep") | {"End": True}},
        },
        "End": True,
    }
    both = {
        "Type": "Parallel",
        "Branches": [
            {
                "StartAt": "Fails",
                "States": {"Fails": machines.wait_for_token(f"{key}fails") | {"End": True}},
            },
            {
                "StartAt": "Waits",
                "States": {"Waits": machines.wait_for_token(f"{key}waits") | {"End": True}},
            },
            {"StartAt": "Each", "States": {"Each": each}},
        ],
        "Catch": [
            {
                "ErrorEquals": ["States.Timeout"],
                "Assign": {"why": "{% $states.errorOutput %}"},
                "Next": "Hold",
            }
        ],
        "End": True,
    }
    hold = machines.wait_for_token(f"{key}hold") | {"Output": "{% $why %}", "End": True}
    execution = machines.start(machines.create(StartAt="Both", States={"Both": both, "Hold": hold}))
    fails, waits, deep = [machines.token(f"{key}{name}") for name in ("fails", "waits", "deep")]
    machines.states.send_task_failure(taskToken=fails, error="States.Timeout", cause='"Late"')
    held = machines.token(f"{key}hold")
    for ended in (waits, deep):
        with pytest.raises(ClientError, match="TaskTimedOut"):
            machines.states.send_task_success(taskToken=ended, output="{}")
    machines.states.send_task_success(taskToken=held, output="{}")
    output = json.loads(machines.end(execution)["output"])
    assert output == {"Error": "States.Timeout", "Cause": '"Late"'}


def test_what_was_cancelled_is_no_error_in_the_log(stack: RunningStack, machines: Machines) -> None:
    before = len(stack.log())
    execution, _ = machines.waiting()
    machines.states.stop_execution(executionArn=execution, error="Cancelled", cause="By the owner")
    assert "ERROR" not in stack.log()[before:]


def test_what_was_cancelled_in_a_map_is_no_error_either(
    stack: RunningStack, machines: Machines
) -> None:
    key, before = uuid4().hex, len(stack.log())
    waiting = machines.wait_for_token("{% '" + key + "' & $states.input %}") | {"End": True}
    each = {
        "Type": "Map",
        "Items": ["0", "1"],
        "ItemProcessor": {"StartAt": "Wait", "States": {"Wait": waiting}},
        "End": True,
    }
    execution = machines.start(machines.create(StartAt="Each", States={"Each": each}))
    machines.token(f"{key}0"), machines.token(f"{key}1")
    machines.states.stop_execution(executionArn=execution, error="Cancelled", cause="By the owner")
    machines.run(StartAt="Later", States={"Later": {"Type": "Wait", "Seconds": 1, "End": True}})
    assert "ERROR" not in stack.log()[before:]
    assert machines.end(execution)["error"] == "Cancelled"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_an_end_that_is_not_good_is_announced(
    stack: RunningStack, machines: Machines, status: str
) -> None:
    if status == "FAILED":
        failing = {"Type": "Fail", "Error": "E", "Cause": "c"}
        execution = machines.start(machines.create(StartAt="F", States={"F": failing}))
    elif status == "TIMED_OUT":
        wait = {"Type": "Wait", "Seconds": 60, "End": True}
        machine = machines.create(TimeoutSeconds=1, StartAt="W", States={"W": wait})
        execution = machines.start(machine)
    else:
        execution, _ = machines.waiting()
        machines.states.stop_execution(executionArn=execution)
    event = eventually(lambda: _message(stack, lambda m: _execution(m) == execution))
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert event["detail"]["status"] == status
    assert event["resources"] == [execution]


def test_a_name_is_used_once(stack: RunningStack, machines: Machines) -> None:
    key = uuid4().hex
    wait = machines.wait_for_token(key) | {"End": True}
    machine = machines.create(StartAt="Wait", States={"Wait": wait})

    def start(text: str) -> str:
        arguments = {"stateMachineArn": machine, "name": "job", "input": text}
        return str(machines.states.start_execution(**arguments)["executionArn"])

    first: list[str] = []
    threads = [threading.Thread(target=lambda: first.append(start("{}"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(first) == 4
    assert len(set(first)) == 1
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start('{"other": 1}')
    machines.states.send_task_success(taskToken=machines.token(key), output="{}")
    machines.end(first[0])
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start("{}")


def test_a_changed_definition_is_taken_by_the_next_execution(machines: Machines) -> None:
    machine = machines.create(**passing("one"))
    assert machines.end(machines.start(machine))["output"] == '"one"'
    definition = json.dumps({**JSONATA, **passing("two")})
    machines.states.update_state_machine(stateMachineArn=machine, definition=definition)
    assert machines.end(machines.start(machine))["output"] == '"two"'


def test_a_file_that_arrives_is_an_event(stack: RunningStack) -> None:
    s3, bucket = stack.client("s3"), stack.outputs["BucketName"]
    s3.put_object(Bucket=bucket, Key="out/other.json", Body=b"{}")
    s3.put_object(Bucket=bucket, Key="out/one/result.json", Body=b"{}")
    event = eventually(lambda: _message(stack, lambda m: m.get("source") == "aws.s3"))
    assert event["detail"]["object"]["key"] == "out/one/result.json"


def _message(stack: RunningStack, wanted: Any) -> dict[str, Any] | None:
    return next((message for message in stack.take_messages() if wanted(message)), None)


def _execution(message: dict[str, Any]) -> str:
    return str((message.get("detail") or {}).get("executionArn", ""))
