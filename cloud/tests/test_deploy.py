"""A deployment that would be rolled back is not begun; any other is SAM's."""

import json
import sys
from pathlib import Path

import pytest

from gen3d_cloud import deploy
from gen3d_cloud.checks import Check
from gen3d_cloud.deployed import CloudError
from gen3d_cloud.preflight import account

GIVEN = "SenderEmail=gen3d@example.com WebOrigins=https://a,https://b"


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a SAM CLI was asked for, which fails at what FAILS says."""
    written = tmp_path / "calls"
    program = tmp_path / "sam.py"
    program.write_text(
        "import json, os, sys\n"
        f"open({str(written)!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"
        "sys.exit(3 if os.environ.get('FAILS') == sys.argv[1] else 0)\n"
    )
    # By a shell: a first line with the interpreter's path would end at a space in it.
    sam = tmp_path / "sam"
    sam.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
    sam.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return written


def account_says(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    monkeypatch.setattr(account, "breaking", lambda stack, given: iter(checks))


def test_it_builds_and_deploys_with_what_was_given(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_says(monkeypatch, Check("stack", True, "fine"), Check("bucket", None, "unknown"))
    assert deploy.main(["--stack", "gen3d-prod", "--parameters", GIVEN]) == 0
    build, deployed = (json.loads(line) for line in calls.read_text().splitlines())
    assert build == ["build"]
    assert deployed == [
        *("deploy", "--config-env", "prod", "--stack-name", "gen3d-prod", "--parameter-overrides"),
        'SenderEmail="gen3d@example.com"',
        'WebOrigins="https://a,https://b"',
    ]


def test_without_parameters_those_of_the_stack_stay(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_says(monkeypatch)
    assert deploy.main(["--stack", "mine"]) == 0
    assert "--parameter-overrides" not in calls.read_text()
    assert '"--config-env", "default"' in calls.read_text()


def test_what_would_be_rolled_back_is_not_begun(
    calls: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account_says(monkeypatch, Check("bucket's name", False, "capitals", "BucketName=…"))
    assert deploy.main(["--stack", "Gen3D"]) == 1
    said = capsys.readouterr()
    assert "→ BucketName=…" in said.out
    assert "Nothing was deployed" in said.err
    assert not calls.exists()


def test_a_build_that_fails_is_not_deployed(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account_says(monkeypatch)
    monkeypatch.setenv("FAILS", "build")
    assert deploy.main([]) == 3
    assert len(calls.read_text().splitlines()) == 1


def test_what_is_no_list_and_a_missing_program_are_told(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CloudError, match="is no parameter"):
        deploy.commands("gen3d", "sender")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(deploy, "ROOT", calls.parent)
    with pytest.raises(CloudError, match="make lint"):
        deploy.commands("gen3d", "")
