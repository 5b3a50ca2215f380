"""The hosted CI does what .ci/run asks for, with actions that nobody can exchange."""

import re
from typing import Any

import yaml

from tests.infra.template import ROOT

TEXT = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
JOBS: dict[str, Any] = yaml.safe_load(TEXT)["jobs"]


def test_each_action_is_a_commit() -> None:
    used = re.findall(r"uses: (\S+)", TEXT)
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)


def test_changes_pass_what_they_have_to_pass_here() -> None:
    assert ".ci/run" in [step.get("run") for step in JOBS["check"]["steps"]]


def test_the_images_are_checked_beside_the_usual_time() -> None:
    assert "make image-check" in [step.get("run") for step in JOBS["images"]["steps"]]
    assert "schedule" in JOBS["images"]["if"]
    assert "!= 'schedule'" in JOBS["check"]["if"]
