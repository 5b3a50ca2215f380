"""Each variable that a function reads is given by the template, and the other way round."""

import re
from typing import Any

import pytest

from gen3d.settings import Settings
from tests.support import ROOT, resources, template

FUNCTIONS = ("api", "submit", "callback", "notify", "reconcile")
GIVEN_BY_LAMBDA = {"aws_region"}
COMMON = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


def given_to(function: str) -> set[str]:
    """Variables that the template gives to a function."""
    common: dict[str, Any] = template()["Globals"]["Function"]["Environment"]["Variables"]
    properties = resources("AWS::Serverless::Function")[f"{function.title()}Function"]
    return set(common) | set(properties.get("Environment", {}).get("Variables", {}))


def read_by(function: str) -> set[str]:
    """Settings that a function's own modules read, and what sends for it."""
    source = "".join(
        path.read_text() for path in (ROOT / "functions" / function / "src").rglob("*.py")
    )
    if "Dispatcher.of(" in source:
        source += (ROOT / "layers/gen3d/src/gen3d_aws/dispatch.py").read_text()
    names = set(re.findall(r"\b(?:s|config|settings\(\))\.([a-z_]+)\b", source))
    return {name for name in names if name in Settings.model_fields}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_reads_it_is_given(function: str) -> None:
    needed = {name.upper() for name in read_by(function) - GIVEN_BY_LAMBDA}
    assert needed
    assert needed <= given_to(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_is_given_it_reads(function: str) -> None:
    own = given_to(function) - COMMON - {"BUCKET"}  # the bucket is given to all
    own = {name for name in own if not name.startswith("AWS_")}  # the SDK reads these
    assert own <= {name.upper() for name in read_by(function)}


def test_every_setting_is_given_to_some_function() -> None:
    given = set().union(*map(given_to, FUNCTIONS))
    assert {name.upper() for name in Settings.model_fields} - given == {
        name.upper() for name in GIVEN_BY_LAMBDA
    }


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBS_TABLE", "jobs")
    monkeypatch.setenv("RETENTION_DAYS", "15")
    monkeypatch.setenv("ENDPOINT_NAME", "")
    read = Settings()
    assert (read.jobs_table, read.retention_days, read.endpoint_name) == ("jobs", 15, "")


def test_a_default_is_what_is_deployed() -> None:
    """A function that is run by itself behaves as the deployed one."""
    parameters = template()["Parameters"]
    functions = resources("AWS::Serverless::Function")
    compared = 0
    for function in FUNCTIONS:
        own = functions[f"{function.title()}Function"].get("Environment", {}).get("Variables", {})
        for name, value in own.items():
            default = Settings.model_fields[name.lower()].default if name in READ else None
            if isinstance(default, int):
                deployed = parameters[value["Ref"]]["Default"] if "Ref" in value else value
                assert default == int(deployed), name
                compared += 1
    assert compared >= 6


READ = {name.upper() for name in Settings.model_fields}
