"""The normal map, read as glTF says and held against the true surface."""

import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
import numpy.typing as npt
import pytest
import trimesh
from PIL import Image
from pxr import Usd, UsdShade
from scipy.spatial import cKDTree

from gen3d_mesh import mesh_kernels
from gen3d_mesh.clean import Frame
from gen3d_mesh.coloured_mesh import ColouredMesh, Texture, tangents, y_up
from gen3d_mesh.normal_map import SHOWS, Relief, difference, with_normal_map
from gen3d_mesh.pipeline import QUALITIES, build
from gen3d_mesh.repair import vertex_normals
from gen3d_mesh.simplify import simplify
from gen3d_mesh.surface import Triangles
from gen3d_mesh.texture import bake
from gen3d_mesh.usdz import validate
from gen3d_mesh.write import encode, save

from .conftest import bumpy, cloud, sphere, triangles
from .test_write import document, node

Array = npt.NDArray[np.floating[Any]]
SPACING = 0.012


def simplified(dense: Triangles, faces: int, *, always: bool = False) -> ColouredMesh:
    """Grey, with a normal map where it shows."""
    mesh = simplify(dense, faces)
    normals = vertex_normals(mesh)
    texture = bake(mesh, normals, 512, lambda points, _: np.full_like(points, 0.5))
    assert texture is not None
    relief = Relief.of(dense, SPACING / 2)
    texture = with_normal_map(texture, mesh, normals, relief, always=always)
    colors = np.full_like(mesh.vertices, 0.5)
    return ColouredMesh(mesh, normals, colors, Frame(np.zeros(3), 1.0), texture)


@pytest.fixture(scope="module")
def bumps() -> tuple[ColouredMesh, Triangles]:
    dense = triangles(bumpy(0.05))
    return simplified(dense, 1500), dense


def read(glb: bytes) -> tuple[dict[str, Array], npt.NDArray[np.int64], Array]:
    """The attributes, faces and normal map of a plain GLB, by its own description."""
    parts = document(glb)
    start = 28 + struct.unpack_from("<I", glb, 12)[0]

    def view(index: int) -> bytes:
        of = parts["bufferViews"][index]
        return glb[start + of["byteOffset"] :][: of["byteLength"]]

    def accessor(index: int) -> npt.NDArray[Any]:
        of = parts["accessors"][index]
        width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}[of["type"]]
        kind = {5126: "<f4", 5125: "<u4", 5123: "<u2"}[of["componentType"]]
        return np.frombuffer(view(of["bufferView"]), kind).reshape(-1, width)

    (primitive,) = parts["meshes"][0]["primitives"]
    material = parts["materials"][primitive["material"]]
    picture = parts["textures"][material["normalTexture"]["index"]]["source"]
    image = Image.open(io.BytesIO(view(parts["images"][picture]["bufferView"])))
    attributes = {name: accessor(k).astype(float) for name, k in primitive["attributes"].items()}
    faces = accessor(primitive["indices"]).astype(np.int64).reshape(-1, 3)
    return attributes, faces, np.asarray(image).astype(float) / 127.5 - 1


def shaded(
    glb: bytes, signs: tuple[float, float] = (1, 1), *, told: bool = True, count: int = 20_000
) -> tuple[Array, Array, Array]:
    """Places on a GLB's surface, the normals it has there without its map, and those with it.

    By the tangents that are `told`, or as readers that find none have them of each face: u's
    direction, and the picture's upward one at its left.
    """
    attributes, faces, picture = read(glb)
    lot = np.random.default_rng(0)
    corners = attributes["POSITION"][faces]
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    face = lot.choice(len(faces), count, p=area / area.sum())
    share = lot.dirichlet((1, 1, 1), count)[:, :, None]

    def at(name: str) -> Array:
        mixed: Array = (attributes[name][faces[face]] * share).sum(axis=1)
        return mixed

    normal, tangent = unit(at("NORMAL")), at("TANGENT")
    right = unit(tangent[:, :3])
    up = unit(np.cross(normal, right) * tangent[:, 3:])
    if not told:
        place, uv = corners[face], attributes["TEXCOORD_0"][faces[face]]
        a, b, s, t = (x[:, k] - x[:, 0] for x in (place, uv) for k in (1, 2))
        area = s[:, :1] * t[:, 1:] - s[:, 1:] * t[:, :1]
        along = (t[:, 1:] * a - s[:, 1:] * b) / area
        right = unit(along - normal * (normal * along).sum(axis=1, keepdims=True))
        up = np.cross(normal, right)
    height, width = picture.shape[:2]
    x, y = (at("TEXCOORD_0") * (width, height)).astype(int).T
    texel = picture[y.clip(0, height - 1), x.clip(0, width - 1)]
    bent = signs[0] * texel[:, :1] * right + signs[1] * texel[:, 1:2] * up + texel[:, 2:] * normal
    return at("POSITION"), normal, unit(bent)


