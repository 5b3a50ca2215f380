"""Tests of loops that stand in the place of a library's."""

import numpy as np
import pytest
import trimesh
from scipy.ndimage import distance_transform_edt, gaussian_filter, label, maximum_filter
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from gen3d_mesh import cell_kernels, grid_kernels, mask_kernels
from gen3d_mesh.cells import Cells
from gen3d_mesh.repair import is_closed, parts, taubin, vertex_normals
from gen3d_mesh.solid import LEAST_CREST, Mask, slab_order, smooth
from gen3d_mesh.surface import Triangles
from gen3d_mesh.texture import CELL, _interpolate


def ball(flipped: bool = False) -> Triangles:
    sphere = trimesh.creation.icosphere(subdivisions=3)
    faces = sphere.faces[:, ::-1] if flipped else sphere.faces
    return Triangles(sphere.vertices.astype(np.float32), np.ascontiguousarray(faces, np.int32))


def test_nearest_is_nearest_however_far_off() -> None:
    rng = np.random.default_rng(0)
    points = (rng.random((3000, 3)) * (1, 0.3, 0.7)).astype(np.float32)
    cells, order = Cells.sort(points, 0.02)
    points = points[order]
    queries = (3 * rng.random((300, 3)) - 1).astype(np.float32)
    found = cell_kernels.nearest(points, cells.start, cells.origin, cells.size, queries)
    least, _ = cKDTree(points).query(queries)
    assert np.linalg.norm(points[found] - queries, axis=1) == pytest.approx(least, abs=1e-6)


def test_of_two_balls_in_any_order_each_vertex_knows_its_part() -> None:
    one = ball()
    faces = np.concatenate([one.faces, one.faces + len(one.vertices)])
    shuffle = np.random.default_rng(0).permutation(2 * len(one.vertices)).astype(np.int32)
    count, label = parts(Triangles(np.zeros((len(shuffle), 3), np.float32), shuffle[faces]))
    assert count == 2
    first, second = label[shuffle[: len(one.vertices)]], label[shuffle[len(one.vertices) :]]
    assert {first.min(), second.min()} == {0, 1}
    assert first.min() == first.max()
    assert second.min() == second.max()


def test_only_a_mesh_whose_every_edge_has_two_faces_is_closed() -> None:
    whole = ball()
    assert is_closed(whole)
    assert is_closed(ball(flipped=True))
    assert not is_closed(Triangles(whole.vertices, whole.faces[1:]))
    turned = whole.faces.copy()
    turned[5] = turned[5, ::-1]
    assert not is_closed(Triangles(whole.vertices, turned))
    twice = np.concatenate([whole.faces, whole.faces])
    assert not is_closed(Triangles(whole.vertices, twice))


def test_normals_point_outward_and_smoothing_keeps_the_size() -> None:
    mesh = ball()
    assert vertex_normals(mesh) == pytest.approx(mesh.vertices, abs=0.02)
    assert vertex_normals(ball(flipped=True)) == pytest.approx(-mesh.vertices, abs=0.02)
    rough = mesh.vertices * (1 + 0.05 * np.random.default_rng(0).standard_normal((642, 1)))
    smooth = taubin(Triangles(rough.astype(np.float32), mesh.faces), 4).vertices
    radius = np.linalg.norm(smooth, axis=1)
    assert radius.mean() == pytest.approx(1, abs=0.01)
    assert radius.std() < 0.03


def test_texels_between_are_the_mean_where_colours_agree_and_left_where_not() -> None:
    alike = np.float32(0.06)
    image = np.zeros((2 * CELL, 2 * CELL, 3), np.float32)
    painted = np.ones(image.shape[:2], bool)
    cells = np.array([[0, 0], [0, 1]], np.int32).repeat(2, axis=0).repeat(2, axis=1)
    image[:, :4] = 0.5
    image[::2, 4:] = 0.5 + 2 * alike  # an edge between columns 3 and 4, and odd rows unknown
    image[1::2] = image[:, 1::2] = 7
    image[0, 0], image[0, 2] = 0.5, 0.5 + alike / 2
    painted[4, 6] = False
    left = _interpolate(image, painted, cells, 2, alike)
    assert image[0, 1] == pytest.approx(0.5 + alike / 4)
    assert not left[:2, :3].any()
    assert left[0, 3]  # on the edge
    assert not left[0, 4:7].any()
    assert left[3:6, 5:8].sum() == 8  # beside a texel that nothing lies on: nine, less itself
    assert not left[7, 4]
    assert left[7, 10]  # of another chart below
    assert left[10, 7]  # and to the right
    assert left[2 * CELL - 1].all()  # nothing below


