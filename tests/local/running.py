"""A stack in a process of its own, as `python -m gen3d_local up` starts it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

ROOT = Path(__file__).parents[2]
PROBE = Path(__file__).parent / "probe" / "template.yaml"
PATIENCE = 300
"""Seconds until something that has not come is given up: the mesh step's kernels may have to be
compiled for its image first, which takes two minutes of a machine that has more to do."""


class RunningStack:
    """Starts a stack, and speaks to it as its developer.

    Parameters
    ----------
    folder : pathlib.Path
        Its state.
    template : pathlib.Path
    parameters : mapping
        The template's.
    environment : mapping
        Variables for the process.
    """

    def __init__(
        self,
        folder: Path,
        template: Path = PROBE,
        parameters: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._template = template
        self._parameters = dict(parameters or {})
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[str] | None = None
        self.said = ""
        self.messages: list[dict[str, Any]] = []

    def start(self) -> "RunningStack":
        """Return when it is up."""
        command = [sys.executable, "-m", "gen3d_local", "up", "--port", str(self.port)]
        command += ["--folder", str(self.folder), "--template", str(self._template)]
        for name, value in self._parameters.items():
            command += ["--parameter", f"{name}={value}"]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **self._environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                self.__dict__.pop("outputs", None)
                return self
        self._end()
        raise AssertionError(f"The stack did not start: {self.said}")

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """End it; gives the exit code."""
        assert self._process is not None
        self._process.send_signal(sign)
        return self._end()

    def _end(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        code = self._process.wait(PATIENCE)
        self._process.stdout.close()
        return code

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The deployed stack's outputs."""
        stacks = self.client("cloudformation").describe_stacks(StackName="gen3d")["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}

    def client(self, service: str, **credentials: str) -> Any:
        """An AWS client of the account's root, or with other credentials."""
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", **credentials}
        config = Config(
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path"},
            retries={"max_attempts": 0},
        )
        return boto3.client(  # type: ignore[call-overload]
            service, endpoint_url=self.url, region_name="us-east-1", config=config, **keys
        )

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask for a page."""
        return httpx.get(self.url + path, timeout=30, **options)

    def take_messages(self) -> list[dict[str, Any]]:
        """What is new in the queue; whoever asks gets what the others did not want."""
        sqs, url = self.client("sqs"), self.outputs["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            self.messages.append(json.loads(message["Body"]))
        return self.messages

    def log(self) -> str:
        """What its parts logged."""
        return (self.folder / "logs" / "stack.log").read_text()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(condition: Any) -> Any:
    """What a condition gives as soon as it gives something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("It did not come.")
