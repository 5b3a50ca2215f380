"""Memory and processor time of a process and everything that it started."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass
class Weight:
    """Megabytes at a moment: `rss` counts what processes share in each of them, `pss` once."""

    at: float
    rss: float = 0.0
    pss: float = 0.0
    processes: int = 0
    parts: Counter[str] = field(default_factory=Counter)
    """PSS by what the processes are."""
    seconds: dict[tuple[int, float], tuple[str, float]] = field(default_factory=dict)
    """What each process is, and its processor time so far, by its number and its beginning."""


def weigh(pid: int) -> Weight:
    """Weigh a tree of processes as it is now."""
    weight = Weight(time.time())
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return weight
    for process in tree:
        try:
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            name = "the stack" if process.pid == pid else _what(process)
            times, begun = process.cpu_times(), process.create_time()
        except (OSError, psutil.Error):
            continue  # it has just ended
        sizes = dict(line.split(":", 1) for line in rollup.splitlines()[1:])
        rss, pss = (int(sizes[key].split()[0]) / 1000 for key in ("Rss", "Pss"))
        weight.rss += rss
        weight.pss += pss
        weight.processes += 1
        weight.parts[name] += round(pss)
        weight.seconds[process.pid, begun] = (name, times.user + times.system)
    return weight


def _what(process: psutil.Process) -> str:
    """A function by its name, anything else by its module."""
    name = process.environ().get("AWS_LAMBDA_FUNCTION_NAME")
    if name:
        return f"function {name}"
    words: list[str] = process.cmdline()
    if any(word.endswith("/forkserver.py") for word in words):  # itself, or a worker
        called = str(process.name())
        return f"function {called}" if called.startswith("gen3d") else "the server of workers"
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    if words[1:2] == ["-c"]:
        return str(process.name())
    return " ".join(Path(word).name for word in words[:2]) or str(process.name())


def busy(weights: list[Weight]) -> Counter[str]:
    """Processor seconds by what the processes are, of all that were ever weighed."""
    last: dict[tuple[int, float], tuple[str, float]] = {}
    for weight in weights:
        last |= weight.seconds
    before, total = weights[0].seconds, Counter[str]()
    for process, (name, seconds) in last.items():
        total[name] += seconds - before.get(process, ("", 0.0))[1]  # type: ignore[assignment]
    return total


class Scale(threading.Thread):
    """Weighs a tree every few seconds until it is stopped."""

    def __init__(self, pid: int, seconds: float = 3.0) -> None:
        super().__init__(daemon=True)
        self._pid, self._seconds, self._ended = pid, seconds, threading.Event()
        self.weights = [weigh(pid)]

    def run(self) -> None:
        """Weigh."""
        while not self._ended.wait(self._seconds):
            self.weights.append(weigh(self._pid))

    def stop(self) -> list[Weight]:
        """Weigh a last time; gives all."""
        self._ended.set()
        self.join()
        self.weights.append(weigh(self._pid))
        return self.weights
