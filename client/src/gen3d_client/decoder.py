"""The light half of the model: from embeddings and clicks to a mask.

Feeds what the decoder declares and reads every shape from the files, as the browser does, so that
it serves every engine.
"""

import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load

from gen3d_client import clicks as clicking
from gen3d_client.clicks import Click
from gen3d_client.errors import ApiClientError

Mask = NDArray[np.bool_]

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
}
_GZIPPED = b"\x1f\x8b"
_GRID = 5
_FULL_SIZE = 0.15
"""A mask of this share of the photo is large enough to be what it is about."""
_BACKGROUND = 0.6
"""A mask of a larger share is rather the background."""
_COMPACT = 24.0
"""Area over squared edge, times this, is 1 for a square that is a little ragged."""
_SPREAD = 0.25
"""How far from the middle things still count, as a share of the photo's side."""


@dataclass(frozen=True)
class Candidate:
    """A mask in the decoder's resolution, and how sure the decoder is of it, from 0 to 1."""

    logits: NDArray[np.float32]
    score: float


class Decoder:
    """A decoder with the embeddings of one photo.

    Parameters
    ----------
    model : bytes
        ``decoder.onnx``.
    embeddings : bytes
        ``embeddings.safetensors``, whose metadata says how it was made.
    revision : str
        The decoder's; another revision's embeddings are refused.

    Raises
    ------
    ApiClientError
        The two do not belong together.
    """

    def __init__(self, model: bytes, embeddings: bytes, revision: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._session = onnxruntime.InferenceSession(model, options)
        if embeddings.startswith(_GZIPPED):
            embeddings = gzip.decompress(embeddings)
        self._tensors = load(embeddings)
        header = int.from_bytes(embeddings[:8], "little")
        self._meta = _metadata(embeddings[8 : 8 + header])
        if self._meta["revision"] != revision:
            raise ApiClientError(
                f"The embeddings are of revision {self._meta['revision']}, the decoder of "
                f"{revision}. Start the job again."
            )
        self.size = int(self._meta["image_width"]), int(self._meta["image_height"])

    def decode(self, clicks: Sequence[Click]) -> Candidate:
        """Give the best mask for the clicks, made one after another: each corrects the last mask.

        Raises
        ------
        ApiClientError
            The decoder asks for what the embeddings do not hold.
        """
        first = next(n for n, click in enumerate(clicks, 1) if click.inside)
        best = self._best(clicks[:first])
        for count in range(first + 1, len(clicks) + 1):
            best = self._best(clicks[:count], best)
        return best

    def salient(self) -> tuple[Click, Candidate]:
        """Find what the photo is about: the most salient of all masks of a grid of clicks."""
        width, height = self.size
        steps = (np.arange(_GRID) + 0.5) / _GRID
        clicks = [Click(round(width * x), round(height * y)) for y in steps for x in steps]
        pairs = [(click, candidate) for click in clicks for candidate in self._offered([click])]
        return max(pairs, key=lambda pair: _salience(pair[1]))

    def full_size(self, candidate: Candidate) -> Mask:
        """Enlarge a mask to the photo's pixels, (height, width)."""
        soft = Image.fromarray(candidate.logits).resize(self.size, Image.Resampling.BILINEAR)
        return np.asarray(soft) > 0

    def _best(self, clicks: Sequence[Click], previous: Candidate | None = None) -> Candidate:
        return max(self._offered(clicks, previous), key=lambda candidate: candidate.score)

    def _offered(
        self, clicks: Sequence[Click], previous: Candidate | None = None
    ) -> list[Candidate]:
        """The masks that may be meant; SAM has one for several clicks, and others for one."""
        candidates = self._decode(clicks, previous)
        single = self._meta["single_mask_index"]
        if single and len(clicks) > 1:
            return [candidates[int(single)]]
        if single:
            del candidates[int(single)]
        return candidates

    def _decode(self, clicks: Sequence[Click], previous: Candidate | None) -> list[Candidate]:
        points = np.array([(c.x, c.y, float(c.inside)) for c in clicks], np.float32)
        feeds = {i.name: self._feed(i, points, previous) for i in self._session.get_inputs()}
        logits, scores = self._session.run(["masks", "iou_scores"], feeds)
        pairs = zip(np.asarray(logits[0], np.float32), scores[0], strict=True)
        return [Candidate(mask, float(score)) for mask, score in pairs]

    def _feed(
        self,
        declared: onnxruntime.NodeArg,
        points: NDArray[np.float32],
        previous: Candidate | None,
    ) -> NDArray[np.generic]:
        dtype = _DTYPES[declared.type]
        match declared.name:
            case "point_coords":
                width, height = self.size
                frame = float(self._meta["input_width"]), float(self._meta["input_height"])
                scale = np.array([frame[0] / width, frame[1] / height], np.float32)
                return (points[None, :, :2] * scale).astype(dtype)
            case "point_labels":
                return points[None, :, 2].astype(dtype)
            case "mask_input" if previous:
                height, width = declared.shape[-2:]
                soft = Image.fromarray(previous.logits)
                return np.asarray(soft.resize((width, height)), dtype)[None, None]
            case "mask_input":
                return np.zeros(declared.shape, dtype)
            case "has_mask_input":
                return np.full(1, previous is not None, dtype)
            case name if f"{name}_scale" in self._tensors and dtype is not np.uint8:
                return self._restored(name).astype(dtype)
            case name if name in self._tensors:
                tensor = self._tensors[name]
                if (tensor.dtype == np.uint8) != (dtype is np.uint8):
                    raise ApiClientError(
                        f"The decoder takes {name!r} as {np.dtype(dtype)}, the embeddings hold "
                        f"{tensor.dtype}. Export the decoder again, and start the job again."
                    )
                return tensor.astype(dtype)
            case name:
                raise ApiClientError(
                    f"The decoder asks for {name!r}, which the embeddings do not hold."
                )

    def _restored(self, name: str) -> NDArray[np.float32]:
        """What bytes stand for; where there is a basis, they are components of the channels."""
        kept = self._tensors
        values: NDArray[np.float32] = kept[name] * kept[f"{name}_scale"] + kept[f"{name}_offset"]
        if f"{name}_basis" not in kept:
            return values
        basis = kept[f"{name}_basis"]
        groups: NDArray[np.float32] = (
            values.reshape(len(basis), -1, values.shape[-1]).transpose(0, 2, 1) @ basis
        )
        return groups.transpose(1, 0, 2).reshape(1, values.shape[-1], -1)


def drawn(decoder: Decoder, clicks: Sequence[Click]) -> tuple[bytes, str]:
    """The mask that clicks mean, or without any the photo's subject, and a line about it."""
    if clicks:
        clicking.check(clicks, *decoder.size)
        candidate, where = decoder.decode(clicks), "clicks"
    else:
        click, candidate = decoder.salient()
        where = f"no click given: took what stands out at {click.x:g},{click.y:g}"
    mask = decoder.full_size(candidate)
    share, score = mask.mean(), candidate.score
    return as_png(mask), f"mask decoded, {share:.0%} of the photo, score {score:.2f} ({where})"


def as_png(mask: Mask) -> bytes:
    """A mask as it is uploaded: white on black."""
    buffer = io.BytesIO()
    Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0))).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _salience(candidate: Candidate) -> float:
    """Certain, large but not the background, in the middle, whole, and of one piece."""
    mask = candidate.logits > 0
    share = float(mask.mean())
    if share == 0:
        return 0.0
    size = min(share / _FULL_SIZE, 1.0) * min((1 - share) / (1 - _BACKGROUND), 1.0)
    ys, xs = np.nonzero(mask)
    centre = np.array([ys.mean() / mask.shape[0], xs.mean() / mask.shape[1]]) - 0.5
    place = np.exp(-((centre / _SPREAD) ** 2).sum() / 2)
    frame = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    whole = (1 - frame.mean()) ** 6  # what the frame cuts is seldom the subject
    edge = (mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum()
    compact = min(_COMPACT * mask.sum() / edge**2, 1.0)
    return float(candidate.score * size * place * whole * compact)


def _metadata(header: bytes) -> dict[str, str]:
    return dict(json.loads(header)["__metadata__"])
