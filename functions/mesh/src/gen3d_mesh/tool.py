"""From a splat or a mesh of anybody's to a mesh: what the command ``gen3d-mesh`` does, for Python.

>>> made = make(Path("bottle.spz"), stand=True)
>>> save(made.coloured, Path("bottle.3mf"), "bottle", millimetres=120)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gen3d.errors import InvalidMesh
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.endings import extra
from gen3d_mesh.kinds import Kind, kind_of
from gen3d_mesh.mesh_file import MAX_SIDE, look_before, read_mesh
from gen3d_mesh.pipeline import QUALITIES, Figures, build
from gen3d_mesh.place import foot, standing
from gen3d_mesh.read import Source, read
from gen3d_mesh.repair import HOLE_EDGES, is_closed, parts
from gen3d_mesh.splat import Up
from gen3d_mesh.write import save

if TYPE_CHECKING:
    from gen3d_mesh.remesh import Repairs

__all__ = ["Made", "make", "save"]

Progress: TypeAlias = Callable[[str], None]
"""Is told the name of each step as it begins."""

FEWER_FACES, FEWER_TEXELS = 4, 2
"""Times fewer of a level of detail than of the one before: texels are counted along an edge."""

DEVIATES = 0.015
"""Of a mesh from elsewhere, over its longest side: more is said."""

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
    repairs : Repairs or None
        What was mended of a mesh.
    """

    levels: tuple[ColouredMesh, ...]
    figures: Figures
    format: str
    up: Up
    notes: tuple[str, ...]
    repairs: "Repairs | None" = None

    @property
    def coloured(self) -> ColouredMesh:
        """The finest level."""
        return self.levels[0]

    def answer(self) -> dict[str, object]:
        """All figures, as the command prints them."""
        told: dict[str, object] = {"format": self.format, "up": self.up, **self.figures.answer()}
        if self.repairs is None:
            return told
        del told["gaussians"], told["gaussiansKept"]
        mended = self.repairs
        found = {"facesRead": mended.faces, "facesDropped": mended.dropped}
        return {**told, **found, "facesFilled": mended.filled, "deviation": mended.deviation}


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
    path: Path | Source,
    *,
    up: Up | None = None,
    quality: str | None = None,
    faces: int | None = None,
    texels: int | None = None,
    stand: bool = False,
    levels: int = 1,
    even: bool = False,
    holes: int | None = None,
    normal_map: bool | None = None,
    progress: Progress | None = None,
) -> Made:
    """Make a mesh from a splat, or a better one from a mesh.

    Parameters
    ----------
    path : pathlib.Path or Source
        A splat of any format that `gen3d_mesh.read` takes, or as that gave it, or a mesh as
        `gen3d_mesh.mesh_file` takes it.
    up : Up, optional
        The axis that points to the sky; guessed by the format where it is not given.
    quality : str, optional
        Of `QUALITIES`, of a splat's mesh: standard where none is said.
    faces, texels : int, optional
        At most so many faces, and texels along the texture's edge (0 for vertex colours alone),
        in the place of the quality's.
    stand : bool
        Put the lowest point on the ground, in the place of the box's centre.
    levels : int
        Of detail, each of a quarter of the faces of the one before.
    even : bool
        Remesh a mesh to triangles of about one size.
    holes : int, optional
        Edges around a hole of a mesh that is filled, at most.
    normal_map : bool, optional
        Give a splat's texture a normal map, or none; without it where it shows.
    progress : callable, optional
        Told the name of each step as it begins.

    Raises
    ------
    InvalidSplat, SplatTooLarge, EmptySurface, InvalidMesh
        See the steps.
    NotInstalled
        The file is a mesh, and the extra ``meshes`` is not there.
    """
    reading = _Told(progress=progress)
    kind = None if isinstance(path, Source) else kind_of(path)
    if isinstance(path, Path) and kind is not None:
        if normal_map:
            raise InvalidMesh("A normal map is made of a splat alone, and the file is a mesh.")
        if quality is not None:
            raise InvalidMesh(
                "A quality is that of a splat's mesh, and the file is a mesh already: say by "
                "--faces and --texture how fine it is to be."
            )
        return _from_mesh(
            path, kind, up, faces, texels, stand=stand, levels=levels, even=even, holes=holes,
            progress=progress,
        )  # fmt: skip
    if even:
        raise InvalidMesh("Only a mesh can be remeshed, and the file is none.")
    if holes is not None:
        raise InvalidMesh("Only a mesh has holes that are filled so, and the file is none.")
    if normal_map and texels == 0:
        raise InvalidMesh("A normal map lies in the texture, and none was asked for.")
    with reading.step("read"):
        source = path if isinstance(path, Source) else read(path)
    splat = source.splat.upright(up or source.up)
    chosen = QUALITIES[quality or "standard"]
    if texels is not None:
        chosen = replace(chosen, texels=texels)
    most = faces or chosen.faces
    meshes, figures = list[ColouredMesh](), list[Figures]()
    for level in range(levels):
        coarser = replace(chosen, texels=_fewer(chosen.texels, FEWER_TEXELS**level, LEAST_TEXELS))
        fewer = _fewer(most, FEWER_FACES**level, LEAST_FACES)
        told = _Told(progress=progress)
        coloured, _ = build(splat, coarser, fewer, told, normal_map=normal_map)
        meshes.append(replace(coloured, up=up or source.up))
        figures.append(told)
    figures[0].gaussians = source.total
    figures[0].timings |= reading.timings
    notes = _notes(source, up, figures[0])
    if any(each.texture is not None and each.texture.normal_map is not None for each in meshes):
        notes.append("A normal map has what so few faces do not show (--no-normal-map).")
    return Made(_placed(meshes, stand), figures[0], source.format, up or source.up, tuple(notes))


