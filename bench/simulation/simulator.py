"""A day of the queue and the endpoint, event by event. Pure: the same seed gives the same day.

What is sent next is chosen by the service's own `gen3d.queue`, who is refused by its
`gen3d.quotas`. Instances start and end by the template's rules: the first request wakes one; a
backlog above the policy's target for three minutes starts more; after ten minutes without work all
end.
"""

import heapq
import math
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from statistics import quantiles

from bench.simulation.prices import IDLE_MINUTES, START_MINUTES, InstanceType
from gen3d.errors import LimitReached
from gen3d.queue import (
    BACKLOG_PER_INSTANCE,
    Request,
    Stage,
    Window,
    after,
    choose,
    window_size,
)
from gen3d.quotas import Quotas

DAY = 86_400.0
OBJECTS = (1, 1, 1, 2, 2, 3)
"""Objects of a job, one of these."""
CLICKING = 60.0
"""Seconds that a person clicks, in the mean."""
QUOTAS = Quotas(running_jobs=10, jobs_per_day=100, queued_objects=24)
NO_QUOTAS = Quotas(0, 0, 0)

_LOOK = 60.0
"""Alarms look each minute."""
_LOOKS = 3
"""Minutes that a backlog lasts before target tracking starts more."""
_COOLDOWN = 120.0
_TOO_MANY = 1_500
"""Requests that wait: the instances do not keep up, and the rest of the day says no more."""


@dataclass(frozen=True)
class Setting:
    """What is simulated.

    Attributes
    ----------
    pool : tuple of InstanceType
        In the order of their priority; each start finds the first that is to be had.
    hourly : float
        Jobs that come in an hour, in the mean, each of another person.
    max_instances : int
    to_be_had : float
        Chance that a type is there when it is asked for; the last of a pool always is.
    rush : int
        Jobs that one person starts at noon, all at once.
    """

    pool: tuple[InstanceType, ...]
    hourly: float
    max_instances: int = 1
    to_be_had: float = 0.7
    quotas: Quotas = QUOTAS
    rush: int = 0
    seed: int = 1


@dataclass
class Outcome:
    """What a day gave. Waits are in seconds, of everybody but who rushes in."""

    masks: list[float] = field(default_factory=list)
    """From the photo to the first click."""
    meshes: list[float] = field(default_factory=list)
    """From the masks to the job's last splat."""
    made: int = 0
    refused: int = 0
    cost: float = 0.0
    awake: float = 0.0
    """Hours of all instances."""
    most: int = 0
    starts: int = 0
    overrun: bool = False


@dataclass
class _Instance:
    kind: InstanceType
    since: float
    ready: bool = False
    busy: bool = False


@dataclass
class _Job:
    owner: str
    came: float
    objects: int
    left: int = 0
    masked: float = 0.0


def median_and_worst(values: list[float]) -> tuple[float, float]:
    """Median and 95th percentile; nan where there is nothing."""
    if len(values) < 2:
        only = values[0] if values else math.nan
        return only, only
    cuts = quantiles(values, n=20, method="inclusive")
    return cuts[9], cuts[18]


def simulate(setting: Setting) -> Outcome:
    """Simulate a day, and what was begun in it to its end."""
    return _Day(setting).run()


