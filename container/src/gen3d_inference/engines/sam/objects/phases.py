"""Runs networks one after another: lends them the GPU, times them, and tells how far they are."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn

from gen3d_inference.engines.interface import Tell, silent


@contextmanager
def on_device(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Have a network on a device while it is used.

    Weights are only read, so the originals stay where they are: nothing is copied back.
    """
    tensors = [*network.parameters(), *network.buffers()]
    originals = [tensor.data for tensor in tensors]
    try:
        for tensor in tensors:
            tensor.data = tensor.data.to(device)
        yield
    finally:
        for tensor, original in zip(tensors, originals, strict=True):
            tensor.data = original


class Phases:
    """The phases of one pipeline.

    Parameters
    ----------
    device : torch.device
        Where the networks run.
    offload : bool
        Whether each is moved there for its phase only. Then the largest network sets how much
        memory is needed, not their sum.
    """

    def __init__(self, device: torch.device, offload: bool) -> None:
        self._device = device
        self._offload = offload
        self.timings: dict[str, float] = {}
        self.progress: Tell = silent

    def restart(self, progress: Tell) -> None:
        """Forget the last run."""
        self.timings = {}
        self.progress = progress

    def add(self, name: str, network: nn.Module, method: str = "forward") -> None:
        """Make each call of a network's `method` the phase of that name.

        Parameters
        ----------
        name : str
            Key of its milliseconds in `timings`.
        network : torch.nn.Module
        method : str
            By which the pipeline calls it.
        """
        call = getattr(network, method)

        @wraps(call)
        def phase(*args: Any, **kwargs: Any) -> Any:
            self.progress(name, 0.0)
            start = time.perf_counter()
            if self._offload:
                with on_device(network, self._device):
                    result = call(*args, **kwargs)
                    self._wait()
            else:
                result = call(*args, **kwargs)
                self._wait()
            self.timings[name] = round((time.perf_counter() - start) * 1000, 1)
            self.progress(name, 1.0)
            return result

        setattr(network, method, phase)

    def add_sampler(self, name: str, sampler: nn.Module) -> None:
        """Make a generator a phase that also tells of each of its ``inference_steps``.

        Parameters
        ----------
        name : str
        sampler : torch.nn.Module
            Calls its ``reverse_fn`` once a step.
        """
        done = 0

        def restart(*_: object) -> None:
            nonlocal done
            done = 0

        def step(*_: object) -> None:
            nonlocal done
            done += 1
            # All but the last, which the end of the phase tells of.
            if done < int(sampler.inference_steps):
                self.progress(name, done / int(sampler.inference_steps))

        self.add(name, sampler)
        sampler.register_forward_pre_hook(restart)
        sampler.reverse_fn.register_forward_hook(step)

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def refuse_empty(network: nn.Module, error: Callable[[], Exception]) -> None:
    """Raise where a network that gives occupancy logits finds nothing occupied.

    Without this, upstream fails a few lines on with an error about tensor shapes.
    """

    def check(_network: nn.Module, _inputs: object, logits: Tensor) -> None:
        if not bool((logits > 0).any()):
            raise error()

    network.register_forward_hook(check)
