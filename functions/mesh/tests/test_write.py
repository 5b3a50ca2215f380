"""The files, read back with somebody else's code."""

import io
import json
import re
import shutil
import struct
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
import pytest
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from PIL import Image, JpegImagePlugin
from scipy.spatial import cKDTree

from gen3d_mesh.clean import Frame
from gen3d_mesh.coloured_mesh import ColouredMesh, Texture, linear_to_srgb, srgb_to_linear, y_up
from gen3d_mesh.picture_kernels import foremost
from gen3d_mesh.pipeline import Figures
from gen3d_mesh.preview import HALF, Camera, render
from gen3d_mesh.surface import Triangles
from gen3d_mesh.write import encode, save

from .conftest import BLUE, RED, sphere

HERE = Path(__file__).parent


def read(coloured: ColouredMesh, ending: str) -> trimesh.Trimesh:
    file = io.BytesIO(encode(coloured, ending, "thing"))
    (mesh,) = trimesh.load_scene(file, file_type=ending, process=False).geometry.values()
    return mesh


def document(glb: bytes) -> dict[str, Any]:
    (length,) = struct.unpack_from("<I", glb, 12)
    return dict(json.loads(glb[20 : 20 + length]))


@pytest.mark.parametrize(("ending", "up"), [("glb", 1), ("obj", 1), ("stl", 2), ("ply", 2)])
def test_reads_back_closed_centred_and_upright(
    ball: tuple[ColouredMesh, Figures], ending: str, up: int
) -> None:
    mesh = read(ball[0], ending)
    whole = trimesh.Trimesh(mesh.vertices, mesh.faces)  # merges the corners that STL repeats
    assert whole.is_watertight
    assert whole.volume == pytest.approx(sphere().volume, rel=0.03)
    np.testing.assert_allclose(mesh.bounds.sum(axis=0), 0, atol=1e-5)
    if ending == "stl":
        return
    if ending == "glb":
        colors = linear_to_srgb(mesh.visual.vertex_attributes["color"][:, :3] / np.float32(65535))
    else:
        colors = mesh.visual.vertex_colors[:, :3] / 255
    top, bottom = mesh.vertices[:, up] > 0.05, mesh.vertices[:, up] < -0.05
    np.testing.assert_allclose(colors[top].mean(axis=0), RED, atol=0.02)
    np.testing.assert_allclose(colors[bottom].mean(axis=0), BLUE, atol=0.02)


def test_a_ply_holds_the_normals_of_its_vertices(ball: tuple[ColouredMesh, Figures]) -> None:
    read_back = read(ball[0], "ply").vertex_normals
    np.testing.assert_allclose(read_back, ball[0].normals, atol=1e-5)


def with_texture(coloured: ColouredMesh) -> ColouredMesh:
    """A red picture on a mesh cut along the edges of every face."""
    corners = coloured.mesh.faces.ravel()
    faces = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    uv = np.random.default_rng(0).uniform(size=(len(corners), 2)).astype(np.float32)
    image = np.full((16, 16, 3), (200, 30, 30), np.uint8)
    return replace(coloured, texture=Texture(image, uv, faces, corners))


def test_glb_with_a_texture_reads_back(ball: tuple[ColouredMesh, Figures]) -> None:
    coloured = with_texture(ball[0])
    assert coloured.texture is not None
    mesh = read(coloured, "glb")
    assert trimesh.Trimesh(mesh.vertices, mesh.faces).is_watertight
    np.testing.assert_allclose(mesh.visual.uv[:, 0], coloured.texture.uv[:, 0], atol=1e-6)
    np.testing.assert_allclose(1 - mesh.visual.uv[:, 1], coloured.texture.uv[:, 1], atol=1e-6)
    texel = mesh.visual.material.baseColorTexture.convert("RGB").getpixel((8, 8))
    np.testing.assert_allclose(texel, (200, 30, 30), atol=4)


