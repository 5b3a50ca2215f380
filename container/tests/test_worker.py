"""One engine, one job at a time, and an end without loss."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator

import boto3
import httpx
import numpy as np
import pytest
import uvicorn
from moto import mock_aws
from PIL import Image

from gen3d.contract import (
    InitializeRequest,
    InitializeResult,
    ReconstructRequest,
    ReconstructResult,
)
from gen3d.errors import (
    EndpointUnavailable,
    Gen3DError,
    InputMissing,
    InternalError,
    OutOfMemory,
    ReconstructionFailed,
    WeightsInvalid,
)
from gen3d.options import SEED_ALONE, EngineOptions
from gen3d_inference.engines.interface import (
    Embeddings,
    Engine,
    Gaussians,
    Mask,
    Shape,
    Tell,
    TexturedMesh,
    silent,
)
from gen3d_inference.http_server import Server, create_app
from gen3d_inference.logs import JsonFormatter
from gen3d_inference.storage import Storage
from gen3d_inference.worker import Worker

REQUEST = InitializeRequest(image="s3://bucket/image.png", output="s3://bucket/out.safetensors")
PHASES: dict[str, float] = {}


class Slow:
    """An engine that answers when it is let go, as the real one where `real` is."""

    name = "slow"
    revision = "0123456789ab"
    side = 448
    offers = SEED_ALONE
    phases = PHASES

    def __init__(self, real: Engine | Exception) -> None:
        self._real = real
        self.entered = threading.Event()
        self.free = threading.Event()
        self.inside = self.most = self.jobs = 0
        self.well = True

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        self.inside += 1
        self.jobs += 1
        self.most = max(self.most, self.inside)
        self.entered.set()
        try:
            if not self.free.wait(60):
                raise TimeoutError
            if isinstance(self._real, Exception):
                raise self._real
            return self._real.initialize(photo, text)
        finally:
            self.inside -= 1

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Shape, None]:
        raise NotImplementedError

    def works(self) -> bool:
        return self.well


@pytest.fixture
def storage(
    coffee: Image.Image,
    png: Callable[[Image.Image], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Storage]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="image.png", Body=png(coffee))
        yield Storage(client)


def worker_of(engine: Engine, storage: Storage) -> Worker:
    return Worker(lambda: engine, storage)


def test_jobs_wait_for_each_other(lite: Engine, storage: Storage) -> None:
    async def scenario() -> list[object]:
        worker = worker_of(slow, storage)
        await worker.start()
        jobs = asyncio.gather(*(worker.run(REQUEST, str(n)) for n in range(3)))
        await asyncio.to_thread(slow.entered.wait, 60)
        slow.free.set()
        return list(await jobs)

    slow = Slow(lite)
    results = asyncio.run(scenario())
    assert all(isinstance(result, InitializeResult) for result in results)
    assert (slow.jobs, slow.most) == (3, 1)


class Pausing(Slow):
    """An engine whose object takes until a photo has gone between two of its steps."""

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Gaussians, None]:
        self.entered.set()
        while not self.jobs:
            tell("steps", 0.5)
        three, one = np.zeros((1, 3), np.float32), np.zeros(1, np.float32)
        return Gaussians(three, three, one, three, np.ones((1, 4), np.float32)), None


def test_a_photo_does_not_wait_for_an_object_to_end(
    lite: Engine, storage: Storage, cup: Mask, png: Callable[[Mask], bytes]
) -> None:
    async def scenario() -> None:
        worker = worker_of(engine, storage)
        await worker.start()
        thing = asyncio.create_task(worker.run(request, ""))
        await asyncio.to_thread(engine.entered.wait, 60)
        assert isinstance(await worker.run(REQUEST, "photo"), InitializeResult)
        assert isinstance(await thing, ReconstructResult)

    engine = Pausing(lite)
    engine.free.set()
    request = ReconstructRequest(
        image="s3://bucket/image.png", mask="s3://bucket/mask.png", output="s3://bucket/splat.ply"
    )
    storage._client.put_object(Bucket="bucket", Key="mask.png", Body=png(cup))
    asyncio.run(asyncio.wait_for(scenario(), 60))


class Deleting(Slow):
    """An engine whose object's mask is deleted while it works."""

    def __init__(self, storage: Storage) -> None:
        self._s3 = storage._client

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Shape, None]:
        self._s3.delete_object(Bucket="bucket", Key="mask.png")
        three, one = np.zeros((1, 3), np.float32), np.zeros(1, np.float32)
        gaussians = Gaussians(three, three, one, three, np.ones((1, 4), np.float32))
        return gaussians, None


