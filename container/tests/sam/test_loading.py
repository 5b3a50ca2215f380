"""What is loaded beside the first photos: who waits for it, and who does not."""

import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.interface import silent
from gen3d_inference.engines.parts.torch_engine import LoadedBeside
from gen3d_inference.turns import Turns


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.mark.parametrize("failed_before", [False, True])
def test_a_photo_goes_while_what_reconstructs_is_loaded(
    threads: ThreadPoolExecutor, failed_before: bool
) -> None:
    turns, loaded, photo = Turns(), threading.Event(), threading.Event()
    failures = [WeightsInvalid("not yet")] if failed_before else []

    def load() -> str:
        if failures:
            raise failures.pop()
        assert loaded.wait(60)
        return "networks"

    beside = LoadedBeside(threads, load)
    if failed_before:
        while not beside._loaded.done():
            threading.Event().wait(0.001)

    def make() -> str:
        with turns.long():
            return beside.get(lambda *_: turns.let_pass())

    def show() -> None:
        with turns.soon():
            photo.set()

    making = threads.submit(make)
    while not turns._taken:
        threading.Event().wait(0.001)
    threads.submit(show)
    assert photo.wait(30)
    assert not making.done()
    loaded.set()
    assert making.result(60) == "networks"


def test_what_failed_is_tried_again_and_kept_once_it_is_there(threads: ThreadPoolExecutor) -> None:
    tries: list[int] = []

    def load() -> int:
        tries.append(len(tries))
        if len(tries) < 3:
            raise WeightsInvalid(f"try {len(tries)}")
        return len(tries)

    beside = LoadedBeside(threads, load)
    while not beside._loaded.done():
        threading.Event().wait(0.001)
    with pytest.raises(WeightsInvalid, match="try 2"):
        beside.get(silent)
    assert [beside.get(silent), beside.get(silent)] == [3, 3]
    assert len(tries) == 3


def test_a_failure_keeps_nothing_of_what_was_loaded(threads: ThreadPoolExecutor) -> None:
    made: list[weakref.ref[torch.Tensor]] = []

    def load() -> None:
        tensor = torch.zeros(8)
        made.append(weakref.ref(tensor))
        raise torch.OutOfMemoryError

    beside = LoadedBeside(threads, load)
    with pytest.raises(torch.OutOfMemoryError):
        beside.get(silent)
    gc.collect()
    assert [tensor() for tensor in made] == [None] * len(made)
    assert made
