"""What a photo is about, among the masks that a grid of clicks is answered with.

A subject stands in the photo as one thing: clicks all over it are answered with about the same
mask, it lies within the frame, towards the middle, is of some size, and is of one piece. Grounds,
walls, skies and water agree as well, but reach from one edge of the frame to another. What is seen
of it does not need the photo: any decoder's masks will do.

The factors were chosen on one set of photos and looked at on another (ADR 52).
"""

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
Numbers = NDArray[np.float64]

GRID = 6
"""Clicks a side of the grid."""

SURE = 0.4
"""From which lead on a subject is taken; below it a person is asked."""

_LEAST, _MOST = 0.004, 0.9
"""Shares of the photo between which masks are looked at."""
_FULL_SIZE = 0.2
"""A mask of this share of the photo is large enough to be what it is about."""
_BACKGROUND = 0.6
"""A mask of a larger share is rather the background."""
_COMPACT = 24.0
"""Area over squared edge, times this, is 1 for a square that is a little ragged."""
_SPREAD = 0.25
"""How far from the middle things still count, as a share of the photo's side."""
_CUT = 0.25
"""How much of the edge the frame may be; what it cuts is seldom the subject."""
_EDGES = (1.0, 1.0, 0.35, 0.1)
"""By how many of the top, the left and the right edge a mask reaches: a sky reaches three."""
_REACHES = 0.05
"""Share of an edge from which on a mask reaches it."""
_WHOLE, _WITHIN, _LARGER = 0.4, 0.9, 5.0
"""The power of its size by which a whole is preferred to a part, how much of the part it has, and
how many times as large it may be."""
_OTHER = 0.5
"""Masks that share less than this of the smaller one are of another thing."""
_COARSE = 56
"""Pixels a side at which masks are compared."""


def subject(masks: Masks, scores: Numbers, clicks: Numbers) -> tuple[int, float]:
    """Choose what the photo is about.

    Parameters
    ----------
    masks : (n, h, w)
        The answers to clicks, some for each.
    scores : (n,)
        How sure the decoder is of each, from 0 to 1.
    clicks : (n, 2)
        x and y of the click that each answers, in fractions of the photo.

    Returns
    -------
    int
        Which mask.
    float
        How far it leads: 0 where another thing is as likely, 1 where there is nothing else. Below
        `SURE` it is not clear.
    """
    shares, shared, agreed = _together(masks, clicks)
    likely = scores * agreed * np.array([_stands_out(mask) for mask in masks])
    first = int(likely.argmax())
    if likely[first] <= 0:
        return first, 0.0
    larger = shares / max(shares[first], 1e-9)
    wholes = (shared[first] > _WITHIN * shares[first]) & (larger > 1) & (larger < _LARGER)
    preferred = np.where(wholes, likely * np.maximum(larger, 1) ** _WHOLE, 0.0)
    preferred[first] = likely[first]
    best = int(preferred.argmax())
    smaller = np.maximum(np.minimum(shares, shares[best]), 1e-9)
    rival = likely[shared[best] < _OTHER * smaller].max(initial=0.0)
    return best, float(np.clip(1 - rival / likely[best], 0, 1))


def _together(masks: Masks, clicks: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Shares of the photo (n,), shares two masks have in common (n, n), and how clicks agree (n,).

    Clicks agree on a mask as far as each one inside it has an answer that is alike: the mean IoU of
    the best one, and a little less where there are few.
    """
    step = max(1, masks.shape[1] // _COARSE)
    flat = masks[:, step // 2 :: step, step // 2 :: step].reshape(len(masks), -1).astype(np.float32)
    shared = np.asarray(flat @ flat.T, float) / flat.shape[1]
    shares = np.diag(shared).copy()
    alike = shared / np.maximum(shares[:, None] + shares[None] - shared, 1e-9)
    places, asked = np.unique(clicks, axis=0, return_inverse=True)
    asked = asked.reshape(-1)
    height, width = masks.shape[1:]
    x = np.clip((places[:, 0] * width).astype(int), 0, width - 1)
    y = np.clip((places[:, 1] * height).astype(int), 0, height - 1)
    inside = masks[:, y, x]
    best = np.stack([alike[:, asked == k].max(1) for k in range(len(places))], 1)
    agreed = ((best * inside).sum(1) + 0.35) / (inside.sum(1) + 1)
    return shares, shared, agreed


def _stands_out(mask: Masks) -> float:
    """Large but not the background, in the middle, whole, and of one piece: from 0 to 1."""
    share = float(mask.mean())
    if not _LEAST < share < _MOST:
        return 0.0
    size = min(share / _FULL_SIZE, 1.0) ** 0.7 * min((1 - share) / (1 - _BACKGROUND), 1.0)
    ys, xs = np.nonzero(mask)
    centre = np.array([ys.mean() / mask.shape[0], xs.mean() / mask.shape[1]]) - 0.5
    place = np.exp(-((centre / _SPREAD) ** 2).sum() / 2)
    edge = int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())
    top, bottom, left, right = mask[0], mask[-1], mask[:, 0], mask[:, -1]
    frame = [int(side.sum()) for side in (top, bottom, left, right)]
    weighed = float(np.dot(frame, (1.5, 0.6, 1.0, 1.0)))  # people are cut below, skies above
    cut = weighed / max(edge + sum(frame), 1)
    reached = sum(float(side.mean()) > _REACHES for side in (top, left, right))
    compact = min(_COMPACT * mask.sum() / max(edge, 1) ** 2, 1.0) ** 0.5
    return float(size * place * np.exp(-((cut / _CUT) ** 2)) * _EDGES[reached] * compact)
