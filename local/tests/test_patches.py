"""Replacing functions of moto's."""

import pytest

from local_aws.workflow.patches import patch


class Owner:
    """One of moto's classes."""

    def answer(self) -> str:
        return "theirs"


def test_a_function_takes_the_place_of_the_one_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Owner, "answer", Owner.answer)  # put back at the end
    patch(Owner, answer=lambda _self: "ours")
    assert Owner().answer() == "ours"


def test_what_has_another_name_now_is_an_error() -> None:
    with pytest.raises(AttributeError, match="reply"):
        patch(Owner, reply=lambda _self: "ours")
    assert not hasattr(Owner, "reply")
