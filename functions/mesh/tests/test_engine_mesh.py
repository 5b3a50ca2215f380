"""An engine's textured mesh: its pictures are kept, or baked anew; what is broken is mended."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import trimesh
from PIL import Image
from pxr import Usd, UsdShade

from gen3d.errors import InputMissing, InvalidMesh
from gen3d.formats import MESH_FORMATS
from gen3d_mesh import engine_mesh, handler, usdz
from gen3d_mesh.coloured_mesh import ColouredMesh, Texture, tangents
from gen3d_mesh.coverage import LEAST, explained
from gen3d_mesh.engine_mesh import build_mesh, surface_met
from gen3d_mesh.mend import Mended, mend
from gen3d_mesh.pipeline import QUALITIES, MeshFigures
from gen3d_mesh.simplify import irregular, simplify
from gen3d_mesh.surface import Triangles
from gen3d_mesh.wedges import Wedges, used
from gen3d_mesh.write import encode, save

from .test_handler import CONTEXT, bucket  # noqa: F401  the fixture of an S3
from .test_write import document, node

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RED, BLUE = (200, 30, 30), (30, 30, 200)
MANY = replace(QUALITIES["standard"], faces=200_000)
FEW = replace(QUALITIES["standard"], faces=3000, texels=512)
EAST, NORTH = 0.5, 0.3
"""How far the normal map bends all normals to the picture's right and to its top."""

Build = Callable[..., tuple[ColouredMesh, MeshFigures]]


def globe(columns: int = 96, rows: int = 48) -> trimesh.Trimesh:
    """A globe with a seam and poles, Y up: red north, blue south; metal in the east."""
    u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1))
    around, down = 2 * np.pi * u, np.pi * v
    places = np.stack(
        [np.cos(around) * np.sin(down), np.cos(down), -np.sin(around) * np.sin(down)], axis=2
    )
    places[:, -1], places[0], places[-1] = places[:, 0], (0, 1, 0), (0, -1, 0)
    corner = np.arange(u.size).reshape(u.shape)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    cells = [np.stack([a, c, b], axis=2), np.stack([b, c, d], axis=2)]
    y, x = np.mgrid[:64, :128]
    colour = np.where((y < 32)[..., None], RED, BLUE).astype(np.uint8)
    shades = np.zeros((64, 128, 3), np.uint8)
    shades[..., 1], shades[..., 2] = 90, np.where(x < 64, 255, 0)
    out = (1 - EAST**2 - NORTH**2) ** 0.5
    bent = np.round(127.5 * (1 + np.array([EAST, NORTH, out]))).astype(np.uint8)
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=Image.fromarray(colour),
        metallicRoughnessTexture=Image.fromarray(shades),
        normalTexture=Image.fromarray(np.broadcast_to(bent, (64, 128, 3)).copy()),
        metallicFactor=1.0,
        roughnessFactor=0.5,
    )
    uv = np.stack([u, 1 - v], axis=2).reshape(-1, 2)
    return trimesh.Trimesh(
        places.reshape(-1, 3) / 2,
        np.concatenate([each.reshape(-1, 3) for each in cells]),
        visual=trimesh.visual.TextureVisuals(uv=uv, material=material),
        process=False,
    )


def without(mesh: trimesh.Trimesh, faces: Any) -> trimesh.Trimesh:
    kept = mesh.copy()
    kept.update_faces(np.setdiff1d(np.arange(len(mesh.faces)), faces))
    return kept


@pytest.fixture
def built(tmp_path: Path) -> Build:
    """Builds a mesh from the GLB that an engine would have written."""

    def build(mesh: trimesh.Trimesh, quality: Any = MANY) -> tuple[ColouredMesh, MeshFigures]:
        mesh.export(tmp_path / "engine.glb")
        return build_mesh(tmp_path / "engine.glb", quality)

    return build


def texture_of(made: ColouredMesh) -> Texture:
    assert made.texture is not None
    return made.texture


