"""Tests of the sam engine with small networks of random weights; they run in .venvs/torch."""

from importlib import import_module
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the sam engine's tests run in .venvs/torch")


def _import_torchvision() -> Any:
    """Import torchvision even where its operators were built for another torch.

    The package index has it for the CUDA build of torch alone. Declared without an implementation,
    the operators fail only where they are called, which nothing here does.
    """
    library = torch.library.Library("torchvision", "FRAGMENT")
    try:
        import_module("torchvision")
    except RuntimeError:
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import_module("torchvision")
    return library


_library = _import_torchvision()  # what it declares goes with it
torch.set_num_threads(1)
