"""Objects whose places are known, set beside each other and read with somebody else's code."""

import io
import json
import math
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import gaussforge
import numpy as np
import pytest
import trimesh
from PIL import Image, ImageDraw
from scipy.spatial.transform import Rotation

from gen3d.contract import Pose
from gen3d.errors import InvalidSplat
from gen3d_mesh import glb
from gen3d_mesh.clean import Frame as UnitFrame
from gen3d_mesh.coloured_mesh import ColouredMesh, Texture
from gen3d_mesh.read import read_splat
from gen3d_mesh.sample import on_surface, write_splat
from gen3d_mesh.scene.compose import Composed, Member, as_in_photo, compose
from gen3d_mesh.scene.placing import Box, Frame, Thing, place
from gen3d_mesh.scene.spz import pack
from gen3d_mesh.scene.together import Gaussians
from gen3d_mesh.scene.truth import mask_box, truth

from .conftest import cloud, torus, triangles

HERE = Path(__file__).parent

PHOTO = Frame(640, 480)
VIEW = math.radians(50)
FOCAL = 320 / math.tan(VIEW / 2)
"""Pixels."""

RED, GREEN, BLUE = (0.8, 0.1, 0.1), (0.1, 0.7, 0.1), (0.1, 0.2, 0.8)


def unlike() -> trimesh.Trimesh:
    """A shape without any symmetry: an arm to each side, of three lengths."""
    boxes = [
        trimesh.creation.box(extents).apply_translation(middle)
        for extents, middle in [
            ([0.3, 0.3, 0.9], [0, 0, 0]),
            ([0.5, 0.2, 0.2], [0.3, 0, 0.3]),
            ([0.2, 0.3, 0.2], [0, -0.25, -0.2]),
        ]
    ]
    return trimesh.util.concatenate(boxes)


SHAPES = {"Arms": unlike(), "Ring": torus(), "Cone": trimesh.creation.cone(0.3, 0.9)}


def posed(axis: list[float], degrees: float, at: list[float], scale: float, **more: Any) -> Pose:
    """A canonical object upright and facing the camera, then turned, scaled and moved there."""
    # PyTorch3D's camera: x left, y up, z forward. Z up becomes y; the front, -Y, becomes -z.
    facing = Rotation.from_matrix([[-1, 0, 0], [0, 0, 1], [0, 1, 0]])
    turn = Rotation.from_rotvec(np.radians(degrees) * np.array(axis) / np.linalg.norm(axis))
    x, y, z, w = (turn * facing).as_quat()
    return Pose(rotation=(w, x, y, z), translation=at, scale=(scale,) * 3, **more)  # type: ignore[arg-type]


POSES = {
    "Arms": posed([0, 1, 0.2], 40, [0.5, -0.1, 3.0], 0.8, field_of_view=VIEW),
    "Ring": posed([1, 0.3, 0], -25, [-0.6, 0.2, 2.4], 0.5, field_of_view=VIEW),
    "Cone": posed([0.1, 1, 0], 10, [-0.1, -0.5, 4.0], 1.3, field_of_view=VIEW),
}


def matrix(pose: Pose) -> np.ndarray:
    """The contract's formula, with another library's arithmetic."""
    turned = trimesh.transformations.quaternion_matrix(pose.rotation)
    turned[:3, :3] *= np.array(pose.scale)[:, None]
    turned[:3, 3] = pose.translation
    return np.asarray(turned)


def painted(shape: trimesh.Trimesh, color: tuple[float, ...], *, textured: bool) -> ColouredMesh:
    middle, size = shape.bounds.mean(axis=0), float(np.ptp(shape.bounds, axis=0).max())
    count = len(shape.vertices)
    whole = triangles(trimesh.Trimesh((shape.vertices - middle) / size, shape.faces, process=False))
    texture = None
    if textured:
        image = np.full((16, 16, 3), np.round(np.array(color) * 255), np.uint8)
        level = np.full((16, 16, 3), (128, 128, 255), np.uint8)
        uv = np.random.default_rng(0).uniform(size=(count, 2)).astype(np.float32)
        texture = Texture(image, uv, whole.faces, np.arange(count, dtype=np.int32), level)
    return ColouredMesh(
        whole,
        np.array(shape.vertex_normals, np.float32),
        np.tile(np.array(color, np.float32), (count, 1)),
        UnitFrame(middle, size),
        texture,
    )


