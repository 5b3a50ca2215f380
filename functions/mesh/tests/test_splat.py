"""The reader: what it takes, and how it refuses the rest."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gen3d.errors import EmptySurface, InvalidSplat, SplatTooLarge
from gen3d.ply import PROPERTIES, SH_C0
from gen3d_mesh import splat_ply
from gen3d_mesh.read import read, read_splat
from gen3d_mesh.sample import ball, write_splat
from gen3d_mesh.splat import Splat, Up


def header(
    count: int, names: tuple[str, ...] = PROPERTIES, kind: str = "binary_little_endian"
) -> bytes:
    lines = ["ply", f"format {kind} 1.0", f"element vertex {count}"]
    return "\n".join([*lines, *(f"property float {n}" for n in names), "end_header\n"]).encode()


def rows(count: int, names: tuple[str, ...] = PROPERTIES) -> np.ndarray:
    values = np.random.default_rng(0).normal(size=(count, len(names))).astype("<f4")
    if "scale_0" in names:
        values[:, names.index("scale_0")] = -5
    return values


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "splat.ply"


def test_reads_what_was_written(path: Path) -> None:
    splat = ball(500)
    write_splat(path, splat)
    again = read_splat(path)
    np.testing.assert_allclose(again.centers, splat.centers)
    np.testing.assert_allclose(again.colors, splat.colors, atol=1e-6)
    np.testing.assert_allclose(again.opacities, splat.opacities, atol=1e-6)
    np.testing.assert_allclose(again.scales, splat.scales, rtol=1e-5)
    np.testing.assert_allclose(again.rotations, splat.rotations)
    for values in (again.centers, again.colors, again.opacities, again.scales, again.rotations):
        assert values.dtype == np.float32  # or the kernels are compiled once more, for doubles


@pytest.mark.parametrize("kind", ["ascii", "binary_big_endian"])
def test_takes_other_encodings(path: Path, kind: str) -> None:
    values = rows(50)
    if kind == "ascii":
        body = "\n".join(" ".join(f"{v:.9g}" for v in row) for row in values).encode()
    else:
        body = values.astype(">f4").tobytes()
    path.write_bytes(header(50, kind=kind) + body)
    np.testing.assert_allclose(read_splat(path).centers, values[:, :3], rtol=1e-6)


def test_skips_attributes_and_elements_that_it_does_not_need(path: Path) -> None:
    names = (*PROPERTIES[:9], *(f"f_rest_{k}" for k in range(45)), *PROPERTIES[9:], "mine")
    values = rows(20, names)
    start = header(20, names).replace(
        b"end_header",
        b"comment x\nobj_info y\nelement face 1\nproperty list uchar int v\n"
        b"property of my own\nend_header",
    )
    path.write_bytes(start + values.tobytes() + b"\3" + bytes(12))
    np.testing.assert_array_equal(read_splat(path).centers, values[:, :3])


def test_applies_activations(path: Path) -> None:
    values = rows(3)
    values[:, PROPERTIES.index("opacity")] = [np.inf, -np.inf, 0]
    values[0, -4:] = [0, 0, 0, 0]
    values[1, -4:] = [0, 3, 0, 4]
    path.write_bytes(header(3) + values.tobytes())
    splat = read_splat(path)
    assert splat.opacities.tolist() == [1, 0, 0.5]
    turns = np.array([[1, 0, 0, 0], [0, 0.6, 0, 0.8]])
    np.testing.assert_allclose(splat.rotations[:2], turns, rtol=1e-6)
    np.testing.assert_allclose(splat.scales, np.exp(values[:, 10:13]), rtol=1e-6)
    expected = np.clip(0.5 + SH_C0 * values[:, 6:9], 0, 1)
    np.testing.assert_allclose(splat.colors, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "is a picture"),
        (b"P" + header(1)[1:], "not a PLY"),
        (b"ply\nformat ascii 1.0\n", "no end"),
        (b"ply\n" + b"comment x\n" * 10_000 + header(1)[4:], "no end"),
        (header(100) + rows(99).tobytes(), "cut off"),
        (header(2, kind="ascii") + b"1 2 3", "cut off"),
        (header(1, kind="ascii") + b"a " * 17, "cut off"),
        (header(9, PROPERTIES[:9]) + bytes(9 * 36), "opacity, scale_0"),
        (header(1).replace(b"float z", b"list uchar int z"), "header has a line"),
        (
            header(1)
            .replace(b"element vertex", b"element camera 0\nelement vertex")
            .replace(b"float nx", b"int128 nx"),
            "header has a line 'property int128 nx'",
        ),
        (header(1).replace(b"float z", b"float x"), "twice"),
        (header(1).replace(b"element vertex", b"element face"), "no vertices"),
        (header(1).replace(b"element vertex 1", b"element vertex -1"), "how many vertices"),
        (header(1).replace(b"vertex 1", b"vertex " + b"9" * 5000), "how many vertices"),
        (
            header(1).replace(
                b"element vertex", b"element face 3\nproperty list uchar int v\nelement vertex"
            ),
            "lists before its vertices",
        ),
        (header(1, kind="zipped") + bytes(68), "lacks a format"),
    ],
)
def test_names_what_is_wrong(path: Path, data: bytes, words: str) -> None:
    path.write_bytes(data)
    with pytest.raises(InvalidSplat, match=words):
        read_splat(path)


def test_no_gaussians(path: Path) -> None:
    path.write_bytes(header(0))
    with pytest.raises(EmptySurface):
        read_splat(path)


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian"])
@pytest.mark.parametrize("count", [50_000_001, 10**9, 10**30])
def test_promise_of_a_billion_costs_nothing(path: Path, count: int, kind: str) -> None:
    path.write_bytes(header(count, kind=kind) + bytes(680))
    tracemalloc.start()
    with pytest.raises(SplatTooLarge):
        read_splat(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_ascii_is_taken_only_where_its_words_fit_into_memory(path: Path) -> None:
    path.write_bytes(header(1_999_999, kind="ascii") + bytes(680))
    with pytest.raises(SplatTooLarge, match=r"holds 33,999,983 values.* Save it as a binary PLY"):
        read_splat(path)
    splat_ply.check_count(50_000_000)
    path.write_bytes(header(2, kind="ascii") + b" ".join([b"1"] * 2 * len(PROPERTIES)))
    assert len(read_splat(path)) == 2  # in as few bytes as can be


def test_of_more_gaussians_than_are_taken_a_sample_is_read_that_covers_as_much(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ball(5000)
    write_splat(path, whole)
    monkeypatch.setattr(splat_ply, "MAX_GAUSSIANS", 1250)
    source = read(path)
    assert (len(source.splat), source.total) == (1250, 5000)
    assert (source.splat.scales**2).sum() == pytest.approx((whole.scales**2).sum(), rel=1e-4)


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian"])
def test_coordinates_far_from_the_origin_keep_what_double_holds(path: Path, kind: str) -> None:
    places = np.random.default_rng(0).random((50, 3)) + np.array([5e5, 4e6, 0])
    row = np.dtype([(name, "<f8" if name in ("x", "y", "z") else "<f4") for name in PROPERTIES])
    table = np.zeros(50, row)
    for name, value in zip(("x", "y", "z"), places.T, strict=True):
        table[name] = value
    table["rot_0"] = 1
    start = header(50, kind=kind)
    for name in ("x", "y", "z"):
        start = start.replace(f"float {name}\n".encode(), f"double {name}\n".encode())
    text = "\n".join(" ".join(map(str, each.tolist())) for each in table).encode()
    path.write_bytes(start + (text if kind == "ascii" else table.tobytes()))
    splat = read_splat(path)
    np.testing.assert_allclose(splat.centers + np.array(splat.origin), places, rtol=0, atol=1e-6)
    assert splat.take(np.array([0])).thinned(1).origin == splat.origin
    assert read_splat_of(path, rows(50)).origin == (0, 0, 0)


@pytest.mark.parametrize("index", [np.array([4, 2]), np.isin(np.arange(20), [2, 4])])
def test_picked_gaussians_keep_all_that_they_have(path: Path, index: np.ndarray) -> None:
    splat = read_splat_of(path, rows(20))
    picked = splat.take(index)
    for name in ("centers", "colors", "opacities", "scales", "rotations"):
        np.testing.assert_array_equal(getattr(picked, name), getattr(splat, name)[index])


def test_a_sample_covers_what_all_did(path: Path) -> None:
    splat = read_splat_of(path, rows(20))
    np.testing.assert_allclose(splat.grown(9).scales, 3 * splat.scales, rtol=1e-6)
    assert len(splat.thinned(5)) == 5
    assert splat.thinned(20) is splat


@pytest.mark.parametrize(("up", "degrees"), [("y", 90), ("-y", -90), ("z", 0)])
def test_a_splat_is_turned_with_its_gaussians(path: Path, up: Up, degrees: float) -> None:
    splat = read_splat_of(path, rows(20))
    turn = Rotation.from_euler("x", degrees, degrees=True)
    turned = splat.upright(up)
    np.testing.assert_allclose(turned.centers, turn.apply(splat.centers), atol=1e-5)
    axes = Rotation.from_quat(splat.rotations, scalar_first=True)
    again = Rotation.from_quat(turned.rotations, scalar_first=True)
    np.testing.assert_allclose(again.as_matrix(), (turn * axes).as_matrix(), atol=1e-5)


def read_splat_of(path: Path, values: np.ndarray, names: tuple[str, ...] = PROPERTIES) -> Splat:
    path.write_bytes(header(len(values), names) + values.tobytes())
    return read_splat(path)


def test_flat_gaussians_get_a_thickness(path: Path) -> None:
    names = tuple(name for name in PROPERTIES if name != "scale_2")
    values = rows(20, names)
    values[:, names.index("scale_0")], values[:, names.index("scale_1")] = -3, -4
    splat = read_splat_of(path, values, names)
    np.testing.assert_allclose(splat.scales, [np.exp([-3, -4, -4]) * (1, 1, 0.01)] * 20, rtol=1e-5)
    # As splat-transform 3.7.0 writes them.
    values = rows(20)
    values[:, 10:13] = [-3, -4, -np.inf]
    again = read_splat_of(path, values)
    np.testing.assert_allclose(again.scales, splat.scales, rtol=1e-6)


@pytest.mark.parametrize("name", ["scale", "scale_0"])
def test_round_gaussians_have_one_scale_and_need_no_rotation(path: Path, name: str) -> None:
    names = (*PROPERTIES[:10], name)
    values = rows(20, names)
    values[:, -1] = -3
    splat = read_splat_of(path, values, names)
    np.testing.assert_allclose(splat.scales, np.exp(-3), rtol=1e-6)
    assert splat.rotations.tolist() == [[1, 0, 0, 0]] * 20
    assert splat.rotations.dtype == np.float32


@pytest.mark.parametrize(
    ("kind", "most"), [("uchar", 255), ("ushort", 65535), ("float", 1), ("float", 255)]
)
def test_colours_may_be_rgb(path: Path, kind: str, most: float) -> None:
    names = (*PROPERTIES[:6], "red", "green", "blue", *PROPERTIES[9:])
    colors = np.random.default_rng(0).integers(0, 256, (20, 3))
    colors[0] = 255
    stored = {"uchar": "u1", "ushort": "<u2", "float": "<f4"}[kind]
    row = np.dtype([(n, stored if n in names[6:9] else "<f4") for n in names])
    table = np.zeros(20, row)
    for name, value in zip(names[6:9], colors.T, strict=True):
        table[name] = value * (most / 255)
    start = header(20, names)
    for name in names[6:9]:
        start = start.replace(f"float {name}".encode(), f"{kind} {name}".encode())
    path.write_bytes(start + table.tobytes())
    np.testing.assert_allclose(read_splat(path).colors, colors / 255, atol=1e-6)


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian"])
def test_elements_before_the_vertices_are_skipped(path: Path, kind: str) -> None:
    values = rows(10)
    extra = b"element light 0\nproperty int c\n"
    extra += b"element camera 2\nproperty double a\nproperty uchar b\nelement vertex"
    start = header(10, kind=kind).replace(b"element vertex", extra)
    before = b"1 2 3 4\n" if kind == "ascii" else bytes(18)
    text = "\n".join(" ".join(f"{v:.9g}" for v in row) for row in values).encode()
    path.write_bytes(start + before + (text if kind == "ascii" else values.tobytes()))
    np.testing.assert_allclose(read_splat(path).centers, values[:, :3], rtol=1e-6)


def test_a_thinned_splat_covers_as_much_with_less() -> None:
    whole = ball(5000)
    thin = whole.thinned(1250)
    assert len(thin) == 1250
    assert (thin.scales**2).sum() == pytest.approx((whole.scales**2).sum(), rel=1e-4)
    assert abs(thin.centers.mean(axis=0)).max() < 0.03
    assert whole.thinned(5000) is whole
