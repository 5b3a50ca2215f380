"""Dockerfiles are laid out without Docker."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from local_aws.container_images import ContainerImage, assemble
from local_aws.settings import LocalError

PYTHON = Path(sys.executable)


def image(tmp_path: Path, dockerfile: str) -> ContainerImage:
    """Lay out a Dockerfile over a context of two files."""
    context = tmp_path / "context"
    (context / "code" / "__pycache__").mkdir(parents=True, exist_ok=True)
    (context / "code" / "main.py").write_text("print('hello')")
    (context / "code" / "__pycache__" / "main.pyc").write_text("")
    (context / "part").mkdir(exist_ok=True)
    (context / "part" / "Dockerfile").write_text(dockerfile)
    return assemble(context / "part" / "Dockerfile", context, tmp_path / "builds", PYTHON)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_files_lie_where_copy_says(tmp_path: Path) -> None:
    made = image(tmp_path, "FROM x\nWORKDIR /app\nCOPY code lib\nCOPY code/main.py /opt/\n")
    assert (made.root / "app/lib/main.py").exists()
    assert (made.root / "opt/main.py").exists()
    assert not list(made.root.rglob("__pycache__"))
    assert made.folder == made.root / "app"


def test_the_last_stage_counts(tmp_path: Path) -> None:
    text = 'FROM a AS build\nENV A=1\nCMD ["a"]\nFROM b\nCOPY --from=build /x /x\nCMD ["b"]\n'
    made = image(tmp_path, text)
    assert made.environment == {}
    assert made.command == ["b"]


def test_a_stage_begins_with_what_is_below_it(tmp_path: Path) -> None:
    text = "ARG PART=one\nFROM x AS one-base\nENV A=1\nWORKDIR /app\nCOPY code lib\n"
    text += "FROM y AS two-base\nENV A=2\nADD http://x /y\nCOPY code/main.py other.py\n"
    text += "FROM ${PART}-base\nARG PART\nENV B=${PART} C=${A}\n"
    made = image(tmp_path, text)
    assert made.environment == {"A": "1", "B": "one", "C": "1"}
    assert made.folder == made.root / "app"
    assert [path.name for path in made.root.rglob("*.py")] == ["main.py"]


def test_a_path_is_moved_and_a_word_is_not(tmp_path: Path) -> None:
    text = "FROM x\nWORKDIR /app\nCOPY code lib\nENV A=/app/lib B=word C=/usr/share/x D=/tmp/d\n"
    text += "ENV E=/app:${A}\n"
    made = image(tmp_path, text)
    scratch = tmp_path / "scratch"
    variables = made.variables(scratch)
    assert variables["A"] == str(made.root / "app/lib")
    assert (variables["B"], variables["C"]) == ("word", "/usr/share/x")
    assert variables["D"] == str(scratch / "d")
    assert variables["E"] == f"{made.root}/app:{made.root}/app/lib"
    assert variables["PATH"].startswith(str(PYTHON.parent))


def test_python_is_run_once_for_equal_files(tmp_path: Path) -> None:
    program = "open('count', 'a').write('x')"
    text = f'FROM x\nWORKDIR /app\nRUN A=/app/b python -c "{program}"\nRUN apt-get install all\n'
    for _ in range(2):
        made = image(tmp_path, text)
        made.build()
    assert (made.root / "app/count").read_text() == "x"
    other = image(tmp_path, text + "ENV X=1\n")
    assert other.root != made.root


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FROM x\nCOPY none .\n", "COPY none"),
        ("FROM x\nADD http://x /y\n", "uses ADD"),
    ],
)
def test_what_cannot_be_stood_in_for_is_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(LocalError, match=words):
        image(tmp_path, text)


def test_what_fails_in_the_build_is_told(tmp_path: Path) -> None:
    made = image(tmp_path, "FROM x\nRUN python -c \"raise SystemExit('no luck')\"\n")
    for _ in range(2):  # and it is tried again
        with pytest.raises(LocalError, match="no luck"):
            made.build()


def test_a_build_ahead_of_its_need_that_fails_is_logged_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = image(tmp_path, "FROM x\nRUN python -c \"open('once', 'x'); raise SystemExit(3)\"\n")
    made.build_ahead().join()
    assert "is built again when it is needed" in caplog.text
    with pytest.raises(LocalError, match="File exists"):
        made.build()


def test_a_build_ends_with_the_process_that_asked_for_it(tmp_path: Path) -> None:
    """Another one would build in the same folder beside it."""
    sleeper = "import os, time; print(os.getpid(), file=open('pid', 'w', 1)); time.sleep(600)"
    image(tmp_path, f'FROM x\nRUN python -c "{sleeper}"\n')
    asking = (
        "import sys; from pathlib import Path; from local_aws.container_images import assemble;"
        "folder = Path(sys.argv[1]);"
        "assemble(folder / 'context/part/Dockerfile', folder / 'context', folder / 'builds',"
        " Path(sys.executable)).build()"
    )
    asks = subprocess.Popen([sys.executable, "-c", asking, str(tmp_path)])
    try:
        eventually(lambda: any(path.read_text() for path in tmp_path.rglob("pid")))
        (built,) = (int(path.read_text()) for path in tmp_path.rglob("pid"))
    finally:
        asks.kill()
        asks.wait()
    eventually(lambda: not psutil.pid_exists(built))


def test_a_missing_dockerfile_is_told(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="is missing"):
        assemble(tmp_path / "Dockerfile", tmp_path, tmp_path / "builds", PYTHON)
