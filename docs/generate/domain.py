"""What the code's own modules say: errors, where files lie, what the API may be asked."""

import inspect
import json
from collections.abc import Iterator

from pydantic import BaseModel

from docs.generate.parts import code, table
from gen3d import errors as domain_errors
from gen3d.formats import MESH_FORMATS, PHOTO_FORMATS, SPLAT_FORMATS
from gen3d.paths import (
    JobFiles,
    ObjectFiles,
    async_input,
    decoder,
    job_prefix,
)
from gen3d_api.answers import JobView
from gen3d_api.examples import EXAMPLES
from gen3d_api.route import Route
from gen3d_api.routes import ROUTES

_WIDTH = 100


def errors() -> str:
    """Every named error, with the status that the API and the endpoint answer it with."""
    return table(
        ["error", "HTTP", "meaning"],
        [(code(name), str(cls.status), _says(cls)) for name, cls in domain_errors.ERRORS.items()],
    )


def files() -> str:
    """Every file that a job leaves in the bucket, and what it holds."""
    job = JobFiles(job_prefix("{identityId}", "{jobId}"))
    one = job.object("{n}")  # type: ignore[arg-type]  # a place for the number
    endings = ",".join(taken.ending for taken in PHOTO_FORMATS.values())
    image = job.image("image/jpeg").removesuffix("jpg") + f"{{{endings}}}"
    return table(
        ["key", "what"],
        [
            (code(image), _says(JobFiles.image)),
            (code(job.embeddings), _says(JobFiles.embeddings)),
            (code(one.mask), _says(ObjectFiles.mask)),
            (code(one.splat), _says(ObjectFiles.splat)),
            (code(one.engine_mesh), _says(ObjectFiles.engine_mesh)),
            (code(one.mesh(f"{{{','.join(MESH_FORMATS)}}}")), _says(ObjectFiles.mesh)),
            (code(one.preview), _says(ObjectFiles.preview)),
            (code(job.result), _says(JobFiles.result)),
            (code(decoder("{engine}", "{revision}")), _says(decoder)),
            (code(async_input("{jobId}-{run}-{stage}-{n}-{attempt}")), _says(async_input)),
        ],
    )


def routes() -> str:
    """What the API may be asked."""
    return table(["request", "what it does"], [(code(r.key), r.says) for r in ROUTES])


def requests() -> str:
    """Each request with an example, what is answered, and what is refused."""
    return "\n\n".join("\n\n".join(_request(route)) for route in ROUTES)


def _request(route: Route) -> Iterator[str]:
    yield f"### {route.key}"
    yield " ".join(filter(None, (route.says, route.details)))
    if route.body is not None:
        yield _example(route.body)
    given = [(str(status), gives.says) for status, gives in sorted(route.gives.items())]
    refused: dict[int, list[str]] = {}
    for error in route.errors:
        refused.setdefault(error.status, []).append(code(error.__name__))
    yield table(
        ["answer", "what it says"],
        given + [(str(status), ", ".join(names)) for status, names in refused.items()],
    )
    models = {gives.content for gives in route.gives.values()}
    shown = models & EXAMPLES.keys()
    if shown and (route.body is None or JobView not in shown) and len(route.gives) == 1:
        (model,) = shown
        assert model is not None
        yield _example(model)


def _example(model: type[BaseModel]) -> str:
    """The one that shows most."""
    texts = [
        _json(example.model_dump(mode="json", by_alias=True, exclude_unset=True))
        for example in EXAMPLES[model].values()
    ]
    return f"```json\n{max(texts, key=len)}\n```"


def _json(value: object, indent: str = "") -> str:
    """JSON in as few lines as can be read."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent) + len(line) <= _WIDTH:
        return line
    inner = indent + "  "
    parts = (
        [f"{json.dumps(key)}: {_json(part, inner)}" for key, part in value.items()]
        if isinstance(value, dict)
        else [_json(part, inner) for part in value]
    )
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    joined = ",\n".join(inner + part for part in parts)
    return f"{opening}\n{joined}\n{indent}{closing}"


def formats() -> str:
    """What a job offers of an object, as the page calls it."""
    offered = [(written.label, written.use) for written in MESH_FORMATS.values()]
    small = [(written.label, written.use) for written in SPLAT_FORMATS.values()]
    made = [("Splat", "the gaussians, PLY"), *small, ("The engine's mesh", "as it came, GLB")]
    return table(["file", "what"], [*offered, *made])


def _says(thing: object) -> str:
    """The first line of a docstring, its names of code without their quotes."""
    return (inspect.getdoc(thing) or "").splitlines()[0].replace("`", "")
