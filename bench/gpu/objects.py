"""Measures SAM 3D Objects at full size, with random weights, from photo to gaussians.

``python -m bench.gpu.objects`` needs a GPU, upstream with its requirements
(its README is engines/sam/objects/README.md), and in GEN3D_SAM3D_DINOV2 a checkout of DINOv2.
"""

import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.gpu.objects_configs import FULL
from bench.gpu.objects_weights import fill, write
from gen3d.errors import OutOfMemory
from gen3d.options import EngineOptions, Quality
from gen3d_inference.engines.sam.objects import ObjectReconstruction
from gen3d_inference.engines.sam.objects.environment import prepare

PHOTO = (1600, 1200)
SEED = 0
CROWDED = 0.5
"""Share of voxels occupied in the hardest case: as many stay as upstream lets through."""
SMALL = 2e9
"""Bytes of GPU memory that do not suffice."""


def main() -> int:
    """Print what was measured, a JSON object a line."""
    prepare()
    folder = Path(tempfile.mkdtemp())
    with _timed() as seconds:
        write(folder, FULL, Path(os.environ["GEN3D_SAM3D_DINOV2"]), device="cuda")
    _say({"random weights written, s": seconds[0]})
    for setting in sys.argv[1:] or ("never", "always"):
        _free()
        measure(folder, setting)
    return 0


def measure(folder: Path, setting: str) -> None:
    """Load with an offload setting, and reconstruct."""
    os.environ["GEN3D_OFFLOAD"] = setting
    with _timed() as seconds:
        reconstruction = ObjectReconstruction(folder)
    loaded = {
        "offload": setting,
        "load_s": seconds[0],
        "loading_peak_gb": _gigabytes(torch.cuda.max_memory_allocated()),
        "resident_gb": _gigabytes(torch.cuda.memory_allocated()),
    }
    parameters = {
        name: round(sum(p.numel() for p in network.parameters()) / 1e6, 1)
        for name, network in _networks(reconstruction).items()
    }
    _say({**loaded, "millions of parameters": parameters})
    _say({"offload": setting, "case": "first, tunes kernels", **_run(reconstruction)})
    _say({"offload": setting, "case": "again", **_run(reconstruction)})
    _say({"offload": setting, "case": "fast", **_run(reconstruction, "fast")})
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()  # what is kept for reuse would do without asking
    torch.cuda.set_per_process_memory_fraction(SMALL / total)
    try:
        _run(reconstruction)
    except OutOfMemory as error:
        left = _gigabytes(torch.cuda.memory_allocated())
        _say(
            {"offload": setting, "case": "too little memory", "error": error.message, "left": left}
        )
    torch.cuda.set_per_process_memory_fraction(1.0)
    _say({"offload": setting, "case": "the job after", **_run(reconstruction)})
    decoder = reconstruction._pipeline.models["ss_decoder"]
    assert decoder is not None
    fill(decoder, CROWDED, "cuda")
    _say({"offload": setting, "case": "most voxels", **_run(reconstruction)})


def _run(reconstruction: ObjectReconstruction, quality: Quality = "standard") -> dict[str, Any]:
    photo = Image.fromarray(
        np.random.default_rng(SEED).integers(0, 255, (*PHOTO[::-1], 3), np.uint8)
    )
    mask = np.zeros(PHOTO[::-1], bool)
    mask[300:900, 500:1100] = True
    torch.cuda.reset_peak_memory_stats()
    with _timed() as seconds:
        gaussians, _ = reconstruction.run(photo, mask, EngineOptions(quality=quality, seed=SEED))
    return {
        "s": seconds[0],
        "peak_gb": _gigabytes(torch.cuda.max_memory_allocated()),
        "gaussians": len(gaussians),
        "xyz_sum": float(gaussians.xyz.sum(dtype=np.float64)),
        "ms": reconstruction.timings,
    }


@contextmanager
def _timed() -> Iterator[list[float]]:
    seconds: list[float] = []
    start = time.perf_counter()
    yield seconds
    seconds.append(round(time.perf_counter() - start, 2))


def _gigabytes(count: int) -> float:
    return round(count / 1e9, 2)


def _networks(reconstruction: ObjectReconstruction) -> dict[str, torch.nn.Module]:
    pipeline = reconstruction._pipeline
    every = {**pipeline.models, **pipeline.condition_embedders, "moge": pipeline.depth_model.model}
    return {name: network for name, network in every.items() if network is not None}


def _free() -> None:
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()


def _say(measured: dict[str, Any]) -> None:
    print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    sys.exit(main())