def test_texels_between_those_far_apart_are_filled_halfway_alone() -> None:
    image = np.full((2 * CELL, CELL, 3), 7, np.float32)
    image[::4, ::4] = 0.5
    image[8, 4] = 0.7
    painted, cells = np.ones(image.shape[:2], bool), np.zeros((4, 2), np.int32)
    left = _interpolate(image, painted, cells, 4, np.float32(0.06))
    assert (image[0:5:2, 0:5:2] == 0.5).all()
    assert (image[1::2] == 7).all()
    assert (image[:, 1::2] == 7).all()
    assert left[6:11:2, 2:5:2].sum() == 5  # around the one that differs: six, less itself
    assert left.sum() == 5 + 8 + 3  # nothing to the right, and nothing below


def test_the_surface_is_the_same_where_only_crossed_cubes_are_looked_at() -> None:
    values = gaussian_filter(np.random.default_rng(0).standard_normal((24, 19, 31)), 2)
    values = (values / values.std()).astype(np.float32)
    mask = grid_kernels.crossed(values)
    assert mask.mean() < 0.5
    for whole, few in zip(
        marching_cubes(values, 0.0), marching_cubes(values, 0.0, mask=mask), strict=True
    ):
        np.testing.assert_array_equal(whole, few)


def test_labels_are_counted_and_picked() -> None:
    labels = np.random.default_rng(0).integers(0, 5, (7, 6, 5)).astype(np.int32)
    times = grid_kernels.occurrences(labels, 6)
    np.testing.assert_array_equal(times, np.bincount(labels.ravel(), minlength=6))
    keep = np.array([False, True, False, False, True, True])
    np.testing.assert_array_equal(grid_kernels.picked(labels, keep), keep[labels])


def test_a_flood_takes_what_is_free_and_joined_to_the_outside() -> None:
    free = np.random.default_rng(0).random((40, 30, 20)) < 0.4
    free[[0, -1]] = free[:, [0, -1]] = free[:, :, [0, -1]] = False
    outside = np.zeros_like(free)
    outside[0] = True
    flooded = outside.copy()
    grid_kernels.flood(free, flooded)
    labels, _ = label(free | outside)
    expected = labels == labels[0, 0, 0]
    assert outside.sum() < expected.sum() < (free | outside).sum()
    np.testing.assert_array_equal(flooded, expected)


def test_planes_lie_where_the_heavier_neighbours_are() -> None:
    """On a slope, with as many light points far above it."""
    rng = np.random.default_rng(0)
    slope = np.array([1, 2, 2]) / 3
    flat = rng.uniform(-0.5, 0.5, (4000, 3))
    flat -= (flat @ slope)[:, None] * slope
    heights = np.concatenate([rng.normal(0, 0.003, 4000), rng.uniform(0.01, 0.02, 4000)])
    points = (np.concatenate([flat, flat]) + heights[:, None] * slope).astype(np.float32)
    weights = np.repeat([1, 0.02], 4000).astype(np.float32)
    cells, order = Cells.sort(points, 0.06)
    normals, way = cell_kernels.fit_planes(
        points[order], weights[order], cells.start, cells.origin, cells.size, np.float32(0.06)
    )
    middle = np.linalg.norm(points[order], axis=1) < 0.3
    assert np.abs(normals @ slope)[middle].min() > 0.98
    mean = points[order] + way
    assert np.abs(mean[middle] @ slope).max() < 0.004
    # At the edge of what is there, the mean lies further in.
    edge = np.linalg.norm(points[order], axis=1) > 0.65
    inward = np.linalg.norm(points[order], axis=1) - np.linalg.norm(mean, axis=1)
    assert inward[edge].mean() > inward[middle].mean() + 0.004


def test_a_point_behind_more_than_are_considered_keeps_the_way_it_faces() -> None:
    count = cell_kernels.AROUND + 10
    points = np.full((count, 3), 0.5, np.float32)
    facing = np.tile(np.array([0, 0, -1], np.float32), (count, 1))
    points[-1, 2] += 1e-3
    facing[-1] = 0, 0.6, 0.8
    cells, order = Cells.sort(points, 0.02)
    assert (order == np.arange(count)).all()
    normals, thickness, middle = cell_kernels.facing_normals(
        points, cells.start, cells.origin, cells.size, facing, np.float32(0.02)
    )
    assert normals[-1] == pytest.approx(facing[-1])
    assert np.isinf(thickness[-1])
    assert middle[-1] == 0


