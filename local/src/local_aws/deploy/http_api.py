"""`AWS::ApiGatewayV2::Api`: ministack takes its CORS in camel case, unlike CloudFormation."""

from collections.abc import Callable
from typing import Any

Attributes = dict[str, Any]
Handlers = dict[str, Callable[..., Any]]


def handlers(original: Handlers) -> dict[str, Handlers]:
    """CloudFormation handlers by resource type, on top of ministack's."""

    def create(logical_id: str, properties: Attributes, stack: str) -> tuple[str, Attributes]:
        made: tuple[str, Attributes] = original["create"](logical_id, _camel(properties), stack)
        return made

    def update(
        api_id: str, old: Attributes, new: Attributes, stack: str, logical_id: str | None = None
    ) -> tuple[str, Attributes]:
        made: tuple[str, Attributes] = original["update"](
            api_id, _camel(old), _camel(new), stack, logical_id
        )
        return made

    return {"AWS::ApiGatewayV2::Api": original | {"create": create, "update": update}}


def _camel(properties: Attributes) -> Attributes:
    cors = properties.get("CorsConfiguration") or {}
    spelled = {name[0].lower() + name[1:]: value for name, value in cors.items()}
    return properties | ({"CorsConfiguration": spelled} if spelled else {})
