"""How far an object is: told to a file while the engine works, and never in its way.

An engine says which phase it is in and how much of it is done. How long that leaves is reckoned
here, since only the container has seen how long its phases take on this machine.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gen3d.contract import Progress
from gen3d.options import EngineOptions, Offer, seconds_of
from gen3d_inference.engines.interface import Tell
from gen3d_inference.storage import Storage

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 2.0
"""Between two writes of an object's progress, at least; what was told last is what is written."""


@dataclass
class Course:
    """One object's way through an engine's phases.

    Parameters
    ----------
    seconds : mapping of str to float
        Stage → about how long it takes, in the order in which they run; may be empty.
    clock : callable
        Seconds, from any start.

    Attributes
    ----------
    taken : dict of str to float
        Stage → how long it took, of those that have ended.
    """

    seconds: Mapping[str, float]
    clock: Callable[[], float] = time.monotonic
    taken: dict[str, float] = field(default_factory=dict)
    _began: float | None = None
    _phase: tuple[str, float] | None = None
    _fraction: float = 0.0

    def at(self, phase: str, done: float) -> tuple[float, float | None]:
        """What is done of the object when so much of a phase is, and the seconds that are left.

        Before the first phase that `seconds` names nothing is done and nothing known, as while
        networks are loaded: how long that takes says nothing of the object.

        Returns
        -------
        fraction : float
            From 0 to 1; it never falls.
        left : float or None
            At first what is expected of the phases. The more of them is over, the more the pace so
            far counts: a machine that is slower than was said is found out.
        """
        now = self.clock()
        if self._phase is None or self._phase[0] != phase:
            self._phase = phase, now
        if done >= 1:
            self.taken[phase] = now - self._phase[1]
        if phase not in self.seconds:
            return self._fraction, None
        if self._began is None:
            self._began = now
        whole = sum(self.seconds.values())
        names = list(self.seconds)
        before = sum(self.seconds[name] for name in names[: names.index(phase)])
        over = (before + min(max(done, 0.0), 1.0) * self.seconds[phase]) / whole
        self._fraction = max(self._fraction, over)
        over = self._fraction
        return over, (1 - over) * ((1 - over) * whole + now - self._began)


class Expected:
    """How long an engine's phases take: as it says itself, then as they took here.

    Parameters
    ----------
    phases : mapping of str to float
        As the engine says them: in their order, with about which share of the time each takes.
    offers : Offer
        Says about how many seconds an object takes.
    """

    def __init__(self, phases: Mapping[str, float], offers: Offer) -> None:
        self._phases = phases
        self._offers = offers
        self._measured: dict[EngineOptions, Mapping[str, float]] = {}

    def course(self, options: EngineOptions) -> Course:
        """The way of an object with these options."""
        measured = self._measured.get(_but_seed(options))
        if measured is not None:
            return Course(measured)
        seconds, whole = seconds_of(self._offers, options), sum(self._phases.values())
        if seconds is None or not whole:
            return Course({})
        return Course({name: share * seconds / whole for name, share in self._phases.items()})

    def learn(self, options: EngineOptions, course: Course) -> None:
        """Take from an object that was made how long its phases take here."""
        measured = {name: course.taken[name] for name in self._phases if name in course.taken}
        if sum(measured.values()) > 0:
            self._measured[_but_seed(options)] = measured


def _but_seed(options: EngineOptions) -> EngineOptions:
    return options.model_copy(update={"seed": 0})


@contextmanager
def telling(storage: Storage, uri: str, course: Course) -> Iterator[Tell]:
    """Write what an engine tells to a file, from a thread of its own, the newest each time.

    A write that hangs holds up nobody, and one that fails is the last for this object: progress is
    worth no error.
    """
    file = _File(storage, uri)
    threading.Thread(target=file.keep, name="progress", daemon=True).start()

    def tell(phase: str, done: float) -> None:
        file.newest(phase, *course.at(phase, done))

    try:
        yield tell
    finally:
        file.end()


class _File:
    def __init__(self, storage: Storage, uri: str) -> None:
        self._storage = storage
        self._uri = uri
        self._newest: dict[str, object] = {}
        self._news = threading.Event()
        self._ended = threading.Event()

    def newest(self, phase: str, fraction: float, left: float | None) -> None:
        self._newest = {"phase": phase, "fraction": fraction, "left": left, "at": datetime.now(UTC)}
        self._news.set()

    def end(self) -> None:
        self._ended.set()
        self._news.set()

    def keep(self) -> None:
        """Write until the end."""
        while True:
            self._news.wait()
            if self._ended.is_set():
                return
            self._news.clear()
            try:
                progress = Progress.model_validate(self._newest)
                self._storage.write(self._uri, progress.model_dump_json().encode())
            except Exception:
                logger.warning("Progress is not told", exc_info=True)
                return
            self._ended.wait(INTERVAL_SECONDS)
