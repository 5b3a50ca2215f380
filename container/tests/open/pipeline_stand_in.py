"""Stands in for upstream's ``triposplat.py``."""

from types import SimpleNamespace
from typing import Any

import torch
from model import PER_POINT, OctreeGaussianDecoder  # type: ignore  # noqa: F401  as upstream does
from torch import Tensor

_CANVAS_SIZE = 64
FLOW_MODEL_ARGS = {
    "q_token_length": 32,
    "in_channels": 16,
    "cam_channels": 5,
    "out_channels": 16,
    "model_channels": 48,
    "cond_channels": 24,
    "cond2_channels": 12,
    "num_refiner_blocks": 1,
    "num_blocks": 2,
    "num_heads": 2,
}
OCTREE_DECODER_ARGS: dict[str, Any] = {}
GS_DECODER_ARGS: dict[str, Any] = {}


def _build_gaussians(
    _: object, points: dict[str, Tensor], pred: dict[str, Tensor]
) -> list[SimpleNamespace]:
    values = pred["features"][0].unflatten(-1, (PER_POINT, 14)).tanh()
    near = points["points"][0][:, None] - 0.5 + 0.01 * values[..., :3]
    flat = values.flatten(0, 1)
    splat = SimpleNamespace(
        get_xyz=near.flatten(0, 1),
        _features_dc=flat[:, None, 3:6],
        get_scaling=torch.exp(flat[:, 6:9] - 5),
        _opacity=flat[:, 9:10],
        opacity_bias_val=torch.tensor(0.1),
        _rotation=0.1 * flat[:, 10:],
        rots_bias=torch.tensor([1.0, 0, 0, 0]),
    )
    return [splat]
