"""Rules that every state of the machine keeps."""

import re
from typing import Any

import pytest

from tests.support import resources

from .harness import all_states, definition, parts

MACHINE = definition()
STATES = all_states(MACHINE)
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
CAUGHT = {
    "Accept": "RecordFailure",
    "DraftWanted": "DraftLost",
    "PreparationWanted": "DraftStands",
    "MaskWanted": "InteractionFailed",
    "DraftObject": "ObjectDraftLost",
    "Have": "ObjectFailed",
}
"""Where a part of the machine begins → where errors lead in it."""

BUT = {
    "RecordFailure": "Failed",
    "NotifyFailure": "Failed",
    "NotifyPrepared": "Prepared",
    "Notify": "Done",
    "NotifyExpiry": "Untold",
    "RecordObjectFailure": "FailedObject",
    "InitializeAtOnce": "PreparationFailed",
    "DraftStands": "PreparationFailed",
    "MakeScene": "SceneFailed",
}
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
    (start,) = [part["StartAt"] for part in parts(MACHINE) if name in part["States"]]
    assert last["Next"] == BUT.get(name, CAUGHT[start])


def updates(state: dict[str, Any]) -> list[dict[str, Any]]:
    """What a state writes to the jobs table."""
    arguments = state.get("Arguments", {})
    items = [item.get("Update") for item in arguments.get("TransactItems", [])]
    return [u for u in [*items, arguments] if u and "UpdateExpression" in u]


WRITERS = {name: state for name, state in TASKS.items() if updates(state)}


def test_the_record_is_written_by_fourteen_states() -> None:
    assert len(WRITERS) == 14


@pytest.mark.parametrize(("name", "state"), WRITERS.items(), ids=WRITERS)
def test_every_update_is_its_runs_and_allows_what_it_sets(name: str, state: dict[str, Any]) -> None:
    (update,) = updates(state)
    condition, expression = update["ConditionExpression"], update["UpdateExpression"]
    assert "#run = :run" in condition
    assert update["ExpressionAttributeValues"][":run"] == {"N": "{% $string($job.run) %}"}
    target = re.search(r"SET #status = (:\w+)", expression)
    if target or "#objects" in expression:
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


def hidden(machine: dict[str, Any], outside: set[str]) -> set[str]:
    """The variables that hide one of what is outside of their part."""
    own = assigned(machine["States"])
    found = own & outside
    for state in machine["States"].values():
        for inside in (*state.get("Branches", []), state.get("ItemProcessor")):
            found |= hidden(inside, outside | own) if inside else set()
    return found


def test_no_variable_has_the_name_of_one_outside() -> None:
    """Step Functions refuses to hide one by the other, which the interpreter does not."""
    assert all(assigned(part["States"]) for part in parts(MACHINE))
    assert not hidden(MACHINE, set())


@pytest.mark.parametrize(
    ("name", "place"),
    [("EachObject", "RecordFailure"), ("Prepare", "RecordFailure"), ("DraftObjects", "Chosen")],
)
def test_what_holds_others_catches_too(name: str, place: str) -> None:
    assert STATES[name]["Catch"][-1]["Next"] == place


def test_a_name_is_of_one_state() -> None:
    names = [name for part in parts(MACHINE) for name in part["States"]]
    assert len(names) == len(set(names))


@tasks
def test_a_failure_names_the_state_that_it_is_caught_in(name: str, state: dict[str, Any]) -> None:
    for catcher in state.get("Catch", []):
        for value in catcher.get("Assign", {}).values():
            assert f"'Stage': '{name}'" in value


@pytest.mark.parametrize("name", ["Initialize", "Reconstruct"])
def test_a_task_outlasts_the_queue_and_the_inference(name: str) -> None:
    function = resources("AWS::Serverless::Function")["SubmitFunction"]
    given = function["Environment"]["Variables"]
    longest = int(given["REQUEST_TTL_SECONDS"]) + int(given["INVOCATION_TIMEOUT_SECONDS"])
    assert STATES[name]["TimeoutSeconds"] >= longest
