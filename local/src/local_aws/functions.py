"""Runs functions under the real awslambdaric, in processes that hold what AWS's runtime holds.

ministack's own Python worker loses an error's type and shares this process's packages. Its path for
custom runtimes speaks the real Runtime API, enforces timeouts and keeps workers warm, so every
function takes that path, with a bootstrap that starts awslambdaric.

In AWS a call that finds no worker free gets a new one. Here each function has a few, which are
copies of one process (`forkserver`) and stand ready when the stack does; what comes while all
are busy waits its turn before its time-out runs.
"""

import array
import fcntl
import io
import json
import logging
import os
import shlex
import subprocess
import tempfile
import termios
import threading
import time
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Required, TypedDict, Unpack

from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import ProvidedWorker
from ministack.services import lambda_svc

from local_aws import children, forkserver
from local_aws.container_images import ContainerImage
from local_aws.forkserver import Forked, ForkServer

log = logging.getLogger(__name__)

_KEPT = ("AWS_", "_HANDLER", "LAMBDA_TASK_ROOT")
_PROCESSORS = os.cpu_count() or 1
_WORKERS = min(4, max(2, _PROCESSORS))
_WORKERS_OF_THE_API = 4
"""Of each function. People wait for the API, where one slow call should not delay the others."""

_HEAVY = max(1, _PROCESSORS // 2)
"""Calls of functions that are images, beside which the inference server wants processors too."""

_ALL = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "MALLOC_ARENA_MAX": "2",  # memory for the threads that it has, not for all it might
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
}
"""Variables that every function has."""

_IDLE_SECONDS = 60.0
"""After so long without a call a function keeps one worker, and one that is an image none."""

_PRINT_SECONDS = 0.25
_INIT_SECONDS = 120.0
"""How long a worker may take to start, which its function's time-out does not count."""


class Configuration(TypedDict, total=False):
    """A function's configuration, of which this is asked."""

    FunctionName: Required[str]
    Runtime: str
    Handler: str
    PackageType: str
    CodeSha256: str
    ImageUri: str
    ImageConfigResponse: dict[str, dict[str, list[str]]]
    Environment: dict[str, dict[str, str]]
    Layers: list[object]


class Function(TypedDict, total=False):
    """A function as ministack keeps it; in some places it hands over a configuration alone."""

    config: Configuration
    code_zip: bytes
    policy: object
    FunctionName: str


