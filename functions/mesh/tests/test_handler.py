"""The Lambda handler against an S3 in process."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import numpy as np
import pytest
import trimesh
from botocore.exceptions import ClientError
from moto import mock_aws
from PIL import Image

from gen3d.contract import Pose
from gen3d.errors import DependencyUnavailable, EmptySurface, InputMissing, SplatTooLarge
from gen3d.formats import MESH_FORMATS, SCENE_FORMATS, SPLAT_FORMATS
from gen3d.options import MeshOptions, Options
from gen3d_aws import clients
from gen3d_mesh import handler
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.pipeline import QUALITIES, Quality
from gen3d_mesh.preview import render
from gen3d_mesh.read import read_splat
from gen3d_mesh.sample import ball, write_splat
from gen3d_mesh.scene.compose import compose
from gen3d_mesh.scene.glb_file import Glb
from gen3d_mesh.write import PRINTED_ENDINGS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

EVENT = {
    **json.loads((Path(__file__).parents[3] / "events/mesh/object.json").read_text()),
    "options": {"mesh": {"quality": "fast"}},
}
CONTEXT = SimpleNamespace(
    function_name="mesh",
    memory_limit_in_mb=3008,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:mesh",
    aws_request_id="1",
)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        clients.client.cache_clear()
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=EVENT["bucket"])
        yield s3
    clients.client.cache_clear()


def test_writes_all_files_and_answers_figures(bucket: "S3Client", tmp_path: Path) -> None:
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    answer = json.loads(json.dumps(handler.handler(EVENT, CONTEXT)))
    assert set(answer["files"]) == {*MESH_FORMATS, *SPLAT_FORMATS, "preview"}
    types = {}
    for kind, file in answer["files"].items():
        head = bucket.head_object(Bucket=EVENT["bucket"], Key=file["key"])
        assert head["ContentLength"] == file["bytes"] > 1000
        types[kind] = head["ContentType"]
    assert types["glb"] == "model/gltf-binary"
    offered = (MESH_FORMATS | SPLAT_FORMATS).items()
    assert types == {kind: file.media_type for kind, file in offered} | {"preview": "image/png"}
    assert answer["files"]["glb"]["key"] == EVENT["prefix"] + "mesh.glb"
    assert answer["watertight"] is True
    assert answer["components"] == 1
    assert answer["gaussians"] == 10_000


@pytest.mark.parametrize("height", [None, 120])
def test_the_small_splat_lies_where_the_glb_has_its_mesh(
    bucket: "S3Client", tmp_path: Path, height: int | None
) -> None:
    cloud = ball(10_000)
    # Off the middle, and of no two sides alike.
    shifted = replace(cloud, centers=(cloud.centers * (1, 0.6, 0.4) + (0.2, 0.1, -0.3)))
    write_splat(tmp_path / "splat.ply", shifted)
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    options = {"mesh": {"quality": "fast", "height": height}}
    answer: Any = handler.handler({**EVENT, "options": options}, CONTEXT)
    for kind in ("glb", "spz"):
        file = tmp_path / f"made.{kind}"
        bucket.download_file(EVENT["bucket"], answer["files"][kind]["key"], str(file))
    mesh = trimesh.load(tmp_path / "made.glb", force="mesh")
    splat = read_splat(tmp_path / "made.spz")
    size = np.ptp(mesh.bounds, axis=0)
    if height is not None:
        assert size[1] == pytest.approx(height / 1000, rel=1e-3)
    found = np.stack([splat.centers.min(axis=0), splat.centers.max(axis=0)])
    # SPZ is Y up as the GLB is, and what reads splats leaves them as they are.
    np.testing.assert_allclose(found, mesh.bounds, atol=0.03 * size.max())
    assert answer["files"]["spz"]["bytes"] < 0.3 * (tmp_path / "splat.ply").stat().st_size


def test_a_splat_of_another_layout_has_a_mesh_all_the_same(
    bucket: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    monkeypatch.setattr("gen3d_mesh.scene.together.PROPERTIES", ("x", "y", "z"))
    answer: Any = handler.handler(EVENT, CONTEXT)
    assert set(answer["files"]) == {*MESH_FORMATS, "preview"}


def test_a_format_whose_library_is_missing_costs_its_file_alone(
    bucket: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pxr", None)
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    answer: Any = handler.handler(EVENT, CONTEXT)
    assert {*MESH_FORMATS, *SPLAT_FORMATS} - set(answer["files"]) == {"usdz"}


def test_options_are_followed(bucket: "S3Client", tmp_path: Path) -> None:
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    chosen = {"engine": {"seed": 7}, "mesh": {"quality": "fast", "faces": 1000, "texture": 512}}
    answer: Any = handler.handler({**EVENT, "options": chosen}, CONTEXT)
    assert 500 < answer["faces"] <= 1000
    assert "texture" in answer["timings"]  # of which the quality has none


@pytest.mark.parametrize(
    ("options", "quality"),
    [
        (MeshOptions(), QUALITIES["standard"]),
        (MeshOptions(quality="fast"), QUALITIES["preview"]),
        (MeshOptions(quality="fine"), QUALITIES["fine"]),
        (
            MeshOptions(quality="fine", faces=5000, texture=1024),
            replace(QUALITIES["fine"], faces=5000, texels=1024),
        ),
    ],
)
def test_a_quality_is_the_pipelines_but_for_what_is_chosen(
    options: MeshOptions, quality: Quality
) -> None:
    assert handler._quality(options) == quality


def test_an_execution_from_before_options_sends_none() -> None:
    sent = {key: value for key, value in EVENT.items() if key != "options"}
    assert handler.ObjectEvent.model_validate(sent).options == Options()


def test_missing_splat_is_named(bucket: "S3Client") -> None:
    with pytest.raises(InputMissing):
        handler.handler(EVENT, CONTEXT)


def test_unusable_splat_is_named_and_writes_nothing(bucket: "S3Client", tmp_path: Path) -> None:
    write_splat(tmp_path / "splat.ply", ball(20))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    with pytest.raises(EmptySurface):
        handler.handler(EVENT, CONTEXT)
    listed = bucket.list_objects_v2(Bucket=EVENT["bucket"])
    assert [file["Key"] for file in listed["Contents"]] == [EVENT["splat"]]


def keys(s3: "S3Client") -> list[str]:
    return [file["Key"] for file in s3.list_objects_v2(Bucket=EVENT["bucket"]).get("Contents", [])]


def test_nothing_is_written_for_a_job_that_was_deleted_meanwhile(
    bucket: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render_while_it_is_deleted(coloured: ColouredMesh) -> bytes:
        bucket.delete_object(Bucket=EVENT["bucket"], Key=EVENT["splat"])
        return render(coloured)

    monkeypatch.setattr(handler, "render", render_while_it_is_deleted)
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    with pytest.raises(InputMissing, match="gone"):
        handler.handler(EVENT, CONTEXT)
    assert keys(bucket) == []


def test_a_file_that_is_too_large_is_not_fetched(
    bucket: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "MAX_BYTES", 10 * 2**20)
    bucket.put_object(Bucket=EVENT["bucket"], Key=EVENT["splat"], Body=bytes(10 * 2**20 + 1))
    with pytest.raises(SplatTooLarge, match="has 10 MB; at most 10 MB"):
        handler.handler(EVENT, CONTEXT)


def test_a_busy_s3_is_a_fault_that_passes(
    bucket: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_down(**_: object) -> None:
        answer = {"ResponseMetadata": {"HTTPStatusCode": 503}, "Error": {"Code": "SlowDown"}}
        raise ClientError(answer, "HeadObject")  # type: ignore[arg-type]

    monkeypatch.setattr(handler._s3(), "head_object", slow_down)
    with pytest.raises(DependencyUnavailable):
        handler.handler(EVENT, CONTEXT)


# A height that somebody said


@pytest.mark.parametrize("ending", ["glb", "obj", "stl", "ply"])
def test_a_known_height_is_that_of_every_file(
    ending: str, bucket: "S3Client", tmp_path: Path
) -> None:
    """In metres, and in millimetres where it is printed."""
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    chosen = {"mesh": {"quality": "fast", "faces": 2000, "height": 810}}
    answer: Any = handler.handler({**EVENT, "options": chosen}, CONTEXT)
    file = bucket.get_object(Bucket=EVENT["bucket"], Key=answer["files"][ending]["key"])
    scene = trimesh.load_scene(io.BytesIO(file["Body"].read()), file_type=ending, process=False)
    up = 2 if ending in ("stl", "ply") else 1
    metres = 0.001 if ending in PRINTED_ENDINGS else 1
    assert np.ptp(scene.bounds, axis=0)[up] * metres == pytest.approx(0.81, rel=1e-3)


# Held against the photo

FOCAL = 64
VIEW = 2 * np.arctan(32 / FOCAL)
AHEAD = Pose(  # Z up before a camera that looks along +Y
    rotation=(0, 0, np.sqrt(0.5), np.sqrt(0.5)),
    translation=(0, 0, 3),
    scale=(1, 1, 1),
    field_of_view=float(VIEW),
)
POSE_IN_METRES = Pose(
    rotation=(1, 0, 0, 0), translation=(0, 0, 3), scale=(0.3, 0.3, 0.3), metric=True
)


@pytest.mark.parametrize("ending", [ending for ending in MESH_FORMATS if ending in ("glb", "stl")])
def test_a_pose_in_metres_sizes_every_file(ending: str, bucket: "S3Client", tmp_path: Path) -> None:
    """A ball of 1 in its own frame is 30 cm high, unless somebody said its height."""
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    pose = POSE_IN_METRES.model_dump()
    for said, metres in ((None, 0.3), (810, 0.81)):
        chosen = {"mesh": {"quality": "fast", "faces": 2000, "height": said}}
        answer: Any = handler.handler({**EVENT, "pose": pose, "options": chosen}, CONTEXT)
        assert answer["height"] == pytest.approx(metres, rel=0.03)
        body = bucket.get_object(Bucket=EVENT["bucket"], Key=answer["files"][ending]["key"])
        scene = trimesh.load(io.BytesIO(body["Body"].read()), file_type=ending)
        printed = 1000 if ending in PRINTED_ENDINGS else 1
        up = 2 if ending == "stl" else 1
        height = np.ptp(scene.bounds, axis=0)[up]
        assert height == pytest.approx(answer["height"] * printed, rel=1e-4)


@pytest.mark.parametrize(
    "pose",
    [
        None,
        POSE_IN_METRES.model_copy(update={"metric": False}),
        POSE_IN_METRES.model_copy(update={"scale": (0.3, 0.6, 0.3)}),
        POSE_IN_METRES.model_copy(update={"scale": (float("nan"),) * 3}),
    ],
)
def test_nothing_else_knows_metres(pose: Pose | None, bucket: "S3Client", tmp_path: Path) -> None:
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    told = None if pose is None else pose.model_dump()
    answer: Any = handler.handler({**EVENT, "pose": told}, CONTEXT)
    assert "height" not in answer


PHOTO = {"key": EVENT["prefix"].replace("objects/0/", "image.png"), "width": 64, "height": 48}


def photo_and_mask(s3: "S3Client", prefix: str, middle: float) -> None:
    """A ball of diameter 1 three units away: red above, blue below."""
    columns, rows = np.meshgrid(np.arange(64) + 0.5 - middle, np.arange(48) + 0.5 - 24)
    radius = FOCAL * 0.5 / np.sqrt(3**2 - 0.5**2)
    disc = np.hypot(columns, rows) < radius
    photo = np.full((48, 64, 3), 120, np.uint8)
    photo[disc] = (51, 51, 230)
    photo[disc & (rows < 0)] = (230, 51, 51)
    for key, picture in ((PHOTO["key"], photo), (prefix + "mask.png", disc)):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        s3.put_object(Bucket=EVENT["bucket"], Key=key, Body=file.getvalue())


@pytest.mark.parametrize(("middle", "true"), [(32, True), (40, False)])
def test_an_object_is_held_against_its_photo(
    middle: float, true: bool, bucket: "S3Client", tmp_path: Path
) -> None:
    write_splat(tmp_path / "splat.ply", ball(20_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    photo_and_mask(bucket, EVENT["prefix"], middle)
    event = {**EVENT, "photo": PHOTO, "pose": AHEAD.model_dump()}
    answer: Any = handler.handler(event, CONTEXT)
    found = answer["truth"]
    assert (found["silhouette"] > 0.9) is true
    assert found["colour"] > 0.85
    assert found["score"] == pytest.approx(found["silhouette"] * found["colour"], abs=1e-3)
    assert "truth" in answer["timings"]
    body = bucket.get_object(Bucket=EVENT["bucket"], Key=answer["files"]["glb"]["key"])
    loaded = trimesh.load_scene(io.BytesIO(body["Body"].read()), file_type="glb")
    eye = loaded.graph.get("Photo")[0]
    assert np.allclose(eye[:3, 3], (0, 0, 3), atol=0.02)  # as far before its front, which is +Z


def test_what_one_of_several_seeds_made_is_held_against_the_objects_mask(
    bucket: "S3Client", tmp_path: Path
) -> None:
    folder = EVENT["prefix"] + "seeds/7/"
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], folder + "splat.ply")
    photo_and_mask(bucket, EVENT["prefix"], 32)
    mask = EVENT["prefix"] + "mask.png"
    event = {**EVENT, "photo": PHOTO, "pose": AHEAD.model_dump(), "prefix": folder, "mask": mask}
    answer: Any = handler.handler({**event, "splat": folder + "splat.ply"}, CONTEXT)
    assert answer["truth"]["silhouette"] > 0.9
    assert answer["files"]["glb"]["key"] == folder + "mesh.glb"


@pytest.mark.parametrize("missing", ["image.png", "mask.png"])
def test_what_cannot_be_held_against_its_photo_is_made_all_the_same(
    missing: str, bucket: "S3Client", tmp_path: Path
) -> None:
    write_splat(tmp_path / "splat.ply", ball(10_000))
    bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], EVENT["splat"])
    photo_and_mask(bucket, EVENT["prefix"], 32)
    (gone,) = [key for key in keys(bucket) if key.endswith(missing)]
    bucket.delete_object(Bucket=EVENT["bucket"], Key=gone)
    event = {**EVENT, "photo": PHOTO, "pose": AHEAD.model_dump()}
    answer: Any = handler.handler(event, CONTEXT)
    assert answer["truth"] is None
    body = bucket.get_object(Bucket=EVENT["bucket"], Key=answer["files"]["glb"]["key"])
    nodes = Glb.read(body["Body"].read()).document["nodes"]
    assert (nodes[-1]["name"] == "Photo") is (missing != "mask.png")


# All objects together


def scene_event(poses: list[Pose | None]) -> dict[str, Any]:
    prefix = EVENT["prefix"].removesuffix("objects/0/")
    return {
        "task": "scene",
        "jobId": EVENT["jobId"],
        "bucket": EVENT["bucket"],
        "prefix": prefix,
        "photo": PHOTO,
        "objects": [
            {"n": n, "name": f"Ball {n}", "pose": pose and pose.model_dump()}
            for n, pose in enumerate(poses)
        ],
    }


@pytest.fixture
def balls(bucket: "S3Client", tmp_path: Path) -> "S3Client":
    """Two objects of a job, as the mesh step has made them."""
    for n in (0, 1):
        prefix = EVENT["prefix"].replace("objects/0/", f"objects/{n}/")
        write_splat(tmp_path / "splat.ply", ball(5_000))
        bucket.upload_file(str(tmp_path / "splat.ply"), EVENT["bucket"], prefix + "splat.ply")
        photo_and_mask(bucket, prefix, 20 + 24 * n)
        handler.handler({**EVENT, "splat": prefix + "splat.ply", "prefix": prefix}, CONTEXT)
    return bucket


def test_a_scene_is_written_with_all_that_is_told_of_it(balls: "S3Client") -> None:
    aside = AHEAD.model_copy(update={"translation": (0.5, 0, 3)})
    event = scene_event([AHEAD, aside])
    answer = json.loads(json.dumps(handler.handler(event, CONTEXT)))
    assert set(answer["files"]) == {*SCENE_FORMATS, "preview"}
    for kind, file in answer["files"].items():
        head = balls.head_object(Bucket=EVENT["bucket"], Key=file["key"])
        assert head["ContentLength"] == file["bytes"] > 1000
        wanted = SCENE_FORMATS[kind].media_type if kind in SCENE_FORMATS else "image/png"
        assert head["ContentType"] == wanted
    assert answer["files"]["glb"]["key"] == event["prefix"] + "scene.glb"
    assert answer["files"]["preview"]["key"] == event["prefix"] + "scene.png"
    assert answer["metres"] is False
    assert [(o["n"], o["placed"]) for o in answer["objects"]] == [(0, "pose"), (1, "pose")]
    assert [o["height"] for o in answer["objects"]] == pytest.approx([1, 1], rel=0.02)


def test_an_object_that_was_kept_among_several_is_taken_from_its_folder(
    balls: "S3Client",
) -> None:
    event = scene_event([AHEAD, None])
    folder = f"{event['prefix']}objects/1/"
    for name in ("mesh.glb", "splat.ply"):
        bucket, key = EVENT["bucket"], f"{folder}{name}"
        source: CopySourceTypeDef = {"Bucket": bucket, "Key": key}
        balls.copy_object(Bucket=bucket, Key=f"{folder}seeds/7/{name}", CopySource=source)
        balls.delete_object(Bucket=bucket, Key=key)
    event["objects"][1]["folder"] = "seeds/7/"
    answer: Any = handler.handler(event, CONTEXT)
    assert set(answer["files"]) == {*SCENE_FORMATS, "preview"}


def test_objects_without_a_pose_are_placed_by_their_masks(balls: "S3Client") -> None:
    answer: Any = handler.handler(scene_event([None, None]), CONTEXT)
    assert [o["placed"] for o in answer["objects"]] == ["mask", "mask"]
    file = balls.get_object(Bucket=EVENT["bucket"], Key=answer["files"]["glb"]["key"])
    scene = trimesh.load_scene(io.BytesIO(file["Body"].read()), file_type="glb", process=False)
    left, right = (scene.graph.get(f"Ball {n}")[0][:3, 3] for n in (0, 1))
    assert right[0] - left[0] == pytest.approx(24 / 22 * 1, rel=0.05)  # a ball is 22 pixels wide
    assert right[1:] == pytest.approx(left[1:], abs=0.02)


def test_of_a_job_that_was_deleted_meanwhile_no_scene_is_written(
    balls: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:

    def compose_while_it_is_deleted(*arguments: Any) -> Any:
        for key in keys(balls):
            balls.delete_object(Bucket=EVENT["bucket"], Key=key)
        return compose(*arguments)

    monkeypatch.setattr(handler, "compose", compose_while_it_is_deleted)
    with pytest.raises(InputMissing, match="gone"):
        handler.handler(scene_event([AHEAD, AHEAD]), CONTEXT)
    assert keys(balls) == []


@pytest.mark.parametrize("missing", ["objects/1/mesh.glb", "objects/0/splat.ply"])
def test_a_scene_lacks_no_object_silently(missing: str, balls: "S3Client") -> None:
    balls.delete_object(Bucket=EVENT["bucket"], Key=EVENT["prefix"].replace("objects/0/", missing))
    with pytest.raises(InputMissing):
        handler.handler(scene_event([AHEAD, AHEAD]), CONTEXT)
