"""Runs functions under the real awslambdaric, in processes that hold what AWS's runtime holds.

ministack's own Python worker loses an error's type and shares this process's packages. Its path for
custom runtimes speaks the real Runtime API, enforces timeouts and keeps workers warm, so every
function takes that path, with a bootstrap that starts awslambdaric.
"""

import io
import os
import shlex
import tempfile
import threading
import zipfile
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.services import lambda_svc

from local.images import Image

_KEPT = ("AWS_", "_HANDLER", "LAMBDA_TASK_ROOT")


class Functions:
    """The runtime of all functions of a stack.

    Parameters
    ----------
    python : pathlib.Path
        The interpreter of zip functions.
    logs : pathlib.Path
        Each function's output goes to `{name}.log` in it.
    """

    def __init__(self, python: Path, logs: Path) -> None:
        self._python = python
        self._logs = logs
        self._images: dict[str, Image] = {}
        self._packages: dict[tuple[str, str], bytes] = {}
        # In AWS each call has processors of its own; here heavy ones take turns, before their time
        # runs. What is an image is heavy.
        self._processors = threading.BoundedSemaphore(os.cpu_count() or 1)

    def add_image(self, uri: str, image: Image) -> None:
        """Say what stands in for a container image."""
        self._images[uri] = image

    def install(self) -> None:
        """Take over from ministack's own workers."""
        self._run_under_awslambdaric()
        self._give_only_lambdas_environment()
        self._write_logs()

    def _run_under_awslambdaric(self) -> None:
        original = lambda_svc._execute_function_dispatch

        def dispatch(func: dict[str, Any], config: dict[str, Any], *rest: Any) -> Any:
            config = dict(config, Runtime="provided.al2023", PackageType="Zip")
            image = self._image(config)
            if image:
                image.build()
                words = (config.get("ImageConfigResponse") or {}).get("ImageConfig") or {}
                config["Handler"] = (words.get("Command") or image.command)[-1]
            code = self._package(func, config, image)
            with self._processors if image else nullcontext():
                return original({**func, "config": config, "code_zip": code}, config, *rest)

        lambda_svc._execute_function_dispatch = dispatch

    def _image(self, config: dict[str, Any]) -> Image | None:
        return self._images.get(config.get("ImageUri", ""))

    def _package(self, func: dict[str, Any], config: dict[str, Any], image: Image | None) -> bytes:
        """The deployed code with the bootstrap that a custom runtime needs."""
        key = (config["FunctionName"], config.get("CodeSha256", ""))
        if key not in self._packages:
            buffer = io.BytesIO(b"" if image else func["code_zip"])
            with zipfile.ZipFile(buffer, "a") as package:
                entry = zipfile.ZipInfo("bootstrap")
                entry.external_attr = 0o755 << 16
                package.writestr(entry, _bootstrap(image, self._python))
            self._packages[key] = buffer.getvalue()
        return self._packages[key]

    def _give_only_lambdas_environment(self) -> None:
        """Ministack passes its own environment on; a function gets Lambda's and its own."""
        original = lambda_svc._provided_worker_env

        def environment(config: dict[str, Any], code: str, port: int) -> dict[str, str]:
            own = (config.get("Environment") or {}).get("Variables") or {}
            given = {
                name: value
                for name, value in original(config, code, port).items()
                if name in own or name.startswith(_KEPT)
            }
            image = self._image(config)
            layers = [_layer(layer) for layer in config.get("Layers") or []]
            path = [code, *(f"{folder}/python" for folder in layers)]
            scratch = Path(tempfile.mkdtemp(prefix=f"{config['FunctionName']}-"))
            runtime = image.variables(scratch) if image else {"PYTHONPATH": ":".join(path)}
            return {
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LANG": "en_US.UTF-8",
                "TZ": ":UTC",
                "TMPDIR": str(scratch),
                "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config['FunctionName']}",
                **runtime,
                **given,
            }

        lambda_svc._provided_worker_env = environment

    def _write_logs(self) -> None:
        """What a function prints goes to CloudWatch Logs and, for the terminal, to a file."""
        original = lambda_svc._emit_lambda_logs

        def emit(func: dict[str, Any], request: str, text: str, *rest: Any, **named: Any) -> None:
            original(func, request, text, *rest, **named)
            if text:
                name = (func.get("config") or func)["FunctionName"]
                moment = datetime.now(UTC).isoformat(timespec="milliseconds")
                with (self._logs / f"{name}.log").open("a") as file:
                    file.write(f"{moment} {request}\n{text.rstrip()}\n")

        lambda_svc._emit_lambda_logs = emit


def _bootstrap(image: Image | None, python: Path) -> str:
    if image is None:
        return f'#!/bin/sh\nexec {python} -m awslambdaric "$_HANDLER"\n'
    start = shlex.join(image.start([]))
    return f'#!/bin/sh\ncd {shlex.quote(str(image.folder))}\nexec {start} "$_HANDLER"\n'


def _layer(attachment: Any) -> str:
    """Extract a layer once, as Lambda mounts it."""
    content = lambda_svc._resolve_layer_zip(attachment)
    return str(lambda_svc._docker_extracted_dir(content, "layer"))
