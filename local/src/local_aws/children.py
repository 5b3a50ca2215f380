"""Processes that end with this one, however it ends.

A stack that is killed cannot end what it started. So each process asks the kernel to be killed with
its parent, before it becomes what it was started for. Linux counts the parent's thread, not its
process, which is why one thread that never ends starts them all. Other systems lack the call: there
a killed stack's processes end when they next ask it for something.

In AWS what computes has machines of its own. Here it gives way to what people wait for: `LOW` is
its priority. Linux weighs sessions against each other first, so it stays in the stack's: beside
other programs of the machine the stack has the same share as before.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, TypedDict, Unpack

LOW = 10
"""As `nice` adds: a ninth of the time of what wants a processor too, and all that is left."""

_SET_PARENT_DEATH_SIGNAL = 1

_starter = ThreadPoolExecutor(1, thread_name_prefix="starts-processes")


class Pipes(TypedDict, total=False):
    """Where a process reads and writes, as `subprocess.Popen` takes it."""

    stdin: int
    stdout: int | IO[bytes]
    stderr: int
    pass_fds: Sequence[int]


class Options(Pipes, total=False):
    """What else of `subprocess.Popen`'s is given to a process."""

    cwd: str | Path | None
    env: Mapping[str, str]
    process_group: int


def start(words: Sequence[str], **options: Unpack[Options]) -> "subprocess.Popen[bytes]":
    """Start a process that does not outlive this one.

    Parameters
    ----------
    words : sequence of str
        The program and its arguments.
    options
        As `subprocess.Popen` takes them.

    Returns
    -------
    subprocess.Popen
        Ends at once, with a traceback on its standard error, where there is no such program.
    """
    launcher = [sys.executable, "-I", "-S", __file__, str(os.getpid()), *words]
    return _starter.submit(lambda: subprocess.Popen(launcher, **options)).result()


def run(
    words: Sequence[str], env: Mapping[str, str], cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a process to its end, or to this one's.

    Parameters
    ----------
    words : sequence of str
        The program and its arguments.
    env : mapping
        Its variables.
    cwd : pathlib.Path, optional
        The folder that it runs in; this process's where none is given.

    Returns
    -------
    subprocess.CompletedProcess
        With what it wrote.
    """
    process = start(words, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    written, errors = (text.decode(errors="replace") for text in process.communicate())
    return subprocess.CompletedProcess(list(words), process.returncode, written, errors)


def give_way(process: "subprocess.Popen[bytes]") -> None:
    """Let a process of this session run after what people wait for, whatever that has itself."""
    with suppress(ProcessLookupError):  # it has ended
        os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + LOW)


def _become(parent: int, words: list[str]) -> None:
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() == parent:  # otherwise it ended before it could be asked about
        os.execvp(words[0], words)  # noqa: S606


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
