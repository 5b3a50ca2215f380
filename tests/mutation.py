"""``python -m tests.mutation gen3d_aws.runs …``: changes modules; does a test find each change?

mutmut makes each change beside the function that it is of, and runs the tests that reach that
function in a process of their own. A module at a time, with the unit tests that import it, is laid
out in ``build/mutation``, as mutmut finds a function's tests by the name of its module, which has
to be that of its file below ``src``. Results stay there until the code changes. Constants,
decorated functions and what stands outside functions are not changed.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
STAGES = ROOT / "build" / "mutation"

FUNCTIONS = ("api", "callback", "notify", "reconcile", "submit")
"""Those in ZIP files; the mesh function's numbers are held by tests of their own."""

_COPIED = (
    "conftest.py",
    "events",
    "examples",
    "layers/gen3d/tests",
    "statemachines",
    "template.yaml",
    "tests",
)
"""What the tests read, beside the code."""

_LEFT_OUT = (
    # These read the repository itself,
    "test_links.py",
    "test_settings.py",
    "test_openapi_parser.py",
    # and these make so many requests that each change would take minutes.
    "test_openapi.py",
    "test_queue_races.py",
)

_THROUGH_THE_API = (
    "gen3d_aws.admissions",
    "gen3d_aws.runs",
    "gen3d_aws.store",
    "gen3d_api.operations",
    "gen3d_api.handler",
    "gen3d_api.views",
)
"""Modules that the tests of the API reach, which import none of them by name."""

_CONFIGURATION = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/{path}"]
also_copy = {copied}
pytest_add_cli_args = ["-p", "no:cacheprovider", "--no-header", "--timeout=120"]
pytest_add_cli_args_test_selection = {tests}
on_dependency_change = "ignore"

[tool.pytest.ini_options]
pythonpath = ["src", "."]
addopts = "-q --strict-markers --import-mode=importlib -p no:schemathesis"
timeout = 300
filterwarnings = ["ignore"]
"""

_OUTCOMES: dict[int | None, str] = {
    0: "survived",
    **dict.fromkeys((5, 33), "no test"),
    **dict.fromkeys((24, -24, 36, 152, 255), "timed out"),
    None: "not run",
}
"""By the exit code of the tests; anything else has found the change."""


def modules() -> dict[str, Path]:
    """The modules that can be changed, by the names by which they are imported."""
    sources = [
        ROOT / "layers/gen3d/src",
        *(ROOT / "functions" / name / "src" for name in FUNCTIONS),
    ]
    found = sorted(path for source in sources for path in source.glob("gen3d*/[a-z]*.py"))
    return {f"{path.parent.name}.{path.stem}": path for path in found}


def tests_of(module: str) -> list[str]:
    """The unit tests that import a module, or reach it through the API."""
    package, _, name = module.rpartition(".")
    pattern = rf"from {package} import .*\b{name}\b|from {re.escape(module)} "
    if name == "handler":  # tests.support gives it by the function's name
        pattern += rf"|\b{package.removeprefix('gen3d_')}\.\w"
    folders = [ROOT / "tests" / "unit", ROOT / "layers/gen3d/tests"]
    found = [p for each in folders for p in each.rglob("test_*.py") if p.name not in _LEFT_OUT]
    return sorted(
        str(p.relative_to(ROOT))
        for p in found
        if re.search(pattern, p.read_text(), re.MULTILINE)
        or (module in _THROUGH_THE_API and p.parent.name == "api")
    )


def stage(module: str) -> Path:
    """Lay out what mutmut expects, and leave what has not changed as it is."""
    folder, sources = STAGES / module, modules()
    path = f"{module.replace('.', '/')}.py"
    for name, source in sources.items():
        _copy(source, folder / "src" / f"{name.replace('.', '/')}.py")
    for package in {source.parent for source in sources.values()}:
        _copy(package / "__init__.py", folder / "src" / package.name / "__init__.py")
    for copied in _COPIED:
        for source in [ROOT / copied, *(ROOT / copied).rglob("*")]:
            if source.is_file() and "__pycache__" not in source.parts:
                _copy(source, folder / source.relative_to(ROOT))
    tests = json.dumps(tests_of(module))
    (folder / "pyproject.toml").write_text(
        _CONFIGURATION.format(path=path, copied=json.dumps(_COPIED), tests=tests)
    )
    return folder


def _copy(source: Path, target: Path) -> None:
    if not target.exists() or target.read_bytes() != source.read_bytes():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def results(module: str) -> dict[str, str]:
    """Name and outcome of every change of a module."""
    path = STAGES / module / "mutants/src" / f"{module.replace('.', '/')}.py.meta"
    if not path.exists():
        return {}
    codes = json.loads(path.read_text())["exit_code_by_key"]
    return {name: _OUTCOMES.get(code, "killed") for name, code in codes.items()}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", default=sorted(modules()), help="all, without any")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--report", action="store_true", help="only show what was found so far")
    options = parser.parse_args()
    if not options.report:
        for module in options.modules:
            command = [str(Path(sys.executable).parent / "mutmut"), "run"]
            command += ["--max-children", str(options.workers)]
            subprocess.run(command, cwd=stage(module), check=False)
    outcomes = ("killed", "survived", "timed out", "no test", "not run")
    print("\t".join(["module", "changes", *outcomes]))
    for module in options.modules:
        counts = Counter(results(module).values())
        print("\t".join([module, str(counts.total()), *(str(counts[o]) for o in outcomes)]))
    for module in options.modules:
        for name, outcome in results(module).items():
            if outcome in ("survived", "no test"):
                print(f"{outcome}: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
