"""The stack's process gives back what it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.running import ROOT, RunningStack

PROGRAM = """
import psutil
from local_aws import memory

def used():
    return psutil.Process().memory_info().rss

blocks = [bytes([n % 256]) * 60_000 for n in range(1500)]
last = bytes(60_000)
most = used()
del blocks
kept = used()
memory.give_back()
print(most - kept, most - used())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is asked")
def test_what_was_freed_goes_back() -> None:
    """90 MB of blocks below one that stays, which glibc alone would keep."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    by_itself, when_asked = map(int, done.stdout.split())
    assert by_itself < 40_000_000
    assert when_asked > 80_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is asked")
def test_no_engine_is_loaded_that_nobody_asks(stack: RunningStack) -> None:
    """DuckDB holds megabytes, and has the last forty lines of the first `make run`."""
    assert "duckdb" not in Path(f"/proc/{stack.pid}/maps").read_text()
