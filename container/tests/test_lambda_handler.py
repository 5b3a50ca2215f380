"""The lite engine as a Lambda function: requests in, results out, errors by their names."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto import mock_aws
from PIL import Image

from gen3d.errors import InputMissing, InvalidMask, InvalidRequest, NothingFound, WeightsInvalid
from gen3d_inference import embeddings, lambda_handler
from gen3d_inference.engines.interface import Candidates, Engine, Mask
from gen3d_inference.lambda_handler import handler

PHOTO = "s3://bucket/private/1/jobs/2/image.png"
MASK = "s3://bucket/private/1/jobs/2/objects/0/mask.png"
EMBEDDINGS = "private/1/jobs/2/draft/embeddings.safetensors"
PROMPTS = "private/1/jobs/2/prompts.json"
CUP = {"clicks": [{"x": 0.48, "y": 0.3}]}
"""On the cup, and nothing else."""
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


def decode(s3: Any, *prompts: dict[str, Any], **changes: str) -> dict[str, Any]:
    objects = [
        {"prompt": prompt, "task": {"n": n, "name": f"Thing {n}", "have": "nothing", "kept": [n]}}
        for n, prompt in enumerate(prompts)
    ]
    s3.put_object(Bucket="bucket", Key=PROMPTS, Body=json.dumps({"objects": objects}))
    event = {
        "task": "decode",
        "prompts": f"s3://bucket/{PROMPTS}",
        "embeddings": f"s3://bucket/{EMBEDDINGS}",
        "output": "s3://bucket/private/1/jobs/2/objects/",
    }
    answer: dict[str, Any] = handler({**event, **changes}, None)
    return answer


def drawn(s3: Any, n: int) -> Mask:
    file = s3.get_object(Bucket="bucket", Key=f"private/1/jobs/2/objects/{n}/mask.png")["Body"]
    mask: Mask = np.asarray(Image.open(io.BytesIO(file.read()))) > 0
    return mask


def alike(mask: Mask, other: Mask) -> float:
    return float((mask & other).sum() / (mask | other).sum())


def test_what_a_request_shows_becomes_masks(s3: Any, lite: Engine, cup: Mask) -> None:
    initialize()
    box = {"left": 0.25, "top": 0, "right": 0.73, "bottom": 0.7}
    half = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
    answer = decode(s3, CUP, {"box": box}, {"polygon": half}, {"subject": "auto"})
    assert [o["n"] for o in answer["objects"]] == [0, 1, 2, 3]
    assert answer["objects"][1] == {
        "n": 1, "name": "Thing 1", "have": "nothing", "kept": [1]
    }  # fmt: skip
    assert (answer["engine"], answer["revision"]) == ("lite", lite.revision)
    clicked, boxed, halved, salient = (drawn(s3, n) for n in range(4))
    assert clicked.shape == cup.shape
    assert clicked[120, 288]
    assert alike(boxed, cup) > 0.6
    assert halved[:, :300].all()
    assert not halved[:, 300:].any()
    assert 0.02 < salient.mean() < 0.8


def test_a_click_beside_the_object_takes_away(s3: Any) -> None:
    initialize()
    more = {"clicks": [*CUP["clicks"], {"x": 0.2, "y": 0.6, "inside": False}]}
    decode(s3, CUP, more)
    assert drawn(s3, 0)[240, 120]
    assert not drawn(s3, 1)[240, 120]
    assert drawn(s3, 1)[120, 288]


def test_what_shows_nothing_costs_its_own_object_alone(s3: Any) -> None:
    initialize()
    small = {"rle": {"size": [4, 4], "counts": [0, 16]}}
    found, not_found, misfit = decode(s3, CUP, {"text": "chair"}, small)["objects"]
    assert found["have"] == "nothing"
    assert not_found["have"] == misfit["have"] == "left"
    assert (not_found["error"]["name"], not_found["error"]["stage"]) == (
        "NothingFound",
        "DecodePrompts",
    )
    assert "Nothing like 'chair'" in not_found["error"]["message"]
    assert misfit["error"]["name"] == "InvalidMask"
    assert "4×4 pixels, the photo of 600×400" in misfit["error"]["message"]
    assert not drawn(s3, 1).any()
    with pytest.raises(NothingFound, match="chair"):
        decode(s3, {"text": "chair"}, small)
    with pytest.raises(InvalidMask, match="4×4"):
        decode(s3, small)


def test_of_what_a_text_found_is_taken_what_is_as_certain_as_was_asked(
    s3: Any, lite: Engine
) -> None:
    initialize()  # which puts the decoder there
    scores = np.array([0.9, 0.6, 0.3], np.float32)
    logits = np.full((3, 8, 12), -5, np.float32)
    for n in range(3):
        logits[n, :, 4 * n : 4 * n + 4] = 5
    encoded = lite.initialize(Image.new("RGB", (60, 40), "white"))
    found = replace(encoded, candidates=Candidates(logits, scores, "cup"))
    s3.put_object(Bucket="bucket", Key=EMBEDDINGS, Body=embeddings.pack(found))

    def errors(*prompts: dict[str, Any]) -> list[str | None]:
        said = [o.get("error") for o in decode(s3, *prompts)["objects"]]
        return [error and error["message"] for error in said]

    any_of, sure = {"text": "cup"}, {"text": "cup", "certainty": 0.6}
    assert errors(any_of, any_of, any_of) == [None] * 3
    assert [int(drawn(s3, n).argmax(1)[0]) for n in range(3)] == [0, 20, 40]
    first, second, third = errors(sure, sure, sure)
    assert first is second is None
    assert third is not None
    assert "Of 'cup' 2 were found so surely; the next is certain by 0.30" in third
    assert errors(sure, sure, any_of) == [None] * 3
    assert "Of 'cup' 0 were found so surely" in str(errors(CUP, {"text": "cup", "certainty": 1})[1])
    assert "Of 'cup' only 3 were found" in str(errors(any_of, any_of, any_of, any_of)[3])


def test_masks_are_drawn_of_no_job_that_is_gone(s3: Any) -> None:
    with pytest.raises(InputMissing, match="prepared photo"):
        decode(s3, CUP)
    initialize()
    with pytest.raises(InputMissing, match="request"):
        decode(s3, CUP, prompts="s3://bucket/private/1/jobs/3/prompts.json")


def test_what_is_wrong_is_raised_by_its_name(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequest, match="image"):
        initialize(image="photo.jpg")
    with pytest.raises(InputMissing, match=r"photo .* deleted"):
        initialize(image="s3://bucket/private/1/jobs/3/image.png")
    lambda_handler._engine.cache_clear()
    monkeypatch.setenv("GEN3D_MODEL_DIR", "/nowhere")
    with pytest.raises(WeightsInvalid):
        initialize()
