"""A picture of the mesh, fit for a mail: three-quarter view in a soft studio light.

Rays are cast on the CPU by Embree; no display or GPU is needed. Light is gathered once at each
vertex and at a grid of points on the floor, then interpolated: soft shadows without noise.
"""

import io
import math

import numpy as np
import numpy.typing as npt
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from PIL import Image

from gen3d_mesh import mesh_kernels
from gen3d_mesh.coloured_mesh import ColouredMesh, linear_to_srgb, srgb_to_linear
from gen3d_mesh.grid_kernels import sample
from gen3d_mesh.splat import Floats

SIZE = 768
"""Pixels of the square picture."""

OVERSAMPLING = 2
"""Rays along each edge of a pixel."""

LIGHT_RAYS = 64
LIGHT_ROUNDS = 2
"""So often a vertex's light goes halfway to its neighbours': few rays leave it grainy."""

FLOOR_POINTS = 160
"""Points along the floor's edge where its shadow is gathered."""

AZIMUTH, ELEVATION, FIELD_OF_VIEW = math.radians(-66), math.radians(20), math.radians(28)
BACKGROUND = np.array([0.93, 0.935, 0.94], np.float32)
"""sRGB; the floor fades into it."""

_KEY = np.array([-0.35, -0.65, 0.85], np.float32) / np.float32(np.linalg.norm([0.35, 0.65, 0.85]))
"""Towards the soft box: over the camera's left shoulder."""


def render(*parts: ColouredMesh, size: int = SIZE) -> bytes:
    """Render a coloured mesh, or several together.

    Parameters
    ----------
    parts : ColouredMesh
        In one frame, in which the longest side of them all is about 1.
    size : int
        Pixels of the square picture.

    Returns
    -------
    bytes
        PNG.
    """
    first = np.cumsum([0, *(len(part.mesh.vertices) for part in parts)])
    vertices = np.concatenate([part.mesh.vertices for part in parts])
    normals = np.concatenate([part.normals for part in parts])
    faces = np.concatenate(
        [part.mesh.faces + np.int32(start) for part, start in zip(parts, first[:-1], strict=True)]
    )
    scene = EmbreeScene()
    TriangleMesh(scene, vertices, faces)

    # The floor has no edges, so that one ray a pixel is enough for it.
    origin, directions = _camera(vertices, size)
    floor = linear_to_srgb(np.clip(_floor(scene, vertices, origin, directions), 0, 1))
    picture = _samples(floor.reshape(size, size, 3))

    origin, directions = _camera(vertices, size * OVERSAMPLING)
    origins = np.broadcast_to(origin, directions.shape).astype(np.float32)
    hit = scene.run(origins, directions, query="INTERSECT", output=1)
    on = np.flatnonzero(hit["primID"] >= 0)
    corners = faces[hit["primID"][on]]
    light = _light_on_vertices(scene, vertices, normals, faces, corners)
    u, v = hit["u"][on], hit["v"][on]
    share = np.stack([1 - u - v, u, v], axis=1)[:, :, None]
    albedo = srgb_to_linear(_colors_of(parts, hit["primID"][on], share))
    radiance = albedo * _between(light[:, None], corners, share)
    picture.reshape(-1, 3)[on] = linear_to_srgb(np.clip(radiance, 0, 1))

    pixels = _averaged(picture)
    file = io.BytesIO()
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _samples(picture: Floats) -> Floats:
    """Each pixel of [H, W, 3] as `OVERSAMPLING` × `OVERSAMPLING` equal samples."""
    return picture.repeat(OVERSAMPLING, axis=0).repeat(OVERSAMPLING, axis=1)


def _averaged(samples: Floats) -> Floats:
    """The way back: the mean of each pixel's samples."""
    parts = [  # slices add up sooner than a mean over two axes
        samples[y::OVERSAMPLING, x::OVERSAMPLING]
        for y in range(OVERSAMPLING)
        for x in range(OVERSAMPLING)
    ]
    mean: Floats = sum(parts[1:], parts[0]) / np.float32(len(parts))
    return mean


