"""The template as CloudFormation gets it: translated by SAM, its intrinsic functions evaluated.

References become readable: ``!GetAtt Bucket.Arn`` reads ``{Bucket.Arn}``, ``!Ref JobsTable`` reads
``{JobsTable}``, and parameters and the stack's own name read as their values.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackName": "gen3d",
    "AWS::URLSuffix": "amazonaws.com",
}
_ABSENT = object()
"""What ``!Ref AWS::NoValue`` stands for: the property is not there."""

Json = dict[str, Any]


def source() -> Json:
    """The template as it is written."""
    parsed: Json = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


class Stack:
    """A deployment of the template.

    Attributes
    ----------
    resources : dict
        Logical id → type and evaluated properties, without those whose condition does not hold.
    outputs : dict
        Name → evaluated value, likewise.
    """

    def __init__(self, **parameters: str) -> None:
        given = {
            "SenderEmail": "sender@example.com",
            "AdminEmail": "admin@example.com",
        } | parameters
        template = translated(source(), given)
        self._values: Json = PSEUDO | {
            name: _value(parameter["Type"], str(given.get(name, parameter.get("Default"))))
            for name, parameter in template["Parameters"].items()
        }
        self._conditions = template["Conditions"]
        self._rules = template["Rules"]
        self.resources: dict[str, Json] = self._present(template["Resources"])
        self.outputs: Json = {
            name: output["Value"] for name, output in self._present(template["Outputs"]).items()
        }

    def refusing(self) -> list[str]:
        """The names of the template's rules that these parameters break."""
        return [
            name
            for name, rule in self._rules.items()
            if self._evaluate(rule.get("RuleCondition", True))
            and not all(self._evaluate(each["Assert"]) for each in rule["Assertions"])
        ]

    def of_type(self, kind: str) -> dict[str, Json]:
        """Logical id → properties of all resources of a type, such as ``AWS::SQS::Queue``."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def __getitem__(self, logical_id: str) -> Json:
        """The properties of one resource."""
        properties: Json = self.resources[logical_id]["Properties"]
        return properties

    def statements(self, role: str) -> list[Json]:
        """What a role may do, with actions and resources as lists."""
        own = self[role].get("Policies", [])
        shared = [self[arn.strip("{}")] for arn in self[role].get("ManagedPolicyArns", [])]
        documents = [policy["PolicyDocument"] for policy in own + shared]
        return [
            statement
            | {"Action": listed(statement["Action"]), "Resource": listed(statement["Resource"])}
            for document in documents
            for statement in document["Statement"]
        ]

    def actions_on(self, role: str, resource: str) -> set[str]:
        """What a role may do with exactly this resource."""
        return {
            action
            for statement in self.statements(role)
            if resource in statement["Resource"]
            for action in statement["Action"]
        }

    def _present(self, section: Json) -> Json:
        return {
            name: self._evaluate(entry)
            for name, entry in section.items()
            if "Condition" not in entry or self._holds(entry["Condition"])
        }

    def _holds(self, condition: str) -> bool:
        return bool(self._evaluate(self._conditions[condition]))

    def _evaluate(self, value: Any) -> Any:
        match value:
            case {"Ref": "AWS::NoValue"}:
                return _ABSENT
            case {"Ref": str(name)}:
                return self._values.get(name, f"{{{name}}}")
            case {"Fn::GetAtt": path}:
                return f"{{{path if isinstance(path, str) else '.'.join(path)}}}"
            case {"Fn::Sub": [str(text), dict(names)]}:
                return self._substitute(text, {k: self._evaluate(v) for k, v in names.items()})
            case {"Fn::Sub": str(text)}:
                return self._substitute(text, {})
            case {"Fn::Join": [str(separator), parts]}:
                return separator.join(self._evaluate(parts))
            case {"Fn::Split": [str(separator), text]}:
                return self._evaluate(text).split(separator)
            case {"Fn::Select": [index, entries]}:
                return self._evaluate(entries)[int(index)]
            case {"Fn::If": [str(condition), yes, no]}:
                return self._evaluate(yes if self._holds(condition) else no)
            case {"Fn::Equals": [left, right]}:
                return str(self._evaluate(left)) == str(self._evaluate(right))  # 0 equals '0'
            case {"Fn::And": operands}:
                return all(self._evaluate(operand) for operand in operands)
            case {"Condition": str(name), **others} if not others:
                return self._holds(name)
            case {"Fn::Not": [operand]}:
                return not self._evaluate(operand)
            case dict():
                entries = {key: self._evaluate(entry) for key, entry in value.items()}
                return {key: entry for key, entry in entries.items() if entry is not _ABSENT}
            case list():
                entries_of_list = [self._evaluate(entry) for entry in value]
                return [entry for entry in entries_of_list if entry is not _ABSENT]
            case _:
                return value

    def _substitute(self, text: str, names: Json) -> str:
        known = self._values | names
        found = re.sub(r"\$\{([^!}][^}]*)\}", lambda m: str(known.get(m[1], f"{{{m[1]}}}")), text)
        return found.replace("${!", "${")


@cache
def bare() -> Stack:
    """A first deployment: no container yet."""
    return Stack()


@cache
def whole() -> Stack:
    """A deployment with the endpoint."""
    return Stack(
        ContainerImage="123456789012.dkr.ecr.eu-west-1.amazonaws.com/gen3d:1",
        WeightsRevision="0123456789ab",
    )


def listed(value: Any) -> list[Any]:
    """A list, of one where the policy language lets it be left out."""
    return value if isinstance(value, list) else [value]


def _value(kind: str, text: str) -> Any:
    """A parameter as ``!Ref`` gives it."""
    return text.split(",") if kind == "CommaDelimitedList" else text


def translated(template: Json, parameters: dict[str, str]) -> Json:
    """A template without what is SAM's; what ``Fn::If`` chooses is still open."""
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        # What `sam package` puts in the place of local paths.
        for name in ("CodeUri", "ContentUri", "DefinitionUri"):
            if name in properties:
                properties[name] = "s3://artifacts/" + properties[name].strip("/")
        if properties.get("PackageType") == "Image":
            properties["ImageUri"] = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mesh:1"
    session = boto3.Session(region_name=PSEUDO["AWS::Region"])
    # No managed policies to look up in IAM: the roles are all the template's own.
    plain: Json = Translator({}, Parser(), boto_session=session).translate(
        template, dict(parameters)
    )
    return plain
