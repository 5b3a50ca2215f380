"""A picture of the mesh, fit for a mail: three-quarter view in a soft studio light.

It is drawn on the CPU, with a depth buffer; no display or GPU is needed. Light is gathered by
Embree's rays once at each vertex and at a grid of points on the floor, then interpolated: soft
shadows without noise.
"""

import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from PIL import Image

from gen3d_mesh import mesh_kernels, picture_kernels
from gen3d_mesh.coloured_mesh import ColouredMesh, linear_to_srgb, srgb_to_linear
from gen3d_mesh.splat import Floats

SIZE = 768
"""Pixels of the square picture."""

OVERSAMPLING = 2
"""Samples along each edge of a pixel."""

LIGHT_RAYS = 64
LIGHT_ROUNDS = 2
"""So often a vertex's light goes halfway to its neighbours': few rays leave it grainy."""

FLOOR_POINTS, FLOOR_REACH = 112, 1.6
"""Points along the floor's edge where its shadow is gathered; from its middle to the edge."""

AZIMUTH, ELEVATION, FIELD_OF_VIEW = math.radians(-66), math.radians(20), math.radians(28)
HALF = math.tan(FIELD_OF_VIEW / 2)
"""Of the picture's width, at a depth of 1."""

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
    camera = Camera.before(vertices)
    points = camera.seen(vertices, size * OVERSAMPLING)
    shown = picture_kernels.foremost(points, faces, size * OVERSAMPLING)
    light = _light_on_vertices(scene, vertices, normals, faces, np.unique(faces[shown[shown >= 0]]))
    radiance = np.zeros((size, size, 3), np.float32)
    start = 0
    for part in parts:
        count = len(part.mesh.faces)
        corners, values, image = _albedo(part)
        picture_kernels.add_light(
            radiance, shown, start, points, faces[start : start + count], light,
            corners, values, image,
        )  # fmt: skip
        start += count
    shade, middle = _shade_on_floor(scene, vertices)
    picture_kernels.behind(
        radiance, shown, srgb_to_linear(BACKGROUND), np.stack([shade, shade], axis=2),
        camera.eye, camera.axes, HALF, middle, FLOOR_REACH,
    )  # fmt: skip
    file = io.BytesIO()
    # A harder try takes three times as long for a twentieth of the bytes.
    Image.fromarray(_quantised(radiance)).save(file, "PNG", compress_level=4)
    return file.getvalue()


def _quantised(radiance: Floats) -> npt.NDArray[np.uint8]:
    """Bytes of sRGB, looked up: two powers for each would take longer than the picture."""
    steps = np.linspace(0, 1, 1 << 16, dtype=np.float32)
    table = np.round(linear_to_srgb(steps) * 255).astype(np.uint8)
    index = np.minimum(radiance * (len(table) - 1) + np.float32(0.5), len(table) - 1)
    quantised: npt.NDArray[np.uint8] = table[index.astype(np.uint16)]
    return quantised