@pytest.mark.parametrize("painted", [False, True])
def test_the_small_glb_holds_the_same_in_fewer_bytes(
    ball: tuple[ColouredMesh, Figures], painted: bool
) -> None:
    coloured = with_texture(ball[0]) if painted else ball[0]
    small, plain = encode(coloured, "draco.glb", "thing"), encode(coloured, "glb", "thing")
    assert len(small) < 0.4 * len(plain)
    glb = document(small)
    assert glb["extensionsRequired"] == glb["extensionsUsed"] == ["KHR_draco_mesh_compression"]
    assert glb["nodes"][0]["name"] == "thing"
    (primitive,) = glb["meshes"][0]["primitives"]
    draco = primitive["extensions"]["KHR_draco_mesh_compression"]
    view = glb["bufferViews"][draco["bufferView"]]
    start = 28 + struct.unpack_from("<I", small, 12)[0] + view["byteOffset"]
    made = DracoPy.decode(small[start : start + view["byteLength"]])
    by_id = {attribute["unique_id"]: attribute["data"] for attribute in made.attributes}
    assert set(draco["attributes"]) == set(primitive["attributes"])
    for name, accessor in primitive["attributes"].items():
        assert glb["accessors"][accessor]["count"] == len(by_id[draco["attributes"][name]])
    assert glb["accessors"][primitive["indices"]]["count"] == made.faces.size

    mesh = trimesh.Trimesh(by_id[draco["attributes"]["POSITION"]], made.faces)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(sphere().volume, rel=0.03)
    off, there = cKDTree(y_up(coloured.positions)).query(made.points)
    assert off.max() < 1e-4
    normals = by_id[draco["attributes"]["NORMAL"]]
    np.testing.assert_allclose(normals, y_up(coloured.normals)[there], atol=0.02)
    if not painted:
        colors = by_id[draco["attributes"]["COLOR_0"]][:, :3] / np.float32(65535)
        np.testing.assert_allclose(
            linear_to_srgb(colors[made.points[:, 1] > 0.05]).mean(axis=0), RED, atol=0.02
        )


def test_a_glb_by_meshoptimizer_says_so(ball: tuple[ColouredMesh, Figures]) -> None:
    """A reader that cannot decode it has to see that before it reads what is not there."""
    glb = document(encode(ball[0], "meshopt.glb", "thing"))
    assert glb["extensionsRequired"] == ["EXT_meshopt_compression", "KHR_mesh_quantization"]
    assert glb["extensionsUsed"] == glb["extensionsRequired"]
    assert glb["nodes"][0]["name"] == "thing"
    there, decoded = glb["buffers"]
    assert decoded["extensions"] == {"EXT_meshopt_compression": {"fallback": True}}
    assert {view["buffer"] for view in glb["bufferViews"]} == {1}
    ends = [view["byteOffset"] + view["byteLength"] for view in glb["bufferViews"]]
    assert max(ends) <= decoded["byteLength"]
    packed = [view["extensions"]["EXT_meshopt_compression"] for view in glb["bufferViews"]]
    assert max(each["byteOffset"] + each["byteLength"] for each in packed) <= there["byteLength"]


def test_the_archive_is_an_obj_with_its_texture(
    ball: tuple[ColouredMesh, Figures], tmp_path: Path
) -> None:
    coloured = with_texture(ball[0])
    assert coloured.texture is not None
    with zipfile.ZipFile(io.BytesIO(encode(coloured, "zip", "Cup / 1"))) as file:
        assert set(file.namelist()) == {"mesh.obj", "mesh.mtl", "mesh.jpg"}
        file.extractall(tmp_path)
    mesh = trimesh.load_mesh(tmp_path / "mesh.obj", process=False)
    assert trimesh.Trimesh(mesh.vertices, mesh.faces).is_watertight
    # Readers may take another normal for a vertex than its own, and say nothing.
    text = (tmp_path / "mesh.obj").read_text()
    corners = re.findall(r"(\d+)/\d+/(\d+)", text)
    assert len(corners) == 3 * len(coloured.mesh.faces)
    assert all(vertex == normal for vertex, normal in corners)
    with Image.open(tmp_path / "mesh.jpg") as picture:
        assert JpegImagePlugin.get_sampling(picture) == 0  # colours as sharp as the light
    texel = mesh.visual.material.image.convert("RGB").getpixel((8, 8))
    np.testing.assert_allclose(texel, (200, 30, 30), atol=4)
    written, wanted = mesh.visual.uv[mesh.faces], coloured.texture.uv[coloured.texture.faces]
    np.testing.assert_allclose(
        np.sort(written[..., 1].ravel()), np.sort(1 - wanted[..., 1].ravel()), atol=1e-4
    )


