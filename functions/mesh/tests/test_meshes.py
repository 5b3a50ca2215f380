"""Meshes from elsewhere: read, repaired, decimated with their texture, remeshed."""

import io
import json
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from gen3d.errors import Gen3DError, InvalidMesh
from gen3d_mesh.coloured_mesh import ColouredMesh, linear_to_srgb
from gen3d_mesh.endings import NotInstalled
from gen3d_mesh.kinds import Kind
from gen3d_mesh.mesh_file import SourceMesh, read_mesh
from gen3d_mesh.remesh import repair_mesh
from gen3d_mesh.repair import is_closed, parts
from gen3d_mesh.tool import make
from gen3d_mesh.write import encode

from .conftest import BLUE, RED

pytest.importorskip("pymeshlab", reason="needs libgl1 and libopengl0", exc_type=ImportError)


def ball(subdivisions: int = 3) -> trimesh.Trimesh:
    """Taller than wide, along Y as glTF has it."""
    return trimesh.creation.icosphere(subdivisions, radius=0.5).apply_scale([1, 2, 1])


def picture(top: tuple[float, ...] = RED, bottom: tuple[float, ...] = BLUE) -> Image.Image:
    colors = np.full((64, 64, 3), bottom)
    colors[:32] = top
    return Image.fromarray(np.round(255 * colors).astype(np.uint8))


def painted(mesh: trimesh.Trimesh, *, image: Image.Image | None = None) -> trimesh.Trimesh:
    """With a picture whose v follows Y, cut along the half circle behind."""
    uv = np.stack([mesh.vertices[:, 0] + 0.5, (mesh.vertices[:, 1] + 1) / 2], axis=1)
    back = mesh.triangles_center[:, 2] < 0
    faces = mesh.faces.copy()
    faces[back] += len(mesh.vertices)
    vertices = np.concatenate([mesh.vertices, mesh.vertices])
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=image or picture())
    visual = trimesh.visual.TextureVisuals(np.concatenate([uv, uv]), material=material)
    return trimesh.Trimesh(vertices, faces, visual=visual, process=False)


