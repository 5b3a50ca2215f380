"""docs/openapi.json says what the API does: routes, bodies, errors, and answers to what is sent."""

import copy
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gen3d.errors import ERRORS
from gen3d.internet import Fetched, Internet
from gen3d.jobs import EngineRevision, Failure, Status, plain
from gen3d_aws.store import FileStore
from gen3d_aws.tokens import mask_callback_id
from tests.support import (
    JOB_ID,
    OWNER,
    ROOT,
    Context,
    api,
    encode,
    finished_object,
    load_event,
    make_job,
    mask,
    resources,
    table,
)

from ..conftest import FakeStates
from .gateway import application
from .requests import PHOTO, TOKEN, PutJob

DESCRIPTION = json.loads((ROOT / "docs" / "openapi.json").read_text())
SCHEMAS = DESCRIPTION["components"]["schemas"]
METHODS = {"get", "post", "patch", "put", "delete"}


def operations(paths: dict[str, Any]) -> set[tuple[str, str]]:
    """Method and path of each operation."""
    return {
        (method.upper(), path) for path, item in paths.items() for method in item.keys() & METHODS
    }


def described() -> set[tuple[str, str]]:
    """Those of the description."""
    return operations(DESCRIPTION["paths"])


def test_it_is_valid() -> None:
    validate(DESCRIPTION)


def test_its_paths_are_the_functions_routes() -> None:
    routes = [*api.app._static_routes, *api.app._dynamic_routes]
    served = {
        (method, re.sub(r"<(\w+)_id>", r"{\1Id}", route.path))
        for route in routes
        for method in ([route.method] if isinstance(route.method, str) else route.method)
    }
    assert described() == served


def test_its_paths_are_the_gateways_routes() -> None:
    routes = resources("AWS::ApiGatewayV2::Route").values()
    assert described() == {tuple(route["RouteKey"].split(" ")) for route in routes}


def test_it_names_every_error() -> None:
    assert SCHEMAS["ErrorName"]["enum"] == sorted(ERRORS)


def test_each_error_stands_at_its_status() -> None:
    for path, item in DESCRIPTION["paths"].items():
        for method in item.keys() & METHODS:
            for status, answer in item[method]["responses"].items():
                if int(status) < 400:
                    continue
                errors = re.findall(r"^`(\w+)`: ", answer["description"], re.MULTILINE)
                assert errors, (path, method, status)
                assert {ERRORS[error].status for error in errors} == {int(status)}, (path, method)


def test_each_request_answer_and_error_has_an_example_of_its_schema() -> None:
    for content in contents(DESCRIPTION["paths"]):
        schema = content["schema"]
        if schema == {"$ref": "#/components/schemas/Description"}:
            continue  # this document is the example
        assert content["examples"], schema
        for example in content["examples"].values():
            name = example["$ref"].rsplit("/", 1)[-1]
            value = DESCRIPTION["components"]["examples"][name]["value"]
            whole = {**schema, "components": with_closed_answers()["components"]}
            assert not [*Draft202012Validator(whole).iter_errors(value)], name


def contents(part: Any) -> Iterator[dict[str, Any]]:
    """Each body of JSON in a part of the description."""
    if isinstance(part, dict):
        if "application/json" in part:
            yield part["application/json"]
        for value in part.values():
            yield from contents(value)


def test_what_an_option_and_an_error_are_called_is_said() -> None:
    assert SCHEMAS["MeshOptions"]["properties"]["faces"]["title"] == "Faces, at most"
    assert "retryAfter" in SCHEMAS["ErrorView"]["properties"]
    assert SCHEMAS["JobView"]["properties"]["run"]["description"] == "How often the job has begun."


def test_a_field_that_is_unknown_is_refused_at_any_depth_and_ignored_in_answers() -> None:
    for name in ("Reconstruct", "ObjectRequest", "Options", "EngineOptions", "MeshOptions"):
        assert SCHEMAS[name]["additionalProperties"] is False
    assert "additionalProperties" not in SCHEMAS["JobView"]


def test_it_is_answered_to_whoever_asks() -> None:
    event = load_event("api/describe")
    assert "authorizer" not in event["requestContext"]
    answer = api.handler(event, Context())
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, DESCRIPTION)


# What is answered to what is sent


class Web(Internet):
    """An internet in which the same photo lies everywhere."""

    def fetch(self, url: str, most: int) -> Fetched:
        return Fetched(PHOTO, "image/jpeg", "cup.jpg")

    def check(self, url: str) -> None:
        """Take every address."""


@pytest.fixture(autouse=True)
def _web(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "service", replace(api.service, internet=Web()))
    monkeypatch.setattr(api, "webhooks", replace(api.webhooks, internet=Web()))


