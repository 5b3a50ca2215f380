"""The Lambda handler against an S3 in process."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from gen3d.errors import DependencyUnavailable, EmptySurface, InputMissing, SplatTooLarge
from gen3d.formats import MESH_FORMATS
from gen3d.options import MeshOptions, Options
from gen3d_aws import clients
from gen3d_mesh import handler
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.pipeline import QUALITIES, Quality
from gen3d_mesh.preview import render
from gen3d_mesh.sample import ball, write_splat

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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
    assert set(answer["files"]) == {*MESH_FORMATS, "preview"}
    types = {}
    for kind, file in answer["files"].items():
        head = bucket.head_object(Bucket=EVENT["bucket"], Key=file["key"])
        assert head["ContentLength"] == file["bytes"] > 1000
        types[kind] = head["ContentType"]
    assert types["glb"] == "model/gltf-binary"
    assert types == {kind: written.media_type for kind, written in MESH_FORMATS.items()} | {
        "preview": "image/png"
    }
    assert answer["files"]["glb"]["key"] == EVENT["prefix"] + "mesh.glb"
    assert answer["watertight"] is True
    assert answer["components"] == 1
    assert answer["gaussians"] == 10_000


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
