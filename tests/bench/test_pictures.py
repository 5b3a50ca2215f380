"""The picture in the README of the mesh step is of the meshes that are made now."""

import pytest

from bench.mesh.pictures import OFF, PANELS, difference


@pytest.mark.slow
def test_a_panel_is_as_it_is_made_now() -> None:
    assert difference(PANELS[1]) < OFF, "python -m bench.mesh.pictures makes it anew"
