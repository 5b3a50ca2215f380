"""Containers as Lambda and as SageMaker start them, and the jobs that they are given."""

import contextlib
import json
import logging
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from gen3d import paths
from tests.drawn import drawn
from tests.images.build import ROOT
from tests.images.docker import CheckError, Docker, free_port

BUCKET = "gen3d-bucket"
_PREFIX = "private/us-east-1:4f0a51c6-93ad-4b0f-8f67-0d9b8f7e2c11/jobs/01M82SZE4Z7ZQ9FY1VB33KS0D2"
_EMULATORS = ROOT / ".venvs" / "sam-cli"
_LAMBDAS_USER = "993"
_WEIGHTS = ROOT / "container" / "weights" / "lite"
_PHOTO = ROOT / "examples" / "coffee.jpg"
_READY_SECONDS = 120.0
_SAGEMAKERS_PORT = 8080


@dataclass(frozen=True)
class Result:
    """What a container did."""

    start: float
    """Seconds until it answered, or until its first answer where it does not say before."""
    memory: int
    """Bytes that its processes had resident at most."""
    job: str


@contextlib.contextmanager
def s3() -> Iterator[tuple[Any, dict[str, str]]]:
    """Moto's S3 with a bucket; a client of it, and the variables by which a container finds it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        client = boto3.client(
            "s3",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        client.create_bucket(Bucket=BUCKET)
        yield client, environment
    finally:
        server.stop()


def lite(docker: Docker, image: str, files: Any, environment: dict[str, str]) -> Result:
    """Start the image as SageMaker does and have an object of the sample photo reconstructed.

    The splat stays in the bucket for `mesh`.

    Raises
    ------
    CheckError
        It does not start, or a job fails.
    """
    address, port = _address(_SAGEMAKERS_PORT)
    environment = {
        **environment,
        "GEN3D_ENGINE": "lite",
        "GEN3D_HOST": "127.0.0.1",
        "GEN3D_PORT": str(port),
    }
    options = ["--memory=8g", f"--volume={_WEIGHTS}:/opt/ml/model:ro"]
    files.put_object(Bucket=BUCKET, Key="photo.jpg", Body=_PHOTO.read_bytes())
    with _container(docker, image, ["serve"], environment, options) as (name, start):
        _until(lambda: _ask(f"{address}/ping") is not None, docker, name)
        ready = time.monotonic() - start
        uri = f"s3://{BUCKET}"
        embeddings = {"image": f"{uri}/photo.jpg", "output": f"{uri}/embeddings.safetensors"}
        initialized = _post(f"{address}/invocations", {"task": "initialize", **embeddings})
        body = files.get_object(Bucket=BUCKET, Key="embeddings.safetensors")["Body"].read()
        model = (_WEIGHTS / "decoder.onnx").read_bytes()
        files.put_object(Bucket=BUCKET, Key="mask.png", Body=drawn(model, body))
        request = {
            "task": "reconstruct",
            "image": f"{uri}/photo.jpg",
            "mask": f"{uri}/mask.png",
            "output": f"{uri}/{_PREFIX}/objects/0/splat.ply",
        }
        made = _post(f"{address}/invocations", request)
        memory = _resident(docker, name)
        ended = time.monotonic()
        docker.run("stop", "--time=30", name)
        code = docker.run("inspect", "--format={{.State.ExitCode}}", name)
        if code != "0":
            raise CheckError(f"SIGTERM ends the server with {code}.")
    steps = sum(initialized["timings"].values()) + sum(made["timings"].values())
    return Result(
        ready,
        memory,
        f"photo → {initialized['bytes'] / 1e6:.1f} MB of embeddings → {made['gaussians']:,} "
        f"gaussians in {steps / 1000:.1f} s on port {port}; SIGTERM ends it with 0 "
        f"in {time.monotonic() - ended:.1f} s",
    )


def mesh(docker: Docker, image: str, files: Any, environment: dict[str, str]) -> Result:
    """Start the image under Lambda's emulator and have the splat that `lite` made meshed.

    Raises
    ------
    CheckError
        It does not start, or the function fails.
    """
    event = {
        "jobId": "01M82SZE4Z7ZQ9FY1VB33KS0D2",
        "bucket": BUCKET,
        "splat": f"{_PREFIX}/objects/0/splat.ply",
        "prefix": f"{_PREFIX}/objects/0/",
        "name": "Cup",
    }
    with _lambda(docker, image, environment, "gen3d-mesh") as (name, waited, invoke):
        first, made = _timed(invoke, event)
        second, _ = _timed(invoke, event)
        memory = _resident(docker, name)
    if "files" not in made:
        raise CheckError(f"The function fails: {json.dumps(made)[:500]}")
    for file in made["files"].values():
        if files.head_object(Bucket=BUCKET, Key=file["key"])["ContentLength"] != file["bytes"]:
            raise CheckError(f"{file['key']} is not what the function says of it.")
    return Result(
        # Both calls do the same, and the first has the function start before.
        waited + max(0.0, first - second),
        memory,
        f"splat → {', '.join(sorted(made['files']))} in {first:.1f} s, "
        f"{second:.1f} s the second time",
    )


def lite_function(docker: Docker, image: str, files: Any, environment: dict[str, str]) -> Result:
    """Start the image under Lambda's emulator: a photo, a mask by its own decoder, an object.

    Raises
    ------
    CheckError
        It does not start, the function fails, or an error has no name.
    """
    uri = f"s3://{BUCKET}"
    files.put_object(Bucket=BUCKET, Key="photo.jpg", Body=_PHOTO.read_bytes())
    photo = {
        "task": "initialize",
        "image": f"{uri}/photo.jpg",
        "output": f"{uri}/draft.safetensors",
    }
    cup = {"task": "reconstruct", "image": f"{uri}/photo.jpg", "mask": f"{uri}/draft.png"}
    cup["output"] = f"{uri}/{_PREFIX}/objects/0/draft/splat.ply"
    variables = {**environment, "BUCKET": BUCKET}
    with _lambda(docker, image, variables, "gen3d-lite") as (name, waited, invoke):
        first, initialized = _timed(invoke, photo)
        second, _ = _timed(invoke, photo)
        if "revision" not in initialized:
            raise CheckError(f"The function fails: {json.dumps(initialized)[:500]}")
        key = paths.decoder(initialized["engine"], initialized["revision"])
        model = files.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        embeddings = files.get_object(Bucket=BUCKET, Key="draft.safetensors")["Body"].read()
        files.put_object(Bucket=BUCKET, Key="draft.png", Body=drawn(model, embeddings))
        object_seconds, made = _timed(invoke, cup)
        _, refused = _timed(invoke, {**photo, "image": f"{uri}/none.jpg"})
        memory = _resident(docker, name)
    splat = files.head_object(Bucket=BUCKET, Key=cup["output"].removeprefix(f"{uri}/"))
    if splat["ContentLength"] != made.get("bytes"):
        raise CheckError(f"The splat is not what the function says of it: {json.dumps(made)[:500]}")
    if refused.get("errorType") != "InputMissing":
        raise CheckError(f"A missing photo is not named: {json.dumps(refused)[:500]}")
    return Result(
        waited + max(0.0, first - second),
        memory,
        f"photo → {initialized['bytes'] / 1e6:.1f} MB of embeddings in {second:.1f} s → "
        f"{made['gaussians']:,} gaussians in {object_seconds:.1f} s; the decoder lies in the "
        "bucket, a missing photo is named",
    )


@contextlib.contextmanager
def _lambda(
    docker: Docker, image: str, environment: dict[str, str], function: str
) -> Iterator[tuple[str, float, str]]:
    """Start an image under Lambda's emulator; its name, until it listened, and its address."""
    (emulator,) = _EMULATORS.glob("lib/python*/site-packages/samcli/local/rapid/*-x86_64")
    address, port = _address(free_port())
    inspected = docker.image(image)["Config"]
    command = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
    entry = [*inspected["Entrypoint"], *inspected["Cmd"]]
    # The emulator starts what it is given by its path.
    entry[0] = docker.run("run", "--rm", "--network=none", "--entrypoint=which", image, entry[0])
    environment = {
        **environment,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "300",
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "POWERTOOLS_METRICS_NAMESPACE": "Gen3D",
        "POWERTOOLS_SERVICE_NAME": "gen3d",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    options = ["--memory=3008m", f"--user={_LAMBDAS_USER}", "--entrypoint=/emulator"]
    options += [f"--volume={emulator}:/emulator:ro"]
    with _container(docker, image, [*command, *entry], environment, options) as (name, start):
        _until(lambda: _listens(port), docker, name)
        waited = time.monotonic() - start
        yield name, waited, f"{address}/2015-03-31/functions/function/invocations"


def _timed(url: str, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Seconds until an answer, and the answer."""
    start = time.monotonic()
    answer = _post(url, body)
    return time.monotonic() - start, answer


def _address(port: int) -> tuple[str, int]:
    """Where to listen: the host's network is shared, and somebody else may be on that port."""
    if _listens(port):
        port = free_port()
    return f"http://127.0.0.1:{port}", port


@contextlib.contextmanager
def _container(
    docker: Docker, image: str, command: list[str], environment: dict[str, str], options: list[str]
) -> Iterator[tuple[str, float]]:
    """Run an image that can write to /tmp alone; its name, and when it was started."""
    scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=docker.folder))
    scratch.chmod(0o777)
    variables = [f"--env={name}={value}" for name, value in environment.items()]
    start = time.monotonic()
    name = docker.run(
        "run",
        "--detach",
        "--network=host",
        "--read-only",
        f"--volume={scratch}:/tmp",
        *variables,
        *options,
        image,
        *command,
    )
    try:
        yield name, start
    except CheckError as error:
        log = docker.run("logs", "--tail=25", name)
        raise CheckError(f"{error}\n{log}") from None
    finally:
        docker.run("rm", "--force", name)


def _until(done: Any, docker: Docker, name: str) -> None:
    end = time.monotonic() + _READY_SECONDS
    while not done():
        if docker.run("inspect", "--format={{.State.Running}}", name) != "true":
            raise CheckError("The container ended by itself.")
        if time.monotonic() > end:
            raise CheckError(f"The container does not answer within {_READY_SECONDS:.0f} s.")
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def _ask(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return None


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        raise CheckError(f"{url} answers {error.code}: {error.read().decode()[:500]}") from None


def _resident(docker: Docker, name: str) -> int:
    """Sum of what each process of a container had resident at most, in bytes."""
    total = 0
    for line in docker.run("top", name, "-eo", "pid").splitlines()[1:]:
        status = Path("/proc", line.strip(), "status").read_text()
        peak = [each.split()[1] for each in status.splitlines() if each.startswith("VmHWM")]
        total += sum(int(kilobytes) * 1024 for kilobytes in peak)
    return total
