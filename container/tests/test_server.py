"""The server as SageMaker runs it: the image's files, a process, HTTP, S3 and signals."""

import gzip
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import boto3
import httpx
import numpy as np
import pytest
import trimesh
from moto.server import DomainDispatcherApplication, create_backend_app
from PIL import Image
from pydantic import TypeAdapter
from safetensors import safe_open
from werkzeug.serving import make_server

from container.tests import own
from gen3d.contract import (
    EmbeddingsMeta,
    InitializeResult,
    MeshResult,
    Progress,
    ReconstructResult,
    Result,
)
from gen3d.errors import from_body
from gen3d.paths import progress as progress_of
from gen3d_inference.engines.interface import Mask
from gen3d_inference.engines.lite.lite_engine import OFFERS
from gen3d_inference.weights import check
from local_aws.container_images import assemble

ROOT = Path(__file__).parents[2]
BUCKET = "gen3d-bucket"
SECRET = "a-secret-that-no-log-may-hold"
CALLBACK = "01HXV3M9N7T2Q8W4Z6Y5R1K0PA-1-reconstruct-0-0"
SAGEMAKER_TIMEOUT = 2.0
"""Seconds in which SageMaker wants its ping answered."""


class S3:
    """Moto's S3 on a port, with a gate: reading an object named ``held`` waits until released."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.released = threading.Event()
        moto = DomainDispatcherApplication(create_backend_app)

        def gate(environ: dict[str, Any], start_response: Any) -> Any:
            if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith("/held.png"):
                self.arrived.set()
                self.released.wait(60)
            return moto(environ, start_response)

        self._server = make_server("127.0.0.1", 0, gate, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    server = S3()
    yield server
    server.close()


@pytest.fixture(scope="module")
def environment(s3: S3) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": s3.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "eu-central-1",
        "GEN3D_HOST": "127.0.0.1",
        "GEN3D_THREADS": "1",
    }


@pytest.fixture(scope="module")
def files(
    s3: S3, coffee: Image.Image, cup: Mask, png: Callable[[Image.Image | Mask], bytes]
) -> Any:
    """An S3 client whose bucket holds a photo, masks good and bad, and what is neither."""
    client = boto3.client(
        "s3",
        endpoint_url=s3.url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket=BUCKET)
    objects = {
        "image.png": png(coffee),
        "held.png": png(coffee),
        "cut.png": png(coffee)[:50_000],
        "mask.png": png(cup),
        "empty.png": png(np.zeros_like(cup)),
        "full.png": png(np.ones_like(cup)),
        "small.png": png(cup[:100, :100]),
        "text.png": b"not a picture",
    }
    for key, body in objects.items():
        client.put_object(Bucket=BUCKET, Key=key, Body=body)
    return client


@pytest.fixture(scope="module")
def image_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The tree that the Dockerfile lays out, and the command that it runs."""
    dockerfile, builds = ROOT / "container" / "Dockerfile", tmp_path_factory.mktemp("image")
    image = assemble(dockerfile, ROOT, builds, Path(sys.executable))
    return image.folder, [*image.entrypoint, *image.command]


class Endpoint:
    """The server's process and what SageMaker does with it."""

    def __init__(
        self, image: tuple[Path, list[str]], environment: dict[str, str], log: IO[str]
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        folder, command = image
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable if part == "python" else part for part in command],
            cwd=folder,
            env={**environment, "GEN3D_PORT": str(port)},
            stdout=log,
            stderr=log,
        )

    def ping(self) -> int:
        return httpx.get(f"{self.url}/ping", timeout=SAGEMAKER_TIMEOUT).status_code

    def wait(self) -> None:
        """Wait until the ping answers 200; the test's own timeout ends it otherwise."""
        while True:
            assert self.process.poll() is None, "the server ended"
            try:
                if self.ping() == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)

    def post(self, body: object) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"X-Amzn-SageMaker-Custom-Attributes": CALLBACK}
        return httpx.post(f"{self.url}/invocations", content=content, headers=headers, timeout=120)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


@pytest.fixture
def launch(
    image_files: tuple[Path, list[str]], environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., tuple[Endpoint, Path]]]:
    started: list[Endpoint] = []

    def start(**settings: str) -> tuple[Endpoint, Path]:
        path = tmp_path / "log"
        with path.open("w") as log:
            endpoint = Endpoint(image_files, {**environment, **settings}, log)
        started.append(endpoint)
        endpoint.wait()
        return endpoint, path

    yield start
    for endpoint in started:
        endpoint.process.kill()
        endpoint.process.wait()


@pytest.fixture(scope="module")
def endpoint(
    image_files: tuple[Path, list[str]],
    environment: dict[str, str],
    weights_folder: Path,
    files: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Endpoint]:
    """One server for all tests that leave it as it is; its log is judged at the end."""
    path = tmp_path_factory.mktemp("endpoint") / "log"
    settings = {
        **environment,
        "GEN3D_MODEL_DIR": str(weights_folder),
        "GEN3D_ENGINE": own.loaded_as(check(weights_folder).engine),
        "PYTHONPATH": str(ROOT),  # for the engine that is none of the image's
    }
    with path.open("w") as log:
        endpoint = Endpoint(image_files, settings, log)
    endpoint.wait()
    yield endpoint
    assert endpoint.stop() == 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {"time", "level", "message"} <= set.intersection(*(set(line) for line in lines))
    assert SECRET not in path.read_text()


