"""Loops over a grid's voxels, compiled by numba: points are scattered to it, and it is sampled.

All arrays are float32 and C-contiguous. Grids are indexed (x, y, z), voxel centres at whole
indices. Scattering kernels run in parallel over slabs along x: points are sorted by slab, and all
even slabs are done before all odd ones, so that two threads never write to the same voxel.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import math

import numba
import numpy as np
from numba import njit, prange

# Needs no library beside numba itself, and no kernel here calls another from several threads.
numba.config.THREADING_LAYER = "workqueue"

DISTANCE_REACH = 2.6
"""Voxels up to which a shell point counts in the signed distance."""


@njit(cache=True, inline="always")
def clamp(value, low, high):
    """`value`, or the bound that it passes."""
    return max(low, min(high, value))


@njit(cache=True)
def bounds(points):
    """Lowest and highest coordinates of `points` (n, 3), in a sixth of NumPy's time."""
    low, high = points[0].copy(), points[0].copy()
    for i in range(1, len(points)):
        for k in range(3):
            low[k], high[k] = min(low[k], points[i, k]), max(high[k], points[i, k])
    return low, high


@njit(cache=True)
def counted_from(points, origin, unit):
    """Coordinates (n, 3) of `points` from an `origin`, float64, in units: in double precision."""
    moved = np.empty(points.shape, np.float32)
    for i in range(len(points)):
        for k in range(3):
            moved[i, k] = (points[i, k] - origin[k]) / unit
    return moved


@njit(cache=True)
def flat_index(points, origin, size, shape):
    """Number of the cell of each of `points` (n, 3), z running fastest: (n,) int32."""
    flat = np.empty(len(points), np.int32)
    for i in range(len(points)):
        a = int((points[i, 0] - origin[0]) / size)
        b = int((points[i, 1] - origin[1]) / size)
        c = int((points[i, 2] - origin[2]) / size)
        flat[i] = (a * shape[1] + b) * shape[2] + c
    return flat


@njit(cache=True)
def counting_sort(keys, count):
    """Sort whole numbers below `count`, equal ones in their order.

    Returns
    -------
    order : (n,) int32
        ``keys[order]`` is sorted.
    start : (count + 1,) int32
        Place of each number's first key in `order`.
    """
    start = np.zeros(count + 1, np.int32)
    for key in keys:
        start[key + 1] += 1
    for k in range(count):
        start[k + 1] += start[k]
    place = start[:-1].copy()
    order = np.empty(len(keys), np.int32)
    for i in range(len(keys)):
        order[place[keys[i]]] = i
        place[keys[i]] += 1
    return order, start


@njit(cache=True)
def occurrences(labels, count):
    """How often each whole number below `count` occurs in a grid: NumPy makes a copy for that."""
    times = np.zeros(count, np.int64)
    for label in labels.ravel():
        times[label] += 1
    return times


@njit(cache=True)
def picked(labels, keep):
    """Voxels whose label is one of those to `keep`, without a copy of 64 bits a label."""
    mask = np.empty(labels.shape, np.bool_)
    for a in range(labels.shape[0]):
        for b in range(labels.shape[1]):
            for c in range(labels.shape[2]):
                mask[a, b, c] = keep[labels[a, b, c]]
    return mask


@njit(cache=True)
def crossed(values):
    """Cubes of eight voxels of which some are positive and some not, each at its last voxel.

    Marching cubes then need not look at the rest, which takes them three times as long.
    """
    nx, ny, nz = values.shape
    mask = np.zeros(values.shape, np.bool_)
    positive = np.empty(nz, np.int8)
    for a in range(nx - 1):
        for b in range(ny - 1):
            for c in range(nz):
                positive[c] = (
                    (values[a, b, c] > 0)
                    + (values[a + 1, b, c] > 0)
                    + (values[a, b + 1, c] > 0)
                    + (values[a + 1, b + 1, c] > 0)
                )
            for c in range(nz - 1):
                of_eight = positive[c] + positive[c + 1]
                mask[a + 1, b + 1, c + 1] = (of_eight > 0) & (of_eight < 8)
    return mask


