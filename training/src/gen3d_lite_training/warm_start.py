"""Networks as exported, made ready to be trained on.

A file holds a network's weights in float16, with every batch norm folded into the convolution
before it. Here it is unfolded: the statistics are taken anew, so that the network answers in
training as it does in use.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

_HALF = "_half"
"""What `store_float16` adds to a weight's name."""

_USUAL = 0.08
"""Root mean square of a weight before a batch norm, which takes out its scale: a rate's effect is
the smaller the larger the weight is. About that of the layers without a norm."""


WARM_BATCHES = 8
"""Batches from which batch norms' statistics are taken."""


class Found(NamedTuple):
    """A file's weights by name, and the normed convolutions' folded biases by module."""

    weights: dict[str, Tensor]
    folded: dict[str, Tensor]


def read(path: Path) -> Found:
    """Read the weights of a file that `export` wrote, by the names that torch has for them."""
    graph = onnx.load(path).graph
    stored = {
        tensor.name.removesuffix(_HALF): torch.from_numpy(
            numpy_helper.to_array(tensor).astype(np.float32)
        )
        for tensor in graph.initializer
    }
    for node in graph.node:  # what is equal is stored once
        if node.op_type == "Identity" and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]]
    weights = {name: value for name, value in stored.items() if not name.startswith("onnx::")}
    folded = {}
    for node in graph.node:
        module = _module(node.name)
        constants = [stored[name] for name in node.input if name in stored]
        if node.op_type == "Conv":
            weights[f"{module}.weight"] = constants[0]
            if node.input[2:] and node.input[2].startswith("onnx::"):
                folded[module] = constants[1]
        elif node.op_type == "MatMul" and constants:
            weights[f"{module}.weight"] = constants[0].T
        elif node.op_type == "Add" and len(constants) == 1:
            weights.setdefault(f"{module}.bias", constants[0])
    return Found(weights, folded)


def _module(node: str) -> str:
    """The module whose call a node comes from: "/a/b/b.0/Conv" is of "a.b.0"."""
    names: list[str] = []
    for name in node.strip("/").split("/")[:-1]:
        if names and name.startswith(f"{names[-1]}."):
            names[-1] = name
        else:
            names.append(name)
    return ".".join(name.removesuffix("_1") for name in names)


def restore(network: nn.Module, paths: list[Path]) -> None:
    """Give a network the weights of files, in place: it answers as they do, but is not trained on.

    Parameters
    ----------
    network
        Of the files' shape; it lies on its device.
    paths
        Its files.

    Raises
    ------
    ValueError
        The files are not this network's.
    """
    state = network.state_dict()
    for path in paths:
        found = read(path)
        for name, value in found.weights.items():
            if name in state:
                if value.ndim == 4:  # without the channels of nothing that `for_browsers` adds
                    value = value[:, : state[name].shape[1]]
                state[name] = value.reshape(state[name].shape).to(state[name])
        for convolution, bias in found.folded.items():
            norm = f"{convolution[:-1]}1"
            state[f"{norm}.bias"] = bias.to(state[f"{norm}.bias"])
            state[f"{norm}.running_mean"] = torch.zeros_like(state[f"{norm}.bias"])
            state[f"{norm}.running_var"] = torch.ones_like(state[f"{norm}.bias"])
            state[f"{norm}.weight"] = torch.full_like(state[f"{norm}.bias"], _UNIT)
    unknown = _unset(network, state)
    if unknown:
        raise ValueError(f"The files lack {', '.join(unknown)}: they are another network's.")
    network.load_state_dict(state)
    network.eval()


def warm_start(network: nn.Module, paths: list[Path], run: Callable[[], object]) -> None:
    """Give a network the weights of files, in place, to be trained on.

    Parameters
    ----------
    network, paths
        As of `restore`.
    run
        Calls all of the network on a batch such as it will be trained on.

    Raises
    ------
    ValueError
        The files are not this network's.
    """
    restore(network, paths)
    _renormed(network, run)


_UNIT = (1 + 1e-5) ** 0.5
"""The scale at which a batch norm of variance 1 changes nothing."""


def _unset(network: nn.Module, state: dict[str, Tensor]) -> list[str]:
    return [
        name
        for name, value in network.named_parameters()
        if state[name].data_ptr() == value.data_ptr()
    ]


@torch.no_grad()
def _renormed(network: nn.Module, run: Callable[[], object]) -> None:
    """Take batch norms' statistics from a run, and have the network answer as without them."""
    norms = {m for m in network.modules() if isinstance(m, nn.BatchNorm2d)}
    seen: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {norm: [] for norm in norms}

    def look(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].float()
        seen[norm].append((values.mean((0, 2, 3)), values.square().mean((0, 2, 3))))

    hooks = [norm.register_forward_pre_hook(look) for norm in norms]
    run()
    for hook in hooks:
        hook.remove()
    network.train()
    for block in network.modules():
        if not (isinstance(block, nn.Sequential) and len(block) > 1 and block[1] in norms):
            continue
        convolution, norm = block[0], block[1]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean, square = (torch.stack(values).mean(0) for values in zip(*seen[norm], strict=True))
        variance = (square - mean.square()).clamp(min=0)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)
        size = convolution.weight.square().mean((1, 2, 3)).sqrt().clamp(min=1e-6)
        scale = _USUAL / size
        convolution.weight.mul_(scale[:, None, None, None])
        norm.running_mean.copy_(mean * scale)
        norm.running_var.copy_(variance * scale.square())
