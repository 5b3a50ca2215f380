"""How well a texture's picture is used, measured without the code that packs it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from gen3d_mesh.coloured_mesh import Texture
from gen3d_mesh.surface import Triangles

POINTS = 20_000
OFF = 0.15
"""A colour that is so far off is seen."""

HALVED = 3
"""The picture is looked at when it was halved so often, as graphics cards do for what is far."""


@dataclass(frozen=True)
class Atlas:
    """What `measure` finds.

    Attributes
    ----------
    charts : int
    used : float
        Share of the picture that faces cover.
    bleeding : float
        Share of the surface whose colour other charts put off by more than `OFF`, in the halved
        picture, filtered bilinearly.
    """

    charts: int
    used: float
    bleeding: float


def measure(texture: Texture, mesh: Triangles) -> Atlas:
    """Measure a texture, whose sides are multiples of two to the power of `HALVED`."""
    chart = _charts(texture)
    height, width = texture.image.shape[:2]
    corners = texture.uv[texture.faces].astype(np.float64) * (width, height)
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2
    owner = _owners(corners, chart, width, height)
    bleeding = _bleeding(texture, mesh, corners, chart, owner)
    return Atlas(int(chart.max()) + 1, float(area / (width * height)), bleeding)


def _charts(texture: Texture) -> npt.NDArray[np.int32]:
    """The chart of each face: those that share texture vertices."""
    ends = np.concatenate([texture.faces[:, :2], texture.faces[:, 1:]])
    edges = sparse.csr_array((np.ones(len(ends)), ends.T), shape=(len(texture.uv),) * 2)
    number: npt.NDArray[np.int32] = csgraph.connected_components(edges, directed=False)[1]
    return number[texture.faces[:, 0]]


def _owners(
    corners: npt.NDArray[np.float64], chart: npt.NDArray[np.int32], width: int, height: int
) -> npt.NDArray[np.int32]:
    """The chart of each texel, of free ones that of the nearest: (height, width)."""
    picture = Image.new("I", (width, height))
    draw = ImageDraw.Draw(picture)
    for face, number in zip((corners - 0.5).reshape(-1, 6).tolist(), chart.tolist(), strict=True):
        draw.polygon(face, fill=number + 1)
    owner = np.asarray(picture).astype(np.int32) - 1
    nearest = ndimage.distance_transform_edt(owner < 0, return_distances=False, return_indices=True)
    found: npt.NDArray[np.int32] = owner[tuple(nearest)]
    return found


def _bleeding(
    texture: Texture,
    mesh: Triangles,
    corners: npt.NDArray[np.float64],
    chart: npt.NDArray[np.int32],
    owner: npt.NDArray[np.int32],
) -> float:
    rng = np.random.default_rng(0)
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    face = rng.choice(len(area), POINTS, p=area / area.sum())
    share = rng.dirichlet((1, 1, 1), POINTS)
    place = (corners[face] * share[:, :, None]).sum(axis=1)
    picture = texture.image.astype(np.float32) / 255
    height, width = owner.shape
    x, y = np.clip(place.astype(int), 0, (width - 1, height - 1)).T
    own = picture[y, x]
    block = 2**HALVED
    first = np.floor(place / block - 0.5).astype(int)
    weight = place / block - 0.5 - first
    off = np.zeros((POINTS, 3))
    for dy in (0, 1):
        for dx in (0, 1):
            part = np.abs(1 - dx - weight[:, 0]) * np.abs(1 - dy - weight[:, 1])
            left = np.clip(first[:, 0] + dx, 0, width // block - 1) * block
            top = np.clip(first[:, 1] + dy, 0, height // block - 1) * block
            for row in range(block):
                for column in range(block):
                    v, u = top + row, left + column
                    foreign = owner[v, u] != chart[face]
                    theirs = np.where(foreign[:, None], picture[v, u] - own, 0)
                    off += part[:, None] * theirs / block**2
    return float((np.abs(off).max(axis=1) > OFF).mean())
