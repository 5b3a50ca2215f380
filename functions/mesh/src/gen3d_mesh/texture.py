"""Unwrap a mesh onto a picture and paint it.

Charts are patches that face one of the six axes, projected along it: few faces are seen at a steep
angle, nothing is stretched much, and it takes a tenth of the time of a conformal atlas. Patches too
small to be worth a seam join their neighbours. Each chart has cells of the picture to itself, which
its colours fill: a viewer that takes the picture eight times smaller mixes no two charts.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from gen3d_mesh import colour, mesh_kernels
from gen3d_mesh.coloured_mesh import Texture
from gen3d_mesh.grid_kernels import counting_sort
from gen3d_mesh.repair import face_normals
from gen3d_mesh.shell import Shell
from gen3d_mesh.splat import Floats
from gen3d_mesh.surface import Triangles

CELL = 8
"""Texels: a chart lies in cells of its own, so that pictures of an eighth mix no two charts."""

NARROW = 4
"""Texels of a cell where charts would leave too much of wider ones empty."""

EDGE = 1
"""Texels kept free around a chart inside of its cells."""

FULLEST = 0.9
"""Share of the picture that charts fill at the largest scale that is tried."""

SHRINK = 0.985
"""From one scale that is tried to the next."""

FURTHER = 12
"""So many scales are tried below the largest that fits, for one that needs fewer rows."""

EMPTY, LARGE, CUTS = 0.6, 1 / 256, 5
"""A chart that covers less of its box is cut in two, so often, if that takes such a share of the
picture."""

SMALLER = 0.8
"""A chart is turned along its longest direction where its box shrinks to less than this."""

FULL = 0.6
"""Where charts cover less of the picture, other ways are tried."""

WAYS = ((0.0, 0.06, CELL), (0.0, 1.0, NARROW), (0.75, 0.06, NARROW))
"""One after the other: charts are cut, too, that cover less of their box, or whose box takes more
of the picture, as six round ones leave a half of it empty; and cells are so wide."""

MOST_CHARTS = 200
"""No way is taken that makes more, unless there are no more than before."""

LAYERS = 3
"""So often charts that lie over themselves are taken apart."""

LEAST_SHARE, MERGING_ROUNDS = 150, 12
"""A piece of fewer than one face in so many goes to its neighbours, from its border inwards."""

CRUMB, CRUMB_FACING = 2000, -0.6
"""Of the last pieces of fewer than one face in so many, on sharp edges, each goes that faces its
new chart's axis with at least this cosine: some texels there are seen twice."""

SMOOTHING_ROUNDS = 12
MIN_FACING = 0.3
"""Least cosine between a face and its chart's axis, but for faces that face nothing better."""

LAYER_DEPTH = 0.02
"""Faces of a chart that lie over one another by more than this belong to different charts."""

STEPS = ((4, np.float32(0.04)), (2, np.float32(0.06)))
"""Texels so far apart along each edge have the mean of their colours halfway, where these differ by
less than that in each channel."""

_AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float32)
_RIGHT = np.array([[0, 1, 0], [0, -1, 0], [-1, 0, 0], [1, 0, 0], [1, 0, 0], [-1, 0, 0]], np.float32)
_UP = np.cross(_AXES, _RIGHT)
_VIEWS = np.stack([_RIGHT, -_UP, _AXES], axis=1)
"""To the right, down and towards the eye, along each axis: (6, 3, 3)."""


