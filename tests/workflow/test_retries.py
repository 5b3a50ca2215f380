"""How often each task is tried again, and that AWS's documented names of passing faults are in it.

The rules are those of ``statemachines/retries.yaml``; no name is repeated here that AWS's own
descriptions of its services know.
"""

from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.session
import pytest

from gen3d.errors import ERRORS
from statemachines import __main__ as builder

from .fake_functions import Answer, Raises, Refused, TaskFails, TaskNeverEnds
from .harness import Harness, all_states, definition

RULES = builder.rules()
MACHINE = definition()
TASKS = {name: s for name, s in all_states(MACHINE).items() if s["Type"] == "Task"}

WRITE = ["Table", "Late"]
FUNCTION = ["Late", "Asleep", "FunctionDied", "Busy"]
ENDPOINT = ["Expired", "EndpointDied", "Endpoint", "Storage", *FUNCTION]
AT_ONCE = ["AsleepBriefly", "FunctionDied", "BusyBriefly"]  # what waits for it is not held up
EXPECTED = {
    "Begin": WRITE,
    "Initialize": ENDPOINT,
    "NotifyPrepared": ["AsleepBriefly", "BusyBriefly"],
    "DraftPhoto": ["Storage", *AT_ONCE],
    "RecordDraft": WRITE,
    "InitializeAtOnce": ["Storage", *FUNCTION],
    "RecordPrepared": WRITE,
    "DraftStands": ["DraftOnItsWay", *WRITE],
    "DraftObject": AT_ONCE,
    "DraftMesh": AT_ONCE,
    "RecordObjectDraft": WRITE,
    "ReconstructAtOnce": ["Storage", *FUNCTION],
    "WaitForMask": ["Transaction", "Table"],  # that it is late is no fault
    "BeginReconstruction": WRITE,
    "DecodePrompts": ["Storage", *FUNCTION],
    "RecordMasks": WRITE,
    "Reconstruct": ENDPOINT,
    "RecordSplat": WRITE,
    "PointCloudToMesh": ["Storage", *FUNCTION],
    "RecordMesh": WRITE,
    "RecordObjectFailure": WRITE,
    "MakeScene": AT_ONCE,
    "Publish": ["Bucket", "Late"],
    "Complete": WRITE,
    "Notify": ["Mail", *FUNCTION],
    "RecordExpiry": WRITE,
    "NotifyExpiry": ["Late", "Asleep", "Busy"],  # Lambda's queue tries the mail again
    "RecordFailure": WRITE,
    "NotifyFailure": FUNCTION,  # a mail is tried again by the rule on failed executions
}


def errors(*names: str) -> set[str]:
    """The errors that rules try again after."""
    return {error for name in names for error in RULES[name]["ErrorEquals"]}


# The builder


def test_the_rules_are_written_out_where_they_are_named() -> None:
    text = builder.MACHINE.read_text()
    assert builder.fill(text, RULES) == text


@pytest.mark.parametrize("name", TASKS)
def test_each_task_is_tried_again_by_its_rules(name: str) -> None:
    assert set(TASKS) == set(EXPECTED)
    written = [{**RULES[rule], "JitterStrategy": "FULL"} for rule in EXPECTED[name]]
    assert TASKS[name]["Retry"] == written


@pytest.mark.parametrize("name", TASKS)
def test_an_error_has_one_rule_in_a_task(name: str) -> None:
    named = [error for rule in TASKS[name]["Retry"] for error in rule["ErrorEquals"]]
    assert len(named) == len(set(named))


def test_every_rule_is_used_and_bounded() -> None:
    assert {rule for rules in EXPECTED.values() for rule in rules} == set(RULES)
    for name, rule in RULES.items():
        assert 1 <= rule["MaxAttempts"] <= 10, name
        assert rule["MaxDelaySeconds"] <= 240, name


MACHINE_OF_ONE = """\
States:
  A:
    Retry: # Once
      - ErrorEquals: [Stale]
        MaxAttempts: 9

    End: true
"""


