"""A text prompt is optional, trimmed and short."""

import pytest
from gen3d.contract import MAX_CANDIDATES, InitializeRequest, InitializeResult, RequestAdapter
from pydantic import ValidationError

REQUEST = {"task": "initialize", "image": "s3://bucket/image", "output": "s3://bucket/embeddings"}
RESULT = {"bytes": 1, "timings": {}, "engine": "e", "revision": "r", "width": 1, "height": 1}


@pytest.mark.parametrize(
    ("text", "taken"), [(None, None), (" a chair\n", "a chair"), ("é" * 200, "é" * 200)]
)
def test_a_text_prompt_is_taken_without_its_margins(text: str | None, taken: str | None) -> None:
    request = RequestAdapter.validate_python({**REQUEST, "text": text})
    assert isinstance(request, InitializeRequest)
    assert request.text == taken


def test_a_photo_needs_no_text_prompt() -> None:
    request = RequestAdapter.validate_python(REQUEST)
    assert isinstance(request, InitializeRequest)
    assert request.text is None
    assert InitializeResult.model_validate(RESULT).candidates == 0


@pytest.mark.parametrize("text", ["", " \n", "x" * 201, 3])
def test_another_text_prompt_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="text"):
        RequestAdapter.validate_python({**REQUEST, "text": text})


def test_no_more_candidates_than_are_offered() -> None:
    most = InitializeResult.model_validate({**RESULT, "candidates": MAX_CANDIDATES})
    assert most.candidates == 8
    with pytest.raises(ValidationError, match="candidates"):
        InitializeResult.model_validate({**RESULT, "candidates": MAX_CANDIDATES + 1})
