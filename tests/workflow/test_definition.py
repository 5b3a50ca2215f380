"""Rules that every state of the machine keeps."""

import re
from typing import Any

import pytest

from tests.support import resources

from .harness import all_states, definition

MACHINE = definition()
STATES = all_states(MACHINE)
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
FAILURE_PATH = {"RecordFailure": "Failed", "NotifyFailure": "Failed"}
MAIL = {"NotifyPrepared": "WaitForMask", "Notify": "Done", "NotifyExpiry": "Untold"}
OBJECT = {"RecordObjectFailure": "FailedObject"}
tasks = pytest.mark.parametrize(("name", "state"), TASKS.items(), ids=TASKS)


def test_the_machine_has_a_timeout_longer_than_the_longest_wait_for_a_mask() -> None:
    assert MACHINE["TimeoutSeconds"] > 14 * 86400


@tasks
def test_every_task_has_a_timeout(name: str, state: dict[str, Any]) -> None:
    assert "TimeoutSeconds" in state


@tasks
def test_every_error_is_caught_and_ends_in_one_place(name: str, state: dict[str, Any]) -> None:
    last = state["Catch"][-1]
    assert last["ErrorEquals"] == ["States.ALL"]
    inside_map = name not in MACHINE["States"]
    place = "ObjectFailed" if inside_map else "RecordFailure"
    assert last["Next"] == (FAILURE_PATH | MAIL | OBJECT).get(name, place)


def updates(state: dict[str, Any]) -> list[dict[str, Any]]:
    """What a state writes to the jobs table."""
    arguments = state.get("Arguments", {})
    items = [item.get("Update") for item in arguments.get("TransactItems", [])]
    return [u for u in [*items, arguments] if u and "UpdateExpression" in u]


WRITERS = {name: state for name, state in TASKS.items() if updates(state)}


def test_the_record_is_written_by_nine_states() -> None:
    assert len(WRITERS) == 9


@pytest.mark.parametrize(("name", "state"), WRITERS.items(), ids=WRITERS)
def test_every_update_is_its_runs_and_allows_what_it_sets(name: str, state: dict[str, Any]) -> None:
    (update,) = updates(state)
    condition, expression = update["ConditionExpression"], update["UpdateExpression"]
    assert "#run = :run" in condition
    assert update["ExpressionAttributeValues"][":run"] == {"N": "{% $string($job.run) %}"}
    target = re.search(r"SET #status = (:\w+)", expression)
    assert (target[1] if target else ":reconstructing") in condition


@pytest.mark.parametrize(("name", "state"), WRITERS.items(), ids=WRITERS)
def test_every_name_and_value_of_an_update_is_used(name: str, state: dict[str, Any]) -> None:
    """DynamoDB refuses others, which the interpreter's table does not."""
    (update,) = updates(state)
    text = update["ConditionExpression"] + " " + update["UpdateExpression"]
    assert set(update["ExpressionAttributeNames"]) == set(re.findall(r"#\w+", text))
    assert set(update["ExpressionAttributeValues"]) == set(re.findall(r":\w+", text))


def assigned(states: dict[str, dict[str, Any]]) -> set[str]:
    """The variables that states set."""
    rules = [r for s in states.values() for r in (s, *s.get("Catch", []), *s.get("Choices", []))]
    return {name for rule in rules for name in rule.get("Assign", {})}


def test_no_variable_of_an_object_has_the_name_of_one_of_the_job() -> None:
    """Step Functions refuses to hide one by the other, which the interpreter does not."""
    inside = MACHINE["States"]["EachObject"]["ItemProcessor"]["States"]
    assert assigned(inside)
    assert not assigned(inside) & assigned(MACHINE["States"])


def test_the_map_catches_too() -> None:
    assert MACHINE["States"]["EachObject"]["Catch"][-1]["Next"] == "RecordFailure"


@tasks
def test_a_failure_names_the_state_that_it_is_caught_in(name: str, state: dict[str, Any]) -> None:
    for catcher in state.get("Catch", []):
        for value in catcher.get("Assign", {}).values():
            assert "Harness" not in value or f"'Harness': '{name}'" in value


@pytest.mark.parametrize("name", ["Initialize", "Reconstruct"])
def test_a_task_outlasts_the_queue_and_the_inference(name: str) -> None:
    function = resources("AWS::Serverless::Function")["SubmitFunction"]
    given = function["Environment"]["Variables"]
    longest = int(given["REQUEST_TTL_SECONDS"]) + int(given["INVOCATION_TIMEOUT_SECONDS"])
    assert STATES[name]["TimeoutSeconds"] >= longest
