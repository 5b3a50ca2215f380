"""One meaning a word: what the glossary names is there, and homonyms that went stay away."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(\w+)` \| .+\. \| `([^`]+)` \|$", re.M)
TERMS = ROW.findall((ROOT / "docs" / "glossary.md").read_text())
FOLDERS = (
    *("layers", "functions", "container", "training", "client", "cloud", "local"),
    *("tests", "bench", "webapp/src", "webapp/tests"),
)
OTHERS = re.compile(r"node_modules|/build/|/\.|__pycache__|/weights/")
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text()
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.*")
    if path.suffix in (".py", ".ts", ".tsx") and not OTHERS.search(str(path.relative_to(ROOT)))
}
DECLARED = re.compile(
    r"^(?:export )?(?:abstract )?(?:class|interface|type|def|function) (\w+)", re.M
)

ONCE = ("Stage", "TimeSpan", "PhotoSize", "EngineRevision", "ContainerImage", "ColouredMesh")
"""Declared once in a language; `TimeSpan` is in both, as the API's answer has it."""

GONE = (
    *("Image", "Model", "Stages", "Actor", "Ride", "Life", "Mishap"),
    *("useAsked", "useComeback", "onwards"),
)
"""Declared nowhere: words of two meanings, and metaphors."""

GONE_FILES = (
    *("stage", "Stage", "stages", "staging", "actors", "model", "engine", "service", "stack.py"),
    *("Mishap", "useAsked", "useComeback"),
)
"""No source file is called so, whatever it ends with, where no ending is said."""

KEPT_FILES = {"local/src/local_aws/stack.py"}
ALONE = ("splat.py", "harness.py", "coloured_mesh.py", "container_images.py", "weights_upload.py")
"""The name of one file."""


def declarations() -> dict[str, list[str]]:
    """Where each class, function or type of a module's own level is declared."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, text in SOURCES.items():
        for word in DECLARED.findall(text):
            found[word].append(name)
    return found


def test_the_glossary_is_one_page_of_one_sentence_each() -> None:
    rows = (ROOT / "docs" / "glossary.md").read_text().count("\n| `")
    assert rows == len(TERMS) == len(dict(TERMS))
    assert 15 < rows < 40


@pytest.mark.parametrize(("term", "file"), TERMS, ids=[term for term, _ in TERMS])
def test_a_term_lives_where_it_is_said_to(term: str, file: str) -> None:
    assert re.search(rf"\b{term}\b", SOURCES[file]) or Path(file).stem == term


@pytest.mark.parametrize("word", GONE)
def test_a_homonym_does_not_come_back(word: str) -> None:
    assert declarations()[word] == []


@pytest.mark.parametrize("word", ONCE)
def test_a_name_is_declared_once(word: str) -> None:
    endings = [Path(name).suffix for name in declarations()[word]]
    assert endings
    assert len(endings) == len(set(endings)), declarations()[word]


@pytest.mark.parametrize("name", GONE_FILES)
def test_a_file_name_does_not_come_back(name: str) -> None:
    found = {file for file in SOURCES if name in (Path(file).name, Path(file).stem)}
    assert found <= KEPT_FILES


@pytest.mark.parametrize("name", ALONE)
def test_a_file_name_is_one_file_s(name: str) -> None:
    assert len([file for file in SOURCES if Path(file).name == name]) == 1
