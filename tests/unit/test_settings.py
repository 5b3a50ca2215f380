"""Each variable that a function reads is given by the template, and the other way round."""

import re
from typing import Any

import pytest

from gen3d.settings import SettingMissing, Settings
from tests.support import (
    ENVIRONMENT,
    ROOT,
    AnnounceSettings,
    ApiSettings,
    NotifySettings,
    QueueSettings,
    ReconcileSettings,
    resources,
    template,
)

FUNCTIONS: dict[str, type[Settings]] = {
    "announce": AnnounceSettings,
    "api": ApiSettings,
    "submit": QueueSettings,
    "callback": QueueSettings,
    "notify": NotifySettings,
    "reconcile": ReconcileSettings,
}
GIVEN_BY_LAMBDA = {"AWS_REGION"}
LIBRARIES = ("POWERTOOLS_", "AWS_")  # what others read


def given_to(function: str) -> set[str]:
    """Variables that the template gives to a function, for its own code."""
    common: dict[str, Any] = template()["Globals"]["Function"]["Environment"]["Variables"]
    properties = resources("AWS::Serverless::Function")[f"{function.title()}Function"]
    names = {*common, *properties.get("Environment", {}).get("Variables", {})}
    return {name for name in names if not name.startswith(LIBRARIES)}


def read_by(function: str) -> set[str]:
    """Settings that a function's own modules read, and what sends for it."""
    source = "".join(
        path.read_text() for path in (ROOT / "functions" / function / "src").rglob("*.py")
    )
    if "Dispatcher.of(" in source:
        source += (ROOT / "layers/gen3d/src/gen3d_aws/dispatch.py").read_text()
    return set(re.findall(r"(?:\bs|\bconfig|Settings\.read\(\))\.([a-z_]+)\b", source))


def variables(function: str) -> set[str]:
    return {name.upper() for name in FUNCTIONS[function].model_fields}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_expects_is_what_it_is_given(function: str) -> None:
    assert variables(function) - GIVEN_BY_LAMBDA == given_to(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_expects_it_reads(function: str) -> None:
    assert variables(function) - {"BUCKET"} <= {name.upper() for name in read_by(function)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_has_a_default(function: str) -> None:
    assert all(field.is_required() for field in FUNCTIONS[function].model_fields.values())


def test_the_mesh_step_is_given_what_all_are_given() -> None:
    assert given_to("mesh") == {"BUCKET"}


class TestAFunctionsStart:
    @pytest.fixture(autouse=True)
    def _given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "gen3d-submit")

    def started(self) -> QueueSettings:
        """What it reads, anew: a process reads it once."""

        class Anew(QueueSettings):
            pass

        return Anew.read()

    def test_reads_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MAX_INSTANCES", "3")
        read = self.started()
        assert (read.tokens_table, read.max_instances) == ("TokensTable", 3)

    def test_names_what_is_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TOKENS_TABLE")
        monkeypatch.delenv("MAX_INSTANCES")
        with pytest.raises(SettingMissing) as refused:
            self.started()
        assert str(refused.value) == (
            "The function gen3d-submit lacks variables of its environment: "
            "TOKENS_TABLE (not set), MAX_INSTANCES (not set). "
            "Deploy template.yaml, which sets them, or set them where you start the function."
        )

    def test_names_what_is_empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BUCKET", "")
        with pytest.raises(SettingMissing, match=r"gen3d-submit .* BUCKET \(empty\)\."):
            self.started()

    def test_names_what_is_no_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MAX_INSTANCES", "many")
        with pytest.raises(SettingMissing, match=r"MAX_INSTANCES \(Input should be a valid int"):
            self.started()

    def test_does_without_an_endpoint(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENDPOINT_NAME", "")
        assert self.started().endpoint_name == ""

    def test_says_which_elsewhere_than_in_lambda(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
        monkeypatch.delenv("BUCKET")
        with pytest.raises(SettingMissing, match=r"The function that is started here lacks .*BUCK"):
            self.started()
