"""A sample job, its files and its events; nothing here needs AWS, or moto in its place."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from gen3d.formats import MESH_FORMATS
from gen3d.jobs import Job, JobObject, ObjectStatus, PhotoSize, Status

ROOT = Path(__file__).parent.parent
REGION = "us-east-1"
ACCOUNT = "123456789012"
BUCKET = "gen3d-bucket"
STATE_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:gen3d"
OWNER = "7c1f0f2e-2b43-4a53-9c57-1f5f3c1b9a10"
JOB_ID = "01M82SZE4Z7ZQ9FY1VB33KS0D2"
PREFIX = f"private/us-east-1:4f0a51c6-93ad-4b0f-8f67-0d9b8f7e2c11/jobs/{JOB_ID}/"
UPLOADS = PREFIX.replace("private/", "uploads/")
EMAIL = "ada@example.com"
ADMIN = "admin@example.com"
SENDER = "gen3d@example.com"


def load_event(name: str) -> Any:
    """A sample event, such as ``api/create_job``."""
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def event_names() -> list[str]:
    """Names of all sample events."""
    folder = ROOT / "events"
    return sorted(
        path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.json")
    )


@dataclass
class Context:
    """What Lambda tells a function of its invocation."""

    function_name: str = "test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:test"
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        """Half a minute, always."""
        return 30_000


def make_job(status: Status = Status.CREATED, **changes: Any) -> Job:
    """A job of the sample events' owner."""
    fields: dict[str, Any] = {
        "owner": OWNER,
        "job_id": JOB_ID,
        "identity_id": PREFIX.split("/")[1],
        "prefix": PREFIX,
        "email": EMAIL,
        "filename": "coffee.jpg",
        "name": "coffee",
        "content_type": "image/jpeg",
        "status": status,
        "created_at": datetime(2026, 11, 22, 23, 0, tzinfo=UTC),
        "ttl": 2_000_000_000,
        "image": None if status is Status.CREATED else PhotoSize(width=64, height=48, bytes=1000),
    }
    return Job(**{**fields, **changes})


def finished_object(n: int = 0, name: str = "Cup") -> JobObject:
    """An object that became a mesh."""
    folder = f"{PREFIX}objects/{n}/"
    mesh = {
        "files": {
            ending: {"key": f"{folder}mesh.{ending}", "bytes": 10} for ending in MESH_FORMATS
        },
        "vertices": 1200,
        "faces": 2400,
        "coverage": 0.9987,
        "warnings": [],
    }
    mesh["files"]["preview"] = {"key": f"{folder}preview.png", "bytes": 10}  # type: ignore[index]
    return JobObject(
        n=n,
        name=name,
        status=ObjectStatus.COMPLETED,
        splat={"gaussians": 5000, "bytes": 9},
        mesh=mesh,
    )


def mesh_object(n: int = 0, name: str = "Cup") -> JobObject:
    """The same of an engine that makes meshes."""
    answer = {"shape": "mesh", "vertices": 9000, "faces": 15000, "bytes": 9}
    made = finished_object(n, name)
    return made.model_copy(update={"splat": answer})


def encode(image: Pillow.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def mask(width: int = 64, height: int = 48) -> Pillow.Image:
    """A mask with a rectangle for an object."""
    image = Pillow.new("L", (width, height))
    image.paste(255, (width // 4, height // 4, width // 2, height // 2))
    return image
