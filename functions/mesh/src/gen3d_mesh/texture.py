"""Unwrap a mesh onto a picture and paint it.

Charts are patches that face one of the six axes, projected along it: no face is seen at less than
about 55°, nothing is stretched much, and it takes a tenth of the time of a conformal atlas.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import math

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from gen3d_mesh import colour
from gen3d_mesh.coloured_mesh import Texture
from gen3d_mesh.shell import Shell
from gen3d_mesh.splat import Floats
from gen3d_mesh.surface import Triangles

GUTTER = 2
"""Texels kept free around a chart, so that filtering does not mix neighbours."""

SMOOTHING_ROUNDS = 12
MIN_FACING = 0.3
"""Least cosine between a face and its chart's axis, but for faces that face nothing better."""

LAYER_DEPTH = 0.02
"""Faces of a chart that lie over one another by more than this belong to different charts."""

_AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float32)
_RIGHT = np.array([[0, 1, 0], [0, -1, 0], [-1, 0, 0], [1, 0, 0], [1, 0, 0], [-1, 0, 0]], np.float32)
_UP = np.cross(_AXES, _RIGHT)


def paint(mesh: Triangles, normals: Floats, shell: Shell, spacing: float, size: int) -> Texture:
    """Make a texture from the gaussians' colours.

    Parameters
    ----------
    mesh : Triangles
        Closed, in the unit frame.
    normals : (n, 3) float32
        Of its vertices.
    shell : Shell
    spacing : float
        Distance between gaussians.
    size : int
        Texels along the picture's edge.
    """
    neighbours = face_neighbours(mesh)
    axis = _axes_of_faces(mesh, neighbours)
    layer = np.zeros(len(axis), np.int32)
    for _ in range(3):
        vertices, faces, texels = _unwrap(mesh, axis, layer, neighbours, size)
        depth = (mesh.vertices[mesh.faces] * _AXES[axis][:, None, :]).sum(axis=2)
        owner, share, hidden = _rasterise(texels, faces, depth, size, LAYER_DEPTH)
        if not hidden.any():
            break
        layer[hidden] += 1
    y, x = np.nonzero(owner >= 0)
    corners, share = mesh.faces[owner[y, x]], share[y, x]
    points = _between(mesh.vertices, corners, share)
    facing = _between(normals, corners, share)  # a little short of 1, which does not matter

    image = np.zeros((size, size, 3), np.uint8)
    image[y, x] = np.round(255 * colour.blend(shell, points, facing, spacing))
    nearest = ndimage.distance_transform_edt(owner < 0, return_distances=False, return_indices=True)
    uv = (texels / size).astype(np.float32)
    return Texture(image[tuple(nearest)], uv, faces, vertices)