def closed(schema: Any) -> Any:
    """Schemas that take nothing but what they name: tests have to know what is answered."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tight = {key: closed(value) for key, value in schema.items()}
    if tight.get("type") == "object" and "properties" in tight:
        tight.setdefault("additionalProperties", False)
    return tight


def with_closed_answers() -> dict[str, Any]:
    """The description, strict."""
    tight: dict[str, Any] = copy.deepcopy(DESCRIPTION)
    del tight["security"]  # tokens are API Gateway's work
    for path in tight["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
    del tight["servers"]
    schemas = tight["components"]["schemas"]
    tight["components"]["schemas"] = {name: closed(schema) for name, schema in schemas.items()}
    return tight


SCHEMA = schemathesis.openapi.from_dict(with_closed_answers())
SCHEMA.app = application
OPERATIONS: list[Any] = [found.ok() for found in SCHEMA.get_all_operations()]  # type: ignore[union-attr]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

STATES: tuple[tuple[Status, dict[str, Any]], ...] = (
    (Status.CREATED, {}),
    (Status.INITIALIZING, {}),
    (Status.AWAITING_MASK, {}),
    (Status.RECONSTRUCTING, {"objects": {"0": finished_object()}}),
    (Status.COMPLETED, {"objects": {"0": finished_object(), "1": finished_object(1)}}),
    (Status.FAILED, {"error": Failure(name="OutOfMemory", message="Do this.", stage="Initialize")}),
    (Status.CANCELLED, {}),
    (Status.EXPIRED, {}),
    (Status.DELETED, {}),
)
assert {status for status, _ in STATES} == set(Status)  # each is tried

MODEL = EngineRevision(engine="lite", revision="0" * 12)


MASK = encode(mask())

FEW = 12
EXAMPLES = int(os.environ.get("GEN3D_FUZZ", FEW))
"""Requests a route; more, and others each time, for `make fuzz`."""

LONGEST_SECONDS = 10
"""Of an answer, whatever was asked: API Gateway ends a call after thirty."""


class JobMaker:
    """Makes a job in a state, with its files and its waiting task."""

    def __init__(self, put_job: PutJob, files: FileStore, states: FakeStates) -> None:
        self._put, self._files, self._states = put_job, files, states

    def make(self, status: Status, changes: dict[str, Any]) -> None:
        """Make it, or make it anew."""
        table("JobsTable").delete_item(Key={"owner": OWNER, "jobId": JOB_ID})
        known = {} if status in (Status.CREATED, Status.INITIALIZING) else {"model": MODEL}
        job = self._put(make_job(status, **known, **changes))
        self._files.write(job.uploads.image(job.content_type), PHOTO, "image/jpeg")
        for n in range(8 if status is Status.AWAITING_MASK else 0):
            self._files.write(job.uploads.mask(n), MASK, "image/png")
        key = {"callbackId": mask_callback_id(JOB_ID)}
        row = {**key, "token": TOKEN, "owner": OWNER, "jobId": JOB_ID}
        table("TokensTable").put_item(Item=row)
        self._states.waiting[TOKEN] = None


@pytest.fixture
def job_maker(put_job: PutJob, files: FileStore, states: FakeStates, executions: Any) -> JobMaker:
    return JobMaker(put_job, files, states)


POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
SENT = [(o, POSITIVE) for o in OPERATIONS] + [(o, NEGATIVE) for o in OPERATIONS if o.body]


def likely(operation: Any) -> st.SearchStrategy[tuple[Status, dict[str, Any]]]:
    """A state of the job, mostly one in which it can be done."""
    masks = operation.path.endswith(("masks", "reconstruct"))
    awaiting = [state for state in STATES if state[0] is Status.AWAITING_MASK]
    return st.sampled_from([*STATES, *awaiting * (8 if masks else 0)])


def are_plain(part: object) -> bool:
    """Whether a body's names are taken as they stand.

    Of others what is not seen is left out before their length is asked for, so that one that is too
    long by the schema may be taken all the same.
    """
    if isinstance(part, list):
        return all(are_plain(entry) for entry in part)
    if not isinstance(part, dict):
        return True
    names = (part.get(key) for key in ("name", "filename"))
    return all(plain(name) == name for name in names if isinstance(name, str)) and all(
        are_plain(entry) for entry in part.values()
    )


@pytest.mark.parametrize(
    ("operation", "mode"),
    SENT,
    ids=[f"{operation.label}, {mode.value}" for operation, mode in SENT],
)
def test_every_answer_is_described(
    operation: Any, mode: GenerationMode, job_maker: JobMaker
) -> None:
    checks = [*CHECKS, *([negative_data_rejection] if mode is NEGATIVE else [])]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES == FEW,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(mode),
        state=likely(operation),
        kind=st.sampled_from(["image/jpeg", "image/png", None]),
    )
    def send(case: Any, state: tuple[Status, dict[str, Any]], kind: str | None) -> None:
        if mode is NEGATIVE:
            assume(are_plain(case.body))
        else:
            if "jobId" in (case.path_parameters or {}):
                case.path_parameters["jobId"] = JOB_ID
            if kind and "contentType" in (case.body if isinstance(case.body, dict) else {}):
                case.body["contentType"] = kind
        job_maker.make(*state)
        answer = case.call_and_validate(checks=checks)
        assert b"Traceback" not in answer.content
        assert answer.elapsed < LONGEST_SECONDS

    send()