def uri(key: str) -> str:
    return f"s3://{BUCKET}/{key}"


def initialize(image: str = "image.png", output: str = "out/e.safetensors") -> dict[str, object]:
    return {"task": "initialize", "image": uri(image), "output": uri(output)}


def reconstruct(mask: str = "mask.png", **more: object) -> dict[str, object]:
    body = {"image": uri("image.png"), "mask": uri(mask), "output": uri("out/splat.ply")}
    return {"task": "reconstruct", **body, **more}


def test_initialize_writes_the_embeddings(
    endpoint: Endpoint, files: Any, weights_folder: Path, tmp_path: Path
) -> None:
    answer = endpoint.post(initialize())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    result = InitializeResult.model_validate_json(answer.content)
    assert list(result.timings) == ["download", "decode", "encode", "pack", "upload"]
    assert result.revision == check(weights_folder).revision
    assert (result.width, result.height) == (600, 400)
    assert result.offers == OFFERS
    there = files.get_object(Bucket=BUCKET, Key="out/e.safetensors")
    body = there["Body"].read()
    assert there["ContentEncoding"] == "gzip"
    assert len(body) == result.bytes
    (tmp_path / "e").write_bytes(gzip.decompress(body))
    with safe_open(tmp_path / "e", "np") as tensors:
        meta = EmbeddingsMeta.model_validate(tensors.metadata())
        assert "image_embed" in tensors.keys()  # noqa: SIM118 — not a mapping
    assert meta.revision == result.revision


def test_a_large_photo_keeps_its_size_in_what_is_said_of_it(
    endpoint: Endpoint, files: Any, tmp_path: Path
) -> None:
    photo = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (2400, 1800), "teal").save(photo, "JPEG", exif=exif)
    files.put_object(Bucket=BUCKET, Key="large.jpg", Body=photo.getvalue())
    answer = endpoint.post(initialize("large.jpg"))
    result = InitializeResult.model_validate_json(answer.content)
    assert (result.width, result.height) == (1800, 2400)
    body = files.get_object(Bucket=BUCKET, Key="out/e.safetensors")["Body"].read()
    (tmp_path / "e").write_bytes(gzip.decompress(body))
    with safe_open(tmp_path / "e", "np") as tensors:
        meta = EmbeddingsMeta.model_validate(tensors.metadata())
    assert (meta.image_width, meta.image_height) == ("1800", "2400")


def test_reconstruct_writes_the_splat(endpoint: Endpoint, files: Any, weights_folder: Path) -> None:
    if check(weights_folder).engine == "cushion":
        pytest.skip("it makes meshes")
    splats = []
    # The same options as functions say them now, and as they did before.
    for asked in ({"seed": 3}, {"options": {"engine": {"seed": 3}}}, {"seed": 4}):
        answer = endpoint.post(reconstruct(**asked))
        assert answer.status_code == 200
        result = ReconstructResult.model_validate_json(answer.content)
        assert list(result.timings) == ["download", "decode", "reconstruct", "pack", "upload"]
        body = files.get_object(Bucket=BUCKET, Key="out/splat.ply")["Body"].read()
        assert len(body) == result.bytes
        assert f"element vertex {result.gaussians}\n".encode() in body[:200]
        splats.append(body)
    assert splats[0] == splats[1] != splats[2]


def test_how_far_an_object_is_lies_under_the_id_that_came_with_the_request(
    endpoint: Endpoint, files: Any
) -> None:
    key = progress_of(CALLBACK)
    files.delete_object(Bucket=BUCKET, Key=key)
    while not files.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"]:
        assert endpoint.post(reconstruct()).status_code == 200
    body = files.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert Progress.model_validate_json(body).phase