def _colors_of(
    parts: tuple[ColouredMesh, ...], faces: npt.NDArray[np.int32], share: Floats
) -> Floats:
    """Colours of points of several meshes, whose faces are counted through."""
    colors = np.empty((len(faces), 3), np.float32)
    start = 0
    for part in parts:
        count = len(part.mesh.faces)
        on = np.flatnonzero((faces >= start) & (faces < start + count))
        colors[on] = colors_at(part, faces[on] - np.int32(start), share[on])
        start += count
    return colors


def colors_at(coloured: ColouredMesh, faces: npt.NDArray[np.int32], share: Floats) -> Floats:
    """Colours of points given by face and weights of its corners, sRGB."""
    if coloured.texture is None:
        return _between(coloured.colors, coloured.mesh.faces[faces], share)
    image = coloured.texture.image
    size = np.array(image.shape[:2])
    uv = _between(coloured.texture.uv, coloured.texture.faces[faces], share)
    y, x = np.minimum((uv[:, ::-1] * size).astype(np.intp), size - 1).T
    colors: Floats = image[y, x].astype(np.float32) / np.float32(255)
    return colors


def _between(values: Floats, corners: npt.NDArray[np.int32], share: Floats) -> Floats:
    """What points have of vertices' values (n, d), by the weights (k, 3, 1) of three: (k, d)."""
    parts = [values[corners[:, k]] * share[:, k] for k in range(3)]
    between: Floats = parts[0] + parts[1] + parts[2]
    return between


def _camera(vertices: Floats, n: int) -> tuple[Floats, Floats]:
    """Eye and directions of ``n · n`` rays, so that all vertices are in the picture."""
    away = np.array(
        [
            math.cos(ELEVATION) * math.cos(AZIMUTH),
            math.cos(ELEVATION) * math.sin(AZIMUTH),
            math.sin(ELEVATION),
        ]
    )
    right = np.array([-math.sin(AZIMUTH), math.cos(AZIMUTH), 0.0])
    up = np.cross(away, right)
    half = math.tan(FIELD_OF_VIEW / 2)
    # In the eye's frame a vertex at depth t is inside where |side| <= margin · half · t.
    margin = 0.86
    target = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    for _ in range(3):  # the picture's centre shifts a little as the eye moves
        p = vertices - target
        x, y, z = p @ right, p @ up, p @ away
        distance = float(np.max(np.maximum(np.abs(x), np.abs(y)) / (margin * half) + z))
        depth = distance - z
        sx, sy = x / depth, y / depth
        shift = (sx.max() + sx.min()) / 2 * right + (sy.max() + sy.min()) / 2 * up
        target = target + shift * distance
    s = (((np.arange(n) + 0.5) / n * 2 - 1) * half).astype(np.float32)
    across, down = s[None, :, None], s[:, None, None]
    right, up, ahead = (axis.astype(np.float32) for axis in (right, up, -away))
    rays = (across * right - down * up + ahead) / np.sqrt(1 + across**2 + down**2)
    return (target + distance * away).astype(np.float32), rays.reshape(-1, 3)


def _studio(directions: Floats) -> Floats:
    """Radiance from each direction: a pale sky, a bright soft box, a dim floor."""
    sky = 0.42 + 0.38 * np.clip(directions[:, 2], 0, 1)
    box = 3.2 * np.clip((directions @ _KEY - 0.72) / 0.2, 0, 1)
    return np.where(directions[:, 2] > 0, sky + box, 0.34).astype(np.float32)


def _cosine_rays(count: int) -> Floats:
    """Directions around +Z with a cosine density: a Fibonacci spiral on the disc, lifted."""
    k = np.arange(count) + 0.5
    radius, angle = np.sqrt(k / count), k * math.pi * (3 - math.sqrt(5))
    z = np.sqrt(1 - radius * radius)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1).astype(np.float32)


