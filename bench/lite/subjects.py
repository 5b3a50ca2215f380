"""What the lite engine takes for the subject of each photo in a folder, as a sheet to look at.

    python -m bench.lite.subjects FOLDER --sheet build/subjects.jpg

Each photo is darkened but for the subject; its number is yellow where the engine is sure of it and
red where it would ask for a click. Nobody's names of things are needed: a person looks and counts.
GCompris's photos of animals and monuments (CC BY-SA and others; not in this tree) lie in Debian's
gcompris-qt-data, uncompressed within ``explore_*.rcc`` and ``erase.rcc``.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from gen3d_inference.salience import GRID, SURE, subject

from .methods import Lite

_TILE, _COLUMNS = 150, 12


def main() -> None:
    """Write the sheet, and how many photos the engine is sure of."""
    parser = argparse.ArgumentParser(prog="python -m bench.lite.subjects", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, default=Path("container/weights/lite"))
    parser.add_argument("--sheet", type=Path, default=Path("build/subjects.jpg"))
    options = parser.parse_args()
    lite = Lite(options.weights)
    paths = sorted(path for path in options.folder.iterdir() if path.suffix in (".jpg", ".webp"))
    sheet = Image.new("RGB", (_TILE * _COLUMNS, _TILE * -(-len(paths) // _COLUMNS)))
    certain = 0
    for number, path in enumerate(paths):
        with Image.open(path) as file:
            photo = np.asarray(file.convert("RGB").resize((2 * lite.side,) * 2))
        lite.look(photo)
        steps = [(k + 0.5) / GRID for k in range(GRID)]
        places, masks, scores = [], [], []
        for place in ((x, y) for y in steps for x in steps):
            x, y = (int(2 * lite.side * share) for share in place)
            logits, expected = lite.answer([(x, y, True)])
            masks += list(logits > 0)
            scores += list(expected)
            places += [place] * len(expected)
        index, lead = subject(np.array(masks), np.array(scores, float), np.array(places))
        certain += lead >= SURE
        small = Image.fromarray(photo).resize(masks[index].shape)
        shown = np.asarray(small) * np.where(masks[index], 1.0, 0.3)[..., None]
        tile = Image.fromarray(shown.astype(np.uint8)).resize((_TILE, _TILE))
        colour = "yellow" if lead >= SURE else "red"
        ImageDraw.Draw(tile).text((3, 3), f"{number} {lead:.2f}", fill=colour)
        sheet.paste(tile, (number % _COLUMNS * _TILE, number // _COLUMNS * _TILE))
    options.sheet.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(options.sheet)
    print(f"{options.sheet}: sure of {certain} of {len(paths)}")


if __name__ == "__main__":
    main()
