"""SAM 2.1's mask decoder as ONNX, which the page runs as it runs any engine's."""

from pathlib import Path

from gen3d_inference.engines.open.sam2 import load_sam2
from gen3d_inference.engines.parts.decoder import MaskDecoder
from gen3d_inference.engines.parts.decoder_export import to_onnx, write


def write_decoder(weights: Path, out: Path) -> None:
    """Write the decoder of SAM 2.1's weights.

    Parameters
    ----------
    weights : Path
        As facebook/sam2.1-hiera-large publishes them.
    out : Path
        The ONNX file; its folder is made.

    Raises
    ------
    WeightsInvalid
        The weights cannot be loaded, or the file does not answer as they do.
    """
    write(to_onnx(MaskDecoder(load_sam2(weights)), "open", "Apache-2.0"), out)
