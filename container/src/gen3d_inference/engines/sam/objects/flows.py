"""The transformers of both generators: upstream's modules and parameters, with less work.

Nearly all of an object's time goes into them. What they compute stays what upstream computes; it
differs in the order of roundings:

- One object is one sequence, so that attention needs no mask.
- What a layer makes of the condition no step changes: its keys and values are computed once.
- Guidance asks a second time, with a condition of zeros. Then all keys of a layer are alike, every
  query weighs them alike, and attention gives the bias of the values, whatever is asked: a vector
  that is added, in the place of attention over thousands of tokens.
- Which voxels are neighbours is looked up once an object, not in each convolution of each step.
- Layers are plain functions of tensors, which can be compiled; upstream's sparse tensors cannot.
"""

import importlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_flatten, tree_unflatten

from gen3d_inference.engines.parts.acceleration import Recording

logger = logging.getLogger(__name__)

_FEW = 64
_FOR_FEW = [
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.MATH,
]
"""Of few queries. Flash divides the keys among processors then, cuDNN, torch's own choice, does
not: a third of its time on an H200."""

Condition: TypeAlias = tuple[Tensor, Tensor]
"""A layer's keys and values of the condition, (1, heads, tokens, width) each."""


def _heads(x: Tensor, *parts: int) -> Tensor:
    """Channels, (1, n, channels), in so many parts of parts.

    Not by ``unflatten``, which the compiler cannot follow where upstream has set a default device.
    """
    return x.reshape(*x.shape[:2], *parts, -1)


def _seen(attention: Any, tokens: Tensor) -> Condition:
    """What a layer's cross-attention makes of the condition, (1, tokens, channels)."""
    keys, values = _heads(attention.to_kv(tokens), 2, attention.num_heads).unbind(2)
    if attention.qk_rms_norm:
        keys = attention.k_rms_norm(keys)
    return keys.transpose(1, 2).contiguous(), values.transpose(1, 2).contiguous()


def _ask(attention: Any, x: Tensor, condition: Condition | None) -> Tensor:
    """Cross-attention of (1, n, channels); without a condition, of one that is all zeros."""
    if condition is None:
        bias = attention.to_kv.bias
        channels = attention.channels
        values = x.new_zeros(channels) if bias is None else bias[channels:].to(x.dtype)
        alike: Tensor = attention.to_out(values[None, None])
        return alike
    queries = _heads(attention.to_q(x), attention.num_heads)
    if attention.qk_rms_norm:
        queries = attention.q_rms_norm(queries)
    return _joined(attention, queries, *condition)


