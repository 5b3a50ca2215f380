"""RESULTS.md and its pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .photos import Mask, Photo, Pixels

if TYPE_CHECKING:
    from .clicks import Trial

TINT = np.array([255, 40, 40])
HEIGHT = 150


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def tinted(pixels: Pixels, mask: Mask) -> Pixels:
    """The photo with a mask in red."""
    out = pixels.astype(float)
    out[mask] = out[mask] * 0.45 + TINT * 0.55
    return out.astype(np.uint8)


def _row(pictures: list[Pixels]) -> Pixels:
    resized = []
    for picture in pictures:
        width = round(picture.shape[1] * HEIGHT / picture.shape[0])
        resized.append(np.asarray(Image.fromarray(picture).resize((width, HEIGHT))))
    return np.concatenate(resized, 1)


def save(rows: list[list[Pixels]], path: Path) -> None:
    """Write pictures in rows, as wide as the widest, to a small JPEG."""
    drawn = [_row(row) for row in rows]
    width = max(row.shape[1] for row in drawn)
    padded = [
        np.pad(row, ((2, 2), (0, width - row.shape[1]), (0, 0)), constant_values=255)
        for row in drawn
    ]
    Image.fromarray(np.concatenate(padded)).save(path, quality=80, optimize=True)


def mask_row(photo: Photo, truth: Mask, trials: "dict[str, Trial]", best: str) -> list[Pixels]:
    """The outline drawn by hand, each method after one click, and the best one after five."""
    pictures = [tinted(photo.pixels, truth)]
    pictures += [tinted(photo.pixels, trial.first) for trial in trials.values()]
    return [*pictures, tinted(photo.pixels, trials[best].last)]
