"""The lite engine's objects turned around, good and bad ones alike, as a sheet to look at.

    python -m bench.lite.turned                  # writes turned.jpg beside this file
    python -m bench.lite.turned --shipped --sheet build/turned.jpg

A row an object: the photo with the outline drawn by hand, then the mesh that the whole way makes of
it, seen from the photo's side and from every 60° around. Nothing is chosen but the objects.
"""

import argparse
import io
import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from gen3d.options import EngineOptions
from gen3d_inference.engines.lite.lite_engine import LiteEngine
from gen3d_inference.ply_writer import pack
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.pipeline import QUALITIES, build
from gen3d_mesh.preview import render

from .photos import Photo, Pixels, Target, photos
from .report import save, tinted
from .shipped import shipped_photos

HERE = Path(__file__).parent
SIDE = 220
TURNS = 6


def turned(mesh: ColouredMesh, degrees: float) -> ColouredMesh:
    """The mesh turned about the vertical axis, the camera staying where it is."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]], np.float32)
    vertices = replace(mesh.mesh, vertices=mesh.mesh.vertices @ turn)
    return replace(mesh, mesh=vertices, normals=mesh.normals @ turn)


def row(engine: LiteEngine, photo: Photo, target: Target) -> list[Pixels]:
    """The photo's part around the object, and the object from all sides."""
    image = Image.fromarray(photo.pixels)
    made, _ = engine.reconstruct(image, target.mask, EngineOptions())
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "splat.ply"
        path.write_bytes(pack(made))
        mesh, _ = build(path, QUALITIES["standard"])
    ys, xs = np.nonzero(target.mask)
    margin = int(max(np.ptp(ys), np.ptp(xs))) // 8
    rows, columns = (slice(max(0, int(v.min()) - margin), int(v.max()) + margin) for v in (ys, xs))
    shown = Image.fromarray(tinted(photo.pixels, target.mask)[rows, columns])
    shown.thumbnail((SIDE, SIDE))
    tile = Image.new("RGB", (SIDE, SIDE), "white")
    tile.paste(shown, ((SIDE - shown.width) // 2, (SIDE - shown.height) // 2))
    views = [render(turned(mesh, 360 / TURNS * k), size=SIDE) for k in range(TURNS)]
    return [np.asarray(tile), *(np.asarray(Image.open(io.BytesIO(png))) for png in views)]


def objects(shipped: bool) -> Iterator[tuple[Photo, Target]]:
    """Every outlined object."""
    for photo in shipped_photos() if shipped else photos():
        for target in photo.targets:
            yield photo, target


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m bench.lite.turned", description=__doc__)
    parser.add_argument("--weights", type=Path, default=Path("container/weights/lite"))
    parser.add_argument("--sheet", type=Path, default=HERE / "turned.jpg")
    parser.add_argument("--shipped", action="store_true", help="what other packages ship")
    options = parser.parse_args()
    engine = LiteEngine(options.weights)
    rows: list[list[Pixels]] = []
    for photo, target in objects(options.shipped):
        print(f"{len(rows)} {photo.name}: {target.name}", flush=True)
        rows.append(row(engine, photo, target))
    save(rows, options.sheet)


if __name__ == "__main__":
    main()
