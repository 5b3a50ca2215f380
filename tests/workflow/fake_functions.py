"""Fakes of the Lambda functions of an execution, which are told how to answer.

Each kind of answer is a way in which a function, or the task behind it, can end.
"""

import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.support import client, client_error

PATIENCE = 30
"""Seconds after which a test gives up."""

EMBEDDINGS = {
    "width": 64,
    "height": 48,
    "bytes": 9,
    "timings": {"encode": 1.5},
    "engine": "lite",
    "revision": "0123456789ab",
}
SPLAT = {"gaussians": 5000, "bytes": 9, "engine": "lite", "revision": "0123456789ab"}
ENGINE_MESH = {"shape": "mesh", "vertices": 8, "faces": 12, "bytes": 9, "engine": "own"}
"""What the endpoint answers of an engine that makes meshes, in what is read of it."""


DRAFT = EMBEDDINGS | {"revision": "d4af7d4af7d4"}
"""What the lite function answers about a photo; its weights are others than the endpoint's."""


def modelled(service: Any, code: str, operation: str) -> ClientError:
    """The exception of that name, which AWS's SDK and so the error's name in Catch has."""
    kind = service.exceptions.from_code(code)
    if kind is ClientError:
        kind = type(code, (ClientError,), {})
    return kind(client_error(code).response, operation)  # type: ignore[no-any-return]


Answer = Callable[[dict[str, Any]], dict[str, Any]]
"""One answer of a Lambda to one call."""


def _failed(kind: str, message: str) -> dict[str, Any]:
    error = {"errorMessage": message, "errorType": kind, "requestId": "r", "stackTrace": ["  File"]}
    return {
        "StatusCode": 200,
        "FunctionError": "Unhandled",
        "Payload": io.BytesIO(json.dumps(error).encode()),
    }


def _answered(payload: Any) -> dict[str, Any]:
    return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(payload).encode())}


@dataclass
class Returns:
    """The function returns."""

    value: Any = None

    def __call__(self, payload: dict[str, Any]) -> dict[str, Any]:
        return _answered(self.value)


@dataclass
class Raises:
    """The function raises: an error of ours by its class name, or anything else."""

    kind: str = "RuntimeError"
    message: str = "'NoneType' object is not subscriptable"

    def __call__(self, payload: dict[str, Any]) -> dict[str, Any]:
        return _failed(self.kind, self.message)


@dataclass
class Refused:
    """Lambda itself does not take the call."""

    code: str = "TooManyRequestsException"

    def __call__(self, payload: dict[str, Any]) -> dict[str, Any]:
        raise modelled(client("lambda"), self.code, "Invoke")


@dataclass
class Hangs:
    """The function does not return before its task's time is over."""

    over: threading.Event = field(default_factory=threading.Event)

    def __call__(self, payload: dict[str, Any]) -> dict[str, Any]:
        self.over.wait(PATIENCE)
        return _answered(None)


@dataclass
class TaskFails:
    """The function returns, and the task is later ended with an error."""

    error: str
    cause: str = "Do this."

    def __call__(self, payload: dict[str, Any]) -> dict[str, Any]:
        client("stepfunctions").send_task_failure(
            taskToken=payload["taskToken"], error=self.error, cause=self.cause
        )
        return _answered({"callbackId": "c"})


@dataclass
class TaskNeverEnds:
    """The function returns, and nobody ever ends the task."""

    def __call__(self, payload: dict[str, Any]) -> dict[str, Any]:
        return _answered({"callbackId": "c"})


def task_succeeds(payload: dict[str, Any]) -> dict[str, Any]:
    """The function returns, and the task is later ended with its result."""
    result = EMBEDDINGS if payload["stage"] == "initialize" else SPLAT | {"n": payload["n"]}
    client("stepfunctions").send_task_success(
        taskToken=payload["taskToken"], output=json.dumps(result)
    )
    return _answered({"callbackId": "c"})


def mesh_of(payload: dict[str, Any]) -> dict[str, Any]:
    """The mesh function's answer about an object, or about all of them."""
    if payload.get("task") == "scene":
        return _answered(scene_of(payload))
    files = {"glb": {"key": f"{payload['prefix']}mesh.glb", "bytes": 9}}
    return _answered({"files": files, "vertices": 12, "faces": 20})


def scene_of(payload: dict[str, Any]) -> dict[str, Any]:
    """What the mesh function tells of a scene."""
    stand = [{"n": o["n"], "placed": "mask", "height": 1.0} for o in payload["objects"]]
    files = {"glb": {"key": f"{payload['prefix']}scene.glb", "bytes": 9}}
    return {"files": files, "metres": False, "objects": stand}


def lite_of(payload: dict[str, Any]) -> dict[str, Any]:
    """The lite function's answer."""
    return _answered(DRAFT if payload["task"] == "initialize" else SPLAT)


@dataclass
class Decodes:
    """The lite function, which has made masks of these objects."""

    tasks: list[dict[str, Any]]

    def __call__(self, payload: dict[str, Any]) -> dict[str, Any]:
        if payload["task"] != "decode":
            return lite_of(payload)
        return _answered({"objects": self.tasks, "timings": {"mask0": 1.5}, **DRAFT})


def _object(payload: dict[str, Any]) -> int | None:
    """Which object a call is about, where it is about one."""
    n: int | None = payload.get("n")
    about = payload.get("splat") or payload.get("mesh") or payload.get("mask")
    if n is None and about:
        n = int(about.split("/objects/")[1].split("/")[0])
    return n


class FakeFunction:
    """A Lambda function.

    Attributes
    ----------
    calls : list of dict
        The payloads that it was invoked with.
    """

    def __init__(self, usual: Answer) -> None:
        self.calls: list[dict[str, Any]] = []
        self._usual = usual
        self._answers: list[Answer] = []
        self._for_object: dict[int, Answer] = {}

    def next(self, *answers: Answer) -> None:
        """Say how it answers its next calls; after them, as usual."""
        self._answers = list(answers)

    def always(self, answer: Answer) -> None:
        """Say how it answers every call."""
        self._usual = answer

    def for_object(self, n: int, answer: Answer) -> None:
        """Say how it answers every call about an object."""
        self._for_object[n] = answer

    def invoke(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer a call."""
        n, answer = _object(payload), self._usual
        if self._answers:
            answer = self._answers.pop(0)
        elif payload.get("stage") != "initialize" and n in self._for_object:
            answer = self._for_object[n]
        self.calls.append(payload)
        return answer(payload)

    def was_asked_about(self, n: int) -> bool:
        """Whether it was called about an object; what it answers to that is settled then."""
        return any(_object(payload) == n for payload in self.calls)