def unit(vectors: Array) -> Array:
    length: Array = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / length


def off(normals: Array, places: Array, dense: Triangles) -> float:
    """Mean angle to the dense surface's normals, Y up, in degrees."""
    near = cKDTree(y_up(dense.vertices)).query(places)[1]
    true = y_up(vertex_normals(dense))[near]
    return float(np.degrees(np.arccos((normals * true).sum(axis=1).clip(-1, 1))).mean())


def test_shading_agrees_with_the_dense_surface(bumps: tuple[ColouredMesh, Triangles]) -> None:
    coloured, dense = bumps
    glb = encode(coloured, "glb", "ball")
    places, without, with_map = shaded(glb)
    assert off(without, places, dense) > 8
    assert off(with_map, places, dense) < 2.5
    assert off(shaded(glb, told=False)[2], places, dense) < 2.5
    for signs in ((1, -1), (-1, 1)):  # a map of the other hand is worse than none
        assert off(shaded(glb, signs)[2], places, dense) > 1.2 * off(without, places, dense)


def test_nothing_is_written_where_nothing_was_lost() -> None:
    dense = triangles(trimesh.creation.icosphere(6, radius=0.5))
    lot = np.random.default_rng(0).normal(0, 1e-4, dense.vertices.shape).astype(np.float32)
    noisy = replace(dense, vertices=dense.vertices + lot)
    smooth = simplified(noisy, 4000)
    assert smooth.texture is not None
    assert smooth.texture.normal_map is None
    forced = simplified(noisy, 4000, always=True).texture
    assert forced is not None
    assert forced.normal_map is not None
    flat = np.abs(forced.normal_map.astype(int) - (128, 128, 255)).max(axis=2)
    assert np.median(flat) < 8


def test_noise_is_blended_away() -> None:
    ball = trimesh.creation.icosphere(6, radius=0.5)
    lot = np.random.default_rng(0).normal(0, 2e-4, ball.vertices.shape)
    noisy = triangles(trimesh.Trimesh(ball.vertices + lot, ball.faces))
    outward = (2 * ball.vertices).astype(np.float32)

    def error(normals: Array) -> float:
        return float(np.linalg.norm(normals - outward, axis=1).mean())

    blended = Relief.of(noisy, SPACING / 2).at(noisy.vertices, outward)
    assert error(blended) < 0.4 * error(vertex_normals(noisy))


def test_the_difference_is_an_angle() -> None:
    dense = triangles(sphere())
    tilted = vertex_normals(dense)
    relief = Relief.of(dense, 0.02)
    assert difference(dense, tilted, relief) < 1
    axis = np.cross(tilted, [0, 0, 1])
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    turned = np.cos(0.2) * tilted + np.sin(0.2) * np.cross(axis, tilted)
    assert difference(dense, turned.astype(np.float32), relief) == pytest.approx(
        np.degrees(0.2), rel=0.05
    )
    assert 1 < SHOWS < np.degrees(0.2)


def test_tangents_point_along_the_picture_and_tell_its_back() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    normals = np.broadcast_to(np.array([0, 0, 1], np.float32), (4, 3)).copy()
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    for right, up, side in (((1, 0), (0, 1), 1), ((0, 1), (-1, 0), 1), ((0, 1), (1, 0), -1)):
        places = np.stack([vertices[:, :2] @ right, vertices[:, :2] @ up], axis=1)
        found = mesh_kernels.tangents(vertices, normals, places.astype(np.float32), faces)
        np.testing.assert_allclose(found, np.tile([*right, 0, side], (4, 1)), atol=1e-6)
    # A picture of no extent gives any direction along the surface, but one.
    found = mesh_kernels.tangents(vertices, normals, np.zeros((4, 2), np.float32), faces)
    np.testing.assert_allclose(np.linalg.norm(found[:, :3], axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found[:, 2], 0, atol=1e-6)


def test_a_splat_gets_one_where_it_shows_or_is_asked_for() -> None:
    quality = replace(QUALITIES["preview"], texels=128)

    def made(height: float, asked: bool | None) -> Texture:
        coloured, _ = build(cloud(bumpy(height)), quality, 600, normal_map=asked)
        assert coloured.texture is not None
        return coloured.texture

    shown = made(0.05, None).normal_map
    assert shown is not None
    assert shown.shape == made(0.05, False).image.shape
    assert made(0.05, False).normal_map is None
    assert made(0.0, None).normal_map is None


def expected(coloured: ColouredMesh) -> Array:
    """Tangents of a texture's vertices, Y up."""
    assert coloured.texture is not None
    found = tangents(coloured.mesh.vertices, coloured.normals, coloured.texture)
    return np.concatenate([y_up(found[:, :3]), found[:, 3:]], axis=1)


def test_khronos_validator_has_nothing_to_say(
    bumps: tuple[ColouredMesh, Triangles], tmp_path: Path
) -> None:
    save(bumps[0], tmp_path / "a.glb", "ball")
    messages = node("validate.cjs", tmp_path / "a.glb")["issues"]["messages"]
    # Pictures are as high as charts need.
    assert {each["code"] for each in messages} <= {"IMAGE_NPOT_DIMENSIONS"}
    save(bumps[0], tmp_path / "a.meshopt.glb", "ball")
    issues = node("validate.cjs", tmp_path / "a.meshopt.glb")["issues"]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0)


