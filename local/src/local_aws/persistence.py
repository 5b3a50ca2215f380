"""Writes ministack's state when it changes, so that a kill at any moment loses nothing it answered.

ministack saves all of its state at once, when it ends. Items of tables are written here one by one,
before the answer; what changes rarely, as people and state machines, is saved whole with each
change; the rest every half minute. S3 writes each object itself, but answers that it did where it
could not.
"""

import json
import logging
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypedDict

from ministack import app
from ministack.core import persistence
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb, s3

from local_aws.databases import open_database
from local_aws.services import Handler, Query, Response

log = logging.getLogger(__name__)


class Table(TypedDict):
    """A table of DynamoDB's as ministack keeps it: its items by partition and sort key."""

    TableId: str
    items: dict[str, dict[str, object]]


_SAVED_WITH_EACH_CHANGE = {
    "cognito-idp": ("cognito",),
    "cognito-identity": ("cognito", "sts"),
    "dynamodb": ("dynamodb",),
    "events": ("eventbridge",),
    "iam": ("iam",),
    "scheduler": ("scheduler",),
    "states": ("stepfunctions",),
}
"""Files of ministack's state by service."""

_TABLE_CHANGES = ("CreateTable", "DeleteTable", "UpdateTable", "UpdateTimeToLive", "TagResource")
_READS = ("Get", "List", "Describe")
_RESERVE_BYTES = 64 * 1024 * 1024
"""What has to stay free, so that records and logs still find room when uploads do not."""

FULL = "The disk is full, so nothing was kept. Free some space and try again."


class Items:
    """The items of DynamoDB's tables, in a file that is written before a request is answered.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._database = open_database(
            path,
            "create table if not exists items (table_id text, key text, item text not null, "
            "primary key (table_id, key)) strict, without rowid",
        )
        self._lock = threading.Lock()
        self._changed = threading.local()
        self._owed: list[tuple[Table, tuple[str, str]]] = []

    def install(self) -> None:
        """Keep what ministack's DynamoDB keeps in memory."""
        self._note_each_change()
        self._write_before_the_answer()
        self._leave_items_out_of_the_state()

    def _note_each_change(self) -> None:
        set_item, remove_item = dynamodb._set_item, dynamodb._remove_item
        items_replaced = dynamodb._items_replaced

        def set_noted(table: Table, pk: str, sk: str, item: object) -> object:
            old: object = set_item(table, pk, sk, item)
            self._note(table, [(pk, sk)])
            return old

        def remove_noted(table: Table, pk: str, sk: str) -> object:
            old: object = remove_item(table, pk, sk)
            self._note(table, [(pk, sk)])
            return old

        def replaced_noted(table: Table) -> None:
            items_replaced(table)
            with self._lock:
                rows = self._database.execute(
                    "select key from items where table_id = ?", (table["TableId"],)
                )
                keys = {tuple(json.loads(key)) for (key,) in rows}
            self._note(table, keys | {(pk, sk) for pk, row in table["items"].items() for sk in row})

        dynamodb._set_item, dynamodb._remove_item = set_noted, remove_noted
        dynamodb._items_replaced = replaced_noted

    def _note(self, table: Table, keys: Iterable[tuple[str, str]]) -> None:
        noted = getattr(self._changed, "noted", None)
        if noted is None:  # no request: items that expire
            self._write([(table, key) for key in keys])
        else:
            noted.extend((table, key) for key in keys)

    def _write_before_the_answer(self) -> None:
        """All items of a request at once, as a transaction changes all or none."""
        handle: Handler = app.SERVICE_HANDLERS["dynamodb"]

        async def handle_and_write(
            method: str, path: str, headers: dict[str, str], body: bytes, query: Query
        ) -> Response:
            # ministack answers without waiting for anything, so one thread has one request.
            self._changed.noted = []
            try:
                answer = await handle(method, path, headers, body, query)
                self._write(self._changed.noted)
            finally:
                self._changed.noted = None
            return answer

        app.SERVICE_HANDLERS["dynamodb"] = handle_and_write

    def _write(self, changes: list[tuple[Table, tuple[str, str]]]) -> None:
        """Write items as they are now, with those that a full disk did not keep before."""
        if not changes:
            return
        with self._lock:
            self._owed += changes
            self._write_owed()
            self._owed = []

    def _write_owed(self) -> None:
        with self._database:
            self._database.execute("begin immediate")
            for table, (pk, sk) in self._owed:
                row, key = table["items"].get(pk, {}).get(sk), json.dumps([pk, sk])
                if row is None:
                    self._database.execute(
                        "delete from items where table_id = ? and key = ?", (table["TableId"], key)
                    )
                else:
                    self._database.execute(
                        "insert or replace into items values (?, ?, ?)",
                        (table["TableId"], key, json.dumps(row)),
                    )

    def _leave_items_out_of_the_state(self) -> None:
        get_state, load = dynamodb.get_state, dynamodb.load_persisted_state

        def get_state_of_tables() -> dict[str, object]:
            tables, empty = dynamodb._tables, AccountRegionScopedDict()
            for key, table in tables.all_items():
                empty.set_scoped(*key, table | {"items": {}})
            dynamodb._tables = empty
            try:
                return dict(get_state())
            finally:
                dynamodb._tables = tables

        def load_with_items(state: object) -> None:
            load(state)
            self._load()

        dynamodb.get_state, dynamodb.load_persisted_state = get_state_of_tables, load_with_items

    def _load(self) -> None:
        tables = {table["TableId"]: table for table in dynamodb._tables.all_values()}
        for table in tables.values():  # a state of an earlier version has its items in it
            self._write([(table, (pk, sk)) for pk, row in table["items"].items() for sk in row])
        with self._lock:
            rows = self._database.execute("select table_id, key, item from items").fetchall()
        for table_id, key, item in rows:
            if table_id in tables:
                pk, sk = json.loads(key)
                tables[table_id]["items"].setdefault(pk, {})[sk] = json.loads(item)
        for table in tables.values():
            dynamodb._update_counts(table)


