"""Fewer triangles: quadric edge collapse that never changes the topology.

Edges that have not just one face on either side stay as they are, and their vertices with them.

After Garland and Heckbert, "Surface simplification using quadric error metrics" (1997). Instead of
a queue, passes: each collapses, cheapest first, edges that share no vertex. An edge is
collapsed only if the link condition holds (Dey et al., "Topology preserving edge contraction",
1999), so a closed mesh stays closed, with the same handles and parts.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import math

import numpy as np
from numba import njit, prange

from gen3d_mesh.grid_kernels import counting_sort
from gen3d_mesh.repair import compact
from gen3d_mesh.surface import Triangles

ROUNDNESS = 1e-3
"""Weight of the distance to the vertex itself: keeps triangles in flat regions well-shaped."""

CANDIDATES, RANKS = 0.4, 8
"""Share of the edges, the cheapest, that a pass tries, and how many ranks of cost they fall into.
Within a rank they are tried in the order in which they lie in memory, which takes half the time of
their exact order."""

SAMPLE = 8
"""One cost in so many tells where the ranks end."""

MAX_RING = 48
"""Faces around a vertex beyond which it takes no more edges."""


def simplify(mesh: Triangles, faces: int, *, closed: bool = True) -> Triangles:
    """Collapse edges until at most `faces` are left, or none can be collapsed any more.

    Parameters
    ----------
    mesh : Triangles
    faces : int
    closed : bool
        Whether it is known to be closed and manifold: then nobody has to look.
    """
    vertices, index = mesh.vertices.astype(np.float64), mesh.faces.astype(np.int32)
    # NumPy asks for huge pages, numba does not, and collapsing jumps about in this.
    quadrics = np.zeros((len(vertices), 10))
    _add_quadrics(vertices, index, quadrics)
    locked = np.zeros(len(vertices), np.bool_) if closed else irregular(index, len(vertices))
    while len(index) > faces:
        edges = _edges(index)
        costs = _costs(vertices, quadrics, edges)
        limits = np.quantile(costs[::SAMPLE], CANDIDATES * np.arange(1, RANKS + 1) / RANKS)
        cheapest = _ranked(costs, limits)
        ring, start = _rings(index, len(vertices))
        dead = _collapse(
            vertices, quadrics, index, ring, start, edges, cheapest, (len(index) - faces + 1) // 2,
            locked,
        )  # fmt: skip
        if dead == 0:
            break
        index = index[index[:, 0] >= 0]
    return compact(Triangles(vertices.astype(np.float32), index))


@njit(cache=True)
def _edges(faces):
    """Each edge once that has a face on either side; of others some."""
    count = 0
    for f in range(len(faces)):
        for k in range(3):
            count += faces[f, k] < faces[f, (k + 1) % 3]
    edges = np.empty((count, 2), np.int32)
    n = 0
    for f in range(len(faces)):
        for k in range(3):
            a, b = faces[f, k], faces[f, (k + 1) % 3]
            if a < b:
                edges[n, 0], edges[n, 1] = a, b
                n += 1
    return edges[:n]


@njit(cache=True)
def irregular(faces, vertices):
    """Whether a vertex has an edge that is not between two faces that run along it both ways."""
    order, start = counting_sort(faces.ravel(), vertices)
    found = np.zeros(vertices, np.bool_)
    for v in range(vertices):
        for i in range(start[v], start[v + 1]):
            face, k = order[i] // 3, order[i] % 3
            for other in (faces[face, (k + 1) % 3], faces[face, (k + 2) % 3]):
                along = back = 0
                for j in range(start[v], start[v + 1]):
                    corners, n = order[j] // 3, order[j] % 3
                    along += faces[corners, (n + 1) % 3] == other
                    back += faces[corners, (n + 2) % 3] == other
                if along != 1 or back != 1:
                    found[v] = found[other] = True
    return found


@njit(cache=True)
def _ranked(costs, limits):
    """Edges that cost no more than the last limit, those up to the first limit first."""
    rank = np.zeros(len(costs), np.int32)
    for limit in limits:  # a pass each, without a branch: half of a search's time
        for e in range(len(costs)):
            rank[e] += costs[e] > limit
    order, start = counting_sort(rank, len(limits) + 1)
    return order[: start[len(limits)]]


def _rings(faces, vertices):
    """Faces around each vertex: those of v are ``ring[start[v] : start[v + 1]]``."""
    order, start = counting_sort(faces.ravel(), vertices)
    return order // 3, start


@njit(cache=True)
def _add_quadrics(vertices, faces, quadrics):
    """Add squared distances to the planes of a vertex's faces, as 10 coefficients: (n, 10)."""
    for f in range(len(faces)):
        p, q, r = vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]]
        ux, uy, uz = q[0] - p[0], q[1] - p[1], q[2] - p[2]
        vx, vy, vz = r[0] - p[0], r[1] - p[1], r[2] - p[2]
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        area2 = math.sqrt(x * x + y * y + z * z)
        if area2 < 1e-20:
            continue
        x, y, z = x / area2, y / area2, z / area2
        d = -(x * p[0] + y * p[1] + z * p[2])
        for k in range(3):
            v = vertices[faces[f, k]]
            w = ROUNDNESS
            q10 = quadrics[faces[f, k]]
            q10[0] += area2 * (x * x + w)
            q10[1] += area2 * x * y
            q10[2] += area2 * x * z
            q10[3] += area2 * (y * y + w)
            q10[4] += area2 * y * z
            q10[5] += area2 * (z * z + w)
            q10[6] += area2 * (x * d - w * v[0])
            q10[7] += area2 * (y * d - w * v[1])
            q10[8] += area2 * (z * d - w * v[2])
            q10[9] += area2 * (d * d + w * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]))


