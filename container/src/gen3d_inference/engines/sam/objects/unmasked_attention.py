"""Attention within sequences that lie behind one another, without a mask of all pairs.

Upstream's ``masked_sdpa`` builds one, two bytes for each pair of tokens, also where there is one
sequence and all of it is zeros, which keeps torch from its fast kernels. `install` puts `attend` in
its place.
"""

import importlib
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

_MODULES = ("masked_sdpa", "full_attn", "windowed_attn", "serialized_attn")
_PACKAGE = "sam3d_objects.model.backbone.tdfy_dit.modules.sparse.attention"


def install() -> None:
    """Have all of upstream attend by `attend`."""
    for name in _MODULES:
        module = importlib.import_module(f"{_PACKAGE}.{name}")
        if hasattr(module, "masked_sdpa"):
            module.masked_sdpa = attend  # type: ignore[attr-defined]


def attend(
    q: Tensor, k: Tensor, v: Tensor, q_lengths: Sequence[int], k_lengths: Sequence[int]
) -> Tensor:
    """Attention of each sequence's queries to its own keys.

    Parameters
    ----------
    q, k, v : (1, tokens, heads, width)
        All sequences, one behind the other.
    q_lengths, k_lengths : sequence of int
        How long each is, of queries and of keys.

    Returns
    -------
    (tokens, heads, width)
    """
    if len(q_lengths) == 1:
        return _attention(q, k, v, None)[0]
    queries, asks = _apart(q_lengths, q.device)
    keys, counts = _apart(k_lengths, k.device)
    # Each sequence is filled up to the longest; what it is filled with is neither seen nor kept.
    out = _attention(q[0][queries], k[0][keys], v[0][keys], counts[:, None, None])
    return out[asks]


def _attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    q, k, v = (each.transpose(1, 2) for each in (q, k, v))
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)


def _apart(lengths: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Where each sequence's tokens lie, (sequences, longest), and which of these are tokens."""
    length = torch.tensor(lengths, device=device)
    place = torch.arange(int(max(lengths)), device=device)
    within = place < length[:, None]
    return torch.where(within, (length.cumsum(0) - length)[:, None] + place, 0), within