def at_faces(made: ColouredMesh, image: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Places of the faces' middles, Z up, and what a picture has there."""
    assert image is not None
    texture = texture_of(made)
    height, width = image.shape[:2]
    x, y = (texture.uv[texture.faces].mean(axis=1) * (width, height)).astype(int).T
    seen = image[y.clip(0, height - 1), x.clip(0, width - 1)]
    return made.mesh.vertices[made.mesh.faces].mean(axis=1), seen.astype(float)


def test_few_faces_keep_their_pictures_as_they_are(built: Build) -> None:
    made, figures = built(globe())
    texture, material = texture_of(made), globe().visual.material
    for picture, given in (
        (texture.image, material.baseColorTexture),
        (texture.material.picture, material.metallicRoughnessTexture),
        (texture.normal_map, material.normalTexture),
    ):
        assert np.array_equal(np.asarray(picture), np.asarray(given))
    assert (texture.material.metallic, texture.material.roughness) == (1.0, 0.5)
    assert figures.watertight
    assert figures.faces_read == len(globe().faces)
    assert figures.faces == figures.faces_read - figures.faces_dropped
    assert figures.faces_dropped == 2 * 96  # at the poles two corners are one
    assert figures.warnings == []
    assert made.source == "mesh"


def test_a_picture_larger_than_asked_for_is_made_smaller(built: Build) -> None:
    texture = texture_of(built(globe(), replace(MANY, texels=32))[0])
    assert texture.image.shape == (16, 32, 3)
    assert texture.normal_map is not None
    assert texture.normal_map.shape == (16, 32, 3)


@pytest.mark.parametrize("quality", [MANY, FEW], ids=["kept", "baked"])
def test_it_looks_as_it_did(built: Build, quality: Any) -> None:
    """Colour, metal and normals are where they were, Z up, whichever faces hold them."""
    made, figures = built(globe(), quality)
    assert figures.faces <= quality.faces
    assert figures.watertight
    texture = texture_of(made)
    place, colour = at_faces(made, texture.image)
    clear = np.abs(place[:, 2]) > 0.03
    expected = np.where(place[:, 2:] > 0, RED, BLUE)
    assert np.abs(colour - expected)[clear].max() < 4
    assert np.abs(made.colors[made.mesh.vertices[:, 2] > 0.05] * 255 - RED).max() < 2

    place, shades = at_faces(made, texture.material.picture)
    clear = np.abs(place[:, 1]) > 0.03
    assert np.abs(shades[:, 1] - 90).max() < 4
    assert np.abs(shades[:, 2] - np.where(place[:, 1] > 0, 255, 0))[clear].max() < 4
    assert (texture.material.metallic, texture.material.roughness) == (1.0, 0.5)

    place, bent = at_faces(made, texture.normal_map)
    bent = bent / 127.5 - 1
    frames = tangents(made.mesh.vertices, made.normals, texture)[texture.faces]
    normal = unit(made.normals[made.mesh.faces].mean(axis=1))
    right = unit(frames[:, :, :3].mean(axis=1))
    up = np.cross(normal, right) * frames[:, 0, 3:]
    world = unit(bent[:, :1] * right + bent[:, 1:2] * up + bent[:, 2:] * normal)
    outward = unit(place)
    east = unit(np.stack([-place[:, 1], place[:, 0], np.zeros(len(place))], axis=1))
    north = np.cross(outward, east)
    out = (1 - EAST**2 - NORTH**2) ** 0.5
    shown = outward * out + east * EAST + north * NORTH
    clear = np.abs(place[:, 2]) < 0.4  # at a pole there is no east
    off = np.degrees(np.arccos((world * shown).sum(axis=1).clip(-1, 1)))
    assert np.median(off[clear]) < 1.5
    assert np.percentile(off[clear], 95) < 5


def unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def test_a_thin_wall_keeps_its_sides_apart(built: Build) -> None:
    """Each side of a bowl has its own colour, where so few faces lie nearer to the other one."""
    bowl = globe()
    x, y, z = bowl.vertices.T
    bowl.vertices = np.stack([x, 0.004 * y + x * x + z * z, z], axis=1)
    made, _ = built(bowl, replace(FEW, faces=400))
    _, colour = at_faces(made, texture_of(made).image)
    sides = made.mesh.vertices[made.mesh.faces]
    up = np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0])[:, 2] > 0
    inside = np.hypot(*sides.mean(axis=1)[:, :2].T) < 0.45
    expected = np.where(up[:, None], RED, BLUE)
    wrong = np.abs(colour - expected).max(axis=1) > 8
    assert wrong[inside].mean() < 0.05


