"""Policy variables, which ministack compares as the letters that they are written with.

The template gives signed-in people their own folder by
``${cognito-identity.amazonaws.com:sub}``; without its value nobody could upload a photo.
"""

import re
from dataclasses import replace
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import sts

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_IDENTITY = "cognito-identity.amazonaws.com:sub"


def install() -> None:
    """Give each principal its policies with the variables' values in them."""
    resolve = iam_evaluator.resolve_principal

    def resolved(access_key_id: str, *rest: Any, **named: Any) -> Any:
        principal = resolve(access_key_id, *rest, **named)
        session = sts._sessions.get(access_key_id) or {}
        if not isinstance(principal, iam_evaluator.PrincipalInfo) or principal.policies is None:
            return principal
        values = principal.keys | {_IDENTITY: session.get("_identity_id")}
        return replace(principal, policies=_filled(principal.policies, values))

    iam_evaluator.resolve_principal = resolved


def _filled(part: Any, values: dict[str, Any]) -> Any:
    """A policy, or a part of one, with every variable that has a value replaced by it."""
    if isinstance(part, str):
        return _VARIABLE.sub(lambda found: str(values.get(found[1]) or found[0]), part)
    if isinstance(part, list):
        return [_filled(item, values) for item in part]
    if isinstance(part, dict):
        return {key: _filled(item, values) for key, item in part.items()}
    return replace(
        part,
        resources=_filled(part.resources, values),
        not_resources=_filled(part.not_resources, values),
        conditions=_filled(part.conditions, values),
    )
