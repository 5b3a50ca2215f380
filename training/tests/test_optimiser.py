"""The optimiser of hidden layers, and steps that a GPU records."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training's tests run in .venvs/torch")

from gen3d_lite_training.muon import Muon, hidden_weights, orthogonalised  # noqa: E402
from gen3d_lite_training.networks import Reconstruction  # noqa: E402
from gen3d_lite_training.optimiser import _optimisers, _Step  # noqa: E402

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="steps are recorded on a GPU")


@pytest.mark.parametrize("shape", [(1, 16, 40), (2, 40, 16), (3, 24, 48)])
def test_singular_values_become_nearly_equal(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(shape) * torch.logspace(-1, 0, shape[-1])
    values = torch.linalg.svdvals(orthogonalised(matrices))
    assert values.min() > 0.3
    assert values.max() < 1.3


def test_equal_shapes_are_moved_as_if_each_were_alone() -> None:
    def moved(together: bool) -> list[Any]:
        torch.manual_seed(0)
        weights = [torch.nn.Parameter(torch.randn(16, 16, 3, 3)) for _ in range(3)]
        groups = [weights] if together else [[weight] for weight in weights]
        optimisers = [Muon(group, torch.tensor(0.1), weight_decay=0.1) for group in groups]
        for _ in range(2):
            for weight in weights:
                weight.grad = torch.randn_like(weight)
            for optimiser in optimisers:
                optimiser.step()
        return [weight.detach() for weight in weights]

    for one, other in zip(moved(True), moved(False), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_muon_goes_downhill() -> None:
    torch.manual_seed(0)
    wanted, weight = torch.randn(16, 24), torch.nn.Parameter(torch.zeros(16, 24))
    optimiser = Muon([weight], torch.tensor(0.05))
    for _ in range(40):
        weight.grad = weight.detach() - wanted
        optimiser.step()
    assert (weight - wanted).square().mean() < 0.5 * wanted.square().mean()


def test_first_and_last_layers_are_not_hidden_ones() -> None:
    network = Reconstruction()
    hidden = {id(weight) for weight in hidden_weights(network)}
    outer = (network.stem[0].weight, network.out.weight)
    assert not hidden & {id(weight) for weight in outer}
    assert id(network.down[0][0][0].weight) in hidden
    assert id(network.blocks[0].query.weight) in hidden


@on_gpu
def test_recorded_steps_do_what_steps_do() -> None:
    def trained(recorded: bool) -> Any:
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Linear(32, 32), torch.nn.Linear(32, 1)).cuda()
        rate = torch.zeros((), device="cuda")
        optimisers = _optimisers(network, rate, 0.1)

        def take() -> tuple[Any, dict[str, Any]]:
            network.zero_grad()
            loss = (network(torch.randn(64, 32, device="cuda")) - 1).square().mean()
            loss.backward()
            for optimiser in optimisers:
                optimiser.step()
            return loss.detach(), {}

        step = _Step(take, recorded)
        with torch.cuda.stream(torch.cuda.Stream()):
            for i in range(12):
                torch.manual_seed(i)
                rate.fill_(0.01 * (12 - i))
                step()
        torch.cuda.synchronize()
        return torch.cat([weight.detach().flatten() for weight in network.parameters()])

    assert torch.allclose(trained(True), trained(False), atol=1e-3)