def test_dense_faces_are_shaded_by_a_normal_map_where_that_shows(built: Build) -> None:
    """Bumps that few faces lose are in the map, of an engine that gave none."""
    mesh = globe(360, 180)
    mesh.visual.material.normalTexture = None
    angle = np.arctan2(mesh.vertices[:, 2], mesh.vertices[:, 0])
    bumps = 1 + 0.03 * np.cos(24 * angle) * np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 2])
    mesh.vertices = mesh.vertices * bumps[:, None]
    assert texture_of(built(mesh, replace(FEW, faces=1500))[0]).normal_map is not None
    smooth = globe()
    smooth.visual.material.normalTexture = None
    assert texture_of(built(smooth, FEW)[0]).normal_map is None


def test_small_holes_are_filled_in_the_colours_of_their_rim(built: Build) -> None:
    north = without(globe(), [96 * 10, 96 * 10 + 96 * 48])  # a cell
    made, figures = built(north)
    assert figures.watertight
    assert figures.faces_filled >= 4
    _, colour = at_faces(made, texture_of(made).image)
    np.testing.assert_allclose(
        colour[-figures.faces_filled :], [RED] * figures.faces_filled, atol=2
    )


@pytest.mark.parametrize("quality", [MANY, FEW], ids=["kept", "baked"])
def test_an_opening_stays_and_is_said(built: Build, quality: Any) -> None:
    mesh = globe()
    half = without(mesh, np.flatnonzero(mesh.triangles_center[:, 1] > 0.2))
    made, figures = built(half, quality)
    assert not figures.watertight
    assert figures.faces <= quality.faces
    assert "is open" in figures.warnings[0]
    assert made.mesh.vertices[:, 2].max() - made.mesh.vertices[:, 2].min() < 0.75


def test_edges_that_are_kept_may_be_too_many_which_is_said(built: Build) -> None:
    """Each face apart: none can go."""
    mesh = globe(40, 20)
    corners = mesh.faces.reshape(-1)
    apart = trimesh.Trimesh(
        mesh.vertices[corners] + np.repeat(0.01 * mesh.face_normals, 3, axis=0),
        np.arange(len(corners)).reshape(-1, 3),
        visual=trimesh.visual.TextureVisuals(
            uv=mesh.visual.uv[corners], material=mesh.visual.material
        ),
        process=False,
    )
    _, figures = built(apart, replace(FEW, faces=100))
    assert figures.faces > 100
    assert any("open edges" in warning for warning in figures.warnings)


def test_what_is_no_surface_goes(built: Build) -> None:
    mesh = globe()
    speck = globe(12, 6)
    speck.vertices = speck.vertices * 0.01 + 0.7
    mesh.faces = np.concatenate([mesh.faces, mesh.faces[1000:1001, [1, 2, 0]]])
    whole = trimesh.util.concatenate([mesh, speck])
    _, figures = built(whole)
    assert figures.watertight
    assert (figures.components, figures.dropped_parts) == (1, 1)


def test_a_mesh_that_keeps_its_surface_explains_the_engines(built: Build) -> None:
    """Its pictures kept or baked, an opening or not, and vertices that no face has."""
    astray = globe()
    astray.vertices = np.concatenate([astray.vertices, [[40.0, 0, 0]]])
    astray.visual.uv = np.concatenate([astray.visual.uv, [[0.0, 0]]])
    mesh = globe()
    half = without(mesh, np.flatnonzero(mesh.triangles_center[:, 1] > 0.2))
    for source in (mesh, half, astray):
        for quality in (MANY, FEW):
            _, figures = built(source, quality)
            assert figures.coverage is not None
            assert figures.coverage > 0.995
            assert figures.answer()["coverage"] == figures.coverage
            assert not any("Look at both" in warning for warning in figures.warnings)


