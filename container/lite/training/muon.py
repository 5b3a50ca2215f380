"""The optimiser of hidden layers' matrices."""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

_QUINTIC, _ROUNDS = (3.4445, -4.7750, 2.0315), 5
"""Of the Newton-Schulz iteration, chosen by Jordan for the fewest rounds."""

_RMS = 0.2
"""Of an update's entries before the rate: about what AdamW's have, so that both take one rate."""

_LEAST = 16
"""Inputs and outputs of a hidden layer; the thinner first and last ones are AdamW's."""


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

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[nn.Parameter]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    alike[len(weight), weight[0].numel()].append(weight)
            for shape, weights in alike.items():
                updates = []
                for weight in weights:
                    state = self.state[weight]
                    if "momentum" not in state:
                        state["momentum"] = torch.zeros_like(weight)
                    state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                    ahead = weight.grad.lerp(state["momentum"], group["momentum"])
                    updates.append(ahead.reshape(shape))
                even = orthogonalised(torch.stack(updates)) * (_RMS * max(shape) ** 0.5)
                for weight, update in zip(weights, even, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.sub_((update * group["lr"]).view(weight.shape))


def orthogonalised(matrices: Tensor) -> Tensor:
    """Bring the singular values of matrices [..., r, c] to between about 0.7 and 1.2."""
    a, b, c = _QUINTIC
    x = matrices.bfloat16() if matrices.is_cuda else matrices  # a CPU has no quick bfloat16
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).to(matrices.dtype)


def hidden_weights(network: nn.Module) -> list[nn.Parameter]:
    """Weights of linear layers and convolutions with many inputs and outputs."""
    layers = (m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d))
    return [layer.weight for layer in layers if min(layer.weight.shape[:2]) >= _LEAST]
