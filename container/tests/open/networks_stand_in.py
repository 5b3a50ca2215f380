"""Stands in for upstream's ``model.py``: small networks that are called as its are."""

from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

PATCH, PLACELESS, PER_POINT = 16, 5, 32
SEEN, DRAWN = 24, 12


class _Loadable(nn.Module):
    def load_safetensors(self, path: str) -> None:
        self.load_state_dict(load_file(path))


class DinoV3ViT(_Loadable):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, SEEN, PATCH, PATCH)
        self.placeless = nn.Parameter(torch.randn(1, PLACELESS, SEEN))

    def forward(self, pixel_values: Tensor) -> Tensor:
        return torch.cat([self.placeless, self.patches(pixel_values).flatten(2).mT], 1)


class Flux2VAEEncoder(_Loadable):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, DRAWN, PATCH, PATCH)

    def encode(self, images: Tensor, deterministic: bool, generator: Any) -> Tensor:
        assert not deterministic
        mean: Tensor = self.patches(images).flatten(2).mT
        return mean + 0.1 * torch.randn(mean.shape, generator=generator)


class Octree(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.where = nn.Linear(3, 8)
        self.what = nn.Linear(16, 8)

    def forward(self, x: Tensor, level: Tensor, cond: Tensor, _: None) -> dict[str, Tensor]:
        return {"logits": self.where(x) + self.what(cond).mean(1, keepdim=True) / level}


class Splatter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(3, PER_POINT * 14)
        self.what = nn.Linear(16, PER_POINT * 14)

    def forward(self, x: dict[str, Tensor], cond: Tensor) -> dict[str, Tensor]:
        return {"features": self.out(x["points"]) + self.what(cond).mean(1, keepdim=True)}


class OctreeGaussianDecoder(_Loadable):
    gaussians_per_point = PER_POINT

    def __init__(self, *_: object) -> None:
        super().__init__()
        self.octree = Octree()
        self.gs = Splatter()
