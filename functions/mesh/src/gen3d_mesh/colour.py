"""Blend the gaussians' colours onto points of the surface."""

import numpy as np

from gen3d_mesh import cell_kernels
from gen3d_mesh.shell import Shell
from gen3d_mesh.splat import Floats

REACH = 1.6
"""Spacings up to which a gaussian's colour counts."""


def blend(shell: Shell, points: Floats, normals: Floats, spacing: float) -> Floats:
    """Colour of the near gaussians that face the same way, by opacity and distance.

    Parameters
    ----------
    shell : Shell
    points, normals : (n, 3) float32
        On the surface, in the unit frame.
    spacing : float
        Distance between gaussians.

    Returns
    -------
    (n, 3) float32
        sRGB in [0, 1].
    """
    radius = REACH * spacing
    cells = shell.cells
    colors: Floats
    colors, total = cell_kernels.blend_colors(
        shell.splat.centers, cells.start, cells.origin, cells.size, shell.normals,
        shell.splat.colors, shell.splat.opacities, points, normals, np.float32(radius),
        cells.order(points),
    )  # fmt: skip
    empty = np.flatnonzero(total == 0)
    if len(empty):
        nearest = cell_kernels.nearest(
            shell.splat.centers, cells.start, cells.origin, cells.size, points[empty]
        )
        colors[empty] = shell.splat.colors[nearest]
    return colors
