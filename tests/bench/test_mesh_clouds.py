"""The clouds of the mesh bench."""

import numpy as np
import pytest
import trimesh

from bench.mesh.clouds import splat_of


@pytest.mark.parametrize("thick", [0.012, 0.016, 0.04])
def test_gaussians_lie_inside_walls_of_any_thickness(thick: float) -> None:
    """In thin ones no place is as deep as the rest's inner gaussians lie."""
    plate = trimesh.creation.box([0.94, 0.3, thick])
    splat = splat_of(plate, 4000, floaters=0.0, inner=0.25)
    assert len(splat) == 4000
    within = np.abs(splat.centers[:, 2]) < thick / 2 - min(0.008, thick / 5)
    assert within.sum() >= 1000
