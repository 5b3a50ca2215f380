"""The whole way from a splat to a coloured mesh."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TypedDict

import numpy as np

from gen3d_mesh import colour
from gen3d_mesh.carve import carve
from gen3d_mesh.clean import Frame, clean
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.coverage import coverage, in_unit_frame, is_low, warning
from gen3d_mesh.normal_map import Relief, with_normal_map
from gen3d_mesh.read import read_splat
from gen3d_mesh.repair import centred, drop_specks, is_closed, parts, taubin, vertex_normals
from gen3d_mesh.shell import find_shell
from gen3d_mesh.simplify import simplify
from gen3d_mesh.solid import find_solid
from gen3d_mesh.splat import MAX_GAUSSIANS, Splat
from gen3d_mesh.surface import extract
from gen3d_mesh.texture import paint


@dataclass(frozen=True)
class Quality:
    """How fine to work; voxels are counted on the longest side.

    Attributes
    ----------
    solid_voxels : int
        At most, of the grid that tells inside from outside.
    surface_voxels : int
        At most, of the grid that the surface is taken from.
    faces : int
        At most, in the finished mesh.
    texels : int
        Along the texture's edge; 0 for vertex colours alone.
    gaussians : int
        At most, of those that are read; a coarse grid needs no more.
    gaps : bool
        Whether gaps that are narrower than the solid's voxels can tell are looked for.
    """

    solid_voxels: int
    surface_voxels: int
    faces: int
    texels: int
    gaussians: int = MAX_GAUSSIANS
    gaps: bool = False


QUALITIES = {
    "preview": Quality(
        solid_voxels=112, surface_voxels=112, faces=20_000, texels=0, gaussians=100_000
    ),
    "standard": Quality(solid_voxels=172, surface_voxels=284, faces=50_000, texels=1024),
    "fine": Quality(solid_voxels=224, surface_voxels=336, faces=200_000, texels=2048, gaps=True),
}

MIN_SURFACE_VOXELS = 96
SMOOTHING_ROUNDS = 2

THIN_VOXELS, MIN_THICKNESS = 1.4, 0.0057
"""A wall thinner than so many voxels and this share of the longest side is made so thick."""


class Answer(TypedDict):
    """The figures as the state machine keeps them."""

    gaussians: NotRequired[int]
    gaussiansKept: NotRequired[int]
    facesRead: NotRequired[int]
    facesDropped: NotRequired[int]
    facesFilled: NotRequired[int]
    vertices: int
    faces: int
    components: int
    droppedParts: int
    droppedGaussians: NotRequired[int]
    watertight: bool
    coverage: NotRequired[float | None]
    warnings: list[str]
    truth: dict[str, float | None] | None
    timings: dict[str, int]


@dataclass
class Figures:
    """What is reported of a run."""

    gaussians: int = 0
    gaussians_kept: int = 0
    vertices: int = 0
    faces: int = 0
    components: int = 0
    dropped_parts: int = 0
    """Parts of the cloud that lie apart and were taken to float: too faint or too thin."""
    dropped_gaussians: int = 0
    """In those parts."""
    watertight: bool = False
    coverage: float | None = None
    """Share of the surface that the splat, or the engine's mesh, shows from outside that the mesh
    explains."""
    warnings: list[str] = field(default_factory=list)
    """What a person should know before they use the mesh, in sentences."""
    truth: dict[str, float | None] | None = None
    """How true the mesh is to the photo: see `gen3d_mesh.scene.truth.Truth`."""
    timings: dict[str, int] = field(default_factory=dict)
    """Milliseconds of each step."""

    def answer(self) -> Answer:
        """The figures as the state machine keeps them."""
        return {
            "gaussians": self.gaussians,
            "gaussiansKept": self.gaussians_kept,
            "vertices": self.vertices,
            "faces": self.faces,
            "components": self.components,
            "droppedParts": self.dropped_parts,
            "droppedGaussians": self.dropped_gaussians,
            "watertight": self.watertight,
            "coverage": self.coverage,
            "warnings": self.warnings,
            "truth": self.truth,
            "timings": self.timings,
        }

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        start = time.perf_counter()
        yield
        self.timings[name] = round(1000 * (time.perf_counter() - start))


@dataclass
class MeshFigures(Figures):
    """What is reported of an engine's mesh, which has no gaussians."""

    faces_read: int = 0
    faces_dropped: int = 0
    """Without an area, twice there, or in specks."""
    faces_filled: int = 0
    """That fill holes."""

    def answer(self) -> Answer:
        """The figures as the state machine keeps them."""
        return {
            "facesRead": self.faces_read,
            "facesDropped": self.faces_dropped,
            "facesFilled": self.faces_filled,
            "vertices": self.vertices,
            "faces": self.faces,
            "components": self.components,
            "droppedParts": self.dropped_parts,
            "watertight": self.watertight,
            "coverage": self.coverage,
            "warnings": self.warnings,
            "truth": self.truth,
            "timings": self.timings,
        }


