"""Our forward passes of upstream's transformers against upstream's own, on its real code."""

import weakref
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gen3d_inference.engines.sam.objects import flows
from gen3d_inference.engines.sam.objects.flows import LatentsFlow, StructureFlow, lighten
from gen3d_inference.engines.sam.objects.pipeline import load

pytestmark = [
    pytest.mark.usefixtures("upstream"),
    pytest.mark.filterwarnings("ignore"),  # upstream's: of CUDA's absence, of old syntax
]

TOKENS = 40
POSE = "6drotation_normalized"
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(scope="module")
def models(weights: Path) -> Any:
    models: Any = load(weights, torch.device("cpu"), parked=False).models
    torch.manual_seed(0)
    for name in ("ss_generator", "slat_generator"):
        for each in models[name].parameters():
            if not each.any():  # biases that upstream starts at zero would hide their part
                torch.nn.init.normal_(each, std=0.1)
    return models


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def _ball() -> np.ndarray:
    grid = np.stack(np.meshgrid(*[np.arange(12)] * 3, indexing="ij"), -1).reshape(-1, 3)
    inside = grid[np.abs(np.linalg.norm(grid - 5.5, axis=1) - 4) < 0.7]
    return np.concatenate([np.zeros((len(inside), 1)), inside + 20], 1).astype(np.int32)


