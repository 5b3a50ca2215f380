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
