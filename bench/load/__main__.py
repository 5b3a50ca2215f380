"""``python -m bench.load``: twenty people and two hundred jobs on the local stack, as tables.

Everything runs on this machine and ends after a time that is known before. The stacks listen on
127.0.0.1, on ports and with folders of their own. ``--against COMMIT`` runs the same people on
another build before this one, and compares.
"""

import argparse
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.load.builds import Running, cancels, checkout
from bench.load.memory import Scale, Weight, busy
from gen3d_local.one_photo import sign_in
from gen3d_local.outputs import read
from tests.local.running import ROOT

RESULTS = Path(__file__).parent / "RESULTS.md"
PHOTOS = [str(ROOT / "examples" / name) for name in ("coffee.jpg", "rocket.jpg")]
PASSWORD = "correct-Horse-7-battery"
TRIED = "## What was tried"
"""Where RESULTS.md goes on with what was written by hand, which is kept."""
RECORDED = (
    "**Recorded answers are no model.** In AWS the model has a machine of its own. In that column "
    "the real model answers once about each photo; then the endpoint waits for as long as that "
    "took, and tells the same again (`bench/load/recorded.py`)."
)
BY_TOKEN, BY_KEY = "by a token", "by a key"
MAIL_SECONDS = 10
"""The last mails come a moment after the last job has ended."""


@dataclass
class Measured:
    """One build under load."""

    name: str
    outcome: dict[str, Any]
    weights: list[Weight]
    jobs: int
    mailed: Counter[int]
    """Mails to its owner → jobs that got a mesh."""
    people_seconds: float
    """Processor time of the people's own process."""

    def ended(self, *ends: str) -> int:
        """Jobs with one of these ends."""
        return sum(fate["end"] in ends for fate in self.outcome["fates"])

    def after(self, jobs: int) -> Weight:
        """The weight when so many jobs had ended."""
        moments = sorted(fate["at"] for fate in self.outcome["fates"])
        if not jobs or not moments:
            return self.weights[0]
        moment = moments[min(jobs, len(moments)) - 1]
        return min(self.weights, key=lambda weight: abs(weight.at - moment))

    @property
    def peak(self) -> Weight:
        """The heaviest moment."""
        return max(self.weights, key=lambda weight: weight.pss)

    def times(self, *names: str, by: str = "") -> list[float]:
        """Milliseconds of the calls of these names that were answered; of all API calls if none."""
        return sorted(
            float(ms)
            for name, ms, status, how in self.outcome["calls"]
            if status and (name in names or (not names and _is_api(name))) and by in ("", how)
        )

    @property
    def refused(self) -> int:
        """Answers of 429, which are meant."""
        return sum(status == 429 for _, status, _ in self.outcome["errors"])

    @property
    def errors(self) -> Counter[str]:
        """What was answered that nobody wanted; a 429 is meant."""
        return Counter(
            f"{name}: {status or 'no answer'} {reason}"
            for name, status, reason in self.outcome["errors"]
            if status != 429
        )


def _is_api(name: str) -> bool:
    return "/jobs" in name


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of the sorted values do not exceed."""
    return values[max(0, round(share * len(values) + 0.5) - 1)] if values else float("nan")


def measure(
    name: str, root: Path, options: argparse.Namespace, folder: Path, module: str = ""
) -> Measured:
    """Run the people on a build, whose stack is started by a module."""
    stack = Running(root, folder / "stack", module)
    scale = Scale(stack.pid)
    try:
        emails = [f"person-{n}@example.com" for n in range(options.people)]
        plan = {
            "url": stack.url,
            "credentials": _let_in(stack.url, emails, options.programs),
            "jobs": options.jobs,
            "meshes": options.meshes,
            "photos": PHOTOS,
            "cancels": cancels(root),
            "seconds": options.minutes * 60,
            "job_seconds": options.minutes * 60,
        }
        asked, told = folder / "plan.json", folder / "outcome.json"
        asked.write_text(json.dumps(plan))
        scale.start()
        people = [sys.executable, "-W", "ignore", "-m", "bench.load.people", str(asked), str(told)]
        output = None if options.verbose else subprocess.DEVNULL
        before = _of_children()
        done = subprocess.run(
            people, cwd=ROOT, stdout=output, timeout=options.minutes * 60 + 60, check=False
        )
        if done.returncode:
            raise SystemExit(f"The people ended with {done.returncode}.")
        seconds = _of_children() - before
        stack.settle(MAIL_SECONDS)
        outcome = json.loads(told.read_text())
        mailed = _mailed(stack, outcome)
        return Measured(name, outcome, scale.stop(), options.jobs, mailed, seconds)
    finally:
        stack.stop()


def _of_children() -> float:
    """Processor seconds of all that this process has started and that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _mailed(stack: Running, outcome: dict[str, Any]) -> Counter[int]:
    mails = [(str(mail["to"]), str(mail["html"])) for mail in stack.mails()]
    return Counter(
        sum(fate["job_id"] in html and "person-" in to for to, html in mails)
        for fate in outcome["fates"]
        if fate["end"] == "COMPLETED"
    )