def coloured(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    colors = np.where(mesh.vertices[:, 1:2] > 0, RED, BLUE)
    mesh.visual.vertex_colors = np.round(255 * colors).astype(np.uint8)
    return mesh


def written(folder: Path, mesh: Any, name: str) -> Path:
    path = folder / name
    if path.suffix == ".gltf":
        for each, data in mesh.export(file_type="gltf").items():
            (folder / each.replace("model.gltf", name)).write_bytes(data)
    else:
        mesh.export(path)
    return path


def source(mesh: trimesh.Trimesh, **changes: Any) -> SourceMesh:
    """What reading a mesh without colours gives."""
    grey = np.full(mesh.vertices.shape, 0.5, np.float32)
    values = {"uv": None, "image": None, "colors": grey, "format": "GLB", "up": "z", **changes}
    return SourceMesh(np.array(mesh.vertices), mesh.faces.astype(np.int32), **values)


def shown(made: ColouredMesh) -> np.ndarray:
    """The picture's colour at the middle of each face."""
    assert made.texture is not None
    height, width = made.texture.image.shape[:2]
    x, y = (made.texture.uv[made.texture.faces].mean(axis=1) * (width, height)).astype(int).T
    colors: np.ndarray = made.texture.image[y, x] / 255
    return colors


@pytest.mark.parametrize("name", ["a.glb", "a.gltf", "a.obj", "a.ply", "a.stl"])
def test_a_mesh_comes_out_closed_upright_and_in_its_colours(tmp_path: Path, name: str) -> None:
    textured = name in ("a.glb", "a.gltf", "a.obj")
    mesh = painted(ball()) if textured else coloured(ball())
    made = make(written(tmp_path, mesh, name), up="y", faces=400)
    assert made.figures.watertight
    assert (made.figures.components, made.figures.faces) == (1, 400)
    assert made.answer()["facesRead"] == 1280
    extents = np.ptp(made.coloured.positions, axis=0)
    np.testing.assert_allclose(extents, (1, 1, 2), rtol=0.03)
    assert (made.coloured.texture is not None) == textured
    if name == "a.stl":
        return
    height = made.coloured.mesh.vertices[:, 2]
    for rows, color in ((height > 0.1, RED), (height < -0.1, BLUE)):
        wanted = np.broadcast_to(color, (rows.sum(), 3))
        np.testing.assert_allclose(made.coloured.colors[rows], wanted, atol=0.04)
    if textured:
        middle = height[made.coloured.mesh.faces].mean(axis=1)
        for rows, color in ((middle > 0.06, RED), (middle < -0.06, BLUE)):
            wanted = np.broadcast_to(color, (rows.sum(), 3))
            np.testing.assert_allclose(shown(made.coloured)[rows], wanted, atol=0.04)


def test_colours_of_gltf_are_linear_and_its_factor_too(tmp_path: Path) -> None:
    half = np.full((642, 4), 128, np.uint8)
    mesh = ball()
    mesh.visual.vertex_colors = half
    made = read_mesh(written(tmp_path, mesh, "a.glb"), "GLB")
    np.testing.assert_allclose(made.colors, 0.737, atol=0.002)
    mesh = painted(ball(), image=picture((1, 1, 1), (1, 1, 1)))
    mesh.visual.material.baseColorFactor = half[0]
    made = read_mesh(written(tmp_path, mesh, "b.glb"), "GLB")
    assert made.image is not None
    np.testing.assert_allclose(made.image / 255, 0.737, atol=0.003)


@pytest.mark.parametrize("kind", ["GLB", "glTF"])
@pytest.mark.parametrize("component", [5121, 5123, 5126])
@pytest.mark.parametrize("name", ["COLOR_0", "TEXCOORD_0", "beside a material"])
def test_colours_and_places_in_a_picture_may_be_shares_of_integers(
    tmp_path: Path, name: str, component: int, kind: Kind
) -> None:
    mesh = painted(ball(1)) if name == "TEXCOORD_0" else coloured(ball(1))
    data: bytes = mesh.export(file_type="glb")
    (length,) = struct.unpack_from("<I", data, 12)
    document, rest = json.loads(data[20 : 20 + length]), data[28 + length :]
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    attribute = "TEXCOORD_0" if name == "TEXCOORD_0" else "COLOR_0"
    values = np.linspace(0, 1, 4 * len(mesh.vertices)).reshape(-1, 4).astype(np.float32)
    values = values[:, :2] if name == "TEXCOORD_0" else values
    whole, dtype = {5121: (255, "u1"), 5123: (65535, "<u2"), 5126: (1, "<f4")}[component]
    stored = (np.round(whole * values) if whole > 1 else values).astype(dtype)
    padded = np.zeros((len(stored), 4 * -(-stored[0].nbytes // 4)), np.uint8)  # as glTF aligns rows
    padded[:, : stored[0].nbytes] = stored.view(np.uint8).reshape(len(stored), -1)
    view = {"buffer": 0, "byteOffset": len(rest), "byteLength": padded.nbytes}
    document["bufferViews"].append({**view, "byteStride": padded.shape[1]})
    accessor = {"bufferView": len(document["bufferViews"]) - 1, "count": len(values)}
    accessor |= {"componentType": component, "normalized": whole > 1}
    document["accessors"].append({**accessor, "type": f"VEC{values.shape[1]}"})
    attributes[attribute] = len(document["accessors"]) - 1
    if name == "beside a material":
        document["materials"] = [{"pbrMetallicRoughness": {"baseColorFactor": [0.5, 1, 1, 1]}}]
        document["meshes"][0]["primitives"][0]["material"] = 0
    rest += padded.tobytes()
    document["buffers"] = [{"byteLength": len(rest)}]
    path = tmp_path / f"a.{kind.lower()}"
    if kind == "glTF":
        document["buffers"][0]["uri"] = "a.bin"
        (tmp_path / "a.bin").write_bytes(rest)
        path.write_text(json.dumps(document))
    else:
        path.write_bytes(packed(document, struct.pack("<I4s", len(rest), b"BIN\0") + rest))
    made = read_mesh(path, kind)
    if name == "TEXCOORD_0":
        assert made.uv is not None
        np.testing.assert_allclose(made.uv, values[mesh.faces], atol=0.003)
    else:
        factor = (0.5, 1, 1) if name == "beside a material" else (1, 1, 1)
        wanted = linear_to_srgb((values[:, :3] * factor).astype(np.float32))
        np.testing.assert_allclose(made.colors, wanted, atol=0.03)


LAID = [
    ({"texCoord": 1}, lambda u, v: (1 - u, v)),
    ({"texCoord": 7}, lambda u, v: (u, v)),
    ({"scale": [0.5, 0.25], "offset": [0.1, 0.2]}, lambda u, v: (u / 2 + 0.1, v / 4 + 0.2)),
    # the extension's own example: the lower left quadrant, turned clockwise
    (
        {"offset": [0, 1], "rotation": np.pi / 2, "scale": [0.5, 0.5]},
        lambda u, v: (v / 2, 1 - u / 2),
    ),
    ({"texCoord": 1, "scale": [1, -1], "offset": [0, 1]}, lambda u, v: (1 - u, 1 - v)),
]


@pytest.mark.parametrize(("how", "wanted"), LAID)
def test_a_picture_lies_as_the_material_says(
    tmp_path: Path, how: dict[str, Any], wanted: Callable[..., Any]
) -> None:
    mesh = painted(ball(1))
    plain = read_mesh(written(tmp_path, mesh, "plain.glb"), "GLB").uv
    mesh.vertex_attributes["_u"] = mesh.visual.uv * (-1, -1) + (1, 1)  # glTF's v is from the top
    data: bytes = mesh.export(file_type="glb")
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    attributes["TEXCOORD_1"] = attributes.pop("_u")
    (material,) = document["materials"]
    picture = material["pbrMetallicRoughness"]["baseColorTexture"]
    picture.update({"texCoord": how["texCoord"]} if "texCoord" in how else {})
    moved = {key: value for key, value in how.items() if key != "texCoord"}
    picture["extensions"] = {"KHR_texture_transform": moved} if moved else {}
    path = tmp_path / "a.glb"
    path.write_bytes(packed(document, data[20 + length :]))
    made = read_mesh(path, "GLB")
    assert plain is not None
    assert made.uv is not None
    expected = np.stack(wanted(*np.moveaxis(plain, -1, 0)), axis=-1)
    np.testing.assert_allclose(made.uv, expected, atol=1e-6)


def test_damage_is_mended() -> None:
    whole = ball()
    faces = np.delete(whole.faces, [3, 4, 100], axis=0)
    faces[200:230] = faces[200:230, ::-1]
    faces = np.concatenate([faces, faces[10:20], [[1, 1, 2]]])
    bad = trimesh.Trimesh(whole.vertices, faces, process=False)
    made, repairs = repair_mesh(source(bad))
    assert is_closed(made.mesh)
    assert (repairs.faces, repairs.dropped, repairs.filled) == (1288, 11, 3)
    there = trimesh.Trimesh(made.positions, made.mesh.faces)
    assert there.volume == pytest.approx(whole.volume, rel=0.01)


def test_faces_that_fill_a_hole_have_one_colour_of_its_rim() -> None:
    whole = painted(ball())
    open_at = np.delete(np.arange(len(whole.faces)), [0, 1, 2, 3])
    uv = np.asarray(whole.visual.uv)[whole.faces[open_at]] * (1, -1) + (0, 1)
    bad = trimesh.Trimesh(whole.vertices, whole.faces[open_at], process=False)
    image = np.asarray(picture((0, 1, 0), (0, 1, 0))).copy()
    used = (uv.reshape(-1, 2) * 63.99).astype(int)
    image[:] = 0
    image[used[:, 1], used[:, 0]] = 255
    made, repairs = repair_mesh(source(bad, uv=uv.astype(np.float32), image=image))
    assert repairs.filled == 4
    assert made.texture is not None
    corners = made.texture.uv[made.texture.faces]
    flat = (corners == corners[:, :1]).all(axis=(1, 2))
    assert flat.sum() == 4
    assert not (corners[flat] == 0.5).any()  # PyMeshLab's own
    x, y = (corners[flat, 0] * 63.99).astype(int).T
    assert (made.texture.image[y, x] == 255).all()


def test_what_meets_on_an_edge_alone_is_two_and_a_cavity_stays_one() -> None:
    box = trimesh.creation.box()
    pair = trimesh.util.concatenate([box, box.copy().apply_translation([1, 1, 0])])
    made, _ = repair_mesh(source(pair))
    assert is_closed(made.mesh)
    assert parts(made.mesh)[0] == 2
    hollow = trimesh.util.concatenate([ball(), ball(2).apply_scale(0.5)])
    hollow.faces[1280:] = hollow.faces[1280:, ::-1]
    for faces in (hollow.faces, hollow.faces[:, ::-1]):
        made, _ = repair_mesh(source(trimesh.Trimesh(hollow.vertices, faces, process=False)))
        there = trimesh.Trimesh(made.positions, made.mesh.faces, process=False)
        assert there.volume == pytest.approx(hollow.volume, rel=1e-3)


def test_an_open_mesh_faces_the_way_that_most_of_it_did() -> None:
    whole = ball()
    faces = whole.faces[whole.triangles_center[:, 1] < 0.3].copy()
    faces[:30] = faces[:30, ::-1]
    made, _ = repair_mesh(source(trimesh.Trimesh(whole.vertices, faces, process=False)))
    middle = made.mesh.vertices[made.mesh.faces].mean(axis=1)
    normal = made.normals[made.mesh.faces].mean(axis=1)
    assert ((middle * normal).sum(axis=1) > 0).mean() > 0.95


def test_one_face_that_repeats_its_picture_keeps_each_of_them(tmp_path: Path) -> None:
    square = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 3, 0], [0, 3, 0]], [[0, 1, 2], [0, 2, 3]])
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=picture())
    uv = [[0, 0], [1, 0], [1, 3], [0, 3]]
    square.visual = trimesh.visual.TextureVisuals(uv, material=material)
    read = read_mesh(written(tmp_path, square, "a.glb"), "GLB")
    assert read.image is not None
    red = read.image[:, 0, 0] > 128
    assert (np.diff(red.astype(int)) != 0).sum() == 5