def save_with_each_change() -> None:
    """Save what changes rarely before the change is answered."""
    for service, files in _SAVED_WITH_EACH_CHANGE.items():
        app.SERVICE_HANDLERS[service] = _saving(service, files, app.SERVICE_HANDLERS[service])


def _saving(service: str, files: tuple[str, ...], handle: Handler) -> Handler:
    async def handle_and_save(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Query
    ) -> Response:
        answer = await handle(method, path, headers, body, query)
        if answer[0] < 400 and _changes(service, method, headers, query):
            states = app._build_persistence_save_dict()
            if not all(_saved(name, states[name]) for name in files if name in states):
                return _not_saved()
        return answer

    return handle_and_save


def _saved(name: str, state: Callable[[], object]) -> bool:
    """Save a state, and say whether that went well: ministack logs that it did not, and goes on.

    What it writes is another file each time, which takes the name of the one before.
    """
    path = Path(persistence.STATE_DIR) / f"{name}.json"
    before = _inode(path)
    persistence.save_all({name: state})
    return _inode(path) != before


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _not_saved() -> Response:
    """In the way of the services that speak JSON; a status that their SDKs do not try again."""
    body = json.dumps({"__type": "InternalErrorException", "message": FULL})
    return 507, {"Content-Type": "application/x-amz-json-1.1"}, body.encode()


def _changes(service: str, method: str, headers: dict[str, str], query: Query) -> bool:
    action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
    if service == "dynamodb":
        return action in _TABLE_CHANGES
    if (
        service == "cognito-identity"
    ):  # whose GetId and GetCredentialsForIdentity make what they get
        return True
    action = action or str((query.get("Action") or [""])[0])
    return not action.startswith(_READS) if action else method != "GET"


class Disk:
    """Says that an object was not kept, where ministack says that it was.

    Parameters
    ----------
    folder : pathlib.Path
        Where S3's objects lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def install(self) -> None:
        """Take over S3's writing from ministack."""
        s3._persist_object = _raising(s3._persist_object)
        app.SERVICE_HANDLERS["s3"] = self.guard(app.SERVICE_HANDLERS["s3"])

    def guard(self, handle: Handler) -> Handler:
        """Refuse what brings content when there is no room for it."""

        async def handle_with_room(
            method: str, path: str, headers: dict[str, str], body: bytes, query: Query
        ) -> Response:
            if method in ("PUT", "POST") and not self._has_room(len(body)):
                return _full()
            try:
                return await handle(method, path, headers, body, query)
            except NotKept as error:
                log.error("%s", error)
                return _full()

        return handle_with_room

    def _has_room(self, size: int) -> bool:
        return shutil.disk_usage(self._folder).free >= size + _RESERVE_BYTES


class NotKept(Exception):
    """An object could not be written."""


def _raising(persist: Callable[..., None]) -> Callable[..., None]:
    """Ministack logs that an object was not written, and goes on."""

    def persist_or_raise(bucket: str, key: str, content: object) -> None:
        kept = content if isinstance(content, dict) else {}
        held = kept.get("body") is not None
        persist(bucket, key, content)
        if held and kept["body"] is not None:  # it lets go of what it has written
            s3._buckets[bucket]["objects"].pop(key, None)
            raise NotKept(f"{bucket}/{key} was not kept.")

    return persist_or_raise


def _full() -> Response:
    body = f"<Error><Code>InternalError</Code><Message>{FULL}</Message></Error>"
    return 507, {"Content-Type": "application/xml"}, body.encode()
