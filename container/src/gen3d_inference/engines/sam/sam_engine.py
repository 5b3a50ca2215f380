"""The sam engine: what it is made of, and when each part is loaded."""

from dataclasses import replace
from pathlib import Path

from PIL import Image

from gen3d.contract import Pose
from gen3d.options import ANY_SEED, SOME_SEEDS, EngineOptions, Offer, OneOf
from gen3d_inference.engines.interface import (
    Depth,
    Embeddings,
    Gaussians,
    Mask,
    Tell,
    silent,
)
from gen3d_inference.engines.parts import gpu
from gen3d_inference.engines.parts.torch_engine import LoadedBeside, TorchEngine
from gen3d_inference.engines.sam.concept import ConceptPrompt
from gen3d_inference.engines.sam.encoder import ImageEncoder
from gen3d_inference.engines.sam.objects import ObjectReconstruction

NEEDS = gpu.Needs(
    engine="sam",
    # Where they take turns on the GPU; a 24 GB card has a little more.
    memory=20 * 2**30,
    bfloat16=True,
    instead="Choose ml.g5.2xlarge (24 GB) or ml.g6e.2xlarge (48 GB), or the lite engine",
)

OFFERS: Offer = {
    "quality": OneOf(values=("fast", "standard"), seconds={"fast": 3, "standard": 4}),
    "seed": ANY_SEED,
    "seeds": SOME_SEEDS,
}
"""Seconds as an H200 took with networks moved on and off it (bench/gpu/OBJECTS.md)."""

PHASES = {
    "depth": 0.250,
    "structureCondition": 0.486,
    "structure": 1.350,
    "voxels": 0.028,
    "latentsCondition": 0.419,
    "latents": 1.241,
    "gaussians": 0.144,
}
"""Seconds there, too; only their shares count."""

_LARGER = "ml.g6e.2xlarge"

_FOR_CLICKS = ("sam3/", "decoder.onnx", "LICENSE")
"""Files that are needed from the start; the rest, most of the bytes, is for reconstructing."""


class SamEngine(TorchEngine):
    """Masks with SAM 3, gaussians with SAM 3D Objects.

    The image encoder is loaded first, so that a photo finds it ready; then, while a person clicks,
    what reconstructs. What reads a text is loaded when it is asked for.

    Parameters
    ----------
    folder : Path
        Sealed weights: ``sam3/``, ``decoder.onnx`` and what `ObjectReconstruction` takes.
    revision : str, optional
        The only revision to accept.

    Raises
    ------
    WeightsInvalid
        Absent, partial, changed, or of another revision.
    GpuUnavailable
    """

    name = "sam"
    offers = OFFERS
    phases = PHASES

    def __init__(self, folder: Path, revision: str | None = None) -> None:
        super().__init__(folder, revision, NEEDS, _FOR_CLICKS)
        self._encoder = ImageEncoder(folder / "sam3", self._device)
        self._concept = ConceptPrompt(folder / "sam3", self._device)
        self._first_verified.result()
        self._objects = LoadedBeside(self._beside, self._load_objects)
        self._beside.shutdown(wait=False)

    @property
    def side(self) -> int:
        """Pixels a side that the image encoder takes."""
        return self._encoder.side

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        """Encode a photo and find what a text names.

        Raises
        ------
        OutOfMemory
            The GPU's memory did not suffice; it was freed.
        """
        return self._within_memory(
            lambda: self._initialize(photo, text), _LARGER, self._concept.free
        )

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Gaussians, Pose]:
        """Turn one object into gaussians.

        Raises
        ------
        WeightsInvalid
            SAM 3D Objects cannot be loaded.
        ReconstructionFailed, OutOfMemory
        """
        return self._reconstruct(photo, mask, None, options, tell)

    def reconstruct_by_depth(
        self, photo: Image.Image, mask: Mask, depth: Depth, options: EngineOptions, tell: Tell
    ) -> tuple[Gaussians, Pose]:
        """The same, by the distances of a depth map; raises as `reconstruct` does."""
        return self._reconstruct(photo, mask, depth, options, tell)

    def _reconstruct(
        self,
        photo: Image.Image,
        mask: Mask,
        depth: Depth | None,
        options: EngineOptions,
        tell: Tell,
    ) -> tuple[Gaussians, Pose]:
        return self._within_memory(
            lambda: self._objects.get(tell).run(photo, mask, options, tell, depth),
            _LARGER,
            self._concept.free,
        )

    def _initialize(self, photo: Image.Image, text: str | None) -> Embeddings:
        tensors, features = self._encoder(photo)
        # Taken to the host before the text is looked for, which needs the memory.
        embeddings = self._embeddings(tensors, self.side, photo)
        if text is None:
            return embeddings
        candidates = self._concept.find(text, features)
        found = candidates.text if candidates.text != text else ""
        meta = embeddings.meta.model_copy(update={"found_text": found})
        return replace(embeddings, meta=meta, candidates=candidates)

    def _load_objects(self) -> ObjectReconstruction:
        self._verify_rest()  # these files hold code that loading would run
        return ObjectReconstruction(self._folder, str(self._device))
