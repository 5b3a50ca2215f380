"""Writes and reads ``embeddings.safetensors``, from which the decoder is fed.

The file is compressed: a browser takes that off by itself, as the object says so (`ENCODING`).
"""

import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from gen3d.contract import LOGIT_STEPS, LOGIT_ZERO
from gen3d.errors import InferenceFailed
from gen3d_inference.engines.interface import Embeddings, Floats

ENCODING = "gzip"
"""The object's ``Content-Encoding``."""

_GZIPPED = b"\x1f\x8b"
_HEADER = b"\x08\0\0\0\0\0\0\xff"
"""Deflated; no name, no date, no system."""
_LAST_BLOCK = b"\x03\0"
_PART = 384 * 1024
_LEVELS = 255
_EXPONENT = np.uint16(0x7C00)
"""Of a half: all bits set where it is infinite or no number."""


def pack(embeddings: Embeddings) -> bytes:
    """Lay the tensors out as a safetensors file in the precision that the metadata names, gzipped.

    What an engine gives as float32 is rounded to halves or bytes here, where those are asked for.

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
    elif embeddings.meta.precision == "u8" and not any(
        tensor.dtype == np.uint8 for tensor in tensors.values()
    ):
        tensors = {part: a for name, t in tensors.items() for part, a in as_bytes(name, t).items()}
    if not all(_is_finite(tensor) for tensor in tensors.values()):
        raise InferenceFailed(
            "The encoder gave values that are no numbers. Try again, or use another photo."
        )
    if embeddings.candidates is not None:
        tensors["candidate_logits"] = _bytes(embeddings.candidates.logits)
        tensors["candidate_scores"] = embeddings.candidates.scores.astype(np.float32)
    return compressed(save(tensors, metadata=embeddings.meta.model_dump()))


def as_bytes(name: str, tensor: Floats) -> dict[str, NDArray[np.generic]]:
    """Store (1, channels, height, width) as bytes, each channel's spread over its range.

    Returns
    -------
    dict of str to array
        The tensor, ``{name}_scale`` and ``{name}_offset``, as
        `gen3d.contract.EmbeddingsMeta` says of them.
    """
    offset = tensor.min((2, 3), keepdims=True)
    scale = (tensor.max((2, 3), keepdims=True) - offset) / np.float32(_LEVELS)
    # What is the same everywhere is its offset. What is no number is refused by its scale.
    with np.errstate(invalid="ignore"):
        levels = (tensor - offset) * (1 / np.where(scale > 0, scale, np.float32(1)))
        stored = (levels + np.float32(0.5)).astype(np.uint8)
    return {name: stored, f"{name}_scale": scale, f"{name}_offset": offset}


def restored(tensors: dict[str, NDArray[np.generic]], name: str) -> NDArray[np.generic]:
    """A tensor of the file: bytes with the numbers that they stand for, all else as it is."""
    tensor = tensors[name]
    if f"{name}_scale" not in tensors:
        return tensor
    scale, offset = (tensors[f"{name}_{part}"].astype(np.float32) for part in ("scale", "offset"))
    values = tensor.astype(np.float32) * scale + offset
    if f"{name}_basis" not in tensors:
        return values
    basis = tensors[f"{name}_basis"].astype(np.float32)
    groups = values.reshape(len(basis), -1, values.shape[-1]).transpose(0, 2, 1) @ basis
    return groups.transpose(1, 0, 2).reshape(1, values.shape[-1], -1)


def uncompressed(file: bytes, most: int) -> bytes:
    """The file without its compression, where it has one; at most so many bytes of it."""
    if not file.startswith(_GZIPPED):
        return file
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(file, most)


def compressed(file: bytes) -> bytes:
    """Write gzip (RFC 1952), each part on a processor of its own."""
    whole = memoryview(file)
    parts = [whole[start : start + _PART] for start in range(0, len(file), _PART)]
    deflated = _threads().map(_deflated, parts)
    end = struct.pack("<II", zlib.crc32(file), len(file) & 0xFFFF_FFFF)  # while they compress
    return b"".join([_GZIPPED, _HEADER, *deflated, _LAST_BLOCK, end])


@cache
def _threads() -> ThreadPoolExecutor:
    """Kept from photo to photo: to start as many as a machine has processors takes milliseconds."""
    return ThreadPoolExecutor(os.cpu_count(), "compress")


def _deflated(part: memoryview) -> bytes:
    """Entropy coding alone, as embeddings repeat nothing; ended so that another part can follow."""
    coder = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_HUFFMAN_ONLY)
    return coder.compress(part) + coder.flush(zlib.Z_FULL_FLUSH)


def _bytes(logits: Floats) -> NDArray[np.uint8]:
    """Positive stays positive: a mask is where its byte is above zero's."""
    steps = np.ceil(logits * LOGIT_STEPS) + LOGIT_ZERO
    return np.ascontiguousarray(np.clip(steps, 0, 255).astype(np.uint8))


def _is_finite(tensor: NDArray[np.generic]) -> bool:
    if tensor.dtype != np.float16:
        return bool(np.isfinite(tensor).all())
    # Halves have no instructions of their own; their exponent's bits are looked at at once.
    return bool(((tensor.view(np.uint16) & _EXPONENT) != _EXPONENT).all())
