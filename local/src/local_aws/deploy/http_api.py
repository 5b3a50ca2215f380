"""`AWS::ApiGatewayV2::Api`: ministack takes its CORS in camel case, unlike CloudFormation."""

from collections.abc import Callable
from typing import TypedDict

Handlers = dict[str, Callable[..., object]]


class Properties(TypedDict, total=False):
    """The one of an API's properties that is spelled otherwise."""

    CorsConfiguration: dict[str, object]


def handlers(original: Handlers) -> dict[str, Handlers]:
    """CloudFormation handlers by resource type, on top of ministack's."""

    def create(logical_id: str, properties: Properties, stack: str) -> object:
        return original["create"](logical_id, _camel(properties), stack)

    def update(
        api_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
    ) -> object:
        return original["update"](api_id, _camel(old), _camel(new), stack, logical_id)

    return {"AWS::ApiGatewayV2::Api": original | {"create": create, "update": update}}


def _camel(properties: Properties) -> Properties:
    cors = properties.get("CorsConfiguration") or {}
    spelled = {name[0].lower() + name[1:]: value for name, value in cors.items()}
    return {**properties, "CorsConfiguration": spelled} if spelled else {**properties}
