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

import numpy as np
import numpy.typing as npt
from numba import njit

from gen3d_mesh import colour, mesh_kernels
from gen3d_mesh.coloured_mesh import Texture
from gen3d_mesh.repair import face_normals
from gen3d_mesh.shell import Shell
from gen3d_mesh.splat import Floats
from gen3d_mesh.surface import Triangles

CELL = 8
"""Texels: a chart lies in cells of its own, so that pictures of an eighth mix no two charts."""

EDGE = 1
"""Texels kept free around a chart inside of its cells."""

FULLEST = 0.9
"""Share of the picture that charts fill at the largest scale that is tried."""

SHRINK = 0.985
"""From one scale that is tried to the next."""

FURTHER = 12
"""So many scales are tried below the largest that fits, for one that needs fewer rows."""

EMPTY, LARGE, CUTS = 0.6, 64, 5
"""A chart that covers less of its box, of so many cells or more, is cut in two, so often."""

FULL, HUGE = 0.6, 0.06
"""Where charts cover less of the picture, those whose boxes take more of it are cut, too, if that
makes it fuller: six round ones leave a half of it empty."""

LAYERS = 3
"""So often charts that lie over themselves are taken apart."""

LEAST_SHARE, MERGING_ROUNDS = 150, 12
"""A piece of fewer than one face in so many goes to its neighbours, from its border inwards."""

CRUMB, CRUMB_FACING = 25, -0.3
"""Of the last pieces of fewer faces, on sharp edges, each goes that faces its new chart's axis with
at least this cosine: some texels there are seen twice."""

SMOOTHING_ROUNDS = 12
MIN_FACING = 0.3
"""Least cosine between a face and its chart's axis, but for faces that face nothing better."""

LAYER_DEPTH = 0.02
"""Faces of a chart that lie over one another by more than this belong to different charts."""

