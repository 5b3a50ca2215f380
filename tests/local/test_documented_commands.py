"""The commands of the Implementation Plan's section on curl, as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.running import ROOT, RunningStack

PLAN = ROOT / "docs" / "Gen3D - Implementation Plan - 1.2.md"
SECTION = "## Testing end to end with curl"
ANSWERED = [
    "409 JobConflict",
    "409 JobConflict",
    "404 JobNotFound",
    "401 Unauthorized",
    "400 InvalidRequest",
]


def script() -> str:
    """All commands of the section; the first that fails ends them."""
    section = PLAN.read_text().split(f"\n{SECTION}\n")[1].split("\n## ")[0]
    return "set -euo pipefail\n" + "".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


def test_the_commands_are_those_of_zsh_too() -> None:
    """What macOS's shell lacks, keeps for itself, or does not split into words."""
    bash_only = r"\bmapfile\b|\breadarray\b|\b(USER|status|path)=|\bfor (USER|status|path)\b"
    unsplit = r"\$\{\d:\+-\w "
    assert re.findall(f"{bash_only}|{unsplit}", script()) == []


@pytest.mark.timeout(900)
def test_the_documented_commands_make_a_mesh(whole_stack: RunningStack, tmp_path: Path) -> None:
    for folder in ("docs", "examples"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": whole_stack.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = subprocess.run(
        ["bash", "-c", script()],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    refused = [line for line in lines if re.match(r"4\d\d ", line)]
    assert refused == ANSWERED
    assert "glTF" in lines
    assert lines[-2:] == ["my cup", "COMPLETED"]
    for name in ("embeddings.safetensors", "decoder.onnx", "splat.ply", "cup.stl"):
        assert (tmp_path / "out" / name).stat().st_size > 1000
