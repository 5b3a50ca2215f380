"""Compares, prints tables, and writes RESULTS.md with pictures beside this file."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gen3d_inference.engines.lite.second_look import look_again

from .clicks import Method, Trial, iou, trial
from .methods import Felzenszwalb, GrabCut, Lite, RandomWalker
from .photos import Pixels, photos
from .report import mask_row, save, table
from .second_look import compare_looks
from .shipped import shipped_photos

if TYPE_CHECKING:
    from gen3d_lite_training.views import Views

    from .solids import Solid

HERE = Path(__file__).parent
WEIGHTS = Path("container/weights/lite")
GRABCUT_RADII = (0.05, 0.1, 0.2)
SHOWN = ("cup", "cat", "rocket", "astronaut", "man", "motorcycle")


def tuned_grabcut() -> GrabCut:
    """GrabCut with the radius that is best on these very photos after one to five clicks."""

    def quality(radius: float) -> float:
        method, values = GrabCut(radius), []
        for photo in photos():
            method.look(photo.pixels)
            values += [np.mean(trial(method, target.mask).ious) for target in photo.targets]
        return float(np.mean(values))

    return GrabCut(max(GRABCUT_RADII, key=quality))


def compare_masks(weights: Path) -> str:
    """Click through the photos with every method."""
    lite = Lite(weights)
    grabcut = tuned_grabcut()
    methods: list[Method] = [lite, grabcut, RandomWalker(), Felzenszwalb()]
    trials: dict[str, list[Trial]] = {method.name: [] for method in methods}
    best, rows, each = [], [], []
    for photo in photos():
        for method in methods:
            method.look(photo.pixels)
        for target in photo.targets:
            here = {method.name: trial(method, target.mask) for method in methods}
            lite.mask(here["lite"].clicks[:1])
            best.append(max(iou(target.mask, mask) for mask in lite.candidates))
            each.append(
                [f"{photo.name}: {target.name}"]
                + [f"{here['lite'].ious[k]:.2f}" for k in (0, 2, 4)]
                + [f"{here['GrabCut'].ious[k]:.2f}" for k in (0, 2, 4)]
            )
            for name, one in here.items():
                trials[name].append(one)
            if target.name in SHOWN:
                rows.append(mask_row(photo, target.mask, here, "lite"))
    save(rows, HERE / "masks.jpg")
    summary = []
    for name, ones in trials.items():
        mean = np.mean([one.ious for one in ones], 0)
        summary.append([name, *(f"{mean[k]:.3f}" for k in (0, 1, 2, 4))])
    text = table(["method", "1 click", "2", "3", "5"], summary)
    text += f"\nThe best of lite's three candidates after one click: {np.mean(best):.3f}. "
    text += f"GrabCut's radius, tuned on these photos: {grabcut.radius}.\n\n"
    head = ["object", "lite, 1 click", "3", "5", "GrabCut, 1 click", "3", "5"]
    text += table(head, each)
    text += "\n![Outline by hand; lite, GrabCut, random walker, Felzenszwalb after one click; "
    return text + "lite after five](masks.jpg)\n"


def compare_shipped(weights: Path) -> str:
    """Click through the photos of other packages, where the index can be reached."""
    methods: list[Method] = [lite := Lite(weights), GrabCut(0.1)]
    ious: dict[str, list[list[float]]] = {method.name: [] for method in methods}
    best, each = [], []
    try:
        for photo in shipped_photos():
            for method in methods:
                method.look(photo.pixels)
            for target in photo.targets:
                here = {method.name: trial(method, target.mask) for method in methods}
                for name, one in here.items():
                    ious[name].append(one.ious)
                lite.mask(here["lite"].clicks[:1])
                best.append(max(iou(target.mask, mask) for mask in lite.candidates))
                after = here["lite"].ious
                each.append(f"{photo.name}: {target.name} " + " ".join(f"{v:.2f}" for v in after))
    except OSError as error:
        return f"Not measured: {error}\n"
    rows = [
        [name, *(f"{np.mean(of, 0)[k]:.3f}" for k in (0, 1, 2, 4))] for name, of in ious.items()
    ]
    text = table(["method", "1 click", "2", "3", "5"], rows)
    text += f"\nThe best of lite's three candidates after one click: {np.mean(best):.3f}.\n\n"
    return text + "Each object, lite after 1 to 5 clicks:\n\n    " + "\n    ".join(each) + "\n"


def compare_solids(weights: Path, count: int) -> str:
    """Reconstruct procedural objects of trained and of held-out families."""
    from .solids import compare, inflated, predictor

    methods = {"lite": predictor(weights / "reconstruction.onnx"), "inflation": inflated}
    rows, pictures = [], []
    for held_out in (False, True):
        scores, shown = compare(methods, held_out, count)
        kind = "held-out families" if held_out else "trained families"
        for name, values in scores.items():
            f_score = np.mean([value.f_score for value in values])
            chamfer = np.mean([value.chamfer for value in values])
            lean = np.nanmean([value.lean for value in values])
            rows.append([kind, name, f"{f_score:.3f}", f"{100 * chamfer:.2f}", f"{lean:.1f}"])
        pictures += [_solid_row(views, solids) for views, solids in shown[:8]]
    pairs = zip(pictures[::2], pictures[1::2], strict=True)
    save([[*left, *right] for left, right in pairs], HERE / "solids.jpg")
    head = ["objects", "method", "F-score at 2 %", "chamfer, % of the diagonal", "lean, degrees"]
    return table(head, rows) + (
        "\nThe lean is how far the camera's elevation is off, of objects that stand upright. "
        "Inflation takes it for 0.\n"
        "\n![Two objects a row: crop; lite's front and the true one; lite's back and the true one; "
        "lite's colours of the back and the true ones](solids.jpg)\n"
    )


def _solid_row(views: "Views", solids: "dict[str, Solid]") -> list[Pixels]:
    lite, true = solids["lite"], solids["perfect depths"]

    def grey(depth: np.ndarray) -> np.ndarray:
        return np.repeat((np.clip(0.5 - depth * 0.45, 0, 1) * lite.inside)[..., None], 3, 2)

    crop = views.rgba[0, :3].permute(1, 2, 0).numpy()
    backs = (solid.back_colour * lite.inside[..., None] for solid in (lite, true))
    parts = [crop, grey(lite.front), grey(true.front), grey(lite.back), grey(true.back), *backs]
    return [(np.clip(part, 0, 1) * 255).astype(np.uint8)[::2, ::2] for part in parts]


def timings(weights: Path) -> str:
    """Median milliseconds of processor time of each network on one thread."""
    lite = Lite(weights)
    photo = np.full((480, 640, 3), 127, np.uint8)
    lite.look(photo)

    def median(run: object, repeats: int = 9) -> str:
        assert callable(run)
        spent = []
        for _ in range(repeats):
            start = time.process_time()
            run()
            spent.append(time.process_time() - start)
        return f"{np.median(spent) * 1000:.0f}"

    from .methods import session

    solid = session(weights / "reconstruction.onnx")
    crop = np.zeros((1, 4, 256, 256), np.float32)
    measured = {
        "encoder": median(lambda: lite.look(photo)),
        "decoder": median(lambda: lite.mask([(300, 200, True)])),
        "reconstruction": median(lambda: solid.run(None, {"rgba": crop})),
    }
    small = np.zeros(photo.shape[:2], bool)
    small[200:280, 280:360] = True
    again = median(lambda: look_again(Image.fromarray(photo), small, lite.decode))
    rows = [
        [name, f"{(weights / f'{name}.onnx').stat().st_size / 1e6:.1f}", time_]
        for name, time_ in measured.items()
    ]
    head = ["network", "MB", "ms of one thread's processor time, with resizing"]
    return table(head, rows) + f"\nA second look takes {again} ms more.\n"


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench.lite", description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--objects", type=int, default=48, help="per set, for the solids")
    options = parser.parse_args()
    looks, before_after = compare_looks(options.weights)
    save(before_after, HERE / "second_look.jpg")
    parts = [
        "# The lite engine, measured\n\n`make bench-lite` writes this page.\n",
        "## Masks on real photos\n\nMean IoU over the objects in outlines.json, by clicks.\n",
        compare_masks(options.weights),
        "## Photos that packages ship\n\nMean IoU over the objects in outlines_shipped.json.\n",
        compare_shipped(options.weights),
        "## A second look\n",
        looks,
        "## Solids\n",
        compare_solids(options.weights, options.objects),
        "## Cost\n",
        timings(options.weights),
    ]
    page = "\n".join(parts)
    (HERE / "RESULTS.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
