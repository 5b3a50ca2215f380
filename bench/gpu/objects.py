"""Measures SAM 3D Objects at full size, with random weights, from photo to gaussians.

``python -m bench.gpu.objects`` needs a GPU, upstream with its requirements
(container/sam/objects/README.md), and in GEN3D_SAM3D_DINOV2 a checkout of DINOv2.
"""

import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.gpu.objects_weights import FULL, write
from container.sam.objects import ObjectReconstruction
from container.sam.objects.environment import prepare

PHOTO = (1600, 1200)
SEED = 0


def main() -> int:
    """Print a table, and everything measured as JSON on the last line."""
    prepare()
    folder = Path(tempfile.mkdtemp())
    dinov2 = Path(os.environ["GEN3D_SAM3D_DINOV2"])
    start = time.perf_counter()
    write(folder, FULL, dinov2, device="cuda")
    _say(f"random weights written in {time.perf_counter() - start:.0f} s")
    rows: list[dict[str, Any]] = []
    for setting in ("never", "always"):
        _free()
        try:
            rows.extend(measure(folder, setting))
        except Exception as error:
            rows.append({"offload": setting, "error": f"{type(error).__name__}: {error}"})
        print(json.dumps(rows), flush=True)
    return 0


def measure(folder: Path, setting: str) -> list[dict[str, Any]]:
    """Load with an offload setting and reconstruct twice: the first run also tunes kernels."""
    os.environ["GEN3D_OFFLOAD"] = setting
    start = time.perf_counter()
    reconstruction = ObjectReconstruction(folder)
    load_s = time.perf_counter() - start
    resident, loading = torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated()
    generator = np.random.default_rng(SEED)
    photo = Image.fromarray(generator.integers(0, 255, (*PHOTO[::-1], 3), np.uint8))
    mask = np.zeros(PHOTO[::-1], bool)
    mask[300:900, 500:1100] = True
    rows = []
    for run in (1, 2):
        torch.cuda.reset_peak_memory_stats()
        start = time.perf_counter()
        gaussians, _ = reconstruction.run(photo, mask, SEED)
        rows.append(
            {
                "offload": setting,
                "run": run,
                "load_s": round(load_s, 1),
                "run_s": round(time.perf_counter() - start, 2),
                "resident_gb": round(resident / 1e9, 2),
                "loading_peak_gb": round(loading / 1e9, 2),
                "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2),
                "gaussians": len(gaussians),
                "xyz_sum": float(gaussians.xyz.sum(dtype=np.float64)),
                "ms": dict(reconstruction.timings),
            }
        )
        _say(json.dumps(rows[-1]))
    parameters = {
        name: round(sum(p.numel() for p in network.parameters()) / 1e6, 1)
        for name, network in _networks(reconstruction).items()
    }
    _say(f"millions of parameters: {parameters}")
    return rows


def _networks(reconstruction: ObjectReconstruction) -> dict[str, torch.nn.Module]:
    pipeline = reconstruction._pipeline
    every = {**pipeline.models, **pipeline.condition_embedders, "moge": pipeline.depth_model.model}
    return {name: network for name, network in every.items() if network is not None}


def _free() -> None:
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
