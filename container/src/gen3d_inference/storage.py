"""Reads and writes S3, with errors that say whether trying again will help.

What they say is for the person whose job it is; addresses and S3's own words are for the log.
"""

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict, Unpack

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError

from gen3d.errors import Gen3DError, InputMissing, OutputNotWritable, StorageUnavailable
from gen3d.images import MAX_BYTES
from gen3d.paths import split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

logger = logging.getLogger(__name__)

CONNECT_SECONDS, READ_SECONDS = 5, 15
ATTEMPTS = 5
"""In all, of what fails before an object's first byte; botocore waits longer before each."""
BODY_ATTEMPTS = 3
"""In all, of what fails after it, which botocore does not try again."""

_THERE = ("PreconditionFailed", "ConditionalRequestConflict")
"""Somebody has written the object before, or writes it at this moment."""


class _Also(TypedDict, total=False):
    """What a write depends on, and what it says of the object."""

    IfNoneMatch: str
    ContentEncoding: str


def connect(region: str | None, read_seconds: float = READ_SECONDS) -> "S3Client":
    """An S3 client that is patient, but not for as long as a job may take.

    It adds no checksums of bodies, and no signatures, to what TLS does on the way: with them an
    upload took twice as long.
    """
    return boto3.client(
        "s3",
        region_name=region,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            request_checksum_calculation="when_required",
            s3={"payload_signing_enabled": False},
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

    def read(self, uri: str, what: str, most: int = MAX_BYTES) -> bytes:
        """Read an object; at most a byte more than it may have, which is then refused.

        Parameters
        ----------
        uri : str
        what : str
            What it is to the person: “photo”, “mask”.
        most : int
            Bytes that it may have; those of a photo.

        Raises
        ------
        InputMissing, StorageUnavailable
        """
        bucket, key = split_uri(uri)
        try:
            for _ in range(BODY_ATTEMPTS - 1):
                answer = self._client.get_object(Bucket=bucket, Key=key)
                with suppress(BotoCoreError):
                    return _body(answer, most)
            return _body(self._client.get_object(Bucket=bucket, Key=key), most)
        except (ClientError, BotoCoreError) as error:
            raise _unreadable(uri, what, error) from error

    def require(self, uri: str, what: str) -> None:
        """See that an object still exists: when its job was deleted, nothing may be written.

        Parameters
        ----------
        uri, what : str
            As `read` takes them.

        Raises
        ------
        InputMissing, StorageUnavailable
        """
        bucket, key = split_uri(uri)
        try:
            self._client.head_object(Bucket=bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            raise _unreadable(uri, what, error) from error

    def write(self, uri: str, data: bytes, encoding: str | None = None) -> None:
        """Write an object.

        Parameters
        ----------
        uri, data
        encoding : str, optional
            What whoever fetches it by HTTP takes off by itself, such as ``gzip``.

        Raises
        ------
        OutputNotWritable, StorageUnavailable
        """
        try:
            self._put(uri, data, **({"ContentEncoding": encoding} if encoding else {}))
        except (ClientError, BotoCoreError) as error:
            raise _unwritable(uri, error) from error

    def write_once(self, uri: str, data: bytes) -> None:
        """Write an object where there is none yet, whatever it would hold.

        Raises
        ------
        OutputNotWritable, StorageUnavailable
        """
        try:
            self._put(uri, data, IfNoneMatch="*")
        except (ClientError, BotoCoreError) as error:
            if _code(error) not in _THERE:
                raise _unwritable(uri, error) from error

    def _put(self, uri: str, data: bytes, **also: Unpack[_Also]) -> None:
        bucket, key = split_uri(uri)
        media_type = "application/octet-stream"
        self._client.put_object(Bucket=bucket, Key=key, Body=data, ContentType=media_type, **also)


def _body(answer: "GetObjectOutputTypeDef", most: int) -> bytes:
    data: bytes = answer["Body"].read(most + 1)
    expected = min(answer["ContentLength"], most + 1)
    if len(data) < expected:  # botocore looks only where it was to read everything
        raise IncompleteReadError(actual_bytes=len(data), expected_bytes=expected)
    return data


def _unreadable(uri: str, what: str, error: ClientError | BotoCoreError) -> Gen3DError:
    _log("An object cannot be read", uri, error)
    if not _is_final(error):
        return _unavailable()
    return InputMissing(
        f"The {what} is gone: it was deleted, or was never uploaded. "
        "Start a new job with the photo."
    )


def _unwritable(uri: str, error: ClientError | BotoCoreError) -> Gen3DError:
    _log("An object cannot be written", uri, error)
    if not _is_final(error):
        return _unavailable()
    return OutputNotWritable(
        "The model's result could not be kept. Try again, and tell the operator if it fails again."
    )


def _unavailable() -> StorageUnavailable:
    return StorageUnavailable(
        "The storage is busy or out of reach. The request is sent again by itself."
    )


def _log(message: str, uri: str, error: ClientError | BotoCoreError) -> None:
    logger.error(message, extra={"fields": {"uri": uri, "code": _code(error)}})


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
