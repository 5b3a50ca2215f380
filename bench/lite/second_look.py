"""Small objects' masks before and after the lite engine's second look."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from gen3d_inference.engines.lite.second_look import look_again

from .clicks import iou, trial
from .methods import Lite
from .photos import Mask, Photo, Pixels, photos
from .report import table, tinted

ENLARGED = 3
"""The canvas around a photo, in photos."""

SHARES = (0.1, 0.25)
"""The longer side of a cut-out, over that of the photo that it is laid on."""

TRIMMED = 2
"""Pixels by which a cut-out is cut inside the hand's outline, which is no more precise."""

FIT = 0.6
"""IoU of a mask below which nobody sends it."""

TOLERANCE = 2
"""Pixels of the photo by which a boundary may be off."""

SHOWN = ("spoon", "cat", "helmet", "man", "shuttle")
TRUE = "the outline itself"

INTRODUCTION = f"""\
What the engine makes of small objects' masks before it reconstructs, where their IoU is {FIT} or
more; F-score of the boundary within {TOLERANCE} pixels of the photo. A cut-out's outline is known
to the pixel. One drawn by hand lies some pixels beside the photo's edges: given as the mask, it is
moved to stronger ones, by no more than a pixel of the first look.

"""

CAPTION = """
![After three clicks: the object, its mask before and after the second look, its outline]\
(second_look.jpg)
"""


@dataclass(frozen=True)
class Scene:
    """A photo [H, W, 3] with one object to find; the object's name and mask [H, W]."""

    pixels: Pixels
    name: str
    truth: Mask


def as_they_are() -> Iterator[Scene]:
    """Objects in the photos."""
    for photo in photos():
        for target in photo.targets:
            yield Scene(photo.pixels, target.name, target.mask)


def on_canvas() -> Iterator[Scene]:
    """The photos in the middle of a larger canvas, which is their own blurred mirror image."""
    for photo in photos():
        height, width = photo.pixels.shape[:2]
        pads = [((ENLARGED - 1) * side // 2,) * 2 for side in (height, width)]
        mirrored = np.pad(photo.pixels, (*pads, (0, 0)), "symmetric")
        canvas = cv2.GaussianBlur(mirrored, (0, 0), 12)
        (top, _), (left, _) = pads
        canvas[top : top + height, left : left + width] = photo.pixels
        for target in photo.targets:
            yield Scene(canvas, target.name, np.pad(target.mask, pads))


def cut_out(share: float) -> Iterator[Scene]:
    """Each object, cut out and laid on another photo: its outline is known to the pixel."""
    every = list(photos())
    for index, photo in enumerate(every):
        for target in photo.targets:
            yield _laid(
                photo, target.mask, every[(index + 2) % len(every)].pixels, target.name, share
            )


def _laid(photo: Photo, mask: Mask, ground: Pixels, name: str, share: float) -> Scene:
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * TRIMMED + 1,) * 2)
    trimmed = cv2.erode(mask.astype(np.uint8), disk, borderValue=0)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(trimmed)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    x, y, width, height, _ = stats[largest]
    cut = np.s_[y : y + height, x : x + width]
    inside = labels[cut] == largest
    side = round(max(width, height) / share)
    zoom = side / min(ground.shape[:2])
    square = cv2.resize(ground, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    canvas = square[:side, :side].copy()
    top, left = (side - height) // 2, (side - width) // 2
    place = np.s_[top : top + height, left : left + width]
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.6)[..., None]
    canvas[place] = (canvas[place] * (1 - soft) + photo.pixels[cut] * soft).astype(np.uint8)
    truth = np.zeros(canvas.shape[:2], bool)
    truth[place] = inside
    return Scene(canvas, name, truth)


def boundary_f(truth: Mask, mask: Mask) -> float:
    """F-score of the boundary's pixels, within `TOLERANCE`."""
    edges = [
        one & (cv2.erode(one.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
        for one in (truth, mask)
    ]
    away = [cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) for edge in edges]
    recall, precision = (
        float((away[1 - k][edges[k]] <= TOLERANCE).mean()) if edges[k].any() else 0.0
        for k in (0, 1)
    )
    return 2 * precision * recall / (precision + recall + 1e-9)


def compare_looks(weights: Path) -> tuple[str, list[list[Pixels]]]:
    """A table, and rows of pictures: a mask before, after, and as it is drawn by hand."""
    lite, again = Lite(weights), Lite(weights)
    sets = {
        "in the photos": as_they_are(),
        f"photos on a canvas {ENLARGED} times as wide": on_canvas(),
        **{f"cut-outs, {share:.0%} of another photo": cut_out(share) for share in SHARES},
    }
    rows, pictures = [], []
    for kind, scenes in sets.items():
        figures: dict[str, list[tuple[float, ...]]] = {"1 click": [], "3 clicks": [], TRUE: []}
        pixels = None
        for scene in scenes:
            if scene.pixels is not pixels:
                pixels = scene.pixels
                lite.look(pixels)
                photo = Image.fromarray(pixels)
            clicked = trial(lite, scene.truth, 3)
            masks = (clicked.first, clicked.last, scene.truth)
            for given, mask in zip(figures, masks, strict=True):
                if iou(scene.truth, mask) < FIT:
                    continue
                sharper = look_again(photo, mask, again.decode)
                both = (mask, sharper)
                figures[given].append(
                    (
                        *(iou(scene.truth, one) for one in both),
                        *(boundary_f(scene.truth, one) for one in both),
                        float((mask != sharper).any()),
                    )
                )
                if given == "3 clicks" and scene.name in SHOWN and (mask != sharper).any():
                    pictures.append(_row(scene, *both))
        for given, values in figures.items():
            mean = np.mean(values, 0)
            changed = f"{round(mean[4] * len(values))} of {len(values)}"
            rows.append([kind, given, changed, *(f"{value:.3f}" for value in mean[:4])])
    head = ["objects", "mask from", "changed", "IoU", "after", "boundary F", "after"]
    return INTRODUCTION + table(head, rows) + CAPTION, pictures


def _row(scene: Scene, before: Mask, after: Mask) -> list[Pixels]:
    x, y, width, height = cv2.boundingRect(scene.truth.astype(np.uint8))
    edge = max(width, height) // 6
    cut = np.s_[max(0, y - edge) : y + height + edge, max(0, x - edge) : x + width + edge]
    masks = (before, after, scene.truth)
    return [scene.pixels[cut], *(tinted(scene.pixels[cut], mask[cut]) for mask in masks)]
