"""Puts right how moto evaluates the states language."""

import hashlib
import json
from functools import lru_cache
from typing import Any
from uuid import uuid4

import jsonata
from jsonata.utils import Utils
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.intrinsic import jsonata as intrinsics
from moto.stepfunctions.parser.asl.eval import environment, states, variable_store
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker


def install() -> None:
    """Apply every correction of this module."""
    _parse_once()
    _evaluate_jsonata_without_java()
    _quote_strings_in_jsonata()
    _keep_map_item_inside_tasks()
    _count_redrives()
    _fail_by_any_name()


def _parse_once() -> None:
    """Each execution parsed its definition anew, for a quarter of a second of all threads' time.

    A program keeps nothing of an execution, as the objects of a Map already share theirs.
    """
    parse = AmazonStateLanguageParser.parse
    AmazonStateLanguageParser.parse = staticmethod(lru_cache(maxsize=32)(parse))


def _evaluate_jsonata_without_java() -> None:
    """Moto calls a Java library, which is not installed; jsonata-python is a port of it.

    Three functions that AWS adds were missing, or evaluated their text as a program.
    """
    added = {"parse": json.loads, "uuid": lambda: str(uuid4()), "hash": _hash}
    for name in added:
        intrinsics._DECLARATION_BY_VARIABLE_REFERENCE.pop(f"${name}", None)

    def evaluate(expression: str) -> Any:
        try:
            program = jsonata.Jsonata(expression)
            for name, function in added.items():
                program.register_lambda(name, function)
            value = program.evaluate(None)
        except Exception as error:
            code = getattr(error, "error", "UNKNOWN")
            raise moto_jsonata.JSONataException(code, str(error)) from error
        if value is Utils.NULL_VALUE:
            return None
        return json.loads(json.dumps(value, default=lambda _function: None))

    moto_jsonata._eval_jsonata = evaluate


def _hash(text: str, algorithm: str) -> str:
    return hashlib.new(algorithm.replace("-", "").lower(), text.encode()).hexdigest()


def _quote_strings_in_jsonata() -> None:
    """Moto writes a variable's text between quotes as it is, so that a quote inside ends it."""

    def declarations(bindings: dict[str, Any]) -> str:
        return "".join(
            f"{name}:={moto_jsonata.to_json_str(value, separators=(',', ':'))};"
            for name, value in bindings.items()
        )

    for module in (moto_jsonata, states, variable_store):
        module.encode_jsonata_variable_declarations = declarations


def _keep_map_item_inside_tasks() -> None:
    """`$states.context.Map` was not copied into the frame in which a task is evaluated."""
    original = environment.Environment.as_inner_frame_of.__func__

    def as_inner_frame_of(cls: type, env: Any, *args: Any, **kwargs: Any) -> Any:
        frame = original(cls, env, *args, **kwargs)
        outer = env.states.context_object.context_object_data
        if "Map" in outer:
            frame.states.context_object.context_object_data["Map"] = outer["Map"]
        return frame

    environment.Environment.as_inner_frame_of = classmethod(as_inner_frame_of)


def _count_redrives() -> None:
    """`$states.context.Execution.RedriveCount` was missing; nothing is ever redriven here."""
    original = ExecutionWorker._get_evaluation_environment

    def with_count(self: Any) -> Any:
        env = original(self)
        env.states.context_object.context_object_data["Execution"]["RedriveCount"] = 0
        return env

    ExecutionWorker._get_evaluation_environment = with_count


def _fail_by_any_name() -> None:
    """A Fail state may pass on a name that begins with "States."; moto took it for a fault."""

    def init(self: Any, error_name: str | None) -> None:
        ErrorName.__init__(self, error_name=error_name)

    CustomErrorName.__init__ = init
