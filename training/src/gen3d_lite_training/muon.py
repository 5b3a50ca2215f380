"""The optimiser of hidden layers' matrices."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import cycle

import torch
from torch import Tensor, nn

from .lanes import Lane

_QUINTIC, _ROUNDS = (3.4445, -4.7750, 2.0315), 5
"""Of the Newton-Schulz iteration, chosen by Jordan for the fewest rounds."""

_RMS = 0.2
"""Of an update's entries before the rate: about what AdamW's have, so that both take one rate."""

_LEAST = 16
"""Inputs and outputs of a hidden layer; the thinner first and last ones are AdamW's."""

_LANES = 4
"""Shapes computed side by side; one alone fills a fraction of a GPU."""


class Muon(torch.optim.Optimizer):
    """Momentum whose updates are orthogonalised (Jordan et al. 2024).

    The update's singular values are made nearly equal, by five rounds of a Newton-Schulz iteration,
    so that rare directions are learned as fast as common ones. A convolution counts as a matrix
    [outputs, inputs · kernel]. `torch.optim.Muon` takes matrices alone and reads its rate on the
    host, which would be recorded with the step; this one also computes equal shapes together.

    Parameters
    ----------
    parameters
        Weights with two axes or more.
    lr
        A tensor, read on the device.
    momentum, weight_decay
        As in SGD with Nesterov's momentum, and AdamW.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: Tensor,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(parameters, defaults)
        self._lanes = [Lane(lr.is_cuda) for _ in range(_LANES)]

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            gradients = [weight.grad for weight in weights]
            momenta = [self._momentum(weight) for weight in weights]
            torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
            ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])
            torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
            alike: dict[tuple[int, int], list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
            for weight, direction in zip(weights, ahead, strict=True):
                shape = len(weight), weight[0].numel()
                alike[shape].append((weight, direction.reshape(shape)))
            for (shape, pairs), lane in zip(alike.items(), cycle(self._lanes), strict=False):
                with lane.beside():
                    even = orthogonalised(torch.stack([direction for _, direction in pairs]))
                    updates = even * (group["lr"] * _RMS * max(shape) ** 0.5)
                    torch._foreach_sub_(
                        [weight for weight, _ in pairs],
                        [u.view(w.shape) for (w, _), u in zip(pairs, updates, strict=True)],
                    )
            for lane in self._lanes[: len(alike)]:
                lane.join()

    def _momentum(self, weight: nn.Parameter) -> Tensor:
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        momentum: Tensor = state["momentum"]
        return momentum


def orthogonalised(matrices: Tensor) -> Tensor:
    """Bring the singular values of matrices [N, r, c] to between about 0.7 and 1.2."""
    a, b, c = _QUINTIC
    x = matrices.bfloat16() if matrices.is_cuda else matrices  # a CPU has no quick bfloat16
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)


def hidden_weights(network: nn.Module) -> list[nn.Parameter]:
    """Weights of linear layers and convolutions with many inputs and outputs."""
    layers = (m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d))
    return [layer.weight for layer in layers if min(layer.weight.shape[:2]) >= _LEAST]