def test_stale_rules_are_replaced_and_the_rest_is_kept() -> None:
    once: builder.Rule = {"Comment": "Why.", "ErrorEquals": ["A", "B"], "MaxAttempts": 1}
    filled = builder.fill(MACHINE_OF_ONE, {"Once": once})
    assert filled == (
        "States:\n  A:\n    Retry: # Once\n"
        "      - Comment: Why.\n        ErrorEquals: [A, B]\n        MaxAttempts: 1\n"
        "        JitterStrategy: FULL\n\n    End: true\n"
    )


def test_a_rule_that_there_is_not_is_named() -> None:
    with pytest.raises(builder.UnknownRuleError, match="'Once'"):
        builder.fill(MACHINE_OF_ONE, {})


def test_a_check_says_what_is_stale_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = tmp_path / "gen3d.asl.yaml"
    stale = MACHINE_OF_ONE.replace("Once", "Late")
    machine.write_text(stale)
    monkeypatch.setattr(builder, "MACHINE", machine)
    assert builder.main(["--check"]) == 1
    assert "make retries" in capsys.readouterr().err
    assert machine.read_text() == stale
    assert builder.main([]) == 0
    assert builder.main(["--check"]) == 0


# AWS's names

SERVICES = botocore.session.get_session()


def documented(service: str, operation: str) -> dict[str, int]:
    """The errors that an operation's description names, and the status that each comes with."""
    shapes = SERVICES.get_service_model(service).operation_model(operation).error_shapes
    return {s.name: s.metadata.get("error", {}).get("httpStatusCode", 0) for s in shapes}


NOT_OF_THESE_FUNCTIONS = ("EC2", "ENI", "EFS", "S3Files", "Subnet", "Invalid", "KMS", "SnapStart")
"""Of functions in a VPC, with file systems, keys or snapshots of their own, or misconfigured."""


def test_what_lambda_may_refuse_for_a_while_is_tried_again() -> None:
    passing = {
        f"Lambda.{name}"
        for name, status in documented("lambda", "Invoke").items()
        if (status in (409, 429) or status >= 500) and not name.startswith(NOT_OF_THESE_FUNCTIONS)
    }
    final = {
        "Lambda.CodeArtifactUserDeletedException",
        "Lambda.CodeArtifactUserFailedException",
        "Lambda.DurableExecutionAlreadyStartedException",
    }
    assert passing - final <= errors("Busy", "Asleep")
    assert passing - final <= errors("BusyBriefly", "AsleepBriefly")


def test_what_step_functions_advises_to_try_again_is() -> None:
    """Its guide, "Handle transient Lambda service exceptions"."""
    advised = {
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        "Lambda.Unknown",  # out of memory, out of time
    }
    assert advised <= errors("Busy", "FunctionDied")


FATAL = {
    "Runtime.ExitError",
    "Runtime.TruncatedResponse",
    "Runtime.Unknown",
    "Function.Unknown",
    "Sandbox.Failure",
    "Sandbox.Timeout",
    "Sandbox.Timedout",
}
"""Ends of a function that another try may not meet, as AWS's runtime interface emulator names them.

Its others say that the function was built wrong (`Runtime.InvalidEntrypoint`, `InvalidWorkingDir`,
`InvalidTaskConfig`, `InvalidResponseModeHeader`), answers too much
(`Function.ResponseSizeTooLarge`) or has a broken extension, of which these have none.
"""


def test_a_function_that_died_is_called_again() -> None:
    assert errors("FunctionDied") >= FATAL


def names_of(kind: type[BaseException]) -> set[str]:
    """Names of an exception and of all that are of its kind."""
    return {kind.__name__}.union(*(names_of(sub) for sub in kind.__subclasses__()))


def test_a_connection_of_a_functions_that_could_not_be_made_is_tried_again() -> None:
    """Lambda reports an exception by the name of its class."""
    e = botocore.exceptions
    raised = names_of(e.HTTPClientError) | names_of(e.ConnectionError) | {"IncompleteReadError"}
    assert {name for name in raised if hasattr(e, name)} <= errors("Busy")


def test_what_the_endpoints_service_may_refuse_for_a_while_is_tried_again() -> None:
    found = documented("sagemaker-runtime", "InvokeEndpointAsync")
    assert {name for name, status in found.items() if status >= 500} <= errors("Busy")
    assert {"DependencyUnavailable", "ThrottlingException"} <= errors("Busy")


