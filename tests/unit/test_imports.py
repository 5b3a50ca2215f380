"""A zip function knows the domain and itself, and nothing else of the project."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("api", "submit", "callback", "notify", "reconcile")
PROJECT = {"container", "local", "mesh", "gen3d", *FUNCTIONS} | {
    module.stem for name in FUNCTIONS for module in (ROOT / "functions" / name).glob("*.py")
}


def imported(source: Path) -> set[str]:
    """Top-level names that a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_imports_the_domain_and_itself(name: str) -> None:
    modules = list((ROOT / "functions" / name).glob("*.py"))
    own = {module.stem for module in modules}
    foreign = {n for module in modules for n in imported(module)} & PROJECT - own - {"gen3d"}
    assert not foreign


def test_all_clients_of_aws_come_from_one_place() -> None:
    """Made elsewhere, one would wait for a minute where a function has half of one."""
    makers = {
        source.name
        for folder in ("layers/gen3d/gen3d", "functions")
        for source in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(source.read_text()))
        if (isinstance(node, ast.Import) and any(a.name == "boto3" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "boto3")
    }
    assert makers == {"clients.py"}
