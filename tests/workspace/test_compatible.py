"""What breaks callers of the API is found, and what does not is let through."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docs.generate.compatible import breaks, main

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "openapi.json"
API: Any = json.loads(PUBLISHED.read_text())


def changed(change: Callable[[Any], object]) -> Any:
    """The description with a change."""
    new = copy.deepcopy(API)
    change(new)
    return new


def field(name: str, of: str, **schema: object) -> Callable[[Any], object]:
    """Set a field of a schema."""
    return lambda api: api["components"]["schemas"][name]["properties"].update({of: schema})


def required(name: str, *fields: str) -> Callable[[Any], object]:
    """Say what is asked for of a schema, or always there."""
    return lambda api: api["components"]["schemas"][name].update(required=[*fields])


BREAKING: list[tuple[str, Callable[[Any], object], str]] = [
    ("a path", lambda a: a["paths"].pop("/jobs"), "GET /jobs is gone"),
    ("a method", lambda a: a["paths"]["/jobs/{jobId}"].pop("patch"), "PATCH /jobs/{jobId} is gone"),
    (
        "a status that is good news",
        lambda a: a["paths"]["/jobs"]["post"]["responses"].pop("201"),
        "POST /jobs answers 201 no more",
    ),
    (
        "a parameter",
        lambda a: a["paths"]["/jobs"]["get"]["parameters"].pop(0),
        "GET /jobs takes no cursor",
    ),
    (
        "a sign-in",
        lambda a: a["paths"]["/openapi.json"]["get"].pop("security"),
        "GET /openapi.json asks for a sign-in",
    ),
    (
        "a body that is asked for",
        lambda a: a["paths"]["/jobs/{jobId}/retry"]["post"]["requestBody"].update(required=True),
        "POST /jobs/{jobId}/retry asks for a body",
    ),
    (
        "a field that is asked for",
        required("Retry", "objects"),
        "POST /jobs/{jobId}/retry, request: objects is asked for",
    ),
    (
        "a field that is refused",
        lambda a: a["components"]["schemas"]["Retry"]["properties"].pop("scene"),
        "POST /jobs/{jobId}/retry, request: scene is refused",
    ),
    (
        "a value less, deep down",
        field("EngineOptions", "quality", type="string", enum=["standard", "fine"]),
        "POST /jobs/{jobId}/retry, request.objects[].options.engine.quality may not be fast",
    ),
    (
        "values alone",
        field("RenameJob", "name", type="string", minLength=1, maxLength=100, enum=["a"]),
        "PATCH /jobs/{jobId}, request.name may be some values alone",
    ),
    (
        "a lower bound",
        field("MaskUploads", "count", type="integer", minimum=1, maximum=4),
        "POST /jobs/{jobId}/masks, request.count has another maximum",
    ),
    (
        "a bound that was none",
        field("CreateJob", "filename", type="string", minLength=2, maxLength=255),
        "POST /jobs, request.filename has another minLength",
    ),
    (
        "another type asked for",
        field("MaskUploads", "count", type="string"),
        "POST /jobs/{jobId}/masks, request.count is to be of another type",
    ),
    (
        "null refused",
        field("Initialize", "text", type="string", minLength=1, maxLength=200),
        "POST /jobs/{jobId}/initialize, request.text is to be of another type",
    ),
    (
        "a field of an answer",
        lambda a: a["components"]["schemas"]["JobSummary"]["properties"].pop("picture"),
        "GET /jobs, 200.jobs[]: picture is gone",
    ),
    (
        "a field that may be absent",
        required("CreatedJob", "jobId", "prefix"),
        "POST /jobs, 201: upload may be absent",
    ),
    (
        "another type answered",
        field("FileLink", "bytes", type="string"),
        "GET /jobs/{jobId}, 200.objects[].files[].bytes is of another type",
    ),
    (
        "null answered",
        field("JobSummary", "name", anyOf=[{"type": "string"}, {"type": "null"}]),
        "GET /jobs, 200.jobs[].name is of another type",
    ),
    (
        "a status of a job more",
        lambda a: a["components"]["schemas"]["JobStatus"]["enum"].append("PAUSED"),
        "GET /jobs, 200.jobs[].status may be PAUSED",
    ),
]


@pytest.mark.parametrize(
    ("change", "said"), [case[1:] for case in BREAKING], ids=[case[0] for case in BREAKING]
)
def test_what_breaks_callers_is_said(change: Callable[[Any], object], said: str) -> None:
    assert said in breaks(API, changed(change))


ADDED: dict[str, Callable[[Any], object]] = {
    "a path": lambda a: a["paths"].update({"/things": a["paths"]["/jobs"]}),
    "a field that may be sent": field("Retry", "faster", type="boolean"),
    "a value more that may be sent": field(
        "EngineOptions", "quality", type="string", enum=["fast", "standard", "fine", "finest"]
    ),
    "a wider bound": field("MaskUploads", "count", type="integer", minimum=0, maximum=100),
    "null taken": field("RenameJob", "name", anyOf=[{"type": "string"}, {"type": "null"}]),
    "a field in an answer": field("JobView", "colour", type="string"),
    "a field that is always there": required("ErrorView", "message", "error"),
    "an error": lambda a: a["components"]["schemas"]["ErrorName"]["enum"].append("Rain"),
    "null no more": field("JobSummary", "picture", type="string", format="uri"),
    "a body that is no longer asked for": lambda a: a["paths"]["/jobs"]["post"][
        "requestBody"
    ].update(required=False),
    "an error less": lambda a: a["paths"]["/jobs"]["post"]["responses"].pop("415"),
    "words": lambda a: a["info"].update(description="Other words."),
}


@pytest.mark.parametrize("change", ADDED.values(), ids=ADDED)
def test_what_is_added_breaks_nobody(change: Callable[[Any], object]) -> None:
    assert breaks(API, changed(change)) == []


def test_another_version_may_break_what_it_likes() -> None:
    assert breaks(API, changed(lambda api: api.update(info={"version": "2"}, paths={}))) == []


def test_the_command_says_it_and_ends_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.json"
    new.write_text(json.dumps(changed(lambda api: api["paths"].pop("/jobs"))))
    assert main([str(PUBLISHED), str(new)]) == 1
    assert capsys.readouterr().err == "GET /jobs is gone\nPOST /jobs is gone\n"
    assert main([str(PUBLISHED), str(PUBLISHED)]) == 0


@pytest.mark.parametrize("commit", ["HEAD", "HEAD^"])
def test_what_was_committed_before_is_not_broken(commit: str) -> None:
    """HEAD^ is what a pull request goes to, as CI merges it."""
    show = ["git", "-C", str(ROOT), "show", f"{commit}:docs/openapi.json"]
    before = subprocess.run(show, capture_output=True, text=True, check=False)
    if before.returncode:
        pytest.skip(f"{commit} has no such file, or there is no Git.")
    assert breaks(json.loads(before.stdout), API) == []
