"""Blend the gaussians' colours onto points of the surface."""

import numpy as np

from mesh import kernels
from mesh.shell import PLANE_RADIUS, Shell
from mesh.splat import Floats


def blend(shell: Shell, points: Floats, normals: Floats, spacing: float) -> Floats:
    """Colour of the near gaussians that face the same way, by opacity and distance.

    Parameters
    ----------
    shell : Shell
    points, normals : (n, 3) float32
        On the surface, in the unit frame.
    spacing : float
        Distance between gaussians; the weight falls to 1 % at 1.6 spacings.

    Returns
    -------
    (n, 3) float32
        sRGB in [0, 1].
    """
    radius = PLANE_RADIUS * spacing
    near = _blend(shell, points, normals, radius)
    colors, total = near
    empty = np.flatnonzero(total == 0)
    if len(empty):
        from scipy.spatial import cKDTree

        _, nearest = cKDTree(shell.splat.centers).query(points[empty], k=1)
        colors[empty] = shell.splat.colors[nearest]
    return colors


def _blend(shell: Shell, points: Floats, normals: Floats, radius: float) -> tuple[Floats, Floats]:
    cells = shell.cells
    colors, total = kernels.blend_colors(
        shell.splat.centers, cells.start, cells.origin, cells.size, shell.normals,
        shell.splat.colors, shell.splat.opacities, points, normals, np.float32(radius),
    )  # fmt: skip
    return colors, total
