"""What is answered is kept, or it is said that it was not."""

import asyncio
import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ministack.services import s3

from local_aws import persistence

CONTENT = b"a photo"


class Bucket:
    """S3's bucket, as ministack keeps it, on a disk of a size."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, free: int = 1 << 40) -> None:
        self.objects: dict[str, Any] = {}
        self.calls = 0
        self.fault: OSError | None = None
        monkeypatch.setattr(s3, "_buckets", {"bucket": {"objects": self.objects}})
        monkeypatch.setattr(s3, "_atomic_write", self._write)
        monkeypatch.setattr(s3, "DATA_DIR", str(folder))
        monkeypatch.setattr(s3, "_persist_object", persistence._raising(s3._persist_object))
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
        self._handle = persistence.Disk(folder).guard(self._put)

    def put(self, method: str = "PUT") -> tuple[int, str]:
        """Status and body of the answer to an upload."""
        status, _, body = asyncio.run(self._handle(method, "/bucket/key", {}, CONTENT, {}))
        return status, body.decode()

    async def _put(self, _method: str, _path: str, _headers: Any, body: bytes, _query: Any) -> Any:
        self.calls += 1
        self.objects["key"] = {"body": body}
        s3._persist_object("bucket", "key", self.objects["key"])
        return 204, {}, b""

    def _write(self, path: str, data: Any, *, text: bool = False) -> None:
        if self.fault:
            raise self.fault
        Path(path).write_bytes(data.encode() if text else data)


def test_an_upload_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bucket = Bucket(monkeypatch, tmp_path)
    assert bucket.put() == (204, "")
    assert CONTENT in [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_no_upload_begins_where_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, method: str
) -> None:
    bucket = Bucket(monkeypatch, tmp_path, free=persistence._RESERVE_BYTES + len(CONTENT) - 1)
    status, body = bucket.put(method)
    assert (status, bucket.calls) == (507, 0)
    assert persistence.FULL in body


def test_an_upload_that_was_not_written_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket = Bucket(monkeypatch, tmp_path)
    bucket.fault = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    status, body = bucket.put()
    assert status == 507
    assert persistence.FULL in body
    assert not bucket.objects
