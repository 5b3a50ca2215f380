"""The built web app in the bucket's public folder, with the configuration that it reads."""

import json
import mimetypes
from pathlib import Path
from typing import Any

PREFIX = "public/"


def upload(dist: Path, s3: Any, outputs: dict[str, str], url: str) -> None:
    """Replace what is in the public folder.

    Parameters
    ----------
    dist : pathlib.Path
        What ``npm run build`` made; without it nothing is uploaded.
    s3 : S3 client
    outputs : dict
        The stack's.
    url : str
        One address for every service.
    """
    if not (dist / "index.html").exists():
        return
    bucket = outputs["BucketName"]
    files = {path.relative_to(dist).as_posix(): path for path in dist.rglob("*") if path.is_file()}
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX)
    there = {item["Key"]: item for page in pages for item in page.get("Contents", [])}
    for name, path in files.items():
        if _differs(there.pop(PREFIX + name, None), path):
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            extra = {"ContentType": kind, "CacheControl": "no-cache"}
            s3.upload_file(str(path), bucket, PREFIX + name, ExtraArgs=extra)
    for key in there:
        s3.delete_object(Bucket=bucket, Key=key)
    s3.put_object(
        Bucket=bucket,
        Key=f"{PREFIX}config.json",
        Body=json.dumps(configuration(outputs, url)).encode(),
        ContentType="application/json",
        CacheControl="no-cache",
    )


def configuration(outputs: dict[str, str], url: str) -> dict[str, str]:
    """What ``config.json`` says."""
    return {
        "region": outputs["Region"],
        "apiUrl": f"{url}/api",
        "userPoolId": outputs["UserPoolId"],
        "userPoolClientId": outputs["UserPoolClientId"],
        "identityPoolId": outputs["IdentityPoolId"],
        "bucket": outputs["BucketName"],
        "endpoint": url,
    }


def _differs(item: dict[str, Any] | None, path: Path) -> bool:
    stat = path.stat()
    return (
        item is None
        or item["Size"] != stat.st_size
        or item["LastModified"].timestamp() < stat.st_mtime
    )
