"""Puts a sealed weights folder where the endpoint looks for it: ``models/{engine}/{revision}/``.

``python -m gen3d_inference.weights_upload DIR --bucket BUCKET`` does so for either engine.
"""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from gen3d.errors import Gen3DError, OutputNotWritable
from gen3d.paths import MODELS, uri
from gen3d_inference.weights import MANIFEST, Manifest, check

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PART_BYTES = 64 * 1024 * 1024
_DIGEST = "sha256"
"""Metadata of an uploaded file. S3's own checksum of parts is not the file's."""

logger = logging.getLogger(__name__)


def prefix(manifest: Manifest) -> str:
    """Where these weights lie in the bucket, with the closing slash."""
    return f"{MODELS}{manifest.engine}/{manifest.revision}/"


def upload(folder: Path, manifest: Manifest, bucket: str, s3: "S3Client | None" = None) -> int:
    """Upload what is not there yet; the manifest comes last, so where it is, all of it is.

    Parameters
    ----------
    folder : Path
        Sealed; `manifest` is its manifest.
    manifest : Manifest
    bucket : str
    s3 : boto3 S3 client, optional

    Returns
    -------
    int
        How many files were uploaded; the others had arrived before, whole.

    Raises
    ------
    OutputNotWritable
    """
    client = s3 or boto3.client("s3")
    try:
        missing = [
            (name, file.sha256)
            for name, file in manifest.files.items()
            if not _is_there(client, bucket, prefix(manifest) + name, file.sha256)
        ]
        for name, digest in missing:
            logger.info("Uploading %s (%d bytes)", name, manifest.files[name].bytes)
            _upload(client, folder / name, bucket, prefix(manifest) + name, digest)
        _upload(client, folder / MANIFEST, bucket, prefix(manifest) + MANIFEST, "")
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise OutputNotWritable(
            f"The weights cannot be written to {uri(bucket, prefix(manifest))}: {error}. Check the "
            "bucket's name and your permissions, then run this again: it goes on where it stopped."
        ) from error
    return len(missing)


def next_step(manifest: Manifest) -> str:
    """What to type once these weights are uploaded; the stack keeps its other parameters."""
    return (
        f"sam deploy --parameter-overrides Engine={manifest.engine} "
        f"WeightsRevision={manifest.revision} ContainerImage=URI-OF-THE-IMAGE"
    )


def _is_there(client: "S3Client", bucket: str, key: str, digest: str) -> bool:
    try:
        found = client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # Without permission to list, S3 answers 403 for an object that does not exist.
        if error.response.get("Error", {}).get("Code") in ("404", "403"):
            return False
        raise
    return bool(found["Metadata"].get(_DIGEST) == digest)


def _upload(client: "S3Client", path: Path, bucket: str, key: str, digest: str) -> None:
    client.upload_file(
        str(path),
        bucket,
        key,
        ExtraArgs={"ChecksumAlgorithm": "SHA256", "Metadata": {_DIGEST: digest} if digest else {}},
        Config=TransferConfig(multipart_chunksize=_PART_BYTES, multipart_threshold=_PART_BYTES),
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m gen3d_inference.weights_upload", description=__doc__
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bucket", required=True, help="the stack's output BucketName")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        manifest = check(options.folder)
        upload(options.folder, manifest, options.bucket)
    except Gen3DError as error:
        print(error.message, file=sys.stderr)
        return 1
    print(f"{uri(options.bucket, prefix(manifest))} is whole. Next:\n{next_step(manifest)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