def test_reconstruct_writes_a_mesh_beside_the_splat_that_there_is_none_of(
    endpoint: Endpoint, files: Any, weights_folder: Path
) -> None:
    if check(weights_folder).engine != "cushion":
        pytest.skip("it makes splats")
    answer = endpoint.post({**reconstruct(), "output": uri("objects/0/splat.ply")})
    assert answer.status_code == 200
    result: Result = TypeAdapter[Result](Result).validate_json(answer.content)
    assert isinstance(result, MeshResult)
    assert list(result.timings) == ["download", "decode", "reconstruct", "pack", "upload"]
    there = files.list_objects_v2(Bucket=BUCKET, Prefix="objects/")["Contents"]
    assert [(each["Key"], each["Size"]) for each in there] == [
        ("objects/0/engine.glb", result.bytes)
    ]
    body = files.get_object(Bucket=BUCKET, Key="objects/0/engine.glb")["Body"].read()
    mesh = trimesh.load_mesh(io.BytesIO(body), file_type="glb", process=False)
    assert (len(mesh.vertices), len(mesh.faces)) == (result.vertices, result.faces)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "InvalidRequest"),
        (b"{", 400, "InvalidRequest"),
        (b"\xff\xfe", 400, "InvalidRequest"),
        ([], 400, "InvalidRequest"),
        ({}, 400, "InvalidRequest"),
        ({"task": "paint"}, 400, "InvalidRequest"),
        ({**initialize(), "contract": "one"}, 400, "InvalidRequest"),
        ({**initialize(), "contract": 0}, 400, "InvalidRequest"),
        ({"contract": 2, "task": "of tomorrow"}, 503, "EndpointUnavailable"),
        ({**initialize(), "image": "http://bucket/key"}, 400, "InvalidRequest"),
        ({**initialize(), "text": "x" * 201}, 400, "InvalidRequest"),
        (reconstruct(seed=-1), 400, "InvalidRequest"),
        (reconstruct(options={"engine": {"quality": "best"}}), 400, "InvalidRequest"),
        (reconstruct(options={"engine": {"quality": "fine"}}), 422, "OptionNotOffered"),
        (initialize(image="nothing.png"), 404, "InputMissing"),
        ({**initialize(), "image": "s3://no-such-bucket/image.png"}, 404, "InputMissing"),
        (initialize(image="text.png"), 422, "InvalidImage"),
        (initialize(image="cut.png"), 422, "InvalidImage"),
        ({**initialize(), "output": "s3://no-such-bucket/out"}, 500, "OutputNotWritable"),
        (reconstruct("nothing.png"), 404, "InputMissing"),
        (reconstruct("empty.png"), 422, "InvalidMask"),
        (reconstruct("full.png"), 422, "InvalidMask"),
        (reconstruct("small.png"), 422, "InvalidMask"),
        (reconstruct("text.png"), 422, "InvalidMask"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    endpoint: Endpoint, body: object, status: int, error: str
) -> None:
    answer = endpoint.post(body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert from_body(answer.json()) is not None
    assert "Traceback" not in answer.text
    assert endpoint.ping() == 200


def test_what_a_newer_function_adds_is_passed_over(endpoint: Endpoint) -> None:
    answer = endpoint.post({**initialize(), "of tomorrow": {"a": 1}, "contract": 1})
    assert answer.status_code == 200
    assert "contract" not in answer.json()  # the first release's readers refuse what is new


def test_the_ping_is_answered_while_a_job_computes(endpoint: Endpoint) -> None:
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(endpoint.post, reconstruct(seed=seed)) for seed in range(4)]
        pings = 0
        while not all(job.done() for job in jobs):
            assert endpoint.ping() == 200
            pings += 1
    assert [job.result().status_code for job in jobs] == [200] * 4
    assert pings > 4


def test_sigterm_finishes_the_running_job(
    launch: Callable[..., tuple[Endpoint, Path]], s3: S3, files: Any, lite_weights: Path
) -> None:
    endpoint, _ = launch(GEN3D_MODEL_DIR=str(lite_weights))
    with ThreadPoolExecutor() as pool:
        running = pool.submit(endpoint.post, initialize(image="held.png", output="out/last"))
        assert s3.arrived.wait(60)
        endpoint.process.send_signal(signal.SIGTERM)
        while endpoint.ping() == 200:
            time.sleep(0.01)
        late = endpoint.post(initialize())
        assert (late.status_code, late.json()["error"]) == (503, "EndpointUnavailable")
        assert not running.done()
        s3.released.set()
        assert running.result().status_code == 200
    assert endpoint.process.wait(60) == 0
    assert files.head_object(Bucket=BUCKET, Key="out/last")["ContentLength"] > 0


def test_a_second_sigterm_ends_it_at_once(
    launch: Callable[..., tuple[Endpoint, Path]], s3: S3, files: Any, lite_weights: Path
) -> None:
    endpoint, _ = launch(GEN3D_MODEL_DIR=str(lite_weights))
    s3.arrived.clear()
    s3.released.clear()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(endpoint.post, initialize(image="held.png", output="out/never"))
        assert s3.arrived.wait(60)
        endpoint.process.send_signal(signal.SIGTERM)
        while endpoint.ping() == 200:
            time.sleep(0.01)
        endpoint.process.send_signal(signal.SIGTERM)
        assert endpoint.process.wait(60) == 128 + signal.SIGTERM
        assert isinstance(running.exception(), httpx.TransportError)
        s3.released.set()  # not before it has ended


def test_bad_weights_fail_jobs_at_once_and_say_why(
    launch: Callable[..., tuple[Endpoint, Path]],
) -> None:
    endpoint, log = launch(GEN3D_MODEL_DIR="/nowhere")
    answer = endpoint.post(initialize())
    assert (answer.status_code, answer.json()["error"]) == (500, "WeightsInvalid")
    assert "There is no manifest.json in /nowhere" in answer.json()["message"]
    assert answer.json()["message"] in log.read_text()
    assert endpoint.stop() == 0