def splat_of(folder: Path, shape: trimesh.Trimesh) -> bytes:
    write_splat(folder / "splat.ply", cloud(shape, 2000))
    return (folder / "splat.ply").read_bytes()


def members(folder: Path, poses: dict[str, Pose | None], **more: dict[str, Any]) -> list[Member]:
    return [
        Member(
            name,
            glb.encode(painted(SHAPES[name], color, textured=name != "Ring"), name),
            splat_of(folder, SHAPES[name]),
            pose,
            **{what: values.get(name) for what, values in more.items()},
        )
        for (name, pose), color in zip(poses.items(), (RED, GREEN, BLUE), strict=True)
    ]


@pytest.fixture
def scene(tmp_path: Path) -> Composed:
    return compose(members(tmp_path, dict(POSES)), PHOTO)


def document(data: bytes) -> dict[str, Any]:
    (length,) = struct.unpack_from("<I", data, 12)
    return dict(json.loads(data[20 : 20 + length]))


def placed_in(data: bytes) -> dict[str, np.ndarray]:
    """Each node's matrix, from its own frame to that of the photo's camera (glTF's)."""
    worlds = {}
    for node in document(data)["nodes"]:
        x, y, z, w = node["rotation"]
        world = trimesh.transformations.quaternion_matrix([w, x, y, z])
        world[:3, :3] *= np.array(node.get("scale", [1, 1, 1]))
        world[:3, 3] = node["translation"]
        worlds[node["name"]] = world
    camera = np.linalg.inv(worlds.pop("Photo"))
    return {name: camera @ world for name, world in worlds.items()}


def drawn(points: np.ndarray, faces: np.ndarray, focal: float, photo: Frame = PHOTO) -> np.ndarray:
    """The silhouette of triangles before PyTorch3D's camera, filled by Pillow."""
    picture = Image.new("1", (photo.width, photo.height))
    pen = ImageDraw.Draw(picture)
    x = photo.width / 2 - focal * points[:, 0] / points[:, 2]
    y = photo.height / 2 - focal * points[:, 1] / points[:, 2]
    for face in faces:
        pen.polygon([(x[k], y[k]) for k in face], fill=1)
    return np.asarray(picture)


def mask_of(name: str, pose: Pose) -> np.ndarray:
    shape = SHAPES[name]
    return drawn(trimesh.transform_points(shape.vertices, matrix(pose)), shape.faces, FOCAL)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


HALF_TURN = np.diag([-1.0, 1.0, -1.0, 1.0])
"""PyTorch3D's camera and glTF's are half a turn about Y apart."""


def to_mesh(name: str) -> np.ndarray:
    """From the canonical frame to the mesh's, as the GLB says of itself."""
    middle = SHAPES[name].bounds.mean(axis=0)
    up = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
    return np.asarray(up @ trimesh.transformations.translation_matrix(-middle))


def check_poses(data: bytes, poses: dict[str, Pose]) -> None:
    for name, found in placed_in(data).items():
        back = HALF_TURN @ found @ to_mesh(name)
        wanted = matrix(poses[name])
        scale = np.linalg.det(back[:3, :3]) ** (1 / 3)
        assert scale == pytest.approx(poses[name].scale[0], rel=0.01)
        off = Rotation.from_matrix(
            back[:3, :3] / scale @ (wanted[:3, :3] / poses[name].scale[0]).T
        ).magnitude()
        assert math.degrees(off) < 1
        distance = np.linalg.norm(wanted[:3, 3])
        assert np.linalg.norm(back[:3, 3] - wanted[:3, 3]) < 0.01 * distance


def test_poses_of_three_objects_come_back(scene: Composed) -> None:
    check_poses(scene.files["glb"], POSES)
    assert scene.placed == ("pose",) * 3
    assert not scene.metres


