"""Splats of every format, held against the cloud that each format's own tool was given."""

import base64
import gzip
import io
import json
import re
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import gaussforge
import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from gen3d.bounded import Bounded, Starved, TimeSpent
from gen3d.errors import EmptySurface, Gen3DError, InvalidSplat, SplatTooLarge
from gen3d.ply import PROPERTIES, SH_C0
from gen3d_mesh import read as reader
from gen3d_mesh.kinds import kind_of
from gen3d_mesh.pipeline import QUALITIES, build
from gen3d_mesh.read import read
from gen3d_mesh.sample import ball, on_surface, write_splat
from gen3d_mesh.splat import Splat

from .splats.source import NAMES, source, write

HERE = Path(__file__).parent / "splats"

Meta: TypeAlias = dict[str, Any]

# What may be lost, by format: position, turn in degrees, scale (a share), opacity, colour.
LOST = {
    "splat.compressed.ply": (5e-4, 0.2, 0.001, 0.002, 0.0012),
    "v2.spz": (2e-4, 8.0, 0.032, 0.002, 0.004),
    "v3.spz": (2e-4, 0.2, 0.032, 0.002, 0.004),
    "v4.spz": (2e-4, 0.2, 0.032, 0.002, 0.004),
    "splat.sog": (3e-5, 1.8, 0.004, 0.004, 0.0011),
    "splat.glb": (1e-7, 0.06, 1e-6, 1e-6, 1e-6),
    "splat.splat": (0, 1.6, 1e-6, 0.004, 0.004),
    "level0.ksplat": (0, 0.06, 1e-6, 0.004, 0.004),
    "level1.ksplat": (7e-5, 0.06, 0.001, 0.004, 0.004),
    "level1.harmonics.ksplat": (7e-5, 0.06, 0.001, 0.004, 0.004),
    "level2.harmonics.ksplat": (7e-5, 0.06, 0.001, 0.004, 0.004),
}
"""The tool's own loss: 8 degrees are version 2's, whose quaternions have 8 bits."""


def differences(splat: Splat) -> tuple[float, ...]:
    """The largest between a splat and the source, in the order of `LOST`; rows may have moved."""
    rows = source()[cKDTree(source()[:, :3]).query(splat.centers)[1]]
    assert len(np.unique(rows[:, 0])) == len(source()) == len(splat)
    same = np.abs((rows[:, 19:] * splat.rotations).sum(axis=1)).clip(0, 1)
    off = (
        np.abs(splat.centers - rows[:, :3]),
        np.degrees(2 * np.arccos(same)),
        np.abs(splat.scales / np.exp(rows[:, 16:19]) - 1),
        np.abs(splat.opacities - 1 / (1 + np.exp(-rows[:, 15]))),
        np.abs(splat.colors - np.clip(0.5 + SH_C0 * rows[:, 3:6], 0, 1)),
    )
    return tuple(float(each.max()) for each in off)


def half_turned(splat: Splat) -> Splat:
    """A splat after half a turn about Z."""
    w, x, y, z = splat.rotations.T
    centers = splat.centers * np.array([-1, -1, 1], np.float32)
    return replace(splat, centers=centers, rotations=np.stack([-z, -y, x, w], axis=1))


@pytest.mark.parametrize("name", LOST)
def test_a_format_holds_what_its_own_tool_was_given(name: str) -> None:
    found = read(HERE / name)
    assert found.total == len(source())
    # splat-transform takes Y for down in what it is given, and stands a GLB up, as glTF has it.
    splat = half_turned(found.splat) if name.endswith(".glb") else found.splat
    for lost, most in zip(differences(splat), LOST[name], strict=True):
        assert lost <= most


def test_the_source_itself_is_read_without_loss(tmp_path: Path) -> None:
    write(tmp_path / "source.ply")
    found = read(tmp_path / "source.ply")
    assert max(differences(found.splat)) < 0.06  # degrees: float32's acos