ALIKE = np.float32(0.06)
"""Texels whose colours differ by less in each channel have the mean of them between."""

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

    Where they are `soft`, and hold nothing narrower than two texels, they are asked at every second
    texel along each edge, and at those between where these differ. Other parameters and what is
    returned are those of `paint`.
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
    cells : (h / CELL, w / CELL) int32
        The chart of each cell, -1 where there is none.
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
        cells = of_texel.reshape(height // CELL, CELL, width // CELL, CELL).max(axis=(1, 3))
        return cls(mesh, owner, share, cells)

    @property
    def painted(self) -> npt.NDArray[np.bool_]:
        """Texels that a face covers."""
        return self.owner >= 0

    def between(
        self, values: Floats, texels: npt.NDArray[np.bool_],
        faces: npt.NDArray[np.int32] | None = None,
    ) -> Floats:  # fmt: skip
        """Values (n, 3) of corners of `faces`, or of the mesh's, at painted `texels`: (k, 3)."""
        corners = (self.mesh.faces if faces is None else faces)[self.owner[texels]]
        between: Floats = _between(values, corners, self.share[texels])
        return between

    def asked(
        self, normals: Floats, values: Callable[[Floats, Floats], Floats], *, soft: bool
    ) -> Floats:
        """What `values` says of the painted texels, as `bake` asks it: (h, w, 3)."""
        image = np.zeros((*self.owner.shape, 3), np.float32)

        def ask(texels: npt.NDArray[np.bool_]) -> None:
            normal = self.between(normals, texels)  # a little short of 1, which does not matter
            image[texels] = values(self.between(self.mesh.vertices, texels), normal)

        left = self.painted
        if soft:
            sparse = np.zeros_like(left)
            sparse[::2, ::2] = left[::2, ::2]
            ask(sparse)
            left = _interpolate(image, left, self.cells)
        ask(left)
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
    neighbours = face_neighbours(mesh)
    axis = _axes_of_faces(_facing(mesh), neighbours)
    flat, depth = _projected(mesh.vertices, mesh.faces, _VIEWS, axis)
    layer = np.zeros(len(axis), np.int32)
    for _ in range(LAYERS):
        label = _cut(flat, axis + len(_AXES) * layer, neighbours, size)
        atlas = _unwrap(mesh, flat, label, neighbours, size)
        if atlas is None:
            return None
        if atlas.used < FULL:
            label = _cut(flat, label, neighbours, size, 0, HUGE)
            smaller = _unwrap(mesh, flat, label, neighbours, size)
            if smaller is not None and smaller.used > atlas.used:
                atlas = smaller
        owner, share, hidden = _rasterise(atlas.texels, atlas.faces, depth, size, LAYER_DEPTH)
        if not hidden.any():
            break
        layer[hidden] += 1
    return atlas, owner, share


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


def _facing(mesh: Triangles) -> Floats:
    """Cosine between each face and each of the six axes: (m, 6)."""
    normal = face_normals(mesh)
    normal /= np.maximum(np.sqrt(np.einsum("ij,ij->i", normal, normal)), 1e-20)[:, None]
    facing: Floats = normal @ _AXES.T
    return facing


def _axes_of_faces(facing: Floats, neighbours: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Which of the six axes each face is projected along, in few pieces."""
    axis: npt.NDArray[np.int32] = _smoothed(facing, neighbours, SMOOTHING_ROUNDS)
    least = len(axis) // LEAST_SHARE
    for size, cosine in ((least, MIN_FACING), (CRUMB, CRUMB_FACING)):
        for _ in range(MERGING_ROUNDS):
            piece, count = _pieces(axis, neighbours)
            rank = np.bincount(piece, minlength=count) * count + np.arange(count)
            if not _merge(axis, facing, neighbours, rank[piece], size * count, cosine):
                break
    return axis


@njit(cache=True)
def _pieces(label, neighbours):
    """Number the connected pieces of faces of one label: (m,), and how many there are."""
    piece = np.full(len(label), -1, np.int64)
    stack = np.empty(len(label), np.int64)
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
    for _ in range(rounds):
        for f in range(m):
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
            following[f] = best
        axis, following = following, axis
    return axis


@njit(cache=True)
def _merge(axis, facing, neighbours, rank, enough, least):
    """Give faces of pieces below a rank to the higher piece beside them that they face best.

    Returns how many went.
    """
    before = axis.copy()
    moved = 0
    for f in range(len(axis)):
        if rank[f] >= enough:
            continue
        best, most = -1, least
        for n in range(3):
            other = neighbours[f, n]
            if rank[other] > rank[f] and facing[f, before[other]] > most:
                best, most = before[other], facing[f, before[other]]
        if best >= 0:
            axis[f] = best
            moved += 1
    return moved


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
    cells : (size / CELL, size / CELL) int32
        The chart of each cell, -1 where there is none.
    """

    vertices: npt.NDArray[np.int32]
    faces: npt.NDArray[np.int32]
    texels: npt.NDArray[np.float64]
    cells: npt.NDArray[np.int32]

    @property
    def height(self) -> int:
        """Texels down to the last row of cells that a chart has."""
        return CELL * int(np.flatnonzero((self.cells >= 0).any(axis=1))[-1] + 1)

    @property
    def used(self) -> float:
        """Share of the picture that faces cover."""
        return _area(self.texels[self.faces]) / (self.height * CELL * len(self.cells))


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


def _cut(flat, label, neighbours, size, empty=EMPTY, most=1.0):
    """Cut pieces in two, as often as `CUTS`: new labels.

    Those are cut that leave most of their box empty, as a chair's legs do: that cover less than
    `empty` of it. And those whose box takes more than `most` of the picture.
    """
    scale = size * math.sqrt(FULLEST / max(_area(flat), 1e-12))
    center = flat.sum(axis=1) / 3
    for _ in range(CUTS):
        piece, count = _pieces(label, neighbours)
        low, high = _extents(flat, piece, count)
        covered, shape, start = _cover(flat, piece, low, high - low, scale)
        cells = shape.prod(axis=1)
        share = np.add.reduceat(covered, start[:-1], dtype=np.int64) / cells
        chosen = (share < empty) & (cells >= LARGE)
        chosen |= cells > most * (size // CELL) ** 2
        if not chosen.any():
            break
        along = (high - low).argmax(axis=1)
        middle = ((low + high) / 2)[np.arange(count), along]
        beyond = center[np.arange(len(piece)), along[piece]] > middle[piece]
        label = piece + count * (beyond & chosen[piece])
    return label


def _area(flat) -> float:
    a, b = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    return float(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / 2


def _unwrap(mesh, flat, label, neighbours, size) -> _Atlas | None:
    """Pack the pieces of faces of one label into the picture."""
    chart, count = _pieces(label, neighbours)
    low, high = _extents(flat, chart, count)
    flat, extents = flat - low[chart, None], high - low
    # Lying charts leave rows free at the bottom, which the picture then does not have.
    stands = extents[:, 1] > extents[:, 0]
    turned = np.stack([flat[..., 1], extents[chart, 0, None] - flat[..., 0]], axis=2)
    flat = np.where(stands[chart, None, None], turned, flat)
    extents[stands] = extents[stands][:, ::-1]
    packed = _pack(flat, chart, extents, size)
    if packed is None:
        return None
    corner, scale, cells = packed
    texels = (flat * scale + CELL * corner[chart, None] + EDGE).reshape(-1, 2)
    key = np.repeat(chart, 3).astype(np.int64) * len(mesh.vertices) + mesh.faces.ravel()
    unique, first, corners = np.unique(key, return_index=True, return_inverse=True)
    vertices = (unique % len(mesh.vertices)).astype(np.int32)
    return _Atlas(vertices, corners.reshape(-1, 3).astype(np.int32), texels[first], cells)


def _pack(flat, chart, extents, size):
    """Place charts by the cells that they cover, largest first.

    At the largest scale that fits, or a little below it, where fewer rows are needed.

    Returns
    -------
    corner : (k, 2) int32
        Of each chart, in cells.
    scale : float
        Texels a unit.
    cells : (size / CELL, size / CELL) int32
    """
    scale = size * math.sqrt(FULLEST / max(_area(flat), 1e-12))
    scale = min(scale, (size - 2 * EDGE) / max(float(extents.max()), 1e-12))
    found, most, tries = None, 0.0, FURTHER
    while tries > 0:
        covered, shape, start = _cover(flat, chart, np.zeros_like(extents), extents, scale)
        order = np.argsort(-np.add.reduceat(covered, start[:-1], dtype=np.int64), kind="stable")
        corner, cells = _place(covered, shape, start, order, size // CELL)
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


def _cover(flat, chart, low, extents, scale):
    """Which cells of its box, which begins at `low`, each chart covers.

    Returns
    -------
    covered : (c,) uint8
        The boxes one after the other, row by row.
    shape : (k, 2) int64
        Columns and rows of each box.
    start : (k + 1,) int64
        Where each begins.
    """
    shape = ((extents * scale + 2 * EDGE) // CELL).astype(np.int64) + 1
    start = np.concatenate([[0], np.cumsum(shape.prod(axis=1))])
    return _covered(flat, chart, low, scale, shape, start), shape, start


@njit(cache=True)
def _covered(flat, chart, low, scale, shape, start):
    covered = np.zeros(start[-1], np.uint8)
    for f in range(len(flat)):
        k = chart[f]
        x0 = x1 = (flat[f, 0, 0] - low[k, 0]) * scale
        y0 = y1 = (flat[f, 0, 1] - low[k, 1]) * scale
        for n in range(1, 3):
            x, y = (flat[f, n, 0] - low[k, 0]) * scale, (flat[f, n, 1] - low[k, 1]) * scale
            x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
        for row in range(int(y0 // CELL), int((y1 + 2 * EDGE) // CELL) + 1):
            for column in range(int(x0 // CELL), int((x1 + 2 * EDGE) // CELL) + 1):
                covered[start[k] + row * shape[k, 0] + column] = 1
    return covered


@njit(cache=True)
def _place(covered, shape, start, order, side):
    """The first place, from the top left, where nothing lies yet; -1 from where there is none."""
    corner = np.full((len(shape), 2), -1, np.int32)
    cells = np.full((side, side), -1, np.int32)
    for k in order:
        width, height = shape[k]
        box = covered[start[k] : start[k + 1]].reshape(height, width)
        found = False
        for y in range(side - height + 1):
            for x in range(side - width + 1):
                if _free(cells, box, x, y):
                    corner[k, 0], corner[k, 1] = x, y
                    found = True
                    break
            if found:
                break
        if not found:
            break
        for row in range(height):
            for column in range(width):
                if box[row, column]:
                    cells[y + row, x + column] = k
    return corner, cells


@njit(cache=True)
def _free(cells, box, x, y):
    for row in range(box.shape[0]):
        for column in range(box.shape[1]):
            if box[row, column] and cells[y + row, x + column] >= 0:
                return False
    return True


@njit(cache=True)
def _interpolate(image, painted, cells):
    """Fill texels between those of even rows and columns, where these are much of one colour.

    Returns
    -------
    (h, w) bool
        Painted texels that are left: at seams, and where the colour changes.
    """
    height, width = painted.shape
    left = np.zeros(painted.shape, np.bool_)
    for y in range(height):
        for x in range(width):
            if not painted[y, x] or not (y % 2 or x % 2):
                continue
            above, below, before, beyond = y - y % 2, y + y % 2, x - x % 2, x + x % 2
            if below >= height or beyond >= width:
                left[y, x] = True
                continue
            cell = cells[y // CELL, x // CELL]
            for v in (above, below):
                for u in (before, beyond):
                    if not painted[v, u] or cells[v // CELL, u // CELL] != cell:
                        left[y, x] = True
            for k in range(3):
                a, b = image[above, before, k], image[above, beyond, k]
                c, d = image[below, before, k], image[below, beyond, k]
                if max(a, b, c, d) - min(a, b, c, d) > ALIKE:
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
                image[y, x, k] = round(255 * colors[y, x, k])
    queue = np.empty((height * width, 2), np.int32)
    for whose in range(2):
        tail = 0
        for y in range(height):
            for x in range(width):
                if painted[y, x]:
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
                if whose == 0 and cells[v // CELL, u // CELL] != cells[y // CELL, x // CELL]:
                    continue
                painted[v, u] = True
                for k in range(3):
                    image[v, u, k] = image[y, x, k]
                queue[tail, 0], queue[tail, 1] = v, u
                tail += 1
    return image


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
