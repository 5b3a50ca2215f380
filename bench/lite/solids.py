"""Reconstruction against silhouette inflation, on procedural objects with known surfaces."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from gen3d_inference.engines.lite.frames import CROP_SIDE
from gen3d_lite_training.families import pool
from gen3d_lite_training.geometry import look_at
from gen3d_lite_training.layout import CUTOUT, INSTANCE, MAX_CUTOUTS, SCENE
from gen3d_lite_training.renderer import Renderer
from gen3d_lite_training.views import Views, random_views

from .methods import session

Floats = NDArray[np.floating]

_LOOKS, _LOOK_SIDE = 14, 96


@dataclass(frozen=True)
class Solid:
    """Front and back depth [S, S] in the crop's units, the back's colours [S, S, 3], the mask.

    `elevation` is the angle by which the camera looks down, in radians.
    """

    inside: NDArray[np.bool_]
    front: Floats
    back: Floats
    back_colour: Floats
    elevation: float = 0.0


@dataclass(frozen=True)
class Score:
    """Chamfer distance and F-score at 2 %, both relative to the object's diagonal.

    `lean` is the elevation's error in degrees, nan for an object that has toppled.
    """

    chamfer: float
    f_score: float
    lean: float = float("nan")


def predictor(path: Path) -> Callable[[Floats], Solid]:
    """A network file as a function of RGBA [4, S, S]."""
    network = session(path)

    def predict(rgba: Floats) -> Solid:
        answers = network.run(["surface", "elevation"], {"rgba": rgba[None].astype(np.float32)})
        surface, elevation = (answer[0] for answer in answers)
        inside = rgba[3] > 0.5
        colour = surface[2:5].transpose(1, 2, 0)
        return Solid(inside, surface[0], surface[0] + surface[1], colour, float(elevation))

    return predict


def inflated(rgba: Floats) -> Solid:
    """Blow the silhouette up: height is the root of Poisson's solution inside it, both ways."""
    inside = rgba[3] > 0.5
    small = inside[::2, ::2]
    at = np.nonzero(small)
    index = np.full(small.shape, -1)
    index[at] = np.arange(len(at[0]))
    rows, columns = [], []
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        y = np.clip(at[0] + dy, 0, small.shape[0] - 1)
        x = np.clip(at[1] + dx, 0, small.shape[1] - 1)
        other = index[y, x]
        rows.append(np.flatnonzero(other >= 0))
        columns.append(other[other >= 0])
    row, column = np.concatenate(rows), np.concatenate(columns)
    count = len(at[0])
    laplacian = sparse.csc_matrix(
        (
            np.r_[np.full(count, 4.0), -np.ones(len(row))],
            (np.r_[np.arange(count), row], np.r_[np.arange(count), column]),
        )
    )
    height = np.zeros(small.shape)
    height[at] = np.sqrt(np.maximum(spsolve(laplacian, np.full(count, 4.0)), 0))
    height = cv2.resize(height, inside.shape) * 4 / CROP_SIDE * inside
    return Solid(inside, -height, height, np.zeros((*inside.shape, 3)))


