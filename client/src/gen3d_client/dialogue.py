"""What is to be done, without who does it: so that there is one client, and not one for each loop.

A dialogue is a generator. It yields a step, is sent what came of it, and returns its result; a step
that failed is thrown into it. `gen3d_client.client` has what runs one, with threads or without.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from gen3d_client.models import Job

T = TypeVar("T")

Told = Callable[[Job | str], Awaitable[None] | None]
"""Hears of each look at a job, and of what is done in between, in words."""


@dataclass(frozen=True)
class Send:
    """A request; answered by `httpx.Response`, whose body is there."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    form: Mapping[str, str] | None = None
    file: tuple[str, bytes, str] | None = None


@dataclass(frozen=True)
class Pause:
    """Some time in which nothing is done."""

    seconds: float


@dataclass(frozen=True)
class Compute:
    """Something that takes a processor's time."""

    function: Callable[[], None]


@dataclass(frozen=True)
class Tell:
    """Something that somebody wants to hear."""

    told: Told
    what: Job | str


Step = Send | Pause | Compute | Tell
Dialogue = Generator[Step, httpx.Response | None, T]


def send(request: Send) -> Dialogue[httpx.Response]:
    """Send a request.

    Raises
    ------
    httpx.HTTPError
        No answer came.
    """
    answer = yield request
    assert answer is not None
    return answer


def compute(function: Callable[[], T]) -> Dialogue[T]:
    """Have something computed where it keeps nobody else waiting."""
    results: list[T] = []
    yield Compute(lambda: results.append(function()))
    return results[0]
