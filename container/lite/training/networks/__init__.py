"""The three networks: image encoder, mask decoder, reconstruction."""

from .masks import MaskDecoder, MaskEncoder
from .reconstruction import Reconstruction

__all__ = ["MaskDecoder", "MaskEncoder", "Reconstruction"]
