"""What holds of compiling and recording on any machine; bench/gpu runs them on a GPU."""

import gc
import logging
import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from gen3d_inference.engines.parts.acceleration import COMPILED, accelerate, keep_compiled
from gen3d_inference.weights import seal

EXAMPLE = torch.zeros(1, 4)


class Layered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])

    def forward(self, value: Tensor) -> tuple[Tensor]:
        for layer in self.layers:
            value = layer(value)
        return (value,)


@pytest.fixture(autouse=True)
def _cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Streams and graphs that do nothing, where there is no GPU to have them."""
    stream = SimpleNamespace(wait_stream=lambda _: None)
    graph = SimpleNamespace(
        replay=lambda: None, capture_begin=lambda **_: None, capture_end=lambda: None
    )
    for name, value in {
        "Stream": lambda: stream,
        "current_stream": lambda: stream,
        "stream": lambda _: nullcontext(),
        "synchronize": lambda: None,
        "empty_cache": lambda: None,
        "CUDAGraph": lambda: graph,
        "get_device_name": lambda: "NVIDIA Test",
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(nn.Module, "compile", lambda self, **_: None)
    with torch.inference_mode():
        yield


@pytest.fixture(autouse=True)
def _no_cache_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")


def test_a_recording_keeps_the_parameters_that_it_reads() -> None:
    network = Layered()
    parameters = weakref.ref(network.layers[0].weight)
    recording = accelerate(network, network.layers, EXAMPLE)
    del network
    gc.collect()
    assert parameters() is not None
    assert recording(EXAMPLE)[0].shape == (1, 4)


def test_without_a_compiler_the_network_runs_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(value: Tensor) -> Tensor:
        raise RuntimeError("Failed to find C compiler")

    def compile_(layer: nn.Module, **_: object) -> None:
        layer._compiled_call_impl = broken

    monkeypatch.setattr(nn.Module, "compile", compile_)
    network = Layered()
    with caplog.at_level(logging.INFO):
        run = accelerate(network, network.layers, EXAMPLE)
    assert torch.equal(run(EXAMPLE)[0], network(EXAMPLE)[0])
    record = next(record for record in caplog.records if record.levelno == logging.WARNING)
    assert record.getMessage() == "The encoder runs uncompiled"
    assert "Failed to find C compiler" in record.__dict__["fields"]["reason"]


def test_without_graphs_the_network_runs_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", refuse)
    network = Layered()
    run = accelerate(network, network.layers, EXAMPLE)
    assert torch.equal(run(EXAMPLE)[0], network(EXAMPLE)[0])
    assert "The encoder runs unrecorded" in caplog.messages


def test_memory_that_does_not_suffice_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", refuse)
    network = Layered()
    with pytest.raises(torch.OutOfMemoryError):
        accelerate(network, network.layers, EXAMPLE)


def test_what_was_compiled_is_kept_beside_the_weights_and_not_sealed(tmp_path: Path) -> None:
    (tmp_path / "encoder").write_bytes(b"weights")
    before = seal(tmp_path, "sam").revision
    keep_compiled(tmp_path, "0123456789ab")
    kept = Path(os.environ["TORCHINDUCTOR_CACHE_DIR"])
    assert kept.parent == tmp_path / COMPILED
    assert kept.name == f"NVIDIA-Test-torch{torch.__version__}-0123456789ab"
    (kept / "kernel").write_bytes(b"compiled")
    assert seal(tmp_path, "sam").revision == before


def test_where_weights_cannot_be_written_what_lies_there_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_compiled(tmp_path, "0123456789ab")
    shipped = Path(os.environ.pop("TORCHINDUCTOR_CACHE_DIR"))
    (shipped / "kernel").write_bytes(b"compiled")

    def read_only(**_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    keep_compiled(tmp_path, "0123456789ab")
    used = Path(os.environ["TORCHINDUCTOR_CACHE_DIR"])
    assert tmp_path not in used.parents
    assert (used / "kernel").read_bytes() == b"compiled"


def test_a_folder_that_is_named_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "/elsewhere")
    keep_compiled(tmp_path, "0123456789ab")
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == "/elsewhere"
    assert not (tmp_path / COMPILED).exists()