def _let_in(url: str, emails: list[str], programs: int) -> list[tuple[str, str]]:
    """What each is let in by: one in so many by a program's key, where a build has keys."""
    tokens = _signed_in(url, emails)
    return [
        (BY_TOKEN, token) if programs == 0 or n % programs else _key(url, token)
        for n, token in enumerate(tokens)
    ]


def _key(url: str, token: str) -> tuple[str, str]:
    allowed = {"Authorization": f"Bearer {token}"}
    made = httpx.post(f"{url}/api/keys", headers=allowed, json={"name": "bench"}, timeout=60)
    return (BY_TOKEN, token) if made.is_error else (BY_KEY, str(made.json()["key"]))


def _signed_in(url: str, emails: list[str]) -> list[str]:
    os.environ.update(
        AWS_ENDPOINT_URL=url,
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
    )
    stack = read(url)
    return [sign_in(url, stack, email, PASSWORD).id_token for email in emails]


def tables(builds: list[Measured], ratio: bool = False) -> str:
    """What was measured, as Markdown; with the ratio of the second build to the first."""
    return "\n\n".join(
        "\n".join(_with_ratio(head, rows, ratio))
        for head, rows in (
            (["", *(b.name for b in builds)], list(_results(builds))),
            (["milliseconds, p50 / p95 / p99", *(b.name for b in builds)], list(_times(builds))),
            (["memory, MB", *(b.name for b in builds)], list(_memory(builds))),
            (["processor seconds", *(b.name for b in builds)], list(_seconds(builds))),
        )
    )


Row = tuple[str, list[str], list[float]]
"""What is measured, each build's cell, and the number of each that the ratio is made of."""


def _with_ratio(head: list[str], rows: list[Row], ratio: bool) -> Iterator[str]:
    yield "| " + " | ".join([*head, *(["ratio"] if ratio else [])]) + " |"
    yield "|---" * (len(head) + ratio) + "|"
    for name, cells, numbers in rows:
        last = [f"{numbers[1] / numbers[0]:.2f}" if numbers and numbers[0] else ""] if ratio else []
        yield "| " + " | ".join([name, *cells, *last]) + " |"


def _row(name: str, numbers: Sequence[float], form: str = "{:,.0f}") -> Row:
    return name, [form.format(number) for number in numbers], list(numbers)


def _results(builds: list[Measured]) -> Iterator[Row]:
    yield _row("jobs asked for", [b.jobs for b in builds])
    yield _row("ended as wanted", [b.ended("COMPLETED", "DELETED") for b in builds])
    yield _row("of them with a mesh", [b.ended("COMPLETED") for b in builds])
    yield _row("lost", [b.jobs - b.ended("COMPLETED", "DELETED") for b in builds])
    yield _row("finished and not in the list", [b.outcome["missing"] for b in builds])
    yield _row("in the list and unknown", [b.outcome["strays"] for b in builds])
    mailed = [b.mailed.total() - b.mailed[1] for b in builds]
    yield _row("with a mesh and not exactly one mail", mailed)
    yield _row("errors", [b.errors.total() for b in builds])
    yield _row("answers of 429, which are meant", [b.refused for b in builds])
    paces = [b.ended("COMPLETED", "DELETED") / b.outcome["seconds"] * 60 for b in builds]
    yield _row("jobs a minute", paces, "{:.1f}")
    calls = [len(b.outcome["calls"]) / b.outcome["seconds"] for b in builds]
    yield _row("calls a second", calls, "{:.1f}")


def _times(builds: list[Measured]) -> Iterator[Row]:
    names = sorted({name for b in builds for name, *_ in b.outcome["calls"]}, key=_order)
    looks = ("GET /jobs/{id}",)
    rows: list[tuple[str, tuple[str, ...], str]] = [
        ("**all calls of the API**", (), ""),
        *((f"GET /jobs/{{id}} {by}", looks, by) for by in (BY_TOKEN, BY_KEY)),
        *((name, (name,), "") for name in names),
    ]
    for title, chosen, by in rows:
        times = [b.times(*chosen, by=by) for b in builds]
        cells = [
            " / ".join(f"{percentile(ms, share):,.0f}" for share in (0.5, 0.95, 0.99))
            + f" ({len(ms)})"
            if ms
            else "–"
            for ms in times
        ]
        yield title, cells, [percentile(ms, 0.95) for ms in times] if all(times) else []


