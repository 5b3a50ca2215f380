"""What a function is told by its environment, read once and typed."""

import os
from functools import cache
from typing import Annotated, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings

Given = Annotated[str, Field(min_length=1)]
"""Text that may not be empty."""


class SettingMissing(Exception):
    """A function was started without a variable that it needs, or with one that it cannot read.

    Who operates the stack meets it, in the function's log. It is none of `gen3d.errors`: whoever
    uses the API is told of an `InternalError`.
    """


class Settings(BaseSettings):
    """Environment variables by their names in ``template.yaml``, in lower case.

    What every function is given. One that is given more has a class of its own, whose fields are
    its variables; a test holds the two together. No field has a default: an empty bucket's name
    would fail far from here, with an error that says nothing of it.
    """

    bucket: Given

    @classmethod
    @cache
    def read(cls) -> Self:
        """The settings of this process.

        Raises
        ------
        SettingMissing
            The sentence names the function and each variable.
        """
        try:
            return cls()  # type: ignore[call-arg]  # they come from the environment
        except ValidationError as error:
            raise SettingMissing(_what_is_missing(error)) from None


def _what_is_missing(error: ValidationError) -> str:
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "that is started here")
    variables = ", ".join(
        f"{str(each['loc'][0]).upper()} ({_reason(each['type'], each['msg'])})"
        for each in error.errors()
    )
    return (
        f"The function {function} lacks variables of its environment: {variables}. "
        "Deploy template.yaml, which sets them, or set them where you start the function."
    )


def _reason(kind: str, message: str) -> str:
    return {"missing": "not set", "string_too_short": "empty"}.get(kind, message)
