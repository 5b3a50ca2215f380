"""Routes the pages."""

from collections.abc import Awaitable, Callable
from typing import Any

from local import resources
from local.workflow.service import Workflow


class Pages:
    """An ASGI application below ``/_gen3d``."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow

    def has_web_app(self) -> bool:
        return False

    async def redirect(self, send: Callable[..., Awaitable[None]], to: str) -> None:
        await send({"type": "http.response.start", "status": 302, "headers": [(b"location", to.encode())]})
        await send({"type": "http.response.body", "body": b""})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"gen3d"})
