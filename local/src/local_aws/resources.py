"""What the deployed stack consists of, read from ministack's CloudFormation."""

from typing import Any, TypedDict, cast  # noqa: TID251  each type of resource has its own

from ministack.services import cloudformation

from local_aws.settings import STACK


class Resource(TypedDict):
    """A resource as CloudFormation keeps it."""

    PhysicalResourceId: str
    ResourceType: str
    Properties: Any
    """Resolved; each type has its own."""
    Attributes: dict[str, str]


class Output(TypedDict):
    """An output of the stack."""

    OutputKey: str
    OutputValue: str


class Record(TypedDict, total=False):
    """The stack as CloudFormation keeps it."""

    _resources: dict[str, Resource]
    Outputs: list[Output]


def of_type(kind: str) -> list[Resource]:
    """Every resource of a CloudFormation type."""
    found = (stack() or Record()).get("_resources", {}).values()
    return [resource for resource in found if resource["ResourceType"] == kind]


def named(kind: str, property_name: str, value: str) -> Any:
    """The properties of the resource of this type whose attribute has a value.

    Raises
    ------
    KeyError
        There is none.
    """
    for resource in of_type(kind):
        if resource["Attributes"].get(property_name) == value:
            return dict(resource["Properties"])
    raise KeyError(f"{kind} {value}")


def outputs() -> dict[str, str]:
    """The stack's outputs; empty before it is deployed."""
    pairs = (stack() or Record()).get("Outputs") or []
    return {pair["OutputKey"]: pair["OutputValue"] for pair in pairs}


def stack() -> Record | None:
    """The stack's record, or None before it is deployed."""
    return cast(Record | None, cloudformation._stacks.get(STACK))
