"""What a stranger's bytes may do to the process that reads them, and to nobody else."""

import os
import resource
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import gen3d
from gen3d.bounded import Bounded, Crashed, Starved, TimeSpent

MEGABYTE = 2**20

SERVER = """
import os, signal
from gen3d import bounded

before = []

def answer(request, data):
    match request["do"]:
        case "echo":
            before.append(len(data))
            return {"before": len(before), "pid": os.getpid()}, data
        case "environment":
            return dict(os.environ), b""
        case "spin":
            while True:
                pass
        case "allocate":
            try:
                return {"got": len(bytearray(request["bytes"]))}, b""
            except MemoryError:
                return {"got": None}, b""
        case "half":
            def write(pipe):
                pipe.write(b"half")
                os.kill(os.getpid(), request["signal"])
            return {}, (8, write)
        case "raise":
            raise ValueError

bounded.serve(answer)
"""


@pytest.fixture
def bounded(tmp_path: Path) -> Iterator[Bounded]:
    (tmp_path / "served.py").write_text(SERVER)
    found = Bounded("served", [tmp_path, Path(gen3d.__file__).parents[1]], 200 * MEGABYTE)
    yield found
    found.close()


def works(bounded: Bounded) -> bool:
    return bounded.ask({"do": "echo"}, b"again", 5)[1] == b"again"


def test_bytes_go_there_and_come_back(bounded: Bounded) -> None:
    for data in (b"", b"x", os.urandom(5 * MEGABYTE)):
        assert bounded.ask({"do": "echo"}, data, 5)[1] == data


def test_no_request_meets_what_another_left_behind(bounded: Bounded) -> None:
    answers = [bounded.ask({"do": "echo"}, b"x", 5)[0] for _ in range(3)]
    assert [answer["before"] for answer in answers] == [1, 1, 1]
    assert len({answer["pid"] for answer in answers}) == 3


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists children")
def test_a_request_finds_its_copy_waiting(bounded: Bounded) -> None:
    last = bounded.ask({"do": "echo"}, b"x", 5)[0]["pid"]
    assert bounded._server is not None
    server = bounded._server.pid
    children = Path(f"/proc/{server}/task/{server}/children")
    until = time.monotonic() + 10
    while children.read_text().split() in ([], [str(last)]) and time.monotonic() < until:
        time.sleep(0.01)
    (waiting,) = children.read_text().split()
    assert bounded.ask({"do": "echo"}, b"x", 5)[0]["pid"] == int(waiting)


def test_it_is_told_no_secrets(bounded: Bounded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine alone")
    environment, _ = bounded.ask({"do": "environment"}, b"", 5)
    assert "mine alone" not in str(environment)
    assert "PYTHONPATH" in environment


@pytest.mark.slow
def test_whoever_uses_up_the_processor_time_is_ended(bounded: Bounded) -> None:
    with pytest.raises(TimeSpent):
        bounded.ask({"do": "spin"}, b"", 1)
    assert works(bounded)


def test_memory_ends_at_the_limit(bounded: Bounded) -> None:
    assert bounded.ask({"do": "allocate", "bytes": 100 * MEGABYTE}, b"", 5)[0]["got"]
    assert bounded.ask({"do": "allocate", "bytes": 300 * MEGABYTE}, b"", 5)[0]["got"] is None


@pytest.mark.parametrize(("fault", "error"), [(signal.SIGKILL, Starved), (signal.SIGILL, Crashed)])
def test_half_an_answer_is_none(
    bounded: Bounded, fault: signal.Signals, error: type[Exception]
) -> None:
    with pytest.raises(error):
        bounded.ask({"do": "half", "signal": fault}, b"", 5)
    assert works(bounded)


def test_an_exception_is_a_crash_and_told_to_the_log(
    bounded: Bounded, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Crashed):
        bounded.ask({"do": "raise"}, b"", 5)
    assert "ValueError" in capfd.readouterr().err
    assert works(bounded)


def test_who_hangs_without_computing_is_ended(
    bounded: Bounded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen3d.bounded._WALL_SECONDS", 0.2)
    with pytest.raises(Starved):
        bounded.ask({"do": "half", "signal": signal.SIGSTOP}, b"", 5)
    monkeypatch.undo()
    assert works(bounded)


def test_a_server_that_ended_while_nobody_asked_is_started_anew(bounded: Bounded) -> None:
    assert works(bounded)
    server = bounded._server
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
    assert works(bounded)


def test_the_server_ends_when_nobody_is_left_to_ask(bounded: Bounded) -> None:
    """As after a kill of the process that asked: all that its server sees is a closed pipe."""
    assert works(bounded)
    server = bounded._server
    assert server is not None
    assert server.stdin is not None
    server.stdin.close()
    assert server.wait(10) == 0


def test_threads_take_turns(bounded: Bounded) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = [bytes([n]) * (n * 10_000 + 1) for n in range(24)]
        came = pool.map(lambda data: bounded.ask({"do": "echo"}, data, 5)[1], sent)
        assert list(came) == sent


def test_a_copy_of_the_process_has_a_server_of_its_own(bounded: Bounded) -> None:
    assert works(bounded)
    copy = os.fork()
    if copy == 0:
        try:
            assert bounded._server is None
            os._exit(0 if works(bounded) else 1)
        finally:
            os._exit(2)
    assert works(bounded)
    assert os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]) == 0


def test_a_machine_whose_own_limit_is_lower_still_works(bounded: Bounded) -> None:
    copy = os.fork()
    if copy == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
            os._exit(0 if works(bounded) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]) == 0


def test_a_request_that_is_given_up_leaves_no_answer_for_the_next(bounded: Bounded) -> None:
    assert works(bounded)
    with pytest.raises(TypeError):
        bounded.ask({"do": "echo", "odd": object()}, b"", 5)
    assert works(bounded)
