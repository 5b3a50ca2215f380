"""Makes a network fast on the GPU at hand: compiled layers, replayed as one CUDA graph.

Launched kernel by kernel, half of a forward pass is waiting for Python. Compiling fuses what lies
between the matrix products; the layers are alike, so one is compiled and all use it, in seconds
where the whole network takes minutes. The graph then replays all kernels without Python.
"""

import logging
import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

Network: TypeAlias = Callable[[Tensor], tuple[Tensor, ...]]


class _Recording:
    """A network recorded as a CUDA graph: always the same input and output memory."""

    def __init__(self, network: Network, example: Tensor) -> None:
        self._input = example.clone()
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            network(self._input)  # compiles, and lets libraries choose and allocate
            network(self._input)
        torch.cuda.current_stream().wait_stream(beside)
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = network(self._input)

    def __call__(self, value: Tensor) -> tuple[Tensor, ...]:
        self._input.copy_(value)
        self._graph.replay()
        return self._outputs


@torch.inference_mode()
def accelerate(network: Network, layers: Iterable[nn.Module], example: Tensor) -> Network:
    """Compile `layers` of a network and record the whole of it for inputs like `example`.

    What cannot be had on this machine is left out, with a line in the log: a GPU or an image
    without a compiler still gives the same answers, later.
    """
    layers = list(layers)
    started = time.perf_counter()
    try:
        for layer in layers:
            layer.compile(fullgraph=True, dynamic=False)
        recording = _Recording(network, example)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        logger.warning("The encoder runs uncompiled", extra={"fields": {"reason": str(error)}})
        for layer in layers:
            layer._compiled_call_impl = None
        recording = _Recording(network, example)
    logger.info(
        "Encoder compiled",
        extra={"fields": {"ms": round((time.perf_counter() - started) * 1000)}},
    )
    return recording
