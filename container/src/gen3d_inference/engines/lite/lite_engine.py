"""Feeds the lite networks."""

import os
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from gen3d.contract import EmbeddingsMeta, Pose
from gen3d.errors import InvalidRequest, ReconstructionFailed, WeightsInvalid
from gen3d.options import ANY_SEED, EngineOptions, Offer, OneOf
from gen3d_inference.engines.interface import Embeddings, Floats, Gaussians, Mask, Tell, silent
from gen3d_inference.engines.lite.canonical import canonical
from gen3d_inference.engines.lite.crop import Crop
from gen3d_inference.engines.lite.frames import CROP_SIDE, ENCODER_SIDE, MARGINS
from gen3d_inference.engines.lite.prediction import Prediction
from gen3d_inference.engines.lite.second_look import Prompt, look_again
from gen3d_inference.engines.lite.shell import columns
from gen3d_inference.weights import check

OFFERS: Offer = {
    "quality": OneOf(values=("standard",), seconds={"standard": 1}),
    "seed": ANY_SEED,
}

PHASES = {"outline": 0.3, "network": 0.2, "surface": 0.5}


class LiteEngine:
    """Masks from clicks and a two-sided surface from a crop, with small networks on the CPU.

    Parameters
    ----------
    folder : Path
        Sealed weights: ``encoder.onnx``, ``decoder.onnx`` (the browser's) and
        ``reconstruction.onnx``.
    revision : str, optional
        The only revision to accept.

    Raises
    ------
    WeightsInvalid
    """

    name = "lite"
    side = ENCODER_SIDE
    offers = OFFERS
    phases = PHASES

    def __init__(self, folder: Path, revision: str | None = None) -> None:
        self.revision = check(folder, self.name, revision).revision
        self._encoder = _session(folder / "encoder.onnx")
        self._decoder = _session(folder / "decoder.onnx")
        self._reconstruction = _session(folder / "reconstruction.onnx")

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        """Encode a photo, stretched to 448×448; there is no network here that reads a text."""
        if text is not None:
            raise InvalidRequest(
                "This engine finds objects by clicks only. Leave the text out and click the object."
            )
        stretched = photo.resize((ENCODER_SIDE, ENCODER_SIDE), Image.Resampling.HAMMING)
        meta = EmbeddingsMeta(
            engine=self.name,
            revision=self.revision,
            input_width=str(ENCODER_SIDE),
            input_height=str(ENCODER_SIDE),
            image_width=str(photo.width),
            image_height=str(photo.height),
            precision="u8",
        )
        return Embeddings(self._encode(stretched), meta)

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Gaussians, Pose]:
        """Predict front, thickness and back of the object and lay gaussians on its surface.

        A small object's mask gets the outline of a second look first, see `second_look`. The seed
        draws how closely the crop fits, within what the network was trained on. The pose says how
        the object is turned and where in the photo it falls; of distances these networks say
        nothing.
        """
        tell("outline", 0)
        mask = look_again(photo, mask, self.decode)
        tell("outline", 1)
        margin = float(np.random.default_rng(options.seed).uniform(*MARGINS))
        crop = Crop.around(mask, margin)
        small = crop.mask(mask, CROP_SIDE)
        _check_visible(small)
        tell("network", 0)
        prediction = self._predict(crop.colours(photo, CROP_SIDE), small)
        tell("network", 1)
        tell("surface", 0)
        solid = columns(crop, photo, mask, prediction)
        _check_visible(solid.inside)
        made = canonical(solid.surface(), prediction.elevation, crop)
        tell("surface", 1)
        return made

    def works(self) -> bool:
        """Always: a processor does not break by itself."""
        return True

    def decode(self, stretched: Image.Image, prompt: Prompt) -> Floats:
        """Answer a prompt as the page's decoder does: the candidates' logits, (m, h, w)."""
        inputs = {**self._encode(stretched), **prompt}
        masks: Floats = self._decoder.run(["masks"], inputs)[0][0]
        return masks

    def _encode(self, stretched: Image.Image) -> dict[str, Floats]:
        image = np.asarray(stretched, np.float32).transpose(2, 0, 1)[None] / 255
        names = [output.name for output in self._encoder.get_outputs()]
        return dict(zip(names, self._encoder.run(names, {"image": image}), strict=True))

    def _predict(self, colours: Floats, mask: Mask) -> Prediction:
        seen = mask[..., None].astype(np.float32)
        rgba = np.concatenate([colours * seen, seen], 2).transpose(2, 0, 1)[None]
        inputs = {"rgba": np.ascontiguousarray(rgba)}
        answers = self._reconstruction.run(["surface", "hidden", "elevation"], inputs)
        if not all(np.isfinite(answer).all() for answer in answers):
            raise ReconstructionFailed(
                "The network gave values that are no numbers. Try another seed or mask."
            )
        surface, hidden, elevation = answers
        return Prediction.of(mask, surface[0], hidden[0, 0], elevation[0])


def _check_visible(mask: Mask) -> None:
    if not mask.any():
        raise ReconstructionFailed(
            "The mask is too thin to be seen at the network's resolution. Cover the whole object."
        )


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("GEN3D_THREADS", "0"))
    # Waiting threads sleep, so that /ping and the rest of the machine get their turn.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise WeightsInvalid(f"{path} is no network that can be loaded: {error}") from None
