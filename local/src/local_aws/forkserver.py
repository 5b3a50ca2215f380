"""Starts workers of functions by copying a process that has imported what they all import.

A worker of its own spends half a second of a processor on importing boto3, pydantic and Powertools,
and keeps 60 MB. A copy has them at once and shares their memory until it writes to it. What a
function brings of its own, handlers, settings and clients, each copy imports and makes for itself,
with its own variables: no worker meets what another left behind, as in AWS.

The server does not know this project: it runs on the functions' Python, with their layers.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn, TypedDict

if TYPE_CHECKING:
    from botocore.loaders import Loader

AVAILABLE = sys.platform == "linux"
"""Elsewhere a process with system libraries in it had better not be copied."""

_COMMON = (
    "simplejson",
    "snapshot_restore_py",
    "boto3.dynamodb.conditions",
    "boto3.dynamodb.transform",
    "boto3.s3.inject",
    "botocore.client",
    "botocore.credentials",
    "botocore.retries.standard",
    "pydantic.deprecated.decorator",
    "pydantic.main",
    "pydantic.root_model",
    "pydantic_core.core_schema",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.tracing",
    "xml.etree.cElementTree",
)
"""What is imported ahead, where it is there: nothing that reads a function's own variables then, as
awslambdaric's two modules and the X-Ray SDK do."""

_SERVICES = (
    "cognito-identity",
    "dynamodb",
    "s3",
    "sagemaker-runtime",
    "sesv2",
    "sns",
    "sqs",
    "stepfunctions",
)
"""Whose descriptions are read ahead: botocore makes each client from one, of many megabytes."""

_SET_PARENT_DEATH_SIGNAL = 1
_SET_NAME = 15


class Request(TypedDict):
    """What the server is asked for: a copy that goes on as `python -m` would."""

    arguments: list[str]
    cwd: str
    env: dict[str, str]


class ForkServer:
    """The near end.

    Parameters
    ----------
    start : callable
        Starts a process, as `subprocess.Popen` does, that ends with this one.
    python : str
        The functions' interpreter.
    path : sequence of str
        Folders of packages: the functions' layers.
    environment : mapping
        The variables that all functions have in common.
    log : pathlib.Path
        For what goes wrong in it.
    """

    def __init__(
        self,
        start: Callable[..., "subprocess.Popen[bytes]"],
        python: Path,
        path: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        self._control, far = socket.socketpair()
        self._turn = threading.Lock()
        with far, log.open("ab") as output:
            self._process = start(
                [str(python), "-P", __file__, str(far.fileno())],
                env={**environment, "PYTHONPATH": os.pathsep.join(path)},
                pass_fds=[far.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def running(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def fork(self, arguments: Sequence[str], cwd: str, env: Mapping[str, str]) -> "Forked":
        """Start `python -m` with these arguments in a copy; what it prints goes to a pipe.

        Raises
        ------
        OSError
            The server has ended.
        """
        near, far = socket.socketpair()
        read, write = os.pipe()
        asked: Request = {"arguments": list(arguments), "cwd": cwd, "env": dict(env)}
        request = json.dumps(asked).encode()
        try:
            head = len(request).to_bytes(4, "little")
            with self._turn:
                socket.send_fds(self._control, [head], [write, far.fileno()])
                self._control.sendall(request)
            far.close()  # or its end would not be seen here
            started = near.recv(4)
            if not started:
                raise ConnectionError("The server of workers has ended.")
        except OSError:
            near.close()
            os.close(read)
            raise
        finally:
            far.close()
            os.close(write)
        return Forked(int.from_bytes(started, "little"), near, os.fdopen(read, "rb"))

    def close(self) -> None:
        """End it, and with it every copy."""
        self._control.close()
        self._process.wait()


class Forked:
    """A copy, as `subprocess.Popen` shows a process.

    Parameters
    ----------
    pid : int
    told : socket.socket
        Its exit code comes here when it has ended.
    stdout : file
        What it prints.
    """

    def __init__(self, pid: int, told: socket.socket, stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._told = told
        told.setblocking(False)

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None:
            with suppress(BlockingIOError):
                ended = self._told.recv(4)
                killed = not ended  # with its server
                code = -signal.SIGKILL if killed else int.from_bytes(ended, "little", signed=True)
                self.returncode = code
                self._told.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, for so many seconds at most."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            select.select([self._told], [], [], left)
        return code

    def send_signal(self, sign: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sign)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _serve(control: socket.socket) -> None:
    """Copy this process when asked, until the other end is closed."""
    for name in _COMMON:
        with suppress(ImportError):
            importlib.import_module(name)
    with suppress(ImportError):
        _read_descriptions()
    gc.collect()
    gc.freeze()  # or each copy's collector writes to all that it shares
    waiting = selectors.DefaultSelector()
    waiting.register(control, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.data is None:
                request, given = _received(control)
                if request is None:
                    return
                _fork(request, given, waiting, control)
            else:
                waiting.unregister(key.fd)
                os.close(key.fd)
                pid, told = key.data
                _, status = os.waitpid(pid, 0)
                code = os.waitstatus_to_exitcode(status)
                with suppress(OSError), told:
                    told.send(code.to_bytes(4, "little", signed=True))


def _read_descriptions() -> None:
    """Let every session of botocore's begin with what one loader has read."""
    import botocore.session
    from botocore.exceptions import DataNotFoundError

    make = botocore.session.create_loader
    loader = make()
    for service in _SERVICES:
        for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
            with suppress(DataNotFoundError):
                loader.load_service_model(service, kind)
    for name in ("endpoints", "partitions", "_retry", "sdk-default-configuration"):
        with suppress(DataNotFoundError):
            loader.load_data(name)

    def create_loader(search_path_string: str | None = None) -> "Loader":
        return make(search_path_string) if search_path_string else loader

    botocore.session.create_loader = create_loader


def _received(control: socket.socket) -> tuple[Request | None, list[int]]:
    head, given, _, _ = socket.recv_fds(control, 4, 2)
    size, body = int.from_bytes(head, "little"), b""
    while len(body) < size:
        body += control.recv(size - len(body))
    return (json.loads(body) if body else None), given


def _fork(
    request: Request,
    given: list[int],
    waiting: selectors.BaseSelector,
    control: socket.socket,
) -> None:
    output, told = given[0], socket.socket(fileno=given[1])
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        for key in list(waiting.get_map().values()):
            if key.data is None:
                continue
            os.close(key.fd)
            key.data[1].close()
        for held in (waiting, control, told):
            held.close()
        _become(request, output, server)
    os.close(output)
    with suppress(OSError):
        told.send(pid.to_bytes(4, "little"))
    waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, told))


def _become(request: Request, output: int, server: int) -> NoReturn:
    """Be what a new interpreter would be, but for what is imported."""
    code = 1
    try:
        system = ctypes.CDLL(None)
        system.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        system.prctl(_SET_NAME, request["env"].get("AWS_LAMBDA_FUNCTION_NAME", "").encode())
        if os.getppid() != server:
            os._exit(1)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.close(output)
        os.environ.clear()
        os.environ.update(request["env"])
        time.tzset()
        os.chdir(request["cwd"])
        own = filter(None, request["env"].get("PYTHONPATH", "").split(os.pathsep))
        sys.path[:] = dict.fromkeys([request["cwd"], *own, *sys.path])
        importlib.invalidate_caches()
        module, *rest = request["arguments"]
        sys.argv = [module, *rest]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
