"""A stand-in for upstream's pipeline: its call signature and its order of calls, no reconstruction.

It holds small networks of torch, so that what is done to networks is done to real ones.
test_upstream.py holds its signature against the real one.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

PHASES = (
    "depth",
    "structureCondition",
    "structure",
    "voxels",
    "latentsCondition",
    "latents",
    "gaussians",
)


class Network(nn.Linear):
    """Keeps what it was told to do."""

    def __init__(self) -> None:
        super().__init__(3, 3)
        self.fails: Exception | None = None
        self.ran_in: list[torch.dtype] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.ran_in.append(self.weight.dtype)
        if self.fails is not None:
            raise self.fails
        return super().forward(x.to(self.weight)).float().cpu()


class Depth(Network):
    def infer(self, x: torch.Tensor) -> torch.Tensor:
        return self.forward(x)


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inference_steps = 4
        self.reverse_fn = Network()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(self.inference_steps):
            x = x + self.reverse_fn(x)
        return x


class Gaussian:
    """Upstream's accessors over plain tensors; `count` gaussians around a point."""

    def __init__(self, centre: torch.Tensor, count: int = 5) -> None:
        self.get_xyz = centre.repeat(count, 1)
        self._features_dc = torch.zeros(count, 1, 3)
        self._opacity = torch.full((count, 1), 2.0)
        self.opacity_bias = torch.tensor(0.5)
        self.get_scaling = torch.full((count, 3), 0.25)
        self._rotation = torch.zeros(count, 4)
        self.rots_bias = torch.tensor([1.0, 0.0, 0.0, 0.0])

    @property
    def get_opacity(self) -> torch.Tensor:
        return torch.sigmoid(self._opacity + self.opacity_bias)


class FakePipeline:
    def __init__(self) -> None:
        self.depth_model = SimpleNamespace(model=Depth())
        self.condition_embedders = {
            "ss_condition_embedder": Network(),
            "slat_condition_embedder": Network(),
        }
        self.models: dict[str, Any] = {
            "ss_generator": Generator(),
            "ss_decoder": Network(),
            "slat_generator": Generator(),
            "slat_decoder_gs": Network(),
            "slat_decoder_gs_4": None,
            "slat_decoder_mesh": None,
        }
        with torch.no_grad():
            self.models["ss_decoder"].bias.fill_(1000.0)  # occupied, whatever comes
        self.calls: list[dict[str, Any]] = []
        self.view: float | None = 1.0
        """Across the photo's longer side, as the depth network sees it."""
        self.change: Any = lambda output: output

    def field_of_view(self, image: Any) -> float | None:
        self.depth_model.model.infer(torch.zeros(3))
        return self.view

    def run(
        self,
        image: Any,
        mask: Any = None,
        seed: int | None = None,
        stage1_only: bool = False,
        with_mesh_postprocess: bool = True,
        with_texture_baking: bool = True,
        with_layout_postprocess: bool = True,
        use_vertex_color: bool = False,
        stage1_inference_steps: int | None = None,
        stage2_inference_steps: int | None = None,
        use_stage1_distillation: bool = False,
        use_stage2_distillation: bool = False,
        pointmap: Any = None,
        decode_formats: list[str] | None = None,
        estimate_plane: bool = False,
    ) -> dict[str, Any]:
        self.calls.append({key: value for key, value in locals().items() if key != "self"})
        colour = torch.tensor(np.asarray(image[..., :3], np.float32).mean((0, 1)) / 255)
        depth = self.depth_model.model.infer(colour)
        if seed is not None:
            torch.manual_seed(seed)
        self.condition_embedders["ss_condition_embedder"](colour)
        shape = self.models["ss_generator"](torch.randn(3) + depth)
        self.models["ss_decoder"](shape)
        self.condition_embedders["slat_condition_embedder"](colour)
        latents = self.models["slat_generator"](torch.randn(3))
        centre = self.models["slat_decoder_gs"](latents)
        output = {
            "gs": Gaussian(centre),
            "rotation": torch.tensor([[0.5, 0.5, -0.5, 0.5]]),
            "translation": torch.tensor([[1.0, 2.0, 3.0]]),
            "scale": torch.tensor([[4.0, 4.0, 4.0]]),
        }
        return self.change(output) or output
