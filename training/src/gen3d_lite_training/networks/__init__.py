"""The three networks: image encoder, mask decoder, reconstruction."""

from .masks import Features, MaskDecoder, MaskEncoder, MaskNetworks
from .reconstruction import Reconstruction

__all__ = ["Features", "MaskDecoder", "MaskEncoder", "MaskNetworks", "Reconstruction"]
