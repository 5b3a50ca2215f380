"""SAM 2.1's mask decoder as ONNX, which the page runs as it runs any engine's."""

from pathlib import Path

from gen3d_inference.engines.open.sam2 import load_sam2
from gen3d_inference.engines.parts.decoder import MaskDecoder
from gen3d_inference.engines.parts.decoder_export import to_onnx, write
from gen3d_inference.engines.parts.precision import Precision, precision_wanted


def write_decoder(weights: Path, out: Path, precision: Precision | None = None) -> None:
    """Write the decoder of SAM 2.1's weights.

    Parameters
    ----------
    weights : Path
        As facebook/sam2.1-hiera-large publishes them.
    out : Path
        The ONNX file; its folder is made.
    precision : {"fp16", "fp32", "u8"}, optional
        What the embeddings are stored in; where it is left out, what the environment asks for.

    Raises
    ------
    WeightsInvalid
        The weights cannot be loaded, or the file does not answer as they do.
    """
    decoder = MaskDecoder(load_sam2(weights))
    write(to_onnx(decoder, precision or precision_wanted(), "open", "Apache-2.0"), out)
