"""What `make quick` leaves out: what needs more than this process, and no more than that."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import why_not_quick

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import json\nfrom gen3d.jobs import Job\n", None),
        ("from motors import speed\n# import moto\n", None),
        ("from moto import mock_aws\n", "AWS by moto"),
        ("def test_a():\n    from moto.ses.models import ses_backends\n", "AWS by moto"),
        ("from tests.support import stack\n", "AWS by moto"),
        ("import local_aws.images\n", "starts the stack"),
        ('torch = pytest.importorskip("torch", reason="elsewhere")\n', "needs torch"),
    ],
)
def test_a_file_is_left_out_for_what_it_imports(
    tmp_path: Path, text: str, reason: str | None
) -> None:
    path = tmp_path / "test_a.py"
    path.write_text(text)
    assert why_not_quick(path) == reason


def test_a_folder_is_left_out_by_name() -> None:
    assert why_not_quick(ROOT / "tests" / "browser") == "drives a browser"
    assert why_not_quick(ROOT / "tests" / "browser" / "test_select.py") == "drives a browser"
    assert why_not_quick(ROOT / "layers" / "gen3d" / "tests") is None


@pytest.mark.slow
def test_what_is_quick_imports_neither_moto_nor_torch() -> None:
    """Or it takes seconds to be collected."""
    script = (
        "import sys, pytest\n"
        "code = pytest.main(['--quick', '--collect-only', '-p', 'no:cacheprovider'])\n"
        "assert code == 0, code\n"
        "print(sorted({'moto', 'torch', 'local_aws', 'playwright'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[-1] == "[]"
    assert any(line.startswith("left to make test, AWS by moto: ") for line in said)


def test_what_needs_torch_is_run_where_torch_is() -> None:
    """Elsewhere such a file is skipped, which nobody would see."""
    recipe = (ROOT / "Makefile").read_text().split("\ntest-torch:\n")[1].split("\n\n")[0]
    run = [ROOT / word for word in recipe.split() if (ROOT / word).exists()]
    asks = '\ntorch = pytest.importorskip("torch"'
    need = [
        path.parent if path.name == "conftest.py" else path
        for part in ("container", "training", "layers", "functions")
        for path in (ROOT / part).rglob("tests/**/*.py")
        if "node_modules" not in path.parts and asks in path.read_text()
    ]
    assert need
    assert [path for path in need if not {path, *path.parents} & {*run}] == []
