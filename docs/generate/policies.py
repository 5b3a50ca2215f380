"""Who may do what: the template's roles and resource policies."""

from collections.abc import Iterator
from typing import TypeVar

from docs.generate.parts import code, table
from docs.generate.template import Json, Template, when
from docs.generate.values import spelled

Entry = TypeVar("Entry")


def policies(template: Template) -> str:
    """Every role and resource policy with its statements."""
    parts = []
    for name, resource in template.body["Resources"].items():
        properties = resource.get("Properties", {})
        documents = [
            policy["PolicyDocument"]
            for policy in properties.get("Policies", ())
            if isinstance(policy, dict) and "PolicyDocument" in policy
        ]
        documents += [
            properties[key] for key in ("PolicyDocument", "KeyPolicy") if key in properties
        ]
        if not documents:
            continue
        parts.append(f"#### `{name}`{when(resource)}\n\n{template.purpose(name)}")
        trust = properties.get("AssumeRolePolicyDocument")
        if trust:
            parts.append(f"Taken on by {_principals(trust)}{_shared(properties)}.")
        rows = [row for document in documents for row in _statements(document["Statement"])]
        parts.append(table(["effect", "actions", "on", "only where"], rows))
    return "\n\n".join(parts)


def _statements(statements: list[Json]) -> Iterator[tuple[str, ...]]:
    for entry in statements:
        condition, statement, _ = entry.get("Fn::If", ("", entry, None))
        effect = statement["Effect"] + when({"Condition": condition})
        if "Principal" in statement:
            effect += f" to {_principals({'Statement': [statement]})}"
        yield (
            effect,
            ", ".join(map(code, _listed(statement["Action"]))),
            ", ".join(code(spelled(resource)) for resource in _listed(statement["Resource"])),
            code(spelled(statement["Condition"])) if "Condition" in statement else "",
        )


def _principals(trust: Json) -> str:
    who = []
    for statement in trust["Statement"]:
        principal = statement["Principal"]
        values = principal.values() if isinstance(principal, dict) else [principal]
        who += [code(spelled(one)) for value in values for one in _listed(value)]
    return ", ".join(who)


def _shared(properties: Json) -> str:
    managed = [code(spelled(arn)) for arn in properties.get("ManagedPolicyArns", ())]
    return f"; with {', '.join(managed)} beside" if managed else ""


def _listed(value: Entry | list[Entry]) -> list[Entry]:
    return value if isinstance(value, list) else [value]
