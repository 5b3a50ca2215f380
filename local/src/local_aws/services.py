"""Services that ministack lacks are given to it, so that it authorizes their calls too."""

from collections.abc import Awaitable, Callable
from functools import lru_cache

from ministack import app
from ministack.core import iam_actions, responses, router
from ministack.services import dynamodb

Response = tuple[int, dict[str, str], bytes]
Query = dict[str, list[str]]
"""What stands behind an address's question mark: each name's values."""

Handler = Callable[[str, str, dict[str, str], bytes, Query], Awaitable[Response]]
Resource = Callable[[str, bytes], str | None]
"""From path and body to the ARN that IAM policies name; None leaves it to ministack."""

_ASKED = (
    "cognito-identity",
    "cognito-idp",
    "dynamodb",
    "lambda",
    "s3",
    "sagemaker",
    "ses",
    "sns",
    "sqs",
    "states",
)
"""Services whose first request comes from people who all wait for it."""

_EXPRESSIONS = 256
"""The template and the functions have some dozens, whose values stand apart."""


def read_descriptions() -> None:
    """Read what ministack looks up in botocore's descriptions of the services that are asked.

    It would be read with a service's first request, by the thread that answers all of them.
    """
    # ministack reads a description once for each of the three.
    iam_actions._load_botocore_model = lru_cache(1)(iam_actions._load_botocore_model)
    for service in _ASKED:
        responses._service_model(service)
        iam_actions._get_routes_for_service(service)
        iam_actions._tag_operations(service)
        iam_actions.unsigned_operations(service)


def parse_expressions_once() -> None:
    """Keep what ministack makes of an expression, which it parses anew for each item of a query."""
    tokens = lru_cache(_EXPRESSIONS)(dynamodb._tokenize)
    dynamodb._tokenize = lambda expression: list(tokens(expression))
    dynamodb._condition_syntax_error = lru_cache(_EXPRESSIONS)(dynamodb._condition_syntax_error)


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

    def extract(
        called: str, method: str, path: str, headers: object, body: bytes, *rest: object
    ) -> str:
        found = resource(path, body) if called == service else None
        return found or str(original(called, method, path, headers, body, *rest))

    iam_actions.extract_resource_arn = extract
