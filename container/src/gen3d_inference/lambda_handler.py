"""Lambda's front door: the lite engine, which answers at once, on a processor.

The event is a request of `gen3d.contract`, the answer its result; an error of ours is raised, and
so has its name for who called. The environment says where the weights lie, ``GEN3D_MODEL_DIR``, and
into which ``BUCKET`` their mask decoder goes, where the page looks for it.
"""

import logging
import os
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from gen3d import paths
from gen3d.contract import (
    DecodeRequest,
    DecodeResult,
    InitializeRequest,
    ReconstructRequest,
    Request,
    Result,
)
from gen3d.errors import Gen3DError, InvalidRequest
from gen3d_inference import logs, prompted
from gen3d_inference.engines import choice
from gen3d_inference.engines.interface import Engine
from gen3d_inference.storage import Storage, connect
from gen3d_inference.tasks import Timings, run

logger = logging.getLogger(__name__)

_REQUEST: TypeAdapter[InitializeRequest | ReconstructRequest | DecodeRequest] = TypeAdapter(
    Annotated[Request | DecodeRequest, Field(discriminator="task")]
)
"""What the endpoint does, and masks of what a request shows, by whichever engine's decoder."""

logs.set_up()


@cache
def _engine() -> Engine:
    """The engine, loaded once a process, whose decoder is then in the bucket."""
    folder = Path(os.environ["GEN3D_MODEL_DIR"])
    engine = choice.load("lite", folder)
    decoder = paths.uri(os.environ["BUCKET"], paths.decoder(engine.name, engine.revision))
    _storage().write_once(decoder, (folder / "decoder.onnx").read_bytes())
    return engine


@cache
def _storage() -> Storage:
    return Storage(connect(os.environ.get("AWS_REGION")))


def handler(event: dict[str, object], _context: object) -> dict[str, object]:
    """Do what a request asks.

    Parameters
    ----------
    event : dict
        `gen3d.contract.InitializeRequest`, `gen3d.contract.ReconstructRequest` or
        `gen3d.contract.DecodeRequest`.

    Returns
    -------
    dict
        One of `gen3d.contract.Result`, or `gen3d.contract.DecodeResult`.

    Raises
    ------
    Gen3DError
        Named after what was wrong.
    """
    try:
        request = _REQUEST.validate_python(event)
    except ValidationError as error:
        raise InvalidRequest(f"The request is not of the documented form: {error}") from None
    timings = Timings()
    fields: dict[str, object] = {"task": request.task, "output": request.output}
    try:
        result = _do(request, timings)
    except Gen3DError as error:
        failed = {**fields, "error": error.name, "reason": error.message, "timings": timings}
        logger.error("Job failed", extra={"fields": failed})
        raise
    told = result.model_dump(exclude={"objects"})  # of which names are the person's
    logger.info("Job done", extra={"fields": {**fields, **told}})
    return result.model_dump(mode="json")


def _do(
    request: InitializeRequest | ReconstructRequest | DecodeRequest, timings: Timings
) -> Result | DecodeResult:
    engine = _engine()  # whose decoder the embeddings may be for
    if isinstance(request, DecodeRequest):
        return prompted.decode(request, _storage(), timings)
    return run(request, engine, _storage(), timings)
