"""How far an object is: reckoned from what an engine tells, and written beside its work."""

import threading
from collections.abc import Callable, Iterator

import pytest

from gen3d.contract import Progress
from gen3d.errors import OutputNotWritable
from gen3d.options import EngineOptions, Offer, OneOf
from gen3d_inference import progress
from gen3d_inference.progress import Course, Expected, telling
from gen3d_inference.storage import Storage

PHASES = {"first": 1.0, "second": 3.0}
OFFERS: Offer = {"quality": OneOf(values=("standard",), seconds={"fast": 4, "standard": 8})}
URI = "s3://bucket/async/progress/1.json"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_an_engine_expects_of_itself_is_what_is_left_at_first(clock: Clock) -> None:
    course = Expected(PHASES, OFFERS).course(EngineOptions())
    course.clock = clock
    assert course.at("first", 0) == (0, 8)
    clock.now += 2  # as it was said
    assert course.at("first", 1) == (0.25, 6)
    assert course.at("second", 0) == (0.25, 6)
    clock.now += 3
    assert course.at("second", 0.5) == (0.625, 3)
    clock.now += 3
    assert course.at("second", 1) == (1, 0)


@pytest.mark.parametrize("pace", [0.5, 3])
def test_a_machine_of_another_pace_is_found_out(pace: float, clock: Clock) -> None:
    """The longer it works, the nearer is what is left to what then takes so long."""
    course, errors = Course({"first": 2, "second": 6}, clock), []
    for step in range(1, 7):
        clock.now += pace
        course.at("first", 0)
        clock.now = 100 + pace * 2 + step * pace
        _, left = course.at("second", step / 6)
        assert left is not None
        errors.append(abs(left - pace * (6 - step)))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 0


def test_what_is_done_never_falls_and_never_leaves_its_bounds(clock: Clock) -> None:
    course = Course(PHASES, clock)
    told = [("second", 0.5), ("first", 0.2), ("second", -3), ("second", 7), ("first", 0)]
    done = [course.at(*far)[0] for far in told]
    assert done == [0.625, 0.625, 0.625, 1, 1]


def test_how_long_networks_load_says_nothing_of_the_object(clock: Clock) -> None:
    course = Course({"first": 2, "second": 6}, clock)
    assert course.at("loading", 0) == (0, None)
    clock.now += 60
    assert course.at("first", 0) == (0, 8)


def test_an_engine_that_does_not_say_how_long_it_takes_is_not_guessed_at() -> None:
    for phases, offers in ((PHASES, {}), ({}, OFFERS), ({"first": 0.0}, OFFERS)):
        course = Expected(phases, offers).course(EngineOptions())
        assert course.at("first", 0.5) == (0, None)


def test_what_an_object_took_is_expected_of_the_next_with_the_same_options(clock: Clock) -> None:
    expected = Expected(PHASES, OFFERS)
    course = expected.course(EngineOptions(seed=1))
    course.clock = clock
    course.at("first", 0)
    clock.now += 20
    course.at("first", 1)
    course.at("second", 0)
    clock.now += 10
    course.at("second", 1)
    expected.learn(EngineOptions(seed=1), course)
    assert expected.course(EngineOptions(seed=2)).seconds == {"first": 20, "second": 10}
    assert expected.course(EngineOptions(quality="fast")).seconds == {"first": 1, "second": 3}


def test_from_an_object_that_told_nothing_nothing_is_learned() -> None:
    expected = Expected(PHASES, OFFERS)
    expected.learn(EngineOptions(), expected.course(EngineOptions()))
    assert expected.course(EngineOptions()).seconds == {"first": 2, "second": 6}


class Files(Storage):
    """Keeps what is written; holds each write until it is let go, and fails as it is told."""

    def __init__(self) -> None:
        self.written: list[Progress] = []
        self.began = threading.Semaphore(0)
        self.free = threading.Semaphore(0)
        self.fault: Exception | None = None

    def write(self, uri: str, data: bytes, encoding: str | None = None) -> None:
        assert uri == URI
        self.began.release()
        self.free.acquire()
        if self.fault:
            raise self.fault
        self.written.append(Progress.model_validate_json(data))


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    monkeypatch.setattr(progress, "INTERVAL_SECONDS", 0)
    files = Files()
    yield files
    files.free.release(99)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "progress"]


@pytest.fixture
def ended() -> Callable[[], None]:
    """Wait until what writes has ended; the test's own time-out ends it otherwise."""

    def wait() -> None:
        for thread in threads():
            thread.join()

    return wait


def test_the_newest_is_written_and_what_came_between_is_left_out(
    files: Files, ended: Callable[[], None]
) -> None:
    with telling(files, URI, Course(PHASES)) as tell:
        tell("first", 0)
        files.began.acquire()
        for step in range(1, 1001):
            tell("second", step / 1000)  # none waits for the write that hangs
        files.free.release()
        files.began.acquire()
        files.free.release()
        while len(files.written) < 2:
            pass
    ended()
    assert [(told.phase, told.fraction) for told in files.written] == [("first", 0), ("second", 1)]


def test_writes_are_so_far_apart(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL_SECONDS", 3600)
    files.free.release(99)
    with telling(files, URI, Course(PHASES)) as tell:
        tell("first", 0)
        files.began.acquire()
        tell("second", 0)
        assert not files.began.acquire(timeout=0.2)


def test_a_write_that_hangs_does_not_hold_up_the_object(files: Files) -> None:
    with telling(files, URI, Course(PHASES)) as tell:
        tell("first", 0)
        files.began.acquire()
    assert files.written == []


def test_a_write_that_fails_is_said_once_and_fails_nothing(
    files: Files, ended: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    files.fault = OutputNotWritable("The model's result could not be kept.")
    files.free.release(99)
    with telling(files, URI, Course(PHASES)) as tell:
        tell("first", 0)
        ended()
        tell("second", 0)
    assert [record.message for record in caplog.records] == ["Progress is not told"]
    assert files.began.acquire(timeout=0)
    assert not files.began.acquire(timeout=0)


def test_a_stage_that_cannot_be_told_fails_nothing(
    files: Files, ended: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    with telling(files, URI, Course({})) as tell:
        tell("no name: <1>", float("nan"))
        ended()
    assert [record.message for record in caplog.records] == ["Progress is not told"]


def test_an_object_that_fails_ends_what_writes(files: Files, ended: Callable[[], None]) -> None:
    with pytest.raises(ZeroDivisionError), telling(files, URI, Course(PHASES)):
        raise ZeroDivisionError
    ended()
    assert threads() == []
