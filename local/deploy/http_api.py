"""`AWS::ApiGatewayV2::Api` with a `Body`: SAM writes routes as OpenAPI, which ministack ignores."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import apigateway

Attributes = dict[str, Any]
Handlers = dict[str, Callable[..., Any]]


def handlers(original: Handlers) -> dict[str, Handlers]:
    """CloudFormation handlers by resource type, on top of ministack's."""

    def create(logical_id: str, properties: Attributes, stack: str) -> tuple[str, Attributes]:
        api_id, attributes = original["create"](logical_id, _with_cors(properties), stack)
        _replace_routes(api_id, properties.get("Body") or {})
        return api_id, attributes

    def update(
        api_id: str, old: Attributes, new: Attributes, stack: str, logical_id: str | None = None
    ) -> tuple[str, Attributes]:
        arguments = (_with_cors(old), _with_cors(new), stack, logical_id)
        api_id, attributes = original["update"](api_id, *arguments)
        _replace_routes(api_id, new.get("Body") or {})
        return api_id, attributes

    return {"AWS::ApiGatewayV2::Api": original | {"create": create, "update": update}}


def _with_cors(properties: Attributes) -> Attributes:
    """Ministack reads CORS in camel case, as OpenAPI spells it and CloudFormation does not."""
    body = properties.get("Body") or {}
    cors = body.get("x-amazon-apigateway-cors") or {
        name[0].lower() + name[1:]: value
        for name, value in (properties.get("CorsConfiguration") or {}).items()
    }
    title = (body.get("info") or {}).get("title")
    name = {"Name": properties.get("Name") or title} if properties.get("Name") or title else {}
    return properties | name | ({"CorsConfiguration": cors} if cors else {})


def _replace_routes(api_id: str, body: Attributes) -> None:
    for table in (apigateway._routes, apigateway._integrations, apigateway._authorizers):
        table[api_id] = {}
    schemes = (body.get("components") or {}).get("securitySchemes") or {}
    authorizers = {name: _authorizer(api_id, name, scheme) for name, scheme in schemes.items()}
    for path, operations in (body.get("paths") or {}).items():
        for method, operation in operations.items():
            integration = operation.get("x-amazon-apigateway-integration")
            if integration:
                _route(api_id, path, method, operation, integration, authorizers)


def _authorizer(api_id: str, name: str, scheme: Attributes) -> str:
    definition = scheme["x-amazon-apigateway-authorizer"]
    source = definition["identitySource"]
    answer = apigateway._create_authorizer(
        api_id,
        {
            "name": name,
            "authorizerType": definition["type"].upper(),
            "identitySource": [source] if isinstance(source, str) else source,
            "jwtConfiguration": definition["jwtConfiguration"],
        },
    )
    return str(_created(answer)["authorizerId"])


def _route(
    api_id: str,
    path: str,
    method: str,
    operation: Attributes,
    integration: Attributes,
    authorizers: dict[str, str],
) -> None:
    target = _created(
        apigateway._create_integration(
            api_id,
            {
                "integrationType": integration["type"].upper(),
                "integrationUri": integration["uri"],
                "integrationMethod": integration.get("httpMethod", "POST"),
                "payloadFormatVersion": integration.get("payloadFormatVersion", "2.0"),
            },
        )
    )["integrationId"]
    verb = "ANY" if "any-method" in method else method.upper()
    route = {
        "routeKey": "$default" if path == "/$default" else f"{verb} {path}",
        "target": f"integrations/{target}",
    }
    for requirement in operation.get("security") or []:
        for name, scopes in requirement.items():
            if name in authorizers:
                route |= {"authorizationType": "JWT", "authorizerId": authorizers[name]}
                route |= {"authorizationScopes": scopes} if scopes else {}
    _created(apigateway._create_route(api_id, route))


def _created(answer: tuple[int, Any, bytes]) -> Attributes:
    status, _, content = answer
    if status >= 400:
        raise ValueError(f"The HTTP API was refused: {content!r}")
    return dict(json.loads(content))