@pytest.mark.parametrize("painted", [False, True])
def test_an_object_of_any_size_and_place_keeps_its_vertices(
    ball: tuple[ColouredMesh, Figures], painted: bool
) -> None:
    tiny = replace(ball[0], frame=Frame(np.array([500_000.25, 4e-7, 0]), 2e-5))
    with zipfile.ZipFile(
        io.BytesIO(encode(with_texture(tiny) if painted else tiny, "zip", ""))
    ) as file:
        text = file.read("mesh.obj").decode()
        assert {entry.external_attr >> 16 for entry in file.infolist()} == {0o100644}
    lines = [line.split()[1:4] for line in text.splitlines() if line.startswith("v ")]
    np.testing.assert_array_equal(np.array(lines, np.float32), y_up(tiny.positions))
    extras = document(encode(tiny, "glb", ""))["asset"]["extras"]
    assert extras["splatCenter"] == [500_000.25, 4e-7, 0]


def test_glb_says_what_it_is(ball: tuple[ColouredMesh, Figures]) -> None:
    glb = document(encode(ball[0], "glb", "Cup ☕"))
    assert glb["nodes"][0]["name"] == "Cup ☕"
    assert glb["asset"]["extras"]["scale"] == 1.0
    material = glb["materials"][0]["pbrMetallicRoughness"]
    assert (material["metallicFactor"], material["roughnessFactor"]) == (0, 1)


def test_colour_spaces_are_inverse_and_meet_the_standard() -> None:
    ramp = np.linspace(0, 1, 100, dtype=np.float32)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(ramp)), ramp, atol=1e-5)
    assert srgb_to_linear(np.array([0.5], np.float32))[0] == pytest.approx(0.21404, abs=1e-4)


def node(script: str, path: Path) -> dict[str, Any]:
    """What one of the scripts beside this file prints of a GLB."""
    found = shutil.which("node")
    if found is None or not (HERE / "node_modules/three").is_dir():
        pytest.skip("run `npm ci` in functions/mesh/tests for three.js and the Khronos validator")
    said = subprocess.run(
        [found, HERE / script, path], cwd=HERE, capture_output=True, check=True, timeout=60
    )
    return dict(json.loads(said.stdout))


@pytest.mark.parametrize("painted", [False, True])
def test_khronos_validator_has_nothing_to_say(
    ball: tuple[ColouredMesh, Figures], tmp_path: Path, painted: bool
) -> None:
    coloured = with_texture(ball[0]) if painted else ball[0]
    save(coloured, tmp_path / "ball.glb", "ball")
    assert node("validate.cjs", tmp_path / "ball.glb")["issues"]["messages"] == []
    save(coloured, tmp_path / "ball.meshopt.glb", "ball")
    issues = node("validate.cjs", tmp_path / "ball.meshopt.glb")["issues"]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0)
    assert {each["code"] for each in issues["messages"]} <= {
        "UNSUPPORTED_EXTENSION",  # it does not know meshoptimizer's,
        "UNUSED_OBJECT",  # nor, therefore, what that decodes
    }


