"""Where things lie: the layout that the web app, the policies and the rules rely on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen3d import paths
from gen3d.formats import PHOTO_FORMATS
from tests.samples import load_event


def test_a_jobs_files_lie_as_documented() -> None:
    job = paths.JobFiles(paths.job_prefix("us-east-1:id", "JOB"))
    assert job.prefix == "private/us-east-1:id/jobs/JOB/"
    assert job.image("image/png") == "private/us-east-1:id/jobs/JOB/image.png"
    assert job.embeddings == "private/us-east-1:id/jobs/JOB/embeddings.safetensors"
    assert job.result == "private/us-east-1:id/jobs/JOB/result.json"
    third = job.object(2)
    assert third.mask == "private/us-east-1:id/jobs/JOB/objects/2/mask.png"
    assert third.splat == "private/us-east-1:id/jobs/JOB/objects/2/splat.ply"
    assert third.engine_mesh == "private/us-east-1:id/jobs/JOB/objects/2/engine.glb"
    beside = paths.ObjectFiles.beside(paths.uri("bucket", third.splat))
    assert beside.engine_mesh == paths.uri("bucket", third.engine_mesh)
    assert third.preview == "private/us-east-1:id/jobs/JOB/objects/2/preview.png"
    assert third.mesh("glb") == "private/us-east-1:id/jobs/JOB/objects/2/mesh.glb"


def test_a_browser_writes_into_a_folder_apart() -> None:
    uploads = paths.Uploads(paths.uploads_prefix("us-east-1:id", "JOB"))
    assert uploads.image("image/webp") == "uploads/us-east-1:id/jobs/JOB/image.webp"
    assert uploads.mask(2) == "uploads/us-east-1:id/jobs/JOB/mask-2.png"
    assert not uploads.prefix.startswith(paths.PRIVATE)


def test_the_mesh_functions_sample_event_lies_there_too() -> None:
    event = load_event("mesh/object")
    assert event["splat"] == paths.ObjectFiles(event["prefix"]).splat


@pytest.mark.parametrize("content_type", PHOTO_FORMATS)
def test_each_type_of_photo_has_an_ending(content_type: str) -> None:
    assert paths.JobFiles("p/").image(content_type).startswith("p/image.")


def test_the_decoder_lies_with_its_weights() -> None:
    assert paths.decoder("lite", "0123456789ab") == "models/lite/0123456789ab/decoder.onnx"


@given(st.from_regex(r"[a-z0-9.-]{3,20}", fullmatch=True), st.text(min_size=1))
def test_a_uri_comes_apart_as_it_was_put_together(bucket: str, key: str) -> None:
    assert paths.split_uri(paths.uri(bucket, key)) == (bucket, key)


@pytest.mark.parametrize("uri", ["", "s3://", "s3://b", "s3://b/", "s3:///k", "http://b/k", "b/k"])
def test_what_is_no_uri_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="s3://bucket/key"):
        paths.split_uri(uri)
