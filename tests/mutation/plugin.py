"""Runs the tests that reach a changed function, in a process for each change.

The tests are collected, and what they share is made, in one process; what is forked from it has
both at once. The test that found most changes of a function goes first, then the quickest, one of
those that differ in their parameters alone before the next of them.
"""

import gc
import io
import json
import os
import resource
import signal
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

from gen3d import decoding
from gen3d.bounded import Bounded, Values

CHANGES = Path("changes.json")
FOUND = Path("found.json")
LEARNED = Path("learned.json")
"""Seconds of each test, and the functions that it reaches."""

SECONDS = 30
"""That a change may take more than three times what the tests take without it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the command line gives."""
    parser.addoption("--mutation-workers", type=int, default=1)
    parser.addoption("--mutation-again", action="store_true")
    parser.addoption("--mutation-rest", action="store_true")
    parser.addoption("--mutation-seconds", type=float)


def pytest_configure(config: pytest.Config) -> None:
    """Run the tests as this module says."""
    _decode_here()
    options = ("workers", "again", "rest", "seconds")
    values = [config.getoption(f"--mutation-{option}") for option in options]
    config.pluginmanager.register(Mutation(*values), "mutation")


def _decode_here() -> None:
    """Decode pictures in this process, as the one that else does so has no changes in it."""
    elsewhere = Bounded.ask

    def ask(self: Bounded, request: Values, data: bytes, seconds: int) -> tuple[Values, bytes]:
        if self._module != "gen3d.decoding":
            return elsewhere(self, request, data, seconds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer, body = decoding.answer(json.loads(json.dumps(request)), data)
            if not isinstance(body, bytes):
                pipe = io.BytesIO()
                body[1](pipe)
                body = pipe.getvalue()
        return json.loads(json.dumps(answer)), body

    Bounded.ask = ask  # type: ignore[method-assign]
    Bounded.start = lambda self: None  # type: ignore[method-assign]


@dataclass
class _Trial:
    name: str
    tests: list[pytest.Item]
    answer: int
    ends: float


class Mutation:
    """A session that tries changes, instead of tests.

    Parameters
    ----------
    workers : int
        So many processes at once.
    again : bool
        Leave out what was found in an earlier session.
    rest : bool
        Leave out what was tried in an earlier session, as in one that was ended before it was done.
    most : float
        Seconds of tests, by what they take without a change, that a change is given.
    """

    def __init__(self, workers: int, again: bool, rest: bool, most: float) -> None:
        self._workers = workers
        self._most = most
        self._found: dict[str, str] = json.loads(FOUND.read_text()) if FOUND.exists() else {}
        left_out = {
            name
            for name, by in self._found.items()
            if rest or (again and by not in ("survived", "no test"))
        }
        self._names: list[str] = [n for n in json.loads(CHANGES.read_text()) if n not in left_out]
        self._failed = False
        self._seconds: dict[str, float] = {}
        self._reaching: dict[str, list[pytest.Item]] = defaultdict(list)
        self._finders: dict[str, Counter[str]] = defaultdict(Counter)
        self._trials: dict[int, _Trial] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a failure."""
        self._failed = self._failed or report.failed
        if report.failed:  # where a change is tried, nobody sees this
            print(report.longreprtext, file=sys.stderr)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all tests once, then try the changes."""
        self._learn(session.items)
        gc.freeze()
        for i, name in enumerate(self._names):
            tests = list(self._tests(name))
            if not tests:
                self._found[name] = "no test"
                continue
            while len(self._trials) >= self._workers:
                self._wait()
            self._begin(name, tests)
            if i % 20 == 0:
                print(f"{i} of {len(self._names)} changes", file=sys.stderr)
                self._keep()
        while self._trials:
            self._wait()
        self._keep()
        self._distrust(session.items)
        return True

    def _run(self, test: pytest.Item) -> bool:
        self._failed = False
        test.ihook.pytest_runtest_protocol(item=test, nextitem=None)
        return not self._failed

    def _learn(self, tests: list[pytest.Item]) -> None:
        """Run tests of which it is not known what they reach, and one of each file."""
        known: dict[str, tuple[float, list[str]]] = {}
        if LEARNED.exists():
            known = json.loads(LEARNED.read_text())
        set_mutant_under_test("stats")
        files = set()
        for i, test in enumerate(tests):
            if i % 200 == 0:
                print(f"{i} of {len(tests)} tests", file=sys.stderr)
            if test.nodeid not in known or test.path not in files:
                files.add(test.path)
                state()._stats.clear()
                start = time.process_time()
                if not self._run(test):
                    print(f"left out, as it fails without a change: {test.nodeid}", file=sys.stderr)
                    continue
                known[test.nodeid] = (time.process_time() - start, sorted(state()._stats))
            self._seconds[test.nodeid], functions = known[test.nodeid]
            for function in functions:
                self._reaching[function].append(test)
        set_mutant_under_test("")
        LEARNED.write_text(json.dumps(known))

    def _distrust(self, tests: list[pytest.Item]) -> None:
        """Run the tests that have found something once more as then, but without a change."""
        finders = set(self._found.values())
        for test in tests:
            if test.nodeid in finders:
                self._begin("", [test])
                self._wait()
                if self._found.pop("") != "survived":
                    print(f"not to be trusted, fails in a fork: {test.nodeid}", file=sys.stderr)

    def _tests(self, name: str) -> Iterator[pytest.Item]:
        function = name.partition("__mutmut_")[0]
        here, near = self._finders[function], self._finders[function.rpartition(".")[0]]
        alike: Counter[str] = Counter()
        order: list[tuple[int, int, int, int, pytest.Item]] = []
        for test in sorted(self._reaching[function], key=lambda each: self._seconds[each.nodeid]):
            alike[test.nodeid.partition("[")[0]] += 1
            turn = alike[test.nodeid.partition("[")[0]]
            order.append((-here[test.nodeid], -near[test.nodeid], turn, len(order), test))
        seconds = 0.0
        for *_, test in sorted(order):
            if seconds and seconds + self._seconds[test.nodeid] > self._most:
                return
            seconds += self._seconds[test.nodeid]
            yield test

    def _begin(self, name: str, tests: list[pytest.Item]) -> None:
        answer, end = os.pipe()
        seconds = SECONDS + 3 * sum(self._seconds[test.nodeid] for test in tests)
        process = os.fork()
        if process == 0:
            try:
                self._try(name, tests, end, int(seconds))
            finally:
                os._exit(2)
        os.close(end)
        self._trials[process] = _Trial(name, tests, answer, time.monotonic() + 4 * seconds)

    def _try(self, name: str, tests: list[pytest.Item], answer: int, seconds: int) -> None:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        set_mutant_under_test(name)
        for test in tests:
            if not self._run(test):
                os.write(answer, test.nodeid.encode())
                os._exit(1)
        os._exit(0)

    def _wait(self) -> None:
        """Wait until one has ended, or has had its time."""
        while True:
            for process, trial in self._trials.items():
                late = time.monotonic() > trial.ends
                if late:
                    os.kill(process, signal.SIGKILL)
                ended, status = os.waitpid(process, 0 if late else os.WNOHANG)
                if ended:
                    self._end(process, os.waitstatus_to_exitcode(status))
                    return
            time.sleep(0.01)

    def _end(self, process: int, code: int) -> None:
        trial = self._trials.pop(process)
        finder = os.read(trial.answer, 10_000).decode()
        os.close(trial.answer)
        with suppress(ProcessLookupError):  # what a test has left
            os.killpg(process, signal.SIGKILL)
        if finder:
            function = trial.name.partition("__mutmut_")[0]
            self._finders[function][finder] += 1
            self._finders[function.rpartition(".")[0]][finder] += 1
        self._found[trial.name] = "survived" if code == 0 else finder or f"ended with {code}"

    def _keep(self) -> None:
        FOUND.write_text(json.dumps(self._found, indent=1))