class Functions:
    """The runtime of all functions of a stack.

    Parameters
    ----------
    python : pathlib.Path
        The interpreter of zip functions.
    logs : pathlib.Path
        Each function's output goes to `{name}.log` in it.
    """

    def __init__(self, python: Path, logs: Path) -> None:
        self._python = python
        self._logs = logs
        self._images: dict[str, ContainerImage] = {}
        self._packages: dict[tuple[str, str], bytes] = {}
        # In AWS each call has processors of its own; here heavy ones take turns, before their time
        # runs. What is an image is heavy.
        self._processors = threading.BoundedSemaphore(_HEAVY)
        self._places: dict[str, threading.BoundedSemaphore] = {}
        self._layers: dict[str, tuple[str, ...]] = {}
        self._fork_servers: dict[tuple[str, ...], ForkServer] = {}
        self._lock = threading.Lock()

    def add_image(self, uri: str, image: ContainerImage) -> None:
        """Say what stands in for a container image."""
        self._images[uri] = image

    def install(self) -> None:
        """Take over from ministack's own workers."""
        self._run_under_awslambdaric()
        self._wait_instead_of_throttling()
        self._start_workers_as_children()
        self._give_only_lambdas_environment()
        self._write_logs()

    def _run_under_awslambdaric(self) -> None:
        original = lambda_svc._execute_function_dispatch

        def dispatch(func: Function, config: Configuration, *rest: object) -> object:
            config = _as_custom_runtime(config)
            image = self._image(config)
            if image:
                image.build()
                words = (config.get("ImageConfigResponse") or {}).get("ImageConfig") or {}
                config["Handler"] = (words.get("Command") or image.command)[-1]
            code = self._package(func, config, image)
            with self._processors if image else self._place(func, config):
                return original({**func, "config": config, "code_zip": code}, config, *rest)

        lambda_svc._execute_function_dispatch = dispatch

    def warm(self) -> None:
        """Start workers of all functions in zips, as many as people will soon wait for.

        In AWS somebody else uses a deployed function all the time; here the first who does would
        wait for all of them. Those of the API have started when this returns.
        """
        functions: list[Function] = sorted(
            lambda_svc._functions.values(), key=_of_the_api, reverse=True
        )
        pool = ThreadPoolExecutor(_PROCESSORS)
        awaited = []
        for func in functions:
            config = _as_custom_runtime(func["config"])
            if self._image(config) is not None:
                continue
            name, code = config["FunctionName"], self._package(func, config, None)
            leased = [
                lambda_runtime.acquire_worker(name, config, code)[0]
                for _ in range(_most(func, config) if _of_the_api(func) else 1)
            ]
            started = [pool.submit(_spawn, name, worker) for worker in leased]
            if _of_the_api(func):
                awaited += started
        wait(awaited)
        pool.shutdown(wait=False)

    def _place(self, func: Function, config: Configuration) -> threading.BoundedSemaphore:
        """What a call of this function holds while it runs."""
        with self._lock:
            name = config["FunctionName"]
            if name not in self._places:
                self._places[name] = threading.BoundedSemaphore(_most(func, config))
            return self._places[name]

    def _wait_instead_of_throttling(self) -> None:
        """Ministack refuses a call above the reserved concurrency, which counts those that wait."""

        def reserved(func: Function, config: Configuration) -> int | None:
            return 0 if _reserved(func, config) == 0 else None

        lambda_svc._reserved_concurrency = reserved

    def _start_workers_as_children(self) -> None:
        """Ministack's workers outlive it when it is killed, and may take ten seconds to start."""
        replaced = {"Popen": self._start}
        lambda_runtime.subprocess = SimpleNamespace(**(vars(subprocess) | replaced))
        lambda_runtime._PROVIDED_INIT_TIMEOUT = _INIT_SECONDS
        lambda_runtime._LOCAL_WORKER_TTL = _IDLE_SECONDS
        lambda_runtime.ProvidedWorker._drain_stderr_bounded = _printed
        lambda_runtime.ProvidedWorker._build_handler_class = _answering_at_once
        self._end_idle_images()

    def _end_idle_images(self) -> None:
        """Ministack keeps one worker of each function; an image's holds hundreds of megabytes."""
        reap = lambda_svc.reap_idle_workers

        def reap_more() -> None:
            reap()
            now, idle = time.time(), []
            with lambda_runtime._lock:
                for workers in lambda_runtime._workers.values():
                    idle += [
                        worker
                        for worker in workers
                        if self._image(worker.config) is not None
                        and not worker.in_use
                        and now - worker.last_used >= _IDLE_SECONDS
                    ]
                    workers[:] = [worker for worker in workers if worker not in idle]
            lambda_runtime.kill_workers(idle)

        lambda_svc.reap_idle_workers = reap_more

    def _start(
        self, words: Sequence[str], cwd: str, env: dict[str, str], **options: Unpack[children.Pipes]
    ) -> "subprocess.Popen[bytes] | Forked":
        """Start a worker: of a function in a zip as a copy of what has imported the most."""
        layers = self._layers.get(cwd)
        if layers is None or not forkserver.AVAILABLE:
            return children.start(words, cwd=cwd, env=env, **options)
        with self._lock:
            server = self._fork_servers.get(layers)
            if server is None or not server.running:
                output = self._logs / "workers.log"
                server = ForkServer(children.start, self._python, layers, _of_all(env), output)
                self._fork_servers[layers] = server
        return server.fork(["awslambdaric", env["_HANDLER"]], cwd, env)

    def _image(self, config: Configuration) -> ContainerImage | None:
        return self._images.get(config.get("ImageUri", ""))

    def _package(
        self, func: Function, config: Configuration, image: ContainerImage | None
    ) -> bytes:
        """The deployed code with the bootstrap that a custom runtime needs."""
        key = (config["FunctionName"], config.get("CodeSha256", ""))
        if key not in self._packages:
            buffer = io.BytesIO(b"" if image else func["code_zip"])
            with zipfile.ZipFile(buffer, "a") as package:
                entry = zipfile.ZipInfo("bootstrap")
                entry.external_attr = 0o755 << 16
                package.writestr(entry, _bootstrap(image, self._python))
            self._packages[key] = buffer.getvalue()
        return self._packages[key]

    def _give_only_lambdas_environment(self) -> None:
        """Ministack passes its own environment on; a function gets Lambda's and its own."""
        original = lambda_svc._provided_worker_env

        def environment(config: Configuration, code: str, port: int) -> dict[str, str]:
            own = (config.get("Environment") or {}).get("Variables") or {}
            given = {
                name: value
                for name, value in original(config, code, port).items()
                if name in own or name.startswith(_KEPT)
            }
            image = self._image(config)
            layers = [f"{_layer(layer)}/python" for layer in config.get("Layers") or []]
            if image is None:
                self._layers[code] = tuple(layers)
            path = [code, *layers]
            scratch = Path(tempfile.mkdtemp(prefix=f"{config['FunctionName']}-"))
            runtime = image.variables(scratch) if image else {"PYTHONPATH": ":".join(path)}
            return {
                **_ALL,
                "TMPDIR": str(scratch),
                "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config['FunctionName']}",
                **runtime,
                **given,
            }

        lambda_svc._provided_worker_env = environment

    def _write_logs(self) -> None:
        """What a function prints goes to CloudWatch Logs and, for the terminal, to a file."""
        original = lambda_svc._emit_lambda_logs

        def emit(func: Function, request: str, text: str, *rest: object, **named: object) -> None:
            original(func, request, text, *rest, **named)
            if text:
                name = name_of(func)
                moment = datetime.now(UTC).isoformat(timespec="milliseconds")
                # A full disk costs the line, and not the call that has printed it.
                with suppress(OSError), (self._logs / f"{name}.log").open("a") as file:
                    file.write(f"{moment} {request}\n{text.rstrip()}\n")

        lambda_svc._emit_lambda_logs = emit


