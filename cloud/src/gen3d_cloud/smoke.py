"""``python -m gen3d_cloud.smoke --stack gen3d``: tries each task of an endpoint.

It goes the way that the workflow's requests go, by S3 and the endpoint's queue, and looks at what
comes out. Where no instance runs, the first request wakes one, which takes some minutes.
"""

import argparse
import gzip
import json
import os
import struct
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image, ImageDraw
from sagemaker import Session
from sagemaker.async_inference import WaiterConfig
from sagemaker.deserializers import JSONDeserializer
from sagemaker.exceptions import AsyncInferenceModelError, PollingTimeoutError
from sagemaker.predictor import Predictor
from sagemaker.predictor_async import AsyncPredictor
from sagemaker.serializers import JSONSerializer

from gen3d_cloud.deployed import CloudError, output, outputs

PHOTO = Path(__file__).resolve().parents[3] / "examples" / "coffee.jpg"
CUP = (167, 8, 413, 262)
"""Left, top, right, bottom of the cup in the photo; an ellipse in it is mask enough."""
_POLL_SECONDS = 3
_GAUSSIAN_BYTES = 68


class Result(TypedDict, total=False):
    """What the endpoint answers to either task."""

    engine: str
    revision: str
    width: int
    height: int
    bytes: int
    gaussians: int
    shape: str
    faces: int


