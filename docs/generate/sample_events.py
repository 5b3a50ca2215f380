"""An event of API Gateway for each route, as ``sam local invoke`` and tests send it."""

import json
from typing import Any, TypeAlias  # noqa: TID251  API Gateway's JSON
from urllib.parse import urlencode

from gen3d_api.examples import (
    DELIVERY_ID,
    EXAMPLES,
    JOB_ID,
    KEY_ID,
    QUERY,
    SHARE_ID,
    WEBHOOK_ID,
)
from gen3d_api.route import Route
from gen3d_aws.callers import Caller

Json: TypeAlias = dict[str, Any]

_AGENT, _IP = "Mozilla/5.0", "203.0.113.7"
_API = "abcdef1234"
_DOMAIN = f"{_API}.execute-api.us-east-1.amazonaws.com"
_SUB = "7c1f0f2e-2b43-4a53-9c57-1f5f3c1b9a10"
_EXPIRES = 4102444800
"""In 2100: what is sent to try a function is no old sign-in."""

_IDS = {
    "keyId": KEY_ID,
    "shareId": SHARE_ID,
    "webhookId": WEBHOOK_ID,
    "deliveryId": DELIVERY_ID,
}


def sample_event(route: Route) -> str:
    """The event of a request to this route."""
    named = {name: _IDS.get(name, JOB_ID) for name in route.ids}
    path = route.path.format(**named)
    query = {name: QUERY[name] for name in route.query}
    body = None if route.body is None else _body(route)
    context: Json = {
        "accountId": "123456789012",
        "apiId": _API,
        "authorizer": {"lambda": Caller(_SUB, "ada@example.com", _EXPIRES).as_context()},
        "domainName": _DOMAIN,
        "domainPrefix": _API,
        "http": {
            "method": route.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": _IP,
            "userAgent": _AGENT,
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": route.key,
        "stage": "$default",
        "time": "22/Nov/2026:23:00:50 +0000",
        "timeEpoch": 1795388450123,
    }
    headers = {
        "accept": "application/json",
        "authorization": "Bearer an-id-token",
        "content-length": str(len(body or "")),
        "content-type": "application/json",
        "host": _DOMAIN,
        "user-agent": _AGENT,
        "x-amzn-trace-id": "Root=1-674111b2-0f1a2b3c4d5e6f7a8b9c0d1e",
        "x-forwarded-for": _IP,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    if route.for_all:
        del context["authorizer"], headers["authorization"]
    event: Json = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": urlencode(query, safe="="),
        "headers": headers,
        "requestContext": context,
        **({"pathParameters": named} if named else {}),
        **({"queryStringParameters": query} if query else {}),
        **({} if body is None else {"body": body}),
        "isBase64Encoded": False,
    }
    return json.dumps(event, indent=2) + "\n"


def _body(route: Route) -> str:
    assert route.body is not None
    last = [*EXAMPLES[route.body].values()][-1]
    return json.dumps(last.model_dump(mode="json", exclude_unset=True))
