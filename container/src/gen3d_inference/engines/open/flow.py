"""TripoSplat's denoiser: from noise to the latents of a splat and its camera, in a few steps.

It computes what upstream's `LatentSeqMMFlowModel` does, from the same checkpoint, with less work:

- What of the condition no step changes is computed once.
- Guidance asks twice, with the photo's condition and with one that is all zeros. All tokens of the
  latter are alike and stay so in every layer, so that one of them, counted for all, does: its
  attention costs less than half.
- The latents are refined before they meet a condition, so once for both.

Source of the method: arXiv 2605.16355.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gen3d_inference.engines.open.attention import Attention, counted, plain

_POSITIONS = ("noise_repo_layers", "context_repo_layers", "repo_layers")
_LAYERS = ("noise_refiner", "context_refiner", "blocks")
_OCTAVES = 16
_SOBOL_SEED = 123


@dataclass(frozen=True)
class Sizes:
    """A denoiser's sizes, by the names that upstream's arguments have."""

    q_token_length: int
    in_channels: int
    cam_channels: int
    model_channels: int
    cond_channels: int
    cond2_channels: int
    num_refiner_blocks: int
    num_blocks: int
    num_heads: int

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "Sizes":
        """Read upstream's arguments."""
        return cls(**{name: int(arguments[name]) for name in cls.__dataclass_fields__})


class _Rotation(nn.Module):
    """Where a layer's tokens lie in space, learnt from what they hold: angles for its attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.gate_map = nn.Linear(width, width // 8, bias=False)
        self.content_map = nn.Linear(width, width // 8, bias=False)
        self.final_map = nn.Linear(width // 8, 3 * heads, bias=False)
        pairs = width // heads // 2
        first = width // heads // 6
        for axis, count in enumerate((first, first, pairs - 2 * first)):
            self.register_parameter(f"freqs_{axis}", nn.Parameter(torch.empty(count)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines, (1, n, heads, width / heads / 2) float32."""
        h = _normalised(x, self.norm.weight, self.norm.bias, self.norm.eps)
        places = self.final_map(functional.silu(self.gate_map(h)) * self.content_map(h))
        places = places.float().unflatten(-1, (self.heads, 3)) * math.pi
        angles = torch.cat(
            [places[..., axis, None] * getattr(self, f"freqs_{axis}").float() for axis in range(3)],
            -1,
        )
        return angles.cos(), angles.sin()


