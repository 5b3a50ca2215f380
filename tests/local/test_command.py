"""The command and the agent's door, as somebody has them, on a stack that is up."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.local.running import ROOT, RunningStack

pytestmark = pytest.mark.timeout(900)  # a test makes up to three meshes, on a machine that is busy

PHOTO = ROOT / "examples" / "coffee.jpg"
PATIENCE = 400
"""Seconds for a command."""
CUP = ["--click", "226,232 394,232", "--click", "330,330", "--click", "-5,10"]
EMAIL, PASSWORD = "you@example.com", "gen3d-on-this-machine-1"


class Terminal:
    """Where somebody types `gen3d`, and what is kept of it."""

    def __init__(self, folder: Path, home: str = "home", **variables: str) -> None:
        self.folder = folder
        others = {name: value for name, value in os.environ.items() if name[:6] != "GEN3D_"}
        self.environment = {**others, "GEN3D_HOME": str(folder / home), **variables}

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "gen3d_client.command", *map(str, words)],
            cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def gen3d(self, *words: str | Path, said: str = "", code: int = 0) -> tuple[str, str]:
        process = self.start(*words)
        out, err = process.communicate(said, PATIENCE)
        assert process.returncode == code, err
        return out, err


@pytest.fixture(scope="module")
def terminal(
    whole_stack: RunningStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path_factory.mktemp("terminal"))
    words = ("login", whole_stack.url, "--email", EMAIL, "--password-stdin")
    said = terminal.gen3d(*words, said=PASSWORD)[0]
    assert f"Signed in at {whole_stack.url} as {EMAIL}." in said
    yield terminal
    for job in json.loads(terminal.gen3d("jobs", "--json")[0]):
        forget(terminal, job["jobId"])


def forget(terminal: Terminal, job_id: str) -> None:
    script = (
        "from gen3d_client.access import client; from gen3d_client.sign_ins import Kept\n"
        f"client(Kept(), '').delete({job_id!r})"
    )
    subprocess.run([sys.executable, "-c", script], env=terminal.environment, check=True)


def test_a_photo_becomes_a_mesh_though_it_is_interrupted(terminal: Terminal) -> None:
    """Ctrl-C while it waits, then `gen3d watch`: with the same clicks, to the same file."""
    process = terminal.start("mesh", PHOTO, *CUP, "--out", "cup.glb", "--option", "engine.seed=3")
    assert process.stderr is not None
    for line in process.stderr:
        if "INITIALIZING" in line or "AWAITING_MASK" in line:
            break
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130, said
    job_id = said.split("gen3d watch ")[1].strip()
    out, err = terminal.gen3d("watch", job_id, "--json")
    job = json.loads(out)
    assert job["status"] == "COMPLETED"
    assert job["objects"][0]["options"]["engine"]["seed"] == 3
    assert "RECONSTRUCTING" in err
    assert (terminal.folder / "cup.glb").read_bytes()[:4] == b"glTF"

    terminal.gen3d("fetch", job_id, "--out", "all")
    names = {path.name for path in (terminal.folder / "all").iterdir()}
    assert {"mesh.glb", "mesh.stl", "mesh.zip", "splat.ply", "mask.png", "preview.png"} <= names
    assert job_id in terminal.gen3d("jobs")[0]

    seed = ["--object", "0", "--option", "engine.seed=4"]
    again = terminal.gen3d("retry", job_id, *seed, "--out", "again.glb", "--json")[0]
    assert json.loads(again)["run"] == job["run"] + 1
    assert (terminal.folder / "again.glb").stat().st_size


def test_what_the_api_refuses_is_a_sentence(
    terminal: Terminal, whole_stack: RunningStack, tmp_path: Path
) -> None:
    url = ("--url", f"{whole_stack.url.replace('http', 'https')}/cup.jpg")
    assert "public addresses alone" in terminal.gen3d("mesh", *url, code=1)[1]
    start = b"\xff\xd8\xff"
    for content, says in ((start + bytes(25_000_000), "too large"), (start, "not a photo")):
        photo = tmp_path / "bad.jpg"
        photo.write_bytes(content)
        assert says in terminal.gen3d("mesh", photo, code=1)[1]
    somebodys = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    for command in ("watch", "fetch", "retry"):
        assert "There is no such job" in terminal.gen3d(command, somebodys, code=1)[1]
    option = ("--option", "mesh.faces=7")
    assert "faces" in terminal.gen3d("mesh", PHOTO, *CUP, *option, code=1)[1]
    login = ("login", whole_stack.url, "--email", EMAIL, "--password-stdin")
    assert "do not belong together" in terminal.gen3d(*login, said="wrong", code=3)[1]


def test_a_key_does_what_it_may(terminal: Terminal, whole_stack: RunningStack) -> None:
    """Made by somebody who is signed in, used where nobody is, and withdrawn."""
    key = terminal.gen3d("keys", "make", "a robot", "--right", "read")[0].strip()
    key_id = key.split("_")[1]
    here = {"GEN3D_KEY": key, "GEN3D_ADDRESS": whole_stack.url}
    robot = Terminal(terminal.folder, "nowhere", **here)
    assert isinstance(json.loads(robot.gen3d("jobs", "--json")[0]), list)
    assert "no right to create" in robot.gen3d("mesh", PHOTO, *CUP, code=1)[1]
    assert "No key may do this" in robot.gen3d("keys", code=1)[1]
    assert f"{key_id}  read" in terminal.gen3d("keys")[0]
    terminal.gen3d("keys", "withdraw", key_id)
    assert key_id not in terminal.gen3d("keys")[0]
    robot.environment["GEN3D_KEY"] = key[:-1] + ("a" if key[-1] != "a" else "b")
    assert f"The key {key_id} is not known here" in robot.gen3d("jobs", code=3)[1]


def test_an_agent_makes_looks_and_fetches(terminal: Terminal) -> None:
    """The official SDK's client, over stdio."""
    from mcp import Client, StdioServerParameters, stdio_client

    folder = terminal.folder / "agent"
    folder.mkdir()
    (folder / "cup.jpg").write_bytes(PHOTO.read_bytes())
    (folder / "there.glb").touch()
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "gen3d_client.command", "mcp", "--folder", str(folder)],
        env=terminal.environment,
    )
    told: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(str(message))

    async def talk() -> None:
        async with Client(stdio_client(server)) as agent:
            names = {tool.name for tool in (await agent.list_tools()).tools}
            assert names == {
                *("make_mesh", "wait_for_job", "list_jobs", "look_at_job", "fetch_files"),
            }

            async def call(name: str, **arguments: Any) -> Any:
                return await agent.call_tool(name, arguments, progress_callback=hear)

            for wrong, says in (
                ({"photo": "../x.jpg"}, "is not below"),
                ({"photo": "/etc/passwd"}, "is not below"),
                ({"photo": "none.jpg"}, "is not there"),
                ({"photo": "cup.jpg", "out": "there.glb"}, "is there already"),
                ({"photo": "cup.jpg", "points": "9999,1"}, "outside of the photo"),
            ):
                refused = await call("make_mesh", **wrong)
                assert refused.is_error
                assert says in refused.content[0].text, refused
            begun = await call("make_mesh", photo="cup.jpg", points="226,232", wait_seconds=0)
            job_id = begun.structured_content["jobId"]
            assert "wait_for_job" in begun.structured_content["next"]
            made = begun
            while "next" in made.structured_content:  # as the answer says
                made = await call("wait_for_job", job=job_id, wait_seconds=30)
                assert not made.is_error, made
            assert made.structured_content["status"] == "COMPLETED", made
            assert made.structured_content["written"] == [str(folder / "cup.glb")]
            assert (folder / "cup.glb").read_bytes()[:4] == b"glTF"
            looked = await call("look_at_job", job=job_id)
            words, picture = looked.content
            assert "cup: COMPLETED" in words.text
            assert picture.mime_type == "image/png"
            listed = await call("list_jobs")
            assert job_id in str(listed.content)
            fetched = await call("fetch_files", job=job_id, out="cup.stl")
            assert not fetched.is_error
            assert (folder / "cup.stl").stat().st_size
            gone = await call("look_at_job", job="01ARZ3NDEKTSV4RRFFQ69G5FAV")
            assert "There is no such job" in gone.content[0].text

    asyncio.run(talk())
    assert "RECONSTRUCTING" in told


