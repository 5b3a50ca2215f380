"""``python -m docs.generate.copies`` writes what others repeat of the domain.

The page has its statuses, formats, options, names of errors and limits in a module of its own, and
the API's description its lists of values and the options' schemas. Both are committed, as both are
read without Python; with ``--check`` it only says which are stale.
"""

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel

from docs.generate.parts import DocumentError
from gen3d import contract, images
from gen3d.errors import ERRORS
from gen3d.formats import MESH_FORMATS, PHOTO_FORMATS, SCENE_FORMATS, MeshFormat
from gen3d.jobs import MAX_NAME, TERMINAL, ObjectStatus, Status
from gen3d.options import EngineOptions, MeshOptions, Options

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path("webapp/src/api/domain.ts")
DESCRIPTION = Path("docs/openapi.yaml")

_WIDTH = 100
_SHOWN = [status for status in Status if status is not Status.DELETED]
"""The API answers that a job that is deleted is not there."""

VALUES: dict[str, list[str]] = {
    "job-statuses": list(_SHOWN),
    "object-statuses": list(ObjectStatus),
    "photo-types": list(PHOTO_FORMATS),
    "errors": sorted(ERRORS),
}
"""Lists of values that the API's description asks for by these names."""

SCHEMAS: dict[str, type[BaseModel]] = {
    model.__name__: model for model in (Options, EngineOptions, MeshOptions)
}
"""Schemas that it asks for by their own."""


