"""One instance of an endpoint: the inference server as a process."""

import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from local_aws import aws, children
from local_aws.container_images import ContainerImage
from local_aws.endpoint.spec import EndpointSpec

log = logging.getLogger(__name__)

_COMMAND = ["serve"]
"""SageMaker starts every image as ``docker run image serve``."""


class ServerDown(Exception):
    """The server does not run; the message continues "The container of endpoint x …"."""


class Server:
    """Starts, watches and ends the inference server.

    Parameters
    ----------
    spec : EndpointSpec
    image : ContainerImage
        Its start command and files.
    variables : dict
        What points the AWS SDK at this stack.
    folder : pathlib.Path
        Model data is kept in it.
    log_file : pathlib.Path
        The server's output.
    """

    def __init__(
        self,
        spec: EndpointSpec,
        image: ContainerImage,
        variables: dict[str, str],
        folder: Path,
        log_file: Path,
    ) -> None:
        self.spec = spec
        self._image = image
        self._variables = variables
        self._model = folder / "model"
        self._scratch = folder / "tmp"
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._lock = threading.Lock()
        # Without the certificates that each new client would read; and no connection is used a
        # second time, as the server may just be closing it.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(verify=False, limits=limits)  # noqa: S501  never leaves here

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def ensure(self) -> None:
        """Start the server if it does not run, and wait until it is healthy.

        Raises
        ------
        ServerDown
            It ended at once, or did not answer `/ping` in time.
        """
        with self._lock:
            if self.running:
                return
            self._start()
            self._await_ping()

    def invoke(
        self, body: bytes, content_type: str, attributes: str, timeout: float
    ) -> httpx.Response:
        """POST `/invocations`.

        Raises
        ------
        httpx.TimeoutException
            No answer in time; the server is ended, for it still works on the request.
        ServerDown
            It ended while it worked.
        """
        headers = {"Content-Type": content_type}
        if attributes:
            headers["X-Amzn-SageMaker-Custom-Attributes"] = attributes
        address = f"http://127.0.0.1:{self._port}/invocations"
        try:
            return self._client.post(address, content=body, headers=headers, timeout=timeout)
        except httpx.TimeoutException:
            self.stop()
            raise
        except httpx.TransportError as error:
            self.stop()
            raise ServerDown(
                f"stopped while it handled the request. {self._last_line()}"
            ) from error

    def stop(self) -> None:
        """End the process and everything that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sign)
                process.wait(5)
            except (ProcessLookupError, PermissionError):
                break
            except subprocess.TimeoutExpired:
                continue
        process.wait()

    def _start(self) -> None:
        if self.spec.model_data:
            _copy_prefix(self.spec.model_data, self._model, self.spec.role)
        self._port = _free_port()
        environment = {
            "LANG": "C.UTF-8",
            "HOME": str(self._model.parent),
            "PYTHONUNBUFFERED": "1",
            **self._image.variables(self._scratch),
            **self.spec.environment,
            **self._variables,
            **aws.role_credentials(self.spec.role, "SageMaker"),
            # A container has /opt/ml/model and port 8080 for itself; here they are shared.
            "GEN3D_MODEL_DIR": str(self._model),
            "GEN3D_HOST": "127.0.0.1",
            "GEN3D_PORT": str(self._port),
        }
        with self._log_file.open("ab") as output:
            self._process = children.start(
                self._image.start(_COMMAND),
                cwd=self._image.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,  # to be ended whole; a session of its own would not give way
            )
        children.give_way(self._process)
        log.info("Started the inference server of %s on port %d", self.spec.name, self._port)

    def _await_ping(self) -> None:
        deadline = time.monotonic() + self.spec.startup_seconds
        address = f"http://127.0.0.1:{self._port}"
        while time.monotonic() < deadline:
            if not self.running:
                raise ServerDown(f"ended while it started. {self._last_line()}")
            try:
                if self._client.get(f"{address}/ping", timeout=2).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        self.stop()
        raise ServerDown(f"did not pass the ping health check. {self._last_line()}")

    def _last_line(self) -> str:
        lines = self._log_file.read_text(errors="replace").strip().splitlines()
        return f"Its log ends: {lines[-1][:300]}" if lines else "Its log is empty."


ServerFactory = Callable[[EndpointSpec], Server]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _copy_prefix(uri: str, folder: Path, role: str) -> None:
    """Bring the files below an S3 prefix into a folder; those that are there already stay."""
    parts = urlsplit(uri)
    bucket, prefix = parts.netloc, parts.path.lstrip("/")
    s3 = aws.role_client(role, "SageMaker", "s3")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            target = folder / item["Key"].removeprefix(prefix).lstrip("/")
            wanted.add(target)
            mark = (item["Size"], item["LastModified"].timestamp())
            if target.exists() and (target.stat().st_size, target.stat().st_mtime) == mark:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, item["Key"], str(target))
            os.utime(target, (mark[1], mark[1]))
    for file in folder.rglob("*"):
        if file.is_file() and file not in wanted:
            file.unlink()
