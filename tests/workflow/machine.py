"""Our state machine, one write at a time: its own states, conditions and choices, without waits.

The interpreter of the local stack runs an execution in threads, in its own time. This one takes a
step when it is told to, so that a test chooses which of several executions writes next, and what
happens in between. `Retry` is left out: an error reaches `Catch` at once, as after the last retry.
"""

# ruff: noqa: N803  parameters have the names that the services give them

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jsonata
from botocore.exceptions import ClientError

from tests.support import client, client_error

from .harness import all_states, definition

Json = dict[str, Any]

_EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)
_DATABASE = {"updateItem": "update_item", "transactWriteItems": "transact_write_items"}


class TaskFailed(Exception):
    """A task's error, by the name that `Catch` knows it by."""

    def __init__(self, name: str, cause: str = "Do this.") -> None:
        super().__init__(name)
        self.name, self.cause = name, cause


@cache
def _states() -> dict[str, Json]:
    return all_states(definition())


@cache
def _program(text: str) -> jsonata.Jsonata:
    program = jsonata.Jsonata(text)
    program.register_lambda("parse", json.loads)
    return program


def evaluated(part: Any, variables: Json) -> Any:
    """Arguments of a state, with every expression in them evaluated."""
    if isinstance(part, dict):
        return {key: evaluated(value, variables) for key, value in part.items()}
    if isinstance(part, list):
        return [evaluated(item, variables) for item in part]
    found = _EXPRESSION.fullmatch(part.strip()) if isinstance(part, str) else None
    if found is None:
        return part
    program = _program(found[1])
    for name, value in variables.items():
        program.assign(name, value)
    # Its `$now()` is that of the program which was made last, or that is said here.
    jsonata.Jsonata.CURRENT.jsonata = program
    return program.evaluate(None)


class Branch:
    """Where the machine, or one object's part of it, stands, and with which variables."""

    def __init__(self, execution: "Execution", at: str, given: Any, variables: Json) -> None:
        self.execution, self.at, self.given = execution, at, given
        self.variables = variables
        self.token: str | None = None
        """Of the task that it waits for."""
        self.children: list[Branch] = []
        """Of a Parallel, or of a Map."""
        self.output: Any = None
        self.over = False
        self.failed: TaskFailed | None = None

    @property
    def state(self) -> Json:
        return _states()[self.at]

    def leaves(self) -> "Iterator[Branch]":
        """The branches that can go on: this one, or its children."""
        # One that failed ends the others with it.
        failed = any(child.failed for child in self.children)
        unfinished = [] if failed else [child for child in self.children if not child.over]
        for child in unfinished:
            yield from child.leaves()
        if not unfinished and not self.over and self.token is None:
            yield self

    def waiting(self) -> "Iterator[Branch]":
        """The branches that wait for an answer."""
        if not any(child.failed for child in self.children):
            for child in self.children:
                yield from child.waiting()
        if self.token is not None and not self.over:
            yield self

    def step(self) -> None:
        """Go on until something was done outside, or nothing is left to do."""
        while not self.over and not self._enter():
            pass

    def answer(self, result: Any = None, error: TaskFailed | None = None) -> None:
        """End the task that it waits for."""
        self.token = None
        if error is not None:
            self._fail(error)
        else:
            self._succeed(result)

    def fail(self, error: TaskFailed) -> None:
        """Let the next task end with an error, whether it was carried out or not."""
        self.go_to_the_next_task()
        if not self.over:
            self._fail(error)

    def go_to_the_next_task(self) -> None:
        """Pass what is decided without anybody outside."""
        while not self.over and (self._is_decided or self._joins):
            self._enter()

    @property
    def _is_decided(self) -> bool:
        return self.state["Type"] not in ("Task", "Map", "Parallel")

    @property
    def _joins(self) -> bool:
        """Whether its parts have ended, or one has failed."""
        ended = all(child.over for child in self.children)
        return bool(self.children) and (ended or any(child.failed for child in self.children))

    def _values(self, **states: Any) -> Json:
        execution = {"Id": self.execution.arn}
        token = f"{self.execution.arn} {self.execution.tokens}"
        context = {
            "Execution": execution,
            "State": {"RetryCount": 0, "Name": self.at},
            "Task": {"Token": token},
        }
        given = {"input": self.given, "context": context, **states}
        return {**self.variables, "states": given}

    def _enter(self) -> bool:
        """Enter a state; True where it did something outside, or waits."""
        state = self.state
        match state["Type"]:
            case "Pass":
                self._go(state, self._values())
            case "Choice":
                for choice in state["Choices"]:
                    if evaluated(choice["Condition"], self._values()):
                        self._go(choice, self._values())
                        return False
                self._go({**state, "Next": state["Default"]}, self._values())
            case "Succeed":
                self.over = True
            case "Fail":
                told = (evaluated(state.get(key, ""), self._values()) for key in ("Error", "Cause"))
                self._end(TaskFailed(*map(str, told)))
            case "Map":
                items = evaluated(state["Items"], self._values())
                starts = state["ItemProcessor"]["StartAt"]
                return self._divide([(starts, item) for item in items])
            case "Parallel":
                return self._divide([(each["StartAt"], self.given) for each in state["Branches"]])
            case "Task":
                self._task(state)
                return True
        return False

    def _go(self, state: Json, values: Json) -> None:
        self.variables.update(evaluated(state.get("Assign", {}), values))
        if "Output" in state:
            self.output = evaluated(state["Output"], values)
        if state.get("End"):
            self.over = True
        else:
            self.at = state["Next"]

    def _divide(self, starts: list[tuple[str, Any]]) -> bool:
        """Begin with each part of a Parallel or of a Map, or go on as all of them have ended."""
        if not self.children and starts:
            self.children = [
                Branch(self.execution, at, given, copy.deepcopy(self.variables))
                for at, given in starts
            ]
            return True
        children, self.children = self.children, []
        for child in children:
            if child.failed is not None:
                self._fail(child.failed)
                return False
        self._succeed([child.output for child in children])
        return False

    def _task(self, state: Json) -> None:
        try:
            self.execution.tokens += 1
            values = self._values()
            token = values["states"]["context"]["Task"]["Token"]
            waits = state["Resource"].endswith(".waitForTaskToken")
            self.token = token if waits else None
            result = self._call(state, evaluated(state["Arguments"], values))
        except TaskFailed as error:
            self.token = None
            self._fail(error)
        else:
            if not waits:
                self._succeed(result)

    def _call(self, state: Json, arguments: Json) -> Any:
        operation = state["Resource"].split(":")[-1].split(".")[0]
        if operation not in _DATABASE:
            return self.execution.services(operation, arguments)
        try:
            return getattr(client("dynamodb"), _DATABASE[operation])(**arguments)
        except ClientError as error:
            raise TaskFailed(f"DynamoDb.{type(error).__name__}", str(error)) from None

    def _succeed(self, result: Any) -> None:
        try:
            self._go(self.state, self._values(result=result))
        except jsonata.jexception.JException:
            self._fail(TaskFailed("States.QueryEvaluationError"))

    def _fail(self, error: TaskFailed) -> None:
        for catch in self.state.get("Catch", []):
            if {error.name, "States.ALL"} & set(catch["ErrorEquals"]):
                output = {"Error": error.name, "Cause": error.cause}
                self._go(catch, self._values(errorOutput=output))
                return
        self._end(error)

    def _end(self, error: TaskFailed) -> None:
        self.over, self.failed = True, error


