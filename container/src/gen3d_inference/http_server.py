"""SageMaker's HTTP contract: ``GET /ping`` and ``POST /invocations``.

The environment says how to run: ``GEN3D_ENGINE`` (lite; see
`gen3d_inference.engines.choice`), ``GEN3D_MODEL_DIR`` (/opt/ml/model),
``GEN3D_MODEL_REVISION`` (any), ``GEN3D_HOST`` (0.0.0.0, which SageMaker needs), ``GEN3D_PORT``
(8080) and, for the lite engine, ``GEN3D_THREADS`` (0: as many as there are cores).
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from gen3d import contract
from gen3d.errors import EndpointUnavailable, Gen3DError, InvalidRequest
from gen3d_inference import logs
from gen3d_inference.engines import choice
from gen3d_inference.storage import Storage, connect
from gen3d_inference.worker import Worker

logger = logging.getLogger(__name__)

_INFERENCE_ID = "X-Amzn-SageMaker-Custom-Attributes"
"""The one header that SageMaker says it hands on as it is; the dispatcher writes the id into it."""


def create_app(worker: Worker) -> FastAPI:
    """Make the application that answers for a worker."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(worker.start())
        yield
        await loading

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.get("/ping")
    async def ping() -> Response:
        return Response(status_code=200 if worker.ready else 503)

    @app.post("/invocations")
    async def invocations(request: Request) -> Response:
        job = _read(await request.body())
        result = await worker.run(job, request.headers.get(_INFERENCE_ID, ""))
        return Response(result.model_dump_json(), media_type="application/json")

    @app.exception_handler(Gen3DError)
    async def named(_: Request, error: Gen3DError) -> Response:
        return JSONResponse(error.body(), error.status)

    return app


def _read(body: bytes) -> contract.InitializeRequest | contract.ReconstructRequest:
    try:
        number = contract.Numbered.model_validate_json(body).contract
        if number > contract.CONTRACT:  # the functions are newer: so will this container be
            raise EndpointUnavailable("The endpoint is being updated. Send the request again.")
        if number < contract.CONTRACT - 1:
            raise InvalidRequest(
                f"The request is of contract {number}, which is no longer answered. Send it anew."
            )
        return contract.RequestAdapter.validate_json(body)
    except ValidationError as error:
        raise InvalidRequest(_what_is_wrong(error)) from None


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    return f"The request is not of the documented form: {where}: {first['msg']}. Correct it."


class Server(uvicorn.Server):
    """Ends on the first signal when the running job is done, on the second at once.

    New requests are answered with 503 meanwhile, where uvicorn itself would close the port.
    """

    def __init__(self, config: uvicorn.Config, worker: Worker) -> None:
        super().__init__(config)
        self._worker = worker
        self._draining: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Take a signal; Python calls this between any two instructions of the loop's thread."""
        if self._draining is not None:
            os._exit(128 + sig)  # a job's thread would keep the process from ending otherwise
        loop = asyncio.get_running_loop()
        self._draining = loop.create_task(self._drain())
        loop.call_soon_threadsafe(lambda: None)  # wakes the loop if it was waiting

    async def on_tick(self, counter: int) -> bool:
        """Look ten times a second whether to go on; SageMaker starts an ended container anew."""
        if self._worker.hangs:
            logger.error("A job hangs")
            os._exit(1)  # its thread would keep the process from ending otherwise
        if self._worker.broken:
            self.should_exit = True
        return await super().on_tick(counter)

    async def _drain(self) -> None:
        logger.info("Stopping when the running job is done")
        await self._worker.drain()
        self.should_exit = True


def main() -> None:
    """Serve until a signal."""
    logs.set_up()
    environment = os.environ
    name = environment.get("GEN3D_ENGINE", "lite")
    folder = Path(environment.get("GEN3D_MODEL_DIR", "/opt/ml/model"))
    revision = environment.get("GEN3D_MODEL_REVISION") or None
    storage = Storage(connect(environment.get("AWS_REGION")))
    worker = Worker(lambda: choice.load(name, folder, revision), storage)
    config = uvicorn.Config(
        create_app(worker),
        host=environment.get("GEN3D_HOST", "0.0.0.0"),  # noqa: S104 — SageMaker calls from outside
        port=int(environment.get("GEN3D_PORT", "8080")),
        log_config=None,
        access_log=False,
    )
    Server(config, worker).run()
    if worker.broken:
        sys.exit("The engine's device has failed.")


if __name__ == "__main__":
    main()
