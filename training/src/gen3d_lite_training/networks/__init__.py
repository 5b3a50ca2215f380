"""The three networks: image encoder, mask decoder, reconstruction."""

from .masks import LIGHT, DecoderSize, Features, MaskDecoder, MaskEncoder, MaskNetworks
from .reconstruction import Reconstruction

__all__ = [
    "LIGHT",
    "DecoderSize",
    "Features",
    "MaskDecoder",
    "MaskEncoder",
    "MaskNetworks",
    "Reconstruction",
]
