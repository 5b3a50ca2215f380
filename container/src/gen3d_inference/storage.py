"""Reads and writes S3, with errors that say whether trying again will help."""

from contextlib import suppress
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError

from gen3d.errors import Gen3DError, InputMissing, OutputNotWritable, StorageUnavailable
from gen3d.images import MAX_BYTES
from gen3d.paths import split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CONNECT_SECONDS, READ_SECONDS = 5, 15
ATTEMPTS = 5
"""In all, of what fails before an object's first byte; botocore waits longer before each."""
BODY_ATTEMPTS = 3
"""In all, of what fails after it, which botocore does not try again."""


def connect(region: str | None, read_seconds: float = READ_SECONDS) -> "S3Client":
    """An S3 client that is patient, but not for as long as a job may take."""
    return boto3.client(
        "s3",
        region_name=region,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        ),
    )


class Storage:
    """S3 by address.

    Parameters
    ----------
    client : boto3 S3 client
        See `connect`.
    """

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def read(self, uri: str) -> bytes:
        """Read an object; at most a byte more than any photo may have, which is then refused.

        Raises
        ------
        InputMissing, StorageUnavailable
        """
        bucket, key = split_uri(uri)
        try:
            for _ in range(BODY_ATTEMPTS - 1):
                answer = self._client.get_object(Bucket=bucket, Key=key)
                with suppress(BotoCoreError):
                    return _body(answer)
            return _body(self._client.get_object(Bucket=bucket, Key=key))
        except (ClientError, BotoCoreError) as error:
            raise _unreadable(uri, error) from error

    def require(self, uri: str) -> None:
        """See that an object still exists: when its job was deleted, nothing may be written.

        Raises
        ------
        InputMissing, StorageUnavailable
        """
        bucket, key = split_uri(uri)
        try:
            self._client.head_object(Bucket=bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            raise _unreadable(uri, error) from error

    def write(self, uri: str, data: bytes) -> None:
        """Write an object.

        Raises
        ------
        OutputNotWritable, StorageUnavailable
        """
        bucket, key = split_uri(uri)
        try:
            self._client.put_object(
                Bucket=bucket, Key=key, Body=data, ContentType="application/octet-stream"
            )
        except (ClientError, BotoCoreError) as error:
            if _is_final(error):
                raise OutputNotWritable(
                    f"{uri} cannot be written ({_code(error)}). Check that the bucket exists and "
                    "that the endpoint's role may write there."
                ) from error
            raise _unavailable(error) from error


def _body(answer: "GetObjectOutputTypeDef") -> bytes:
    data: bytes = answer["Body"].read(MAX_BYTES + 1)
    expected = min(answer["ContentLength"], MAX_BYTES + 1)
    if len(data) < expected:  # botocore looks only where it was to read everything
        raise IncompleteReadError(actual_bytes=len(data), expected_bytes=expected)
    return data


def _unreadable(uri: str, error: ClientError | BotoCoreError) -> Gen3DError:
    if not _is_final(error):
        return _unavailable(error)
    return InputMissing(
        f"{uri} cannot be read ({_code(error)}): it was deleted, was never uploaded, or the "
        "endpoint's role may not read it. Upload it and try again."
    )


def _unavailable(error: ClientError | BotoCoreError) -> StorageUnavailable:
    return StorageUnavailable(
        f"S3 is busy or out of reach ({_code(error)}). The request is sent again by itself."
    )


def _is_final(error: ClientError | BotoCoreError) -> bool:
    """Whether the object or the permission is missing; all else may be over in a while."""
    # Without permission to list, S3 answers 403 for an object that does not exist.
    return isinstance(error, ClientError) and error.response.get("ResponseMetadata", {}).get(
        "HTTPStatusCode"
    ) in (403, 404)


def _code(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__
