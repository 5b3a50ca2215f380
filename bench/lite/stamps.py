"""Cut-outs of photos by the people who draw with Tux Paint, laid on other photos.

Their outlines were drawn by their makers, long before these networks: more objects than anybody
outlined here. The pictures are not in this tree (GPL-2, some in the public domain); fetch Debian's
package and unpack it:

    apt-get download tuxpaint-stamps-default && dpkg -x tuxpaint-stamps-default_*.deb build/stamps
    python -m bench.lite.stamps build/stamps
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .clicks import trial
from .methods import Lite
from .photos import Photo, Target, photos

CHOSEN = Path(__file__).parent / "stamps.txt"
"""Which of the pictures are photos and cut out well: looked at one by one."""

SIDE = 480
"""Pixels a side of the photo that a cut-out is laid on."""


def scenes(folder: Path, seed: int = 0) -> Iterator[Photo]:
    """Each cut-out, at a random place and size, on one of scikit-image's photos."""
    rng = np.random.default_rng(seed)
    grounds = [photo.pixels for photo in photos()]
    found = {path.name: path for path in folder.rglob("*.png")}
    for index, name in enumerate(CHOSEN.read_text().split()):
        ground = grounds[index % len(grounds)]
        corner = [int(rng.integers(max(1, size - SIDE + 1))) for size in ground.shape[:2]]
        ground = ground[corner[0] : corner[0] + SIDE, corner[1] : corner[1] + SIDE]
        if rng.random() < 0.5:
            ground = ground[:, ::-1]
        canvas = cv2.resize(ground, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        with Image.open(found[name]) as file:
            stamp = file.convert("RGBA")
        stamp = stamp.crop(stamp.getchannel("A").getbbox())
        longer = float(rng.uniform(0.2, 0.75)) * SIDE
        stamp.thumbnail((longer, longer), Image.Resampling.BOX)
        if max(stamp.size) < longer - 1:
            zoom = longer / max(stamp.size)
            stamp = stamp.resize([round(side * zoom) for side in stamp.size])
        rgba = np.asarray(stamp, np.float32)
        height, width = rgba.shape[:2]
        top, left = (int(rng.integers(SIDE - side + 1)) for side in (height, width))
        place = np.s_[top : top + height, left : left + width]
        alpha = cv2.GaussianBlur(rgba[..., 3:] / 255, (0, 0), 0.6)[..., None]
        laid = canvas.copy()
        laid[place] = (canvas[place] * (1 - alpha) + rgba[..., :3] * alpha).astype(np.uint8)
        truth = np.zeros((SIDE, SIDE), bool)
        truth[place] = alpha[..., 0] > 0.5
        yield Photo(name.removesuffix(".png"), laid, [Target("cut-out", truth)])


def main() -> None:
    """Print mean IoU after each click, and of the best candidate after the first."""
    parser = argparse.ArgumentParser(prog="python -m bench.lite.stamps", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, default=Path("container/weights/lite"))
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    lite, ious = Lite(options.weights), []
    for seed in range(options.seeds):
        for photo in scenes(options.folder, seed):
            lite.look(photo.pixels)
            ious.append(trial(lite, photo.targets[0].mask).ious)
    means = " ".join(f"{value:.3f}" for value in np.mean(ious, 0))
    error = " ".join(f"{value:.3f}" for value in np.std(ious, 0) / len(ious) ** 0.5)
    print(f"{len(ious)} cut-outs, after 1 to 5 clicks: {means} (± {error})")


if __name__ == "__main__":
    main()
