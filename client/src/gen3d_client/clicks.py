"""Places in a photo, as a person writes them down: in pixels, or in percent of its sides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gen3d_client.errors import ApiClientError

Size = tuple[int, int]
"""Width and height of a photo, upright, in pixels."""


@dataclass(frozen=True)
class Click:
    """A point on the object or, if not `inside`, off it.

    In pixels of the upright photo, from its top left corner, or as `share` of its width and height,
    which needs nobody who knows how large it is.
    """

    x: float
    y: float
    inside: bool = True
    share: bool = False


@dataclass(frozen=True)
class Box:
    """A rectangle around the object, in pixels of the upright photo, or as `share` of its sides."""

    left: float
    top: float
    right: float
    bottom: float
    share: bool = False

    @property
    def corners(self) -> tuple[Click, Click]:
        """The top left one and the bottom right one."""
        return (
            Click(self.left, self.top, share=self.share),
            Click(self.right, self.bottom, share=self.share),
        )


_NUMBER = r"(\d+(?:\.\d+)?)"
_CLICK = re.compile(rf"(-?){_NUMBER}(%?),{_NUMBER}\3")
_BOX = re.compile(rf"{_NUMBER}(%?),{_NUMBER}\2,{_NUMBER}\2,{_NUMBER}\2")


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
    """Read ``x,y x%,y% -x,y``; a minus marks what is not the object.

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
                f"{word!r} is no click. Write them as x,y and -x,y, in pixels or as 45%,30%, with "
                "spaces between."
            )
        minus, x, percent, y = match.groups()
        part = 100 if percent else 1
        clicks.append(Click(float(x) / part, float(y) / part, not minus, bool(percent)))
    return clicks


def read_box(text: str) -> Box:
    """Read ``left,top,right,bottom``.

    Raises
    ------
    ApiClientError
        Not of that form, or no box.
    """
    match = _BOX.fullmatch(text.strip())
    if match is None:
        raise ApiClientError(
            f"{text!r} is no box. Write it as left,top,right,bottom, in pixels or each in percent."
        )
    left, percent, *others = match.groups()
    part = 100 if percent else 1
    right, bottom = (float(each) / part for each in others[1:])
    box = Box(float(left) / part, float(others[0]) / part, right, bottom, bool(percent))
    if box.left >= box.right or box.top >= box.bottom:
        raise ApiClientError(f"{text!r} is no box: its left comes before its right, its top first.")
    return box


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
        shares(click, (width, height))


def shares(click: Click, size: Size | None) -> tuple[float, float]:
    """A place as fractions of the photo's width and height.

    Raises
    ------
    ApiClientError
        It is outside of the photo, or in pixels of one whose size is not known.
    """
    if click.share:
        if max(click.x, click.y) > 1:
            raise ApiClientError(
                f"{click.x:.0%},{click.y:.0%} is outside of the photo, whose sides are 100%."
            )
        return click.x, click.y
    if size is None:
        raise ApiClientError(
            f"{click.x:g},{click.y:g} is in pixels, and how large the photo is only its server "
            "knows. Write places in it in percent, such as 45%,30%."
        )
    width, height = size
    if click.x > width or click.y > height:
        raise ApiClientError(
            f"{click.x:g},{click.y:g} is outside of the photo, which has {width}×{height} pixels "
            "when it is upright."
        )
    return click.x / width, click.y / height
