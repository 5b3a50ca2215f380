"""``python -m bench.mesh.pictures``: makes the picture in the README of the mesh step anew.

Each panel is what ``gen3d-mesh splat.ply out.png`` writes of one of the bench's clouds.
"""

import io
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench.mesh import shapes
from bench.mesh.clouds import splat_of, trained_of
from gen3d_mesh.preview import render
from gen3d_mesh.sample import write_splat
from gen3d_mesh.tool import make

PICTURE = Path(__file__).parents[2] / "docs/images/mesh-tool.jpg"
PANELS = ("chair", "jug 12", "berries 14", "wheel 1.8")
"""Of the bench's shapes: the first as training on photos lays gaussians, the rest as engines do."""

SIDE = 360
"""Pixels of a panel."""

OFF = 4.0
"""Levels of 255 that a picture may differ in the mean, by another machine's rounding."""


def panel(name: str) -> npt.NDArray[np.uint8]:
    """What is made of a shape's cloud, (h, w, 3)."""
    mesh = shapes.build(name)
    splat = trained_of(mesh) if name == PANELS[0] else splat_of(mesh, 200_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "splat.ply"
        write_splat(path, splat)
        png = render(make(path, up="z", stand=True).coloured)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB").resize((SIDE, SIDE)))


def difference(name: str) -> float:
    """Of a panel that lies there from one that is made now, in levels of 255, in the mean."""
    start = SIDE * PANELS.index(name)
    there = np.asarray(Image.open(PICTURE).convert("RGB"))[:, start : start + SIDE]
    return float(np.abs(there.astype(float) - panel(name)).mean())


def main() -> int:
    """Write the picture."""
    Image.fromarray(np.concatenate([panel(name) for name in PANELS], axis=1)).save(
        PICTURE, quality=85
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
