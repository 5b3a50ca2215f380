"""One meaning a word: what the glossary names is there, and homonyms that went stay away."""

import re
from collections import Counter, defaultdict
from functools import cache
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

SHARED = {
    # The same thing, where it is made, used, shown, tried or measured
    "answers": (2, "the API's: what they are; whether the page can work with one"),
    "aws": (2, "an AWS in this process; the tests' by moto"),
    "client": (2, "the API's: the command's and other programs'; the page's"),
    "clicks": (2, "clicks on a photo: a person's; those that the benchmark makes"),
    "decoder": (2, "SAM's mask decoder; running one on the page"),
    "description": (2, "the API's, in OpenAPI: written; as the page reads it"),
    "embeddings": (2, "the photo's: their layout where it is written; where it is read"),
    "errors": (2, "named errors: the domain's; what the client raises"),
    "gateway": (2, "API Gateway: the local stack's; the events that tests make as it would"),
    "pictures": (2, "those in the README of the mesh step, made; files laid out by hand"),
    "prompts": (2, "what shows an object: a request's; those that the decoder learns by"),
    "gpu": (3, "the GPU that networks run on: the endpoint's; the visitor's; Chromium's in tests"),
    "handler": (8, "a function's way in, one a Lambda"),
    "masks": (3, "selections: learnt, hostile ones to try, and as the page makes them"),
    "memory": (3, "the process's: kept low, and measured; services that functions call, in memory"),
    "permissions": (2, "IAM's: who may do what; what of it the tests needed"),
    "photo": (2, "a photo: what a camera does to a rendering; as the page reads it"),
    "photos": (3, "photos: what a header says, hostile ones to try, and the benchmark's"),
    "queue": (2, "what waits for the endpoint: our rule for it; the endpoint's own"),
    "reconstruction": (
        3,
        "an object from a photo: by SAM 3D Objects; the lite engine's network; TripoSplat run",
    ),
    "splats": (2, "clouds of gaussians: those that tests make; as the page draws them"),
    "tiny": (2, "an engine's weights, small and random: sam's and open's"),
    "requests": (2, "the API's: what they are; the samples, sent by tests"),
    "samples": (2, "sample photos: the tests'; the page's"),
    "second_look": (2, "a mask made sharper; the measurement of it"),
    "server": (2, "HTTP: the endpoint's; an inference server that does what a test says"),
    "services": (2, "what is called: those that ministack lacks; the page's API and storage"),
    "session": (2, "who is signed in; onnxruntime's, both by the names of their libraries"),
    "settings": (7, "a package's variables"),
    "shapes": (2, "solids to learn from; solids to measure by"),
    "sweep": (2, "mending what contradicts: of jobs; of what the page has kept"),
    "weights": (3, "an engine's: read, asked for before a build, put where the endpoint looks"),
    "worker": (2, "runs beside: one task at a time in the server; the page's Web Worker"),
    # The field's term for two things, each alone in its package
    "export": (2, "to ONNX: of SAM 3's decoder; of the lite networks"),
    "history": (2, "an execution's; that of clicks, for undo"),
    "machine": (2, "the programs that a deployment is made with; the state machine"),
    "methods": (2, "rivals that a benchmark compares: of meshing; of selecting"),
    "people": (2, "a family of shapes to learn; who uses the local stack under load"),
    "pipeline": (2, "from a splat to a mesh; from a photo to a splat by SAM 3D Objects"),
    "shell": (2, "gaussians near a surface: of the splat that is meshed; made by the lite engine"),
    "store": (2, "records and files in AWS; a stand-in for S3, to measure by"),
    "tasks": (2, "what a server is asked; the state machine's"),
    "views": (2, "the API's answers; crops of an object, to learn from"),
}
"""Names of several files: of how many, and what each means. A new one has a name of its own."""

CUSTOMARY = re.compile(r"__\w+__|conftest|test_\w+|index|main")
"""What Python, pytest and the web call files."""


@cache
def declarations() -> dict[str, list[str]]:
    """Where each class, function or type of a module's own level is declared."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, text in SOURCES.items():
        for word in DECLARED.findall(text):
            found[word].append(name)
    return dict(found)


def test_the_glossary_is_one_page_of_one_sentence_each() -> None:
    rows = (ROOT / "docs" / "glossary.md").read_text().count("\n| `")
    assert rows == len(TERMS) == len(dict(TERMS))
    assert 15 < rows < 40


@pytest.mark.parametrize(("term", "file"), TERMS, ids=[term for term, _ in TERMS])
def test_a_term_lives_where_it_is_said_to(term: str, file: str) -> None:
    assert re.search(rf"\b{term}\b", SOURCES[file]) or Path(file).stem == term


@pytest.mark.parametrize("word", GONE)
def test_a_homonym_does_not_come_back(word: str) -> None:
    assert declarations().get(word, []) == []


@pytest.mark.parametrize("word", ONCE)
def test_a_name_is_declared_once(word: str) -> None:
    endings = [Path(name).suffix for name in declarations().get(word, [])]
    assert endings
    assert len(endings) == len(set(endings)), declarations().get(word, [])


@pytest.mark.parametrize("name", GONE_FILES)
def test_a_file_name_does_not_come_back(name: str) -> None:
    found = {file for file in SOURCES if name in (Path(file).name, Path(file).stem)}
    assert found <= KEPT_FILES


@pytest.mark.parametrize("name", ALONE)
def test_a_file_name_is_one_file_s(name: str) -> None:
    assert len([file for file in SOURCES if Path(file).name == name]) == 1


def test_a_file_name_that_others_bear_says_why() -> None:
    # The catalogue's files bear the names of what they speak for, in each language.
    counts = Counter(
        Path(file).stem for file in SOURCES if not file.startswith("webapp/src/texts/")
    )
    several = {
        name: count for name, count in counts.items() if count > 1 and not CUSTOMARY.fullmatch(name)
    }
    assert several == {name: count for name, (count, _) in SHARED.items()}
