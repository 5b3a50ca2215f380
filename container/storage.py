"""Reads and writes S3, with errors that say which address is at fault."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from gen3d.errors import InputMissing, OutputNotWritable
from gen3d.images import MAX_BYTES
from gen3d.paths import split_uri


class Storage:
    """S3 by address.

    Parameters
    ----------
    client : boto3 S3 client
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, uri: str) -> bytes:
        """Read an object; at most a byte more than any photo may have, which is then refused.

        Raises
        ------
        InputMissing
        """
        bucket, key = split_uri(uri)
        try:
            body = self._client.get_object(Bucket=bucket, Key=key)["Body"]
            data: bytes = body.read(MAX_BYTES + 1)
        except ClientError as error:
            # Without permission to list, S3 answers 403 for an object that does not exist.
            raise InputMissing(
                f"{uri} cannot be read ({_code(error)}). Upload it again, and check that the "
                "endpoint's role may read it."
            ) from error
        return data

    def write(self, uri: str, data: bytes) -> None:
        """Write an object.

        Raises
        ------
        OutputNotWritable
        """
        bucket, key = split_uri(uri)
        try:
            self._client.put_object(
                Bucket=bucket, Key=key, Body=data, ContentType="application/octet-stream"
            )
        except (ClientError, BotoCoreError) as error:
            raise OutputNotWritable(
                f"{uri} cannot be written ({_code(error)}). Check that the bucket exists and that "
                "the endpoint's role may write there."
            ) from error


def _code(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__