def test_the_scene_covers_the_masks_as_somebody_elses_loader_sees_it(scene: Composed) -> None:
    data = scene.files["glb"]
    told = document(data)["cameras"][0]["perspective"]
    assert told["aspectRatio"] == pytest.approx(640 / 480)
    focal = 240 / math.tan(told["yfov"] / 2)
    loaded = trimesh.load_scene(io.BytesIO(data), file_type="glb", process=False)
    camera = np.linalg.inv(loaded.graph.get("Photo")[0])
    assert set(loaded.geometry) == set(POSES)
    for name, pose in POSES.items():
        world, geometry = loaded.graph.get(name)
        mesh = loaded.geometry[geometry]
        points = trimesh.transform_points(mesh.vertices, HALF_TURN @ camera @ world)
        assert overlap(drawn(points, mesh.faces, focal), mask_of(name, pose)) > 0.98


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("name", SHAPES)
def test_an_object_alone_covers_its_mask_as_somebody_elses_loader_sees_it(
    name: str, named: bool
) -> None:
    """By the camera in its own file, also where it has a size, and nobody named the camera."""
    pose = POSES[name] if named else POSES[name].model_copy(update={"field_of_view": None})
    mask = mask_of(name, POSES[name])
    small = replace(painted(SHAPES[name], RED, textured=True), scale=0.03)
    data = as_in_photo(glb.encode(small, name), pose, mask_box(mask), PHOTO)
    focal = 240 / math.tan(document(data)["cameras"][0]["perspective"]["yfov"] / 2)
    loaded = trimesh.load_scene(io.BytesIO(data), file_type="glb")
    camera = np.linalg.inv(loaded.graph.get("Photo")[0])
    world, geometry = loaded.graph.get(loaded.graph.nodes_geometry[0])
    mesh = loaded.geometry[geometry]
    points = trimesh.transform_points(mesh.vertices, HALF_TURN @ camera @ world)
    assert overlap(drawn(points, mesh.faces, focal), mask) > (0.98 if named else 0.93)


def test_the_photos_camera_leaves_an_objects_mesh_as_it_is() -> None:
    before = glb.encode(painted(SHAPES["Arms"], RED, textured=True), "Arms")
    after = as_in_photo(before, POSES["Arms"], Box(-0.1, -0.1, 0.1, 0.1), PHOTO)
    assert after[28 + struct.unpack_from("<I", after, 12)[0] :] in before
    assert document(after)["nodes"][0] == document(before)["nodes"][0]
    behind = POSES["Arms"].model_copy(update={"translation": (0.5, -0.1, -3.0)})
    assert as_in_photo(before, behind, Box(-0.1, -0.1, 0.1, 0.1), PHOTO) == before


def test_the_scene_stands_upright_on_the_ground(tmp_path: Path) -> None:
    """A camera that looks down sees all objects lean; in the scene they stand."""
    down = {
        name: posed([1, 0, 0], 30, [0.4 * k, 0, 3.0], 0.5, field_of_view=VIEW)
        for k, name in enumerate(SHAPES, -1)
    }
    data = compose(members(tmp_path, dict(down)), PHOTO).files["glb"]
    loaded = trimesh.load_scene(io.BytesIO(data), file_type="glb", process=False)
    assert loaded.bounds[0, 1] == pytest.approx(0, abs=1e-4)
    assert loaded.bounds[1, 1] == pytest.approx(
        0.5 * (0.9 + 0.45)
    )  # from the arms' foot to the cone's tip
    check_poses(data, down)


def test_what_lies_on_its_side_does_not_turn_the_others_over(tmp_path: Path) -> None:
    poses = {**POSES, "Ring": posed([0, 0, 1], 90, [-0.6, 0.2, 2.4], 0.5, field_of_view=VIEW)}
    poses = {
        name: pose if name == "Ring" else posed([1, 0, 0], 20, [0.3, 0, 3], 0.5, field_of_view=VIEW)
        for name, pose in poses.items()
    }
    nodes = document(compose(members(tmp_path, dict(poses)), PHOTO).files["glb"])["nodes"]
    for node in nodes[::2]:
        up = Rotation.from_quat(node["rotation"]).apply([0, 1, 0])
        np.testing.assert_allclose(up, [0, 1, 0], atol=1e-6)