class _Day:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._random = random.Random(setting.seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()
        self._now = 0.0
        self._outcome = Outcome()
        self._jobs: dict[str, _Job] = {}
        self._created: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, Request] = {}
        self._window = Window(window_size(setting.max_instances))
        self._sent: deque[Request] = deque()
        self._instances: list[_Instance] = []
        self._idle_since = 0.0
        self._above = 0
        self._cooled = 0.0

    def run(self) -> Outcome:
        self._plan()
        self._at(_LOOK, self._look)
        while self._events and not self._outcome.overrun:
            self._now, _, event = heapq.heappop(self._events)
            event()
        for instance in list(self._instances):
            self._end(instance)
        return self._outcome

    def _at(self, moment: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._number), event))

    def _plan(self) -> None:
        moment = self._random.expovariate(self._setting.hourly / 3600)
        while moment < DAY:
            self._at(moment, self._arrival(f"person{next(self._number)}"))
            moment += self._random.expovariate(self._setting.hourly / 3600)
        for _ in range(self._setting.rush):
            self._at(DAY / 2, self._arrival("rusher"))

    # People

    def _arrival(self, owner: str) -> Callable[[], None]:
        objects = self._random.choice(OBJECTS)
        return lambda: self._come(owner, objects)

    def _come(self, owner: str, objects: int) -> None:
        try:
            self._setting.quotas.check_day(self._created[owner])
            self._setting.quotas.check_running(self._running[owner])
        except LimitReached:
            self._outcome.refused += 1
            return
        self._created[owner] += 1
        self._running[owner] += 1
        job_id = f"J{next(self._number)}"
        self._jobs[job_id] = _Job(owner, self._now, objects)
        self._submit(job_id, Stage.INITIALIZE, 0)

    def _clicked(self, job_id: str) -> None:
        job = self._jobs[job_id]
        queued = sum(
            r.owner == job.owner and r.stage is Stage.RECONSTRUCT for r in self._waiting.values()
        )
        try:
            self._setting.quotas.check_queued(queued, job.objects)
        except LimitReached as refusal:  # the page comes back with the same masks
            self._at(self._now + (refusal.retry_after or 60), lambda: self._clicked(job_id))
            return
        job.masked, job.left = self._now, job.objects
        for n in range(job.objects):
            self._submit(job_id, Stage.RECONSTRUCT, n)

    # The queue

    def _submit(self, job_id: str, stage: Stage, n: int) -> None:
        place = f"{self._now:012.3f}{next(self._number):09}"
        request = Request(place, f"{job_id}-1-{stage}-{n}", self._jobs[job_id].owner, stage)
        self._waiting[request.callback_id] = request
        self._outcome.overrun = len(self._waiting) > _TOO_MANY
        self._dispatch()

    def _dispatch(self) -> None:
        while request := choose(self._waiting.values(), self._window):
            at = f"{self._now:012.3f}{next(self._number):09}"
            self._window = after(self._window, request, at, self._waiting.values())
            del self._waiting[request.callback_id]
            self._sent.append(request)
        self._work()

    # The endpoint

    def _work(self) -> None:
        for instance in self._instances:
            if self._sent and instance.ready and not instance.busy:
                instance.busy = True
                self._begin(instance, self._sent.popleft())

    def _begin(self, instance: _Instance, request: Request) -> None:
        kind = instance.kind
        first = request.stage is Stage.INITIALIZE
        takes = kind.initialize if first else kind.reconstruct
        self._at(self._now + takes, lambda: self._answer(instance, request))

    def _answer(self, instance: _Instance, request: Request) -> None:
        instance.busy = False
        left = tuple(s for s in self._window.sent if s.callback_id != request.callback_id)
        self._window = replace(self._window, sent=left)
        self._idle_since = self._now
        job = self._jobs[request.job_id]
        seen = job.owner != "rusher"
        if request.stage is Stage.INITIALIZE:
            if seen:
                self._outcome.masks.append(self._now - job.came)
            clicking = self._random.expovariate(1 / CLICKING)
            self._at(self._now + clicking, lambda: self._clicked(request.job_id))
        else:
            self._outcome.made += 1
            job.left -= 1
            if not job.left:
                self._running[job.owner] -= 1
                if seen:
                    self._outcome.meshes.append(self._now - job.masked)
        self._dispatch()

    def _look(self) -> None:
        """What the alarms see once a minute."""
        backlog, instances = len(self._window.sent), len(self._instances)
        idle = self._now - self._idle_since
        if backlog and not instances:
            self._start()
        elif not backlog and instances and idle >= IDLE_MINUTES * 60:
            for instance in list(self._instances):
                self._end(instance)
        else:
            self._start_more(backlog, instances)
        if self._events or self._instances:
            self._at(self._now + _LOOK, self._look)

    def _start_more(self, backlog: int, instances: int) -> None:
        self._above = self._above + 1 if backlog > BACKLOG_PER_INSTANCE * instances else 0
        if self._above >= _LOOKS and self._now >= self._cooled:
            wanted = min(math.ceil(backlog / BACKLOG_PER_INSTANCE), self._setting.max_instances)
            for _ in range(wanted - instances):
                self._start()
            self._cooled = self._now + _COOLDOWN

    def _start(self) -> None:
        *firsts, kind = self._setting.pool
        for better in firsts:
            if self._random.random() < self._setting.to_be_had:
                kind = better
                break
        instance = _Instance(kind, self._now)
        self._instances.append(instance)
        self._outcome.starts += 1
        self._outcome.most = max(self._outcome.most, len(self._instances))
        least, most = START_MINUTES
        takes = self._random.uniform(least, most) * 60
        self._at(self._now + takes, lambda: self._ready(instance))

    def _ready(self, instance: _Instance) -> None:
        instance.ready = True
        self._idle_since = self._now
        self._work()

    def _end(self, instance: _Instance) -> None:
        hours = (self._now - instance.since) / 3600
        self._outcome.awake += hours
        self._outcome.cost += hours * instance.kind.hourly
        self._instances.remove(instance)
