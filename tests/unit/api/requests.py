"""Sends the sample requests through the function's handler."""

import json
from collections.abc import Callable
from typing import Any

from gen3d.errors import ERRORS
from gen3d.jobs import (
    Job,
)
from PIL import Image as Pillow

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
)


def call(
    name: str, body: Any = None, claims: dict[str, str] | None = None, **fields: Any
) -> Answer:
    """Send a sample event, with another body or other claims or fields."""
    event = load_event(f"api/{name}")
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    event["requestContext"]["authorizer"]["jwt"]["claims"].update(claims or {})
    event.update(fields)
    answer = api.handler(event, Context())
    assert answer["headers"]["Content-Type"] == "application/json"
    content = json.loads(answer["body"])
    if answer["statusCode"] >= 400:
        assert set(content) == {"error", "message"}
        assert content["error"] in ERRORS
        assert "Traceback" not in content["message"]
    return answer["statusCode"], content


def refused(answer: Answer) -> tuple[int, str]:
    """Status and name of an error."""
    return answer[0], answer[1]["error"]