def face_neighbours(mesh: Triangles) -> npt.NDArray[np.int32]:
    """The face across each edge of each face of a closed mesh: (m, 3)."""
    a = mesh.faces.astype(np.int64)
    b = np.roll(a, -1, axis=1)
    n = len(mesh.vertices)
    there, back = (a * n + b).ravel(), (b * n + a).ravel()
    other = np.empty(len(there), np.int64)
    other[np.argsort(there)] = np.argsort(back)
    faces: npt.NDArray[np.int32] = (other // 3).astype(np.int32).reshape(-1, 3)
    return faces


def _axes_of_faces(mesh: Triangles, neighbours: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Which of the six axes each face is projected along, few borders between them."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-20)
    facing = normal @ _AXES.T
    barred = (facing < MIN_FACING) & (facing < facing.max(axis=1, keepdims=True))
    axis = facing.argmax(axis=1)
    for _ in range(SMOOTHING_ROUNDS):
        like = (axis[neighbours][:, :, None] == np.arange(6)).sum(axis=1)
        axis = np.where(barred, -np.inf, facing + 0.35 * like).argmax(axis=1)
    chosen: npt.NDArray[np.int32] = axis.astype(np.int32)
    return chosen


def _unwrap(mesh, axis, layer, neighbours, size):
    """Charts side by side: vertex of each texture vertex, faces, and places in texels."""
    m = len(mesh.faces)
    face = np.repeat(np.arange(m), 3)
    other = neighbours.ravel()
    same = (axis[face] == axis[other]) & (layer[face] == layer[other])
    graph = sparse.csr_array((np.ones(same.sum(), bool), (face[same], other[same])), shape=(m, m))
    count, chart = csgraph.connected_components(graph, directed=False)

    key = chart[face].astype(np.int64) * len(mesh.vertices) + mesh.faces.ravel()
    unique, first, corners = np.unique(key, return_index=True, return_inverse=True)
    vertices = (unique % len(mesh.vertices)).astype(np.int32)
    its_chart, its_axis = chart[face[first]], axis[face[first]]
    position = mesh.vertices[vertices]
    flat = np.stack(
        [(position * _RIGHT[its_axis]).sum(axis=1), -(position * _UP[its_axis]).sum(axis=1)], axis=1
    )
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, its_chart, flat)
    np.maximum.at(high, its_chart, flat)
    corner, scale = _pack(high - low, size)
    texels = (flat - low[its_chart]) * scale + corner[its_chart] + GUTTER
    return vertices, corners.reshape(-1, 3).astype(np.int32), texels


def _pack(extents: npt.NDArray[np.float64], size: int) -> tuple[npt.NDArray[np.float64], float]:
    """Place boxes (k, 2) on shelves, tallest first, at the largest scale that fits the picture."""
    order = np.argsort(-extents[:, 1])
    scale = size / math.sqrt(max(float(extents.prod(axis=1).sum()), 1e-12))
    while True:
        boxes = np.ceil(extents[order] * scale) + 2 * GUTTER
        corners = _shelves(boxes, size)
        if corners[-1, 0] >= 0:
            placed = np.empty_like(corners)
            placed[order] = corners
            return placed, scale
        scale *= 0.97


@njit(cache=True)
def _shelves(boxes, size):
    """Corners of boxes set side by side; the last is -1 where they do not fit."""
    corners = np.full(boxes.shape, -1.0)
    x = y = tall = 0.0
    for i in range(len(boxes)):
        width, height = boxes[i]
        if x + width > size:
            x, y, tall = 0.0, y + tall, 0.0
        if width > size or y + height > size:
            break
        corners[i, 0], corners[i, 1] = x, y
        x, tall = x + width, max(tall, height)
    return corners


@njit(cache=True)
def _between(values, corners, share):
    """Values (n, 3) of vertices, between three `corners` by the weights of the last two."""
    mixed = np.empty(corners.shape, np.float32)
    for i in range(len(corners)):
        a, b, c = corners[i]
        s, t = share[i]
        for k in range(3):
            mixed[i, k] = (1 - s - t) * values[a, k] + s * values[b, k] + t * values[c, k]
    return mixed


@njit(cache=True)
def _rasterise(texels, faces, depth, size, layer_depth):
    """Which face covers each texel, and where in it.

    Returns
    -------
    owner : (size, size) int32
        -1 where there is none.
    share : (size, size, 2) float32
        Weights of the face's second and third corner.
    hidden : (m,) bool
        Faces that lie under or over another of their chart.
    """
    owner = np.full((size, size), -1, np.int32)
    share = np.zeros((size, size, 2), np.float32)
    at_depth = np.zeros((size, size), np.float32)
    hidden = np.zeros(len(faces), np.bool_)
    slack = 1e-4
    for f in range(len(faces)):
        a, b, c = texels[faces[f, 0]], texels[faces[f, 1]], texels[faces[f, 2]]
        ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]
        area = ux * vy - vx * uy
        if abs(area) < 1e-12:
            continue
        x0 = max(0, math.floor(min(a[0], b[0], c[0]) - 0.5))
        x1 = min(size - 1, math.ceil(max(a[0], b[0], c[0]) - 0.5))
        y0 = max(0, math.floor(min(a[1], b[1], c[1]) - 0.5))
        y1 = min(size - 1, math.ceil(max(a[1], b[1], c[1]) - 0.5))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x + 0.5 - a[0], y + 0.5 - a[1]
                s, t = (px * vy - vx * py) / area, (ux * py - px * uy) / area
                if s < -slack or t < -slack or s + t > 1 + slack:
                    continue
                d = (1 - s - t) * depth[f, 0] + s * depth[f, 1] + t * depth[f, 2]
                if owner[y, x] >= 0 and abs(at_depth[y, x] - d) > layer_depth:
                    hidden[f] = True
                    continue
                owner[y, x], at_depth[y, x] = f, d
                share[y, x, 0], share[y, x, 1] = s, t
    return owner, share, hidden
