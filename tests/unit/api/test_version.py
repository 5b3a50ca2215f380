"""Which version of the API is spoken, and what a caller of another one is told."""

from typing import Any

import pytest

from gen3d_api import version
from tests.support import Context, api, load_event

from .requests import OF_A_JOB, call, refused


def asked(said: str | None, name: str = "list_jobs") -> Any:
    """What is answered to a request that names a version."""
    event = load_event(f"api/{name}")
    if said is not None:
        event["headers"]["gen3d-version"] = said
    return api.handler(event, Context())


@pytest.mark.parametrize("said", [None, "1"])
def test_who_names_none_gets_the_first_that_is_spoken(said: str | None) -> None:
    answer = asked(said)
    assert (answer["statusCode"], answer["headers"]["Gen3D-Version"]) == (200, "1")


@pytest.mark.parametrize("said", ["0", "2", "1.0", "01", " 1", "", "one", "1" * 5000])
@pytest.mark.parametrize("name", [*OF_A_JOB, "create_job", "list_jobs", "describe"])
def test_another_version_is_refused_by_name(said: str, name: str) -> None:
    answer = call(name, headers={"authorization": "a", "gen3d-version": said})
    assert refused(answer) == (400, "UnsupportedVersion")
    assert "speaks version 1" in answer[1]["message"]


def test_every_answer_says_its_version() -> None:
    event = load_event("api/get_job")
    assert api.handler(event, Context())["headers"]["Gen3D-Version"] == "1"  # a 404
    assert asked(None, "delete_job")["headers"]["Gen3D-Version"] == "1"  # without a body


def test_an_older_version_is_spoken_beside_the_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "SPOKEN", (1, 2))
    assert [version.asked_for(said) for said in (None, "1", "2")] == [1, 1, 2]