def page() -> str:
    """The page's module, as Biome formats it."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "// Written by `make copies` of what layers/gen3d/src/gen3d says; change it there."
    yield from _union("JobStatus", "JOB_STATUSES", _SHOWN, "Where a job stands.")
    running = [status for status in _SHOWN if status not in TERMINAL]
    yield from ("", "/** An execution is at work, or may yet be. */")
    yield from _list("export const RUNNING: readonly JobStatus[] = [", running, "];")
    yield from _union("ObjectStatus", "OBJECT_STATUSES", ObjectStatus, "Where one object stands.")
    yield from _union("ErrorName", "ERROR_NAMES", sorted(ERRORS), "What the API calls a failure.")
    yield from ("", "/** Content types of photos that are taken → their files' endings. */")
    yield "export const PHOTO_ENDINGS = {"
    yield from (f'  "{name}": "{taken.ending}",' for name, taken in PHOTO_FORMATS.items())
    yield from ("} as const;", "", "export type PhotoType = keyof typeof PHOTO_ENDINGS;")
    yield from ("", "/** The files of a mesh, in the order in which they are offered. */")
    yield from _formats("MESH_FORMATS", MESH_FORMATS)
    yield from ("", "/** Those of all objects together. */")
    yield from _formats("SCENE_FORMATS", SCENE_FORMATS)
    yield ""
    yield 'export type MeshFile = (typeof MESH_FORMATS)[number]["ending"] | "preview";'
    yield 'export type SceneFile = (typeof SCENE_FORMATS)[number]["ending"] | "preview";'
    yield from _options()
    yield from _limit("MAX_OBJECTS", contract.MAX_OBJECTS, "Objects in one job.")
    yield from _limit("MAX_TEXT", contract.MAX_TEXT, "Letters in the name of what is looked for.")
    yield from _limit("SURE", contract.SURE, "Score of a found mask that is offered at once.")
    yield from _limit("LOGIT_ZERO", contract.LOGIT_ZERO, "Byte of a found mask's logit of zero.")
    yield from _limit("LOGIT_STEPS", contract.LOGIT_STEPS, "Bytes from one such logit to the next.")
    yield from _limit("MAX_NAME", MAX_NAME, "Letters in the name of a job or an object.")
    yield from _limit("MAX_PHOTO_BYTES", images.MAX_BYTES, "A photo's file.")
    yield from _limit("MAX_PHOTO_PIXELS", images.MAX_PIXELS, "Width times height.")
    yield from _limit("MIN_PHOTO_SIDE", images.MIN_SIDE, "The shorter side, in pixels.")


def _formats(constant: str, formats: Mapping[str, MeshFormat]) -> Iterator[str]:
    yield f"export const {constant} = ["
    for written in formats.values():
        yield from _row({"ending": written.ending, "label": written.label, "use": written.use})
    yield "] as const;"


def _options() -> Iterator[str]:
    yield from ("", "/** What people read of each option, and its value where nobody chooses. */")
    yield "export const OPTIONS = {"
    for part, model in (("engine", EngineOptions), ("mesh", MeshOptions)):
        yield f"  {part}: {{"
        for name, field in model.model_fields.items():
            default = json.dumps(field.default)
            yield f'    {name}: {{ title: "{field.title}", default: {default} }},'
        yield "  },"
    yield "} as const;"


def _union(name: str, constant: str, values: Iterable[str], says: str) -> Iterator[str]:
    yield from ("", f"/** {says} */")
    yield from _list(f"export const {constant} = [", values, "] as const;")
    yield from ("", f"export type {name} = (typeof {constant})[number];")


def _list(opening: str, values: Iterable[str], closing: str) -> Iterator[str]:
    quoted = [f'"{value}"' for value in values]
    line = opening + ", ".join(quoted) + closing
    if len(line) <= _WIDTH:
        yield line
        return
    yield opening
    yield from (f"  {value}," for value in quoted)
    yield closing


def _row(fields: Mapping[str, str]) -> Iterator[str]:
    pairs = [f'{name}: "{value}"' for name, value in fields.items()]
    line = f"  {{ {', '.join(pairs)} }},"
    if len(line) <= _WIDTH:
        yield line
        return
    yield "  {"
    yield from (f"    {pair}," for pair in pairs)
    yield "  },"


def _limit(name: str, value: float, says: str) -> Iterator[str]:
    written = f"{value:_}" if value >= 10_000 else str(value)
    yield from ("", f"/** {says} */", f"export const {name} = {written};")


_ENUM = re.compile(r"^(?P<indent> *)enum: # (?P<name>[\w-]+)\n(?:(?P=indent) +.*\n)*", re.MULTILINE)


_SCHEMA = re.compile(
    r"^(?P<indent> *)(?P<name>\w+): # schema\n(?:(?P=indent) +.*\n)*", re.MULTILINE
)


def described(text: str) -> str:
    """Fill lists of values behind ``enum: # NAME``, and what is below ``NAME: # schema``.

    Raises
    ------
    DocumentError
        `VALUES`, or `SCHEMAS`, has none of this name.
    """

    def filled(match: re.Match[str]) -> str:
        indent, name = match["indent"], match["name"]
        if name not in VALUES:
            raise DocumentError(f"{DESCRIPTION}: there are no values {name!r}; see {__name__}.")
        listed = textwrap.fill(
            f"[{', '.join(VALUES[name])}]",
            _WIDTH,
            initial_indent=indent + "  ",
            subsequent_indent=indent + "   ",
            break_long_words=False,
        )
        return f"{indent}enum: # {name}\n{listed}\n"

    return _SCHEMA.sub(_schema, _ENUM.sub(filled, text))


def _schema(match: re.Match[str]) -> str:
    indent, name = match["indent"], match["name"]
    if name not in SCHEMAS:
        raise DocumentError(f"{DESCRIPTION}: there is no schema {name!r}; see {__name__}.")
    schema = SCHEMAS[name].model_json_schema(ref_template="#/components/schemas/{model}")
    shown = {key: value for key, value in schema.items() if key not in ("$defs", "description")}
    # A request with a field that is unknown is refused; answers say it the other way round.
    shown["additionalProperties"] = False
    written = yaml.safe_dump(shown, sort_keys=False, width=_WIDTH - len(indent) - 2)
    return f"{indent}{name}: # schema\n{textwrap.indent(written, indent + '  ')}"


def copies(root: Path) -> dict[Path, str]:
    """What each file that repeats the domain should hold."""
    return {PAGE: page(), DESCRIPTION: described((root / DESCRIPTION).read_text())}


def update(root: Path, check: bool) -> list[str]:
    """Write the files, or only look where `check` is true.

    Returns
    -------
    list of str
        Names of those that were stale.
    """
    stale = []
    for path, text in copies(root).items():
        file = root / path
        if not file.exists() or file.read_text() != text:
            stale.append(str(path))
            if not check:
                file.write_text(text)
    return stale


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; exit code 1 where a file is stale or cannot be filled."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate.copies", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    try:
        stale = update(ROOT, options.check)
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 1
    if stale and options.check:
        print(f"Stale: {', '.join(stale)}. Run `make copies`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