@njit(cache=True, parallel=True, fastmath=True)
def _costs(vertices, quadrics, edges):
    """Squared distance that collapsing each edge adds."""
    costs = np.empty(len(edges), np.float32)
    for e in prange(len(edges)):
        q, (x, y, z) = _target(vertices, quadrics, edges[e, 0], edges[e, 1])
        costs[e] = (
            x * (q[0] * x + 2 * (q[1] * y + q[2] * z + q[6]))
            + y * (q[3] * y + 2 * (q[4] * z + q[7]))
            + z * (q[5] * z + 2 * q[8])
            + q[9]
        )
    return costs


@njit(cache=True, fastmath=True)
def _target(vertices, quadrics, a, b):
    """Sum of the quadrics of two vertices, and where it is least."""
    qa, qb = quadrics[a], quadrics[b]
    q = (
        qa[0] + qb[0], qa[1] + qb[1], qa[2] + qb[2], qa[3] + qb[3], qa[4] + qb[4],
        qa[5] + qb[5], qa[6] + qb[6], qa[7] + qb[7], qa[8] + qb[8], qa[9] + qb[9],
    )  # fmt: skip
    # Minimum of the quadric by Cramer's rule; ROUNDNESS keeps the matrix regular.
    ixx, ixy, ixz = (
        q[3] * q[5] - q[4] * q[4],
        q[2] * q[4] - q[1] * q[5],
        q[1] * q[4] - q[2] * q[3],
    )
    iyy, iyz, izz = (
        q[0] * q[5] - q[2] * q[2],
        q[1] * q[2] - q[0] * q[4],
        q[0] * q[3] - q[1] * q[1],
    )
    det = q[0] * ixx + q[1] * ixy + q[2] * ixz
    x = (vertices[a, 0] + vertices[b, 0]) / 2
    y = (vertices[a, 1] + vertices[b, 1]) / 2
    z = (vertices[a, 2] + vertices[b, 2]) / 2
    if det > 0:
        x = -(ixx * q[6] + ixy * q[7] + ixz * q[8]) / det
        y = -(ixy * q[6] + iyy * q[7] + iyz * q[8]) / det
        z = -(ixz * q[6] + iyz * q[7] + izz * q[8]) / det
    return q, (x, y, z)


@njit(cache=True)
def _collapse(vertices, quadrics, faces, ring, start, edges, order, budget, locked):
    """Collapse edges in the order given, at most one at each vertex; dead faces become -1.

    Those at vertices that are locked are left.

    Returns
    -------
    int
        How many were collapsed.
    """
    touched = locked.copy()
    seen = np.full(len(vertices), -1, np.int32)
    valence = start[1:] - start[:-1]
    done = 0
    for e in order:
        a, b = edges[e]
        if touched[a] or touched[b] or not _allowed(faces, ring, start, valence, a, b, e, seen):
            continue
        q, target = _target(vertices, quadrics, a, b)
        if _flips(vertices, faces, ring, start, a, b, target):
            continue
        if _flips(vertices, faces, ring, start, b, a, target):
            continue
        # The rings of both are out of date from here on; all others are not, but for dead faces.
        touched[a] = touched[b] = True
        valence[a] += valence[b] - 4
        for i in range(start[b], start[b + 1]):
            face = faces[ring[i]]
            if face[0] == a or face[1] == a or face[2] == a:
                for k in range(3):
                    if face[k] != a and face[k] != b:
                        valence[face[k]] -= 1
                face[:] = -1
            elif face[0] >= 0:
                for k in range(3):
                    if face[k] == b:
                        face[k] = a
        for k in range(3):
            vertices[a, k] = target[k]
        for k in range(10):
            quadrics[a, k] = q[k]
        done += 1
        if done >= budget:
            break
    return done


@njit(cache=True)
def _allowed(faces, ring, start, valence, a, b, stamp, seen):
    """Link condition on a closed mesh: exactly two vertices are neighbours of both."""
    if valence[a] + valence[b] > MAX_RING:
        return False
    for i in range(start[a], start[a + 1]):
        for k in range(3):
            if faces[ring[i], k] >= 0:
                seen[faces[ring[i], k]] = stamp
    seen[a] = seen[b] = -1
    common = 0
    for i in range(start[b], start[b + 1]):
        for k in range(3):
            v = faces[ring[i], k]
            if v >= 0 and seen[v] == stamp:
                # A neighbour with three faces only would be left with two, lying on each other.
                if valence[v] <= 3:
                    return False
                seen[v] = -1
                common += 1
    return common == 2


@njit(cache=True)
def _flips(vertices, faces, ring, start, moved, other, target):
    """Whether a face around `moved` would turn over or become a needle at `target`."""
    for i in range(start[moved], start[moved + 1]):
        face = faces[ring[i]]
        if face[0] < 0 or face[0] == other or face[1] == other or face[2] == other:
            continue
        k = 0 if face[0] == moved else (1 if face[1] == moved else 2)
        p, q, old = vertices[face[(k + 1) % 3]], vertices[face[(k + 2) % 3]], vertices[moved]
        ux, uy, uz = q[0] - p[0], q[1] - p[1], q[2] - p[2]
        vx, vy, vz = old[0] - p[0], old[1] - p[1], old[2] - p[2]
        wx, wy, wz = target[0] - p[0], target[1] - p[1], target[2] - p[2]
        ax, ay, az = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        bx, by, bz = uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx
        dot = ax * bx + ay * by + az * bz
        norms = math.sqrt((ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz))
        if dot <= 0.3 * norms:
            return True
        if bx * bx + by * by + bz * bz < 1e-3 * (ux * ux + uy * uy + uz * uz) ** 2:
            return True
    return False