def test_meshes_are_taken_over_as_they_are(tmp_path: Path, scene: Composed) -> None:
    together = scene.files["glb"]
    told = document(together)
    assert [node["name"] for node in told["nodes"]] == ["Arms", "Ring", "Cone", "Photo"]
    start = 28 + struct.unpack_from("<I", together, 12)[0]
    for k, member in enumerate(members(tmp_path, dict(POSES))):
        alone, own = member.glb, document(member.glb)
        own_start = 28 + struct.unpack_from("<I", alone, 12)[0]

        def content(data: bytes, begin: int, view: dict[str, int]) -> bytes:
            first = begin + view["byteOffset"]
            return data[first : first + view["byteLength"]]

        mine, its = told["meshes"][k]["primitives"][0], own["meshes"][0]["primitives"][0]
        pairs = [(mine["indices"], its["indices"])]
        pairs += [(mine["attributes"][name], number) for name, number in its["attributes"].items()]
        for here, there in pairs:
            accessor, before = told["accessors"][here], own["accessors"][there]
            assert content(together, start, told["bufferViews"][accessor["bufferView"]]) == content(
                alone, own_start, own["bufferViews"][before["bufferView"]]
            )
            assert {**accessor, "bufferView": 0} == {**before, "bufferView": 0}
        material, plain = told["materials"][mine["material"]], own["materials"][0]
        for which in ("normalTexture", "baseColorTexture"):
            holder, its_own = (
                (m if which == "normalTexture" else m["pbrMetallicRoughness"])
                for m in (material, plain)
            )
            assert (which in holder) == (which in its_own) == (k != 1)
            if which in holder:
                image, before = (
                    document_["images"][document_["textures"][textured[which]["index"]]["source"]]
                    for document_, textured in ((told, holder), (own, its_own))
                )
                assert content(
                    together, start, told["bufferViews"][image["bufferView"]]
                ) == content(alone, own_start, own["bufferViews"][before["bufferView"]])


@pytest.mark.skipif(shutil.which("node") is None, reason="the Khronos validator runs in Node")
def test_the_khronos_validator_is_silent(tmp_path: Path, scene: Composed) -> None:
    alone = glb.encode(painted(SHAPES["Arms"], RED, textured=True), "Arms")
    alone = as_in_photo(alone, POSES["Arms"], Box(-0.1, -0.1, 0.1, 0.1), PHOTO)
    for data in (scene.files["glb"], alone):
        (tmp_path / "scene.glb").write_bytes(data)
        asked = ["node", str(HERE / "validate.cjs"), str(tmp_path / "scene.glb")]
        report = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
        assert report["issues"]["messages"] == []


def camera_of(data: bytes) -> np.ndarray:
    """From the scene to PyTorch3D's camera."""
    node = document(data)["nodes"][-1]
    x, y, z, w = node["rotation"]
    world = trimesh.transformations.quaternion_matrix([w, x, y, z])
    world[:3, 3] = node["translation"]
    return np.asarray(HALF_TURN @ np.linalg.inv(world))


def test_gaussians_stand_where_the_meshes_do(tmp_path: Path, scene: Composed) -> None:
    (tmp_path / "scene.ply").write_bytes(scene.files["ply"])
    (tmp_path / "scene.spz").write_bytes(scene.files["spz"])
    ply, spz = read_splat(tmp_path / "scene.ply"), read_splat(tmp_path / "scene.spz")
    up = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]])  # the PLY is Z up, the SPZ Y up
    np.testing.assert_allclose(ply.centers @ up.T, spz.centers, atol=1e-4)
    np.testing.assert_allclose(ply.colors, spz.colors, atol=0.01)
    np.testing.assert_allclose(ply.opacities, spz.opacities, atol=0.003)
    np.testing.assert_allclose(np.log(ply.scales), np.log(spz.scales), atol=0.04)
    to_camera = camera_of(scene.files["glb"])
    for k, (name, pose) in enumerate(POSES.items()):
        own = read_splat_of(tmp_path, SHAPES[name])
        wanted = trimesh.transform_points(own.centers, matrix(pose))
        found = trimesh.transform_points(spz.centers[2000 * k : 2000 * (k + 1)], to_camera)
        np.testing.assert_allclose(found, wanted, atol=2e-3)


def read_splat_of(folder: Path, shape: trimesh.Trimesh) -> Any:
    write_splat(folder / "own.ply", cloud(shape, 2000))
    return read_splat(folder / "own.ply")