def _latents(network: Any, coords: np.ndarray, seed: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(1, len(coords), network.in_channels, generator=random)
    return x, torch.randn(1, TOKENS, network.cond_channels, generator=random)


class TestLatents:
    @pytest.fixture(scope="class")
    def flow(self, models: Any) -> LatentsFlow:
        flow = lighten(models["slat_generator"])
        assert isinstance(flow, LatentsFlow)
        return flow

    @pytest.mark.parametrize("options", [{}, {"cfg": True}])
    def test_velocity_is_upstreams(self, flow: LatentsFlow, options: dict[str, bool]) -> None:
        coords = _ball()
        x, cond = _latents(flow.network, coords, 1)
        for time in (0.0, 300.0, 800.0):
            t = torch.tensor(time)
            theirs = type(flow.network).forward(
                flow.network, x, t[None], cond, coords, **dict(options)
            )
            ours = flow(x, t[None], cond, coords, **dict(options))
            torch.testing.assert_close(ours, theirs, **CLOSE)

    def test_another_object_is_looked_at_anew(self, flow: LatentsFlow) -> None:
        t = torch.tensor([100.0])
        for coords, seed in ((_ball(), 1), (_ball()[:-9], 2), (_ball()[::3], 3)):
            x, cond = _latents(flow.network, coords, seed)
            theirs = type(flow.network).forward(flow.network, x, t, cond, coords)
            torch.testing.assert_close(flow(x, t, cond, coords), theirs, **CLOSE)

    def test_neighbours_are_sought_once_a_level(
        self, flow: LatentsFlow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ops = import_module("spconv.pytorch.ops")
        sought = []
        seek = ops.get_indice_pairs

        def watched(*arguments: Any, **options: Any) -> Any:
            sought.append(arguments)
            return seek(*arguments, **options)

        monkeypatch.setattr(ops, "get_indice_pairs", watched)
        coords = _ball()
        x, cond = _latents(flow.network, coords, 3)
        for time in (0.0, 100.0):
            flow(x, torch.tensor([time]), cond, coords)
        assert len(sought) == 2

    def test_nothing_is_kept_after_a_generation(self, models: Any, flow: LatentsFlow) -> None:
        coords = _ball()
        _, cond = _latents(flow.network, coords, 3)
        generator = models["slat_generator"]
        generator((1, len(coords), flow.network.in_channels), torch.device("cpu"), cond, coords)
        assert (flow._tokens, flow._seen, flow._levels, flow._coords) == (None, [], [], None)


class TestStructure:
    @pytest.fixture(scope="class")
    def flow(self, models: Any) -> StructureFlow:
        flow = lighten(models["ss_generator"])
        assert isinstance(flow, StructureFlow)
        return flow

    @pytest.mark.parametrize("options", [{}, {"cfg": True}])
    @pytest.mark.parametrize("span", [0.0, 250.0])
    def test_velocity_is_upstreams(
        self, flow: StructureFlow, options: dict[str, bool], span: float
    ) -> None:
        random = torch.Generator().manual_seed(1)
        state = {
            name: torch.randn(
                1, each.pos_emb.shape[0], each.input_layer.in_features, generator=random
            )
            for name, each in flow.network.latent_mapping.items()
        }
        cond = torch.randn(1, TOKENS, 384, generator=random)
        d = torch.tensor([span])
        for time in (0.0, 600.0):
            t = torch.tensor([time])
            theirs = type(flow.network).forward(flow.network, state, t, cond, d=d, **dict(options))
            ours = flow(state, t, cond, d=d, **dict(options))
            assert ours.keys() == theirs.keys()
            for name, each in theirs.items():
                torch.testing.assert_close(ours[name], each, **CLOSE)

    def test_one_compilation_serves_all_layers_and_steps(self, flow: StructureFlow) -> None:
        compiled = []

        def backend(graph: Any, _: object) -> Any:
            compiled.append(graph)
            return graph.forward

        layers = [type(layer)(layer.block) for layer in flow.layers * 2]
        x = {name: torch.randn(1, n, 64) for name, n in (("shape", 70), (POSE, 4))}
        tokens = torch.randn(1, TOKENS, 384)
        for layer in layers:
            layer.compile(fullgraph=True, dynamic=False, backend=backend)
            for condition in (layer.see(tokens), None):
                with torch.device("cpu"):  # upstream runs all in such a context
                    assert layer(x, torch.randn(1, 64), condition).keys() == x.keys()
        assert len(compiled) == 2


def test_a_transformer_that_is_not_known_stays_upstreams(models: Any) -> None:
    generator = models["ss_generator"]
    block = generator.reverse_fn.backbone.blocks[0]
    before = generator.reverse_fn.backbone.forward
    block.use_checkpoint = True
    try:
        assert lighten(generator) is None
    finally:
        block.use_checkpoint = False
    assert generator.reverse_fn.backbone.forward is before


def test_one_compilation_serves_all_layers_objects_and_steps(models: Any) -> None:
    flow = lighten(models["slat_generator"])
    assert isinstance(flow, LatentsFlow)
    compiled = []

    def backend(graph: Any, _: object) -> Any:
        compiled.append(graph)
        return graph.forward

    flow.layers = [type(layer)(layer.block) for layer in flow.layers * 2]
    for layer in flow.layers:
        layer.compile(fullgraph=True, dynamic=False, backend=backend)
    for coords, seed in ((_ball(), 1), (_ball()[:-9], 2)):
        x, cond = _latents(flow.network, coords, seed)
        for options in ({}, {"cfg": True}):
            for time in (100.0, 200.0):
                with torch.device("cpu"):  # upstream runs all in such a context
                    flow(x, torch.tensor([time]), cond, coords, **dict(options))
    assert len(compiled) == 2  # with the condition, and without


class Replay:
    """A recording's part: its own copy of the inputs, and the work done anew from them."""

    made = 0

    def __init__(self, work: Any, *examples: Tensor) -> None:
        type(self).made += 1
        self._work, self._inputs = work, [each.clone() for each in examples]

    def __call__(self, *values: Tensor) -> tuple[Tensor, ...]:
        for held, value in zip(self._inputs, values, strict=True):
            held.copy_(value)
        return tuple(self._work(*self._inputs))


def _steps(flow: LatentsFlow) -> list[Tensor]:
    coords = _ball()
    x, cond = _latents(flow.network, coords, 1)
    return [
        flow(x, torch.tensor([time]), cond, coords, **options)
        for time in (0.0, 200.0, 400.0)
        for options in ({}, {"cfg": True})
    ]


def test_recorded_steps_are_those_that_are_not(
    models: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = lighten(models["slat_generator"])
    assert isinstance(flow, LatentsFlow)
    plain = _steps(flow)
    flow.forget()
    monkeypatch.setattr(flows, "Recording", Replay)
    flow.recording = True
    for ours, theirs in zip(_steps(flow), plain, strict=True):
        assert torch.equal(ours, theirs)
    assert Replay.made == 2  # with the condition, and without; the first step of each is none
    graph = weakref.ref(flow._passes[True]._graph)
    flow.forget()
    assert graph() is None  # at once, not when cycles are collected: that ends another's recording
    _steps(flow)
    assert Replay.made == 4  # addresses are another object's by then


def test_steps_that_cannot_be_recorded_run(models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    flow = lighten(models["slat_generator"])
    assert isinstance(flow, LatentsFlow)
    plain = _steps(flow)
    flow.forget()
    monkeypatch.setattr(flows, "Recording", refuse)
    flow.recording = True
    for ours, theirs in zip(_steps(flow), plain, strict=True):
        assert torch.equal(ours, theirs)
