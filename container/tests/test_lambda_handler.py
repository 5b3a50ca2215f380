"""The lite engine as a Lambda function: requests in, results out, errors by their names."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from PIL import Image

from gen3d.errors import InputMissing, InvalidRequest, WeightsInvalid
from gen3d_inference import lambda_handler
from gen3d_inference.engines.interface import Engine, Mask
from gen3d_inference.lambda_handler import handler

PHOTO = "s3://bucket/private/1/jobs/2/image.png"
MASK = "s3://bucket/private/1/jobs/2/objects/0/mask.png"
EMBEDDINGS = "private/1/jobs/2/draft/embeddings.safetensors"
SPLAT = "private/1/jobs/2/objects/0/draft/splat.ply"


@pytest.fixture
def s3(
    lite_weights: Path,
    coffee: Image.Image,
    cup: Mask,
    png: Callable[[Image.Image | Mask], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "BUCKET": "bucket",
        "GEN3D_MODEL_DIR": str(lite_weights),
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key=PHOTO[12:], Body=png(coffee))
        client.put_object(Bucket="bucket", Key=MASK[12:], Body=png(cup))
        yield client
        lambda_handler._engine.cache_clear()
        lambda_handler._storage.cache_clear()


def initialize(**changes: object) -> dict[str, Any]:
    event = {"task": "initialize", "image": PHOTO, "output": f"s3://bucket/{EMBEDDINGS}"}
    return handler({**event, **changes}, None)


def test_a_photo_is_encoded_and_the_decoder_of_its_embeddings_lies_where_the_page_looks(
    s3: Any, lite: Engine, lite_weights: Path
) -> None:
    answer = initialize()
    assert (answer["engine"], answer["revision"]) == ("lite", lite.revision)
    assert (answer["width"], answer["height"]) == (600, 400)
    assert s3.head_object(Bucket="bucket", Key=EMBEDDINGS)["ContentLength"] == answer["bytes"]
    decoder = s3.get_object(Bucket="bucket", Key=f"models/lite/{lite.revision}/decoder.onnx")
    assert decoder["Body"].read() == (lite_weights / "decoder.onnx").read_bytes()


def test_a_decoder_that_is_there_is_left_alone(s3: Any, lite: Engine) -> None:
    key = f"models/lite/{lite.revision}/decoder.onnx"
    s3.put_object(Bucket="bucket", Key=key, Body=b"uploaded before")
    initialize()
    assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == b"uploaded before"


def test_an_object_is_reconstructed(s3: Any) -> None:
    event = {"task": "reconstruct", "image": PHOTO, "mask": MASK, "seed": 3}
    answer: dict[str, Any] = handler({**event, "output": f"s3://bucket/{SPLAT}"}, None)
    assert answer["gaussians"] > 1000
    assert s3.head_object(Bucket="bucket", Key=SPLAT)["ContentLength"] == answer["bytes"]


def test_what_is_wrong_is_raised_by_its_name(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequest, match="image"):
        initialize(image="photo.jpg")
    with pytest.raises(InputMissing, match=r"photo .* deleted"):
        initialize(image="s3://bucket/private/1/jobs/3/image.png")
    lambda_handler._engine.cache_clear()
    monkeypatch.setenv("GEN3D_MODEL_DIR", "/nowhere")
    with pytest.raises(WeightsInvalid):
        initialize()
