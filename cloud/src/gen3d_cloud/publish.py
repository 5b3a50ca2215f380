"""Publishes the built web app to a stack: ``python -m gen3d_cloud.publish --stack gen3d``.

Also what the local stack uploads its page with.
"""

import argparse
import gzip
import json
import mimetypes
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from gen3d_cloud.deployed import CloudError, output, outputs

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

DIST = Path(__file__).resolve().parents[3] / "webapp" / "dist"
PREFIX = "public/"

_CONFIG = "config.json"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"
_CLOUDFRONT_COMPRESSES = 10_000_000
"""Bytes; CloudFront passes a larger file on as it is."""

mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".mjs")


class PageConfig(TypedDict):
    """What the page is told of the stack, as ``config.json``."""

    region: str
    engine: str
    apiUrl: str
    userPoolId: str
    userPoolClientId: str
    bucket: str
    selfSignUp: bool
    endpoint: NotRequired[str]
    """One address for every service, where the stack runs on one machine."""


def configuration(outputs: dict[str, str]) -> PageConfig:
    """What ``config.json`` says, from the stack's outputs."""
    return {
        "region": outputs["Region"],
        "engine": outputs["Engine"],
        # Below the page's own address, or the API's own where the stack hosts no page.
        "apiUrl": outputs.get("WebApiUrl", outputs["ApiUrl"]),
        "userPoolId": outputs["UserPoolId"],
        "userPoolClientId": outputs["UserPoolClientId"],
        "bucket": outputs["BucketName"],
        # A stack from before this output does not tell; the form then offers it.
        "selfSignUp": outputs.get("AllowSelfSignUp") != "false",
    }


def publish(dist: Path, s3: "S3Client", bucket: str, config: Mapping[str, object]) -> None:
    """Replace what is in the bucket's public folder.

    The build names everything below ``assets/`` by its content, so browsers keep it for ever; what
    names it is asked for each time, and comes last. Files that CloudFront would not compress are
    uploaded compressed.

    Parameters
    ----------
    dist : pathlib.Path
        What ``npm run build`` made.
    s3 : S3 client
    bucket : str
    config : dict
        See `configuration`.
    """
    names = sorted(
        (path.relative_to(dist).as_posix() for path in dist.rglob("*") if path.is_file()),
        key=lambda name: (not _is_asset(name), name),
    )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX)
    there = {
        item["Key"].removeprefix(PREFIX) for page in pages for item in page.get("Contents", [])
    }
    publish_config(s3, bucket, config)
    for name in names:
        if not (_is_asset(name) and name in there):
            _put(s3, bucket, name, (dist / name).read_bytes())
    for name in there - {_CONFIG, *names}:
        s3.delete_object(Bucket=bucket, Key=PREFIX + name)


def publish_config(s3: "S3Client", bucket: str, config: Mapping[str, object]) -> None:
    """Say where the stack is, by which page and command find it."""
    _put(s3, bucket, _CONFIG, json.dumps(config).encode())


def _is_asset(name: str) -> bool:
    return name.startswith("assets/")


def _put(s3: "S3Client", bucket: str, name: str, body: bytes) -> None:
    request: PutObjectRequestTypeDef = {
        "Bucket": bucket,
        "Key": PREFIX + name,
        "Body": body,
        "ContentType": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "CacheControl": _FOR_EVER if _is_asset(name) else _ASK_EACH_TIME,
    }
    if len(body) > _CLOUDFRONT_COMPRESSES:
        request["Body"] = gzip.compress(body, mtime=0)
        request["ContentEncoding"] = "gzip"
    s3.put_object(**request)


def main(arguments: list[str] | None = None) -> int:
    """Publish to a deployed stack and have CloudFront fetch it anew."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.publish", description=__doc__)
    parser.add_argument("--stack", default="gen3d", help="(%(default)s)")
    parser.add_argument("--region", help="(that of the AWS profile)")
    options = parser.parse_args(arguments)
    if not (DIST / "index.html").exists():
        print("There is no build to publish. Run `make web` first.", file=sys.stderr)
        return 1
    try:
        boto3.setup_default_session(region_name=options.region)
        print(_publish_to(options.stack))
    except (CloudError, BotoCoreError, ClientError) as error:
        print(f"The web app was not published: {error}", file=sys.stderr)
        return 1
    return 0


def _publish_to(stack: str) -> str:
    found = outputs(stack)
    if "DistributionId" not in found:
        raise CloudError(
            f"the stack {stack} hosts no page (WebHosting=none). Serve it here with `make page "
            f"STACK={stack}`, or put webapp/dist where WebOrigins says, with what `python -m "
            f"gen3d_cloud.page --stack {stack} --config` prints as its config.json."
        )
    publish(DIST, boto3.client("s3"), output("BucketName", stack, found), configuration(found))
    cloudfront = boto3.client("cloudfront")
    cloudfront.create_invalidation(
        DistributionId=output("DistributionId", stack, found),
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": str(time.time_ns()),
        },
    )
    return f"Published to {found['WebUrl']}; CloudFront shows it within a minute or two."


if __name__ == "__main__":
    sys.exit(main())