def _gather(scene: EmbreeScene, points: Floats, normals: Floats) -> Floats:
    """Light that arrives at each point: the studio's mean over the hemisphere, where not hidden."""
    helper = np.where(np.abs(normals[:, 2:]) < 0.9, [[0, 0, 1]], [[1, 0, 0]]).astype(np.float32)
    tangent = np.cross(normals, helper)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    bitangent = np.cross(normals, tangent)
    origins = (points + 0.002 * normals).astype(np.float32)
    light = np.zeros(len(points), np.float32)
    turns = np.random.default_rng(0).uniform(0, 2 * math.pi, len(points))
    cos, sin = np.cos(turns)[:, None], np.sin(turns)[:, None]
    first, second = cos * tangent + sin * bitangent, cos * bitangent - sin * tangent
    for x, y, z in _cosine_rays(LIGHT_RAYS):
        rays = (x * first + y * second + z * normals).astype(np.float32)
        free = scene.run(origins, rays, query="OCCLUDED") < 0
        # What hides the studio gives back some of its light.
        light += np.where(free, _studio(rays), 0.09)
    return light / np.float32(LIGHT_RAYS)


def _light_on_vertices(
    scene: EmbreeScene,
    vertices: Floats,
    normals: Floats,
    faces: npt.NDArray[np.int32],
    shown: npt.NDArray[np.int32],
) -> Floats:
    """Light on the vertices that are `shown`: (n,), and anything on the others."""
    lit = np.zeros(len(vertices), bool)
    lit[shown] = True
    for _ in range(LIGHT_ROUNDS):  # and on their neighbours, who lend them some
        lit[faces[lit[faces].any(axis=1)]] = True
    light = np.zeros((len(vertices), 1), np.float32)
    light[lit, 0] = _gather(scene, vertices[lit], normals[lit])
    for _ in range(LIGHT_ROUNDS):
        light = mesh_kernels.towards_neighbours(light, faces, np.float32(0.5))
    return light.ravel()


def _floor(scene: EmbreeScene, vertices: Floats, origin: Floats, directions: Floats) -> Floats:
    """The background, and the shadow on the floor under the object: (rays, 3), linear."""
    height = float(vertices[:, 2].min()) - 1e-3
    middle = (vertices.min(axis=0) + vertices.max(axis=0))[:2] / 2
    reach = 1.6
    s = np.linspace(-reach, reach, FLOOR_POINTS)
    grid = np.stack([*np.meshgrid(s, s, indexing="ij"), np.zeros((len(s), len(s)))], axis=2)
    points = (grid.reshape(-1, 3) + np.array([*middle, height])).astype(np.float32)
    up = np.broadcast_to(np.array([0, 0, 1], np.float32), points.shape)
    light = _gather(scene, points, up).reshape(len(s), len(s))
    edge = np.hypot(*np.meshgrid(s, s)) / reach
    shade = _softened(light / np.median(light[edge > 0.9]))
    fade = np.clip((1 - edge) / 0.35, 0, 1)
    shade = 1 - fade * (1 - np.minimum(shade, 1))

    with np.errstate(divide="ignore", invalid="ignore"):
        t = (height - origin[2]) / directions[:, 2]
    hits = np.isfinite(t) & (t > 0)
    at = origin[:2] + np.where(hits, t, 0)[:, None] * directions[:, :2] - middle
    index = np.zeros((len(at), 3), np.float32)
    index[:, :2] = (at / reach + 1) / 2 * (len(s) - 1)
    value = np.where(hits, sample(np.stack([shade, shade], axis=2), index), np.float32(1))
    floor: Floats = srgb_to_linear(BACKGROUND) * value[:, None]
    return floor


def _softened(shade: Floats) -> Floats:
    """Blurred by a gaussian of one point; whole at the edges, which fade."""
    taps = np.exp(-0.5 * np.arange(-3, 4) ** 2)
    for axis in (0, 1):
        moved = [tap * np.roll(shade, k - 3, axis) for k, tap in enumerate(taps / taps.sum())]
        shade = np.sum(moved, axis=0, dtype=np.float32)
    return shade