def _placed(meshes: list[ColouredMesh], stand: bool) -> tuple[ColouredMesh, ...]:
    if stand:  # all levels on one point, so that none jumps where another takes its place
        at = foot(meshes[0])
        meshes = [standing(each, at) for each in meshes]
    return tuple(meshes)


def _from_mesh(
    path: Path, kind: Kind, up: Up | None, faces: int | None, texels: int | None, *, stand: bool,
    levels: int, even: bool, holes: int | None, progress: Progress | None,
) -> Made:  # fmt: skip
    """Repair a mesh, and decimate or remesh it: each level from what was read."""
    look_before(path, kind)
    with extra("meshes", f"The {kind} is a mesh, and those are read by PyMeshLab and trimesh"):
        from gen3d_mesh.remesh import repair_mesh

        figures = _Told(progress=progress)
        with figures.step("read"):
            source = read_mesh(path, kind)
        most = min(faces or len(source.faces), len(source.faces))
        meshes = list[ColouredMesh]()
        for level in range(levels):
            with figures.step("remesh" if even else "repair"):
                fewer = _fewer(most, FEWER_FACES**level, LEAST_FACES)
                less = texels
                if source.image is not None and (texels or level):
                    whole = min(texels or MAX_SIDE, max(source.image.shape))
                    less = _fewer(whole, FEWER_TEXELS**level, LEAST_TEXELS)
                coloured, repairs = repair_mesh(
                    source, fewer if faces or level else None, up=up, even=even, texels=less,
                    holes=HOLE_EDGES if holes is None else holes,
                )  # fmt: skip
            meshes.append(coloured)
            if level == 0:
                first = repairs
    mesh = meshes[0].mesh
    figures.vertices, figures.faces = len(mesh.vertices), len(mesh.faces)
    figures.components, _ = parts(mesh)
    figures.watertight = is_closed(mesh)
    notes = list(source.notes)
    if first.deviation > DEVIATES:
        notes.append(
            f"So few faces hold it badly: {100 * first.deviation:.1f} % of its longest side off "
            "where it is worst. Ask for more (--faces)."
        )
    if not figures.watertight:
        notes.append("The mesh is open: holes of more edges are filled by --holes.")
    if source.image is not None and texels != 0 and meshes[0].texture is None:
        notes.append("An open mesh that is remeshed has vertex colours in the picture's place.")
    return Made(
        _placed(meshes, stand), figures, source.format, up or source.up, tuple(notes), first
    )


def _fewer(number: int, times: int, least: int) -> int:
    return min(number, max(number // times, least))


def _notes(source: Source, up: Up | None, figures: Figures) -> list[str]:
    notes = []
    if up is None:
        notes.append(
            f"Taken to stand with {source.up} up, as a {source.format} of this kind mostly does; "
            "if the mesh lies, say --up."
        )
    notes += source.notes
    if len(source.splat) < source.total:
        notes.append(
            f"Of {source.total:,} gaussians a sample of {len(source.splat):,} was taken, each "
            "larger for it."
        )
    if figures.coverage is None:
        notes.append(
            "Light passes through most of the splat, or it is too thin: how much of its surface "
            "the mesh has is not known."
        )
    if figures.dropped_parts:
        notes.append(
            "Left out as floating, apart from the rest and faint or thin: "
            f"{figures.dropped_gaussians:,} gaussians (clumps: {figures.dropped_parts:,})."
        )
    return notes
