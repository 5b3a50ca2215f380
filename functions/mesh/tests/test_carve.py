"""Gaps that only `fine` opens, and what it must leave shut."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from gen3d_mesh import mask_kernels, pipeline
from gen3d_mesh.carve import _bridges, _cut, _without_films, carve
from gen3d_mesh.clean import clean
from gen3d_mesh.pipeline import QUALITIES, build
from gen3d_mesh.solid import Grid, Parts, Solid, find_solid, smooth
from gen3d_mesh.splat import Splat

from .conftest import cloud, torus

FINE = replace(QUALITIES["fine"], faces=20_000, texels=0)


def bars() -> trimesh.Trimesh:
    """Two bars in a row, .8 % of the length apart: by the first flood alone they hang together."""
    half = trimesh.creation.box([0.5, 0.12, 0.12])
    ends = [half.copy().apply_translation([side * 0.254, 0, 0]) for side in (-1, 1)]
    return trimesh.util.concatenate(ends)


def links() -> trimesh.Trimesh:
    """Three links that hang in one another, 1 % of the length apart at the least."""
    ring, tube, apart = 0.18, 0.03, 0.01
    chain = []
    for k in range(3):
        link = trimesh.creation.torus(ring, tube, major_sections=64, minor_sections=24)
        if k % 2:
            link.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
        chain.append(link.apply_translation([k * (2 * ring - 2 * tube - apart), 0, 0]))
    return trimesh.util.concatenate(chain)


def test_a_rod_that_carving_made_too_thin_is_found() -> None:
    """A rod as thin as a voxel beside a block, with gaussians in it: its blur is lost.

    A few gaussians that are low lie at the rim of every gap.
    """
    mask = np.zeros((48, 40, 40), bool)
    mask[12:26, 12:28, 12:28] = True
    for thick, many, found in ((1, 40, True), (1, 16, False), (12, 40, False)):
        low = 20 - thick // 2
        carved = mask.copy()
        carved[26:40, low : low + thick, low : low + thick] = True
        grid = Grid(np.zeros(3, np.float32), 1.0, carved.shape)
        solid = Solid(grid, carved, smooth(carved, 3.0), 3.0, Parts(1, 0, 0))
        block = np.argwhere(mask)[::9].astype(np.float32)
        rod = np.array([[27 + k / 4, 20, 20] for k in range(many)], np.float32)
        cut = _cut(solid, np.concatenate([block, rod]), grid, 2)
        assert cut.any() == found
        assert not cut[:13].any()


def test_a_film_without_gaussians_goes_and_one_with_some_stays() -> None:
    carved = np.zeros((24, 16, 16), bool)
    carved[2:10] = True
    carved[15] = True
    grid = Grid(np.zeros(3, np.float32), 1.0, carved.shape)
    film = np.argwhere(carved[15]).astype(np.float32)
    centers = np.concatenate([np.full((len(film), 1), 15, np.float32), film], axis=1)
    assert _without_films(carved, centers, grid)[15, 3:13, 3:13].all()
    without = _without_films(carved, centers[:0], grid)
    assert not without[15].any()
    assert without[4:8, 3:13, 3:13].all()


@pytest.mark.parametrize("shape", [bars(), links()], ids=["bars", "links"])
def test_fine_keeps_gaps_of_a_hundredth_open(
    shape: trimesh.Trimesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    splat = cloud(shape, 80_000)
    coloured, figures = build(splat, FINE)
    result = trimesh.Trimesh(coloured.positions, coloured.mesh.faces, process=False)
    assert figures.watertight
    assert figures.components == shape.body_count
    assert result.euler_number == shape.euler_number
    assert result.volume == pytest.approx(shape.volume, rel=0.05)
    monkeypatch.setattr(pipeline, "carve", lambda solid, *_: solid)
    _, fused = build(splat, FINE)
    assert fused.components < shape.body_count


@pytest.mark.parametrize("wide", [4, 20])
def test_bridges_between_two_parts_go_where_they_are_short(wide: int) -> None:
    """In the middle and at the rim; a rod that is as thin and longer stays."""
    two = np.zeros((64 + wide, 44, 44), bool)
    two[8:32, 8:36, 8:36] = two[32 + wide : -8, 8:36, 8:36] = True
    gap = np.zeros_like(two)
    gap[32 : 32 + wide, 8:36, 8:36] = True
    joined = two.copy()
    for y, z in ((20, 20), (8, 14), (30, 32)):
        joined[32 : 32 + wide, y : y + 4, z : z + 4] = True
    bridges = _bridges(joined, gap)
    assert mask_kernels.label(joined)[1] == 1
    assert mask_kernels.label(joined & ~bridges)[1] == (2 if wide == 4 else 1)
    assert not (bridges & ~gap).any()
    assert not _bridges(joined, np.zeros_like(gap)).any()  # where no gap was opened


def test_what_joins_a_part_to_itself_is_no_bridge() -> None:
    ring = np.zeros((40, 60, 60), bool)
    ring[8:32, 8:52, 8:52] = True
    ring[8:32, 28:32, 20:52] = False  # a slit, from one side
    gap = np.zeros_like(ring)
    gap[8:32, 28:32, 20:52] = True
    ring[18:22, 28:32, 40:44] = True
    assert not _bridges(ring, gap).any()


def solid_of(splat: Splat) -> tuple[Splat, float, Solid]:
    cleaned = clean(splat)
    return cleaned.splat, cleaned.spacing, find_solid(cleaned.splat, FINE.solid_voxels, 0.0065)


def test_a_solid_without_gaps_stays_as_it_is() -> None:
    """A cloud that is dense enough to look, and one that is not."""
    for count in (150_000, 10_000):
        splat, spacing, solid = solid_of(cloud(torus(), count))
        assert carve(solid, splat, spacing) is solid


def test_a_hole_in_the_cloud_and_a_thin_plate_stay_shut() -> None:
    splat = cloud(trimesh.creation.box([1, 0.3, 0.02]), 150_000)
    hole = np.linalg.norm(splat.centers - np.array([0.2, 0, 0.01], np.float32), axis=1) < 0.006
    splat, spacing, solid = solid_of(splat.take(~hole))
    carved = carve(solid, splat, spacing)
    x, y, z = np.round(carved.grid.index(np.array([[0.1, 0, 0], [-0.3, 0.1, 0]], np.float32))).T
    assert carved.mask[x.astype(int), y.astype(int), z.astype(int)].all()


@pytest.mark.parametrize(("end", "parted"), [(30, True), (10, False)], ids=["block", "rung"])
def test_a_bridge_joins_large_parts_and_no_rung(end: int, parted: bool) -> None:
    """A rung of a faint chair is thin where it meets the leg, beside what was opened there."""
    carved = np.zeros((110, 50, 50), bool)
    carved[10:40, 10:40, 10:40] = True
    middle = slice(25 - end // 2, 25 + end // 2)
    carved[44:104, middle, middle] = True
    carved[40:44, 23:28, 23:28] = True
    opened = np.zeros_like(carved)
    opened[38:46] = True
    found = _bridges(carved, opened)
    assert mask_kernels.label(carved & ~found)[1] == (2 if parted else 1)