def paint(
    mesh: Triangles, normals: Floats, shell: Shell, spacing: float, size: int
) -> Texture | None:
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
        Texels along the picture's width, rounded down to whole cells; it is at most as high.

    Returns
    -------
    Texture or None
        None where the surface is in more pieces than the picture has cells.
    """
    return bake(
        mesh, normals, size,
        lambda points, outward: colour.blend(shell, points, outward, spacing), soft=True,
    )  # fmt: skip


def bake(
    mesh: Triangles, normals: Floats, size: int, colours: Callable[[Floats, Floats], Floats],
    *, soft: bool = False,
) -> Texture | None:  # fmt: skip
    """Make a texture from what `colours` says of places on the surface and their normals.

    Where they are `soft`, and hold little that is narrower than the first of `STEPS`, they are
    asked at every so many texels along each edge, at those halfway where these differ, and so on.
    Other parameters and what is returned are those of `paint`.
    """
    size -= size % CELL
    charted = _chart(mesh, size) if size else None
    if charted is None:
        return None
    atlas, owner, share = charted
    canvas = Canvas(mesh, owner[: atlas.height], share[: atlas.height], atlas.cells)
    image = canvas.padded(canvas.asked(normals, colours, soft=soft))
    uv = (atlas.texels / (size, atlas.height)).astype(np.float32)
    return Texture(image, uv, atlas.faces, atlas.vertices)


@dataclass(frozen=True)
class Canvas:
    """A picture, and where on the mesh its texels lie.

    Attributes
    ----------
    mesh : Triangles
    owner : (h, w) int32
        The face that covers each texel, -1 where there is none.
    share : (h, w, 2) float32
        Weights of that face's second and third corner.
    cells : (h / NARROW, w / NARROW) int32
        The chart of each part of a cell, -1 where there is none.
    """

    mesh: Triangles
    owner: npt.NDArray[np.int32]
    share: Floats
    cells: npt.NDArray[np.int32]

    @classmethod
    def of(cls, mesh: Triangles, texture: Texture) -> "Canvas":
        """The canvas that `bake` made a texture on, or another one of the same use."""
        height, width = texture.image.shape[:2]
        texels = texture.uv.astype(np.float64) * (width, height)
        flat = np.zeros((len(mesh.faces), 3), np.float32)
        owner, share, _ = _rasterise(texels, texture.faces, flat, width, np.inf)
        owner, share = owner[:height], share[:height]
        _, chart = mesh_kernels.connected(texture.faces, len(texture.uv))
        of_texel = np.where(owner < 0, -1, chart[texture.faces[owner, 0]])
        cells = of_texel.reshape(height // NARROW, NARROW, width // NARROW, NARROW).max(axis=(1, 3))
        # A whole cell that one chart alone is in is its own.
        parts = cells.reshape(height // CELL, CELL // NARROW, width // CELL, CELL // NARROW)
        whose = parts.max(axis=(1, 3), keepdims=True)
        alone = ((parts == whose) | (parts < 0)).all(axis=(1, 3), keepdims=True)
        return cls(mesh, owner, share, np.where(alone, whose, parts).reshape(cells.shape))

    @property
    def painted(self) -> npt.NDArray[np.bool_]:
        """Texels that a face covers."""
        return self.owner >= 0

    def between(
        self, values: Floats, texels: npt.NDArray[np.intp],
        faces: npt.NDArray[np.int32] | None = None,
    ) -> Floats:  # fmt: skip
        """Values (n, 3) of corners of `faces`, or of the mesh's, at painted `texels`: (k, 3).

        `texels` are numbered from the top left, row by row.
        """
        corners = self.mesh.faces if faces is None else faces
        between: Floats = _between(values, corners, self.owner, self.share, texels)
        return between

    def asked(
        self, normals: Floats, values: Callable[[Floats, Floats], Floats], *, soft: bool
    ) -> Floats:
        """What `values` says of the painted texels, as `bake` asks it: (h, w, 3)."""
        image = np.zeros((*self.owner.shape, 3), np.float32)
        painted, steps = self.painted, STEPS if soft else ()

        def ask(chosen: npt.NDArray[np.bool_]) -> None:
            texels = np.flatnonzero(chosen)
            normal = self.between(normals, texels)  # a little short of 1, which does not matter
            image.reshape(-1, 3)[texels] = values(self.between(self.mesh.vertices, texels), normal)

        first = slice(None, None, steps[0][0] if steps else 1)
        sparse = np.zeros_like(painted)
        sparse[first, first] = painted[first, first]
        ask(sparse)
        for apart, alike in steps:
            ask(_interpolate(image, painted, self.cells, apart, alike))
        return image

    def padded(self, image: Floats) -> npt.NDArray[np.uint8]:
        """The picture of values in [0, 1], with free texels filled."""
        padded: npt.NDArray[np.uint8] = _pad(image, self.painted, self.cells)
        return padded


def _chart(mesh: Triangles, size: int):
    """Cut the mesh into charts that do not lie over themselves, and see where its faces lie.

    Returns
    -------
    atlas : _Atlas
    owner, share : ndarray
        As of `_rasterise`. None instead of all three where there are more charts than cells.
    """
    neighbours = face_neighbours(mesh.faces, len(mesh.vertices))
    axis = _axes_of_faces(face_normals(mesh), neighbours)
    flat, depth = _projected(mesh.vertices, mesh.faces, _VIEWS, axis)
    layer = np.zeros(len(axis), np.int32)
    for _ in range(LAYERS):
        pieces = _cut(flat, axis + len(_AXES) * layer, neighbours, size)
        atlas = _unwrap(mesh, pieces, size)
        if atlas is None:
            return None
        for empty, most, cell in WAYS:
            if atlas.used >= FULL:
                break
            cut = _cut(flat, pieces.label, neighbours, size, empty, most)
            other = _unwrap(mesh, cut, size, cell)
            few = cut.number <= max(MOST_CHARTS, pieces.number)
            if other is not None and few and other.used > atlas.used:
                atlas = other
        owner, share, hidden = _rasterise(atlas.texels, atlas.faces, depth, size, LAYER_DEPTH)
        if not hidden.any():
            break
        layer[hidden] += 1
    return atlas, owner, share


@njit(cache=True)
def face_neighbours(faces, vertices):
    """The face across each edge of each face of a closed mesh of so many vertices: (m, 3)."""
    order, start = counting_sort(faces.ravel(), vertices)
    across = np.empty(faces.shape, np.int32)
    for f in range(len(faces)):
        for k in range(3):
            a, b = faces[f, k], faces[f, (k + 1) % 3]
            across[f, k] = f  # where there is none
            for i in range(start[b], start[b + 1]):
                face, n = order[i] // 3, order[i] % 3
                if faces[face, (n + 1) % 3] == a:
                    across[f, k] = face
    return across


@njit(cache=True)
def _axes_of_faces(normals, neighbours):
    """Which of the six axes each face is projected along, in few pieces.

    Returns
    -------
    (m,) int32
    """
    facing = np.empty((len(normals), 6), np.float32)
    for f in range(len(normals)):
        x, y, z = normals[f]
        over = 1 / max(math.sqrt(x * x + y * y + z * z), 1e-20)
        for k in range(3):
            facing[f, 2 * k], facing[f, 2 * k + 1] = normals[f, k] * over, -normals[f, k] * over
    axis = _smoothed(facing, neighbours, SMOOTHING_ROUNDS)
    large = np.zeros(len(axis), np.bool_)
    _merge(axis, large, facing, neighbours, len(axis) // LEAST_SHARE, MIN_FACING)
    _merge(axis, large, facing, neighbours, len(axis) // CRUMB, CRUMB_FACING)
    return axis


@njit(cache=True)
def _pieces(label, neighbours):
    """Number the connected pieces of faces of one label: (m,), and how many there are."""
    piece = np.full(len(label), -1, np.int32)
    stack = np.empty(len(label), np.int32)
    count = 0
    for seed in range(len(label)):
        if piece[seed] >= 0:
            continue
        piece[seed], stack[0], top = count, seed, 1
        while top:
            top -= 1
            face = stack[top]
            for n in range(3):
                other = neighbours[face, n]
                if piece[other] < 0 and label[other] == label[face]:
                    piece[other], stack[top] = count, other
                    top += 1
        count += 1
    return piece, count


@njit(cache=True)
def _smoothed(facing, neighbours, rounds):
    """The axis that a face and its neighbours share, if it faces it well enough."""
    m = len(facing)
    axis, following = np.empty(m, np.int32), np.empty(m, np.int32)
    for f in range(m):
        axis[f] = facing[f].argmax()
    # What a face takes depends on its neighbours alone: it is asked again if one of them changed.
    asked, asked_in = np.arange(m).astype(np.int32), np.zeros(m, np.int32)
    left, changed = m, np.empty(m, np.int32)
    for turn in range(1, rounds + 1):
        changes = 0
        for j in range(left):
            f = asked[j]
            best, most = axis[f], -1e9
            highest = facing[f].max()
            for k in range(6):
                if facing[f, k] < MIN_FACING and facing[f, k] < highest:
                    continue
                gain = facing[f, k]
                for n in range(3):
                    gain += 0.35 * (axis[neighbours[f, n]] == k)
                if gain > most:
                    best, most = k, gain
            if best != axis[f]:
                changed[changes], following[changes] = f, best
                changes += 1
        left = 0
        for j in range(changes):
            f = changed[j]
            axis[f] = following[j]
            for n in range(3):
                other = neighbours[f, n]
                if asked_in[other] != turn:
                    asked_in[other], asked[left] = turn, other
                    left += 1
    return axis


@njit(cache=True)
def _merge(axis, large, facing, neighbours, enough, least):
    """Give faces of pieces of fewer than `enough` to the larger piece beside that they face best.

    From its border inwards, in so many rounds.

    Parameters
    ----------
    axis : (m,) int32
        Changed in place.
    large : (m,) bool
        Faces of pieces that are known to be of enough faces, which are looked at no more.
    least : float
        Cosine between a face and the axis of the piece that it goes to.
    """
    m = len(axis)
    piece, number = np.empty(m, np.int32), np.empty(m, np.int32)
    stack, following = np.empty(m, np.int32), np.empty(m, np.int32)
    for _ in range(MERGING_ROUNDS):
        piece[:] = -1
        count = 0
        for seed in range(m):
            if large[seed] or piece[seed] >= 0:
                continue
            piece[seed], stack[0] = count, seed
            head, tail, joins = 0, 1, False
            while head < tail:
                face = stack[head]
                head += 1
                for n in range(3):
                    other = neighbours[face, n]
                    if axis[other] == axis[face]:
                        joins |= large[other]
                        if not large[other] and piece[other] < 0:
                            piece[other], stack[tail] = count, other
                            tail += 1
            number[count] = tail
            if joins or tail >= enough:
                for j in range(tail):
                    large[stack[j]] = True
            count += 1
        moved = 0
        for f in range(m):
            if large[f]:
                continue
            best, most = -1, least
            for n in range(3):
                other = neighbours[f, n]
                p, q = piece[f], piece[other]
                higher = large[other] or (number[q], q) > (number[p], p)
                if higher and facing[f, axis[other]] > most:
                    best, most = axis[other], facing[f, axis[other]]
            if best >= 0:
                stack[moved], following[moved] = f, best
                moved += 1
        for j in range(moved):
            axis[stack[j]] = following[j]
        if moved == 0:
            break


@dataclass(frozen=True)
class _Atlas:
    """Charts side by side.

    Attributes
    ----------
    vertices : (k,) int32
        The mesh's vertex of each texture vertex.
    faces : (m, 3) int32
        Of texture vertices.
    texels : (k, 2) float64
        Their places, x and y from the top left.
    cells : (size / NARROW, size / NARROW) int32
        The chart of each part of a cell, -1 where there is none.
    """

    vertices: npt.NDArray[np.int32]
    faces: npt.NDArray[np.int32]
    texels: npt.NDArray[np.float64]
    cells: npt.NDArray[np.int32]

    @property
    def height(self) -> int:
        """Texels, in whole `CELL`s, down to the last row of cells that a chart has."""
        last = int(np.flatnonzero((self.cells >= 0).any(axis=1))[-1])
        return CELL * (last * NARROW // CELL + 1)

    @property
    def used(self) -> float:
        """Share of the picture that faces cover."""
        return _area(self.texels[self.faces]) / (self.height * NARROW * len(self.cells))


@njit(cache=True)
def _projected(vertices, faces, views, axis):
    """Each face's corners as seen along its axis.

    Returns
    -------
    flat : (m, 3, 2) float64
        To the right and down.
    depth : (m, 3) float32
        Towards the eye.
    """
    flat = np.empty((len(faces), 3, 2))
    depth = np.empty((len(faces), 3), np.float32)
    for f in range(len(faces)):
        view = views[axis[f]]
        for n in range(3):
            x, y, z = vertices[faces[f, n]]
            flat[f, n, 0] = view[0, 0] * x + view[0, 1] * y + view[0, 2] * z
            flat[f, n, 1] = view[1, 0] * x + view[1, 1] * y + view[1, 2] * z
            depth[f, n] = view[2, 0] * x + view[2, 1] * y + view[2, 2] * z
    return flat, depth


@njit(cache=True)
def _extents(flat, piece, count):
    """Lowest and highest place of each piece: (k, 2) each."""
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    for f in range(len(flat)):
        k = piece[f]
        for n in range(3):
            for d in range(2):
                low[k, d] = min(low[k, d], flat[f, n, d])
                high[k, d] = max(high[k, d], flat[f, n, d])
    return low, high


@njit(cache=True)
def _laid(flat, piece, count):
    """Turn each piece along its longest direction, where its box becomes clearly smaller by that.

    Else a rod that lies askew leaves most of its box empty.

    Returns
    -------
    laid : (m, 3, 2)
        Corners.
    low, high : (count, 2)
        Of each piece's box.
    """
    sums = np.zeros((count, 6))
    for f in range(len(flat)):
        of = sums[piece[f]]
        x = flat[f, 0, 0] + flat[f, 1, 0] + flat[f, 2, 0]
        y = flat[f, 0, 1] + flat[f, 1, 1] + flat[f, 2, 1]
        of[0] += 1
        of[1] += x
        of[2] += y
        of[3] += x * x
        of[4] += x * y
        of[5] += y * y
    turns = np.empty((count, 2))
    for k in range(count):
        n, x, y = sums[k, 0], sums[k, 1], sums[k, 2]
        xx, xy, yy = sums[k, 3] - x * x / n, sums[k, 4] - x * y / n, sums[k, 5] - y * y / n
        angle = math.atan2(2 * xy, xx - yy) / 2
        turns[k, 0], turns[k, 1] = math.cos(angle), math.sin(angle)
    low, high = _extents(flat, piece, count)
    lowest, highest = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    for f in range(len(flat)):
        k = piece[f]
        cos, sin = turns[k, 0], turns[k, 1]
        for n in range(3):
            x = cos * flat[f, n, 0] + sin * flat[f, n, 1]
            y = cos * flat[f, n, 1] - sin * flat[f, n, 0]
            lowest[k, 0], highest[k, 0] = min(lowest[k, 0], x), max(highest[k, 0], x)
            lowest[k, 1], highest[k, 1] = min(lowest[k, 1], y), max(highest[k, 1], y)
    stays = np.ones(count, np.bool_)
    for k in range(count):
        before = (high[k, 0] - low[k, 0]) * (high[k, 1] - low[k, 1])
        after = (highest[k, 0] - lowest[k, 0]) * (highest[k, 1] - lowest[k, 1])
        if after < SMALLER * before:
            stays[k], low[k], high[k] = False, lowest[k], highest[k]
    if stays.all():
        return flat, low, high
    laid = flat.copy()
    for f in range(len(flat)):
        if stays[piece[f]]:
            continue
        cos, sin = turns[piece[f], 0], turns[piece[f], 1]
        for n in range(3):
            laid[f, n, 0] = cos * flat[f, n, 0] + sin * flat[f, n, 1]
            laid[f, n, 1] = cos * flat[f, n, 1] - sin * flat[f, n, 0]
    return laid, low, high


class _Pieces(NamedTuple):
    """The connected pieces of faces of one label.

    Attributes
    ----------
    label : (m,) int32
        The piece of each face.
    number : int
    flat : (m, 3, 2) float64
        Their corners, as `_laid` turned them.
    low, high : (number, 2) float64
        Of each piece's box.
    """

    label: npt.NDArray[np.int32]
    number: int
    flat: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    @classmethod
    def of(cls, flat, label, neighbours) -> "_Pieces":
        """Of corners (m, 3, 2) as they are projected."""
        piece, count = _pieces(label, neighbours)
        return cls(piece, count, *_laid(flat, piece, count))


def _cut(flat, label, neighbours, size, empty=EMPTY, most=1.0) -> _Pieces:
    """Cut pieces in two, as often as `CUTS`.

    Those are cut that leave most of their box empty, as a chair's legs do: that cover less than
    `empty` of it. And those whose box takes more than `most` of the picture.
    """
    scale = size * math.sqrt(FULLEST / max(_area(flat), 1e-12))
    whole = (size // CELL) ** 2
    pieces = _Pieces.of(flat, label, neighbours)
    for _ in range(CUTS):
        piece, count, laid, low, high = pieces
        boxes = _boxes(laid, piece, low)
        covered, shape, start = _cover(boxes, piece, high - low, scale, CELL)
        cells = shape.prod(axis=1)
        share = np.add.reduceat(covered, start[:-1], dtype=np.int64) / cells
        chosen = (share < empty) & (cells >= LARGE * whole) | (cells > most * whole)
        if not chosen.any():
            break
        along = (high - low).argmax(axis=1)
        middle = ((low + high) / 2)[np.arange(count), along]
        center = laid[np.arange(len(piece)), :, along[piece]].sum(axis=1) / 3
        beyond = (center > middle[piece]) & chosen[piece]
        pieces = _Pieces.of(flat, piece + np.int32(count) * beyond, neighbours)
    return pieces


def _area(flat) -> float:
    a, b = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    return float(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / 2


def _unwrap(mesh, pieces: _Pieces, size, cell=CELL) -> _Atlas | None:
    """Pack pieces into the picture, each a chart in cells so wide."""
    chart, _, flat, low, high = pieces
    flat, extents = flat - low[chart, None], high - low
    # Lying charts leave rows free at the bottom, which the picture then does not have.
    stands = extents[:, 1] > extents[:, 0]
    turned = np.stack([flat[..., 1], extents[chart, 0, None] - flat[..., 0]], axis=2)
    flat = np.where(stands[chart, None, None], turned, flat)
    extents[stands] = extents[stands][:, ::-1]
    packed = _pack(flat, chart, extents, size, cell)
    if packed is None:
        return None
    corner, scale, cells = packed
    vertices, faces, texels = _joined(
        flat, mesh.faces, chart, len(mesh.vertices), scale, cell * corner + EDGE
    )
    parts = cell // NARROW
    return _Atlas(vertices, faces, texels, cells.repeat(parts, axis=0).repeat(parts, axis=1))


@njit(cache=True)
def _joined(flat, faces, chart, vertices, scale, corner):
    """Corners of a chart's faces that share a vertex are one: `_Atlas`'s first three attributes."""
    of_vertex = np.full(vertices, -1, np.int32)  # the last one of each, and the one before it
    before, where = np.empty(3 * len(faces), np.int32), np.empty(3 * len(faces), np.int32)
    of_chart, numbered = np.empty(3 * len(faces), np.int32), np.empty(faces.shape, np.int32)
    texels = np.empty((3 * len(faces), 2))
    count = 0
    for f in range(len(faces)):
        for k in range(3):
            v = faces[f, k]
            same = of_vertex[v]
            while same >= 0 and of_chart[same] != chart[f]:
                same = before[same]
            if same < 0:
                same = count
                before[same], where[same], of_chart[same] = of_vertex[v], v, chart[f]
                of_vertex[v] = same
                for d in range(2):
                    texels[same, d] = flat[f, k, d] * scale + corner[chart[f], d]
                count += 1
            numbered[f, k] = same
    return where[:count], numbered, texels[:count]


def _pack(flat, chart, extents, size, cell):
    """Place charts by the cells that they cover, largest first.

    At the largest scale that fits, or a little below it, where fewer rows are needed.

    Returns
    -------
    corner : (k, 2) int32
        Of each chart, in cells.
    scale : float
        Texels a unit.
    cells : (size / cell, size / cell) int32
    """
    scale = size * math.sqrt(FULLEST / max(_area(flat), 1e-12))
    scale = min(scale, (size - 2 * EDGE) / max(float(extents.max()), 1e-12))
    boxes = _boxes(flat, chart, np.zeros_like(extents))
    found, most, tries = None, 0.0, FURTHER
    while tries > 0:
        covered, shape, start = _cover(boxes, chart, extents, scale, cell)
        order = np.argsort(-np.add.reduceat(covered, start[:-1], dtype=np.int64), kind="stable")
        corner, cells = _place(covered, shape, start, order, size // cell)
        if corner[order[-1], 0] >= 0:
            rows = np.nonzero(cells >= 0)[0].max() + 1
            gain = scale**4 / rows  # worth a little of the scale
            if gain > most:
                found, most = (corner, scale, cells), gain
        elif shape.max() == 1:
            break
        if found is not None:
            tries -= 1
        scale *= SHRINK
    return found


@njit(cache=True)
def _boxes(flat, chart, low):
    """Left, right, top and bottom of each face, seen from its chart's `low`: (m, 4)."""
    boxes = np.empty((len(flat), 4))
    for f in range(len(flat)):
        for d in range(2):
            p, q, r = flat[f, 0, d], flat[f, 1, d], flat[f, 2, d]
            boxes[f, 2 * d] = min(p, q, r) - low[chart[f], d]
            boxes[f, 2 * d + 1] = max(p, q, r) - low[chart[f], d]
    return boxes


