"""The endpoint's two tasks: from addresses in S3 to files in S3."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from PIL import Image

from gen3d.contract import (
    InitializeRequest,
    InitializeResult,
    MeshResult,
    ObjectResult,
    ReconstructRequest,
    ReconstructResult,
    Result,
)
from gen3d.images import field_of_view, read_depth, read_mask, read_photo, read_reduced
from gen3d.options import require_offered
from gen3d.paths import ObjectFiles
from gen3d_inference import embeddings, mesh_writer, ply_writer
from gen3d_inference.engines.interface import (
    Depth,
    DepthEngine,
    Engine,
    Gaussians,
    Shape,
    Tell,
    silent,
    takes,
)
from gen3d_inference.storage import Storage


class Timings(dict[str, float]):
    """Milliseconds a step, in the order in which they ran."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what runs inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self[name] = round((time.perf_counter() - start) * 1000, 1)


class _Photos:
    """Decodes the photos of objects; a job's come one after another, with the same file."""

    def __init__(self) -> None:
        self._last: tuple[bytes, Image.Image] | None = None

    def read(self, file: bytes) -> Image.Image:
        """As `read_photo`; who is given the photo leaves it as it is."""
        last = self._last
        if last is None or last[0] != file:
            self._last = None  # makes room before the next
            last = self._last = file, read_photo(file)
        return last[1]


_photos = _Photos()


def run(
    request: InitializeRequest | ReconstructRequest,
    engine: Engine,
    storage: Storage,
    timings: Timings,
    tell: Tell = silent,
) -> Result:
    """Do what a request asks.

    Parameters
    ----------
    timings : Timings
        Filled as steps end, so that those of a failed job can be logged too.
    tell : callable
        Told how far the engine is with an object.

    Raises
    ------
    Gen3DError
        Named after what was wrong.
    """
    if isinstance(request, InitializeRequest):
        return _initialize(request, engine, storage, timings)
    return _reconstruct(request, engine, storage, timings, tell)


def _initialize(
    request: InitializeRequest, engine: Engine, storage: Storage, timings: Timings
) -> InitializeResult:
    with timings.step("download"):
        file = storage.read(request.image, "photo")
    with timings.step("decode"):
        photo, (width, height) = read_reduced(file, engine.side)
    with timings.step("encode"):
        encoded = engine.initialize(photo, request.text)
    with ThreadPoolExecutor(1, "require") as beside:
        still_there = beside.submit(storage.require, request.image, "photo")
        with timings.step("pack"):
            size = {"image_width": str(width), "image_height": str(height)}
            meta = encoded.meta.model_copy(update=size)
            packed = embeddings.pack(replace(encoded, meta=meta))
        with timings.step("upload"):
            still_there.result()
            storage.write(request.output, packed, embeddings.ENCODING)
    return InitializeResult(
        contract=request.contract,
        width=width,
        height=height,
        candidates=len(encoded.candidates.scores) if encoded.candidates else 0,
        offers=engine.offers,
        takes=takes(engine),
        bytes=len(packed),
        timings=timings,
        engine=engine.name,
        revision=engine.revision,
    )


def _reconstruct(
    request: ReconstructRequest, engine: Engine, storage: Storage, timings: Timings, tell: Tell
) -> ObjectResult:
    options = request.options.engine
    require_offered(options, engine.offers)
    depth_file = None
    with timings.step("download"):
        photo_file = storage.read(request.image, "photo")
        mask_file = storage.read(request.mask, "mask")
        if request.depth is not None and isinstance(engine, DepthEngine):
            depth_file = storage.read(request.depth, "depth map")
    with timings.step("decode"):
        photo = _photos.read(photo_file)
        mask = np.asarray(read_mask(mask_file, photo.width, photo.height)) > 0
        depth = None if depth_file is None else _depth(depth_file, photo_file, photo)
    with timings.step("reconstruct"):
        if depth is not None and isinstance(engine, DepthEngine):
            shape, pose = engine.reconstruct_by_depth(photo, mask, depth, options, tell)
        else:
            shape, pose = engine.reconstruct(photo, mask, options, tell)
    with timings.step("pack"):
        packed = _packed(shape)
    with timings.step("upload"):
        storage.require(request.mask, "mask")
        storage.write(_output(request, shape), packed)
    numbers = {"contract": request.contract, "bytes": len(packed), "timings": timings}
    common = {**numbers, "pose": pose, "engine": engine.name, "revision": engine.revision}
    if isinstance(shape, Gaussians):
        return ReconstructResult.model_validate({**common, "gaussians": len(shape)})
    counts = {"vertices": len(shape.vertices), "faces": len(shape.faces)}
    return MeshResult.model_validate({**common, **counts})


def _depth(file: bytes, photo_file: bytes, photo: Image.Image) -> Depth:
    millimetres = np.asarray(read_depth(file, photo.width, photo.height), np.float32)
    metres = np.where(millimetres > 0, millimetres / 1000, np.float32(np.nan))
    return Depth(metres.astype(np.float32), field_of_view(photo_file))


def _packed(shape: Shape) -> bytes:
    return ply_writer.pack(shape) if isinstance(shape, Gaussians) else mesh_writer.pack(shape)


def _output(request: ReconstructRequest, shape: Shape) -> str:
    """Where a shape's file goes: the request names the splat's, which both lie beside."""
    if isinstance(shape, Gaussians):
        return request.output
    return ObjectFiles.beside(request.output).engine_mesh