FINAL_IN_A_TABLE = {
    "ConditionalCheckFailedException",
    "IdempotentParameterMismatchException",  # no token of ours repeats
    "ItemCollectionSizeLimitExceededException",  # of tables with local indexes
    "ReplicatedWriteConflictException",  # of global tables
    "ResourceNotFoundException",
}


@pytest.mark.parametrize(
    ("operation", "rules"),
    [("UpdateItem", ["Table"]), ("TransactWriteItems", ["Table", "Transaction"])],
)
def test_what_the_table_may_refuse_for_a_while_is_tried_again(
    operation: str, rules: list[str]
) -> None:
    named = set(documented("dynamodb", operation)) - FINAL_IN_A_TABLE
    # Step Functions ends every name so, as the SDK for Java does.
    assert {f"DynamoDb.{n.removesuffix('Exception')}Exception" for n in named} <= errors(*rules)


def test_only_passing_errors_of_ours_are_tried_again() -> None:
    assert {error for error in errors(*RULES) if error in ERRORS} == {
        "DependencyUnavailable",
        "EndpointUnavailable",
        "InferenceExpired",
        "InferenceFailed",
        "MailFailed",
        "StorageUnavailable",
    }


# What they do


def answer_of(error: str) -> Answer:
    """How a function, or the task behind it, ends with an error."""
    if error == "States.Timeout":
        return TaskNeverEnds()
    if error in errors("Busy", "Asleep") and error.startswith("Lambda."):
        return Refused(error.removeprefix("Lambda."))
    return TaskFails(error) if error in ERRORS else Raises(error)


@pytest.mark.parametrize("rule", ENDPOINT)
def test_an_initialization_is_sent_again_and_each_time_as_another_attempt(
    rule: str, harness: Harness
) -> None:
    times: int = RULES[rule]["MaxAttempts"]
    harness.set_timeout("Initialize", 1)
    harness.submit.next(*[answer_of(RULES[rule]["ErrorEquals"][-1])] * times)
    assert harness.run().status == "SUCCEEDED"
    sent = [c["attempt"] for c in harness.submit.calls if c["stage"] == "initialize"]
    assert sent == list(range(times + 1))
    assert len(harness.retry_waits) == times
    assert harness.notices == ["completed"]


@pytest.mark.parametrize("rule", ENDPOINT)
def test_an_object_that_fails_for_good_is_given_up_by_its_name(rule: str, harness: Harness) -> None:
    error: str = RULES[rule]["ErrorEquals"][0]
    harness.set_timeout("Reconstruct", 1)
    harness.submit.for_object(0, answer_of(error))
    assert harness.run().error == error
    sent = [c["attempt"] for c in harness.submit.calls if c["stage"] == "reconstruct"]
    assert sent == list(range(RULES[rule]["MaxAttempts"] + 1))
    assert harness.notices == ["failed"]


@pytest.mark.parametrize("rule", ["Storage", "FunctionDied", "Busy"])
def test_a_mesh_is_made_again(rule: str, harness: Harness) -> None:
    times: int = RULES[rule]["MaxAttempts"]
    harness.mesh.next(*[Raises(RULES[rule]["ErrorEquals"][-1])] * times)
    assert harness.run().status == "SUCCEEDED"
    assert len(harness.mesh.calls) == times + 1


@pytest.mark.parametrize("state", ["Begin", "RecordObjectFailure", "RecordFailure"])
def test_a_write_is_made_again(state: str, harness: Harness) -> None:
    harness.mesh.always(Raises("EmptySurface"))
    harness.fail(state, *["ProvisionedThroughputExceededException"] * RULES["Table"]["MaxAttempts"])
    assert harness.run().error == "EmptySurface"
    assert harness.notices == ["failed"]


def test_a_task_that_is_late_is_not_waited_for_twice_with_one_token(harness: Harness) -> None:
    harness.set_timeout("Initialize", 1)
    harness.submit.next(TaskNeverEnds())
    assert harness.run().status == "SUCCEEDED"
    tokens: list[Any] = [c["taskToken"] for c in harness.submit.calls[:2]]
    assert len(set(tokens)) == 2