def test_no_splat_is_written_for_an_object_that_was_deleted_meanwhile(
    storage: Storage, cup: Mask, png: Callable[[Mask], bytes]
) -> None:
    async def scenario() -> None:
        worker = worker_of(Deleting(storage), storage)
        await worker.start()
        with pytest.raises(InputMissing, match=r"mask .* deleted"):
            await worker.run(request, "job")

    request = ReconstructRequest(
        image="s3://bucket/image.png", mask="s3://bucket/mask.png", output="s3://bucket/splat.ply"
    )
    s3 = storage._client
    s3.put_object(Bucket="bucket", Key="mask.png", Body=png(cup))
    asyncio.run(scenario())
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    assert keys == ["image.png"]


class Broken(Slow):
    """An engine that makes something, such as nobody can use."""

    def __init__(self, made: Shape) -> None:
        self._made = made

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Shape, None]:
        return self._made, None


def mesh_at(places: float, count: int = 1) -> TexturedMesh:
    """Faces whose corners lie so far out."""
    return TexturedMesh(
        np.full((3, 3), places, np.float32),
        np.tile(np.arange(3, dtype=np.int32), (count, 1)),
        np.zeros((3, 2), np.float32),
        np.zeros((1, 1, 3), np.uint8),
    )


def splat_at(places: float, count: int = 1) -> Gaussians:
    three = np.full((count, 3), places, np.float32)
    zero = np.zeros((count, 3), np.float32)
    return Gaussians(three, zero, zero[:, 0], zero, np.ones((count, 4), np.float32))


@pytest.mark.parametrize(
    "made",
    [
        splat_at(0, count=0),
        splat_at(np.inf),
        splat_at(1e6),
        mesh_at(0, count=0),
        mesh_at(np.nan),
        mesh_at(1e6),
        mesh_at(0, count=2_000_001),
    ],
    ids=["no splat", "infinite", "far", "no mesh", "no numbers", "far mesh", "huge mesh"],
)
def test_what_nobody_can_use_is_named_and_not_written_and_the_next_object_goes_on(
    made: Shape, storage: Storage, cup: Mask, png: Callable[[Mask], bytes]
) -> None:
    async def scenario() -> None:
        worker = worker_of(Broken(made), storage)
        await worker.start()
        for _ in range(2):
            with pytest.raises(ReconstructionFailed):
                await worker.run(request, "job")
        assert worker.ready

    request = ReconstructRequest(
        image="s3://bucket/image.png", mask="s3://bucket/mask.png", output="s3://bucket/splat.ply"
    )
    s3 = storage._client
    s3.put_object(Bucket="bucket", Key="mask.png", Body=png(cup))
    asyncio.run(scenario())
    keys = {found["Key"] for found in s3.list_objects_v2(Bucket="bucket")["Contents"]}
    assert not {"splat.ply", "engine.glb"} & keys


@pytest.mark.parametrize("stands", [True, False])
def test_nothing_is_written_for_a_job_that_was_deleted_meanwhile(
    stands: bool, lite: Engine, storage: Storage
) -> None:
    async def scenario() -> None:
        worker = worker_of(slow, storage)
        await worker.start()
        job = asyncio.create_task(worker.run(REQUEST, "job"))
        await asyncio.to_thread(slow.entered.wait, 60)
        if not stands:
            s3.delete_object(Bucket="bucket", Key="image.png")
        slow.free.set()
        if stands:
            await job
        else:
            with pytest.raises(InputMissing, match=r"photo .* deleted"):
                await job

    slow, s3 = Slow(lite), storage._client
    asyncio.run(scenario())
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="bucket").get("Contents", [])]
    assert ("out.safetensors" in keys) == stands


