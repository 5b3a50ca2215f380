"""Somebody who clicks: first into the middle of the object, then where the mask is most wrong."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from .photos import Mask, Pixels

Click = tuple[int, int, bool]
"""x and y in pixels, and whether the object is there."""


class Method(Protocol):
    """Something that turns clicks into a mask."""

    name: str

    def look(self, photo: Pixels) -> None:
        """Take a new photo [H, W, 3]."""

    def mask(self, clicks: list[Click]) -> Mask:
        """Mask [H, W] for all clicks so far; one click starts anew."""


@dataclass(frozen=True)
class Trial:
    """IoU after each click, and the masks after the first and the last."""

    ious: list[float]
    first: Mask
    last: Mask
    clicks: list[Click]


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union."""
    return float((a & b).sum() / max(1, (a | b).sum()))


def _middle(region: Mask) -> tuple[int, int]:
    """The point of a region that is farthest from its edge."""
    padded = np.pad(region.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(x), int(y)


def _largest(wrong: Mask) -> tuple[int, Mask]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8))
    if count < 2:
        return 0, wrong
    which = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return int(stats[which, cv2.CC_STAT_AREA]), labels == which


def correction(truth: Mask, shown: Mask) -> Click | None:
    """The middle of the largest wrong region, None when there is none."""
    (missing, where_missing), (surplus, where_surplus) = (
        _largest(truth & ~shown),
        _largest(shown & ~truth),
    )
    if max(missing, surplus) == 0:
        return None
    if missing >= surplus:
        return *_middle(where_missing), True
    return *_middle(where_surplus), False


def trial(method: Method, truth: Mask, count: int = 5) -> Trial:
    """Click `count` times for one object in the photo that the method looks at."""
    click: Click | None = (*_middle(truth), True)
    clicks: list[Click] = []
    ious: list[float] = []
    shown = first = np.zeros_like(truth)
    for turn in range(count):
        if click is not None:
            clicks.append(click)
            shown = method.mask(clicks)
        ious.append(iou(truth, shown))
        if turn == 0:
            first = shown
        click = correction(truth, shown)
    return Trial(ious, first, shown, clicks)