@pytest.mark.parametrize("ending", ["glb", "meshopt.glb"])
def test_three_js_reads_map_and_tangents(
    bumps: tuple[ColouredMesh, Triangles], tmp_path: Path, ending: str
) -> None:
    coloured, _ = bumps
    assert coloured.texture is not None
    save(coloured, tmp_path / f"a.{ending}", "ball", millimetres=120)
    shown = node("load.mjs", tmp_path / f"a.{ending}")
    assert shown["bent"] == [1, 1]  # a green that points down, as without tangents, is -1
    places, there = cKDTree(coloured.texture.uv).query(np.array(shown["uv"]))
    assert places.max() < 2**-12
    np.testing.assert_allclose(shown["tangents"], expected(coloured)[there], atol=0.03)


def test_draco_keeps_the_tangents(bumps: tuple[ColouredMesh, Triangles]) -> None:
    coloured, _ = bumps
    assert coloured.texture is not None
    small = encode(coloured, "draco.glb", "ball")
    glb = document(small)
    (primitive,) = glb["meshes"][0]["primitives"]
    draco = primitive["extensions"]["KHR_draco_mesh_compression"]
    view = glb["bufferViews"][draco["bufferView"]]
    start = 28 + struct.unpack_from("<I", small, 12)[0] + view["byteOffset"]
    made = DracoPy.decode(small[start : start + view["byteLength"]])
    by_id = {attribute["unique_id"]: attribute["data"] for attribute in made.attributes}
    found = by_id[draco["attributes"]["TANGENT"]]
    described = glb["accessors"][primitive["attributes"]["TANGENT"]]
    assert (described["componentType"], described["type"]) == (5126, "VEC4")
    _, there = cKDTree(coloured.texture.uv).query(by_id[draco["attributes"]["TEXCOORD_0"]])
    np.testing.assert_allclose(found, expected(coloured)[there], atol=1e-6)


def test_an_obj_names_the_map_as_its_readers_look_for_it(
    bumps: tuple[ColouredMesh, Triangles],
) -> None:
    with zipfile.ZipFile(io.BytesIO(encode(bumps[0], "zip", "ball"))) as file:
        material = file.read("mesh.mtl").decode().splitlines()
        picture = np.asarray(Image.open(io.BytesIO(file.read("mesh_normal.jpg"))))
    assert {"map_Kd mesh.jpg", "norm mesh_normal.jpg", "map_Bump mesh_normal.jpg"} < set(material)
    assert np.median(picture[:, :, 2]) > 230


def test_usdz_bends_normals_by_the_map_as_it_is(
    bumps: tuple[ColouredMesh, Triangles], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.usdz"
    save(bumps[0], path, "ball")
    assert capfd.readouterr().err == ""
    assert validate(path) == []
    stage = Usd.Stage.Open(str(path))
    surface = UsdShade.Shader(stage.GetPrimAtPath("/Object/Material/Surface"))
    source = surface.GetInput("normal").GetConnectedSources()[0][0].source
    relief = UsdShade.Shader(source.GetPrim())
    assert relief.GetInput("sourceColorSpace").Get() == "raw"
    assert tuple(relief.GetInput("scale").Get()) == (2, 2, 2, 1)
    assert tuple(relief.GetInput("bias").Get()) == (-1, -1, -1, 0)
    inner = relief.GetInput("file").Get().path
    with zipfile.ZipFile(path) as file:
        texels = np.asarray(Image.open(io.BytesIO(file.read(inner.removeprefix("./")))))
    assert np.median(texels[:, :, 2]) > 230
