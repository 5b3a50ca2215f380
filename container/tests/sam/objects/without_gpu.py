"""SAM 3D Objects' real code on a machine without a GPU."""

import sys
from functools import partialmethod
from importlib import import_module

import pytest
import torch

from container.tests.sam.operators import import_torchvision
from gen3d_inference.engines.sam.objects.environment import prepare


def without_gpu(patch: pytest.MonkeyPatch) -> None:
    """Import upstream, which takes a GPU for granted: the CPU takes its place.

    Nothing else is changed.
    """
    import_torchvision()
    # With several spconv loses sums: findings/spconv-on-a-processor-loses-sums-on-threads.sh.
    torch.set_num_threads(1)
    patch.setattr(torch.Tensor, "cuda", lambda self: self)
    patch.setattr(torch.cuda, "current_device", lambda: 0)
    patch.setattr(torch.cuda, "get_device_name", lambda _=0: "NVIDIA H200")
    prepare()
    with pytest.MonkeyPatch.context() as importing:
        importing.setattr(torch.cuda, "is_available", lambda: True)
        import_module("sam3d_objects.pipeline.inference_pipeline_pointmap")
    gaussian = sys.modules[
        "sam3d_objects.model.backbone.tdfy_dit.representations.gaussian.gaussian_model"
    ].Gaussian
    *others, _cuda = gaussian.__init__.__defaults__
    patch.setattr(gaussian.__init__, "__defaults__", (*others, "cpu"))
    # Neither library has half precision, nor spconv a bias within its convolution, on CPUs.
    depth = import_module("moge.model.v1").MoGeModel
    patch.setattr(depth, "infer", partialmethod(depth.infer, use_fp16=False))
    convolution = import_module("spconv.pytorch.conv").SparseConvolution
    forward = convolution._conv_forward
    patch.setattr(
        convolution,
        "_conv_forward",
        lambda self, _training, *args, **kwargs: forward(self, True, *args, **kwargs),
    )
