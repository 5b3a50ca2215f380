"""The mesh step of a job: what an engine made becomes a mesh, and all objects their scene."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError
from pydantic import BaseModel, model_validator

from gen3d.contract import Pose
from gen3d.errors import Gen3DError, InputMissing, InvalidMesh, InvalidSplat, SplatTooLarge
from gen3d.formats import MESH_FORMATS, SCENE_FORMATS, SPLAT_FORMATS
from gen3d.images import read_mask, read_reduced
from gen3d.options import MeshOptions, Options
from gen3d.paths import JobFiles, ObjectFiles
from gen3d_aws import clients
from gen3d_aws.observability import logger, metrics, tracer
from gen3d_mesh import warm

warm.unpack()
warm.without_blas()

from gen3d_mesh.coloured_mesh import ColouredMesh  # noqa: E402
from gen3d_mesh.endings import NotInstalled  # noqa: E402
from gen3d_mesh.pipeline import QUALITIES, Figures, Quality, build  # noqa: E402  numba reads its cache's place once
from gen3d_mesh.place import high, rounded, sized, tall  # noqa: E402
from gen3d_mesh.preview import render  # noqa: E402
from gen3d_mesh.scene.compose import Member, as_in_photo, compose  # noqa: E402
from gen3d_mesh.scene.glb_file import Glb  # noqa: E402
from gen3d_mesh.scene.placing import Box, Frame  # noqa: E402
from gen3d_mesh.scene.spz import pack  # noqa: E402
from gen3d_mesh.scene.together import Gaussians  # noqa: E402
from gen3d_mesh.scene.truth import mask_box, truth  # noqa: E402
from gen3d_mesh.splat import MAX_BYTES  # noqa: E402
from gen3d_mesh.write import PRINTED, PRINTED_ENDINGS, encode  # noqa: E402

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


PHOTO_PIXELS = 1024
"""Along each side of a photo, about, with whose colours an object's are compared."""


class Photo(BaseModel):
    """The photo's key, and the upright picture's pixels."""

    key: str
    width: int
    height: int


class ObjectEvent(BaseModel):
    """What to take, which is one of two, and where files go; `prefix` ends in ``objects/{n}/``."""

    jobId: str  # noqa: N815  as the state machine spells it
    bucket: str
    splat: str | None = None
    mesh: str | None = None  # of an engine that makes meshes
    prefix: str
    mask: str | None = None  # where it is not beside the files
    name: str | None = None
    options: Options = Options()  # an execution that began before there were any sends none
    photo: Photo | None = None
    """Of which the object is; with the pose, the object is held against it."""
    pose: Pose | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.splat is None) == (self.mesh is None):
            raise ValueError("a splat's key or a mesh's")
        return self

    @property
    def source(self) -> str:
        """The key of what is taken."""
        return self.splat or self.mesh or ""


class SceneObject(BaseModel):
    """An object that has a mesh."""

    n: int
    name: str
    options: Options = Options()
    folder: str = ""
    """Of the object's, in which its files are; its mask is beside that."""
    pose: Pose | None = None
    mesh: bool = False
    """Whether its engine made a mesh, and no gaussians."""


class SceneEvent(BaseModel):
    """The objects of a job that are set beside each other; `prefix` is the job's."""

    task: Literal["scene"]
    jobId: str  # noqa: N815
    bucket: str
    prefix: str
    photo: Photo
    objects: list[SceneObject]


def _s3() -> "S3Client":
    client: S3Client = clients.client("s3")
    return client


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
@clients.naming_faults()
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:  # noqa: ARG001
    """Make an object's mesh, or the scene of a job.

    Parameters
    ----------
    event : dict
        `ObjectEvent` or, with its task, `SceneEvent`.

    Returns
    -------
    dict
        ``files`` by ending, and ``preview``, each with ``key`` and ``bytes``; the figures. Of a
        scene ``metres``, whether that is its unit, and for each of ``objects`` by what it was
        ``placed``, and its ``height``.

    Raises
    ------
    InputMissing
        What is taken does not exist, or was deleted meanwhile: then nothing is written. Or a mesh,
        splat or mask of a scene does not.
    DependencyUnavailable
        S3 is busy.
    InvalidSplat, SplatTooLarge, EmptySurface, InvalidMesh
        It cannot become a mesh.
    """
    if event.get("task") == "scene":
        return _scene(SceneEvent.model_validate(event))
    return _object(ObjectEvent.model_validate(event))


def _object(request: ObjectEvent) -> dict[str, object]:
    logger.append_keys(job_id=request.jobId, prefix=request.prefix)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source"
        _download(request, path)
        coloured, figures = _made(request, path)
        splat = None if request.splat is None else path.read_bytes()
    name = request.name or "object"
    keys = ObjectFiles(request.prefix)
    seen = _seen(request)
    if seen is not None:
        with figures.step("truth"):
            figures.truth = _truth(request.bucket, seen, coloured)
    metres = request.options.mesh.metres or tall(coloured, request.pose)
    with figures.step("write"):
        written = dict(_written(coloured, metres, name))
        if seen is not None:
            frame = Frame(seen.photo.width, seen.photo.height)
            written["glb"] = as_in_photo(written["glb"], seen.pose, mask_box(seen.mask), frame)
        contents = {
            ending: (keys.mesh(ending), data, MESH_FORMATS[ending].media_type)
            for ending, data in written.items()
        }
        packed = None if splat is None else _packed(splat, contents["glb"][1])
        if packed is not None:
            contents["spz"] = (keys.packed_splat, packed, SPLAT_FORMATS["spz"].media_type)
    with figures.step("preview"):
        contents["preview"] = (keys.preview, render(coloured), "image/png")
    with figures.step("upload"):
        _size(request.bucket, request.source)  # whoever deletes a job deletes it
        files = {kind: _upload(request.bucket, *content) for kind, content in contents.items()}
    logger.info("Mesh made", extra={"figures": figures.answer()})
    _measure(figures)
    known = {} if metres is None else {"height": rounded(metres)}
    return {"files": files, **figures.answer(), **known}


