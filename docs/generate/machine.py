"""The state machine as a table and as a diagram."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias  # noqa: TID251  every kind of state has its own fields

import yaml

from docs.generate.parts import DocumentError, code, table

State: TypeAlias = dict[str, Any]

_FAILURE = "RecordFailure"
"""Where all unforeseen errors end; drawn once, not as an arrow from each state."""


@dataclass(frozen=True)
class Machine:
    """The definition in Amazon States Language."""

    definition: State

    @classmethod
    def read(cls, path: Path) -> "Machine":
        """Read a definition in YAML."""
        return cls(yaml.safe_load(path.read_text()))

    def table(self) -> str:
        """Every state: what it does, for how long, how often, and what follows an error."""
        return table(
            ["state", "does", "at most", "tries again", "on an error"],
            [
                (code(name), _does(state), _limit(state), _retries(state), _errors(state))
                for name, state in _walk(self.definition["States"])
            ],
        )

    def diagram(self) -> str:
        """A flowchart in Mermaid; what any failure leads to is said in a note."""
        lines = ["flowchart TB", f"    start((start)) --> {self.definition['StartAt']}"]
        lines += _chart(self.definition["States"], "    ")
        caught = [name for name, state in self.definition["States"].items() if _fails(state)]
        lines += [f'    anywhere["any other error in<br/>{_folded(caught)}"] -.-> {_FAILURE}']
        return "\n".join(["```mermaid", *lines, "```"])


def _walk(states: State) -> Iterator[tuple[str, State]]:
    for name, state in states.items():
        yield name, state
        for part in _parts(state):
            yield from _walk(part["States"])


def _parts(state: State) -> list[State]:
    """The machines inside of a state: a Parallel's branches, or what a Map does."""
    inside = [*state.get("Branches", []), state.get("ItemProcessor")]
    return [part for part in inside if part]


def _does(state: State) -> str:
    comment = state.get("Comment", "")
    return f"{_kind(state)}. {comment}" if comment else _kind(state)


def _kind(state: State) -> str:
    match state["Type"]:
        case "Task":
            return _task(state)
        case "Map":
            return f"Map: for each object, at most {state['MaxConcurrency']} at a time"
        case "Parallel":
            begins = ", ".join(branch["StartAt"] for branch in state["Branches"])
            return f"Parallel: {begins}"
        case "Choice":
            ways = ", ".join(choice["Next"] for choice in state["Choices"])
            return f"Choice: {ways}, else {state['Default']}"
        case kind:
            return str(kind)


def _task(state: State) -> str:
    *_, service, action = state["Resource"].split(":")
    action, _, pattern = action.partition(".")
    if service == "lambda":
        function = state["Arguments"]["FunctionName"].strip("${}").removesuffix("Arn")
        what = f"Lambda {function}"
    else:
        what = f"{ {'dynamodb': 'DynamoDB', 's3': 'S3'}[service] } {action}"
    return f"{what}, then waits for its task token" if pattern else what


def _limit(state: State) -> str:
    seconds = state.get("TimeoutSeconds")
    if seconds is None:
        return ""
    if isinstance(seconds, int):
        return f"{seconds:,} s"
    return str(seconds).strip("{}% $") + " s"


def _retries(state: State) -> str:
    return ", ".join(
        f"{rule['MaxAttempts']} × {_kind_of_error(rule['ErrorEquals'])}"
        for rule in state.get("Retry", [])
    )


def _kind_of_error(errors: list[str]) -> str:
    return _KINDS.get(errors[0], errors[0])


_KINDS = {
    "Lambda.ServiceException": "AWS is busy",
    "Lambda.CodeArtifactUserPendingException": "the function is made ready",
    "Lambda.Unknown": "the function died",
    "DynamoDb.InternalServerErrorException": "the table is busy",
    "DynamoDb.TransactionCanceledException": "the transaction met another",
    "S3.S3Exception": "S3 is busy",
    "DynamoDb.ConditionalCheckFailedException": "there is no draft yet",
}
"""What the rules in ``statemachines/retries.yaml`` are about, by the first of their errors."""


def _errors(state: State) -> str:
    return ", ".join(
        f"{' or '.join(rule['ErrorEquals']).replace('States.ALL', 'any')} → {rule['Next']}"
        for rule in state.get("Catch", [])
    )


def _fails(state: State) -> bool:
    return any(rule["Next"] == _FAILURE for rule in state.get("Catch", []))


def _folded(names: list[str]) -> str:
    rows = [names[at : at + 3] for at in range(0, len(names), 3)]
    return ",<br/>".join(", ".join(row) for row in rows)


def _chart(states: State, indent: str) -> list[str]:
    lines: list[str] = []
    for name, state in states.items():
        if state["Type"] == "Map":
            lines += [f'{indent}subgraph {name}["{name}: for each of 1 to 8 objects"]']
        if state["Type"] == "Parallel":
            lines += [f'{indent}subgraph {name}["{name}: all of these at a time"]']
        if _parts(state):
            for part in _parts(state):
                lines += _chart(part["States"], indent + "    ")
            lines += [f"{indent}end"]
        else:
            lines.append(f"{indent}{name}{_shape(name, state)}")
    for name, state in states.items():
        lines += [f"{indent}{name} {arrow}" for arrow in _arrows(name, state)]
    return lines


def _shape(name: str, state: State) -> str:
    match state["Type"]:
        case "Choice":
            return f"{{{name}}}"
        case "Succeed" | "Fail":
            return f"([{name}])"
        case "Pass":
            return f"[/{name}/]"
        case _:
            waits = state["Resource"].endswith(".waitForTaskToken")
            return f"[[{name}]]" if waits else f"[{name}]"


_WAYS = {
    "DraftWanted": ["new", "taken up again, or Drafts off"],
    "PreparationWanted": ["new", "new, no endpoint", "taken up again"],
    "MaskWanted": ["has objects", "shows them", "has none"],
    "PromptsGiven": ["shows objects without masks", "has masks"],
    "Awake": ["has just answered, or Drafts off", "sleeps"],
    "Have": ["a mesh", "to be left", "a splat", "nothing, no endpoint", "nothing"],
    "AnyMesh": ["several meshes, or a scene is wanted", "one mesh", "none"],
    "TookLong": ["over a minute", "less"],
}
"""What a choice goes by, in words: its conditions, and the rest."""


def _arrows(name: str, state: State) -> Iterator[str]:
    if state["Type"] == "Choice":
        ways = [*(choice["Next"] for choice in state["Choices"]), state["Default"]]
        if len(_WAYS.get(name, [])) != len(ways):
            raise DocumentError(f"docs/generate/machine.py: say in _WAYS what {name} goes by.")
        for words, way in zip(_WAYS[name], ways, strict=True):
            yield f"-->|{words}| {way}"
    if "Next" in state:
        yield f"--> {state['Next']}"
    for rule in state.get("Catch", []):
        if rule["Next"] not in (_FAILURE, state.get("Next")):
            error = rule["ErrorEquals"][0].rpartition(".")[2].replace("ALL", "error")
            yield f"-.->|{error.removesuffix('Exception')}| {rule['Next']}"
