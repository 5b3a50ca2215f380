"""``python -m docs.generate.copies`` writes what others repeat of the domain.

The page has its statuses, formats, options, names of errors and limits in a module of its own, and
the shapes of what it asks and is answered in another. Of the API's routes and models its
description is written, their part of the template, and a sample event of each; of what programs
are told, a schema for those who write rules or receive webhooks. All are committed,
as all are read without Python; with ``--check`` it only says which are stale. A description that
would break its callers is not written: see `compatible`.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel
from pydantic.alias_generators import to_pascal

from docs.generate import typescript
from docs.generate.compatible import breaks
from docs.generate.parts import DocumentError
from docs.generate.sample_events import sample_event
from gen3d import contract, images
from gen3d.announcements import BusEvent, WebhookMessage
from gen3d.errors import ERRORS
from gen3d.formats import MESH_FORMATS, PHOTO_FORMATS, SCENE_FORMATS, SPLAT_FORMATS, MeshFormat
from gen3d.internet import MAX_URL
from gen3d.jobs import MAX_NAME, TERMINAL, ObjectStatus
from gen3d.options import EngineOptions, MeshOptions
from gen3d_api.answers import SHOWN
from gen3d_api.description import alone, document
from gen3d_api.examples import MESSAGES
from gen3d_api.route import Route
from gen3d_api.routes import ROUTES

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path("webapp/src/api/domain.ts")
TYPES = Path("webapp/src/api/types.ts")
DESCRIPTION = Path("docs/openapi.json")
EVENTS = Path("events/api")
TOLD = Path("docs/events")
TEMPLATE = Path("template.yaml")

_WIDTH = 100


def page() -> str:
    """The page's module, as Biome formats it."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "// Written by `make copies` of what layers/gen3d/src/gen3d says; change it there."
    yield from _union("JobStatus", "JOB_STATUSES", SHOWN, "Where a job stands.")
    running = [status for status in SHOWN if status not in TERMINAL]
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
    yield from ("", "/** Those of its gaussians, beside their PLY. */")
    yield from _formats("SPLAT_FORMATS", SPLAT_FORMATS)
    yield from ("", "/** Those of all objects together. */")
    yield from _formats("SCENE_FORMATS", SCENE_FORMATS)
    yield ""
    whole = '(typeof MESH_FORMATS | typeof SPLAT_FORMATS)[number]["ending"] | "preview"'
    yield f"export type MeshFile = {whole};"
    yield 'export type SceneFile = (typeof SCENE_FORMATS)[number]["ending"] | "preview";'
    yield from _options()
    yield from _limit("MAX_OBJECTS", contract.MAX_OBJECTS, "Objects in one job.")
    yield from _limit("MAX_TEXT", contract.MAX_TEXT, "Letters in the name of what is looked for.")
    yield from _limit("SURE", contract.SURE, "Score of a found mask that is offered at once.")
    yield from _limit("LOGIT_ZERO", contract.LOGIT_ZERO, "Byte of a found mask's logit of zero.")
    yield from _limit("LOGIT_STEPS", contract.LOGIT_STEPS, "Bytes from one such logit to the next.")
    yield from _limit("MAX_NAME", MAX_NAME, "Letters in the name of a job or an object.")
    yield from _limit("MAX_URL", MAX_URL, "Letters in an address.")
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


def description() -> str:
    """The API's description, as it is published."""
    return json.dumps(document(ROUTES), indent=2, ensure_ascii=False) + "\n"


def shapes() -> str:
    """The page's types of what it asks and is answered."""
    schemas = document(ROUTES)["components"]["schemas"]
    return typescript.module(schemas, ("ErrorName", "JobStatus", "ObjectStatus", "PhotoType"))


_ROUTES = re.compile(
    r"(  # Routes, which `make copies` writes[^\n]*\n).*?(  # End of the routes)", re.DOTALL
)


def deployed(template: str) -> str:
    """The template with the API's routes."""
    routes = "".join(map(_resource, ROUTES))
    return _ROUTES.sub(lambda found: f"{found[1]}\n{routes}{found[2]}", template)


def _resource(route: Route) -> str:
    if route.for_all:
        access = "AuthorizationType: NONE"
    else:
        access = "AuthorizationType: CUSTOM\n      AuthorizerId: !Ref CallerAuthorizer"
    name = to_pascal(route.answer.__name__)
    return f"""\
  {name}Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref HttpApi
      RouteKey: {route.key}
      {access}
      Target: !Sub integrations/${{ApiIntegration}}

"""


def copies(root: Path) -> dict[Path, str]:
    """What each file that repeats the domain should hold.

    Raises
    ------
    DocumentError
        The API's description would break its callers.
    """
    described = description()
    file = root / DESCRIPTION
    if file.exists() and (broken := breaks(json.loads(file.read_text()), json.loads(described))):
        raise DocumentError(
            "This breaks callers of the API: "
            + "; ".join(broken)
            + ". Do it otherwise, or raise VERSION in gen3d_api/version.py as ADR 45 says."
        )
    events = {EVENTS / f"{r.answer.__name__}.json": sample_event(r) for r in ROUTES}
    return {
        TOLD / "webhook.schema.json": _schema(WebhookMessage, MESSAGES.values()),
        TOLD / "eventbridge.schema.json": _schema(
            BusEvent, [BusEvent.of(message.data) for message in MESSAGES.values()]
        ),
        PAGE: page(),
        TYPES: shapes(),
        DESCRIPTION: described,
        TEMPLATE: deployed((root / TEMPLATE).read_text()),
        **events,
    }


def _schema(model: type[BaseModel], examples: Iterable[BaseModel]) -> str:
    return json.dumps(alone(model, examples), indent=2, ensure_ascii=False) + "\n"


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
