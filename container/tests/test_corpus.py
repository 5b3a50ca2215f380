"""Strangers' bodies, photos and masks at the endpoint: named errors, and no trace in an answer."""

import asyncio
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from PIL import Image

from gen3d.contract import EmbeddingsMeta
from gen3d.errors import InputMissing, from_body
from gen3d.options import SEED_ALONE, EngineOptions
from gen3d_inference.engines.interface import Embeddings, Gaussians, Mask, Tell, silent
from gen3d_inference.http_server import create_app
from gen3d_inference.storage import Storage
from gen3d_inference.worker import Worker
from tests.corpus import bodies, masks, photos
from tests.corpus.case import TAKEN, Case
from tests.corpus.pictures import encode, picture

INITIALIZE = {
    "task": "initialize",
    "image": "s3://bucket/photo",
    "output": "s3://bucket/embeddings",
    "text": None,
    "contract": 1,
}
RECONSTRUCT = {
    "task": "reconstruct",
    "image": "s3://bucket/photo",
    "mask": "s3://bucket/mask",
    "output": "s3://bucket/splat",
    "seed": 3,
    "contract": 1,
}

PHASES: dict[str, float] = {}


class Simple:
    """An engine that answers at once."""

    name = "simple"
    revision = "0123456789ab"
    side = 448
    offers = SEED_ALONE
    phases = PHASES

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        meta = EmbeddingsMeta(
            engine=self.name,
            revision=self.revision,
            input_width="448",
            input_height="448",
            image_width=str(photo.width),
            image_height=str(photo.height),
            precision="fp16",
        )
        return Embeddings({"image_embed": np.zeros((1, 4), np.float32)}, meta)

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Gaussians, None]:
        three, four = np.zeros((1, 3), np.float32), np.ones((1, 4), np.float32)
        gaussians = Gaussians(three, three, np.zeros(1, np.float32), three, four)
        return gaussians, None

    def works(self) -> bool:
        return True


class Files(Storage):
    """Files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, uri: str, what: str, most: int = 0) -> bytes:
        if uri not in self.files:
            raise InputMissing(f"The {what} is gone.")
        return self.files[uri]

    def require(self, uri: str, what: str) -> None:
        self.read(uri, what)

    def write(self, uri: str, data: bytes, encoding: str | None = None) -> None:
        self.files[uri] = data


@pytest.fixture(scope="module")
def files() -> Files:
    return Files()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def endpoint(files: Files, loop: asyncio.Runner) -> httpx.AsyncClient:
    worker = Worker(Simple, files)
    loop.run(worker.start())
    transport = httpx.ASGITransport(create_app(worker))
    return httpx.AsyncClient(transport=transport, base_url="http://endpoint")


def judge(answer: httpx.Response, expected: frozenset[str]) -> None:
    assert "Traceback" not in answer.text
    if answer.status_code == 200:
        assert TAKEN in expected
        return
    error = from_body(answer.json())
    assert error is not None, answer.text
    assert error.name in expected, answer.text
    assert error.status == answer.status_code
    assert error.message.endswith(".")


@pytest.mark.parametrize(
    "case", bodies.container(INITIALIZE, RECONSTRUCT), ids=lambda case: case.name
)
def test_a_body(endpoint: httpx.AsyncClient, loop: asyncio.Runner, case: Case) -> None:
    answer = loop.run(endpoint.post("/invocations", content=case.data))
    judge(answer, case.expected)


@pytest.mark.parametrize("case", photos.photos()[::5], ids=lambda case: case.name)
def test_a_photo(
    endpoint: httpx.AsyncClient, loop: asyncio.Runner, files: Files, case: Case
) -> None:
    files.files = {"s3://bucket/photo": case.data}
    judge(loop.run(endpoint.post("/invocations", json=INITIALIZE)), case.expected | {TAKEN})


@pytest.mark.parametrize("case", masks.masks()[::5], ids=lambda case: case.name)
def test_a_mask(
    endpoint: httpx.AsyncClient, loop: asyncio.Runner, files: Files, case: Case
) -> None:
    photo = encode(picture(), "PNG")
    files.files = {"s3://bucket/photo": photo, "s3://bucket/mask": case.data}
    judge(loop.run(endpoint.post("/invocations", json=RECONSTRUCT)), case.expected)