def _order(name: str) -> tuple[bool, str]:
    return not _is_api(name), name


def _memory(builds: list[Measured]) -> Iterator[Row]:
    for title, weights in (
        ("before", [b.after(0) for b in builds]),
        ("after the first half of the jobs", [b.after(b.jobs // 2) for b in builds]),
        ("after the second half", [b.after(b.jobs) for b in builds]),
        ("at its peak", [b.peak for b in builds]),
    ):
        cells = [f"{w.pss:,.0f} ({w.rss:,.0f} RSS, {w.processes} processes)" for w in weights]
        yield title, cells, [w.pss for w in weights]
    parts = sorted({part for b in builds for part in b.peak.parts})
    for part in parts:
        sizes = [float(b.peak.parts[part]) for b in builds]
        yield f"at its peak, {part}", [f"{size:,.0f}" for size in sizes], sizes


def _seconds(builds: list[Measured]) -> Iterator[Row]:
    used = [busy(b.weights) for b in builds]
    yield _row("in all", [seconds.total() for seconds in used])
    for part in sorted({part for seconds in used for part in seconds}):
        yield _row(part, [seconds[part] for seconds in used])
    yield _row("and the people", [b.people_seconds for b in builds])


def _errors(builds: list[Measured]) -> str:
    lines = []
    for b in builds:
        lost = Counter(fate["reason"] for fate in b.outcome["fates"] if fate["end"] == "LOST")
        for what, times in [*b.errors.most_common(8), *lost.most_common(8)]:
            lines.append(f"- {b.name}: {what}, {times} times")
    return "\n".join(lines)


def _programs(options: argparse.Namespace) -> str:
    if not options.programs:
        return ""
    return f"One in {options.programs} of them is a program with a key. "


def report(builds: list[Measured], options: argparse.Namespace) -> str:
    """The whole of RESULTS.md."""
    with_errors = _errors(builds)
    return "\n\n".join(
        part
        for part in (
            "# The local stack under load, measured by `make bench-load`",
            f"{options.people} people at once, {options.jobs} jobs in all on {platform.machine()}, "
            f"{os.cpu_count()} processors, {options.busy:.1f} processes in line for them before. "
            f"{_programs(options)}One job in {options.meshes} goes on to its mesh; the others "
            "are cancelled or deleted when they wait for a mask. The model works on the same "
            "processors. In brackets: how many calls. Memory is PSS, which counts shared pages "
            "once; the ratio is of the second build to the first, of times that of p95.",
            RECORDED if options.recorded else "",
            tables(builds, bool(options.against)),
            f"What went wrong:\n\n{with_errors}" if with_errors else "",
        )
        if part
    )


def main() -> int:
    """Measure; 1 where a job was lost or this build answered an error."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--people", type=int, default=20, help="(%(default)s)")
    parser.add_argument("--jobs", type=int, default=200, help="of all people (%(default)s)")
    parser.add_argument("--meshes", type=int, default=4, help="every so many jobs (%(default)s)")
    parser.add_argument(
        "--programs", type=int, default=2, metavar="N",
        help="one in so many people is a program with a key; 0: nobody (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, default=20, help="at most, a build (%(default)s)")
    parser.add_argument("--against", metavar="COMMIT", help="another build to compare with")
    parser.add_argument(
        "--recorded", action="store_true", help="also with a model that works elsewhere"
    )
    parser.add_argument("--save", action="store_true", help="write RESULTS.md")
    parser.add_argument("--verbose", action="store_true", help="a line a job")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and end the stack that runs
    options.busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:

        def measured(name: str, root: Path, module: str = "") -> Measured:
            own = Path(tempfile.mkdtemp(dir=folder))
            build = measure(name, root, options, own, module)
            print(tables([build]), _errors([build]), sep="\n\n", flush=True)
            return build

        ours = measured("this build", ROOT)
        builds = [ours]
        if options.recorded:
            builds.append(measured("this build, recorded answers", ROOT, "bench.load.elsewhere"))
        if options.against:
            root = stack.enter_context(checkout(options.against))
            builds.insert(0, measured(options.against, root))
    text = report(builds, options)
    print(text)
    if options.save:
        before = RESULTS.read_text() if RESULTS.exists() else ""
        kept = before.partition(TRIED)[2]
        RESULTS.write_text(f"{text}\n\n{TRIED}{kept}" if kept else f"{text}\n")
    return int(bool(ours.jobs - ours.ended("COMPLETED", "DELETED") or ours.errors))


if __name__ == "__main__":
    sys.exit(main())
