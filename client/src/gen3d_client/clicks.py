"""Clicks on a photo, as a person writes them down."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gen3d_client.errors import ApiClientError


@dataclass(frozen=True)
class Click:
    """A point in pixels of the upright photo, on the object or, if not `inside`, off it."""

    x: float
    y: float
    inside: bool = True


_CLICK = re.compile(r"(-?)(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)")


def parse(text: str) -> list[Click]:
    """Read ``x,y x,y -x,y``, all the clicks on an object.

    Raises
    ------
    ApiClientError
        Not of that form, or no click is on the object.
    """
    clicks = read(text)
    need_one_inside(clicks)
    return clicks


def read(text: str) -> list[Click]:
    """Read ``x,y x,y -x,y``; a minus marks what is not the object.

    Raises
    ------
    ApiClientError
        Not of that form.
    """
    clicks = []
    for word in text.split():
        match = _CLICK.fullmatch(word)
        if match is None:
            raise ApiClientError(
                f"{word!r} is no click. Write them as x,y and -x,y, with spaces between."
            )
        clicks.append(Click(float(match[2]), float(match[3]), match[1] != "-"))
    return clicks


def need_one_inside(clicks: Sequence[Click]) -> None:
    """Refuse clicks that are all off the object.

    Raises
    ------
    ApiClientError
    """
    if clicks and not any(click.inside for click in clicks):
        raise ApiClientError("Every click is off the object. Add one on it, as x,y.")


def check(clicks: Sequence[Click], width: int, height: int) -> None:
    """Refuse clicks outside of the photo.

    Raises
    ------
    ApiClientError
    """
    for click in clicks:
        if click.x >= width or click.y >= height:
            raise ApiClientError(
                f"The click {click.x:g},{click.y:g} is outside of the photo, which has "
                f"{width}×{height} pixels when it is upright."
            )
