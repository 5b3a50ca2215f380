"""Attention that also tells the sum of its weights, by the fastest kernel that the device has.

With that sum a key can count for many without being repeated: see `counted`.
"""

import logging
import math
import time
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

logger = logging.getLogger(__name__)

Attention: TypeAlias = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""From queries, keys and values, (1, heads, n, width) each, to their attention, of that shape, and
the logarithm of the sum of each query's weights, (1, heads, n) float32."""

_TOLERANCE = 2e-2
_TRIAL = 256
_REPEATS = 3


def plain(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """By its definition, which holds every weight: for processors, and to compare with."""
    scores = (q.float() @ k.float().transpose(-1, -2)) * q.shape[-1] ** -0.5
    return (scores.softmax(-1) @ v.float()).to(v.dtype), scores.logsumexp(-1)


def _cudnn(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    out, total, *_ = torch.ops.aten._scaled_dot_product_cudnn_attention(q, k, v, None, True)
    return out, total.reshape(q.shape[:-1])


def _flash(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    out, total, *_ = torch.ops.aten._scaled_dot_product_flash_attention(q, k, v)
    return out, total


def _efficient(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    out, total, *_ = torch.ops.aten._scaled_dot_product_efficient_attention(q, k, v, None, True)
    return out, total[..., : q.shape[-2]]  # it is padded


KERNELS: dict[str, Attention] = {"cudnn": _cudnn, "flash": _flash, "efficient": _efficient}


def counted(
    attended: tuple[Tensor, Tensor], q: Tensor, k: Tensor, v: Tensor, index: int, copies: int
) -> Tensor:
    """What attention gives where the key at `index` is there `copies` times.

    With Z the sum of the weights and w the key's own, that is
    (Z · out + (copies - 1) · w · v) / (Z + (copies - 1) · w): exact, not an approximation.

    Parameters
    ----------
    attended : tuple of Tensor
        What an `Attention` gives for these queries, keys and values, the key counted once.
    """
    out, total = attended
    own = (q.float() * k[:, :, index : index + 1].float()).sum(-1) * q.shape[-1] ** -0.5
    share = torch.sigmoid(own + math.log(copies - 1) - total)[..., None]
    return (out + share * (v[:, :, index : index + 1].float() - out)).to(out.dtype)


@torch.inference_mode()
def fastest(device: torch.device, dtype: torch.dtype, heads: int, width: int, n: int) -> Attention:
    """Try each kernel, and take the fastest that is right.

    Parameters
    ----------
    heads, width, n : int
        Of the largest attention that it is for: heads, values a head, tokens.
    """
    if device.type == "cpu":
        return plain
    spent: dict[str, float] = {}
    for name, kernel in KERNELS.items():
        try:
            if _is_right(kernel, device, dtype, heads, width):
                spent[name] = _milliseconds(kernel, device, dtype, heads, width, n)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:  # torch's for "not on this card"
            continue
    chosen = min(spent, key=lambda name: spent[name], default="")
    fields = {"kernel": chosen or "plain", "ms": spent}
    logger.info("Attention chosen", extra={"fields": fields})
    return KERNELS[chosen] if chosen else plain


def _inputs(
    device: torch.device, dtype: torch.dtype, heads: int, width: int, n: int
) -> tuple[Tensor, Tensor, Tensor]:
    """As the network lays them out: the tokens' heads beside one another."""
    shape = (1, n, heads, width)
    q, k, v = (torch.randn(shape, device=device, dtype=dtype).transpose(1, 2) for _ in range(3))
    return q, k, v


def _is_right(
    kernel: Attention, device: torch.device, dtype: torch.dtype, heads: int, width: int
) -> bool:
    given = _inputs(device, dtype, heads, width, _TRIAL)
    return all(
        bool(((ours.float() - right.float()).norm() / right.float().norm()) < _TOLERANCE)
        for ours, right in zip(kernel(*given), plain(*given), strict=True)
    )


def _milliseconds(
    kernel: Attention, device: torch.device, dtype: torch.dtype, heads: int, width: int, n: int
) -> float:
    given = _inputs(device, dtype, heads, width, n)
    spent = []
    for _ in range(_REPEATS + 1):
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        kernel(*given)
        torch.cuda.synchronize(device)
        spent.append((time.perf_counter() - start) * 1000)
    return round(min(spent[1:]), 2)
