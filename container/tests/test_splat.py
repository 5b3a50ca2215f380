"""The PLY, read back by somebody else's reader and by its own header."""

import io
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from gen3d.errors import ReconstructionFailed
from gen3d_inference import ply_writer
from gen3d_inference.engines.interface import Gaussians

NAMES = (
    "x y z nx ny nz f_dc_0 f_dc_1 f_dc_2 opacity scale_0 scale_1 scale_2 rot_0 rot_1 rot_2 rot_3"
)


@pytest.fixture
def gaussians() -> Gaussians:
    rng = np.random.default_rng(0)
    shapes = {"xyz": (50, 3), "f_dc": (50, 3), "opacity": (50,), "scale": (50, 3)}
    values = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return Gaussians(**values, rotation=rng.normal(size=(50, 4)).astype(np.float32))


def test_another_reader_finds_every_value(gaussians: Gaussians) -> None:
    cloud = trimesh.load(io.BytesIO(ply_writer.pack(gaussians)), file_type="ply")
    rows = cloud.metadata["_ply_raw"]["vertex"]["data"]
    assert " ".join(rows.dtype.names) == NAMES
    table = np.stack([rows[name] for name in rows.dtype.names], 1)
    assert np.array_equal(table[:, :3], gaussians.xyz)
    assert not table[:, 3:6].any()
    assert np.array_equal(table[:, 6:9], gaussians.f_dc)
    assert np.array_equal(table[:, 9], gaussians.opacity)
    assert np.array_equal(table[:, 10:13], gaussians.scale)
    assert np.array_equal(table[:, 13:], gaussians.rotation)


def test_the_file_is_68_bytes_a_gaussian(gaussians: Gaussians) -> None:
    header, body = ply_writer.pack(gaussians).split(b"end_header\n", 1)
    assert header.startswith(b"ply\nformat binary_little_endian 1.0\nelement vertex 50\n")
    assert header.count(b"property float ") == 17
    assert len(body) == 50 * 68


def test_an_infinite_opacity_is_none_of_our_business(gaussians: Gaussians) -> None:
    gaussians.opacity[:2] = (np.inf, -np.inf)
    assert ply_writer.pack(gaussians)


@pytest.mark.parametrize("field", ["xyz", "f_dc", "opacity", "scale", "rotation"])
def test_values_that_are_no_numbers_are_refused(gaussians: Gaussians, field: str) -> None:
    getattr(gaussians, field)[3] = np.nan
    with pytest.raises(ReconstructionFailed, match="1 of 50 gaussians"):
        ply_writer.pack(gaussians)


def test_an_infinite_place_is_refused(gaussians: Gaussians) -> None:
    gaussians.xyz[0, 0] = np.inf
    with pytest.raises(ReconstructionFailed):
        ply_writer.pack(gaussians)


@pytest.mark.parametrize(("field", "value"), [("xyz", 30), ("scale", 4), ("scale", 300)])
def test_a_splat_far_out_of_its_frame_is_refused(
    gaussians: Gaussians, field: str, value: float
) -> None:
    getattr(gaussians, field)[:24, 1] = value
    gaussians.scale[24:] = -4
    assert ply_writer.pack(gaussians), "strays are the mesh step's"
    getattr(gaussians, field)[:26, 1] = value
    with pytest.raises(ReconstructionFailed, match=r"26 of 50 gaussians lie far out.*another seed"):
        ply_writer.pack(gaussians)


def test_nothing_is_refused(gaussians: Gaussians) -> None:
    nothing = replace(gaussians, **{name: value[:0] for name, value in vars(gaussians).items()})
    with pytest.raises(ReconstructionFailed, match="No gaussians"):
        ply_writer.pack(nothing)
