"""The kinds of things in the procedural world, and pools of them."""

from collections.abc import Callable
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from ..shapes import Shape
from . import abstract, animals, furniture, held_out, household, nature, people, vehicles, vessels

Family = Callable[[np.random.Generator], Shape]

TRAINED: dict[Family, float] = {
    furniture.chair: 1.2,
    furniture.table: 0.8,
    furniture.sofa: 0.6,
    furniture.lamp: 0.5,
    furniture.shelf: 0.7,
    furniture.bed: 0.3,
    vessels.vessel: 1.4,
    vessels.mug: 0.9,
    vessels.bottle: 0.7,
    people.person: 3.0,
    people.bust: 0.7,
    people.toy: 0.8,
    animals.quadruped: 1.2,
    animals.resting: 0.9,
    animals.bird: 0.9,
    animals.fish: 0.5,
    animals.insect: 0.4,
    animals.winged: 0.8,
    animals.flat_bodied: 0.5,
    vehicles.car: 1.3,
    vehicles.van: 0.9,
    vehicles.bicycle: 0.7,
    vehicles.boat: 0.5,
    vehicles.rotorcraft: 0.8,
    vehicles.rocket: 0.7,
    nature.tree: 0.8,
    nature.plant: 0.8,
    nature.rock: 0.6,
    nature.fruit: 0.7,
    nature.mushroom: 0.4,
    nature.plate: 0.8,
    household.carton: 1.0,
    household.screen: 1.0,
    household.books: 0.7,
    household.bag: 0.6,
    household.shoe: 0.6,
    household.tool: 0.9,
    household.appliance: 0.9,
    household.instrument: 0.5,
    household.wearable: 0.8,
    household.tent: 0.5,
    household.disc: 0.9,
    abstract.blob: 0.8,
    abstract.carved: 2.6,
    abstract.mirrored: 2.2,
    abstract.stack: 0.7,
    abstract.bars: 0.9,
    abstract.letter: 0.7,
    abstract.sheets: 0.7,
}
"""Families that networks are trained on, and how often each is drawn."""

HELD_OUT: dict[Family, float] = {held_out.plane: 1.0, held_out.house: 1.0}
"""Families kept for evaluation."""


def _draw(task: tuple[int, int, bool]) -> NDArray[np.float32]:
    seed, count, held_out_only = task
    rng = np.random.default_rng(seed)
    families = HELD_OUT if held_out_only else TRAINED
    weights = np.array(list(families.values()))
    chosen = rng.choice(len(families), count, p=weights / weights.sum())
    makers = list(families)
    return np.stack([makers[index](rng).packed() for index in chosen])


def pool(
    count: int, seed: int, held_out_only: bool = False, processes: int = 1
) -> NDArray[np.float32]:
    """Draw objects.

    Parameters
    ----------
    count
        How many; rounded up to a multiple of 64.
    seed
        The same seed gives the same objects, whatever the number of processes.
    held_out_only
        Draw from `HELD_OUT` instead of `TRAINED`.
    processes
        Workers to draw with.

    Returns
    -------
    ndarray
        f32 [count, OBJECT.size].
    """
    share = 64
    tasks = [(seed * 100_003 + i, share, held_out_only) for i in range(-(-count // share))]
    if processes <= 1:
        return np.concatenate([_draw(task) for task in tasks])
    with get_context("fork").Pool(processes) as workers:
        return np.concatenate(workers.map(_draw, tasks))
