"""The open engine: what it is made of, and when each part is loaded."""

from pathlib import Path

import torch
from PIL import Image

from gen3d.contract import Pose
from gen3d.errors import InvalidRequest
from gen3d.options import ANY_SEED, SOME_SEEDS, EngineOptions, Offer, OneOf
from gen3d_inference.engines.interface import Embeddings, Gaussians, Mask, Tell, silent
from gen3d_inference.engines.open.reconstruction import ObjectReconstruction
from gen3d_inference.engines.open.sam2 import Sam2ImageEncoder
from gen3d_inference.engines.parts import gpu
from gen3d_inference.engines.parts.torch_engine import LoadedBeside, TorchEngine

NEEDS = gpu.Needs(
    engine="open",
    memory=12 * 2**30,  # a 16 GB card has a little less than its name says
    bfloat16=False,
    instead="Choose ml.g4dn.xlarge (16 GB) or ml.g6.2xlarge (24 GB), or the lite engine",
)

OFFERS: Offer = {
    "quality": OneOf(values=("fast", "standard"), seconds={"fast": 12, "standard": 23}),
    "seed": ANY_SEED,
    "seeds": SOME_SEEDS,
}
"""Seconds are those of an H200 (bench/gpu), times ten for an L4: that factor is a guess."""

PHASES = {"cutout": 0.12, "condition": 0.08, "latents": 1.86, "gaussians": 0.13}
"""Seconds there, too; only their shares count."""

_LARGER = "ml.g6.2xlarge"

_FOR_CLICKS = ("sam2/", "decoder.onnx", "LICENSE")
"""Files that are needed from the start; the rest is for reconstructing."""


class OpenEngine(TorchEngine):
    """Masks with SAM 2.1, gaussians with TripoSplat.

    The image encoder is loaded at once. What reconstructs is loaded beside the first photo, since a
    person has to click before it is asked for; where that fails, each object asks anew.

    Parameters
    ----------
    folder : Path
        Sealed weights: ``sam2/``, ``triposplat/`` and ``decoder.onnx``.
    revision : str, optional
        The only revision to accept.

    Raises
    ------
    WeightsInvalid
        Absent, partial, changed, or of another revision.
    GpuUnavailable
    """

    name = "open"
    offers = OFFERS
    phases = PHASES

    def __init__(self, folder: Path, revision: str | None = None) -> None:
        super().__init__(folder, revision, NEEDS, _FOR_CLICKS)
        half = torch.bfloat16 if gpu.has_bfloat16(self._device) else torch.float16
        self._encoder = Sam2ImageEncoder(folder / "sam2", self._device, half)
        self._first_verified.result()
        self._objects = LoadedBeside(self._beside, self._load_objects)
        self._beside.shutdown(wait=False)

    @property
    def side(self) -> int:
        """Pixels a side that the image encoder takes."""
        return self._encoder.side

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        """Encode a photo; there is no network here that reads a text.

        Raises
        ------
        InvalidRequest
            There is a text.
        OutOfMemory
            The GPU's memory did not suffice; it was freed.
        """
        if text is not None:
            raise InvalidRequest(
                "This engine finds objects by clicks only. Leave the text out and click the object."
            )
        return self._within_memory(lambda: self._initialize(photo), _LARGER)

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Gaussians, Pose]:
        """Turn one object into gaussians.

        Raises
        ------
        WeightsInvalid
            TripoSplat cannot be loaded.
        ReconstructionFailed, OutOfMemory
        """
        return self._within_memory(
            lambda: self._objects.get(tell).run(photo, mask, options, tell), _LARGER
        )

    def _initialize(self, photo: Image.Image) -> Embeddings:
        return self._embeddings(self._encoder(photo), self.side, photo)

    def _load_objects(self) -> ObjectReconstruction:
        self._verify_rest()
        return ObjectReconstruction(self._folder, self._device)
