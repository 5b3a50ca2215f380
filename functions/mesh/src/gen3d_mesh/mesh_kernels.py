"""Loops over a mesh's faces, compiled by numba; vertices are float32, faces int32."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, untyped-decorator, type-arg, misc"
import math

import numpy as np
from numba import njit

from gen3d_mesh.grid_kernels import counting_sort


@njit(cache=True)
def face_normals(vertices, faces):
    """Normal of each face, as long as twice its area: (m, 3)."""
    normals = np.empty((len(faces), 3), np.float32)
    for f in range(len(faces)):
        p, q, r = vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]]
        ux, uy, uz = q[0] - p[0], q[1] - p[1], q[2] - p[2]
        vx, vy, vz = r[0] - p[0], r[1] - p[1], r[2] - p[2]
        normals[f, 0], normals[f, 1] = uy * vz - uz * vy, uz * vx - ux * vz
        normals[f, 2] = ux * vy - uy * vx
    return normals


@njit(cache=True)
def vertex_normals(normals, faces, vertices):
    """Unit sums of the `normals` of the faces around each of so many vertices: (n, 3)."""
    sums = np.zeros((vertices, 3))
    for f in range(len(faces)):
        for k in range(3):
            for d in range(3):
                sums[faces[f, k], d] += normals[f, d]
    unit = np.empty((vertices, 3), np.float32)
    for v in range(vertices):
        x, y, z = sums[v]
        length = math.sqrt(x * x + y * y + z * z)
        if length > 1e-20:
            unit[v, 0], unit[v, 1], unit[v, 2] = x / length, y / length, z / length
        else:
            unit[v, 0], unit[v, 1], unit[v, 2] = 0, 0, 1
    return unit


@njit(cache=True)
def tangents(vertices, normals, uv, faces):
    """Unit tangents along u, and the side of ``normal × tangent`` on which v grows: (k, 4).

    As MikkTSpace has them (Mikkelsen, "Simulation of wrinkled surfaces revisited", 2008): a face's
    direction of u, laid into the plane of a corner's normal, counts there by the face's angle.

    Parameters
    ----------
    vertices, normals : (k, 3)
    uv : (k, 2)
        v upwards.
    faces : (m, 3)
    """
    sums = np.zeros((len(uv), 4))
    ways, lengths = np.empty((3, 3)), np.empty(3)
    for f in range(len(faces)):
        a, b, c = faces[f]
        s, t = uv[b, 1] - uv[a, 1], uv[c, 1] - uv[a, 1]
        area = (uv[b, 0] - uv[a, 0]) * t - (uv[c, 0] - uv[a, 0]) * s
        side = 1.0 if area > 0 else -1.0
        for k in range(3):
            v, after, before = faces[f, k], faces[f, (k + 1) % 3], faces[f, (k + 2) % 3]
            # The direction of u, and both edges: without what is along the normal.
            for d in range(3):
                first, second = vertices[b, d] - vertices[a, d], vertices[c, d] - vertices[a, d]
                ways[0, d] = side * (t * first - s * second)
                ways[1, d] = vertices[after, d] - vertices[v, d]
                ways[2, d] = vertices[before, d] - vertices[v, d]
            for n in range(3):
                along = 0.0
                for d in range(3):
                    along += ways[n, d] * normals[v, d]
                square = 0.0
                for d in range(3):
                    ways[n, d] -= along * normals[v, d]
                    square += ways[n, d] * ways[n, d]
                lengths[n] = math.sqrt(square)
            if lengths.min() < 1e-20:
                continue
            cosine = 0.0
            for d in range(3):
                cosine += ways[1, d] * ways[2, d] / (lengths[1] * lengths[2])
            angle = math.acos(min(1.0, max(-1.0, cosine)))
            for d in range(3):
                sums[v, d] += angle * ways[0, d] / lengths[0]
            sums[v, 3] += angle * side
    unit = np.empty((len(uv), 4), np.float32)
    for v in range(len(uv)):
        x, y, z, side = sums[v]
        if x * x + y * y + z * z < 1e-20:  # any direction will do
            nx, ny, nz = normals[v]
            x, y, z = (0.0, nz, -ny) if abs(nx) < 0.5 else (-nz, 0.0, nx)
        length = math.sqrt(x * x + y * y + z * z)
        unit[v, 0], unit[v, 1], unit[v, 2] = x / length, y / length, z / length
        unit[v, 3] = 1 if side >= 0 else -1
    return unit


@njit(cache=True)
def towards_neighbours(values, faces, share):
    """Move values (n, d) of vertices by a share of the way to the mean of their neighbours'."""
    sums = np.zeros(values.shape, np.float32)
    degree = np.zeros(len(values), np.float32)
    for f in range(len(faces)):
        for k in range(3):
            v, a, b = faces[f, k], faces[f, (k + 1) % 3], faces[f, (k + 2) % 3]
            degree[v] += 2
            for d in range(values.shape[1]):
                sums[v, d] += values[a, d] + values[b, d]
    for v in range(len(values)):
        for d in range(values.shape[1]):
            mean = sums[v, d] / max(degree[v], np.float32(1))
            sums[v, d] = values[v, d] + share * (mean - values[v, d])
    return sums


@njit(cache=True)
def connected(faces, vertices):
    """Number of connected parts of a mesh, and the part of each of so many vertices: (n,)."""
    root = np.arange(vertices).astype(np.int32)
    for f in range(len(faces)):
        for k in range(2):
            a, b = faces[f, k], faces[f, k + 1]
            while root[a] != a:
                root[a] = root[root[a]]
                a = root[a]
            while root[b] != b:
                root[b] = root[root[b]]
                b = root[b]
            root[max(a, b)] = min(a, b)
    count = 0
    label = np.empty(vertices, np.int32)
    for v in range(vertices):  # a root is the least of its part, so that it is numbered first
        if root[v] == v:
            label[v] = count
            count += 1
        else:
            root[v] = root[root[v]]
            label[v] = label[root[v]]
    return count, label


@njit(cache=True)
def border(faces, vertices):
    """Whether no face runs backwards along the edge that begins at each corner: (m, 3)."""
    order, start = counting_sort(faces.ravel(), vertices)
    alone = np.empty(faces.shape, np.bool_)
    for f in range(len(faces)):
        for k in range(3):
            a, b = faces[f, k], faces[f, (k + 1) % 3]
            alone[f, k] = True
            for i in range(start[a], start[a + 1]):
                g, n = order[i] // 3, order[i] % 3
                if faces[g, (n + 2) % 3] == b:
                    alone[f, k] = False
                    break
    return alone


@njit(cache=True)
def closed(faces, vertices):
    """Whether each edge of each face has just one other face, which runs along it backwards."""
    order, start = counting_sort(faces.ravel(), vertices)
    for f in range(len(faces)):
        for k in range(3):
            a, b = faces[f, k], faces[f, (k + 1) % 3]
            there = back = 0
            for i in range(start[a], start[a + 1]):
                g, n = order[i] // 3, order[i] % 3
                there += faces[g, (n + 1) % 3] == b
                back += faces[g, (n + 2) % 3] == b
            if there != 1 or back != 1:
                return False
    return True
