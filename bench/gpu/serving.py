"""The server as SageMaker runs it: cold start, photos from end to end, and pings meanwhile."""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUCKET = "bench"


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def request(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Ask once, on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def image_environment() -> dict[str, str]:
    """What the image sets for every process: the ``ENV`` lines of its Dockerfile."""
    lines = (ROOT / "container" / "Dockerfile").read_text()
    found = re.findall(r"^ENV (\w+)=(\S+)$", lines, re.MULTILINE)
    wanted = ("MALLOC_", "PILLOW_", "PYTORCH_", "PYTHONUNBUFFERED")
    return {name: value for name, value in found if name.startswith(wanted)}


@contextmanager
def process(
    arguments: list[str], log: Path, build: Path = ROOT, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module until the end of the block, with the sources of a checkout before all others."""
    sources = [build / "container" / "src", build / "layers" / "gen3d" / "src", ROOT]
    paths = [*map(str, sources), os.environ.get("PYTHONPATH", "")]
    with log.open("a") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdout=out,
            stderr=out,
        )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(60)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextmanager
def store(log: Path, photos: dict[str, bytes]) -> Iterator[int]:
    """Run the stand-in for S3 with photos in it."""
    port = free_port()
    with process(["bench.gpu.store", str(port)], log) as running:
        _until(running, port, "/", 404)
        for name, photo in photos.items():
            request(port, "PUT", f"/{BUCKET}/{name}", photo)
        yield port


def _until(running: subprocess.Popen[bytes], port: int, path: str, wanted: int) -> float:
    """Ask until a path is answered with a status; gives the longest wait for an answer, in ms."""
    slowest = 0.0
    while running.poll() is None:
        start = time.perf_counter()
        try:
            status, _ = request(port, "GET", path)
        except ConnectionRefusedError:
            time.sleep(0.02)
            continue
        slowest = max(slowest, (time.perf_counter() - start) * 1000)
        if status == wanted:
            return slowest
        time.sleep(0.02)
    raise RuntimeError(f"{running.args!r} ended with {running.returncode}")


@dataclass(frozen=True)
class Start:
    """Seconds from the process's start."""

    ready: float
    first_answer: float
    parts: tuple[float, float]
    """What the log says that loading the engine took, imports included, and compiling in it."""
    slowest_ping: float
    """In ms, while it was loading."""


class Server:
    """One running server."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self._log = log

    def initialize(self, photo: str) -> dict[str, float]:
        """Milliseconds of each step, and of the whole as the client sees it."""
        body = {
            "task": "initialize",
            "image": f"s3://{BUCKET}/{photo}",
            "output": f"s3://{BUCKET}/embeddings.safetensors",
        }
        start = time.perf_counter()
        status, answer = request(self.port, "POST", "/invocations", json.dumps(body).encode())
        whole = (time.perf_counter() - start) * 1000
        if status != 200:
            raise RuntimeError(f"{status}: {answer.decode()}")
        timings: dict[str, float] = json.loads(answer)["timings"]
        rest = whole - sum(timings.values())
        return {**timings, "HTTP, between the steps": rest, "whole": whole}

    def logged(self, message: str) -> float:
        """The milliseconds that a line of the log says; 0 without such a line."""
        lines = (line for line in self._log.read_text().splitlines() if line.startswith("{"))
        found = (json.loads(line) for line in lines)
        return next((float(line["ms"]) for line in found if line["message"] == message), 0.0)


@contextmanager
def server(
    folder: Path, store_port: int, photo: str, log: Path, build: Path = ROOT, **environment: str
) -> Iterator[tuple[Server, Start]]:
    """Start the server of a checkout and have it answer once."""
    port = free_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{store_port}",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "GEN3D_ENGINE": "sam",
        "GEN3D_MODEL_DIR": str(folder),
        "GEN3D_HOST": "127.0.0.1",
        "GEN3D_PORT": str(port),
    }
    log.write_text("")
    started = time.perf_counter()
    environment = {**image_environment(), **settings, **environment}
    with process(["gen3d_inference", "serve"], log, build, **environment) as serving:
        slowest = _until(serving, port, "/ping", 200)
        ready = time.perf_counter() - started
        running = Server(port, log)
        running.initialize(photo)
        first_answer = time.perf_counter() - started
        loading, compiling = running.logged("Engine loaded"), running.logged("Encoder compiled")
        yield running, Start(ready, first_answer, (loading / 1000, compiling / 1000), slowest)


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """The median of each step."""
    return {step: statistics.median(run[step] for run in runs) for step in runs[0]}


@contextmanager
def pinging(port: int) -> Iterator[list[float]]:
    """Ping every 20 ms; the list fills with milliseconds."""
    spent: list[float] = []
    over = threading.Event()

    def ping() -> None:
        while not over.wait(0.02):
            start = time.perf_counter()
            status, _ = request(port, "GET", "/ping")
            if status != 200:
                raise RuntimeError(f"a ping was answered {status}")
            spent.append((time.perf_counter() - start) * 1000)

    thread = threading.Thread(target=ping)
    thread.start()
    try:
        yield spent
    finally:
        over.set()
        thread.join()
