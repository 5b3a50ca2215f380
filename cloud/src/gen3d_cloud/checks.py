"""What was looked at, and what came of it: lines for a terminal, and an exit code."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

_MARKS = {True: "✓", False: "✗", None: "?"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    what : str
    holds : bool or None
        None where nobody can know it yet, or where it is for the person to judge.
    says : str
        A sentence.
    mend : str
        The command, or the address, that mends it.
    """

    what: str
    holds: bool | None
    says: str
    mend: str = ""


def asked(what: str, check: Callable[[], Iterable[Check]]) -> list[Check]:
    """Look, and where AWS does not answer the question, say so instead of a verdict."""
    found: list[Check] = []
    try:
        for each in check():
            found.append(each)  # noqa: PERF402  what came before a refusal stays
    except (ClientError, BotoCoreError) as error:
        found.append(Check(what, None, f"AWS did not answer: {error}"))
    return found


def report(checks: Iterable[Check], width: int = 0) -> str:
    """One line a check, and below what does not hold the command that mends it."""
    checks = list(checks)
    width = max([width, *(len(check.what) for check in checks)])
    lines = []
    for check in checks:
        lines.append(f"{_MARKS[check.holds]} {check.what.ljust(width)}  {check.says}")
        if check.mend and not check.holds:
            lines.append(f"  {' ' * width}  → {check.mend}")
    return "\n".join(lines)


def exit_code(checks: Iterable[Check]) -> int:
    """1 where something does not hold."""
    return int(any(check.holds is False for check in checks))
