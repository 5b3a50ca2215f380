"""``python -m statemachines`` writes the rules of ``retries.yaml`` out in the state machine.

With ``--check`` it only says whether they are stale there.
"""

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Required, TypeAlias, TypedDict

import yaml

FOLDER = Path(__file__).resolve().parent
MACHINE = FOLDER / "gen3d.asl.yaml"
RETRIES = FOLDER / "retries.yaml"


class Rule(TypedDict, total=False):
    """What a state does about some errors."""

    Comment: Required[str]
    ErrorEquals: Required[list[str]]
    IntervalSeconds: int
    MaxAttempts: int
    BackoffRate: float
    MaxDelaySeconds: int


Rules: TypeAlias = Mapping[str, Rule]

_MARK = re.compile(r"^( *)Retry: # (.+)$")
_WIDTH = 100


class UnknownRuleError(Exception):
    """A state names a rule that there is not."""


def rules() -> Rules:
    """The rules by their names."""
    known: Rules = yaml.safe_load(RETRIES.read_text())["rules"]
    return known


def fill(text: str, known: Rules) -> str:
    """Write the rules that each state names behind its name.

    Parameters
    ----------
    text : str
        A state machine in YAML, in which states name their rules: ``Retry: # Busy, Late``.
    known : mapping
        The rules by their names.

    Raises
    ------
    UnknownRuleError
    """
    return "\n".join(_filled(text.split("\n"), known))


def _filled(lines: list[str], known: Rules) -> Iterator[str]:
    inside: int | None = None
    for line in lines:
        if inside is not None and line.strip() and _indent(line) > inside:
            continue
        inside = None
        yield line
        mark = _MARK.match(line)
        if mark:
            inside = len(mark[1])
            for name in mark[2].split(", "):
                if name not in known:
                    raise UnknownRuleError(f"retries.yaml has no rule {name!r}, as in: {line}")
                yield from _written(known[name], " " * (inside + 2))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _written(rule: Rule, indent: str) -> Iterator[str]:
    errors = f"{indent}  ErrorEquals: [{', '.join(rule['ErrorEquals'])}]"
    yield f"{indent}- Comment: {rule['Comment']}"
    yield from textwrap.wrap(
        errors, _WIDTH, subsequent_indent=f"{indent}    ", break_long_words=False
    )
    for name, value in rule.items():
        if name not in ("Comment", "ErrorEquals"):
            yield f"{indent}  {name}: {value}"
    yield f"{indent}  JitterStrategy: FULL"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; exit code 1 where the rules are stale or unknown."""
    parser = argparse.ArgumentParser(prog="python -m statemachines", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    text = MACHINE.read_text()
    try:
        filled = fill(text, rules())
    except UnknownRuleError as error:
        print(error, file=sys.stderr)
        return 1
    if filled == text:
        return 0
    if options.check:
        print("Stale: statemachines/gen3d.asl.yaml. Run `make retries`.", file=sys.stderr)
        return 1
    MACHINE.write_text(filled)
    return 0


if __name__ == "__main__":
    sys.exit(main())
