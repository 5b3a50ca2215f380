"""Clouds of gaussians over a true shape, laid out as SAM 3D Objects lays them.

Its decoder activates the voxels of a 64³ grid that the surface passes through and lets each emit
some gaussians, at places limited to the voxel's surroundings and only partly drawn to the surface.
A tenth lies inside the object, where nothing ever corrects it; 2 % float about. Quaternions are not
normalised and the short axis is any of the three.

`trained_of` lays them as training on photos does instead: few large flat ones where the surface is
flat and of one colour, many small ones at edges.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import trimesh
from scipy.spatial.transform import Rotation

from bench.mesh.shapes import albedo
from gen3d_mesh.splat import Splat

if TYPE_CHECKING:
    import open3d as o3d

Array = npt.NDArray[np.floating[Any]]

GRID = 64
INNER, FLOATERS = 0.10, 0.02

DEEP = 0.008
"""From the surface, at least, lie the gaussians inside."""


def scene_of(mesh: trimesh.Trimesh) -> "o3d.t.geometry.RaycastingScene":
    """Distances to a mesh, by open3d."""
    import open3d as o3d  # takes seconds, and Debian packages

    scene = o3d.t.geometry.RaycastingScene(nthreads=2)
    scene.add_triangles(
        o3d.core.Tensor.from_numpy(np.asarray(mesh.vertices, np.float32)),
        o3d.core.Tensor.from_numpy(np.asarray(mesh.faces, np.uint32)),
    )
    return scene


def tensor(points: Array) -> "o3d.core.Tensor":
    """Points as open3d takes them."""
    import open3d as o3d

    return o3d.core.Tensor.from_numpy(np.ascontiguousarray(points, np.float32))


def splat_of(mesh: trimesh.Trimesh, count: int, *, seed: int = 0, inner: float = INNER,
             floaters: float = FLOATERS) -> Splat:  # fmt: skip
    """Make a cloud of `count` gaussians.

    Parameters
    ----------
    mesh : trimesh.Trimesh
    count : int
    seed : int
    inner, floaters : float
        Shares of the gaussians inside the object, and anywhere.
    """
    rng = np.random.default_rng(seed)
    scene = scene_of(mesh)
    n_floaters = int(floaters * count)
    n_inner = int(inner * count) if mesh.is_watertight else 0
    parts = [_near_surface(scene, count - n_floaters - n_inner, rng)]
    if n_inner:
        parts.append(_inside(mesh, scene, n_inner, rng))
    if n_floaters:
        parts.append(_floating(mesh, n_floaters, rng))
    order = rng.permutation(sum(len(part) for part in parts))
    return joined(*parts).take(order)


def _splat(centers: Array, colors: Array, opacities: Array, scales: Array, turns: Array) -> Splat:
    return Splat(*(a.astype(np.float32) for a in (centers, colors, opacities, scales, turns)))


def _near_surface(
    scene: "o3d.t.geometry.RaycastingScene", count: int, rng: np.random.Generator
) -> Splat:
    step = 1 / GRID
    corner = np.stack(np.meshgrid(*[np.arange(GRID)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    voxels = (corner + 0.5) * step - 0.5
    active = voxels[scene.compute_distance(tensor(voxels)).numpy() < 0.62 * step]
    each = max(32, int(np.ceil(count / len(active))))
    voxel = np.repeat(active, each, axis=0)[rng.permutation(len(active) * each)[:count]]
    start = voxel + rng.uniform(-0.5, 0.5, voxel.shape) * step

    closest = scene.compute_closest_points(tensor(start))
    on_surface = closest["points"].numpy().astype(float)
    normals = closest["primitive_normals"].numpy().astype(float)
    good = rng.random(count) < 0.8
    pull = np.where(good, rng.uniform(0.75, 1, count), rng.uniform(0, 0.6, count))
    centers = start + pull[:, None] * (on_surface - start) - 0.0008 * normals
    centers += rng.normal(0, 0.0008, centers.shape)
    centers = voxel + np.clip(centers - voxel, -0.75 * step, 0.75 * step)

    # Flat along the surface, but for a fifth that is round; tilted by some 18°.
    flat = np.exp(rng.normal(np.log([0.0048, 0.0048, 0.0016]), [0.45, 0.45, 0.35], (count, 3)))
    round_ = np.exp(rng.normal(np.log(0.003), 0.4, (count, 1)) + rng.normal(0, 0.1, (count, 3)))
    scales = np.where(rng.random((count, 1)) < 0.2, round_, np.maximum(flat, 9e-4))
    tilt = Rotation.from_rotvec(rng.normal(size=(count, 3)) * np.radians(18) / np.sqrt(3))
    frames = tilt.as_matrix() @ _frames(normals)
    shift = rng.integers(0, 3, count)
    axes = (np.arange(3) + shift[:, None]) % 3
    scales = np.take_along_axis(scales, axes, axis=1)
    frames = np.take_along_axis(frames, axes[:, None, :].repeat(3, axis=1), axis=2)
    turns = Rotation.from_matrix(frames).as_quat()[:, [3, 0, 1, 2]]
    turns *= rng.uniform(0.5, 2, (count, 1))

    colors = np.clip(albedo(on_surface) + rng.normal(0, 0.03, (count, 3)), 0, 1)
    opacities = np.where(good, rng.beta(4, 1.6, count), rng.beta(1.2, 3.5, count))
    return _splat(centers, colors, opacities, scales, turns)


SIZES = (0.006, 0.045)
"""Least and largest standard deviation of a trained gaussian along the surface."""

OVERLAP = 5.0
"""Trained gaussians over each place of the surface, each counted to one standard deviation."""


def trained_of(mesh: trimesh.Trimesh, *, seed: int = 0, floaters: float = 0.0) -> Splat:
    """Make a cloud as training does; the number of gaussians follows from the shape.

    Each is as large as the surface is flat around it and of one colour, to `SIZES`, up to four
    times as long as wide and a hundred times as long as thick. Large ones are sparse.

    Parameters
    ----------
    mesh : trimesh.Trimesh
    seed : int
    floaters : float
        How many gaussians float about, as a share of the others.
    """
    rng = np.random.default_rng(seed)
    scene = scene_of(mesh)
    ladder = np.geomspace(*SIZES, 9)
    places, faces = trimesh.sample.sample_surface(mesh, 200_000, seed=seed)
    normals = mesh.face_normals[faces]
    frames = _frames(normals)
    turn = rng.uniform(0, 2 * np.pi, len(places))
    u = np.cos(turn)[:, None] * frames[:, :, 0] + np.sin(turn)[:, None] * frames[:, :, 1]
    v = np.cross(normals, u)
    here = albedo(places)
    size = np.full(len(places), ladder[0])
    growing = np.ones(len(places), bool)
    for radius in ladder[1:]:  # a gaussian may grow while all of its rim is surface of its colour
        on = np.flatnonzero(growing)
        for angle in np.arange(6) * np.pi / 3:
            rim = places[on] + 1.5 * radius * (np.cos(angle) * u[on] + np.sin(angle) * v[on])
            off = scene.compute_distance(tensor(rim)).numpy() > max(0.06 * radius, 0.0008)
            unlike = np.abs(albedo(rim) - here[on]).max(axis=1) > 0.3
            on = on[~off & ~unlike]
        growing = np.isin(np.arange(len(places)), on)
        size[growing] = radius

    aspect = np.exp(rng.uniform(np.log(0.25), 0, len(places)))
    share = OVERLAP * mesh.area / (np.pi * size * size * aspect)  # of all, were all of this size
    # Training leaves no hole: neighbours share the numbers out instead of casting dice.
    block = np.floor(places / (2 * SIZES[1])).astype(int)
    order = np.lexsort((*places.T, size, *block.T, normals.argmax(axis=1), normals.argmin(axis=1)))
    total = np.floor(np.cumsum(share[order] / len(places)) + rng.random()).astype(int)
    kept = np.repeat(order, np.diff(total, prepend=0))
    long = size[kept] * np.exp(rng.normal(0, 0.15, len(kept)))
    thin = np.maximum(0.01 * long, 0.0003) * np.exp(rng.normal(0, 0.4, len(kept)))
    scales = np.stack([long, long * aspect[kept], thin], axis=1)
    tilt = Rotation.from_rotvec(rng.normal(size=(len(kept), 3)) * np.radians(2))
    axes = tilt.as_matrix() @ np.stack([u, v, normals], axis=2)[kept]
    centers = places[kept] + rng.normal(0, 0.0004, (len(kept), 3))
    colors = np.clip(here[kept] + rng.normal(0, 0.03, (len(kept), 3)), 0, 1)
    turns = Rotation.from_matrix(axes).as_quat()[:, [3, 0, 1, 2]]
    surface = _splat(centers, colors, rng.beta(4, 1.2, len(kept)), scales, turns)
    if not floaters:
        return surface
    return joined(surface, _floating(mesh, int(floaters * len(kept)), rng))


def joined(*splats: Splat) -> Splat:
    """One splat of several."""
    names = ("centers", "colors", "opacities", "scales", "rotations")
    return Splat(*(np.concatenate([getattr(splat, n) for splat in splats]) for n in names))


def _frames(normals: Array) -> Array:
    """Rotations whose third column is the normal."""
    helper = np.where(np.abs(normals[:, :1]) < 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]])
    tangent = np.cross(normals, helper)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    return np.stack([tangent, np.cross(normals, tangent), normals], axis=2)


def _inside(
    mesh: trimesh.Trimesh,
    scene: "o3d.t.geometry.RaycastingScene",
    count: int,
    rng: np.random.Generator,
) -> Splat:
    found = np.empty((0, 3))
    least = 0.0
    while len(found) < count:
        tried = rng.uniform(mesh.bounds[0], mesh.bounds[1], (4 * count, 3))
        depth = -scene.compute_signed_distance(tensor(tried)).numpy()
        # In walls thinner than 2.5 % hardly any place is as deep, or none.
        least = least or (DEEP if depth.max() > 1.25 * DEEP else float(depth.max()) / 2)
        found = np.concatenate([found, tried[depth > least]])
    return _haze(found[:count], 0.6, rng.uniform(0.05, 0.9, count), rng)


def _floating(mesh: trimesh.Trimesh, count: int, rng: np.random.Generator) -> Splat:
    reach = 0.1 * mesh.extents.max()
    low, high = mesh.bounds[0] - reach, mesh.bounds[1] + reach
    alone = rng.uniform(low, high, (int(0.6 * count), 3))
    clumps = rng.uniform(low, high, (max(1, count // 400), 3))
    which = rng.integers(0, len(clumps), count - len(alone))
    clumped = clumps[which] + rng.normal(0, 0.008, (count - len(alone), 3))
    return _haze(np.concatenate([alone, clumped]), 1, rng.beta(1.2, 3, count), rng)


def _haze(centers: Array, brightest: float, opacities: Array, rng: np.random.Generator) -> Splat:
    n = len(centers)
    colors = rng.uniform(0, brightest, (n, 3))
    scales = np.exp(rng.normal(np.log(0.006), 0.4, (n, 3)))
    return _splat(centers, colors, opacities, scales, rng.normal(size=(n, 4)))


def with_hole(splat: Splat, mesh: trimesh.Trimesh, radius: float = 0.05) -> Splat:
    """Cut a ball out of the cloud, around the surface's foremost point."""
    center = mesh.vertices[np.argmin(mesh.vertices[:, 1])]
    return splat.take(np.linalg.norm(splat.centers - center, axis=1) > radius)


def half_faint(splat: Splat, seed: int = 0) -> Splat:
    """Bring the opacity of every other gaussian down to a fifth."""
    faint = np.random.default_rng(seed).random(len(splat)) < 0.5
    opacities = np.where(faint, 0.2 * splat.opacities, splat.opacities)
    return replace(splat, opacities=opacities.astype(np.float32))
