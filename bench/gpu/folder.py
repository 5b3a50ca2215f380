"""Weights of full size and random values, sealed like real ones, and a photo of 12 megapixels."""

import io
from pathlib import Path

import numpy as np
import onnx
import torch
from PIL import Image
from transformers import Sam3TrackerConfig, Sam3TrackerModel

from gen3d.colours import Primaries, matrix_profile
from gen3d_inference.engines.sam.export import export
from gen3d_inference.weights import seal

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "examples" / "coffee.jpg"
SENSOR_NOISE = 6.0
"""Standard deviation in levels of 255: enlarged, the photo alone compresses far too well."""

DISPLAY_P3 = matrix_profile(
    Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
)
"""What phones name their photos' colours by."""


def make_weights(folder: Path, tiny: bool) -> None:
    """Write a sam engine's weights, but for SAM 3D Objects."""
    if tiny:
        from container.tests.sam.tiny import write_engine

        write_engine(folder)
    else:
        torch.manual_seed(0)
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            model = Sam3TrackerModel(Sam3TrackerConfig())
        model.cpu().save_pretrained(folder / "sam3")
        (folder / "sam3" / "LICENSE").write_text("Random numbers, free to use.\n")
        export(folder / "sam3", folder / "decoder.onnx")
    _tell_precision(folder / "decoder.onnx")
    seal(folder, "sam")


def _tell_precision(decoder: Path) -> None:
    """Let builds from before ADR 51 be measured beside ours: a decoder's file said it to them."""
    model = onnx.load(decoder)
    model.metadata_props.add(key="precision", value="fp16")
    onnx.save(model, decoder)


def make_photo(
    width: int, height: int, orientation: int = 1, profile: bytes | None = None
) -> bytes:
    """Make a JPEG that decodes like a camera's: its size, chroma at half resolution, noise.

    Parameters
    ----------
    orientation : int
        As EXIF counts them: 1 upright, 6 a phone held upright.
    profile : bytes, optional
        Of its colours.
    """
    small = Image.open(PHOTO).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, SENSOR_NOISE, (height, width, 3))
    noisy = np.clip(np.asarray(small) + noise, 0, 255).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=90, exif=exif, icc_profile=profile)
    return file.getvalue()