def _joined(attention: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """What queries, (1, n, heads, width), take of keys and values, their heads put together."""
    asked = q.transpose(1, 2)
    if q.shape[1] < _FEW:
        with sdpa_kernel(_FOR_FEW, set_priority=True):
            out = functional.scaled_dot_product_attention(asked, k, v)
    else:
        out = functional.scaled_dot_product_attention(asked, k, v)
    joined: Tensor = attention.to_out(out.transpose(1, 2).flatten(2))
    return joined


class LatentsLayer(nn.Module):
    """A layer of the latents' transformer.

    Parameters
    ----------
    block : torch.nn.Module
        Upstream's ``ModulatedSparseTransformerCrossBlock``.
    """

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block

    def see(self, tokens: Tensor) -> Condition:
        """Keys and values of the condition."""
        return _seen(self.block.cross_attn, tokens)

    def forward(self, x: Tensor, time: Tensor, condition: Condition | None) -> Tensor:
        """One layer of x, (1, n, channels), at a time, (1, channels)."""
        block = self.block
        mod = [part[:, None] for part in block.adaLN_modulation(time).chunk(6, dim=1)]
        h = block.norm1(x) * (1 + mod[1]) + mod[0]
        x = x + self._attend(h) * mod[2]
        x = x + _ask(block.cross_attn, block.norm2(x), condition)
        h = block.norm3(x) * (1 + mod[4]) + mod[3]
        inner, activation, outer = block.mlp.mlp
        h = functional.gelu(_linear(inner, h), approximate=activation.approximate)
        return x + _linear(outer, h) * mod[5]

    def _attend(self, x: Tensor) -> Tensor:
        attention = self.block.self_attn
        q, k, v = _heads(attention.to_qkv(x), 3, attention.num_heads).unbind(2)
        if attention.qk_rms_norm:
            q, k = attention.q_rms_norm(q), attention.k_rms_norm(k)
        return _joined(attention, q, k.transpose(1, 2), v.transpose(1, 2))


class StructureLayer(nn.Module):
    """A layer of the structure's transformer, which has its own parameters for shape and pose.

    Parameters
    ----------
    block : torch.nn.Module
        Upstream's ``MOTModulatedTransformerCrossBlock``.
    """

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block

    def see(self, tokens: Tensor) -> dict[str, Condition]:
        """Keys and values of the condition, of each part of the state."""
        return {name: _seen(each, tokens) for name, each in self.block.cross_attn.items()}

    def forward(
        self, x: dict[str, Tensor], time: Tensor, condition: Mapping[str, Condition] | None
    ) -> dict[str, Tensor]:
        """One layer of each part of the state, (1, n, channels), at a time, (1, channels)."""
        block = self.block
        mod = [part[:, None] for part in block.adaLN_modulation(time).chunk(6, dim=1)]
        attended = block.self_attn(
            {name: block.norm1[name](each) * (1 + mod[1]) + mod[0] for name, each in x.items()}
        )
        made = {}
        for name, each in x.items():
            each = each + attended[name] * mod[2]
            keys = None if condition is None else condition[name]
            each = each + _ask(block.cross_attn[name], block.norm2[name](each), keys)
            h = block.norm3[name](each) * (1 + mod[4]) + mod[3]
            made[name] = each + block.mlp[name](h) * mod[5]
        return made


class _Passes:
    """The passes of one generation through a network, with the condition or without.

    The first runs kernel by kernel, the second is recorded, the others are replayed: launched by
    Python one by one, the kernels of a pass wait longer than they run.
    """

    def __init__(self, work: Callable[[Any, Tensor], Any], recording: bool) -> None:
        self._work = work
        self._recording = recording
        self._ran = False
        self._graph: Recording | None = None

    def __call__(self, state: Any, time: Tensor) -> Any:
        parts, form = tree_flatten(state)
        if self._ran and self._recording and self._graph is None:
            self._record(form, time, *parts)
        self._ran = True
        if self._graph is None:
            return self._work(state, time)
        return tree_unflatten(list(self._graph(time, *parts)), form)

    def end(self) -> None:
        """Free the recording at once: left to the collector of cycles, it would end another's."""
        self._graph = None

    def _record(self, form: Any, *examples: Tensor) -> None:
        def flat(time: Tensor, *parts: Tensor) -> tuple[Tensor, ...]:
            return tuple(tree_flatten(self._work(tree_unflatten(list(parts), form), time))[0])

        try:
            self._graph = Recording(flat, *examples)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            self._recording = False
            reason = f"{type(error).__name__}: {str(error)[:500]}"
            logger.warning("Steps run unrecorded", extra={"fields": {"reason": reason}})


class _Flow(ABC):
    """What both have in common: layers, and what they made of the condition that they saw last."""

    def __init__(self, network: Any, layers: Iterable[Any]) -> None:
        self.network = network
        self.layers = list(layers)
        self.recording = False
        """Whether steps are replayed as a CUDA graph."""
        self._tokens: Tensor | None = None
        self._seen: list[Any] = []
        self._passes: dict[bool, _Passes] = {}

    def forget(self) -> None:
        """Free what was kept for the steps of one generation."""
        for passes in self._passes.values():
            passes.end()
        self._tokens, self._seen, self._passes = None, [], {}

    @abstractmethod
    def _pass(self, conditions: list[Any], state: Any, time: Tensor) -> Any:
        """The velocity of a state, a tensor or several by name, at an embedded time."""

    def _velocity(self, conditions: list[Any], state: Any, time: Tensor) -> Any:
        key = conditions[0] is not None
        if key not in self._passes:
            self._passes[key] = _Passes(partial(self._pass, conditions), self.recording)
        return self._passes[key](state, time)

    def _conditions(self, options: dict[str, Any], arguments: tuple[Any, ...]) -> list[Any]:
        """For each layer, what it made of the condition; None where that is all zeros."""
        if options.pop("cfg", False) and self.network.force_zeros_cond:
            return [None] * len(self.layers)
        tokens = self.network.condition_embedder(*arguments, **options)
        if tokens is not self._tokens:
            self.forget()
            typed = tokens.type(self.network.dtype)
            self._seen = [layer.see(typed) for layer in self.layers]
            self._tokens = tokens
        return self._seen

    def _time(self, time: Tensor, span: Tensor | None) -> Tensor:
        embedded = self.network.t_embedder(time)
        if span is not None:
            embedded = embedded + self.network.d_embedder(span)
        typed: Tensor = embedded.type(self.network.dtype)
        return typed


class StructureFlow(_Flow):
    """Upstream's ``SparseStructureFlowTdfyWrapper.forward``.

    Parameters
    ----------
    network : torch.nn.Module
        That one.
    """

    def __init__(self, network: Any) -> None:
        super().__init__(network, (StructureLayer(block) for block in network.blocks))

    def __call__(
        self, latents: dict[str, Tensor], t: Tensor, *arguments: Any, **options: Any
    ) -> dict[str, Tensor]:
        """The velocity of each part of the state."""
        time = self._time(t, options.pop("d", None))
        conditions = self._conditions(options, arguments)
        velocity: dict[str, Tensor] = self._velocity(conditions, latents, time)
        return velocity

    def _pass(
        self, conditions: list[Any], state: dict[str, Tensor], time: Tensor
    ) -> dict[str, Tensor]:
        h = self.network.project_input(state)
        dtypes = {name: each.dtype for name, each in h.items()}
        h = {name: each.type(self.network.dtype) for name, each in h.items()}
        for layer, condition in zip(self.layers, conditions, strict=True):
            h = layer(h, time, condition)
        h = {name: each.type(dtypes[name]) for name, each in h.items()}
        out = self.network.project_output(h)
        return {name: out[name] for name in state}


@dataclass
class _Level:
    """The voxels of one resolution."""

    voxels: Any
    """An spconv tensor; its features are of no matter, and it knows which voxels are neighbours."""
    parents: Tensor | None = None
    """Of each voxel, the one of the next coarser level."""

    @classmethod
    def of(cls, sparse: Any) -> "_Level":
        """Of upstream's sparse tensor, whose extent leaves the GPU here, not at each use."""
        sparse.data.spatial_shape = [int(each) for each in sparse.data.spatial_shape]
        return cls(sparse.data)


class LatentsFlow(_Flow):
    """Upstream's ``SLatFlowModelTdfyWrapper.forward``.

    Parameters
    ----------
    network : torch.nn.Module
        That one.
    sparse : type
        Upstream's ``SparseTensor``.
    """

    def __init__(self, network: Any, sparse: Callable[..., Any]) -> None:
        super().__init__(network, (LatentsLayer(block) for block in network.blocks))
        self._sparse = sparse
        self._coords: object = None
        self._levels: list[_Level] = []
        self._positions: Tensor | None = None
        depth = 0
        for block in (*network.input_blocks, *network.out_blocks):
            depth += int(block.downsample) - int(block.upsample)
            for each in (block.conv1, block.conv2):
                each.conv.indice_key = f"level {depth}"

    def forget(self) -> None:
        """Free what was kept for the steps of one generation."""
        super().forget()
        self._coords, self._levels, self._positions = None, [], None

    def __call__(self, x: Tensor, t: Tensor, *arguments: Any, **options: Any) -> Tensor:
        """The velocity of x, (1, voxels, channels)."""
        span = options.pop("d", None)
        if "coords" in options:
            coords = options.pop("coords")
        else:
            *others, coords = arguments
            arguments = tuple(others)
        # First, since another object's condition comes with its voxels.
        conditions = self._conditions(options, arguments)
        if coords is not self._coords:
            self._look(coords, x)
        velocity: Tensor = self._velocity(conditions, x, self._time(t, span))
        return velocity

    def _pass(self, conditions: list[Any], state: Tensor, time: Tensor) -> Tensor:
        network = self.network
        h = _linear(network.input_layer, state[0]).type(network.dtype)
        depth, skips = 0, []
        for block in network.input_blocks:
            if block.downsample:
                h = self._pooled(h, depth)
                depth += 1
            h = self._convolved(block, h, time, depth)
            skips.append(h)
        if self._positions is not None:
            h = h + self._positions
        h = h[None]
        torch._dynamo.mark_dynamic(h, 1)
        for layer, condition in zip(self.layers, conditions, strict=True):
            h = layer(h, time, condition)
        h = h[0]
        for block, skip in zip(network.out_blocks, reversed(skips), strict=True):
            if network.use_skip_connection:
                h = torch.cat([h, skip], dim=1)
            if block.upsample:
                depth -= 1
                h = h[self._levels[depth].parents]
            h = self._convolved(block, h, time, depth)
        h = functional.layer_norm(h, h.shape[-1:])
        return _linear(network.out_layer, h.type(state.dtype))[None]

    def _look(self, coords: Any, x: Tensor) -> None:
        """Find neighbours and parents of the voxels, (n, 4), of which the first is a zero."""
        network = self.network
        # spconv reads memory as it lies, whatever a tensor says of its order.
        places = torch.as_tensor(coords).to(x.device).contiguous()
        at = self._sparse(feats=x.new_zeros(x.shape[1], 1), coords=places)
        self._levels = [_Level.of(at)]
        for block in network.input_blocks:
            if block.downsample:
                at = block.updown(at)
                factor = (block.updown.factor,) * 3
                self._levels[-1].parents = at.get_spatial_cache(f"upsample_{factor}_idx")
                self._levels.append(_Level.of(at))
        if network.pe_mode == "ape":
            self._positions = network.pos_embedder(at.coords[:, 1:]).type(network.dtype)
        self._coords = coords

    def _pooled(self, h: Tensor, depth: int) -> Tensor:
        """The next coarser level's features, as upstream means them: with a zero counted in."""
        parents = self._levels[depth].parents
        assert parents is not None
        coarse = len(self._levels[depth + 1].voxels.indices)
        into = h.new_zeros(coarse, h.shape[1])
        return into.scatter_reduce(0, parents[:, None].expand_as(h), h, reduce="mean")

    def _convolved(self, block: Any, x: Tensor, time: Tensor, depth: int) -> Tensor:
        level = self._levels[depth]
        scale, shift = block.emb_layers(time).type(x.dtype).chunk(2, dim=1)
        h = _convolution(block.conv1, functional.silu(block.norm1(x)), level)
        h = block.norm2(h) * (1 + scale) + shift
        h = _convolution(block.conv2, functional.silu(h), level)
        straight = block.skip_connection
        return h + (x if isinstance(straight, nn.Identity) else _linear(straight, x))


def _linear(layer: Any, x: Tensor) -> Tensor:
    """Upstream's ``SparseLinear``, of a tensor."""
    return functional.linear(x, layer.weight, layer.bias)


def _convolution(layer: Any, x: Tensor, level: _Level) -> Tensor:
    out = layer.conv(level.voxels.replace_feature(x))
    level.voxels.indice_dict = out.indice_dict
    features: Tensor = out.features
    return features


def lighten(generator: nn.Module) -> StructureFlow | LatentsFlow | None:
    """Have a generator's transformer do less work, where it is one that is known.

    Parameters
    ----------
    generator : torch.nn.Module
        Upstream's; its ``reverse_fn.backbone`` is the transformer.

    Returns
    -------
    StructureFlow or LatentsFlow, optional
        None where it is another, which then runs as upstream wrote it.
    """
    network: Any = getattr(generator.reverse_fn, "backbone", None)
    kind = type(network).__name__
    blocks = list(getattr(network, "blocks", []))
    plain = bool(blocks) and not any(
        each.use_checkpoint
        or each.share_mod
        or each.self_attn.use_rope
        or each.self_attn.attn_mode != "full"
        for each in blocks
    )
    flow: StructureFlow | LatentsFlow
    if plain and kind == "SparseStructureFlowTdfyWrapper":
        flow = StructureFlow(network)
    elif plain and kind == "SLatFlowModelTdfyWrapper":
        sparse = importlib.import_module("sam3d_objects.model.backbone.tdfy_dit.modules.sparse")
        flow = LatentsFlow(network, sparse.SparseTensor)
    else:
        logger.warning("A transformer runs as upstream wrote it", extra={"fields": {"is": kind}})
        return None
    network.forward = flow
    generator.register_forward_hook(lambda *_: flow.forget(), always_call=True)
    return flow
