"""The built page without a stack: what it asks a server is answered here, as a test says."""

import base64
import json
import mimetypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Route

from gen3d_inference import embeddings
from gen3d_inference.engines.lite.lite_engine import LiteEngine
from tests.browser.doubles import changed, with_masks
from tests.local.running import ROOT

URL = "http://localhost:20655"
"""No port of anybody's: every request is answered here. As localhost it is a secure context."""

POOL = "us-east-1_abc"
JOB = "01ARZ3NDEKTSV4RRFFQ69G5FA"
FORM: dict[str, Any] = {"url": f"{URL}/bucket", "fields": {"key": "uploads/1/image.jpg"}}

mimetypes.add_type("text/javascript", ".mjs")


def _token(**claims: object) -> str:
    now = int(time.time())
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"
    claims |= {"iss": issuer, "aud": "client", "sub": "ada", "iat": now, "exp": now + 3600}
    parts = ({"alg": "RS256", "kid": "k"}, claims | {"cognito:username": "ada"})
    coded = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return ".".join([*coded, "c2ln"])


def cognito(route: Route) -> None:
    """The user pool; the page wants no AWS credentials, and asks no identity pool."""
    assert "IdentityService" not in route.request.headers.get("x-amz-target", "")
    kind = "NotAuthorizedException"
    refusal = {"__type": kind, "message": "Refresh Token has expired"}
    route.fulfill(status=400, headers={"x-amzn-errortype": kind}, json=refusal)


def serve(dist: Path, **config_fields: str) -> Callable[[Route], None]:
    config = {
        "region": "us-east-1",
        "engine": "lite",
        "apiUrl": f"{URL}/api",
        "userPoolId": POOL,
        "userPoolClientId": "client",
        "bucket": "bucket",
        "endpoint": URL,
    } | config_fields

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(URL).split("?")[0].strip("/")
        if route.request.method == "POST":
            cognito(route)
        elif path == "config.json":
            route.fulfill(json=config)
        elif path and (dist / path).is_file():
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            route.fulfill(body=(dist / path).read_bytes(), content_type=kind)
        else:
            the_page(dist)(route)

    return answer


def the_page(dist: Path, version: str | None = None) -> Callable[[Route], None]:
    """The page, which a server also answers for files that are gone; or that of another version."""
    html = (dist / "index.html").read_text()
    if version:
        html = html.replace("/assets/index-", f"/assets/index-{version}")
    return lambda route: route.fulfill(body=html, content_type="text/html")


@contextmanager
def signed_in(
    browser: Browser, build: Path, email: str = "ada@example.com", **config_fields: str
) -> Iterator[BrowserContext]:
    """Ada's browser; she is signed in."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    prefix = "CognitoIdentityServiceProvider.client"
    kept = {
        f"{prefix}.LastAuthUser": "ada",
        f"{prefix}.ada.idToken": _token(token_use="id", email=email),
        f"{prefix}.ada.accessToken": _token(token_use="access", username="ada"),
        f"{prefix}.ada.refreshToken": "r",
        f"{prefix}.ada.clockDrift": "0",
    }
    seed = (
        "if (!sessionStorage.seeded) { sessionStorage.seeded = 1; Object.assign(localStorage, %s) }"
    )
    context.add_init_script(seed % json.dumps(kept))
    context.route("**/*", serve(build, **config_fields))
    yield context
    context.close()


def a_job(n: int, **fields: Any) -> dict[str, Any]:
    step = {"start": None, "end": None, "ms": None}
    return {
        "jobId": f"{JOB}{n}",
        "name": f"job {n}",
        "filename": "cup.jpg",
        "contentType": "image/jpeg",
        "prefix": f"private/us-east-1:1/jobs/{JOB}{n}/",
        "createdAt": "2026-11-23T10:00:00Z",
        "text": None,
        "run": 0,
        "queue": None,
        "pollSeconds": None,
        "picture": None,
        "stages": {"initialize": step, "mask": step, "reconstruct": step},
        "objects": [],
    } | fields


def to_select(
    folder: Path, **fields: Any
) -> tuple[dict[str, Any], Callable[[BrowserContext], None]]:
    """A job that waits for its mask, with the lite engine's own decoder, and what serves its files.

    Two things are found in its photo by the job's text, where it has one.
    """
    photo = ROOT / "examples" / "coffee.jpg"
    weights = ROOT / "container" / "weights" / "lite"
    engine = LiteEngine(weights)
    with Image.open(photo) as image:
        size = {"width": image.width, "height": image.height}
        body = embeddings.pack(engine.initialize(image.convert("RGB")))
    if fields.get("text"):
        body = changed(body, folder, with_masks)
    job = a_job(
        1,
        **{"status": "AWAITING_MASK", "run": 1}
        | {"image": size | {"bytes": 9, "url": f"{URL}/files/photo.jpg"}}
        | {"embeddings": {"url": f"{URL}/files/embeddings.safetensors"}}
        | {"decoder": {"engine": "lite", "revision": engine.revision}}
        | fields,
    )
    job["decoder"]["url"] = f"{URL}/files/decoder.onnx"
    files = {
        "photo.jpg": photo.read_bytes(),
        "embeddings.safetensors": body,
        "decoder.onnx": (weights / "decoder.onnx").read_bytes(),
    }

    def answer(route: Route) -> None:
        route.fulfill(body=files[route.request.url.rsplit("/", 1)[1]])

    def lend(context: BrowserContext) -> None:
        context.route(f"{URL}/files/*", answer)

    return job, lend
