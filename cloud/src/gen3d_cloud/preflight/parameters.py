"""What a deployment will give the template: its defaults, the stack, samconfig.toml, a list."""

import shlex
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from gen3d_cloud.deployed import CloudError

ROOT = Path(__file__).resolve().parents[4]
INSTANCES = {"sam": "ml.g6e.2xlarge", "open": "ml.g6.2xlarge", "lite": "ml.c7i.xlarge"}
"""What the template takes where no type is given."""
BUILDERS = {
    "sam": "BUILD_GENERAL1_LARGE",
    "open": "BUILD_GENERAL1_LARGE",
    "lite": "BUILD_GENERAL1_MEDIUM",
}
"""Likewise for the machine that builds the image."""


@dataclass(frozen=True)
class Parameters:
    """The template's parameters.

    Parameters
    ----------
    values : dict
    named : frozenset of str
        Which were named at the command, and so are meant.
    """

    values: dict[str, str]
    named: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def instance_types(self) -> list[str]:
        """What the endpoint may run on, the first choice first."""
        types = [each.strip() for each in self["InstanceTypes"].split(",") if each.strip()]
        return types or [INSTANCES[self["Engine"]]]

    @property
    def builder(self) -> str:
        """CodeBuild's name for the machine that builds the image."""
        return self["BuildComputeType"] or BUILDERS[self["Engine"]]

    @property
    def max_instances(self) -> int:
        """The most that the endpoint grows to."""
        return int(self["MaxInstances"] or 1)


def resolve(stack: str, engine: str, deployed: dict[str, str], given: str) -> Parameters:
    """What a deployment would be given.

    Parameters
    ----------
    stack : str
        Its set in samconfig.toml counts, where one has its name.
    engine : str
        "" for the one that the rest says.
    deployed : dict
        What the stack has now, which an update keeps.
    given : str
        ``Name=value Name=value``, as for ``--parameter-overrides``; in samconfig's stead.

    Raises
    ------
    CloudError
        `given` is no such list.
    """
    named = overrides(given)
    if engine:
        named["Engine"] = engine
    listed = {} if given else _samconfig(stack)
    values = _defaults() | deployed | listed | named
    return Parameters(values, frozenset(named))


@cache
def _defaults() -> dict[str, str]:
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Plain)  # noqa: S506  a SafeLoader
    return {
        name: str(about["Default"])
        for name, about in template["Parameters"].items()
        if "Default" in about
    }


def _samconfig(stack: str) -> dict[str, str]:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for of in config.values():
        if not isinstance(of, dict):
            continue
        if of.get("global", {}).get("parameters", {}).get("stack_name") == stack:
            listed = of.get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
            return overrides(listed if isinstance(listed, str) else shlex.join(listed))
    return {}


def overrides(text: str) -> dict[str, str]:
    """Read ``Name=value Name=value``, as for ``--parameter-overrides``.

    Raises
    ------
    CloudError
        It is no such list.
    """
    found = {}
    for word in shlex.split(text):
        name, equals, value = word.partition("=")
        if not equals or not name.isalnum():
            raise CloudError(f"{word!r} is no parameter. Write Name=value, with spaces between.")
        found[name] = value.strip('"')
    return found


class _Plain(yaml.SafeLoader):
    """Reads a template without what its functions mean."""


_Plain.add_multi_constructor("!", lambda _loader, _tag, _node: None)
