"""Workers are copies of one process, and yet what a new process would be."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local_aws import children
from local_aws.forkserver import AVAILABLE, Forked, ForkServer
from tests.local.running import eventually

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="processes are copied on Linux alone")

PROGRAM = """
import json, os, sys
import own
known = [os.environ.get("WORD"), "COMMON" in os.environ]
print(json.dumps([sys.argv[1:], os.getcwd(), own.WORD, *known]))
sys.exit(int(os.environ["CODE"]))
"""
SLEEPER = "import time; print(1, flush=True); time.sleep(600)"


class Starter:
    """A server, and what was started by it."""

    def __init__(self, folder: Path) -> None:
        environment = {"PATH": os.environ["PATH"], "COMMON": "1"}
        python, log = Path(sys.executable), folder / "log"
        self.folder = folder
        self.server = ForkServer(children.start, python, [], environment, log)
        self.started: list[Forked] = []

    def start(self, name: str, program: str = PROGRAM, code: int = 0) -> Forked:
        """Run a program in a folder of its own, with a module of its own."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "program.py").write_text(program)
        (folder / "own.py").write_text(f"WORD = {name!r}")
        variables = {"PYTHONPATH": str(folder), "WORD": name, "CODE": str(code)}
        self.started.append(self.server.fork(["program", "argument"], str(folder), variables))
        return self.started[-1]

    def close(self) -> None:
        """End all."""
        self.server.close()
        for process in self.started:
            process.wait(30)
            process.stdout.close()


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    made = Starter(tmp_path)
    yield made
    made.close()


def test_each_has_its_own_code_folder_and_variables(starter: Starter) -> None:
    for name in ("first", "second"):
        process = starter.start(name)
        expected = [["argument"], str(starter.folder / name), name, name, False]
        assert json.loads(process.stdout.read()) == expected
        assert process.wait(30) == 0


def test_it_tells_how_it_ended(starter: Starter) -> None:
    assert starter.start("code", code=3).wait(30) == 3
    failed = starter.start("error", "raise KeyError('missing')")
    assert b"KeyError: 'missing'" in failed.stdout.read()
    assert failed.wait(30) == 1
    asked = starter.start("asked", SLEEPER)
    assert asked.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        asked.wait(0.01)
    asked.terminate()
    assert asked.wait(30) == -signal.SIGTERM
    asked.kill()  # again, and nothing more happens


def test_copies_end_with_their_server(starter: Starter) -> None:
    process = starter.start("a", SLEEPER)
    assert process.stdout.readline() == b"1\n"
    starter.server._process.kill()
    assert process.wait(30) == -signal.SIGKILL
    eventually(lambda: not psutil.pid_exists(process.pid))


def test_a_server_that_has_ended_says_so(starter: Starter) -> None:
    starter.server._process.kill()
    starter.server._process.wait()
    with pytest.raises(ConnectionError):
        starter.start("a")
    assert not starter.server.running


def test_memory_is_shared(starter: Starter) -> None:
    """What all functions import is a copy's at once."""
    program = f"import boto3.s3.inject; {SLEEPER}"
    process = starter.start("a", program)
    process.stdout.readline()
    fresh = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert fresh.stdout is not None
        fresh.stdout.readline()
        own, theirs = (psutil.Process(p.pid).memory_full_info().uss for p in (process, fresh))
        assert own < theirs / 2
    finally:
        fresh.kill()
        fresh.communicate()
