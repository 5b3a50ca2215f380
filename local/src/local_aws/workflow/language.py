"""Puts right how moto evaluates the states language."""

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from uuid import uuid4

import jsonata
from jsonata.utils import Utils
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.intrinsic import jsonata as intrinsics
from moto.stepfunctions.parser.asl.eval import environment, states, variable_store
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from local_aws.workflow.patches import patch


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
    patch(AmazonStateLanguageParser, parse=staticmethod(lru_cache(maxsize=32)(parse)))


def _evaluate_jsonata_without_java() -> None:
    """Moto calls a Java library, which is not installed; jsonata-python is a port of it.

    Three functions that AWS adds were missing, or evaluated their text as a program.
    """
    added = {"parse": json.loads, "uuid": lambda: str(uuid4()), "hash": _hash}
    for name in added:
        intrinsics._DECLARATION_BY_VARIABLE_REFERENCE.pop(f"${name}", None)

    def evaluate(expression: str) -> object:
        text, values = _without_values(expression)
        try:
            program = copy.copy(_parsed(text))
            program.environment = program.create_frame(jsonata.Jsonata.static_frame)
            for name, function in added.items():
                program.register_lambda(name, function)
            jsonata.Jsonata.CURRENT.jsonata = program  # whose functions a thread calls
            value = program.evaluate(None, values)
        except Exception as error:
            code = getattr(error, "error", "UNKNOWN")
            raise moto_jsonata.JSONataException(code, str(error)) from error
        if value is Utils.NULL_VALUE:
            return None
        return json.loads(json.dumps(value, default=lambda _function: None))

    patch(moto_jsonata, _eval_jsonata=evaluate)


_PARSED = 1024
"""Programs that are kept: a state machine has some hundred, each with and without its check."""

_parsed = lru_cache(maxsize=_PARSED)(jsonata.Jsonata)
"""A program's syntax tree, which no evaluation changes."""

_BEGINNING = re.compile(r"(?:\$\w+\()?\(")
_DECLARATION = re.compile(r"\$(\w+):=")


def _number(text: str) -> object:
    """A number as JSONata reads it: whole ones are integers."""
    return Utils.convert_number(float(text))


_VALUES = json.JSONDecoder(parse_float=_number, parse_int=_number)


def _without_values(expression: str) -> tuple[str, dict[str, object]]:
    """Take the values that moto writes before an expression out of its text.

    Moto declares each variable in the text, with all of its value, so every evaluation parsed
    another program: a fifth of the processor time of the stack's process under load.

    Parameters
    ----------
    expression : str
        ``($name:=JSON;…EXPRESSION)``, or a function of it.

    Returns
    -------
    tuple of str and dict
        The program without those declarations, and its variables' values.
    """
    beginning = _BEGINNING.match(expression)
    if beginning is None:
        return expression, {}
    at, values = beginning.end(), {}
    while declaration := _DECLARATION.match(expression, at):
        try:
            value, end = _VALUES.raw_decode(expression, declaration.end())
        except ValueError:  # a program's own declaration
            break
        if expression[end : end + 1] != ";":
            break
        values[declaration[1]] = _with_nulls(value)
        at = end + 1
    return expression[: beginning.end()] + expression[at:], values


def _with_nulls(value: object) -> object:
    """A value with JSONata's null, which is not what is missing."""
    if isinstance(value, dict):
        return {key: _with_nulls(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_nulls(member) for member in value]
    return Utils.NULL_VALUE if value is None else value


def _hash(text: str, algorithm: str) -> str:
    return hashlib.new(algorithm.replace("-", "").lower(), text.encode()).hexdigest()


def _quote_strings_in_jsonata() -> None:
    """Moto writes a variable's text between quotes as it is, so that a quote inside ends it."""

    def declarations(bindings: Mapping[str, object]) -> str:
        return "".join(
            f"{name}:={to_json_str(value, separators=(',', ':'))};"
            for name, value in bindings.items()
        )

    for module in (moto_jsonata, states, variable_store):
        patch(module, encode_jsonata_variable_declarations=declarations)


def _keep_map_item_inside_tasks() -> None:
    """`$states.context.Map` was not copied into the frame in which a task is evaluated."""
    original = environment.Environment.as_inner_frame_of

    def as_inner_frame_of(
        _class: type,
        env: environment.Environment,
        variable_store: variable_store.VariableStore,
        event_history_frame_cache: EventHistoryContext | None = None,
    ) -> environment.Environment:
        frame = original(env, variable_store, event_history_frame_cache)
        outer = env.states.context_object.context_object_data
        if "Map" in outer:
            frame.states.context_object.context_object_data["Map"] = outer["Map"]
        return frame

    patch(environment.Environment, as_inner_frame_of=classmethod(as_inner_frame_of))


def _count_redrives() -> None:
    """`$states.context.Execution.RedriveCount` was missing; nothing is ever redriven here."""
    original = ExecutionWorker._get_evaluation_environment

    def with_count(self: ExecutionWorker) -> environment.Environment:
        env = original(self)
        execution = env.states.context_object.context_object_data["Execution"]
        execution["RedriveCount"] = 0  # type: ignore[typeddict-unknown-key]
        return env

    patch(ExecutionWorker, _get_evaluation_environment=with_count)


def _fail_by_any_name() -> None:
    """A Fail state may pass on a name that begins with "States."; moto took it for a fault."""

    def init(self: CustomErrorName, error_name: str | None) -> None:
        ErrorName.__init__(self, error_name=error_name)

    patch(CustomErrorName, __init__=init)
