"""Services that ministack lacks are given to it, so that it authorizes their calls too."""

from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions, router

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Response]]
Resource = Callable[[str, bytes], str | None]
"""From path and body to the ARN that IAM policies name; None leaves it to ministack."""


def serve(service: str, handler: Handler, models: tuple[str, ...] = ()) -> None:
    """Answer a service's requests.

    Parameters
    ----------
    service : str
        The service as it stands in the scope of a signature.
    handler : Handler
        Called after signature and policies were checked.
    models : tuple of str
        botocore models whose routes name the actions of a REST service.
    """
    app.SERVICE_HANDLERS[service] = handler
    router.SERVICE_PATTERNS.setdefault(service, {})
    iam_actions.SERVICE_TO_IAM_NAMESPACE.setdefault(service, service)
    if models:
        iam_actions._BOTOCORE_SERVICE_MAP[service] = list(models)


def name_resources(service: str, resource: Resource) -> None:
    """Tell IAM which resource a request is about, where ministack cannot."""
    original = iam_actions.extract_resource_arn

    def extract(called: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        found = resource(path, body) if called == service else None
        return found or str(original(called, method, path, headers, body, *rest))

    iam_actions.extract_resource_arn = extract