def _made(request: ObjectEvent, path: Path) -> tuple[ColouredMesh, Figures]:
    quality = _quality(request.options.mesh)
    if request.mesh is None:
        return build(path, quality)
    from gen3d_mesh.engine_mesh import build_mesh  # with trimesh, which splats do without

    return build_mesh(path, quality)


def _written(
    coloured: ColouredMesh, metres: float | None, name: str
) -> Iterator[tuple[str, bytes]]:
    """The mesh in each format; one whose library is not there costs its file, not the mesh."""
    for ending in MESH_FORMATS:
        try:
            yield ending, encode(_sized(coloured, metres, ending), ending, name)
        except NotInstalled as error:
            logger.warning("A format is left out", extra={"reason": str(error)})


def _packed(splat: bytes, glb: bytes) -> bytes | None:
    """The gaussians where the GLB has its mesh; None of those in a layout that no engine writes."""
    try:
        gaussians = Gaussians.read(splat)
    except InvalidSplat as error:
        logger.warning("No small splat", extra={"error": error.body()})
        return None
    return pack(gaussians.moved(Glb.read(glb).canonical.inverse))


def _sized(coloured: ColouredMesh, metres: float | None, ending: str) -> ColouredMesh:
    """As high as it is, where that is known: in metres, but in a printer's file in millimetres.

    Where nobody knows it, a 3MF is as large as is printed, as it has no other unit.
    """
    if metres is None:
        return sized(coloured, PRINTED) if ending == "3mf" else coloured
    return high(coloured, metres * (1000 if ending in PRINTED_ENDINGS else 1))


@dataclass(frozen=True)
class _Seen:
    """How an object is seen in its photo; the mask is of the photo's size, and not empty."""

    photo: Photo
    pose: Pose
    mask: npt.NDArray[np.bool_]


def _seen(request: ObjectEvent) -> _Seen | None:
    """None where that is not known, or the mask cannot be read. It fails nothing."""
    if request.photo is None or request.pose is None:
        return None
    key = request.mask or ObjectFiles(request.prefix).mask
    try:
        mask = read_mask(_read(request.bucket, key), request.photo.width, request.photo.height)
    except Gen3DError as error:
        logger.warning("Not seen in its photo", extra={"error": error.body()})
        return None
    return _Seen(request.photo, request.pose, np.asarray(mask) > 0)


def _truth(bucket: str, seen: _Seen, coloured: ColouredMesh) -> dict[str, float | None] | None:
    """How true the object is to its photo; None where that cannot be told. It fails nothing."""
    try:
        picture, _ = read_reduced(_read(bucket, seen.photo.key), PHOTO_PIXELS)
        found = truth(coloured, seen.pose, seen.mask, np.asarray(picture))
    except Gen3DError as error:
        logger.warning("Not held against its photo", extra={"error": error.body()})
        return None
    if found is None:
        return None
    colour = None if found.colour is None else round(found.colour, 4)
    return {
        "silhouette": round(found.silhouette, 4),
        "colour": colour,
        "score": round(found.score, 4),
    }


def _scene(request: SceneEvent) -> dict[str, object]:
    logger.append_keys(job_id=request.jobId, prefix=request.prefix)
    files, photo = JobFiles(request.prefix), request.photo
    masks = {one.n: files.object(one.n).mask for one in request.objects}
    keys = {one.n: files.object(one.n, one.folder) for one in request.objects}
    members = [
        Member(
            one.name,
            _read(request.bucket, keys[one.n].mesh("glb")),
            None if one.mesh else _read(request.bucket, keys[one.n].splat),
            one.pose,
            _box(request.bucket, masks[one.n], photo, one.pose),
            one.options.mesh.metres,
        )
        for one in request.objects
    ]
    made = compose(members, Frame(photo.width, photo.height))
    contents = {
        ending: (files.scene(ending), made.files[ending], written.media_type)
        for ending, written in SCENE_FORMATS.items()
        if ending in made.files
    }
    contents["preview"] = (files.scene_picture, made.picture, "image/png")
    for mask in masks.values():
        _size(request.bucket, mask)  # whoever deletes a job deletes it
    return {
        "files": {kind: _upload(request.bucket, *content) for kind, content in contents.items()},
        "metres": made.metres,
        "objects": [
            {"n": one.n, "placed": placed, "height": rounded(height)}
            for one, placed, height in zip(request.objects, made.placed, made.heights, strict=True)
        ],
    }


def _box(bucket: str, key: str, photo: Photo, pose: Pose | None) -> Box | None:
    """Where the object's mask lies, where its pose does not say all."""
    if pose is not None and pose.field_of_view is not None:
        return None
    return mask_box(np.asarray(read_mask(_read(bucket, key), photo.width, photo.height)) > 0)


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


def _read(bucket: str, key: str) -> bytes:
    with _gone():
        return _s3().get_object(Bucket=bucket, Key=key)["Body"].read()


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