class _Norm(nn.Module):
    """Each head's queries or keys to one length."""

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(heads, width))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Turn by the angles, and normalise, in float32; (1, n, heads, width)."""
        even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
        turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)
        length = self.gamma.float() * math.sqrt(x.shape[-1])
        return (functional.normalize(turned, dim=-1) * length).to(x.dtype)


class _SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm = _Norm(heads, width // heads)
        self.k_norm = _Norm(heads, width // heads)
        self.out = nn.Linear(width, width)
        self.attend: Attention = plain

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, counting: tuple[int, int] | None
    ) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k = self.q_norm(q, cos, sin), self.k_norm(k, cos, sin)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        attended = self.attend(q, k, v)
        out = attended[0] if counting is None else counted(attended, q, k, v, *counting)
        return self.out(out.transpose(1, 2).flatten(2))


class _Perceptron(nn.Module):
    def __init__(self, first: int, inner: int, last: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(first, inner), nn.GELU(approximate="tanh"), nn.Linear(inner, last)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(x)


class _Layer(nn.Module):
    """A transformer layer; where it is `modulated`, by the time, its norms have no parameters."""

    def __init__(self, width: int, heads: int, modulated: bool) -> None:
        super().__init__()
        self.rotation = _Rotation(width, heads)
        self.norm1 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=not modulated)
        self.norm2 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=not modulated)
        self.attn = _SelfAttention(width, heads)
        self.mlp = _Perceptron(width, 4 * width, width)
        if modulated:
            self.shift_table = nn.Parameter(torch.empty(1, 6 * width))

    def forward(
        self, x: Tensor, time: Tensor | None, counting: tuple[int, int] | None = None
    ) -> Tensor:
        """One layer.

        Parameters
        ----------
        x : (1, n, width)
        time : (1, 6 · width), optional
            What a modulated layer is given of the time.
        counting : (int, int), optional
            A token that counts for many: which, and for how many.
        """
        cos, sin = self.rotation(x)
        if time is None:
            h = _normalised(x, self.norm1.weight, self.norm1.bias, self.norm1.eps)
            x = x + self.attn(h, cos, sin, counting)
            h = _normalised(x, self.norm2.weight, self.norm2.bias, self.norm2.eps)
            return x + self.mlp(h)
        mod = (time + self.shift_table)[:, None].chunk(6, -1)
        h = _normalised(x, None, None, self.norm1.eps) * (1 + mod[1]) + mod[0]
        x = x + self.attn(h, cos, sin, counting) * mod[2]
        h = _normalised(x, None, None, self.norm2.eps) * (1 + mod[4]) + mod[3]
        return x + self.mlp(h) * mod[5]


class _TimeEmbedding(nn.Module):
    def __init__(self, width: int, frequencies: int = 256) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.mlp = nn.Sequential(nn.Linear(frequencies, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, time: Tensor) -> Tensor:
        half = self.frequencies // 2
        steps = torch.arange(half, device=time.device, dtype=torch.float32) / half
        angles = time[:, None].float() * torch.exp(-math.log(10000) * steps)
        both = torch.cat([angles.cos(), angles.sin()], -1)
        return self.mlp(both.to(self.mlp[0].weight.dtype))


@dataclass(frozen=True)
class Context:
    """A condition, as the latents meet it: its tokens, (1, n, width), and what each counts for."""

    tokens: Tensor
    copies: int = 1


class Flow(nn.Module):
    """The denoiser, with its parameters named as in the checkpoint, but for `renamed`.

    Parameters
    ----------
    sizes : Sizes
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        width, heads = sizes.model_channels, sizes.num_heads
        self.t_embedder = _TimeEmbedding(width)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        self.input_layer = nn.Linear(sizes.in_channels, width)
        self.cond_embedder = nn.Linear(sizes.cond_channels, width)
        self.cond_embedder2 = nn.Linear(sizes.cond2_channels, width)
        self.cam_refiner = _Perceptron(sizes.cam_channels, width, width)
        refiners = range(sizes.num_refiner_blocks)
        self.noise_refiner = nn.ModuleList(_Layer(width, heads, True) for _ in refiners)
        self.context_refiner = nn.ModuleList(_Layer(width, heads, False) for _ in refiners)
        self.blocks = nn.ModuleList(_Layer(width, heads, True) for _ in range(sizes.num_blocks))
        self.shift_table = nn.Parameter(torch.empty(1, 2, width))
        self.out_layer = nn.Linear(width, sizes.in_channels)
        self.cam_out_layer = nn.Linear(width, sizes.cam_channels)
        self.positions: Tensor

    @classmethod
    def load(
        cls, parameters: Mapping[str, Tensor], sizes: Sizes, dtype: torch.dtype = torch.float16
    ) -> "Flow":
        """Make it of a checkpoint's parameters, on their device.

        Raises
        ------
        RuntimeError
            Parameters are missing, too many, or of another shape.
        """
        with torch.device("meta"):
            flow = cls(sizes)
        named = {renamed(name): tensor.to(dtype) for name, tensor in parameters.items()}
        flow.load_state_dict(named, strict=True, assign=True)
        device = flow.out_layer.weight.device
        flow.positions = _positions(sizes.q_token_length, sizes.model_channels, device).to(dtype)
        return flow.eval().requires_grad_(False)

    @property
    def compilable(self) -> Iterable[nn.Module]:
        """The layers that run in every step."""
        return [*self.noise_refiner, *self.blocks]

    def use(self, attend: Attention) -> None:
        """Have all layers attend by this kernel."""
        for module in self.modules():
            if isinstance(module, _SelfAttention):
                module.attend = attend

    def contexts(self, feature1: Tensor, feature2: Tensor) -> tuple[Context, Context]:
        """The condition with a photo, and the one without.

        Parameters
        ----------
        feature1, feature2 : (1, n, channels)
            Of the two image encoders.
        """
        dtype = self.out_layer.weight.dtype
        return self._context(feature1.to(dtype), feature2.to(dtype), 1), self._context(
            torch.zeros_like(feature1[:, :1], dtype=dtype),
            torch.zeros_like(feature2[:, :1], dtype=dtype),
            feature1.shape[1],
        )

    def _context(self, feature1: Tensor, feature2: Tensor, copies: int) -> Context:
        # Tokens that are all alike attend to what they hold themselves, however many there are.
        tokens = self.cond_embedder(feature1) + self.cond_embedder2(feature2)
        for layer in self.context_refiner:
            tokens = layer(tokens, None)
        return Context(tokens, copies)

    def forward(
        self, latent: Tensor, camera: Tensor, time: float, contexts: Iterable[Context]
    ) -> list[tuple[Tensor, Tensor]]:
        """The velocity of latent and camera under each condition, in float32.

        Parameters
        ----------
        latent : (1, tokens, channels)
        camera : (1, 1, channels)
        time : float
            From 1, noise, to 0.
        contexts : iterable of Context
        """
        dtype = self.out_layer.weight.dtype
        embedded = self.t_embedder(torch.full((1,), 1000 * time, device=latent.device))
        mod = self.adaLN_modulation(embedded)
        refined = self.input_layer(latent.to(dtype)) + self.positions
        for layer in self.noise_refiner:
            refined = layer(refined, mod)
        seen = self.cam_refiner(camera.to(dtype))
        return [self._velocity(refined, seen, context, embedded, mod) for context in contexts]

    def _velocity(
        self, refined: Tensor, camera: Tensor, context: Context, embedded: Tensor, mod: Tensor
    ) -> tuple[Tensor, Tensor]:
        n = refined.shape[1]
        h = torch.cat([refined, context.tokens, camera], 1)
        counting = (n, context.copies) if context.copies > 1 else None
        for layer in self.blocks:
            h = layer(h, mod, counting)
        shift, scale = (self.shift_table + embedded[:, None]).chunk(2, 1)
        latent, camera = (
            _normalised(part, None, None, 1e-5) * (1 + scale) + shift
            for part in (h[:, :n], h[:, -1:])
        )
        return self.out_layer(latent).float(), self.cam_out_layer(camera).float()