def _albedo(part: ColouredMesh) -> tuple[npt.NDArray[np.int32], Floats, Floats]:
    """A mesh's faces as its colours have them, what their corners have, and a linear picture.

    The corners have places in the picture, or linear colours and no picture.
    """
    texture = part.texture
    if texture is None:
        return part.mesh.faces, srgb_to_linear(part.colors), np.empty((0, 0, 3), np.float32)
    table = srgb_to_linear(np.arange(256, dtype=np.float32) / np.float32(255))
    return texture.faces, texture.uv, table[texture.image]


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


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from.

    Attributes
    ----------
    eye : (3,) float32
    axes : (3, 3) float32
        To the right, upwards and ahead.
    """

    eye: Floats
    axes: Floats

    @classmethod
    def before(cls, vertices: Floats) -> "Camera":
        """So that all vertices are in the picture."""
        away = np.array(
            [
                math.cos(ELEVATION) * math.cos(AZIMUTH),
                math.cos(ELEVATION) * math.sin(AZIMUTH),
                math.sin(ELEVATION),
            ]
        )
        right = np.array([-math.sin(AZIMUTH), math.cos(AZIMUTH), 0.0])
        up = np.cross(away, right)
        # In the eye's frame a vertex at depth t is inside where |side| <= margin · half · t.
        margin = 0.86
        target = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
        for _ in range(3):  # the picture's centre shifts a little as the eye moves
            p = vertices - target
            x, y, z = p @ right, p @ up, p @ away
            distance = float(np.max(np.maximum(np.abs(x), np.abs(y)) / (margin * HALF) + z))
            depth = distance - z
            sx, sy = x / depth, y / depth
            shift = (sx.max() + sx.min()) / 2 * right + (sy.max() + sy.min()) / 2 * up
            target = target + shift * distance
        eye = target + distance * away
        return cls(eye.astype(np.float32), np.stack([right, up, -away]).astype(np.float32))

    def seen(self, vertices: Floats, size: int) -> Floats:
        """Vertices in a picture of so many samples, as `picture_kernels.foremost` wants them."""
        right, up, depth = self.axes @ (vertices - self.eye).T
        near = 1 / depth
        scale = np.float32(size / 2)
        x, y = (right * near / HALF + 1) * scale, (1 - up * near / HALF) * scale
        return np.stack([x, y, near], axis=1).astype(np.float32)


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


def _gather(scene: EmbreeScene, points: Floats, normals: Floats) -> tuple[Floats, Floats]:
    """Light that arrives at each point: the studio's mean over the hemisphere, where not hidden.

    Besides, what would arrive by the same rays if nothing hid it.
    """
    helper = np.where(np.abs(normals[:, 2:]) < 0.9, [[0, 0, 1]], [[1, 0, 0]]).astype(np.float32)
    tangent = np.cross(normals, helper)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    bitangent = np.cross(normals, tangent)
    origins = (points + 0.002 * normals).astype(np.float32)
    light, unhidden = np.zeros((2, len(points)), np.float32)
    turns = np.random.default_rng(0).uniform(0, 2 * math.pi, len(points))
    cos, sin = np.cos(turns)[:, None], np.sin(turns)[:, None]
    first, second = cos * tangent + sin * bitangent, cos * bitangent - sin * tangent
    for x, y, z in _cosine_rays(LIGHT_RAYS):
        rays = (x * first + y * second + z * normals).astype(np.float32)
        free = scene.run(origins, rays, query="OCCLUDED") < 0
        # What hides the studio gives back some of its light.
        studio = _studio(rays)
        light += np.where(free, studio, np.float32(0.09))
        unhidden += studio
    return light / np.float32(LIGHT_RAYS), unhidden / np.float32(LIGHT_RAYS)


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
    light[lit, 0], _ = _gather(scene, vertices[lit], normals[lit])
    for _ in range(LIGHT_ROUNDS):
        light = mesh_kernels.towards_neighbours(light, faces, np.float32(0.5))
    return light.ravel()


def _shade_on_floor(scene: EmbreeScene, vertices: Floats) -> tuple[Floats, Floats]:
    """The share of the light that the object leaves to the floor under it.

    Returns
    -------
    shade : (k, k) float32
        At points along x and y.
    middle : (3,) float32
        The middle one, from which they reach `FLOOR_REACH` to each side.
    """
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    middle[2] = vertices[:, 2].min() - 1e-3
    s = np.linspace(-FLOOR_REACH, FLOOR_REACH, FLOOR_POINTS)
    x, y = np.meshgrid(s, s, indexing="ij")
    fade = np.clip((1 - np.hypot(x, y) / FLOOR_REACH) / 0.35, 0, 1)
    points = np.stack([x, y, np.zeros_like(x)], axis=2)[fade > 0].astype(np.float32) + middle
    light, unhidden = _gather(
        scene, points, np.broadcast_to(np.array([0, 0, 1], np.float32), points.shape)
    )
    shade = np.ones(x.shape, np.float32)
    shade[fade > 0] = light / unhidden  # by the same rays, so that their choice leaves no grain
    left = 1 - fade * (1 - np.minimum(_softened(shade), 1))
    return left.astype(np.float32), middle.astype(np.float32)


def _softened(shade: Floats) -> Floats:
    """Blurred by a gaussian of one point; whole at the edges, which fade."""
    taps = np.exp(-0.5 * np.arange(-3, 4) ** 2)
    for axis in (0, 1):
        moved = [tap * np.roll(shade, k - 3, axis) for k, tap in enumerate(taps / taps.sum())]
        shade = np.sum(moved, axis=0, dtype=np.float32)
    return shade