def test_an_opening_stays_and_a_printer_is_told(tmp_path: Path) -> None:
    whole = ball()
    cup = trimesh.Trimesh(whole.vertices, whole.faces[whole.triangles_center[:, 1] < 0.3])
    path = written(tmp_path, cup, "cup.stl")
    made = make(path)
    assert not made.figures.watertight
    assert any("--holes" in note for note in made.notes)
    with pytest.raises(InvalidMesh, match="--holes"):
        encode(made.coloured, "3mf", "cup")
    assert make(path, holes=1000).figures.watertight


def test_remeshed_triangles_are_even_and_the_picture_is_painted_anew(tmp_path: Path) -> None:
    path = written(tmp_path, painted(ball(4)), "a.glb")
    made = make(path, faces=3000, even=True, texels=256)
    mesh = trimesh.Trimesh(made.coloured.positions, made.coloured.mesh.faces, process=False)
    assert mesh.is_watertight
    assert 2000 < len(mesh.faces) <= 3000
    edges = mesh.edges_unique_length
    assert edges.std() < 0.25 * edges.mean()
    assert made.repairs is not None
    assert 0 < made.repairs.deviation < 0.01
    middle = mesh.triangles_center[:, 2]
    red = shown(made.coloured)[:, 0] > 0.5
    assert (red == (middle > 0))[np.abs(middle) > 0.06].mean() > 0.99


