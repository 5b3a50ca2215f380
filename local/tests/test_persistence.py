"""What is answered is kept, or it is said that it was not."""

import asyncio
import errno
import os
import shutil
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest
from ministack import app
from ministack.core import iam_evaluator
from ministack.core import persistence as saved
from ministack.services import s3
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution import Execution

from local_aws import permissions, persistence
from local_aws.services import Response
from local_aws.workflow import executions

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

        async def answer() -> Response:
            return await self._handle(method, "/bucket/key", {}, CONTENT, {})

        status, _, body = asyncio.run(answer())
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


def pages(database: sqlite3.Connection, most: int) -> None:
    """Let a file have so many pages, as if its disk had no room for more."""
    database.execute(f"pragma max_page_count = {most}")


def test_items_that_found_no_room_are_written_with_the_next(tmp_path: Path) -> None:
    items = persistence.Items(tmp_path / "items.db")
    table: persistence.Table = {
        "TableId": "t",
        "items": {"ada": {"1": {"name": {"S": "x" * 9999}}}},
    }
    pages(items._database, 1)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        items._write([(table, ("ada", "1"))])
    pages(items._database, 1000)
    table["items"]["ada"]["2"] = {}
    items._write([(table, ("ada", "2"))])
    kept = items._database.execute("select key from items order by key").fetchall()
    assert kept == [('["ada", "1"]',), ('["ada", "2"]',)]
    assert items._owed == []


class Disk:
    """Executions, of which one stands before its first state, on a disk without room."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executions, "_FULL_SECONDS", 0.01)
        self.kept = executions.Executions(folder, lambda _detail: None)
        self.tries = 0
        keep = self.kept.past.keep

        def count(record: Any) -> None:
            self.tries += 1
            keep(record)

        monkeypatch.setattr(self.kept.past, "keep", count)
        self.execution = SimpleNamespace(
            exec_arn="arn",
            name="job",
            exec_status=ExecutionStatus.RUNNING,
            status="RUNNING",
            execution_input="x" * 9999,
            start_date=datetime.now(UTC),
            state_machine=SimpleNamespace(arn="machine", definition="{}"),
            **dict.fromkeys(("stop_date", "output", "error", "cause", "exec_worker")),
        )
        self.room(1)

    def room(self, most: int) -> None:
        pages(self.kept.past._database, most)

    def write(self) -> None:
        self.kept._keep(cast(Execution, self.execution))


def test_an_execution_goes_on_when_the_disk_has_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path, monkeypatch)
    branch = threading.Thread(target=disk.write, daemon=True)
    branch.start()
    while disk.tries < 3:
        time.sleep(0.01)
    assert branch.is_alive()
    disk.room(1000)
    branch.join(60)
    assert disk.kept.past.running()[0]["detail"]["name"] == "job"


def test_a_stack_that_ends_waits_for_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path, monkeypatch)
    disk.kept.freeze()
    with pytest.raises(sqlite3.OperationalError, match="full"):
        disk.write()
    assert disk.tries == 1


def test_a_permission_that_is_not_noted_is_noted_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = SimpleNamespace(decision="Allow")
    monkeypatch.setattr(iam_evaluator, "evaluate", lambda *_request: allowed)
    monkeypatch.setattr(permissions, "_used", lambda *_request: [("role", "s3:GetObject", "*")])
    file = tmp_path / "logs" / "permissions.jsonl"
    permissions.install(file)
    context = SimpleNamespace(principal_arn="arn:aws:sts::1:assumed-role/role/session")
    assert iam_evaluator.evaluate(context, []) is allowed
    file.parent.mkdir()
    for _ in range(2):
        iam_evaluator.evaluate(context, [])
    assert file.read_text().splitlines() == ['["role", "s3:GetObject", "*"]']


@pytest.mark.parametrize(("room", "status"), [(True, 200), (False, 507)])
def test_a_person_who_is_not_kept_is_not_told_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: bool, status: int
) -> None:
    async def sign_up(*_request: Any) -> Any:
        return 200, {}, b"{}"

    monkeypatch.setattr(saved, "STATE_DIR", str(tmp_path))
    monkeypatch.setattr(saved, "PERSIST_STATE", True)
    monkeypatch.setattr(app, "_build_persistence_save_dict", lambda: {"cognito": dict})
    if not room:
        monkeypatch.setattr(os, "replace", _full)
    handle = persistence._saving("cognito-idp", ("cognito",), sign_up)
    target = {"x-amz-target": "AWSCognitoIdentityProviderService.SignUp"}

    async def ask() -> int:
        return (await handle("POST", "/", target, b"{}", {}))[0]

    assert [asyncio.run(ask()) for _ in range(2)] == [status, status]


def _full(*_arguments: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
