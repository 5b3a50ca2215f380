"""The table of what refusing a file costs has each format with each fault."""

import pytest

from bench.mesh.refusals import FORMATS, KINDS, MEGABYTES, cells, cost

NONE = {
    ("SPZ", "NaN"),  # its numbers are whole
    (".splat", "10⁹ and more"),  # it says nothing of how many
    # What begins with another mark is a PLY to nobody.
    ("compressed PLY", "Git LFS"),
    ("compressed PLY", "empty"),
    ("GLB", "Git LFS"),
    ("GLB", "empty"),
    # Once read it is what the others are, and GaussForge writes none.
    *(("GLB", kind) for kind in ("plane", "line", "transparent")),
}


@pytest.mark.slow
def test_each_format_is_tried_with_each_fault() -> None:
    tried = {(format, kind) for format, kind, _, _ in cells()}
    assert tried == {(format, kind) for format in FORMATS for kind in KINDS} - NONE


@pytest.mark.slow
@pytest.mark.parametrize(("name", "data"), [("a.ply", b""), ("a.spz", b"NGSP\3\0\0\0" + bytes(8))])
def test_a_refusal_is_measured(name: str, data: bytes) -> None:
    spent = cost(name, data)
    assert spent.error in ("InvalidSplat", "EmptySurface")
    assert 0 < spent.megabytes < MEGABYTES
