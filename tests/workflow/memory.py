"""The services that functions call, in memory: quick enough for thousands of calls a test.

Tables are ministack's, as on the local stack: the real requests and answers of botocore, without a
server. Files, executions' service and mail are dictionaries that raise the services' own errors.
"""

# ruff: noqa: N803  parameters have the names that the services give them

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.support import client_error, resources

Json = dict[str, Any]


class Tables:
    """The stack's tables.

    Attributes
    ----------
    before, after : callable
        Called around each request.
    """

    def __init__(self) -> None:
        from ministack.services import dynamodb

        self._service = dynamodb
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    @contextmanager
    def installed(self) -> Iterator["Tables"]:
        """In the place of DynamoDB for every client of this process."""
        real = BaseClient._make_request  # type: ignore[attr-defined]

        def make_request(one: Any, operation: Any, request: Json, context: Json) -> Any:
            if one.meta.service_model.service_name != "dynamodb":
                return real(one, operation, request, context)
            status, body = self._answer(request)
            answer = {"status_code": status, "headers": {}, "body": body, "context": context}
            return _Http(status), one._response_parser.parse(answer, operation.output_shape)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseClient, "_make_request", make_request)
            self.create()
            yield self

    def create(self) -> None:
        """Make the tables, empty."""
        self.before = self.after = lambda: None
        for name, table in resources("AWS::DynamoDB::Table").items():
            keys = ("KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes")
            definition = {key: table[key] for key in keys if key in table}
            self._call("DeleteTable", {"TableName": name})
            status, body = self._call("CreateTable", {"TableName": name, **definition})
            assert status == 200, body

    def row(self, table: str, **key: str) -> Json | None:
        """An item as it lies there, by a request that is not counted."""
        typed = {name: {"S": value} for name, value in key.items()}
        status, body = self._call("GetItem", {"TableName": table, "Key": typed})
        assert status == 200, body
        found: Json | None = json.loads(body).get("Item")
        return found

    def rows(self, table: str) -> list[Json]:
        """All items of a table, by a request that is not counted."""
        items: list[Json] = json.loads(self._call("Scan", {"TableName": table})[1])["Items"]
        return items

    def _call(self, action: str, data: Json) -> tuple[int, bytes]:
        headers = {"x-amz-target": f"DynamoDB_20120810.{action}"}
        status, _, body = _result(
            self._service.handle_request("POST", "/", headers, json.dumps(data).encode(), {})
        )
        return status, body

    def _answer(self, request: Json) -> tuple[int, bytes]:
        self.before()
        headers = {"x-amz-target": request["headers"]["X-Amz-Target"]}
        status, _, body = _result(
            self._service.handle_request("POST", "/", headers, request["body"], {})
        )
        self.after()
        return status, body


@dataclass(frozen=True)
class _Http:
    status_code: int


def _result(coroutine: Any) -> Any:
    """What a coroutine returns that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise AssertionError("it waits for something")


class Files:
    """A bucket, as much of S3 as the functions use."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}

    def get_object(self, *, Bucket: str, Key: str) -> Json:
        data = self._found(Key, "GetObject")
        return {"ETag": _etag(data), "ContentLength": len(data), "Body": io.BytesIO(data)}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> Json:
        self.data[Key] = Body
        return {}

    def copy_object(self, *, Key: str, CopySource: Json, CopySourceIfMatch: str, **_: Any) -> Json:
        data = self._found(CopySource["Key"], "CopyObject")
        if _etag(data) != CopySourceIfMatch:
            raise client_error("PreconditionFailed", "CopyObject", 412)
        self.data[Key] = data
        return {}

    def delete_objects(self, *, Bucket: str, Delete: Json) -> Json:
        for item in Delete["Objects"]:
            self.data.pop(item["Key"], None)
        return {}

    def get_paginator(self, operation: str) -> "Files":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[Json]:
        moment = datetime.now(UTC)
        yield {
            "Contents": [
                {"Key": key, "LastModified": moment}
                for key in sorted(self.data)
                if key.startswith(Prefix)
            ]
        }

    def generate_presigned_url(self, _operation: str, parameters: Json, **_: Any) -> str:
        return f"https://bucket.example/{parameters['Key']}"

    def _found(self, key: str, operation: str) -> bytes:
        if key not in self.data:
            raise client_error("NoSuchKey", operation, 404)
        return self.data[key]


def _etag(data: bytes) -> str:
    return f'"{hash(data)}"'


class Mails:
    """SES, which may refuse.

    Attributes
    ----------
    sent : Counter of (to, subject)
    refuses : bool
        The next mail.
    """

    def __init__(self) -> None:
        self.sent: Counter[tuple[str, str]] = Counter()
        self.refuses = False

    def send_email(self, *, Content: Json, **_: Any) -> Json:
        if self.refuses:
            self.refuses = False
            raise client_error("TooManyRequestsException", "SendEmail")
        message = message_from_bytes(Content["Raw"]["Data"], policy=policy.default)
        self.sent[str(message["To"]), str(message["Subject"])] += 1
        return {}