@njit(cache=True)
def flood(free, outside):
    """Spread `outside` through voxels that are `free` and share a face, in place.

    Both are (x, y, z) bool; the grid's rim is not free.
    """
    _, ny, nz = free.shape
    stack = np.empty(1 << 16, np.int64)
    steps = np.array([1, -1, nz, -nz, ny * nz, -ny * nz])
    flat_free, flat_out = free.ravel(), outside.ravel()
    for first in range(len(flat_free)):
        if not flat_free[first] or flat_out[first]:
            continue
        met = False
        for step in steps:
            met = met or flat_out[first + step]
        if not met:
            continue
        stack[0] = first
        flat_out[first] = True
        n = 1
        while n:
            n -= 1
            here = stack[n]
            for step in steps:
                there = here + step
                if flat_free[there] and not flat_out[there]:
                    flat_out[there] = True
                    if n == len(stack):
                        stack = np.concatenate((stack, np.empty_like(stack)))
                    stack[n] = there
                    n += 1


@njit(cache=True, parallel=True, fastmath=True)
def add_gaussians(density, order, slabs, points, scales, rotations, opacities, blur, reach):
    """Add ``opacity · exp(-½ dᵀ Σ⁻¹ d)`` of each gaussian to a grid.

    Parameters
    ----------
    density : (x, y, z)
        Changed in place.
    order, slabs : int
        From `slab_order` with slabs at least ``2 · reach`` wide.
    points, scales : (n, 3)
        In voxels.
    rotations : (n, 4)
        Unit quaternions, wxyz.
    blur : float
        Standard deviation in voxels by which each gaussian is widened, so that none falls between
        the voxels.
    reach : float
        Voxels up to which a gaussian is drawn.
    """
    for parity in range(2):
        for pair in prange((len(slabs) - parity) // 2):
            slab = 2 * pair + parity
            for j in range(slabs[slab], slabs[slab + 1]):
                i = order[j]
                _add_gaussian(
                    density, points[i], scales[i], rotations[i], opacities[i], blur, reach
                )


@njit(cache=True, fastmath=True)
def _add_gaussian(density, point, scale, rotation, opacity, blur, reach):
    w, x, y, z = rotation
    s0, s1, s2 = scale[0] * scale[0], scale[1] * scale[1], scale[2] * scale[2]
    one, two = np.float32(1), np.float32(2)  # a Python number would make all of it double
    r00, r01, r02 = one - two * (y * y + z * z), two * (x * y - w * z), two * (x * z + w * y)
    r10, r11, r12 = two * (x * y + w * z), one - two * (x * x + z * z), two * (y * z - w * x)
    r20, r21, r22 = two * (x * z - w * y), two * (y * z + w * x), one - two * (x * x + y * y)
    b2 = blur * blur
    xx = r00 * r00 * s0 + r01 * r01 * s1 + r02 * r02 * s2 + b2
    yy = r10 * r10 * s0 + r11 * r11 * s1 + r12 * r12 * s2 + b2
    zz = r20 * r20 * s0 + r21 * r21 * s1 + r22 * r22 * s2 + b2
    xy = r00 * r10 * s0 + r01 * r11 * s1 + r02 * r12 * s2
    xz = r00 * r20 * s0 + r01 * r21 * s1 + r02 * r22 * s2
    yz = r10 * r20 * s0 + r11 * r21 * s1 + r12 * r22 * s2
    # Inverse of the covariance by cofactors.
    ixx, ixy, ixz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    det = xx * ixx + xy * ixy + xz * ixz
    ixx, ixy, ixz = ixx / det, ixy / det, ixz / det
    iyy, iyz, izz = (
        (xx * zz - xz * xz) / det,
        (xy * xz - xx * yz) / det,
        (xx * yy - xy * xy) / det,
    )

    cx, cy, cz = point
    wide = np.float32(2.65)
    ex = min(reach, wide * np.float32(math.sqrt(xx)))
    ey = min(reach, wide * np.float32(math.sqrt(yy)))
    ez = min(reach, wide * np.float32(math.sqrt(zz)))
    nx, ny, nz = density.shape
    z0, count = _eights(math.ceil(cz - ez), math.floor(cz + ez), nz)
    first = np.float32(z0) - cz
    for a in range(max(0, math.ceil(cx - ex)), min(nx - 1, math.floor(cx + ex)) + 1):
        dx = np.float32(a) - cx
        for b in range(max(0, math.ceil(cy - ey)), min(ny - 1, math.floor(cy + ey)) + 1):
            dy = np.float32(b) - cy
            across = ixx * dx * dx + iyy * dy * dy + two * ixy * dx * dy
            slope = two * (ixz * dx + iyz * dy)
            row = density[a, b, z0:]
            for k in range(count):
                dz = first + np.float32(k)
                q = across + dz * (slope + izz * dz)
                share = opacity * _falling(q)
                row[k] += share if q < np.float32(7) else np.float32(0)


@njit(cache=True)
def _eights(first, last, voxels):
    """Begin and length of a row's part that holds `first` to `last`, in whole eights where it can.

    Processors do eight at once. The compiler sees to that where a loop has no branch, counts from 0
    and has a length that is not known to be short: else it writes eight times the same, one by one.
    """
    count = min(8 * ((last - first) // 8 + 1), voxels)
    return max(0, min(first, voxels - count)), count


@njit(cache=True, fastmath=True)
def _falling(q):
    """``exp(-q / 2)``, of single precision for q up to 7, in a third of the time."""
    y = q * np.float32(1 / 64)
    y = np.float32(1) - y + np.float32(0.5) * y * y
    y *= y
    y *= y
    y *= y
    y *= y
    return y * y


@njit(cache=True, parallel=True, fastmath=True)
def add_distances(distance, weight, order, slabs, points, normals, weights, halves):
    """Scatter the distance to each point's plane: ``Σ w n·(x - p)`` and ``Σ w``.

    A point of a sheet, with half a thickness in `halves`, counts ``|n·(x - p)| - half`` instead.
    The weight is the point's times a gaussian of one voxel. `points` are in voxels, slabs at least
    ``2 · DISTANCE_REACH`` wide; `distance` and `weight` (x, y, z) are changed in place.
    """
    nx, ny, nz = distance.shape
    reach2 = np.float32(DISTANCE_REACH * DISTANCE_REACH)
    for parity in range(2):
        for pair in prange((len(slabs) - parity) // 2):
            slab = 2 * pair + parity
            fall = np.empty((3, 8), np.float32)
            for j in range(slabs[slab], slabs[slab + 1]):
                i = order[j]
                cx, cy, cz = points[i]
                ux, uy, uz = normals[i]
                x0, x1, _ = _within_reach(cx, nx, fall[0])
                y0, y1, _ = _within_reach(cy, ny, fall[1])
                z0, _, count = _within_reach(cz, nz, fall[2])
                first = np.float32(z0) - cz
                half = halves[i]
                for a in range(x0, x1 + 1):
                    dx = np.float32(a) - cx
                    wx = weights[i] * fall[0, a - x0]
                    for b in range(y0, y1 + 1):
                        dy = np.float32(b) - cy
                        d2 = dx * dx + dy * dy
                        if d2 > reach2:
                            continue
                        w = wx * fall[1, b - y0]
                        plane = ux * dx + uy * dy
                        left = reach2 - d2
                        distances, weighed = distance[a, b, z0:], weight[a, b, z0:]
                        for k in range(count):
                            dz = first + np.float32(k)
                            v = w * fall[2, k] if dz * dz <= left else np.float32(0)
                            d = plane + uz * dz
                            d = abs(d) - half if half > 0 else d
                            weighed[k] += v
                            distances[k] += v * d


@njit(cache=True, fastmath=True)
def _within_reach(center, voxels, fall):
    """First and last voxel along an axis that a point counts in, and how much it does there.

    `fall` is filled for as many as `_eights` says, which is told, too.
    """
    last = min(voxels - 1, math.floor(center + DISTANCE_REACH))
    first, count = _eights(math.ceil(center - DISTANCE_REACH), last, voxels)
    away = np.float32(first) - center
    for k in range(count):
        d = away + np.float32(k)
        fall[k] = _falling(d * d)
    return first, last, count


@njit(cache=True, fastmath=True)
def trilinear(volume, x, y, z):
    """Value of a grid between its voxels; beyond them that of the nearest."""
    nx, ny, nz = volume.shape
    x = clamp(x, 0.0, nx - 1.001)
    y = clamp(y, 0.0, ny - 1.001)
    z = clamp(z, 0.0, nz - 1.001)
    a, b, c = int(x), int(y), int(z)
    u, v, w = x - a, y - b, z - c
    low = (volume[a, b, c] * (1 - w) + volume[a, b, c + 1] * w) * (1 - v) + (
        volume[a, b + 1, c] * (1 - w) + volume[a, b + 1, c + 1] * w
    ) * v
    high = (volume[a + 1, b, c] * (1 - w) + volume[a + 1, b, c + 1] * w) * (1 - v) + (
        volume[a + 1, b + 1, c] * (1 - w) + volume[a + 1, b + 1, c + 1] * w
    ) * v
    return low * (1 - u) + high * u


@njit(cache=True, parallel=True)
def sample(volume, points):
    """Trilinear value of a grid at `points` (n, 3), in voxels."""
    values = np.empty(len(points), np.float32)
    for i in prange(len(points)):
        values[i] = trilinear(volume, points[i, 0], points[i, 1], points[i, 2])
    return values


@njit(cache=True, parallel=True)
def sample_descent(volume, points):
    """Negative gradient of a grid at `points` (n, 3), by central differences over two voxels."""
    descent = np.empty((len(points), 3), np.float32)
    for i in prange(len(points)):
        x, y, z = points[i]
        descent[i, 0] = trilinear(volume, x - 1, y, z) - trilinear(volume, x + 1, y, z)
        descent[i, 1] = trilinear(volume, x, y - 1, z) - trilinear(volume, x, y + 1, z)
        descent[i, 2] = trilinear(volume, x, y, z - 1) - trilinear(volume, x, y, z + 1)
    return descent


@njit(cache=True, parallel=True)
def fuse_distance(distance, weight, inside, step, level, slope, trust):
    """Turn the sums of `add_distances` into a signed distance, in place.

    Where few points speak, the smoothed solid does: its distance is ``slope · (level - inside)``,
    with a weight that grows with the distance, so that a stray point far from the solid's boundary
    is not considered.

    Parameters
    ----------
    distance, weight : (x, y, z)
        `distance` becomes the signed distance in voxels, positive outside.
    inside : (u, v, w)
        The smoothed solid on its own grid, of which `step` voxels make one of this.
    level, slope, trust : float
        The solid's boundary value, its steepness there in 1/voxel, and its least weight.
    """
    nx, ny, nz = distance.shape
    for a in prange(nx):
        for b in range(ny):
            for c in range(nz):
                far = slope * (level - trilinear(inside, a * step, b * step, c * step))
                far = clamp(far, -3.0, 3.0)
                excess = max(0.0, abs(far) - 1)
                w = trust * (1 + 4 * excess * excess)
                distance[a, b, c] = (distance[a, b, c] + w * far) / (weight[a, b, c] + w)
