"""What the networks are made of."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class Conv(nn.Sequential):
    """Convolution, batch norm and, unless `act` is off, SiLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, act: bool = True
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*layers, *([nn.SiLU()] if act else []))


class Residual(nn.Module):
    """Two convolutions around a shortcut, `middle` channels between them; the identity at first."""

    def __init__(self, channels: int, middle: int | None = None) -> None:
        super().__init__()
        self.first = Conv(channels, middle or channels)
        self.second = Conv(middle or channels, channels, act=False)
        norm = self.second[1]
        assert isinstance(norm, nn.BatchNorm2d)
        nn.init.zeros_(norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Keep [B, C, H, W]."""
        return functional.silu(x + self.second(self.first(x)))


class Block(nn.Module):
    """A pre-norm transformer block over tokens [B, N, width]."""

    def __init__(self, width: int, heads: int, expansion: int = 3) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.mix = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, expansion * width)
        self.narrow = nn.Linear(expansion * width, width)

    def forward(self, x: Tensor, gist: Callable[[Tensor], Tensor] = lambda x: x) -> Tensor:
        """Keep [B, N, width]; what is attended to is the `gist` of the tokens, [B, M, width]."""
        normed = self.attention_norm(x)
        source = gist(normed)
        mixed = functional.scaled_dot_product_attention(
            self._heads(self.query(normed)),
            self._heads(self.key(source)),
            self._heads(self.value(source)),
        )
        x = x + self.mix(mixed.transpose(1, 2).flatten(2))
        return x + self.narrow(functional.gelu(self.widen(self.mlp_norm(x))))

    def _heads(self, x: Tensor) -> Tensor:
        """[B, N, width] to [B, heads, N, width / heads]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Position(nn.Module):
    """Fourier features of points in [0, 1]², projected to `width`: the same at any resolution."""

    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        octaves = torch.tensor([math.pi * 2 ** (i * 0.75) for i in range(8)])
        self.register_buffer("frequencies", octaves)
        self.project = nn.Linear(34, width)

    def forward(self, points: Tensor) -> Tensor:
        """[..., 2] to [..., width]."""
        angles = (points[..., None] * self.frequencies).flatten(-2)
        return self.project(torch.cat([points, angles.sin(), angles.cos()], -1))


def pixel_grid(height: int, width: int, device: torch.device) -> Tensor:
    """Centres (x, y) of pixels in [0, 1]², f32 [height, width, 2]."""
    y = (torch.arange(height, device=device) + 0.5) / height
    x = (torch.arange(width, device=device) + 0.5) / width
    return torch.stack([x[None, :].expand(height, -1), y[:, None].expand(-1, width)], -1)


def doubled(x: Tensor) -> Tensor:
    """Twice the resolution of [B, C, H, W], bilinear (pixel centres, edges repeated)."""
    if torch.onnx.is_in_onnx_export():
        return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    # The same with slices: interpolate's gradient takes atomics, a tenth of a training step.
    for axis in (2, 3):
        size = x.shape[axis]
        before = torch.cat([x.narrow(axis, 0, 1), x.narrow(axis, 0, size - 1)], axis)
        after = torch.cat([x.narrow(axis, 1, size - 1), x.narrow(axis, size - 1, 1)], axis)
        pairs = torch.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis + 1)
        x = pairs.flatten(axis, axis + 1)
    return x


def to_tokens(x: Tensor, position: Position) -> Tensor:
    """[B, C, H, W] to tokens [B, H · W, C] that know their place."""
    height, width = x.shape[-2:]
    grid = position(pixel_grid(height, width, x.device)).reshape(1, height * width, -1)
    return x.flatten(2).transpose(1, 2) + grid.to(x.dtype)


def to_image(tokens: Tensor, height: int, width: int) -> Tensor:
    """The way back: [B, height · width, C] to [B, C, height, width]."""
    return tokens.transpose(1, 2).reshape(len(tokens), -1, height, width)


def pooled(tokens: Tensor, height: int, width: int, others: int = 0) -> Tensor:
    """An image's tokens [B, others + height · width, C] at half its size; the `others` as they are.

    What attends to these has a quarter of the keys.
    """
    image = functional.avg_pool2d(to_image(tokens[:, others:], height, width), 2)
    return torch.cat([tokens[:, :others], image.flatten(2).transpose(1, 2)], 1)
