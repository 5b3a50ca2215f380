"""Loops that draw a mesh from where a camera stands, compiled by numba.

All arrays are float32 and C-contiguous, unless stated.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import math

import numpy as np
from numba import njit

from gen3d_mesh.grid_kernels import clamp, trilinear


@njit(cache=True)
def foremost(points, faces, size):
    """Which face each sample of a square picture shows, by a depth buffer.

    Parameters
    ----------
    points : (n, 3)
        Vertices in the picture: in samples to the right and down, and one over the depth.
    faces : (m, 3) int32
        Either side of each is seen.
    size : int
        Samples along an edge, at half samples from the left and top.

    Returns
    -------
    (size, size) int32
        -1 where there is none.
    """
    shown = np.full((size, size), -1, np.int32)
    nearest = np.zeros((size, size), np.float32)
    for f in range(len(faces)):
        ax, ay, aw = points[faces[f, 0]]
        bx, by, bw = points[faces[f, 1]]
        cx, cy, cw = points[faces[f, 2]]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-9:
            continue
        over = np.float32(1) / area
        s_x, s_y = (cy - ay) * over, (ax - cx) * over  # how the second corner's weight changes
        t_x, t_y = (ay - by) * over, (bx - ax) * over
        w_x, w_y = s_x * (bw - aw) + t_x * (cw - aw), s_y * (bw - aw) + t_y * (cw - aw)
        left = max(0, math.ceil(min(ax, bx, cx) - 0.5))
        right = min(size - 1, math.floor(max(ax, bx, cx) - 0.5))
        for y in range(
            max(0, math.ceil(min(ay, by, cy) - 0.5)),
            min(size - 1, math.floor(max(ay, by, cy) - 0.5)) + 1,
        ):
            dy = np.float32(y) + np.float32(0.5) - ay
            for x in range(left, right + 1):
                dx = np.float32(x) + np.float32(0.5) - ax
                s, t = dx * s_x + dy * s_y, dx * t_x + dy * t_y
                if s < 0 or t < 0 or s + t > 1:
                    continue
                w = aw + dx * w_x + dy * w_y
                if w > nearest[y, x]:
                    nearest[y, x], shown[y, x] = w, f
    return shown


@njit(cache=True)
def add_light(radiance, shown, first, points, faces, light, corners, values, image):
    """Add what the samples show of one mesh to the pixels that they are in.

    Parameters
    ----------
    radiance : (size, size, 3)
        Is changed: the sum over each pixel's samples, linear.
    shown : (k · size, k · size) int32
        See `foremost`.
    first : int
        The mesh's first face there.
    points : (n, 3)
        See `foremost`.
    faces : (m, 3) int32
        The mesh's, of `points`.
    light : (n,)
        At the vertices.
    corners : (m, 3) int32
        The same faces, of `values`.
    values : (k, 2) or (k, 3)
        Places in the `image` from its top left, or linear colours.
    image : (h, w, 3)
        Linear; of no pixels where there is none.
    """
    samples = shown.shape[0] // radiance.shape[0]
    height, width = image.shape[:2]
    color = np.empty(3, np.float32)
    for y in range(shown.shape[0]):
        for x in range(shown.shape[1]):
            f = shown[y, x] - first
            if f < 0 or f >= len(faces):
                continue
            a, b, c = faces[f]
            dx, dy = x + np.float32(0.5) - points[a, 0], y + np.float32(0.5) - points[a, 1]
            ux, uy = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
            vx, vy = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1]
            over = 1 / (ux * vy - vx * uy)
            s, t = (dx * vy - vx * dy) * over, (ux * dy - dx * uy) * over
            # What is even on the surface is even in the picture once it is divided by the depth.
            p, q, r = (1 - s - t) * points[a, 2], s * points[b, 2], t * points[c, 2]
            over = 1 / (p + q + r)
            p, q, r = p * over, q * over, r * over
            lit = p * light[a] + q * light[b] + r * light[c]
            i, j, k = corners[f]
            for n in range(values.shape[1]):
                color[n] = p * values[i, n] + q * values[j, n] + r * values[k, n]
            if height:
                u = clamp(int(color[0] * width), 0, width - 1)
                v = clamp(int(color[1] * height), 0, height - 1)
                color[:] = image[v, u]
            pixel = radiance[y // samples, x // samples]
            for n in range(3):
                pixel[n] += lit * color[n]


@njit(cache=True)
def behind(radiance, shown, background, shade, eye, axes, half, middle, reach):
    """Put the floor behind what is drawn, and divide by the samples.

    Parameters
    ----------
    radiance, shown
        See `add_light`; the former is changed.
    background : (3,)
        Linear.
    shade : (k, k, 2)
        The share of it that is left, at points of the floor along x and y; twice the same.
    eye : (3,)
        Where the camera stands.
    axes : (3, 3)
        To the picture's right, upwards and ahead.
    half : float
        Half of the picture's width at a depth of 1.
    middle : (3,)
        Of the floor's points, which reach so far along x and y.
    """
    size = len(radiance)
    samples = shown.shape[0] // size
    step = (len(shade) - 1) / (2 * reach)
    for y in range(size):
        up = half * (1 - (y + 0.5) / size * 2)
        for x in range(size):
            free = 0
            for v in range(samples):
                for u in range(samples):
                    free += shown[y * samples + v, x * samples + u] < 0
            if free:
                right = half * ((x + 0.5) / size * 2 - 1)
                down = right * axes[0, 2] + up * axes[1, 2] + axes[2, 2]
                left = np.float32(1)
                if down * (middle[2] - eye[2]) > 0:
                    t = (middle[2] - eye[2]) / down
                    over = eye[0] + t * (right * axes[0, 0] + up * axes[1, 0] + axes[2, 0])
                    along = eye[1] + t * (right * axes[0, 1] + up * axes[1, 1] + axes[2, 1])
                    left = trilinear(
                        shade,
                        (over - middle[0] + reach) * step, (along - middle[1] + reach) * step, 0,
                    )  # fmt: skip
                for n in range(3):
                    radiance[y, x, n] += free * background[n] * left
            for n in range(3):
                radiance[y, x, n] /= samples * samples
