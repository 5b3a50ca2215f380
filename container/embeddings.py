"""Writes ``embeddings.safetensors``, which the browser feeds to the decoder as it is."""

import numpy as np
from gen3d.errors import InferenceFailed
from safetensors.numpy import save

from container.engine import Embeddings

_DTYPES = {"fp32": np.float32, "fp16": np.float16}


def pack(embeddings: Embeddings) -> bytes:
    """Lay the tensors out as a safetensors file in the precision that the metadata names.

    Raises
    ------
    InferenceFailed
        A value is not finite, or too large for the precision.
    """
    dtype = _DTYPES[embeddings.meta.precision]
    with np.errstate(over="ignore"):
        tensors = {
            name: np.ascontiguousarray(tensor, dtype) for name, tensor in embeddings.tensors.items()
        }
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise InferenceFailed(
            "The encoder gave values that are no numbers. Try again, or use another photo."
        )
    return save(tensors, metadata=embeddings.meta.model_dump())
