"""Chooses where the networks run."""

import os

import torch

from gen3d.errors import GpuUnavailable

SETTING = "GEN3D_DEVICE"
"""``cuda`` where it is not set. ``cpu`` is for tests: a photo takes a minute there."""

MIN_MEMORY = 20 * 2**30
"""Bytes that the networks need where they take turns on the GPU; a 24 GB card has a little more."""

_BFLOAT16 = (8, 0)
"""The first compute capability that multiplies in bfloat16."""

_INSTEAD = "Choose ml.g5.2xlarge (24 GB) or ml.g6e.2xlarge (48 GB), or the lite engine"


def choose() -> torch.device:
    """Take the machine's GPU, if it will do.

    Raises
    ------
    GpuUnavailable
        None, too old, or too small; the message says which instance to choose.
    """
    if os.environ.get(SETTING) == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise GpuUnavailable(
            f"The sam engine needs an NVIDIA GPU, and this machine offers none. {_INSTEAD}."
        )
    gpu = torch.cuda.get_device_properties(0)
    if (gpu.major, gpu.minor) < _BFLOAT16:
        raise GpuUnavailable(
            f"The GPU ({gpu.name}) does not compute in bfloat16, which the sam engine needs. "
            f"{_INSTEAD}."
        )
    if gpu.total_memory < MIN_MEMORY:
        raise GpuUnavailable(
            f"The GPU ({gpu.name}) has {gpu.total_memory / 2**30:.0f} GB of memory, and the sam "
            f"engine needs {MIN_MEMORY // 2**30}. {_INSTEAD}."
        )
    return torch.device("cuda", 0)
