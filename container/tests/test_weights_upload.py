"""Weights come into the bucket whole, once, and with the manifest last."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gen3d.errors import OutputNotWritable
from gen3d_inference import weights, weights_upload
from tests.aws import bucket

BUCKET = "gen3d-weights"


@pytest.fixture
def s3() -> Iterator[Any]:
    with bucket(BUCKET) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sam3").mkdir()
    (tmp_path / "sam3" / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "LICENSE").write_text("The licence.")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "half").write_bytes(b"half a download")
    return tmp_path


def keys(s3: Any) -> set[str]:
    return {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def test_they_lie_where_the_endpoint_looks(folder: Path, s3: Any) -> None:
    manifest = weights.seal(folder, "sam")
    assert weights_upload.upload(folder, manifest, BUCKET, s3) == 2
    prefix = f"models/sam/{manifest.revision}/"
    assert keys(s3) == {prefix + n for n in ("sam3/model.safetensors", "LICENSE", "manifest.json")}
    read = s3.get_object(Bucket=BUCKET, Key=prefix + "manifest.json")["Body"].read()
    assert json.loads(read)["revision"] == manifest.revision
    body = s3.get_object(Bucket=BUCKET, Key=prefix + "sam3/model.safetensors")["Body"]
    assert body.read() == b"weights"


def test_what_is_there_is_not_sent_again(folder: Path, s3: Any) -> None:
    manifest = weights.seal(folder, "sam")
    weights_upload.upload(folder, manifest, BUCKET, s3)
    key = f"models/sam/{manifest.revision}/LICENSE"
    before = s3.head_object(Bucket=BUCKET, Key=key)["ETag"]
    assert weights_upload.upload(folder, manifest, BUCKET, s3) == 0
    assert s3.head_object(Bucket=BUCKET, Key=key)["ETag"] == before


@pytest.mark.parametrize("there", [b"WEIGHTS", b"weig"], ids=["other bytes", "fewer bytes"])
def test_what_is_there_but_differs_is_sent_again(folder: Path, s3: Any, there: bytes) -> None:
    manifest = weights.seal(folder, "sam")
    key = f"models/sam/{manifest.revision}/sam3/model.safetensors"
    s3.put_object(Bucket=BUCKET, Key=key, Body=there)
    assert weights_upload.upload(folder, manifest, BUCKET, s3) == 2
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"weights"


def test_a_large_file_goes_in_parts(folder: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_upload, "_PART_BYTES", 5 * 1024 * 1024)
    content = bytes(range(256)) * 4 * 1024 * 12
    (folder / "sam3" / "model.safetensors").write_bytes(content)
    manifest = weights.seal(folder, "sam")
    weights_upload.upload(folder, manifest, BUCKET, s3)
    key = f"models/sam/{manifest.revision}/sam3/model.safetensors"
    found = s3.get_object(Bucket=BUCKET, Key=key)
    assert found["ETag"].strip('"').endswith("-3")
    assert found["Body"].read() == content
    assert weights_upload.upload(folder, manifest, BUCKET, s3) == 0


def test_the_manifest_is_not_there_before_everything_is(folder: Path, s3: Any) -> None:
    manifest = weights.seal(folder, "sam")
    (folder / "sam3" / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError):
        weights_upload.upload(folder, manifest, BUCKET, s3)
    assert f"models/sam/{manifest.revision}/manifest.json" not in keys(s3)


def test_a_bucket_that_is_not_there_is_named(folder: Path, s3: Any) -> None:
    manifest = weights.seal(folder, "sam")
    with pytest.raises(OutputNotWritable, match="s3://elsewhere/models/sam/"):
        weights_upload.upload(folder, manifest, "elsewhere", s3)


@pytest.mark.usefixtures("s3")
def test_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert weights_upload.main([str(folder), "--bucket", BUCKET]) == 1
    assert "no manifest.json" in capsys.readouterr().err
    manifest = weights.seal(folder, "lite")
    assert weights_upload.main([str(folder), "--bucket", BUCKET]) == 0
    said = capsys.readouterr().out
    assert f"s3://{BUCKET}/models/lite/{manifest.revision}/" in said
    assert f"Engine=lite WeightsRevision={manifest.revision}" in said
    assert weights_upload.main([str(folder), "--bucket", "elsewhere"]) == 1
    assert "elsewhere" in capsys.readouterr().err
