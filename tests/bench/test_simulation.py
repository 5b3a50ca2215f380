"""The simulated day: the same twice, by the template's rules, and honest where it is too full."""

from dataclasses import replace

import pytest

from bench.simulation import prices
from bench.simulation.prices import G5, G6E, LITE
from bench.simulation.simulator import NO_QUOTAS, Setting, median_and_worst, simulate

QUIET = Setting((G6E,), 0.3)


def test_the_same_seed_gives_the_same_day() -> None:
    assert simulate(QUIET) == simulate(QUIET)
    assert simulate(QUIET) != simulate(replace(QUIET, seed=2))


def test_a_job_alone_costs_what_the_example_says() -> None:
    setting = Setting((G6E,), 0.04, seed=3)
    outcome = simulate(setting)
    assert len(outcome.masks) == outcome.starts > 0
    least, most = prices.lone_job(G6E)
    # Clicking, a second object, and alarms that look once a minute.
    assert least < outcome.cost / outcome.starts < most + G6E.hourly * 5 / 60
    assert 5 < outcome.masks[0] / 60 < 11


def test_the_instance_ends_between_people_and_stays_among_many() -> None:
    assert simulate(QUIET).starts > 3
    busy = simulate(Setting((G6E,), 30))
    assert busy.starts == 1
    assert 22 < busy.awake < 26


@pytest.mark.slow
def test_a_backlog_starts_no_more_than_the_most() -> None:
    outcome = simulate(Setting((G6E,), 100, max_instances=3))
    assert outcome.most == 3
    assert median_and_worst(outcome.masks)[1] < 300


@pytest.mark.slow
def test_more_people_than_the_instances_serve_is_said() -> None:
    assert simulate(Setting((G5,), 417)).overrun
    assert not simulate(Setting((LITE,), 100)).overrun


def test_one_person_in_a_hurry_is_held_by_the_limits() -> None:
    held = simulate(Setting((G6E,), 5, rush=30))
    free = simulate(Setting((G6E,), 5, rush=30, quotas=NO_QUOTAS))
    assert (held.refused, free.refused) == (20, 0)
    assert free.made > held.made


def test_the_others_hardly_wait_for_who_is_in_a_hurry() -> None:
    calm = median_and_worst(simulate(Setting((G6E,), 20)).meshes)[1]
    hurried = Setting((G6E,), 20, rush=60, quotas=NO_QUOTAS)
    assert median_and_worst(simulate(hurried).meshes)[1] < 2 * calm


def test_a_pool_falls_back_on_its_next_type() -> None:
    never = simulate(Setting((G6E, G5), 5, to_be_had=0))
    assert never.cost == pytest.approx(never.awake * G5.hourly)
    always = simulate(Setting((G6E, G5), 5, to_be_had=1))
    assert always.cost == pytest.approx(always.awake * G6E.hourly)