def points(solid: Solid, views: Views) -> Floats:
    """Points on the solid's front, back and rim, in the camera's frame [n, 3]."""
    steps = (np.arange(CROP_SIDE) + 0.5) / CROP_SIDE * 2 - 1
    at = np.nonzero(solid.inside)
    inner = cv2.erode(solid.inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    rim = np.nonzero(solid.inside & ~inner)
    parts = [(at, solid.front[at]), (at, solid.back[at])]
    parts += [
        (rim, solid.front[rim] * (1 - share) + solid.back[rim] * share)
        for share in np.linspace(0, 1, 18)[1:-1]
    ]
    u = np.concatenate([steps[where[1]] for where, _ in parts])
    v = np.concatenate([steps[where[0]] for where, _ in parts])
    z = views.depth.item() + np.concatenate([depth for _, depth in parts]) * views.unit.item()
    scene = views.scenes[0].numpy()
    (fx, fy), (px, py) = scene[SCENE["focal"]], scene[SCENE["principal"]]
    return np.stack([(u - px) / fx * z, (v - py) / fy * z, z], 1)


def true_points(renderer: Renderer, views: Views) -> Floats:
    """Points on the object's surface as looks from all around see it, in the camera's frame."""
    scene = views.scenes
    centre = views.instances[0, 0, INSTANCE["centre"]].numpy()
    eye, rows = scene[0, SCENE["eye"]].numpy(), scene[0, SCENE["camera"]].numpy().reshape(3, 3)
    flat = torch.zeros(1, MAX_CUTOUTS, CUTOUT.size)
    steps = (np.arange(_LOOK_SIDE) + 0.5) / _LOOK_SIDE * 2 - 1
    found = []
    for k in range(_LOOKS):  # directions on a Fibonacci spiral
        angle, y = k * 2.399963, 1 - 2 * (k + 0.5) / _LOOKS
        radius = np.sqrt(1 - y * y)
        where = centre + 6 * np.array([radius * np.cos(angle), y, radius * np.sin(angle)])
        look = scene.clone()
        look[0, SCENE["eye"]] = torch.tensor(where, dtype=torch.float32)
        target = torch.tensor(centre, dtype=torch.float32)[None]
        turned = look_at(look[:, SCENE["eye"]], target, torch.zeros(1))
        look[0, SCENE["camera"]] = turned.reshape(9)
        look[0, SCENE["focal"]], look[0, SCENE["principal"]] = 5.6, 0.0
        look[0, SCENE["shadow"]] = 0
        seen = renderer(views.instances, flat, look, _LOOK_SIDE, with_back=True)
        assert seen.front is not None
        at = np.nonzero((seen.identity[0] == 1).numpy())
        z = seen.front[0].numpy()[at]
        local = np.stack([steps[at[1]] / 5.6 * z, steps[at[0]] / 5.6 * z, z], 1)
        found.append(local @ turned[0].numpy() + where)
    truth: Floats = (np.concatenate(found) - eye) @ rows.T
    return truth


def score(guess: Floats, truth: Floats, rng: np.random.Generator) -> Score:
    """Compare point sets; as one photo does not tell the distance, 13 shifts along it are tried."""
    diagonal = float(np.linalg.norm(truth.max(0) - truth.min(0)))
    guess = guess[rng.choice(len(guess), min(6000, len(guess)), replace=False)]
    truth = truth[rng.choice(len(truth), min(6000, len(truth)), replace=False)]
    tree, start = cKDTree(truth), truth[:, 2].mean() - guess[:, 2].mean()
    scores = []
    for shift in np.linspace(-0.15, 0.15, 13) * diagonal:
        moved = guess + np.array([0, 0, start + shift])
        to_truth = tree.query(moved)[0] / diagonal
        to_guess = cKDTree(moved).query(truth)[0] / diagonal
        precision, recall = (to_truth < 0.02).mean(), (to_guess < 0.02).mean()
        f_score = 2 * precision * recall / (precision + recall + 1e-9)
        scores.append(Score(float(to_truth.mean() + to_guess.mean()) / 2, float(f_score)))
    return min(scores, key=lambda one: one.chamfer)


def compare(
    methods: dict[str, Callable[[Floats], Solid]], held_out: bool, count: int
) -> tuple[dict[str, list[Score]], list[tuple[Views, dict[str, Solid]]]]:
    """Scores of each method on `count` whole objects, and what to show of them."""
    torch.manual_seed(55 + held_out)
    renderer = Renderer(pool(384, seed=555, held_out_only=held_out), "cpu")
    rng = np.random.default_rng(0)
    scores: dict[str, list[Score]] = {name: [] for name in (*methods, "perfect depths")}
    shown = []
    for _ in range(count):
        views = random_views(renderer, 1, CROP_SIDE, samples=2, occluded=0.0)
        truth = true_points(renderer, views)
        rgba = views.rgba[0].numpy()
        solids = {name: method(rgba) for name, method in methods.items()}
        whole = views.whole[0, 0].numpy() > 0.5
        colour = views.back_colour[0].permute(1, 2, 0).numpy()
        front, back = views.front[0, 0].numpy(), views.back[0, 0].numpy()
        elevation = views.elevation.item()
        perfect = Solid(whole, front, back, colour, elevation)
        solids["perfect depths"] = perfect
        for name, solid in solids.items():
            off = abs(solid.elevation - elevation) if views.standing.item() else np.nan
            one = score(points(solid, views), truth, rng)
            scores[name].append(replace(one, lean=float(np.rad2deg(off))))
        shown.append((views, solids))
    return scores, shown
