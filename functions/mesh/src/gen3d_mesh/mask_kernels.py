"""Loops over masks, (x, y, z) bool, compiled by numba.

They stand in the place of `scipy.ndimage`'s, which take three times as long and two tenths of a
second to import.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import numpy as np
from numba import njit


@njit(cache=True)
def _runs(mask):
    """Rows' runs of set voxels, and the number of the part of each, from 1, in their order.

    Returns
    -------
    begin, end, part : (n,) int32
    start : (x · y + 1,) int32
        Each row's first run.
    count : int
        Of parts: voxels that share a face are of one.
    """
    nx, ny, nz = mask.shape
    total = 0
    for a in range(nx):
        for b in range(ny):
            total += mask[a, b, 0]
            for c in range(1, nz):
                total += mask[a, b, c] > mask[a, b, c - 1]
    begin, end = np.empty(total, np.int32), np.empty(total, np.int32)
    root, start = np.arange(total).astype(np.int32), np.zeros(nx * ny + 1, np.int32)
    n = 0
    for a in range(nx):
        for b in range(ny):
            row = mask[a, b]
            c = 0
            while c < nz:
                if not row[c]:
                    c += 1
                    continue
                begin[n] = c
                while c < nz and row[c]:
                    c += 1
                end[n] = c
                n += 1
            here = a * ny + b
            start[here + 1] = n
            for back in range(2):  # the row before along x, and along y
                if a == 0 if back == 0 else b == 0:
                    continue
                there = here - (ny if back == 0 else 1)
                i, j = start[here], start[there]
                while i < n and j < start[there + 1]:
                    if begin[i] < end[j] and begin[j] < end[i]:
                        p, q = i, j
                        while root[p] != p:
                            root[p] = root[root[p]]
                            p = root[p]
                        while root[q] != q:
                            root[q] = root[root[q]]
                            q = root[q]
                        root[max(p, q)] = min(p, q)
                    if end[i] < end[j]:
                        i += 1
                    else:
                        j += 1
    count = 0
    part = np.empty(total, np.int32)
    for i in range(total):  # a root is the first of its part, so that it is numbered before others
        if root[i] == i:
            count += 1
            part[i] = count
        else:
            root[i] = root[root[i]]
            part[i] = part[root[i]]
    return begin, end, part, start, count


@njit(cache=True)
def label(mask):
    """Number the parts of voxels that share faces, from 1: (x, y, z) int32, and how many."""
    begin, end, part, start, count = _runs(mask)
    labels = np.zeros(mask.shape, np.int32)
    rows = labels.reshape(-1, mask.shape[2])
    for row in range(len(rows)):
        for i in range(start[row], start[row + 1]):
            rows[row, begin[i] : end[i]] = part[i]
    return labels, count


@njit(cache=True)
def first_part(mask):
    """What is joined to the first voxel that is set: (x, y, z) bool."""
    begin, end, part, start, _ = _runs(mask)
    joined = np.zeros(mask.shape, np.bool_)
    rows = joined.reshape(-1, mask.shape[2])
    for row in range(len(rows)):
        for i in range(start[row], start[row + 1]):
            if part[i] == 1:
                rows[row, begin[i] : end[i]] = True
    return joined


@njit(cache=True)
def squared_distances(mask, most):
    """Squared distance to the nearest voxel that is set, or `most` squared: (x, y, z) float32.

    After Saito and Toriwaki, "New algorithms for Euclidean distance transformation" (1994).
    """
    nx, ny, nz = mask.shape
    first, second = np.empty(mask.shape, np.float32), np.empty(mask.shape, np.float32)
    for a in range(nx):
        for b in range(ny):
            row, out = mask[a, b], first[a, b]
            away = most
            for c in range(nz):
                away = 0 if row[c] else min(away + 1, most)
                out[c] = away
            away = most
            for c in range(nz - 1, -1, -1):
                away = 0 if row[c] else min(away + 1, most)
                nearest = min(np.float32(away), out[c])
                out[c] = nearest * nearest
    for axis in range(2):
        values, least = (first, second) if axis == 0 else (second, first)
        for a in range(nx):
            for b in range(ny):
                out = least[a, b]
                out[:] = values[a, b]
                at, length = (b, ny) if axis == 0 else (a, nx)
                for k in range(max(0, at - most + 1), min(length, at + most)):
                    row = values[a, k] if axis == 0 else values[k, b]
                    more = np.float32((k - at) * (k - at))
                    for c in range(nz):
                        out[c] = min(out[c], row[c] + more)
    return first


@njit(cache=True)
def nearest(numbers):
    """How far the nearest voxel with a number is from each, and its number.

    Parameters
    ----------
    numbers : (x, y, z) int32
        0 where there is none; somewhere there is one.

    Returns
    -------
    (x, y, z) float32
        Squared, in voxels.
    (x, y, z) int32
    """
    nx, ny, nz = numbers.shape
    first, second = np.empty(numbers.shape, np.float32), np.empty(numbers.shape, np.float32)
    of_first, of_second = numbers.copy(), np.empty(numbers.shape, np.int32)
    far = nx + ny + nz
    for a in range(nx):
        for b in range(ny):
            row, whose = first[a, b], of_first[a, b]
            for turn in range(2):
                away, last = far, 0
                for k in range(nz):
                    c = k if turn == 0 else nz - 1 - k
                    if numbers[a, b, c]:
                        away, last = 0, numbers[a, b, c]
                    if turn == 0 or away < row[c]:
                        row[c], whose[c] = away, last
                    away = min(away + 1, far)
            for c in range(nz):
                row[c] *= row[c]
    for axis in range(2):
        values, least = (first, second) if axis == 0 else (second, first)
        of_values, of_least = (of_first, of_second) if axis == 0 else (of_second, of_first)
        for a in range(nx):
            for b in range(ny):
                out, whose = least[a, b], of_least[a, b]
                out[:], whose[:] = values[a, b], of_values[a, b]
                at, length = (b, ny) if axis == 0 else (a, nx)
                for step in range(1, length):
                    more = np.float32(step * step)
                    if out.max() <= more:
                        break
                    for k in (at - step, at + step):
                        if k < 0 or k >= length:
                            continue
                        row = values[a, k] if axis == 0 else values[k, b]
                        theirs = of_values[a, k] if axis == 0 else of_values[k, b]
                        for c in range(nz):
                            if row[c] + more < out[c]:
                                out[c], whose[c] = row[c] + more, theirs[c]
    return first, of_first


@njit(cache=True, fastmath=True)
def lifted_blur(mask, taps, reach, least, first, second, along):
    """Blur a mask, and divide by the most that is within `reach` voxels along each axis.

    Parameters
    ----------
    mask : (x, y, z) bool
        Empty near the grid's rim.
    taps : (k,) float32
        The blur along each axis, from the middle to either side; of the middle's weight a half.
    reach : int
    least : float
        Is divided by where there is no more.
    first, second, along : (x, y, z) float32
        Room to work in, all 0: NumPy asks for huge pages, numba does not.

    Returns
    -------
    (x, y, z) float32
    """
    nx, ny, nz = mask.shape
    half = len(taps) - 1
    wide = max(half, reach)
    row = np.zeros(nz + 2 * wide, np.float32)
    filled = np.zeros((nx, ny), np.bool_)
    for a in range(nx):
        for b in range(ny):
            filled[a, b] = mask[a, b].any()
            if not filled[a, b]:
                continue
            here = row[wide:]
            for c in range(nz):
                here[c] = mask[a, b, c]
            for k in range(half + 1):
                before, beyond = row[wide - k :], row[wide + k :]
                tap = taps[k]
                for c in range(nz):
                    first[a, b, c] += tap * (before[c] + beyond[c])
    for axis in range(2):
        values, blurred = (first, second) if axis == 0 else (second, first)
        spread = np.zeros((nx, ny), np.bool_)
        for a in range(nx):
            for b in range(ny):
                if axis == 1:
                    blurred[a, b] = 0
                for k in range(half + 1):
                    x, y = (a, max(b - k, 0)) if axis == 0 else (max(a - k, 0), b)
                    u, v = (a, min(b + k, ny - 1)) if axis == 0 else (min(a + k, nx - 1), b)
                    if filled[x, y] or filled[u, v]:
                        spread[a, b] = True
                        tap = taps[k]
                        for c in range(nz):
                            blurred[a, b, c] += tap * (values[x, y, c] + values[u, v, c])
        filled = spread
    blurred, crest = first, second
    for a in range(nx):
        for b in range(ny):
            crest[a, b] = 0
            if filled[a, b]:
                here = row[wide:]
                for c in range(nz):
                    here[c] = blurred[a, b, c]
                for k in range(reach + 1):
                    before, beyond = row[wide - k :], row[wide + k :]
                    for c in range(nz):
                        crest[a, b, c] = max(crest[a, b, c], max(before[c], beyond[c]))
    for axis in range(2):
        values, most = (crest, along) if axis == 0 else (along, crest)
        for a in range(nx):
            for b in range(ny):
                if axis == 1 and not filled[a, b]:
                    continue  # where the blur has not come, nothing is to be divided
                for k in range(reach + 1):
                    x, y = (a, max(b - k, 0)) if axis == 0 else (max(a - k, 0), b)
                    u, v = (a, min(b + k, ny - 1)) if axis == 0 else (min(a + k, nx - 1), b)
                    for c in range(nz):
                        higher = max(values[x, y, c], values[u, v, c])
                        most[a, b, c] = max(most[a, b, c], higher)
    for a in range(nx):
        for b in range(ny):
            if filled[a, b]:
                for c in range(nz):
                    blurred[a, b, c] /= max(crest[a, b, c], least)
    return blurred
