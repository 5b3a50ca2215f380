"""`AWS::CloudWatch::Alarm` over several metrics: recorded only, for ministack has no metric math."""

from collections.abc import Callable
from typing import Any

from local.settings import ACCOUNT, REGION

Attributes = dict[str, Any]
Handlers = dict[str, Callable[..., Any]]


def handlers(original: Handlers) -> dict[str, Handlers]:
    """CloudFormation handlers by resource type, on top of ministack's."""

    def create(logical_id: str, properties: Attributes, stack: str) -> tuple[str, Attributes]:
        if "Metrics" not in properties:
            return original["create"](logical_id, properties, stack)  # type: ignore[no-any-return]
        name = properties.get("AlarmName") or f"{stack}-{logical_id}"
        return name, {"Arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"}

    def update(
        name: str, old: Attributes, new: Attributes, stack: str, *rest: Any
    ) -> tuple[str, Attributes]:
        if "Metrics" not in new and "Metrics" not in old:
            return original["update"](name, old, new, stack, *rest)  # type: ignore[no-any-return]
        return create(rest[0] if rest else name, new, stack)

    def delete(name: str, properties: Attributes) -> None:
        if "Metrics" not in properties:
            original["delete"](name, properties)

    changed = {"create": create, "update": update, "delete": delete}
    return {"AWS::CloudWatch::Alarm": original | changed}
