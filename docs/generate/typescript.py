"""The API's schemas as TypeScript, for the page."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias  # noqa: TID251  JSON Schema

Schema: TypeAlias = Mapping[str, Any]

_WIDTH = 100
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def module(schemas: Mapping[str, Schema], elsewhere: tuple[str, ...]) -> str:
    """A module with an interface or a type for each schema.

    Parameters
    ----------
    schemas : mapping of str to dict
        Name → JSON Schema, whose references end in such a name.
    elsewhere : tuple of str
        Names that ``./domain`` has.
    """
    imported = [name for name in sorted(elsewhere, key=str.lower) if name in schemas]
    parts = [
        "// Written by `make copies` of functions/api/src/gen3d_api; change it there.",
        f'import type {{ {", ".join(imported)} }} from "./domain.js";',
    ]
    parts += [
        "\n".join(_declared(name, schema))
        for name, schema in schemas.items()
        if name not in elsewhere
    ]
    return "\n\n".join(parts) + "\n"


def _declared(name: str, schema: Schema) -> Iterator[str]:
    yield from _comment(schema, "")
    if "properties" not in schema:
        line = f"export type {name} = {_type(schema)};"
        if len(line) <= _WIDTH:
            yield line
        else:  # a union, as Biome writes one that is wider
            yield f"export type {name} ="
            yield "\n".join(f"  | {one}" for one in _type(schema).split(" | ")) + ";"
        return
    required = schema.get("required", ())
    yield f"export interface {name} {{"
    for field, of_field in schema["properties"].items():
        yield from _comment(of_field, "  ")
        mark = "" if field in required else "?"
        yield f"  {field}{mark}: {_type(of_field)};"
    yield "}"


def _comment(schema: Schema, indent: str) -> Iterator[str]:
    said = str(schema.get("description", ""))
    if schema.get("deprecated"):
        said += "\n\n@deprecated"
    if not said:
        return
    line = f"{indent}/** {said} */"
    if len(line) <= _WIDTH and "\n" not in said:
        yield line
        return
    yield f"{indent}/**"
    for paragraph in said.split("\n"):
        yield from textwrap.wrap(
            paragraph,
            _WIDTH,
            initial_indent=f"{indent} * ",
            subsequent_indent=f"{indent} * ",
            break_long_words=False,
        ) or [f"{indent} *"]
    yield f"{indent} */"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        return _list(schema)
    if kind == "object":
        others = schema.get("additionalProperties")
        return f"Record<string, {_type(others) if isinstance(others, dict) else 'unknown'}>"
    return "null" if kind == "null" else _PLAIN[str(kind)]


def _list(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_type(item) for item in schema['prefixItems'])}]"
    items = _type(schema["items"])
    return f"({items})[]" if " | " in items else f"{items}[]"