@pytest.mark.parametrize("painted", [False, True])
@pytest.mark.parametrize("ending", ["glb", "meshopt.glb"])
def test_three_js_loads_it_as_it_was(
    ball: tuple[ColouredMesh, Figures], tmp_path: Path, painted: bool, ending: str
) -> None:
    coloured = with_texture(ball[0]) if painted else ball[0]
    save(coloured, tmp_path / f"a.{ending}", "Cup", millimetres=120)
    shown = node("load.mjs", tmp_path / f"a.{ending}")
    assert (shown["meshes"], shown["name"], shown["textured"]) == (1, "Cup", painted)
    points = np.array(shown["points"])
    scale = 0.12 / float(np.ptp(coloured.positions, axis=0).max())
    off, there = cKDTree(y_up(coloured.positions) * scale).query(points)
    assert off.max() < 0.12 / 2**14
    faces = np.array(shown["faces"]).reshape(-1, 3)
    mesh = trimesh.Trimesh(points, faces)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(sphere().volume * 0.12**3, rel=0.05)
    assert np.ptp(points, axis=0).max() == pytest.approx(0.12, rel=1e-3)
    normals = np.array(shown["normals"])
    np.testing.assert_allclose(normals, y_up(coloured.normals)[there], atol=0.03)
    if coloured.texture is not None:
        # Corners are in another order, and those of a vertex in many places.
        wanted = cKDTree(coloured.texture.uv)
        assert wanted.query(np.array(shown["uv"]))[0].max() < 2**-12
        assert len(points) == len(coloured.texture.uv)
    else:
        linear = np.array(shown["colors"], np.float32)
        np.testing.assert_allclose(linear_to_srgb(linear), coloured.colors[there], atol=1e-3)


def test_preview_shows_the_object_on_a_pale_floor(ball: tuple[ColouredMesh, Figures]) -> None:
    picture = Image.open(io.BytesIO(render(ball[0], size=128))).convert("RGB")
    pixels = np.asarray(picture).astype(float)
    assert picture.size == (128, 128)
    assert pixels[2, 2].min() > 200
    upper, lower = pixels[40, 64], pixels[95, 64]
    assert upper[0] > upper[2] + 50
    assert lower[2] > lower[0] + 20
    margin = pixels[64]
    assert margin[1].min() > 200
    assert margin[-2].min() > 180


@pytest.mark.parametrize("flipped", [False, True])
def test_a_picture_shows_what_rays_meet_first(flipped: bool) -> None:
    """Whichever way faces look: an engine's mesh may be open."""
    ring = trimesh.creation.torus(0.35, 0.12, major_sections=64, minor_sections=24)
    vertices = np.asarray(ring.vertices, np.float32)
    faces = np.ascontiguousarray(ring.faces[:, ::-1] if flipped else ring.faces, np.int32)
    camera, size = Camera.before(vertices), 200
    points = camera.seen(vertices, size)
    shown = foremost(points, faces, size)

    ends = (np.arange(size) + 0.5) / size * 2 - 1
    right, down = np.meshgrid(HALF * ends, HALF * ends)
    ahead = np.stack([right, -down, np.ones_like(right)], axis=2) @ camera.axes
    scene = EmbreeScene()
    TriangleMesh(scene, vertices, faces)
    rays = np.ascontiguousarray(ahead.reshape(-1, 3), np.float32)
    eyes = np.ascontiguousarray(np.broadcast_to(camera.eye, rays.shape))
    met = scene.run(eyes, rays, query="INTERSECT").reshape(size, size)
    assert (met >= 0).mean() > 0.1
    assert (shown == met).mean() > 0.999


def test_a_picture_mixes_no_light_of_two_meshes(ball: tuple[ColouredMesh, Figures]) -> None:
    """Each has its own colours, with a texture or without, and stands where it is."""
    textured = ball[0]
    aside = textured.mesh.vertices + np.array([1.2, 0, 0], np.float32)
    mesh = Triangles(aside, textured.mesh.faces)
    plain = replace(textured, mesh=mesh, texture=None, colors=np.full_like(textured.colors, 0.9))
    pixels = np.asarray(Image.open(io.BytesIO(render(textured, plain, size=128)))).astype(int)
    height, left, right = 52, 40, 88
    assert pixels[height, left, 0] > pixels[height, left, 2] + 50
    assert np.ptp(pixels[height, right]) < 10
