"""The state machine: how it is deployed, and that its file and the template fit together."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import yaml

from gen3d.errors import ERRORS
from tests.infra.template import ROOT, Stack, source, whole

TEXT = (ROOT / "statemachines" / "gen3d.asl.yaml").read_text()
MACHINE: dict[str, Any] = yaml.safe_load(TEXT)

WITHOUT_PREFIX = {"ThrottlingException", "ServiceUnavailable", "InternalFailure"}
"""Errors of AWS's that are spelled without their service, as ours and botocore's are."""

SCOPE = re.compile(r"\$\{(\w+)\}")


def states(machine: dict[str, Any] = MACHINE) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        for inside in (*state.get("Branches", []), state.get("ItemProcessor")):
            if inside:
                yield from states(inside)


def tasks() -> dict[str, dict[str, Any]]:
    return {name: state for name, state in states() if state["Type"] == "Task"}


def machine() -> dict[str, Any]:
    return whole()["StateMachine"]


def test_it_is_standard_traced_and_deployed_from_its_file() -> None:
    written = source()["Resources"]["StateMachine"]["Properties"]
    assert (ROOT / written["DefinitionUri"]).read_text() == TEXT
    assert machine()["StateMachineType"] == "STANDARD"
    assert machine()["TracingConfiguration"] == {"Enabled": True}


def test_its_log_carries_no_execution_data_and_so_no_tokens() -> None:
    logging = machine()["LoggingConfiguration"]
    assert logging["IncludeExecutionData"] is False
    assert logging["Destinations"] == [
        {"CloudWatchLogsLogGroup": {"LogGroupArn": "{StateMachineLogs.Arn}"}}
    ]
    group = whole()["StateMachineLogs"]
    assert group["LogGroupName"].startswith("/aws/vendedlogs/states/")
    assert group["RetentionInDays"] == "30"


def test_its_file_has_no_yaml_aliases() -> None:
    # CloudFormation reads the file with Jackson, to which an alias is a string with its name.
    assert not [e for e in yaml.parse(TEXT) if isinstance(e, yaml.events.AliasEvent)]


def test_every_substitution_is_provided_and_used() -> None:
    code = "\n".join(line for line in TEXT.splitlines() if not line.lstrip().startswith("#"))
    assert set(SCOPE.findall(code)) == set(machine()["DefinitionSubstitutions"])


def test_every_task_and_the_machine_end_some_time() -> None:
    assert MACHINE["TimeoutSeconds"] > 0
    assert [name for name, task in tasks().items() if "TimeoutSeconds" not in task] == []


def test_the_machine_outlasts_the_longest_wait_for_a_mask() -> None:
    waits = [
        task["TimeoutSeconds"]
        for name, task in tasks().items()
        if name in ("Initialize", "Reconstruct")
    ]
    longest = source()["Parameters"]["MaskTimeoutSeconds"]["MaxValue"]
    assert MACHINE["TimeoutSeconds"] > longest + sum(waits)


def test_a_task_outlasts_the_function_that_it_invokes() -> None:
    limits = {
        f"${{{name}Arn}}": whole()[name]["Timeout"]
        for name in ("SubmitFunction", "MeshFunction", "LiteFunction", "NotifyFunction")
    }
    invoked = [t for t in tasks().values() if "lambda:invoke" in t["Resource"]]
    assert invoked
    for task in invoked:
        assert task["TimeoutSeconds"] > limits[task["Arguments"]["FunctionName"]]


def test_a_task_outlasts_the_queue_and_the_inference_that_it_waits_for() -> None:
    variables = whole()["SubmitFunction"]["Environment"]["Variables"]
    queue = int(variables["REQUEST_TTL_SECONDS"])
    inference = int(variables["INVOCATION_TIMEOUT_SECONDS"])
    for name in ("Initialize", "Reconstruct"):
        assert tasks()[name]["TimeoutSeconds"] >= queue + inference, name


def test_errors_of_ours_are_errors_of_ours() -> None:
    named = {
        error
        for _, state in states()
        for handler in state.get("Retry", []) + state.get("Catch", [])
        for error in handler["ErrorEquals"]
    }
    ours = {error for error in named if "." not in error} - WITHOUT_PREFIX
    assert {error for error in ours if not hasattr(botocore.exceptions, error)} <= set(ERRORS)


def test_its_role_may_do_what_its_tasks_do() -> None:
    statements = whole().statements("StateMachineRole")
    allowed = {(a, r) for s in statements for a in s["Action"] for r in s["Resource"]}
    for name in ("SubmitFunction", "MeshFunction", "LiteFunction", "NotifyFunction"):
        assert ("lambda:InvokeFunction", f"{{{name}.Arn}}") in allowed
        assert ("lambda:InvokeFunction", f"{{{name}.Arn}}:*") in allowed
    assert ("dynamodb:UpdateItem", "{JobsTable.Arn}") in allowed
    assert ("dynamodb:PutItem", "{TokensTable.Arn}") in allowed
    assert ("s3:PutObject", "{Bucket.Arn}/private/*/jobs/*/result.json") in allowed
    used = {
        t["Resource"].split(":::")[1].split(".")[0].removeprefix("aws-sdk:")
        for t in tasks().values()
    }
    assert used == {
        "lambda:invoke",
        "dynamodb:transactWriteItems",
        "dynamodb:updateItem",
        "s3:putObject",
    }


def test_the_function_makes_drafts_or_where_there_is_no_endpoint_everything() -> None:
    given = {
        (engine, image, drafts): (told["Drafts"], told["Endpoint"])
        for engine in ("sam", "lite")
        for image in ("", "some:1")
        for drafts in ("on", "off")
        for told in [
            Stack(
                Engine=engine, ContainerImage=image, WeightsRevision="0123456789ab", Drafts=drafts
            )["StateMachine"]["DefinitionSubstitutions"]
        ]
    }
    alone = {("lite", "", "on"), ("lite", "", "off")}
    assert given == {
        key: ("false", "false") if key in alone else (str(key[2] == "on").lower(), "true")
        for key in given
    }
