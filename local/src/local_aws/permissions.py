"""Which of its permissions each role uses, as a list of what was needed and no more.

What a policy allows is one line of ``logs/permissions.jsonl`` when a request first needed it: the
role, and the action and the resource as the policy spells them.
"""

import json
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext, EvalResult, ParsedStatement

Policies = list[list[ParsedStatement]]
"""Each policy's statements."""


def install(file: Path) -> None:
    """Take note of what allows each request of a role.

    Parameters
    ----------
    file : pathlib.Path
        A line is added to it for each permission, once.
    """
    _parse_once()
    evaluate = iam_evaluator.evaluate
    noted: set[tuple[str, str, str]] = set()

    def evaluated(context: EvalContext, policies: Policies, *limits: Policies) -> EvalResult:
        result = evaluate(context, policies, *limits)
        if result.decision == "Allow" and ":assumed-role/" in context.principal_arn:
            for permission in _used(context, policies):
                if permission not in noted:
                    with suppress(OSError):  # on a full disk the next request takes note
                        with file.open("a") as lines:
                            lines.write(json.dumps(permission) + "\n")
                        noted.add(permission)
        return result

    iam_evaluator.evaluate = evaluated


def _parse_once() -> None:
    """Ministack parses all policies of a role twice with each of its requests."""
    parse = iam_evaluator.parse_policy_document
    parsed = lru_cache(maxsize=256)(parse)

    def parse_once(document: str | dict[str, object]) -> list[ParsedStatement]:
        statements: list[ParsedStatement] = (
            parsed(document) if isinstance(document, str) else parse(document)
        )
        return statements

    iam_evaluator.parse_policy_document = parse_once


def _used(context: EvalContext, policies: Policies) -> list[tuple[str, str, str]]:
    """Role, action and resource of everything in the policies that allows the request."""
    role = context.principal_arn.split("/")[1]
    found = []
    for statement in (s for policy in policies for s in policy if s.effect == "Allow"):
        if not iam_evaluator._conditions_met(statement.conditions, context):
            continue
        actions = [a for a in statement.actions if _matches(a, context.action)]
        resources = [
            r
            for r in statement.resources
            if iam_evaluator._resource_matches(context.resource_arn, [r], [])
        ]
        found += [(role, action, resource) for action in actions for resource in resources]
    return found


def _matches(pattern: str, action: str) -> bool:
    return bool(iam_evaluator._action_matches(action, [pattern], []))
