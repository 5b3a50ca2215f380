"""Sends the sample requests through the function's handler."""

import json
from collections.abc import Callable
from typing import Any

from PIL import Image as Pillow

from gen3d.errors import ERRORS
from gen3d.jobs import (
    Job,
)
from tests.support import (
    Context,
    api,
    encode,
    load_event,
)

Answer = tuple[int, Any]
PutJob = Callable[[Job], Job]
Rows = Callable[[str], list[dict[str, Any]]]

TOKEN = "AQCEAAAAKgAAAAMAAAAAAAAAAtoken"
PHOTO = encode(Pillow.new("RGB", (64, 48), "teal"), "JPEG")
OF_A_JOB = (
    "get_job",
    "rename_job",
    "delete_job",
    "initialize_job",
    "create_mask_uploads",
    "reconstruct_job",
    "cancel_job",
    "retry_job",
)


def call(name: str, body: Any = None, known: dict[str, Any] | None = None, **fields: Any) -> Answer:
    """Send a sample event, with another body, fields, or word of the authorizer."""
    event = load_event(f"api/{name}")
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    if known is not None:
        event["requestContext"]["authorizer"]["lambda"].update(known)
    event.update(fields)
    answer = api.handler(event, Context())
    if answer["statusCode"] == 204:
        assert not answer["body"]
        return 204, None
    assert answer["headers"]["Content-Type"] == "application/json"
    content = json.loads(answer["body"])
    if answer["statusCode"] >= 400:
        assert {"error", "message"} <= set(content) <= {"error", "message", "retryAfter"}
        assert answer["headers"].get("Retry-After") == _text(content.get("retryAfter"))
        assert content["error"] in ERRORS
        assert "Traceback" not in content["message"]
    return answer["statusCode"], content


def _text(seconds: int | None) -> str | None:
    return None if seconds is None else str(seconds)


def refused(answer: Answer) -> tuple[int, str]:
    """Status and name of an error."""
    return answer[0], answer[1]["error"]
