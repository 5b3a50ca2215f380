"""The loops that numpy cannot do fast enough, compiled by numba.

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

DENSITY_REACH = 4
"""Voxels up to which a gaussian is drawn."""

DISTANCE_REACH = 2.6
"""Voxels up to which a shell point counts in the signed distance."""

CLOSE, WIDE = 8.0, 3.0
"""How the two averages of colours fall off: ``exp(-falloff · (d / radius)²)``."""

CONTRAST = 12.5
"""How a colour's squared difference lessens its weight; differences of 0.2 count about 0.6."""


@njit(cache=True, inline="always")
def _clamp(value, low, high):
    return max(low, min(high, value))


@njit(cache=True, parallel=True, fastmath=True)
def count_neighbours(points, start, origin, size, queries, radius):
    """Count sorted `points` within `radius` of each query (see `cells.Cells`)."""
    counts = np.zeros(len(queries), np.int32)
    for q in prange(len(queries)):
        qx, qy, qz = queries[q]
        x = int((qx - origin[0]) / size)
        y = int((qy - origin[1]) / size)
        z = int((qz - origin[2]) / size)
        z0 = _clamp(z - 1, 0, start.shape[2] - 1)
        z1 = _clamp(z + 2, 0, start.shape[2] - 1)
        n = 0
        for a in range(max(0, x - 1), min(start.shape[0], x + 2)):
            for b in range(max(0, y - 1), min(start.shape[1], y + 2)):
                for i in range(start[a, b, z0], start[a, b, z1]):
                    dx, dy, dz = points[i, 0] - qx, points[i, 1] - qy, points[i, 2] - qz
                    if dx * dx + dy * dy + dz * dz <= radius * radius:
                        n += 1
        counts[q] = n
    return counts


@njit(cache=True, parallel=True, fastmath=True)
def facing_normals(points, start, origin, size, facing, radius):
    """Normal of the plane fitted to the neighbours that face the same side.

    Parameters
    ----------
    points : (n, 3)
        Sorted by cell.
    facing : (n, 3)
        Unit vectors, roughly outward: neighbours on the other side of a thin wall do not count.
    radius : float
        Neighbours are weighted by ``1 - (d / radius)²``.

    Returns
    -------
    (n, 3)
        Unit normals on the side of `facing`, which stands in where no plane can be fitted.
    """
    normals = np.empty_like(points)
    for q in prange(len(points)):
        qx, qy, qz = points[q]
        x = int((qx - origin[0]) / size)
        y = int((qy - origin[1]) / size)
        z = int((qz - origin[2]) / size)
        z0 = _clamp(z - 1, 0, start.shape[2] - 1)
        z1 = _clamp(z + 2, 0, start.shape[2] - 1)
        w = 0.0
        mx = my = mz = xx = xy = xz = yy = yz = zz = 0.0
        for a in range(max(0, x - 1), min(start.shape[0], x + 2)):
            for b in range(max(0, y - 1), min(start.shape[1], y + 2)):
                for i in range(start[a, b, z0], start[a, b, z1]):
                    dx = (points[i, 0] - qx) / radius
                    dy = (points[i, 1] - qy) / radius
                    dz = (points[i, 2] - qz) / radius
                    v = 1 - (dx * dx + dy * dy + dz * dz)
                    if v <= 0:
                        continue
                    v *= (
                        facing[i, 0] * facing[q, 0]
                        + facing[i, 1] * facing[q, 1]
                        + facing[i, 2] * facing[q, 2]
                    )
                    if v <= 0:
                        continue
                    w += v
                    mx += v * dx
                    my += v * dy
                    mz += v * dz
                    xx += v * dx * dx
                    xy += v * dx * dy
                    xz += v * dx * dz
                    yy += v * dy * dy
                    yz += v * dy * dz
                    zz += v * dz * dz
        mx, my, mz = mx / w, my / w, mz / w
        nx, ny, nz = _least_axis(
            xx / w - mx * mx, xy / w - mx * my, xz / w - mx * mz,
            yy / w - my * my, yz / w - my * mz, zz / w - mz * mz,
        )  # fmt: skip
        along = nx * facing[q, 0] + ny * facing[q, 1] + nz * facing[q, 2]
        if along == 0:
            nx, ny, nz, along = facing[q, 0], facing[q, 1], facing[q, 2], 1.0
        sign = 1.0 if along > 0 else -1.0
        normals[q, 0], normals[q, 1], normals[q, 2] = sign * nx, sign * ny, sign * nz
    return normals


