"""Strangers' splats, one by one: read, or refused by the name that they deserve."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from gen3d.errors import Gen3DError
from gen3d_mesh.pipeline import QUALITIES, build
from gen3d_mesh.read import read_splat
from tests.corpus.case import TAKEN, Case
from tests.corpus.splats import splats

CASES = splats()
ODD = [case for case in CASES if case.name.startswith("splat") and case.expected == {TAKEN}]


def refusal(read: object) -> Gen3DError | None:
    """The named error with which something was refused."""
    try:
        read()  # type: ignore[operator]
    except Gen3DError as error:
        return error
    return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_splat(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "splat.ply"
    path.write_bytes(case.data)
    error = refusal(lambda: read_splat(path))
    if error is not None:
        assert error.name in case.expected, error.message
        assert error.message.endswith(".")
        return
    assert TAKEN in case.expected
    splat = read_splat(path)
    arrays = [getattr(splat, field.name) for field in fields(splat) if field.name != "origin"]
    assert {len(array) for array in arrays} == {len(splat)}
    np.testing.assert_allclose(np.linalg.norm(splat.rotations, axis=1), 1, rtol=1e-4)


@pytest.mark.parametrize("case", ODD[::6], ids=lambda case: case.name)
def test_a_mesh_of_odd_values(case: Case, tmp_path: Path) -> None:
    """Whatever the numbers are, there comes a mesh or a name."""
    path = tmp_path / "splat.ply"
    path.write_bytes(case.data)
    error = refusal(lambda: build(path, QUALITIES["preview"]))
    if error is not None:
        assert error.name in ("EmptySurface", "InvalidSplat")
        return
    coloured, _ = build(path, QUALITIES["preview"])
    assert np.isfinite(coloured.positions).all()
    assert np.isfinite(coloured.normals).all()
