"""How a photo's embeddings are stored on their way to the browser.

In single precision they are 21 MB, as halves 10.6 MB, as bytes 5.3 MB. The decoder's file says
which of these it takes: it is exported for one, and the endpoint writes what its decoder takes.
"""

import os
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import onnxruntime
import torch
from torch import Tensor

from gen3d.errors import WeightsInvalid

Precision: TypeAlias = Literal["fp32", "fp16", "u8"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

SETTING = "GEN3D_EMBEDDINGS_PRECISION"
"""Names the precision that decoders are exported for; fp16 where it is not set."""

_LEVELS = 255
_SCALE, _OFFSET = "_scale", "_offset"


def precision_wanted() -> Precision:
    """What `SETTING` asks for.

    Raises
    ------
    WeightsInvalid
        It names no precision.
    """
    return _checked(os.environ.get(SETTING) or "fp16", f"Set {SETTING}")


def precision_of(decoder: Path) -> Precision:
    """What an exported decoder takes.

    Raises
    ------
    WeightsInvalid
        It does not say, or `SETTING` asks for another.
    """
    try:
        session = onnxruntime.InferenceSession(decoder, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise WeightsInvalid(
            f"{decoder} is no network that can be loaded. Export the decoder again."
        ) from error
    named = session.get_modelmeta().custom_metadata_map.get("precision", "none")
    precision = _checked(named, f"Export {decoder} again")
    if os.environ.get(SETTING) and precision != precision_wanted():
        raise WeightsInvalid(
            f"{decoder} takes embeddings as {precision}, {SETTING} asks for {precision_wanted()}. "
            "Export the decoder again, or change the setting."
        )
    return precision


def store(tensors: dict[str, Tensor], precision: Precision) -> dict[str, Tensor]:
    """Put embeddings into a precision.

    Parameters
    ----------
    tensors : dict of str to Tensor
        (1, channels, height, width) each, of any float type.

    Returns
    -------
    dict of str to Tensor
        By the same names. As bytes, each comes with ``{name}_scale`` and ``{name}_offset``,
        (1, channels, 1, 1) float32, and stands for ``byte · scale + offset``.
    """
    if precision != "u8":
        dtype = torch.float16 if precision == "fp16" else torch.float32
        return {name: tensor.to(dtype) for name, tensor in tensors.items()}
    stored = {}
    for name, tensor in tensors.items():
        values = tensor.float()
        offset = values.amin((2, 3), keepdim=True)
        scale = (values.amax((2, 3), keepdim=True) - offset) / _LEVELS
        # A channel that is the same everywhere is its offset.
        levels = (values - offset) / torch.where(scale > 0, scale, 1.0)
        stored[name] = levels.round().clamp(0, _LEVELS).to(torch.uint8)
        stored[name + _SCALE] = scale
        stored[name + _OFFSET] = offset
    return stored


def stored_names(names: tuple[str, ...], precision: Precision) -> tuple[str, ...]:
    """Names of what `store` gives, in its order."""
    if precision != "u8":
        return names
    return tuple(name + part for name in names for part in ("", _SCALE, _OFFSET))


def restore(stored: dict[str, Tensor], names: tuple[str, ...]) -> list[Tensor]:
    """Give back, in float32, what `store` was given under these names."""
    return [
        stored[name].float() * stored[name + _SCALE] + stored[name + _OFFSET]
        if name + _SCALE in stored
        else stored[name].float()
        for name in names
    ]


def _checked(name: str, remedy: str) -> Precision:
    if name not in PRECISIONS:
        raise WeightsInvalid(
            f"There is no precision {name!r} for embeddings. {remedy}: {', '.join(PRECISIONS)}."
        )
    return name
