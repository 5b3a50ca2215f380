"""What the endpoint is sent next: a choice over what waits and what it has in hand.

SageMaker serves first come first served, so it is handed no more than a *window* of requests; the
others wait in a table of ours, where there is still a choice. It is pure: `gen3d_aws.tokens` reads
and writes the rows, `gen3d_aws.dispatch` sends.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

BACKLOG_PER_INSTANCE = 4
"""Requests for one instance at which the endpoint's scaling starts another."""

FOR_PHOTOS = 1
"""Places in the window that no reconstruction takes: a photo goes between two steps of one."""

INVOCATIONS_PER_INSTANCE = 3
"""How many the container takes in: an object at work, the next one, and a photo."""

STREAK = 4
"""Initializations that are sent in a row while a reconstruction waits."""

FARTHEST = 500
"""A place in the queue is counted no further."""


class Stage(StrEnum):
    """What is asked of the endpoint."""

    INITIALIZE = "initialize"
    """Takes seconds, and a person sits before it."""
    RECONSTRUCT = "reconstruct"
    """Takes up to minutes, eight of them a job."""


@dataclass(frozen=True, order=True)
class Request:
    """A request that waits. `place` is when it came: ISO 8601, which sorts as text."""

    place: str
    callback_id: str
    owner: str
    stage: Stage

    @property
    def job_id(self) -> str:
        """The job that it is of."""
        return self.callback_id.partition("-")[0]


@dataclass(frozen=True, order=True)
class Sent:
    """A request that the endpoint has in hand since `at`."""

    at: str
    callback_id: str
    owner: str
    stage: Stage

    @property
    def job_id(self) -> str:
        """The job that it is of."""
        return self.callback_id.partition("-")[0]


@dataclass(frozen=True)
class Place:
    """Where a job stands.

    Attributes
    ----------
    ahead : int or None
        How many requests come before its first; None where none of it waits or is in hand.
    in_hand : tuple of Sent
        Its requests that the endpoint has in hand.
    """

    ahead: int | None
    in_hand: tuple[Sent, ...]


@dataclass(frozen=True)
class Window:
    """What the endpoint has in hand, and what a fair choice has to remember.

    Attributes
    ----------
    size : int
        How many reconstructions the endpoint may have in hand; of all requests, `FOR_PHOTOS` more.
    sent : tuple of Sent
    turns : mapping of str to str
        Owner → when a request of theirs was last sent, while more of theirs wait.
    streak : int
        Initializations that were sent since the last reconstruction.
    version : int
        Changes with each change of the row, so that a choice is made on what is still true.
    """

    size: int
    sent: tuple[Sent, ...] = ()
    turns: Mapping[str, str] = field(default_factory=dict)
    streak: int = 0
    version: int = 0

    @property
    def full(self) -> bool:
        """Whether nothing more may be sent."""
        return len(self.sent) >= self.size + FOR_PHOTOS

    def has_room(self, stage: Stage) -> bool:
        """Whether a request of a stage may be sent."""
        if self.full:
            return False
        alike = sum(sent.stage is stage for sent in self.sent)
        return stage is Stage.INITIALIZE or alike < self.size


def window_size(max_instances: int) -> int:
    """How many reconstructions the endpoint may have in hand.

    One instance works on one and finds the next at once. With more, all but the last have to see a
    backlog above `BACKLOG_PER_INSTANCE` each, or the last one would never be started.
    """
    return 2 if max_instances == 1 else BACKLOG_PER_INSTANCE * (max_instances - 1) + 1


class _Lines:
    """Requests by stage and owner, oldest first, so that only the heads are compared."""

    def __init__(self, waiting: Iterable[Request]) -> None:
        self._lines: dict[Stage, dict[str, deque[Request]]] = {stage: {} for stage in Stage}
        for request in sorted(waiting):
            self._lines[request.stage].setdefault(request.owner, deque()).append(request)

    def next(self, window: Window) -> Request | None:
        first, second = self._lines[Stage.INITIALIZE], self._lines[Stage.RECONSTRUCT]
        objects = second and window.has_room(Stage.RECONSTRUCT)
        line = first if first and (window.streak < STREAK or not objects) else second
        if line is second and not objects:
            return None
        in_hand = Counter(sent.owner for sent in window.sent)

        def rank(request: Request) -> tuple[int, str, Request]:
            # Since when the owner has waited without being served.
            since = max(request.place, window.turns.get(request.owner, ""))
            return in_hand[request.owner], since, request

        return min((waiting[0] for waiting in line.values()), key=rank, default=None)

    def take(self, request: Request) -> None:
        line = self._lines[request.stage]
        line[request.owner].popleft()
        if not line[request.owner]:
            del line[request.owner]

    def owners(self) -> set[str]:
        return {owner for line in self._lines.values() for owner in line}


def choose(waiting: Iterable[Request], window: Window) -> Request | None:
    """Choose the request that is sent next.

    Initializations go first, but of `STREAK` + 1 requests one is a reconstruction if any waits and
    the endpoint has not its fill of them. Of either, the owner goes first who has least in hand,
    then who has waited longest since a request of theirs was sent; of theirs, the oldest.

    Returns
    -------
    Request or None
        None where nothing waits that the window has room for.
    """
    if window.full:
        return None
    in_hand = {sent.callback_id for sent in window.sent}
    return _Lines(r for r in waiting if r.callback_id not in in_hand).next(window)


def after(window: Window, request: Request, at: str, waiting: Iterable[Request]) -> Window:
    """The window once `request` was sent; `waiting` may still hold it.

    A turn is remembered while its owner waits for more. Whoever comes back later has a later place
    than their turn, so it would not count.
    """
    others = {r.owner for r in waiting if r.callback_id != request.callback_id}
    return _after(window, request, at, others)


def _after(window: Window, request: Request, at: str, others: set[str]) -> Window:
    turns = {**window.turns, request.owner: at}
    return replace(
        window,
        sent=(*window.sent, Sent(at, request.callback_id, request.owner, request.stage)),
        turns={owner: turn for owner, turn in turns.items() if owner in others},
        streak=window.streak + 1 if request.stage is Stage.INITIALIZE else 0,
    )


def place(job_id: str, waiting: Iterable[Request], window: Window) -> Place:
    """Where a job stands, see `ahead`."""
    in_hand = tuple(sent for sent in window.sent if sent.job_id == job_id)
    return Place(ahead(job_id, waiting, window), in_hand)


def ahead(job_id: str, waiting: Iterable[Request], window: Window) -> int | None:
    """How many requests come before the first of a job, those in hand included.

    It is counted as if nobody came meanwhile and the endpoint answered in the order of sending.
    While requests wait the window has no room for more, so its size does not matter.

    Returns
    -------
    int or None
        At most `FARTHEST`; None where no request of the job waits or is in hand.
    """
    sent = sorted(window.sent)
    for i, in_hand in enumerate(sent):
        if in_hand.job_id == job_id:
            return i
    ids = {s.callback_id for s in sent}
    requests = [r for r in waiting if r.callback_id not in ids]
    if not any(r.job_id == job_id for r in requests):
        return None
    lines, window = _Lines(requests), replace(window, sent=tuple(sent))
    for count in range(len(sent), FARTHEST):
        while window.full or ((request := lines.next(window)) is None and window.sent):
            window = replace(window, sent=window.sent[1:])
        if request is None or request.job_id == job_id:
            return count
        lines.take(request)
        # Later turns than all before: no moment sorts behind a tilde.
        window = _after(window, request, f"~{count:06}", lines.owners())
    return FARTHEST
