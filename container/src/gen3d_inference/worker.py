"""One engine, an object and a photo at a time, off the event loop."""

import asyncio
import logging
import time
from collections.abc import Callable

from gen3d import paths
from gen3d.contract import InitializeRequest, ReconstructRequest, Result
from gen3d.errors import EndpointUnavailable, Gen3DError, InternalError, OutOfMemory
from gen3d_inference.engines.interface import Engine
from gen3d_inference.progress import Expected, telling
from gen3d_inference.storage import Storage
from gen3d_inference.tasks import Timings, run
from gen3d_inference.turns import in_turns

logger = logging.getLogger(__name__)

_OURS = (
    "Something failed on our side; the endpoint's log says what. Try again, and tell the operator "
    "if it fails again."
)


LONGEST_SECONDS = 1000.0
"""Of a job. SageMaker is told to wait for 900, so whoever still runs then hangs."""


class Worker:
    """Loads an engine, then runs jobs on it until it is drained.

    Parameters
    ----------
    load : callable
        Gives the engine; slow.
    storage : Storage
    """

    def __init__(self, load: Callable[[], Engine], storage: Storage) -> None:
        self._load = load
        self._storage = storage
        self._engine: Engine | Gen3DError | None = None
        self._expected = Expected({}, {})
        self._draining = False
        self.broken = False
        """Whether the engine's device has failed, which only a new process can mend."""
        self._seats = {task: asyncio.Lock() for task in (InitializeRequest, ReconstructRequest)}
        self._began: dict[str, float] = {}

    @property
    def ready(self) -> bool:
        """Whether a request would be answered with a result or with an error of its own.

        An engine that could not be loaded counts: its error then fails each job at once and by
        name, where an unhealthy container would leave them in SageMaker's queue until they expire.
        """
        return self._engine is not None and not self._draining and not self.broken

    @property
    def hangs(self) -> bool:
        """Whether a running job will not end: its device answers no more."""
        latest = time.monotonic() - LONGEST_SECONDS
        return any(began < latest for began in self._began.values())

    async def start(self) -> None:
        """Load the engine."""
        start = time.perf_counter()
        try:
            self._engine = in_turns(await asyncio.to_thread(self._load))
        except Gen3DError as error:
            logger.error(error.message, extra={"fields": {"error": error.name}})
            self._engine = error
        except Exception:
            logger.exception("The engine could not be loaded")
            self._engine = InternalError(_OURS)
        else:
            self._expected = Expected(self._engine.phases, self._engine.offers)
            engine = {"engine": self._engine.name, "revision": self._engine.revision}
            ms = round((time.perf_counter() - start) * 1000, 1)
            logger.info("Engine loaded", extra={"fields": {**engine, "ms": ms}})

    async def run(
        self, request: InitializeRequest | ReconstructRequest, inference_id: str
    ) -> Result:
        """Run a job when its turn comes: after those of its kind, a photo beside an object.

        Parameters
        ----------
        request : InitializeRequest or ReconstructRequest
        inference_id : str
            Under which it is logged, and how far an object is told; where it is empty, nobody is.

        Raises
        ------
        Gen3DError
            Whatever fails is named; what was not foreseen is an `InternalError`.
        """
        self._admitted()
        async with self._seats[type(request)]:
            engine = self._admitted()
            self._began[request.task] = time.monotonic()
            try:
                return await asyncio.to_thread(self._run, engine, request, inference_id)
            finally:
                del self._began[request.task]

    async def drain(self) -> None:
        """Refuse new jobs and return when the running ones have ended."""
        self._draining = True
        for seat in self._seats.values():
            async with seat:
                pass

    def _admitted(self) -> Engine:
        if not self.ready:
            ending = self._draining or self.broken
            raise _unavailable("stopping" if ending else "starting")
        assert self._engine is not None
        if isinstance(self._engine, Gen3DError):
            raise type(self._engine)(self._engine.message)
        return self._engine

    def _run(
        self, engine: Engine, request: InitializeRequest | ReconstructRequest, inference_id: str
    ) -> Result:
        timings = Timings()
        fields = {"inferenceId": inference_id, "task": request.task, "output": request.output}
        try:
            result = self._do(engine, request, inference_id, timings)
        except Exception as error:
            failure = _named(error)
            if isinstance(failure, InternalError) and not engine.works():
                self.broken = True
                failure = _unavailable("ending, as its GPU has failed")
            failed = {**fields, "error": failure.name, "reason": failure.message}
            logger.error(
                "Job failed",
                extra={"fields": {**failed, "timings": timings}},
                exc_info=failure is not error,
            )
            raise failure from None
        logger.info("Job done", extra={"fields": {**fields, **result.model_dump()}})
        return result

    def _do(
        self,
        engine: Engine,
        request: InitializeRequest | ReconstructRequest,
        inference_id: str,
        timings: Timings,
    ) -> Result:
        if isinstance(request, InitializeRequest) or not inference_id:
            return run(request, engine, self._storage, timings)
        bucket, _ = paths.split_uri(request.output)
        file = paths.uri(bucket, paths.progress(inference_id))
        course = self._expected.course(request.options.engine)
        with telling(self._storage, file, course) as tell:
            result = run(request, engine, self._storage, timings, tell)
        self._expected.learn(request.options.engine, course)
        return result


def _unavailable(doing: str) -> EndpointUnavailable:
    return EndpointUnavailable(f"The endpoint is {doing}. Send the request again.")


def _named(error: Exception) -> Gen3DError:
    if isinstance(error, Gen3DError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory("The endpoint ran out of memory. Try a smaller photo.")
    return InternalError(_OURS)
