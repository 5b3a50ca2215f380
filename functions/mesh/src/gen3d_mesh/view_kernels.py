"""Loops that look at gaussians along parallel rays, and at triangles near points, by numba.

All arrays are float32 and C-contiguous, unless stated.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import math

import numpy as np
from numba import njit

from gen3d_mesh.grid_kernels import clamp

REACH = np.float32(6.25)
"""Squared number of standard deviations at which a gaussian ends."""

LEAST = np.float32(1e-10)
"""Is added to variances, so that a gaussian that is seen edge on stays invertible."""


TINY, FLAT = 1e-30, 1e-12
"""A squared length that is none; the squared sine of a corner that is none."""


@njit(cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"})  # what is broken comes here
def project(centers, scales, rotations, opacities, frame, half, rays):
    """Gaussians as a picture of ``rays · rays`` parallel rays meets them.

    Those between rays, outside the unit frame or not finite are left out.

    Parameters
    ----------
    rotations : (n, 4)
        Unit quaternions, wxyz.
    frame : (3, 3)
        Rows: the picture's x and y, and the depth.
    half : float
        Half of the picture's edge.

    Returns
    -------
    rows : (m, 9)
        Centre in the picture in steps between rays, depth; ``a, b, c`` of the exponent
        ``a dx² + b dx dy + c dy²``; how the depth of the gaussian's middle changes with x and y, as
        the mean of depth given x and y does; opacity.
    boxes : (m, 4) int16
        First and last ray along x and y.
    keys : (m,) uint16
        Depth.
    """
    step = 2 * half / rays
    rows = np.empty((len(centers), 9), np.float32)
    boxes = np.empty((len(centers), 4), np.int16)
    keys = np.empty(len(centers), np.uint16)
    m = 0
    for i in range(len(centers)):
        p, q, r = centers[i]
        if not (abs(p) <= 1 and abs(q) <= 1 and abs(r) <= 1 and max(scales[i]) <= 1):
            continue
        w, x, y, z = rotations[i]
        xx, yy, xy, xd, yd = LEAST, LEAST, np.float32(0), np.float32(0), np.float32(0)
        for k in range(3):
            if k == 0:
                a, b, c = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)
            elif k == 1:
                a, b, c = 2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)
            else:
                a, b, c = 2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)
            u = (frame[0, 0] * a + frame[0, 1] * b + frame[0, 2] * c) * scales[i, k]
            v = (frame[1, 0] * a + frame[1, 1] * b + frame[1, 2] * c) * scales[i, k]
            d = (frame[2, 0] * a + frame[2, 1] * b + frame[2, 2] * c) * scales[i, k]
            xx += u * u
            xy += u * v
            yy += v * v
            xd += u * d
            yd += v * d
        cx = (frame[0, 0] * p + frame[0, 1] * q + frame[0, 2] * r + half) / step - 0.5
        cy = (frame[1, 0] * p + frame[1, 1] * q + frame[1, 2] * r + half) / step - 0.5
        ex, ey = math.sqrt(REACH * xx) / step, math.sqrt(REACH * yy) / step
        x0, x1 = max(0, math.ceil(cx - ex)), min(rays - 1, math.floor(cx + ex))
        y0, y1 = max(0, math.ceil(cy - ey)), min(rays - 1, math.floor(cy + ey))
        if x1 < x0 or y1 < y0:
            continue
        depth = frame[2, 0] * p + frame[2, 1] * q + frame[2, 2] * r
        over = step / (xx * yy - xy * xy)
        row, box = rows[m], boxes[m]
        row[0], row[1], row[2] = cx, cy, depth
        row[3], row[4], row[5] = -0.5 * yy * step * over, xy * step * over, -0.5 * xx * step * over
        row[6], row[7] = (yy * xd - xy * yd) * over, (xx * yd - xy * xd) * over
        row[8] = opacities[i]
        box[0], box[1], box[2], box[3] = x0, x1, y0, y1
        keys[m] = np.uint16(clamp((depth / half + 1) * 32767, 0, 65535))
        m += 1
    return rows[:m], boxes[:m], keys[:m]


@njit(cache=True, fastmath=True)
def composite(rows, boxes, order, rays, opaque):
    """Light that passes, and the first two moments of the depth that the rest comes from.

    Parameters
    ----------
    rows, boxes
        See `project`.
    order : (m,) int
        By depth.
    opaque : float
        Light below which a ray ends.

    Returns
    -------
    clear, first, second : (2, rays, rays)
        Seen from the far end of the depth's axis and from the near one; y, x.
    """
    clear = np.ones((2, rays, rays), np.float32)
    first = np.zeros((2, rays, rays), np.float32)
    second = np.zeros((2, rays, rays), np.float32)
    for side in range(2):
        for j in range(len(order)):
            i = order[len(order) - 1 - j] if side == 0 else order[j]
            row, box = rows[i], boxes[i]
            for y in range(box[2], box[3] + 1):
                dy = np.float32(y) - row[1]
                for x in range(box[0], box[1] + 1):
                    before = clear[side, y, x]
                    if before < opaque:
                        continue
                    dx = np.float32(x) - row[0]
                    exponent = row[3] * dx * dx + row[4] * dx * dy + row[5] * dy * dy
                    if exponent < np.float32(-0.5) * REACH:
                        continue
                    weight = before * row[8] * math.exp(exponent)
                    depth = row[2] + row[6] * dx + row[7] * dy
                    first[side, y, x] += weight * depth
                    second[side, y, x] += weight * depth * depth
                    clear[side, y, x] = before - weight
    return clear, first, second


@njit(cache=True, fastmath=True)
def are_near(points, start, origin, size, vertices, faces, distance):
    """Whether each of the sorted `points` (see `cells.Cells`) has a triangle within `distance`."""
    near = np.zeros(len(points), np.bool_)
    shape = start.shape
    for f in range(len(faces)):
        a, b, c = vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]]
        x0 = int((min(a[0], b[0], c[0]) - distance - origin[0]) / size)
        x1 = int((max(a[0], b[0], c[0]) + distance - origin[0]) / size)
        y0 = int((min(a[1], b[1], c[1]) - distance - origin[1]) / size)
        y1 = int((max(a[1], b[1], c[1]) + distance - origin[1]) / size)
        z0 = int((min(a[2], b[2], c[2]) - distance - origin[2]) / size)
        z1 = int((max(a[2], b[2], c[2]) + distance - origin[2]) / size)
        z0, z1 = clamp(z0, 0, shape[2] - 1), clamp(z1 + 1, 0, shape[2] - 1)
        for x in range(max(0, x0), min(shape[0], x1 + 1)):
            for y in range(max(0, y0), min(shape[1], y1 + 1)):
                for i in range(start[x, y, z0], start[x, y, z1]):
                    if not near[i]:
                        near[i] = _squared(points[i], a, b, c) <= distance * distance
    return near


@njit(cache=True, fastmath=True)
def _squared(p, a, b, c):
    """Squared distance of a point to a triangle (Ericson, "Real-Time Collision Detection", 5.1.5).

    In double precision, for the long and thin ones; one without an area is its edges.
    """
    ax, ay, az = np.float64(a[0]), np.float64(a[1]), np.float64(a[2])
    ux, uy, uz = b[0] - ax, b[1] - ay, b[2] - az
    vx, vy, vz = c[0] - ax, c[1] - ay, c[2] - az
    wx, wy, wz = p[0] - ax, p[1] - ay, p[2] - az
    uu, uv = ux * ux + uy * uy + uz * uz, ux * vx + uy * vy + uz * vz
    vv = vx * vx + vy * vy + vz * vz
    uw, vw = ux * wx + uy * wy + uz * wz, vx * wx + vy * wy + vz * wz
    ww = wx * wx + wy * wy + wz * wz
    det = uu * vv - uv * uv
    s, t = vv * uw - uv * vw, uu * vw - uv * uw
    if s >= 0 and t >= 0 and s + t <= det and det > FLAT * uu * vv:
        s, t = s / det, t / det
        x, y, z = wx - s * ux - t * vx, wy - s * uy - t * vy, wz - s * uz - t * vz
        return x * x + y * y + z * z
    # Beside the triangle, an edge is nearest: a to b, a to c, b to c.
    along = min(max(uw, 0.0), uu) / max(uu, TINY)
    least = ww - 2 * along * uw + along * along * uu
    along = min(max(vw, 0.0), vv) / max(vv, TINY)
    least = min(least, ww - 2 * along * vw + along * along * vv)
    ex, ey, ez = vx - ux, vy - uy, vz - uz
    fx, fy, fz = wx - ux, wy - uy, wz - uz
    ee, ef = ex * ex + ey * ey + ez * ez, ex * fx + ey * fy + ez * fz
    along = min(max(ef, 0.0), ee) / max(ee, TINY)
    return min(least, fx * fx + fy * fy + fz * fz - 2 * along * ef + along * along * ee)