def renamed(name: str) -> str:
    """What `Flow` calls a checkpoint's parameter: a layer's rotation is a part of the layer."""
    for apart, layers in zip(_POSITIONS, _LAYERS, strict=True):
        if name.startswith(f"{apart}."):
            _, index, rest = name.split(".", 2)
            return f"{layers}.{index}.rotation.{rest}"
    return name


def times(steps: int, shift: float = 3.0) -> list[float]:
    """The times between which the steps go, from 1 to 0; with more of them where noise is much."""
    even = [1 - step / steps for step in range(steps + 1)]
    return [shift * time / (1 + (shift - 1) * time) for time in even]


def denoise(
    flow: Flow,
    noise: tuple[Tensor, Tensor],
    contexts: tuple[Context, Context],
    steps: int,
    guidance: float,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[Tensor, Tensor]:
    """Walk from noise to a latent and its camera by Euler's method.

    Parameters
    ----------
    flow : Flow
    noise : tuple of Tensor
        Latent and camera, in float32.
    contexts : tuple of Context
        With the photo, and without.
    steps : int
    guidance : float
        How far beyond the condition's own answer; 1 is the answer itself.
    progress : callable
        Told the fraction after each step.
    """
    state = noise
    for step, (time, later) in enumerate(pairwise(times(steps)), 1):
        with_, without = flow(*state, time, contexts)
        latent, camera = (
            now - (guidance * there - (guidance - 1) * here) * (time - later)
            for now, there, here in zip(state, with_, without, strict=True)
        )
        state = latent, camera
        progress(step / steps)
    return state


def _normalised(x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """A layer's norm in float32, whatever it is given in."""
    scale, shift = (part if part is None else part.float() for part in (weight, bias))
    return functional.layer_norm(x.float(), x.shape[-1:], scale, shift, eps).to(x.dtype)


def _positions(tokens: int, width: int, device: torch.device) -> Tensor:
    """What tells the latents apart: points spread evenly over a cube, as waves; (tokens, width).

    The shortest waves turn so often that a power's last digit shows: it has to be taken by the
    device that the network was trained on.
    """
    engine = torch.quasirandom.SobolEngine(dimension=3, scramble=True, seed=_SOBOL_SEED)
    count = width // 3 // 2
    between = max(0, count - _OCTAVES)
    octaves, rest = (
        torch.arange(count, dtype=torch.float32, device=device) for count in (_OCTAVES, between)
    )
    exponents = torch.cat([octaves, rest / max(between, 1) * _OCTAVES])[:count]
    angles = engine.draw(tokens).to(device)[..., None] * 2.0**exponents * 2 * torch.pi
    waves = torch.cat([angles.sin(), angles.cos()], -1).flatten(1)
    return functional.pad(waves, (0, width - waves.shape[1]))
