"""Imports torchvision even where its operators were built for another torch."""

from importlib import import_module

import torch


def import_torchvision() -> None:
    """Declare the operators that are missing, before SAM 3's code imports the library.

    The package index has torchvision for the CUDA build of torch alone. Declared without an
    implementation, the operators fail only where they are called, which nothing here does.
    """
    try:
        import_module("torchvision")
    except RuntimeError:
        for name in ("nms", "qnms"):
            _library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import_module("torchvision")


_library = torch.library.Library("torchvision", "FRAGMENT")  # what it declares goes with it
