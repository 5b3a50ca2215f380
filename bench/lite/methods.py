"""The lite engine's masks and what there is without learning."""

import warnings
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from PIL import Image
from skimage.segmentation import felzenszwalb, random_walker

from gen3d_inference.engines.interface import Floats
from gen3d_inference.engines.lite.second_look import Prompt

from .clicks import Click
from .photos import Mask, Pixels


def session(path: Path) -> onnxruntime.InferenceSession:
    """A network on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Lite:
    """The mask networks in a folder; the candidate that they score best is taken."""

    def __init__(self, folder: Path, name: str = "lite") -> None:
        self.name = name
        self.encoder = session(folder / "encoder.onnx")
        self.decoder = session(folder / "decoder.onnx")
        self.side = self.encoder.get_inputs()[0].shape[2]
        self.candidates: list[Mask] = []

    def look(self, photo: Pixels) -> None:
        """Encode the photo."""
        self.height, self.width = photo.shape[:2]
        square = cv2.resize(photo, (self.side, self.side), interpolation=cv2.INTER_AREA)
        image = square.astype(np.float32).transpose(2, 0, 1)[None] / 255
        names = [output.name for output in self.encoder.get_outputs()]
        answers = self.encoder.run(names, {"image": image})
        self.features = dict(zip(names, answers, strict=True))

    def mask(self, clicks: list[Click]) -> Mask:
        """Decode; from the second click on the last mask is refined."""
        logits, scores = self.answer(clicks)
        quarter = self.side // 4
        best = int(scores.argmax())
        small = cv2.resize(logits[best], (quarter, quarter), interpolation=cv2.INTER_AREA)
        self.last = small[None, None].clip(-12, 12)
        self.candidates = [cv2.resize(m, (self.width, self.height)) > 0 for m in logits]
        return self.candidates[best]

    def answer(self, clicks: list[Click]) -> tuple[Floats, Floats]:
        """Logits of the candidates (m, h, w) and how good each is (m,)."""
        quarter = self.side // 4
        if len(clicks) == 1:
            self.last = np.zeros((1, 1, quarter, quarter), np.float32)
        scale = np.array([self.side / self.width, self.side / self.height])
        points = (np.array([click[:2] for click in clicks]) + 0.5) * scale
        logits, scores = self.decoder.run(
            ["masks", "iou_scores"],
            {
                **self.features,
                "point_coords": points[None].astype(np.float32),
                "point_labels": np.array([[click[2] for click in clicks]], np.float32),
                "mask_input": self.last,
                "has_mask_input": np.array([len(clicks) > 1], np.float32),
            },
        )
        return logits[0], scores[0]

    def decode(self, square: Image.Image, prompt: Prompt) -> Floats:
        """Answer a second look, as the engine does."""
        self.look(np.asarray(square))
        masks: Floats = self.decoder.run(["masks"], {**self.features, **prompt})[0][0]
        return masks


class GrabCut:
    """OpenCV's GrabCut, seeded by discs around clicks; only what is connected to a click is kept.

    Parameters
    ----------
    radius
        Of the disc that is probably object, over the photo's longer side.
    certain
        Of the disc that certainly is.
    rounds
        Iterations.
    """

    def __init__(self, radius: float, certain: float = 0.012, rounds: int = 4) -> None:
        self.name = "GrabCut"
        self.radius, self.certain, self.rounds = radius, certain, rounds

    def look(self, photo: Pixels) -> None:
        """Halve the photo, as GrabCut is slow."""
        self.height, self.width = photo.shape[:2]
        half = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        self.photo = cv2.cvtColor(half, cv2.COLOR_RGB2BGR)
        self.last: Mask = np.zeros(self.photo.shape[:2], bool)

    def mask(self, clicks: list[Click]) -> Mask:
        """Cut."""
        height, width = self.photo.shape[:2]
        longer = max(height, width)
        at = [(min(x // 2, width - 1), min(y // 2, height - 1), on) for x, y, on in clicks]
        if len(clicks) == 1:
            labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
            cv2.circle(labels, at[0][:2], round(self.radius * longer), cv2.GC_PR_FGD, -1)
        else:  # refine the last cut
            labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
            labels[self.last] = cv2.GC_PR_FGD
            x, y, on = at[-1]
            kind = cv2.GC_PR_FGD if on else cv2.GC_PR_BGD
            cv2.circle(labels, (x, y), round(self.radius * longer / 2), kind, -1)
        for x, y, on in at:
            kind = cv2.GC_FGD if on else cv2.GC_BGD
            cv2.circle(labels, (x, y), max(2, round(self.certain * longer)), kind, -1)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)
        cv2.grabCut(self.photo, labels, None, *models, self.rounds, cv2.GC_INIT_WITH_MASK)
        object_ = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
        _, regions = cv2.connectedComponents(object_.astype(np.uint8))
        kept = np.isin(regions, [regions[y, x] for x, y, on in at if on]) & object_
        self.last = kept
        return np.asarray(cv2.resize(kept.astype(np.uint8), (self.width, self.height)) > 0)


class RandomWalker:
    """scikit-image's random walker from the clicks and the photo's border."""

    name = "random walker"

    def look(self, photo: Pixels) -> None:
        """Halve the photo."""
        self.height, self.width = photo.shape[:2]
        self.photo = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)

    def mask(self, clicks: list[Click]) -> Mask:
        """Walk."""
        labels = np.zeros(self.photo.shape[:2], np.uint8)
        labels[[0, -1]] = labels[:, [0, -1]] = 2
        for x, y, on in clicks:
            cv2.circle(labels, (x // 2, y // 2), 3, 1 if on else 2, -1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is slow without pyamg, which is not needed here
            walked = random_walker(
                self.photo, labels.astype(int), beta=300, mode="cg_j", channel_axis=-1, tol=1e-2
            )
        whole = cv2.resize((walked == 1).astype(np.uint8), (self.width, self.height))
        return np.asarray(whole > 0)


class Felzenszwalb:
    """Felzenszwalb's regions: those clicked on, less finer ones clicked away."""

    name = "Felzenszwalb"

    def look(self, photo: Pixels) -> None:
        """Split the photo into regions."""
        self.fine, self.coarse = (
            felzenszwalb(photo, scale=scale, sigma=0.8, min_size=60) for scale in (100, 300)
        )

    def mask(self, clicks: list[Click]) -> Mask:
        """Join and cut away."""
        chosen = np.isin(self.coarse, [self.coarse[y, x] for x, y, on in clicks if on])
        away = np.isin(self.fine, [self.fine[y, x] for x, y, on in clicks if not on])
        return chosen & ~away
