"""Runs code on strangers' bytes in a process of its own, whose time and memory are bounded.

A server process is started once, with an interpreter that holds nothing else. For each request it
forks: the copy reads the bytes from the pipe, sets its limits, answers and ends, so that no request
meets what another left behind. It forks ahead: a request finds its copy waiting, with memory that
the kernel has handed out. Bytes and answers go over pipes alone: Lambda has no shared memory.
"""

import atexit
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeAlias  # noqa: TID251  what JSON can say

Values: TypeAlias = dict[str, Any]
"""What JSON can say."""

Body: TypeAlias = bytes | tuple[int, Callable[[IO[bytes]], object]]
"""Data of an answer, or their length and what writes them."""

_FRAME = struct.Struct("<IQ")
"""Before each message: bytes of its JSON, and of what follows that."""

_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""All that the process is told of this one's environment, which may hold credentials."""

_MALLOC = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}
"""Each copy starts with no memory: in 4 KB at a time it takes as long to get as to fill. The C
libraries that do not know huge pages (before glibc 2.35, as Lambda's) pass them over. What was
freed is kept: what a copy got while it waited is there for what it reads."""

_AHEAD = 16 * 2**20
"""Bytes that a waiting copy has: of a photo of 12 megapixels at half its size, and its file."""

_ENDED = 99
"""How a copy ends to which nothing came."""

_WALL_SECONDS = 60.0
"""Far above any limit of processor time: who reaches it does not compute but hangs."""


class TimeSpent(Exception):
    """The processor time was used up."""


class Starved(Exception):
    """The machine, not the request, had too little memory or time."""


class Crashed(Exception):
    """The process ended by a fault of its own."""


class Bounded:
    """The near end: a module that serves requests, as a process with limits.

    Parameters
    ----------
    module : str
        Run as ``python -m``; it calls `serve`.
    packages : iterable of Path
        Folders that hold the module and what it imports, outside of the standard library.
    memory : int
        Bytes of address space for one request, the interpreter's own included.
    """

    def __init__(self, module: str, packages: Iterable[Path], memory: int) -> None:
        self._module = module
        self._packages = os.pathsep.join(dict.fromkeys(map(str, packages)))
        self._memory = memory
        self._server: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        atexit.register(self.close)
        # A copy of this process shares the pipes: it has to start a server of its own.
        os.register_at_fork(after_in_child=self._forget)

    def ask(self, request: Values, data: bytes, seconds: int) -> tuple[Values, bytes]:
        """Have one request answered.

        Parameters
        ----------
        request : dict
            What is asked for.
        data : bytes
            The stranger's.
        seconds : int
            Processor time for it.

        Returns
        -------
        answer : dict
        data : bytes

        Raises
        ------
        TimeSpent, Starved, Crashed
        """
        limits = {"seconds": seconds, "memory": self._memory}
        with self._turn:
            server = self._started()
            assert server.stdin is not None
            assert server.stdout is not None
            watch = threading.Timer(_WALL_SECONDS, _kill, [server])
            watch.daemon = True
            watch.start()
            try:
                _send(server.stdin, {"request": request, "limits": limits}, data)
                return _receive(server.stdout)
            except (BrokenPipeError, EOFError):
                raise self._end_of(server) from None
            except BaseException:  # an answer may be left in the pipe
                self._stop()
                raise
            finally:
                watch.cancel()

    def start(self) -> None:
        """Start the server, so that the first request need not wait for it."""
        with self._turn:
            self._started()

    def close(self) -> None:
        """End the server; the next request starts another."""
        with self._turn:
            self._stop()

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._server is not None and self._server.poll() is not None:
            self._stop()
        if self._server is None:
            environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
            self._server = subprocess.Popen(  # noqa: S603 — this interpreter, and a module of ours
                [sys.executable, "-P", "-S", "-B", "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**environment, **_MALLOC, "PYTHONPATH": self._packages},
                start_new_session=True,
            )
        return self._server

    def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            _kill(server)
            server.wait()
            for pipe in (server.stdin, server.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):  # of what was never sent
                        pipe.close()

    def _end_of(self, server: "subprocess.Popen[bytes]") -> Exception:
        """What became of a server that answers no more."""
        code = server.wait()
        self._stop()
        if code == signal.SIGXCPU:
            return TimeSpent()
        if abs(code) == signal.SIGKILL:  # by the machine for its memory, or by the watch
            return Starved()
        return Crashed(f"ended with {code}")

    def _forget(self) -> None:
        self._server = None
        self._turn = threading.Lock()


def _kill(server: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)  # with the copy that works on a request


def serve(answer: Callable[[Values, bytes], tuple[Values, Body]]) -> None:
    """The far end: answer requests until the other end is closed.

    Parameters
    ----------
    answer : callable
        Takes a request and its data, and gives an answer with data.
    """
    while True:
        copy = os.fork()
        if copy == 0:
            _answer_one(answer)
        status = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        if status:  # what is left in the pipes is of no more use; the code says why
            sys.exit(0 if status == _ENDED else abs(status))


def _answer_one(answer: Callable[[Values, bytes], tuple[Values, Body]]) -> None:
    status = 1
    try:
        _touch(_AHEAD)
        with open(0, "rb", closefd=False) as inward, open(1, "wb", 0, closefd=False) as outward:
            if not inward.peek(1):
                os._exit(_ENDED)
            message, data = _receive(inward)
            limits = message["limits"]
            _limit(resource.RLIMIT_CORE, 0)
            _limit(resource.RLIMIT_AS, limits["memory"])
            _limit(resource.RLIMIT_CPU, limits["seconds"], 1)
            _send(outward, *answer(message["request"], data))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _touch(size: int) -> None:
    """Have the kernel hand out memory, which malloc keeps."""
    held = b"1" * size
    del held


def _limit(kind: int, most: int, grace: int = 0) -> None:
    """Lower a limit for good; the grace lets the signal that says why come before the end."""
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard - grace)
    resource.setrlimit(kind, (most, most + grace))


def _send(pipe: IO[bytes], message: Values, body: Body) -> None:
    head = json.dumps(message).encode()
    length = len(body) if isinstance(body, bytes) else body[0]
    _write(pipe, _FRAME.pack(len(head), length) + head)
    if isinstance(body, bytes):
        _write(pipe, body)
    else:
        body[1](pipe)
    pipe.flush()


def _write(pipe: IO[bytes], data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) :]


def _receive(pipe: IO[bytes]) -> tuple[Values, bytes]:
    head, length = _FRAME.unpack(_read(pipe, _FRAME.size))
    message: Values = json.loads(_read(pipe, head))
    return message, _read(pipe, length)


def _read(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data
