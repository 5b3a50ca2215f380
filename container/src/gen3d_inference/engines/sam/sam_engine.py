"""The sam engine: what it is made of, and when each part is loaded."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from PIL import Image

from gen3d.contract import EmbeddingsMeta, Pose
from gen3d.errors import Gen3DError
from gen3d.options import ANY_SEED, EngineOptions, Offer, OneOf
from gen3d_inference import weights
from gen3d_inference.engines.interface import Embeddings, Gaussians, Mask, Tell, silent
from gen3d_inference.engines.parts import gpu
from gen3d_inference.engines.parts.acceleration import keep_compiled
from gen3d_inference.engines.parts.precision import precision_of, store
from gen3d_inference.engines.sam.concept import ConceptPrompt
from gen3d_inference.engines.sam.encoder import ImageEncoder
from gen3d_inference.engines.sam.objects import ObjectReconstruction

logger = logging.getLogger(__name__)

T = TypeVar("T")

NEEDS = gpu.Needs(
    engine="sam",
    # Where they take turns on the GPU; a 24 GB card has a little more.
    memory=20 * 2**30,
    bfloat16=True,
    instead="Choose ml.g5.2xlarge (24 GB) or ml.g6e.2xlarge (48 GB), or the lite engine",
)

OFFERS: Offer = {
    "quality": OneOf(values=("fast", "standard"), seconds={"fast": 8, "standard": 14}),
    "seed": ANY_SEED,
}
"""Seconds as an H200 took with networks moved on and off it (docs/adr/0020), fast by its steps."""

PHASES = {
    "depth": 0.267,
    "structureCondition": 0.552,
    "structure": 3.586,
    "voxels": 0.027,
    "latentsCondition": 0.398,
    "latents": 8.861,
    "gaussians": 0.139,
}
"""Seconds there, too; only their shares count."""

_FOR_CLICKS = ("sam3/", "decoder.onnx", "LICENSE")
"""Files that are needed from the start; the rest, most of the bytes, is for reconstructing."""


class SamEngine:
    """Masks with SAM 3, gaussians with SAM 3D Objects.

    The image encoder is loaded at once, so that the first photo finds it ready. What reads a text
    and what reconstructs are loaded when first asked for: a person has to click before that.

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
        manifest = weights.read(folder, self.name, revision)
        self.revision = manifest.revision
        self._folder = folder
        self._device = gpu.choose(NEEDS)
        first = {n: file for n, file in manifest.files.items() if n.startswith(_FOR_CLICKS)}
        rest = {n: file for n, file in manifest.files.items() if n not in first}
        # Hashing takes seconds a gigabyte, so it runs beside the loading, and no job before it.
        verifying = ThreadPoolExecutor(1, "weights")
        verified = verifying.submit(weights.verify, folder, first)
        self._rest_verified: Future[None] = verifying.submit(self._verify_rest, rest)
        verifying.shutdown(wait=False)
        if self._device.type == "cuda":
            keep_compiled(folder, self.revision)
        self._precision = precision_of(folder / "decoder.onnx")
        self._encoder = ImageEncoder(folder / "sam3", self._device)
        self._concept = ConceptPrompt(folder / "sam3", self._device)
        self._objects: ObjectReconstruction | None = None
        verified.result()

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
        return self._within_memory(lambda: self._initialize(photo, text))

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Gaussians, Pose]:
        """Turn one object into gaussians.

        Raises
        ------
        WeightsInvalid
            At the first object: SAM 3D Objects cannot be loaded.
        ReconstructionFailed, OutOfMemory
        """
        return self._within_memory(lambda: self._reconstruct(photo, mask, options, tell))

    def works(self) -> bool:
        """Whether the GPU answers."""
        return gpu.works(self._device)

    def _initialize(self, photo: Image.Image, text: str | None) -> Embeddings:
        tensors, features = self._encoder(photo)
        stored = gpu.to_host(store(tensors, self._precision))
        side = str(self._encoder.side)
        candidates = self._concept.find(text, features) if text is not None else None
        meta = EmbeddingsMeta(
            engine=self.name,
            revision=self.revision,
            input_width=side,
            input_height=side,
            image_width=str(photo.width),
            image_height=str(photo.height),
            precision=self._precision,
            single_mask_index="0",
            found_text=candidates.text if candidates and candidates.text != text else "",
        )
        return Embeddings(
            {name: tensor.numpy() for name, tensor in stored.items()}, meta, candidates
        )

    def _reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell
    ) -> tuple[Gaussians, Pose]:
        if self._objects is None:
            tell("loading", 0.0)
            self._rest_verified.result()  # these files hold code that loading would run
            self._concept.free()
            self._objects = ObjectReconstruction(self._folder, str(self._device))
        return self._objects.run(photo, mask, options, tell)

    def _within_memory(self, work: Callable[[], T]) -> T:
        return gpu.within_memory(
            work,
            self._concept.free,
            "Try again with a smaller photo, or deploy on an instance with a larger GPU, such as "
            "ml.g6e.2xlarge.",
        )

    def _verify_rest(self, files: dict[str, weights.File]) -> None:
        try:
            weights.verify(self._folder, files)
        except Gen3DError as error:
            logger.error(error.message, extra={"fields": {"error": error.name}})
            raise