@pytest.mark.parametrize("voxels", [6, 40])
def test_points_count_in_each_voxel_around_them_also_at_the_rim(voxels: int) -> None:
    rng = np.random.default_rng(0)
    points = (rng.random((50, 3)) * (30, 20, voxels - 1)).astype(np.float32)
    shape = (31, 21, voxels)
    order, slabs = slab_order(points[:, 0], 9)
    to = np.moveaxis(np.indices(shape), 0, -1)[..., None, :] - points
    squared = (to**2).sum(axis=-1)

    density = np.zeros(shape, np.float32)
    grid_kernels.add_gaussians(
        density, order, slabs, points, np.full((50, 3), 0.6, np.float32),
        np.tile(np.array([1, 0, 0, 0], np.float32), (50, 1)), np.full(50, 0.8, np.float32),
        np.float32(0.8), np.float32(4),
    )  # fmt: skip
    share = np.where(squared < 7, 0.8 * np.exp(-squared / 2), 0)
    assert density == pytest.approx(share.sum(axis=-1), abs=0.01)

    normals = rng.standard_normal((50, 3)).astype(np.float32)
    halves = np.repeat([0, 0.5], 25).astype(np.float32)
    distance, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    grid_kernels.add_distances(
        distance, weight, order, slabs, points, normals, np.ones(50, np.float32), halves
    )
    share = np.where(squared <= grid_kernels.DISTANCE_REACH**2, np.exp(-squared / 2), 0)
    away = (to * normals).sum(axis=-1)
    away = np.where(halves > 0, np.abs(away) - halves, away)
    assert weight == pytest.approx(share.sum(axis=-1), abs=0.01)
    assert distance == pytest.approx((share * away).sum(axis=-1), abs=0.05)


def blobs(share: float) -> Mask:
    values = gaussian_filter(np.random.default_rng(0).standard_normal((40, 31, 52)), 2)
    values[:8] = values[-8:] = values[:, :8] = values[:, -8:] = -1
    values[:, :, :8] = values[:, :, -8:] = -1
    mask: Mask = values > np.quantile(values, 1 - share)
    return mask


@pytest.mark.parametrize("share", [0.005, 0.05, 0.9])
def test_parts_of_a_mask_are_numbered_as_scipy_does(share: float) -> None:
    for mask in (blobs(share), ~blobs(share), np.random.default_rng(1).random((9, 8, 7)) < share):
        labels, count = mask_kernels.label(mask)
        expected, number = label(mask)
        assert count == number
        np.testing.assert_array_equal(labels, expected)
        np.testing.assert_array_equal(mask_kernels.first_part(mask), expected == 1)


def test_distances_are_those_of_scipy_as_far_as_they_are_asked_for() -> None:
    mask = blobs(0.05)
    squared = distance_transform_edt(~mask) ** 2
    for most in (1, 5, 60):
        found = mask_kernels.squared_distances(mask, most)
        np.testing.assert_array_equal(found, np.minimum(np.rint(squared), most**2))


def test_the_nearest_number_is_that_of_scipy() -> None:
    mask = blobs(0.002)
    numbers = np.where(mask, np.arange(mask.size).reshape(mask.shape), 0)
    squared, found = mask_kernels.nearest(numbers.astype(np.int32))
    expected = distance_transform_edt(numbers == 0) ** 2
    np.testing.assert_array_equal(squared, np.rint(expected))
    # Where several are as near, either will do.
    places = np.array(np.unravel_index(found, numbers.shape))
    here = np.indices(numbers.shape)
    np.testing.assert_array_equal(((places - here) ** 2).sum(axis=0), squared)


@pytest.mark.parametrize("sigma", [0.9, 2.3, 3.2])
def test_a_lifted_blur_is_the_quotient_of_two_filters(sigma: float) -> None:
    mask = blobs(0.05)
    blurred = gaussian_filter(mask.astype(float), sigma, truncate=2.5)
    crest = maximum_filter(blurred, size=2 * round(2 * sigma) + 1)
    expected = blurred / np.maximum(crest, LEAST_CREST)
    assert (crest[mask] < 0.9).mean() > 0.1  # there are thin walls
    np.testing.assert_allclose(smooth(mask, sigma), expected, atol=2e-6)