def build(
    source: Path | Splat, quality: Quality, faces: int | None = None,
    figures: Figures | None = None, *, normal_map: bool | None = None,
) -> tuple[ColouredMesh, Figures]:  # fmt: skip
    """Make a mesh from a splat.

    Parameters
    ----------
    source : pathlib.Path or Splat
        A splat with Z up, of any format that `gen3d_mesh.read` takes, or as it was read.
    quality : Quality
    faces : int, optional
        At most so many, instead of the quality's.
    figures : Figures, optional
        To be filled, and returned.
    normal_map : bool, optional
        Give a texture a normal map, or none; without it where it shows.

    Raises
    ------
    InvalidSplat, SplatTooLarge, EmptySurface
        See the steps.
    """
    figures = figures or Figures()
    with figures.step("read"):
        splat = source if isinstance(source, Splat) else read_splat(source)
        figures.gaussians = len(splat)
        splat = splat.thinned(quality.gaussians)
    with figures.step("clean"):
        cleaned, origin = clean(splat), splat.origin
        seen = in_unit_frame(splat, cleaned.frame)
        del splat
    # Smoothing and voxels follow the spacing: fine where the cloud is dense, whole where it is not.
    sigma = float(np.clip(1.5 * cleaned.spacing, 0.0065, 0.016))
    voxel = float(
        np.clip(0.9 * cleaned.spacing, 1 / quality.surface_voxels, 1 / MIN_SURFACE_VOXELS)
    )
    with figures.step("solid"):
        # Voxels finer than gaussians lie apart let the outside trickle in.
        solid_voxels = min(quality.solid_voxels, round(1 / voxel))
        solid = find_solid(cleaned.splat, solid_voxels, sigma)
        figures.dropped_parts = solid.parts.dropped
        figures.dropped_gaussians = solid.parts.dropped_gaussians
    if quality.gaps:
        with figures.step("carve"):
            solid = carve(solid, cleaned.splat, cleaned.spacing)
    with figures.step("shell"):
        thinnest = max(THIN_VOXELS * voxel, MIN_THICKNESS)
        shell = find_shell(cleaned.splat, solid, cleaned.spacing, thinnest)
        figures.gaussians_kept = len(shell.splat)
    with figures.step("surface"):
        raw = extract(shell, solid, voxel)
    with figures.step("repair"):
        dense = taubin(drop_specks(raw, solid), SMOOTHING_ROUNDS)
    with figures.step("simplify"):
        mesh = simplify(dense, faces or quality.faces)
    with figures.step("coverage"):
        share = coverage(seen, mesh)
        figures.coverage = None if share is None else round(share, 4)
        whole = coverage(seen, dense) if is_low(share) else None
        del seen
        if (sentence := warning(share, dense=whole)) is not None:
            figures.warnings.append(sentence)
    with figures.step("colour"):
        normals = vertex_normals(mesh)
        colors = colour.blend(shell, mesh.vertices, normals, cleaned.spacing)
    texture = None
    if quality.texels:
        with figures.step("texture"):
            texture = paint(mesh, normals, shell, cleaned.spacing, quality.texels)
    if texture is not None and normal_map is not False:
        with figures.step("normals"):
            relief = Relief.of(dense, voxel)
            texture = with_normal_map(texture, mesh, normals, relief, always=normal_map is True)
    figures.vertices, figures.faces = len(mesh.vertices), len(mesh.faces)
    figures.components, _ = parts(mesh)
    figures.watertight = is_closed(mesh)
    mesh, middle = centred(mesh)
    center = cleaned.frame.center + cleaned.frame.size * middle + origin
    return ColouredMesh(mesh, normals, colors, Frame(center, cleaned.frame.size), texture), figures
