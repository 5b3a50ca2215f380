"""A mask of clicks, as the page makes one: by the decoder and the embeddings that a job links."""

import io

import numpy as np
from PIL import Image

from gen3d_inference.mask_decoder import OFF, ON, MaskDecoder, PhotoEmbeddings, Point

CUP = ((226, 232, True), (394, 232, True), (330, 330, True))
"""Clicks on `examples/coffee.jpg`: the cup, and twice its saucer."""


def drawn(
    model: bytes, embeddings: bytes, clicks: tuple[tuple[float, float, bool], ...] = CUP
) -> bytes:
    """A PNG, white on the object.

    Parameters
    ----------
    model, embeddings : bytes
        ``decoder.onnx`` and ``embeddings.safetensors``.
    clicks : tuple
        x and y in pixels of the photo, and whether the object is there; the first one is on it.
    """
    photo = PhotoEmbeddings.read(embeddings)
    width, height = photo.size
    points = [Point(x / width, y / height, ON if on else OFF) for x, y, on in clicks]
    mask = photo.full_size(MaskDecoder(model, photo).decode(points[:1], points[1:]))
    buffer = io.BytesIO()
    Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0))).save(buffer, "PNG")
    return buffer.getvalue()
