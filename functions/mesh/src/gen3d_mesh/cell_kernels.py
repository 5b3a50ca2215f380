"""Loops over a point's neighbours in sorted cells (see `cells.Cells`), compiled by numba.

All arrays are float32 and C-contiguous.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import math

import numpy as np
from numba import njit, prange

from gen3d_mesh.grid_kernels import clamp

CHUNK = 1024
"""Points that a thread looks at at a time."""

AROUND, FAR = 4096, np.float32(1e9)
"""Points in the cells around one that are considered. They are laid side by side, once for all that
ask from one cell, so that loops over them do eight at once; up to whole eights with some that are
this far off. That saves more than leaving out the two thirds of them that are beyond the radius."""

WIDE = np.float32(0.5)
"""How much less what lies at the radius counts in the wider average of colours; the narrower one
falls off with the eighth power of ``1 - (d / radius)²``, much as ``exp(-9 (d / radius)²)`` does."""

CONTRAST = np.float32(2)
"""How a colour's squared difference d² lessens its weight, ``(1 - CONTRAST · d²)⁸``, much as
``exp(-8 · CONTRAST · d²)`` does: one of 0.2 halves it."""


@njit(cache=True)
def _cells_around(start, origin, size, x, y, z):
    """First and last, exclusive, along each axis, of the cells next to a point's; z names runs."""
    a, b, c = int((x - origin[0]) / size), int((y - origin[1]) / size), int((z - origin[2]) / size)
    return (
        max(0, a - 1), min(start.shape[0], a + 2),
        max(0, b - 1), min(start.shape[1], b + 2),
        clamp(c - 1, 0, start.shape[2] - 1), clamp(c + 2, 0, start.shape[2] - 1),
    )  # fmt: skip


@njit(cache=True, parallel=True, fastmath=True)
def count_neighbours(points, start, origin, size, queries, radius, most):
    """Count sorted `points` within `radius` of each query, to `most` or a little above it."""
    counts = np.zeros(len(queries), np.int32)
    for q in prange(len(queries)):
        qx, qy, qz = queries[q]
        a0, a1, b0, b1, z0, z1 = _cells_around(start, origin, size, qx, qy, qz)
        n = 0
        rows = b1 - b0
        middle = (a1 - a0) * rows // 2  # most are there: few runs are looked at
        for k in range((a1 - a0) * rows):
            run = middle if k == 0 else (0 if k == middle else k)
            a, b = a0 + run // rows, b0 + run % rows
            for i in range(start[a, b, z0], start[a, b, z1]):
                dx, dy, dz = points[i, 0] - qx, points[i, 1] - qy, points[i, 2] - qz
                n += dx * dx + dy * dy + dz * dz <= radius * radius
            if n >= most:
                break
        counts[q] = n
    return counts


@njit(cache=True, parallel=True, fastmath=True)
def count_inside(points, start, origin, size, queries, scales, rotations, reach, most):
    """Count sorted `points` within an ellipsoid around each query, to `most`.

    Parameters
    ----------
    scales : (m, 3)
        Half axes, of which `reach` make the ellipsoid.
    rotations : (m, 4)
        Unit quaternions, wxyz.
    """
    counts = np.zeros(len(queries), np.int32)
    for q in prange(len(queries)):
        qx, qy, qz = queries[q]
        w, x, y, z = rotations[q]
        ax, bx, cx = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
        ay, by, cy = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
        az, bz, cz = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
        sa, sb, sc = reach * scales[q, 0], reach * scales[q, 1], reach * scales[q, 2]
        ex = math.sqrt((ax * sa) ** 2 + (bx * sb) ** 2 + (cx * sc) ** 2)
        ey = math.sqrt((ay * sa) ** 2 + (by * sb) ** 2 + (cy * sc) ** 2)
        ez = math.sqrt((az * sa) ** 2 + (bz * sb) ** 2 + (cz * sc) ** 2)
        a0 = max(0, int((qx - ex - origin[0]) / size))
        a1 = min(start.shape[0], int((qx + ex - origin[0]) / size) + 1)
        b0 = max(0, int((qy - ey - origin[1]) / size))
        b1 = min(start.shape[1], int((qy + ey - origin[1]) / size) + 1)
        z0 = clamp(int((qz - ez - origin[2]) / size), 0, start.shape[2] - 1)
        z1 = clamp(int((qz + ez - origin[2]) / size) + 1, 0, start.shape[2] - 1)
        n = 0
        for a in range(a0, a1):
            for b in range(b0, b1):
                if n >= most:
                    break
                for i in range(start[a, b, z0], start[a, b, z1]):
                    dx, dy, dz = points[i, 0] - qx, points[i, 1] - qy, points[i, 2] - qz
                    u = (ax * dx + ay * dy + az * dz) / sa
                    v = (bx * dx + by * dy + bz * dz) / sb
                    t = (cx * dx + cy * dy + cz * dz) / sc
                    if u * u + v * v + t * t <= 1:
                        n += 1
        counts[q] = min(n, most)
    return counts