@njit(cache=True, fastmath=True)
def _least_axis(xx, xy, xz, yy, yz, zz):
    """Unit eigenvector of the least eigenvalue of a symmetric 3×3 matrix; zero where undefined.

    Trigonometric solution after Smith, "Eigenvalues of a symmetric 3 × 3 matrix" (1961).
    """
    mean = (xx + yy + zz) / 3
    a, b, c = xx - mean, yy - mean, zz - mean
    p = math.sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6)
    if p < 1e-9:
        return 0.0, 0.0, 0.0
    half_det = (a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)) / (
        2 * p * p * p
    )
    phi = math.acos(_clamp(half_det, -1.0, 1.0)) / 3
    least = mean + 2 * p * math.cos(phi + 2 * math.pi / 3)
    a, b, c = xx - least, yy - least, zz - least
    # The rows of (A - λ) span the plane across the axis: the longest of their cross products.
    ux, uy, uz = xy * yz - xz * b, xz * xy - a * yz, a * b - xy * xy
    vx, vy, vz = xy * c - xz * yz, xz * xz - a * c, a * yz - xy * xz
    wx, wy, wz = b * c - yz * yz, yz * xz - xy * c, xy * yz - b * xz
    u, v, w = ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, wx * wx + wy * wy + wz * wz
    if v > u and v >= w:
        ux, uy, uz, u = vx, vy, vz, v
    elif w > u:
        ux, uy, uz, u = wx, wy, wz, w
    if u <= 0:
        return 0.0, 0.0, 0.0
    norm = math.sqrt(u)
    return ux / norm, uy / norm, uz / norm


@njit(cache=True, parallel=True, fastmath=True)
def blend_colors(points, start, origin, size, normals, colors, weights, queries, facing, radius):
    """Average the colours around each query, without mixing those of two sides of an edge.

    The first average is of what is close by alone. The second, wider one takes the noise out of it,
    and counts a colour the less the more it differs from the first (a bilateral filter; Tomasi and
    Manduchi 1998). Points that face away from the query's side count a thousandth, so that the two
    sides of a thin wall keep their colours.

    Returns
    -------
    colors : (m, 3)
    total : (m,)
        Sum of the weights; 0 where no point lies within `radius`.
    """
    blended = np.zeros((len(queries), 3), np.float32)
    total = np.zeros(len(queries), np.float32)
    for q in prange(len(queries)):
        qx, qy, qz = queries[q]
        x = int((qx - origin[0]) / size)
        y = int((qy - origin[1]) / size)
        z = int((qz - origin[2]) / size)
        z0 = _clamp(z - 1, 0, start.shape[2] - 1)
        z1 = _clamp(z + 2, 0, start.shape[2] - 1)
        for falloff, contrast in ((CLOSE, 0.0), (WIDE, CONTRAST)):
            red = green = blue = w = 0.0
            for a in range(max(0, x - 1), min(start.shape[0], x + 2)):
                for b in range(max(0, y - 1), min(start.shape[1], y + 2)):
                    for i in range(start[a, b, z0], start[a, b, z1]):
                        dx = (points[i, 0] - qx) / radius
                        dy = (points[i, 1] - qy) / radius
                        dz = (points[i, 2] - qz) / radius
                        d2 = dx * dx + dy * dy + dz * dz
                        if d2 > 1:
                            continue
                        along = (
                            normals[i, 0] * facing[q, 0]
                            + normals[i, 1] * facing[q, 1]
                            + normals[i, 2] * facing[q, 2]
                        )
                        dr = colors[i, 0] - blended[q, 0]
                        dg = colors[i, 1] - blended[q, 1]
                        db = colors[i, 2] - blended[q, 2]
                        unlike = contrast * (dr * dr + dg * dg + db * db)
                        v = weights[i] * math.exp(-falloff * d2 - unlike)
                        v *= max(along, np.float32(1e-3))
                        w += v
                        red += v * colors[i, 0]
                        green += v * colors[i, 1]
                        blue += v * colors[i, 2]
            if w > 0:
                blended[q, 0], blended[q, 1], blended[q, 2] = red / w, green / w, blue / w
                total[q] = w
    return blended, total