def name_of(func: Function) -> str:
    """A function's name."""
    return (func.get("config") or func)["FunctionName"]


def _as_custom_runtime(config: Configuration) -> Configuration:
    return {**config, "Runtime": "provided.al2023", "PackageType": "Zip"}


def _spawn(name: str, worker: ProvidedWorker) -> None:
    try:
        lambda_runtime.ensure_spawned(worker)
    except Exception:  # the first call says why
        log.exception("A worker of %s did not start", name)
    finally:
        lambda_runtime.release_worker(worker)


def _most(func: Function, config: Configuration) -> int:
    """How many workers a function may have."""
    most = _WORKERS_OF_THE_API if _of_the_api(func) else _WORKERS
    return min(_reserved(func, config) or most, most)


def _of_the_api(func: Function) -> bool:
    return "apigateway.amazonaws.com" in json.dumps(func.get("policy"))


_reserved = lambda_svc._reserved_concurrency
"""What a function's `ReservedConcurrentExecutions` says, or None."""


_handler_of_calls = lambda_runtime.ProvidedWorker._build_handler_class
"""Makes what serves the Runtime API to a worker."""


def _answering_at_once(worker: ProvidedWorker, *arguments: object) -> type:
    """Serve the Runtime API with an answer's head and body in one packet.

    Ministack sends them apart: the kernel holds the body back until the head is acknowledged, which
    the worker's kernel puts off for 40 ms, in the hope of something to send with it. Each call of a
    function paid them.
    """
    handler = _handler_of_calls(worker, *arguments)
    return type("Handler", (handler,), {"wbufsize": -1, "disable_nagle_algorithm": True})


def _printed(worker: ProvidedWorker, **_waits: float) -> str:
    """What a call has printed, which is in the pipe before its answer.

    Ministack waits a twentieth of a second for a first line, also of a function that prints none.
    """
    deadline = time.monotonic() + _PRINT_SECONDS
    while time.monotonic() < deadline and _in_pipe(worker._proc):
        time.sleep(0.001)
    time.sleep(0.001)  # for the thread that has taken the last line from the pipe
    return str(worker._drain_stderr())


def _in_pipe(process: "subprocess.Popen[bytes] | Forked | None") -> int:
    """Bytes that a process has printed and nobody has read."""
    if process is None or process.stdout is None:
        return 0
    size = array.array("i", [0])
    try:
        fcntl.ioctl(process.stdout, termios.FIONREAD, size)
    except (OSError, ValueError):  # it has ended
        return 0
    return size[0]


def _of_all(environment: dict[str, str]) -> dict[str, str]:
    """Those of a function's variables that are every function's."""
    names = {*_ALL, "AWS_REGION", "AWS_DEFAULT_REGION"}
    return {name: value for name, value in environment.items() if name in names}


def _bootstrap(image: ContainerImage | None, python: Path) -> str:
    if image is None:
        return f'#!/bin/sh\nexec {shlex.quote(str(python))} -m awslambdaric "$_HANDLER"\n'
    start = shlex.join(image.start([]))
    folder = shlex.quote(str(image.folder))
    return f'#!/bin/sh\ncd {folder}\nexec nice -n {children.LOW} {start} "$_HANDLER"\n'


def _layer(attachment: object) -> str:
    """Extract a layer once, as Lambda mounts it."""
    content = lambda_svc._resolve_layer_zip(attachment)
    return str(lambda_svc._docker_extracted_dir(content, "layer"))
