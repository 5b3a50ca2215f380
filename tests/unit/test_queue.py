"""What is sent next: a window, initializations first, and nobody before the others for long."""

from collections import Counter
from dataclasses import replace

import pytest
from gen3d.queue import (
    BACKLOG_PER_INSTANCE,
    FARTHEST,
    STREAK,
    Request,
    Sent,
    Stage,
    Window,
    after,
    ahead,
    choose,
    window_size,
)
from hypothesis import given
from hypothesis import strategies as st


def moment(tick: int) -> str:
    return f"2026-11-28T19:{tick // 60:02}:{tick % 60:02}.000Z"


def request(tick: int, owner: str, stage: Stage = Stage.RECONSTRUCT, job: str = "") -> Request:
    return Request(moment(tick), f"{job or owner.upper()}-1-{stage}-{tick}-0", owner, stage)


def initialize(tick: int, owner: str) -> Request:
    return request(tick, owner, Stage.INITIALIZE)


class Endpoint:
    """A queue before an endpoint that answers in the order of sending."""

    def __init__(self, size: int = 2) -> None:
        self.window = Window(size)
        self.waiting: list[Request] = []
        self.sent: list[Request] = []
        self.tick = 1000

    def serve(self) -> None:
        """Send until the window is full, then answer the oldest."""
        while (chosen := choose(self.waiting, self.window)) is not None:
            self.window = after(self.window, chosen, moment(self.tick), self.waiting)
            self.tick += 1
            self.waiting.remove(chosen)
            self.sent.append(chosen)
            assert len(self.window.sent) <= self.window.size
        self.window = replace(self.window, sent=self.window.sent[1:])

    def empty(self) -> list[Request]:
        """Serve until nothing waits."""
        while self.waiting:
            self.serve()
        return self.sent


owners = st.sampled_from("abcde")
requests = st.lists(
    st.builds(request, st.integers(0, 900), owners, st.sampled_from(Stage)),
    unique=True,
    max_size=40,
)


@pytest.mark.parametrize(("instances", "size"), [(1, 2), (2, 5), (4, 13), (20, 77)])
def test_the_window_keeps_an_instance_busy_and_lets_the_last_one_be_started(
    instances: int, size: int
) -> None:
    assert window_size(instances) == size
    assert size >= 2
    if instances > 1:
        assert size / (instances - 1) > BACKLOG_PER_INSTANCE


def test_nothing_is_chosen_where_nothing_waits_or_the_window_is_full() -> None:
    assert choose([], Window(2)) is None
    sent = tuple(Sent(moment(n), f"J-{n}", "a", Stage.RECONSTRUCT) for n in range(2))
    assert choose([initialize(1, "b")], Window(2, sent)) is None
    assert choose([initialize(1, "b")], Window(2, sent[:1])) == initialize(1, "b")


def test_what_the_endpoint_has_in_hand_is_not_chosen_though_the_index_still_shows_it() -> None:
    stale = request(1, "a")
    window = after(Window(2), stale, moment(5), [stale])
    assert choose([stale], window) is None
    assert choose([stale, request(2, "a")], window) == request(2, "a")


def test_who_sits_before_the_page_does_not_wait_behind_a_strangers_eight_objects() -> None:
    endpoint = Endpoint()
    endpoint.waiting = [request(n, "a") for n in range(8)]
    endpoint.serve()
    endpoint.waiting.append(initialize(500, "b"))
    endpoint.serve()
    assert endpoint.sent[-1] == initialize(500, "b")


def test_one_with_one_object_goes_before_the_rest_of_one_with_forty() -> None:
    endpoint = Endpoint()
    endpoint.waiting = [request(n, "a") for n in range(40)]
    endpoint.serve()
    endpoint.waiting.append(request(500, "b"))
    endpoint.serve()
    assert endpoint.sent[-1] == request(500, "b")


def test_more_people_than_places_take_turns() -> None:
    endpoint = Endpoint()
    endpoint.waiting = [
        request(10 * i + n, owner) for i, owner in enumerate("abcd") for n in range(3)
    ]
    order = "".join(r.owner for r in endpoint.empty())
    assert order == "abcdabcdabcd"


def test_whoever_comes_back_is_before_those_who_came_after_their_last_turn() -> None:
    window = Window(2, turns={"a": moment(50)})
    assert choose([request(1, "a"), request(60, "b")], window) == request(1, "a")
    assert choose([request(1, "a"), request(40, "b")], window) == request(40, "b")