def test_a_gaussian_turns_with_its_object(tmp_path: Path) -> None:
    """Its covariance is the pose's linear part about that of before."""
    lot = np.random.default_rng(3)
    turns = lot.normal(size=(200, 4)).astype(np.float32)
    sizes = lot.uniform(0.01, 0.2, (200, 3)).astype(np.float32)
    places = lot.uniform(-0.5, 0.5, (200, 3)).astype(np.float32)
    splat = replace(
        on_surface(places, np.full_like(places, 0.5), 0.1),
        rotations=turns / np.linalg.norm(turns, axis=1, keepdims=True),
        scales=sizes,
    )
    one = members(tmp_path, dict(POSES))[0]
    write_splat(tmp_path / "splat.ply", splat)
    composed = compose([replace(one, splat=(tmp_path / "splat.ply").read_bytes())], PHOTO)
    (tmp_path / "scene.spz").write_bytes(composed.files["spz"])
    found = read_splat(tmp_path / "scene.spz")
    linear = np.linalg.inv(camera_of(composed.files["glb"]))[:3, :3] @ matrix(POSES["Arms"])[:3, :3]

    def spread(quaternions: np.ndarray, deviations: np.ndarray) -> np.ndarray:
        axes = Rotation.from_quat(quaternions[:, [1, 2, 3, 0]]).as_matrix() * deviations[:, None]
        return np.asarray(axes @ axes.transpose(0, 2, 1))

    wanted = linear @ spread(splat.rotations, splat.scales) @ linear.T
    got = spread(found.rotations, found.scales)
    size = np.trace(wanted, axis1=1, axis2=2)
    assert (np.abs(got - wanted).max(axis=(1, 2)) / size).max() < 0.07  # scales are kept to 3 %


def test_spz_keeps_what_it_says_it_keeps(tmp_path: Path) -> None:
    """Read by GaussForge: places to half a step, turns to a quarter of a degree."""
    lot = np.random.default_rng(0)
    turns = lot.normal(size=(5000, 4))
    gaussians = Gaussians(
        lot.uniform(-60, 60, (5000, 3)).astype(np.float32),
        lot.uniform(-1.5, 1.5, (5000, 3)).astype(np.float32),
        np.append(lot.normal(0, 3, 4999), np.inf).astype(np.float32),
        lot.uniform(-8, 0, (5000, 3)).astype(np.float32),
        (turns / np.linalg.norm(turns, axis=1, keepdims=True)).astype(np.float32),
    )
    read = gaussforge.GaussForge().convert(pack(gaussians), "spz", "ply")
    back = _columns(bytes(read["data"]))
    np.testing.assert_allclose(back["places"], gaussians.places, atol=2**-17 + 1e-5)
    alike = np.abs((back["rotations"] * gaussians.rotations).sum(axis=1)).clip(0, 1)
    assert np.degrees(2 * np.arccos(alike)).max() < 0.3


def _columns(ply: bytes) -> dict[str, np.ndarray]:
    head, _, body = ply.partition(b"end_header\n")
    names = [line.split()[-1] for line in head.decode().splitlines() if line.startswith("property")]
    rows = np.frombuffer(body, "<f4").reshape(-1, len(names))
    pick = {name: rows[:, k] for k, name in enumerate(names)}
    turns = np.stack([pick[f"rot_{k}"] for k in range(4)], axis=1)
    return {
        "places": np.stack([pick[name] for name in "xyz"], axis=1),
        "rotations": turns / np.linalg.norm(turns, axis=1, keepdims=True),
    }


def test_a_foreign_splat_is_named(tmp_path: Path) -> None:
    one = members(tmp_path, dict(POSES))[0]
    with pytest.raises(InvalidSplat, match="another layout"):
        compose([replace(one, splat=b"ply\nend_header\n")], PHOTO)


# Without a pose, or without its depth


def boxes() -> dict[str, Box]:
    return {name: mask_box(mask_of(name, pose)) for name, pose in POSES.items()}


def test_objects_without_a_pose_stand_where_their_masks_are(tmp_path: Path) -> None:
    nobody: dict[str, Pose | None] = dict.fromkeys(POSES)
    scene = compose(members(tmp_path, nobody, mask=boxes()), PHOTO)
    assert scene.placed == ("mask",) * 3
    data = scene.files["glb"]
    told = document(data)
    assert [node.get("extras", {}).get("placed") for node in told["nodes"]] == ["mask"] * 3 + [None]
    focal = 240 / math.tan(told["cameras"][0]["perspective"]["yfov"] / 2)
    distances = []
    for name, found in placed_in(data).items():
        points = trimesh.transform_points(SHAPES[name].vertices, HALF_TURN @ found @ to_mesh(name))
        box = mask_box(drawn(points, SHAPES[name].faces, focal))
        wanted = boxes()[name]
        assert box.size == pytest.approx(wanted.size, rel=0.02)
        np.testing.assert_allclose(box.middle, wanted.middle, atol=0.01)
        distances.append((points[:, 2].min() + points[:, 2].max()) / 2)
    np.testing.assert_allclose(distances, distances[0], rtol=1e-6)


