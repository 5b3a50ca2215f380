"""Writes ``embeddings.safetensors``, which the browser feeds to the decoder as it is."""

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from gen3d.contract import LOGIT_STEPS, LOGIT_ZERO
from gen3d.errors import InferenceFailed
from gen3d_inference.engines.interface import Embeddings, Floats

_EXPONENT = np.uint16(0x7C00)
"""Of a half: all bits set where it is infinite or no number."""


def pack(embeddings: Embeddings) -> bytes:
    """Lay the tensors out as a safetensors file in the precision that the metadata names.

    What an engine gives as float32 is rounded to halves here, where those are asked for.

    Raises
    ------
    InferenceFailed
        A value is not finite, or too large for the precision.
    """
    # safetensors 0.8.0 writes the memory of a strided array, whatever its strides say.
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in embeddings.tensors.items()}
    if embeddings.meta.precision == "fp16":
        with np.errstate(over="ignore"):
            tensors = {
                name: tensor.astype(np.float16, copy=False) for name, tensor in tensors.items()
            }
    if not all(_is_finite(tensor) for tensor in tensors.values()):
        raise InferenceFailed(
            "The encoder gave values that are no numbers. Try again, or use another photo."
        )
    if embeddings.candidates is not None:
        tensors["candidate_logits"] = _bytes(embeddings.candidates.logits)
        tensors["candidate_scores"] = embeddings.candidates.scores.astype(np.float32)
    return save(tensors, metadata=embeddings.meta.model_dump())


def _bytes(logits: Floats) -> NDArray[np.uint8]:
    """Positive stays positive: a mask is where its byte is above zero's."""
    steps = np.ceil(logits * LOGIT_STEPS) + LOGIT_ZERO
    return np.ascontiguousarray(np.clip(steps, 0, 255).astype(np.uint8))


def _is_finite(tensor: NDArray[np.generic]) -> bool:
    if tensor.dtype != np.float16:
        return bool(np.isfinite(tensor).all())
    # Halves have no instructions of their own; their exponent's bits are looked at at once.
    return bool(((tensor.view(np.uint16) & _EXPONENT) != _EXPONENT).all())