def _cover(boxes, chart, extents, scale, cell):
    """Which cells of its box each chart covers, by the `boxes` of its faces in it.

    Returns
    -------
    covered : (c,) uint8
        The charts' boxes one after the other, row by row.
    shape : (k, 2) int64
        Columns and rows of each box.
    start : (k + 1,) int64
        Where each begins.
    """
    shape = ((extents * scale + 2 * EDGE) // cell).astype(np.int64) + 1
    start = np.concatenate([[0], np.cumsum(shape.prod(axis=1))])
    return _covered(boxes, chart, scale / cell, 2 * EDGE / cell, shape, start), shape, start


@njit(cache=True)
def _covered(boxes, chart, scale, beyond, shape, start):
    """`_cover` at a scale in cells, of which each face covers so many more."""
    covered = np.zeros(start[-1], np.uint8)
    for f in range(len(boxes)):
        k = chart[f]
        first, width = start[k], shape[k, 0]
        x0, x1 = int(boxes[f, 0] * scale), int(boxes[f, 1] * scale + beyond)
        y0, y1 = int(boxes[f, 2] * scale), int(boxes[f, 3] * scale + beyond)
        for row in range(y0, y1 + 1):
            for column in range(x0, x1 + 1):
                covered[first + row * width + column] = 1
    return covered


@njit(cache=True)
def _place(covered, shape, start, order, side):
    """The first place, from the top left, where nothing lies yet; -1 from where there is none."""
    corner = np.full((len(shape), 2), -1, np.int32)
    cells = np.full((side, side), -1, np.int32)
    for k in order:
        width, height = shape[k]
        runs = _runs(covered[start[k] : start[k + 1]].reshape(height, width))
        found, row = False, 0
        for y in range(side - height + 1):
            x = 0
            while x <= side - width:
                step, row = _step(cells, runs, x, y, row)
                if step == 0:
                    break
                x += step
            if x <= side - width:
                corner[k, 0], corner[k, 1] = x, y
                found = True
                break
        if not found:
            break
        x, y = corner[k]
        for row in range(height):
            for column in range(width):
                if runs[row, column]:
                    cells[y + row, x + column] = k
    return corner, cells


@njit(cache=True)
def _runs(box):
    """How many covered cells of a row end with each: (h, w) int32, 0 for those that are free."""
    runs = np.zeros(box.shape, np.int32)
    for row in range(box.shape[0]):
        run = 0
        for column in range(box.shape[1]):
            run = run + 1 if box[row, column] else 0
            runs[row, column] = run
    return runs


@njit(cache=True)
def _step(cells, runs, x, y, row):
    """How far a box has to go to the right, at least, to lie on nothing; and what row says so.

    The given row is asked first: what was in the way before mostly is so again.
    """
    height, width = runs.shape
    for n in range(height):
        here = row + n if row + n < height else row + n - height
        for column in range(width - 1, -1, -1):
            if runs[here, column] and cells[y + here, x + column] >= 0:
                return runs[here, column], here
    return 0, row


@njit(cache=True)
def _interpolate(image, painted, cells, apart, alike):
    """Fill texels halfway between known ones, where these are much of one colour.

    Known are those in every row and column of number ``n · apart``; `alike` is as in `STEPS`.

    Returns
    -------
    (h, w) bool
        Painted texels that are left: at seams, and where the colour changes.
    """
    height, width = painted.shape
    left = np.zeros(painted.shape, np.bool_)
    half = apart // 2
    for y in range(0, height, half):
        for x in range(0, width, half):
            down, right = y % apart, x % apart
            if not painted[y, x] or not (down or right):
                continue
            above, below, before, beyond = y - down, y + down, x - right, x + right
            if below >= height or beyond >= width:
                left[y, x] = True
                continue
            cell = cells[y // NARROW, x // NARROW]
            for v in (above, below):
                for u in (before, beyond):
                    if not painted[v, u] or cells[v // NARROW, u // NARROW] != cell:
                        left[y, x] = True
            for k in range(3):
                a, b = image[above, before, k], image[above, beyond, k]
                c, d = image[below, before, k], image[below, beyond, k]
                if max(a, b, c, d) - min(a, b, c, d) > alike:
                    left[y, x] = True
                image[y, x, k] = (a + b + c + d) / 4
    return left


@njit(cache=True)
def _pad(colors, painted, cells):
    """Round colours, and give each texel without one that of the nearest.

    Of the nearest in its chart's cells, then of any.
    """
    height, width = painted.shape
    image = np.zeros(colors.shape, np.uint8)
    for y in range(height):
        for x in range(width):
            for k in range(3):
                image[y, x, k] = int(255 * colors[y, x, k] + np.float32(0.5))
    queue = np.empty((height * width, 2), np.int32)
    for whose in range(2):
        tail = 0
        for y in range(height):
            for x in range(width):
                if painted[y, x] and not (
                    painted[y, max(x - 1, 0)]
                    and painted[y, min(x + 1, width - 1)]
                    and painted[max(y - 1, 0), x]
                    and painted[min(y + 1, height - 1), x]
                ):
                    queue[tail, 0], queue[tail, 1] = y, x
                    tail += 1
        head = 0
        while head < tail:
            y, x = queue[head]
            head += 1
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                v, u = y + dy, x + dx
                if v < 0 or u < 0 or v >= height or u >= width or painted[v, u]:
                    continue
                if (
                    whose == 0
                    and cells[v // NARROW, u // NARROW] != cells[y // NARROW, x // NARROW]
                ):
                    continue
                painted[v, u] = True
                for k in range(3):
                    image[v, u, k] = image[y, x, k]
                queue[tail, 0], queue[tail, 1] = v, u
                tail += 1
    return image


@njit(cache=True)
def _between(values, faces, owner, share, texels):
    """Values (n, 3) of the corners of the faces that own `texels`, by the weights of two."""
    width = owner.shape[1]
    mixed = np.empty((len(texels), 3), np.float32)
    for i in range(len(texels)):
        y, x = texels[i] // width, texels[i] % width
        a, b, c = faces[owner[y, x]]
        s, t = share[y, x]
        r = np.float32(1) - s - t
        for k in range(3):
            mixed[i, k] = r * values[a, k] + s * values[b, k] + t * values[c, k]
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
        over = 1 / area
        x0 = max(0, math.floor(min(a[0], b[0], c[0]) - 0.5))
        x1 = min(size - 1, math.ceil(max(a[0], b[0], c[0]) - 0.5))
        y0 = max(0, math.floor(min(a[1], b[1], c[1]) - 0.5))
        y1 = min(size - 1, math.ceil(max(a[1], b[1], c[1]) - 0.5))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x + 0.5 - a[0], y + 0.5 - a[1]
                s, t = (px * vy - vx * py) * over, (ux * py - px * uy) * over
                if s < -slack or t < -slack or s + t > 1 + slack:
                    continue
                d = (1 - s - t) * depth[f, 0] + s * depth[f, 1] + t * depth[f, 2]
                if owner[y, x] >= 0 and abs(at_depth[y, x] - d) > layer_depth:
                    hidden[f] = True
                    continue
                owner[y, x], at_depth[y, x] = f, d
                share[y, x, 0], share[y, x, 1] = s, t
    return owner, share, hidden
