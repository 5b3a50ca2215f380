"""The workspace: each package names what it needs, needs what it names, and no circle ties any."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from requirements import workspace

ROOT = Path(__file__).parents[2]
ROOT_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MEMBERS = {str(path.relative_to(ROOT)): path for path in workspace.members(ROOT)}
LOCKS = {
    # The image holds what a job needs; the rest of the tool runs where it is developed.
    "functions/mesh": ["functions/mesh/requirements.txt", "requirements/dev.txt"],
    "container": [
        "container/requirements.txt",
        "container/requirements-open.txt",
        "container/requirements-sam.txt",
        "requirements/torch.txt",
    ],
    "training": ["requirements/torch.txt"],
    "client": ["requirements/dev.txt"],
    "cloud": ["requirements/dev.txt", "requirements/smoke.txt"],
    "local": ["requirements/dev.txt"],
}
"""What is installed where a member runs; the layer's, where it is a function's or the layer."""

OTHER_NAMES = {
    "PIL": "pillow",
    "botocore": "boto3",
    "jsonata": "jsonata-python",
    "pxr": "usd-core",
    "samtranslator": "aws-sam-translator",
    "skimage": "scikit-image",
    "ulid": "python-ulid",
    "yaml": "pyyaml",
}
"""Import name → the distribution that brings it, where they differ."""

NOT_IMPORTED = {
    "aws-xray-sdk": "the tracer's backend",
    "awslambdaric": "starts the image",
    "httptools": "uvicorn is told to parse HTTP with it",
    "uv": "is called",
}


def project(member: Path) -> dict[str, Any]:
    described: dict[str, Any] = tomllib.loads((member / "pyproject.toml").read_text())["project"]
    return described


@cache
def declared(member: Path) -> set[str]:
    """Distributions that a member names, in its extras too."""
    described = project(member)
    named = list(described["dependencies"])
    for extra in described.get("optional-dependencies", {}).values():
        named += extra
    return {str(canonicalize_name(Requirement(each).name)) for each in named}


def packages(member: Path) -> set[str]:
    return {path.parent.name for path in (member / "src").glob("*/__init__.py")}


@cache
def imported(member: Path) -> set[str]:
    """Distributions whose modules a member imports; types alone are not counted."""
    names: set[str] = set()
    for source in (member / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add((node.module or "").partition(".")[0])
    owners = {
        package: project(path)["name"] for path in MEMBERS.values() for package in packages(path)
    }
    foreign = names - set(sys.stdlib_module_names) - packages(member)
    foreign = {name for name in foreign if not name.startswith("mypy_boto3_")}
    found = (owners.get(name) or OTHER_NAMES.get(name, name) for name in foreign)
    return {str(canonicalize_name(name)) for name in found}


def locked(member: str) -> set[str]:
    """Distributions that are pinned where a member runs."""
    files = LOCKS.get(member, ["layers/gen3d/src/requirements.txt"])
    text = "\n".join((ROOT / file).read_text() for file in files)
    names = re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[.*\])?==", text)
    return {str(canonicalize_name(name)) for name in names}


OURS = {str(canonicalize_name(project(path)["name"])) for path in MEMBERS.values()}


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_declares_what_it_imports(member: str) -> None:
    assert imported(MEMBERS[member]) <= declared(MEMBERS[member])


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_imports_what_it_declares(member: str) -> None:
    assert declared(MEMBERS[member]) - imported(MEMBERS[member]) <= set(NOT_IMPORTED)


@pytest.mark.parametrize("member", MEMBERS)
def test_what_a_member_declares_is_pinned_where_it_runs(member: str) -> None:
    assert declared(MEMBERS[member]) - OURS <= locked(member)


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_says_what_it_is(member: str) -> None:
    folder = MEMBERS[member]
    config = tomllib.loads((folder / "pyproject.toml").read_text())
    built = config["tool"]["uv"]["build-backend"]["module-name"]
    assert set(built) == packages(folder)
    assert project(folder)["version"] == ROOT_PROJECT["project"]["version"]
    assert len((folder / "README.md").read_text().split()) > 20


def test_mypy_and_import_linter_know_every_member() -> None:
    tools = ROOT_PROJECT["tool"]
    sources = {f"{member}/src" for member in MEMBERS}
    assert set(tools["mypy"]["mypy_path"]) == sources | {"."}
    every = set().union(*map(packages, MEMBERS.values()))
    assert set(tools["importlinter"]["root_packages"]) == every


@pytest.mark.slow
def test_the_path_is_where_the_checkout_is(tmp_path: Path) -> None:
    """A folder that is moved or linked to imports its own packages, not another checkout's."""
    environment = tmp_path / "here" / ".venv"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=120
    )
    moved = tmp_path / "here"
    for name in ("pyproject.toml", "requirements", *{m.split("/")[0] for m in MEMBERS}):
        (moved / name).symlink_to(ROOT / name)
    (moved / "requirements").unlink()
    (moved / "requirements").mkdir()
    (moved / "requirements" / "workspace.py").write_text(
        (ROOT / "requirements" / "workspace.py").read_text()
    )
    python = str(environment / "bin" / "python")
    subprocess.run([python, "requirements/workspace.py", ".venv"], cwd=moved, check=True)
    (tmp_path / "there").mkdir()
    moved = moved.rename(tmp_path / "there" / "again")
    python = str(moved / ".venv" / "bin" / "python")
    said = subprocess.run(
        [python, "-c", "import gen3d.errors, gen3d_mesh; print(gen3d.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith(str(moved))


def test_no_module_imports_itself_through_others() -> None:
    every = sorted(set().union(*map(packages, MEMBERS.values())))
    graph = grimp.build_graph(*every, cache_dir=None)
    below = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert in_circles(below) == []


def in_circles(below: dict[str, set[str]]) -> list[str]:
    """Modules that one reaches from themselves; `below` is what each imports."""
    return sorted(name for name in below if name in reached(name, below))


def reached(start: str, below: dict[str, set[str]]) -> set[str]:
    """All that is imported by a module, and by what it imports."""
    found, ahead = set[str](), below[start]
    while ahead:
        found |= ahead
        ahead = set().union(*(below.get(name, set()) for name in ahead)) - found
    return found


def test_a_circle_is_found() -> None:
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]


def test_all_clients_of_aws_come_from_one_place() -> None:
    """Made elsewhere, one would wait for a minute where a function has half of one."""
    makers = {
        source.name
        for folder in ("layers/gen3d/src", "functions")
        for source in (ROOT / folder).rglob("src/**/*.py" if folder == "functions" else "*.py")
        for node in ast.walk(ast.parse(source.read_text()))
        if (isinstance(node, ast.Import) and any(a.name == "boto3" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "boto3")
    }
    assert makers == {"clients.py"}


@pytest.mark.slow
def test_a_test_of_the_domain_imports_nothing_slow() -> None:
    """Or it takes seconds to be collected, and is run less often: AWS, Hypothesis, plugins."""
    script = (
        "import sys, pytest\n"
        "code = pytest.main(['layers/gen3d/tests/test_quotas.py', '-p', 'no:cacheprovider'])\n"
        "assert code == 0, code\n"
        "slow = {'moto', 'boto3', 'aws_lambda_powertools', 'hypothesis', 'anyio'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=120)


def test_each_environment_that_runs_a_package_has_it_on_its_path() -> None:
    """Else it works only where somebody linked that environment by hand."""
    makefile = (ROOT / "Makefile").read_text()
    run_a_package = re.findall(r"^\t@(?:.* )?(\.venvs/\w+)/bin/python -m gen3d_", makefile, re.M)
    with_path = re.findall(r"^\t@PYTHONPATH=\S+ (\.venvs/\w+)/bin/python", makefile, re.M)
    linked = {
        rule
        for rule, recipe in re.findall(
            r"^(\.venv\S*)/\.ready:[^\n]*\n((?:\t[^\n]*\n)+)", makefile, re.MULTILINE
        )
        if "requirements/workspace.py" in recipe
    }
    assert run_a_package
    assert set(run_a_package) - set(with_path) <= linked