@given(requests)
def test_everything_is_sent_once(waiting: list[Request]) -> None:
    endpoint = Endpoint()
    endpoint.waiting = list(waiting)
    assert sorted(endpoint.empty()) == sorted(waiting)


@given(requests, st.integers(1, 20))
def test_initializations_go_first_but_no_more_than_a_streak_while_others_wait(
    waiting: list[Request], instances: int
) -> None:
    endpoint = Endpoint(window_size(instances))
    endpoint.waiting = list(waiting)
    order = [r.stage for r in endpoint.empty()]
    streak = 0
    for i, stage in enumerate(order):
        rest = order[i:]
        if stage is Stage.RECONSTRUCT:
            assert Stage.INITIALIZE not in rest or streak == STREAK
            streak = 0
        else:
            assert Stage.RECONSTRUCT not in rest or streak < STREAK
            streak += 1


@given(requests)
def test_each_owners_requests_of_a_stage_keep_their_order(waiting: list[Request]) -> None:
    endpoint = Endpoint()
    endpoint.waiting = list(waiting)
    order = endpoint.empty()
    for owner in "abcde":
        for stage in Stage:
            own = [r for r in order if (r.owner, r.stage) == (owner, stage)]
            assert own == sorted(own)


@given(st.dictionaries(owners, st.integers(1, 12), min_size=2), st.integers(1, 3))
def test_no_owner_gets_two_more_than_another_who_still_waits(
    objects: dict[str, int], instances: int
) -> None:
    endpoint = Endpoint(window_size(instances))
    endpoint.waiting = [
        request(100 * i + n, owner) for i, (owner, most) in enumerate(objects.items())
        for n in range(most)
    ]  # fmt: skip
    waiting, got = Counter(objects), Counter[str]()
    for sent in endpoint.empty():
        got[sent.owner] += 1
        waiting[sent.owner] -= 1
        hungry = [got[owner] for owner in objects if waiting[owner]]
        assert not hungry or got[sent.owner] - min(hungry) <= 1


@given(st.integers(0, 1), st.lists(st.integers(0, 3), min_size=30, max_size=30))
def test_nobody_starves_however_many_come_after(stage: int, arrivals: list[int]) -> None:
    """Every tick strangers come with requests of both stages; each waits for a bounded time."""
    endpoint = Endpoint()
    patient = request(5, "patient", list(Stage)[1])
    endpoint.waiting = [request(n, f"early{n}") for n in range(3)] + [patient]
    for tick, number in enumerate(arrivals):
        endpoint.waiting += [
            request(500 + tick, f"late{tick}-{i}", list(Stage)[(i + stage) % 2])
            for i in range(number)
        ]
        endpoint.serve()
    assert patient in endpoint.sent


@given(requests, owners, st.integers(1, 20))
def test_a_place_in_the_queue_is_how_many_are_sent_before(
    waiting: list[Request], owner: str, instances: int
) -> None:
    job = owner.upper()
    endpoint = Endpoint(window_size(instances))
    endpoint.waiting = list(waiting)
    place = ahead(job, waiting, endpoint.window)
    order = [r.job_id for r in endpoint.empty()]
    assert place == (order.index(job) if job in order else None)


def test_a_place_counts_what_is_in_hand() -> None:
    window = Window(2)
    for tick, owner in ((1, "a"), (2, "b")):
        window = after(window, request(tick, owner), moment(10 + tick), [])
    assert ahead("A", [], window) == 0
    assert ahead("B", [], window) == 1
    assert ahead("C", [request(3, "c")], window) == 2
    assert ahead("D", [request(3, "c")], window) is None


def test_a_place_far_behind_is_counted_no_further() -> None:
    waiting = [request(n, f"o{n}", Stage.INITIALIZE) for n in range(FARTHEST + 50)]
    assert ahead(waiting[-1].job_id, waiting, Window(2)) == FARTHEST


def test_turns_are_forgotten_with_what_waits() -> None:
    a, b = request(1, "a"), request(2, "b")
    window = after(Window(2), a, moment(9), [a, b, request(3, "a")])
    assert window.turns == {"a": moment(9)}
    assert after(window, b, moment(10), [b]).turns == {}