@pytest.mark.parametrize(
    ("name", "format", "up"),
    [
        ("v2.spz", "SPZ 2", "y"),
        ("v4.spz", "SPZ 4", "y"),
        ("splat.sog", "SOG", "-y"),
        ("splat.compressed.ply", "compressed PLY", "-y"),
        ("splat.glb", "GLB with KHR_gaussian_splatting", "y"),
        ("level0.ksplat", ".ksplat", "-y"),
    ],
)
def test_a_format_is_known_by_its_first_bytes(
    tmp_path: Path, name: str, format: str, up: str
) -> None:
    path = tmp_path / "downloaded"
    path.write_bytes((HERE / name).read_bytes())
    found = read(path)
    assert (found.format, found.up) == (format, up)


def test_what_an_engine_made_stands_on_z_and_what_was_trained_on_minus_y(tmp_path: Path) -> None:
    write_splat(tmp_path / "engine.ply", shape(np.zeros((3, 3)) + np.arange(3)))
    write(tmp_path / "trained.ply")
    assert (read(tmp_path / "engine.ply").up, read(tmp_path / "trained.ply").up) == ("z", "-y")
    assert read(tmp_path / "engine.ply").format == "PLY"


def test_a_ply_starts_no_process_and_imports_nothing_for_it(tmp_path: Path) -> None:
    """Or each job of the Lambda would wait for it."""
    import subprocess

    write(tmp_path / "source.ply")
    script = (
        "import sys; from pathlib import Path; from gen3d_mesh.read import read\n"
        f"read(Path({str(tmp_path / 'source.ply')!r}))\n"
        "print(sorted({'gaussforge', 'gen3d.bounded', 'zipfile', 'subprocess'} & {*sys.modules}))"
    )
    path = {"PYTHONPATH": ":".join(sys.path)}
    said = subprocess.run(
        [sys.executable, "-c", script], env=path, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


def test_without_gaussforge_a_ply_is_read_and_the_rest_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InvalidSplat, match=r"SPZ 3, .*pip install gaussforge"):
        read(HERE / "v3.spz")
    write(tmp_path / "source.ply")
    assert read(tmp_path / "source.ply").total == len(source())


def test_what_takes_too_much_memory_to_unpack_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_splat(tmp_path / "large.ply", ball(200_000))
    data = (tmp_path / "large.ply").read_bytes()
    large = gaussforge.GaussForge().convert(data, "ply", "splat")["data"]
    (tmp_path / "large.splat").write_bytes(large)
    assert read(tmp_path / "large.splat").total == 200_000
    monkeypatch.setattr(reader, "MEMORY", 60 * 2**20)
    with pytest.raises(SplatTooLarge, match="piece by piece"):
        read(tmp_path / "large.splat")


def test_of_more_packed_gaussians_than_are_taken_a_sample_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "MAX_GAUSSIANS", 50)
    found = read(HERE / "v3.spz")
    assert (len(found.splat), found.total) == (50, len(source()))


