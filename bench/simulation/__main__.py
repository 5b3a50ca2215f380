"""``python -m bench.simulation`` simulates days with few and many people, and prints tables."""

from collections.abc import Iterator
from pathlib import Path

from bench.simulation import prices
from bench.simulation.prices import G5, G6, G6E, LITE, TYPES, InstanceType
from bench.simulation.simulator import (
    NO_QUOTAS,
    OBJECTS,
    Outcome,
    Setting,
    median_and_worst,
    simulate,
)

RESULTS = Path(__file__).parent / "RESULTS.md"
HOURLY = (0.2, 1, 5, 20, 100, 417)
"""Jobs an hour; the last are 10,000 people in a day."""
MOST_DRAWN = 100
INSTANCES = (1, 4, 20)
POOLS: tuple[tuple[InstanceType, ...], ...] = ((G6E,), (G5,), (G6,), (LITE,), (G6E, G5))
RUSH = 60
AT_RUSH = 20


def main() -> None:
    """Print the tables, and keep them beside this file."""
    text = "\n".join(_page())
    print(text)
    RESULTS.write_text(text + "\n")


def _page() -> Iterator[str]:
    yield "# Waiting and cost, simulated"
    yield ""
    yield "`make simulate` wrote this page. **Nothing of it was measured in AWS.**"
    yield f"Prices: us-east-1, USD, {prices.DATED}. {prices.SECONDS_COME_FROM}."
    yield ""
    least, most = prices.START_MINUTES
    yield f"An instance takes {least:g} to {most:g} minutes to start and ends after"
    yield f"{prices.IDLE_MINUTES:g} idle ones. People come at random through a day, one job each,"
    yield f"of {sum(OBJECTS) / len(OBJECTS):.2f} objects in the mean. In the pool, the first type"
    yield f"is to be had in {Setting.to_be_had:.0%} of the starts."
    yield ""
    yield "## What it costs"
    yield ""
    yield from _costs()
    yield ""
    yield "An idle month, for whichever type: "
    parts = ", ".join(f"{name} {usd:.2f}" for name, usd in prices.IDLE_MONTH.items())
    yield f"{parts}: {sum(prices.IDLE_MONTH.values()):.2f} USD in all, without logs and old images."
    yield ""
    yield "## Waits and cost by load"
    yield ""
    yield "Minutes, median and 95th percentile; *masks* from the photo to the first click, *meshes*"
    yield "from the masks to the last splat. Where the instances do not keep up there is no figure."
    yield ""
    yield "| instance | most | jobs an hour | masks | meshes | USD a mesh | USD a day | started |"
    yield "|---|---|---|---|---|---|---|---|"
    days = _days()
    for setting, outcome in days:
        yield _row(setting, outcome)
    yield ""
    yield from _curves(days)
    yield "## One person in a hurry"
    yield ""
    yield f"{AT_RUSH} jobs an hour, {G6E.name}, at most one instance; at noon one person starts"
    yield f"{RUSH} jobs at once. What the others wait, in minutes:"
    yield ""
    yield from _rush()


def _costs() -> Iterator[str]:
    yield "| instance | USD an hour | a lone job | a job while awake | a month awake |"
    yield "|---|---|---|---|---|"
    for kind in TYPES:
        least, most = prices.lone_job(kind)
        yield (
            f"| {kind.name} | {kind.hourly:g} | {least:.2f} to {most:.2f} "
            f"| {prices.job_while_awake(kind):.4f} | {prices.stuck_month(kind):,.0f} |"
        )


def _days() -> list[tuple[Setting, Outcome]]:
    settings = [
        Setting(pool, hourly, most) for pool in POOLS for most in INSTANCES for hourly in HOURLY
    ]
    return [(setting, simulate(setting)) for setting in settings]


def _row(setting: Setting, outcome: Outcome) -> str:
    name = ", else ".join(kind.name for kind in setting.pool)
    start = f"| {name} | {setting.max_instances} | {setting.hourly:g} |"
    if outcome.overrun:
        return f"{start} does not keep up | | | | {outcome.most} |"
    return (
        f"{start} {_waits(outcome.masks)} | {_waits(outcome.meshes)} "
        f"| {outcome.cost / outcome.made:.3f} | {outcome.cost:.2f} | {outcome.most} |"
    )


def _curves(days: list[tuple[Setting, Outcome]]) -> Iterator[str]:
    """Tables of which the Architecture draws charts: a column a load, a row a line."""
    for title, value in (
        ("USD a mesh, at most four instances", lambda o: o.cost / o.made),
        ("Minutes to the first click (median), at most four instances", _first_click),
    ):
        yield f"## {title}"
        yield ""
        loads = [hourly for hourly in HOURLY if hourly <= MOST_DRAWN]
        yield "| jobs an hour | " + " | ".join(f"{hourly:g}" for hourly in loads) + " |"
        yield "|---|" + "---|" * len(loads)
        for pool in ((G6E,), (G5,), (LITE,)):
            values = [
                f"{value(o):.3f}"
                for s, o in days
                if s.pool == pool and s.max_instances == 4 and s.hourly in loads
            ]
            yield f"| {pool[0].name} | " + " | ".join(values) + " |"
        yield ""


def _first_click(outcome: Outcome) -> float:
    return median_and_worst(outcome.masks)[0] / 60


def _rush() -> Iterator[str]:
    yield "| | masks | meshes | refused | objects made |"
    yield "|---|---|---|---|---|"
    for name, rush, quotas in (
        ("nobody in a hurry", 0, Setting.quotas),
        ("with the limits per person", RUSH, Setting.quotas),
        ("without limits, by the fair queue alone", RUSH, NO_QUOTAS),
    ):
        outcome = simulate(Setting((G6E,), AT_RUSH, quotas=quotas, rush=rush))
        yield (
            f"| {name} | {_waits(outcome.masks)} | {_waits(outcome.meshes)} "
            f"| {outcome.refused} | {outcome.made} |"
        )


def _waits(seconds: list[float]) -> str:
    median, worst = median_and_worst(seconds)
    return f"{median / 60:.1f}, {worst / 60:.1f}"


if __name__ == "__main__":
    main()
