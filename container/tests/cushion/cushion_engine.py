"""An engine that makes meshes: the mask blown up like a cushion, in the photo's colours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from gen3d.options import ANY_SEED, EngineOptions, Offer, OneOf
from gen3d_inference.engines.interface import (
    Embeddings,
    Floats,
    Mask,
    Pixels,
    Tell,
    TexturedMesh,
    silent,
)
from gen3d_inference.engines.lite.lite_engine import LiteEngine
from gen3d_inference.weights import check

CELLS = 96
"""Of the grid, along the object's longer side."""

OFFERS: Offer = {
    "quality": OneOf(values=("standard",), seconds={"standard": 1}),
    "seed": ANY_SEED,
}

PHASES = {"picture": 0.7, "surface": 0.3}


class CushionEngine:
    """Masks by the lite engine's networks, and no network for the shape.

    Parameters
    ----------
    folder : Path
        Sealed weights: ``decoder.onnx``, which the browser takes, and ``lite``, the lite engine's.
    revision : str, optional
        The only revision to accept.

    Raises
    ------
    WeightsInvalid
    """

    name = "cushion"
    offers = OFFERS
    phases = PHASES

    def __init__(self, folder: Path, revision: str | None = None) -> None:
        self.revision = check(folder, self.name, revision).revision
        self._masks = LiteEngine(folder / "lite")
        self.side = self._masks.side

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        """Encode a photo as lite does, in this engine's name: so the page finds its decoder."""
        encoded = self._masks.initialize(photo, text)
        mine = {"engine": self.name, "revision": self.revision}
        return replace(encoded, meta=encoded.meta.model_copy(update=mine))

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[TexturedMesh, None]:
        """Blow the mask up on both sides, as far as the seed says. There is no camera in it."""
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        tell("picture", 0)
        picture = _picture(photo.crop(box), mask[box[1] : box[3], box[0] : box[2]])
        tell("picture", 1)
        tell("surface", 0)
        thickness = np.random.default_rng(options.seed).uniform(0.6, 1.0)
        vertices, faces, uv = _cushion(_cells(mask, box), float(thickness))
        tell("surface", 1)
        mesh = TexturedMesh(vertices, faces, uv, picture, metallic=0.0, roughness=0.6)
        return mesh, None

    def works(self) -> bool:
        """Always: a processor does not break by itself."""
        return True


def _picture(cut: Image.Image, mask: Mask) -> Pixels:
    """The photo, and around the object the colours of its edge."""
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    pixels = np.asarray(cut)[tuple(nearest)]
    picture = Image.fromarray(pixels)
    picture.thumbnail((1024, 1024))
    return np.asarray(picture)


def _cells(mask: Mask, box: tuple[int, int, int, int]) -> Mask:
    """Which points of a grid over the box are on the object, with a margin that is not."""
    width, height = box[2] - box[0], box[3] - box[1]
    scale = CELLS / max(width, height)
    size = (max(round(width * scale), 3), max(round(height * scale), 3))
    small = Image.fromarray(mask).crop(box).resize(size, Image.Resampling.NEAREST)
    return np.pad(np.asarray(small, bool), 1)


def _cushion(inside: Mask, thickness: float) -> tuple[Floats, NDArray[np.int32], Floats]:
    """Vertices, faces and places in the picture of a front (-Y) and a back that meet outside."""
    height, width = inside.shape
    depth = np.sqrt(ndimage.distance_transform_edt(inside)) * thickness
    row, column = np.mgrid[:height, :width]
    scale = 1 / (max(height, width) - 1)
    x, z = (column - (width - 1) / 2) * scale, ((height - 1) / 2 - row) * scale
    y = depth * np.sqrt(CELLS) * scale / 2
    front, back = (np.stack([x, side * y, z], axis=2).reshape(-1, 3) for side in (-1, 1))
    corner = np.arange(inside.size).reshape(inside.shape)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    cells = [np.stack([a, c, b], axis=2), np.stack([b, c, d], axis=2)]
    faces = np.concatenate([each.reshape(-1, 3) for each in cells])
    faces = faces[inside.reshape(-1)[faces].any(axis=1)]
    u, v = (column - 0.5) / (width - 2), (row - 0.5) / (height - 2)
    uv = np.stack([u, v], axis=2).reshape(-1, 2).clip(0, 1)
    vertices = np.concatenate([front, back]).astype(np.float32)
    both = np.concatenate([faces, faces[:, ::-1] + inside.size]).astype(np.int32)
    return vertices, both, np.concatenate([uv, uv]).astype(np.float32)