def test_a_contract_is_answered_in_itself_and_only_this_one_and_the_last(
    lite: Engine, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> dict[int, dict[str, object]]:
        worker = worker_of(lite, storage)
        await worker.start()
        transport = httpx.ASGITransport(create_app(worker))
        async with httpx.AsyncClient(transport=transport, base_url="http://endpoint") as client:
            return {
                number: (
                    await client.post(
                        "/invocations", json={**REQUEST.model_dump(), "contract": number}
                    )
                ).json()
                for number in (1, 2, 3, 4)
            }

    monkeypatch.setattr("gen3d.contract.CONTRACT", 3)
    answers = asyncio.run(scenario())
    assert answers[1]["error"] == "InvalidRequest"
    assert answers[2]["contract"] == 2
    assert answers[3]["contract"] == 3
    assert answers[4]["error"] == "EndpointUnavailable"


def test_draining_ends_the_running_job_and_refuses_the_rest(lite: Engine, storage: Storage) -> None:
    async def scenario() -> None:
        worker = worker_of(slow, storage)
        await worker.start()
        running = asyncio.create_task(worker.run(REQUEST, "running"))
        await asyncio.to_thread(slow.entered.wait, 60)
        queued = asyncio.create_task(worker.run(REQUEST, "queued"))
        await asyncio.sleep(0)
        draining = asyncio.create_task(worker.drain())
        await asyncio.sleep(0)
        assert not worker.ready
        with pytest.raises(EndpointUnavailable, match="stopping"):
            await worker.run(REQUEST, "late")
        assert not draining.done()
        slow.free.set()
        assert isinstance(await running, InitializeResult)
        with pytest.raises(EndpointUnavailable):
            await queued
        await draining

    slow = Slow(lite)
    asyncio.run(scenario())
    assert slow.jobs == 1


@pytest.mark.parametrize("well", [True, False])
def test_a_broken_device_takes_no_further_job(well: bool, storage: Storage) -> None:
    async def scenario() -> None:
        worker = worker_of(slow, storage)
        await worker.start()
        with pytest.raises(InternalError if well else EndpointUnavailable):
            await worker.run(REQUEST, "first")
        assert worker.ready is well
        assert worker.broken is not well
        with pytest.raises(InternalError if well else EndpointUnavailable):
            await worker.run(REQUEST, "second")

    slow = Slow(RuntimeError("CUDA error: an illegal memory access was encountered"))
    slow.well = well
    slow.free.set()
    asyncio.run(scenario())
    assert slow.jobs == (2 if well else 1)


def test_it_is_not_ready_before_the_engine_is(lite: Engine, storage: Storage) -> None:
    async def scenario() -> None:
        free = threading.Event()

        def load() -> Engine:
            assert free.wait(60)
            return lite

        worker = Worker(load, storage)
        loading = asyncio.create_task(worker.start())
        await asyncio.sleep(0)
        assert not worker.ready
        with pytest.raises(EndpointUnavailable, match="starting"):
            await worker.run(REQUEST, "early")
        free.set()
        await loading
        assert worker.ready

    asyncio.run(scenario())


def test_an_engine_that_cannot_be_loaded_fails_each_job_by_name(storage: Storage) -> None:
    async def scenario() -> None:
        def load() -> Engine:
            raise WeightsInvalid("encoder.onnx is missing.")

        worker = Worker(load, storage)
        await worker.start()
        assert worker.ready
        for _ in range(2):
            with pytest.raises(WeightsInvalid, match=r"encoder\.onnx is missing"):
                await worker.run(REQUEST, "job")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (ValueError("the private detail"), InternalError),
        (MemoryError(), OutOfMemory),
        (OutOfMemory("The accelerator ran out of memory."), OutOfMemory),
    ],
)
def test_whatever_fails_is_named_and_its_trace_goes_to_the_log(
    storage: Storage,
    fault: Exception,
    named: type[Gen3DError],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        slow = Slow(fault)
        slow.free.set()
        worker = worker_of(slow, storage)
        await worker.start()
        with pytest.raises(named) as raised:
            await worker.run(REQUEST, "job-0")
        assert "private" not in raised.value.message
        assert raised.value.__cause__ is None

    with caplog.at_level(logging.INFO):
        asyncio.run(scenario())
    line = json.loads(JsonFormatter().format(caplog.records[-1]))
    assert line["error"] == named.__name__
    assert line["inferenceId"] == "job-0"
    assert list(line["timings"]) == ["download", "decode", "encode"]
    assert ("trace" in line) == (not isinstance(fault, Gen3DError))


def test_the_server_does_not_wait_for_a_job_that_hangs(
    lite: Engine, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        worker = worker_of(slow, storage)
        server = Server(uvicorn.Config(create_app(worker)), worker)
        await worker.start()
        job = asyncio.create_task(worker.run(REQUEST, "hanging"))
        await asyncio.to_thread(slow.entered.wait, 60)
        await server.on_tick(1)
        assert ended == []
        monkeypatch.setattr("gen3d_inference.worker.LONGEST_SECONDS", 0)
        await server.on_tick(1)
        assert ended == [1]
        slow.free.set()
        await job
        assert not worker.hangs

    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    slow = Slow(lite)
    asyncio.run(scenario())


def test_the_server_ends_when_the_device_is_broken(lite: Engine, storage: Storage) -> None:
    worker = worker_of(lite, storage)
    server = Server(uvicorn.Config(create_app(worker)), worker)
    assert not asyncio.run(server.on_tick(1))
    worker.broken = True
    assert asyncio.run(server.on_tick(1))
