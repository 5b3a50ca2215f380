"""What ``template.yaml`` deploys, and what is said of it in ``resources.toml``."""

import re
import tomllib
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any  # noqa: TID251  a template, whose every type has its own properties

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from docs.generate.parts import DocumentError, code, table
from docs.generate.values import spelled

_DATA = Path(__file__).with_name("resources.toml")
_RULE = "# ───"
_LAYER = re.compile(r"^(Layer)[0-9a-f]{10}$")
"""SAM puts a digest of a layer's properties behind its name."""
CONDITIONS = {
    "HasBudget": "where MonthlyBudget is set",
    "HasContainer": "once ContainerImage is set",
    "HasDistribution": "unless WebHosting is none",
    "HasSignUpFirewall": "where SignUpFirewall asks for it",
    "MakesIdentity": "unless ExistingIdentity names one",
}
"""Conditions in words."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """The template, its sections, and the purposes and cost drivers of its resources.

    Attributes
    ----------
    body : dict
        The template as it is written; intrinsic functions as ``{"Ref": …}`` and ``{"Fn::…": …}``.
    sections : dict
        Logical id → the banner that it stands under.
    purposes : dict
        Logical id → sentence.
    costs : dict
        Logical id or type → what makes it cost.
    """

    body: Json
    sections: dict[str, str]
    purposes: dict[str, str]
    costs: dict[str, str]

    @classmethod
    def read(cls, root: Path, data: Path = _DATA) -> "Template":
        """Read the template, and hold what is said of it against it.

        Raises
        ------
        DocumentError
            A resource lacks its purpose or cost driver, or one is told of a resource that is gone.
        """
        text = (root / "template.yaml").read_text()
        body: Json = yaml_parse(text)
        said = tomllib.loads(data.read_text())
        template = cls(body, _sections(text), said["purpose"], said["cost"])
        template._check(data.name)
        return template

    def resources(self, costs: str = "") -> str:
        """All resources by section; with ``costs``, also what makes each cost."""
        parts = []
        for section in dict.fromkeys(self.sections.values()):
            head = ["resource", "type", "purpose", *(["cost driver"] if costs else [])]
            rows = [
                (code(name), f"{resource['Type']}{when(resource)}", self.purpose(name))
                + ((self._cost(name),) if costs else ())
                for name, resource in self.body["Resources"].items()
                if self.sections[name] == section
            ]
            if rows:
                parts.append(f"### {section}\n\n{table(head, rows)}")
        return "\n\n".join(parts)

    def types(self) -> set[str]:
        """CloudFormation's types of all that is made, what SAM adds among them."""
        return {resource["Type"] for resource in self._expand().values()}

    def expanded(self) -> str:
        """Resources that SAM adds to those of the template, by type."""
        added: dict[str, list[str]] = {}
        for name, resource in sorted(self._expand().items()):
            plain = _LAYER.sub(r"\1", name)
            if plain not in self.body["Resources"]:
                added.setdefault(resource["Type"], []).append(plain)
        return table(
            ["type", "number", "resources"],
            [
                (kind, str(len(names)), ", ".join(map(code, names)))
                for kind, names in sorted(added.items())
            ],
        )

    def parameters(self) -> str:
        """The template's parameters."""
        return table(
            ["parameter", "default", "meaning"],
            [
                (code(name), _default(parameter), parameter["Description"])
                for name, parameter in self.body["Parameters"].items()
            ],
        )

    def outputs(self) -> str:
        """The stack's outputs."""
        return table(
            ["output", "value"],
            [
                (code(name), code(spelled(output["Value"])) + when(output))
                for name, output in self.body["Outputs"].items()
            ],
        )

    def purpose(self, name: str) -> str:
        """What a resource is for; an alarm and a route say it themselves."""
        properties = self.body["Resources"][name].get("Properties", {})
        if alarm := properties.get("AlarmDescription"):
            return " ".join(alarm.split()).rstrip(".")
        if route := properties.get("RouteKey"):
            token = "with an ID token or a key" if "AuthorizerId" in properties else "for everybody"
            return f"{code(route)}, {token}"
        return self.purposes[name]

    def _cost(self, name: str) -> str:
        return self.costs.get(name) or self.costs[self.body["Resources"][name]["Type"]]

    def _check(self, data: str) -> None:
        resources = self.body["Resources"]
        silent = [
            name
            for name, resource in resources.items()
            if name not in self.purposes
            and {"AlarmDescription", "RouteKey"}.isdisjoint(resource["Properties"])
        ]
        free = [
            name
            for name, resource in resources.items()
            if name not in self.costs and resource["Type"] not in self.costs
        ]
        kinds = {resource["Type"] for resource in resources.values()}
        gone = [name for name in self.purposes if name not in resources]
        gone += [name for name in self.costs if name not in resources and name not in kinds]
        complaints = [
            f"{data}: {what}: {', '.join(names)}."
            for what, names in [
                ("say under [purpose] what these are for", silent),
                ("say under [cost] what makes these cost, by name or type", free),
                ("these are not in the template any more", gone),
            ]
            if names
        ]
        if complaints:
            raise DocumentError("\n".join(complaints))

    def _expand(self) -> dict[str, Json]:
        template = deepcopy(self.body)  # translating changes what it is given
        for resource in template["Resources"].values():
            properties = resource["Properties"]
            # What `sam package` puts in the place of local paths.
            for name in ("CodeUri", "ContentUri", "DefinitionUri"):
                if name in properties:
                    properties[name] = f"s3://artifacts/{properties[name].strip('/')}"
            if properties.get("PackageType") == "Image":
                properties["ImageUri"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mesh:1"
        session = boto3.Session(region_name="us-east-1")
        translated: Json = Translator({}, Parser(), boto_session=session).translate(
            template, {"SenderEmail": "sender@example.com", "AdminEmail": "admin@example.com"}
        )
        resources: dict[str, Json] = translated["Resources"]
        return resources


def _sections(text: str) -> dict[str, str]:
    """Logical id → the first words of the banner above it."""
    found: dict[str, str] = {}
    section, in_resources = "", False
    lines = text.splitlines()
    for above, line in pairwise(lines):
        if above.startswith(_RULE) and line.startswith("# ") and not line.startswith(_RULE):
            section = line.removeprefix("# ").split(":")[0]
        if re.match(r"\w", line):
            in_resources = line.startswith("Resources:")
        entry = re.match(r"  (\w+):$", line)
        if entry and in_resources:
            found[entry[1]] = section
    return found


def when(entry: Json) -> str:
    """In brackets, the condition of a resource or an output that has one."""
    condition = entry.get("Condition")
    return f" ({CONDITIONS.get(condition, condition)})" if condition else ""


def _default(parameter: Json) -> str:
    if "Default" not in parameter:
        return "to be given"
    return code(str(parameter["Default"])) or "empty"
