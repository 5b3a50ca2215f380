"""The mesh step of a job: one object's splat, or its engine's mesh, becomes files and a preview."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError
from pydantic import BaseModel, model_validator

from gen3d.errors import InputMissing, InvalidMesh, SplatTooLarge
from gen3d.formats import MESH_FORMATS
from gen3d.options import MeshOptions, Options
from gen3d.paths import ObjectFiles
from gen3d_aws import clients
from gen3d_aws.observability import logger, metrics, tracer
from gen3d_mesh import warm

warm.unpack()

from gen3d_mesh.coloured_mesh import ColouredMesh  # noqa: E402
from gen3d_mesh.pipeline import QUALITIES, Figures, Quality, build  # noqa: E402  numba reads its cache's place once
from gen3d_mesh.preview import render  # noqa: E402
from gen3d_mesh.splat import MAX_BYTES  # noqa: E402
from gen3d_mesh.write import encode  # noqa: E402

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ObjectEvent(BaseModel):
    """What to take, which is one of two, and where files go; `prefix` ends in ``objects/{n}/``."""

    jobId: str  # noqa: N815  as the state machine spells it
    bucket: str
    splat: str | None = None
    mesh: str | None = None  # of an engine that makes meshes
    prefix: str
    name: str | None = None
    options: Options = Options()  # an execution that began before there were any sends none

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.splat is None) == (self.mesh is None):
            raise ValueError("a splat's key or a mesh's")
        return self

    @property
    def source(self) -> str:
        """The key of what is taken."""
        return self.splat or self.mesh or ""


def _s3() -> "S3Client":
    client: S3Client = clients.client("s3")
    return client


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@clients.naming_faults()
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:  # noqa: ARG001
    """Make an object's mesh.

    Parameters
    ----------
    event : dict
        `ObjectEvent`.

    Returns
    -------
    dict
        ``files`` by ending, and ``preview``, each with ``key`` and ``bytes``; the figures.

    Raises
    ------
    InputMissing
        What is taken does not exist, or was deleted meanwhile: then nothing is written.
    DependencyUnavailable
        S3 is busy.
    InvalidSplat, SplatTooLarge, EmptySurface, InvalidMesh
        It cannot become a mesh.
    """
    request = ObjectEvent.model_validate(event)
    logger.append_keys(job_id=request.jobId, prefix=request.prefix)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source"
        _download(request, path)
        coloured, figures = _made(request, path)
    name = request.name or "object"
    keys = ObjectFiles(request.prefix)
    with figures.step("write"):
        contents = {
            ending: (keys.mesh(ending), encode(coloured, ending, name), written.media_type)
            for ending, written in MESH_FORMATS.items()
        }
    with figures.step("preview"):
        contents["preview"] = (keys.preview, render(coloured), "image/png")
    with figures.step("upload"):
        _size(request.bucket, request.source)  # whoever deletes a job deletes it
        files = {kind: _upload(request.bucket, *content) for kind, content in contents.items()}
    logger.info("Mesh made", extra={"figures": figures.answer()})
    _measure(figures)
    return {"files": files, **figures.answer()}


def _made(request: ObjectEvent, path: Path) -> tuple[ColouredMesh, Figures]:
    quality = _quality(request.options.mesh)
    if request.mesh is None:
        return build(path, quality)
    from gen3d_mesh.engine_mesh import build_mesh  # with trimesh, which splats do without

    return build_mesh(path, quality)


def _quality(options: MeshOptions) -> Quality:
    named = QUALITIES["preview" if options.quality == "fast" else options.quality]
    return replace(
        named, faces=options.faces or named.faces, texels=options.texture or named.texels
    )


def _download(request: ObjectEvent, path: Path) -> None:
    size = _size(request.bucket, request.source)
    if size > MAX_BYTES:
        long = f"has {size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are taken"
        if request.mesh is not None:
            raise InvalidMesh(
                f"The engine's mesh {long}. Choose a lower quality of the engine, or have it make "
                "fewer faces and texels."
            )
        raise SplatTooLarge(f"The splat's file {long}. Prune it before you send it.")
    with _gone():
        _s3().download_file(request.bucket, request.source, str(path))


def _size(bucket: str, key: str) -> int:
    with _gone():
        return _s3().head_object(Bucket=bucket, Key=key)["ContentLength"]


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if clients.error_code(error) not in ("404", "NoSuchKey"):
            raise
        raise InputMissing(
            "What the engine made of the object is gone. Start the job again from its photo."
        ) from None


def _upload(bucket: str, key: str, data: bytes, media_type: str) -> dict[str, str | int]:
    _s3().put_object(Bucket=bucket, Key=key, Body=data, ContentType=media_type)
    return {"key": key, "bytes": len(data)}


def _measure(figures: Figures) -> None:
    milliseconds = sum(figures.timings.values())
    metrics.add_metric("MeshMilliseconds", MetricUnit.Milliseconds, milliseconds)
    if figures.gaussians:
        metrics.add_metric("MeshGaussians", MetricUnit.Count, figures.gaussians)
