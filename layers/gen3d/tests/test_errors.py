"""Every named error survives the way through JSON and answers as a client or a server error."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen3d import errors
from gen3d.errors import ERRORS, Gen3DError, LimitReached, from_body


@pytest.mark.parametrize("cls", ERRORS.values(), ids=ERRORS)
def test_an_error_comes_back_from_its_body(cls: type[Gen3DError]) -> None:
    error = from_body(cls("Do this.").body())
    assert type(error) is cls
    assert error.message == str(error) == "Do this."


@pytest.mark.parametrize("cls", ERRORS.values(), ids=ERRORS)
def test_every_error_has_a_status_and_says_when_it_comes(cls: type[Gen3DError]) -> None:
    assert 400 <= cls.status < 600
    assert cls.__doc__


def test_when_to_try_again_comes_back_too() -> None:
    body = LimitReached("Wait.", 30).body()
    assert body == {"error": "LimitReached", "message": "Wait.", "retryAfter": 30}
    back = from_body(body)
    assert back is not None
    assert back.retry_after == 30
    assert "retryAfter" not in LimitReached("Wait.").body()


@pytest.mark.parametrize("seconds", [None, "30", [], 1.5, True])
def test_a_time_that_is_none_is_left_out(seconds: object) -> None:
    back = from_body({"error": "LimitReached", "message": "Wait.", "retryAfter": seconds})
    assert back is not None
    assert back.retry_after is None


def test_a_body_without_a_sentence_has_none() -> None:
    back = from_body({"error": "LimitReached"})
    assert back is not None
    assert back.message == ""


def test_the_list_is_whole() -> None:
    named = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Gen3DError) and value is not Gen3DError
    }
    assert set(ERRORS) == named


@pytest.mark.parametrize(
    "body", [None, 1, "InvalidMask", [], {}, {"error": "Nope"}, {"error": None}, {"message": "m"}]
)
def test_another_body_names_nothing(body: object) -> None:
    assert from_body(body) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("error"), inner),
    max_leaves=10,
)


@pytest.mark.slow
@given(json_values)
def test_no_body_breaks_it(body: Any) -> None:
    assert from_body(body) is None or body["error"] in ERRORS