def test_levels_of_detail_keep_their_picture(tmp_path: Path) -> None:
    path = written(tmp_path, painted(ball(4)), "a.glb")
    made = make(path, levels=2, stand=True)
    assert [len(level.mesh.faces) for level in made.levels] == [5120, 1280]
    assert [level.texture.image.shape[0] for level in made.levels if level.texture] == [64, 64]
    assert made.coloured.mesh.vertices[:, 2].min() == 0


def test_several_pictures_become_one_and_a_repeated_one_is_laid_out(tmp_path: Path) -> None:
    left, right = painted(ball(2)), painted(ball(2), image=picture(BLUE, RED))
    grey = ball(2).apply_translation([0, 0, 3])
    right.apply_translation([3, 0, 0])
    right.visual.uv = right.visual.uv * (1, 2) + (0, 5)  # twice from top to bottom
    scene = trimesh.Scene([left, right, grey])
    made = make(written(tmp_path, scene, "a.glb"))
    assert made.figures.components == 3
    center = made.coloured.positions[made.coloured.mesh.faces].mean(axis=1)
    red = shown(made.coloured)[:, 0] > 0.6
    one, other = center[:, 0] < -0.5, center[:, 0] > 0.5
    one &= center[:, 1] > center[:, 1].min() + 1.2  # the grey one lies beside it
    height = center[:, 2]
    clear = np.abs(np.abs(height) % 0.5) > 0.1
    assert (red == (height > 0))[one & clear].all()
    assert (red == ((height < -0.5) | ((height > 0) & (height < 0.5))))[other & clear].all()


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    mesh = painted(ball(1))
    mesh.visual.material.normalTexture = picture()
    assert "normalTexture" in make(written(tmp_path, mesh, "a.glb")).notes[0]
    written(tmp_path, painted(ball(1)), "b.obj")
    for beside in (*tmp_path.glob("*.png"), *tmp_path.glob("*.mtl")):
        beside.unlink()
    assert "no picture lies beside" in make(tmp_path / "b.obj").notes[0]


