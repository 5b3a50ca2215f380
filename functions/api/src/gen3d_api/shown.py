"""Objects that a request shows by itself: what is told of them, and what is kept until then."""

from collections.abc import Sequence

from gen3d.errors import InvalidMask, InvalidRequest
from gen3d.jobs import ObjectTask
from gen3d.options import Options
from gen3d.prompts import Prompts, Wanted
from gen3d_api.requests import ShownObject

READS = "sam"
"""The engine that finds things by their names."""


def require_reader(engine: str, text: str | None) -> None:
    """Refuse a text where the engine finds things by clicks alone.

    Raises
    ------
    InvalidRequest
    """
    if text is not None and engine != READS:
        raise InvalidRequest(f"The {engine} engine finds objects by clicks only. Leave text out.")


def tasks(objects: Sequence[ShownObject]) -> list[ObjectTask]:
    """What an execution is told of the objects."""
    return [
        ObjectTask.anew(n, o.name or f"Object {n + 1}", o.over(Options()))
        for n, o in enumerate(objects)
    ]


def text_of(objects: Sequence[ShownObject]) -> str | None:
    """What to look for in the photo.

    Raises
    ------
    InvalidRequest
        The objects are looked for by several texts.
    """
    texts = list(dict.fromkeys(o.text for o in objects if o.text is not None))
    if len(texts) > 1:
        raise InvalidRequest(
            "objects: a photo is searched by one text. Make a job for each text, or show the "
            "others by clicks."
        )
    return texts[0] if texts else None


def require_drawable(objects: Sequence[ShownObject], width: int, height: int) -> None:
    """Refuse masks that do not fit the photo, where it is there already.

    Raises
    ------
    InvalidMask
    """
    for n, o in enumerate(objects):
        try:
            o.prompt.drawn(width, height)
        except InvalidMask as error:
            raise InvalidMask(f"Object {n}: {error.message}") from None


def prompts_file(objects: Sequence[ShownObject], told: Sequence[ObjectTask]) -> bytes:
    """The file from which masks are made once there are embeddings."""
    pairs = zip(objects, told, strict=True)
    wanted = [Wanted(prompt=o.prompt, task=task.model_dump(mode="json")) for o, task in pairs]
    return Prompts(objects=wanted).model_dump_json(exclude_defaults=True).encode()
