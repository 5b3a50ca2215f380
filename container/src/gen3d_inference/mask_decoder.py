"""The light half of a model, as the browser runs it: from embeddings and points to a mask.

Feeds what the decoder declares and reads every shape from the files, so that it serves every
engine's. What it proposes is what the page does (``webapp/src/selection/prompt.ts``).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load

from gen3d.contract import LOGIT_STEPS, LOGIT_ZERO, EmbeddingsMeta
from gen3d.errors import InferenceFailed, NothingFound
from gen3d_inference.embeddings import restored, uncompressed
from gen3d_inference.engines.interface import Floats, Mask
from gen3d_inference.salience import GRID, SURE, subject

OFF, ON, TOP_LEFT, BOTTOM_RIGHT = range(4)
"""A point's label: beside the object, on it, and a box's corners."""

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
}
_MOST = 64 * 1024 * 1024
"""Bytes of embeddings, uncompressed; those of SAM 3 are a third of it in single precision."""
_UNSURE, _STAYING = 0.05, 0.98
"""How far a logit may be off, and how much of a mask has to stay: SAM's own figures."""


class Point(NamedTuple):
    """A point of a prompt, in fractions of the photo."""

    x: float
    y: float
    label: int


@dataclass(frozen=True)
class Candidate:
    """A mask in the decoder's resolution, and how sure the decoder is of it, from 0 to 1."""

    logits: Floats
    score: float


@dataclass(frozen=True)
class PhotoEmbeddings:
    """``embeddings.safetensors``: the decoder's inputs by their names, and how they were made."""

    tensors: dict[str, NDArray[np.generic]]
    meta: EmbeddingsMeta

    @classmethod
    def read(cls, file: bytes) -> "PhotoEmbeddings":
        """Read the file."""
        file = uncompressed(file, _MOST)
        header = json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")])
        return cls(load(file), EmbeddingsMeta.model_validate(header["__metadata__"]))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright photo."""
        return int(self.meta.image_width), int(self.meta.image_height)

    @property
    def found(self) -> list[Candidate]:
        """What a text has found, best first."""
        if "candidate_logits" not in self.tensors:
            return []
        # A byte is its step's upper end: taken as it is, every outline would lie further out.
        middles = self.tensors["candidate_logits"].astype(np.float32) - np.float32(LOGIT_ZERO + 0.5)
        logits = middles / LOGIT_STEPS
        scores = self.tensors["candidate_scores"]
        return [Candidate(mask, float(score)) for mask, score in zip(logits, scores, strict=True)]

    def full_size(self, candidate: Candidate) -> Mask:
        """Enlarge a mask to the photo's pixels, (height, width)."""
        soft = Image.fromarray(candidate.logits).resize(self.size, Image.Resampling.BILINEAR)
        return np.asarray(soft) > 0


class MaskDecoder:
    """A decoder with the embeddings of one photo.

    Parameters
    ----------
    model : bytes
        ``decoder.onnx``, of the embeddings' engine and revision.
    embeddings : PhotoEmbeddings
    """

    def __init__(self, model: bytes, embeddings: PhotoEmbeddings) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._session = onnxruntime.InferenceSession(model, options)
        self._embeddings = embeddings
        self._photo = photo_inputs(self._session, embeddings.tensors)
        single = embeddings.meta.single_mask_index
        self._single = int(single) if single else None

    def decode(self, start: Sequence[Point], corrections: Sequence[Point] = ()) -> Candidate:
        """Give the best mask of points, and then, one after another, of those that correct it.

        Raises
        ------
        InferenceFailed
            The decoder asks for what the embeddings do not hold.
        """
        points = list(start)
        best = self._proposed(points)
        for correction in corrections:
            points.append(correction)
            best = self._proposed(points, best)
        return best

    def salient(self) -> Candidate:
        """Find what the photo is about, by a grid of clicks (`gen3d_inference.salience`).

        Raises
        ------
        NothingFound
            It is not clear.
        """
        steps = (np.arange(GRID) + 0.5) / GRID
        clicks = [Point(float(x), float(y), ON) for y in steps for x in steps]
        answers = [(c, mask) for c in clicks for mask in self._offered(self._decode([c], None))]
        index, lead = subject(
            np.stack([mask.logits > 0 for _, mask in answers]),
            np.array([mask.score for _, mask in answers]),
            np.array([click[:2] for click, _ in answers]),
        )
        if lead < SURE:
            raise NothingFound(
                "It is not clear what the photo is about. Show the object by a click or a box."
            )
        return answers[index][1]

    def _proposed(self, points: Sequence[Point], previous: Candidate | None = None) -> Candidate:
        """SAM has one mask for a box or several clicks, and the others for a single click."""
        decoded = self._decode(points, previous)
        if self._single is not None and len(points) > 1 and _is_sure(decoded[self._single]):
            return decoded[self._single]
        return max(self._offered(decoded), key=lambda candidate: candidate.score)

    def _offered(self, decoded: list[Candidate]) -> list[Candidate]:
        return [mask for index, mask in enumerate(decoded) if index != self._single] or decoded

    def _decode(self, points: Sequence[Point], previous: Candidate | None) -> list[Candidate]:
        feeds = {i.name: self._feed(i, points, previous) for i in self._session.get_inputs()}
        logits, scores = self._session.run(["masks", "iou_scores"], feeds)
        pairs = zip(np.asarray(logits[0], np.float32), scores[0], strict=True)
        return [Candidate(mask, float(score)) for mask, score in pairs]

    def _feed(
        self, declared: onnxruntime.NodeArg, points: Sequence[Point], previous: Candidate | None
    ) -> NDArray[np.generic]:
        dtype = _DTYPES[declared.type]
        meta = self._embeddings.meta
        match declared.name:
            case "point_coords":
                frame = float(meta.input_width), float(meta.input_height)
                places = [(point.x * frame[0], point.y * frame[1]) for point in points]
                return np.array([places], dtype)
            case "point_labels":
                return np.array([[point.label for point in points]], dtype)
            case "mask_input" if previous:
                height, width = declared.shape[-2:]
                soft = Image.fromarray(previous.logits)
                return np.asarray(soft.resize((width, height)), dtype)[None, None]
            case "mask_input":
                return np.zeros(declared.shape, dtype)
            case "has_mask_input":
                return np.full(1, previous is not None, dtype)
            case name if name in self._photo:
                return self._photo[name]
            case name:
                raise InferenceFailed(
                    f"The decoder asks for {name!r}, which the embeddings lack. Start a new job."
                )


def photo_inputs(
    session: onnxruntime.InferenceSession, tensors: dict[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    """What is the same for every prompt, in the types that a decoder declares.

    Parameters
    ----------
    session
        The decoder's.
    tensors
        The file's.
    """
    inputs = {}
    for declared in session.get_inputs():
        name, dtype = declared.name, _DTYPES[declared.type]
        if name in tensors:
            stored = tensors[name]
            inputs[name] = (stored if dtype is np.uint8 else restored(tensors, name)).astype(dtype)
    return inputs


def _is_sure(candidate: Candidate) -> bool:
    """Whether a mask hardly changes with the threshold ("stability score")."""
    certain = int((candidate.logits > _UNSURE).sum())
    possible = int((candidate.logits > -_UNSURE).sum())
    return certain >= _STAYING * possible