def test_a_pose_without_depth_keeps_its_turn_and_its_outline(tmp_path: Path) -> None:
    """Three cameras, three measures: in the scene one, and each outline as it was."""
    views = dict(zip(POSES, map(math.radians, (35, 50, 65)), strict=True))
    guessed, masks = {}, {}
    for k, (name, pose) in enumerate(POSES.items()):
        pose = pose.model_copy(update={"field_of_view": views[name], "shared_depth": False})
        focal = 320 / math.tan(views[name] / 2)
        shape = SHAPES[name]
        masks[name] = drawn(
            trimesh.transform_points(shape.vertices, matrix(pose)), shape.faces, focal
        )
        times = 3.0**k  # no measure of its own
        guessed[name] = pose.model_copy(
            update={
                "scale": tuple(times * s for s in pose.scale),
                "translation": tuple(times * t for t in pose.translation),
            }
        )
    scene = compose(members(tmp_path, dict(guessed)), PHOTO)
    assert scene.placed == ("mask",) * 3
    assert max(scene.heights) < 2
    data = scene.files["glb"]
    focal = 240 / math.tan(document(data)["cameras"][0]["perspective"]["yfov"] / 2)
    for name, found in placed_in(data).items():
        points = trimesh.transform_points(SHAPES[name].vertices, HALF_TURN @ found @ to_mesh(name))
        # Perspective within an object differs with the lens; its place and size do not.
        assert overlap(drawn(points, SHAPES[name].faces, focal), masks[name]) > 0.88


def test_a_camera_that_nobody_named_is_found_by_masks_and_poses(tmp_path: Path) -> None:
    unnamed = {
        name: pose.model_copy(update={"field_of_view": None}) for name, pose in POSES.items()
    }
    scene = compose(members(tmp_path, dict(unnamed), mask=boxes()), PHOTO)
    yfov = document(scene.files["glb"])["cameras"][0]["perspective"]["yfov"]
    assert 240 / math.tan(yfov / 2) == pytest.approx(FOCAL, rel=0.02)


@pytest.mark.parametrize(
    "pose",
    [
        Pose(rotation=(1, 0, 0, 0), translation=(0, 0, 1), scale=(1, 2, 1)),
        Pose(rotation=(0, 0, 0, 0), translation=(0, 0, 1), scale=(1, 1, 1)),
        Pose(rotation=(1, 0, 0, 0), translation=(0, 0, math.nan), scale=(1, 1, 1)),
        Pose(rotation=(1, 0, 0, 0), translation=(0, 0, -3), scale=(1, 1, 1)),
    ],
    ids=["uneven", "no turn", "no number", "behind"],
)
def test_a_pose_that_cannot_be_is_none(pose: Pose) -> None:
    box = Box(-0.2, -0.2, 0.2, 0.2)
    layout = place([Thing(SHAPES["Cone"].vertices, pose, box)], PHOTO)
    assert layout.places[0].placed == "mask"
    assert np.isfinite(layout.places[0].move.translation).all()


# Size


def test_one_known_height_makes_metres_of_all(tmp_path: Path) -> None:
    scene = compose(members(tmp_path, dict(POSES), height={"Cone": 0.81}), PHOTO)
    assert scene.metres
    cone = 0.9 * 1.3  # as its pose has it
    times = 0.81 / cone
    for name, height in zip(POSES, scene.heights, strict=True):
        own = float(np.ptp(SHAPES[name].vertices[:, 2])) * POSES[name].scale[0]
        assert height == pytest.approx(times * own, rel=1e-6)
    assert scene.heights[2] == pytest.approx(0.81)
    larger = {
        name: pose.model_copy(
            update={
                "scale": tuple(times * s for s in pose.scale),
                "translation": tuple(times * t for t in pose.translation),
            }
        )
        for name, pose in POSES.items()
    }
    check_poses(scene.files["glb"], larger)
    assert document(scene.files["glb"])["asset"]["extras"]["unit"] == "metre"


