"""From events to what the page shows."""

import json
from typing import Any, cast

from local_aws.pages.history import Row, rows
from local_aws.workflow.records import Record

DEFINITION = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Task", "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "StartAt": "Make",
                "States": {"Make": {"Type": "Task", "Next": "Keep"}, "Keep": {"Type": "Task"}},
            },
            "Next": "Last",
        },
        "Last": {"Type": "Task", "End": True},
        "Failed": {"Type": "Fail"},
    },
}


class Story:
    """Writes the events of an execution; each follows the one before it, or a named one."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.add("ExecutionStarted", after=0)

    def add(self, kind: str, after: int | None = None, **details: Any) -> int:
        number = len(self.events) + 1
        previous = number - 1 if after is None else after
        stamp = f"2026-01-01T00:00:{number:02}.000Z"
        base = {"id": number, "previousEventId": previous, "type": kind, "timestamp": stamp}
        self.events.append(base | details)
        return number

    def enter(self, kind: str, name: str, after: int | None = None) -> int:
        details = {"stateEnteredEventDetails": {"name": name, "input": "{}"}}
        return self.add(f"{kind}StateEntered", after, **details)

    def leave(self, kind: str, name: str, after: int | None = None) -> int:
        details = {"stateExitedEventDetails": {"name": name, "output": '"out"'}}
        return self.add(f"{kind}StateExited", after, **details)

    def schedule(self) -> int:
        return self.add("TaskScheduled", taskScheduledEventDetails={"parameters": '{"a":1}'})

    def fail(self, error: str) -> int:
        return self.add("TaskFailed", taskFailedEventDetails={"error": error, "cause": "why"})

    def item(self, index: int, after: int) -> int:
        details = {"mapIterationStartedEventDetails": {"index": index}}
        return self.add("MapIterationStarted", after, **details)

    def rows(
        self, status: str = "RUNNING", stop: int | None = None, machine: Any = None
    ) -> list[Row]:
        detail = {"status": status, "stopDate": stop}
        definition = json.dumps(machine or DEFINITION)
        record = {"detail": detail, "definition": definition, "events": self.events}
        return rows(cast(Record, record))


def shown(found: list[Row]) -> list[tuple[str, int | None, str]]:
    return [(row.name, row.item, row.status) for row in found]


def test_what_is_still_to_come_is_shown_while_it_goes_well() -> None:
    story = Story()
    story.enter("Task", "First")
    story.schedule()
    assert shown(story.rows()) == [
        ("First", None, "RUNNING"),
        ("Each", None, "PENDING"),
        ("Last", None, "PENDING"),
    ]


def test_a_state_knows_its_time_and_what_went_in_and_out() -> None:
    story = Story()
    story.enter("Task", "First")
    story.schedule()
    story.leave("Task", "First")
    first = story.rows("SUCCEEDED")[0]
    assert (first.status, first.milliseconds) == ("SUCCEEDED", 2000)
    assert (first.input, first.output, first.attempts) == ('{"a":1}', '"out"', 1)


def test_each_object_of_a_map_has_its_own_states() -> None:
    story = Story()
    each = story.enter("Map", "Each")
    one, two = story.item(0, each), story.item(1, each)
    make_one = story.enter("Task", "Make", one)
    make_two = story.enter("Task", "Make", two)
    story.leave("Task", "Make", make_two)
    story.enter("Task", "Keep", len(story.events))
    found = story.rows()
    assert make_one
    assert shown(found) == [
        ("Each", None, "RUNNING"),
        ("Make", 0, "RUNNING"),
        ("Keep", 0, "PENDING"),
        ("Make", 1, "SUCCEEDED"),
        ("Keep", 1, "RUNNING"),
        ("Last", None, "PENDING"),
    ]


def test_each_branch_of_a_parallel_has_its_own_states() -> None:
    machine = {
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    {"StartAt": "Wait", "States": {"Wait": {"Type": "Task", "End": True}}},
                    {
                        "StartAt": "Ask",
                        "States": {
                            "Ask": {"Type": "Task", "Next": "Keep"},
                            "Keep": {"Type": "Task", "End": True},
                        },
                    },
                ],
                "Next": "Last",
            },
            "Last": {"Type": "Task", "End": True},
        },
    }
    story = Story()
    both = story.enter("Parallel", "Both")
    ask = story.enter("Task", "Ask", both)
    story.enter("Task", "Wait", both)
    assert shown(story.rows(machine=machine)) == [
        ("Both", None, "RUNNING"),
        ("Wait", None, "RUNNING"),
        ("Ask", None, "RUNNING"),
        ("Keep", None, "PENDING"),
        ("Last", None, "PENDING"),
    ]
    story.leave("Task", "Ask", ask)
    assert shown(story.rows("ABORTED", 1767225606000, machine)) == [
        ("Both", None, "ABORTED"),
        ("Wait", None, "ABORTED"),
        ("Ask", None, "SUCCEEDED"),
    ]


def test_tries_are_counted_and_a_mended_error_is_gone() -> None:
    story = Story()
    story.enter("Task", "First")
    story.schedule()
    story.fail("Lambda.TooManyRequestsException")
    story.schedule()
    story.leave("Task", "First")
    first = story.rows("SUCCEEDED")[0]
    assert (first.attempts, first.status, first.error) == (2, "SUCCEEDED", "")


def test_a_caught_error_is_told_and_nothing_is_promised() -> None:
    story = Story()
    story.enter("Task", "First")
    story.schedule()
    story.fail("InvalidImage")
    story.leave("Task", "First")
    story.enter("Fail", "Failed")
    found = story.rows("FAILED", stop=1767225606000)
    assert shown(found) == [("First", None, "CAUGHT"), ("Failed", None, "FAILED")]
    assert (found[0].error, found[0].cause) == ("InvalidImage", "why")


def test_what_runs_when_it_is_stopped_is_aborted() -> None:
    story = Story()
    story.enter("Task", "First")
    found = story.rows("ABORTED", stop=1767225605000)
    assert shown(found) == [("First", None, "ABORTED")]
    assert found[0].milliseconds == 3000