@pytest.mark.parametrize("fault", [TimeSpent, Starved])
def test_what_takes_too_long_to_unpack_is_too_large(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def ask(*_: object) -> None:
        raise fault

    monkeypatch.setattr(Bounded, "ask", ask)
    with pytest.raises(SplatTooLarge, match="piece by piece"):
        read(HERE / "v3.spz")


def unpacked(folder: Path) -> Path:
    """The meta.json of a SOG that lies in a folder."""
    with zipfile.ZipFile(HERE / "splat.sog") as file:
        file.extractall(folder)
    return folder / "meta.json"


def test_a_sog_in_a_folder_is_read_by_its_meta(tmp_path: Path) -> None:
    path = unpacked(tmp_path)
    assert b'"asset"' in path.read_bytes()  # as a glTF has it
    assert kind_of(path) is None
    found, packed = read(path), read(HERE / "splat.sog")
    assert (found.format, found.total, found.up) == (packed.format, packed.total, packed.up)
    np.testing.assert_array_equal(found.splat.centers, packed.splat.centers)
    np.testing.assert_array_equal(found.splat.rotations, packed.splat.rotations)


def test_a_sogs_picture_that_is_missing_is_named(tmp_path: Path) -> None:
    path = unpacked(tmp_path)
    (tmp_path / "quats.webp").unlink()
    with pytest.raises(InvalidSplat, match=r"beside it, and quats\.webp does not"):
        read(path)


# Splats of glTF's


def spreads(splat: Splat) -> np.ndarray:
    """Covariances, (n, 3, 3)."""
    turns = Rotation.from_quat(splat.rotations[:, [1, 2, 3, 0]]).as_matrix()
    axes = turns * splat.scales[:, None, :]
    return np.asarray(axes @ axes.transpose(0, 2, 1))


def test_a_mesh_of_gltfs_is_none_and_a_splat_is_no_mesh(tmp_path: Path) -> None:
    assert kind_of(HERE / "splat.glb") is None
    # The name of the extension may come late, as the order of a document's parts is free.
    document, binary = document_of((HERE / "splat.glb").read_bytes())
    late = {"asset": {"version": "2.0", "extras": "x" * 200_000}} | document
    (tmp_path / "late.glb").write_bytes(glb(late, binary))
    assert kind_of(tmp_path / "late.glb") is None
    assert read(tmp_path / "late.glb").total == len(source())
    plain = {"asset": {"version": "2.0"}, "meshes": []}
    (tmp_path / "mesh.glb").write_bytes(glb(plain, b""))
    assert kind_of(tmp_path / "mesh.glb") == "GLB"
    (tmp_path / "mesh.gltf").write_text(json.dumps(plain))
    assert kind_of(tmp_path / "mesh.gltf") == "glTF"


STRETCH = np.diag([0.5, 3.0, 1.0, 1.0])
MOVES: dict[str, list[Meta]] = {
    "turned": [{"rotation": [0.5, 0.5, -0.5, 0.5]}],
    "scaled, far": [{"scale": [4, 4, 4], "translation": [6e6, -2e6, 1e6]}],
    "mirrored": [{"scale": [-1, 1, 1]}],
    "stretched": [{"scale": [0.5, 3, 1], "rotation": [0, 0.6, 0, 0.8]}],
    "in another": [{"matrix": STRETCH.ravel().tolist()}, {"rotation": [0, 0, 0.6, 0.8]}],
}


@pytest.mark.parametrize("name", MOVES)
def test_gaussians_stand_where_their_nodes_put_them(tmp_path: Path, name: str) -> None:
    nodes = [{**move, "children": [n + 1]} for n, move in enumerate(MOVES[name])]
    nodes[-1] |= {"mesh": 0, "children": []}
    path = tmp_path / "placed.glb"
    path.write_bytes(with_document(lambda told: told.update(nodes=nodes)))
    matrix = np.eye(4)
    for move in MOVES[name]:
        own = np.eye(4)
        turn = Rotation.from_quat(move.get("rotation", [0, 0, 0, 1])).as_matrix()
        own[:3, :3] = turn * np.array(move.get("scale", [1, 1, 1]))
        own[:3, 3] = move.get("translation", [0, 0, 0])
        matrix @= np.reshape(move["matrix"], (4, 4)).T if "matrix" in move else own
    before, found = read(HERE / "splat.glb").splat, read(path).splat
    there = before.centers @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(found.centers + np.array(found.origin), there, atol=2e-6)
    wanted = matrix[:3, :3] @ spreads(before) @ matrix[:3, :3].T
    np.testing.assert_allclose(spreads(found), wanted, rtol=1e-3, atol=1e-7)


def rows_of(document: Meta, binary: bytes, number: int) -> np.ndarray:
    """Floats of an accessor of the test's GLB, (240, k)."""
    view = document["bufferViews"][number]
    data = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    return np.frombuffer(data, "<f4").reshape(len(source()), -1)


def test_integers_and_rows_side_by_side_are_read(tmp_path: Path) -> None:
    """As a tool may write them that packs nothing: KHR_gaussian_splatting allows for these."""
    document, binary = document_of((HERE / "splat.glb").read_bytes())
    place, turn, size, opacity, harmonics = (rows_of(document, binary, n) for n in (0, 2, 3, 4, 5))
    row = np.dtype(
        [("place", "<f4", 3), ("turn", "i1", 4), ("size", "<u2", 3), ("opacity", "u1"),
         ("pad", "u1"), ("harmonics", "<f4", 3)]
    )  # fmt: skip
    offsets = {"place": 0, "turn": 12, "size": 16, "opacity": 22, "harmonics": 24}
    rows = np.zeros(len(source()), row)
    rows["place"], rows["harmonics"] = place, harmonics
    rows["turn"] = np.round(127 * turn)
    rows["size"] = np.round(65535 * size)
    rows["opacity"] = np.round(255 * opacity[:, 0])
    document["bufferViews"] = [{"buffer": 0, "byteLength": rows.nbytes, "byteStride": row.itemsize}]
    kinds = {"place": (0, 5126), "turn": (2, 5120), "size": (3, 5123), "opacity": (4, 5121),
             "harmonics": (5, 5126)}  # fmt: skip
    for name, (number, kind) in kinds.items():
        document["accessors"][number].update(
            bufferView=0, byteOffset=offsets[name], componentType=kind,
            normalized=kind != 5126,
        )  # fmt: skip
    (tmp_path / "rows.glb").write_bytes(glb(document, rows.tobytes()))
    before, found = read(HERE / "splat.glb").splat, read(tmp_path / "rows.glb").splat
    np.testing.assert_array_equal(found.centers, before.centers)
    np.testing.assert_array_equal(found.colors, before.colors)
    np.testing.assert_allclose(found.opacities, before.opacities, atol=0.002)
    np.testing.assert_allclose(found.scales, before.scales, atol=1e-5)
    np.testing.assert_allclose(found.rotations, before.rotations, atol=0.01)


@pytest.mark.parametrize("inside", [True, False])
def test_a_gltf_is_read_with_what_lies_beside_it(tmp_path: Path, inside: bool) -> None:
    document, binary = document_of((HERE / "splat.glb").read_bytes())
    data = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
    (tmp_path / "a splat.bin").write_bytes(binary)
    document["buffers"][0]["uri"] = data if inside else "a%20splat.bin"
    (tmp_path / "splat.gltf").write_text(json.dumps(document))
    found = read(tmp_path / "splat.gltf")
    assert found.format == "glTF with KHR_gaussian_splatting"
    np.testing.assert_array_equal(found.splat.centers, read(HERE / "splat.glb").splat.centers)


def test_linear_colours_become_srgb_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    def change(space: str) -> Splat:
        def edit(document: Meta) -> None:
            primitives = document["meshes"][0]["primitives"]
            primitives[0]["extensions"]["KHR_gaussian_splatting"]["colorSpace"] = space
            primitives.append({"attributes": {"POSITION": 0}, "mode": 0})

        (tmp_path / "a.glb").write_bytes(with_document(edit))
        found = read(tmp_path / "a.glb")
        assert any("beside the splat was left out" in note for note in found.notes)
        assert any("taken for sRGB" in note for note in found.notes) is (space == "acescg")
        return found.splat

    before = read(HERE / "splat.glb").splat.colors
    np.testing.assert_array_equal(change("acescg").colors, before)
    linear = change("lin_rec709_display").colors
    middle = np.abs(before - 0.2159) < 0.01
    assert middle.any()
    np.testing.assert_allclose(linear[middle], 0.5025, atol=0.012)


def test_two_splats_of_one_scene_are_one_and_of_many_a_sample_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [{"mesh": 0}, {"mesh": 0, "translation": [5, 0, 0]}]
    scene = {"nodes": nodes, "scenes": [{"nodes": [0, 1]}]}
    (tmp_path / "two.glb").write_bytes(with_document(lambda told: told.update(scene)))
    found = read(tmp_path / "two.glb")
    assert (len(found.splat), found.total) == (480, 480)
    assert (found.splat.centers[:, 0] > 2).sum() == 240
    monkeypatch.setattr("gen3d_mesh.splat_gltf.MAX_GAUSSIANS", 300)
    fewer = read(tmp_path / "two.glb")
    assert (len(fewer.splat), fewer.total) == (300, 480)
    assert 100 < (fewer.splat.centers[:, 0] > 2).sum() < 200
    everything = {tuple(row) for row in found.splat.centers}
    assert {tuple(row) for row in fewer.splat.centers} < everything


# Bad input


def shape(points: np.ndarray, opacity: float = 0.9) -> Splat:
    """Round gaussians at places."""
    return on_surface(points, np.full(points.shape, 0.5), 0.02, opacity)


def edited(name: str, change: Callable[[bytearray], object]) -> bytes:
    data = bytearray((HERE / name).read_bytes())
    change(data)
    return bytes(data)


def promising(name: str, count: int) -> bytes:
    """A file that says that it holds so many gaussians."""
    data = (HERE / name).read_bytes()
    if name.endswith(".ply"):
        return re.sub(rb"element vertex \d+", f"element vertex {count}".encode(), data)
    if name.endswith(".sog"):
        return with_meta(lambda meta: meta | {"count": count})
    if name.endswith(".glb"):
        return with_document(
            lambda told: [accessor.update(count=count) for accessor in told["accessors"]]
        )
    place = 16 if name.endswith(".ksplat") else 8
    packed = data[:2] == b"\x1f\x8b"
    plain = gzip.decompress(data) if packed else data
    plain = plain[:place] + struct.pack("<I", count) + plain[place + 4 :]
    return gzip.compress(plain) if packed else plain


def with_meta(change: Callable[[Meta], Meta]) -> bytes:
    made = io.BytesIO()
    with (
        zipfile.ZipFile(HERE / "splat.sog") as old,
        zipfile.ZipFile(made, "w") as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name == "meta.json":
                data = json.dumps(change(json.loads(data))).encode()
            new.writestr(name, data)
    return made.getvalue()


def document_of(data: bytes) -> tuple[Meta, bytes]:
    """A GLB's document, and the bytes of its buffer."""
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def glb(document: Meta, binary: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sIIII", b"glTF", 2, 28 + len(text) + len(binary), len(text), 0x4E4F534A)
    return head + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary


def with_document(change: Callable[[Meta], object]) -> bytes:
    """The GLB of a splat, whose document is changed in its place."""
    document, binary = document_of((HERE / "splat.glb").read_bytes())
    change(document)
    return glb(document, binary)


def head_and_rows(value: float = 0.5) -> bytes:
    """A PLY of 200 gaussians whose properties are all the same."""
    rows = np.full((200, len(NAMES)), value, "<f4")
    start = [f"element vertex {len(rows)}", *(f"property float {name}" for name in NAMES)]
    head = "\n".join(["ply", "format binary_little_endian 1.0", *start, "end_header\n"]).encode()
    return head + rows.tobytes()


def nans() -> Iterator[tuple[str, bytes]]:
    """Files whose numbers are none."""
    yield "nan.ply", head_and_rows(np.nan)
    nan = struct.pack("<f", np.nan)

    def chunks(data: bytearray) -> None:
        body = data.index(b"end_header\n") + len(b"end_header\n")
        data[body : body + 18 * 4] = nan * 18

    yield "nan.compressed.ply", edited("splat.compressed.ply", chunks)

    def places(data: bytearray) -> None:
        for row in range(0, len(data), 32):
            data[row : row + 12] = nan * 3

    yield "nan.splat", edited("splat.splat", places)

    def body(data: bytearray) -> None:
        data[5120:] = nan * ((len(data) - 5120) // 4)

    yield "nan.ksplat", edited("level0.ksplat", body)

    def nowhere(meta: Meta) -> Meta:
        meta["means"] |= {"mins": [np.nan] * 3, "maxs": [np.nan] * 3}
        return meta

    yield "nan.sog", with_meta(nowhere)
    document, binary = document_of((HERE / "splat.glb").read_bytes())
    yield "nan.glb", glb(document, nan * (len(binary) // 4))


def bad() -> Iterator[tuple[str, bytes, str]]:
    """A file's name, its bytes, and a word of the sentence that refuses it."""
    for name in LOST:
        data = (HERE / name).read_bytes()
        for n in range(10):
            # .splat has no header: whole gaussians of it are a splat.
            cut = len(data) * n // 10 // 32 * 32 + 17 * (n > 0)
            yield f"cut {n} {name}", data[:cut], "empty" if n == 0 else "damaged|no end|not a PLY"
        if not name.endswith((".splat", ".glb")):
            for count in (10**9, 2**32 - 1):
                yield f"{count} {name}", promising(name, count), "50,000,000 are taken"
            yield f"40,000,000 {name}", promising(name, 40_000_000), "damaged"
        if name.endswith(".glb"):  # which says it of each attribute
            for count in (10**9, 2**32 - 1, 40_000_000, -1):
                yield f"{count} {name}", promising(name, count), "damaged"
        if not name.endswith((".splat", ".compressed.ply")):
            yield f"none {name}", promising(name, 0), "no gaussians"
    for name, data in nans():
        yield name, data, "numbers|damaged"
    lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 14003\n"
    for ending in ("ply", "spz", "sog", "splat", "ksplat"):
        yield f"lfs.{ending}", lfs, "git lfs pull"
        yield f"empty.{ending}", b"", "empty"
    ply = b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty "
    face = b"element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0 1 0 0 0 1 0"
    yield "mesh.ply", ply + b"float z\n" + face + b"\n3 0 1 2\n", "mesh already"
    yield "cloud.ply", ply + b"float z\nend_header\n0 0 0 1 0 0 0 1 0\n", "point cloud"
    yield "ply.gz", gzip.compress(ply), "gunzip"
    yield "a.glb", b"glTF" + bytes(60), "a GLB without a splat"
    yield "a.gltf", b'{"asset": {"version": "2.0"}}', "a glTF without a splat"
    alone = b'{"version": 2, "count": 9, "means": {"files": ["m.webp"]}}'
    yield "meta.json", alone, "meta.json of a SOG.*m.webp does not"
    yield "meta.json", alone.replace(b"m.webp", b"../m.webp"), "damaged"
    yield "meta.json", alone.replace(b"9", b"-9"), "damaged"
    yield "meta.json", alone + b" " * 2**20, "damaged"
    yield from bad_glbs()
    yield "a.las", b"LASF" + bytes(300), "LAS"
    yield "a.html", b"<!DOCTYPE html><title>Sign in</title>", "web page"
    yield "a.obj", b"# Blender\nv 0 0 0\n", "OBJ"
    yield "a.usda", b"#usda 1.0\n", "USD"
    yield "a.blend", b"BLENDER-v304", "export"
    yield "a.off", b"OFF\n8 6 0\n", "OFF"
    for name, inside, words in (
        ("a.usdz", "scene.usdc", "a USDZ"),
        ("a.3mf", "3D/3dmodel.model", "a 3MF: a mesh"),
    ):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            file.writestr(inside, b"")
        yield name, packed.getvalue(), words
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("point_cloud.ply", ply)
    yield "a.zip", zipped.getvalue(), "point_cloud.ply"
    yield "short.spz", gzip.compress(b"NGSP\2\0\0\0"), "damaged"
    yield "short.ksplat", b"\0\1", "damaged"
    blank = io.BytesIO()
    with zipfile.ZipFile(blank, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("meta.json", b" " * 2**24)  # in 16 KB
    yield "blank.sog", blank.getvalue(), "damaged"
    first = {"means": {"shape": [10**9, 3]}}  # of the first version, which had no count
    yield "first.sog", with_meta(lambda _: first), "version 1; 2 is read.*splat-transform"
    yield "old.spz", gzip.compress(struct.pack("<4sII", b"NGSP", 1, 5) + bytes(400)), "version 1"


def bad_glbs() -> Iterator[tuple[str, bytes, str]]:
    """Splats of glTF's that are not read, or are none."""

    def change(*where: str | int, **what: object) -> bytes:
        def edit(document: Meta) -> None:
            at: Any = document
            for step in where:
                at = at[step]
            at.update(what)

        return with_document(edit)

    primitive = ("meshes", 0, "primitives", 0)
    packing = "KHR_gaussian_splatting_compression_spz_2"
    told = (*primitive, "extensions", "KHR_gaussian_splatting")
    yield "spz.glb", change(*told, extensions={packing: {"bufferView": 0}}), packing
    draft: Meta = {"KHR_spz_gaussian_splats_compression": {}}
    yield "spz.glb", change(*primitive, extensions=draft), "KHR_spz_gaussian_splats_compression"
    meshopt: Meta = {"EXT_meshopt_compression": {}}
    yield "meshopt.glb", change("bufferViews", 2, extensions=meshopt), "EXT_meshopt_compression"
    old = {"POSITION": 0, "COLOR_0": 1, "_ROTATION": 2, "_SCALE": 3}
    yield "draft.glb", change(*primitive, attributes=old), "no attribute KHR.*a draft of"
    yield "sparse.glb", change("accessors", 3, sparse={"count": 1}), "sparse"
    yield "none.glb", change("meshes", 0, primitives=[]), "has no splat"
    yield "unplaced.glb", change("scenes", 0, nodes=[]), "has no splat"
    yield "round.glb", change("nodes", 0, children=[0]), "damaged"
    yield "nowhere.glb", change("nodes", 0, translation=[0, 0]), "damaged"
    yield "elsewhere.glb", change("buffers", 0, uri="../splat.bin"), "not beside it"
    yield "missing.glb", change("buffers", 0, uri="splat.bin"), "not beside it"
    for name, wrong in (
        ("type", "VEC2"), ("componentType", 5125), ("byteOffset", -4), ("byteOffset", 2**63),
        ("bufferView", 99), ("bufferView", "0"), ("count", 239), ("count", 1.5), ("type", [])
    ):  # fmt: skip
        yield f"{name}_{wrong}.glb", change("accessors", 3, **{name: wrong}), "damaged"
    for name, wrong in (
        ("byteStride", 0),
        ("byteStride", 2**40),
        ("byteLength", 12),
        ("buffer", 1),
    ):
        yield f"{name}_{wrong}.glb", change("bufferViews", 3, **{name: wrong}), "damaged"


BAD = list(bad())

NAMED = {
    ".ply": "The compressed PLY is",
    ".spz": "The SPZ",
    ".sog": "The SOG",
    ".json": "The SOG",
    ".glb": "The GLB is",
    ".splat": "The .splat is",
    ".ksplat": "The .ksplat is",
}
"""What a person is told is damaged."""


@pytest.mark.parametrize(("name", "data", "words"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_input_is_named_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, words: str
) -> None:
    monkeypatch.setattr(reader, "SECONDS", 1)
    monkeypatch.setattr(reader, "MEMORY", 300 * 2**20)
    path = tmp_path / name.split()[-1]
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(Gen3DError, match=words) as refused:
        read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.name in ("InvalidSplat", "SplatTooLarge", "EmptySurface")
    assert refused.value.message.endswith((".", "`."))
    assert peak < 2**24
    if "cut off or damaged" in refused.value.message:
        assert NAMED[path.suffix] in refused.value.message


GRID = np.stack(np.meshgrid(*[np.linspace(0, 1, 20)] * 2), axis=-1).reshape(-1, 2)
FLAT = {
    "plane": shape(np.c_[GRID, 0.3 * GRID.sum(axis=1)]),
    "line": shape(np.linspace((0, 0, 0), (1, 2, 3), 400)),
    "point": shape(np.zeros((400, 3))),
    "transparent": shape(np.random.default_rng(0).random((400, 3)), opacity=0.001),
}


@pytest.mark.parametrize("name", FLAT)
def test_what_has_no_surface_is_named(tmp_path: Path, name: str) -> None:
    write_splat(tmp_path / "flat.ply", FLAT[name])
    with pytest.raises(EmptySurface, match=name if name == "transparent" else "plane|line|point"):
        build(tmp_path / "flat.ply", QUALITIES["preview"])


def test_values_that_are_activated_already_are_not_taken_for_logits(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((200, len(PROPERTIES))).astype("<f4") + 1e-6
    start = ["element vertex 200", *(f"property float {name}" for name in PROPERTIES)]
    head = "\n".join(["ply", "format binary_little_endian 1.0", *start, "end_header\n"]).encode()
    (tmp_path / "linear.ply").write_bytes(head + rows.tobytes())
    with pytest.raises(InvalidSplat, match="activated already"):
        read(tmp_path / "linear.ply")
