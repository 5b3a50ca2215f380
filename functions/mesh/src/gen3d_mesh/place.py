"""Give a mesh its place and its size."""

from dataclasses import replace

import numpy as np

from gen3d.contract import Pose
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.splat import Floats


def foot(coloured: ColouredMesh) -> Floats:
    """The point of the ground that a mesh stands above with its middle, in the unit frame."""
    low, high = coloured.mesh.vertices.min(axis=0), coloured.mesh.vertices.max(axis=0)
    return np.array([*((low + high) / 2)[:2], low[2]], np.float32)


def standing(coloured: ColouredMesh, at: Floats) -> ColouredMesh:
    """Move a mesh so that the point `at` of the unit frame is the origin."""
    frame = coloured.frame
    return replace(
        coloured,
        mesh=replace(coloured.mesh, vertices=coloured.mesh.vertices - at),
        frame=replace(frame, center=frame.center + frame.size * at.astype(np.float64)),
    )


def longest_side(coloured: ColouredMesh) -> float:
    """Of the mesh's box, as it is written."""
    return float(np.ptp(coloured.positions, axis=0).max())


def high(coloured: ColouredMesh, height: float) -> ColouredMesh:
    """Scale a mesh so that it is so high."""
    own = float(np.ptp(coloured.positions[:, 2]))
    return replace(coloured, scale=coloured.scale * height / own) if own > 0 else coloured


def tall(coloured: ColouredMesh, pose: Pose | None) -> float | None:
    """How high a mesh is, upright, in metres; None where its pose does not know the metre."""
    if pose is None or not pose.metric:
        return None
    from gen3d_mesh.scene.similarity import Similarity  # SciPy's rotations, .2 s of a cold command

    try:
        scale = Similarity.of(pose).scale
    except ValueError:
        return None
    return scale * float(np.ptp(coloured.positions[:, 2])) or None


def rounded(length: float) -> float:
    """To five figures, as a length is told."""
    return float(f"{length:.5g}")


def sized(coloured: ColouredMesh, longest: float) -> ColouredMesh:
    """Scale a mesh so that the longest side of its box is `longest`."""
    return replace(coloured, scale=coloured.scale * longest / longest_side(coloured))
