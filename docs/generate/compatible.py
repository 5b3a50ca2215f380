"""``python -m docs.generate.compatible OLD [NEW]`` says what of a new description breaks callers.

Whoever read the old one must be able to send all that they sent, and to find all that they read:

- of requests, nothing more may be asked for and nothing less be taken;
- of answers, nothing may be missing that was always there, and nothing be of another kind.

What is added breaks nobody. A version that was raised may break what it likes.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias  # noqa: TID251  JSON Schema

Json: TypeAlias = Mapping[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_OPEN = ("ErrorName", "PhotoType")
"""Answers may name more of these in time, and say so."""


def breaks(old: Json, new: Json) -> list[str]:
    """What of the new description breaks callers that were written of the old one."""
    if old["info"]["version"] != new["info"]["version"]:
        return []
    return sorted(set(_Comparison(old, new).operations()))


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new

    def operations(self) -> Iterator[str]:
        for path, item in self._old["paths"].items():
            for method in item.keys() & {*_METHODS}:
                at = f"{method.upper()} {path}"
                now = self._new["paths"].get(path, {}).get(method)
                if now is None:
                    yield f"{at} is gone"
                else:
                    yield from self._operation(at, item[method], now)

    def _operation(self, at: str, old: Json, new: Json) -> Iterator[str]:
        if "security" in old and "security" not in new:
            yield f"{at} asks for a sign-in"
        yield from self._parameters(at, old, new)
        before, after = old.get("requestBody"), new.get("requestBody")
        if after and after["required"] and not (before and before["required"]):
            yield f"{at} asks for a body"
        if before and not after:
            yield f"{at} takes no body"
        was, now = _schema(before or {}), _schema(after or {})
        if was and now:
            yield from self._asked(f"{at}, request", was, now, ())
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                if int(status) < 400:
                    yield f"{at} answers {status} no more"
                continue
            read, found = _schema(answer), _schema(new["responses"][status])
            if read:
                yield from self._told(f"{at}, {status}", read, found or {}, ())

    def _parameters(self, at: str, old: Json, new: Json) -> Iterator[str]:
        before = {p["name"]: p for p in map(self._old_one, old.get("parameters", ()))}
        after = {p["name"]: p for p in map(self._new_one, new.get("parameters", ()))}
        for name in before.keys() - after.keys():
            yield f"{at} takes no {name}"
        for name, parameter in after.items():
            if parameter.get("required") and name not in before:
                yield f"{at} asks for {name}"
            if name in before:
                was = before[name]["schema"]
                yield from self._asked(f"{at}, {name}", was, parameter["schema"], ())

    def _asked(self, at: str, was: Json, now: Json, seen: tuple[str, ...]) -> Iterator[str]:
        """What was sent, and is refused."""
        if (name := was.get("$ref", "")) in seen and name:
            return
        seen = (*seen, name)
        was, now = self._old_one(was), self._new_one(now)
        if "anyOf" in was or "anyOf" in now:
            yield from self._any_asked(at, was, now, seen)
            return
        if was.get("type") != now.get("type") and "type" in now:
            yield f"{at} is to be of another type"
            return
        yield from _narrowed(at, was, now)
        fields, others = was.get("properties", {}), now.get("properties", {})
        for field in fields.keys() - others.keys():
            if now.get("additionalProperties") is False:
                yield f"{at}: {field} is refused"
        for field in {*now.get("required", ())} - {*was.get("required", ())}:
            yield f"{at}: {field} is asked for"
        for field in fields.keys() & others.keys():
            yield from self._asked(f"{at}.{field}", fields[field], others[field], seen)
        if "items" in was and "items" in now:
            yield from self._asked(f"{at}[]", was["items"], now["items"], seen)

    def _any_asked(self, at: str, was: Json, now: Json, seen: tuple[str, ...]) -> Iterator[str]:
        """Each of what could be sent has one by which it is taken."""
        for one in was.get("anyOf", [was]):
            tried = [[*self._asked(at, one, other, seen)] for other in now.get("anyOf", [now])]
            if all(tried):
                yield min(tried, key=len)[0]

    def _told(self, at: str, was: Json, now: Json, seen: tuple[str, ...]) -> Iterator[str]:
        """What was read, and is not there or is something else."""
        name = str(was.get("$ref", ""))
        if (name and name in seen) or name.rsplit("/", 1)[-1] in _OPEN:
            return
        seen = (*seen, name)
        was, now = self._old_one(was), self._new_one(now)
        if "anyOf" in was or "anyOf" in now:
            yield from self._any_told(at, was, now, seen)
            return
        if was.get("type") != now.get("type"):
            yield f"{at} is of another type"
            return
        if more := [v for v in now.get("enum", ()) if v not in was.get("enum", now["enum"])]:
            yield f"{at} may be {', '.join(map(str, more))}"
        fields, others = was.get("properties", {}), now.get("properties", {})
        for field in fields.keys() - others.keys():
            yield f"{at}: {field} is gone"
        for field in {*was.get("required", ())} - {*now.get("required", ())}:
            if field in others:
                yield f"{at}: {field} may be absent"
        for field in fields.keys() & others.keys():
            yield from self._told(f"{at}.{field}", fields[field], others[field], seen)
        for part in ("items", "additionalProperties"):
            if isinstance(was.get(part), dict) and isinstance(now.get(part), dict):
                yield from self._told(f"{at}[]", was[part], now[part], seen)

    def _any_told(self, at: str, was: Json, now: Json, seen: tuple[str, ...]) -> Iterator[str]:
        """Each of what may be answered was one of what could be."""
        for one in now.get("anyOf", [now]):
            tried = [[*self._told(at, before, one, seen)] for before in was.get("anyOf", [was])]
            if all(tried):
                yield min(tried, key=len)[0]

    def _old_one(self, schema: Json) -> Json:
        return _resolved(self._old, schema)

    def _new_one(self, schema: Json) -> Json:
        return _resolved(self._new, schema)


def _schema(body: Json) -> Json | None:
    found: Json | None = body.get("content", {}).get("application/json", {}).get("schema")
    return found


def _resolved(document: Json, schema: Json) -> Json:
    if "$ref" not in schema:
        return schema
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return _resolved(document, found)


def _narrowed(at: str, was: Json, now: Json) -> Iterator[str]:
    for value in was.get("enum", ()):
        if value not in now.get("enum", [value]):
            yield f"{at} may not be {value}"
    if "enum" in now and "enum" not in was:
        yield f"{at} may be some values alone"
    if now.get("pattern") not in (None, was.get("pattern")):
        yield f"{at} has to be of another pattern"
    for bound in _LOWER:
        if bound in now and now[bound] > was.get(bound, float("-inf")):
            yield f"{at} has another {bound}"
    for bound in _UPPER:
        if bound in now and now[bound] < was.get(bound, float("inf")):
            yield f"{at} has another {bound}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; exit code 1 where callers break."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate.compatible", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path, nargs="?", default=Path("docs/openapi.json"))
    options = parser.parse_args(arguments)
    found = breaks(json.loads(options.old.read_text()), json.loads(options.new.read_text()))
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
