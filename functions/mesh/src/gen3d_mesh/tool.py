"""From a splat of anybody's to a mesh: what the command ``gen3d-mesh`` does, for Python.

>>> made = make(Path("bottle.spz"), stand=True)
>>> save(made.coloured, Path("bottle.3mf"), "bottle", millimetres=120)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.pipeline import QUALITIES, Figures, build
from gen3d_mesh.place import foot, standing
from gen3d_mesh.read import Source, read
from gen3d_mesh.splat import Up
from gen3d_mesh.write import save

__all__ = ["Made", "make", "save"]

Progress: TypeAlias = Callable[[str], None]
"""Is told the name of each step as it begins."""

FEWER_FACES, FEWER_TEXELS = 4, 2
"""Times fewer of a level of detail than of the one before: texels are counted along an edge."""

LEAST_FACES, LEAST_TEXELS = 100, 64


@dataclass(frozen=True)
class Made:
    """A mesh, and how it came about.

    Attributes
    ----------
    levels : tuple of ColouredMesh
        The finest first.
    figures : Figures
        Of the finest.
    format : str
        What the file was, in words.
    up : Up
        The axis of the splat that was taken to point to the sky.
    notes : tuple of str
        What was guessed or left out, in sentences.
    """

    levels: tuple[ColouredMesh, ...]
    figures: Figures
    format: str
    up: Up
    notes: tuple[str, ...]

    @property
    def coloured(self) -> ColouredMesh:
        """The finest level."""
        return self.levels[0]


@dataclass
class _Told(Figures):
    """Figures that tell somebody of each step as it begins."""

    progress: Progress | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        if self.progress is not None:
            self.progress(name)
        with super().step(name):
            yield


def make(
    path: Path,
    *,
    up: Up | None = None,
    quality: str = "standard",
    faces: int | None = None,
    texels: int | None = None,
    stand: bool = False,
    levels: int = 1,
    progress: Progress | None = None,
) -> Made:
    """Make a mesh from a splat.

    Parameters
    ----------
    path : pathlib.Path
        A splat of any format that `gen3d_mesh.read` takes.
    up : Up, optional
        The axis that points to the sky; guessed by the format where it is not given.
    quality : str
        Of `QUALITIES`.
    faces, texels : int, optional
        At most so many faces, and texels along the texture's edge (0 for vertex colours alone),
        in the place of the quality's.
    stand : bool
        Put the lowest point on the ground, in the place of the box's centre.
    levels : int
        Of detail, each of a quarter of the faces of the one before.
    progress : callable, optional
        Told the name of each step as it begins.

    Raises
    ------
    InvalidSplat, SplatTooLarge, EmptySurface
        See the steps.
    """
    reading = _Told(progress=progress)
    with reading.step("read"):
        source = read(path)
    splat = source.splat.upright(up or source.up)
    chosen = QUALITIES[quality]
    if texels is not None:
        chosen = replace(chosen, texels=texels)
    most = faces or chosen.faces
    meshes, figures = list[ColouredMesh](), list[Figures]()
    for level in range(levels):
        coarser = replace(chosen, texels=_fewer(chosen.texels, FEWER_TEXELS**level, LEAST_TEXELS))
        fewer = _fewer(most, FEWER_FACES**level, LEAST_FACES)
        coloured, told = build(splat, coarser, fewer, _Told(progress=progress))
        meshes.append(replace(coloured, up=up or source.up))
        figures.append(told)
    if stand:  # all levels on one point, so that none jumps where another takes its place
        at = foot(meshes[0])
        meshes = [standing(each, at) for each in meshes]
    figures[0].gaussians = source.total
    figures[0].timings |= reading.timings
    notes = _notes(source, up, figures[0])
    return Made(tuple(meshes), figures[0], source.format, up or source.up, notes)


def _fewer(number: int, times: int, least: int) -> int:
    return min(number, max(number // times, least))


def _notes(source: Source, up: Up | None, figures: Figures) -> tuple[str, ...]:
    notes = []
    if up is None:
        notes.append(
            f"Taken to stand with {source.up} up, as a {source.format} of this kind mostly does; "
            "if the mesh lies, say --up."
        )
    if len(source.splat) < source.total:
        notes.append(
            f"Of {source.total:,} gaussians a sample of {len(source.splat):,} was taken, each "
            "larger for it."
        )
    if figures.dropped_parts:
        notes.append(
            "Left out as floating, apart from the rest and faint or thin: "
            f"{figures.dropped_gaussians:,} gaussians (clumps: {figures.dropped_parts:,})."
        )
    return tuple(notes)
