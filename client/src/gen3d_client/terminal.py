"""What is shown while a job runs: a bar where somebody looks on, else a line for each thing."""

import re
import shutil
import time
from collections.abc import Sequence
from typing import TextIO

from gen3d_client.models import HowFar, Job

_STAGES = {"AWAITING_MASK": "initialize", "RECONSTRUCTING": "mask", "COMPLETED": "reconstruct"}
"""The stage that has ended when a status comes."""
_MOVED = 0.1
"""Of an object's way: so far it has to have come for a line of its own."""
_CELLS = 24
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class Progress:
    """Prints a line when a job's status changes, or its object has come further.

    Parameters
    ----------
    to : file
    bar : bool
        Whether to draw how far it is on one line that is written over.
    """

    def __init__(self, to: TextIO, bar: bool = False) -> None:
        self._to, self._bar = to, bar
        self._start = time.monotonic()
        self._status = ""
        self._far: HowFar | None = None
        self._drawn = False

    def __call__(self, what: Job | str) -> None:
        """Hear of a job that was read, or of what was done."""
        if isinstance(what, str):
            self.say(what)
            return
        if what.status != self._status:
            self._status = what.status
            stage = _STAGES.get(self._status, "")
            ms = what.stages[stage].ms if stage in what.stages else None
            self.say(self._status + (f"  ({stage}: {ms:.0f} ms)" if ms else ""))
        if self._bar and not what.ended:
            self._draw(what)
            return
        for thing in what.objects:
            self._look(thing.progress)

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        self.clear()
        print(f"{time.monotonic() - self._start:6.1f} s  {plain(text)}", file=self._to, flush=True)

    def clear(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._to.write("\r\x1b[K")
            self._to.flush()
            self._drawn = False

    def _look(self, far: HowFar | None) -> None:
        if far is None:
            return
        moved = far.fraction - (self._far.fraction if self._far else 0)
        if self._far and far.phase == self._far.phase and moved < _MOVED:
            return
        self._far = far
        self.say(f"{far.phase}, {far.fraction:.0%}{_left(far)}")

    def _draw(self, job: Job) -> None:
        known = [thing.progress for thing in job.objects if thing.progress]
        if known:
            far = min(known, key=lambda each: each.fraction)
            share = sum(each.fraction for each in known) / len(known)
            filled = round(share * _CELLS)
            bar = f"{'█' * filled}{'░' * (_CELLS - filled)} {share:4.0%}  {far.phase}{_left(far)}"
        elif job.queue and job.queue.ahead:
            bar = f"{job.status}, {job.queue.ahead} requests before it"
        else:
            bar = job.status
        text = f"{time.monotonic() - self._start:6.1f} s  {plain(bar)}"
        width = shutil.get_terminal_size().columns - 1
        self._to.write(f"\r{text[:width]}\x1b[K")
        self._to.flush()
        self._drawn = True


def plain(text: str) -> str:
    """Text of somebody else's, without what a terminal would obey."""
    return _CONTROL.sub(" ", text)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows below each other, the first of which says what they are."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def _left(far: HowFar) -> str:
    return f", about {far.rest_seconds:.0f} s left" if far.rest_seconds is not None else ""
