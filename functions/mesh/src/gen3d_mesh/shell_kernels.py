"""Loops over the gaussians near a solid's boundary, compiled by numba.

All arrays are float32 and C-contiguous, unless stated.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import math

import numpy as np
from numba import njit, prange

from gen3d_mesh.grid_kernels import clamp, trilinear


@njit(cache=True, parallel=True)
def descents(smooth, mask, points):
    """How steeply a smoothed solid falls off over two voxels at points of its mask, and where to.

    Parameters
    ----------
    smooth : (x, y, z)
    mask : (x, y, z) bool
    points : (n, 3)
        In voxels.

    Returns
    -------
    outward : (n, 3)
        Unit, where it falls off at all.
    steepness : (n,)
        0 off the mask.
    """
    nx, ny, nz = smooth.shape
    outward = np.zeros((len(points), 3), np.float32)
    steepness = np.zeros(len(points), np.float32)
    for i in prange(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        a, b, c = int(x + 0.5), int(y + 0.5), int(z + 0.5)
        if not mask[clamp(a, 0, nx - 1), clamp(b, 0, ny - 1), clamp(c, 0, nz - 1)]:
            continue
        dx = trilinear(smooth, x - 1, y, z) - trilinear(smooth, x + 1, y, z)
        dy = trilinear(smooth, x, y - 1, z) - trilinear(smooth, x, y + 1, z)
        dz = trilinear(smooth, x, y, z - 1) - trilinear(smooth, x, y, z + 1)
        steep = math.sqrt(dx * dx + dy * dy + dz * dz)
        steepness[i] = steep
        if steep > 0:
            outward[i, 0], outward[i, 1], outward[i, 2] = dx / steep, dy / steep, dz / steep
    return outward, steepness


@njit(cache=True)
def shortest_axis(scale, rotation):
    """Unit axis along which a gaussian is thinnest, of either sign."""
    w, x, y, z = rotation[0], rotation[1], rotation[2], rotation[3]
    if scale[0] <= scale[1] and scale[0] <= scale[2]:
        return 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)
    if scale[1] <= scale[2]:
        return 2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)
    return 2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)


@njit(cache=True)
def oriented(planes, outward, sheet, scales, rotations):
    """Blend what tells a normal: the neighbours' plane, the own shortest axis, the way outward.

    Parameters
    ----------
    planes, outward : (n, 3)
        Unit. On a sheet the second means nothing.
    sheet : (n,) bool
    scales : (n, 3)
    rotations : (n, 4)
        Unit quaternions, wxyz.

    Returns
    -------
    (n, 3)
        Unit.
    """
    normals = np.empty_like(planes)
    for i in range(len(planes)):
        px, py, pz = planes[i, 0], planes[i, 1], planes[i, 2]
        ox, oy, oz = outward[i, 0], outward[i, 1], outward[i, 2]
        share, out = px * ox + py * oy + pz * oz, 0.3
        if sheet[i]:
            share, out, ox, oy, oz = np.float32(1), 0.0, px, py, pz
        ax, ay, az = shortest_axis(scales[i], rotations[i])
        own = 0.3 * np.sign(ax * ox + ay * oy + az * oz)
        x = share * px + own * ax + out * ox
        y = share * py + own * ay + out * oy
        z = share * pz + own * az + out * oz
        length = math.sqrt(x * x + y * y + z * z)
        normals[i, 0], normals[i, 1], normals[i, 2] = x / length, y / length, z / length
    return normals