class Execution:
    """An execution of one job.

    Parameters
    ----------
    arn, text : str
        Its name and its input.
    services : callable
        Takes an operation and its arguments; calls functions and S3, or raises `TaskFailed`.
    """

    def __init__(self, arn: str, text: str, services: Callable[[str, Json], Any]) -> None:
        self.arn, self.text, self.services = arn, text, services
        self.input: Json = json.loads(text)
        self.tokens = 0
        self.started = datetime.now(UTC)
        self.main = Branch(self, definition()["StartAt"], self.input, {})
        self.stopped = self.died = False

    @property
    def run(self) -> int:
        return int(self.input["run"])

    @property
    def status(self) -> str:
        if self.died or self.main.failed:
            return "FAILED"
        if self.stopped:
            return "ABORTED"
        return "SUCCEEDED" if self.main.over else "RUNNING"


class StepFunctions:
    """The part of Step Functions that the functions call."""

    def __init__(self, services: Callable[[str, Json], Any]) -> None:
        self.services = services
        self.executions: dict[str, Execution] = {}

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Json:
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        known = self.executions.get(arn)
        if known is None:
            self.executions[arn] = Execution(arn, input, self.services)
        elif known.status != "RUNNING" or known.text != input:
            raise client_error("ExecutionAlreadyExists", "StartExecution")
        return {"executionArn": arn}

    def stop_execution(self, *, executionArn: str, **_why: str) -> Json:
        execution = self._known(executionArn, "StopExecution")
        execution.stopped = execution.status == "RUNNING"
        return {}

    def describe_execution(self, *, executionArn: str) -> Json:
        found = self._known(executionArn, "DescribeExecution")
        return {"input": found.text, **_described(found)}

    def get_paginator(self, operation: str) -> "StepFunctions":
        assert operation == "list_executions"
        return self

    def paginate(self, *, statusFilter: str, **_: Any) -> Iterator[Json]:
        yield {
            "executions": [
                _described(e) for e in self.executions.values() if e.status == statusFilter
            ]
        }

    def send_task_success(self, *, taskToken: str, output: str) -> Json:
        arn = taskToken.split(" ")[0]
        execution = self.executions.get(arn)
        waiting = execution.main.waiting() if execution and execution.status == "RUNNING" else ()
        for branch in waiting:
            if branch.token == taskToken:
                branch.answer(json.loads(output))
                return {}
        raise client_error("TaskTimedOut", "SendTaskSuccess")

    def _known(self, arn: str, operation: str) -> Execution:
        if arn not in self.executions:
            raise client_error("ExecutionDoesNotExist", operation)
        return self.executions[arn]


def _described(execution: Execution) -> Json:
    ended = {} if execution.status == "RUNNING" else {"stopDate": execution.started}
    return {
        "executionArn": execution.arn,
        "name": execution.arn.rsplit(":", 1)[-1],
        "status": execution.status,
        "startDate": execution.started,
        **ended,
    }
