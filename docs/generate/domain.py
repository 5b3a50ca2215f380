"""What the domain's own modules say: errors, and where files lie."""

import inspect

from docs.generate.parts import code, table
from gen3d import errors as domain_errors
from gen3d.formats import MESH_FORMATS, PHOTO_FORMATS
from gen3d.paths import (
    JobFiles,
    ObjectFiles,
    async_input,
    decoder,
    job_prefix,
)


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


def formats() -> str:
    """What a job offers of an object, as the page calls it."""
    offered = [(written.label, written.use) for written in MESH_FORMATS.values()]
    made = [("Splat", "the gaussians, PLY"), ("The engine's mesh", "as it came, GLB")]
    return table(["file", "what"], [*offered, *made])


def _says(thing: object) -> str:
    """The first line of a docstring, its names of code without their quotes."""
    return (inspect.getdoc(thing) or "").splitlines()[0].replace("`", "")
