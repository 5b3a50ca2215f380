"""Rules that every state of the machine keeps."""

from typing import Any

import pytest
from gen3d.errors import ERRORS

from tests.support import resources

from .stage import all_states, definition

MACHINE = definition()
STATES = all_states(MACHINE)
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
FAILURE_PATH = {"RecordFailure": "Failed", "NotifyFailure": "Failed"}
MAIL = {"NotifyPrepared": "WaitForMask", "Notify": "Done", "NotifyExpiry": "Expired"}
tasks = pytest.mark.parametrize(("name", "state"), TASKS.items(), ids=TASKS)


def test_the_machine_has_a_timeout_longer_than_the_longest_wait_for_a_mask() -> None:
    assert MACHINE["TimeoutSeconds"] > 14 * 86400


@tasks
def test_every_task_has_a_timeout(name: str, state: dict[str, Any]) -> None:
    assert "TimeoutSeconds" in state


@tasks
def test_every_task_retries_with_jitter_and_an_end(name: str, state: dict[str, Any]) -> None:
    for retrier in state["Retry"]:
        assert retrier["JitterStrategy"] == "FULL"
        assert 1 <= retrier["MaxAttempts"] <= 5


@tasks
def test_only_passing_errors_are_retried(name: str, state: dict[str, Any]) -> None:
    retried = {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}
    assert not any(error.startswith("States.") for error in retried)
    assert retried & set(ERRORS) <= {"MailFailed", "EndpointUnavailable"}


@tasks
def test_every_error_is_caught_and_ends_in_one_place(name: str, state: dict[str, Any]) -> None:
    if name == "RecordObjectFailure":
        assert "Catch" not in state  # the Map catches it
        return
    last = state["Catch"][-1]
    assert last["ErrorEquals"] == ["States.ALL"]
    inside_map = name not in MACHINE["States"]
    place = "RecordObjectFailure" if inside_map else "RecordFailure"
    assert last["Next"] == (FAILURE_PATH | MAIL).get(name, place)


def test_the_map_catches_too() -> None:
    assert MACHINE["States"]["EachObject"]["Catch"][-1]["Next"] == "RecordFailure"


@tasks
def test_a_failure_names_the_state_that_it_is_caught_in(name: str, state: dict[str, Any]) -> None:
    for catcher in state.get("Catch", []):
        for value in catcher.get("Assign", {}).values():
            assert "Stage" not in value or f"'Stage': '{name}'" in value


@pytest.mark.parametrize("name", ["Initialize", "Reconstruct"])
def test_a_task_outlasts_the_queue_and_the_inference(name: str) -> None:
    function = resources("AWS::Serverless::Function")["SubmitFunction"]
    given = function["Environment"]["Variables"]
    longest = int(given["REQUEST_TTL_SECONDS"]) + int(given["INVOCATION_TIMEOUT_SECONDS"])
    assert STATES[name]["TimeoutSeconds"] >= longest
