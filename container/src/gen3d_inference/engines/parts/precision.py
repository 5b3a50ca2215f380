"""How a photo's embeddings are stored on their way to the browser.

In single precision they are 21 MB, as halves 10.6 MB, as bytes under 4 MB (compressed, see
`gen3d_inference.embeddings`). Who reads them restores float32 once a photo, whatever they are
stored in.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import onnxruntime
import torch
from torch import Tensor

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.parts.decoder import as_tokens

Precision: TypeAlias = Literal["fp32", "fp16", "u8"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

SETTING = "GEN3D_EMBEDDINGS_PRECISION"
"""Names the precision that embeddings are stored in; u8 where it is not set."""

LAYOUT = "layout"
"""What a decoder's file says of the order of its inputs, in its metadata."""
TOKENS = "tokens"
"""That of `decoder.as_tokens`."""

_LEVELS = 255
_STEP = 0.03
"""Of a byte, in standard deviations: decides size and accuracy. Measured, see ADR 51."""
_TURNED = 64
"""Channels that are turned together, at most."""
_SCALE, _OFFSET, _BASIS = "_scale", "_offset", "_basis"


@dataclass(frozen=True)
class Storing:
    """How a decoder's embeddings are stored.

    Attributes
    ----------
    precision : {"fp32", "fp16", "u8"}
    tokens : bool
        Whether the decoder takes them in the order of `decoder.as_tokens`. Those that were exported
        before it did take what the file holds as it is: (1, channels, height, width).
    """

    precision: Precision
    tokens: bool


def precision_wanted() -> Precision:
    """What `SETTING` asks for.

    Raises
    ------
    WeightsInvalid
        It names no precision.
    """
    return _checked(os.environ.get(SETTING) or "u8", f"Set {SETTING}")


def storing_for(decoder: Path) -> Storing:
    """How an exported decoder's embeddings are stored.

    Raises
    ------
    WeightsInvalid
        It does not say, or `SETTING` asks for what it does not take.
    """
    try:
        session = onnxruntime.InferenceSession(decoder, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise WeightsInvalid(
            f"{decoder} is no network that can be loaded. Export the decoder again."
        ) from error
    about = session.get_modelmeta().custom_metadata_map
    if about.get(LAYOUT) == TOKENS:
        return Storing(precision_wanted(), tokens=True)
    precision = _checked(about.get("precision", "none"), f"Export {decoder} again")
    if os.environ.get(SETTING) and precision != precision_wanted():
        raise WeightsInvalid(
            f"{decoder} takes embeddings as {precision}, {SETTING} asks for {precision_wanted()}. "
            "Export the decoder again, or change the setting."
        )
    return Storing(precision, tokens=False)


def store(tensors: dict[str, Tensor], storing: Storing) -> dict[str, Tensor]:
    """Put embeddings into a precision.

    Parameters
    ----------
    tensors : dict of str to Tensor
        (1, channels, height, width) each, of any float type; the smallest has a pixel a patch.

    Returns
    -------
    dict of str to Tensor
        By the same names, as (1, rows, channels) where the decoder takes tokens. As bytes, each
        comes with what `gen3d.contract.EmbeddingsMeta` says of it. All are contiguous: networks
        may leave channels last, and to turn that round took a processor longer than the network.
    """
    grid = min(tensor.shape[-1] for tensor in tensors.values())
    if storing.precision != "u8":
        dtype = torch.float16 if storing.precision == "fp16" else torch.float32
        return {
            name: (as_tokens(tensor, grid) if storing.tokens else tensor).to(dtype).contiguous()
            for name, tensor in tensors.items()
        }
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if storing.tokens:
            stored |= _turned(name, as_tokens(tensor.float(), grid)[0])
        else:
            stored |= _as_bytes(name, tensor.float(), (2, 3))
    return {name: tensor.contiguous() for name, tensor in stored.items()}


def _turned(name: str, rows: Tensor) -> dict[str, Tensor]:
    """Store (rows, channels) as bytes of its principal components, (channels, rows).

    Channels say much of one another. Their components do not: most vary little, and what varies
    little takes few bits when it is compressed. The step between bytes is the same for all.
    """
    count, channels = rows.shape
    groups = max(channels // _TURNED, 1)
    mean = rows.mean(0)
    parts = (rows - mean).reshape(count, groups, -1).transpose(0, 1)
    covariance = (parts.transpose(1, 2) @ parts / count).nan_to_num()
    # A processor is faster here: the matrices are small, and one depends on the one before.
    basis = torch.linalg.eigh(covariance.cpu()).eigenvectors.to(rows.device)
    components = (parts @ basis).transpose(1, 2)
    spread = covariance.diagonal(dim1=1, dim2=2).mean(1).sqrt()[:, None, None]
    stored = _as_bytes(name, components, (2,), least=_STEP * spread)
    shift = mean.reshape(groups, 1, -1) @ basis
    stored[name + _OFFSET] = (stored[name + _OFFSET] + shift.transpose(1, 2)).reshape(-1, 1)
    stored[name + _SCALE] = stored[name + _SCALE].reshape(-1, 1)
    stored[name] = stored[name].reshape(channels, count)
    stored[name + _BASIS] = basis.transpose(1, 2).contiguous()
    return stored


def _as_bytes(
    name: str, values: Tensor, over: tuple[int, ...], least: Tensor | None = None
) -> dict[str, Tensor]:
    """Spread the bytes over the range of the values along axes, at steps of `least` or more."""
    offset = values.amin(over, keepdim=True)
    scale = (values.amax(over, keepdim=True) - offset) / _LEVELS
    if least is not None:
        scale = scale.maximum(least)
    # What is the same everywhere is its offset.
    levels = (values - offset) / torch.where(scale > 0, scale, 1.0)
    return {
        name: levels.round().clamp(0, _LEVELS).to(torch.uint8),
        name + _SCALE: scale,
        name + _OFFSET: offset,
    }


def _checked(name: str, remedy: str) -> Precision:
    if name not in PRECISIONS:
        raise WeightsInvalid(
            f"There is no precision {name!r} for embeddings. {remedy}: {', '.join(PRECISIONS)}."
        )
    return name
