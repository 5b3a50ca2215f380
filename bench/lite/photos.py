"""scikit-image's free photos, with outlines drawn by hand and checked by eye (outlines.json)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

OUTLINES = Path(__file__).parent / "outlines.json"


@dataclass(frozen=True)
class Target:
    """An object to find in a photo: its name and mask [H, W]."""

    name: str
    mask: Mask


@dataclass(frozen=True)
class Photo:
    """A photo [H, W, 3] and what there is to find in it."""

    name: str
    pixels: Pixels
    targets: list[Target]


def drawn(outlines: dict[str, list[list[list[float]]]], size: tuple[int, ...]) -> list[Target]:
    """Masks [H, W] of objects by name, each the union of its polygons."""
    targets = []
    for name, polygons in outlines.items():
        canvas = Image.new("1", (size[1], size[0]))
        for polygon in polygons:
            ImageDraw.Draw(canvas).polygon([tuple(point) for point in polygon], fill=1)
        targets.append(Target(name, np.asarray(canvas, bool)))
    return targets


def photos() -> Iterator[Photo]:
    """Read the photos; outlines are lists of polygons whose union is the object."""
    folder = Path(skimage.data.__file__).parent
    for name, outlines in json.loads(OUTLINES.read_text()).items():
        pixels = np.asarray(Image.open(folder / name).convert("RGB"))
        yield Photo(name.rsplit(".", 1)[0], pixels, drawn(outlines, pixels.shape[:2]))
