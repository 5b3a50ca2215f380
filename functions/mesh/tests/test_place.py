"""Turned upright, put on the ground, and given a size: in the files, as others read them."""

import io
import locale
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import lib3mf
import numpy as np
import pytest
import trimesh
from PIL import Image
from pxr import Usd, UsdGeom, UsdShade

from gen3d_mesh import usdz
from gen3d_mesh.coloured_mesh import ColouredMesh, y_up
from gen3d_mesh.endings import NotInstalled
from gen3d_mesh.pipeline import Figures
from gen3d_mesh.place import foot, sized, standing
from gen3d_mesh.sample import ball as sample_ball
from gen3d_mesh.splat import Up
from gen3d_mesh.write import encode, save

from .test_write import with_texture


def matrices(quaternions: np.ndarray) -> np.ndarray:
    w, x, y, z = quaternions.T
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)


@pytest.mark.parametrize(("up", "axis"), [("y", 1), ("-y", -1), ("z", None)])
def test_upright_turns_places_gaussians_and_origin_alike(up: Up, axis: int | None) -> None:
    lot = np.random.default_rng(0)
    turns = lot.normal(size=(50, 4)).astype(np.float32)
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    splat = replace(sample_ball(50), rotations=turns, origin=(10.0, 20.0, 30.0))
    turned = splat.upright(up)
    turn = np.eye(3)
    if axis is not None:  # the axis becomes Z, and X stays
        sky = np.array([0, axis, 0])
        turn = np.array([[1, 0, 0], np.cross(sky, [1, 0, 0]), sky])
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_allclose(turned.centers, splat.centers @ turn.T, atol=1e-6)
    np.testing.assert_allclose(turned.origin, turn @ splat.origin)
    expected = turn @ matrices(splat.rotations)
    np.testing.assert_allclose(matrices(turned.rotations), expected, atol=1e-5)


def test_it_stands_on_the_ground_and_the_way_back_to_the_splat_holds(
    ball: tuple[ColouredMesh, Figures],
) -> None:
    moved = replace(ball[0], mesh=replace(ball[0].mesh, vertices=ball[0].mesh.vertices + 0.3))
    stood = standing(moved, foot(moved))
    low, high = stood.positions.min(axis=0), stood.positions.max(axis=0)
    assert low[2] == 0
    np.testing.assert_allclose((low + high)[:2], 0, atol=1e-6)
    np.testing.assert_allclose(
        stood.positions + stood.frame.center, moved.positions + moved.frame.center, atol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "side"), [("a.glb", 0.12), ("a.stl", 120), ("a.obj", 120), ("a.ply", 120)]
)
def test_a_size_is_in_each_formats_own_unit(
    ball: tuple[ColouredMesh, Figures], tmp_path: Path, name: str, side: float
) -> None:
    save(ball[0], tmp_path / name, "thing", millimetres=120)
    mesh = trimesh.load_mesh(tmp_path / name, process=False)
    assert mesh.extents.max() == pytest.approx(side, rel=1e-5)


def pack(data: bytes) -> tuple[lib3mf.MeshObject, lib3mf.Model]:
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromBuffer(data)
    assert reader.GetWarningCount() == 0
    meshes = model.GetMeshObjects()
    assert meshes.MoveNext()
    return meshes.GetCurrentMeshObject(), model


def test_3mf_is_closed_coloured_and_on_the_plate(
    ball: tuple[ColouredMesh, Figures], tmp_path: Path
) -> None:
    coloured, spoken = with_texture(ball[0]), locale.setlocale(locale.LC_ALL)
    save(coloured, tmp_path / "a.3mf", "Cup ☕", millimetres=80)
    assert locale.setlocale(locale.LC_ALL) == spoken
    mesh, model = pack((tmp_path / "a.3mf").read_bytes())
    assert mesh.IsManifoldAndOriented()
    assert mesh.GetName() == "Cup ☕"
    assert model.GetUnit() == lib3mf.ModelUnit.MilliMeter
    points = np.array([list(vertex.Coordinates) for vertex in mesh.GetVertices()])
    assert points[:, 2].min() == 0
    assert np.ptp(points, axis=0).max() == pytest.approx(80, rel=1e-4)
    groups = model.GetColorGroups()
    assert groups.MoveNext()
    group = groups.GetCurrentColorGroup()
    faces = np.array([list(triangle.Indices) for triangle in mesh.GetTriangleIndices()])
    for face in range(0, len(faces), 500):
        ids = mesh.GetTriangleProperties(face).PropertyIDs
        shown = [group.GetColor(each) for each in ids]
        rgb = np.array([[each.Red, each.Green, each.Blue] for each in shown]) / 255
        np.testing.assert_allclose(rgb, coloured.colors[faces[face]], atol=0.5 / 15 + 1e-6)
    save(coloured, tmp_path / "b.3mf", "Cup")
    mesh, _ = pack((tmp_path / "b.3mf").read_bytes())
    assert max(vertex.Coordinates[2] for vertex in mesh.GetVertices()) == pytest.approx(
        100, rel=0.05
    )


@pytest.mark.parametrize("painted", [False, True])
def test_usdz_stands_upright_in_metres_and_pleases_the_validators(
    ball: tuple[ColouredMesh, Figures], tmp_path: Path, painted: bool
) -> None:
    coloured = with_texture(ball[0]) if painted else ball[0]
    path = tmp_path / "a.usdz"
    save(coloured, path, "1 Cup ☕", millimetres=250)
    assert usdz.validate(path) == []
    stage = Usd.Stage.Open(str(path))
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1
    assert stage.GetDefaultPrim().GetDisplayName() == "1 Cup ☕"
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/Object/Mesh"))
    points = np.array(mesh.GetPointsAttr().Get())
    expected = y_up(sized(coloured, 0.25).positions)
    if coloured.texture is not None:
        expected = expected[coloured.texture.vertices]
    np.testing.assert_allclose(points, expected, atol=1e-7)
    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    assert material
    values = UsdGeom.PrimvarsAPI(mesh)
    assert values.HasPrimvar("st" if painted else "displayColor")
    with zipfile.ZipFile(path) as file:
        entries = file.infolist()
        assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
        if coloured.texture is not None:
            inner = next(entry.filename for entry in entries if entry.filename.endswith(".jpg"))
            texels = np.asarray(Image.open(io.BytesIO(file.read(inner)))).astype(int)
            np.testing.assert_allclose(texels[8, 8], (200, 30, 30), atol=4)
            uv = np.array(values.GetPrimvar("st").Get())
            np.testing.assert_allclose(uv, coloured.texture.uv * (1, -1) + (0, 1), atol=1e-6)


@pytest.mark.parametrize(("ending", "library"), [("3mf", "lib3mf"), ("usdz", "pxr")])
def test_a_missing_extra_is_named_with_its_remedy(
    ball: tuple[ColouredMesh, Figures], monkeypatch: pytest.MonkeyPatch, ending: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(NotInstalled, match=rf"pip install 'gen3d-mesh\[{ending}\]'"):
        encode(ball[0], ending, "thing")
