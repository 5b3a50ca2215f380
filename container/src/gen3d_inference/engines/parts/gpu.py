"""Chooses the GPU that networks run on, and knows when its memory ran out or it broke."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from gen3d.errors import GpuUnavailable, OutOfMemory

SETTING = "GEN3D_DEVICE"
"""``cuda`` where it is not set. ``cpu`` is for tests: a photo takes a minute there."""

BFLOAT16 = (8, 0)
"""The first compute capability that multiplies in bfloat16."""

T = TypeVar("T")


@dataclass(frozen=True)
class Needs:
    """What an engine asks of a GPU.

    Parameters
    ----------
    engine : str
    memory : int
        Bytes. A card has some hundred MB less than its name says.
    bfloat16 : bool
        Whether it has to multiply in it.
    instead : str
        What to choose where the machine's will not do, as a sentence without its full stop.
    """

    engine: str
    memory: int
    bfloat16: bool
    instead: str


def choose(needs: Needs) -> torch.device:
    """Take the machine's GPU, if it will do.

    Raises
    ------
    GpuUnavailable
        None, of an architecture that torch has no code for, too old, or too small; the message
        says which instance to choose.
    """
    if os.environ.get(SETTING) == "cpu":
        return torch.device("cpu")
    engine, instead = f"the {needs.engine} engine", f"{needs.instead}."
    if not torch.cuda.is_available():
        raise GpuUnavailable(
            f"The {needs.engine} engine needs an NVIDIA GPU, and this machine offers none. "
            f"{instead}"
        )
    gpu = torch.cuda.get_device_properties(0)
    architectures = torch.cuda.get_arch_list()
    if not _runs(architectures, (gpu.major, gpu.minor)):
        raise GpuUnavailable(
            f"The GPU ({gpu.name}, sm_{gpu.major}{gpu.minor}) is of an architecture that this "
            f"image's torch {torch.__version__} has no kernels for: it has "
            f"{', '.join(architectures)}. {instead}"
        )
    if needs.bfloat16 and (gpu.major, gpu.minor) < BFLOAT16:
        raise GpuUnavailable(
            f"The GPU ({gpu.name}) does not compute in bfloat16, which {engine} needs. {instead}"
        )
    if gpu.total_memory < needs.memory:
        raise GpuUnavailable(
            f"The GPU ({gpu.name}) has {gpu.total_memory / 2**30:.0f} GB of memory, and {engine} "
            f"needs {needs.memory // 2**30}. {instead}"
        )
    return torch.device("cuda", 0)


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies in bfloat16; a processor is not asked to."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= BFLOAT16


def works(device: torch.device) -> bool:
    """Whether a device answers: after some errors a GPU refuses all that this process asks."""
    if device.type == "cpu":
        return True
    try:
        torch.cuda.synchronize(device)
    except RuntimeError:
        return False
    return True


def to_host(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copy to memory that the GPU writes by itself, and wait for the end."""
    if all(tensor.device.type == "cpu" for tensor in tensors.values()):
        return tensors
    host = {
        name: torch.empty_like(tensor, device="cpu", pin_memory=True)
        for name, tensor in tensors.items()
    }
    for name, tensor in tensors.items():
        host[name].copy_(tensor, non_blocking=True)
    torch.cuda.synchronize()
    return host


def within_memory(work: Callable[[], T], free: Callable[[], object], advice: str) -> T:
    """Do work; where the GPU's memory does not suffice, free it and say so.

    Parameters
    ----------
    work : callable
    free : callable
        Gives back what the next job can do without.
    advice : str
        What else to do than to try again.

    Raises
    ------
    OutOfMemory
    """
    try:
        return work()
    except torch.OutOfMemoryError:
        pass  # the exception's trace holds what was allocated, so freeing waits for its end
    free()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise OutOfMemory(f"The GPU ran out of memory; it was freed. {advice}")


def _runs(architectures: list[str], capability: tuple[int, int]) -> bool:
    """Whether a GPU runs what a torch was compiled for.

    Machine code (sm) runs on its own major version from its minor one on; that of sm_90a and the
    like on exactly its own; what the driver still compiles (compute) on all later ones.
    """
    for name in architectures:
        kind, _, number = name.partition("_")
        compiled = divmod(int(number.rstrip("af")), 10)
        if kind == "compute" and not number.endswith("a") and compiled <= capability:
            return True
        if number.endswith("a"):
            if compiled == capability:
                return True
        elif compiled[0] == capability[0] and compiled[1] <= capability[1]:
            return True
    return False
