"""What the deployed stack consists of, read from ministack's CloudFormation."""

from typing import Any

from ministack.services import cloudformation

from local_aws.settings import STACK


def of_type(kind: str) -> list[dict[str, Any]]:
    """Every resource of a CloudFormation type, as CloudFormation keeps it.

    Returns
    -------
    list of dict
        With `LogicalResourceId`, `PhysicalResourceId`, `Properties` (resolved) and `Attributes`.
    """
    found = (stack() or {}).get("_resources", {}).values()
    return [resource for resource in found if resource["ResourceType"] == kind]


def named(kind: str, property_name: str, value: str) -> dict[str, Any]:
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
    pairs = (stack() or {}).get("Outputs") or []
    return {pair["OutputKey"]: pair["OutputValue"] for pair in pairs}


def stack() -> dict[str, Any] | None:
    """The stack's record, or None before it is deployed."""
    return cloudformation._stacks.get(STACK)  # type: ignore[no-any-return]
