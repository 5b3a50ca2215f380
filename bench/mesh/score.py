"""How near a mesh is to the truth."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import trimesh

from bench.mesh.clouds import Array, scene_of, tensor
from bench.mesh.shapes import albedo
from gen3d_mesh.coloured_mesh import Texture

SAMPLES = 200_000
RAYS = 128
"""Along an edge of each picture of the true surface."""

NEAR = 0.02
_AXES = np.array([[6, 2, 3], [-3, 6, 2], [-2, -3, 6]], np.float32) / np.float32(7)
VIEWS = tuple(np.roll(_AXES, -k, axis=0) for k in range(3))
"""Both as in `gen3d_mesh.coverage`, which an older build lacks."""


@dataclass(frozen=True)
class Score:
    """Attributes are of the table's columns; lengths in shares of the longest side.

    Attributes
    ----------
    f1, f05 : float
        F-score: harmonic mean of the shares of each surface that lie within 1 % and 0.5 % of the
        other.
    color : float
        Root mean square error of sRGB where the true surface is met within 1 %.
    normal : float
        Mean angle in degrees between the normals that the surface is shaded with and the true
        surface's, which are those of its faces, where that is met within 1 %.
    mapped : float or None
        The same with the normal map, where there is one.
    covered : float
        Share of the true surface, seen from outside, within 2 %: what `gen3d_mesh.coverage` tells
        without knowing the truth.
    watertight : bool
    euler, components : int
    """

    f1: float
    f05: float
    color: float
    normal: float
    mapped: float | None
    covered: float
    watertight: bool
    euler: int
    components: int


def score(
    result: trimesh.Trimesh,
    truth: trimesh.Trimesh,
    colors: Array,
    normals: Array,
    texture: Texture | None = None,
) -> Score:
    """Compare a mesh with the truth.

    Parameters
    ----------
    result, truth : trimesh.Trimesh
        In the same frame.
    colors : (n, 3)
        sRGB of the result's vertices, for where there is no texture.
    normals : (n, 3)
        Of the result's vertices.
    texture : Texture, optional
    """
    side = truth.extents.max()
    ours, _ = trimesh.sample.sample_surface(result, SAMPLES, seed=5)
    true, true_face = trimesh.sample.sample_surface(truth, SAMPLES, seed=6)
    off = scene_of(truth).compute_distance(tensor(ours)).numpy() / side
    met = scene_of(result).compute_closest_points(tensor(true))
    missed = np.linalg.norm(met["points"].numpy() - true, axis=1) / side

    def f_score(within: float) -> float:
        precision, recall = (off < within).mean(), (missed < within).mean()
        return float(2 * precision * recall / max(precision + recall, 1e-9))

    u, v = met["primitive_uvs"].numpy().astype(float).T
    share = np.stack([1 - u - v, u, v], axis=1)[:, :, None]
    face = met["primitive_ids"].numpy().astype(np.int64)
    if texture is None:
        seen = (colors[result.faces[face]] * share).sum(axis=1)
    else:
        seen = bilinear(texture.image, (texture.uv[texture.faces[face]] * share).sum(axis=1))
    near = missed < 0.01
    error = seen[near] - albedo(true[near])
    facing = truth.face_normals[true_face][near]
    face, share = face[near], share[near]
    normal = _unit((normals[result.faces[face]] * share).sum(axis=1))
    mapped = None
    # An older build's texture does not know of it.
    if texture is not None and getattr(texture, "normal_map", None) is not None:
        mapped = _angle(_bent(result, normals, normal, texture, face, share), facing)
    return Score(
        f_score(0.01),
        f_score(0.005),
        float(np.sqrt((error**2).mean())),
        _angle(normal, facing),
        mapped,
        covered(result, truth),
        bool(result.is_watertight),
        int(result.euler_number),
        int(result.body_count),
    )


def _bent(
    result: trimesh.Trimesh, normals: Array, normal: Array, texture: Texture,
    face: npt.NDArray[np.int64], share: Array,
) -> Array:  # fmt: skip
    """Normals of places on faces by the texture's map, as glTF says."""
    from gen3d_mesh.coloured_mesh import tangents  # which an older build lacks

    assert texture.normal_map is not None
    frames = tangents(
        np.asarray(result.vertices, np.float32), normals.astype(np.float32), texture
    ).astype(float)
    corners = texture.faces[face]
    right = _unit((frames[corners] * share).sum(axis=1)[:, :3])
    up = np.cross(normal, right) * frames[corners[:, 0], 3:]
    uv = (texture.uv[corners] * share).sum(axis=1)
    x, y, z = (2 * bilinear(texture.normal_map, uv) - 1).T[:, :, None]
    return _unit(x * right + y * up + z * normal)


def _angle(a: Array, b: Array) -> float:
    """Mean angle between unit vectors in degrees."""
    return float(np.degrees(np.arccos((a * b).sum(axis=1).clip(-1, 1))).mean())


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def covered(result: trimesh.Trimesh, truth: trimesh.Trimesh) -> float:
    """Share of what parallel rays from six sides meet of the truth that is near the result."""
    center, side = truth.bounds.mean(axis=0), truth.extents.max()
    half = 0.51 * np.linalg.norm(truth.extents)
    across = (np.arange(RAYS) + 0.5) * (2 * half / RAYS) - half
    grid = np.stack([*np.meshgrid(across, across), np.full((RAYS, RAYS), 2 * half)], axis=2)
    seen = []
    for axes in VIEWS:
        for end in (1, -1):
            starts = (grid.reshape(-1, 3) * [1, 1, end]) @ axes + center
            ahead = np.broadcast_to(-end * axes[2], starts.shape)
            rays = tensor(np.concatenate([starts, ahead], axis=1))
            far = scene_of(truth).cast_rays(rays)["t_hit"].numpy()
            met = np.isfinite(far)
            seen.append(starts[met] + far[met, None] * ahead[met])
    off = scene_of(result).compute_distance(tensor(np.concatenate(seen))).numpy()
    return float((off < NEAR * side).mean())


def bilinear(image: npt.NDArray[np.uint8], uv: Array) -> Array:
    """Colours in [0, 1] of a picture at uv from its top left, as a GPU reads them."""
    height, width = image.shape[:2]
    at = np.clip(uv * [width, height] - 0.5, 0, [width - 1.001, height - 1.001])
    (x, y), (s, t) = np.floor(at).astype(int).T, (at % 1).T[:, :, None]
    near = image[y, x] * (1 - s) + image[y, x + 1] * s
    far = image[y + 1, x] * (1 - s) + image[y + 1, x + 1] * s
    colors: Array = (near * (1 - t) + far * t) / 255
    return colors