class Endpoint:
    """The endpoint of a stack, and a folder in its bucket for what is tried.

    Parameters
    ----------
    name, bucket : str
    minutes : int
        How long one answer is waited for.
    """

    def __init__(self, name: str, bucket: str, minutes: int) -> None:
        self.prefix = f"private/smoke/jobs/{uuid4()}/"
        self.bucket = bucket
        self.s3 = boto3.client("s3")
        session = Session(boto_session=boto3.Session(), default_bucket=bucket)
        predictor = Predictor(
            name, session, serializer=JSONSerializer(), deserializer=JSONDeserializer()
        )
        self._predictor = AsyncPredictor(predictor)
        self._wait = WaiterConfig(max_attempts=minutes * 60 // _POLL_SECONDS, delay=_POLL_SECONDS)
        self._envelopes: list[str] = []

    def uri(self, name: str) -> str:
        """The address of a file of this try."""
        return f"s3://{self.bucket}/{self.prefix}{name}"

    def put(self, name: str, content: bytes) -> None:
        """Write a file of this try."""
        self.s3.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=content)

    def get(self, key: str) -> bytes:
        """Read an object of the bucket.

        Raises
        ------
        CloudError
            It is not there.
        """
        try:
            content: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise CloudError(f"s3://{self.bucket}/{key} cannot be read: {error}.") from None
        return content

    def invoke(self, task: str, **files: str) -> Result:
        """Ask for one task, and wait for its answer.

        Raises
        ------
        CloudError
            The endpoint answered an error, or nothing in time.
        """
        number = uuid4()
        envelope = f"async/in/smoke-{number}.json"
        self._envelopes.append(envelope)
        request = {"task": task} | {name: self.uri(file) for name, file in files.items()}
        try:
            response = self._predictor.predict_async(
                request,
                input_path=f"s3://{self.bucket}/{envelope}",
                inference_id=f"smoke-{number}",
                initial_args={"ContentType": "application/json"},
            )
            for path in (response.output_path, response.failure_path):
                self._envelopes.append(path.removeprefix(f"s3://{self.bucket}/"))
            result: Result = response.get_result(self._wait)
        except AsyncInferenceModelError as error:
            raise CloudError(f"The endpoint answered {task} with an error: {error}") from None
        except PollingTimeoutError:
            raise CloudError(
                f"The endpoint did not answer {task} in time. Look for an instance in its "
                "autoscaling activities, and at its log; quotas for its type start at none."
            ) from None
        return result

    def clean(self) -> None:
        """Remove everything that this try has left."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=self.prefix)
        keys = [item["Key"] for item in listed.get("Contents", [])] + self._envelopes
        for key in keys:
            self.s3.delete_object(Bucket=self.bucket, Key=key)


def try_initialize(endpoint: Endpoint) -> Result:
    """Embeddings of the photo, whole, and with the decoder that they are for.

    Raises
    ------
    CloudError
    """
    endpoint.put("image.jpg", PHOTO.read_bytes())
    result = endpoint.invoke("initialize", image="image.jpg", output="embeddings.safetensors")
    embeddings = endpoint.get(f"{endpoint.prefix}embeddings.safetensors")
    _expect(len(embeddings) == result["bytes"], "the embeddings are not as long as announced")
    if embeddings.startswith(b"\x1f\x8b"):
        embeddings = gzip.decompress(embeddings)
    (length,) = struct.unpack("<Q", embeddings[:8])
    header = json.loads(embeddings[8 : 8 + length])
    about = header.pop("__metadata__")
    ends = max(tensor["data_offsets"][1] for tensor in header.values())
    _expect(len(embeddings) == 8 + length + ends, "the embeddings are cut off")
    _expect("image_embed" in header, "the embeddings hold no image_embed")
    _expect(about["revision"] == result["revision"], "the embeddings are of another revision")
    with Image.open(PHOTO) as photo:
        size = photo.size
    _expect((result["width"], result["height"]) == size, "the photo has another size")
    models = f"models/{result['engine']}/{result['revision']}/"
    for name in ("decoder.onnx", "LICENSE"):
        _expect(bool(endpoint.get(models + name)), f"{models}{name} is empty")
    return result


def try_reconstruct(endpoint: Endpoint) -> Result:
    """Gaussians of the cup, in a file that is as long as its header says; or the engine's mesh.

    Raises
    ------
    CloudError
    """
    endpoint.put("image.jpg", PHOTO.read_bytes())
    endpoint.put("objects/0/mask.png", _mask())
    result = endpoint.invoke(
        "reconstruct", image="image.jpg", mask="objects/0/mask.png", output="objects/0/splat.ply"
    )
    if result.get("shape") == "mesh":
        mesh = endpoint.get(f"{endpoint.prefix}objects/0/engine.glb")
        _expect(int(result["faces"]) > 0, "the mesh has no faces")
        _expect(mesh.startswith(b"glTF") and len(mesh) == result["bytes"], "the mesh is cut off")
        return result
    splat = endpoint.get(f"{endpoint.prefix}objects/0/splat.ply")
    header = splat[: splat.index(b"end_header\n") + len(b"end_header\n")]
    count = int(result["gaussians"])
    _expect(count > 0, "there are no gaussians")
    _expect(f"element vertex {count}\n".encode() in header, "the file holds another number")
    _expect(len(splat) == len(header) + count * _GAUSSIAN_BYTES, "the splat is cut off")
    return result


TASKS: dict[str, Callable[[Endpoint], Result]] = {
    "initialize": try_initialize,
    "reconstruct": try_reconstruct,
}


def _mask() -> bytes:
    with Image.open(PHOTO) as photo:
        mask = Image.new("L", photo.size, 0)
    ImageDraw.Draw(mask).ellipse(CUP, fill=255)
    buffer = BytesIO()
    mask.save(buffer, "PNG")
    return buffer.getvalue()


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CloudError(f"The endpoint answered, but {otherwise}.")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.smoke", description=__doc__)
    parser.add_argument("--stack", required=True, help="a deployed stack with an endpoint")
    parser.add_argument("--minutes", type=int, default=40, help="to wait for each answer (40)")
    options = parser.parse_args(arguments)
    try:
        found = outputs(options.stack)
        name = output("EndpointName", options.stack, found)
        endpoint = Endpoint(name, output("BucketName", options.stack, found), options.minutes)
        try:
            for task, attempt in TASKS.items():
                print(f"{task} ...", flush=True)
                started = time.monotonic()
                result = attempt(endpoint)
                took = time.monotonic() - started
                print(f"  {json.dumps(result)}\n  in {took:.1f} s, waiting included", flush=True)
        finally:
            endpoint.clean()
    except (CloudError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The endpoint {name} does both tasks.")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's threads would go on looking for the failures that did not come, for all the minutes.
    os._exit(code)
