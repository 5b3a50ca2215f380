"""A second look at a small object: its outline, from a crop that shows it large.

The page's decoder answers on 224 × 224 pixels over the whole photo. For an object that is a tenth
of the photo wide, that is an outline in 22 pixels. Here the same two networks see a crop around
the person's mask, are prompted with that mask, and answer on as many pixels for the object alone.

The person's choice is never overruled. What the networks answer is taken only within one pixel of
the first look from the mask's outline, where the person could not have chosen otherwise; and only
where it is the same object. A mask may as well come from a finer source, or from a brush: no shape
says so, as a smooth outline is the same in coarse pixels. The photo does: a mask that is already
right lies on the photo's edges, and the networks' answer beside them. So the mask is replaced only
where the new outline lies on stronger edges, and on edges at all: a rectangle that was drawn on a
wooden table stays one. Else the mask is given back as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image
from scipy import ndimage

from gen3d_inference.engines.interface import Floats, Mask
from gen3d_inference.engines.lite.frames import ENCODER_SIDE

Prompt: TypeAlias = Mapping[str, Floats]
"""The decoder's inputs but for the photo's, by their names."""

Decode: TypeAlias = Callable[[Image.Image, Prompt], Floats]
"""The networks: a square photo of `ENCODER_SIDE` and a prompt to candidates, logits (m, h, w)."""

MASK_SIDE = 112
"""Pixels a side of the mask that the decoder takes."""

FIRST_SIDE = 224
"""Pixels a side of the masks that the person chose from."""

MARGIN = 1.4
"""The crop's side over the mask's longer side."""

LEAST = 32
"""Pixels of the photo a side below which a crop shows nothing more."""

LARGEST = 0.5
"""The crop's share of the photo above which a second look shows little that the first did not."""

CONFIDENCE = 1.0
"""Logit by which the mask is put before the decoder: to be drawn anew, not to be copied."""

SAME = 0.6
"""IoU with the mask below which an answer is another object."""

STRONGER = 1.05
"""Contrast along the new outline, over the old one's, from which on it is the better one."""

CLEAR = 1.25
"""Contrast along the new outline, over that all around it, from which on it is one at all."""


def look_again(photo: Image.Image, mask: Mask, decode: Decode) -> Mask:
    """Draw a small object's outline anew; anything else is given back unchanged.

    Parameters
    ----------
    photo : PIL.Image.Image
        Upright, RGB.
    mask : (height, width)
        True on the object; of the photo's size, not empty.
    decode : Decode
        The mask networks.

    Returns
    -------
    (height, width)
        Differs from `mask` by at most a pixel of the first look: a 224th of the photo.
    """
    left, top, right, bottom = box = _around(mask)
    width, height = right - left, bottom - top
    if width * height > LARGEST * mask.size or max(width, height) < LEAST:
        return mask
    crop = photo.crop(box).resize((ENCODER_SIDE, ENCODER_SIDE), Image.Resampling.HAMMING)
    chosen = mask[top:bottom, left:right]
    shown = _resized(chosen, ENCODER_SIDE, ENCODER_SIDE) >= 0.5
    if not shown.any():
        return mask
    candidates = [
        _resized(logits, ENCODER_SIDE, ENCODER_SIDE)
        for logits in decode(crop, _prompt(chosen, shown))
    ]
    logits = max(candidates, key=lambda candidate: _iou(candidate > 0, shown))
    if _iou(logits > 0, shown) < SAME:
        return mask
    shares = (height / mask.shape[0], width / mask.shape[1])
    sampling = [FIRST_SIDE / ENCODER_SIDE * share for share in shares]
    inside, outside = (_deep(part, sampling) for part in (shown, ~shown))
    held = _whole(((logits > 0) | inside) & ~outside, shown)
    contrast = _contrast(crop)
    new, old = (contrast[_outline(one)].mean() for one in (held, shown))
    if new <= max(STRONGER * old, CLEAR * contrast[~inside & ~outside].mean()):
        return mask
    # Logits rather than pixels are enlarged: the outline runs between the pixels.
    signed = np.where(held == (logits > 0), logits, -logits)
    sharper = mask.copy()
    sharper[top:bottom, left:right] = _resized(signed, width, height) > 0
    return sharper


def _around(mask: Mask) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a square around the mask, moved and cut to fit the photo."""
    sides = [np.flatnonzero(mask.any(axis)) for axis in (0, 1)]
    side = round(max(at[-1] + 1 - at[0] for at in sides) * MARGIN)
    starts, stops = [], []
    for at, whole in zip(sides, (mask.shape[1], mask.shape[0]), strict=True):
        length = min(side, whole)
        start = int(np.clip(round((at[0] + at[-1] + 1 - length) / 2), 0, whole - length))
        starts.append(start)
        stops.append(start + length)
    return starts[0], starts[1], stops[0], stops[1]


def _prompt(chosen: Mask, shown: Mask) -> Prompt:
    """The mask itself, the box around it, and a click where it is deepest.

    Parameters
    ----------
    chosen : (height, width)
        The crop's part of the mask.
    shown : (448, 448)
        The same in the networks' frame.
    """
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    depth = ndimage.distance_transform_edt(np.pad(shown, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    points = [(columns[0], rows[0]), (columns[-1] + 1, rows[-1] + 1), (x + 0.5, y + 0.5)]
    cover = _resized(chosen, MASK_SIDE, MASK_SIDE)
    return {
        "point_coords": np.array([points], np.float32),
        "point_labels": np.array([[2, 3, 1]], np.float32),
        "mask_input": (CONFIDENCE * (2 * cover - 1))[None, None],
        "has_mask_input": np.ones(1, np.float32),
    }


def _deep(part: Mask, sampling: Sequence[float]) -> Mask:
    """Where a part is more than a pixel of the first look deep; `sampling` is in such pixels."""
    deep: Mask = ndimage.distance_transform_edt(part, sampling) > 1
    return deep


def _whole(answer: Mask, shown: Mask) -> Mask:
    """Leave out specks and holes: what is added touches the mask, what is taken away the ground."""
    whole = ndimage.binary_propagation(answer & shown, mask=answer)
    without_holes: Mask = ~ndimage.binary_propagation(~whole & ~shown, mask=~whole)
    return without_holes


def _contrast(crop: Image.Image) -> Floats:
    """Magnitude of the gradient of the colours: (448, 448)."""
    colours = np.asarray(crop, np.float32)
    squares: Floats = sum(
        ndimage.gaussian_gradient_magnitude(colours[..., k], 1.0) ** 2 for k in range(3)
    )
    return np.sqrt(squares)


def _outline(mask: Mask) -> Mask:
    """The pixels on both sides; where the photo's edge cuts the object there is no outline."""
    edge: Mask = ndimage.binary_dilation(mask) & ~ndimage.binary_erosion(mask, border_value=1)
    return edge


def _iou(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / (a | b).sum())


def _resized(field: Floats | Mask, width: int, height: int) -> Floats:
    """Means where it shrinks, linear in between where it grows."""
    image = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
