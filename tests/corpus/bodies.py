"""Request bodies that no client of ours would send: no JSON, and JSON of every wrong type."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.corpus.case import Case, unique

REFUSED = frozenset({"InvalidRequest"})

WRONG: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63, 2**64, 10**400, -0.0, 1e308, "", " ", "x", "\0",
    "\x1b[31m", "‮", "é" * 5000, "../../etc/passwd", "s3://", "s3://a", "https://a/b",
    "' OR 1=1 --", "{{7*7}}", "${jndi:x}", "<script>", "٣", [], [None], [[]], {}, {"": None},
    {"$ne": None}, {"S": "x"}, ["x"] * 1000,
)  # fmt: skip
"""Values that stand where another type or another text belongs."""

NO_JSON: Mapping[str, bytes] = {
    "blank": b" ",
    "text": b"hello",
    "half an object": b'{"a": ',
    "half a text": b'"a',
    "a number with a zero before it": b"01",
    "no number": b"NaN",
    "an infinity": b"-Infinity",
    "single quotes": b"{'a': 1}",
    "a comment": b"{} // x",
    "a comma too many": b'{"a": 1,}',
    "two objects": b"{}{}",
    "a control character in a text": b'"\x01"',
    "bytes that are no utf-8": b'{"a": "\xff\xfe"}',
    "half a surrogate": b'{"a": "\\ud800"}',
    "an escape that does not exist": b'{"a": "\\q"}',
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "a mark of byte order": b"\xef\xbb\xbf{}",
    "zeros": bytes(100),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(50),
    "a form": b"a=1&b=2",
    "xml": b'<?xml version="1.0"?><a/>',
    "three hundred lists in each other": b"[" * 300 + b"]" * 300,
    "three hundred objects in each other": b'{"a":' * 300 + b"1" + b"}" * 300,
    "three hundred lists that do not end": b"[" * 300,
    "a number of five thousand digits": b"9" * 5000,
    "a long list": b"[" + b"0," * 50_000 + b"0]",
    "a long text": b'"' + b"x" * 500_000 + b'"',
    "null": b"null",
    "true": b"true",
    "a number": b"1",
    "a list": b"[]",
    "a text of an object": b'"{}"',
}
"""No JSON, or none whose outermost value is an object."""


def raw() -> Iterator[Case]:
    """Bodies that no route takes, whatever it asks for."""
    for name, data in NO_JSON.items():
        yield Case(f"body of {name}", data, REFUSED)


def spoiled(name: str, valid: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, bytes]]:
    """A valid body with one field made wrong in each way, as (name, field, value, body).

    Which of them are valid all the same is the caller's to know: some fields take any text.
    """
    for field in valid:
        yield (
            f"{name} without {field}",
            field,
            None,
            _json({k: valid[k] for k in valid if k != field}),
        )
        for n, value in enumerate(WRONG):
            yield (
                f"{name} with {field} of wrong value {n}",
                field,
                value,
                _json({**valid, field: value}),
            )
        twice = _json(valid)[:-1] + b"," + _json({field: valid[field]})[1:]
        yield f"{name} with {field} twice", field, valid[field], twice


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def container(initialize: Mapping[str, Any], reconstruct: Mapping[str, Any]) -> list[Case]:
    """Bodies for ``/invocations``; the given ones are valid."""
    return unique(_container(initialize, reconstruct))


def _container(initialize: Mapping[str, Any], reconstruct: Mapping[str, Any]) -> Iterable[Case]:
    yield Case("body of nothing", b"", REFUSED)
    yield from raw()
    for task, valid in (("initialize", initialize), ("reconstruct", reconstruct)):
        for name, field, value, body in spoiled(task, valid):
            if not _is_valid(field, value, name):
                yield Case(name, body, _answers(field, value))


def _is_valid(field: str, value: object, name: str) -> bool:
    if name.endswith("twice"):
        return True
    without = f"without {field}" in name
    match field:
        case "text":
            return (
                without
                or value is None
                or (isinstance(value, str) and 0 < len(value.strip()) < 201)
            )
        case "seed":
            return without or value in (0, True, False, "٣")
        case "contract":
            return without or value is True
        case "task":
            return False
        case _:
            return False


def _answers(field: str, value: object) -> frozenset[str]:
    if field == "contract":  # a newer function's
        return REFUSED | {"EndpointUnavailable"}
    return REFUSED