@njit(cache=True, parallel=True, fastmath=True)
def facing_normals(points, start, origin, size, facing, radius):
    """Fit a plane to the neighbours that face the same side, and see how far off the others lie.

    Parameters
    ----------
    points : (n, 3)
        Sorted by cell.
    facing : (n, 3)
        Unit vectors, roughly outward: neighbours on the other side of a thin wall are told by them.
    radius : float
        Neighbours are weighted by ``1 - (d / radius)²``.

    Returns
    -------
    normals : (n, 3)
        Unit, on the side of `facing`, which stands in where no plane can be fitted.
    thickness : (n,)
        How far the neighbours that face the other side lie behind those that face the same, in the
        mean; infinite where there are none.
    middle : (n,)
        Way along the normal to halfway between the two; 0 where there are none.
    """
    normals = np.empty_like(points)
    thickness = np.full(len(points), np.inf, np.float32)
    middle = np.zeros(len(points), np.float32)
    one, zero, per_r = np.float32(1), np.float32(0), np.float32(1) / radius
    for chunk in prange((len(points) + CHUNK - 1) // CHUNK):
        around = np.empty((6, AROUND + 8), np.float32)
        ax, ay, az, au, av, aw = around[0], around[1], around[2], around[3], around[4], around[5]
        cell_a = cell_b = cell_c = -1
        n = 0
        for q in range(chunk * CHUNK, min(len(points), (chunk + 1) * CHUNK)):
            qx, qy, qz = points[q]
            a, b = int((qx - origin[0]) / size), int((qy - origin[1]) / size)
            c = int((qz - origin[2]) / size)
            if a != cell_a or b != cell_b or c != cell_c:
                cell_a, cell_b, cell_c = a, b, c
                a0, a1, b0, b1, z0, z1 = _cells_around(start, origin, size, qx, qy, qz)
                n = 0
                for a in range(a0, a1):
                    for b in range(b0, b1):
                        first = start[a, b, z0]
                        for i in range(first, min(start[a, b, z1], first + AROUND - n)):
                            ax[n], ay[n], az[n] = points[i, 0], points[i, 1], points[i, 2]
                            au[n], av[n], aw[n] = facing[i, 0], facing[i, 1], facing[i, 2]
                            n += 1
                while n % 8:
                    ax[n] = ay[n] = az[n] = FAR
                    au[n] = av[n] = aw[n] = zero
                    n += 1
            fx, fy, fz = facing[q]
            w = mx = my = mz = xx = xy = xz = yy = yz = zz = zero
            back = bx = by = bz = zero
            for k in range(n):
                dx = (ax[k] - qx) * per_r
                dy = (ay[k] - qy) * per_r
                dz = (az[k] - qz) * per_r
                along = au[k] * fx + av[k] * fy + aw[k] * fz
                share = max(one - (dx * dx + dy * dy + dz * dz), zero) * along
                v = max(share, zero)
                u = v - share
                back += u
                bx += u * dx
                by += u * dy
                bz += u * dz
                vx, vy, vz = v * dx, v * dy, v * dz
                w += v
                mx += vx
                my += vy
                mz += vz
                xx += vx * dx
                xy += vx * dy
                xz += vx * dz
                yy += vy * dy
                yz += vy * dz
                zz += vz * dz
            if w <= 0:  # the point itself is beyond those that are considered
                normals[q, 0], normals[q, 1], normals[q, 2] = fx, fy, fz
                continue
            mx, my, mz = mx / w, my / w, mz / w
            nx, ny, nz = _least_axis(
                xx / w - mx * mx, xy / w - mx * my, xz / w - mx * mz,
                yy / w - my * my, yz / w - my * mz, zz / w - mz * mz,
            )  # fmt: skip
            along = nx * facing[q, 0] + ny * facing[q, 1] + nz * facing[q, 2]
            if along == 0:
                nx, ny, nz, along = facing[q, 0], facing[q, 1], facing[q, 2], 1.0
            sign = 1.0 if along > 0 else -1.0
            nx, ny, nz = sign * nx, sign * ny, sign * nz
            normals[q, 0], normals[q, 1], normals[q, 2] = nx, ny, nz
            if back > 0:
                front_at = nx * mx + ny * my + nz * mz
                back_at = (nx * bx + ny * by + nz * bz) / back
                thickness[q] = radius * (front_at - back_at)
                middle[q] = radius * (front_at + back_at) / 2
    return normals, thickness, middle


@njit(cache=True, parallel=True, fastmath=True)
def fit_planes(points, weights, start, origin, size, radius):
    """Fit a plane to each point's neighbours, whatever side they face.

    Parameters
    ----------
    points : (n, 3)
        Sorted by cell.
    weights : (n,)
        Times ``1 - (d / radius)²``.

    Returns
    -------
    normals : (n, 3)
        Unit, on either side; along z where no plane can be fitted.
    way : (n, 3)
        To the neighbours' mean, through which the plane goes.
    """
    normals, way = np.empty_like(points), np.empty_like(points)
    zero, per_r = np.float32(0), np.float32(1) / radius
    for q in prange(len(points)):
        qx, qy, qz = points[q]
        a0, a1, b0, b1, z0, z1 = _cells_around(start, origin, size, qx, qy, qz)
        w = mx = my = mz = xx = xy = xz = yy = yz = zz = zero
        for a in range(a0, a1):
            for b in range(b0, b1):
                for i in range(start[a, b, z0], start[a, b, z1]):
                    dx = (points[i, 0] - qx) * per_r
                    dy = (points[i, 1] - qy) * per_r
                    dz = (points[i, 2] - qz) * per_r
                    v = np.float32(1) - (dx * dx + dy * dy + dz * dz)
                    v = max(v, zero) * weights[i]
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
        xx, xy, xz = xx / w - mx * mx, xy / w - mx * my, xz / w - mx * mz
        yy, yz, zz = yy / w - my * my, yz / w - my * mz, zz / w - mz * mz
        nx, ny, nz = _least_axis(xx, xy, xz, yy, yz, zz)
        if nx == 0 and ny == 0 and nz == 0:
            nz = 1.0
        normals[q, 0], normals[q, 1], normals[q, 2] = nx, ny, nz
        way[q, 0], way[q, 1], way[q, 2] = radius * mx, radius * my, radius * mz
    return normals, way


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
    phi = math.acos(clamp(half_det, -1.0, 1.0)) / 3
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


@njit(cache=True)
def nearest(points, start, origin, size, queries):
    """Which of the sorted `points` is nearest to each query: for few queries, however far off."""
    found = np.zeros(len(queries), np.int32)
    for q in range(len(queries)):
        qx, qy, qz = queries[q]
        a, b = int((qx - origin[0]) // size), int((qy - origin[1]) // size)
        c = int((qz - origin[2]) // size)
        least, reach = np.inf, 1
        # All that is nearer than `reach` cells lies in a cube of cells around the query's.
        while least > (reach * size / 2) ** 2:
            z0 = clamp(c - reach, 0, start.shape[2] - 1)
            z1 = clamp(c + reach + 1, 0, start.shape[2] - 1)
            for i in range(max(0, a - reach), min(start.shape[0], a + reach + 1)):
                for j in range(max(0, b - reach), min(start.shape[1], b + reach + 1)):
                    for k in range(start[i, j, z0], start[i, j, z1]):
                        dx, dy, dz = points[k, 0] - qx, points[k, 1] - qy, points[k, 2] - qz
                        d2 = dx * dx + dy * dy + dz * dz
                        if d2 < least:
                            least, found[q] = d2, k
            reach *= 2
    return found


@njit(cache=True, parallel=True, fastmath=True)
def blend_colors(
    points, start, origin, size, normals, colors, weights, queries, facing, radius, order
):
    """Average the colours around each query, without mixing those of two sides of an edge.

    The first average is of what is close by alone. The second, wider one takes the noise out of it,
    and counts a colour the less the more it differs from the first (a bilateral filter; Tomasi and
    Manduchi 1998). Points that face away from the query's side count a thousandth, so that the two
    sides of a thin wall keep their colours.

    Parameters
    ----------
    order : (m,) int32
        In which queries are looked at; those of one cell together are the fastest.

    Returns
    -------
    colors : (m, 3)
    total : (m,)
        Sum of the weights; 0 where no point lies within `radius`.
    """
    blended = np.zeros((len(queries), 3), np.float32)
    total = np.zeros(len(queries), np.float32)
    one, zero, per_r = np.float32(1), np.float32(0), np.float32(1) / radius
    for chunk in prange((len(queries) + CHUNK - 1) // CHUNK):
        around = np.empty((11, AROUND + 8), np.float32)
        ax, ay, az, au, av, aw = around[0], around[1], around[2], around[3], around[4], around[5]
        ar, ag, ab, weight, share = around[6], around[7], around[8], around[9], around[10]
        cell_a = cell_b = cell_c = -1
        n = 0
        for j in range(chunk * CHUNK, min(len(queries), (chunk + 1) * CHUNK)):
            q = order[j]
            qx, qy, qz = queries[q]
            a, b = int((qx - origin[0]) / size), int((qy - origin[1]) / size)
            c = int((qz - origin[2]) / size)
            if a != cell_a or b != cell_b or c != cell_c:
                cell_a, cell_b, cell_c = a, b, c
                a0, a1, b0, b1, z0, z1 = _cells_around(start, origin, size, qx, qy, qz)
                n = 0
                for a in range(a0, a1):
                    for b in range(b0, b1):
                        first = start[a, b, z0]
                        for i in range(first, min(start[a, b, z1], first + AROUND - n)):
                            ax[n], ay[n], az[n] = points[i, 0], points[i, 1], points[i, 2]
                            au[n], av[n], aw[n] = normals[i, 0], normals[i, 1], normals[i, 2]
                            ar[n], ag[n], ab[n] = colors[i, 0], colors[i, 1], colors[i, 2]
                            weight[n] = weights[i]
                            n += 1
                while n % 8:
                    ax[n] = ay[n] = az[n] = FAR
                    au[n] = av[n] = aw[n] = ar[n] = ag[n] = ab[n] = weight[n] = zero
                    n += 1
            fx, fy, fz = facing[q]
            red = green = blue = w = zero
            for k in range(n):
                dx = (ax[k] - qx) * per_r
                dy = (ay[k] - qy) * per_r
                dz = (az[k] - qz) * per_r
                t = max(one - (dx * dx + dy * dy + dz * dz), zero)
                v = weight[k] * max(au[k] * fx + av[k] * fy + aw[k] * fz, np.float32(1e-3))
                share[k] = v * (one - WIDE + WIDE * t) if t > zero else zero
                t *= t
                t *= t
                v *= t * t
                w += v
                red += v * ar[k]
                green += v * ag[k]
                blue += v * ab[k]
            if w <= 0:
                continue
            usual = red / w, green / w, blue / w
            red = green = blue = w = zero
            for k in range(n):
                dr, dg, db = ar[k] - usual[0], ag[k] - usual[1], ab[k] - usual[2]
                alike = max(zero, one - CONTRAST * (dr * dr + dg * dg + db * db))
                alike *= alike
                alike *= alike
                v = share[k] * (alike * alike)
                w += v
                red += v * ar[k]
                green += v * ag[k]
                blue += v * ab[k]
            blended[q, 0], blended[q, 1], blended[q, 2] = red / w, green / w, blue / w
            total[q] = w
    return blended, total
