"""What is sent next: a window, initializations first, and nobody before the others for long."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen3d.queue import (
    BACKLOG_PER_INSTANCE,
    FARTHEST,
    FOR_PHOTOS,
    INVOCATIONS_PER_INSTANCE,
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
            assert len(self.window.sent) <= self.window.size + FOR_PHOTOS
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
    photo = Sent(moment(3), "J-3", "a", Stage.INITIALIZE)
    assert choose([initialize(1, "b")], Window(2, (*sent, photo))) is None
    assert choose([initialize(1, "b")], Window(2, (photo,) * 3)) is None
    assert choose([request(1, "b")], Window(2, sent[:1])) == request(1, "b")


def test_a_place_is_kept_for_a_photo() -> None:
    sent = tuple(Sent(moment(n), f"J-{n}", "a", Stage.RECONSTRUCT) for n in range(2))
    assert choose([request(1, "b")], Window(2, sent)) is None
    assert choose([request(1, "b"), initialize(2, "b")], Window(2, sent)) == initialize(2, "b")
    assert choose(
        [request(1, "b")], Window(2, (*sent[:1], replace(sent[1], stage=Stage.INITIALIZE)))
    ) == request(1, "b")


def test_the_container_takes_in_what_one_instance_is_sent() -> None:
    assert window_size(1) + FOR_PHOTOS == INVOCATIONS_PER_INSTANCE


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
    assert endpoint.sent[2] == initialize(500, "b")


def test_one_with_one_object_goes_before_the_rest_of_one_with_forty() -> None:
    endpoint = Endpoint()
    endpoint.waiting = [request(n, "a") for n in range(40)]
    endpoint.serve()
    endpoint.waiting.append(request(500, "b"))
    endpoint.serve()
    assert endpoint.sent[-1] == request(500, "b")


def test_who_has_least_in_hand_goes_before_who_was_served_longest_ago() -> None:
    window = Window(9, turns={"a": moment(50)})
    for tick in range(3):
        window = after(window, request(tick, "a"), moment(50), [request(9, "a")])
    assert choose([request(9, "a"), request(60, "b")], window) == request(60, "b")


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


def test_a_place_is_counted_as_if_answers_came_in_the_order_of_sending() -> None:
    """Whoever has been answered has less in hand, so that theirs may go before what is older."""

    def in_hand(tick: int, owner: str) -> Sent:
        return Sent(moment(tick), f"X-1-reconstruct-{tick}-0", owner, Stage.RECONSTRUCT)

    waiting = [request(100, "a"), request(101, "c")]
    assert ahead("A", waiting, Window(1, (in_hand(1, "a"),))) == 1
    both = (in_hand(1, "c"), in_hand(2, "a"))
    assert ahead("A", waiting, Window(2, both)) == 3
    assert ahead("A", waiting, Window(2, both[::-1])) == 3


def test_a_place_far_behind_is_counted_no_further() -> None:
    waiting = [request(n, f"o{n}", Stage.INITIALIZE) for n in range(FARTHEST + 50)]
    assert ahead(waiting[-1].job_id, waiting, Window(2)) == FARTHEST


def test_turns_are_forgotten_with_what_waits() -> None:
    a, b = request(1, "a"), request(2, "b")
    window = after(Window(2), a, moment(9), [a, b, request(3, "a")])
    assert window.turns == {"a": moment(9)}
    assert after(window, b, moment(10), [b]).turns == {}


# What ADR 28 says of waiting, in virtual time: 3 s a photo, 30 s an object


SECONDS = {Stage.INITIALIZE: 3, Stage.RECONSTRUCT: 30}


def at(second: int, number: int, owner: str, stage: Stage = Stage.RECONSTRUCT) -> Request:
    return Request(f"{second:08}.{number:03}", f"{owner}-{number}", owner, stage)


def serve(arrivals: list[Request], first_come: bool) -> dict[Request, tuple[int, int]]:
    """Let one instance work; request → the seconds for which it waited, and was in the system.

    First come, first served it works on one at a time; else a photo goes before an object.
    """
    coming, waiting, handed = sorted(arrivals), list[Request](), list[Request]()
    window = Window(window_size(1))
    now, times = 0, {}
    begun: dict[Request, int] = {}
    worked = Counter[Request]()
    while coming or waiting or handed:
        while coming and int(coming[0].place[:8]) <= now:
            waiting.append(coming.pop(0))
        while waiting and (chosen := min(waiting) if first_come else choose(waiting, window)):
            if not first_come:
                window = after(window, chosen, f"{now:08}.999", waiting)
            waiting.remove(chosen)
            handed.append(chosen)
        photos = [r for r in handed if r.stage is Stage.INITIALIZE and not first_come]
        now += 1
        for served in (photos or handed)[:1]:
            begun.setdefault(served, now - 1)
            worked[served] += 1
            if worked[served] == SECONDS[served.stage]:
                handed.remove(served)
                came = int(served.place[:8])
                times[served] = begun[served] - came, now - came
                left = tuple(s for s in window.sent if s.callback_id != served.callback_id)
                window = replace(window, sent=left)
    return times


@pytest.mark.parametrize(("first_come", "photo", "thing"), [(True, 1140, 1113), (False, 0, 33)])
def test_a_stranger_beside_forty_objects_of_one_person(
    first_come: bool, photo: int, thing: int
) -> None:
    mine = [at(60, 1, "b", Stage.INITIALIZE), at(90, 2, "b")]
    times = serve([at(0, n, "a") for n in range(40)] + mine, first_come)
    assert [times[request][0] for request in mine] == [photo, thing]


@pytest.mark.parametrize(("first_come", "first", "photo"), [(True, 4590, 4260), (False, 693, 0)])
def test_twenty_people_at_once_with_eight_objects_each(
    first_come: bool, first: int, photo: int
) -> None:
    people = [f"p{p:02}" for p in range(20)]
    photos = [at(3 * p, 0, name, Stage.INITIALIZE) for p, name in enumerate(people)]
    things = [at(60 + 3 * p, n, name) for p, name in enumerate(people) for n in range(8)]
    late = [at(600 + 200 * q, 0, f"q{q}", Stage.INITIALIZE) for q in range(10)]
    times = serve(photos + things + late, first_come)
    seen = [
        min(int(r.place[:8]) + times[r][1] for r in things if r.owner == name) for name in people
    ]
    assert max(seen) - 60 == first
    assert max(times[r][0] for r in late) == photo
