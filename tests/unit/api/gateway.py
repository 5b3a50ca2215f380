"""API Gateway before the function, as a WSGI application: what a test client sends becomes events.

It lets everything through, every path too: what the function makes of it is what is tested.
"""

import base64
import copy
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_plus

from tests.support import Context, api, load_event

_SAMPLE = load_event("api/create_job")


def event_of(environ: dict[str, Any]) -> dict[str, Any]:
    """The event that API Gateway makes of a request with a valid ID token."""
    method = environ["REQUEST_METHOD"]
    raw = environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/")
    path, _, query = raw.partition("?")
    query = query or environ.get("QUERY_STRING", "")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    event: dict[str, Any] = copy.deepcopy(_SAMPLE)
    event.update(rawPath=path, rawQueryString=query, routeKey=f"{method} {path}")
    event["requestContext"]["http"].update(method=method, path=path)
    event["headers"]["content-type"] = environ.get("CONTENT_TYPE", "")
    for name in ("gen3d-version", "idempotency-key"):
        if (said := environ.get(f"HTTP_{name.upper().replace('-', '_')}")) is not None:
            event["headers"][name] = said  # an empty one, too, as API Gateway does
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    event["queryStringParameters"] = dict(_decoded(pairs)) or None
    try:
        event.update(body=body.decode() or None, isBase64Encoded=False)
    except UnicodeDecodeError:
        event.update(body=base64.b64encode(body).decode(), isBase64Encoded=True)
    return event


def _decoded(pairs: Iterable[tuple[str, ...]]) -> Iterable[tuple[str, str]]:
    for name, value in pairs:
        yield unquote_plus(name), unquote_plus(value)


def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    """The function behind API Gateway."""
    answer = api.handler(event_of(environ), Context())
    status = HTTPStatus(answer["statusCode"])
    content: str = answer["body"]
    headers = [(name, str(value)) for name, value in (answer.get("headers") or {}).items()]
    start(f"{status.value} {status.phrase}", headers)
    assert isinstance(content, str)
    return [content.encode()]
