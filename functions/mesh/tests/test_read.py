"""Splats of every format, held against the cloud that each format's own tool was given."""

import gzip
import io
import json
import re
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import gaussforge
import numpy as np
import pytest
from scipy.spatial import cKDTree

from gen3d.bounded import Bounded, Starved, TimeSpent
from gen3d.errors import EmptySurface, Gen3DError, InvalidSplat, SplatTooLarge
from gen3d.ply import PROPERTIES, SH_C0
from gen3d_mesh import read as reader
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


@pytest.mark.parametrize("name", LOST)
def test_a_format_holds_what_its_own_tool_was_given(name: str) -> None:
    found = read(HERE / name)
    assert found.total == len(source())
    for lost, most in zip(differences(found.splat), LOST[name], strict=True):
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


def bad() -> Iterator[tuple[str, bytes, str]]:
    """A file's name, its bytes, and a word of the sentence that refuses it."""
    for name in LOST:
        data = (HERE / name).read_bytes()
        for n in range(10):
            # .splat has no header: whole gaussians of it are a splat.
            cut = len(data) * n // 10 // 32 * 32 + 17 * (n > 0)
            yield f"cut {n} {name}", data[:cut], "empty" if n == 0 else "damaged|no end|not a PLY"
        if not name.endswith(".splat"):
            for count in (10**9, 2**32 - 1):
                yield f"{count} {name}", promising(name, count), "50,000,000 are taken"
            yield f"40,000,000 {name}", promising(name, 40_000_000), "damaged"
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
    yield "a.glb", b"glTF" + bytes(60), "GLB"
    yield "a.gltf", b'{"asset": {"version": "2.0"}}', "glTF"
    yield "meta.json", b'{"version": 2, "means": {}}', "meta.json of a SOG"
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


BAD = list(bad())

NAMED = {
    ".ply": "The compressed PLY is",
    ".spz": "The SPZ",
    ".sog": "The SOG",
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