PROGRAMS = ROOT / "examples" / "programs"


@pytest.fixture
def with_command(terminal: Terminal, tmp_path: Path) -> dict[str, str]:
    """Where `gen3d` is on the path, as it is once the package is installed."""
    command = tmp_path / "bin" / "gen3d"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gen3d_client.command "$@"\n')
    command.chmod(0o755)
    return {**terminal.environment, "PATH": f"{command.parent}:{os.environ['PATH']}"}


def test_the_example_in_shell(with_command: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    photos = [tmp_path / "broken.jpg", PHOTO]
    words = [str(PROGRAMS / "meshes.sh"), str(tmp_path), *map(str, photos)]
    for _ in range(2):  # the second time there is nothing left to do
        done = subprocess.run(
            words, env=with_command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 1
        assert "not a photo" in done.stderr
    assert (tmp_path / "coffee.glb").read_bytes()[:4] == b"glTF"


def test_the_example_of_a_watched_folder(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cup.jpg").write_bytes(PHOTO.read_bytes())
    (folder / "broken.png").write_text("no")
    words = [sys.executable, str(PROGRAMS / "watched_folder.py"), str(folder), "--once"]
    done = subprocess.run(
        words, env=terminal.environment, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (folder / "cup.glb").read_bytes()[:4] == b"glTF"
    assert "broken.png: " in done.stdout


def test_the_example_of_a_build_job(
    terminal: Terminal, whole_stack: RunningStack, tmp_path: Path
) -> None:
    """The action's own step, as a runner has it: one photo is bad, one is made, none twice."""
    (step,) = [
        each
        for each in yaml.safe_load((PROGRAMS / "batch" / "action.yml").read_text())["runs"]["steps"]
        if each["id"] == "meshes"
    ]
    key = terminal.gen3d("keys", "make", "build job")[0].strip()
    photos, summary = tmp_path / "photos", tmp_path / "summary.md"
    photos.mkdir()
    (photos / "cup.jpg").write_bytes(PHOTO.read_bytes())
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    cup = {"photo": "cup.jpg", "mesh": "coffee.glb", "click": "226,232 330,330"}
    odd = {"photo": "cup.jpg", "mesh": "odd.glb", "colour": "red"}
    (photos / "manifest.json").write_text(json.dumps([{"photo": "broken.jpg"}, cup, odd]))
    inputs = {"photos": photos, "meshes": tmp_path, "address": whole_stack.url, "key": key}

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.(\w+) }}", lambda found: str(inputs[found[1]]), text)

    robot = Terminal(tmp_path, "nowhere", PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin")
    robot.environment |= {name: filled(value) for name, value in step["env"].items()}
    robot.environment |= {
        "GITHUB_ACTION_PATH": str(PROGRAMS / "batch"),
        "GITHUB_STEP_SUMMARY": str(summary),
    }

    def run() -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]], env=robot.environment, capture_output=True,
            text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert key not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    code, said = run()
    assert code == 1, said
    assert (tmp_path / "coffee.glb").read_bytes()[:4] == b"glTF"
    broken, made, other = summary.read_text().splitlines()[2:]
    assert "not a photo" in broken
    assert "| cup.jpg | coffee.glb | made by job" in made
    assert "'colour' is nothing that shows an object" in other

    (tmp_path / "coffee.glb").unlink()
    (photos / "manifest.json").write_text(json.dumps([cup]))
    code, again = run()
    assert (code, made.split()[-2]) == (0, again.split()[-2]), again  # the same job as before
    assert "is there" in run()[1]
    terminal.gen3d("keys", "withdraw", key.split("_")[1])


def test_the_example_in_a_notebook(terminal: Terminal, tmp_path: Path) -> None:
    """Its cells one after another in IPython, without Jupyter; what is shown is counted."""
    folder = tmp_path / "examples" / "programs"
    folder.mkdir(parents=True)
    (folder.parent / PHOTO.name).write_bytes(PHOTO.read_bytes())
    cells = json.loads((PROGRAMS / "photo_to_mesh.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    script = (
        "import json, sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "from IPython.utils.capture import capture_output\n"
        "shell, shown = InteractiveShell.instance(), []\n"
        "for cell in json.load(sys.stdin):\n"
        "    with capture_output() as captured:\n"
        "        result = shell.run_cell(cell)\n"
        "    result.raise_error()\n"
        "    shown += [sorted(each.data) for each in captured.outputs]\n"
        "print(json.dumps(shown))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(code), cwd=folder, text=True,
        env={**terminal.environment, "IPYTHONDIR": str(tmp_path)}, capture_output=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout.splitlines()[-1])
    assert sum("image/png" in each or "image/jpeg" in each for each in shown) == 2
    assert any("text/html" in each for each in shown)
    assert (folder / "cup" / "mesh.glb").read_bytes()[:4] == b"glTF"