def metric(pose: Pose) -> Pose:
    return pose.model_copy(update={"metric": True})


def test_poses_in_metres_make_metres_of_the_scene(tmp_path: Path) -> None:
    """Objects stand as far from each other as they were measured, and no height is asked for."""
    scene = compose(members(tmp_path, {name: metric(pose) for name, pose in POSES.items()}), PHOTO)
    free = compose(members(tmp_path, dict(POSES)), PHOTO)
    assert scene.metres
    assert not free.metres
    assert scene.heights == pytest.approx(free.heights)  # the poses' own numbers
    assert scene.placed == ("pose",) * 3


def test_a_height_that_is_said_outweighs_them(tmp_path: Path) -> None:
    poses: dict[str, Pose | None] = {name: metric(pose) for name, pose in POSES.items()}
    scene = compose(members(tmp_path, poses, height={"Cone": 0.81}), PHOTO)
    assert scene.metres
    assert scene.heights[2] == pytest.approx(0.81)


def test_beside_metres_another_measure_is_a_guess(tmp_path: Path) -> None:
    """One whose distance was not measured is drawn up to the others, by the camera."""
    far = POSES["Cone"].model_copy(
        update={"translation": (-10.0, -50.0, 400.0), "scale": (130.0,) * 3}
    )
    poses = {"Arms": metric(POSES["Arms"]), "Ring": metric(POSES["Ring"]), "Cone": far}
    scene = compose(members(tmp_path, dict(poses)), PHOTO)
    assert scene.metres
    assert scene.placed == ("pose", "pose", "mask")
    assert max(scene.heights) < 5


def test_heights_of_objects_without_depth_tell_how_far_they_are(tmp_path: Path) -> None:
    apart = {name: pose.model_copy(update={"shared_depth": False}) for name, pose in POSES.items()}
    known = {"Arms": 0.9, "Cone": 2.0}
    scene = compose(members(tmp_path, dict(apart), height=known), PHOTO)
    assert scene.metres
    assert scene.heights[0] == pytest.approx(0.9)
    assert scene.heights[2] == pytest.approx(2.0)
    found = placed_in(scene.files["glb"])
    away = [-(found[name] @ np.linalg.inv(np.eye(4)))[2, 3] for name in found]
    assert away[0] < away[1] < away[2]  # the ring, of which nothing is known, stands between


# Truth


def perfect(name: str) -> tuple[ColouredMesh, np.ndarray, np.ndarray]:
    mask = mask_of(name, POSES[name])
    photo = np.full((*mask.shape, 3), 30, np.uint8)
    photo[mask] = np.round(np.array(RED) * 255)
    return painted(SHAPES[name], RED, textured=True), mask, photo


@pytest.mark.parametrize("name", list(POSES))
def test_a_perfect_engine_is_true(name: str) -> None:
    coloured, mask, photo = perfect(name)
    found = truth(coloured, POSES[name], mask, photo[::2, ::2])
    assert found is not None
    assert found.silhouette > 0.95
    assert found.colour == pytest.approx(1, abs=0.02)


def test_a_wrong_turn_a_wrong_size_and_a_wrong_colour_are_less_true() -> None:
    coloured, mask, photo = perfect("Arms")
    pose = POSES["Arms"]
    turned = posed([0, 1, 0.2], 130, [0.5, -0.1, 3.0], 0.8, field_of_view=VIEW)
    larger = pose.model_copy(update={"scale": (1.1,) * 3})
    for wrong in (turned, larger):
        found = truth(coloured, wrong, mask, photo)
        assert found is not None
        assert found.silhouette < 0.8
    other = truth(painted(SHAPES["Arms"], BLUE, textured=True), pose, mask, photo)
    assert other is not None
    assert other.silhouette > 0.95
    assert other.colour is not None
    assert other.colour < 0.7


def test_what_is_beside_the_photo_or_behind_it_has_no_truth() -> None:
    coloured, mask, photo = perfect("Arms")
    behind = POSES["Arms"].model_copy(update={"translation": (0, 0, -3)})
    assert truth(coloured, behind, mask, photo) is None
    aside = POSES["Arms"].model_copy(update={"translation": (30, 0, 3)})
    found = truth(coloured, aside, mask, photo)
    assert found is not None
    assert found.silhouette == 0
    assert found.colour is None
