"""Give a mesh its place and its size."""

from dataclasses import replace

import numpy as np

from gen3d_mesh.coloured_mesh import ColouredMesh


def standing(coloured: ColouredMesh) -> ColouredMesh:
    """Move a mesh so that it stands on the ground: its lowest point at 0, its middle above it."""
    vertices = coloured.mesh.vertices
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    foot = np.array([*((low + high) / 2)[:2], low[2]], np.float32)
    frame = coloured.frame
    return replace(
        coloured,
        mesh=replace(coloured.mesh, vertices=vertices - foot),
        frame=replace(frame, center=frame.center + frame.size * foot.astype(np.float64)),
    )


def sized(coloured: ColouredMesh, longest: float) -> ColouredMesh:
    """Scale a mesh so that the longest side of its box is `longest`."""
    extent = np.ptp(coloured.mesh.vertices, axis=0).max()
    return replace(coloured, scale=longest / float(extent * coloured.frame.size))
