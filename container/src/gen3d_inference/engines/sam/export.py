"""``python -m gen3d_inference.engines.sam export-decoder``: as ONNX, for the browser.

The SAM License holds for it too, and goes with it.
"""

import argparse
import shutil
import sys
from pathlib import Path

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.parts.decoder import MaskDecoder
from gen3d_inference.engines.parts.decoder_export import to_onnx, write
from gen3d_inference.engines.sam.tracker import load_tracker

LICENSE = "LICENSE"


def export(weights: Path, out: Path) -> None:
    """Write the decoder of SAM 3's weights, and their licence beside it.

    Parameters
    ----------
    weights : Path
        As facebook/sam3 publishes them, LICENSE included.
    out : Path
        The ONNX file; its folder is made.

    Raises
    ------
    WeightsInvalid
        The weights cannot be loaded, lack their licence, or the file does not answer as they do.
    """
    if not (weights / LICENSE).is_file():
        raise WeightsInvalid(
            f"There is no {LICENSE} in {weights}. It has to go with the decoder; fetch the weights "
            "again."
        )
    write(to_onnx(MaskDecoder(load_tracker(weights)), "sam", "SAM License"), out)
    if (weights / LICENSE).resolve() != (out.parent / LICENSE).resolve():
        shutil.copyfile(weights / LICENSE, out.parent / LICENSE)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_inference.engines.sam export-decoder")
    parser.add_argument("--weights", type=Path, required=True, help="SAM 3's folder")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    options = parser.parse_args(arguments)
    try:
        export(options.weights, options.out)
    except WeightsInvalid as error:
        print(error.message, file=sys.stderr)
        return 1
    print(f"{options.out}: {options.out.stat().st_size} bytes")
    return 0
