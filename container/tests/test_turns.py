"""A photo goes between two steps of an object, and neither is computed while the other is."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from gen3d.contract import EmbeddingsMeta
from gen3d.options import SEED_ALONE, EngineOptions
from gen3d_inference.engines.interface import Embeddings, Gaussians, Mask, Tell, silent
from gen3d_inference.turns import EngineInTurns

PHOTO = Image.new("RGB", (8, 8))
MASK = np.ones((8, 8), bool)


class Stepwise:
    """An engine that makes each step of an object when it is let, and says what it does."""

    name, revision, side, offers = "stepwise", "0123456789ab", 8, SEED_ALONE

    def __init__(self, tells: bool = True, steps: int = 3) -> None:
        self.phases = {"steps": 1.0}
        self.done: list[str] = []
        self.tells, self.steps, self.fails = tells, steps, False
        self.step = threading.Semaphore(0)
        self.begun = threading.Event()
        self._busy = threading.Lock()

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        self._note("photo")
        if self.fails:
            raise MemoryError
        meta = EmbeddingsMeta(
            engine=self.name, revision=self.revision, input_width="8", input_height="8",
            image_width="8", image_height="8", precision="fp32",
        )  # fmt: skip
        return Embeddings({}, meta)

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Gaussians, None]:
        for step in range(self.steps):
            with self._busy:
                self.begun.set()
                assert self.step.acquire(timeout=60)
                self.done.append(f"step {step}")
            if self.tells:
                tell("steps", (step + 1) / self.steps)
        empty = np.zeros((0, 3), np.float32)
        return Gaussians(empty, empty, empty[:, 0], empty, np.zeros((0, 4), np.float32)), None

    def works(self) -> bool:
        return True

    def _note(self, what: str) -> None:
        assert self._busy.acquire(blocking=False), "while a step is made"
        self.done.append(what)
        self._busy.release()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def begin(engine: Stepwise, threads: ThreadPoolExecutor) -> tuple[EngineInTurns, Future[object]]:
    turned = EngineInTurns(engine)
    making: Future[object] = threads.submit(turned.reconstruct, PHOTO, MASK, EngineOptions())
    assert engine.begun.wait(60)
    return turned, making


def wanted(turned: EngineInTurns, number: int) -> None:
    while turned._turns._wanted < number:
        threading.Event().wait(0.001)


def test_a_photo_goes_after_the_step_that_is_being_made(threads: ThreadPoolExecutor) -> None:
    engine = Stepwise()
    turned, making = begin(engine, threads)
    photo = threads.submit(turned.initialize, PHOTO)
    wanted(turned, 1)
    engine.step.release()
    photo.result(60)
    assert engine.done == ["step 0", "photo"]
    engine.step.release(2)
    making.result(60)
    assert engine.done == ["step 0", "photo", "step 1", "step 2"]


def test_every_photo_that_waits_goes_first(threads: ThreadPoolExecutor) -> None:
    engine = Stepwise()
    turned, making = begin(engine, threads)
    photos = [threads.submit(turned.initialize, PHOTO) for _ in range(3)]
    wanted(turned, 3)
    engine.step.release(3)
    making.result(60)
    assert all(photo.done() for photo in photos)
    assert engine.done == ["step 0", "photo", "photo", "photo", "step 1", "step 2"]


def test_one_that_tells_of_no_steps_is_waited_for(threads: ThreadPoolExecutor) -> None:
    engine = Stepwise(tells=False)
    turned, making = begin(engine, threads)
    photo = threads.submit(turned.initialize, PHOTO)
    wanted(turned, 1)
    engine.step.release(3)
    photo.result(60)
    making.result(60)
    assert engine.done == ["step 0", "step 1", "step 2", "photo"]


def test_a_photo_that_fails_keeps_nobody_waiting(threads: ThreadPoolExecutor) -> None:
    engine = Stepwise()
    turned, making = begin(engine, threads)

    engine.fails = True
    photo = threads.submit(turned.initialize, PHOTO)
    wanted(turned, 1)
    engine.step.release(3)
    making.result(60)
    with pytest.raises(MemoryError):
        photo.result(60)