def test_neither_the_job_nor_a_splat_imports_what_a_mesh_needs(tmp_path: Path) -> None:
    script = (
        "import sys, gen3d_mesh.handler, gen3d_mesh.tool\n"
        "print(sorted({'pymeshlab', 'open3d', 'trimesh', 'gen3d_mesh.remesh'} & {*sys.modules}))"
    )
    path = {"PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", script], env=path, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


def test_without_the_extra_a_mesh_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, ball(), "a.stl")
    monkeypatch.setitem(sys.modules, "pymeshlab", None)
    with pytest.raises(NotInstalled, match=r"gen3d-mesh\[meshes\]"):
        make(path)


# Bad input


def glb(change: dict[str, Any]) -> bytes:
    """A textured GLB with some of its JSON changed."""
    data: bytes = painted(ball(1)).export(file_type="glb")
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    for key, value in change.items():
        if isinstance(value, dict):
            document[key][0].update(value)
        else:
            document[key] = value
    return packed(document, data[20 + length :])


def packed(document: dict[str, Any], rest: bytes) -> bytes:
    """A GLB of its JSON and of what follows it."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    whole = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest))
    return whole + struct.pack("<I4s", len(text), b"JSON") + text + rest


def bad() -> Iterator[tuple[str, bytes, str]]:
    """A file's name, its bytes, and a word of the sentence that refuses it."""
    mesh = painted(ball(1))
    files = {
        "a.glb": mesh.export(file_type="glb"),
        "a.ply": coloured(ball(1)).export(file_type="ply"),
        "a.stl": ball(1).export(file_type="stl"),
    }
    for name, data in files.items():
        for n in range(10):
            yield f"cut {n} {name}", data[: len(data) * n // 10], "damaged|empty|no end|not a PLY"
        for count in (10**9, 2**32 - 1):
            yield f"{count} {name}", many(name, data, count), "damaged|not a PLY|no STL"
    nowhere = np.full((42, 3), np.nan)
    for name in ("nan.stl", "nan.ply", "nan.obj"):
        kind = name.split(".")[1]
        data = trimesh.Trimesh(nowhere, ball(1).faces[:50], process=False).export(file_type=kind)
        yield name, data if isinstance(data, bytes) else data.encode(), "numbers|damaged"
    for extension in ("EXT_meshopt_compression", "KHR_mesh_quantization"):
        yield f"{extension}.glb", glb({"extensionsRequired": [extension]}), extension
    splat = {"extensionsUsed": ["KHR_gaussian_splatting"]}
    yield "splat.glb", glb(splat), "has no splat"
    yield "lines.glb", glb({"meshes": [{"primitives": []}]}), "no triangles|damaged"
    yield "wild.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 900000000\n", "damaged"
    yield "point.obj", b"v 1 2 3\n" * 3 + b"f 1 2 3\n", "one place"
    yield "line.obj", b"v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n", "area"
    yield "points.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "no triangles"
    lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 14003\n"
    for ending in ("glb", "obj", "stl"):
        yield f"lfs.{ending}", lfs, "git lfs pull"
    large = io.BytesIO()
    Image.new("1", (9000, 4)).save(large, "PNG")
    mesh.visual.material.baseColorTexture = Image.open(large)
    yield "large.glb", mesh.export(file_type="glb"), "9,000"


def test_a_splat_is_no_mesh_of_an_engine() -> None:
    with pytest.raises(InvalidMesh, match="holds a splat"):
        read_mesh(Path(__file__).parent / "splats/splat.glb", "GLB")


def many(name: str, data: bytes, count: int) -> bytes:
    if name.endswith(".glb"):
        return glb({"accessors": {"count": count}})
    if name.endswith(".stl"):
        return data[:80] + struct.pack("<I", count) + data[84:]
    return data.replace(b"element vertex 42", f"element vertex {count}".encode())


BAD = list(bad())


@pytest.mark.parametrize(("name", "data", "words"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_input_is_named_within_bounds(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    path = tmp_path / name.split()[-1]
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(Gen3DError, match=words) as refused:
            make(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused.value.name in ("InvalidMesh", "InvalidSplat")
    assert peak < 2**25
