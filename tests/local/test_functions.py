"""Functions run under the real runtime client, with what AWS gives them and nothing else."""

import errno
import json
import os
import queue
import socket
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

import psutil
import pytest
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local_aws import children, forkserver
from local_aws.container_images import ContainerImage
from local_aws.functions import Functions, _answering_at_once, _bootstrap
from tests.local.running import RunningStack, eventually


def invoke(stack: RunningStack, **event: Any) -> tuple[str, Any]:
    """The kind of error, if any, and the answer."""
    name = stack.outputs["FunctionName"]
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return answer.get("FunctionError", ""), json.loads(answer["Payload"].read())


def test_it_is_told_its_parameters_by_their_values(stack: RunningStack) -> None:
    _, answer = invoke(stack, do="log", line="a line")
    assert answer["greeting"] == "hello"


def test_it_has_the_layer_and_only_lambdas_environment(stack: RunningStack) -> None:
    _, answer = invoke(stack, do="environment")
    assert answer["word"] == "from the layer"
    assert {"AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT", "GREETING"} <= set(answer["names"])
    assert not {"GATEWAY_PORT", "MOTO_ACCOUNT_ID", "S3_DATA_DIR"} & set(answer["names"])
    assert not {"HOME", "VIRTUAL_ENV"} & set(answer["names"]) & set(os.environ)


def test_a_package_that_it_does_not_bring_is_missing(stack: RunningStack) -> None:
    kind, answer = invoke(stack, do="import", name="moto")
    assert (kind, answer["errorType"]) == ("Unhandled", "ModuleNotFoundError")


def test_an_error_keeps_its_name_and_message(stack: RunningStack) -> None:
    kind, answer = invoke(stack, do="raise")
    assert kind == "Unhandled"
    assert (answer["errorType"], answer["errorMessage"]) == ("NamedError", 'with "quotes"')


@pytest.mark.parametrize(
    ("do", "error"), [("crash", "Runtime.ExitError"), ("hang", "Sandbox.Timedout")]
)
def test_a_worker_that_dies_or_hangs_is_named_and_replaced(
    stack: RunningStack, do: str, error: str
) -> None:
    kind, answer = invoke(stack, do=do)
    assert (kind, answer["errorType"]) == ("Unhandled", error)
    assert invoke(stack, do="log", line="again")[0] == ""


def test_several_run_at_once(stack: RunningStack) -> None:
    answers: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(invoke(stack, do="log", line="x")[1]["requestId"])
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 4


def test_calls_above_its_workers_wait_before_their_time_runs(stack: RunningStack) -> None:
    """Twelve naps by four workers take longer than the function's two seconds."""
    answers: list[tuple[str, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(invoke(stack, do="nap", seconds=0.8)))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [kind for kind, _ in answers] == [""] * 12
    assert len({answer["pid"] for _, answer in answers}) <= 4


@pytest.mark.skipif(not forkserver.AVAILABLE, reason="processes are copied on Linux alone")
def test_workers_stand_ready_before_the_first_call(stack: RunningStack) -> None:
    name = stack.outputs["UncalledName"][:15]  # as much as Linux keeps of a process's name

    def ready() -> bool:
        tree = psutil.Process(stack.pid).children(recursive=True)
        return name in [process.name()[:15] for process in tree]

    assert eventually(ready)


def test_what_it_prints_can_be_read(stack: RunningStack) -> None:
    invoke(stack, do="log", line="a line to find")
    log = stack.folder / "logs" / f"{stack.outputs['FunctionName']}.log"
    assert "a line to find" in log.read_text()


def test_an_image_function_runs_from_its_dockerfile(stack: RunningStack) -> None:
    name = stack.outputs["ImageFunctionName"]
    answer = json.loads(stack.client("lambda").invoke(FunctionName=name)["Payload"].read())
    assert answer["folder"] == ["built", "program", "requirements.txt"]
    assert answer["plain"] == "word"
    assert answer["data"].endswith("/var/task/program")
    assert not answer["cache"].startswith("/tmp/cache")


def test_what_computes_gives_way_to_what_people_wait_for(stack: RunningStack) -> None:
    name = stack.outputs["ImageFunctionName"]
    answer = json.loads(stack.client("lambda").invoke(FunctionName=name)["Payload"].read())
    own = os.getpriority(os.PRIO_PROCESS, 0)  # as the tests may give way themselves
    assert answer["priority"] == min(own + children.LOW, 19)
    assert invoke(stack, do="environment")[1]["priority"] == own


def test_an_image_that_nobody_calls_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds hundreds of megabytes; a function in a zip keeps one worker."""
    functions = Functions(Path(sys.executable), tmp_path)
    functions.add_image("image", ContainerImage(tmp_path, Path(sys.executable)))
    workers = {}
    for name, config in (
        ("image", {"ImageUri": "image"}),
        ("zip", {}),
        ("busy", {"ImageUri": "image"}),
    ):
        workers[name] = lambda_runtime.ProvidedWorker(name, config, b"")
        workers[name]._proc = subprocess.Popen(["sleep", "600"])
        workers[name].last_used = 0.0
        workers[name].in_use = name == "busy"
    pools = {name: [worker] for name, worker in workers.items()}
    monkeypatch.setattr(lambda_runtime, "_workers", pools)
    monkeypatch.setattr(lambda_svc, "reap_idle_workers", lambda_runtime.reap_idle_workers)
    functions._end_idle_images()
    try:
        lambda_svc.reap_idle_workers()
        assert {name for name, pool in pools.items() if pool} == {"zip", "busy"}
        assert workers["image"]._proc is None
    finally:
        lambda_runtime.kill_workers(workers.values())


def test_a_line_that_the_disk_does_not_take_costs_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[str] = []
    monkeypatch.setattr(lambda_svc, "_emit_lambda_logs", lambda *words: printed.append(words[2]))
    monkeypatch.setattr(Path, "open", _full)
    Functions(Path(sys.executable), tmp_path)._write_logs()
    lambda_svc._emit_lambda_logs({"FunctionName": "api"}, "request", "a line")
    assert printed == ["a line"]


def _full(*_arguments: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_worker_is_told_of_a_call_in_one_packet() -> None:
    """A body that comes after its head waits 40 ms for the head's acknowledgement."""
    worker = lambda_runtime.ProvidedWorker("name", {"FunctionArn": "arn"}, b"")
    worker._stopping = False  # as it is while its process runs
    pending: queue.Queue[Any] = queue.Queue()
    pending.put(("request", {"word": "hello"}, 0, None, "arn"))
    handler = _answering_at_once(worker, worker._generation, pending)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.create_connection(("127.0.0.1", server.server_address[1])) as client:
            client.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n")
            assert client.recv(4096).endswith(b'{"word": "hello"}')
        server.shutdown()


def test_the_interpreter_may_lie_in_a_folder_with_a_space(tmp_path: Path) -> None:
    """The checkout's own path, or its owner's name."""
    python = tmp_path / "a folder" / "it's" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$*"\n')
    python.chmod(0o755)
    command = ["/bin/sh", "-c", _bootstrap(None, python)]
    done = subprocess.run(command, env={"_HANDLER": "a.b"}, capture_output=True, text=True)
    assert done.stdout == "-m awslambdaric a.b\n"
