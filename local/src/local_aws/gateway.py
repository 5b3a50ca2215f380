"""The one door: what a browser, a function or an AWS SDK asks for finds its service here.

======================  ==========================================================================
path                    answered by
======================  ==========================================================================
``/_gen3d/…``           our pages
``/api/…``              the HTTP API, under an address that does not change
a bucket, or signed     ministack, for pages of this machine alone where it is no bucket
anything else, GET      the web app, through the template's CloudFront distribution
======================  ==========================================================================
"""

import asyncio
import threading
from collections.abc import Callable

import httpx
import uvicorn
import uvloop
from ministack import app as ministack
from ministack.services import s3
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import Receive, Scope, Send

from local_aws import resources, visitors
from local_aws.pages import Pages
from local_aws.settings import LocalError, Settings

_API = "/api"
_START_SECONDS = 30
_KEEP_ALIVE_SECONDS = 60
"""For a connection that is not used: longer than a function's worker lives without a call."""
_SIGNED = (b"X-Amz-", b"AWSAccessKeyId=", b"Action=")


class Gateway:
    """Serves on 127.0.0.1, in a thread of its own.

    Parameters
    ----------
    settings : Settings
    pages : Pages
        Answers ``/_gen3d/…``.
    """

    def __init__(self, settings: Settings, pages: Pages) -> None:
        self._settings = settings
        self._pages = pages
        # Half of what the thread does is HTTP: it is done in C.
        self._loop = uvloop.new_event_loop()
        self._end = asyncio.Event()
        self._deployed = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        """Return when requests are answered."""
        self._thread.start()
        client = httpx.Client(transport=httpx.HTTPTransport(retries=_START_SECONDS))
        for _ in range(_START_SECONDS * 20):
            try:
                if client.get(f"{self._settings.url}/_ministack/health").is_success:
                    return
            except httpx.TransportError:
                threading.Event().wait(0.05)
        raise LocalError(f"The stack did not start; see {self._settings.logs}/stack.log.")

    def open(self) -> None:
        """Let the HTTP API answer; until then its requests wait, as jobs are not yet resumed."""
        self._loop.call_soon_threadsafe(self._deployed.set)

    def stop(self) -> None:
        """End after the requests in hand; ministack then writes its state."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(20)

    def run(self, function: Callable[[], None]) -> None:
        """Call a function between two requests, where ministack's state does not change."""

        async def call() -> None:
            function()

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(60)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve_until_the_end())

    async def _serve_until_the_end(self) -> None:
        config = uvicorn.Config(
            self,
            host="127.0.0.1",
            port=self._settings.port,
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,  # ministack's own
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve())
        await self._end.wait()
        server.should_exit = True
        await serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one request."""
        if scope["type"] != "http":
            await ministack.app(scope, receive, send)
            return
        # TLS would end here; the bucket's policy, for one, asks whether there was any.
        secure = [(b"x-forwarded-proto", b"https"), (b"cloudfront-forwarded-proto", b"https")]
        goal = _goal(scope)
        stranger = goal == "services" and visitors.is_foreign(scope["headers"])
        if stranger or not visitors.has_our_name(scope["headers"]):
            refusal = PlainTextResponse("Only pages of this machine may ask for this.", 403)
            await refusal(scope, receive, send)
            return
        scope = {**scope, "headers": [*scope["headers"], *secure]}
        match goal:
            case "pages":
                await self._pages(scope, receive, send)
            case "api":
                await self._deployed.wait()
                await ministack.app(self._to_api(scope), receive, send)
            case "web app":
                await self._web_app(scope, receive, send)
            case _:
                await ministack.app(scope, receive, send)

    def _to_api(self, scope: Scope) -> Scope:
        apis = resources.of_type("AWS::ApiGatewayV2::Api")
        api_id = apis[0]["PhysicalResourceId"] if apis else "none"
        return _moved(scope, f"/_aws/execute-api/{api_id}/$default", drop=_API)

    async def _web_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask as CloudFront's viewer does, and until the app is there show the console."""
        bucket = resources.outputs().get("BucketName", "")
        files = ("public/index.html", f"public{scope['path']}")
        there = any(s3._get_object_data(bucket, file) is not None for file in files)
        distributions = resources.of_type("AWS::CloudFront::Distribution")
        if not distributions or not there:
            await RedirectResponse("/_gen3d/")(scope, receive, send)
            return
        domain = distributions[0]["Attributes"]["DomainName"]
        headers = [(k, v) for k, v in scope["headers"] if k.lower() != b"host"]
        headers.append((b"host", domain.encode()))
        await ministack.app({**scope, "headers": headers}, receive, send)


def _moved(scope: Scope, to: str, drop: str) -> Scope:
    path = to + scope["path"].removeprefix(drop)
    raw = to.encode() + scope.get("raw_path", scope["path"].encode()).removeprefix(drop.encode())
    return {**scope, "path": path, "raw_path": raw}


def _goal(scope: Scope) -> str:
    """What a request is for: "pages", "api", "files" (a bucket's), "web app" or "services"."""
    path: str = scope["path"]
    first = path.strip("/").split("/")[0]
    if first == "_gen3d":
        return "pages"
    if path.startswith(f"{_API}/"):
        return "api"
    if s3._bucket_owner_account(first) is not None:
        return "files"
    headers = {name.lower(): value for name, value in scope["headers"]}
    if b".execute-api." in headers.get(b"host", b""):
        return "services"  # the API under the address that the stack's outputs name
    signed = b"authorization" in headers or any(
        m in scope.get("query_string", b"") for m in _SIGNED
    )
    plain = scope["method"] in ("GET", "HEAD") and not signed
    ours = first.startswith("_") or ".well-known" in path
    return "web app" if plain and not ours else "services"