@pytest.mark.parametrize("quality", [MANY, FEW], ids=["kept", "baked"])
def test_faces_that_are_lost_on_the_way_are_told(
    built: Build, quality: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cap of a ball has its height's share of the area, here of the lower half's pole."""

    def careless(mesh: Wedges) -> Mended:
        mended = mend(mesh)
        there = mended.mesh.vertices[mended.mesh.faces].mean(axis=1)[:, 2] > -0.3
        assert mended.mesh.uv is not None
        kept = replace(mended.mesh, faces=mended.mesh.faces[there], uv=mended.mesh.uv[there])
        return replace(mended, mesh=used(kept))

    monkeypatch.setattr(engine_mesh, "mend", careless)
    _, figures = built(globe(), quality)
    assert figures.coverage is not None
    assert figures.coverage == pytest.approx(0.8, abs=0.05)
    assert any(f"{100 * figures.coverage:.0f} %" in warning for warning in figures.warnings)


def test_many_specks_that_are_left_out_are_told(built: Build) -> None:
    """Each is too small to be kept, and all together are a part of what is seen."""
    away = trimesh.creation.icosphere(subdivisions=3).vertices[::4]
    specks = []
    for place in away:
        speck = globe(12, 6)
        speck.vertices = speck.vertices * 0.025 + 0.9 * place
        specks.append(speck)
    _, figures = built(trimesh.util.concatenate([globe(), *specks]))
    assert figures.dropped_parts == len(specks)
    assert figures.coverage is not None
    assert figures.coverage < LEAST
    assert "small pieces that lie apart" in figures.warnings[0]


def test_the_surface_is_met_from_outside() -> None:
    """What is inside is not looked at, and both sides of a sheet are one surface."""
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.5)
    inside = trimesh.creation.icosphere(subdivisions=2, radius=0.2)
    both = trimesh.util.concatenate([ball, inside])
    met = surface_met(Triangles(both.vertices.astype(np.float32), both.faces.astype(np.int32)))
    assert len(met) > 15_000
    np.testing.assert_allclose(np.linalg.norm(met, axis=1), 0.5, atol=0.002)
    nothing = Triangles(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32))
    assert explained(surface_met(nothing), nothing) is None


def test_a_closed_mesh_that_is_inside_out_is_turned(built: Build) -> None:
    mesh = globe()
    mesh.faces = mesh.faces[:, ::-1]
    made, _ = built(mesh)
    outward = (made.normals * made.mesh.vertices).sum(axis=1)
    assert (outward > 0).all()
    _, colour = at_faces(made, texture_of(made).image)
    assert len(np.unique(colour, axis=0)) == 2


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda mesh: b"glTF" + bytes(40), "damaged"),
        (lambda mesh: mesh.export(file_type="glb")[:-500], "damaged"),
        (lambda mesh: trimesh.creation.box().export(file_type="glb"), "no picture"),
        (lambda mesh: flat(mesh).export(file_type="glb"), "in one place|has an area"),
    ],
)
def test_what_is_no_textured_mesh_is_refused_by_name(
    tmp_path: Path, broken: Callable[[trimesh.Trimesh], bytes], said: str
) -> None:
    (tmp_path / "engine.glb").write_bytes(broken(globe()))
    with pytest.raises(InvalidMesh, match=said):
        build_mesh(tmp_path / "engine.glb", MANY)


def flat(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    mesh.vertices = np.zeros_like(mesh.vertices)
    return mesh


def test_simplifying_moves_no_open_edge() -> None:
    mesh = trimesh.creation.icosphere(subdivisions=4)
    faces = mesh.faces[mesh.triangles_center[:, 2] < 0.5].astype(np.int32)
    open_mesh = Triangles(mesh.vertices.astype(np.float32), faces)
    rim = open_mesh.vertices[irregular(faces, len(mesh.vertices))]
    made = simplify(open_mesh, 500, closed=False)
    assert len(made.faces) <= 500
    kept = {tuple(each) for each in made.vertices}
    assert {tuple(each) for each in rim} <= kept
    assert trimesh.Trimesh(made.vertices, made.faces).is_winding_consistent


def test_the_formats_hold_its_material(built: Build, tmp_path: Path) -> None:
    made, _ = built(globe(), FEW)
    save(made, tmp_path / "a.glb", "globe")
    issues = node("validate.cjs", tmp_path / "a.glb")["issues"]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0)
    (material,) = document((tmp_path / "a.glb").read_bytes())["materials"]
    physical = material["pbrMetallicRoughness"]
    assert (physical["metallicFactor"], physical["roughnessFactor"]) == (1, 0.5)
    named = {
        material["normalTexture"]["index"],
        physical["baseColorTexture"]["index"],
        physical["metallicRoughnessTexture"]["index"],
    }
    assert named == {0, 1, 2}

    with zipfile.ZipFile(io.BytesIO(encode(made, "zip", "globe"))) as file:
        lines = file.read("mesh.mtl").decode().splitlines()
        assert {"map_Pr mesh_roughness.jpg", "map_Pm mesh_metallic.jpg"} <= set(lines)
        rough = np.asarray(Image.open(io.BytesIO(file.read("mesh_roughness.jpg"))))
        assert np.abs(rough.astype(int) - 45).max() <= 3  # a half of 90

    save(made, tmp_path / "a.usdz", "globe")
    assert usdz.validate(tmp_path / "a.usdz") == []
    stage = Usd.Stage.Open(str(tmp_path / "a.usdz"))
    surface = UsdShade.Shader(stage.GetPrimAtPath("/Object/Material/Surface"))
    for name, channel in (("roughness", "g"), ("metallic", "b")):
        source, output, _ = surface.GetInput(name).GetConnectedSource()
        assert (source.GetPrim().GetName(), output) == ("Shades", channel)


def test_factors_alone_are_held_as_numbers(built: Build, tmp_path: Path) -> None:
    mesh = globe()
    material = mesh.visual.material
    material.metallicRoughnessTexture = material.normalTexture = None
    material.metallicFactor, material.roughnessFactor = 0.25, 0.75
    made, _ = built(mesh)
    with zipfile.ZipFile(io.BytesIO(encode(made, "zip", "globe"))) as file:
        assert {"Pr 0.75", "Pm 0.25"} <= set(file.read("mesh.mtl").decode().splitlines())
    (written,) = document(encode(made, "glb", "globe"))["materials"]
    assert written["pbrMetallicRoughness"]["metallicFactor"] == 0.25
    save(made, tmp_path / "a.usdz", "globe")
    stage = Usd.Stage.Open(str(tmp_path / "a.usdz"))
    surface = UsdShade.Shader(stage.GetPrimAtPath("/Object/Material/Surface"))
    assert surface.GetInput("roughness").Get() == 0.75


# The job's step

EVENT = json.loads((Path(__file__).parents[3] / "events/mesh/object.json").read_text())
KEY = f"{EVENT['prefix']}engine.glb"
OF_MESH = {**EVENT, "splat": None, "mesh": KEY, "options": {"mesh": {"faces": 3000}}}


def test_the_step_makes_every_format_of_it(bucket: "S3Client") -> None:  # noqa: F811
    body = globe().export(file_type="glb")
    bucket.put_object(Bucket=EVENT["bucket"], Key=KEY, Body=body)
    answer: Any = handler.handler(OF_MESH, CONTEXT)
    assert set(answer["files"]) == {*MESH_FORMATS, "preview"}
    assert answer["faces"] <= 3000
    assert answer["watertight"]
    assert answer["facesRead"] == len(globe().faces)
    assert not {"gaussians", "gaussiansKept"} & set(answer)
    assert answer["coverage"] > 0.99
    json.dumps(answer)


def test_a_mesh_that_is_gone_is_named(bucket: "S3Client") -> None:  # noqa: F811
    with pytest.raises(InputMissing, match="gone"):
        handler.handler(OF_MESH, CONTEXT)


def test_a_mesh_that_is_too_large_is_not_fetched(
    bucket: "S3Client",  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handler, "MAX_BYTES", 2**20)
    bucket.put_object(Bucket=EVENT["bucket"], Key=KEY, Body=bytes(2**20 + 1))
    with pytest.raises(InvalidMesh, match="engine's mesh has 1 MB; at most 1 MB"):
        handler.handler(OF_MESH, CONTEXT)


@pytest.mark.parametrize("event", [{"mesh": KEY}, {"splat": None, "mesh": None}])
def test_there_is_a_splat_or_a_mesh(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a splat's key or a mesh's"):
        handler.ObjectEvent.model_validate({**EVENT, **event})
