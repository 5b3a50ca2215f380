"""Upstream's checkouts, where this machine has them.

``GEN3D_SAM3D_SOURCE`` names the folders of sam-3d-objects, pytorch3d, MoGe, utils3d and dinov2,
separated as in PATH; `make test-upstream` fetches them, and sets up the packages that they need.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from container.tests.sam.objects.without_gpu import without_gpu

_FOUND_IN = {
    "sam3d_objects": "sam-3d-objects",
    "pytorch3d": "pytorch3d",
    "moge": "MoGe",
    "utils3d": "utils3d",
    "hubconf.py": "dinov2",
}


@pytest.fixture(scope="session")
def checkouts() -> dict[str, Path]:
    """Folders by what lies in them."""
    folders = [Path(each) for each in os.environ.get("GEN3D_SAM3D_SOURCE", "").split(os.pathsep)]
    found = {
        name: folder
        for name in _FOUND_IN
        for folder in folders
        if str(folder) != "." and (folder / name).exists()
    }
    lacking = [_FOUND_IN[name] for name in _FOUND_IN if name not in found]
    if lacking:
        pytest.skip(f"GEN3D_SAM3D_SOURCE names no checkout of {', '.join(lacking)}")
    return found


@pytest.fixture(scope="session")
def upstream(checkouts: dict[str, Path]) -> Iterator[pytest.MonkeyPatch]:
    """Upstream, imported by our own `prepare` on a machine without a GPU."""
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in checkouts.items():
            if not name.endswith(".py"):
                patch.syspath_prepend(folder)
        for name in ("ATTN_BACKEND", "SPARSE_ATTN_BACKEND"):
            patch.delenv(name, raising=False)
        if not torch.cuda.is_available():
            without_gpu(patch)
        yield patch


@pytest.fixture(scope="session")
def weights(
    upstream: object, checkouts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Random weights for tiny networks, made with upstream's classes."""
    from bench.gpu.objects_configs import TINY
    from bench.gpu.objects_weights import write

    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    write(folder, TINY, checkouts["hubconf.py"], occupied=0.01)
    return folder
