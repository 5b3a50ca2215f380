"""Makes a network fast on the GPU at hand: compiled layers, replayed as one CUDA graph.

Launched kernel by kernel, much of a forward pass is waiting for Python. Compiling fuses what lies
between the matrix products; the layers are alike, so one is compiled and all use it, in seconds
where the whole network takes minutes. The graph then replays all kernels without Python.
"""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

Network: TypeAlias = Callable[[Tensor], tuple[Tensor, ...]]

COMPILED = ".compiled"
"""Folder beside the weights; hidden, so that it is no part of their seal."""

_INDUCTOR_CACHE = "TORCHINDUCTOR_CACHE_DIR"


class Recording:
    """Work recorded as a CUDA graph: always the same input and output memory.

    Parameters
    ----------
    work : callable
        Gives tensors from tensors. It has run before with such as these, which is when compilers
        and libraries choose and allocate.
    examples : Tensor
        Of its inputs. What else it reads has to stay where it is.
    """

    def __init__(self, work: Callable[..., tuple[Tensor, ...]], *examples: Tensor) -> None:
        self._work = work  # the graph reads parameters by address and does not keep them
        self._inputs = [example.clone() for example in examples]
        self._graph = torch.cuda.CUDAGraph()
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        # Not by `torch.cuda.graph`, which first gives all unused memory back.
        with torch.cuda.stream(beside):
            self._graph.capture_begin(capture_error_mode="relaxed")
            try:
                self._outputs = work(*self._inputs)
                self._graph.capture_end()
            except BaseException:
                with suppress(RuntimeError):
                    self._graph.capture_end()
                _mend_generator()
                raise
        torch.cuda.current_stream().wait_stream(beside)

    def __call__(self, *values: Tensor) -> tuple[Tensor, ...]:
        """What the work gives of other values; valid until the next call."""
        for held, value in zip(self._inputs, values, strict=True):
            held.copy_(value)
        self._graph.replay()
        return self._outputs


def _mend_generator() -> None:
    """Let random numbers be drawn again: a failed recording leaves its hold on their source."""
    generator = torch.cuda.default_generators[torch.cuda.current_device()]
    generator.graphsafe_set_state(generator.clone_state())


def _recording(network: Network, example: Tensor) -> Recording:
    """A network that has not run before."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        network(example)
    torch.cuda.current_stream().wait_stream(beside)
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    return Recording(network, example)


@torch.inference_mode()
def accelerate(network: Network, layers: Iterable[nn.Module], example: Tensor) -> Network:
    """Compile `layers` of a network and record the whole of it for inputs like `example`.

    What a machine does not allow is left out, with a line in the log: the answers are the same,
    and come later.
    """
    made: list[Network] = []
    compile_layers(layers, lambda: made.append(_recording(network, example)), "encoder")
    return made[0] if made else _recorded(network, example)


@torch.inference_mode()
def compile_layers(layers: Iterable[nn.Module], trial: Callable[[], object], what: str) -> None:
    """Compile layers; where the machine does not allow it they stay as they are, with a line.

    Parameters
    ----------
    layers : iterable of torch.nn.Module
        Alike, so that few compilations serve all.
    trial : callable
        Runs them as they will be run, which is when they are compiled.
    what : str
        They are part of, for the log.
    """
    layers = list(layers)
    started = time.perf_counter()
    try:
        # One compiler: to start several takes longer than these few kernels take.
        torch._inductor.config.compile_threads = 1
        for layer in layers:
            layer.compile(fullgraph=True, dynamic=False)
        trial()
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        _warn(f"The {what} runs uncompiled", error)
        for layer in layers:
            layer._compiled_call_impl = None
    ms = round((time.perf_counter() - started) * 1000)
    logger.info(f"{what.capitalize()} compiled", extra={"fields": {"ms": ms}})


def _recorded(network: Network, example: Tensor) -> Network:
    try:
        return _recording(network, example)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        _warn("The encoder runs unrecorded", error)
        return network


def _warn(message: str, error: Exception) -> None:
    reason = f"{type(error).__name__}: {str(error)[:500]}"
    logger.warning(message, extra={"fields": {"reason": reason}})


def keep_compiled(weights: Path, revision: str) -> None:
    """Let the compiler keep its results beside the weights, for the next start on such a machine.

    Where the folder cannot be written, what lies there is used, and new results live as long as
    the machine. Nothing is kept where ``TORCHINDUCTOR_CACHE_DIR`` already names a folder.

    Parameters
    ----------
    weights : Path
        Whoever can write here could put code there that is run: as with the weights themselves.
    revision : str
        Of the weights; with the GPU's name and torch's version it names the folder.
    """
    if _INDUCTOR_CACHE in os.environ:
        return
    gpu = torch.cuda.get_device_name().replace(" ", "-")
    kept = weights / COMPILED / f"{gpu}-torch{torch.__version__}-{revision}"
    try:
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=kept):
            pass
    except OSError:
        private = Path(tempfile.mkdtemp(prefix="gen3d-compiled-"))
        if kept.is_dir():
            shutil.copytree(kept, private, dirs_exist_ok=True)
        kept = private
    os.environ[_INDUCTOR_CACHE] = str(kept)
