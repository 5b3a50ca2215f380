"""Makes the masks of what a request shows: by the decoder that the browser would have run."""

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from gen3d import paths
from gen3d.contract import DecodeRequest, DecodeResult
from gen3d.errors import Gen3DError, InvalidMask, NothingFound
from gen3d.prompts import Prompt, Prompts, checked
from gen3d_inference.mask_decoder import (
    BOTTOM_RIGHT,
    OFF,
    ON,
    TOP_LEFT,
    Candidate,
    MaskDecoder,
    PhotoEmbeddings,
    Point,
)
from gen3d_inference.storage import Storage
from gen3d_inference.tasks import Timings

_MOST = 64 * 1024 * 1024
"""Bytes of a decoder, and of embeddings; those of SAM 3 are a third of it."""

_STAGE = "DecodePrompts"
"""The state that asks, by whose name an object's failure is kept."""


def decode(request: DecodeRequest, storage: Storage, timings: Timings) -> DecodeResult:
    """Write a mask for each object, an empty one where its prompt shows none.

    Raises
    ------
    Gen3DError
        As the first object failed, where all did; or no file could be read or written.
    """
    with timings.step("download"):
        prompts = Prompts.model_validate_json(storage.read(request.prompts, "request"))
        photo = _Photo.of(request, storage)
    tasks: list[dict[str, object]] = []
    failures: list[Gen3DError] = []
    texts = 0
    for wanted in prompts.objects:
        with timings.step(f"mask{len(tasks)}"):
            try:
                mask = photo.mask(wanted.prompt, texts)
                tasks.append(wanted.task)
            except (InvalidMask, NothingFound) as error:
                mask = Image.new("L", photo.embeddings.size)
                failures.append(error)
                tasks.append(_failed(wanted.task, error))
        texts += wanted.prompt.text is not None
        storage.require(request.prompts, "request")
        storage.write(_mask_of(request, wanted.task), _png(mask))
    if len(failures) == len(tasks):
        raise failures[0]
    meta = photo.embeddings.meta
    return DecodeResult(objects=tasks, timings=timings, engine=meta.engine, revision=meta.revision)


@dataclass(frozen=True)
class _Photo:
    """A photo's embeddings, with the decoder that belongs to them once it is asked for."""

    embeddings: PhotoEmbeddings
    bucket: str
    storage: Storage

    @classmethod
    def of(cls, request: DecodeRequest, storage: Storage) -> "_Photo":
        bucket, _ = paths.split_uri(request.embeddings)
        file = storage.read(request.embeddings, "prepared photo", _MOST)
        return cls(PhotoEmbeddings.read(file), bucket, storage)

    @cached_property
    def decoder(self) -> MaskDecoder:
        meta = self.embeddings.meta
        uri = paths.uri(self.bucket, paths.decoder(meta.engine, meta.revision))
        return MaskDecoder(self.storage.read(uri, "mask decoder", _MOST), self.embeddings)

    def mask(self, prompt: Prompt, texts: int) -> Image.Image:
        """The mask that is meant, of the photo's size; `texts` objects before it were found by it.

        Raises
        ------
        InvalidMask, NothingFound
        """
        given = prompt.drawn(*self.embeddings.size)
        if given is not None:
            return given
        pixels = self.embeddings.full_size(self._candidate(prompt, texts))
        mask = Image.fromarray(np.where(pixels, np.uint8(255), np.uint8(0)))
        try:
            return checked(mask, "What was found")
        except InvalidMask:
            raise NothingFound(_nothing(prompt)) from None

    def _candidate(self, prompt: Prompt, texts: int) -> Candidate:
        if prompt.text is not None:
            offered = self.embeddings.found
            found = [each for each in offered if each.score >= (prompt.certainty or 0)]
            if texts >= len(found):
                best = max((each.score for each in offered[len(found) :]), default=None)
                raise NothingFound(_too_few(prompt.text, len(found), best))
            return found[texts]
        if prompt.subject is not None:
            return self.decoder.salient()
        clicks = [Point(click.x, click.y, ON if click.inside else OFF) for click in prompt.clicks]
        if prompt.box is not None:
            box = prompt.box
            corners = [
                Point(box.left, box.top, TOP_LEFT),
                Point(box.right, box.bottom, BOTTOM_RIGHT),
            ]
            return self.decoder.decode(corners, clicks)
        first = next(n for n, click in enumerate(clicks, 1) if click.label == ON)
        return self.decoder.decode(clicks[:first], clicks[first:])


def _nothing(prompt: Prompt) -> str:
    if prompt.subject is not None:
        return "Nothing stands out in the photo. Show the object by a click or a box."
    if prompt.text is not None:
        return (
            "What the text found has no pixels in the photo. Show the object by a click or a box."
        )
    return (
        "Nothing was found where the clicks or the box are. Their places are fractions of the "
        "photo's width and height, from its top left corner: put them on the object."
    )


def _too_few(text: str, found: int, unsure: float | None) -> str:
    """Why a text's object was not found; `unsure` is how certain the next that was not asked is."""
    if unsure is not None:
        return (
            f"Of {text!r} {found} were found so surely; the next is certain by {unsure:.2f}. Ask "
            "for less certainty or for fewer, or show it by a click."
        )
    if found == 0:
        return f"Nothing like {text!r} was found in the photo. Use another word, or a click."
    return (
        f"Of {text!r} only {found} were found in the photo. Ask for fewer, or show it by a click."
    )


def _failed(task: dict[str, object], error: Gen3DError) -> dict[str, object]:
    said = {"name": error.name, "stage": _STAGE, "message": error.message}
    once = {name: value for name, value in task.items() if name != "variants"}
    return {**once, "have": "left", "error": said}


def _mask_of(request: DecodeRequest, task: dict[str, object]) -> str:
    return paths.ObjectFiles(f"{request.output}{task['n']}/").mask


def _png(mask: Image.Image) -> bytes:
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    return buffer.getvalue()
