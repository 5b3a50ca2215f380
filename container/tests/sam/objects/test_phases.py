"""Networks lent to the GPU. Here, double precision stands for being there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from container.tests.sam.objects.fake_pipeline import FakePipeline, Generator, Network
from container.tests.sam.objects.test_reconstruction import MASK, PHOTO, with_gpu
from gen3d.errors import OutOfMemory
from gen3d.options import EngineOptions
from gen3d_inference.engines.sam.objects import ObjectReconstruction
from gen3d_inference.engines.sam.objects.phases import Phases, on_device

CUDA = torch.device("cuda")
HERE, THERE = {torch.float32}, {torch.float64}


@pytest.fixture(autouse=True)
def move(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Let tensors move to the GPU, and back to where they were."""
    to: Callable[..., Any] = torch.Tensor.to

    def move(tensor: torch.Tensor, *where: Any, **how: Any) -> Any:
        return tensor.double() if where == (CUDA,) else to(tensor, *where, **how)

    monkeypatch.setattr(torch.Tensor, "to", move)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: None)
    return move


def _network() -> nn.Module:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, affine=False))
    network[1].num_batches_tracked = torch.zeros(())
    network.register_buffer("table", torch.arange(3.0), persistent=False)
    return network


def _places(network: nn.Module) -> set[torch.dtype]:
    return {tensor.dtype for tensor in (*network.parameters(), *network.buffers())}


def test_a_network_is_whole_on_the_device_and_back_as_it_was() -> None:
    network = _network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    memory = [parameter.data_ptr() for parameter in network.parameters()]
    with on_device(network, CUDA):
        assert _places(network) == THERE
    assert _places(network) == HERE
    assert [parameter.data_ptr() for parameter in network.parameters()] == memory
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_network_comes_back_after_an_error() -> None:
    network = _network()
    with pytest.raises(ZeroDivisionError), on_device(network, CUDA):
        raise ZeroDivisionError
    assert _places(network) == HERE


def test_a_network_comes_back_when_the_gpu_is_full(
    monkeypatch: pytest.MonkeyPatch, move: Callable[..., Any]
) -> None:
    network = _network()
    moved: list[torch.Tensor] = []

    def full(tensor: torch.Tensor, *where: Any) -> Any:
        if len(moved) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        moved.append(tensor)
        return move(tensor, *where)

    monkeypatch.setattr(torch.Tensor, "to", full)
    with pytest.raises(torch.OutOfMemoryError), on_device(network, CUDA):
        pass
    assert len(moved) == 2
    assert _places(network) == HERE


@pytest.mark.parametrize(("offload", "place"), [(True, THERE), (False, HERE)])
def test_each_stage_has_the_gpu_for_itself(offload: bool, place: set[torch.dtype]) -> None:
    first, second = Network(), Generator()
    phases = Phases(CUDA, offload)
    phases.add("first", first)
    phases.add_sampler("second", second)
    others: list[set[torch.dtype]] = []
    first.register_forward_hook(lambda *_: others.append(_places(second)))
    second(first(torch.zeros(3)))
    assert set(first.ran_in) == place
    assert second.reverse_fn.ran_in == [*place] * 4
    assert others == [HERE]
    assert _places(first) == _places(second) == HERE


def test_a_failed_run_leaves_no_network_on_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpu(monkeypatch, total=24 * 10**9)
    pipeline = FakePipeline()
    reconstruction = ObjectReconstruction(Path(), load=lambda *_: pipeline)
    network = pipeline.condition_embedders["ss_condition_embedder"]
    network.fails = torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(OutOfMemory):
        reconstruction.run(PHOTO, MASK, EngineOptions())
    assert set(network.ran_in) == THERE
    assert _places(network) == HERE


def test_steps_are_counted_anew_in_each_run() -> None:
    told: list[float] = []
    generator = Generator()
    phases = Phases(torch.device("cpu"), offload=False)
    phases.add_sampler("structure", generator)
    phases.restart(lambda _, done: told.append(done))
    generator(torch.zeros(3))
    generator.inference_steps = 2
    generator(torch.zeros(3))
    assert told == [0, 0.25, 0.5, 0.75, 1, 0, 0.5, 1]