@njit(cache=True, parallel=True, fastmath=True)
def add_gaussians(density, order, slabs, points, scales, rotations, opacities, blur):
    """Add ``opacity · exp(-½ dᵀ Σ⁻¹ d)`` of each gaussian to a grid.

    Parameters
    ----------
    density : (x, y, z)
        Changed in place.
    order, slabs : int
        From `slab_order` with slabs at least ``2 · DENSITY_REACH`` wide.
    points, scales : (n, 3)
        In voxels.
    rotations : (n, 4)
        Unit quaternions, wxyz.
    blur : float
        Standard deviation in voxels by which each gaussian is widened, so that none falls between
        the voxels.
    """
    for parity in range(2):
        for pair in prange((len(slabs) - parity) // 2):
            slab = 2 * pair + parity
            for j in range(slabs[slab], slabs[slab + 1]):
                i = order[j]
                _add_gaussian(density, points[i], scales[i], rotations[i], opacities[i], blur)


@njit(cache=True, fastmath=True)
def _add_gaussian(density, point, scale, rotation, opacity, blur):
    w, x, y, z = rotation
    s0, s1, s2 = scale[0] * scale[0], scale[1] * scale[1], scale[2] * scale[2]
    r00, r01, r02 = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    r10, r11, r12 = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    r20, r21, r22 = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
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
    ex = min(DENSITY_REACH, 2.65 * math.sqrt(xx))
    ey = min(DENSITY_REACH, 2.65 * math.sqrt(yy))
    ez = min(DENSITY_REACH, 2.65 * math.sqrt(zz))
    nx, ny, nz = density.shape
    z0, z1 = max(0, math.ceil(cz - ez)), min(nz - 1, math.floor(cz + ez))
    for a in range(max(0, math.ceil(cx - ex)), min(nx - 1, math.floor(cx + ex)) + 1):
        dx = a - cx
        for b in range(max(0, math.ceil(cy - ey)), min(ny - 1, math.floor(cy + ey)) + 1):
            dy = b - cy
            across = ixx * dx * dx + iyy * dy * dy + 2 * ixy * dx * dy
            slope = 2 * (ixz * dx + iyz * dy)
            for c in range(z0, z1 + 1):
                dz = c - cz
                q = across + dz * (slope + izz * dz)
                if q < 7:
                    density[a, b, c] += opacity * math.exp(np.float32(-0.5) * q)


@njit(cache=True, parallel=True, fastmath=True)
def add_distances(distance, weight, order, slabs, points, normals, weights):
    """Scatter each oriented point's tangent plane: ``Σ w n·(x - p)`` and ``Σ w``.

    The weight is the point's times a gaussian of one voxel. `points` are in voxels, slabs at least
    ``2 · DISTANCE_REACH`` wide; `distance` and `weight` (x, y, z) are changed in place.
    """
    nx, ny, nz = distance.shape
    reach2 = np.float32(DISTANCE_REACH * DISTANCE_REACH)
    for parity in range(2):
        for pair in prange((len(slabs) - parity) // 2):
            slab = 2 * pair + parity
            fall = np.empty(8, np.float32)
            for j in range(slabs[slab], slabs[slab + 1]):
                i = order[j]
                cx, cy, cz = points[i]
                ux, uy, uz = normals[i]
                z0 = max(0, math.ceil(cz - DISTANCE_REACH))
                z1 = min(nz - 1, math.floor(cz + DISTANCE_REACH))
                for c in range(z0, z1 + 1):
                    fall[c - z0] = math.exp(np.float32(-0.5) * (c - cz) * (c - cz))
                x0 = max(0, math.ceil(cx - DISTANCE_REACH))
                x1 = min(nx - 1, math.floor(cx + DISTANCE_REACH))
                y0 = max(0, math.ceil(cy - DISTANCE_REACH))
                y1 = min(ny - 1, math.floor(cy + DISTANCE_REACH))
                for a in range(x0, x1 + 1):
                    dx = a - cx
                    for b in range(y0, y1 + 1):
                        dy = b - cy
                        d2 = dx * dx + dy * dy
                        if d2 > reach2:
                            continue
                        w = weights[i] * math.exp(np.float32(-0.5) * d2)
                        plane = ux * dx + uy * dy
                        for c in range(z0, z1 + 1):
                            dz = c - cz
                            if d2 + dz * dz <= reach2:
                                v = w * fall[c - z0]
                                weight[a, b, c] += v
                                distance[a, b, c] += v * (plane + uz * dz)


@njit(cache=True, fastmath=True)
def _trilinear(volume, x, y, z):
    nx, ny, nz = volume.shape
    x = _clamp(x, 0.0, nx - 1.001)
    y = _clamp(y, 0.0, ny - 1.001)
    z = _clamp(z, 0.0, nz - 1.001)
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
        values[i] = _trilinear(volume, points[i, 0], points[i, 1], points[i, 2])
    return values


@njit(cache=True, parallel=True)
def sample_descent(volume, points):
    """Negative gradient of a grid at `points` (n, 3), by central differences over two voxels."""
    descent = np.empty((len(points), 3), np.float32)
    for i in prange(len(points)):
        x, y, z = points[i]
        descent[i, 0] = _trilinear(volume, x - 1, y, z) - _trilinear(volume, x + 1, y, z)
        descent[i, 1] = _trilinear(volume, x, y - 1, z) - _trilinear(volume, x, y + 1, z)
        descent[i, 2] = _trilinear(volume, x, y, z - 1) - _trilinear(volume, x, y, z + 1)
    return descent


@njit(cache=True, parallel=True)
def fuse_distance(distance, weight, inside, step, level, slope, trust):
    """Turn the sums of `add_distances` into a signed distance, in place.

    Where few points speak, the smoothed solid does: its distance is ``slope · (level - inside)``,
    with a weight that grows with the distance, so that a stray point far from the solid's boundary
    is not heard.

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
                far = slope * (level - _trilinear(inside, a * step, b * step, c * step))
                far = _clamp(far, -3.0, 3.0)
                excess = max(0.0, abs(far) - 1)
                w = trust * (1 + 4 * excess * excess)
                distance[a, b, c] = (distance[a, b, c] + w * far) / (weight[a, b, c] + w)
