"""The engine's weights in the bucket, where the endpoint looks for them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Weights:
    """A folder with a `manifest.json` that names the engine, the revision and the files."""

    folder: Path
    engine: str
    revision: str
    files: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """Where they lie in the bucket."""
        return f"models/{self.engine}/{self.revision}/"


def read(folder: Path) -> Weights | None:
    """Read a weights folder's manifest; None where there is none."""
    manifest = folder / "manifest.json"
    if not manifest.exists():
        return None
    content = json.loads(manifest.read_text())
    files = ("manifest.json", *content["files"])
    return Weights(folder, content["engine"], content["revision"], files)


def upload(weights: Weights, s3: "S3Client", bucket: str) -> None:
    """Put what is not there yet into the bucket; a revision never changes."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=weights.prefix)
    there = {item["Key"] for page in pages for item in page.get("Contents", [])}
    for name in weights.files:
        key = weights.prefix + name
        if key not in there:
            s3.upload_file(str(weights.folder / name), bucket, key)
